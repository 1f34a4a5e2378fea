/* What oprimary tells by --metrics. */
#include <inttypes.h>
#include <string.h>

#include "bin/oprimary.h"
#include "bin/survey.h"

const struct chart oprimary_charts[OPRIMARY_CHARTS] = {
	{ .title = "Requests", .unit = "a second", .metric = M_QUERIES, .kind = CHART_RATE, .per_s = 1 },
	{ .title = "Updates", .unit = "a minute", .metric = M_UPDATES, .kind = CHART_RATE, .per_s = 60 },
	{ .title = "Lag of secondaries", .unit = "s", .metric = M_SECONDARIES_LAG, .kind = CHART_MOST },
};

/* ---- the repository ---- */

/* Kinds of failures are there from their first time on; what goes well is there from the beginning. */
static void
put_results(struct survey *s, unsigned metric, const uint64_t counts[E_COUNT])
{
	for (unsigned i = 0; i < E_COUNT; i++) {
		if (i == OK || counts[i] != 0) {
			metrics_put_1(s->metrics, metric, err_word((err_t)i), (double)counts[i]);
		}
	}
}

static void
tell_pull(struct survey *s, const struct daemon_state *state, const struct primary_counts *counts)
{
	char age[SURVEY_AGE_MAX];
	if (state->pull.err == OK) {
		survey_fact(s, SURVEY_GOOD, "Last pull", survey_ago(s->taken_s, state->pull.ended_s, age));
	} else {
		const char *why = state->pull.text[0] != '\0' ? state->pull.text : err_str(state->pull.err);
		survey_factf(s, SURVEY_BAD, "Last pull", "failed: %s (the last good one: %s)", why,
		             survey_ago(s->taken_s, counts->fetched_s, age));
	}
}

static void
tell_git(struct survey *s, const struct daemon_state *state, const char *served)
{
	char age[SURVEY_AGE_MAX];
	bool is_behind = state->head[0] != '\0' && strcmp(state->head, served) != 0;
	survey_fact(s, SURVEY_GOOD, "Repository", state->remote);
	survey_fact(s, SURVEY_GOOD, "Branch", state->branch);
	if (served[0] != '\0') {
		survey_factf(s, SURVEY_GOOD, "Commit served", "%.12s, %s", served, survey_ago(s->taken_s, state->served_s, age));
	} else {
		survey_fact(s, SURVEY_BAD, "Commit served", "none");
	}
	if (is_behind) {
		survey_factf(s, SURVEY_DOUBTFUL, "Newest commit", "%.12s", state->head);
	}
}

static void
put_git(struct survey *s, struct oprimary *p, const struct daemon_state *state, const char *served)
{
	struct metrics *m = s->metrics;
	struct primary_counts counts;
	primary_state_read_counts(&p->state, &counts);
	metrics_put_at(m, M_GIT, (const char *const[METRIC_LABELS_MAX]){ state->branch, state->head, served }, 1);
	metrics_put(m, M_GIT_UP, git_side_is_up(&p->git));
	metrics_put(m, M_GIT_FAILING, state->pull.err != OK);
	put_results(s, M_GIT_PULLS, counts.pulls);
	put_results(s, M_GIT_PUSHES, counts.pushes);
	metrics_put(m, M_GIT_PULL_TIME, state->pull.took_ms / 1e3);
	if (counts.fetched_s != 0) {
		metrics_put(m, M_GIT_FETCHED, (double)counts.fetched_s);
		metrics_put(m, M_GIT_FETCHED_AGE, s->taken_s > counts.fetched_s ? (double)(s->taken_s - counts.fetched_s) : 0);
	}
	metrics_put(m, M_GIT_COMMITS_SERVED, (double)counts.commits_served);
	metrics_put(m, M_GIT_SERVED_SINCE, (double)state->served_s);
	tell_git(s, state, served);
	tell_pull(s, state, &counts);
}

/* ---- updates ---- */

static double
counted(const _Atomic uint64_t *counter)
{
	return (double)atomic_load_explicit(counter, memory_order_relaxed);
}

static void
tell_push(struct survey *s, const struct daemon_state *state)
{
	if (state->push.err != OK) {
		const char *why = state->push.text[0] != '\0' ? state->push.text : err_str(state->push.err);
		survey_factf(s, SURVEY_BAD, "Last push", "failed: %s", why);
	} else if (state->push.ended_s != 0) {
		char age[SURVEY_AGE_MAX];
		survey_factf(s, SURVEY_GOOD, "Last push", "%s, took %u ms", survey_ago(s->taken_s, state->push.ended_s, age),
		             state->push.took_ms);
	}
}

static void
put_updates(struct survey *s, const struct oprimary *p, const struct daemon_state *state)
{
	struct metrics *m = s->metrics;
	const struct updates *u = &p->loader.updates;
	const struct updater_stats *n = updater_stats(u->updater);
	const struct inbox_stats in = inbox_stats(p->inbox);
	metrics_put_1(m, M_UPDATES, "done", counted(&n->updates));
	metrics_put_1(m, M_UPDATES, "refused", counted(&n->refused));
	metrics_put_1(m, M_UPDATES, "failed", counted(&n->failed));
	metrics_put_1(m, M_UPDATES, "unanswered", counted(&n->unanswered));
	metrics_put(m, M_UPDATES_AGAIN, counted(&n->again));
	metrics_put(m, M_UPDATES_COMMITS, counted(&n->commits));
	metrics_put(m, M_UPDATES_WAITING, in.waiting);
	metrics_put_1(m, M_UPDATES_OVER_LIMIT, "all", (double)in.over_limit);
	metrics_put_1(m, M_UPDATES_OVER_LIMIT, "key", (double)in.over_key_limit);
	metrics_put_histogram(m, M_UPDATES_BATCH, &u->batch, &updates_batch_bounds);
	metrics_put_histogram(m, M_GIT_PUSH_TIME, &u->push_us, &updates_push_bounds);
	survey_factf(s, SURVEY_GOOD, "Updates", "%.0f done, %.0f refused, %.0f failed, %u wait", counted(&n->updates), counted(&n->refused),
	             counted(&n->failed), in.waiting);
	tell_push(s, state);
}

/* ---- all ---- */

static void
put_view(struct survey *s, struct oprimary *p, const struct daemon_state *state)
{
	struct served_pin *pin;
	const struct view *v = served_pin(p->served, &pin);
	put_git(s, p, state, v->commit);
	survey_zones(s, v, true);
	survey_secondaries(s, v, &p->opts.daemon.server);
	served_unpin(p->served, &pin);
}

bool
oprimary_survey(struct daemon *d, struct survey **survey)
{
	struct oprimary *p = d->ctx;
	struct survey *s = *survey;
	const struct server_conf *conf = &p->opts.daemon.server;
	struct daemon_state state = { 0 };
	struct notifier_stats n;
	conf->state(conf->state_ctx, &state);
	if (state.trouble[0] != '\0') {
		survey_set_trouble(s, state.trouble);
	}
	put_view(s, p, &state);
	put_updates(s, p, &state);
	survey_answering(s, d);
	survey_memory(s, d, p->served, atomic_load(&p->loader.zones_octets));
	net_notify_stats(p->notify.net, &n);
	survey_notifier(s, &n);
	return true;
}
