#include "zone/nkey.h"

#include <string.h>

/* The octets in canonical order, with the first number of each.  Rare octets in a row share a first number; the second number,
 * from SECOND_MIN on, tells them apart.  There are 46 second numbers, because these are below NKEY_NUMBERS, too: enough for the
 * 45 octets before "-", and in three rows for the 133 after "z".
 *
 *   2  00-2C    3-15  "-" "." "/" 0-9    16  3A-40 5B-5E    17  "_"    18  60    19-44  a-z    45 46 47  7B-FF
 */
enum {
	PAIR = 0x80, /* flag in the table: a second number follows */
	SECOND_MIN = 2,
	SECONDS = NKEY_NUMBERS - SECOND_MIN,
};

#define LETTER(upper, number) [upper] = (number), [(upper) + 32] = (number)

static const uint8_t first[256] = {
	[0 ... 0x2C] = PAIR | 2,
	['-'] = 3, ['.'] = 4, ['/'] = 5,
	['0'] = 6, ['1'] = 7, ['2'] = 8, ['3'] = 9, ['4'] = 10,
	['5'] = 11, ['6'] = 12, ['7'] = 13, ['8'] = 14, ['9'] = 15,
	[0x3A ... 0x40] = PAIR | 16, [0x5B ... 0x5E] = PAIR | 16,
	['_'] = 17,
	['`'] = PAIR | 18,
	LETTER('A', 19), LETTER('B', 20), LETTER('C', 21), LETTER('D', 22), LETTER('E', 23),
	LETTER('F', 24), LETTER('G', 25), LETTER('H', 26), LETTER('I', 27), LETTER('J', 28),
	LETTER('K', 29), LETTER('L', 30), LETTER('M', 31), LETTER('N', 32), LETTER('O', 33),
	LETTER('P', 34), LETTER('Q', 35), LETTER('R', 36), LETTER('S', 37), LETTER('T', 38),
	LETTER('U', 39), LETTER('V', 40), LETTER('W', 41), LETTER('X', 42), LETTER('Y', 43),
	LETTER('Z', 44),
	[0x7B ... 0x7B + SECONDS - 1] = PAIR | 45,
	[0x7B + SECONDS ... 0x7B + 2 * SECONDS - 1] = PAIR | 46,
	[0x7B + 2 * SECONDS ... 0xFF] = PAIR | 47,
};

#undef LETTER

/* The second number of an octet that takes two: its place in its row. */
static uint8_t
second_number(uint8_t octet)
{
	if (octet < '-') {
		return (uint8_t)(SECOND_MIN + octet);
	}
	if (octet > 'z') {
		return (uint8_t)(SECOND_MIN + (octet - 0x7B) % SECONDS);
	}
	return (uint8_t)(SECOND_MIN + octet - ':');
}

/* Writes a label whose octets take one number each, as in most labels.  False: an octet takes two, and `out` is half written. */
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

/* Writes the labels of a name, the last one first. */
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

/* A faster way for names whose octets all take one number each: sixteen octets at a time. */
enum { CHUNK = 16 };
typedef uint8_t chunk __attribute__((vector_size(CHUNK)));
typedef chunk chunk_at_octets __attribute__((aligned(1), may_alias)); /* where it is among octets */

_Static_assert(NKEY_ROOM >= (int)CHUNK, "the last label may be written with what is behind it");

/* The number of each octet as in the table; 0 for an octet that takes two. */
static inline chunk
plain_numbers(chunk octets)
{
	chunk letter = (octets | 0x20) - 'a', digit = octets - '-';
	return ((chunk)(letter < 26) & (letter + 19)) | ((chunk)(digit < 13) & (digit + 3)) |
	       ((chunk)(octets == '_') & 17);
}

static inline chunk
load_chunk(const uint8_t *at)
{
	return *(const chunk_at_octets *)at;
}

static inline void
store_chunk(uint8_t *at, chunk c)
{
	*(chunk_at_octets *)at = c; /* _FORTIFY_SOURCE=3 makes calls of memcpy() to places like this, one for each chunk */
}

/* Writes the numbers of all octets of a name of CHUNK octets or more; the last chunk overlaps the one before. */
static inline void
map_name(uint8_t *numbers, const uint8_t *name, size_t len)
{
	size_t i = 0;
	for (; i + CHUNK < len; i += CHUNK) {
		store_chunk(numbers + i, plain_numbers(load_chunk(name + i)));
	}
	i = len - CHUNK;
	store_chunk(numbers + i, plain_numbers(load_chunk(name + i)));
}

static inline bool
has_zero(const uint8_t *numbers, size_t len)
{
	typedef uint64_t halves __attribute__((vector_size(CHUNK)));
	chunk zeros = { 0 };
	for (size_t i = 0; i < len; i += CHUNK) {
		zeros |= (chunk)(load_chunk(numbers + i) == 0);
	}
	halves h = (halves)zeros;
	return (h[0] | h[1]) != 0;
}

/* Copies the rest of a label after its first chunk; few labels are that long. */
[[gnu::noinline]] static void
copy_rest(uint8_t *to, const uint8_t *from, size_t n)
{
	memcpy(to + CHUNK, from + CHUNK, n - CHUNK);
}

/* Writes the key of a name.  False: an octet takes two numbers, and the key is half written.  Octets that are copied beyond the
 * end of a label are overwritten by the next label, or by the padding at the end. */
[[gnu::always_inline]] static inline bool
put_plain_name(struct nkey *key)
{
	uint8_t numbers[NAME_WIRE_MAX + CHUNK];
	map_name(numbers, key->name, key->name_len);
	uint8_t *out = key->at;
	for (unsigned left = key->labels; left != 0; left--) {
		size_t at = key->label_at[left - 1], n = key->name[at++];
		store_chunk(out, load_chunk(numbers + at));
		if (n > CHUNK) {
			copy_rest(out, numbers + at, n);
		}
		out += n;
		*out++ = NKEY_END;
	}
	store_chunk(out, (chunk){ 0 } + NKEY_END);
	key->len = (uint16_t)(out - key->at);
	return !has_zero(key->at, key->len);
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
	if (key->name_len < CHUNK || !put_plain_name(key)) {
		key->len = (uint16_t)(put_labels(key->at, name, key->label_at, labels) - key->at);
	}
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

static inline bool
words_are_equal(const uint8_t *a, const uint8_t *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x == y;
}

static inline bool
are_identical(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;
	for (; i + 8 < n; i += 8) {
		if (!words_are_equal(a + i, b + i)) {
			return false;
		}
	}
	if (n >= 8) {
		return words_are_equal(a + n - 8, b + n - 8); /* the last word overlaps the one before */
	}
	while (i < n && a[i] == b[i]) {
		i++;
	}
	return i == n;
}

/* Makes eight octets lower case at once (ASCII letters only): bit 7 of `upper` is set where an octet is in A-Z.  The sums cannot
 * carry into the next octet, since bit 7 is masked off first. */
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

/* A separate function, so that names with equal case do not pay for it. */
[[gnu::noinline]] static bool
are_equal_lowered(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (; n >= 8; n -= 8, a += 8, b += 8) {
		uint64_t x, y;
		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		if (lower8(x) != lower8(y)) {
			return false;
		}
	}
	for (; n != 0; n--, a++, b++) {
		if (octet_lower(*a) != octet_lower(*b)) {
			return false;
		}
	}
	return true;
}

bool
nkey_octets_are_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	return are_identical(a, b, n) || are_equal_lowered(a, b, n);
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
