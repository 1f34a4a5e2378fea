/* RDATA off the wire: two octets of type, two of where in the message it begins, then the message.  What is
 * read checks and prints and reads back to itself; its names are names; order is that of the canonical
 * forms.  What does not check prints in the form of RFC 3597. */
#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

static void
check_text(uint16_t type, const uint8_t *rdata, size_t len)
{
	static uint8_t again[DNS_RDATA_MAX];
	bool is_good = rdata_check(type, rdata, len) == OK;
	struct buf out = buf_over(again, sizeof again);
	struct rdata_error why;
	struct str text = { 0 };
	struct lex lx;
	rdata_print(type, rdata, len, &text);
	if (text.err != OK || (!is_good && strncmp(text.s, "\\# ", 3) != 0) ||
	    memchr(text.s != NULL ? text.s : "", '\n', text.len) != NULL) {
		abort();
	}
	lex_init(&lx, str_text(&text), text.len);
	uint16_t as = is_good ? type : 65280;
	if ((rrtype_flags(as) & RRTYPE_META) == 0 &&
	    (rdata_parse(&lx, as, NULL, &out, &why) != OK || out.len != len ||
	     (len != 0 && memcmp(again, rdata, len) != 0))) {
		abort();
	}
	str_fini(&text);
}

static int
sign(int d)
{
	return (d > 0) - (d < 0);
}

/* The order as RFC 4034 6.3 defines it. */
static int
slow_compare(uint16_t type, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	static uint8_t x[DNS_RDATA_MAX], y[DNS_RDATA_MAX];
	size_t shorter = a_len < b_len ? a_len : b_len;
	memcpy(x, a, a_len);
	memcpy(y, b, b_len);
	rdata_canonicalize(type, x, a_len);
	rdata_canonicalize(type, y, b_len);
	int d = shorter != 0 ? memcmp(x, y, shorter) : 0;
	return d != 0 ? sign(d) : (a_len > b_len) - (a_len < b_len);
}

static void
check_names(uint16_t type, const uint8_t *rdata, size_t len)
{
	uint16_t at[RDATA_NAMES_MAX];
	size_t n = rdata_names(type, rdata, len, at), end = 0;
	for (size_t i = 0; i < n; i++) {
		struct cur c = cur_over(rdata, len);
		struct name name;
		c.pos = at[i];
		name_read_plain(&c, &name);
		if (at[i] < end || c.err != OK) {
			abort();
		}
		end = c.pos;
	}
}

/* Against the same with one octet changed. */
static void
check_order(uint16_t type, const uint8_t *rdata, size_t len, uint8_t seed)
{
	static uint8_t other[DNS_RDATA_MAX];
	if (len == 0) {
		return;
	}
	memcpy(other, rdata, len);
	other[seed * 7u % len] ^= 0x20;
	if (rdata_check(type, other, len) == OK &&
	    sign(rdata_compare(type, rdata, len, other, len)) !=
	            slow_compare(type, rdata, len, other, len)) {
		abort();
	}
	memcpy(other, rdata, len);
	rdata_canonicalize(type, other, len);
	if (rdata_compare(type, rdata, len, other, len) != 0) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t rdata[DNS_RDATA_MAX];
	if (size < 4 || size > DNS_RDATA_MAX) {
		return 0;
	}
	uint16_t type = (uint16_t)(data[0] << 8 | data[1]);
	struct cur c = cur_over(data + 4, size - 4);
	size_t at = (size_t)(data[2] << 8 | data[3]);
	c.pos = at < c.len ? at : c.len;
	size_t rdlength = c.len - c.pos;
	const uint8_t *raw = c.base + c.pos;
	struct buf out = buf_over(rdata, sizeof rdata);
	err_t err = rdata_read(&c, type, rdlength, &out);
	if (err != c.err || out.err != OK || (err != OK && out.len != 0) ||
	    (err == OK && c.pos != c.len)) {
		abort();
	}
	if (err == OK) {
		if (rdata_check(type, rdata, out.len) != OK) {
			abort();
		}
		check_text(type, rdata, out.len);
		check_names(type, rdata, out.len);
		check_order(type, rdata, out.len, data[2]);
	}
	if (rdata_check(type, raw, rdlength) == OK && err != OK && err != E_FULL) {
		abort(); /* what is well-formed without compression is so in a message too */
	}
	check_text(type, raw, rdlength);
	check_names(type, raw, rdlength);
	return 0;
}
