#include "zone/edit.h"

#include <stdlib.h>

#include "zone/edit_p.h"

static err_t
make(struct editor *e, struct edit *out)
{
	TRY(edit_files_begin(e));
	TRY(edit_changes_take(e));
	TRY(edit_scan(e));
	TRY(edit_place(e));
	TRY(edit_render(e));
	TRY(edit_files_apply(e));
	TRY(edit_verify(e));
	return edit_files_hand_out(e, out);
}

err_t
edit_zone(const struct edit_in *in, struct edit *out, struct diag *why)
{
	struct editor e = { .in = in, .why = why };
	ASSERT(zone_changes_are_whole(in->changes));
	why->code = NULL;
	err_t err = make(&e, out);
	if (err == E_FORMAT && why->code == NULL) {
		(void)edit_fail(&e, NULL, 0, "edit-mismatch", "", "the text cannot be edited like this");
	}
	edit_files_fini(&e);
	free(e.owners);
	free(e.changes);
	arena_fini(&e.arena);
	return err;
}
