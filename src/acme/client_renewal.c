#include "acme/client_p.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

struct acme_renewal {
	struct list_link link;             /* in the client's list of those under way, or of those answered */
	struct ask ask;
	void *user;
	char cert_id[ACME_CERT_ID_MAX + 1];
	char url[ACME_URL_MAX + 1 + ACME_CERT_ID_MAX + 1];
	bool is_answered;
	struct acme_renewal_answer answer;
};

static void
finish(struct acme_renewal *r, err_t err, uint64_t retry_s)
{
	struct acme_client *c = r->ask.client;
	retry_s = retry_s == 0 ? ACME_RENEWAL_AGAIN_S : retry_s < ACME_RENEWAL_AGAIN_MIN_S ? ACME_RENEWAL_AGAIN_MIN_S : retry_s;
	r->answer.err = err;
	r->answer.retry_s = retry_s > ACME_RENEWAL_AGAIN_MAX_S ? ACME_RENEWAL_AGAIN_MAX_S : retry_s;
	r->is_answered = true;
	list_remove(&r->link);
	list_append(&c->answered, &r->link);
}

static void
on_renewal(struct ask *a, const struct now *now, const struct reply *reply)
{
	struct acme_renewal *r = LIST_ENTRY(a, struct acme_renewal, ask);
	(void)now;
	if (reply->answer != NULL) {
		const struct str *body = &reply->answer->body;
		finish(r, acme_window_read(str_text(body), body->len, &r->answer.window), reply->retry_s);
	} else {
		finish(r, reply->is_lost || reply->is_limit ? E_IO : E_NOTFOUND, reply->retry_s);
	}
}

static void
go(struct acme_renewal *r)
{
	const char *base = r->ask.client->directory.renewal_info;
	size_t len = base != NULL ? strlen(base) : 0;
	if (base == NULL || len + 1 + strlen(r->cert_id) > ACME_URL_MAX) {
		finish(r, E_UNSUPPORTED, ACME_RENEWAL_AGAIN_MAX_S);
		return;
	}
	(void)snprintf(r->url, sizeof r->url, "%s%s%s", base, base[len - 1] == '/' ? "" : "/", r->cert_id); /* RFC 9773 4.1 */
	r->ask.on_reply = on_renewal;
	ask_get(&r->ask, r->url);
}

void
renewal_go(struct acme_client *c)
{
	for (struct list_link *l = c->renewals.next, *next; l != &c->renewals; l = next) {
		struct acme_renewal *r = LIST_ENTRY(l, struct acme_renewal, link);
		next = l->next; /* one that is answered leaves the list */
		if (r->ask.state == ASK_IDLE) {
			go(r);
		}
	}
}

void
renewals_fail(struct acme_client *c)
{
	while (!list_is_empty(&c->renewals)) {
		struct acme_renewal *r = LIST_ENTRY(c->renewals.next, struct acme_renewal, link);
		ask_finish(&r->ask);
		finish(r, E_IO, 0);
	}
}

err_t
acme_renewal_new(struct acme_client *c, const struct now *now, const char *cert_id, void *user, struct acme_renewal **out)
{
	if (c->renewals_n == ACME_RENEWALS_MAX || strlen(cert_id) > ACME_CERT_ID_MAX) {
		return E_LIMIT;
	}
	struct acme_renewal *r = xalloc(sizeof *r);
	r->ask.client = c;
	r->user = user;
	(void)snprintf(r->cert_id, sizeof r->cert_id, "%s", cert_id);
	c->renewals_n++;
	c->now_ns = now->mono_ns;
	list_append(&c->renewals, &r->link);
	if (c->directory.new_order != NULL) {
		go(r);
	}
	setup_go(c, now);
	*out = r;
	return OK;
}

void
acme_renewal_free(struct acme_renewal **renewal)
{
	struct acme_renewal *r = *renewal;
	if (r == NULL) {
		return;
	}
	if (list_is_linked(&r->link)) {
		list_remove(&r->link);
	}
	ask_fini(&r->ask);
	r->ask.client->renewals_n--;
	free_ptr(renewal);
}

struct acme_renewal *
acme_client_next_renewal(struct acme_client *c)
{
	if (list_is_empty(&c->answered)) {
		return NULL;
	}
	struct acme_renewal *r = LIST_ENTRY(c->answered.next, struct acme_renewal, link);
	list_remove(&r->link);
	return r;
}

void *
acme_renewal_user(const struct acme_renewal *r)
{
	return r->user;
}

const struct acme_renewal_answer *
acme_renewal_answer(const struct acme_renewal *r)
{
	ASSERT(r->is_answered);
	return &r->answer;
}
