#include "net/report_follow.h"

#include <inttypes.h>
#include <stdio.h>

#include "dns/name.h"
#include "net/peer.h"
#include "zone/check.h"

static const struct {
	const char *event;
	enum log_level level;
	const char *hint;
} events[FOLLOW_EVENTS] = {
	[FOLLOW_FOUND] = { "zone-found", LOG_LEVEL_INFO, "" },
	[FOLLOW_RESTORED] = { "zone-restored", LOG_LEVEL_DEBUG, "" },
	[FOLLOW_CURRENT] = { "zone-current", LOG_LEVEL_DEBUG, "" },
	[FOLLOW_BEHIND] = { "primary-behind", LOG_LEVEL_DEBUG, "" },
	[FOLLOW_TRANSFERRED] = { "zone-transferred", LOG_LEVEL_INFO, "" },
	[FOLLOW_FAILED] = { "refresh-failed", LOG_LEVEL_WARNING, "" },
	[FOLLOW_WHOLE] = { "changes-do-not-fit", LOG_LEVEL_INFO, "the whole zone is asked for" },
	[FOLLOW_PUT_OFF] = { "transfer-put-off", LOG_LEVEL_INFO,
		"other transfers are under way, and it begins anew when it can have all memory; raise --memory-max if that is often" },
	[FOLLOW_GONE] = { "zone-withdrawn", LOG_LEVEL_WARNING,
		"the primary has no such zone (NOTAUTH); its data are kept until they expire" },
	[FOLLOW_SET_ASIDE] = { "zone-set-aside", LOG_LEVEL_DEBUG, "its catalog lists it no more; its data are kept until they expire" },
	[FOLLOW_EXPIRY] = { "zone-expired", LOG_LEVEL_ERROR,
		"no primary was reached for as long as the zone's SOA record allows; queries get SERVFAIL until one is" },
	[FOLLOW_NO_ROOM] = { "zone-not-shown", LOG_LEVEL_ERROR, "raise --memory-max" },
	[FOLLOW_LINK_DOWN] = { "primary-unreachable", LOG_LEVEL_WARNING, "zones are served as they are until they expire" },
	[FOLLOW_LINK_UP] = { "primary-reached", LOG_LEVEL_INFO, "" },
	[FOLLOW_CATALOG] = { "catalog-applied", LOG_LEVEL_INFO, "" },
	[FOLLOW_CATALOG_BROKEN] = { "catalog-broken", LOG_LEVEL_ERROR,
		"it changes nothing: the zones of its last good version are followed" },
	[FOLLOW_MEMBERS_REMOVED] = { "members-removed", LOG_LEVEL_WARNING,
		"these zones are served no more; their data are kept until they expire, in case they are listed again" },
	[FOLLOW_MEMBER] = { "catalog-member", LOG_LEVEL_INFO, "" },
	[FOLLOW_MEMBER_REFUSED] = { "member-refused", LOG_LEVEL_WARNING, "what this catalog says of it is passed over" },
};

enum { STATES_MAX = 500 }; /* to be logged at a time */

/* What a primary can cause as often as it likes must not crowd out what it cannot. */
static enum log_cause
cause_of(enum follow_event e)
{
	bool is_rare = e == FOLLOW_EXPIRY || e == FOLLOW_NO_ROOM || e == FOLLOW_LINK_DOWN || e == FOLLOW_LINK_UP || e == FOLLOW_CATALOG ||
	               e == FOLLOW_CATALOG_BROKEN || e == FOLLOW_MEMBERS_REMOVED;
	return is_rare ? LOG_BY_US : LOG_BY_KEY;
}

static void
print_name(const uint8_t *name, char out[NAME_TEXT_MAX])
{
	out[0] = '\0';
	if (name != NULL) {
		name_print(name, out);
	}
}

static void
print_source(const struct follow_source *s, char address[PEER_TEXT_MAX], char key[NAME_TEXT_MAX])
{
	address[0] = key[0] = '\0';
	if (s != NULL) {
		peer_print_address(&s->address, s->port, address);
		name_print(s->key->tsig.name.oct, key);
	}
}

static const char *
form_of(const struct incoming_report *t)
{
	return t == NULL || t->form == INCOMING_UNKNOWN ? "" : t->form == INCOMING_CHANGES ? "changes" : "whole";
}

static void
log_transferred(const struct log *log, const struct follow_report *r, const char *zone, const char *from, const char *key)
{
	const struct incoming_report *t = r->transfer;
	log_peer_event(log, LOG_BY_KEY, LOG_LEVEL_INFO, events[r->event].event,
	               "zone=%s serial=%u from=%s key=%s form=%s records=%zu messages=%zu octets=%zu took_ms=%" PRIu64,
	               zone, r->serial, from, key, form_of(t), t->records, t->messages, t->octets, r->took_ms);
}

static void
log_catalog(const struct log *log, const struct follow_report *r)
{
	char zone[NAME_TEXT_MAX];
	const struct follow_counts *n = r->counts;
	print_name(r->zone, zone);
	log_peer_event(log, cause_of(r->event), events[r->event].level, events[r->event].event,
	               "zone=%s serial=%u members=%zu added=%zu removed=%zu reset=%zu moved=%zu refused=%zu hint=%s", zone, r->serial,
	               n->members, n->added, n->removed, n->reset, n->moved, n->refused, events[r->event].hint);
}

static void
log_member(const struct log *log, const struct follow_report *r)
{
	char zone[NAME_TEXT_MAX], catalog[NAME_TEXT_MAX];
	print_name(r->zone, zone);
	print_name(r->catalog, catalog);
	log_peer_event(log, LOG_BY_KEY, events[r->event].level, events[r->event].event, "zone=%s catalog=%s text=%s hint=%s", zone, catalog,
	               r->why, events[r->event].hint);
}

void
report_follow(const struct log *log, const struct follow_report *r)
{
	char zone[NAME_TEXT_MAX], domain[NAME_TEXT_MAX], from[PEER_TEXT_MAX], key[NAME_TEXT_MAX], retry[24] = "", serial[24] = "";
	if (events[r->event].event == NULL || !log_is_on(log, events[r->event].level)) {
		return;
	}
	if (r->counts != NULL) {
		log_catalog(log, r);
		return;
	}
	if (r->catalog != NULL) {
		log_member(log, r);
		return;
	}
	print_name(r->zone, zone);
	print_name(r->zone == NULL && r->event == FOLLOW_FAILED ? r->source->domain : NULL, domain);
	print_source(r->source, from, key);
	if (r->event == FOLLOW_TRANSFERRED) {
		log_transferred(log, r, zone, from, key);
		return;
	}
	if (r->retry_s != 0) {
		(void)snprintf(retry, sizeof retry, "%" PRIu64, r->retry_s);
	}
	bool has_serial = r->event == FOLLOW_CURRENT || r->event == FOLLOW_BEHIND || r->event == FOLLOW_EXPIRY ||
	                  r->event == FOLLOW_RESTORED || r->event == FOLLOW_CATALOG_BROKEN;
	if (has_serial) {
		(void)snprintf(serial, sizeof serial, "%u", r->serial);
	}
	log_peer_event(log, cause_of(r->event), events[r->event].level, events[r->event].event,
	               "zone=%s domain=%s serial=%s from=%s key=%s text=%s form=%s retry_s=%s hint=%s", zone, domain, serial, from, key,
	               r->why, form_of(r->transfer), retry, events[r->event].hint);
}

/* ---- states ---- */

static void
print_seconds(uint64_t s, char out[24])
{
	out[0] = '\0';
	if (s != UINT64_MAX) {
		(void)snprintf(out, 24, "%" PRIu64, s);
	}
}

/* NULL: there are only such warnings as concern nobody but the zone's owner. */
static const struct finding *
first_flaw(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].level == DIAG_ERROR || f->list[i].level == DIAG_UNWISE) {
			return &f->list[i];
		}
	}
	return NULL;
}

/* After a change the cost of a walk would be the zone's, not the change's. */
static void
find_flaws(const struct zone *z, bool is_whole, struct findings *out)
{
	if (z->flaw != NULL) {
		zone_check_name(z->flaw, DIAG_UNWISE, out);
	} else if (is_whole && z->records <= REPORT_FLAWS_RECORDS_MAX && zone_check(z, out) != OK) {
		findings_fini(out);
	}
}

void
report_follow_flaws(const struct log *log, const struct zone *z, bool is_whole)
{
	char zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX];
	struct findings f = { 0 };
	if (!log_is_on(log, LOG_LEVEL_WARNING)) {
		return;
	}
	find_flaws(z, is_whole, &f);
	const struct finding *first = first_flaw(&f);
	if (first != NULL) {
		name_print(z->apex_name, zone);
		name_print(first->owner, owner);
		log_peer_event(log, LOG_BY_KEY, LOG_LEVEL_WARNING, "zone-flawed", "zone=%s serial=%u name=%s code=%s text=%s hint=%s", zone,
		               z->serial, owner, first->code, first->text, first->hint);
	}
	findings_fini(&f);
}

const char *
report_follow_presence(enum follow_presence presence)
{
	static const char *const texts[] = {
		[FOLLOW_NEW] = "new", [FOLLOW_PRESENT] = "served", [FOLLOW_EXPIRED] = "expired", [FOLLOW_WITHDRAWN] = "withdrawn",
		[FOLLOW_FORGOTTEN] = "forgotten", [FOLLOW_UNKNOWN] = "unknown",
	};
	return texts[presence];
}

static void
log_state(const struct log *log, const struct follow_state *s)
{
	char zone[NAME_TEXT_MAX], catalog[NAME_TEXT_MAX], from[PEER_TEXT_MAX], key[NAME_TEXT_MAX], serial[24] = "";
	char ago[24], next[24], expires[24], transferred[24];
	print_name(s->zone, zone);
	print_name(s->catalog, catalog);
	print_source(s->source, from, key);
	if (s->has_serial) {
		(void)snprintf(serial, sizeof serial, "%u", s->serial);
	}
	print_seconds(s->refreshed_ago_s, ago);
	print_seconds(s->transferred_ago_s, transferred);
	print_seconds(s->next_s, next);
	print_seconds(s->expires_s, expires);
	log_event(log, LOG_LEVEL_INFO, "zone-state",
	          "zone=%s state=%s catalog=%s serial=%s from=%s refreshed_s_ago=%s next_s=%s expires_s=%s transferred_s_ago=%s"
	          " transfer_octets=%zu transfer_ms=%" PRIu64 " trouble=%s",
	          zone, report_follow_presence(s->presence), catalog, serial, from, ago, next, expires, transferred, s->transfer_octets,
	          s->transfer_ms, s->trouble);
}

/* In two walks over all zones: first those with something to see. */
struct states {
	const struct log *log;
	bool is_trouble_wanted;
	size_t logged, left_out;
};

static void
take_state(void *ctx, const struct follow_state *state)
{
	struct states *l = ctx;
	bool has_trouble = state->presence != FOLLOW_PRESENT || state->trouble[0] != '\0';
	if (has_trouble != l->is_trouble_wanted) {
		return;
	}
	if (l->logged == STATES_MAX) {
		l->left_out++;
		return;
	}
	l->logged++;
	log_state(l->log, state);
}

void
report_follow_states(const struct log *log, const struct follower *f, const struct now *now)
{
	struct states l = { .log = log, .is_trouble_wanted = true };
	follower_each(f, now, take_state, &l);
	l.is_trouble_wanted = false;
	follower_each(f, now, take_state, &l);
	if (l.left_out != 0) {
		log_event(log, LOG_LEVEL_INFO, "zone-states-cut", "logged=%zu left_out=%zu hint=%s", l.logged, l.left_out,
		          "those with trouble come first; octl shows all");
	}
}

void
report_follow_stats(const struct log *log, const struct follower_stats *s, uint64_t notices_dropped)
{
	log_event(log, LOG_LEVEL_INFO, "follow-stats",
	          "zones=%" PRIu64 " questions=%" PRIu64 " datagrams=%" PRIu64 " datagrams_lost=%" PRIu64 " transfers=%" PRIu64
	          " whole_again=%" PRIu64 " failed=%" PRIu64 " notices=%" PRIu64 " notices_ignored=%" PRIu64 " notices_dropped=%" PRIu64
	          " waiting=%" PRIu64 " asking=%" PRIu64 " transferring=%" PRIu64 " links=%" PRIu64 " links_opened=%" PRIu64
	          " links_failed=%" PRIu64 " malformed=%" PRIu64 " unexpected=%" PRIu64,
	          s->zones, s->questions, s->datagrams, s->datagrams_lost, s->transfers, s->whole_again, s->failed, s->notices,
	          s->notices_ignored, notices_dropped, s->waiting, s->asking, s->transferring, s->links, s->links_opened, s->links_failed,
	          s->malformed, s->unexpected);
}
