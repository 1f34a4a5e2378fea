/* What the primary would hold back, said beforehand. */
#include <stdio.h>

#include "bin/ozone.h"
#include "dns/rrtype.h"

#define HINT "if that is meant, the commit's message has to end with the line " PRIMARY_TRAILER " (here: --allow=mass-delete)"

void
ozone_valve_zone(const struct ozone *oz, const struct zone *old, const struct zone *new, struct findings *f)
{
	if (oz->allows_mass_delete || !primary_holds_version(&oz->valve, old, new)) {
		return;
	}
	const struct rr *soa = rrset_first(new->soa);
	findings_add(f, oz->valve_level, "mass-delete", new->apex_name, TYPE_SOA, soa->rdata, soa->rdlen, HINT,
	             "%zu of the zone's %zu records would be removed: the primary would hold the zone back", zone_lost(old, new),
	             old->records);
}

void
ozone_valve_zones(struct ozone *oz, struct ozone_names *old, struct ozone_names *new)
{
	const char *first = "";
	size_t removed = ozone_names_missing(old, new, &first), zones = ozone_names_zones(old);
	if (oz->allows_mass_delete || !primary_holds_removals(&oz->valve, removed, zones)) {
		return;
	}
	struct diag d;
	struct diag_sink sink = report_sink(oz->report);
	diag_set(&d, oz->valve_level, "mass-delete",
	         "%zu of %zu zones would be removed, this one among them: the primary would hold them back", removed, zones);
	diag_hint(&d, HINT);
	d.file = first;
	diag_report(&sink, &d);
	report_end(oz->report);
}
