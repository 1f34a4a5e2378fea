/* Fields of several parts, of which the first ones tell the form or the length of the others: IPSECKEY, AMTRELAY, HIP. */
#include <string.h>

#include "dns/rdata_p.h"

/* Gateway types (RFC 4025 2.3) and relay types (RFC 8777 4.2.3). */
enum { HOST_NONE = 0, HOST_IPV4 = 1, HOST_IPV6 = 2, HOST_NAME = 3 };

/* Reads the host in the form that the type announces; "." if there is none. */
static err_t
parse_host(struct rdata_parser *p, unsigned type)
{
	static const struct rrfield host = { FIELD_NAME, "gateway" };
	const struct rrfield *field = p->field;
	err_t err;
	p->field = &host;
	switch (type) {
	case HOST_IPV4:
		err = ipv4_parse(p);
		break;
	case HOST_IPV6:
		err = ipv6_parse(p);
		break;
	case HOST_NAME:
		err = rdata_parse_name(p);
		break;
	default:
		if (p->t.kind != LEX_WORD || p->t.len != 1 || p->t.s[0] != '.') {
			return rdata_expected(p, "\".\", as the type says that there is none");
		}
		rdata_next(p);
		err = OK;
	}
	p->field = field;
	return err;
}

static void
print_host(struct cur *c, unsigned type, struct str *out)
{
	switch (type) {
	case HOST_IPV4:
		ipv4_print(c, out);
		break;
	case HOST_IPV6:
		ipv6_print(c, out);
		break;
	case HOST_NAME:
		rdata_print_name(c, out);
		break;
	default:
		str_char(out, '.');
	}
}

static void
check_host(struct cur *c, unsigned type)
{
	switch (type) {
	case HOST_IPV4:
		ipv4_check(c);
		break;
	case HOST_IPV6:
		ipv6_check(c);
		break;
	case HOST_NAME:
		rdata_check_name(c);
		break;
	default:
		break;
	}
}

/* Algorithm 0 means that there is no key (RFC 4025 2.4). */
err_t
gateway_parse(struct rdata_parser *p)
{
	uint64_t type, algorithm;
	TRY(rdata_parse_number(p, HOST_NAME, &type));
	TRY(rdata_parse_number(p, UINT8_MAX, &algorithm));
	buf_u8(p->out, (uint8_t)type);
	buf_u8(p->out, (uint8_t)algorithm);
	TRY(parse_host(p, (unsigned)type));
	return algorithm == 0 && rdata_at_end(p) ? OK : rdata_parse_base64(p, RDATA_TO_END);
}

void
gateway_print(struct cur *c, struct str *out)
{
	uint8_t type = cur_u8(c);
	rdata_print_number(out, type);
	str_char(out, ' ');
	rdata_print_number(out, cur_u8(c));
	str_char(out, ' ');
	print_host(c, type, out);
	if (cur_left(c) != 0) {
		str_char(out, ' ');
		base64_print(c, out);
	}
}

void
gateway_check(struct cur *c)
{
	uint8_t type = cur_u8(c), algorithm = cur_u8(c);
	check_host(c, type);
	if (type > HOST_NAME) {
		cur_fail(c, E_FORMAT);
	}
	if (algorithm == 0) {
		base64_opt_check(c);
	} else {
		base64_check(c);
	}
}

size_t
gateway_name_at(struct cur c)
{
	uint8_t type = cur_u8(&c);
	return type == HOST_NAME ? c.pos + 1 : SIZE_MAX; /* after the algorithm */
}

/* Discovery bit and type share an octet. */
err_t
relay_parse(struct rdata_parser *p)
{
	static const struct rrfield relay_type = { FIELD_RELAY, "relay type" };
	const struct rrfield *field = p->field;
	uint64_t discovery, type;
	TRY(rdata_parse_number(p, 1, &discovery));
	p->field = &relay_type;
	TRY(rdata_parse_number(p, HOST_NAME, &type));
	p->field = field;
	buf_u8(p->out, (uint8_t)(discovery << 7 | type));
	return parse_host(p, (unsigned)type);
}

void
relay_print(struct cur *c, struct str *out)
{
	uint8_t octet = cur_u8(c);
	rdata_print_number(out, octet >> 7);
	str_char(out, ' ');
	rdata_print_number(out, octet & 0x7F);
	str_char(out, ' ');
	print_host(c, octet & 0x7F, out);
}

/* After types above 3, anything is allowed (RFC 8777 4.2.3). */
void
relay_check(struct cur *c)
{
	uint8_t type = cur_u8(c) & 0x7F;
	check_host(c, type);
	if (type > HOST_NAME) {
		(void)cur_take(c, cur_left(c));
	}
}

bool
relay_has_text(struct cur c)
{
	return (cur_u8(&c) & 0x7F) <= HOST_NAME;
}

size_t
relay_name_at(struct cur c)
{
	return (cur_u8(&c) & 0x7F) == HOST_NAME ? c.pos : SIZE_MAX;
}

/* HIP: in wire form, the lengths of HIT and key come before both (RFC 8005 5). */
enum { HIT_HEADER = 4, HIT_LEN_MAX = 255 };

err_t
hit_parse(struct rdata_parser *p)
{
	static const struct rrfield hit = { FIELD_HIT, "HIT" }, key = { FIELD_HIT, "public key" };
	const struct rrfield *field = p->field;
	uint64_t algorithm;
	size_t at = p->out->len;
	TRY(rdata_parse_number(p, UINT8_MAX, &algorithm));
	buf_u32(p->out, (uint32_t)algorithm << 16); /* lengths follow */
	p->field = &hit;
	TRY(rdata_parse_hex(p, RDATA_ONE_TOKEN));
	size_t hit_len = p->out->len - at - HIT_HEADER;
	if (p->out->err == OK && hit_len > HIT_LEN_MAX) {
		return rdata_fail(p, E_RANGE, "is longer than 255 octets");
	}
	p->field = &key;
	TRY(rdata_parse_base64(p, RDATA_ONE_TOKEN));
	p->field = field;
	if (p->out->err == OK) {
		p->out->base[at] = (uint8_t)hit_len;
		buf_patch_u16(p->out, at + 2, (uint16_t)(p->out->len - at - HIT_HEADER - hit_len));
	}
	return OK;
}

void
hit_print(struct cur *c, struct str *out)
{
	uint8_t hit_len = cur_u8(c), algorithm = cur_u8(c);
	uint16_t key_len = cur_u16(c);
	const uint8_t *hit = cur_take(c, hit_len), *key = cur_take(c, key_len);
	if (hit == NULL || key == NULL) {
		return;
	}
	rdata_print_number(out, algorithm);
	str_char(out, ' ');
	rdata_print_hex(hit, hit_len, false, out);
	str_char(out, ' ');
	rdata_print_base64(key, key_len, false, out);
}

void
hit_check(struct cur *c)
{
	uint8_t hit_len = cur_u8(c);
	(void)cur_u8(c);
	uint16_t key_len = cur_u16(c);
	if (hit_len == 0 || key_len == 0) {
		cur_fail(c, E_FORMAT);
	}
	(void)cur_take(c, (size_t)hit_len + key_len);
}
