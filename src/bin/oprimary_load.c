#include "bin/oprimary_load_p.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ops/clock.h"
#include "ops/thread.h"

void
loader_on_published(void *ctx)
{
	struct loader *l = ctx;
	atomic_store(&l->zones_octets, primary_octets(l->primary));
	notify_out_on_changed(l->notify);
}

/* ---- messages of the git side ---- */

static const char *
serving(const struct loader *l)
{
	return primary_view(l->primary)->is_ready ? "last-good" : "nothing";
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

/* True for a commit from the cache when a commit is served already, which is at least as new.  A git process that was restarted cannot
 * know that. */
static bool
is_from_cache_too_late(const struct loader *l, const struct link_frame *f)
{
	return (f->flags & LINK_FROM_CACHE) != 0 && primary_view(l->primary)->is_ready;
}

static void
decline(struct loader *l)
{
	struct link_frame done = { .type = LINK_DONE, .status = E_STALE, .fd = -1 };
	(void)!link_send(l->git->link, &done);
}

/* If there is memory now for zones that were rejected, asks for the commit once more. */
static void
try_rejected_again(struct loader *l)
{
	if (!l->is_retry_wanted && primary_has_room_again(l->primary)) {
		l->is_retry_wanted = true;
		puller_want_whole(&l->puller);
	}
}

/* Notes the message and its result, for octl and others who ask for our state. */
static void
note(struct loader *l, const struct link_frame *f, err_t err)
{
	primary_state_on_frame(l->state, f, err, puller_answered(&l->puller, f));
	primary_state_serves(l->state, primary_view(l->primary)->commit);
	primary_state_count(l->state, updater_stats(l->updates.updater));
}

static void
on_commit(struct loader *l, const struct link_frame *f)
{
	enum primary_outcome outcome = PRIMARY_APPLIED;
	updater_before_commit(l->updates.updater);
	asker_begin(&l->asker);
	err_t err = f->fd >= 0 ? loader_take_commit(l, f, &outcome) : E_FORMAT;
	if (err != OK) {
		log_event(l->log, LOG_LEVEL_ERROR, "commit-failed", "commit=%s text=%s serving=last-good", f->id, err_str(err));
	}
	note(l, f, err);
	struct link_frame done = { .type = LINK_DONE, .status = (uint16_t)err, .fd = -1 };
	err_t sent = link_send(l->git->link, &done);
	(void)sent; /* if the git side is gone, the next receive tells */
	settle(l, err != OK ? err_str(err) : "");
	l->is_retry_wanted = err != OK; /* after an error the git side sends the commit again anyway, after a pause */
	try_rejected_again(l);
}

static void
on_frame(struct loader *l, const struct link_frame *f)
{
	switch (f->type) {
	case LINK_COMMIT:
		if (is_from_cache_too_late(l, f)) {
			decline(l);
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
		loader_begin_lines(l, f->id);
		updates_on_frame(&l->updates, f);
		note(l, f, OK);
		return;
	case LINK_PUSH_FAILED:
		updates_on_frame(&l->updates, f);
		note(l, f, OK);
		return;
	default: /* a FILE that is not wanted any more */
		return;
	}
	puller_end(&l->puller, f);
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
	notify_out_go_on(l->notify); /* a zone that waited for a newer serial may not get it now */
	primary_state_count(l->state, updater_stats(l->updates.updater));
}

/* Waits until there is a git process again.  Updates are handled meanwhile; after LOAD_ABSENCE_MS they are answered with SERVFAIL. */
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
			updater_on_absence(l->updates.updater, "the process that speaks to it has ended, and is being restarted");
			updates_go_on(&l->updates);
			is_told = true;
		}
		if (n > 0) {
			on_wake(l);
		}
	}
}

/* How long poll() may wait; short enough for the pulse. */
static int
wait_ms(struct loader *l)
{
	int pull = puller_wait_ms(&l->puller), update = updates_wait_ms(&l->updates);
	int wait = pull < 0 || (update >= 0 && update < pull) ? update : pull;
	return wait >= 0 && wait < PULSE_PERIOD_MS ? wait : PULSE_PERIOD_MS;
}

/* Receives the next message; one that was set aside comes first.  Updates and messages take turns, so that a client that sends updates
 * without pause cannot delay what people push. */
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

/* Handles messages as long as this git process lives. */
static void
follow(struct loader *l)
{
	struct link_frame f;
	puller_restart(&l->puller);
	for (;;) {
		err_t err = next_frame(l, &f);
		if (err == E_FORMAT) {
			log_event(l->log, LOG_LEVEL_ERROR, "git-process-unclear", "text=%s", "its message cannot be understood");
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

/* Without a git process, updates are answered with SERVFAIL until oprimary ends, which is soon. */
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
		          "nothing can be pulled or written any more: oprimary ends, and must be restarted");
		go_on_alone(l);
	}
	updates_end(&l->updates);
	return NULL;
}

/* ---- called by others ---- */

bool
loader_puts_off(void *loader, const struct zone *z)
{
	struct loader *l = loader;
	return l->serial != SERIAL_KEEP && updater_is_serial_coming(l->updates.updater, z);
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
	u->changed = loader_on_published;
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
