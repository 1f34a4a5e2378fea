/* fuzz/kept_lines.h -- of an edited file, lines without a record concerned must be there still, in order. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "zone/changes.h"
#include "zone/master.h"

struct kept_lines {
	const struct master_reader *source;
	const struct zone_changes *changes;
	bool *may_change; /* octets of the zone's own file */
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
		memset(k->may_change + rr->begin, true, rr->end - rr->begin);
	}
	return OK;
}

struct kept_text {
	const char *text;
	size_t len;
};

/* The line at *at, without its line end; *at moves behind it.  It ends at an LF or at a CR, whatever the reader makes of these: a part
 * of a line that is kept is kept, too. */
static inline struct kept_text
kept_lines_take(struct kept_text *at)
{
	struct kept_text line = { at->text, 0 };
	while (line.len < at->len && at->text[line.len] != '\n' && at->text[line.len] != '\r') {
		line.len++;
	}
	size_t taken = line.len + (line.len < at->len);
	at->text += taken;
	at->len -= taken;
	return line;
}

static inline bool
kept_lines_find(struct kept_text *rest, struct kept_text line)
{
	while (rest->len != 0) {
		struct kept_text other = kept_lines_take(rest);
		if (other.len == line.len && memcmp(other.text, line.text, line.len) == 0) {
			return true;
		}
	}
	return false;
}

/* Lines with an octet that may change may; all others must be in `after`, in order. */
static inline bool
kept_lines_compare(const struct kept_lines *k, struct kept_text before, struct kept_text after)
{
	const char *begin = before.text;
	while (before.len != 0) {
		struct kept_text line = kept_lines_take(&before);
		bool may_change = memchr(k->may_change + (line.text - begin), true, line.len) != NULL;
		if (!may_change && line.len != 0 && !kept_lines_find(&after, line)) {
			return false;
		}
	}
	return true;
}

/* `source`: how the files before the edit are read; the zone's own was `before`, and is `after`. */
static inline bool
kept_lines_are_there(const struct master_reader *source, struct kept_text before, struct kept_text after,
                     const struct zone_changes *changes)
{
	struct kept_lines k = { .source = source, .changes = changes, .may_change = calloc(before.len + 1, 1) };
	struct master_counts counts;
	struct master_reader r = *source;
	r.ctx = &k;
	r.record = kept_lines_mark;
	r.open = kept_lines_open;
	r.close = kept_lines_close;
	bool is_kept = master_read(&r, before.text, before.len, &counts) == OK && kept_lines_compare(&k, before, after);
	free(k.may_change);
	return is_kept;
}
