#include "acme/client_p.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/csr.h"

/* ---- begin and end ---- */

static bool
has_names_of(const struct acme_order_wish *wish, const struct csr *csr)
{
	for (size_t i = 0; i < wish->names_n; i++) {
		if (!host_names_has(&csr->names, wish->names[i])) {
			return false;
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(wish->names[i], wish->names[j]) == 0) {
				return false;
			}
		}
	}
	return wish->names_n == csr->names.n;
}

static bool
keep_wish(struct acme_order *o, const struct acme_order_wish *wish)
{
	bool is_kept = true;
	o->names = arena_alloc(&o->memory, wish->names_n * sizeof *o->names);
	o->csr = arena_copy(&o->memory, wish->csr, wish->csr_len);
	if (o->names == NULL || o->csr == NULL) {
		return false;
	}
	o->csr_len = wish->csr_len;
	for (size_t i = 0; i < wish->names_n && is_kept; i++, o->names_n++) {
		o->names[i] = arena_copy(&o->memory, wish->names[i], strlen(wish->names[i]) + 1);
		is_kept = o->names[i] != NULL;
	}
	if (is_kept && wish->replaces != NULL) {
		o->replaces = arena_copy(&o->memory, wish->replaces, strlen(wish->replaces) + 1);
		is_kept = o->replaces != NULL;
	}
	return is_kept;
}

err_t
acme_order_new(struct acme_client *c, const struct now *now, const struct acme_order_wish *wish, struct acme_order **out)
{
	[[gnu::cleanup(csr_free)]] struct csr *csr = NULL;
	if (c->orders_n == ACME_ORDERS_MAX || (wish->replaces != NULL && strlen(wish->replaces) > ACME_CERT_ID_MAX)) {
		return E_LIMIT;
	}
	TRY(csr_read(wish->csr, wish->csr_len, &csr));
	if (!has_names_of(wish, csr)) {
		return E_FORMAT;
	}
	struct acme_order *o = xalloc(sizeof *o);
	o->client = o->ask.client = c;
	o->user = wish->user;
	o->memory.limit = ACME_ORDER_OCTETS_MAX;
	if (!keep_wish(o, wish)) {
		arena_fini(&o->memory);
		free_ptr(&o);
		return E_NOMEM;
	}
	o->key = csr->key;
	csr->key = NULL;
	c->orders_n++;
	c->stats.orders++;
	c->now_ns = now->mono_ns;
	list_append(&c->orders, &o->link);
	order_begin(o, now);
	setup_go(c, now);
	*out = o;
	return OK;
}

void
acme_order_free(struct acme_order **order)
{
	struct acme_order *o = *order;
	if (o == NULL) {
		return;
	}
	if (list_is_linked(&o->link)) {
		list_remove(&o->link);
	}
	if (list_is_linked(&o->changed)) {
		list_remove(&o->changed);
	}
	ask_fini(&o->ask);
	acme_chain_fini(&o->chain);
	pkey_free(&o->key);
	free_ptr(&o->refusal);
	arena_fini(&o->memory);
	o->client->orders_n--;
	free_ptr(order);
}

static void
order_tell(struct acme_order *o)
{
	if (!list_is_linked(&o->changed)) {
		list_append(&o->client->changed, &o->changed);
	}
}

void
order_set_state(struct acme_order *o, enum acme_order_state state)
{
	o->state = state;
	if (state != ACME_ORDER_UNDER_WAY) {
		order_tell(o);
	}
}

void
order_end(struct acme_order *o, enum acme_order_state state)
{
	ask_finish(&o->ask);
	list_remove(&o->link);
	o->step = STEP_END;
	o->client->stats.issued += state == ACME_ORDER_ISSUED;
	o->client->stats.failed += state == ACME_ORDER_FAILED;
	order_set_state(o, state);
}

void
order_fail(struct acme_order *o, enum acme_fault fault, const char *format, ...)
{
	va_list args;
	ASSERT(o->step != STEP_END);
	o->failure.fault = fault;
	va_start(args, format);
	(void)vsnprintf(o->failure.reason, sizeof o->failure.reason, format, args);
	va_end(args);
	order_end(o, ACME_ORDER_FAILED);
}

/* Which kind of fault a refusal of the CA is. */
static enum acme_fault
fault_of(const struct reply *r)
{
	switch (r->problem.kind) {
	case ACME_PROBLEM_BAD_CSR:
	case ACME_PROBLEM_BAD_PUBLIC_KEY:
	case ACME_PROBLEM_CAA:
	case ACME_PROBLEM_INVALID_PROFILE:
	case ACME_PROBLEM_REJECTED_IDENTIFIER:
	case ACME_PROBLEM_UNSUPPORTED_IDENTIFIER:
		return ACME_FAULT_REFUSED;
	case ACME_PROBLEM_CONNECTION:
	case ACME_PROBLEM_DNS:
	case ACME_PROBLEM_INCORRECT_RESPONSE:
	case ACME_PROBLEM_TLS:
		return ACME_FAULT_VALIDATION;
	case ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST:
	case ACME_PROBLEM_BAD_SIGNATURE_ALGORITHM:
	case ACME_PROBLEM_EXTERNAL_ACCOUNT_REQUIRED:
	case ACME_PROBLEM_USER_ACTION_REQUIRED:
		return ACME_FAULT_ACCOUNT;
	case ACME_PROBLEM_BAD_NONCE:
	case ACME_PROBLEM_SERVER_INTERNAL:
		return ACME_FAULT_NETWORK;
	default:
		return ACME_FAULT_REFUSED;
	}
}

void
order_fail_reply(struct acme_order *o, const struct now *now, const struct reply *r, const char *doing)
{
	enum acme_fault fault = fault_of(r);
	if (r->is_limit) {
		fault = o->client->rests_until_ns > now->mono_ns ? ACME_FAULT_ACCOUNT_RATE : ACME_FAULT_NAME_RATE;
		o->failure.retry_s = r->retry_s;
	} else if (r->is_lost) {
		fault = ACME_FAULT_NETWORK;
	}
	order_fail(o, fault, "%s: %s", doing, r->problem.line);
}

char *
order_keep(struct acme_order *o, const char *text)
{
	char *kept = arena_copy(&o->memory, text, strlen(text) + 1);
	if (kept == NULL) {
		order_fail(o, ACME_FAULT_MEMORY, "the CA's answers take too much memory");
	}
	return kept;
}

void
order_check_time(struct acme_order *o, const struct now *now)
{
	static const char *const what[] = {
		[STEP_NEW] = "there was no account in time",
		[STEP_LOOK] = "the CA has not said in time which names are to be proven",
		[STEP_PROVE] = "the proofs were not to be seen everywhere in time",
		[STEP_VALIDATE] = "the CA has not looked at the proofs in time",
		[STEP_READY] = "the order has not become ready in time",
		[STEP_FINALIZE] = "the CA has not taken the signing request in time",
		[STEP_ISSUE] = "the CA has not made the certificate in time",
		[STEP_CHAIN] = "the CA has not sent the certificate in time",
		[STEP_ALTERNATE] = "the CA has not sent the certificate in time",
	};
	if (now->mono_ns >= o->order_end_ns || now->mono_ns >= o->step_end_ns) {
		order_fail(o, ACME_FAULT_TIME, "%s", what[o->step]);
	}
}

/* ---- what the caller asks ---- */

enum acme_order_state
acme_order_state(const struct acme_order *o)
{
	return o->state;
}

void *
acme_order_user(const struct acme_order *o)
{
	return o->user;
}

const char *
acme_order_url(const struct acme_order *o)
{
	return o->url;
}

size_t
acme_order_chain(const struct acme_order *o, const struct acme_der **out)
{
	*out = o->ders;
	return o->chain.n;
}

const struct acme_failure *
acme_order_failure(const struct acme_order *o)
{
	return &o->failure;
}
