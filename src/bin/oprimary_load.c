#include "bin/oprimary_load.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "git/link_files.h"
#include "ops/clock.h"
#include "ops/memory.h"
#include "ops/priority.h"
#include "ops/thread.h"

enum { TRIM_FROM = 1 << 20 }; /* octets in a commit from which the heap is given back afterwards */

/* ---- the log ---- */

/* What becomes of a line within the commit under way: its level, or none when there were too many. */
static bool
line_level(struct loader *l, enum log_level wanted, enum log_level *out)
{
	*out = wanted;
	if (wanted == LOG_LEVEL_INFO && l->info_lines++ >= LOAD_INFO_LINES_MAX) {
		*out = LOG_LEVEL_DEBUG;
	} else if (wanted < LOG_LEVEL_INFO && l->trouble_lines++ >= LOAD_TROUBLE_LINES_MAX) {
		l->suppressed++;
		return false;
	}
	return log_is_on(l->log, *out);
}

static const struct {
	const char *event;
	enum log_level level;
} report_kinds[] = {
	[ZONE_LOADED] = { "zone-loaded", LOG_LEVEL_INFO },
	[ZONE_CHANGED] = { "zone-changed", LOG_LEVEL_INFO },
	[ZONE_REMOVED] = { "zone-removed", LOG_LEVEL_INFO },
	[ZONE_REJECTED] = { "zone-rejected", LOG_LEVEL_ERROR },
	[ZONE_HELD] = { "zone-held", LOG_LEVEL_ERROR },
	[ZONE_SERIAL_STUCK] = { "zone-serial-stuck", LOG_LEVEL_WARNING },
	[ZONE_SERIAL_BACK] = { "zone-serial-back", LOG_LEVEL_WARNING },
	[KEYS_LOADED] = { "keys-loaded", LOG_LEVEL_INFO },
	[KEYS_REJECTED] = { "keys-rejected", LOG_LEVEL_ERROR },
	[KEYS_HELD] = { "keys-held", LOG_LEVEL_ERROR },
	[FILE_IGNORED] = { "file-ignored", LOG_LEVEL_DEBUG },
};

static void
on_report(void *ctx, const struct primary_report *r)
{
	struct loader *l = ctx;
	const char *event = report_kinds[r->event].event;
	enum log_level level;
	pulse_beat(&l->pulse); /* a commit may have very many files */
	l->count[r->event]++;
	if ((r->event == ZONE_SERIAL_STUCK || r->event == ZONE_SERIAL_BACK) && l->serial != SERIAL_KEEP) {
		updater_add_serial(l->updates.updater, r->zone->apex_name, r->zone->serial);
	}
	if (!line_level(l, report_kinds[r->event].level, &level)) {
		return;
	}
	char zone[NAME_TEXT_MAX] = "";
	if (r->zone != NULL) {
		name_print(r->zone->apex_name, zone);
	}
	const char *commit = l->commit;
	switch (r->event) {
	case ZONE_SERIAL_STUCK:
	case ZONE_SERIAL_BACK:
		log_event(l->log, level, event, "zone=%s serial=%u old_serial=%u newest_serial=%u text=%s", zone, r->zone->serial,
		          r->old_serial, r->newest_serial, r->text);
		break;
	case ZONE_CHANGED:
		log_event(l->log, level, event, "zone=%s serial=%u old_serial=%u records=%zu warnings=%zu text=%s", zone,
		          r->zone != NULL ? r->zone->serial : 0, r->old_serial, r->records, r->warnings, r->text);
		break;
	case ZONE_LOADED:
		log_event(l->log, level, event, "zone=%s serial=%u records=%zu warnings=%zu text=%s", zone,
		          r->zone != NULL ? r->zone->serial : 0, r->records, r->warnings, r->text);
		break;
	case ZONE_REJECTED:
	case ZONE_HELD:
	case KEYS_REJECTED:
	case KEYS_HELD:
		if (r->zone != NULL) {
			log_event(l->log, level, event, "file=%s commit=%s errors=%zu text=%s serving=last-good serial=%u", r->path,
			          commit, r->errors, r->text, r->zone->serial);
		} else {
			log_event(l->log, level, event, "file=%s commit=%s errors=%zu text=%s", r->path, commit, r->errors, r->text);
		}
		break;
	default:
		log_event(l->log, level, event, "file=%s commit=%s records=%zu text=%s", r->path, commit, r->records, r->text);
	}
}

static void
on_diag(void *ctx, const struct diag *d)
{
	struct loader *l = ctx;
	enum log_level level;
	if (!line_level(l, d->level == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &level)) {
		return;
	}
	if (d->line != 0) {
		log_event(l->log, level, "finding", "file=%s line=%u column=%u code=%s text=%s hint=%s", d->file, d->line, d->col,
		          d->code, d->text, d->hint);
	} else { /* about the file as a whole */
		log_event(l->log, level, "finding", "file=%s code=%s text=%s hint=%s", d->file, d->code, d->text, d->hint);
	}
}

static void
log_commit(struct loader *l, enum primary_outcome outcome, const struct link_frame *f, uint64_t load_ms)
{
	const unsigned *n = l->count;
	const struct view *v = primary_view(l->primary);
	size_t held = primary_held_n(l->primary);
	bool is_any_held = held + primary_held_keys_n(l->primary) != 0;
	log_event(l->log, outcome == PRIMARY_HELD ? LOG_LEVEL_ERROR : is_any_held ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "commit-served",
	          "commit=%s zones=%zu loaded=%u changed=%u removed=%u rejected=%u held=%zu git_ms=%u load_ms=%llu hint=%s", f->id,
	          view_zones_n(v), n[ZONE_LOADED], n[ZONE_CHANGED], n[ZONE_REMOVED], n[ZONE_REJECTED], held, f->took_ms,
	          (unsigned long long)load_ms,
	          is_any_held ? "what is held back is meant? push a commit with the trailer \"" PRIMARY_TRAILER "\"" : "");
	if (l->suppressed != 0) {
		log_event(l->log, LOG_LEVEL_WARNING, "lines-suppressed", "commit=%s lines=%u", f->id, l->suppressed);
	}
	if ((f->flags & LINK_FROM_CACHE) != 0) {
		log_event(l->log, LOG_LEVEL_WARNING, "served-from-cache", "commit=%s text=%s", f->id,
		          "the remote was not reached; it is tried again");
	}
}

/* ---- commits ---- */

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
	case LINK_ENTRY_MESSAGE: /* of no COMMIT */
	case LINK_ENTRY_PAST:    /* no change */
	case LINK_ENTRY_ALLOWED:
	case LINK_ENTRY_SIGNED:
		break;
	}
	return c;
}

/* What a COMMIT tells; all borrows from the map. */
struct told {
	struct source_change *changes; /* owned, as past and allowed are */
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
	if (n > map->len / sizeof(struct link_entry)) { /* fewer octets than the entries alone would take */
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
		if (err != OK || file.kind == LINK_ENTRY_MESSAGE) { /* that is for pushes */
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

/* What is reported from here on is about that commit. */
static void
begin_lines(struct loader *l, const char id[65])
{
	memcpy(l->commit, id, sizeof l->commit);
	memset(l->count, 0, sizeof l->count);
	l->info_lines = l->trouble_lines = l->suppressed = 0;
}

static void
on_published(void *ctx)
{
	struct loader *l = ctx;
	atomic_store(&l->zones_octets, primary_octets(l->primary));
	notify_out_on_changed(l->notify);
}

/* Makes the view and publishes it. */
static err_t
apply(struct loader *l, const struct source_commit *c, enum primary_outcome *outcome)
{
	const struct view *next = NULL;
	struct discard *old = NULL;
	begin_lines(l, c->id);
	TRY(served_reserve(l->served));
	TRY(primary_apply(l->primary, c, outcome, &next, &old));
	served_publish(l->served, next, old);
	on_published(l);
	priority_give_way(); /* from the first on there are questions to answer */
	return OK;
}

/* What was carried out before the start, of which nobody remembers more. */
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

static err_t
take_commit(struct loader *l, const struct link_frame *f, enum primary_outcome *outcome)
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
		log_commit(l, *outcome, f, clock_ms() - begin_ms);
	}
	if (len >= TRIM_FROM) {
		memory_settle();
	}
	return err;
}

static const char *
serving(const struct loader *l)
{
	return primary_view(l->primary)->commit[0] != '\0' ? "last-good" : "nothing";
}

static void
settle(struct loader *l, const char *trouble)
{
	char text[LINK_TEXT_MAX + 192], held[64] = "";
	const struct view *v = primary_view(l->primary);
	if (primary_held_n(l->primary) != 0) {
		snprintf(held, sizeof held, "; %zu held back: see zone-held in the log", primary_held_n(l->primary));
	} else if (primary_held_keys_n(l->primary) != 0) {
		snprintf(held, sizeof held, "; keys are held back: see keys-held in the log");
	}
	snprintf(text, sizeof text, "%zu %s of commit %.12s%s%s%s", view_zones_n(v), view_zones_n(v) == 1 ? "zone" : "zones",
	         v->commit[0] != '\0' ? v->commit : "none", held, trouble[0] != '\0' ? "; " : "", trouble);
	l->settled(l->ctx, view_zones_n(v), text);
}

/* What the cache has is as old as what is served, or older: a git process that was started anew cannot know. */
static bool
is_passed_over(const struct loader *l, const struct link_frame *f)
{
	return (f->flags & LINK_FROM_CACHE) != 0 && primary_view(l->primary)->commit[0] != '\0';
}

static void
pass_over(struct loader *l)
{
	struct link_frame done = { .type = LINK_DONE, .status = E_STALE, .fd = -1 };
	(void)!link_send(l->git->link, &done);
}

/* Memory has become free for what was rejected: the commit is to be told once more. */
static void
try_rejected_again(struct loader *l)
{
	if (!l->is_retry_wanted && primary_has_room_again(l->primary)) {
		l->is_retry_wanted = true;
		puller_want_whole(&l->puller);
	}
}

/* For who asks how we are. */
static void
note(struct loader *l, const struct link_frame *f, err_t err)
{
	primary_state_on_frame(l->state, f, err, atomic_load_explicit(&l->puller.pulls, memory_order_relaxed));
	primary_state_serves(l->state, primary_view(l->primary)->commit);
	primary_state_count(l->state, updater_stats(l->updates.updater));
}

static void
on_commit(struct loader *l, const struct link_frame *f)
{
	enum primary_outcome outcome = PRIMARY_APPLIED;
	updater_before_commit(l->updates.updater);
	asker_begin(&l->asker);
	err_t err = f->fd >= 0 ? take_commit(l, f, &outcome) : E_FORMAT;
	if (err != OK) {
		log_event(l->log, LOG_LEVEL_ERROR, "commit-failed", "commit=%s text=%s serving=last-good", f->id, err_str(err));
	}
	note(l, f, err);
	struct link_frame done = { .type = LINK_DONE, .status = (uint16_t)err, .fd = -1 };
	err_t sent = link_send(l->git->link, &done);
	(void)sent; /* the git side is gone: the receive that follows says so */
	settle(l, err != OK ? err_str(err) : "");
	l->is_retry_wanted = err != OK; /* that is tried again in any case, after a pause */
	try_rejected_again(l);
}

static void
on_frame(struct loader *l, const struct link_frame *f)
{
	switch (f->type) {
	case LINK_COMMIT:
		if (is_passed_over(l, f)) {
			pass_over(l);
		} else {
			on_commit(l, f);
		}
		break;
	case LINK_UPTODATE:
		log_event(l->log, LOG_LEVEL_INFO, "pulled", "commit=%s text=%s git_ms=%u", f->id, "nothing new", f->took_ms);
		note(l, f, OK);
		settle(l, "");
		break;
	case LINK_FAILED:
		if (f->retry_s != 0) {
			log_event(l->log, LOG_LEVEL_ERROR, "pull-failed", "text=%s serving=%s retry_s=%u", f->text, serving(l), f->retry_s);
		} else {
			log_event(l->log, LOG_LEVEL_ERROR, "pull-failed", "text=%s serving=%s", f->text, serving(l));
		}
		note(l, f, OK);
		if ((f->flags & LINK_CACHE_NEXT) == 0) {
			settle(l, f->text);
		}
		break;
	case LINK_NOTE:
		log_event(l->log, LOG_LEVEL_WARNING, "tidy-trouble", "text=%s", f->text);
		return;
	case LINK_PUSHED:
		begin_lines(l, f->id);
		updates_on_frame(&l->updates, f);
		note(l, f, OK);
		return;
	case LINK_PUSH_FAILED:
		updates_on_frame(&l->updates, f);
		note(l, f, OK);
		return;
	default: /* a FILE that nobody waits for any more */
		return;
	}
	puller_end(&l->puller, f->type == LINK_COMMIT);
	updates_after_pull(&l->updates, f);
	puller_go_on(&l->puller);
}

/* ---- the thread ---- */

static void
on_wake(struct loader *l)
{
	uint64_t times;
	(void)!read(l->wake, &times, sizeof times);
	served_reclaim(l->served);
	try_rejected_again(l);
	notify_out_go_on(l->notify);
	updates_go_on(&l->updates);
	notify_out_go_on(l->notify); /* a serial that was to be written may not be */
	primary_state_count(l->state, updater_stats(l->updates.updater));
}

/* Waits for the next git process.  Updates are seen to meanwhile: after a moment they are told that nobody can take them. */
static err_t
next_life(struct loader *l, char died[LINK_TEXT_MAX])
{
	uint64_t since_ms = clock_ms();
	bool is_told = false;
	for (;;) {
		struct pollfd p[] = { { .fd = l->wake, .events = POLLIN }, { .fd = l->git->control, .events = POLLIN } };
		int n = poll(p, ARRAY_LEN(p), PULSE_PERIOD_MS);
		pulse_beat(&l->pulse);
		if (n > 0 && p[1].revents != 0) {
			updater_on_return(l->updates.updater);
			return git_side_next(l->git, died);
		}
		if (!is_told && clock_ms() - since_ms >= LOAD_ABSENCE_MS) {
			updater_on_absence(l->updates.updater, "the process that speaks to it is gone, and is started anew");
			updates_go_on(&l->updates);
			is_told = true;
		}
		if (n > 0) {
			on_wake(l);
		}
	}
}

/* As poll() takes it, and so that the pulse goes on. */
static int
wait_ms(struct loader *l)
{
	int pull = puller_wait_ms(&l->puller), update = updates_wait_ms(&l->updates);
	int wait = pull < 0 || (update >= 0 && update < pull) ? update : pull;
	return wait >= 0 && wait < PULSE_PERIOD_MS ? wait : PULSE_PERIOD_MS;
}

/* The next frame; one that was set aside comes first.  Updates are seen to meanwhile, in turn with what the git side says: who sends
 * updates without pause does not hold up what others push. */
static err_t
next_frame(struct loader *l, struct link_frame *out)
{
	for (bool is_turn_of_link = false;;) {
		struct pollfd p[] = { { .fd = l->wake, .events = POLLIN }, { .fd = l->git->link, .events = POLLIN } };
		if (asker_take(&l->asker, out)) {
			return OK;
		}
		int n = poll(p, ARRAY_LEN(p), wait_ms(l));
		pulse_beat(&l->pulse);
		if (n >= 0 && p[1].revents != 0 && (is_turn_of_link || p[0].revents == 0)) {
			return link_recv(l->git->link, out);
		}
		on_wake(l);
		is_turn_of_link = true;
	}
}

/* One life of the git process. */
static void
follow(struct loader *l)
{
	struct link_frame f;
	puller_restart(&l->puller);
	for (;;) {
		err_t err = next_frame(l, &f);
		if (err == E_FORMAT) {
			log_event(l->log, LOG_LEVEL_ERROR, "git-process-unclear", "text=%s", "a frame that is none of ours");
			continue;
		}
		if (err != OK) {
			return;
		}
		on_frame(l, &f);
		notify_out_go_on(l->notify);
		if (f.fd >= 0) {
			close(f.fd);
		}
	}
}

/* Without a git process updates are told, until the end, which is near. */
static void
go_on_alone(struct loader *l)
{
	struct pollfd p = { .fd = l->wake, .events = POLLIN };
	updater_on_loss(l->updates.updater);
	updates_go_on(&l->updates);
	l->lost(l->ctx);
	while (!atomic_load(&l->git->is_stopping)) {
		pulse_beat(&l->pulse);
		if (poll(&p, 1, PULSE_PERIOD_MS) > 0) {
			on_wake(l);
		}
	}
}

static void *
run(void *arg)
{
	struct loader *l = arg;
	char died[LINK_TEXT_MAX];
	thread_name("load");
	while (next_life(l, died) == OK) {
		if (died[0] != '\0') {
			log_event(l->log, LOG_LEVEL_ERROR, "git-process-died", "text=%s serving=%s restarted=yes", died, serving(l));
		}
		follow(l);
		git_side_died(l->git);
		asker_fini(&l->asker);
		updater_on_death(l->updates.updater);
	}
	if (!atomic_load(&l->git->is_stopping)) {
		log_event(l->log, LOG_LEVEL_ERROR, "git-process-lost", "text=%s hint=%s", died,
		          "nothing could be pulled or written any more: oprimary ends, and has to be started anew");
		go_on_alone(l);
	}
	updates_end(&l->updates);
	return NULL;
}

/* ---- from outside ---- */

bool
loader_puts_off(void *loader, const struct zone *z)
{
	struct loader *l = loader;
	return l->serial != SERIAL_KEEP && updater_is_serial_coming(l->updates.updater, z);
}

struct primary_log
loader_primary_log(struct loader *l)
{
	return (struct primary_log){ .report = on_report, .diag = { .report = on_diag, .ctx = l }, .ctx = l };
}

err_t
loader_start(struct loader *l)
{
	struct updates *u = &l->updates;
	l->asker.git = l->git;
	l->puller.git = l->git;
	l->puller.wake = loader_wake;
	l->puller.ctx = l;
	puller_init(&l->puller);
	u->log = l->log;
	u->git = l->git;
	u->puller = &l->puller;
	u->served = l->served;
	u->primary = l->primary;
	u->conf = l->conf;
	u->inbox = l->inbox;
	u->asker = &l->asker;
	u->changed = on_published;
	u->ctx = l;
	updates_begin(u);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0) {
		return E_IO;
	}
	return pthread_create(&l->thread, NULL, run, l) == 0 ? OK : E_NOMEM;
}

void
loader_on_notified(void *loader, const struct notifier_report *r)
{
	struct loader *l = loader;
	primary_state_on_notified(l->state, r);
}

void
loader_wake(void *loader)
{
	struct loader *l = loader;
	const uint64_t one = 1;
	if (l->wake > 0) {
		(void)!write(l->wake, &one, sizeof one);
	}
}

bool
loader_join(struct loader *l, unsigned limit_ms)
{
	loader_wake(l);
	return thread_join_within(l->thread, limit_ms);
}
