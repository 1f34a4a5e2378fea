/* What a survey says of the zones of a view, and of their secondaries. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/server_conf.h"
#include "auth/view.h"
#include "base/number.h"
#include "bin/survey.h"
#include "dns/rrtype.h"
#include "net/peer.h"

enum {
	STATES = NOTE_EXPIRED + 1,
	RRSIG_EXPIRATION_AT = 8, /* in the RDATA (RFC 4034 3.1) */
	LAG_BAD_S = 60,          /* so long a secondary may take */
};

/* ---- zones ---- */

struct zones_walk {
	struct survey *s;
	const struct view *view;
	struct survey_table *table; /* NULL: none */
	size_t listed;           /* zones with metrics of their own */
	size_t count[STATES];
	size_t records, walked;
};

static enum survey_level
level_of(const struct zone_note *n)
{
	if (n->state == NOTE_NEW) {
		return SURVEY_DOUBTFUL;
	}
	return zone_note_is_trouble(n) ? SURVEY_BAD : n->text[0] != '\0' ? SURVEY_DOUBTFUL : SURVEY_GOOD;
}

/* When the last of the signatures of the SOA record ends (RFC 4034 3.1.5: modulo 2^32, near to now).  False: there is none. */
static bool
signed_until(const struct zone *z, uint64_t now_s, int64_t *left_s)
{
	const struct rrset *s = node_rrsigs(z->apex, TYPE_SOA);
	bool is_signed = false;
	const struct rr *rr = s != NULL ? rrset_first(s) : NULL;
	for (unsigned i = 0; s != NULL && i < s->n; i++, rr = rr_next(rr)) {
		if (rr->rdlen < RRSIG_EXPIRATION_AT + 4) {
			continue;
		}
		int32_t left = (int32_t)(u32_at(rr->rdata + RRSIG_EXPIRATION_AT) - (uint32_t)now_s);
		*left_s = is_signed && *left_s > left ? *left_s : left;
		is_signed = true;
	}
	return is_signed;
}

static void
put_zone(struct zones_walk *w, const char *name, const struct zone_note *n, const struct zone *z)
{
	struct metrics *m = w->s->metrics;
	int64_t left_s = 0;
	if (z != NULL) {
		metrics_put_1(m, M_ZONE_SERIAL, name, z->serial);
		metrics_put_1(m, M_ZONE_RECORDS, name, (double)z->records);
	}
	if (z != NULL && signed_until(z, w->s->taken_s, &left_s)) {
		metrics_put_1(m, M_ZONE_SIGNED_UNTIL, name, (double)left_s);
	}
	if (n->changed_s != 0) {
		metrics_put_1(m, M_ZONE_CHANGED, name, (double)n->changed_s);
	}
	if (zone_note_is_trouble(n)) {
		const char *const labels[METRIC_LABELS_MAX] = { name, zone_note_state_text(n->state), n->code };
		metrics_put_at(m, M_ZONE_TROUBLE, labels, 1);
	}
}

/* "FILE:LINE: TEXT" */
static void
print_finding(const struct zone_note *n, char *out, size_t cap)
{
	const char *file = n->where[0] != '\0' ? n->where : n->file;
	out[0] = '\0';
	if (n->text[0] != '\0' && n->line != 0) {
		(void)snprintf(out, cap, "%s:%u: %s", file, (unsigned)n->line, n->text);
	} else if (n->text[0] != '\0') {
		(void)snprintf(out, cap, "%s", n->text);
	}
}

static void
put_row(struct zones_walk *w, const char *name, const struct zone_note *n, const struct zone *z)
{
	char serial[24] = "", records[24] = "", changed[SURVEY_AGE_MAX] = "", finding[SURVEY_TEXT_MAX];
	if (z != NULL) {
		(void)snprintf(serial, sizeof serial, "%" PRIu32, z->serial);
		(void)snprintf(records, sizeof records, "%zu", z->records);
		(void)survey_ago(w->s->taken_s, n->changed_s, changed);
	}
	print_finding(n, finding, sizeof finding);
	const char *const cells[] = { name, zone_note_state_text(n->state), serial, records, n->changed_s != 0 ? changed : "" };
	survey_row(w->s, w->table, level_of(n), cells, finding);
}

static void
look_at(struct zones_walk *w, const struct zone_note *n)
{
	const struct zone *z = view_zone(w->view, n->apex);
	char name[NAME_TEXT_MAX];
	if (w->listed == SURVEY_ZONES_MAX) {
		return;
	}
	w->listed++;
	(void)name_show(n->apex, name);
	put_zone(w, name, n, z);
	if (w->table != NULL) {
		put_row(w, name, n, z);
	}
}

static void
look_at_troubles(struct zones_walk *w)
{
	struct trie_iter it;
	const struct zone_note *n;
	trie_iter_first(&it, &w->view->notes.troubles);
	while (w->listed < SURVEY_ZONES_MAX && (n = trie_iter_next(&it)) != NULL) {
		look_at(w, n);
	}
}

static void
look_at_others(struct zones_walk *w)
{
	struct trie_iter it;
	const struct zone_note *n;
	trie_iter_first(&it, &w->view->notes.all);
	while (w->walked < SURVEY_WALKED_MAX && (n = trie_iter_next(&it)) != NULL) {
		w->walked++;
		w->count[n->state]++;
		if (!zone_note_is_trouble(n)) {
			look_at(w, n);
		}
	}
}

static size_t
count_records(const struct view *v)
{
	struct trie_iter it;
	const struct zone *z;
	size_t n = 0, left = SURVEY_WALKED_MAX;
	trie_iter_first(&it, &v->zones);
	while (left-- != 0 && (z = trie_iter_next(&it)) != NULL) {
		n += z->records;
	}
	return n;
}

static void
tell_zones(struct survey *s, const struct zones_walk *w, size_t all)
{
	size_t troubles = w->view->notes.troubles.n;
	if (troubles != 0) {
		survey_factf(s, SURVEY_BAD, "Zones", "%zu, %zu with trouble; records: %zu", all, troubles, w->records);
	} else {
		survey_factf(s, SURVEY_GOOD, "Zones", "%zu, all well; records: %zu", all, w->records);
	}
}

void
survey_zones(struct survey *s, const struct view *v, bool has_table)
{
	struct zones_walk w = { .s = s, .view = v, .records = count_records(v) };
	if (has_table) {
		w.table = survey_table(s, "Zones", (const char *const[]){ "Zone", "State", "Serial", "Records", "Changed", NULL });
	}
	look_at_troubles(&w);
	look_at_others(&w);
	size_t all = v->notes.all.n;
	for (unsigned i = 0; i < STATES; i++) {
		metrics_put_1(s->metrics, M_ZONES, zone_note_state_text((enum note_state)i), (double)w.count[i]);
	}
	metrics_put(s->metrics, M_RECORDS, (double)w.records);
	metrics_put(s->metrics, M_ZONES_LEFT_OUT, (double)(all - w.listed));
	if (has_table) {
		w.table->left_out += all - w.listed;
	}
	tell_zones(s, &w, all);
}

/* ---- secondaries ---- */

struct secondaries_walk {
	struct survey *s;
	struct survey_table *table;
	size_t count[SECONDARY_STATES], listed, left_out;
	uint64_t lag_most_s;
};

struct secondary_seen {
	const struct secondary_row *row;
	char zone[NAME_TEXT_MAX], place[PEER_TEXT_MAX];
	enum secondary_state state;
	uint64_t lag_s;
	bool is_other; /* it has another version than the one that is served */
};

static enum survey_level
level_of_secondary(const struct secondary_seen *seen)
{
	if (seen->is_other && seen->lag_s >= LAG_BAD_S) {
		return SURVEY_BAD;
	}
	return seen->state == SECONDARY_CURRENT && seen->row->error == NULL ? SURVEY_GOOD : SURVEY_DOUBTFUL;
}

static void
put_secondary_row(struct secondaries_walk *w, const struct secondary_seen *seen)
{
	const struct secondary_row *row = seen->row;
	char lag[SURVEY_AGE_MAX] = "", has[24] = "";
	if (row->has_s != 0 || row->told_s != 0) {
		(void)snprintf(has, sizeof has, "%" PRIu32, row->has_s != 0 ? row->has : row->told);
	}
	if (seen->is_other) {
		(void)survey_age(seen->lag_s, lag);
	}
	const char *const cells[] = { seen->zone, secondary_state_text(seen->state), seen->place, has, lag };
	survey_row(w->s, w->table, level_of_secondary(seen), cells, row->error != NULL ? row->error : "");
}

static void
look_at_secondary(struct secondaries_walk *w, const struct zone_note *n, const struct zone *z, const struct secondary_row *row)
{
	struct secondary_seen seen = { .row = row, .state = secondary_row_state(row, z->serial, n->changed_s) };
	bool is_behind = seen.state == SECONDARY_BEHIND;
	seen.is_other = is_behind || seen.state == SECONDARY_BEYOND;
	seen.lag_s = seen.is_other && w->s->taken_s > n->changed_s ? w->s->taken_s - n->changed_s : 0;
	w->count[seen.state]++;
	w->lag_most_s = seen.lag_s > w->lag_most_s ? seen.lag_s : w->lag_most_s;
	if (w->listed == SURVEY_SECONDARIES_MAX) {
		w->left_out++;
		return;
	}
	w->listed++;
	(void)name_show(n->apex, seen.zone);
	peer_print_address(&row->address, row->port, seen.place);
	metrics_put_2(w->s->metrics, M_SECONDARY_LAG, seen.zone, seen.place, (double)seen.lag_s);
	metrics_put_2(w->s->metrics, M_SECONDARY_BEHIND, seen.zone, seen.place, is_behind ? secondary_row_behind(row, z->serial) : 0);
	put_secondary_row(w, &seen);
}

static void
tell_secondaries(struct survey *s, const struct secondaries_walk *w)
{
	struct metrics *m = s->metrics;
	size_t behind = w->count[SECONDARY_BEHIND], ahead = w->count[SECONDARY_BEYOND];
	char age[SURVEY_AGE_MAX];
	for (unsigned i = 0; i < SECONDARY_STATES; i++) {
		metrics_put_1(m, M_SECONDARIES, secondary_state_text((enum secondary_state)i), (double)w->count[i]);
	}
	metrics_put(m, M_SECONDARIES_LAG, (double)w->lag_most_s);
	metrics_put(m, M_SECONDARIES_LEFT_OUT, (double)w->left_out);
	w->table->left_out += w->left_out;
	if (ahead != 0) {
		survey_factf(s, SURVEY_BAD, "Secondaries", "%zu behind, %zu ahead as a serial went back; for up to %s", behind, ahead,
		             survey_age(w->lag_most_s, age));
	} else if (behind != 0) {
		survey_factf(s, SURVEY_DOUBTFUL, "Secondaries", "%zu behind, for up to %s", behind, survey_age(w->lag_most_s, age));
	} else {
		survey_factf(s, SURVEY_GOOD, "Secondaries", "none is behind");
	}
}

void
survey_secondaries(struct survey *s, const struct view *v, const struct server_conf *conf)
{
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	struct secondaries_walk w = { .s = s };
	struct trie_iter it;
	const struct zone_note *n;
	size_t left = SURVEY_WALKED_MAX;
	w.table = survey_table(s, "Secondaries", (const char *const[]){ "Zone", "State", "Secondary", "Has", "Differs for", NULL });
	trie_iter_first(&it, &v->notes.all);
	while (left-- != 0 && (n = trie_iter_next(&it)) != NULL) {
		const struct zone *z = view_zone(v, n->apex);
		size_t rows_n = z != NULL ? conf->secondaries(conf->state_ctx, n->apex, rows) : 0;
		for (size_t i = 0; i < rows_n; i++) {
			look_at_secondary(&w, n, z, &rows[i]);
		}
	}
	tell_secondaries(s, &w);
}
