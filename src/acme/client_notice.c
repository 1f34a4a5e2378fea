/* What somebody should know about the account. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/client_p.h"
#include "base/alloc.h"

void
notice_put(struct acme_client *c, enum acme_notice_kind kind, const char *text)
{
	free(c->notices[kind]);
	c->notices[kind] = xstrdup(text);
}

/* Until somebody has agreed, an order would be refused, too. */
void
notice_terms(struct acme_client *c, const struct now *now, const char *text)
{
	uint64_t rest_ns = after_s(now, TERMS_REST_S);
	c->setup_at_ns = rest_ns > c->setup_at_ns ? rest_ns : c->setup_at_ns;
	if (now->mono_ns >= c->terms_at_ns) {
		c->terms_at_ns = rest_ns;
		notice_put(c, ACME_NOTICE_TERMS, text);
	}
}

bool
acme_client_next_notice(struct acme_client *c, struct acme_notice *out)
{
	for (unsigned i = 0; i < ACME_NOTICES; i++) {
		if (c->notices[i] != NULL) {
			out->kind = i;
			(void)snprintf(out->text, sizeof out->text, "%s", c->notices[i]);
			free_ptr(&c->notices[i]);
			return true;
		}
	}
	return false;
}

void
notices_fini(struct acme_client *c)
{
	for (unsigned i = 0; i < ACME_NOTICES; i++) {
		free_ptr(&c->notices[i]);
	}
}
