/* bin/page.h -- a survey as one HTML page for people: the state of the daemon, charts of the last hours, and what is wrong first.
 *
 * The page has no script, and loads nothing.  Its style is a part of it; PAGE_POLICY, which goes with it as a header, allows that style by
 * its digest and nothing else.  All texts are escaped (ops/html.h).
 *
 * Pure.
 */
#pragma once

#include "base/str.h"
#include "bin/history.h"
#include "bin/survey.h"

struct page {
	const char *program;           /* "oprimary" */
	const struct survey *survey;
	const struct history *history;
};

void page_write(const struct page *p, struct str *out);

/* The header Content-Security-Policy.  E_CRYPTO. */
enum { PAGE_POLICY_MAX = 256 };
err_t page_policy(char out[PAGE_POLICY_MAX]);
