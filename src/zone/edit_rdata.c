/* Writes names, RDATA and TTLs as people do. */
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/edit_p.h"

void
edit_name_print(const uint8_t *name, const uint8_t *origin, struct str *out)
{
	char text[NAME_TEXT_MAX];
	struct name prefix;
	if (origin == NULL || !name_is_within(name, origin)) {
		str_put(out, text, name_print(name, text));
		return;
	}
	size_t len = name_len(name) - name_len(origin);
	if (len == 0) {
		str_char(out, '@');
	} else if (name_join(name, len, name_root, &prefix) == OK) {
		str_put(out, text, name_print(prefix.oct, text) - 1); /* without the final dot */
	}
}

/* True when the name ends with the same octets as the origin.  Where the case of names matters (RFC 4034 6.2), this must hold,
 * because a relative name takes the origin's case. */
static bool
has_case_of(const uint8_t *name, const uint8_t *origin)
{
	size_t n = name_len(name), len = name_len(origin);
	return n >= len && memcmp(name + n - len, origin, len) == 0;
}

/* RDATA, and the origin to which its names become relative. */
struct relative {
	const uint8_t *rdata, *origin;
	bool has_case;        /* the case of its names matters */
	uint16_t at[RDATA_NAMES_MAX];
	size_t n;             /* names */
};

static void
put_name(const struct relative *r, const uint8_t *name, struct str *out)
{
	bool is_absolute = name_is_root(name) || (r->has_case && !has_case_of(name, r->origin));
	edit_name_print(name, is_absolute ? NULL : r->origin, out);
}

/* In the text, each name of the RDATA is a word that ends with a dot, in the same order, and no other word ends so.  So a word
 * that equals the next name is that name. */
static void
put_relative(const struct str *text, const struct relative *r, struct str *out)
{
	struct lex lx;
	struct lex_token t;
	size_t at = 0, next = 0;
	char name[NAME_TEXT_MAX];
	lex_init(&lx, str_text(text), text->len);
	for (lex_next(&lx, &t); t.kind == LEX_WORD || t.kind == LEX_QUOTED; lex_next(&lx, &t)) {
		const uint8_t *wanted = next < r->n ? r->rdata + r->at[next] : NULL;
		size_t from = (size_t)(t.s - str_text(text));
		if (t.kind != LEX_WORD || wanted == NULL || name_print(wanted, name) != t.len || memcmp(name, t.s, t.len) != 0) {
			continue;
		}
		next++;
		str_put(out, str_text(text) + at, from - at);
		put_name(r, wanted, out);
		at = from + t.len;
	}
	str_put(out, str_text(text) + at, text->len - at);
}

void
edit_rdata_print(uint16_t type, const uint8_t *rdata, size_t len, const uint8_t *origin, struct str *out)
{
	struct relative r = { .rdata = rdata, .origin = origin, .has_case = (rrtype_flags(type) & RRTYPE_LOWERCASE) == 0 };
	r.n = origin != NULL ? rdata_names(type, rdata, len, r.at) : 0;
	if (r.n == 0) {
		rdata_print(type, rdata, len, out);
		return;
	}
	struct str text = { 0 };
	rdata_print(type, rdata, len, &text);
	if (text.err == OK) {
		put_relative(&text, &r, out);
	} else if (out->err == OK) {
		out->err = text.err;
	}
	str_fini(&text);
}

void
edit_ttl_print(uint32_t ttl, bool with_units, bool in_upper, struct str *out)
{
	static const struct {
		uint32_t seconds;
		char name;
	} units[] = { { 7 * 24 * 3600, 'w' }, { 24 * 3600, 'd' }, { 3600, 'h' }, { 60, 'm' } };
	for (size_t i = 0; with_units && ttl != 0 && i < ARRAY_LEN(units); i++) {
		if (ttl % units[i].seconds == 0) {
			str_printf(out, "%u%c", ttl / units[i].seconds, in_upper ? units[i].name & ~0x20 : units[i].name);
			return;
		}
	}
	str_printf(out, "%u", ttl);
}
