#include "git/pack_objects.h"

#include <stdlib.h>

#include "base/alloc.h"

void
git_ids_fini(struct git_ids *all)
{
	free(all->ids);
	*all = (struct git_ids){ 0 };
}

void
git_ids_add(struct git_ids *all, const git_oid *id)
{
	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 256 : all->cap * 2;
		all->ids = xrealloc(all->ids, all->cap * sizeof *all->ids);
	}
	all->ids[all->n++] = *id;
}

static int
on_packing(int stage, uint32_t current, uint32_t total, void *ctx)
{
	const struct git_how *how = ctx;
	(void)stage;
	(void)current;
	(void)total;
	how->alive(how->ctx);
	return 0;
}

err_t
git_pack_objects(git_repository *repo, const struct git_how *how, const struct git_ids *ids, struct diag *diag)
{
	git_packbuilder *pb = NULL;
	int ret = git_packbuilder_new(&pb, repo);
	if (ret == 0) {
		git_packbuilder_set_threads(pb, 1);
		ret = git_packbuilder_set_callbacks(pb, on_packing, (void *)(uintptr_t)how);
	}
	for (size_t i = 0; i < ids->n && ret == 0; i++) {
		ret = git_packbuilder_insert(pb, &ids->ids[i], NULL);
	}
	ret = ret == 0 ? git_packbuilder_write(pb, NULL, 0, NULL, NULL) : ret;
	err_t err = ret < 0 ? git_trouble(diag, ret, "cannot pack objects of %.200s", git_repository_path(repo)) : OK;
	git_packbuilder_free(pb);
	return err;
}
