#include <stdio.h>
#include <string.h>

#include "git/gitproc_p.h"
#include "git/worker.h"

enum { RETRY_MAX_S = 300 };

static unsigned
backoff_s(unsigned failures)
{
	unsigned s = failures > 9 ? RETRY_MAX_S : 1u << (failures - 1);
	return s < RETRY_MAX_S ? s : RETRY_MAX_S;
}

/* Passes the result of a pull on.  To be called while that is under way, unless its commit was told before. */
static void
tell_result(struct git_process *g, const struct link_frame *f)
{
	struct link_frame result = *f;
	result.pull = g->answers;
	result.took_ms = g->state == STATE_PULLING ? took_ms(g) : 0;
	tell(g, &result);
}

/* The remote was reached, and its commit was dealt with.  But if the clone could not be written the last time,
 * `failures` stays: whether it can be written now shows only later, and if it cannot, the pause until the next try must
 * be longer than the last one. */
static void
pull_succeeded(struct git_process *g)
{
	g->failures = g->is_unkept ? g->failures : 0;
	g->is_unkept = false;
}

void
pull_failed(struct git_process *g, err_t err, uint8_t flags, const char *text)
{
	struct link_frame f = { .type = LINK_FAILED, .status = (uint16_t)err, .flags = flags, .fd = -1 };
	g->deadline_ns = g->gets > 0 ? g->deadline_ns : 0;
	g->patience_ns = 0;
	g->failures++;
	f.retry_s = backoff_s(g->failures);
	f.flags |= g->is_cache_due ? LINK_CACHE_NEXT : 0;
	g->retry_ns = from_now(f.retry_s);
	snprintf(f.text, sizeof f.text, "%s", text);
	if ((flags & LINK_NO_BRANCH) != 0) {
		g->lost[0] = '\0'; /* without the branch the remote does not have that commit */
	}
	tell_result(g, &f);
	g->state = STATE_IDLE;
	if (g->is_cache_due) {
		pull_begin(g, true);
	}
}

static void
pull_ask(struct git_process *g, bool is_from_cache)
{
	struct link_frame f = { .type = LINK_PULL, .fd = -1 };
	g->is_from_cache = is_from_cache;
	g->answers = is_from_cache ? 0 : g->asked;
	g->is_cache_due &= !is_from_cache;
	g->state = STATE_PULLING;
	g->patience_ns = g->is_cache_due ? from_now(g->conf->cache_patience_s) : 0;
	if (!is_from_cache) {
		g->is_wanted = false;
		g->retry_ns = 0;
	}
	f.flags = (uint8_t)((g->is_whole_wanted ? WORKER_WHOLE : 0) | (is_from_cache ? WORKER_FROM_CACHE : 0));
	memcpy(f.id, g->base, sizeof f.id);
	memcpy(f.text, g->lost, sizeof g->lost);
	if (child_ask(g, &f) != OK) {
		char text[CHILD_TEXT_MAX];
		child_print_refusal("the fetch", text);
		pull_failed(g, E_IO, 0, text);
	}
}

void
pull_begin(struct git_process *g, bool is_from_cache)
{
	g->tries = 0;
	g->begun_ns = clock_ns();
	pull_ask(g, is_from_cache);
}

bool
pull_again(struct git_process *g, bool may_pass)
{
	bool is_useful = child_is_worth_another(g, may_pass);
	if (is_useful) {
		pull_ask(g, g->is_from_cache);
	}
	return is_useful;
}

/* ---- frames ---- */

static void
on_commit(struct git_process *g, const struct link_frame *f)
{
	memcpy(g->told, f->id, sizeof g->told);
	g->is_told_whole = (f->flags & LINK_WHOLE) != 0;
	g->is_cache_due = false;
	g->deadline_ns = g->patience_ns = 0;
	tell_result(g, f);
	g->state = STATE_DELIVERED;
}

/* A local remote may have been in the middle of a repack, or of being replaced: another worker may succeed. */
static void
on_failed(struct git_process *g, const struct link_frame *f)
{
	bool may_pass = g->conf->scheme == GIT_REMOTE_LOCAL && child_may_fare_better((err_t)f->status) && (f->flags & LINK_NO_BRANCH) == 0;
	if (!pull_again(g, may_pass)) {
		pull_failed(g, (err_t)f->status, f->flags, f->text);
	}
}

static void
on_uptodate(struct git_process *g, const struct link_frame *f)
{
	tell_result(g, f);
	g->state = STATE_IDLE;
	g->deadline_ns = g->patience_ns = 0;
	pull_succeeded(g);
	child_idle(g);
}

void
pull_on_frame(struct git_process *g, const struct link_frame *f)
{
	if (f->type == LINK_FAILED) {
		on_failed(g, f);
	} else if (f->type == LINK_DONE) {
		(void)pull_again(g, false); /* the worker had decided to end before the PULL came */
	} else if (f->type == LINK_COMMIT || f->type == LINK_UPTODATE) {
		g->child.is_fresh = false;
		memcpy(g->branch, f->text, sizeof g->branch);
		if (!g->is_from_cache) {
			g->lost[0] = '\0'; /* the frame's flags tell whether the remote has it */
		}
		if (f->type == LINK_COMMIT) {
			on_commit(g, f);
		} else {
			on_uptodate(g, f);
		}
	}
}

void
pull_on_done(struct git_process *g, err_t status)
{
	struct link_frame f = { .type = LINK_DONE, .fd = -1 };
	g->state = STATE_IDLE;
	g->gets = 0;
	g->deadline_ns = 0;
	if (status == OK) {
		memcpy(g->base, g->told, sizeof g->base);
		g->is_whole_wanted &= !g->is_told_whole;
		if (!g->is_from_cache) {
			pull_succeeded(g);
		}
	} else {
		g->failures++; /* the DNS side could not take the commit: it will be told again */
		g->retry_ns = from_now(backoff_s(g->failures));
	}
	if (g->child.pid != 0) {
		(void)!link_send(g->child.sock, &f);
	}
	child_idle(g);
	if (g->is_from_cache && g->retry_ns == 0) {
		g->is_wanted = true; /* after the commit in the cache, the remote's */
	}
}
