/* Common fields: numbers, names, strings. */
#include <stdio.h>
#include <string.h>

#include "dns/rdata_p.h"
#include "dns/wire.h"

enum { STRING_LEN_MAX = 255, X25_DIGITS_MIN = 4 };

err_t
rdata_parse_number(struct rdata_parser *p, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, "a number");
	}
	err_t err = lex_number(&p->t, max, &v);
	if (err == E_RANGE) {
		return rdata_fail(p, err, "number is over %llu", (unsigned long long)max);
	}
	if (err != OK) {
		return rdata_expected(p, "a number");
	}
	*out = v;
	rdata_next(p);
	return OK;
}

err_t
u8_parse(struct rdata_parser *p)
{
	uint64_t v = 0;
	TRY(rdata_parse_number(p, UINT8_MAX, &v));
	buf_u8(p->out, (uint8_t)v);
	return OK;
}

err_t
u16_parse(struct rdata_parser *p)
{
	uint64_t v = 0;
	TRY(rdata_parse_number(p, UINT16_MAX, &v));
	buf_u16(p->out, (uint16_t)v);
	return OK;
}

err_t
u32_parse(struct rdata_parser *p)
{
	uint64_t v = 0;
	TRY(rdata_parse_number(p, UINT32_MAX, &v));
	buf_u32(p->out, (uint32_t)v);
	return OK;
}

/* Tries a plain number first, since that may use all 32 bits, but a TTL with units only 31. */
err_t
period_parse(struct rdata_parser *p)
{
	uint64_t v = 0;
	uint32_t ttl;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, "a time in seconds");
	}
	err_t err = lex_number(&p->t, UINT32_MAX, &v);
	if (err == E_FORMAT) {
		err = lex_ttl(&p->t, &ttl);
		v = ttl;
	}
	if (err == E_RANGE) {
		return rdata_fail(p, err, "time is too long");
	}
	if (err != OK) {
		return rdata_expected(p, "a time, such as 3600 or 1h30m");
	}
	buf_u32(p->out, (uint32_t)v);
	rdata_next(p);
	return OK;
}

void
rdata_print_number(struct str *out, uint32_t v)
{
	char text[10];
	size_t at = sizeof text;
	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	str_put(out, text + at, sizeof text - at);
}

void
u8_print(struct cur *c, struct str *out)
{
	rdata_print_number(out, cur_u8(c));
}

void
u16_print(struct cur *c, struct str *out)
{
	rdata_print_number(out, cur_u16(c));
}

void
u32_print(struct cur *c, struct str *out)
{
	rdata_print_number(out, cur_u32(c));
}

void
u8_check(struct cur *c)
{
	(void)cur_take(c, 1);
}

void
u16_check(struct cur *c)
{
	(void)cur_take(c, 2);
}

void
u32_check(struct cur *c)
{
	(void)cur_take(c, 4);
}

/* Reads one number, or its upper and lower half with a dot between them (draft-johnson-dns-ipn-cla 3.1). */
err_t
node_number_parse(struct rdata_parser *p)
{
	uint64_t high = 0, low;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, "a node number");
	}
	struct lex_token half = p->t;
	const char *dot = memchr(half.s, '.', half.len);
	uint64_t max = dot != NULL ? UINT32_MAX : UINT64_MAX;
	if (dot != NULL) {
		half.len = (size_t)(dot - half.s);
		if (lex_number(&half, max, &high) != OK) {
			return rdata_expected(p, "two numbers below 2^32 with a dot between them");
		}
		half.s = dot + 1;
		half.len = (size_t)(p->t.s + p->t.len - half.s);
	}
	if (lex_number(&half, max, &low) != OK) {
		return rdata_expected(p, "a node number, such as 4294967298 or 1.2");
	}
	buf_u32(p->out, (uint32_t)(high | low >> 32));
	buf_u32(p->out, (uint32_t)low);
	rdata_next(p);
	return OK;
}

void
node_number_print(struct cur *c, struct str *out)
{
	uint64_t high = cur_u32(c);
	str_printf(out, "%llu", (unsigned long long)(high << 32 | cur_u32(c)));
}

void
node_number_check(struct cur *c)
{
	(void)cur_take(c, 8);
}

/* True when the text ends with a dot that is not escaped. */
static bool
is_absolute(const struct lex_token *t)
{
	if (t->len == 0 || t->s[t->len - 1] != '.') {
		return false;
	}
	size_t backslashes = 0;
	while (backslashes + 1 < t->len && t->s[t->len - 2 - backslashes] == '\\') {
		backslashes++;
	}
	return backslashes % 2 == 0;
}

static err_t
name_fault(struct rdata_parser *p, err_t err)
{
	switch (err) {
	case E_LABEL:
		return rdata_fail(p, err, "a label is empty or longer than 63 octets");
	case E_NAMELEN:
		return rdata_fail(p, err, "name is longer than 255 octets");
	default:
		return rdata_fail(p, err, "bad escape in the name; \\DDD goes from \\000 to \\255");
	}
}

err_t
rdata_parse_name(struct rdata_parser *p)
{
	struct name n;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, "a domain name");
	}
	if (p->origin == NULL && !is_absolute(&p->t)) {
		return rdata_fail(p, E_FORMAT, "name is relative, but there is no origin");
	}
	if (p->t.len == 1 && p->t.s[0] == '@') {
		buf_put(p->out, p->origin, name_len(p->origin));
	} else {
		err_t err = name_parse(p->t.s, p->t.len, p->origin, &n);
		if (err != OK) {
			return name_fault(p, err);
		}
		buf_put(p->out, n.oct, n.len);
	}
	rdata_next(p);
	return OK;
}

err_t
name_parse_field(struct rdata_parser *p)
{
	return rdata_parse_name(p);
}

void
rdata_print_name(struct cur *c, struct str *out)
{
	char text[NAME_TEXT_MAX];
	size_t at = c->pos;
	rdata_check_name(c);
	if (c->err == OK) {
		str_put(out, text, name_print(c->base + at, text));
	}
}

void
name_print_field(struct cur *c, struct str *out)
{
	rdata_print_name(c, out);
}

void
rdata_check_name(struct cur *c)
{
	size_t start = c->pos, at = start;
	for (;;) {
		if (c->err != OK || at >= c->len) {
			cur_fail(c, E_SHORT);
			return;
		}
		uint8_t label = c->base[at];
		if (label > LABEL_MAX) {
			cur_fail(c, (label & 0xC0) == 0xC0 ? E_PTR : E_LABEL);
			return;
		}
		at += 1u + label;
		if (at - start > NAME_WIRE_MAX) {
			cur_fail(c, E_NAMELEN);
			return;
		}
		if (label == 0) {
			c->pos = at;
			return;
		}
	}
}

void
name_check_field(struct cur *c)
{
	rdata_check_name(c);
}

err_t
names_parse(struct rdata_parser *p)
{
	while (!rdata_at_end(p)) {
		TRY(rdata_parse_name(p));
	}
	return OK;
}

void
names_print(struct cur *c, struct str *out)
{
	while (cur_left(c) != 0) {
		rdata_print_name(c, out);
		if (cur_left(c) != 0) {
			str_char(out, ' ');
		}
	}
}

void
names_check(struct cur *c)
{
	while (cur_left(c) != 0) {
		rdata_check_name(c);
	}
}

/* Appends the octets of the token, with escapes resolved; at most `max`. */
static err_t
parse_octets(struct rdata_parser *p, size_t max, size_t *out_n)
{
	if (p->t.kind != LEX_WORD && p->t.kind != LEX_QUOTED) {
		return rdata_expected(p, "a string");
	}
	size_t n = p->t.len, start = p->out->len;
	if (!p->t.has_escape) {
		if (n > max) {
			return rdata_fail(p, E_RANGE, "string is %zu octets long, the maximum is %zu", n, max);
		}
		buf_put(p->out, p->t.s, n);
	} else {
		size_t room = buf_room(p->out) < max ? buf_room(p->out) : max;
		err_t err = lex_string(&p->t, p->out->base + start, room, &n);
		if (err == E_FULL && room == max) {
			return rdata_fail(p, E_RANGE, "string is longer than %zu octets", max);
		}
		if (err == E_FULL) {
			buf_fail(p->out, E_FULL);
			n = 0;
		} else if (err != OK) {
			return rdata_fail(p, E_FORMAT, "bad escape; \\DDD goes from \\000 to \\255");
		}
		(void)buf_take(p->out, n);
	}
	*out_n = n;
	rdata_next(p);
	return OK;
}

err_t
rdata_parse_string(struct rdata_parser *p)
{
	size_t n = 0, at = p->out->len;
	buf_u8(p->out, 0);
	err_t err = parse_octets(p, STRING_LEN_MAX, &n);
	if (err == E_RANGE) {
		rdata_hint(p, "put it into several strings, each within quotes");
	}
	TRY(err);
	if (p->out->err == OK) {
		p->out->base[at] = (uint8_t)n;
	}
	return OK;
}

err_t
rdata_parse_text(struct rdata_parser *p)
{
	size_t n;
	return parse_octets(p, DNS_RDATA_MAX, &n);
}

err_t
string_parse(struct rdata_parser *p)
{
	return rdata_parse_string(p);
}

err_t
string_opt_parse(struct rdata_parser *p)
{
	return rdata_at_end(p) ? OK : rdata_parse_string(p);
}

err_t
strings_parse(struct rdata_parser *p)
{
	do {
		TRY(rdata_parse_string(p));
	} while (!rdata_at_end(p));
	return OK;
}

/* How an octet is written: 0 as itself, 1 after a backslash, 2 as \DDD. */
static int
escape_of(uint8_t octet)
{
	if (octet < ' ' || octet >= 127) {
		return 2;
	}
	return octet == '"' || octet == '\\';
}

void
rdata_print_octet(uint8_t octet, struct str *out)
{
	int escape = escape_of(octet);
	if (escape == 2) {
		char text[4] = { '\\', (char)('0' + octet / 100), (char)('0' + octet / 10 % 10),
			         (char)('0' + octet % 10) };
		str_put(out, text, sizeof text);
		return;
	}
	if (escape == 1) {
		str_char(out, '\\');
	}
	str_char(out, (char)octet);
}

void
rdata_print_quoted(const uint8_t *s, size_t len, struct str *out)
{
	size_t from = 0; /* the first octet that was not printed yet */
	str_char(out, '"');
	for (size_t i = 0; i < len; i++) {
		if (escape_of(s[i]) != 0) {
			str_put(out, s + from, i - from);
			rdata_print_octet(s[i], out);
			from = i + 1;
		}
	}
	if (from < len) {
		str_put(out, s + from, len - from);
	}
	str_char(out, '"');
}

void
string_print(struct cur *c, struct str *out)
{
	uint8_t len = cur_u8(c);
	const uint8_t *s = cur_take(c, len);
	if (s != NULL) {
		rdata_print_quoted(s, len, out);
	}
}

void
string_check(struct cur *c)
{
	(void)cur_take(c, cur_u8(c));
}

void
string_opt_check(struct cur *c)
{
	if (cur_left(c) != 0) {
		string_check(c);
	}
}

void
strings_print(struct cur *c, struct str *out)
{
	string_print(c, out);
	while (cur_left(c) != 0) {
		str_char(out, ' ');
		string_print(c, out);
	}
}

void
strings_check(struct cur *c)
{
	do {
		string_check(c);
	} while (cur_left(c) != 0);
}

static bool
is_digits(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9') {
			return false;
		}
	}
	return len >= X25_DIGITS_MIN;
}

err_t
digits_parse(struct rdata_parser *p)
{
	if (p->t.kind != LEX_WORD && p->t.kind != LEX_QUOTED) {
		return rdata_expected(p, "an X.121 address");
	}
	if (!is_digits((const uint8_t *)p->t.s, p->t.len)) {
		return rdata_expected(p, "at least four digits");
	}
	return rdata_parse_string(p);
}

void
digits_print(struct cur *c, struct str *out)
{
	string_print(c, out);
}

void
digits_check(struct cur *c)
{
	uint8_t len = cur_u8(c);
	const uint8_t *s = cur_take(c, len);
	if (s != NULL && !is_digits(s, len)) {
		cur_fail(c, E_FORMAT);
	}
}

/* RFC 8659 4.1: letters and digits. */
static bool
is_tag(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t lower = octet_lower(s[i]);
		if (!(s[i] >= '0' && s[i] <= '9') && !(lower >= 'a' && lower <= 'z')) {
			return false;
		}
	}
	return len != 0;
}

err_t
tag_parse(struct rdata_parser *p)
{
	if (p->t.kind != LEX_WORD || !is_tag((const uint8_t *)p->t.s, p->t.len)) {
		return rdata_expected(p, "a tag of letters and digits, such as issue");
	}
	return rdata_parse_string(p);
}

void
tag_print(struct cur *c, struct str *out)
{
	uint8_t len = cur_u8(c);
	const uint8_t *s = cur_take(c, len);
	if (s != NULL) {
		str_put(out, s, len);
	}
}

void
tag_check(struct cur *c)
{
	uint8_t len = cur_u8(c);
	const uint8_t *s = cur_take(c, len);
	if (s != NULL && !is_tag(s, len)) {
		cur_fail(c, E_FORMAT);
	}
}

err_t
text_parse(struct rdata_parser *p)
{
	return rdata_parse_text(p);
}

const uint8_t *
rdata_rest(struct cur *c, size_t *len)
{
	*len = cur_left(c);
	return cur_take(c, *len);
}

void
text_print(struct cur *c, struct str *out)
{
	size_t len;
	const uint8_t *s = rdata_rest(c, &len);
	rdata_print_quoted(s, len, out);
}

void
text_check(struct cur *c)
{
	(void)cur_take(c, cur_left(c));
}
