/* What waits to be written, and the thread that writes it. */
#include "net/zone_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/view.h"
#include "base/alloc.h"
#include "base/str.h"
#include "net/env.h"
#include "net/zone_store_p.h"
#include "ops/clock.h"
#include "ops/shortage.h"
#include "ops/state_dir.h"
#include "ops/thread.h"

/* ---- entries ---- */

struct stored *
stored_get(const struct zone_store *s, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_get(&s->entries.now, &key);
}

err_t
stored_put(struct zone_store *s, const uint8_t *apex, struct stored **out)
{
	size_t len = name_len(apex);
	void *old;
	struct stored *e = try_alloc(sizeof *e + len);
	if (e == NULL) {
		return E_NOMEM;
	}
	e->apex_len = (uint8_t)len;
	name_lower(e->apex, apex);
	err_t err = trie_put(&s->entries, e, &old);
	if (err != OK) {
		free(e);
		return err;
	}
	*out = e;
	return OK;
}

void
stored_mark(struct zone_store *s, struct stored *e)
{
	if (!list_is_linked(&e->mark)) {
		list_append(&s->marks, &e->mark);
		s->marks_n++;
		pthread_cond_signal(&s->is_marked);
	}
}

static void
unmark(struct zone_store *s, struct stored *e)
{
	list_remove(&e->mark);
	s->marks_n--;
}

bool
stored_is_note_due(const struct stored *e)
{
	return e->refreshed_s < e->noted_s || e->refreshed_s - e->noted_s >= e->expire_s / ZONE_STORE_NOTE_PART ||
	       e->is_withdrawn != e->has_withdrawn || e->is_unlisted != e->has_unlisted;
}

static bool
is_same_source(const struct stored_source *a, const struct stored_source *b)
{
	return a->port == b->port && key_address_is_equal(&a->address, &b->address) && name_is_equal(a->key.oct, b->key.oct);
}

uint16_t
stored_source_number(struct zone_store *s, const struct stored_source *of)
{
	for (size_t i = 1; i < s->sources_n; i++) {
		if (is_same_source(s->sources[i], of)) {
			return (uint16_t)i;
		}
	}
	struct stored_source *new = s->sources_n < STORED_SOURCES_MAX ? try_alloc(sizeof *new) : NULL;
	if (new == NULL) {
		return 0;
	}
	*new = *of;
	s->sources[s->sources_n] = new;
	return (uint16_t)s->sources_n++;
}

/* ---- what the follower says ---- */

static uint16_t
source_of(struct zone_store *s, const struct follow_source *from)
{
	struct stored_source of = { .address = from->address, .port = from->port, .key = from->key->tsig.name };
	return stored_source_number(s, &of);
}

/* Has the version no history?  Then what leads to it is not known, also if it has the serial that the file's version has. */
static bool
is_beginning(struct zone_store *s, const uint8_t *apex)
{
	struct served_pin *pin;
	const struct zone *z = view_zone(served_pin(s->served, &pin), apex);
	bool is_it = z != NULL && z->history.n == 0;
	served_unpin(s->served, &pin);
	return is_it;
}

static void
note(struct zone_store *s, struct stored *e, const struct follow_report *r)
{
	bool is_changed = r->event == FOLLOW_TRANSFERRED;
	e->is_gone = r->event == FOLLOW_TO_RESET;
	e->is_unlisted = r->event == FOLLOW_SET_ASIDE || r->event == FOLLOW_TO_LEAVE;
	e->is_withdrawn = r->event == FOLLOW_GONE || e->is_unlisted;
	if (!e->is_withdrawn && !e->is_gone) { /* that it is withdrawn is no refresh: it goes when its time is over */
		e->refreshed_s = net_wall_s();
		e->source = r->source != NULL ? source_of(s, r->source) : 0;
	}
	if (is_changed) {
		e->changed_s = e->refreshed_s;
		e->is_held = r->is_broken;
		e->is_whole_wanted |= is_beginning(s, r->zone);
	}
	if (r->is_catalog && list_is_linked(&e->mark)) { /* what becomes of its members goes first */
		unmark(s, e);
	}
	if (is_changed || e->is_gone || !e->is_there || stored_is_note_due(e)) {
		stored_mark(s, e);
	}
}

/* The version was held for want of the memory to read it, or as an earlier one was broken: now it was read, so it counts. */
static void
release_held(struct zone_store *s, const uint8_t *catalog)
{
	pthread_mutex_lock(&s->lock);
	struct stored *e = stored_get(s, catalog);
	if (e != NULL && e->is_held) {
		e->is_held = false;
		stored_mark(s, e);
	}
	pthread_mutex_unlock(&s->lock);
}

void
zone_store_on_report(struct zone_store *s, const struct follow_report *r)
{
	if (s != NULL && r->event == FOLLOW_CATALOG) {
		release_held(s, r->zone);
		return;
	}
	bool is_refresh = r->event == FOLLOW_TRANSFERRED || r->event == FOLLOW_CURRENT;
	bool is_end = r->event == FOLLOW_TO_LEAVE || r->event == FOLLOW_TO_RESET;
	bool counts = is_refresh || is_end || r->event == FOLLOW_GONE || r->event == FOLLOW_SET_ASIDE;
	if (s == NULL || r->zone == NULL || !counts) {
		return;
	}
	pthread_mutex_lock(&s->lock);
	struct stored *e = stored_get(s, r->zone);
	if (e != NULL || (is_refresh && stored_put(s, r->zone, &e) == OK)) { /* without memory there is no copy */
		note(s, e, r);
	}
	pthread_mutex_unlock(&s->lock);
}

void
zone_store_forget(struct zone_store *s, const uint8_t *apex)
{
	if (s == NULL) {
		return;
	}
	pthread_mutex_lock(&s->lock);
	struct stored *e = stored_get(s, apex);
	if (e != NULL) {
		e->is_gone = true;
		stored_mark(s, e);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- trouble ---- */

/* After so many times in a row. */
static uint64_t
pause_s(unsigned times)
{
	uint64_t pause = times > 16 ? ZONE_STORE_PAUSE_MAX_S : UINT64_C(1) << (times - 1);
	return pause < ZONE_STORE_PAUSE_MAX_S ? pause : ZONE_STORE_PAUSE_MAX_S;
}

static const char *
text_of(err_t err, int why)
{
	return err == E_IO ? strerror(why) : err_str(err);
}

static void
tell_trouble(struct zone_store *s, const struct stored *e, err_t err, int why)
{
	char zone[NAME_TEXT_MAX];
	uint64_t now_ms = clock_ms();
	const struct shortage *shortage = shortage_of_errno(err == E_NOMEM ? ENOMEM : why);
	if (s->told_ms != 0 && now_ms - s->told_ms < 1000u * ZONE_STORE_TOLD_S) {
		return;
	}
	s->told_ms = now_ms;
	name_print(e->apex, zone);
	log_event(s->log, LOG_LEVEL_WARNING, "state-not-written", "zone=%s text=%s retry_s=%" PRIu64 " hint=%s", zone,
	          text_of(err, why), pause_s(s->failures),
	          shortage != NULL        ? shortage->hint
	          : why == EACCES || why == EPERM ? "the state directory must belong to the user that the program runs as"
	                                  : "zones are served all the same; after a start they would be transferred anew");
}

static void
fail(struct zone_store *s, struct stored *e, err_t err, int why)
{
	atomic_fetch_add(&s->stats.failed, 1);
	s->failures++;
	tell_trouble(s, e, err, why);
	pthread_mutex_lock(&s->lock);
	s->trouble_s = s->trouble_s != 0 ? s->trouble_s : net_wall_s();
	str_cut(s->trouble, sizeof s->trouble, text_of(err, why));
	pthread_mutex_unlock(&s->lock);
}

/* Not so at the end, if a file still cannot be written: its zone waits as before. */
static bool
ends_trouble(struct zone_store *s, size_t *zones)
{
	pthread_mutex_lock(&s->lock);
	bool is_over = s->trouble_s != 0 && list_is_empty(&s->marks);
	s->trouble_s = is_over ? 0 : s->trouble_s;
	*zones = s->entries.now.n;
	pthread_mutex_unlock(&s->lock);
	return is_over;
}

void
stored_settle(struct zone_store *s)
{
	if (s->is_dir_changed) {
		(void)!state_dir_sync(s->dir); /* the files are good in any case; only which of them are there may be lost */
		s->is_dir_changed = false;
	}
	size_t zones;
	if (ends_trouble(s, &zones)) {
		s->told_ms = 0;
		log_event(s->log, LOG_LEVEL_INFO, "state-written-again", "zones=%zu", zones);
	}
}

/* ---- the thread ---- */

static bool
is_ending(const struct zone_store *s)
{
	return s->end_ms != 0 && (list_is_empty(&s->marks) || clock_ms() >= s->end_ms || s->failures != 0);
}

/* Until it is time to end, or so many seconds have passed.  With the lock held. */
static void
pause_for(struct zone_store *s, uint64_t seconds)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)seconds;
	while (s->end_ms == 0 && pthread_cond_timedwait(&s->is_marked, &s->lock, &until) == 0) {
	}
}

struct stored *
stored_next(struct zone_store *s)
{
	struct stored *e = NULL;
	if (!list_is_empty(&s->marks)) {
		e = LIST_ENTRY(s->marks.next, struct stored, mark);
		unmark(s, e);
	}
	return e;
}

/* The next zone; NULL: the thread is to end.  With the lock held. */
static struct stored *
take(struct zone_store *s)
{
	for (;;) {
		if (is_ending(s)) {
			return NULL;
		}
		struct stored *e = stored_next(s);
		if (e != NULL) {
			return e;
		}
		pthread_mutex_unlock(&s->lock);
		stored_settle(s);
		pthread_mutex_lock(&s->lock);
		if (list_is_empty(&s->marks) && s->end_ms == 0) {
			pthread_cond_wait(&s->is_marked, &s->lock);
		}
	}
}

static void
drop_if_gone(struct zone_store *s, struct stored *e)
{
	struct nkey key;
	if (e->is_gone && !e->is_there && !list_is_linked(&e->mark)) {
		nkey_set(&key, e->apex);
		(void)trie_remove(&s->entries, &key);
		free(e);
	}
}

/* One that cannot be written is tried less and less often, whatever becomes of the others meanwhile. */
static void
note_outcome(struct zone_store *s, struct stored *e, bool is_good)
{
	s->failing_n += !is_good && !e->has_failed;
	s->failing_n -= is_good && e->has_failed;
	e->has_failed = !is_good;
}

uint64_t
stored_turn(struct zone_store *s, struct stored *e)
{
	pthread_mutex_unlock(&s->lock);
	err_t err = stored_write(s, e);
	int why = errno;
	note_outcome(s, e, err == OK);
	if (err == OK) {
		s->failures = s->failing_n != 0 ? s->failures : 0;
		s->revoked = s->failing_n != 0 ? s->revoked : 0;
	} else if (err == E_BUSY) {
		s->revoked++;
	} else {
		fail(s, e, err, why);
	}
	pthread_mutex_lock(&s->lock);
	if (err == OK) {
		drop_if_gone(s, e);
	} else {
		stored_mark(s, e);
	}
	return err == OK ? 0 : pause_s(err == E_BUSY ? s->revoked : s->failures);
}

static void *
run(void *arg)
{
	struct zone_store *s = arg;
	struct stored *e;
	thread_name("state");
	pthread_mutex_lock(&s->lock);
	while ((e = take(s)) != NULL) {
		uint64_t pause = stored_turn(s, e);
		if (pause != 0) {
			pause_for(s, pause);
		}
	}
	pthread_mutex_unlock(&s->lock);
	stored_settle(s);
	return NULL;
}

/* ---- beginning and end ---- */

err_t
zone_store_open(const struct zone_store_conf *conf, struct zone_store **out, struct diag *diag)
{
	int dir;
	struct trie none;
	pthread_condattr_t monotonic;
	TRY(state_dir_open(conf->path, conf->user, &dir, diag));
	struct zone_store *s = xalloc(sizeof *s);
	s->dir = dir;
	s->path = conf->path;
	s->log = conf->log;
	s->bounds = *conf->bounds;
	s->sources_n = 1;
	list_init(&s->marks);
	trie_init(&none, STORED_NAME_AT);
	trie_begin(&s->entries, &none);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->is_marked, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = s;
	return OK;
}

static void
free_entry(void *ctx, void *entry)
{
	(void)ctx;
	free(entry);
}

int
zone_store_dir(const struct zone_store *s)
{
	return s->dir;
}

void
zone_store_free(struct zone_store **store)
{
	struct zone_store *s = *store;
	if (s == NULL) {
		return;
	}
	trie_fini(&s->entries.now, free_entry, NULL);
	trie_rollback(&s->entries);
	for (size_t i = 1; i < s->sources_n; i++) {
		free(s->sources[i]);
	}
	pthread_cond_destroy(&s->is_marked);
	pthread_mutex_destroy(&s->lock);
	close(s->dir);
	free(s);
	*store = NULL;
}

err_t
zone_store_start(struct zone_store *s, struct served *served)
{
	if (s == NULL) {
		return OK;
	}
	s->served = served;
	s->is_running = pthread_create(&s->thread, NULL, run, s) == 0;
	return s->is_running ? OK : E_NOMEM;
}

bool
zone_store_stop(struct zone_store *s, unsigned limit_ms)
{
	if (s == NULL || !s->is_running) {
		return true;
	}
	pthread_mutex_lock(&s->lock);
	s->end_ms = clock_ms() + limit_ms / 2; /* the other half is for what it is about just then */
	pthread_cond_signal(&s->is_marked);
	pthread_mutex_unlock(&s->lock);
	s->is_running = !thread_join_within(s->thread, limit_ms);
	return !s->is_running;
}

void
zone_store_log_stats(const struct zone_store *s)
{
	if (s == NULL) {
		return;
	}
	const struct store_stats *n = &s->stats;
	pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&s->lock);
	size_t zones = s->entries.now.n, waiting = s->marks_n;
	pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&s->lock);
	log_event(s->log, LOG_LEVEL_INFO, "state-stats",
	          "zones=%zu waiting=%zu whole=%" PRIu64 " changes=%" PRIu64 " notes=%" PRIu64 " removed=%" PRIu64 " failed=%" PRIu64
	          " octets=%" PRIu64, zones, waiting, n->whole, n->changes, n->notes, n->removed, n->failed, n->octets);
}

void
zone_store_tell(void *store, struct kept_state *out)
{
	struct zone_store *s = store;
	str_cut(out->dir, sizeof out->dir, s->path);
	pthread_mutex_lock(&s->lock);
	out->waiting = s->marks_n;
	out->since_s = s->trouble_s;
	str_cut(out->error, sizeof out->error, s->trouble_s != 0 ? s->trouble : "");
	pthread_mutex_unlock(&s->lock);
}
