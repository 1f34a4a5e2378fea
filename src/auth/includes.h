/* auth/includes.h -- files that zones read by $INCLUDE: which zone reads which, and their texts while a commit is worked out.
 *
 * Many zones may share a few such files.  Each is opened once for all of them, and a zone keeps pointers to the one entry of
 * each file that it reads; so the cost of a commit depends on the length of its texts only.
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

/* Most octets of texts that are kept at a time.  A file for which there is no room is opened again each time. */
enum { INCLUDES_KEPT_MAX = 64 << 20 };

struct include {
	char *path;      /* owned */
	size_t users;    /* references to this entry */
	uint64_t seen;   /* for the caller: the number of its last reader */
	bool is_changed; /* for the caller */
	bool is_tried;   /* the file was opened, or could not be opened: */
	err_t err;
	char *text;      /* owned; NULL although err is OK: there was no room for it */
	size_t len;
	struct include *next_tried;
};

/* Ready for use, and empty, when zeroed. */
struct includes {
	struct strmap map;
	struct include *tried;
	size_t kept; /* octets */
};

/* Where files come from; as in struct master_reader. */
struct includes_source {
	void *ctx;
	err_t (*open)(void *ctx, const char *path, struct master_text *out);
	void (*close)(void *ctx, struct master_text *text);
};

struct include *includes_find(const struct includes *t, const char *path); /* NULL: nobody has a reference */
struct include *includes_hold(struct includes *t, const char *path);       /* adds a reference; NULL: no memory */
/* Drops a reference.  Without references the entry is freed, at the latest by includes_forget(). */
void includes_release(struct includes *t, struct include *i);

/* The text of a file, valid until it is closed.  It is read from the source only the first time, if there is room to keep it. */
err_t includes_open(struct includes *t, const struct includes_source *from, const char *path, struct master_text *out);
void includes_close(const struct includes_source *from, struct master_text *text);

void includes_forget(struct includes *t); /* drops all texts, since the next commit may have others */
void includes_fini(struct includes *t);   /* no references may be left; empty, and ready to be used again */
