#include "git/worker.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "git/branch.h"
#include "git/clone.h"
#include "git/connect.h"
#include "git/fetch.h"
#include "git/lib.h"
#include "git/link.h"
#include "git/local.h"
#include "git/push.h"
#include "git/shortage.h"
#include "git/snapshot.h"
#include "git/swap.h"
#include "git/upkeep.h"
#include "ops/clock.h"

struct worker {
	const struct git_conf *conf;
	struct git_how how;
	const struct git_home *home;
	int sock;
	struct git_clone clone; /* stays open for the next PULL; of a local remote in place it is `repo` alone */
	struct git_dirs dirs; /* that were read for GETs since the last PULL or PUSH */
	git_repository *local; /* a local remote that has a clone, once it was pushed to */
	git_oid head;         /* of the last fetch or push that came to something: what keep() is to keep */
	struct str branch;    /* its full name; empty when it came out of the cache */
	bool is_cleared_up;   /* clear_up() */
	struct git_upkeep upkeep; /* of a local remote */
	bool has_noted;       /* what is wrong with that was told */
	bool has_no_branch;   /* the remote was reached and has none of that name */
	unsigned untidied;    /* pushes since the clone was tidied */
	uint64_t told_ns;     /* when PROGRESS was last sent */
};

/* Ten times a second is enough to be known to be alive. */
static void
alive(void *ctx)
{
	struct worker *w = ctx;
	uint64_t now = clock_ns();
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
	str_clear(&w->branch);
	if (w->home->is_in_place) {
		return git_branch_of_local(w->conf, w->clone.repo, &w->branch, out, diag);
	}
	if (is_from_cache) {
		int ret = git_reference_name_to_id(out, w->clone.repo, w->home->ref);
		return ret < 0 ? git_trouble(diag, ret, "the clone in %.200s has no commit", w->home->dir) : OK;
	}
	return git_fetch(&w->how, w->clone.repo, w->home->ref, out, &w->branch, diag);
}

/* Fetches all of it into a new clone, when there is reason to think that this one does not help: `err`.  *head is what the remote has, as
 * far as that is known.  E_FORMAT: all the same it makes no sense. */
static err_t
renew(struct worker *w, err_t err, git_oid *head, struct diag *diag)
{
	struct diag why = { 0 };
	if (shortage_in(diag->text) != NULL || shortage_explain(w->home->dir, diag)) {
		return E_IO; /* the clone is not damaged, and a new one would fare no better */
	}
	if (!git_clone_may_renew(w->home, head)) {
		return err;
	}
	err = git_clone_renew(w->home, &w->how, &w->clone, head, &w->branch, &why);
	if (err != OK) {
		*diag = why;
	}
	if (err == E_FORMAT) {
		git_clone_note_vain(w->home, head);
	}
	return err;
}

static err_t
tell_commit(struct worker *w, const git_oid *base, const git_oid *head, struct link_frame *out, struct diag *diag)
{
	bool is_in_place = w->home->is_in_place;
	const struct git_past_in past = {
		.repo = w->clone.repo, .head = head, .kept = is_in_place ? NULL : w->home->ref, .left = is_in_place ? NULL : w->home->left,
		.branch = is_in_place && w->branch.len != 0 ? str_text(&w->branch) : NULL, .alive = alive, .ctx = w,
	};
	const struct git_snapshot_in in = {
		.conf = w->conf, .repo = w->clone.repo, .base = base, .commit = head, .past = &past, .alive = alive, .ctx = w,
	};
	err_t err = git_snapshot(&in, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && w->home->is_in_place && diag->hint[0] == '\0') {
		diag_hint(diag, "is the repository damaged?  `git -C %.150s fsck` shows it", w->conf->url);
	}
	return err;
}

static err_t
tell_head(struct worker *w, const struct link_frame *pull, const git_oid *head, struct link_frame *out, struct diag *diag)
{
	git_oid base, lost;
	char id[sizeof out->id];
	git_oid_tostr(id, sizeof id, head);
	bool has_base = git_oid_fromstr(&base, pull->id) == 0;
	bool is_whole = (pull->flags & WORKER_WHOLE) != 0 || !has_base;
	bool is_lost_there = git_oid_fromstr(&lost, pull->text) == 0 && git_branch_has(w->clone.repo, head, has_base ? &base : NULL, &lost);
	*out = (struct link_frame){ .type = LINK_UPTODATE, .fd = -1 };
	memcpy(out->id, id, sizeof out->id);
	if (is_whole || strcmp(id, pull->id) != 0) {
		TRY(tell_commit(w, is_whole ? NULL : &base, head, out, diag));
	}
	out->flags |= is_lost_there ? LINK_HAS_PUSHED : 0;
	snprintf(out->text, sizeof out->text, "%s", str_text(&w->branch));
	return OK;
}

/* A push into a local remote that was killed leaves a lock, and nobody else can push until it is gone: that must not wait for
 * the next push of ours.  Once a worker: whoever was killed since has a new one. */
static void
clear_up(struct worker *w)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *opened = NULL;
	struct diag diag = { 0 };
	[[gnu::cleanup(git_local_fini)]] struct git_local l = { .dir = -1 };
	if (w->is_cleared_up || w->conf->scheme != GIT_REMOTE_LOCAL || w->branch.len == 0) {
		return;
	}
	if (!w->home->is_in_place && git_open_local(w->conf, &opened, &diag) != OK) {
		return;
	}
	git_local_look(opened != NULL ? opened : w->clone.repo, &l);
	git_swap_sweep(&l, str_text(&w->branch));
	w->is_cleared_up = true;
}

static err_t
pull_once(struct worker *w, const struct link_frame *pull, struct link_frame *out, struct diag *diag)
{
	git_oid head = { 0 };
	bool is_from_cache = (pull->flags & WORKER_FROM_CACHE) != 0;
	bool is_renewable = !w->home->is_in_place && !is_from_cache;
	memset(&w->head, 0, sizeof w->head);
	w->has_no_branch = false;
	TRY(open_repo(w, diag));
	err_t err = find_head(w, is_from_cache, &head, diag);
	if (err == E_FORMAT && is_renewable) {
		is_renewable = false;
		err = renew(w, err, &head, diag);
	}
	w->has_no_branch = err == E_NOTFOUND && w->branch.len > 0;
	TRY(err);
	clear_up(w);
	if (w->clone.intake != NULL && intake_is_empty(w->clone.intake)) { /* nothing to wait for */
		TRY(git_clone_keep(w->home, &w->how, &w->clone, &head, diag));
	}
	err = tell_head(w, pull, &head, out, diag);
	if ((err == E_IO || err == E_NOTFOUND) && is_renewable) {
		TRY(renew(w, err, &head, diag));
		err = tell_head(w, pull, &head, out, diag);
		if (err != OK) {
			git_clone_note_vain(w->home, &head);
		}
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

/* What failed where nothing can be written failed because of that, whatever a library made of it. */
static void
explain_disk(struct worker *w, err_t err, struct diag *diag)
{
	if (!w->home->is_in_place && (err == E_IO || err == E_NOTFOUND || err == E_FORMAT) && !w->has_no_branch) {
		(void)shortage_explain(w->home->dir, diag);
	}
}

static void
send_failed(struct worker *w, err_t err, uint8_t flags, const struct diag *diag)
{
	struct link_frame out = { .type = LINK_FAILED, .status = (uint16_t)err, .flags = flags, .fd = -1 };
	snprintf(out.text, sizeof out.text, "%s%s%s", diag->text, diag->hint[0] != '\0' ? " -- " : "", diag->hint);
	send_frame(w, &out);
}

/* True: a COMMIT was sent, and DONE will come. */
static bool
pull(struct worker *w, const struct link_frame *pull)
{
	struct link_frame out = { .fd = -1 };
	struct diag diag = { 0 };
	uint64_t begin = clock_ns();
	err_t err = pull_once(w, pull, &out, &diag);
	if (err != OK) {
		explain_disk(w, err, &diag);
		send_failed(w, err, w->has_no_branch ? LINK_NO_BRANCH : 0, &diag);
		return false;
	}
	out.flags |= out.type == LINK_COMMIT && (pull->flags & WORKER_FROM_CACHE) != 0 ? LINK_FROM_CACHE : 0;
	out.took_ms = (uint32_t)((clock_ns() - begin) / 1000000u);
	send_frame(w, &out);
	return out.type == LINK_COMMIT;
}

/* Is the head of a local remote another than `id`, with or without it in its history? */
static bool
has_moved(struct worker *w, const git_oid *id, bool *is_rewritten)
{
	[[gnu::cleanup(git_free_repo)]] git_repository *repo = NULL;
	[[gnu::cleanup(str_fini)]] struct str name = { 0 };
	struct diag diag = { 0 };
	git_oid now;
	if (w->conf->scheme != GIT_REMOTE_LOCAL || git_open_local(w->conf, &repo, &diag) != OK) {
		return false;
	}
	err_t err = git_branch_of_local(w->conf, repo, &name, &now, &diag);
	if (err != OK && err != E_NOTFOUND) {
		return false;
	}
	*is_rewritten = err != OK || !git_branch_has(repo, &now, NULL, id);
	return err != OK || !git_oid_equal(&now, id);
}

/* What is read in place may be moved by others while we read (`git repack`), which another look settles; or be gone for good, when
 * the branch leads elsewhere now. */
static void
get_in_place(struct worker *w, const git_oid *commit, const char *path, struct link_frame *out)
{
	struct diag diag = { 0 };
	bool is_rewritten = false;
	git_dirs_fini(&w->dirs);
	git_clone_close(&w->clone);
	if (open_repo(w, &diag) == OK) {
		git_snapshot_file(w->conf, w->clone.repo, &w->dirs, commit, path, out);
	}
	if ((out->status == E_NOTFOUND || out->status == E_IO) && has_moved(w, commit, &is_rewritten) && is_rewritten) {
		out->status = E_STALE;
	}
}

static void
get(struct worker *w, const struct link_frame *get)
{
	struct link_frame out = { .type = LINK_FILE, .status = E_IO, .fd = -1 };
	struct diag diag = { 0 };
	git_oid commit;
	bool is_id = git_oid_fromstr(&commit, get->id) == 0;
	if (is_id && open_repo(w, &diag) == OK) {
		git_snapshot_file(w->conf, w->clone.repo, &w->dirs, &commit, get->text, &out);
	}
	if (is_id && w->home->is_in_place && (out.status == E_NOTFOUND || out.status == E_IO || out.status == E_STALE)) {
		get_in_place(w, &commit, get->text, &out);
	}
	send_frame(w, &out);
}

static void
on_risk(void *ctx, const git_oid *commit)
{
	struct worker *w = ctx;
	struct link_frame f = { .type = LINK_PROGRESS, .fd = -1 };
	git_oid_tostr(f.id, sizeof f.id, commit);
	send_frame(w, &f);
}

static err_t
push_once(struct worker *w, const struct link_frame *push, struct link_frame *out, struct diag *diag)
{
	const struct git_push_job job = {
		.how = &w->how, .home = w->home, .clone = &w->clone, .local = &w->local, .frame = push, .risk = on_risk, .ctx = w,
	};
	git_oid head = { 0 };
	memset(&w->head, 0, sizeof w->head);
	TRY(open_repo(w, diag));
	err_t err = git_push_commit(&job, out, diag);
	if (err == E_IO && out->id[0] == '\0' && !w->home->is_in_place) { /* the clone does not give what the commit builds on */
		TRY(renew(w, err, &head, diag));
		err = git_push_commit(&job, out, diag);
	}
	return err;
}

/* A push that failed for want of what it builds on: there is no such thing any more, when somebody has rewritten the branch and had
 * git collect what was left over.  Then all of it is to be worked out again. */
static err_t
explain(struct worker *w, const struct link_frame *push, err_t err, struct diag *diag)
{
	git_oid base;
	bool is_rewritten = false;
	bool is_for_want = err == E_IO || err == E_NOTFOUND || err == E_FORMAT || err == E_EXISTS || err == E_BUSY;
	if (!is_for_want || git_oid_fromstr(&base, push->id) != 0 || !has_moved(w, &base, &is_rewritten)) {
		return err;
	}
	diag_set(diag, DIAG_ERROR, "git", "somebody else has pushed to %.200s since", w->conf->shown);
	return E_STALE;
}

static void
push(struct worker *w, const struct link_frame *push)
{
	struct link_frame out = { .fd = -1 };
	struct diag diag = { 0 };
	uint64_t begin = clock_ns();
	err_t err = explain(w, push, push_once(w, push, &out, &diag), &diag);
	if (err != OK) {
		explain_disk(w, err, &diag);
		out.type = LINK_PUSH_FAILED;
		out.status = (uint16_t)err;
		out.id[0] = err == E_UNKNOWN ? out.id[0] : '\0';
		snprintf(out.text, sizeof out.text, "%s%s%s", diag.text, diag.hint[0] != '\0' ? " -- " : "", diag.hint);
	} else {
		(void)git_oid_fromstr(&w->head, out.id);
	}
	out.took_ms = (uint32_t)((clock_ns() - begin) / 1000000u);
	send_frame(w, &out);
}

static err_t
tidy(struct worker *w, struct diag *diag)
{
	w->untidied = 0;
	return git_clone_tidy(w->home, &w->how, &w->clone, &w->head, diag);
}

/* What was not done before the other side had its commit, or its answer.  After a push the next one may be waiting: so many leave
 * little to tidy, unless their files are large. */
static void
keep(struct worker *w, bool is_push)
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
		explain_disk(w, err, &diag);
		send_failed(w, err, 0, &diag);
	}
}

/* ---- a local remote is kept in few packs ---- */

/* Once a worker: it is tried again and again. */
static void
note(struct worker *w, const char *text)
{
	struct link_frame f = { .type = LINK_NOTE, .fd = -1 };
	if (!w->has_noted) {
		w->has_noted = true;
		snprintf(f.text, sizeof f.text, "%s", text);
		send_frame(w, &f);
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

/* After a push. */
static void
begin_upkeep(struct worker *w)
{
	char text[LINK_TEXT_MAX];
	struct diag diag = { 0 };
	bool has_stale_gc;
	if (*local_remote(w) == NULL) {
		return;
	}
	err_t err = git_upkeep_begin(&w->upkeep, &w->how, *local_remote(w), &has_stale_gc, &diag);
	if (err == OK && has_stale_gc) {
		snprintf(text, sizeof text,
		         "gc.pid in %.250s is of a git gc that is no more; it is passed over -- the next git gc there removes it",
		         w->conf->url);
		note(w, text);
	}
	note_trouble(w, err, &diag);
}

static void
look_after_upkeep(struct worker *w)
{
	struct diag diag = { 0 };
	err_t err = git_upkeep_look(&w->upkeep, &diag);
	alive(w); /* the supervisor waits for as long as it is at work */
	note_trouble(w, err, &diag);
	if (err == OK) {
		git_free_repo(local_remote(w)); /* it has packs open that are gone */
	}
}

/* ---- the loop ---- */

/* Nobody has asked for anything for a while.  What takes long is done now, and the supervisor told that it need not wait
 * for the end of it. */
static void
leave(struct worker *w)
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

/* After COMMIT the other side may take its time: then there is no hurry to be gone.  False: nobody has asked for anything for a while. */
static bool
await_frame(struct worker *w, bool is_between)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	while (git_upkeep_is_on(&w->upkeep)) {
		int n = poll(&p, 1, UPKEEP_TURN_MS);
		look_after_upkeep(w);
		if (n > 0) {
			return true;
		}
	}
	return poll(&p, 1, is_between ? (int)w->conf->linger_s * 1000 : -1) != 0;
}

/* False: time to go. */
static bool
serve_one(struct worker *w, bool *is_between)
{
	struct link_frame f;
	if (!await_frame(w, *is_between)) {
		leave(w);
		return false;
	}
	if (link_recv(w->sock, &f) != OK) {
		return false;
	}
	if (f.type != LINK_GET) {
		git_dirs_fini(&w->dirs);
	}
	switch (f.type) {
	case LINK_PULL:
		*is_between = !pull(w, &f);
		if (*is_between) {
			keep(w, false);
		}
		break;
	case LINK_GET:
		get(w, &f);
		break;
	case LINK_DONE:
		*is_between = true;
		keep(w, false);
		break;
	case LINK_PUSH:
		push(w, &f);
		keep(w, true);
		begin_upkeep(w);
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
	w.how = (struct git_how){ .conf = conf, .home = home->dir, .alive = alive, .ctx = &w };
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
	git_dirs_fini(&w.dirs);
	git_clone_close(&w.clone);
	git_free_repo(&w.local);
	str_fini(&w.branch);
	git_lib_end();
}
