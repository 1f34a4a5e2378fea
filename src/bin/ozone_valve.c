/* Reports beforehand what the primary would hold back. */
#include <stdio.h>

#include "auth/reach.h"
#include "base/alloc.h"
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

/* ---- keys ---- */

static void
copy_keys(struct keystore **to, const struct keystore *from)
{
	struct findings twice = { 0 }; /* keys that are there twice, which are reported elsewhere */
	*to = *to != NULL ? *to : keystore_new(NULL);
	if (*to != NULL && from != NULL) {
		(void)!keystore_merge(*to, from, &twice);
	}
	findings_fini(&twice);
}

/* True when `new` does not reach all that `old` reaches. */
static bool
reaches_less(const struct keystore *old, const struct keystore *new)
{
	struct reach before = { 0 }, after = { 0 };
	bool is_known = reach_add(&before, old) == OK && reach_add(&after, new) == OK;
	reach_seal(&after);
	size_t i = 0;
	while (i < before.n && reach_has(&after, before.domains[i])) {
		i++;
	}
	bool is_less = is_known && i < before.n;
	reach_fini(&before);
	reach_fini(&after);
	return is_less;
}

void
ozone_valve_note_keys(struct ozone *oz, const struct job *job, const struct keystore *old, const struct keystore *new)
{
	/* a file without a good key leaves its keys as they were */
	const struct keystore *next = new == NULL && job->new != NULL ? old : new;
	copy_keys(&oz->announcing.before, old);
	copy_keys(&oz->announcing.after, next);
	if (oz->announcing.lost == NULL && reaches_less(old, next)) {
		oz->announcing.lost = xstrdup(job->old_path);
	}
}

static void
say_last_keys(struct ozone *oz, const uint8_t *zone)
{
	struct diag d;
	struct diag_sink sink = report_sink(oz->report);
	char name[NAME_TEXT_MAX];
	name_print(zone, name);
	diag_set(&d, oz->valve_level, "last-keys",
	         "nobody could announce a push for %.200s any more: the primary would go on with the keys that it has", name);
	diag_hint(&d, HINT);
	d.file = oz->announcing.lost;
	diag_report(&sink, &d);
	report_end(oz->report);
}

/* The first zone that could be announced, and cannot be any more; NULL: there is none. */
static const uint8_t *
find_lost(const struct ozone *oz, const struct ozone_names *names)
{
	struct reach before = { 0 }, after = { 0 };
	const uint8_t *lost = NULL;
	bool is_known = reach_add(&before, oz->announcing.before) == OK && reach_add(&after, oz->announcing.after) == OK;
	reach_seal(&before);
	reach_seal(&after);
	for (size_t i = 0; is_known && i < ozone_names_n(names) && lost == NULL; i++) {
		const uint8_t *zone = ozone_names_zone_at(names, i);
		lost = zone != NULL && reach_has(&before, zone) && !reach_has(&after, zone) ? zone : NULL;
	}
	if (is_known && ozone_names_zones(names) == 0 && reach_has(&before, name_root) && after.n == 0) {
		lost = name_root;
	}
	reach_fini(&before);
	reach_fini(&after);
	return lost;
}

void
ozone_valve_keys(struct ozone *oz, const struct ozone_names *new)
{
	if (oz->announcing.lost == NULL || oz->allows_mass_delete || oz->valve.delete_zones_percent >= 100) {
		return;
	}
	const uint8_t *lost = find_lost(oz, new);
	if (lost != NULL) {
		say_last_keys(oz, lost);
	}
}
