/* Fields of octets: base64, base16 and base32hex (RFC 4648), as one token or several. */
#include <string.h>

#include "base/enc.h"
#include "dns/rdata_p.h"

enum { GROUP = 56 };

#define BASE64_SIX(a, v)                                                                           \
	[a] = v, [(a) + 1] = (v) + 1, [(a) + 2] = (v) + 2, [(a) + 3] = (v) + 3, [(a) + 4] = (v) + 4, \
	[(a) + 5] = (v) + 5

/* Values of digits, plus one; 0 for other characters. */
static const uint8_t base64_digit[256] = {
	BASE64_SIX('A', 1),  BASE64_SIX('G', 7),  BASE64_SIX('M', 13), BASE64_SIX('S', 19),
	['Y'] = 25,          ['Z'] = 26,          BASE64_SIX('a', 27), BASE64_SIX('g', 33),
	BASE64_SIX('m', 39), BASE64_SIX('s', 45), ['y'] = 51,          ['z'] = 52,
	BASE64_SIX('0', 53), ['6'] = 59,          ['7'] = 60,          ['8'] = 61,
	['9'] = 62,          ['+'] = 63,          ['/'] = 64,
};
#undef BASE64_SIX

static inline uint8_t
base64_value(char c)
{
	return (uint8_t)(base64_digit[(uint8_t)c] - 1); /* other characters become 255 */
}

/* A group of four digits while it is read. */
struct base64 {
	uint32_t bits;
	unsigned n;     /* digits in it, including padding */
	unsigned pad;   /* how many of these are padding */
	bool is_ended;  /* a group with padding was complete */
};

/* Decodes whole groups without padding at the start of a token; returns the number of their digits. */
static size_t
base64_quanta(const char *s, size_t len, struct buf *out)
{
	size_t whole = len > 4 ? (len - 1) / 4 : 0; /* the last group may have padding */
	uint8_t *o = buf_take(out, whole * 3);
	size_t done = 0;
	for (; o != NULL && done < whole; done++, s += 4, o += 3) {
		uint8_t a = base64_value(s[0]), b = base64_value(s[1]);
		uint8_t c = base64_value(s[2]), d = base64_value(s[3]);
		if ((a | b | c | d) > 63) {
			break;
		}
		o[0] = (uint8_t)(a << 2 | b >> 4);
		o[1] = (uint8_t)(b << 4 | c >> 2);
		o[2] = (uint8_t)(c << 6 | d);
	}
	if (o != NULL) {
		out->len -= (whole - done) * 3; /* an error in a group: base64_feed() will find it */
	}
	return done * 4;
}

/* Decodes a group of four digits.  Unused bits before the padding must be zero (RFC 4648 3.5). */
static err_t
base64_flush(struct base64 *b, struct buf *out)
{
	uint8_t octets[3] = { (uint8_t)(b->bits >> 16), (uint8_t)(b->bits >> 8), (uint8_t)b->bits };
	if (b->pad > 2 || (b->pad == 2 && (b->bits & 0xFFFF) != 0) ||
	    (b->pad == 1 && (b->bits & 0xFF) != 0)) {
		return E_FORMAT;
	}
	buf_put(out, octets, 3 - b->pad);
	b->is_ended = b->pad != 0;
	b->bits = b->n = b->pad = 0;
	return OK;
}

static err_t
base64_feed(struct base64 *b, const char *s, size_t len, struct buf *out)
{
	size_t i = b->n == 0 && !b->is_ended ? base64_quanta(s, len, out) : 0;
	for (; i < len && out->err == OK; i++) {
		bool is_pad = s[i] == '=';
		uint8_t v = is_pad ? 0 : base64_value(s[i]);
		if (v > 63 || b->is_ended || (b->pad != 0 && !is_pad)) {
			return E_FORMAT;
		}
		b->bits = b->bits << 6 | v;
		b->pad += is_pad;
		if (++b->n == 4) {
			TRY(base64_flush(b, out));
		}
	}
	return OK;
}

err_t
rdata_parse_base64(struct rdata_parser *p, enum rdata_extent extent)
{
	struct base64 b = { 0 };
	size_t start = p->out->len;
	do {
		if (p->t.kind != LEX_WORD || base64_feed(&b, p->t.s, p->t.len, p->out) != OK) {
			return rdata_expected(p, "base64");
		}
		rdata_next(p);
	} while (extent == RDATA_TO_END && !rdata_at_end(p));
	if (p->out->err == OK && (b.n != 0 || p->out->len == start)) {
		return rdata_fail(p, E_FORMAT, "base64 is cut short; the number of digits must be a multiple of four");
	}
	return OK;
}

/* Decodes the digits of one token; *high is a first digit whose second one is still missing, or -1. */
static err_t
hex_feed(const char *s, size_t len, int *high, struct buf *out)
{
	const char *end = s + len;
	uint8_t *octet = buf_take(out, (len + (*high >= 0)) / 2);
	int bad = 0; /* negative after a character that is not a digit */
	if (octet == NULL) {
		return OK; /* `out` has the error */
	}
	if (*high >= 0) {
		int low = base16_value(*s++);
		bad |= low;
		*octet++ = (uint8_t)(*high << 4 | (low & 15));
		*high = -1;
	}
	for (; end - s >= 2; s += 2) {
		int first = base16_value(s[0]), second = base16_value(s[1]);
		bad |= first | second;
		*octet++ = (uint8_t)((first & 15) << 4 | (second & 15));
	}
	if (s < end) {
		*high = base16_value(*s);
		bad |= *high;
	}
	return bad < 0 ? E_FORMAT : OK;
}

err_t
rdata_parse_hex(struct rdata_parser *p, enum rdata_extent extent)
{
	int high = -1;
	do {
		if (p->t.kind != LEX_WORD || hex_feed(p->t.s, p->t.len, &high, p->out) != OK) {
			return rdata_expected(p, "hexadecimal digits");
		}
		rdata_next(p);
	} while (extent == RDATA_TO_END && !rdata_at_end(p));
	if (high >= 0 && p->out->err == OK) {
		return rdata_fail(p, E_FORMAT, "odd number of hexadecimal digits");
	}
	return OK;
}

/* Like BIND, divides long fields at the end of a record into groups, even on a single line. */
static void
put_groups(struct str *out, const char *s, size_t n, size_t *column)
{
	for (size_t i = 0; i < n;) {
		if (*column == GROUP) {
			str_char(out, ' ');
			*column = 0;
		}
		size_t take = GROUP - *column < n - i ? GROUP - *column : n - i;
		str_put(out, s + i, take);
		*column += take;
		i += take;
	}
}

void
rdata_print_base64(const uint8_t *s, size_t len, bool in_groups, struct str *out)
{
	char text[ENC_BASE64_LEN(48)];
	size_t column = 0;
	for (size_t i = 0; i < len; i += 48) {
		size_t n = base64_encode(s + i, len - i < 48 ? len - i : 48, text);
		if (in_groups) {
			put_groups(out, text, n, &column);
		} else {
			str_put(out, text, n);
		}
	}
}

void
rdata_print_hex(const uint8_t *s, size_t len, bool in_groups, struct str *out)
{
	char text[ENC_BASE16_LEN(32)];
	size_t column = 0;
	for (size_t i = 0; i < len; i += 32) {
		size_t n = base16_encode(s + i, len - i < 32 ? len - i : 32, text);
		if (in_groups) {
			put_groups(out, text, n, &column);
		} else {
			str_put(out, text, n);
		}
	}
}

static void
check_some(struct cur *c)
{
	if (cur_left(c) == 0) {
		cur_fail(c, E_SHORT);
	}
	(void)cur_take(c, cur_left(c));
}

err_t
base64_parse(struct rdata_parser *p)
{
	return rdata_parse_base64(p, RDATA_TO_END);
}

void
base64_print(struct cur *c, struct str *out)
{
	size_t len;
	const uint8_t *s = rdata_rest(c, &len);
	rdata_print_base64(s, len, true, out);
}

void
base64_check(struct cur *c)
{
	check_some(c);
}

err_t
base64_opt_parse(struct rdata_parser *p)
{
	return rdata_at_end(p) ? OK : base64_parse(p);
}

void
base64_opt_check(struct cur *c)
{
	(void)cur_take(c, cur_left(c));
}

static bool
is_dash(const struct lex_token *t)
{
	return t->kind == LEX_WORD && t->len == 1 && t->s[0] == '-';
}

err_t
base64_dash_parse(struct rdata_parser *p)
{
	if (is_dash(&p->t)) {
		rdata_next(p);
		return OK;
	}
	return base64_parse(p);
}

void
base64_dash_print(struct cur *c, struct str *out)
{
	size_t len;
	const uint8_t *s = rdata_rest(c, &len);
	if (len == 0) {
		str_char(out, '-');
	}
	rdata_print_base64(s, len, false, out);
}

void
base64_dash_check(struct cur *c)
{
	base64_opt_check(c);
}

/* RFC 2535 3.1.2: if both type bits are set, there is no key. */
static bool
has_no_key(const uint8_t *rdata)
{
	return (rdata[0] & 0xC0) == 0xC0;
}

err_t
key_parse(struct rdata_parser *p)
{
	return has_no_key(p->out->base + p->start) ? OK : base64_parse(p);
}

void
key_check(struct cur *c)
{
	if (c->err != OK || !has_no_key(c->base)) {
		check_some(c);
	}
}

err_t
hex_parse(struct rdata_parser *p)
{
	return rdata_parse_hex(p, RDATA_TO_END);
}

void
hex_print(struct cur *c, struct str *out)
{
	size_t len;
	const uint8_t *s = rdata_rest(c, &len);
	rdata_print_hex(s, len, true, out);
}

void
hex_check(struct cur *c)
{
	check_some(c);
}

/* The length of each kind of digest; kinds that are not listed may have any. */
struct digest_len {
	uint8_t kind, len;
};

static size_t
demanded_len(const struct digest_len *table, uint8_t kind)
{
	for (; table->len != 0; table++) {
		if (table->kind == kind) {
			return table->len;
		}
	}
	return 0;
}

/* IANA "Digest Algorithms": SHA-1, SHA-256, SHA-384.  Like BIND, we do not check the 32 octets of GOST (3). */
static const struct digest_len ds_lens[] = { { 1, 20 }, { 2, 32 }, { 4, 48 }, { 0, 0 } };
/* RFC 8976 2.2.3: SHA-384, SHA-512, under the scheme SIMPLE. */
static const struct digest_len zone_lens[] = { { 1, 48 }, { 2, 64 }, { 0, 0 } };
/* RFC 4255 3.1.2, RFC 6594 3.2: SHA-1, SHA-256. */
static const struct digest_len fingerprint_lens[] = { { 1, 20 }, { 2, 32 }, { 0, 0 } };

enum { ZONE_DIGEST_MIN = 12 }; /* RFC 8976 2.2.4 */

enum { ZONE_SCHEME_SIMPLE = 1 };

/* The length of the digest at `at` in an RDATA; 0: any. */
static size_t
digest_len_at(const uint8_t *rdata, size_t at, const struct digest_len *table)
{
	/* Another scheme may shorten a hash: RFC 8976 A.3 has hash algorithm 1 with 20 octets. */
	if (table == zone_lens && rdata[at - 2] != ZONE_SCHEME_SIMPLE) {
		return 0;
	}
	return demanded_len(table, rdata[at - 1]);
}

static err_t
parse_digest(struct rdata_parser *p, const struct digest_len *table, size_t min)
{
	size_t at = p->out->len;
	TRY(rdata_parse_hex(p, RDATA_TO_END));
	if (p->out->err != OK) {
		return OK;
	}
	size_t have = p->out->len - at, want = digest_len_at(p->out->base, at, table);
	if (want != 0 && have != want) {
		return rdata_fail(p, E_FORMAT, "is %zu octets long; algorithm %u has %zu", have,
		                  p->out->base[at - 1], want);
	}
	if (have < min) {
		return rdata_fail(p, E_FORMAT, "is %zu octets long; the minimum is %zu", have, min);
	}
	return OK;
}

static void
check_digest(struct cur *c, const struct digest_len *table, size_t min)
{
	size_t have = cur_left(c);
	size_t want = c->err == OK && c->pos > 1 ? digest_len_at(c->base, c->pos, table) : 0;
	if ((want != 0 && have != want) || have < min) {
		cur_fail(c, E_FORMAT);
	}
	(void)cur_take(c, have);
}

err_t
ds_digest_parse(struct rdata_parser *p)
{
	return parse_digest(p, ds_lens, 1);
}

void
ds_digest_check(struct cur *c)
{
	check_digest(c, ds_lens, 1);
}

err_t
zone_digest_parse(struct rdata_parser *p)
{
	return parse_digest(p, zone_lens, ZONE_DIGEST_MIN);
}

void
zone_digest_check(struct cur *c)
{
	check_digest(c, zone_lens, ZONE_DIGEST_MIN);
}

err_t
fingerprint_parse(struct rdata_parser *p)
{
	return parse_digest(p, fingerprint_lens, 1);
}

void
fingerprint_check(struct cur *c)
{
	check_digest(c, fingerprint_lens, 1);
}

/* Sets the length octet at `at`, if the length is at most 255. */
static err_t
patch_length(struct rdata_parser *p, size_t at)
{
	if (p->out->err != OK) {
		return OK;
	}
	size_t n = p->out->len - at - 1;
	if (n > UINT8_MAX) {
		return rdata_fail(p, E_RANGE, "is longer than 255 octets");
	}
	p->out->base[at] = (uint8_t)n;
	return OK;
}

err_t
salt_parse(struct rdata_parser *p)
{
	size_t at = p->out->len;
	buf_u8(p->out, 0);
	if (is_dash(&p->t)) {
		rdata_next(p);
		return OK;
	}
	TRY(rdata_parse_hex(p, RDATA_ONE_TOKEN));
	return patch_length(p, at);
}

void
salt_print(struct cur *c, struct str *out)
{
	uint8_t len = cur_u8(c);
	const uint8_t *s = cur_take(c, len);
	if (len == 0) {
		str_char(out, '-');
	} else if (s != NULL) {
		rdata_print_hex(s, len, false, out);
	}
}

void
salt_check(struct cur *c)
{
	(void)cur_take(c, cur_u8(c));
}

err_t
hash_parse(struct rdata_parser *p)
{
	uint8_t hash[UINT8_MAX];
	size_t n;
	if (p->t.kind != LEX_WORD ||
	    base32hex_decode(p->t.s, p->t.len, hash, sizeof hash, &n) != OK || n == 0) {
		return rdata_expected(p, "a hash in base32hex, without padding");
	}
	buf_u8(p->out, (uint8_t)n);
	buf_put(p->out, hash, n);
	rdata_next(p);
	return OK;
}

void
hash_print(struct cur *c, struct str *out)
{
	char text[ENC_BASE32HEX_LEN(UINT8_MAX)];
	uint8_t len = cur_u8(c);
	const uint8_t *s = cur_take(c, len);
	if (s == NULL) {
		return;
	}
	size_t n = base32hex_encode(s, len, text);
	for (size_t i = 0; i < n; i++) {
		text[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
	}
	str_put(out, text, n);
}

void
hash_check(struct cur *c)
{
	uint8_t len = cur_u8(c);
	if (len == 0) {
		cur_fail(c, E_FORMAT);
	}
	(void)cur_take(c, len);
}
