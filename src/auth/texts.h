/* auth/texts.h -- keeps the texts of files that updates change again and again.
 *
 * The file of a zone that is updated is edited often.  We have pushed its last text ourselves, so we need not ask the git process
 * for it.  When another commit changes the file, the text is dropped.  Only a few small texts are kept; other files are
 * read from the git process.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	TEXTS_N_MAX = 64,
	TEXTS_ONE_MAX = 1 << 20,  /* octets of one text */
	TEXTS_ALL_MAX = 16 << 20, /* octets of all texts */
};

struct kept_text {
	char *path, *text; /* owned */
	size_t len;
	uint64_t used;     /* t->clock when it was last used */
};

struct texts {
	struct kept_text *list; /* owned */
	size_t n, cap, octets;
	uint64_t clock;
};

void texts_fini(struct texts *t); /* empty, and ready to be used again */

/* The text of a file, borrowed until that path is put or dropped, or until texts_trim().  NULL: it is not kept. */
const char *texts_find(struct texts *t, const char *path, size_t *len);

/* Keeps a copy instead of the old text, unless it is large. */
void texts_put(struct texts *t, const char *path, const char *text, size_t len);
void texts_drop(struct texts *t, const char *path);

/* Drops the texts that were not used for longest, until the limits hold. */
void texts_trim(struct texts *t);
