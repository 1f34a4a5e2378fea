/* Brings one file up to date. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/view.h"
#include "base/alloc.h"
#include "net/zone_store_p.h"
#include "ops/state_dir.h"
#include "zone/history.h"

enum {
	OUTGROWN_PART = 2,         /* changes that take this part of the whole zone, */
	OUTGROWN_MIN = 64 << 10,   /* and at least so many octets, are written as a whole zone instead */
	NOTE_MAX = SAVED_FRAME_LEN + SAVED_REFRESH_MAX,
};

/* What is to be written of a zone, as it was when the work began. */
struct work {
	struct zone_store *s;
	struct stored *e;
	char file[SAVED_NAME_MAX];
	struct saved_refresh refresh;
	uint64_t changed_s;
	bool is_whole_wanted, is_note_due, is_gone, is_held;
	struct served_pin *pin;
	int fd;                    /* of a file that is written aside */
};

/* ---- what the file has ---- */

/* `z`: the version that the file has now; NULL: the same as before. */
static void
note_written(const struct work *w, const struct zone *z, const struct saved_mark *end)
{
	struct zone_store *s = w->s;
	struct stored *e = w->e;
	atomic_fetch_add(&s->stats.octets, end->len > e->end.len ? end->len - e->end.len : end->len);
	pthread_mutex_lock(&s->lock);
	e->is_there = true;
	e->noted_s = w->refresh.at_s;
	e->has_withdrawn = w->refresh.is_withdrawn;
	e->has_unlisted = w->refresh.is_unlisted;
	e->end = *end;
	if (z != NULL) {
		e->serial = z->serial;
		e->expire_s = follow_expire_s(&s->bounds, z);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- the whole zone ---- */

static err_t
put_piece(void *ctx, const uint8_t *octets, size_t n)
{
	const struct work *w = ctx;
	return served_pin_is_revoked(w->pin) ? E_BUSY : state_file_write(w->fd, octets, n);
}

static err_t
write_whole(struct work *w, const struct zone *z)
{
	struct saved_mark end;
	TRY(state_file_begin(w->s->dir, w->file, &w->fd));
	err_t err = saved_write_zone(z, w->changed_s, &w->refresh, put_piece, w, &end);
	if (err != OK) {
		state_file_drop(w->s->dir, w->file, w->fd);
		return err;
	}
	TRY(state_file_put(w->s->dir, w->file, w->fd));
	w->s->is_dir_changed = true;
	w->e->end.len = 0;
	atomic_fetch_add(&w->s->stats.whole, 1);
	note_written(w, z, &end);
	return OK;
}

/* ---- what changed ---- */

static err_t
append(struct work *w, const struct zone *z, const struct buf *b, const struct saved_mark *end)
{
	ASSERT(b->err == OK);
	TRY(state_file_append(w->s->dir, w->file, w->e->end.len, b->base, b->len));
	note_written(w, z, end);
	return OK;
}

/* The octets of all steps; SIZE_MAX: the whole zone is better. */
static size_t
size_of(const struct stored *e, const struct delta *const *steps, size_t n)
{
	uint64_t before = e->end.len - e->end.whole_len, len = 0;
	uint64_t most = e->end.whole_len / OUTGROWN_PART;
	for (size_t i = 0; i < n; i++) {
		if (saved_change_len(steps[i]) > SAVED_BLOCK_MAX) {
			return SIZE_MAX;
		}
		len += saved_change_len(steps[i]);
	}
	return before + len <= (most > OUTGROWN_MIN ? most : OUTGROWN_MIN) ? (size_t)len : SIZE_MAX;
}

static err_t
write_steps(struct work *w, const struct zone *z, const struct delta *const *steps, size_t n)
{
	size_t room = size_of(w->e, steps, n);
	if (room == SIZE_MAX) {
		return E_STALE;
	}
	[[gnu::cleanup(free_ptr)]] uint8_t *octets = try_alloc(room);
	if (octets == NULL) {
		return E_NOMEM;
	}
	struct saved_mark end = w->e->end;
	struct buf b = buf_over(octets, room);
	for (size_t i = 0; i < n; i++) {
		saved_write_change(steps[i], &w->refresh, &b, &end);
	}
	TRY(append(w, z, &b, &end));
	atomic_fetch_add(&w->s->stats.changes, n);
	return OK;
}

/* E_STALE: the whole zone is to be written. */
static err_t
write_changes(struct work *w, const struct zone *z)
{
	const struct delta **steps;
	size_t n;
	err_t err = history_from(z, w->e->serial, &steps, &n);
	if (err != OK) {
		return err == E_NOTFOUND ? E_STALE : err;
	}
	err = write_steps(w, z, steps, n);
	free(steps);
	return err;
}

/* The zone may be marked for what was written since.  E_STALE as above; not where the whole zone cannot be had. */
static err_t
write_note(struct work *w, bool has_whole)
{
	if (!w->is_note_due) {
		return OK;
	}
	uint8_t octets[NOTE_MAX];
	struct buf b = buf_over(octets, sizeof octets);
	struct saved_mark end = w->e->end;
	if (has_whole && size_of(w->e, NULL, 0) == SIZE_MAX) {
		return E_STALE;
	}
	saved_write_refresh(&w->refresh, &b, &end);
	TRY(append(w, NULL, &b, &end));
	atomic_fetch_add(&w->s->stats.notes, 1);
	return OK;
}

/* ---- all ---- */

static err_t
remove_file(struct work *w)
{
	TRY(state_file_remove(w->s->dir, w->file));
	w->s->is_dir_changed = true;
	atomic_fetch_add(&w->s->stats.removed, 1);
	pthread_mutex_lock(&w->s->lock);
	w->e->is_there = false;
	pthread_mutex_unlock(&w->s->lock);
	return OK;
}

/* A version that is kept and not served cannot be had here; but then its file has it already, or it is no great loss.  One that is held
 * back is as one that cannot be had. */
static err_t
write_version(struct work *w, const struct zone *z)
{
	const struct stored *e = w->e;
	err_t err = E_STALE;
	if (z == NULL || w->is_held) {
		err = e->is_there ? write_note(w, false) : OK;
		return err == E_STALE ? OK : err;
	}
	if (e->is_there && !w->is_whole_wanted) {
		err = e->serial != z->serial ? write_changes(w, z) : write_note(w, true);
	}
	return err == E_STALE ? write_whole(w, z) : err;
}

static void
begin(struct work *w)
{
	struct zone_store *s = w->s;
	struct stored *e = w->e;
	saved_file_name(e->apex, w->file);
	pthread_mutex_lock(&s->lock);
	const struct stored_source *from = s->sources[e->source];
	w->refresh = (struct saved_refresh){ .at_s = e->refreshed_s, .is_withdrawn = e->is_withdrawn, .is_unlisted = e->is_unlisted };
	if (from != NULL) {
		w->refresh.address = from->address;
		w->refresh.port = from->port;
		w->refresh.key = from->key;
	}
	w->changed_s = e->changed_s;
	w->is_gone = e->is_gone;
	w->is_held = e->is_held;
	w->is_whole_wanted = e->is_whole_wanted;
	w->is_note_due = stored_is_note_due(e);
	e->is_whole_wanted &= e->is_held;
	pthread_mutex_unlock(&s->lock);
}

static void
want_again(struct work *w)
{
	pthread_mutex_lock(&w->s->lock);
	w->e->is_whole_wanted |= w->is_whole_wanted;
	pthread_mutex_unlock(&w->s->lock);
}

err_t
stored_write(struct zone_store *s, struct stored *e)
{
	struct work w = { .s = s, .e = e };
	begin(&w);
	if (w.is_gone) {
		return remove_file(&w);
	}
	const struct view *v = served_pin(s->served, &w.pin);
	err_t err = write_version(&w, view_zone(v, e->apex));
	int why = errno;
	served_unpin(s->served, &w.pin);
	if (err != OK) {
		want_again(&w);
	}
	errno = why;
	return err;
}
