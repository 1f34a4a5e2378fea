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

/* Of a frame that says that something failed. */
static err_t
failure_of(const struct link_frame *f)
{
	return f->status != OK && f->status < E_COUNT ? (err_t)f->status : E_IO;
}

/* What came out of the cache says nothing of the remote. */
static void
end_pull(struct daemon_state *s, const struct link_frame *f, err_t err, uint64_t pull)
{
	if ((f->flags & LINK_FROM_CACHE) != 0) {
		return;
	}
	if (f->type == LINK_FAILED) {
		end_step(&s->pull, pull, f->took_ms, failure_of(f), f->text);
		s->retry_s = f->retry_s;
	} else {
		see_head(s, f);
		end_step(&s->pull, pull, f->took_ms, err, err_str(err));
		s->retry_s = 0;
	}
}

/* That somebody else has pushed meanwhile is no trouble: the push is made again. */
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
		end_pull(last, f, err, pull);
		break;
	case LINK_PUSHED:
		see_head(last, f);
		end_step(&last->push, last->push.n + 1, (f->commit_us + f->push_us) / 1000, OK, "");
		break;
	case LINK_PUSH_FAILED:
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

/* ---- secondaries ---- */

/* NULL: it went well, or nothing is known yet. */
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

void
primary_state_on_notified(struct primary_state *s, const struct notifier_report *r)
{
	const struct notify_target *to = r->target;
	const struct secondary_at at = { .address = to->address, .port = to->conn == 0 ? to->port : 0 };
	const char *trouble = notify_trouble(r);
	uint64_t now_s = clock_wall_s();
	if (to->address.family == 0 || r->is_removal) { /* nobody knows where it is; or there is nothing to follow */
		return;
	}
	pthread_mutex_lock(&s->secondaries_lock);
	if (r->outcome == NOTIFY_ACKNOWLEDGED) {
		secondary_table_told(&s->secondaries, r->zone, &at, r->serial, now_s);
	} else if (trouble != NULL) {
		secondary_table_failed(&s->secondaries, r->zone, &at, trouble, now_s);
	}
	pthread_mutex_unlock(&s->secondaries_lock);
}

void
primary_state_forget(struct primary_state *s, const uint8_t *zone)
{
	pthread_mutex_lock(&s->secondaries_lock);
	secondary_table_forget(&s->secondaries, zone);
	pthread_mutex_unlock(&s->secondaries_lock);
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

/* Not everybody who transfers a zone is a secondary: a person may look at it (octl dump), mostly with a key that may also change it.
 *
 * A key whose name has a secondary's address speaks for that address alone.  Whoever else transfers is a secondary when he is told of
 * changes where he comes from: with a transfer key; with a key that only a `_secondaries` file gives the right, as its name does not;
 * and unsigned, which such a file or --axfr allows.
 * The caller holds the lock. */
static bool
is_secondary(const struct primary_state *s, const struct net_transferred *t, const struct key_address *a)
{
	struct key k = { .right = RIGHT_NONE };
	if (t->key->len != 0 && key_name_read(t->key->oct, &k) == OK) {
		if (k.right == RIGHT_UPDATE) {
			return false;
		}
		if (k.right == RIGHT_TRANSFER && k.secondary.family != 0) {
			return key_address_is_equal(&k.secondary, a);
		}
	}
	return secondary_table_knows(&s->secondaries, t->zone->oct, a);
}

void
primary_state_on_transferred(struct primary_state *s, const struct net_transferred *t)
{
	const struct secondary_at at = { .address = peer_key_address(t->to) };
	uint64_t now_s = clock_wall_s();
	pthread_mutex_lock(&s->secondaries_lock);
	if (!is_secondary(s, t, &at.address)) {
		/* somebody looks */
	} else if (t->how == TRANSFER_DONE && t->report != NULL) {
		secondary_table_has(&s->secondaries, t->zone->oct, &at.address, t->report->serial, now_s);
	} else {
		secondary_table_failed(&s->secondaries, t->zone->oct, &at, transfer_trouble(t->how), now_s);
	}
	pthread_mutex_unlock(&s->secondaries_lock);
}

size_t
primary_state_secondaries(struct primary_state *s, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX])
{
	pthread_mutex_lock(&s->secondaries_lock);
	size_t n = secondary_table_read(&s->secondaries, zone, out);
	pthread_mutex_unlock(&s->secondaries_lock);
	return n;
}
