#include "zone/nkey.h"

#include <string.h>

/* The octets in canonical order, with the number that each begins with.  Runs of uncommon octets share a first
 * number; the second, from FIRST_SECOND up, says which one it is.  There are 45 second numbers, since they too
 * are below NKEY_NUMBERS: enough for the 45 octets before "-", and three times enough for the 133 after "z".
 *
 *   2            00-2C    4  "." "/"     15  3A-40 5B-5E     17  60          44 45 46  7B-FF
 *   3  "-"       5-14  0-9               16  "_"             18-43  a-z
 */
enum {
	PAIR = 0x80, /* in the table: a second number follows */
	SECOND_MIN = 2,
	SECONDS = NKEY_NUMBERS - SECOND_MIN,
};

#define LETTER(upper, number) [upper] = (number), [(upper) + 32] = (number)

static const uint8_t first[256] = {
	[0 ... 0x2C] = PAIR | 2,
	['-'] = 3,
	['.'] = PAIR | 4, ['/'] = PAIR | 4,
	['0'] = 5, ['1'] = 6, ['2'] = 7, ['3'] = 8, ['4'] = 9,
	['5'] = 10, ['6'] = 11, ['7'] = 12, ['8'] = 13, ['9'] = 14,
	[0x3A ... 0x40] = PAIR | 15, [0x5B ... 0x5E] = PAIR | 15,
	['_'] = 16,
	['`'] = PAIR | 17,
	LETTER('A', 18), LETTER('B', 19), LETTER('C', 20), LETTER('D', 21), LETTER('E', 22),
	LETTER('F', 23), LETTER('G', 24), LETTER('H', 25), LETTER('I', 26), LETTER('J', 27),
	LETTER('K', 28), LETTER('L', 29), LETTER('M', 30), LETTER('N', 31), LETTER('O', 32),
	LETTER('P', 33), LETTER('Q', 34), LETTER('R', 35), LETTER('S', 36), LETTER('T', 37),
	LETTER('U', 38), LETTER('V', 39), LETTER('W', 40), LETTER('X', 41), LETTER('Y', 42),
	LETTER('Z', 43),
	[0x7B ... 0x7B + SECONDS - 1] = PAIR | 44,
	[0x7B + SECONDS ... 0x7B + 2 * SECONDS - 1] = PAIR | 45,
	[0x7B + 2 * SECONDS ... 0xFF] = PAIR | 46,
};

#undef LETTER

/* The second number of an octet that takes two: its place in its run. */
static uint8_t
second_number(uint8_t octet)
{
	if (octet < '-') {
		return (uint8_t)(SECOND_MIN + octet);
	}
	if (octet > 'z') {
		return (uint8_t)(SECOND_MIN + (octet - 0x7B) % SECONDS);
	}
	return (uint8_t)(SECOND_MIN + octet - (octet < ':' ? '.' : ':'));
}

/* A label whose octets take one number each, as most do; false when one takes two, with `out` half written. */
static bool
put_plain_label(uint8_t *out, const uint8_t *octets, size_t n)
{
	unsigned all = 0;
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		unsigned a = first[octets[i]], b = first[octets[i + 1]];
		unsigned c = first[octets[i + 2]], d = first[octets[i + 3]];
		out[i] = (uint8_t)a;
		out[i + 1] = (uint8_t)b;
		out[i + 2] = (uint8_t)c;
		out[i + 3] = (uint8_t)d;
		all |= a | b | c | d;
	}
	for (; i < n; i++) {
		out[i] = first[octets[i]];
		all |= out[i];
	}
	return (all & PAIR) == 0;
}

static size_t
put_any_label(uint8_t *out, const uint8_t *octets, size_t n)
{
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t number = first[octets[i]];
		out[len++] = (uint8_t)(number & ~PAIR);
		if ((number & PAIR) != 0) {
			out[len++] = second_number(octets[i]);
		}
	}
	return len;
}

/* The labels of a name, the last first. */
static uint8_t *
put_labels(uint8_t *out, const uint8_t *name, const uint8_t *label_at, unsigned labels)
{
	while (labels != 0) {
		const uint8_t *label = name + label_at[--labels];
		size_t n = *label++;
		out += put_plain_label(out, label, n) ? n : put_any_label(out, label, n);
		*out++ = NKEY_END;
	}
	return out;
}

void
nkey_set(struct nkey *key, const uint8_t *name)
{
	unsigned labels = 0;
	size_t at = 0;
	for (; name[at] != 0; at += 1u + name[at]) {
		key->label_at[labels++] = (uint8_t)at;
	}
	key->name = name;
	key->name_len = (uint8_t)(at + 1);
	key->labels = (uint8_t)labels;
	key->len = (uint16_t)(put_labels(key->at, name, key->label_at, labels) - key->at);
}

size_t
nkey_suffix_len(const struct nkey *key, unsigned labels)
{
	size_t at = 0;
	for (; labels != 0; labels--) {
		while (key->at[at++] != NKEY_END) {
		}
	}
	return at;
}

void
nkey_set_below(struct nkey *key, size_t from, const uint8_t *name, size_t name_len, size_t n)
{
	uint8_t label_at[NAME_LABELS_MAX];
	unsigned labels = 0;
	for (size_t at = 0; at < n; at += 1u + name[at]) {
		label_at[labels++] = (uint8_t)at;
	}
	key->name = name;
	key->name_len = (uint8_t)name_len;
	key->len = (uint16_t)(put_labels(key->at + from, name, label_at, labels) - key->at);
}

/* ASCII letters of eight octets lower-cased at once: bit 7 of `upper` is set where an octet is in A-Z.  The sums
 * cannot carry from octet to octet, as bit 7 is masked off first. */
static uint64_t
lower8(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low7 = x & ones * 0x7F;
	uint64_t above_z = low7 + ones * (0x7F - 'Z');
	uint64_t from_a = low7 + ones * (0x80 - 'A');
	uint64_t upper = ~x & (from_a ^ above_z) & ones * 0x80;
	return x | upper >> 2;
}

bool
nkey_octets_are_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (; n >= 8; n -= 8, a += 8, b += 8) {
		uint64_t x, y;
		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		if (x != y && lower8(x) != lower8(y)) {
			return false;
		}
	}
	for (; n != 0; n--, a++, b++) {
		if (*a != *b && octet_lower(*a) != octet_lower(*b)) {
			return false;
		}
	}
	return true;
}

bool
nkey_is_name(const struct nkey *key, const uint8_t *name, size_t len)
{
	return len == key->name_len && nkey_octets_are_equal(key->name, name, len);
}

bool
nkey_is_below(const struct nkey *key, const uint8_t *ancestor, size_t len)
{
	if (len >= key->name_len) {
		return false;
	}
	size_t at = key->name_len - len;
	for (unsigned i = key->labels; i != 0 && key->label_at[i - 1] >= at; i--) {
		if (key->label_at[i - 1] == at) {
			return nkey_octets_are_equal(key->name + at, ancestor, len);
		}
	}
	return len == 1; /* the root */
}

bool
nkey_has_parting(const struct nkey *key, const uint8_t *name, struct nkey_parting *out)
{
	struct nkey other;
	nkey_set(&other, name);
	size_t shorter = key->len < other.len ? key->len : other.len;
	size_t i = 0;
	for (; i + 8 <= shorter; i += 8) {
		if (memcmp(key->at + i, other.at + i, 8) != 0) {
			break;
		}
	}
	while (i < shorter && key->at[i] == other.at[i]) {
		i++;
	}
	if (i == shorter && key->len == other.len) {
		return false;
	}
	*out = (struct nkey_parting){ .at = i, .ours = nkey_at(key, i), .theirs = nkey_at(&other, i) };
	return true;
}
