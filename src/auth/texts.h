/* auth/texts.h -- texts of files as the commit that is served has them: those that updates come back to.
 *
 * A zone that is updated has its file edited again and again.  The last text of it is what was pushed, so it need not be asked of the git
 * side; where it changes otherwise, it is dropped.  A few, and not the large ones: a file that is not here is asked for.
 *
 * One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	TEXTS_N_MAX = 64,
	TEXTS_ONE_MAX = 1 << 20,  /* octets of one */
	TEXTS_ALL_MAX = 16 << 20, /* of all */
};

struct kept_text {
	char *path, *text; /* owned */
	size_t len;
	uint64_t used;     /* when it was last wanted */
};

struct texts {
	struct kept_text *list; /* owned */
	size_t n, cap, octets;
	uint64_t clock;
};

void texts_fini(struct texts *t); /* empty, and ready again */

/* Borrowed until that path is put or dropped, or texts_trim(); NULL: it is not here. */
const char *texts_find(struct texts *t, const char *path, size_t *len);

/* Keeps a copy in the place of what was there, unless it is large. */
void texts_put(struct texts *t, const char *path, const char *text, size_t len);
void texts_drop(struct texts *t, const char *path);

/* Back to the limits: those that were not wanted for longest go. */
void texts_trim(struct texts *t);
