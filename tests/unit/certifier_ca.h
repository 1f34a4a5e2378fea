/* tests/unit/certifier_ca.h -- a CA in place of acme/client.h: it does what the test says, with one order at a time. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "acme/certifier.h"
#include "base/alloc.h"

struct acme_order {
	enum acme_order_state state;
	void *user;
	bool is_news;
	struct acme_proof proofs[2];
	struct acme_failure failure;
};

struct acme_renewal {
	void *user;
	bool is_news;
	struct acme_renewal_answer answer;
};

static struct acme_order *ordered;
static struct acme_renewal *asked;
static uint64_t orders_n, proven_n;
static size_t proofs_n = 1;      /* of an order */
static bool is_second_elsewhere; /* … and the second one is not at the name of the first one */
static struct acme_der chain_of_ca[2] = { { (const uint8_t *)"leaf", 4 }, { (const uint8_t *)"issuer", 6 } };

err_t
acme_order_new(struct acme_client *c, const struct now *now, const struct acme_order_wish *wish, struct acme_order **out)
{
	(void)c;
	(void)now;
	ordered = xalloc(sizeof *ordered);
	ordered->user = wish->user;
	ordered->proofs[0] = (struct acme_proof){ .name = "www.example", .has_dns = true, .value = "the-value-of-the-proof-0123456789-012345678" };
	ordered->proofs[1] = (struct acme_proof){ .name = is_second_elsewhere ? "a.www.example" : "www.example",
		                                         .has_dns = true, .value = "its-second-value-0123456789-0123456789-0123" };
	ordered->failure = (struct acme_failure){ .fault = ACME_FAULT_VALIDATION, .reason = "nobody answers" };
	orders_n++;
	*out = ordered;
	return OK;
}

void
acme_order_free(struct acme_order **o)
{
	if (*o != NULL && *o == ordered) {
		ordered = NULL;
	}
	free(*o);
	*o = NULL;
}

struct acme_order *
acme_client_next_order(struct acme_client *c)
{
	(void)c;
	if (ordered == NULL || !ordered->is_news) {
		return NULL;
	}
	ordered->is_news = false;
	return ordered;
}

enum acme_order_state acme_order_state(const struct acme_order *o) { return o->state; }
void *acme_order_user(const struct acme_order *o) { return o->user; }
const char *acme_order_url(const struct acme_order *o) { (void)o; return NULL; }
size_t acme_order_proofs_n(const struct acme_order *o) { (void)o; return proofs_n; }
const struct acme_proof *acme_order_proof(const struct acme_order *o, size_t i) { return &o->proofs[i]; }
const struct acme_failure *acme_order_failure(const struct acme_order *o) { return &o->failure; }
uint64_t acme_client_rests_until(const struct acme_client *c, const struct now *now) { (void)c; (void)now; return 0; }
bool acme_client_next_notice(struct acme_client *c, struct acme_notice *out) { (void)c; (void)out; return false; }
void *acme_renewal_user(const struct acme_renewal *r) { return r->user; }
const struct acme_renewal_answer *acme_renewal_answer(const struct acme_renewal *r) { return &r->answer; }

struct acme_renewal *
acme_client_next_renewal(struct acme_client *c)
{
	(void)c;
	if (asked == NULL || !asked->is_news) {
		return NULL;
	}
	asked->is_news = false;
	return asked;
}

void
acme_renewal_free(struct acme_renewal **r)
{
	if (*r != NULL && *r == asked) {
		asked = NULL;
	}
	free(*r);
	*r = NULL;
}

bool
acme_order_is_persist(const struct acme_order *o, size_t i, const char *txt, uint64_t wall_s)
{
	(void)o;
	(void)i;
	(void)txt;
	(void)wall_s;
	return false;
}

void
acme_order_proven(struct acme_order *o, const struct now *now, size_t i, enum acme_way way)
{
	(void)o;
	(void)now;
	(void)i;
	assert_int_equal(way, ACME_WAY_DNS);
	proven_n++;
}

size_t
acme_order_chain(const struct acme_order *o, const struct acme_der **out)
{
	(void)o;
	*out = chain_of_ca;
	return ARRAY_LEN(chain_of_ca);
}

err_t
acme_renewal_new(struct acme_client *c, const struct now *now, const char *id, void *user, struct acme_renewal **out)
{
	(void)c;
	(void)now;
	(void)id;
	if (asked != NULL) {
		return E_LIMIT;
	}
	asked = xalloc(sizeof *asked);
	asked->user = user;
	*out = asked;
	return OK;
}

static void
ca_says(struct certifier *c, const struct now *now, enum acme_order_state state)
{
	assert_non_null(ordered);
	ordered->state = state;
	ordered->is_news = true;
	certifier_on_ca(c, now);
}

/* About the renewal that it was asked for: OK, or why it does not say. */
[[maybe_unused]] static void
ca_answers(struct certifier *c, const struct now *now, err_t err)
{
	assert_non_null(asked);
	asked->answer.err = err;
	asked->is_news = true;
	certifier_on_ca(c, now);
}
