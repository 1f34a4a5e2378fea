/* What a survey says of zones that are followed, and of the directory that keeps them. */
#include <inttypes.h>
#include <stdio.h>

#include "auth/daemon_state.h"
#include "auth/follower.h"
#include "bin/survey.h"
#include "net/peer.h"
#include "net/report_follow.h"

static void
put_times(struct survey *s, const char *zone, const struct follow_state *f)
{
	if (f->refreshed_ago_s != UINT64_MAX) {
		metrics_put_1(s->metrics, M_ZONE_REFRESHED_AGE, zone, (double)f->refreshed_ago_s);
	}
	if (f->next_s != UINT64_MAX) {
		metrics_put_1(s->metrics, M_ZONE_NEXT_REFRESH, zone, (double)f->next_s);
	}
	if (f->expires_s != UINT64_MAX) {
		metrics_put_1(s->metrics, M_ZONE_EXPIRES, zone, (double)f->expires_s);
	}
}

static enum survey_level
level_of(const struct follow_state *f)
{
	return f->presence == FOLLOW_EXPIRED ? SURVEY_BAD
	       : f->presence != FOLLOW_PRESENT || f->trouble[0] != '\0' ? SURVEY_DOUBTFUL : SURVEY_GOOD;
}

static void
put_row(struct survey_list *l, const char *zone, const struct follow_state *f)
{
	char serial[24] = "", from[PEER_TEXT_MAX] = "", ago[SURVEY_AGE_MAX] = "", left[SURVEY_AGE_MAX] = "";
	if (f->has_serial) {
		(void)snprintf(serial, sizeof serial, "%" PRIu32, f->serial);
	}
	if (f->source != NULL) {
		peer_print_address(&f->source->address, f->source->port, from);
	}
	if (f->refreshed_ago_s != UINT64_MAX) {
		(void)survey_ago(l->s->taken_s, l->s->taken_s - f->refreshed_ago_s, ago);
	}
	if (f->expires_s != UINT64_MAX) {
		(void)survey_age(f->expires_s, left);
	}
	const char *const cells[] = { zone, report_follow_presence(f->presence), serial, from, ago, left };
	survey_row(l->s, l->table, level_of(f), cells, f->trouble);
}

static void
look_at(void *ctx, const struct follow_state *f)
{
	struct survey_list *l = ctx;
	char zone[NAME_TEXT_MAX];
	if (!survey_list_takes(l, level_of(f))) {
		return;
	}
	(void)name_show(f->zone, zone);
	put_times(l->s, zone, f);
	put_row(l, zone, f);
}

void
survey_followed(struct survey *s, const struct follower *f, const struct now *now)
{
	struct survey_list l = { .s = s, .most = SURVEY_ZONES_MAX, .is_trouble_wanted = true };
	l.table = survey_table(s, "Zones", (const char *const[]){ "Zone", "State", "Serial", "Primary", "Refreshed", "Expires in", NULL });
	follower_each(f, now, look_at, &l);
	l.is_trouble_wanted = false;
	follower_each(f, now, look_at, &l);
}

void
survey_kept(struct survey *s, const struct kept_state *k)
{
	metrics_put(s->metrics, M_STATE_DIR_WAITING, (double)k->waiting);
	metrics_put(s->metrics, M_STATE_DIR_FAILING, k->error[0] != '\0');
	if (k->error[0] != '\0') {
		survey_factf(s, SURVEY_BAD, "State directory", "%s: %s", k->dir, k->error);
	} else {
		survey_factf(s, SURVEY_GOOD, "State directory", "%s; zones to be written: %zu", k->dir, k->waiting);
	}
}
