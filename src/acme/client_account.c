#include "acme/client_p.h"

#include <stdio.h>
#include <string.h>

#include "acme/json.h"
#include "crypto/pkey.h"

static void on_directory(struct ask *a, const struct now *now, const struct reply *r);
static void on_account(struct ask *a, const struct now *now, const struct reply *r);

/* ---- failure ---- */

static void
fail_orders(struct acme_client *c, enum acme_fault fault, uint64_t retry_s)
{
	while (!list_is_empty(&c->orders)) {
		struct acme_order *o = LIST_ENTRY(c->orders.next, struct acme_order, link);
		o->failure.retry_s = retry_s;
		order_fail(o, fault, "%s", c->trouble);
	}
}

/* All that waits fails, and the next attempt comes after a rest, which grows with each failure. */
static void
fail(struct acme_client *c, const struct now *now, enum acme_fault fault, uint64_t retry_s)
{
	unsigned doublings = c->setup_failures < 8 ? c->setup_failures : 8;
	uint64_t rest_s = (uint64_t)ACCOUNT_REST_MIN_S << doublings;
	rest_s = rest_s > ACCOUNT_REST_MAX_S ? ACCOUNT_REST_MAX_S : rest_s;
	rest_s = rest_s > retry_s ? rest_s : retry_s;
	c->setup_failures++;
	c->setup_at_ns = after_s(now, rest_s);
	c->wants_account = false;
	fail_orders(c, fault, rest_s);
	if (c->directory.new_order == NULL) {
		renewals_fail(c);
	}
}

static void
fail_reply(struct acme_client *c, const struct now *now, const struct reply *r, const char *what)
{
	enum acme_fault fault = r->is_lost    ? ACME_FAULT_NETWORK
	                        : r->is_limit ? ACME_FAULT_ACCOUNT_RATE
	                                      : ACME_FAULT_ACCOUNT;
	(void)snprintf(c->trouble, sizeof c->trouble, "%s: %s", what, r->problem.line);
	fail(c, now, fault, r->is_limit ? r->retry_s : 0);
}

static void
fail_text(struct acme_client *c, const struct now *now, enum acme_fault fault, const char *text)
{
	(void)snprintf(c->trouble, sizeof c->trouble, "%s", text);
	fail(c, now, fault, 0);
}

/* ---- directory ---- */

static void
get_directory(struct acme_client *c)
{
	c->step = SETUP_DIRECTORY;
	c->setup.on_reply = on_directory;
	c->setup.accept = NULL;
	ask_get(&c->setup, c->directory_url);
}

/* The old directory is still good when a new one cannot be had. */
static bool
go_on_with_old(struct acme_client *c, const struct now *now)
{
	c->directory_until_ns = after_s(now, DIRECTORY_AGAIN_S);
	return c->directory.new_order != NULL;
}

static void
on_directory(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_client *c = a->client;
	struct acme_directory found = { 0 };
	c->step = SETUP_IDLE;
	if (r->answer == NULL) {
		if (!go_on_with_old(c, now)) {
			fail_reply(c, now, r, "no directory");
		}
		return;
	}
	const struct str *body = &r->answer->body;
	if (acme_directory_read(str_text(body), body->len, &found) != OK) {
		if (!go_on_with_old(c, now)) {
			fail_text(c, now, ACME_FAULT_ANSWER, "no directory: this URL is not one of an ACME server (RFC 8555 7.1.1)");
		}
		return;
	}
	ask_finish(&c->new_nonce); /* its URL goes */
	acme_directory_fini(&c->directory);
	c->directory = found;
	c->directory_until_ns = after_s(now, DIRECTORY_AGE_MAX_S);
	renewal_go(c);
}

/* ---- account ---- */

static void
post_account(struct acme_client *c, enum setup_step step)
{
	c->step = step;
	c->setup.on_reply = on_account;
	c->setup.has_key = true;
	ask_post(&c->setup, c->directory.new_account);
}

static void
find_account(struct acme_client *c)
{
	str_clear(&c->setup.payload);
	str_cat(&c->setup.payload, "{\"onlyReturnExisting\":true}");
	post_account(c, SETUP_FIND);
}

static err_t
put_binding(struct acme_client *c, struct str *out)
{
	if (c->eab_kid == NULL) {
		return OK;
	}
	const struct acme_binding binding = {
		.kid = c->eab_kid, .key = c->eab_key, .key_len = c->eab_key_len, .url = c->directory.new_account,
	};
	str_cat(out, ",\"externalAccountBinding\":");
	return acme_jws_bind(c->key, &binding, out);
}

static void
create_account(struct acme_client *c, const struct now *now)
{
	struct str *payload = &c->setup.payload;
	if (c->directory.wants_binding && c->eab_kid == NULL) {
		fail_text(c, now, ACME_FAULT_ACCOUNT, "no account: this CA gives accounts to those alone who have a key of it already "
		          "(external account binding): --eab-kid and --eab-key-file");
		return;
	}
	if (c->directory.terms != NULL && !c->has_agreed) {
		fail_text(c, now, ACME_FAULT_ACCOUNT, "no account: its terms of service have not been agreed to");
		return;
	}
	str_clear(payload);
	str_printf(payload, "{\"termsOfServiceAgreed\":%s", c->has_agreed ? "true" : "false");
	if (contact_is_wanted(c)) {
		str_char(payload, ',');
		contact_put(c, payload);
	}
	err_t err = put_binding(c, payload);
	str_char(payload, '}');
	if (err != OK || payload->err != OK) {
		fail_text(c, now, ACME_FAULT_MEMORY, "no account: the request cannot be made");
		return;
	}
	post_account(c, SETUP_CREATE);
}

/* The account is there, and may be used. */
static void
on_found(struct acme_client *c, const struct now *now, const struct acme_answer *answer, bool is_new)
{
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = NULL;
	const char *status = NULL;
	if (acme_json_read(str_text(&answer->body), answer->body.len, &json) == OK) {
		status = acme_json_text(json, "status");
	}
	if (status != NULL && strcmp(status, "valid") != 0) {
		fail_text(c, now, ACME_FAULT_ACCOUNT, strcmp(status, "deactivated") == 0 ?
		          "no account: the one of this key is deactivated; another seed makes another key" :
		          "no account: the CA has revoked the one of this key; another seed makes another key");
		return;
	}
	if (acme_url_resolve(c->directory.new_account, answer->location, c->account) != OK) {
		fail_text(c, now, ACME_FAULT_ANSWER, "no account: the CA does not say its URL (RFC 8555 7.3)");
		return;
	}
	c->wants_account = false;
	c->setup_failures = 0;
	c->trouble[0] = '\0';
	contact_look(c, now, is_new ? NULL : json);
	for (struct list_link *l = c->orders.next, *next; l != &c->orders; l = next) {
		struct acme_order *o = LIST_ENTRY(l, struct acme_order, link);
		next = l->next; /* an order that fails leaves the list */
		if (o->step == STEP_NEW && o->ask.state == ASK_IDLE) {
			order_ask_new(o);
		}
	}
}

static void
on_account(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_client *c = a->client;
	enum setup_step step = c->step;
	c->step = SETUP_IDLE;
	a->has_key = false;
	if (r->answer != NULL) {
		on_found(c, now, r->answer, step == SETUP_CREATE);
	} else if (step == SETUP_FIND && r->problem.kind == ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST) {
		create_account(c, now);
	} else if (step == SETUP_CREATE && contact_is_refused(c, r)) {
		create_account(c, now);
	} else {
		fail_reply(c, now, r, "no account");
	}
}

/* ---- what comes next ---- */

void
setup_go(struct acme_client *c, const struct now *now)
{
	contact_go(c, now);
	bool wants_account = c->wants_account || !list_is_empty(&c->orders);
	bool wants_directory = wants_account || !list_is_empty(&c->renewals);
	if (c->step != SETUP_IDLE || now->mono_ns < c->setup_at_ns) {
		return;
	}
	if (wants_directory && (c->directory.new_order == NULL || now->mono_ns >= c->directory_until_ns)) {
		get_directory(c);
	} else if (wants_account && c->account[0] == '\0') {
		find_account(c);
	}
}
