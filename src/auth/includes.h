/* auth/includes.h -- files that zones read by $INCLUDE: who reads which, and their texts while a commit is worked out.
 *
 * Many zones share a few of them.  Each is opened once for all that read it, and a zone keeps what it reads as pointers to the one
 * entry of each file, so that a commit costs what its texts are long.
 *
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "zone/master.h"

/* Octets of texts that are kept at a time; a file for which there is no room is opened each time: then its length is the cost. */
enum { INCLUDES_KEPT_MAX = 64 << 20 };

struct include {
	char *path;      /* owned */
	size_t users;    /* that hold it */
	uint64_t seen;   /* the caller's: by whom it was seen last */
	bool is_changed; /* the caller's */
	bool is_tried;   /* it was opened, or could not be: */
	err_t err;
	char *text;      /* owned; NULL with OK: there was no room for it */
	size_t len;
	struct include *next_tried;
};

/* Zero-initialised it is empty and ready. */
struct includes {
	struct strmap map;
	struct include *tried;
	size_t kept; /* octets */
};

/* Where files come from, as in struct master_reader. */
struct includes_source {
	void *ctx;
	err_t (*open)(void *ctx, const char *path, struct master_text *out);
	void (*close)(void *ctx, struct master_text *text);
};

struct include *includes_find(const struct includes *t, const char *path); /* NULL: nobody holds it */
struct include *includes_hold(struct includes *t, const char *path);       /* one user more; NULL: no memory */
void includes_release(struct includes *t, struct include *i);              /* one less; without any it is gone, in time */

/* The text of a file, out of the source the first time, good until it is closed. */
err_t includes_open(struct includes *t, const struct includes_source *from, const char *path, struct master_text *out);
void includes_close(const struct includes_source *from, struct master_text *text);

void includes_forget(struct includes *t); /* all texts: from here on they may be others */
void includes_fini(struct includes *t);   /* nobody holds any; empty, and ready again */
