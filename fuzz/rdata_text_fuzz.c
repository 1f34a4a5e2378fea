/* RDATA text of any type: two octets of type, then the text.  What is read checks, and prints and reads back to
 * itself; what is not is explained, and the lexer can go on. */
#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

static const uint8_t origin[] = "\7example\3com";

static void
check_round_trip(uint16_t type, const uint8_t *rdata, size_t len)
{
	static uint8_t again[DNS_RDATA_MAX];
	struct buf out = buf_over(again, sizeof again);
	struct rdata_error why;
	struct str text = { 0 };
	struct lex lx;
	rdata_print(type, rdata, len, &text);
	lex_init(&lx, str_text(&text), text.len);
	if (text.err != OK || rdata_parse(&lx, type, NULL, &out, &why) != OK || out.len != len ||
	    memcmp(again, rdata, len) != 0) {
		abort();
	}
	str_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t rdata[2 * DNS_RDATA_MAX];
	struct buf out = buf_over(rdata, sizeof rdata);
	struct rdata_error why;
	struct lex lx;
	if (size < 2) {
		return 0;
	}
	uint16_t type = (uint16_t)(data[0] << 8 | data[1]);
	lex_init(&lx, (const char *)data + 2, size - 2);
	memset(&why, 0xFF, sizeof why);
	err_t err = rdata_parse(&lx, type, origin, &out, &why);
	if (out.err != OK || out.cap != sizeof rdata) {
		abort();
	}
	if (err == OK) {
		if (rdata_check(type, rdata, out.len) != OK) {
			abort();
		}
		check_round_trip(type, rdata, out.len);
		return 0;
	}
	if (out.len != 0 || memchr(why.text, '\0', sizeof why.text) == NULL || why.text[0] == '\0' ||
	    memchr(why.hint, '\0', sizeof why.hint) == NULL) {
		abort();
	}
	lex_skip_line(&lx);
	return 0;
}
