/* git/intake_p.h -- private to git/intake*.c: the objects that an intake has in memory.
 *
 *   intake.c        the objects, as a database of libgit2's; what the intake does for others
 *   intake_fetch.c  one fetch: its pack becomes objects
 */
#pragma once

#include <git2/sys/odb_backend.h>

#include "git/idmap.h"
#include "git/intake.h"
#include "git/pack.h"

struct object {
	uint8_t id[PACK_ID];
	enum pack_type type; /* PACK_COMMIT to PACK_TAG, which are git_object_t's numbers too */
	uint8_t *data;
	size_t len;
};

struct intake {
	git_odb_backend parent; /* first: libgit2 knows the intake by it */
	git_odb *disk;          /* the clone's objects without us; to write to */
	char *dir;              /* of the clone's objects */
	struct object *objects;
	size_t n, cap;
	size_t total;           /* octets in memory */
	struct id_map by_id;
};

/* Takes `data`. */
void intake_add(struct intake *in, const uint8_t id[PACK_ID], enum pack_type type, uint8_t *data, size_t len);

/* As struct git_odb_backend's `writepack`: libgit2 gives a fetch's pack to what this makes. */
int intake_writepack(git_odb_writepack **out, git_odb_backend *backend, git_odb *odb, git_indexer_progress_cb progress,
                     void *payload);
