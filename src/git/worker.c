/* The loop of a worker: see git/worker.h. */
#include "git/worker.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "git/shortage.h"
#include "git/worker_p.h"
#include "ops/clock.h"

void
worker_alive(void *ctx)
{
	struct worker *w = ctx;
	uint64_t now = clock_ns();
	if (now - w->told_ns > 100000000u) {
		w->told_ns = now;
		worker_send(w, &(struct link_frame){ .type = LINK_PROGRESS, .fd = -1 });
	}
}

err_t
worker_open_repo(struct worker *w, struct diag *diag)
{
	if (w->clone.repo != NULL) {
		return OK;
	}
	return w->home->is_in_place ? git_open_local(w->conf, &w->clone.repo, diag) : git_clone_open(w->home, &w->clone, diag);
}

void
worker_send(struct worker *w, const struct link_frame *f)
{
	if (link_send(w->sock, f) != OK) {
		_exit(0); /* the supervisor is gone: nobody needs this process any more */
	}
	if (f->fd >= 0) {
		close(f->fd);
	}
}

void
worker_explain_disk(struct worker *w, err_t err, struct diag *diag)
{
	if (!w->home->is_in_place && (err == E_IO || err == E_NOTFOUND || err == E_FORMAT) && !w->has_no_branch) {
		(void)shortage_explain(w->home->dir, diag);
	}
}

void
worker_put_words(struct link_frame *out, const struct diag *diag)
{
	snprintf(out->text, sizeof out->text, "%s%s%s", diag->text, diag->hint[0] != '\0' ? " -- " : "", diag->hint);
}

void
worker_send_failed(struct worker *w, err_t err, uint8_t flags, const struct diag *diag)
{
	struct link_frame out = { .type = LINK_FAILED, .status = (uint16_t)err, .flags = flags, .fd = -1 };
	worker_put_words(&out, diag);
	worker_send(w, &out);
}

/* Between two requests the worker waits for linger_s.  After a COMMIT it waits for DONE, however long the DNS side
 * takes.  False: the time is over, and no request came. */
static bool
await_frame(struct worker *w, bool is_between)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	return worker_await_upkeep(w) || poll(&p, 1, is_between ? (int)w->conf->linger_s * 1000 : -1) != 0;
}

/* False: the worker has to end. */
static bool
serve_one(struct worker *w, bool *is_between)
{
	struct link_frame f;
	if (!await_frame(w, *is_between)) {
		worker_leave(w);
		return false;
	}
	if (link_recv(w->sock, &f) != OK) {
		return false;
	}
	if (f.type != LINK_GET) {
		git_dirs_fini(&w->clone.dirs);
	}
	switch (f.type) {
	case LINK_PULL:
		*is_between = !worker_pull(w, &f);
		if (*is_between) {
			worker_keep(w, false);
		}
		break;
	case LINK_GET:
		worker_get(w, &f);
		break;
	case LINK_DONE:
		*is_between = true;
		worker_keep(w, false);
		break;
	case LINK_PUSH:
		worker_push(w, &f);
		worker_keep(w, true);
		worker_note_push(w);
		break;
	default:
		break;
	}
	if (f.fd >= 0) {
		close(f.fd);
	}
	return true;
}

void
git_worker_run(const struct git_conf *conf, const struct git_home *home, int sock)
{
	struct worker w = { .conf = conf, .home = home, .sock = sock, .upkeep = GIT_UPKEEP_NONE };
	w.how = (struct git_how){ .conf = conf, .home = home->dir, .alive = worker_alive, .ctx = &w };
	struct diag diag = { 0 };
	bool is_between = true;
	git_connect_settle(&w.how);
	if (git_lib_begin(&diag) != OK) {
		struct link_frame f = { .type = LINK_FAILED, .status = E_IO, .fd = -1 };
		snprintf(f.text, sizeof f.text, "%s", diag.text);
		(void)!link_send(sock, &f);
		return;
	}
	while (serve_one(&w, &is_between)) {
	}
	git_upkeep_stop(&w.upkeep);
	git_clone_close(&w.clone);
	git_free_repo(&w.local);
	git_made_fini(&w.last);
	str_fini(&w.branch);
	git_lib_end();
}
