/* A push into a bare repository on this machine that asks for nothing which only git can give: see git/push.h.
 *
 * One small pack has all that is new.  Three things must be on the disk before the PUSH is answered, and in this order, so that
 * neither a crash nor a power cut leaves a branch that leads to nothing:
 *
 *   1. what is in the pack, in its index, and in the marker that becomes the branch
 *   2. the names of pack and index
 *   3. the name of the branch
 *
 * That is five fsync(), of which three do the work: the files of the first step are all written before the first of them is
 * synced, so that a journal commits them together, and the other two find nothing to do.  Loose objects would take a file and a
 * directory each.  ext4 and XFS write renames in their order, so there the second step could be left out; but ext4 without a
 * journal, btrfs and others promise that for nothing but fsync().  Measured (ext4, virtual disk, 3 kB of zone; median of the
 * writing alone): nothing synced 0.3 ms, this 1.3, without the second step 1.1, as git's core.fsyncMethod=batch has it (each file
 * written out, one fsync() for all) 0.8, each file synced as it is written 1.4, loose objects 3.2.
 */
#include "git/push.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "git/branch.h"
#include "git/local.h"
#include "git/reflog.h"
#include "git/stage.h"
#include "git/swap.h"

/* Who made the commit, as it stands in it. */
static void
find_committer(const struct git_made *made, char out[512])
{
	const struct git_made_object *o = &made->objects[made->n - 1];
	const char *line = memmem(o->data, o->len, "\ncommitter ", 11);
	size_t left = line != NULL ? o->len - (size_t)(line + 11 - (const char *)o->data) : 0;
	const char *end = left > 0 ? memchr(line + 11, '\n', left) : NULL;
	snprintf(out, 512, "%.*s", end != NULL ? (int)(end - line - 11) : 0, end != NULL ? line + 11 : "");
}

static err_t
write_all(const struct git_pushing *p, const struct git_local *l, const char *ref, const struct pack_out *pack,
          struct diag *diag)
{
	[[gnu::cleanup(git_swap_end)]] struct git_swap swap = { .fd = -1 };
	[[gnu::cleanup(git_unstage)]] struct git_staged staged = GIT_STAGED_NONE;
	const struct git_placing how = { .dir = l->dir, .where = l->where, .stem = swap.stem, .shared = l->shared };
	char name[GIT_PACK_NAME], who[512];
	git_pack_name(pack, name);
	find_committer(p->made, who);
	TRY(git_swap_begin(l, ref, &p->made->commit, name, &swap, diag));
	TRY(git_stage(&how, pack, &staged, diag));
	TRY(git_swap_sync(&swap, diag));
	TRY(git_stage_sync(&staged, diag));
	p->job->risk(p->job->ctx, &p->made->commit);
	TRY(git_swap_lock(&swap, p->base, diag));
	TRY(git_stage_place(&staged, true, diag));
	TRY(git_reflog_note(l, ref, p->base, &p->made->commit, who, diag));
	return git_swap_commit(&swap, diag);
}

err_t
git_push_direct(const struct git_pushing *p, git_repository *remote, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str ref = { 0 };
	[[gnu::cleanup(pack_out_fini)]] struct pack_out pack = { 0 };
	[[gnu::cleanup(git_local_fini)]] struct git_local local = { .dir = -1 };
	git_oid now;
	git_local_look(remote, &local);
	err_t err = git_branch_of_local(p->how->conf, remote, &ref, &now, diag);
	if (err != OK && err != E_NOTFOUND) {
		return err;
	}
	if (!local.is_direct || strncmp(str_text(&ref), "refs/heads/", 11) != 0) {
		return E_UNSUPPORTED;
	}
	bool is_there = err == OK;
	if (is_there != (p->base != NULL) || (is_there && !git_oid_equal(&now, p->base))) { /* no need to deflate 40 MB for that */
		diag_set(diag, DIAG_ERROR, "git", "somebody else has pushed to %.200s since", str_text(&ref));
		return E_STALE;
	}
	err = git_made_pack(p->made, &pack);
	if (err != OK) {
		diag_set(diag, DIAG_ERROR, "git", "cannot make a pack of the commit: %s", err_str(err));
		return err;
	}
	return write_all(p, &local, str_text(&ref), &pack, diag);
}
