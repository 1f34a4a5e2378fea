#include "acme/client_p.h"

#include <string.h>

#include "acme/json.h"
#include "base/alloc.h"

static const unsigned poll_pauses_s[] = { 1, 1, 2, 3, 5, 8, 13, 20, 30 };

enum { FINALIZINGS_MAX = 4 };

/* ---- requests ---- */

/* False: the order has failed, because it takes too many. */
static bool
count_request(struct acme_order *o)
{
	if (++o->requests > ORDER_REQUESTS_MIN + ORDER_REQUESTS_A_NAME * o->names_n) {
		order_fail(o, ACME_FAULT_TIME, "the order comes to no end: %u requests", o->requests - 1);
		return false;
	}
	return true;
}

void
order_post(struct acme_order *o, const char *url)
{
	o->ask.accept = NULL;
	if (count_request(o)) {
		ask_post(&o->ask, url);
	}
}

void
order_fetch(struct acme_order *o, const char *url)
{
	str_clear(&o->ask.payload);
	order_post(o, url);
}

void
order_poll(struct acme_order *o, const struct now *now, const char *url, uint64_t retry_s)
{
	size_t i = o->polls < ARRAY_LEN(poll_pauses_s) ? o->polls : ARRAY_LEN(poll_pauses_s) - 1;
	o->polls++;
	if (retry_s > ACME_WAIT_MAX_S) {
		o->failure.retry_s = retry_s;
		order_fail(o, ACME_FAULT_TIME, "the CA wants to be asked again after %llu seconds only", (unsigned long long)retry_s);
		return;
	}
	order_fetch(o, url);
	if (o->ask.state == ASK_WAITING) {
		o->ask.at_ns = after_s(now, retry_s != 0 ? retry_s : poll_pauses_s[i]);
	}
}

/* ---- newOrder ---- */

static void
put_identifiers(struct acme_order *o, struct str *out)
{
	str_cat(out, "{\"identifiers\":[");
	for (size_t i = 0; i < o->names_n; i++) {
		str_cat(out, i == 0 ? "{\"type\":\"dns\",\"value\":" : ",{\"type\":\"dns\",\"value\":");
		acme_json_quote(out, o->names[i]);
		str_char(out, '}');
	}
	str_char(out, ']');
}

static void
put_wish(struct acme_order *o, const char *member, const char *text)
{
	if (text != NULL) {
		str_printf(&o->ask.payload, ",\"%s\":", member);
		acme_json_quote(&o->ask.payload, text);
	}
}

static void on_new(struct ask *a, const struct now *now, const struct reply *r);
static void on_step(struct ask *a, const struct now *now, const struct reply *r);
static enum order_step order_enter(struct acme_order *o, enum order_step step);

/* The URL of newOrder is known only when the directory is: until then the order waits in the client's list. */
void
order_begin(struct acme_order *o, const struct now *now)
{
	o->step = STEP_NEW;
	o->order_end_ns = after_s(now, ACME_ORDER_TIME_MAX_S);
	o->step_end_ns = NOW_NEVER;
	if (o->client->account[0] != '\0' && o->client->directory.new_order != NULL) {
		order_ask_new(o);
	}
}

/* Profiles are the CA's, and a name that it does not list would be refused. */
static bool
has_profile(struct acme_order *o)
{
	struct acme_client *c = o->client;
	struct str list = { 0 };
	if (c->profile == NULL || acme_directory_has_profile(&c->directory, c->profile)) {
		return true;
	}
	for (size_t i = 0; i < c->directory.profiles_n; i++) {
		str_cat(&list, i == 0 ? "" : ", ");
		acme_put_plain(&list, c->directory.profiles[i], 64);
	}
	order_fail(o, ACME_FAULT_REFUSED, "the CA has no profile %s; it has: %s", c->profile, list.len != 0 ? str_text(&list) : "none");
	str_fini(&list);
	return false;
}

void
order_ask_new(struct acme_order *o)
{
	struct acme_client *c = o->client;
	struct str *payload = &o->ask.payload;
	const char *url;
	if (!has_profile(o)) {
		return;
	}
	str_clear(payload);
	put_identifiers(o, payload);
	put_wish(o, "profile", c->profile);
	put_wish(o, "replaces", c->directory.renewal_info != NULL ? o->replaces : NULL);
	str_char(payload, '}');
	if (payload->err != OK) {
		order_fail(o, ACME_FAULT_MEMORY, "newOrder: the request takes too much memory");
		return;
	}
	url = order_keep(o, c->directory.new_order);
	if (url == NULL) {
		return;
	}
	o->ask.on_reply = on_new;
	o->ask.order = o;
	order_post(o, url);
}

/* ---- the order's object ---- */

/* Keeps a URL the first time, and holds the CA to it afterwards. */
static const char *
keep_url(struct acme_order *o, const struct json_t *json, const char *member, const char **to)
{
	const char *url = acme_json_url(json, member);
	if (*to == NULL && url != NULL) {
		*to = order_keep(o, url);
	}
	return *to;
}

static void
finalize(struct acme_order *o)
{
	if (o->finalizings++ == FINALIZINGS_MAX) {
		order_fail(o, ACME_FAULT_REFUSED, "finalize: %s", o->refusal != NULL ? o->refusal->line : "the order stays ready");
		return;
	}
	str_clear(&o->ask.payload);
	str_cat(&o->ask.payload, "{\"csr\":\"");
	acme_put_base64url(&o->ask.payload, o->csr, o->csr_len);
	str_cat(&o->ask.payload, "\"}");
	order_post(o, o->finalize_url);
}

static void
fetch_certificate(struct acme_order *o, const struct now *now, const struct json_t *json)
{
	if (keep_url(o, json, "certificate", &o->certificate_url) == NULL) {
		if (o->step != STEP_END) {
			order_fail(o, ACME_FAULT_ANSWER, "the order is valid, but has no URL of a certificate");
		}
		return;
	}
	order_go(o, now, STEP_CHAIN);
}

static void
fail_invalid(struct acme_order *o, const struct json_t *json)
{
	struct reply r = { 0 };
	acme_problem_of(acme_json_object(json, "error"), &r.problem);
	order_fail(o, ACME_FAULT_VALIDATION, "the CA has given up the order: %s", r.problem.line);
}

static bool
is_status(const struct json_t *json, const char *status)
{
	const char *text = acme_json_text(json, "status");
	return text != NULL && strcmp(text, status) == 0;
}

/* What the order's status says (RFC 8555 7.1.6), after any answer that has it. */
static void
follow_status(struct acme_order *o, const struct now *now, const struct json_t *json, uint64_t retry_s)
{
	if (is_status(json, "ready") && o->step != STEP_FINALIZE && o->step != STEP_ISSUE) {
		order_go(o, now, STEP_FINALIZE);
	} else if (is_status(json, "ready") || is_status(json, "processing")) {
		o->step = o->step == STEP_ISSUE ? o->step : order_enter(o, STEP_ISSUE); /* the CA has the CSR */
		order_poll(o, now, o->url, retry_s);
	} else if (is_status(json, "valid")) {
		fetch_certificate(o, now, json);
	} else if (is_status(json, "pending") && o->step != STEP_FINALIZE && o->step != STEP_ISSUE) {
		order_poll(o, now, o->url, retry_s);
	} else if (is_status(json, "invalid")) {
		fail_invalid(o, json);
	} else {
		order_fail(o, ACME_FAULT_ANSWER, "the order has a status that makes no sense here");
	}
}

/* The object in an answer; NULL: there is none, and the order has failed. */
static struct json_t *
read_object(struct acme_order *o, const struct reply *r, const char *what)
{
	struct json_t *json = NULL;
	if (acme_json_read(str_text(&r->answer->body), r->answer->body.len, &json) != OK) {
		order_fail(o, ACME_FAULT_ANSWER, "%s: the answer is no JSON, or too large", what);
	}
	return json;
}

/* RFC 9773 5: an order must not fail because of what it is to replace.  Pebble 2.6 calls it an error of its own if it finds no order of the
 * certificate. */
static bool
is_about_replacing(const struct acme_order *o, const struct reply *r)
{
	bool is_internal = r->is_lost && r->problem.kind == ACME_PROBLEM_SERVER_INTERNAL;
	return o->replaces != NULL && !r->is_limit && (!r->is_lost || is_internal) &&
	       (is_internal || r->problem.kind == ACME_PROBLEM_ALREADY_REPLACED || r->problem.kind == ACME_PROBLEM_CONFLICT ||
	        r->problem.kind == ACME_PROBLEM_MALFORMED || r->problem.kind == ACME_PROBLEM_UNAUTHORIZED ||
	        r->problem.kind == ACME_PROBLEM_OTHER);
}

static void
start(struct acme_order *o, const struct now *now, const struct reply *r, const struct json_t *json)
{
	char url[ACME_URL_MAX + 1];
	const char *fault;
	if (acme_url_resolve(o->ask.url, r->answer->location, url) != OK) {
		order_fail(o, ACME_FAULT_ANSWER, "newOrder: the CA does not say the order's URL (RFC 8555 7.4)");
	} else if ((o->url = order_keep(o, url)) == NULL) {
		return;
	} else if (keep_url(o, json, "finalize", &o->finalize_url) == NULL) {
		if (o->step != STEP_END) {
			order_fail(o, ACME_FAULT_ANSWER, "newOrder: the order has no URL for the signing request");
		}
	} else if ((fault = order_read_authorizations(o, json)) != NULL) {
		order_fail(o, ACME_FAULT_ANSWER, "newOrder: %s", fault);
	} else if (is_status(json, "pending")) {
		order_go(o, now, STEP_LOOK);
	} else {
		o->step_end_ns = after_s(now, ACME_VALIDATE_TIME_MAX_S);
		follow_status(o, now, json, r->retry_s);
	}
}

static void
on_new(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_order *o = LIST_ENTRY(a, struct acme_order, ask);
	a->order = NULL;
	a->on_reply = on_step;
	if (r->answer == NULL && is_about_replacing(o, r)) {
		o->replaces = NULL;
		order_ask_new(o);
		return;
	}
	if (r->answer == NULL) {
		order_fail_reply(o, now, r, "newOrder");
		return;
	}
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = read_object(o, r, "newOrder");
	if (json != NULL) {
		o->order_end_ns = after_s(now, ACME_ORDER_TIME_MAX_S);
		start(o, now, r, json);
	}
}

static void
on_order(struct acme_order *o, const struct now *now, const struct reply *r)
{
	if (r->answer == NULL) {
		order_fail_reply(o, now, r, "order");
		return;
	}
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = read_object(o, r, "order");
	if (json != NULL) {
		follow_status(o, now, json, r->retry_s);
	}
}

/* A request that was sent again may be refused because the first one was heard: then the order itself says how it is. */
static void
on_finalize(struct acme_order *o, const struct now *now, const struct reply *r)
{
	bool is_doubtful = !r->is_lost && !r->is_limit && (r->problem.kind == ACME_PROBLEM_ORDER_NOT_READY || o->ask.attempts != 0);
	if (r->answer != NULL) {
		on_order(o, now, r);
	} else if (is_doubtful) {
		order_keep_refusal(o, r);
		o->step = STEP_READY;
		order_poll(o, now, o->url, r->retry_s);
	} else {
		order_fail_reply(o, now, r, "finalize");
	}
}

void
order_keep_refusal(struct acme_order *o, const struct reply *r)
{
	if (o->refusal == NULL) {
		o->refusal = xalloc(sizeof *o->refusal);
	}
	*o->refusal = r->problem;
}

static void
on_step(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_order *o = LIST_ENTRY(a, struct acme_order, ask);
	switch (o->step) {
	case STEP_LOOK:
		order_on_look(o, now, r);
		break;
	case STEP_PROVE:
		order_on_told(o, now, r);
		break;
	case STEP_VALIDATE:
		order_on_validate(o, now, r);
		break;
	case STEP_READY:
	case STEP_ISSUE:
		on_order(o, now, r);
		break;
	case STEP_FINALIZE:
		on_finalize(o, now, r);
		break;
	case STEP_CHAIN:
		order_on_chain(o, now, r);
		break;
	case STEP_ALTERNATE:
		order_on_alternate(o, now, r);
		break;
	case STEP_NEW:
	case STEP_END:
		ASSERT(false); /* these have no request of this kind */
	}
}

/* ---- from step to step ---- */

static enum order_step
order_enter(struct acme_order *o, enum order_step step)
{
	o->polls = 0;
	o->step_end_ns = NOW_NEVER;
	return step;
}

void
order_go(struct acme_order *o, const struct now *now, enum order_step step)
{
	o->step = order_enter(o, step);
	switch (step) {
	case STEP_LOOK:
	case STEP_VALIDATE:
		o->step_end_ns = after_s(now, ACME_VALIDATE_TIME_MAX_S);
		o->at = 0;
		order_ask_authorization(o, now);
		break;
	case STEP_PROVE:
		o->step_end_ns = after_s(now, ACME_PROVE_TIME_MAX_S);
		order_set_state(o, ACME_ORDER_PROVE);
		break;
	case STEP_READY:
		o->step_end_ns = after_s(now, ACME_VALIDATE_TIME_MAX_S);
		order_fetch(o, o->url);
		break;
	case STEP_FINALIZE:
		finalize(o);
		break;
	case STEP_CHAIN:
		order_fetch_chain(o, o->certificate_url);
		break;
	default:
		ASSERT(false);
	}
}
