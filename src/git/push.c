#include "git/push.h"

#include <string.h>

#include "git/link_files.h"
#include "git/local.h"
#include "ops/clock.h"

/* Into a remote on this machine: without git if that is possible. */
static err_t
push_local(const struct git_pushing *p, git_repository *remote, struct diag *diag)
{
	err_t err = git_push_direct(p, remote, diag);
	return err == E_UNSUPPORTED ? git_push_receive(p, remote, diag) : err;
}

static err_t
push_any(const struct git_pushing *p, struct diag *diag)
{
	const struct git_push_job *j = p->job;
	if (j->how->conf->scheme != GIT_REMOTE_LOCAL) {
		return git_push_upload(p, j->clone->repo, diag);
	}
	if (j->home->is_in_place) {
		return push_local(p, j->clone->repo, diag);
	}
	if (*j->local == NULL) {
		TRY(git_open_local(j->how->conf, j->local, diag));
	}
	return push_local(p, *j->local, diag);
}

/* A clone must be complete: the remote may be out of reach some day, and may remove objects at any time.  So the intake
 * of the clone (git/intake.h) gets a copy of the new objects.  libgit2 sends them from there.  After the PUSH was
 * answered they are written to the disk, like the objects of a fetch. */
static err_t
give_clone(const struct git_pushing *p, struct intake *intake, struct diag *diag)
{
	for (size_t i = 0; i < p->made->n; i++) {
		const struct git_made_object *o = &p->made->objects[i];
		err_t err = intake_take(intake, o->id, (git_object_t)o->type, o->data, o->len);
		if (err != OK) {
			diag_set(diag, DIAG_ERROR, "git", "no memory for the commit that is to be pushed");
			return err;
		}
	}
	return OK;
}

static err_t
push_made(const struct git_pushing *p, struct diag *diag)
{
	struct intake *intake = p->job->clone->intake;
	err_t err = intake != NULL ? give_clone(p, intake, diag) : OK;
	if (err == OK) {
		err = push_any(p, diag);
	}
	if (err != OK && intake != NULL) {
		intake_drop(intake);
	}
	return err;
}

static err_t
make(const struct git_push_job *job, const struct link_map *map, const git_oid *base, struct git_made *made,
     struct diag *diag)
{
	const struct git_commit_in in = {
		.conf = job->how->conf, .repo = job->clone->repo, .base = base, .last = job->last, .map = map, .n = job->frame->n,
		.now_s = (int64_t)(job->frame->now_s != 0 ? job->frame->now_s : clock_wall_s()),
	};
	return git_commit_make(&in, made, diag);
}

static err_t
push_mapped(const struct git_push_job *job, const struct link_map *map, struct link_frame *out, struct diag *diag)
{
	[[gnu::cleanup(git_made_fini)]] struct git_made made = { 0 };
	git_oid id;
	const git_oid *base = job->frame->id[0] != '\0' ? &id : NULL;
	uint64_t begin = clock_us();
	if (base != NULL && git_oid_fromstr(&id, job->frame->id) != 0) {
		diag_set(diag, DIAG_ERROR, "git", "%.64s is not the name of a commit", job->frame->id);
		return E_FORMAT;
	}
	TRY(make(job, map, base, &made, diag));
	const struct git_pushing p = { .job = job, .how = job->how, .base = base, .made = &made };
	uint64_t half = clock_us();
	err_t err = push_made(&p, diag);
	git_oid_tostr(out->id, sizeof out->id, &made.commit);
	out->commit_us = (uint32_t)(half - begin);
	out->push_us = (uint32_t)(clock_us() - half);
	if (err == OK) {
		git_made_keep(&made, job->last);
	}
	return err;
}

err_t
git_push_commit(const struct git_push_job *job, struct link_frame *out, struct diag *diag)
{
	struct link_map map;
	*out = (struct link_frame){ .type = LINK_PUSHED, .fd = -1 };
	err_t err = job->frame->fd >= 0 ? link_map(job->frame->fd, &map) : E_FORMAT;
	if (err != OK) {
		diag_set(diag, DIAG_ERROR, "git", "a PUSH without a sealed file: %s", err_str(err));
		return err;
	}
	err = push_mapped(job, &map, out, diag);
	link_unmap(&map);
	return err;
}
