/* SVCB and HTTPS: target and parameters (RFC 9460 2.1, 2.2, Appendix A). */
#include <string.h>

#include "base/number.h"
#include "dns/rdata_p.h"

enum {
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_PORT = 3,
	KEY_IPV4HINT = 4,
	KEY_ECH = 5,
	KEY_IPV6HINT = 6,
	KEY_DOHPATH = 7,
	KEY_OHTTP = 8,
	KEY_GROUPS = 9,
	KEY_HEADER = 4,     /* octets before the value of a parameter: key and length */
	KEY_TEXT_MAX = 24,
	/* Parameters of one record that may be out of order.  Each is moved to its place among up to 64 KiB of others; for this
	 * many, that takes some milliseconds. */
	MOVED_MAX = 256,
};

static err_t mandatory_parse(struct rdata_parser *p);
static err_t alpn_parse(struct rdata_parser *p);
static err_t empty_parse(struct rdata_parser *p);
static err_t ipv4hint_parse(struct rdata_parser *p);
static err_t ech_parse(struct rdata_parser *p);
static err_t ipv6hint_parse(struct rdata_parser *p);
static err_t dohpath_parse(struct rdata_parser *p);
static err_t groups_parse(struct rdata_parser *p);

/* IANA "Service Parameter Keys (SvcParamKeys)".  Keys newer than RFC 9460 are read by name, but printed by number, so that every
 * program can read them. */
static const struct param {
	const char *name;
	err_t (*parse)(struct rdata_parser *p); /* p->t is the value */
	bool is_printed;                        /* it is printed by name */
} params[] = {
	[KEY_MANDATORY] = { "mandatory", mandatory_parse, true },
	[KEY_ALPN] = { "alpn", alpn_parse, true },
	[KEY_NO_DEFAULT_ALPN] = { "no-default-alpn", empty_parse, true },
	[KEY_PORT] = { "port", u16_parse, true },
	[KEY_IPV4HINT] = { "ipv4hint", ipv4hint_parse, true },
	[KEY_ECH] = { "ech", ech_parse, true },
	[KEY_IPV6HINT] = { "ipv6hint", ipv6hint_parse, true },
	[KEY_DOHPATH] = { "dohpath", dohpath_parse, false },
	[KEY_OHTTP] = { "ohttp", empty_parse, false },
	[KEY_GROUPS] = { "tls-supported-groups", groups_parse, false },
};

/* Reads the name of a key, or "key" and a number without leading zeros. */
static err_t
read_key(const char *s, size_t len, uint16_t *out, bool *is_generic)
{
	uint64_t v = 0;
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		if (strlen(params[i].name) == len && memcmp(params[i].name, s, len) == 0) {
			*out = (uint16_t)i;
			*is_generic = false;
			return OK;
		}
	}
	if (len < 4 || memcmp(s, "key", 3) != 0 || (len > 4 && s[3] == '0')) {
		return E_UNSUPPORTED;
	}
	struct lex_token number = { .kind = LEX_WORD, .s = s + 3, .len = len - 3 };
	TRY(lex_number(&number, UINT16_MAX, &v));
	*out = (uint16_t)v;
	*is_generic = true;
	return OK;
}

static void
print_key(uint16_t key, struct str *out)
{
	if (key < ARRAY_LEN(params) && params[key].is_printed) {
		str_cat(out, params[key].name);
	} else {
		str_cat(out, "key");
		rdata_print_number(out, key);
	}
}

/* Takes the next item of a list with commas; *s moves to after its comma, or to NULL after the last one. */
static size_t
take_item(const char **s, const char *end, const char **item)
{
	const char *comma = memchr(*s, ',', (size_t)(end - *s));
	*item = *s;
	size_t len = (size_t)((comma != NULL ? comma : end) - *s);
	*s = comma != NULL ? comma + 1 : NULL;
	return len;
}

/* Inserts a key into the sorted list out[at, len); E_EXISTS: it is there already. */
static err_t
insert_key(struct buf *out, size_t at, uint16_t key)
{
	size_t i = out->len;
	while (i > at && u16_at(out->base + i - 2) > key) {
		i -= 2;
	}
	if (i > at && u16_at(out->base + i - 2) == key) {
		return E_EXISTS;
	}
	buf_u16(out, key);
	if (out->err == OK) {
		memmove(out->base + i + 2, out->base + i, out->len - 2 - i);
		u16_put(out->base + i, key);
	}
	return OK;
}

static err_t
mandatory_parse(struct rdata_parser *p)
{
	const char *s = p->t.s, *end = s + p->t.len, *item;
	size_t at = p->out->len;
	while (s != NULL) {
		uint16_t key;
		bool is_generic;
		size_t len = take_item(&s, end, &item);
		if (read_key(item, len, &key, &is_generic) != OK) {
			return rdata_expected(p, "a list of keys, such as mandatory=alpn,port");
		}
		if (key == KEY_MANDATORY) {
			return rdata_fail(p, E_FORMAT, "mandatory must not list itself");
		}
		if (insert_key(p->out, at, key) != OK) {
			return rdata_fail(p, E_EXISTS, "mandatory lists a key twice");
		}
	}
	rdata_next(p);
	return OK;
}

/* In wire form, an item has a length octet; in text, a comma or backslash in an item has a backslash before it.  The escapes of
 * the whole string are resolved first, to one octet after the place where the items will begin.  Then the items are written over
 * it: an item with its length octet is never longer than its text with the comma. */
static err_t
alpn_parse(struct rdata_parser *p)
{
	size_t room = buf_room(p->out), n = 0, from = 1, to = 0;
	uint8_t *o = p->out->base + p->out->len;
	err_t err = room != 0 ? lex_string(&p->t, o + 1, room - 1, &n) : E_FULL;
	if (err == E_FULL) {
		buf_fail(p->out, E_FULL);
		rdata_next(p);
		return OK;
	}
	if (err != OK) {
		return rdata_expected(p, "a list of protocols, such as alpn=h2,h3");
	}
	for (bool is_last = false; !is_last; from++) { /* skips the comma */
		size_t len = 0;
		for (; from <= n && o[from] != ','; from++) {
			if (o[from] == '\\' && from < n) {
				from++;
			}
			o[to + 1 + len++] = o[from];
		}
		if (len == 0 || len > UINT8_MAX) {
			return rdata_fail(p, E_FORMAT, "a protocol has from 1 to 255 octets");
		}
		o[to] = (uint8_t)len;
		to += 1 + len;
		is_last = from > n;
	}
	(void)buf_take(p->out, to);
	rdata_next(p);
	return OK;
}

static err_t
empty_parse(struct rdata_parser *p)
{
	if (p->t.len != 0) {
		return rdata_fail(p, E_FORMAT, "this parameter has no value");
	}
	rdata_next(p);
	return OK;
}

static err_t
ipv4hint_parse(struct rdata_parser *p)
{
	const char *s = p->t.s, *end = s + p->t.len, *item;
	while (s != NULL) {
		uint8_t octets[4];
		size_t len = take_item(&s, end, &item);
		if (!ipv4_is_parsed(item, len, octets)) {
			return rdata_expected(p, "a list of IPv4 addresses");
		}
		buf_put(p->out, octets, sizeof octets);
	}
	rdata_next(p);
	return OK;
}

static err_t
ipv6hint_parse(struct rdata_parser *p)
{
	const char *s = p->t.s, *end = s + p->t.len, *item;
	while (s != NULL) {
		uint8_t octets[16];
		size_t len = take_item(&s, end, &item);
		if (!ipv6_is_parsed(item, len, octets)) {
			return rdata_expected(p, "a list of IPv6 addresses");
		}
		buf_put(p->out, octets, sizeof octets);
	}
	rdata_next(p);
	return OK;
}

static err_t
ech_parse(struct rdata_parser *p)
{
	if (p->t.len == 0) { /* as BIND accepts it */
		rdata_next(p);
		return OK;
	}
	return rdata_parse_base64(p, RDATA_ONE_TOKEN);
}

/* RFC 9461 5: true for a path with the variable "dns" in a query: "{?dns}", "{?a,dns}". */
static bool
is_dohpath(const uint8_t *s, size_t len)
{
	const uint8_t *end = s + len;
	if (len == 0 || s[0] != '/') {
		return false;
	}
	while ((s = memchr(s, '{', (size_t)(end - s))) != NULL) {
		const uint8_t *close = memchr(s, '}', (size_t)(end - s));
		bool is_query = close != NULL && (s[1] == '?' || s[1] == '&');
		for (s++; is_query && close - s >= 4; s++) {
			if (memcmp(s + 1, "dns", 3) == 0 && (s[0] == ',' || s[0] == '?' || s[0] == '&') &&
			    (s[4] == '}' || s[4] == ',')) {
				return true;
			}
		}
	}
	return false;
}

static err_t
dohpath_parse(struct rdata_parser *p)
{
	struct lex_token value = p->t;
	size_t at = p->out->len;
	TRY(rdata_parse_text(p));
	if (p->out->err == OK && !is_dohpath(p->out->base + at, p->out->len - at)) {
		p->t = value;
		return rdata_expected(p, "a path template, such as /dns-query{?dns}");
	}
	return OK;
}

static err_t
groups_parse(struct rdata_parser *p)
{
	const char *s = p->t.s, *end = s + p->t.len, *item;
	while (s != NULL) {
		uint64_t group;
		struct lex_token number = p->t;
		number.len = take_item(&s, end, &item);
		number.s = item;
		if (lex_number(&number, UINT16_MAX, &group) != OK) {
			return rdata_expected(p, "a list of numbers, such as 29,23");
		}
		buf_u16(p->out, (uint16_t)group);
	}
	rdata_next(p);
	return OK;
}

/* True for strictly ascending keys without "mandatory" (RFC 9460 8). */
static bool
is_mandatory_list(const uint8_t *v, size_t len)
{
	uint16_t before = KEY_MANDATORY;
	for (size_t i = 0; i + 1 < len; i += 2) {
		if (u16_at(v + i) <= before) {
			return false;
		}
		before = u16_at(v + i);
	}
	return len != 0 && len % 2 == 0;
}

static bool
is_alpn_list(const uint8_t *v, size_t len)
{
	struct cur c = cur_over(v, len);
	do {
		uint8_t n = cur_u8(&c);
		if (n == 0) {
			return false;
		}
		(void)cur_take(&c, n);
	} while (cur_left(&c) != 0);
	return c.err == OK;
}

static bool
is_value(uint16_t key, const uint8_t *v, size_t len)
{
	switch (key) {
	case KEY_MANDATORY:
		return is_mandatory_list(v, len);
	case KEY_ALPN:
		return is_alpn_list(v, len);
	case KEY_NO_DEFAULT_ALPN:
	case KEY_OHTTP:
		return len == 0;
	case KEY_PORT:
		return len == 2;
	case KEY_IPV4HINT:
		return len != 0 && len % 4 == 0;
	case KEY_IPV6HINT:
		return len != 0 && len % 16 == 0;
	default:
		return true;
	}
}

struct param_view {
	uint16_t key, len;
	const uint8_t *value;
};

static struct param_view
take_param(struct cur *c)
{
	struct param_view v = { .key = cur_u16(c), .len = cur_u16(c) };
	v.value = cur_take(c, v.len);
	return v;
}

/* What is wrong with the combination of well-formed parameters (RFC 9460 2.4.3, 7.1.1, 8); NULL: nothing.  The parameters and
 * the list of mandatory keys are both sorted. */
static const char *
params_fault(struct cur c)
{
	const uint8_t *mandatory = NULL;
	size_t mandatory_n = 0;
	bool has_alpn = false, has_no_default = false;
	while (cur_left(&c) != 0) {
		struct param_view v = take_param(&c);
		has_alpn = has_alpn || v.key == KEY_ALPN;
		has_no_default = has_no_default || v.key == KEY_NO_DEFAULT_ALPN;
		if (v.key == KEY_MANDATORY) {
			mandatory = v.value;
			mandatory_n = v.len / 2u;
		} else if (mandatory_n != 0 && u16_at(mandatory) == v.key) {
			mandatory += 2;
			mandatory_n--;
		}
	}
	if (mandatory_n != 0) {
		return "a mandatory parameter is missing";
	}
	return has_no_default && !has_alpn ? "no-default-alpn is not allowed without alpn" : NULL;
}

static void
reverse(uint8_t *from, uint8_t *to)
{
	while (from < to) {
		uint8_t octet = *from;
		*from++ = *--to;
		*to = octet;
	}
}

struct params_order {
	size_t begin;      /* offset of the first parameter in `out` */
	int last_key;      /* highest key so far */
	unsigned moved_n;
};

/* Moves the last parameter, which begins at `at`, to the place of its key. */
static err_t
place_param(struct rdata_parser *p, struct params_order *order, size_t at, uint16_t key)
{
	struct buf *out = p->out;
	if (key > order->last_key || out->err != OK) {
		order->last_key = key;
		return OK;
	}
	size_t to = order->begin;
	while (u16_at(out->base + to) < key) {
		to += KEY_HEADER + (size_t)u16_at(out->base + to + 2);
	}
	if (u16_at(out->base + to) == key) {
		return rdata_fail(p, E_EXISTS, "a parameter is there twice");
	}
	if (++order->moved_n > MOVED_MAX) {
		return rdata_fail(p, E_LIMIT, "over %d parameters are not in the order of their keys",
		                  MOVED_MAX);
	}
	reverse(out->base + to, out->base + at);
	reverse(out->base + at, out->base + out->len);
	reverse(out->base + to, out->base + out->len);
	return OK;
}

/* Splits "key=value", and makes p->t the value, which may also be a quoted string after the equals sign. */
static void
enter_value(struct rdata_parser *p, size_t key_len)
{
	struct lex_token word = p->t;
	bool has_value = key_len < word.len;
	p->t.s += key_len + has_value;
	p->t.len -= key_len + has_value;
	if (!has_value || p->t.len != 0) {
		return;
	}
	struct lex before = *p->lx;
	struct lex_token next;
	lex_next(p->lx, &next);
	if (next.kind == LEX_QUOTED && lex_is_joined(&word, &next)) {
		p->t = next;
		p->t.kind = LEX_WORD;
	} else {
		*p->lx = before;
	}
}

static err_t
parse_param(struct rdata_parser *p, struct params_order *order)
{
	struct lex_token word = p->t;
	uint16_t key;
	bool is_generic;
	if (word.kind != LEX_WORD) {
		return rdata_expected(p, "a parameter, such as alpn=h2");
	}
	const char *equals = memchr(word.s, '=', word.len);
	size_t key_len = equals != NULL ? (size_t)(equals - word.s) : word.len;
	if (read_key(word.s, key_len, &key, &is_generic) != OK) {
		(void)rdata_expected(p, "a parameter");
		rdata_hint(p, "a parameter without a name is written with its number, such as key667=value");
		return E_UNSUPPORTED;
	}
	size_t at = p->out->len;
	buf_u16(p->out, key);
	buf_u16(p->out, 0);
	enter_value(p, key_len);
	TRY(is_generic ? rdata_parse_text(p) : params[key].parse(p));
	if (p->out->err != OK) {
		return OK; /* rdata_parse() will report it */
	}
	struct lex_token after = p->t;
	size_t len = p->out->len - at - KEY_HEADER;
	p->t = word;
	if (!is_value(key, p->out->base + at + KEY_HEADER, len)) {
		return rdata_fail(p, E_FORMAT, "the value does not have the form that the key requires");
	}
	buf_patch_u16(p->out, at + 2, (uint16_t)len);
	TRY(place_param(p, order, at, key));
	p->t = after;
	return OK;
}

err_t
params_parse(struct rdata_parser *p)
{
	static const struct rrfield parameter = { FIELD_PARAMS, "parameter" };
	const struct rrfield *field = p->field;
	TRY(rdata_parse_name(p));
	struct params_order order = { .begin = p->out->len, .last_key = -1 };
	p->field = &parameter;
	while (!rdata_at_end(p)) {
		TRY(parse_param(p, &order));
	}
	if (p->out->err == OK) {
		const char *fault = params_fault(cur_over(p->out->base + order.begin, p->out->len - order.begin));
		if (fault != NULL) {
			return rdata_fail(p, E_FORMAT, "%s", fault);
		}
	}
	p->field = field;
	return OK;
}

static void
print_alpn(const struct param_view *v, struct str *out)
{
	struct cur c = cur_over(v->value, v->len);
	str_put(out, "=\"", 2);
	while (cur_left(&c) != 0) {
		for (uint8_t n = cur_u8(&c); n != 0; n--) {
			uint8_t octet = cur_u8(&c);
			if (octet == ',' || octet == '\\') {
				rdata_print_octet('\\', out);
			}
			rdata_print_octet(octet, out);
		}
		str_cat(out, cur_left(&c) != 0 ? "," : "");
	}
	str_char(out, '"');
}

static void
print_list(const struct param_view *v, struct str *out)
{
	size_t step = v->key == KEY_MANDATORY ? 2 : v->key == KEY_IPV4HINT ? 4 : 16;
	for (size_t i = 0; i + step <= v->len; i += step) {
		str_char(out, i == 0 ? '=' : ',');
		if (v->key == KEY_MANDATORY) {
			print_key(u16_at(v->value + i), out);
		} else if (v->key == KEY_IPV4HINT) {
			rdata_print_ipv4(v->value + i, out);
		} else {
			rdata_print_ipv6(v->value + i, out);
		}
	}
}

static void
print_param(const struct param_view *v, struct str *out)
{
	print_key(v->key, out);
	if (v->len == 0 || v->value == NULL) {
		return;
	}
	switch (v->key) {
	case KEY_ALPN:
		print_alpn(v, out);
		break;
	case KEY_PORT:
		str_char(out, '=');
		rdata_print_number(out, u16_at(v->value));
		break;
	case KEY_MANDATORY:
	case KEY_IPV4HINT:
	case KEY_IPV6HINT:
		print_list(v, out);
		break;
	case KEY_ECH:
		str_char(out, '=');
		rdata_print_base64(v->value, v->len, false, out);
		break;
	default:
		str_char(out, '=');
		rdata_print_quoted(v->value, v->len, out);
	}
}

void
params_print(struct cur *c, struct str *out)
{
	rdata_print_name(c, out);
	while (cur_left(c) != 0) {
		struct param_view v = take_param(c);
		str_char(out, ' ');
		print_param(&v, out);
	}
}

/* Keys must be strictly ascending (RFC 9460 2.2), values must have the form of their keys, and their combination must be valid. */
void
params_check(struct cur *c)
{
	int before = -1;
	rdata_check_name(c);
	struct cur whole = *c;
	while (cur_left(c) != 0) {
		struct param_view v = take_param(c);
		if (c->err == OK && (v.key <= before || !is_value(v.key, v.value, v.len))) {
			cur_fail(c, E_FORMAT);
		}
		before = v.key;
	}
	if (c->err == OK && params_fault(whole) != NULL) {
		cur_fail(c, E_FORMAT);
	}
}
