/* tests/sim/remote.h -- the repository of a primary, at a git host: files, and a line of commits.
 *
 * People and primaries push to it.  A primary's push comes in as one commit on top of another; one of which the sender does not hear may
 * have arrived, or never does, or arrives later.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_FILES_MAX = 8, TREE_PATH_MAX = 64, COMMITS_MAX = 2048, SIGNED_MAX = 2, SIGNED_NAME_MAX = 64 };

struct tree {
	struct tree_file {
		char path[TREE_PATH_MAX]; /* "": none */
		char *text;               /* owned; NULL: it is not there */
	} files[TREE_FILES_MAX];
};

void tree_fini(struct tree *t);
void tree_copy(struct tree *to, const struct tree *from);
void tree_put(struct tree *t, const char *path, const char *text, size_t len); /* NULL: the file is removed */
const char *tree_get(const struct tree *t, const char *path);                  /* NULL: it is not there */

/* Numbers of commits are their places in the list; 0: none. */
struct commit_note {
	unsigned parent;
	bool is_of_people;
	size_t signed_n;
	struct commit_signed {
		char key[SIGNED_NAME_MAX];
		uint64_t at_s;
	} signed_until[SIGNED_MAX];
};

/* A commit on its way. */
struct pushed {
	struct tree changes; /* files that are not named stay */
	unsigned base, commit;
};

struct remote {
	struct tree files;
	unsigned head, commits_n;
	struct commit_note commits[COMMITS_MAX];
	bool has_late;       /* that one arrives at late_ns */
	struct pushed late;
	uint64_t late_ns;
};

void remote_fini(struct remote *r);
void remote_take_people(struct remote *r, const char *path, const char *text, size_t len); /* one commit of people */
void remote_rewrite(struct remote *r);      /* its history is not that of before */
unsigned remote_new_commit(struct remote *r, unsigned parent, const char *message); /* a primary has made one */
bool remote_take(struct remote *r, const struct pushed *p); /* false: the branch is somewhere else */
bool remote_has(const struct remote *r, unsigned head, unsigned commit); /* is one in the history of the other? */
void remote_delay(struct remote *r, struct pushed *p, uint64_t until_ns); /* takes what is in it */

void pushed_fini(struct pushed *p);
