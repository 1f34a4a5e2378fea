/* image/cmdline.h -- the words of the kernel's command line that are for us.
 *
 * The command line is also the kernel's and the boot loader's.  Ours are the words that begin with "--", and all words after a "--" that
 * stands alone.  Words are separated by spaces; within double quotes a space is part of the word, and the quotes are left out.  There
 * is no escape for a quote: the kernel has none either.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include "base/err.h"

enum {
	CMDLINE_MAX = 2047,     /* octets: of a longer one the kernel for x86 drops the rest (COMMAND_LINE_SIZE) */
	CMDLINE_WORDS_MAX = 64,
};

struct cmdline {
	char text[CMDLINE_MAX + 1]; /* the words, without quotes, each with a NUL */
	char *words[CMDLINE_WORDS_MAX + 1]; /* ours, within text; NULL after the last */
	size_t words_n;
};

/* `text` is what /proc/cmdline has.  E_LIMIT: so long that the kernel may have dropped a part, or too many words; E_FORMAT: a quote without
 * its partner. */
err_t cmdline_read(struct cmdline *c, const char *text, size_t len, struct diag *diag);
