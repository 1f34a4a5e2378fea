#include "auth/key.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "dns/lex.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

const char *
key_right_label(enum key_right right)
{
	static const char *const labels[RIGHT_COUNT] = {
		[RIGHT_NONE] = "",
		[RIGHT_STATUS] = "_status",
		[RIGHT_NOTIFY] = "_notify",
		[RIGHT_TRANSFER] = "_transfer",
		[RIGHT_UPDATE] = "_update",
	};
	return labels[right];
}

static enum key_right
operation_of(const uint8_t *label)
{
	for (enum key_right right = RIGHT_STATUS; right < RIGHT_COUNT; right++) {
		const char *text = key_right_label(right);
		size_t len = strlen(text);
		if (label[0] == len && strncasecmp((const char *)label + 1, text, len) == 0) {
			return right;
		}
	}
	return RIGHT_NONE;
}

/* The address in `text`, as an A or AAAA record would have it. */
static bool
read_text(const char *text, size_t len, uint16_t type, struct key_address *out)
{
	struct key_address a = { .family = type == TYPE_A ? 4 : 6 };
	struct buf b = buf_over(a.octets, sizeof a.octets);
	struct rdata_error why;
	struct lex lx;
	lex_init(&lx, text, len);
	if (rdata_parse(&lx, type, NULL, &b, &why) != OK) {
		return false;
	}
	*out = a;
	return true;
}

/* Four labels that are the decimal octets of an IPv4 address. */
static bool
read_ipv4(const uint8_t *const labels[4], struct key_address *out)
{
	char text[sizeof "255.255.255.255."];
	size_t n = 0;
	for (int i = 0; i < 4; i++) {
		for (unsigned j = 1; j <= labels[i][0]; j++) {
			if (j > 3 || labels[i][j] < '0' || labels[i][j] > '9') {
				return false;
			}
			text[n++] = (char)labels[i][j];
		}
		text[n++] = '.';
	}
	return read_text(text, n - 1, TYPE_A, out);
}

/* One label: an IPv6 address with dashes for colons, since names of files and URLs do not like these. */
static bool
read_ipv6(const uint8_t *label, struct key_address *out)
{
	char text[LABEL_MAX];
	unsigned len = label[0];
	for (unsigned i = 0; i < len; i++) {
		char c = (char)octet_lower(label[1 + i]);
		if (c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'f')) {
			return false;
		}
		text[i] = c == '-' ? ':' : c;
	}
	return read_text(text, len, TYPE_AAAA, out);
}

/* The address that ends with label `end` - 1; returns how many labels it takes, 0: there is none. */
static unsigned
read_address(const uint8_t *const *labels, unsigned end, struct key_address *out)
{
	if (end >= 1 && read_ipv6(labels[end - 1], out)) {
		return 1;
	}
	return end >= 4 && read_ipv4(labels + end - 4, out) ? 4 : 0;
}

/* PRIMARYIP.SECONDARYIP._transfer, or ANY.PRIMARYIP._transfer: read from the operation leftwards. */
static void
read_addresses(const uint8_t *const *labels, unsigned end, struct key *k)
{
	struct key_address last, first;
	unsigned used = read_address(labels, end, &last);
	if (used == 0) {
		return;
	}
	if (read_address(labels, end - used, &first) != 0) {
		k->primary = first;
		k->secondary = last;
	} else {
		k->primary = last;
	}
}

bool
key_address_is_equal(const struct key_address *a, const struct key_address *b)
{
	return a->family == b->family && memcmp(a->octets, b->octets, a->family == 4 ? 4 : 16) == 0;
}

err_t
key_name_read(const uint8_t *name, struct key *out)
{
	const uint8_t *labels[NAME_LABELS_MAX];
	unsigned n = 0;
	for (; !name_is_root(name); name = name_parent(name)) {
		labels[n++] = name;
	}
	/* The last operation is the one that counts: what stands before it may be anything. */
	while (n != 0 && operation_of(labels[n - 1]) == RIGHT_NONE) {
		n--;
	}
	if (n == 0) {
		return E_FORMAT;
	}
	out->right = operation_of(labels[n - 1]);
	name_set(&out->domain, name_parent(labels[n - 1]));
	out->primary = out->secondary = (struct key_address){ 0 };
	if (out->right == RIGHT_TRANSFER) {
		read_addresses(labels, n - 1, out);
	}
	return OK;
}

bool
key_is_same(const struct tsig_key *a, const struct tsig_key *b)
{
	return a->alg == b->alg && a->secret_len == b->secret_len && ct_is_equal(a->secret, b->secret, a->secret_len);
}

bool
key_has_right(const struct key *k, enum key_right right, const uint8_t *zone)
{
	return right != RIGHT_NONE && k->right >= right && name_is_within(zone, k->domain.oct);
}
