/* The state of the server as a whole.  A key for a part of the names only learns which commit is served and whether pulls
 * succeed, but nothing about the repository's location or about what others do (tests/unit/telltale_test.c). */
#include "auth/status_p.h"
#include "dns/name.h"

static void
put_time(struct status_writer *w, const char *key, uint64_t s)
{
	if (s != 0) {
		status_number(w, key, s);
	}
}

/* Writes "pull", the number of the last pull, "pulled", its time, "pull_ms" and "pull_error". */
static void
put_pull(struct status_page *p, const struct daemon_state *s)
{
	struct status_writer *w = &p->w;
	status_number(w, "pulls", s->pulls);
	if (s->pull.n == 0) {
		return;
	}
	status_number(w, "pull", s->pull.n);
	put_time(w, "pulled", s->pull.ended_s);
	status_number(w, "pull_ms", s->pull.took_ms);
	if (s->pull.err != OK) {
		status_pair(w, "pull_error", p->is_all && s->pull.text[0] != '\0' ? s->pull.text : err_str(s->pull.err));
		put_time(w, "retry", s->retry_s);
	}
}

static void
put_push(struct status_writer *w, const struct daemon_state *s)
{
	if (s->push.ended_s != 0) {
		status_number(w, "pushes", s->push.n);
		status_number(w, "pushed", s->push.ended_s);
		status_number(w, "push_ms", s->push.took_ms);
	}
	if (s->push.err != OK) {
		status_pair(w, "push_error", s->push.text[0] != '\0' ? s->push.text : err_str(s->push.err));
	}
}

static void
put_state(struct status_page *p, const struct daemon_state *s)
{
	struct status_writer *w = &p->w;
	put_time(w, "since", s->served_s);
	status_pair(w, "head", s->head);
	put_pull(p, s);
	if (p->is_all) {
		put_time(w, "started", s->started_s);
		status_pair(w, "remote", s->remote);
		status_pair(w, "branch", s->branch);
		put_push(w, s);
		status_number(w, "waiting", s->waiting);
		status_pair(w, "health", s->trouble[0] != '\0' ? s->trouble : "well");
	}
}

static void
put_kept(struct status_writer *w, const struct kept_state *k)
{
	status_pair(w, "state_dir", k->dir);
	status_number(w, "state_dir_waiting", k->waiting);
	if (k->error[0] != '\0') {
		status_pair(w, "state_dir_error", k->error);
		put_time(w, "state_dir_since", k->since_s);
	}
}

void
status_put_daemon(struct status_page *p)
{
	struct kept_state kept = { 0 };
	struct status_counts n = status_count(p->view, p->q->domain);
	struct daemon_state state = { 0 };
	char domain[NAME_TEXT_MAX];
	(void)name_show(p->q->domain, domain);
	page_begin(p);
	status_pair(&p->w, "version", ORIGIN_VERSION);
	status_pair(&p->w, "domain", domain);
	status_pair(&p->w, "commit", p->view->commit);
	status_number(&p->w, "zones", n.zones);
	status_number(&p->w, "broken", n.troubles - n.held);
	status_number(&p->w, "held", n.held);
	status_pair(&p->w, "counted", n.is_more ? "in-part" : "");
	if (p->conf->state != NULL) {
		p->conf->state(p->conf->state_ctx, &state);
		put_state(p, &state);
	}
	if (p->conf->kept != NULL && p->is_all) {
		p->conf->kept(p->conf->kept_ctx, &kept);
		put_kept(&p->w, &kept);
	}
	(void)page_end(p, NULL);
}

err_t
status_put_updates(struct status_page *p)
{
	struct daemon_state s = { 0 };
	if (p->conf->state == NULL) {
		return E_NOTFOUND;
	}
	p->conf->state(p->conf->state_ctx, &s);
	page_begin(p);
	status_number(&p->w, "waiting", s.waiting);
	status_number(&p->w, "commits", s.commits);
	status_number(&p->w, "updates", s.updates);
	status_number(&p->w, "refused", s.refused);
	status_number(&p->w, "failed", s.failed);
	put_push(&p->w, &s);
	(void)page_end(p, NULL);
	return OK;
}
