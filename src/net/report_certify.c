#include "net/report_certify.h"

#include <inttypes.h>

static const struct {
	const char *event;
	enum log_level level;
} events[CERTIFIER_EVENTS] = {
	[CERTIFIER_BEGUN] = { "certificate-ordered", LOG_LEVEL_INFO },
	[CERTIFIER_PROVING] = { "proofs-written", LOG_LEVEL_INFO },
	[CERTIFIER_SEEN] = { "proofs-seen", LOG_LEVEL_INFO },
	[CERTIFIER_DEAD] = { "name-server-silent", LOG_LEVEL_WARNING },
	[CERTIFIER_ISSUED] = { "certificate-issued", LOG_LEVEL_INFO },
	[CERTIFIER_DONE] = { "certificate-written", LOG_LEVEL_INFO },
	[CERTIFIER_FAILED] = { "order-failed", LOG_LEVEL_WARNING },
	[CERTIFIER_REFUSED] = { "request-refused", LOG_LEVEL_WARNING },
	[CERTIFIER_CLEANED] = { "leftovers-removed", LOG_LEVEL_INFO },
	[CERTIFIER_STUCK] = { "order-not-ended", LOG_LEVEL_WARNING },
	[CERTIFIER_CHANGED] = { "request-changed", LOG_LEVEL_INFO },
	[CERTIFIER_TLSA_ADDED] = { "tlsa-added", LOG_LEVEL_INFO },
	[CERTIFIER_TLSA_REMOVED] = { "tlsa-removed", LOG_LEVEL_INFO },
	[CERTIFIER_TLSA_FAILED] = { "tlsa-failed", LOG_LEVEL_WARNING },
	[CERTIFIER_TLSA_PASSED] = { "tlsa-left-out", LOG_LEVEL_WARNING },
	[CERTIFIER_CONTACT] = { "contact-changed", LOG_LEVEL_INFO },
	[CERTIFIER_CONTACT_REFUSED] = { "contact-refused", LOG_LEVEL_WARNING },
	[CERTIFIER_TERMS] = { "terms-changed", LOG_LEVEL_WARNING },
};

void
report_certify(const struct log *log, const struct certifier_report *r)
{
	const char *event = events[r->event].event;
	enum log_level level = events[r->event].level;
	char host[NAME_TEXT_MAX];
	if (r->host == NULL) {
		log_event(log, level, event, "why=%s", r->why);
		return;
	}
	name_show(r->host, host);
	if (r->next_s != 0) {
		log_event(log, level, event, "host=%s order=%s why=%s next_s=%" PRIu64, host, r->order, r->why, r->next_s);
	} else {
		log_event(log, level, event, "host=%s order=%s why=%s", host, r->order, r->why);
	}
}

void
report_certify_state(const struct log *log, const struct certifier_state *s)
{
	char host[NAME_TEXT_MAX];
	name_show(s->host, host);
	log_event(log, LOG_LEVEL_INFO, "certificate-state",
	          "host=%s days_left=%" PRId64 " next=%s next_s=%" PRIu64 " tries=%u trouble=%s", host, s->days_left, s->action, s->next_s,
	          s->tries, s->trouble);
}
