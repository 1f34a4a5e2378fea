/* A PUSH: see git/worker_p.h. */
#include <stdio.h>
#include <string.h>

#include "git/push.h"
#include "git/worker_p.h"

static void
on_risk(void *ctx, const git_oid *commit)
{
	struct worker *w = ctx;
	struct link_frame f = { .type = LINK_PROGRESS, .fd = -1 };
	git_oid_tostr(f.id, sizeof f.id, commit);
	worker_send(w, &f);
}

static err_t
push_once(struct worker *w, const struct link_frame *push, struct link_frame *out, struct diag *diag)
{
	const struct git_push_job job = {
		.how = &w->how, .home = w->home, .clone = &w->clone, .local = &w->local, .last = &w->last, .frame = push,
		.risk = on_risk, .ctx = w,
	};
	git_oid head = { 0 };
	memset(&w->head, 0, sizeof w->head);
	TRY(worker_open_repo(w, diag));
	err_t err = git_push_commit(&job, out, diag);
	if (err == E_IO && out->id[0] == '\0' && !w->home->is_in_place) { /* no commit was made: the clone lacks objects of the base */
		TRY(worker_renew(w, err, &head, diag));
		err = git_push_commit(&job, out, diag);
	}
	return err;
}

/* A push fails when objects that it builds on are gone.  That happens after somebody has rewritten the branch and git
 * has removed the old objects.  The error is E_STALE then: the change has to be made again on the new head. */
static err_t
explain(struct worker *w, const struct link_frame *push, err_t err, struct diag *diag)
{
	git_oid base;
	bool is_rewritten = false;
	bool may_lack = err == E_IO || err == E_NOTFOUND || err == E_FORMAT || err == E_EXISTS || err == E_BUSY;
	if (!may_lack || git_oid_fromstr(&base, push->id) != 0 || !worker_has_moved(w, &base, &is_rewritten)) {
		return err;
	}
	diag_set(diag, DIAG_ERROR, "git", "somebody else has pushed to %.200s meanwhile", w->conf->shown);
	return E_STALE;
}

void
worker_push(struct worker *w, const struct link_frame *push)
{
	struct link_frame out = { .fd = -1 };
	struct diag diag = { 0 };
	err_t err = explain(w, push, push_once(w, push, &out, &diag), &diag);
	if (err != OK) {
		worker_explain_disk(w, err, &diag);
		out.type = LINK_PUSH_FAILED;
		out.status = (uint16_t)err;
		out.id[0] = err == E_UNKNOWN ? out.id[0] : '\0';
		worker_put_words(&out, &diag);
	} else {
		(void)git_oid_fromstr(&w->head, out.id);
	}
	worker_send(w, &out);
}
