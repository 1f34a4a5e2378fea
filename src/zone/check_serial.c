/* Does a changed zone have a newer serial? */
#include "zone/check.h"

#include <stdio.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/check_p.h"

struct change { /* the first difference that needs a newer serial */
	const struct zone *old, *new;
	bool is_found;
	struct check_text owner;
	char type[RRTYPE_TEXT_MAX];
};

/* Two SOAs of which only the serial differs? */
static bool
is_same_but_serial(const struct change *ch)
{
	const struct rr *a = rrset_first(ch->old->soa), *b = rrset_first(ch->new->soa);
	uint8_t text[2][NAME_WIRE_MAX * 2 + 20];
	const struct rr *rr[2] = { a, b };
	if (rrset_ttl(ch->old->soa) != rrset_ttl(ch->new->soa) || a->rdlen != b->rdlen || a->rdlen > sizeof text[0]) {
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		memcpy(text[i], rr[i]->rdata, rr[i]->rdlen);
		memset(text[i] + rr[i]->rdlen - 20, 0, 4);
	}
	return rdata_compare(TYPE_SOA, text[0], a->rdlen, text[1], b->rdlen) == 0;
}

static err_t
note_change(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct change *ch = ctx;
	(void)is_added;
	if (rr->type == TYPE_SOA && is_same_but_serial(ch)) {
		return OK;
	}
	ch->is_found = true;
	check_print(rr->owner, &ch->owner);
	rrtype_print(rr->type, ch->type);
	return E_STOPPED;
}

static void
serial_hint(uint32_t was, uint32_t now, char out[DIAG_HINT_MAX])
{
	if (was - now == UINT32_C(0x80000000)) {
		snprintf(out, DIAG_HINT_MAX,
		         "write %u; secondaries cannot order two serials that are 2^31 apart (RFC 1982 3.2)",
		         serial_next(was));
	} else if (now == was) {
		snprintf(out, DIAG_HINT_MAX, "write %u, or anything up to %u", serial_next(was),
		         was + UINT32_C(0x7FFFFFFF));
	} else {
		snprintf(out, DIAG_HINT_MAX,
		         "write %u, or anything up to %u: secondaries would take %u for an older version (RFC 1982)",
		         serial_next(was), was + UINT32_C(0x7FFFFFFF), now);
	}
}

err_t
zone_check_serial(const struct zone *old, const struct zone *new, struct findings *out)
{
	struct change ch = { .old = old, .new = new };
	if (serial_is_newer(new->serial, old->serial)) {
		return OK;
	}
	err_t e = zone_diff(old, new, note_change, &ch);
	if (e != OK && e != E_STOPPED) {
		return e;
	}
	if (!ch.is_found && new->serial == old->serial) {
		return OK;
	}
	char hint[DIAG_HINT_MAX];
	const struct rr *rr = rrset_first(new->soa);
	serial_hint(old->serial, new->serial, hint);
	if (ch.is_found) {
		findings_add(out, DIAG_ERROR, "serial-not-newer", new->apex_name, TYPE_SOA, rr->rdata, rr->rdlen, hint,
		             "the zone changed (%s %s), and serial %u is not newer than %u", ch.owner.s, ch.type,
		             new->serial, old->serial);
	} else {
		findings_add(out, DIAG_ERROR, "serial-not-newer", new->apex_name, TYPE_SOA, rr->rdata, rr->rdlen, hint,
		             "serial %u is not newer than %u", new->serial, old->serial);
	}
	return OK;
}
