/* fuzz/kept_lines.h -- of an edited file, lines without a record concerned must be there still, in order. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "zone/changes.h"
#include "zone/master.h"

enum { KEPT_LINES_MAX = 3000 };

struct kept_lines {
	const struct master_reader *source;
	const struct zone_changes *changes;
	bool may_change[KEPT_LINES_MAX]; /* lines of the zone's own file */
};

static inline err_t
kept_lines_open(void *ctx, const char *path, struct master_text *out)
{
	const struct master_reader *source = ((struct kept_lines *)ctx)->source;
	return source->open(source->ctx, path, out);
}

static inline void
kept_lines_close(void *ctx, struct master_text *text)
{
	const struct master_reader *source = ((struct kept_lines *)ctx)->source;
	source->close(source->ctx, text);
}

/* A record of an RRset that changes, or one that may have to be written with its owner or TTL now. */
static inline err_t
kept_lines_mark(void *ctx, const struct master_rr *rr)
{
	struct kept_lines *k = ctx;
	bool may_change = (rr->flags & MASTER_OWNER_INHERITED) != 0 || rr->ttl_source == MASTER_TTL_LAST;
	for (size_t i = 0; i < k->changes->n && !may_change; i++) {
		const struct zone_rr *c = &k->changes->list[i].rr;
		may_change = c->type == rr->type && name_is_equal(c->owner, rr->owner);
	}
	if (strcmp(rr->file, k->source->file) == 0 && may_change) {
		for (uint32_t line = rr->line; line <= rr->last_line && line <= KEPT_LINES_MAX; line++) {
			k->may_change[line - 1] = true;
		}
	}
	return OK;
}

struct kept_text {
	const char *text;
	size_t len;
};

/* The line at *at, without its line end; *at moves behind it.  Lines of a text without LF end in CR. */
static inline struct kept_text
kept_lines_take(struct kept_text *at, char end)
{
	const char *newline = memchr(at->text, end, at->len);
	struct kept_text line = { at->text, newline != NULL ? (size_t)(newline - at->text) : at->len };
	size_t taken = line.len + (newline != NULL);
	at->text += taken;
	at->len -= taken;
	return line;
}

static inline bool
kept_lines_find(struct kept_text *rest, struct kept_text line, char end)
{
	while (rest->len != 0) {
		struct kept_text other = kept_lines_take(rest, end);
		if (other.len == line.len && memcmp(other.text, line.text, line.len) == 0) {
			return true;
		}
	}
	return false;
}

/* `source`: how the files before the edit are read; the zone's own was `before`, and is `after`. */
static inline bool
kept_lines_are_there(const struct master_reader *source, struct kept_text before, struct kept_text after,
                     const struct zone_changes *changes)
{
	static struct kept_lines k;
	struct master_counts counts;
	struct master_reader r = *source;
	memset(&k, 0, sizeof k);
	k.source = source;
	k.changes = changes;
	r.ctx = &k;
	r.record = kept_lines_mark;
	r.open = kept_lines_open;
	r.close = kept_lines_close;
	if (master_read(&r, before.text, before.len, &counts) != OK) {
		return false;
	}
	char end = memchr(before.text, '\n', before.len) != NULL ? '\n' : '\r';
	for (size_t number = 0; before.len != 0 && number < KEPT_LINES_MAX; number++) {
		struct kept_text line = kept_lines_take(&before, end);
		if (!k.may_change[number] && !kept_lines_find(&after, line, end)) {
			return false;
		}
	}
	return true;
}
