#include "auth/key.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/secondaries.h"
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

/* "_aaaa": the type that a label names. */
static bool
read_type(const uint8_t *label, uint16_t *out)
{
	uint16_t type;
	bool is_type = label[0] > 1 && label[1] == '_' && rrtype_parse((const char *)label + 2, label[0] - 1u, &type) == OK &&
	               type != 0 && (rrtype_flags(type) & RRTYPE_META) == 0;
	if (is_type) {
		*out = type;
	}
	return is_type;
}

/* The label before the operation, label `at`, that should name a type and does not, or does and should not; NULL: none. */
static const uint8_t *
find_bad_type(const uint8_t *const *labels, unsigned at)
{
	uint16_t type;
	if (operation_of(labels[at]) != RIGHT_UPDATE) {
		return at != 0 && read_type(labels[at - 1], &type) ? labels[at - 1] : NULL;
	}
	while (at != 0 && labels[at - 1][1] == '_') {
		if (!read_type(labels[--at], &type)) {
			return labels[at];
		}
	}
	return NULL;
}

static void
read_types(const uint8_t *const *labels, unsigned at, struct key *k)
{
	while (at != 0 && read_type(labels[at - 1], &k->types[k->types_n])) {
		k->types_n++;
		at--;
	}
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

size_t
key_address_len(const struct key_address *a)
{
	return a->family == 4 ? 4 : 16;
}

int
key_address_compare(const struct key_address *a, const struct key_address *b)
{
	return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->octets, b->octets, key_address_len(a));
}

bool
key_address_is_equal(const struct key_address *a, const struct key_address *b)
{
	return key_address_compare(a, b) == 0;
}

/* Returns how many there are. */
static unsigned
split(const uint8_t *name, const uint8_t *labels[NAME_LABELS_MAX])
{
	unsigned n = 0;
	for (; !name_is_root(name); name = name_parent(name)) {
		labels[n++] = name;
	}
	return n;
}

/* The last operation is the one that counts: what stands before it may be anything.  Returns 1 more than where it is; 0: nowhere. */
static unsigned
find_operation(const uint8_t *const *labels, unsigned n)
{
	while (n != 0 && operation_of(labels[n - 1]) == RIGHT_NONE) {
		n--;
	}
	return n;
}

err_t
key_name_read(const uint8_t *name, struct key *out)
{
	const uint8_t *labels[NAME_LABELS_MAX];
	unsigned at = find_operation(labels, split(name, labels));
	out->right = RIGHT_NONE;
	if (at-- == 0) {
		return E_FORMAT;
	}
	if (find_bad_type(labels, at) != NULL) {
		return E_UNSUPPORTED;
	}
	out->right = operation_of(labels[at]);
	out->types_n = 0;
	out->primary = out->secondary = (struct key_address){ 0 };
	name_set(&out->domain, name_parent(labels[at]));
	if (out->right == RIGHT_UPDATE) {
		read_types(labels, at, out);
	} else if (out->right == RIGHT_TRANSFER) {
		read_addresses(labels, at, out);
	}
	return OK;
}

/* ---- what is wrong with it ---- */

/* Letters to insert, remove or replace (Levenshtein's distance). */
static unsigned
distance(const uint8_t *label, const char *word)
{
	unsigned row[LABEL_MAX + 1];
	for (unsigned k = 0; k <= label[0]; k++) {
		row[k] = k;
	}
	for (unsigned i = 0; word[i] != '\0'; i++) {
		unsigned diagonal = row[0];
		row[0] = i + 1;
		for (unsigned k = 1; k <= label[0]; k++) {
			unsigned best = diagonal + (octet_lower(label[k]) != word[i]);
			diagonal = row[k];
			best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
			row[k] = row[k] + 1 < best ? row[k] + 1 : best;
		}
	}
	return row[label[0]];
}

enum { NEAR = 2 };

/* The operation that a label is meant to be; RIGHT_NONE: none looks like one. */
static enum key_right
guess_operation(const uint8_t *const *labels, unsigned n)
{
	for (unsigned i = n; i-- != 0;) {
		for (enum key_right right = RIGHT_STATUS; right < RIGHT_COUNT; right++) {
			if (distance(labels[i], key_right_label(right)) <= NEAR) {
				return right;
			}
		}
	}
	return RIGHT_NONE;
}

static void
show_label(const uint8_t *label, char out[NAME_TEXT_MAX])
{
	struct name n = { .len = (uint8_t)(label[0] + 2) };
	memcpy(n.oct, label, label[0] + 1u);
	n.oct[label[0] + 1] = 0;
	(void)name_show(n.oct, out);
}

void
key_name_trouble(const uint8_t *name, char out[KEY_TROUBLE_MAX])
{
	const uint8_t *labels[NAME_LABELS_MAX], *bad;
	char label[NAME_TEXT_MAX];
	unsigned n = split(name, labels), at = find_operation(labels, n);
	out[0] = '\0';
	if (at == 0) {
		enum key_right near = guess_operation(labels, n);
		(void)snprintf(out, KEY_TROUBLE_MAX, "has no operation in it%s%s", near != RIGHT_NONE ? ": it should be " : "",
		               key_right_label(near));
	} else if ((bad = find_bad_type(labels, at - 1)) != NULL) {
		show_label(bad, label);
		bool is_update = operation_of(labels[at - 1]) == RIGHT_UPDATE;
		(void)snprintf(out, KEY_TROUBLE_MAX, is_update ? "has %.260s before _update, which is no type of records"
		                                               : "has %.260s in it, and only updates are limited to types", label);
	}
}

bool
key_includes(const struct key *k, enum key_right right)
{
	return right != RIGHT_NONE && k->right >= right && (k->types_n == 0 || right == RIGHT_UPDATE);
}

bool
key_is_same(const struct tsig_key *a, const struct tsig_key *b)
{
	return a->alg == b->alg && a->secret_len == b->secret_len && ct_is_equal(a->secret, b->secret, a->secret_len);
}

static bool
has_grant(const struct key *k, const uint8_t *domain)
{
	size_t low = 0, high = k->granted_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = name_compare(k->granted[mid].domain, domain);
		if (order == 0) {
			return true;
		}
		low = order < 0 ? mid + 1 : low;
		high = order < 0 ? high : mid;
	}
	return false;
}

/* True when a file of secondaries lets it transfer the zone. */
static bool
is_granted(const struct key *k, const uint8_t *zone)
{
	while (k->granted_n != 0 && !has_grant(k, zone)) {
		if (name_is_root(zone)) {
			return false;
		}
		zone = name_parent(zone);
	}
	return k->granted_n != 0;
}

bool
key_has_right(const struct key *k, enum key_right right, const uint8_t *zone)
{
	bool is_by_name = key_includes(k, right) && name_is_within(zone, k->domain.oct);
	return is_by_name || (right == RIGHT_TRANSFER && is_granted(k, zone));
}

bool
key_sees_all(const struct key *k)
{
	return key_has_right(k, RIGHT_STATUS, name_root);
}

bool
key_is_for(const struct key *k, enum key_right right, const uint8_t *domain)
{
	bool is_by_name = key_includes(k, right) && name_is_equal(k->domain.oct, domain);
	return is_by_name || (right == RIGHT_TRANSFER && has_grant(k, domain));
}

bool
key_is_narrow(const struct key *k, const uint8_t *zone)
{
	return !name_is_within(zone, k->domain.oct);
}

bool
key_may_update(const struct key *k, const uint8_t *zone)
{
	return key_includes(k, RIGHT_UPDATE) && (!key_is_narrow(k, zone) || name_is_within(k->domain.oct, zone));
}

bool
key_is_type_of_zone(uint16_t type)
{
	return type == TYPE_SOA || type == TYPE_NS || type == TYPE_DS;
}

static bool
is_held_to(const struct key *k, uint16_t type)
{
	unsigned i = 0;
	while (i < k->types_n && k->types[i] != type) {
		i++;
	}
	return i < k->types_n;
}

bool
key_may_change(const struct key *k, const uint8_t *zone, const uint8_t *owner, uint16_t type)
{
	bool is_type_fine = k->types_n != 0 ? is_held_to(k, type) : !key_is_narrow(k, zone) || !key_is_type_of_zone(type);
	return is_type_fine && name_is_within(owner, k->domain.oct);
}
