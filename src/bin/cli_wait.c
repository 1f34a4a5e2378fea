#include "bin/cli_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bin/clean.h"
#include "bin/here.h"
#include "ops/clock.h"

enum { STEP_MIN_MS = 50, STEP_MAX_MS = 1000, SHOWN = 12 };

static bool
is_hex(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");
	return text[n] == '\0' && (n == 40 || n == 64);
}

err_t
cli_wait_choose(struct cli_wait *w, const char *commit)
{
	err_t err = here_commit(commit, w->commit);
	if (err == OK) {
		return OK;
	}
	w->commit[0] = '\0';
	if (commit == NULL) {
		return OK; /* not in a repository */
	}
	if (!is_hex(commit)) {
		cli_error("%s is not a commit that is known here", commit);
		cli_hint("give its full name of 40 digits, or run this in the repository");
		return E_NOTFOUND;
	}
	memcpy(w->commit, commit, strlen(commit) + 1);
	return OK;
}

/* ---- the server's state ---- */

/* Keeps the commit's name only as far as it is hex, since the answer is foreign text. */
static void
keep_commit(char to[65], const char *text)
{
	str_cut(to, 65, text);
	to[strspn(to, "0123456789abcdef")] = '\0';
}

static uint64_t
number(const struct status_item *item, const char *key)
{
	uint64_t n = 0;
	return cli_number(status_value(item, key), UINT64_MAX, &n) == OK ? n : 0;
}

static err_t
on_status(void *ctx, const struct status_item *item)
{
	struct cli_wait *w = ctx;
	uint64_t pulls = number(item, "pulls"), started = number(item, "started");
	bool is_another = w->is_known && (started != w->started || pulls < w->pulls);
	if (!w->is_known) {
		w->pulls = pulls;
	} else if (is_another) { /* the server was restarted: each of its pulls began after cli_wait_begin() */
		w->pulls = 0;
	}
	w->has_pulls = status_value(item, "pulls")[0] != '\0';
	w->started = started;
	w->is_known = true;
	w->pull = number(item, "pull");
	keep_commit(w->served, status_value(item, "commit"));
	str_cut(w->error, sizeof w->error, status_value(item, "pull_error"));
	return OK;
}

err_t
cli_wait_begin(struct cli_wait *w)
{
	TRY(cli_status_reach(&w->status));
	TRY(cli_status_ask(&w->status, STATUS_DAEMON, w->status.domain.oct, on_status, w));
	if (!w->has_pulls) {
		cli_error("%s: this server pulls nothing, so there is no result to wait for", w->status.asked.subject);
		cli_hint("it is a secondary: wait for its primary; without --wait it is told to ask its primary");
		return E_UNSUPPORTED;
	}
	return OK;
}

/* ---- the result ---- */

static void
put_trouble(struct str *out, const struct status_item *item)
{
	clean_put(out, status_value(item, "zone"));
	str_cat(out, ": ");
	clean_put(out, status_value(item, "state"));
	str_cat(out, ": ");
	cli_status_put_place(out, item);
	str_cat(out, ": ");
	clean_put(out, status_value(item, "finding"));
}

/* Trouble from this commit means that it is not served completely.  Older trouble is only printed as a warning. */
static err_t
on_trouble(void *ctx, const struct status_item *item)
{
	struct cli_wait *w = ctx;
	struct str text = { 0 };
	bool is_own = strcmp(status_value(item, "tried"), w->served) == 0;
	char since[65];
	keep_commit(since, status_value(item, "since"));
	put_trouble(&text, item);
	if (is_own) {
		cli_error("%s", str_text(&text));
		w->troubles++;
	} else if (!w->is_quiet) {
		cli_warning("%s (since commit %.*s)", str_text(&text), SHOWN, since);
	}
	str_fini(&text);
	return OK;
}

static int
tell_served(struct cli_wait *w)
{
	if (cli_status_ask(&w->status, STATUS_TROUBLE, w->status.domain.oct, on_trouble, w) != OK) {
		return CLI_FAILED;
	}
	if (w->troubles != 0) {
		cli_hint("everything else in commit %.*s is served; correct this and push again", SHOWN, w->served);
		return CLI_FAILED;
	}
	const char *commit = w->commit[0] != '\0' ? w->commit : w->served;
	if (!w->is_quiet) {
		bool is_within = strcmp(commit, w->served) != 0;
		(void)printf("%s: commit %.*s is served%s%.*s\n", w->status.asked.subject, SHOWN, commit, is_within ? ", in commit " : "",
		             is_within ? SHOWN : 0, w->served);
	}
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

/* A pull that must have seen the commit has ended, and the branch is at another commit. */
static int
tell_other(struct cli_wait *w)
{
	switch (here_is_contained(w->commit, w->served)) {
	case HERE_CONTAINED:
		return tell_served(w);
	case HERE_NOT_CONTAINED:
		cli_error("commit %.*s is not served: the server has pulled, and its branch is at %.*s, which does not contain it", SHOWN,
		          w->commit, SHOWN, w->served);
		cli_hint("was it pushed, and to the branch that the server serves?");
		return CLI_FAILED;
	default:
		cli_error("the server has pulled and serves commit %.*s; it is not known here whether that contains commit %.*s", SHOWN,
		          w->served, SHOWN, w->commit);
		cli_hint("perhaps somebody else has pushed: run \"git fetch\", then \"git merge-base --is-ancestor\"");
		return CLI_FAILED;
	}
}

static int
tell_failed(const struct cli_wait *w)
{
	struct str text = { 0 };
	clean_put(&text, w->error);
	cli_error("%s: the server could not fetch: %s", w->status.asked.subject, str_text(&text));
	cli_hint("it serves what it had before, and tries again; its log says more");
	str_fini(&text);
	return CLI_FAILED;
}

static bool
is_it_served(const struct cli_wait *w)
{
	return w->commit[0] != '\0' && strcmp(w->served, w->commit) == 0;
}

/* True when a pull that began after cli_wait_begin() has ended. */
static bool
has_pulled(const struct cli_wait *w)
{
	return w->pull > w->pulls;
}

static int
tell(struct cli_wait *w)
{
	bool is_any = w->commit[0] == '\0';
	return is_it_served(w) ? tell_served(w) : w->error[0] != '\0' ? tell_failed(w) : is_any ? tell_served(w) : tell_other(w);
}

static void
pause_ms(unsigned ms)
{
	const struct timespec step = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	nanosleep(&step, NULL);
}

int
cli_wait_end(struct cli_wait *w)
{
	uint64_t deadline_ms = clock_ms() + 1000u * (uint64_t)w->seconds;
	unsigned step_ms = STEP_MIN_MS;
	err_t err = OK;
	w->status.is_quiet = true; /* the server may be away for a moment */
	while (clock_ms() < deadline_ms) {
		err = cli_status_ask(&w->status, STATUS_DAEMON, w->status.domain.oct, on_status, w);
		if (err == OK && (is_it_served(w) || has_pulled(w))) {
			w->status.is_quiet = false;
			return tell(w);
		}
		pause_ms(step_ms);
		step_ms = 2 * step_ms < STEP_MAX_MS ? 2 * step_ms : STEP_MAX_MS;
	}
	cli_error("%s: after %u s it is not known whether the commit is served: %s", w->status.asked.subject, w->seconds,
	          err == OK ? "the server's pull has not ended" : "the server does not answer");
	cli_hint("give it more time: --wait=SECONDS");
	return CLI_FAILED;
}
