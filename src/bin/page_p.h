/* bin/page_p.h -- parts of the page; private to page*.c.
 */
#pragma once

#include "bin/page.h"

extern const char page_style[];

/* The charts, as drawings in SVG. */
void page_put_charts(const struct history *h, struct str *out);
