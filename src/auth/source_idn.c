/* Writes names in UTF-8 with A-labels (Punycode, RFC 3492), for use in messages. */
#include <string.h>

#include "auth/source.h"

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 }; /* RFC 3492 5 */

/* Reads one code point; 0: not UTF-8 (RFC 3629 4). */
static uint32_t
next_point(const uint8_t **at, const uint8_t *end)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = *at;
	unsigned more = p[0] < 0x80 ? 0 : (p[0] & 0xE0) == 0xC0 ? 1 : (p[0] & 0xF0) == 0xE0 ? 2 : (p[0] & 0xF8) == 0xF0 ? 3 : 4;
	if (more == 4 || (size_t)(end - p) <= more) {
		return 0;
	}
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3Fu >> more);
	for (unsigned i = 1; i <= more; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
		c = c << 6 | (p[i] & 0x3F);
	}
	*at = p + 1 + more;
	return c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0 : c;
}

/* The form of a code point in a U-label (RFC 5892); 0: it has none, or it is not in this table. */
static uint32_t
to_lower(uint32_t c)
{
	static const struct {
		uint32_t first, last, add;
	} letters[] = {
		{ '-', '-', 0 }, { '0', '9', 0 }, { '_', '_', 0 }, { 'a', 'z', 0 }, { 'A', 'Z', 32 },
		{ 0xC0, 0xD6, 32 }, { 0xD8, 0xDE, 32 }, { 0xDF, 0xF6, 0 }, { 0xF8, 0xFF, 0 },           /* Latin-1 */
		{ 0x391, 0x3A1, 32 }, { 0x3A3, 0x3A9, 32 }, { 0x3AC, 0x3C9, 0 }, { 0x3CC, 0x3CE, 0 },   /* Greek */
		{ 0x400, 0x40F, 80 }, { 0x410, 0x42F, 32 }, { 0x430, 0x45F, 0 },                        /* Cyrillic */
		{ 0x5D0, 0x5EA, 0 }, { 0x621, 0x63A, 0 }, { 0x641, 0x64A, 0 },                          /* Hebrew, Arabic */
		{ 0x905, 0x928, 0 }, { 0x92A, 0x930, 0 }, { 0x932, 0x933, 0 }, { 0x935, 0x939, 0 },     /* Devanagari */
		{ 0x3041, 0x3096, 0 }, { 0x30A1, 0x30FA, 0 }, { 0x4E00, 0x9FEF, 0 }, { 0xAC00, 0xD7A3, 0 }, /* kana, Han, Hangul */
	};
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		if (c >= letters[i].first && c <= letters[i].last) {
			return c + letters[i].add;
		}
	}
	return 0;
}

static uint32_t
adapt(uint32_t delta, uint32_t points, bool is_first)
{
	uint32_t k = 0;
	delta /= is_first ? DAMP : 2;
	for (delta += delta / points; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE) {
		delta /= BASE - T_MIN;
	}
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

struct label {
	uint32_t points[LABEL_MAX];
	size_t n, ascii_n;
};

struct text {
	char *out;
	size_t n, max;
};

static void
put(struct text *t, uint32_t c)
{
	if (t->n < t->max) {
		t->out[t->n] = (char)c;
	}
	t->n++;
}

/* Writes a number as a generalized variable-length integer (RFC 3492 3.3). */
static void
put_number(struct text *t, uint32_t q, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t threshold = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		uint32_t digit = q < threshold ? q : threshold + (q - threshold) % (BASE - threshold);
		put(t, digit < 26 ? 'a' + digit : '0' + digit - 26);
		if (q < threshold) {
			return;
		}
		q = (q - threshold) / (BASE - threshold);
	}
}

static uint32_t
least_from(const struct label *l, uint32_t n)
{
	uint32_t least = UINT32_MAX;
	for (size_t i = 0; i < l->n; i++) {
		least = l->points[i] >= n && l->points[i] < least ? l->points[i] : least;
	}
	return least;
}

/* RFC 3492 6.3.  32 bits cannot overflow, with at most 63 code points below 0x110000. */
static void
put_punycode(struct text *t, const struct label *l)
{
	uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS;
	size_t done = l->ascii_n;
	while (done < l->n) {
		uint32_t next = least_from(l, n);
		delta += (next - n) * (uint32_t)(done + 1);
		n = next;
		for (size_t i = 0; i < l->n; i++) {
			delta += l->points[i] < n;
			if (l->points[i] == n) {
				put_number(t, delta, bias);
				bias = adapt(delta, (uint32_t)done + 1, done == l->ascii_n);
				delta = 0;
				done++;
			}
		}
		delta++;
		n++;
	}
}

static bool
put_label(struct text *t, const struct label *l)
{
	size_t begin = t->n;
	for (const char *c = l->ascii_n != l->n ? "xn--" : ""; *c != '\0'; c++) {
		put(t, (uint32_t)*c);
	}
	for (size_t i = 0; i < l->n; i++) {
		if (l->points[i] < 0x80) {
			put(t, l->points[i]);
		}
	}
	if (l->ascii_n != l->n) {
		if (l->ascii_n != 0) {
			put(t, '-');
		}
		put_punycode(t, l);
	}
	return t->n - begin <= LABEL_MAX && l->n != 0;
}

/* Reads a label up to a dot or the end. */
static bool
read_label(const uint8_t **at, const uint8_t *end, struct label *l)
{
	l->n = l->ascii_n = 0;
	while (*at < end && **at != '.') {
		uint32_t c = to_lower(next_point(at, end));
		if (c == 0 || l->n == LABEL_MAX) {
			return false;
		}
		l->points[l->n++] = c;
		l->ascii_n += c < 0x80;
	}
	return true;
}

bool
source_to_ascii(const char *name, char out[NAME_TEXT_MAX])
{
	const uint8_t *at = (const uint8_t *)name, *end = at + strlen(name);
	struct text t = { .out = out, .max = NAME_TEXT_MAX - 1 };
	struct label l;
	for (;;) {
		if (!read_label(&at, end, &l) || !put_label(&t, &l) || t.n > t.max) {
			return false;
		}
		if (at == end) {
			out[t.n] = '\0';
			return true;
		}
		put(&t, '.');
		at++;
	}
}
