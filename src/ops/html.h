/* ops/html.h -- text that others have written, within HTML.
 *
 * Pure.
 */
#pragma once

#include "base/str.h"

/* Writes the text so that it stands for itself, between tags and in quoted attributes.  Octets other than printable ASCII are written as
 * \xHH, as in the log: no text changes how what follows it is read or shown. */
void html_put(struct str *out, const char *text);
