#include "git/worker.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "git/clone.h"
#include "git/fetch.h"
#include "git/lib.h"
#include "git/link.h"
#include "git/snapshot.h"

struct worker {
	const struct git_conf *conf;
	const struct git_home *home;
	int sock;
	git_repository *repo; /* stays open for the next PULL */
	git_oid head;         /* of the last fetch */
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
	if (w->repo != NULL) {
		return OK;
	}
	return w->home->is_in_place ? git_open_local(w->conf, &w->repo, diag) : git_clone_open(w->home, &w->repo, diag);
}

static err_t
find_head(struct worker *w, bool is_from_cache, git_oid *out, struct diag *diag)
{
	struct git_fetch f = { .conf = w->conf, .home = w->home->dir, .alive = alive, .ctx = w };
	if (w->home->is_in_place) {
		return git_local_head(w->conf, w->repo, out, diag);
	}
	if (is_from_cache) {
		int ret = git_reference_name_to_id(out, w->repo, w->home->ref);
		return ret < 0 ? git_trouble(diag, ret, "the clone in %.200s has no commit", w->home->dir) : OK;
	}
	return git_fetch(&f, w->repo, w->home->ref, out, diag);
}

/* Fetches all of it into a new clone, when there is reason to think that this one is damaged. */
static err_t
renew(struct worker *w, git_oid *head, struct diag *diag)
{
	struct git_fetch f = { .conf = w->conf, .home = w->home->dir, .alive = alive, .ctx = w };
	struct diag why = { 0 };
	err_t err = git_clone_renew(w->home, &f, &w->repo, head, &why);
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
		.conf = w->conf, .repo = w->repo, .base = is_whole ? NULL : &base, .commit = head, .alive = alive, .ctx = w,
	};
	return git_snapshot(&in, out, diag);
}

static err_t
pull_once(struct worker *w, const struct link_frame *pull, struct link_frame *out, struct diag *diag)
{
	git_oid head;
	bool is_from_cache = (pull->flags & WORKER_FROM_CACHE) != 0;
	bool is_renewable = !w->home->is_in_place && !is_from_cache;
	TRY(open_repo(w, diag));
	err_t err = find_head(w, is_from_cache, &head, diag);
	if (err == E_FORMAT && is_renewable) {
		is_renewable = false;
		err = renew(w, &head, diag);
	}
	TRY(err);
	w->head = head;
	err = tell_head(w, pull, &head, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && is_renewable) {
		TRY(renew(w, &head, diag));
		err = tell_head(w, pull, &head, out, diag);
	}
	return err;
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
		out = (struct link_frame){ .type = LINK_FAILED, .status = (uint16_t)err, .fd = -1 };
		snprintf(out.text, sizeof out.text, "%s%s%s", diag.text, diag.hint[0] != '\0' ? " -- " : "", diag.hint);
	}
	out.flags |= out.type == LINK_COMMIT && (pull->flags & WORKER_FROM_CACHE) != 0 ? LINK_FROM_CACHE : 0;
	out.took_ms = (uint32_t)((mono_ns() - begin) / 1000000u);
	if (link_send(w->sock, &out) != OK) {
		_exit(0);
	}
	if (out.fd >= 0) {
		close(out.fd);
	}
	return out.type == LINK_COMMIT;
}

static void
get(struct worker *w, const struct link_frame *get)
{
	struct link_frame out = { .type = LINK_FILE, .status = E_IO, .fd = -1 };
	struct diag diag = { 0 };
	git_oid commit;
	if (git_oid_fromstr(&commit, get->id) == 0 && open_repo(w, &diag) == OK) {
		git_snapshot_file(w->conf, w->repo, &commit, get->text, &out);
	}
	if (link_send(w->sock, &out) != OK) {
		_exit(0);
	}
	if (out.fd >= 0) {
		close(out.fd);
	}
}

/* What was not done before the other side had its commit.  Trouble in it is no trouble of a pull: the next one meets it
 * again, if it matters. */
static void
tidy(struct worker *w)
{
	struct git_fetch f = { .conf = w->conf, .home = w->home->dir, .alive = alive, .ctx = w };
	struct diag diag = { 0 };
	if (w->repo != NULL && !w->home->is_in_place && !git_oid_is_zero(&w->head)) {
		(void)!git_clone_tidy(w->home, &f, &w->repo, &w->head, &diag);
	}
}

/* False: time to go. */
static bool
serve_one(struct worker *w, bool *is_between)
{
	struct link_frame f;
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	/* After COMMIT the other side may take its time: then there is no hurry to be gone. */
	if (poll(&p, 1, *is_between ? (int)w->conf->linger_s * 1000 : -1) == 0 || link_recv(w->sock, &f) != OK) {
		return false;
	}
	switch (f.type) {
	case LINK_PULL:
		*is_between = !pull(w, &f);
		break;
	case LINK_GET:
		get(w, &f);
		break;
	case LINK_DONE:
		*is_between = true;
		tidy(w);
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
	git_repository_free(w.repo);
	git_lib_end();
}
