#include "acme/client_p.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { STATUS_TOO_MANY = 429, STATUS_UNAVAILABLE = 503 };

static const uint64_t pauses_s[ACME_ATTEMPTS_MAX] = { 1, 4, 16, 16 }; /* after each attempt that failed */

uint64_t
after_s(const struct now *now, uint64_t s)
{
	uint64_t most = (NOW_NEVER - 1 - now->mono_ns) / NOW_SECOND_NS;
	return now->mono_ns + (s < most ? s : most) * NOW_SECOND_NS;
}

/* ---- wishes ---- */

static void
begin(struct ask *a, enum acme_method method, const char *url)
{
	ASSERT(a->state == ASK_IDLE);
	a->method = method;
	a->url = url;
	a->at_ns = 0;
	a->attempts = a->bad_nonces = 0;
	a->state = ASK_WAITING;
	list_append(&a->client->asks, &a->link);
}

void
ask_post(struct ask *a, const char *url)
{
	begin(a, ACME_POST, url);
}

void
ask_get(struct ask *a, const char *url)
{
	begin(a, ACME_GET, url);
}

void
ask_finish(struct ask *a)
{
	struct acme_client *c = a->client;
	for (size_t i = 0; i < ACME_IN_FLIGHT_MAX; i++) {
		if (c->flights[i].id != 0 && c->flights[i].ask == a) {
			c->flights[i].ask = NULL; /* its place is free when it has ended */
		}
	}
	if (a->state != ASK_IDLE) {
		list_remove(&a->link);
		a->state = ASK_IDLE;
	}
}

void
ask_fini(struct ask *a)
{
	ask_finish(a);
	str_fini(&a->payload);
}

/* ---- nonces ---- */

static void
keep_nonce(struct acme_client *c, const char *nonce)
{
	if (nonce[0] == '\0') {
		return;
	}
	if (c->nonces_n == NONCES_MAX) { /* the oldest goes */
		memmove(c->nonces[0], c->nonces[1], sizeof c->nonces[0] * (NONCES_MAX - 1));
		c->nonces_n--;
	}
	(void)snprintf(c->nonces[c->nonces_n++], sizeof c->nonces[0], "%s", nonce);
}

static void
on_new_nonce(struct ask *a, const struct now *now, const struct reply *r)
{
	/* Whoever waits for a nonce fails with the reason, since it would be the same for each of them. */
	struct acme_client *c = a->client;
	(void)now;
	if (c->nonces_n != 0) {
		return;
	}
	struct reply failed = *r;
	failed.is_lost = true; /* so none of them asks in another way */
	if (failed.answer != NULL) {
		failed.answer = NULL;
		failed.problem = (struct acme_problem){ .line = "the CA gives no nonce (RFC 8555 7.2)" };
	}
	for (struct list_link *l = c->asks.next, *next; l != &c->asks; l = next) {
		struct ask *waiting = LIST_ENTRY(l, struct ask, link);
		next = l->next;
		if (waiting->state == ASK_WAITING && waiting->method == ACME_POST) {
			ask_finish(waiting);
			waiting->on_reply(waiting, now, &failed);
			next = c->asks.next; /* the reply may have changed the list; it has one less of these, so this ends */
		}
	}
}

static void
want_nonce(struct acme_client *c)
{
	if (c->new_nonce.state == ASK_IDLE && c->directory.new_nonce != NULL) {
		c->new_nonce.on_reply = on_new_nonce;
		begin(&c->new_nonce, ACME_HEAD, c->directory.new_nonce);
		c->stats.new_nonces++;
	}
}

/* ---- sending ---- */

static bool
is_due(const struct acme_client *c, const struct ask *a, const struct now *now)
{
	return a->state == ASK_WAITING && a->at_ns <= now->mono_ns && c->rests_until_ns <= now->mono_ns &&
	       (a->method != ACME_POST || a->has_key || c->account[0] != '\0');
}

/* The next one to be sent; NULL: none.  One that lacks a nonce makes the client ask for one. */
static struct ask *
next_due(struct acme_client *c, const struct now *now)
{
	for (struct list_link *l = c->asks.next; l != &c->asks; l = l->next) {
		struct ask *a = LIST_ENTRY(l, struct ask, link);
		if (!is_due(c, a, now)) {
			continue;
		}
		if (a->method != ACME_POST || c->nonces_n != 0) {
			return a;
		}
		want_nonce(c); /* at the end of the list: this walk comes to it */
	}
	return NULL;
}

static err_t
sign(struct acme_client *c, const struct ask *a)
{
	const struct acme_jws jws = {
		.nonce = c->nonces[c->nonces_n - 1],
		.url = a->url,
		.kid = a->has_key ? NULL : c->account,
		.payload = str_text(&a->payload),
		.payload_len = a->payload.len,
	};
	str_clear(&c->body);
	return acme_jws_sign(c->key, &jws, &c->body);
}

static struct flight *
free_flight(struct acme_client *c)
{
	for (size_t i = 0; i < c->in_flight_max; i++) {
		if (c->flights[i].id == 0) {
			return &c->flights[i];
		}
	}
	return NULL;
}

/* A request that cannot be made for want of memory, or because OpenSSL fails. */
static void
drop(struct ask *a, const struct now *now, err_t err)
{
	struct reply r = { .is_lost = true };
	(void)snprintf(r.problem.line, sizeof r.problem.line, "a request cannot be signed: %s", err_str(err));
	ask_finish(a);
	a->on_reply(a, now, &r);
}

bool
acme_client_take_request(struct acme_client *c, const struct now *now, struct acme_request *out)
{
	struct flight *flight = free_flight(c);
	struct ask *a;
	c->now_ns = now->mono_ns;
	while (flight != NULL && (a = next_due(c, now)) != NULL) {
		bool is_post = a->method == ACME_POST;
		err_t err = is_post ? sign(c, a) : OK;
		if (err != OK) {
			drop(a, now, err);
			setup_go(c, now);
			continue;
		}
		c->nonces_n -= is_post;
		a->state = ASK_IN_FLIGHT;
		*flight = (struct flight){ .id = ++c->last_id, .ask = a };
		str_cut(c->url, sizeof c->url, a->url);
		*out = (struct acme_request){
			.id = flight->id,
			.method = a->method,
			.url = c->url,
			.content_type = is_post ? "application/jose+json" : NULL,
			.accept = a->accept,
			.body = is_post ? str_text(&c->body) : "",
			.body_len = is_post ? c->body.len : 0,
		};
		c->stats.requests++;
		return true;
	}
	return false;
}

/* ---- answers ---- */

/* The request that has ended; NULL: nobody waits for it any more. */
static struct ask *
land(struct acme_client *c, uint64_t id)
{
	for (size_t i = 0; id != 0 && i < ACME_IN_FLIGHT_MAX; i++) {
		if (c->flights[i].id == id) {
			struct ask *a = c->flights[i].ask;
			c->flights[i] = (struct flight){ 0 };
			return a;
		}
	}
	return NULL;
}

static void
reply(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_client *c = a->client;
	ask_finish(a);
	a->on_reply(a, now, r);
	setup_go(c, now);
}

/* Sends it again after a pause, or gives up. */
static void
try_again(struct ask *a, const struct now *now, const struct reply *r, uint64_t pause_s)
{
	if (++a->attempts >= ACME_ATTEMPTS_MAX) {
		reply(a, now, r);
		return;
	}
	a->state = ASK_WAITING;
	a->at_ns = after_s(now, pause_s);
}

static void
on_loss(struct ask *a, const struct now *now, const struct reply *r)
{
	uint64_t pause_s = pauses_s[a->attempts];
	try_again(a, now, r, r->retry_s > pause_s && r->retry_s <= ACME_WAIT_MAX_S ? r->retry_s : pause_s);
}

/* The nonce that came with the refusal is the newest, and so the next to be used (RFC 8555 6.5). */
static void
on_bad_nonce(struct ask *a, const struct now *now, const struct reply *r)
{
	a->client->stats.bad_nonces++;
	if (++a->bad_nonces > ACME_BAD_NONCES_MAX) {
		reply(a, now, r);
		return;
	}
	a->state = ASK_WAITING;
	a->at_ns = 0;
}

/* Whether a text has a name, or one above it that has a dot, in any case. */
static bool
has_name(const char *text, const char *name)
{
	name += strncmp(name, "*.", 2) == 0 ? 2 : 0;
	while (strchr(name, '.') != NULL) {
		if (strcasestr(text, name) != NULL) {
			return true;
		}
		name = strchr(name, '.') + 1;
	}
	return false;
}

/* A rate limit has no form that says whom it concerns (RFC 8555 6.6): it is about names if it mentions any of them. */
static bool
is_about_names(const struct acme_problem *problem, const struct acme_order *o)
{
	bool is_so = problem->has_names;
	for (size_t i = 0; !is_so && i < o->names_n; i++) {
		is_so = has_name(problem->line, o->names[i]);
	}
	return is_so;
}

static void
on_limit(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_client *c = a->client;
	c->stats.rate_limits++;
	bool is_for_all = a != &c->update && (a->order == NULL || !is_about_names(&r->problem, a->order));
	if (!is_for_all) {
		reply(a, now, r);
		return;
	}
	uint64_t until_ns = after_s(now, r->retry_s);
	c->rests_until_ns = until_ns > c->rests_until_ns ? until_ns : c->rests_until_ns;
	if (r->retry_s > ACME_WAIT_MAX_S) {
		reply(a, now, r);
	} else {
		try_again(a, now, r, r->retry_s);
	}
}

/* The CA has another database than before, or has removed the account: all begins with the account again. */
static void
on_no_account(struct ask *a, const struct now *now, const struct reply *r)
{
	a->client->account[0] = '\0';
	try_again(a, now, r, 0);
	setup_go(a->client, now);
}

/* RFC 8555 7.3.3: the new terms. */
static void
put_terms(struct acme_problem *problem, const struct acme_answer *answer)
{
	size_t len = strlen(problem->line);
	if (acme_url_is_good(answer->links.terms)) {
		(void)snprintf(problem->line + len, sizeof problem->line - len, "; terms of service: %s", answer->links.terms);
	}
}

static void
read_problem(struct acme_client *c, struct reply *r, const struct acme_answer *answer, const struct now *now)
{
	acme_problem_read(answer->status, str_text(&answer->body), answer->body.len, &r->problem);
	if (r->problem.kind == ACME_PROBLEM_USER_ACTION_REQUIRED) {
		put_terms(&r->problem, answer);
		notice_terms(c, now, r->problem.line);
	}
	r->is_limit = answer->status == STATUS_TOO_MANY || r->problem.kind == ACME_PROBLEM_RATE_LIMITED ||
	              (answer->status == STATUS_UNAVAILABLE && answer->retry.kind != ACME_RETRY_NONE);
	r->is_lost = !r->is_limit && answer->status >= 500;
	if (r->is_limit) {
		r->retry_s = answer->retry.kind != ACME_RETRY_NONE ? acme_answer_retry_s(answer, now->wall_s) : LIMIT_REST_S;
		r->retry_s = r->retry_s == 0 ? 1 : r->retry_s > LIMIT_REST_MAX_S ? LIMIT_REST_MAX_S : r->retry_s;
	}
}

static void
on_refusal(struct ask *a, const struct now *now, const struct reply *r)
{
	bool is_post = a->method == ACME_POST;
	if (is_post && r->problem.kind == ACME_PROBLEM_BAD_NONCE) {
		on_bad_nonce(a, now, r);
	} else if (is_post && !a->has_key && r->problem.kind == ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST) {
		on_no_account(a, now, r);
	} else if (r->is_limit) {
		on_limit(a, now, r);
	} else if (r->is_lost) {
		on_loss(a, now, r);
	} else {
		reply(a, now, r);
	}
}

void
acme_client_on_answer(struct acme_client *c, const struct now *now, uint64_t id, const struct acme_answer *answer)
{
	struct ask *a = land(c, id);
	struct reply r = { .retry_s = acme_answer_retry_s(answer, now->wall_s) };
	c->now_ns = now->mono_ns;
	c->stats.answers++;
	keep_nonce(c, answer->nonce);
	if (a == NULL) {
		return;
	}
	if (answer->status >= 200 && answer->status < 300) {
		r.answer = answer;
		reply(a, now, &r);
	} else {
		read_problem(c, &r, answer, now);
		on_refusal(a, now, &r);
	}
}

void
acme_client_on_failure(struct acme_client *c, const struct now *now, uint64_t id, const char *why)
{
	struct ask *a = land(c, id);
	struct reply r = { .is_lost = true };
	struct str line = { 0 };
	c->now_ns = now->mono_ns;
	c->stats.failures++;
	if (a == NULL) {
		return;
	}
	acme_put_plain(&line, why, ACME_PROBLEM_LINE_MAX);
	(void)snprintf(r.problem.line, sizeof r.problem.line, "%s", str_text(&line));
	str_fini(&line);
	on_loss(a, now, &r);
}
