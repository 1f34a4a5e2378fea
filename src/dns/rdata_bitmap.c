/* Type bitmaps: NSEC, NSEC3, CSYNC (RFC 4034 4.1.2) and the older form of NXT (RFC 2535 5.2). */
#include <string.h>

#include "dns/rdata_p.h"

enum {
	WINDOWS = 256,
	WINDOW_LEN = 32, /* octets of a window's bitmap */
	OLD_TYPES = 128,
};

static bool
is_set(const uint8_t *bits, unsigned i)
{
	return (bits[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* Appends the bitmap of window `w`, if it has bits. */
static void
put_window(struct buf *out, unsigned w, const uint8_t bits[WINDOW_LEN])
{
	uint8_t len = WINDOW_LEN;
	while (len != 0 && bits[len - 1] == 0) {
		len--;
	}
	if (len != 0) {
		buf_u8(out, (uint8_t)w);
		buf_u8(out, len);
		buf_put(out, bits, len);
	}
}

static err_t
parse_type(struct rdata_parser *p, uint16_t *out)
{
	if (p->t.kind != LEX_WORD || rrtype_parse(p->t.s, p->t.len, out) != OK) {
		return rdata_expected(p, "a record type");
	}
	rdata_next(p);
	return OK;
}

/* Reads types in any order.  Nearly always all are in the first or second window, so all windows are kept; the bits of a window
 * are cleared before its first type. */
err_t
bitmap_opt_parse(struct rdata_parser *p)
{
	uint8_t bits[WINDOWS][WINDOW_LEN];
	bool is_used[WINDOWS] = { false };
	unsigned last = 0;
	while (!rdata_at_end(p)) {
		uint16_t type;
		TRY(parse_type(p, &type));
		unsigned w = type / 256, bit = type % 256;
		if (!is_used[w]) {
			memset(bits[w], 0, WINDOW_LEN);
			is_used[w] = true;
			last = w > last ? w : last;
		}
		bits[w][bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	for (unsigned w = 0; w <= last; w++) {
		if (is_used[w]) {
			put_window(p->out, w, bits[w]);
		}
	}
	return OK;
}

err_t
bitmap_parse(struct rdata_parser *p)
{
	return rdata_at_end(p) ? rdata_expected(p, "a record type") : bitmap_opt_parse(p);
}

static void
print_type(struct str *out, unsigned type, bool *is_first)
{
	char text[RRTYPE_TEXT_MAX];
	if (!*is_first) {
		str_char(out, ' ');
	}
	*is_first = false;
	str_cat(out, rrtype_print((uint16_t)type, text));
}

void
bitmap_print(struct cur *c, struct str *out)
{
	bool is_first = true;
	while (cur_left(c) != 0) {
		unsigned w = cur_u8(c), len = cur_u8(c);
		const uint8_t *bits = cur_take(c, len);
		for (unsigned i = 0; bits != NULL && i < len * 8; i++) {
			if (is_set(bits, i)) {
				print_type(out, w * 256 + i, &is_first);
			}
		}
	}
}

/* Windows must be in ascending order, not empty, and without zero octets at their ends (RFC 4034 4.1.2). */
void
bitmap_opt_check(struct cur *c)
{
	int before = -1;
	while (cur_left(c) != 0) {
		uint8_t w = cur_u8(c), len = cur_u8(c);
		const uint8_t *bits = cur_take(c, len);
		if (w <= before || len == 0 || len > WINDOW_LEN ||
		    (bits != NULL && bits[len - 1] == 0)) {
			cur_fail(c, E_FORMAT);
		}
		before = w;
	}
}

void
bitmap_check(struct cur *c)
{
	if (cur_left(c) == 0) {
		cur_fail(c, E_SHORT);
	}
	bitmap_opt_check(c);
}

/* Reads mnemonics or numbers.  Type 0 would mean another format, which was never defined. */
err_t
bitmap_old_parse(struct rdata_parser *p)
{
	uint8_t bits[OLD_TYPES / 8] = { 0 };
	size_t len = 0;
	while (!rdata_at_end(p)) {
		uint64_t number;
		uint16_t type;
		if (p->t.kind == LEX_WORD && lex_number(&p->t, OLD_TYPES - 1, &number) == OK) {
			type = (uint16_t)number;
			rdata_next(p);
		} else {
			TRY(parse_type(p, &type));
		}
		if (type == 0 || type >= OLD_TYPES) {
			return rdata_fail(p, E_RANGE, "NXT lists types from 1 to 127 only");
		}
		bits[type / 8] |= (uint8_t)(0x80 >> type % 8);
		len = type / 8 + 1u > len ? type / 8 + 1u : len;
	}
	buf_put(p->out, bits, len);
	return OK;
}

/* Writes types without a mnemonic as plain numbers (RFC 2535 5.2), as BIND does. */
void
bitmap_old_print(struct cur *c, struct str *out)
{
	size_t len;
	const uint8_t *bits = rdata_rest(c, &len);
	bool is_first = true;
	for (unsigned i = 0; i < len * 8; i++) {
		if (!is_set(bits, i)) {
			continue;
		}
		if (rrtype_by_code((uint16_t)i) != NULL) {
			print_type(out, i, &is_first);
			continue;
		}
		if (!is_first) {
			str_char(out, ' ');
		}
		is_first = false;
		rdata_print_number(out, i);
	}
}

void
bitmap_old_check(struct cur *c)
{
	size_t len;
	const uint8_t *bits = rdata_rest(c, &len);
	if (len > OLD_TYPES / 8 || (len != 0 && ((bits[0] & 0x80) != 0 || bits[len - 1] == 0))) {
		cur_fail(c, E_FORMAT);
	}
}
