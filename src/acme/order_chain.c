#include "acme/client_p.h"

#include <string.h>

static const char pem_type[] = "application/pem-certificate-chain";

void
order_fetch_chain(struct acme_order *o, const char *url)
{
	order_fetch(o, url);
	o->ask.accept = pem_type; /* RFC 8555 7.4.2 */
}

/* OK, or what is wrong is kept if it is the first fault. */
static err_t
read_chain(struct acme_order *o, const struct now *now, const struct acme_answer *answer, struct acme_chain *out)
{
	const struct acme_chain_wish wish = { .key = o->key, .names = o->names, .names_n = o->names_n, .now_s = now->wall_s };
	const char *why = "it is no PEM of certificates, or too large";
	err_t err = acme_chain_read(&wish, str_text(&answer->body), answer->body.len, out, &why);
	if (err != OK && o->chain_fault == NULL) {
		o->chain_fault = why;
	}
	return err;
}

static bool
is_preferred(const struct acme_order *o, const struct acme_chain *chain)
{
	const char *wish = o->client->preferred_chain;
	return wish == NULL || strcmp(chain->certs[chain->n - 1]->issuer, wish) == 0;
}

static void
issue(struct acme_order *o)
{
	for (size_t i = 0; i < o->chain.n; i++) {
		o->ders[i] = (struct acme_der){ .octets = o->chain.certs[i]->der, .len = o->chain.certs[i]->der_len };
	}
	order_end(o, ACME_ORDER_ISSUED);
}

/* The next alternate chain, or the end: with the first chain that was good, if none is preferred. */
static void
go_on(struct acme_order *o)
{
	if (o->at < o->alternates_n) {
		o->step = STEP_ALTERNATE;
		order_fetch_chain(o, o->alternates[o->at++]);
	} else if (o->chain.n != 0) {
		issue(o);
	} else {
		order_fail(o, ACME_FAULT_ANSWER, "certificate: %s", o->chain_fault);
	}
}

static void
take_chain(struct acme_order *o, const struct now *now, const struct acme_answer *answer)
{
	struct acme_chain found = { 0 };
	bool is_good = read_chain(o, now, answer, &found) == OK;
	bool is_best = is_good && is_preferred(o, &found);
	if (is_good && (is_best || o->chain.n == 0)) {
		acme_chain_fini(&o->chain);
		o->chain = found;
	} else {
		acme_chain_fini(&found);
	}
	if (is_best) {
		issue(o);
	} else {
		go_on(o);
	}
}

/* False: the order has failed. */
static bool
keep_alternates(struct acme_order *o, const struct acme_answer *answer)
{
	char url[ACME_URL_MAX + 1];
	o->at = 0;
	o->alternates = arena_alloc(&o->memory, sizeof *o->alternates * ACME_LINKS_MAX);
	for (size_t i = 0; i < answer->links.alternates_n && o->alternates != NULL; i++) {
		if (acme_url_resolve(o->certificate_url, answer->links.alternates[i], url) != OK) {
			continue;
		}
		o->alternates[o->alternates_n] = order_keep(o, url);
		if (o->alternates[o->alternates_n++] == NULL) {
			return false;
		}
	}
	return true;
}

void
order_on_chain(struct acme_order *o, const struct now *now, const struct reply *r)
{
	if (r->answer == NULL) {
		order_fail_reply(o, now, r, "certificate");
	} else if (keep_alternates(o, r->answer)) {
		take_chain(o, now, r->answer);
	}
}

/* An alternate that cannot be had is passed over. */
void
order_on_alternate(struct acme_order *o, const struct now *now, const struct reply *r)
{
	if (r->answer == NULL) {
		go_on(o);
	} else {
		take_chain(o, now, r->answer);
	}
}
