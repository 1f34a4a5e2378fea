/* Where the CA may write to: an account that was found with another contact is updated (RFC 8555 7.3.2).  No order waits for that. */
#include <string.h>

#include "acme/client_p.h"
#include "acme/json.h"

/* Some CAs write names of mail servers in small letters. */
static bool
is_ours(const struct acme_client *c, const struct json_t *account)
{
	const struct json_t *list = acme_json_array(account, "contact");
	const char *first = acme_json_n(list) == 1 ? acme_json_item_text(list, 0) : NULL;
	return first != NULL && strcasecmp(first, c->contact) == 0;
}

bool
contact_is_wanted(const struct acme_client *c)
{
	return c->contact != NULL && !c->is_contact_refused;
}

void
contact_put(const struct acme_client *c, struct str *payload)
{
	str_cat(payload, "\"contact\":[");
	acme_json_quote(payload, c->contact);
	str_char(payload, ']');
}

void
contact_look(struct acme_client *c, const struct now *now, const struct json_t *account)
{
	if (account == NULL) {
		c->is_contact_told = true;
	} else if (contact_is_wanted(c) && !c->is_contact_told && !is_ours(c, account)) {
		c->contact_at_ns = now->mono_ns;
	}
}

static void
settle(struct acme_client *c, enum acme_notice_kind kind, const char *text)
{
	c->is_contact_told = true;
	c->is_contact_refused = kind == ACME_NOTICE_CONTACT_REFUSED;
	c->contact_at_ns = NOW_NEVER;
	notice_put(c, kind, text);
}

bool
contact_is_refused(struct acme_client *c, const struct reply *r)
{
	bool is = r->problem.kind == ACME_PROBLEM_INVALID_CONTACT || r->problem.kind == ACME_PROBLEM_UNSUPPORTED_CONTACT;
	if (!is || !contact_is_wanted(c)) {
		return false;
	}
	settle(c, ACME_NOTICE_CONTACT_REFUSED, r->problem.line);
	return true;
}

static void
on_updated(struct ask *a, const struct now *now, const struct reply *r)
{
	struct acme_client *c = a->client;
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = NULL;
	if (r->answer == NULL && (r->is_lost || r->is_limit)) {
		c->contact_at_ns = after_s(now, CONTACT_AGAIN_S);
	} else if (r->answer == NULL) {
		settle(c, ACME_NOTICE_CONTACT_REFUSED, r->problem.line);
	} else if (acme_json_read(str_text(&r->answer->body), r->answer->body.len, &json) == OK && is_ours(c, json)) {
		settle(c, ACME_NOTICE_CONTACT, "");
	} else {
		settle(c, ACME_NOTICE_CONTACT, "the CA does not show it");
	}
}

void
contact_go(struct acme_client *c, const struct now *now)
{
	if (now->mono_ns < c->contact_at_ns || c->account[0] == '\0' || c->update.state != ASK_IDLE) {
		return;
	}
	str_clear(&c->update.payload);
	str_char(&c->update.payload, '{');
	contact_put(c, &c->update.payload);
	str_char(&c->update.payload, '}');
	c->update.on_reply = on_updated;
	ask_post(&c->update, c->account);
}
