/* Reads the files of an earlier run. */
#include "net/zone_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/env.h"
#include "net/zone_store_p.h"
#include "ops/clock.h"
#include "ops/state_dir.h"

enum {
	READ_FIRST = 256 << 10, READ_MOST = SAVED_FRAME_LEN + SAVED_BLOCK_MAX,
	AHEAD_SAID_S = 300, /* by so much a clock may differ from that of a primary (RFC 8945 10); a smaller step is no news */
};

struct restore {
	struct zone_store *s;
	struct follower *f;
	size_t (*room)(void *ctx);
	void *ctx;
	struct now now;
	uint8_t *octets;           /* of a file, as many as were read and not used yet */
	size_t cap;
	size_t zones, expired, unfollowed, damaged, ahead;
	unsigned aside;            /* files of ours that were set aside, also by earlier runs */
	bool is_aside_counted;
	uint64_t read;             /* octets */
};

/* ---- what is said ---- */

static void
say_removed(const struct restore *r, const char *file, const char *why)
{
	log_event(r->s->log, LOG_LEVEL_INFO, "state-removed", "file=%s text=%s", file, why);
}

static void
say_not_restored(const struct restore *r, const char *file, const char *why, const char *hint)
{
	log_event(r->s->log, LOG_LEVEL_ERROR, "state-not-restored", "file=%s text=%s hint=%s", file, why, hint);
}

/* They are counted once: in a directory of many damaged files this would take longer than all the rest. */
static bool
has_place_aside(struct restore *r)
{
	if (!r->is_aside_counted) {
		r->is_aside_counted = state_dir_damaged(r->s->dir, &r->aside) == OK;
	}
	return r->is_aside_counted && r->aside < ZONE_STORE_DAMAGED_MAX;
}

/* A file that is not ours is never removed: if the directory is the wrong one, there may be no other copy of it. */
static void
set_aside(struct restore *r, const char *file, const char *why, bool is_ours)
{
	bool is_kept = !is_ours || has_place_aside(r);
	err_t err = is_kept ? state_file_set_aside(r->s->dir, file) : state_file_remove(r->s->dir, file);
	r->aside += is_kept && is_ours;
	r->damaged++;
	log_event(r->s->log, LOG_LEVEL_ERROR, "state-damaged", "file=%s text=%s hint=%s", file, why,
	          err != OK ? "the zone is transferred anew"
	          : is_kept ? "the file has .damaged behind its name now; the zone is transferred anew"
	                    : "the file is removed, as many were set aside before; the zone is transferred anew");
}

/* ---- reading ---- */

/* Room for `wanted` octets, of which `have` are there.  E_NOMEM. */
static err_t
make_room(struct restore *r, size_t have, size_t wanted)
{
	if (wanted <= r->cap) {
		return OK;
	}
	uint8_t *more = try_alloc(wanted);
	if (more == NULL) {
		return E_NOMEM;
	}
	if (have != 0) {
		memcpy(more, r->octets, have);
	}
	free(r->octets);
	r->octets = more;
	r->cap = wanted;
	return OK;
}

/* Reads once; *got is 0 at the end of the file. */
static err_t
read_more(struct restore *r, int fd, size_t have, size_t *got)
{
	ssize_t n;
	do {
		n = read(fd, r->octets + have, r->cap - have);
	} while (n < 0 && errno == EINTR);
	*got = n > 0 ? (size_t)n : 0;
	r->read += *got;
	return n >= 0 ? OK : E_IO;
}

static err_t
read_into(struct restore *r, int fd, struct saved_in *in, struct saved_zone *out)
{
	size_t have = 0, wanted = SAVED_MAGIC_LEN, got = 1;
	while (got != 0 && wanted != 0) {
		size_t used;
		ASSERT(wanted <= READ_MOST);
		TRY(make_room(r, have, wanted > READ_FIRST ? wanted : READ_FIRST));
		TRY(read_more(r, fd, have, &got));
		have += got;
		TRY(saved_in_take(in, r->octets, have, &used, &wanted));
		have -= used;
		memmove(r->octets, r->octets + used, have);
	}
	return saved_in_finish(in, have, out);
}

/* ---- one zone ---- */

/* What must be known of a version after the follower has taken it. */
struct version {
	struct name apex;
	uint32_t serial, expire_s;
};

static struct version
version_of(const struct zone_store *s, const struct zone *z)
{
	struct version v = { .serial = z->serial, .expire_s = follow_expire_s(&s->bounds, z) };
	name_set(&v.apex, z->apex_name);
	return v;
}

static uint64_t
ago_s(const struct restore *r, const struct saved_zone *z)
{
	return r->now.wall_s > z->refresh.at_s ? r->now.wall_s - z->refresh.at_s : 0;
}

static void
note_source(struct zone_store *s, struct stored *e, const struct saved_refresh *from)
{
	if (from->key.len != 0) {
		const struct stored_source of = { .address = from->address, .port = from->port, .key = from->key };
		e->source = stored_source_number(s, &of);
	}
}

/* A refresh in a time to come was noted when the clock was ahead, or is read while it is behind.  Then EXPIRE counts from now on, and this
 * is noted, so that the next start does not begin again. */
static void
note_there(struct restore *r, const struct saved_zone *z, const struct version *v)
{
	struct zone_store *s = r->s;
	struct stored *e;
	pthread_mutex_lock(&s->lock);
	if (stored_put(s, v->apex.oct, &e) == OK) {
		e->is_there = true;
		e->serial = v->serial;
		e->expire_s = v->expire_s;
		e->changed_s = z->changed_s;
		e->noted_s = z->refresh.at_s;
		e->is_withdrawn = e->has_withdrawn = z->refresh.is_withdrawn;
		e->end = z->mark;
		note_source(s, e, &z->refresh);
		e->refreshed_s = e->noted_s < r->now.wall_s ? e->noted_s : r->now.wall_s;
		r->ahead += e->noted_s > r->now.wall_s + AHEAD_SAID_S;
		if (e->refreshed_s < e->noted_s) {
			stored_mark(s, e);
		}
	}
	pthread_mutex_unlock(&s->lock);
}

/* A file that no key and no catalog is for: these may come back.  Its data are of no use any more when the zone would have expired. */
static void
leave(struct restore *r, const char *file, const struct saved_zone *z, const struct version *v)
{
	r->unfollowed++;
	if (ago_s(r, z) >= v->expire_s) {
		(void)!state_file_remove(r->s->dir, file);
		say_removed(r, file, "no key and no catalog is for this zone, and it would have expired");
	}
}

static void
judge(struct restore *r, const char *file, const struct saved_zone *z, const struct version *v, err_t err)
{
	switch (err) {
	case OK:
		r->zones++;
		r->expired += !z->refresh.is_withdrawn && ago_s(r, z) >= v->expire_s;
		note_there(r, z, v);
		break;
	case E_NOTFOUND: leave(r, file, z, v); break;
	case E_STALE:
		(void)!state_file_remove(r->s->dir, file);
		say_removed(r, file, "the zone was withdrawn, and would have expired");
		break;
	default: say_not_restored(r, file, err_str(err), "the zone is transferred anew"); break;
	}
}

static void
follow(struct restore *r, const char *file, struct saved_zone *z)
{
	const struct version v = version_of(r->s, z->zone);
	const struct follow_restored restored = {
		.refreshed_ago_s = ago_s(r, z), .changed_s = z->changed_s, .is_withdrawn = z->refresh.is_withdrawn,
		.is_unlisted = z->refresh.is_unlisted,
		.address = z->refresh.address, .port = z->refresh.port, .key = z->refresh.key.len != 0 ? z->refresh.key.oct : NULL,
	};
	if (z->is_cut) {
		log_event(r->s->log, LOG_LEVEL_INFO, "state-cut", "file=%s text=%s", file,
		          "what was written last is not whole; the zone is as it was before that");
	}
	judge(r, file, z, &v, follower_restore(r->f, &r->now, &z->zone, &restored));
	history_free_zone(&z->zone);
}

/* The name of a file says which zone it is for; in it may be only that. */
static bool
is_name_of(const char *file, const struct zone *z)
{
	char name[SAVED_NAME_MAX];
	saved_file_name(z->apex_name, name);
	return strcmp(name, file) == 0;
}

static void
take_read(struct restore *r, const char *file, struct saved_zone *z)
{
	if (!is_name_of(file, z->zone)) {
		history_free_zone(&z->zone);
		set_aside(r, file, "it has another zone than its name says", true);
		return;
	}
	follow(r, file, z);
}

static void
take_file(struct restore *r, const char *file, int fd)
{
	struct saved_in *in = NULL;
	struct saved_zone z;
	err_t err = saved_in_new(r->room(r->ctx), &in);
	err = err == OK ? read_into(r, fd, in, &z) : err;
	int why = errno;
	const char *text = in == NULL || saved_in_why(in)[0] == '\0' ? err_str(err) : saved_in_why(in);
	if (err == OK) {
		take_read(r, file, &z);
	} else if (err == E_FORMAT || err == E_UNSUPPORTED) {
		set_aside(r, file, text, err == E_FORMAT);
	} else if (err == E_LIMIT) {
		say_not_restored(r, file, text, "raise --memory-max");
	} else {
		say_not_restored(r, file, err == E_IO ? strerror(why) : text, "the zone is transferred anew");
	}
	saved_in_free(&in);
}

static void
take_name(struct restore *r, const char *file, bool must_be_there)
{
	int fd;
	err_t err = state_file_open(r->s->dir, file, &fd);
	if (err == E_NOTFOUND && errno == ENOENT && !must_be_there) {
		return;
	}
	if (err != OK) {
		say_not_restored(r, file, err == E_NOTFOUND ? "it is no regular file" : strerror(errno), "the zone is transferred anew");
		return;
	}
	take_file(r, file, fd);
	close(fd);
}

/* ---- all ---- */

static void
take_catalogs(struct restore *r)
{
	char file[SAVED_NAME_MAX];
	const uint8_t *catalog;
	for (size_t i = 0; (catalog = follower_catalog(r->f, i)) != NULL; i++) {
		saved_file_name(catalog, file);
		take_name(r, file, false);
	}
}

static void
take_other(void *ctx, const char *file)
{
	struct restore *r = ctx;
	char name[SAVED_NAME_MAX];
	const uint8_t *catalog;
	for (size_t i = 0; (catalog = follower_catalog(r->f, i)) != NULL; i++) {
		saved_file_name(catalog, name);
		if (strcmp(name, file) == 0) {
			return;
		}
	}
	take_name(r, file, true);
}

static void
sum_up(const struct restore *r, uint64_t took_ms)
{
	log_event(r->s->log, LOG_LEVEL_INFO, "state-restored",
	          "zones=%zu expired=%zu damaged=%zu octets=%" PRIu64 " took_ms=%" PRIu64, r->zones, r->expired, r->damaged, r->read,
	          took_ms);
	if (r->unfollowed != 0) {
		log_event(r->s->log, LOG_LEVEL_WARNING, "state-not-followed", "zones=%zu hint=%s", r->unfollowed,
		          "no key and no catalog is for these zones: their files are removed when the zones would have expired");
	}
	if (r->ahead != 0) {
		log_event(r->s->log, LOG_LEVEL_WARNING, "state-of-the-future", "zones=%zu hint=%s", r->ahead,
		          "the clock is behind the time at which these were refreshed; set it: their expiry counts from now on");
	}
}

void
zone_store_restore(struct zone_store *s, struct follower *f, size_t (*room)(void *ctx), void *ctx)
{
	if (s == NULL) {
		return;
	}
	uint64_t begun_ms = clock_ms();
	struct restore r = { .s = s, .f = f, .room = room, .ctx = ctx, .now = net_now() };
	take_catalogs(&r); /* what they list is ours then */
	err_t err = state_dir_each(s->dir, SAVED_SUFFIX, take_other, &r);
	if (err != OK) {
		log_event(s->log, LOG_LEVEL_ERROR, "state-not-restored", "text=%s hint=%s", err == E_IO ? strerror(errno) : err_str(err),
		          "all zones are transferred anew");
	}
	free(r.octets);
	sum_up(&r, clock_ms() - begun_ms);
}
