/* git/intake_p.h -- private to git/intake*.c: the objects that an intake has in memory.
 *
 *   intake.c        the objects, as a backend of libgit2's object database; the functions of git/intake.h
 *   intake_fetch.c  one fetch: reads the objects out of its pack
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
	git_odb_backend parent; /* the first member, so that libgit2's pointer to it leads to the intake */
	git_odb *disk;          /* the clone's objects without the intake; intake_flush() writes there */
	char *dir;              /* the directory of the clone's objects */
	struct object *objects;
	size_t n, cap;
	size_t total;           /* octets in memory */
	struct id_map by_id;
};

/* Takes `data`. */
void intake_add(struct intake *in, const uint8_t id[PACK_ID], enum pack_type type, uint8_t *data, size_t len);

/* As struct git_odb_backend's `writepack`: makes the receiver to which libgit2 gives the pack of one fetch. */
int intake_writepack(git_odb_writepack **out, git_odb_backend *backend, git_odb *odb, git_indexer_progress_cb progress,
                     void *payload);
