#include "acme/client_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static bool
is_short(const char *text)
{
	return text == NULL || strlen(text) <= TEXT_MAX;
}

static char *
copy(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static void
init(struct acme_client *c, const struct acme_client_conf *conf)
{
	size_t in_flight = conf->in_flight_max;
	c->directory_url = copy(conf->directory);
	c->contact = copy(conf->contact);
	c->eab_kid = copy(conf->eab_kid);
	c->profile = copy(conf->profile);
	c->preferred_chain = copy(conf->preferred_chain);
	c->has_agreed = conf->has_agreed;
	c->key = conf->key;
	c->in_flight_max = in_flight == 0 || in_flight > ACME_IN_FLIGHT_MAX ? ACME_IN_FLIGHT_MAX : in_flight;
	if (conf->eab_kid != NULL) {
		c->eab_key = xalloc(conf->eab_key_len);
		memcpy(c->eab_key, conf->eab_key, conf->eab_key_len);
		c->eab_key_len = conf->eab_key_len;
	}
	c->setup.client = c->new_nonce.client = c->update.client = c;
	c->contact_at_ns = NOW_NEVER;
	list_init(&c->asks);
	list_init(&c->orders);
	list_init(&c->changed);
	list_init(&c->renewals);
	list_init(&c->answered);
}

err_t
acme_client_new(const struct acme_client_conf *conf, struct acme_client **out)
{
	char thumbprint[ACME_THUMBPRINT_LEN + 1];
	if (!acme_url_is_good(conf->directory)) {
		return E_FORMAT;
	}
	if (!is_short(conf->contact) || !is_short(conf->eab_kid) || !is_short(conf->profile) || !is_short(conf->preferred_chain) ||
	    conf->eab_key_len > TEXT_MAX || (conf->eab_kid != NULL && conf->eab_key_len == 0)) {
		return E_LIMIT;
	}
	TRY(acme_thumbprint(conf->key, thumbprint));
	struct acme_client *c = xalloc(sizeof *c);
	init(c, conf);
	memcpy(c->thumbprint, thumbprint, sizeof thumbprint);
	*out = c;
	return OK;
}

void
acme_client_free(struct acme_client **client)
{
	struct acme_client *c = *client;
	if (c == NULL) {
		return;
	}
	ASSERT(c->orders_n == 0 && c->renewals_n == 0);
	ask_fini(&c->setup);
	ask_fini(&c->new_nonce);
	ask_fini(&c->update);
	notices_fini(c);
	acme_directory_fini(&c->directory);
	str_fini(&c->body);
	if (c->eab_key != NULL) {
		wipe(c->eab_key, c->eab_key_len);
	}
	free(c->eab_key);
	free(c->directory_url);
	free(c->contact);
	free(c->eab_kid);
	free(c->profile);
	free(c->preferred_chain);
	free_ptr(client);
}

/* ---- time ---- */

/* The earlier of two, but nothing that was due at the last input: that waits for something else than time. */
static uint64_t
earlier(const struct acme_client *c, uint64_t a, uint64_t b)
{
	return b > c->now_ns && b < a ? b : a;
}

uint64_t
acme_client_deadline(const struct acme_client *c)
{
	uint64_t at_ns = NOW_NEVER;
	bool waits = c->wants_account || !list_is_empty(&c->orders) || !list_is_empty(&c->renewals);
	for (const struct list_link *l = c->asks.next; l != &c->asks; l = l->next) {
		const struct ask *a = LIST_ENTRY(l, const struct ask, link);
		if (a->state == ASK_WAITING) {
			at_ns = earlier(c, at_ns, a->at_ns > c->rests_until_ns ? a->at_ns : c->rests_until_ns);
		}
	}
	for (const struct list_link *l = c->orders.next; l != &c->orders; l = l->next) {
		const struct acme_order *o = LIST_ENTRY(l, const struct acme_order, link);
		at_ns = earlier(c, at_ns, o->order_end_ns < o->step_end_ns ? o->order_end_ns : o->step_end_ns);
	}
	at_ns = earlier(c, at_ns, c->contact_at_ns);
	return waits ? earlier(c, at_ns, c->setup_at_ns) : at_ns;
}

void
acme_client_timer(struct acme_client *c, const struct now *now)
{
	c->now_ns = now->mono_ns;
	for (struct list_link *l = c->orders.next, *next; l != &c->orders; l = next) {
		next = l->next; /* an order whose time is over leaves the list */
		order_check_time(LIST_ENTRY(l, struct acme_order, link), now);
	}
	setup_go(c, now);
}

/* ---- what the caller asks ---- */

void
acme_client_want_account(struct acme_client *c, const struct now *now)
{
	c->now_ns = now->mono_ns;
	c->wants_account = c->account[0] == '\0';
	setup_go(c, now);
}

const char *
acme_client_account(const struct acme_client *c)
{
	return c->account[0] != '\0' ? c->account : NULL;
}

const char *
acme_client_trouble(const struct acme_client *c)
{
	return c->trouble[0] != '\0' ? c->trouble : NULL;
}

uint64_t
acme_client_rests_until(const struct acme_client *c, const struct now *now)
{
	uint64_t until_ns = c->rests_until_ns > c->setup_at_ns ? c->rests_until_ns : c->setup_at_ns;
	return until_ns > now->mono_ns ? until_ns : 0;
}

const struct acme_client_stats *
acme_client_stats(const struct acme_client *c)
{
	return &c->stats;
}

err_t
acme_client_persist_line(const struct acme_client *c, const char *name, struct str *out)
{
	bool is_wildcard = name[0] == '*';
	const struct acme_directory *d = &c->directory;
	const struct acme_persist p = {
		.issuers = d->issuers_n != 0 ? d->issuers : d->caa,
		.issuers_n = d->issuers_n != 0 ? d->issuers_n : d->caa_n,
		.account = acme_client_account(c),
		.thumbprint = c->thumbprint,
		.hash_prefix = d->hash_prefix,
	};
	if (p.account == NULL) {
		return E_NOTFOUND;
	}
	return p.issuers_n != 0 ? acme_persist_print_line(&p, name + (is_wildcard ? 2 : 0), is_wildcard, out) : E_UNSUPPORTED;
}

struct acme_order *
acme_client_next_order(struct acme_client *c)
{
	if (list_is_empty(&c->changed)) {
		return NULL;
	}
	struct acme_order *o = LIST_ENTRY(c->changed.next, struct acme_order, changed);
	list_remove(&o->changed);
	return o;
}
