/* Checks that a changed zone has a newer serial. */
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

/* True when the SOA records differ in the serial only. */
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

/* Writes the hint: which serial to write, or which the primary will write. */
static void
serial_hint(uint32_t was, uint32_t now, bool is_raised, char out[DIAG_HINT_MAX])
{
	if (is_raised) {
		(void)snprintf(out, DIAG_HINT_MAX, "is that intended?  oprimary will write a serial newer than %u, as --serial says", was);
	} else if (now == was) {
		(void)snprintf(out, DIAG_HINT_MAX, "write %u, or anything up to %u", serial_next(was), was + UINT32_C(0x7FFFFFFF));
	} else if (was - now == UINT32_C(0x80000000)) {
		(void)snprintf(out, DIAG_HINT_MAX, "write %u; secondaries cannot order two serials that are 2^31 apart (RFC 1982 3.2)",
		               serial_next(was));
	} else {
		(void)snprintf(out, DIAG_HINT_MAX,
		               "write %u, or anything up to %u: secondaries take %u for an older version and keep what they have "
		               "(RFC 1982)",
		               serial_next(was), was + UINT32_C(0x7FFFFFFF), now);
	}
}

void
zone_serial_finding(const struct zone *new, uint32_t was, bool is_raised, const char *change, struct findings *out)
{
	char hint[DIAG_HINT_MAX];
	const struct rr *rr = rrset_first(new->soa);
	if (serial_is_newer(new->serial, was) || (is_raised && new->serial == was)) {
		return;
	}
	serial_hint(was, new->serial, is_raised, hint);
	if (new->serial == was) {
		findings_add(out, DIAG_ERROR, "serial-not-newer", new->apex_name, TYPE_SOA, rr->rdata, rr->rdlen, hint,
		             "%s, and serial %u is not newer than %u", change, new->serial, was);
	} else {
		findings_add(out, is_raised ? DIAG_WARNING : DIAG_ERROR, "serial-back", new->apex_name, TYPE_SOA, rr->rdata, rr->rdlen,
		             hint, "the serial goes back, from %u to %u", was, new->serial);
	}
}

err_t
zone_check_serial(const struct zone *old, const struct zone *new, bool is_raised, struct findings *out)
{
	struct change ch = { .old = old, .new = new };
	char text[sizeof ch.owner.s + RRTYPE_TEXT_MAX + 32];
	if (serial_is_newer(new->serial, old->serial)) {
		return OK;
	}
	err_t e = zone_diff(old, new, note_change, &ch);
	if (e != OK && e != E_STOPPED) {
		return e;
	}
	if (ch.is_found || new->serial != old->serial) {
		(void)snprintf(text, sizeof text, "the zone changed (%s %s)", ch.owner.s, ch.type);
		zone_serial_finding(new, old->serial, is_raised, text, out);
	}
	return OK;
}
