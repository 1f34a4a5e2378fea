#include "dns/rdata.h"

#include <string.h>

#include "dns/rdata_p.h"
#include "dns/wire.h"

const struct rdata_kind rdata_kinds[FIELD_KIND_COUNT] = {
	[FIELD_U8] = { u8_parse, u8_print, u8_check },
	[FIELD_U16] = { u16_parse, u16_print, u16_check },
	[FIELD_U32] = { u32_parse, u32_print, u32_check },
	[FIELD_NODE_NUMBER] = { node_number_parse, node_number_print, node_number_check },
	[FIELD_PERIOD] = { period_parse, u32_print, u32_check },
	[FIELD_TYPE] = { covered_parse, covered_print, covered_check },
	[FIELD_ALGORITHM] = { algorithm_parse, algorithm_print, algorithm_check },
	[FIELD_CERT_ALGORITHM] = { algorithm_parse, cert_algorithm_print, algorithm_check },
	[FIELD_CERT_TYPE] = { cert_type_parse, cert_type_print, cert_type_check },
	[FIELD_DIGEST_TYPE] = { digest_type_parse, u8_print, u8_check },
	[FIELD_KEY_PROTOCOL] = { key_protocol_parse, u8_print, u8_check },
	[FIELD_KEY_FLAGS] = { key_flags_parse, u16_print, u16_check },
	[FIELD_SCHEME] = { scheme_parse, scheme_print, scheme_check },
	[FIELD_TIME] = { time_parse, time_print, time_check },
	[FIELD_NAME] = { name_parse_field, name_print_field, name_check_field },
	[FIELD_NAMES] = { names_parse, names_print, names_check, .may_be_absent = true },
	[FIELD_IPV4] = { ipv4_parse, ipv4_print, ipv4_check },
	[FIELD_IPV6] = { ipv6_parse, ipv6_print, ipv6_check },
	[FIELD_LOCATOR] = { locator_parse, locator_print, locator_check },
	[FIELD_EUI48] = { eui48_parse, eui48_print, eui48_check },
	[FIELD_EUI64] = { eui64_parse, eui64_print, eui64_check },
	[FIELD_STRING] = { string_parse, string_print, string_check },
	[FIELD_STRING_OPT] = { string_opt_parse, string_print, string_opt_check,
	                       .may_be_absent = true },
	[FIELD_STRINGS] = { strings_parse, strings_print, strings_check },
	[FIELD_DIGITS] = { digits_parse, digits_print, digits_check },
	[FIELD_TAG] = { tag_parse, tag_print, tag_check },
	[FIELD_TEXT] = { text_parse, text_print, text_check },
	[FIELD_BASE64] = { base64_parse, base64_print, base64_check },
	[FIELD_BASE64_OPT] = { base64_opt_parse, base64_print, base64_opt_check,
	                       .may_be_absent = true },
	[FIELD_BASE64_DASH] = { base64_dash_parse, base64_dash_print, base64_dash_check },
	[FIELD_KEY] = { key_parse, base64_print, key_check, .may_be_absent = true },
	[FIELD_HEX] = { hex_parse, hex_print, hex_check },
	[FIELD_DS_DIGEST] = { ds_digest_parse, hex_print, ds_digest_check },
	[FIELD_ZONE_DIGEST] = { zone_digest_parse, hex_print, zone_digest_check },
	[FIELD_FINGERPRINT] = { fingerprint_parse, hex_print, fingerprint_check },
	[FIELD_SALT] = { salt_parse, salt_print, salt_check },
	[FIELD_HASH] = { hash_parse, hash_print, hash_check },
	[FIELD_BITMAP] = { bitmap_parse, bitmap_print, bitmap_check },
	[FIELD_BITMAP_OPT] = { bitmap_opt_parse, bitmap_print, bitmap_opt_check,
	                       .may_be_absent = true },
	[FIELD_BITMAP_OLD] = { bitmap_old_parse, bitmap_old_print, bitmap_old_check,
	                       .may_be_absent = true },
	[FIELD_LOC] = { loc_parse, loc_print, loc_check, loc_has_text },
	[FIELD_PREFIXES] = { prefixes_parse, prefixes_print, prefixes_check, prefixes_has_text,
	                     .may_be_absent = true },
	[FIELD_SERVICES] = { services_parse, services_print, services_check },
	[FIELD_NSAP] = { nsap_parse, nsap_print, nsap_check },
	[FIELD_ATM] = { atm_parse, atm_print, atm_check, atm_has_text },
	[FIELD_A6] = { a6_parse, a6_print, a6_check },
	[FIELD_GATEWAY] = { gateway_parse, gateway_print, gateway_check },
	[FIELD_RELAY] = { relay_parse, relay_print, relay_check, relay_has_text },
	[FIELD_HIT] = { hit_parse, hit_print, hit_check },
	[FIELD_PARAMS] = { params_parse, params_print, params_check },
};

err_t
rdata_check(uint16_t type, const uint8_t *rdata, size_t len)
{
	const struct rrtype *t = rrtype_by_code(type);
	struct cur c = cur_over(rdata, len);
	if (len > DNS_RDATA_MAX) {
		return E_RANGE;
	}
	if (t == NULL || t->fields == NULL) {
		return OK;
	}
	for (const struct rrfield *f = t->fields; f->kind != FIELD_END; f++) {
		rdata_kinds[f->kind].check(&c);
	}
	if (c.pos != len) {
		cur_fail(&c, E_FORMAT); /* RDLENGTH was wrong */
	}
	return c.err;
}

/* Appends the uncompressed form of the RDATA between the cursor and its end. */
static void
expand_names(struct cur *c, const struct rrfield *fields, struct buf *out)
{
	for (const struct rrfield *f = fields; f->kind != FIELD_END && c->err == OK; f++) {
		size_t from = c->pos;
		if (f->kind == FIELD_NAME) {
			struct name n = { .len = 0 };
			name_read(c, &n);
			buf_put(out, n.oct, n.len);
			continue;
		}
		/* No type with compressed names has a field that depends on earlier fields. */
		rdata_kinds[f->kind].check(c);
		if (c->err == OK) {
			buf_put(out, c->base + from, c->pos - from);
		}
	}
	if (c->pos != c->len) {
		cur_fail(c, E_FORMAT);
	}
}

err_t
rdata_read(struct cur *msg, uint16_t type, size_t rdlength, struct buf *out)
{
	const struct rrtype *t = rrtype_by_code(type);
	size_t start = out->len, at = msg->pos;
	const uint8_t *wire = cur_take(msg, rdlength);
	if (out->err != OK || msg->err != OK) {
		return out->err != OK ? out->err : msg->err;
	}
	if (t != NULL && (t->flags & (RRTYPE_COMPRESS | RRTYPE_DECOMPRESS)) != 0) {
		struct cur c = { .base = msg->base, .len = msg->pos, .pos = at };
		expand_names(&c, t->fields, out);
		if (c.err != OK) {
			cur_fail(msg, c.err);
		}
	} else {
		buf_put(out, wire, rdlength);
	}
	if (out->err != OK) {
		cur_fail(msg, out->err);
	}
	if (msg->err == OK) {
		err_t err = rdata_check(type, out->base + start, out->len - start);
		if (err != OK) {
			cur_fail(msg, err);
		}
	}
	if (msg->err != OK) {
		buf_rewind(out, start);
	}
	return msg->err;
}

/* True when the fields of well-formed RDATA can be printed one by one. */
static bool
has_text(const struct rrtype *t, const uint8_t *rdata, size_t len)
{
	struct cur c = cur_over(rdata, len);
	for (const struct rrfield *f = t->fields; f->kind != FIELD_END; f++) {
		const struct rdata_kind *kind = &rdata_kinds[f->kind];
		if (kind->has_text != NULL && !kind->has_text(c)) {
			return false;
		}
		kind->check(&c);
	}
	return c.err == OK && c.pos == c.len;
}

/* Writes the generic form (RFC 3597 5). */
static void
print_generic(const uint8_t *rdata, size_t len, struct str *out)
{
	str_put(out, "\\# ", 3);
	rdata_print_number(out, (uint32_t)len);
	if (len != 0) {
		str_char(out, ' ');
		rdata_print_hex(rdata, len, true, out);
	}
}

void
rdata_print(uint16_t type, const uint8_t *rdata, size_t len, struct str *out)
{
	const struct rrtype *t = rrtype_by_code(type);
	if (t == NULL || t->fields == NULL || !has_text(t, rdata, len)) {
		print_generic(rdata, len, out);
		return;
	}
	struct cur c = cur_over(rdata, len);
	for (const struct rrfield *f = t->fields; f->kind != FIELD_END; f++) {
		const struct rdata_kind *kind = &rdata_kinds[f->kind];
		if (kind->may_be_absent && cur_left(&c) == 0) {
			break;
		}
		if (f != t->fields) {
			str_char(out, ' ');
		}
		kind->print(&c, out);
	}
}

/* The offset of the name in the field at the cursor; SIZE_MAX: there is none, or not exactly one. */
static size_t
name_in_field(enum rrfield_kind kind, const struct cur *c)
{
	switch (kind) {
	case FIELD_NAME:
	case FIELD_PARAMS:
		return c->pos;
	case FIELD_GATEWAY:
		return gateway_name_at(*c);
	case FIELD_RELAY:
		return relay_name_at(*c);
	case FIELD_A6:
		return a6_name_at(*c);
	default:
		return SIZE_MAX;
	}
}

size_t
rdata_names(uint16_t type, const uint8_t *rdata, size_t len, uint16_t offsets[RDATA_NAMES_MAX])
{
	const struct rrtype *t = rrtype_by_code(type);
	struct cur c = cur_over(rdata, len);
	size_t n = 0;
	if (t == NULL || t->fields == NULL || len > DNS_RDATA_MAX) {
		return 0;
	}
	for (const struct rrfield *f = t->fields; f->kind != FIELD_END; f++) {
		if (f->kind == FIELD_NAMES) {
			while (cur_left(&c) != 0 && n < RDATA_NAMES_MAX) {
				size_t at = c.pos;
				rdata_check_name(&c);
				offsets[n] = (uint16_t)at;
				n += c.err == OK;
			}
			break;
		}
		size_t at = name_in_field(f->kind, &c);
		rdata_kinds[f->kind].check(&c);
		if (c.err != OK) {
			break;
		}
		if (at != SIZE_MAX && n < RDATA_NAMES_MAX) {
			offsets[n++] = (uint16_t)at;
		}
	}
	return n;
}

void
rdata_canonicalize(uint16_t type, uint8_t *rdata, size_t len)
{
	uint16_t offsets[RDATA_NAMES_MAX];
	if ((rrtype_flags(type) & RRTYPE_LOWERCASE) == 0) {
		return;
	}
	size_t n = rdata_names(type, rdata, len, offsets);
	for (size_t i = 0; i < n; i++) {
		name_lower(rdata + offsets[i], rdata + offsets[i]);
	}
}

static int
compare_lower(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int d = octet_lower(a[i]) - octet_lower(b[i]);
		if (d != 0) {
			return d;
		}
	}
	return 0;
}

/* The names of `a` are enough: up to the first difference, `b` has its names at the same places, since the octets before a name
 * tell where it begins, and its labels tell where it ends. */
int
rdata_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	uint16_t offsets[RDATA_NAMES_MAX];
	size_t shorter = a_len < b_len ? a_len : b_len, at = 0, n = 0;
	int d = 0;
	if ((rrtype_flags(type) & RRTYPE_LOWERCASE) != 0) {
		n = rdata_names(type, a, a_len, offsets);
	}
	for (size_t i = 0; i < n && offsets[i] < shorter && d == 0; i++) {
		size_t end = offsets[i] + name_len(a + offsets[i]);
		end = end < shorter ? end : shorter;
		d = memcmp(a + at, b + at, offsets[i] - at);
		d = d != 0 ? d : compare_lower(a + offsets[i], b + offsets[i], end - offsets[i]);
		at = end;
	}
	if (d == 0 && shorter > at) {
		d = memcmp(a + at, b + at, shorter - at);
	}
	return d != 0 ? d : (a_len > b_len) - (a_len < b_len);
}

err_t
rdata_read_soa(const uint8_t *rdata, size_t len, struct soa *out)
{
	struct cur c = cur_over(rdata, len);
	rdata_check_name(&c);
	size_t rname = c.pos;
	rdata_check_name(&c);
	struct soa soa = { .mname = rdata, .rname = rdata + rname };
	soa.serial = cur_u32(&c);
	soa.refresh_s = cur_u32(&c);
	soa.retry_s = cur_u32(&c);
	soa.expire_s = cur_u32(&c);
	soa.minimum_s = cur_u32(&c);
	if (c.pos != len) {
		cur_fail(&c, E_FORMAT);
	}
	if (c.err == OK) {
		*out = soa;
	}
	return c.err;
}
