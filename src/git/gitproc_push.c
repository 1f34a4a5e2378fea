#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "git/gitproc_p.h"

static void
push_end(struct git_process *g, const struct link_frame *f)
{
	struct link_frame end = *f;
	end.took_ms = took_ms(g);
	close(g->push.fd);
	g->push.fd = -1;
	g->state = STATE_IDLE;
	g->deadline_ns = 0;
	g->risked[0] = '\0';
	child_idle(g);
	tell(g, &end);
}

void
push_failed(struct git_process *g, err_t err, const char *text)
{
	struct link_frame f = { .type = LINK_PUSH_FAILED, .status = (uint16_t)err, .fd = -1 };
	snprintf(f.text, sizeof f.text, "%s", text);
	if (g->risked[0] != '\0') {
		f.status = E_UNKNOWN;
		memcpy(f.id, g->risked, sizeof f.id);
		memcpy(g->lost, g->risked, sizeof g->lost);
	}
	push_end(g, &f);
}

static void
push_ask(struct git_process *g)
{
	g->state = STATE_PUSHING;
	g->risked[0] = '\0';
	if ((g->push.flags & LINK_AGAIN) != 0) {
		memcpy(g->risked, g->push.text, sizeof g->risked - 1); /* the first PUSH may have arrived */
	}
	memcpy(g->push.text, g->branch, sizeof g->push.text);
	if (g->lost[0] != '\0') {
		push_failed(g, E_STALE, "it is not known yet whether the last push succeeded -- pull first");
	} else if (strcmp(g->push.id, g->base) != 0) {
		push_failed(g, E_STALE, "the push does not build on the last commit that was served -- pull first");
	} else if (child_ask(g, &g->push) != OK) {
		char text[CHILD_TEXT_MAX];
		child_print_refusal("the push", text);
		push_failed(g, E_IO, text);
	}
}

void
push_begin(struct git_process *g)
{
	g->tries = 0;
	g->begun_ns = clock_ns();
	push_ask(g);
}

bool
push_again(struct git_process *g, bool may_pass)
{
	bool is_useful = child_is_worth_another(g, may_pass);
	if (is_useful) {
		push_ask(g);
	}
	return is_useful;
}

/* ---- frames ---- */

/* The DNS side has made this commit, so it need not be told: it is the base from now on. */
static void
on_pushed(struct git_process *g, const struct link_frame *f)
{
	memcpy(g->base, f->id, sizeof g->base);
	g->child.is_fresh = false;
	push_end(g, f);
}

/* Unless the status is E_UNKNOWN, the worker knows that the remote does not have the commit, whatever was at risk.
 * Trouble may pass on this machine, since others move files here (with `git gc`, say).  It may also pass at a remote
 * that had got everything. */
static void
on_push_failed(struct git_process *g, const struct link_frame *f)
{
	bool may_pass = g->conf->scheme == GIT_REMOTE_LOCAL || g->risked[0] != '\0';
	if (!child_may_fare_better((err_t)f->status) || !push_again(g, may_pass)) {
		memcpy(g->lost, f->id, sizeof g->lost); /* an id comes with E_UNKNOWN only */
		push_end(g, f);
	}
}

void
push_on_frame(struct git_process *g, const struct link_frame *f)
{
	if (f->type == LINK_PROGRESS && f->id[0] != '\0') {
		memcpy(g->risked, f->id, sizeof g->risked);
	} else if (f->type == LINK_PUSHED) {
		on_pushed(g, f);
	} else if (f->type == LINK_DONE) {
		if (g->risked[0] == '\0') {
			(void)push_again(g, false);
		}
	} else if (f->type == LINK_PUSH_FAILED && (g->push.flags & LINK_AGAIN) != 0) {
		push_failed(g, (err_t)f->status, f->text);
	} else if (f->type == LINK_PUSH_FAILED) {
		on_push_failed(g, f);
	}
}

void
push_on_push(struct git_process *g, struct link_frame *f)
{
	struct link_frame busy = { .type = LINK_PUSH_FAILED, .status = E_BUSY, .fd = -1, .text = "another push is under way" };
	struct link_frame empty = { .type = LINK_PUSH_FAILED, .status = E_FORMAT, .fd = -1, .text = "the push has no content" };
	if (f->fd < 0 || g->push.fd >= 0) {
		tell(g, f->fd < 0 ? &empty : &busy);
		return;
	}
	g->push = *f;
	f->fd = -1;
}
