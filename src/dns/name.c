#include "dns/name.h"

#include <string.h>

#include "base/hash.h"
#include "dns/wire.h"

const uint8_t name_root[1] = { 0 };

#define L8(b) (b), (b) + 1, (b) + 2, (b) + 3, (b) + 4, (b) + 5, (b) + 6, (b) + 7
#define L32(b) L8(b), L8((b) + 8), L8((b) + 16), L8((b) + 24)
const uint8_t name_lower_table[256] = {
	L32(0), L32(32), /* controls, digits */
	64,     L8(97),  L8(105), L8(113), 121, 122, 91, 92, 93, 94, 95, /* A-Z */
	L32(96), L32(128), L32(160), L32(192), L32(224),
};
#undef L32
#undef L8

/* Each jump must go to before the part of the name that it leaves, so `floor` becomes less with each jump, and the loop ends.  A
 * name has at most 127 labels, so more jumps than that must be pointers to pointers, which nobody needs, and which would make
 * reading a name as slow as the message is long. */
static void
read_name(struct cur *c, struct name *out, bool may_jump)
{
	struct name n = { .len = 0 };
	size_t floor = c->pos;
	size_t resume = 0; /* where the caller continues; set at the first jump */
	unsigned jumps = 0;
	uint8_t l;
	do {
		l = cur_u8(c);
		if ((l & 0xC0) == 0xC0) {
			size_t to = (size_t)(l & 0x3F) << 8 | cur_u8(c);
			if (!may_jump || ++jumps > NAME_LABELS_MAX || to < DNS_HEADER_LEN || to >= floor) {
				cur_fail(c, E_PTR);
				return;
			}
			resume = resume != 0 ? resume : c->pos;
			c->pos = floor = to;
			continue;
		}
		if (l > LABEL_MAX) {
			cur_fail(c, E_LABEL); /* label types 01 and 10 (RFC 6891 5) */
			return;
		}
		if (l != 0 && n.len + 1u + l > NAME_WIRE_MAX - 1u) {
			cur_fail(c, E_NAMELEN); /* no room for the root label */
			return;
		}
		n.oct[n.len++] = l;
		cur_copy(c, n.oct + n.len, l);
		n.len = (uint8_t)(n.len + l);
	} while (l != 0 && c->err == OK);

	if (c->err == OK) {
		c->pos = resume != 0 ? resume : c->pos;
		out->len = n.len; /* the output changes only on success */
		memcpy(out->oct, n.oct, n.len);
	}
}

void
name_read(struct cur *c, struct name *out)
{
	read_name(c, out, true);
}

void
name_read_plain(struct cur *c, struct name *out)
{
	read_name(c, out, false);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads one octet of a label at *at, resolving an escape; *at moves on. */
static err_t
take_octet(const char *text, size_t len, size_t *at, uint8_t *out)
{
	size_t i = *at;
	if (text[i] != '\\') {
		*out = (uint8_t)text[i];
		*at = i + 1;
		return OK;
	}
	if (i + 1 >= len) {
		return E_FORMAT;
	}
	if (!is_digit(text[i + 1])) {
		*out = (uint8_t)text[i + 1];
		*at = i + 2;
		return OK;
	}
	if (i + 3 >= len || !is_digit(text[i + 2]) || !is_digit(text[i + 3])) {
		return E_FORMAT;
	}
	int v = (text[i + 1] - '0') * 100 + (text[i + 2] - '0') * 10 + (text[i + 3] - '0');
	if (v > 255) {
		return E_RANGE;
	}
	*out = (uint8_t)v;
	*at = i + 4;
	return OK;
}

/* Reads the labels of a text of at most NAME_TEXT_MAX octets, resolving escapes.  `oct` has room for any such text, so lengths
 * are checked once for each label, not for each octet.  *label: the offset of the last label's length octet, which is not set
 * yet; *n: octets used. */
static err_t
read_labels(const char *text, size_t len, uint8_t oct[NAME_TEXT_MAX + 1], size_t *label, size_t *n)
{
	size_t at = 1, open = 0;
	for (size_t i = 0; i < len;) {
		if (text[i] == '.') {
			size_t label_len = at - open - 1;
			if (label_len == 0 || label_len > LABEL_MAX) {
				return E_LABEL;
			}
			oct[open] = (uint8_t)label_len;
			open = at++;
			i++;
		} else if (text[i] == '\\') {
			TRY(take_octet(text, len, &i, &oct[at]));
			at++;
		} else {
			oct[at++] = (uint8_t)text[i++];
		}
	}
	if (at - open - 1 > LABEL_MAX) {
		return E_LABEL;
	}
	*label = open;
	*n = at;
	return OK;
}

err_t
name_parse(const char *text, size_t len, const uint8_t *origin, struct name *out)
{
	uint8_t oct[NAME_TEXT_MAX + 1];
	size_t n = 0, label = 0;
	if (len == 1 && text[0] == '.') {
		name_set(out, name_root);
		return OK;
	}
	if (len == 0) {
		return E_LABEL;
	}
	if (len > NAME_TEXT_MAX) {
		return E_NAMELEN; /* the longest name is shorter, even if every octet is escaped */
	}
	TRY(read_labels(text, len, oct, &label, &n));
	const uint8_t *tail = name_root;
	if (n - label > 1) { /* no final dot */
		oct[label] = (uint8_t)(n - label - 1);
		tail = origin != NULL ? origin : name_root;
	} else {
		n = label;
	}
	size_t tail_len = name_len(tail);
	if (n + tail_len > NAME_WIRE_MAX) {
		return E_NAMELEN;
	}
	memcpy(out->oct, oct, n);
	memcpy(out->oct + n, tail, tail_len);
	out->len = (uint8_t)(n + tail_len);
	return OK;
}

size_t
name_print(const uint8_t *n, char out[NAME_TEXT_MAX])
{
	size_t o = 0;
	if (name_is_root(n)) {
		out[o++] = '.';
	}
	while (*n != 0) {
		for (uint8_t left = *n++; left != 0; left--, n++) {
			if (*n <= ' ' || *n >= 127) {
				out[o++] = '\\';
				out[o++] = (char)('0' + *n / 100);
				out[o++] = (char)('0' + *n / 10 % 10);
				out[o++] = (char)('0' + *n % 10);
				continue;
			}
			if (strchr("\".;\\()@$", *n) != NULL) {
				out[o++] = '\\';
			}
			out[o++] = (char)*n;
		}
		out[o++] = '.';
	}
	out[o] = '\0';
	return o;
}

size_t
name_show(const uint8_t *n, char out[NAME_TEXT_MAX])
{
	size_t len = name_print(n, out);
	if (len > 1) {
		out[--len] = '\0';
	}
	return len;
}

size_t
name_len(const uint8_t *n)
{
	const uint8_t *at = n;
	while (*at != 0) {
		at += 1 + *at;
	}
	return (size_t)(at - n) + 1;
}

uint32_t
name_hash(const uint8_t *n)
{
	uint32_t h = HASH32_START;
	for (size_t i = 0, len = name_len(n); i < len; i++) {
		h = hash32_octet(h, octet_lower(n[i]));
	}
	return h;
}

unsigned
name_labels(const uint8_t *n)
{
	unsigned labels = 0;
	for (; *n != 0; n = name_parent(n)) {
		labels++;
	}
	return labels;
}

void
name_set(struct name *out, const uint8_t *n)
{
	size_t len = name_len(n);
	out->len = (uint8_t)len;
	memcpy(out->oct, n, len);
}

void
name_lower(uint8_t *dst, const uint8_t *n)
{
	size_t len = name_len(n);
	for (size_t i = 0; i < len; i++) {
		dst[i] = octet_lower(n[i]); /* length octets are below 'A', so they stay */
	}
}

bool
name_is_equal(const uint8_t *a, const uint8_t *b)
{
	for (;;) {
		uint8_t left = *a;
		if (left != *b) {
			return false;
		}
		if (left == 0) {
			return true;
		}
		a++, b++;
		for (; left != 0; left--, a++, b++) {
			if (octet_lower(*a) != octet_lower(*b)) {
				return false;
			}
		}
	}
}

/* Lists the start of each label, leftmost first; returns their number. */
static unsigned
label_starts(const uint8_t *n, const uint8_t *starts[NAME_LABELS_MAX])
{
	unsigned count = 0;
	for (; *n != 0; n = name_parent(n)) {
		starts[count++] = n;
	}
	return count;
}

static int
label_compare(const uint8_t *a, const uint8_t *b)
{
	uint8_t shorter = *a < *b ? *a : *b;
	for (uint8_t i = 1; i <= shorter; i++) {
		int d = octet_lower(a[i]) - octet_lower(b[i]);
		if (d != 0) {
			return d;
		}
	}
	return *a - *b;
}

int
name_compare(const uint8_t *a, const uint8_t *b)
{
	const uint8_t *as[NAME_LABELS_MAX], *bs[NAME_LABELS_MAX];
	unsigned an = label_starts(a, as), bn = label_starts(b, bs);
	while (an != 0 && bn != 0) {
		int d = label_compare(as[--an], bs[--bn]);
		if (d != 0) {
			return d;
		}
	}
	return (int)an - (int)bn;
}

bool
name_is_within(const uint8_t *n, const uint8_t *ancestor)
{
	size_t n_len = name_len(n), a_len = name_len(ancestor);
	if (a_len > n_len) {
		return false;
	}
	const uint8_t *end = n + n_len - a_len;
	while (n < end) {
		n = name_parent(n);
	}
	return n == end && name_is_equal(n, ancestor);
}

size_t
name_shared_suffix(const uint8_t *a, const uint8_t *b)
{
	const uint8_t *as[NAME_LABELS_MAX], *bs[NAME_LABELS_MAX];
	unsigned an = label_starts(a, as), bn = label_starts(b, bs);
	size_t shared = 1;
	while (an != 0 && bn != 0 && label_compare(as[an - 1], bs[bn - 1]) == 0) {
		shared += 1u + *as[an - 1];
		an--, bn--;
	}
	return shared;
}

const uint8_t *
name_suffix(const uint8_t *n, unsigned labels)
{
	for (unsigned have = name_labels(n); have > labels; have--) {
		n = name_parent(n);
	}
	return n;
}

err_t
name_join(const uint8_t *n, size_t prefix_len, const uint8_t *suffix, struct name *out)
{
	size_t suffix_len = name_len(suffix);
	if (prefix_len + suffix_len > NAME_WIRE_MAX) {
		return E_NAMELEN;
	}
	memmove(out->oct, n, prefix_len);
	memmove(out->oct + prefix_len, suffix, suffix_len);
	out->len = (uint8_t)(prefix_len + suffix_len);
	return OK;
}
