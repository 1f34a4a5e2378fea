/* bin/clean.h -- makes foreign text (files of a repository, answers of a server) safe to print on a terminal or as JSON.
 *
 * UTF-8 stays as it is, except control characters, which could steer a terminal.  These, and octets that are no UTF-8, become "?".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Octets of the UTF-8 character at `s`; 0 when there is no well-formed one (RFC 3629 4). */
size_t clean_utf8_len(const uint8_t *s, size_t left);

void clean_put_octets(struct str *out, const char *text, size_t len);
void clean_put(struct str *out, const char *text);
