/* A commit that the git side sends becomes the view that is served. */
#include "bin/oprimary_load_p.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "git/link_files.h"
#include "ops/clock.h"
#include "ops/memory.h"
#include "ops/priority.h"

enum { TRIM_FROM = 1 << 20 }; /* after a commit of this many octets, free memory is given back to the system */

static struct source_change
change_of(const struct link_file *f)
{
	struct source_change c = { .kind = SOURCE_PUT, .path = f->path };
	switch (f->kind) {
	case LINK_ENTRY_REMOVE:
		c.kind = SOURCE_REMOVE;
		break;
	case LINK_ENTRY_REFUSED:
		c.refused = (const char *)f->bytes;
		break;
	case LINK_ENTRY_PUT:
		c.bytes = f->bytes;
		c.len = f->len;
		break;
	case LINK_ENTRY_NAMED:
	case LINK_ENTRY_MESSAGE: /* never in a COMMIT */
	case LINK_ENTRY_PAST:    /* not a change */
	case LINK_ENTRY_ALLOWED:
	case LINK_ENTRY_SIGNED:
		break;
	}
	return c;
}

/* The entries of a COMMIT, by kind; their texts are borrowed from the map. */
struct told {
	struct source_change *changes; /* owned, like the other three lists */
	struct source_past *past;
	const char **allowed;
	struct link_file *signed_until;
	size_t changes_n, past_n, allowed_n, signed_n;
};

static void
told_fini(struct told *t)
{
	free(t->changes);
	free(t->past);
	free(t->allowed);
	free(t->signed_until);
}

static err_t
read_entries(const struct link_map *map, uint32_t n, struct told *t)
{
	if (n > map->len / sizeof(struct link_entry)) { /* the entries would not fit into the octets */
		return E_FORMAT;
	}
	t->changes = try_alloc((n + 1) * sizeof *t->changes);
	t->past = try_alloc((n + 1) * sizeof *t->past);
	t->allowed = try_alloc((n + 1) * sizeof(const char *));
	t->signed_until = try_alloc((n + 1) * sizeof *t->signed_until);
	if (t->changes == NULL || t->past == NULL || t->allowed == NULL || t->signed_until == NULL) {
		return E_NOMEM;
	}
	struct link_files files = link_files_over(map, n);
	struct link_file file;
	for (uint32_t i = 0; i < n; i++) {
		err_t err = link_files_next(&files, &file);
		if (err != OK || file.kind == LINK_ENTRY_MESSAGE) { /* a message belongs into a PUSH */
			return err == OK || err == E_NOTFOUND ? E_FORMAT : err;
		}
		if (file.kind == LINK_ENTRY_PAST) {
			t->past[t->past_n++] = (struct source_past){ .path = file.path, .bytes = file.bytes, .len = file.len };
		} else if (file.kind == LINK_ENTRY_ALLOWED) {
			t->allowed[t->allowed_n++] = file.path;
		} else if (file.kind == LINK_ENTRY_SIGNED) {
			t->signed_until[t->signed_n++] = file;
		} else {
			t->changes[t->changes_n++] = change_of(&file);
		}
	}
	return OK;
}

/* Makes the view and publishes it. */
static err_t
apply(struct loader *l, const struct source_commit *c, enum primary_outcome *outcome)
{
	const struct view *next = NULL;
	struct discard *old = NULL;
	loader_begin_lines(l, c->id);
	TRY(served_reserve(l->served));
	TRY(primary_apply(l->primary, c, outcome, &next, &old));
	served_publish(l->served, next, old);
	loader_on_published(l);
	priority_give_way(); /* from the first commit on there are queries to answer */
	return OK;
}

/* Commits tell until when each key has signed updates that were carried out.  After a start, nothing else remembers that. */
static void
note_signed(struct loader *l, const struct told *told)
{
	for (size_t i = 0; i < told->signed_n; i++) {
		const struct link_file *s = &told->signed_until[i];
		char text[24];
		snprintf(text, sizeof text, "%.*s", (int)(s->len < sizeof text ? s->len : 0), (const char *)s->bytes);
		updater_note_signed(l->updates.updater, s->path, s->path_len, strtoull(text, NULL, 10));
	}
}

err_t
loader_take_commit(struct loader *l, const struct link_frame *f, enum primary_outcome *outcome)
{
	struct link_map map;
	TRY(link_map(f->fd, &map));
	uint64_t begin_ms = clock_ms();
	[[gnu::cleanup(told_fini)]] struct told told = { 0 };
	err_t err = read_entries(&map, f->n, &told);
	if (err == OK) {
		struct source_commit c = {
			.allow_mass_delete = (f->flags & LINK_ALLOW_MASS_DELETE) != 0,
			.allowed = told.allowed,
			.allowed_n = told.allowed_n,
			.is_whole = (f->flags & LINK_WHOLE) != 0,
			.changes = told.changes,
			.n = told.changes_n,
			.past = told.past,
			.past_n = told.past_n,
			.ctx = &l->asker,
			.open = asker_open,
			.close = asker_close,
			.now_s = clock_wall_s(),
		};
		memcpy(c.id, f->id, sizeof c.id);
		note_signed(l, &told);
		err = apply(l, &c, outcome);
	}
	size_t len = map.len;
	link_unmap(&map);
	if (err == OK) {
		loader_log_commit(l, *outcome, f, clock_ms() - begin_ms);
	}
	if (len >= TRIM_FROM) {
		memory_settle();
	}
	return err;
}
