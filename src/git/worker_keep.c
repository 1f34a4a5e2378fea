/* Work after a PULL or a PUSH, for which nobody waits: see git/worker_p.h. */
#include <poll.h>
#include <stdio.h>

#include "git/worker_p.h"

static err_t
tidy(struct worker *w, struct diag *diag)
{
	w->untidied = 0;
	return git_clone_tidy(w->home, &w->how, &w->clone, &w->head, diag);
}

/* Called after the DNS side has got its COMMIT or its answer.  The clone is tidied after each pull and after each large
 * push.  After small pushes it is tidied only once for UNTIDIED_MAX of them, since the next push may be waiting. */
void
worker_keep(struct worker *w, bool is_push)
{
	enum { UNTIDIED_MAX = 32, MUCH = 1 << 20 };
	struct diag diag = { 0 };
	if (w->clone.intake == NULL || git_oid_is_zero(&w->head)) {
		return;
	}
	bool is_much = intake_octets(w->clone.intake) > MUCH;
	err_t err = git_clone_keep(w->home, &w->how, &w->clone, &w->head, &diag);
	w->untidied += is_push;
	if (err == OK && (!is_push || is_much || w->untidied >= UNTIDIED_MAX)) {
		err = tidy(w, &diag);
	}
	if (err != OK) {
		git_clone_close(&w->clone);
		worker_explain_disk(w, err, &diag);
		worker_send_failed(w, err, 0, &diag);
	}
}

/* ---- a local remote is kept in few packs ---- */

/* Sends a NOTE, but only one in the life of a worker: the upkeep is tried again and again. */
static void
note(struct worker *w, const char *text)
{
	struct link_frame f = { .type = LINK_NOTE, .fd = -1 };
	if (!w->has_noted) {
		w->has_noted = true;
		snprintf(f.text, sizeof f.text, "%s", text);
		worker_send(w, &f);
	}
}

static void
note_trouble(struct worker *w, err_t err, const struct diag *diag)
{
	char text[LINK_TEXT_MAX];
	if (err != OK && err != E_BUSY) {
		snprintf(text, sizeof text, "the repository cannot be tidied: %s%s%s", diag->text, diag->hint[0] != '\0' ? " -- " : "",
		         diag->hint);
		note(w, text);
	}
}

static git_repository **
local_remote(struct worker *w)
{
	return w->home->is_in_place ? &w->clone.repo : &w->local;
}

/* It has packs open that are gone, and will be opened again when it is needed. */
static void
close_local_remote(struct worker *w)
{
	if (w->home->is_in_place) {
		git_clone_close(&w->clone);
	} else {
		git_free_repo(&w->local);
	}
}

/* A repack that has ended has closed it. */
static err_t
open_local_remote(struct worker *w, struct diag *diag)
{
	return *local_remote(w) != NULL ? OK : git_open_local(w->conf, local_remote(w), diag);
}

static void
begin_upkeep(struct worker *w, bool is_quiet)
{
	char text[LINK_TEXT_MAX];
	struct diag diag = { 0 };
	bool has_stale_gc;
	if (!git_upkeep_is_due(&w->upkeep, is_quiet) || open_local_remote(w, &diag) != OK) {
		return;
	}
	err_t err = git_upkeep_begin(&w->upkeep, &w->how, *local_remote(w), &has_stale_gc, &diag);
	if (err == OK && has_stale_gc) {
		snprintf(text, sizeof text,
		         "gc.pid in %.250s is of a git gc that has ended; it does not count -- the next git gc there removes it",
		         w->conf->url);
		note(w, text);
	}
	note_trouble(w, err, &diag);
}

void
worker_note_push(struct worker *w)
{
	if (*local_remote(w) != NULL) {
		git_upkeep_note_push(&w->upkeep);
		begin_upkeep(w, false);
	}
}

static void
look_after_upkeep(struct worker *w)
{
	struct diag diag = { 0 };
	err_t err = git_upkeep_look(&w->upkeep, &diag);
	worker_alive(w); /* the supervisor must not end this worker while git is at work */
	note_trouble(w, err, &diag);
	if (err == OK) {
		close_local_remote(w);
	}
}

/* True: a frame has come. */
static bool
await_repack(struct worker *w)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	while (git_upkeep_is_on(&w->upkeep)) {
		int n = poll(&p, 1, UPKEEP_TURN_MS);
		look_after_upkeep(w);
		if (n > 0) {
			return true;
		}
	}
	return false;
}

bool
worker_await_upkeep(struct worker *w)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	if (await_repack(w)) {
		return true;
	}
	if (git_upkeep_is_due(&w->upkeep, true)) { /* maybe for what was pushed during that repack */
		if (poll(&p, 1, UPKEEP_QUIET_MS) != 0) {
			return true;
		}
		begin_upkeep(w, true);
	}
	return await_repack(w);
}

void
worker_leave(struct worker *w)
{
	struct link_frame leaving = { .type = LINK_DONE, .fd = -1 };
	struct diag diag = { 0 };
	git_oid head;
	bool is_grown = w->clone.intake != NULL && git_clone_is_grown(w->home);
	bool is_untidy = w->clone.intake != NULL && w->untidied > 0;
	if ((!is_grown && !is_untidy) || link_send(w->sock, &leaving) != OK) {
		return;
	}
	if (is_grown) {
		(void)!git_clone_renew(w->home, &w->how, &w->clone, &head, &w->branch, &diag);
	} else {
		(void)!tidy(w, &diag);
	}
}
