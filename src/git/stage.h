/* git/stage.h -- private to src/git: puts a new pack into a repository.
 *
 * The repository may be anybody's, with other processes at work in it.  Pack and index are written under other names first, and get
 * theirs by a rename each, the index last: without it nobody looks into the pack.  So there is all of it or nothing.
 */
#pragma once

#include "base/diag.h"
#include "git/packout.h"

enum {
	GIT_PACK_NAME = 5 + 2 * ID_LEN + 1, /* "pack-", a checksum in hex, NUL */
	GIT_STAGED_NAME = 128,
};

/* The name of a pack that is made here. */
void git_pack_name(const struct pack_out *out, char name[GIT_PACK_NAME]);

/* Where a pack is to be. */
struct git_placing {
	int dir;           /* the repository's directory, borrowed */
	const char *where; /* its path, which ends in "/", for messages; borrowed */
	const char *stem;  /* what both files are called until then, in `dir`, without endings, borrowed; NULL: "tmp_..." in objects/pack */
	int shared;        /* as file_shared() */
};

/* A pack that is written, and has no name yet. */
struct git_staged {
	const struct git_placing *how;
	int packs; /* the directory objects/pack */
	int fd[2]; /* pack, index */
	char name[GIT_PACK_NAME];
	char tmp[2][GIT_STAGED_NAME]; /* "": it is not there, or has its name already */
};

#define GIT_STAGED_NONE ((struct git_staged){ .packs = -1, .fd = { -1, -1 } })

/* `s` is GIT_STAGED_NONE before; `how` is borrowed until git_unstage().  E_IO; E_REFUSED: no right to. */
err_t git_stage(const struct git_placing *how, const struct pack_out *out, struct git_staged *s, struct diag *diag);
err_t git_stage_sync(struct git_staged *s, struct diag *diag);                   /* the content is on the disk */
err_t git_stage_place(struct git_staged *s, bool is_durable, struct diag *diag); /* the names are there; and on the disk */
void git_unstage(struct git_staged *s);                                          /* a cleanup handler: what was not placed goes */
