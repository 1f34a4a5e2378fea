/* Measures an update's records as lines of a master file. */
#include "auth/update.h"
#include "base/str.h"
#include "dns/rdata.h"

/* An octet of RDATA becomes at most this many octets of text: each of the 8 bits of a type bitmap can be a mnemonic and a blank
 * (RFC 4034 4.1.2). */
enum { TEXT_FACTOR = 100, BESIDE_LEN = 40 /* TTL, class and type, and the blanks between */ };

static bool
may_be_over(size_t rdlen, size_t owners, size_t max)
{
	return rdlen * TEXT_FACTOR + owners * (NAME_TEXT_MAX + BESIDE_LEN) > max;
}

static err_t
line_len(const struct update_rr *rr, struct str *text, size_t *out)
{
	char owner[NAME_TEXT_MAX];
	str_clear(text);
	rdata_print(rr->type, rr->rdata, rr->rdlen, text);
	*out = name_print(rr->owner, owner) + BESIDE_LEN + text->len;
	return text->err;
}

/* Few updates are so large that their records could pass a limit as text: only these are measured. */
static bool
may_be_too_large(const struct update *u)
{
	size_t rdata = 0;
	for (size_t i = 0; i < u->changes_n; i++) {
		if (may_be_over(u->changes[i].rdlen, 1, UPDATE_LINE_MAX)) {
			return true;
		}
		rdata += u->changes[i].rdlen;
	}
	return may_be_over(rdata, u->changes_n, UPDATE_TEXT_MAX);
}

err_t
update_measure(const struct update *u, struct update_verdict *v)
{
	[[gnu::cleanup(str_fini)]] struct str text = { 0 };
	size_t all = 0, len = 0;
	const char *why = NULL;
	bool is_large = may_be_too_large(u);
	for (size_t i = 0; i < u->changes_n && is_large && why == NULL; i++) {
		if (u->changes[i].rrclass == CLASS_IN) {
			TRY(line_len(&u->changes[i], &text, &len));
			all += len;
			why = len > UPDATE_LINE_MAX  ? "a record would be a line of more than 64 KiB in the zone's file"
			      : all > UPDATE_TEXT_MAX ? "the records would be more than 2 MiB in the zone's file: send several messages"
			                              : NULL;
		}
	}
	if (why != NULL) {
		*v = (struct update_verdict){ .rcode = RCODE_REFUSED, .ede = EDE_PROHIBITED, .why = why };
	}
	return OK;
}
