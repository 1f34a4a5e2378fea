/* zone/discreet.h -- diagnostics that quote nothing from a file that holds keys, nor from a line that has a secret in it.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

/* The file looks like one of keys (dns/secret.h): what the diagnostic quotes of it goes, its code and place stay. */
void discreet_hide(struct diag *d);

/* Is it about a record that holds a secret?  Then its text says enough, and its line is not shown. */
bool discreet_is_needed(const struct diag *d);

/* Takes away the line, and a text that quotes `word`, where there could be a secret in them.  Not for data of records, which may be
 * anything. */
void discreet_hide_words(struct diag *d, const char *word, size_t word_len);
