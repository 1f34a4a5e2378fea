#include "git/worker.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "git/branch.h"
#include "git/clone.h"
#include "git/fetch.h"
#include "git/lib.h"
#include "git/link.h"
#include "git/local.h"
#include "git/snapshot.h"

struct worker {
	const struct git_conf *conf;
	struct git_how how;
	const struct git_home *home;
	int sock;
	struct git_clone clone; /* stays open for the next PULL; of a local remote in place it is `repo` alone */
	git_oid head;         /* of the last fetch that came to something: what keep() is to keep */
	uint64_t told_ns;     /* when PROGRESS was last sent */
};

static uint64_t
mono_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Ten times a second is enough to be known to be alive. */
static void
alive(void *ctx)
{
	struct worker *w = ctx;
	uint64_t now = mono_ns();
	if (now - w->told_ns > 100000000u) {
		struct link_frame f = { .type = LINK_PROGRESS, .fd = -1 };
		w->told_ns = now;
		if (link_send(w->sock, &f) != OK) {
			_exit(0); /* the supervisor is gone, and so is the need for all this */
		}
	}
}

static err_t
open_repo(struct worker *w, struct diag *diag)
{
	if (w->clone.repo != NULL) {
		return OK;
	}
	return w->home->is_in_place ? git_open_local(w->conf, &w->clone.repo, diag) : git_clone_open(w->home, &w->clone, diag);
}

static err_t
find_head(struct worker *w, bool is_from_cache, git_oid *out, struct diag *diag)
{
	if (w->home->is_in_place) {
		[[gnu::cleanup(str_fini)]] struct str name = { 0 };
		return git_branch_of_local(w->conf, w->clone.repo, &name, out, diag);
	}
	if (is_from_cache) {
		int ret = git_reference_name_to_id(out, w->clone.repo, w->home->ref);
		return ret < 0 ? git_trouble(diag, ret, "the clone in %.200s has no commit", w->home->dir) : OK;
	}
	return git_fetch(&w->how, w->clone.repo, w->home->ref, out, diag);
}

/* Fetches all of it into a new clone, when there is reason to think that this one is damaged. */
static err_t
renew(struct worker *w, git_oid *head, struct diag *diag)
{
	struct diag why = { 0 };
	err_t err = git_clone_renew(w->home, &w->how, &w->clone, head, &why);
	if (err != OK) {
		*diag = why;
	}
	return err;
}

static err_t
tell_head(struct worker *w, const struct link_frame *pull, const git_oid *head, struct link_frame *out, struct diag *diag)
{
	git_oid base;
	char id[sizeof out->id];
	git_oid_tostr(id, sizeof id, head);
	bool is_whole = (pull->flags & WORKER_WHOLE) != 0 || git_oid_fromstr(&base, pull->id) != 0;
	if (!is_whole && (strcmp(id, pull->id) == 0 || strcmp(id, pull->text) == 0)) {
		*out = (struct link_frame){ .type = LINK_UPTODATE, .fd = -1 };
		memcpy(out->id, id, sizeof out->id);
		return OK;
	}
	struct git_snapshot_in in = {
		.conf = w->conf, .repo = w->clone.repo, .base = is_whole ? NULL : &base, .commit = head, .alive = alive, .ctx = w,
	};
	err_t err = git_snapshot(&in, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && w->home->is_in_place && diag->hint[0] == '\0') {
		diag_hint(diag, "is the repository damaged?  `git -C %.150s fsck` shows it", w->conf->url);
	}
	return err;
}

static err_t
pull_once(struct worker *w, const struct link_frame *pull, struct link_frame *out, struct diag *diag)
{
	git_oid head;
	bool is_from_cache = (pull->flags & WORKER_FROM_CACHE) != 0;
	bool is_renewable = !w->home->is_in_place && !is_from_cache;
	memset(&w->head, 0, sizeof w->head);
	TRY(open_repo(w, diag));
	err_t err = find_head(w, is_from_cache, &head, diag);
	if (err == E_FORMAT && is_renewable) {
		is_renewable = false;
		err = renew(w, &head, diag);
	}
	TRY(err);
	if (w->clone.intake != NULL && intake_is_empty(w->clone.intake)) { /* nothing to wait for */
		TRY(git_clone_keep(w->home, &w->how, &w->clone, &head, diag));
	}
	err = tell_head(w, pull, &head, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && is_renewable) {
		TRY(renew(w, &head, diag));
		err = tell_head(w, pull, &head, out, diag);
	}
	TRY(err);
	w->head = head;
	return OK;
}

static void
send_frame(struct worker *w, const struct link_frame *f)
{
	if (link_send(w->sock, f) != OK) {
		_exit(0); /* the supervisor is gone, and so is the need for all this */
	}
	if (f->fd >= 0) {
		close(f->fd);
	}
}

static void
send_failed(struct worker *w, err_t err, const struct diag *diag)
{
	struct link_frame out = { .type = LINK_FAILED, .status = (uint16_t)err, .fd = -1 };
	snprintf(out.text, sizeof out.text, "%s%s%s", diag->text, diag->hint[0] != '\0' ? " -- " : "", diag->hint);
	send_frame(w, &out);
}

/* True: a COMMIT was sent, and DONE will come. */
static bool
pull(struct worker *w, const struct link_frame *pull)
{
	struct link_frame out = { .fd = -1 };
	struct diag diag = { 0 };
	uint64_t begin = mono_ns();
	err_t err = pull_once(w, pull, &out, &diag);
	if (err != OK) {
		send_failed(w, err, &diag);
		return false;
	}
	out.flags |= out.type == LINK_COMMIT && (pull->flags & WORKER_FROM_CACHE) != 0 ? LINK_FROM_CACHE : 0;
	out.took_ms = (uint32_t)((mono_ns() - begin) / 1000000u);
	send_frame(w, &out);
	return out.type == LINK_COMMIT;
}

static void
get(struct worker *w, const struct link_frame *get)
{
	struct link_frame out = { .type = LINK_FILE, .status = E_IO, .fd = -1 };
	struct diag diag = { 0 };
	git_oid commit;
	if (git_oid_fromstr(&commit, get->id) == 0 && open_repo(w, &diag) == OK) {
		git_snapshot_file(w->conf, w->clone.repo, &commit, get->text, &out);
	}
	send_frame(w, &out);
}

/* What was not done before the other side had its commit. */
static void
keep(struct worker *w)
{
	struct diag diag = { 0 };
	if (w->clone.intake == NULL || git_oid_is_zero(&w->head)) {
		return;
	}
	err_t err = git_clone_keep(w->home, &w->how, &w->clone, &w->head, &diag);
	if (err == OK) {
		err = git_clone_tidy(w->home, &w->how, &w->clone, &w->head, &diag);
	}
	if (err != OK) {
		git_clone_close(&w->clone);
		send_failed(w, err, &diag);
	}
}

/* Nobody has asked for anything for a while.  What takes long is done now, and the supervisor told that it need not wait
 * for the end of it. */
static void
leave(struct worker *w)
{
	struct link_frame leaving = { .type = LINK_DONE, .fd = -1 };
	struct diag diag = { 0 };
	git_oid head;
	if (w->clone.intake != NULL && git_clone_is_grown(w->home) && link_send(w->sock, &leaving) == OK) {
		(void)!git_clone_renew(w->home, &w->how, &w->clone, &head, &diag);
	}
}

/* False: time to go. */
static bool
serve_one(struct worker *w, bool *is_between)
{
	struct link_frame f;
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	/* After COMMIT the other side may take its time: then there is no hurry to be gone. */
	if (poll(&p, 1, *is_between ? (int)w->conf->linger_s * 1000 : -1) == 0) {
		leave(w);
		return false;
	}
	if (link_recv(w->sock, &f) != OK) {
		return false;
	}
	switch (f.type) {
	case LINK_PULL:
		*is_between = !pull(w, &f);
		if (*is_between) {
			keep(w);
		}
		break;
	case LINK_GET:
		get(w, &f);
		break;
	case LINK_DONE:
		*is_between = true;
		keep(w);
		break;
	default:
		break;
	}
	return true;
}

void
git_worker_run(const struct git_conf *conf, const struct git_home *home, int sock)
{
	struct worker w = { .conf = conf, .home = home, .sock = sock };
	w.how = (struct git_how){ .conf = conf, .home = home->dir, .alive = alive, .ctx = &w };
	struct diag diag = { 0 };
	bool is_between = true;
	if (git_lib_begin(&diag) != OK) {
		struct link_frame f = { .type = LINK_FAILED, .status = E_IO, .fd = -1 };
		snprintf(f.text, sizeof f.text, "%s", diag.text);
		(void)!link_send(sock, &f);
		return;
	}
	while (serve_one(&w, &is_between)) {
	}
	git_clone_close(&w.clone);
	git_lib_end();
}
