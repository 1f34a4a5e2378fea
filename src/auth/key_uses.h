/* auth/key_uses.h -- remembers approximately when each key was last used.
 *
 * A table of fixed size that any number of threads write and read without locks: an entry is one word, with the time and a hash
 * of the key's name.  When there are more keys than entries, those that were used longest ago are forgotten.  The table belongs
 * to the process, not to a view, so a commit that changes keys does not clear it.
 *
 * Pure: the time comes in.  Noting a use costs a look at four words, and at most one store a second.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_USES_WAYS = 4, KEY_USES_ROWS = 4096 };

/* Ready for use, and empty, when zeroed. */
struct key_uses {
	_Atomic uint64_t entry[KEY_USES_ROWS][KEY_USES_WAYS]; /* hash << 32 | seconds since 1970; 0: free */
};

void key_uses_note(struct key_uses *t, const uint8_t *name, uint64_t now_s);
uint64_t key_uses_last(const struct key_uses *t, const uint8_t *name); /* 0: never, or forgotten */
