#include "bin/oprimary_state.h"

#include <string.h>

#include "base/str.h"
#include "net/peer.h"
#include "ops/clock.h"

void
primary_state_init(struct primary_state *s, const char *remote)
{
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->secondaries_lock, NULL);
	secondary_table_init(&s->secondaries);
	s->last.started_s = clock_wall_s();
	str_cut(s->last.remote, sizeof s->last.remote, remote);
}

void
primary_state_fini(struct primary_state *s)
{
	secondary_table_fini(&s->secondaries);
	pthread_mutex_destroy(&s->secondaries_lock);
	pthread_mutex_destroy(&s->lock);
}

static void
end_step(struct daemon_step *step, uint64_t n, unsigned took_ms, err_t err, const char *text)
{
	step->n = n;
	step->ended_s = clock_wall_s();
	step->took_ms = took_ms;
	step->err = err;
	str_cut(step->text, sizeof step->text, err != OK ? text : "");
}

static void
see_head(struct daemon_state *s, const struct link_frame *f)
{
	memcpy(s->head, f->id, sizeof s->head);
	if (f->type != LINK_PUSHED && f->text[0] != '\0') {
		str_cut(s->branch, sizeof s->branch, f->text);
	}
}

/* The error in a FAILED or PUSH_FAILED frame. */
static err_t
failure_of(const struct link_frame *f)
{
	return f->status != OK && f->status < E_COUNT ? (err_t)f->status : E_IO;
}

/* Notes the end of a pull.  A pull from the cache has number 0 and tells nothing about the remote, so it is not noted, whether it went well
 * or failed.  The last frame of a git process that cannot begin has no number either. */
static void
end_pull(struct primary_state *state, const struct link_frame *f, err_t err, uint64_t pull)
{
	struct daemon_state *s = &state->last;
	bool is_over = f->type == LINK_FAILED && f->retry_s == 0;
	if (f->pull == 0 && !is_over) {
		return;
	}
	if (f->type == LINK_FAILED) {
		end_step(&s->pull, pull, f->took_ms, failure_of(f), f->text);
		s->retry_s = f->retry_s;
	} else {
		see_head(s, f);
		end_step(&s->pull, pull, f->took_ms, err, err_str(err));
		s->retry_s = 0;
		state->counts.fetched_s = s->pull.ended_s; /* whatever became of the commit */
	}
	state->counts.pulls[s->pull.err]++;
}

/* Notes that a push failed.  If somebody else has pushed meanwhile (E_STALE), it is not noted, because the push is made again. */
static void
end_push_failed(struct daemon_state *s, const struct link_frame *f)
{
	if (failure_of(f) != E_STALE) {
		end_step(&s->push, s->push.n, f->took_ms, failure_of(f), f->text);
	}
}

void
primary_state_on_frame(struct primary_state *s, const struct link_frame *f, err_t err, uint64_t pull)
{
	pthread_mutex_lock(&s->lock);
	struct daemon_state *last = &s->last;
	switch (f->type) {
	case LINK_COMMIT:
	case LINK_UPTODATE:
	case LINK_FAILED:
		end_pull(s, f, err, pull);
		break;
	case LINK_PUSHED:
		s->counts.pushes[OK]++;
		see_head(last, f);
		end_step(&last->push, last->push.n + 1, f->took_ms, OK, "");
		break;
	case LINK_PUSH_FAILED:
		s->counts.pushes[failure_of(f)]++;
		end_push_failed(last, f);
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&s->lock);
}

void
primary_state_serves(struct primary_state *s, const char *commit)
{
	if (strcmp(s->commit, commit) == 0) {
		return;
	}
	str_cut(s->commit, sizeof s->commit, commit);
	pthread_mutex_lock(&s->lock);
	s->last.served_s = clock_wall_s();
	s->counts.commits_served++;
	pthread_mutex_unlock(&s->lock);
}

static uint64_t
counted(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void
primary_state_count(struct primary_state *s, const struct updater_stats *u)
{
	pthread_mutex_lock(&s->lock);
	s->last.commits = counted(&u->commits);
	s->last.updates = counted(&u->updates);
	s->last.refused = counted(&u->refused);
	s->last.failed = counted(&u->failed);
	pthread_mutex_unlock(&s->lock);
}

void
primary_state_read(struct primary_state *s, struct daemon_state *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->last;
	pthread_mutex_unlock(&s->lock);
}

void
primary_state_read_counts(struct primary_state *s, struct primary_counts *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->counts;
	pthread_mutex_unlock(&s->lock);
}

/* ---- secondaries ---- */

/* The trouble with the secondary, for people; NULL: it went well, or nothing is known yet. */
static const char *
notify_trouble(const struct notifier_report *r)
{
	static const char *const texts[NOTIFY_OUTCOMES] = {
		[NOTIFY_REFUSED] = "it refuses NOTIFY",
		[NOTIFY_GAVE_UP] = "no answer to NOTIFY for a day",
		[NOTIFY_PUT_OFF] = "it cannot take NOTIFY just now (SERVFAIL)",
		[NOTIFY_UNVERIFIED] = "its answer to NOTIFY is not signed well",
		[NOTIFY_UNANSWERED] = "no answer to NOTIFY within a minute",
		[NOTIFY_UNREACHED] = "no answer to NOTIFY",
	};
	return texts[r->outcome];
}

/* True when the news was noted, or is not of a secondary.  `key`: that signed the transfer that the news is about; NULL: it is about a
 * notification. */
static bool
try_note(struct primary_state *s, const struct secondary_news *news, const struct name *key, struct secondary_room *room)
{
	struct secondary_table *t = &s->secondaries;
	pthread_mutex_lock(&s->secondaries_lock);
	bool is_wanted = key == NULL || secondary_table_is_secondary(t, news->zone, key, &news->at.address);
	bool is_done = !is_wanted || secondary_table_note(t, news, room);
	pthread_mutex_unlock(&s->secondaries_lock);
	return is_done;
}

/* Memory is got and given back without the lock: a worker that answers a question about secondaries waits for that. */
static void
note(struct primary_state *s, const struct secondary_news *news, const struct name *key)
{
	struct secondary_room room = { 0 };
	while (!try_note(s, news, key, &room) && secondary_room_make(&room)) {
	}
	secondary_room_free(&room);
}

void
primary_state_on_notified(struct primary_state *s, const struct notifier_report *r)
{
	const struct notify_target *to = r->target;
	const char *trouble = notify_trouble(r);
	const struct secondary_news news = {
		.zone = r->zone, .at = { .address = to->address, .port = to->conn == 0 ? to->port : 0 }, .now_s = clock_wall_s(),
		.what = trouble == NULL ? SECONDARY_TOLD : SECONDARY_FAILED, .serial = r->serial, .error = trouble,
	};
	bool is_known = to->address.family != 0 && !r->is_removal; /* else nobody knows where it is, or there is nothing to follow */
	if (is_known && (trouble != NULL || r->outcome == NOTIFY_ACKNOWLEDGED)) {
		note(s, &news, NULL);
	}
}

void
primary_state_forget(struct primary_state *s, const uint8_t *zone)
{
	struct secondary_room room = { 0 };
	pthread_mutex_lock(&s->secondaries_lock);
	secondary_table_forget(&s->secondaries, zone, &room);
	pthread_mutex_unlock(&s->secondaries_lock);
	secondary_room_free(&room);
}

static const char *
transfer_trouble(enum transfer_end how)
{
	static const char *const texts[] = {
		[TRANSFER_PEER_GONE] = "it broke a transfer off",
		[TRANSFER_STALLED] = "a transfer stalled",
		[TRANSFER_REVOKED] = "a transfer was too slow for memory",
		[TRANSFER_SLOW] = "a transfer was too slow for others",
		[TRANSFER_CROWDED] = "too many transfers waited",
		[TRANSFER_EVICTED] = "too many connections",
		[TRANSFER_FAILED] = "a transfer failed here",
	};
	return texts[how];
}

void
primary_state_on_transferred(struct primary_state *s, const struct net_transferred *t)
{
	bool is_good = t->how == TRANSFER_DONE && t->report != NULL;
	const struct secondary_news news = {
		.zone = t->zone->oct, .at = { .address = peer_key_address(t->to) }, .now_s = clock_wall_s(),
		.what = is_good ? SECONDARY_HAS : SECONDARY_FAILED, .serial = is_good ? t->report->serial : 0,
		.error = is_good ? NULL : transfer_trouble(t->how),
	};
	note(s, &news, t->key);
}

size_t
primary_state_secondaries(struct primary_state *s, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX])
{
	pthread_mutex_lock(&s->secondaries_lock);
	size_t n = secondary_table_read(&s->secondaries, zone, out);
	pthread_mutex_unlock(&s->secondaries_lock);
	return n;
}
