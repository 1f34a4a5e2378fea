/* A push over the network, from the clone, by libgit2: see git/push.h. */
#include "git/push.h"

#include <string.h>

#include "base/str.h"
#include "git/branch.h"
#include "git/verdict.h"

/* libgit2 pushes a reference, not a commit.  So this reference leads to the commit during the push. */
static const char SOURCE[] = "refs/push/head";

struct upload {
	struct git_connection connection; /* the first member: libgit2 has one context for its callbacks and for ours */
	const struct git_pushing *push;
	bool is_risked;
	bool is_reported;
	struct str status;                /* of the branch; empty: it was accepted */
};

static void
upload_fini(struct upload *u)
{
	git_connection_fini(&u->connection);
	str_fini(&u->status);
}

static void
alive(struct upload *u)
{
	u->push->how->alive(u->push->how->ctx);
}

static int
on_negotiated(const git_push_update **updates, size_t n, void *payload)
{
	struct upload *u = payload;
	(void)updates;
	(void)n;
	u->is_risked = true;
	u->push->job->risk(u->push->job->ctx, &u->push->made->commit);
	return 0;
}

static int
on_packing(int stage, uint32_t current, uint32_t total, void *payload)
{
	(void)stage;
	(void)current;
	(void)total;
	alive(payload);
	return 0;
}

static int
on_sending(unsigned current, unsigned total, size_t octets, void *payload)
{
	(void)current;
	(void)total;
	(void)octets;
	alive(payload);
	return 0;
}

static int
on_report(const char *ref, const char *status, void *payload)
{
	struct upload *u = payload;
	(void)ref; /* only one is pushed */
	u->is_reported = true;
	if (status != NULL) {
		str_cat(&u->status, status[0] != '\0' ? status : "no reason given");
	}
	return 0;
}

/* ---- the outcome ---- */

static err_t
moved(const char *ref, struct diag *diag)
{
	diag_set(diag, DIAG_ERROR, "git", "somebody else has pushed to %.200s meanwhile", ref);
	return E_STALE;
}

static err_t
refused(struct upload *u, const char *ref, const char *status, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	err_t err = git_verdict(status, str_text(&u->connection.words));
	git_words_line(str_text(&u->connection.words), 220, &line);
	diag_set(diag, DIAG_ERROR, "git", "%.120s refused the push to %.60s: %.90s%s%s", u->push->how->conf->shown, ref, status,
	         line.len > 0 ? ": " : "", str_text(&line));
	if (err == E_REFUSED) {
		diag_hint(diag, "a hook or a rule for the branch forbids it, or our user may not write there");
	}
	return err;
}

/* True when the remote itself has said that the push failed.  (libgit2 gives only a text for the report on the pack,
 * for the protocol's ERR, and for the status of HTTP.) */
static bool
is_from_remote(const char *text)
{
	static const char *const signs[] = {
		"unpacking the sent packfile failed", "Error reported", "http status code: 4", "status code: 4",
	};
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (strstr(text, signs[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static err_t
failed(struct upload *u, const char *ref, int ret, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str text = { 0 };
	const char *shown = u->push->how->conf->shown;
	str_cat(&text, git_lib_text());
	if (ret == GIT_ENONFASTFORWARD) {
		return moved(ref, diag);
	}
	if (u->is_risked && is_from_remote(str_text(&text))) {
		return refused(u, ref, str_text(&text), diag);
	}
	err_t err = git_trouble(diag, ret, "the push to %.200s broke off", shown);
	return u->is_risked ? E_UNKNOWN : err == E_NOTFOUND ? E_IO : err;
}

static err_t
judge(struct upload *u, const char *ref, int ret, struct diag *diag)
{
	if (u->is_reported) {
		return u->status.len == 0 ? OK : refused(u, ref, str_text(&u->status), diag);
	}
	if (ret < 0) {
		return failed(u, ref, ret, diag);
	}
	diag_set(diag, DIAG_ERROR, "git", "%.200s has not reported whether the push succeeded", u->push->how->conf->shown);
	return E_UNKNOWN;
}

/* ---- the push ---- */

static err_t
send(struct upload *u, git_remote *remote, const char *ref, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str spec = { 0 };
	git_push_options o = GIT_PUSH_OPTIONS_INIT;
	git_connection_callbacks(&u->connection, &o.callbacks);
	o.callbacks.push_negotiation = on_negotiated;
	o.callbacks.pack_progress = on_packing;
	o.callbacks.push_transfer_progress = on_sending;
	o.callbacks.push_update_reference = on_report;
	o.pb_parallelism = 1;
	str_printf(&spec, "%s:%s", SOURCE, ref);
	char *one = (char *)(uintptr_t)str_text(&spec);
	const git_strarray specs = { .strings = &one, .count = 1 };
	int ret = git_remote_upload(remote, &specs, &o);
	return judge(u, ref, ret, diag);
}

/* The branch that --remote names, or else the branch that HEAD named at the last pull.  (A server does not show its
 * HEAD to a client that pushes.) */
static err_t
name_branch(const struct git_pushing *p, struct str *ref, struct diag *diag)
{
	const struct git_conf *c = p->how->conf;
	if (c->branch != NULL) {
		str_printf(ref, "refs/heads/%s", c->branch);
		return ref->err;
	}
	str_cat(ref, p->job->frame->text);
	if (strncmp(str_text(ref), "refs/", 5) == 0) {
		return ref->err;
	}
	if (p->base != NULL && ref->len == 0) {
		diag_set(diag, DIAG_ERROR, "git", "the branch of %.200s is not known before the first pull from there", c->shown);
		return E_STALE; /* the commit came out of the cache, without the branch's name */
	}
	diag_set(diag, DIAG_ERROR, "git", "the HEAD of %.200s names no branch to push to", c->shown);
	diag_hint(diag, "name one with --remote=URL#BRANCH");
	return E_REFUSED;
}

/* E_STALE: the branch is not at the base of our commit.  The server checks that once more when it takes the push. */
static err_t
compare(const struct git_pushing *p, git_remote *remote, const char *ref, struct diag *diag)
{
	git_oid now;
	err_t err = git_branch_look(remote, ref, &now, diag);
	if (err != OK && err != E_NOTFOUND) {
		return err;
	}
	if (err == E_NOTFOUND && p->base != NULL) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s has no branch %.100s any more, or hides it from programs that push",
		         p->how->conf->shown, ref);
		return E_STALE;
	}
	return err == E_NOTFOUND || (p->base != NULL && git_oid_equal(&now, p->base)) ? OK : moved(ref, diag);
}

err_t
git_push_upload(const struct git_pushing *p, git_repository *clone, struct diag *diag)
{
	[[gnu::cleanup(upload_fini)]] struct upload u = { .connection = { .how = p->how }, .push = p };
	[[gnu::cleanup(git_free_remote)]] git_remote *remote = NULL;
	[[gnu::cleanup(git_free_ref)]] git_reference *source = NULL;
	[[gnu::cleanup(str_fini)]] struct str ref = { 0 };
	TRY(name_branch(p, &ref, diag));
	int ret = git_lib_remote(&remote, clone, p->how->conf->url);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot push to %.200s", p->how->conf->shown);
	}
	TRY(git_connect(&u.connection, remote, GIT_DIRECTION_PUSH, diag));
	alive(&u);
	TRY(compare(p, remote, str_text(&ref), diag));
	ret = git_reference_create(&source, clone, SOURCE, &p->made->commit, 1, NULL);
	if (ret < 0) {
		return git_trouble(diag, ret, "cannot write to the clone");
	}
	err_t err = send(&u, remote, str_text(&ref), diag);
	(void)!git_reference_delete(source); /* if it stays, git_home_sweep() removes it */
	git_remote_disconnect(remote);
	return err;
}
