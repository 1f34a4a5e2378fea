/* zone/discreet.h -- diagnostics that quote nothing from a file that holds keys, nor from a line that has a secret in it.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"

/* For a file that looks like a keys file (dns/secret.h): removes everything that the diagnostic quotes, and keeps its code and
 * place. */
void discreet_hide(struct diag *d);

/* True when the diagnostic is about a record that holds a secret: then its text says enough, and the line must not be shown. */
bool discreet_is_needed(const struct diag *d);

/* Removes the line, and the text if it quotes `word`, if either could contain a secret.  Not for RDATA, which may be any text. */
void discreet_hide_words(struct diag *d, const char *word, size_t word_len);
