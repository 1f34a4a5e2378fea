/* tests/unit/serve.h -- a view made from master-file text, for tests of answering. */
#pragma once

#include <string.h>

#include "auth/primary.h"
#include "auth/server.h"
#include "base/alloc.h"

static inline err_t
serve_no_file(void *ctx, const char *path, struct master_text *out)
{
	(void)ctx, (void)path, (void)out;
	return E_NOTFOUND;
}

static inline void
serve_close(void *ctx, struct master_text *text)
{
	(void)ctx, (void)text;
}

/* Each pair: file name, text.  The primary is freed by the caller; NULL when a file was rejected. */
static inline struct primary *
serve_files(const char *const files[][2], size_t n)
{
	static const struct primary_conf conf = { 100, 100, 100 };
	static const struct primary_log log;
	struct source_change changes[16];
	struct source_commit commit = { .id = "c0ffee", .changes = changes, .n = n, .is_whole = true,
		                        .open = serve_no_file, .close = serve_close };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct source_change){ .kind = SOURCE_PUT, .path = files[i][0],
			                             .bytes = (const uint8_t *)files[i][1], .len = strlen(files[i][1]) };
	}
	struct primary *p = primary_new(&conf, &log);
	if (primary_apply(p, &commit, &outcome, &view, &old) != OK || outcome != PRIMARY_APPLIED) {
		primary_free(&p);
		return NULL;
	}
	discard_free(&old);
	return p;
}
