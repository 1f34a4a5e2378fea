/* git/stage.h -- private to src/git: puts a new pack into a repository.
 *
 * The repository may be anybody's, with other processes at work in it.  Pack and index are written under temporary
 * names.  Then each is renamed, the index last: git does not look into a pack without an index.  So git sees all of the
 * new pack or nothing of it.
 */
#pragma once

#include "base/diag.h"
#include "git/packout.h"

enum {
	GIT_PACK_NAME = 5 + 2 * ID_LEN + 1, /* "pack-", a checksum in hex, NUL */
	GIT_STAGED_NAME = 128,
};

/* The name that git gives to such a pack. */
void git_pack_name(const struct pack_out *out, char name[GIT_PACK_NAME]);

/* Where a pack is to be. */
struct git_placing {
	int dir;           /* the repository's directory, borrowed */
	const char *where; /* its path, which ends in "/", for messages; borrowed */
	const char *stem;  /* the temporary name of both files in `dir`, without ending, borrowed; NULL: "tmp_..." in objects/pack */
	int shared;        /* as file_shared() */
};

/* A pack that is written under a temporary name. */
struct git_staged {
	const struct git_placing *how;
	int packs; /* the directory objects/pack */
	int fd[2]; /* pack, index */
	char name[GIT_PACK_NAME];
	char tmp[2][GIT_STAGED_NAME]; /* the temporary names; "": the file is not there, or was renamed */
};

#define GIT_STAGED_NONE ((struct git_staged){ .packs = -1, .fd = { -1, -1 } })

/* Writes pack and index.  `s` is GIT_STAGED_NONE before; `how` is borrowed until git_unstage().  E_REFUSED: we may not
 * write there; E_IO. */
err_t git_stage(const struct git_placing *how, const struct pack_out *out, struct git_staged *s, struct diag *diag);

/* Afterwards the contents are on the disk. */
err_t git_stage_sync(struct git_staged *s, struct diag *diag);

/* Renames both files.  If `is_durable`, their names are on the disk afterwards. */
err_t git_stage_place(struct git_staged *s, bool is_durable, struct diag *diag);

/* A cleanup handler: removes the files that were not renamed. */
void git_unstage(struct git_staged *s);
