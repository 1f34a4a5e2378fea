#include "net/report_notify.h"

#include <stdio.h>

#include "dns/rrtype.h"
#include "net/peer.h"

static void
print_target(const struct notify_target *to, char out[PEER_TEXT_MAX])
{
	if (to->conn != 0 && to->address.family == 0) {
		snprintf(out, PEER_TEXT_MAX, "its own connection");
	} else {
		peer_print_address(&to->address, to->port, out);
	}
}

static const struct {
	const char *event;
	enum log_level level;
	const char *text;
} outcomes[NOTIFY_OUTCOMES] = {
	[NOTIFY_ACKNOWLEDGED] = { "notify-acknowledged", LOG_LEVEL_INFO, "" },
	[NOTIFY_REFUSED] = { "notify-refused", LOG_LEVEL_WARNING, "" },
	[NOTIFY_GAVE_UP] = { "notify-gave-up", LOG_LEVEL_WARNING, "no answer to any attempt" },
	[NOTIFY_LOST] = { "notify-lost", LOG_LEVEL_DEBUG, "the secondary's connection closed" },
	[NOTIFY_PUT_OFF] = { "notify-put-off", LOG_LEVEL_INFO, "the secondary cannot just now; it is told again" },
	[NOTIFY_UNVERIFIED] = { "notify-unverified", LOG_LEVEL_WARNING, "the answer is not signed well: does it know the key?" },
	[NOTIFY_UNANSWERED] = { "notify-unanswered", LOG_LEVEL_WARNING, "no answer within a minute; it is told again, for a day" },
	[NOTIFY_UNREACHED] = { "notify-unreached", LOG_LEVEL_DEBUG, "no answer yet; if it keeps a connection to us, it is told by that" },
};

/* What a secondary's TSIG error most often means. */
static const char *
text_of(const struct notifier_report *r)
{
	switch (r->tsig_error) {
	case RCODE_BADKEY:
		return "the secondary does not know the key; it is told again";
	case RCODE_BADSIG:
		return "the secondary has another secret for the key; it is told again";
	case RCODE_BADTIME:
		return "the secondary's clock differs from ours; it is told again";
	default:
		return outcomes[r->outcome].text;
	}
}

void
report_notify_outcome(const struct log *log, const struct notifier_report *r)
{
	static const char *const transports[NOTIFY_TRANSPORTS] = {
		[NOTIFY_OVER_TCP] = "tcp", [NOTIFY_OVER_UDP] = "udp", [NOTIFY_OVER_CONN] = "connection",
	};
	char to[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX] = "", rcode[RRTYPE_TEXT_MAX] = "";
	if (!log_is_on(log, outcomes[r->outcome].level)) {
		return;
	}
	print_target(r->target, to);
	name_print(r->zone, zone);
	if (r->target->key != NULL) {
		name_print(r->target->key->name.oct, key);
	}
	if (r->outcome == NOTIFY_REFUSED || r->outcome == NOTIFY_PUT_OFF) {
		rcode_print(r->rcode, false, rcode);
	} else if (r->tsig_error != 0) {
		rcode_print(r->tsig_error, true, rcode);
	}
	log_peer_event(log, LOG_BY_KEY, outcomes[r->outcome].level, outcomes[r->outcome].event,
	               "to=%s transport=%s zone=%s serial=%u key=%s attempts=%u rcode=%s text=%s", to, transports[r->transport], zone,
	               r->serial, key, r->attempts, rcode, text_of(r));
}

void
report_notify_incomplete(const struct log *log, err_t err, const struct notify_left_out *o)
{
	log_event(log, LOG_LEVEL_ERROR, "notify-incomplete", "zones=%zu text=%s", o->cut_n,
	          err != OK ? err_str(err) : "they have more secondaries than are told");
}

void
report_notify_passed_over(const struct log *log, const struct notify_left_out *o)
{
	char zone[NAME_TEXT_MAX], to[PEER_TEXT_MAX];
	name_print(o->passed_zone.oct, zone);
	peer_print_address(&o->passed, o->passed_port, to);
	log_event(log, LOG_LEVEL_INFO, "notify-passed-over", "zones=%zu zone=%s to=%s text=%s", o->passed_n, zone, to,
	          "we listen on loopback addresses alone, so no others are told; --notify=all tells all. This is said once");
}

void
report_notify_unknown_host(const struct log *log, const struct notify_left_out *o)
{
	char zone[NAME_TEXT_MAX], host[NAME_TEXT_MAX];
	name_print(o->unknown_zone.oct, zone);
	name_print(o->unknown.oct, host);
	log_event(log, LOG_LEVEL_INFO, "notify-unknown-host", "zones=%zu zone=%s host=%s text=%s", o->unknown_n, zone, host,
	          "no zone of the repository has an address of this host, so it is not told of changes; an A or AAAA record for it in a "
	          "_secondaries file, or a transfer key with its address in the name, has it told. This is said once");
}

void
report_notify_over_limit(const struct log *log, uint64_t n, uint64_t pending)
{
	log_event(log, LOG_LEVEL_WARNING, "notify-over-limit", "notifications=%lu pending=%lu text=%s", n, pending,
	          "so many are pending, in all or for one secondary, that these were not begun; their secondaries learn of the changes by "
	          "their refresh timers");
}

void
report_notify_not_told(const struct log *log, const struct notify_target *from, const struct name *zone, enum notify_not_told why)
{
	static const char *const texts[] = {
		[NOTIFY_SHARE_TAKEN] = "its connection or its key has as many subscriptions as one may have",
		[NOTIFY_PLACES_TAKEN] = "there are as many subscriptions as there may be",
		[NOTIFY_NO_MEMORY] = "there is no memory for its subscription",
		[NOTIFY_NOT_KEPT] = "as many connections are kept for secondaries as may be; --tcp-max allows more",
		[NOTIFY_CROWDED] = "too many others, with its key or in all, have asked to be told of all zones",
	};
	char peer[PEER_TEXT_MAX], name[NAME_TEXT_MAX], key[NAME_TEXT_MAX];
	if (!log_peer_is_due(log, LOG_BY_STRANGER, LOG_LEVEL_WARNING, "secondary-not-told")) {
		return;
	}
	print_target(from, peer);
	name_print(zone->oct, name);
	name_print(from->key->name.oct, key);
	log_peer_event(log, LOG_BY_STRANGER, LOG_LEVEL_WARNING, "secondary-not-told", "from=%s zone=%s key=%s text=%s hint=%s", peer, name,
	               key, texts[why], "it hears of changes at its address, if that is told, or when it asks again");
}

void
report_notify_stats(const struct log *log, const struct notifier_stats *s, size_t subscriptions, uint64_t not_told)
{
	log_event(log, LOG_LEVEL_INFO, "notify-stats",
	          "added=%lu over_limit=%lu replaced=%lu acknowledged=%lu refused=%lu gave_up=%lu lost=%lu sent_tcp=%lu sent_udp=%lu "
	          "sent_connection=%lu failed=%lu unverified=%lu pending=%lu in_flight=%lu subscriptions=%zu not_told=%lu",
	          s->added, s->over_limit, s->replaced, s->outcomes[NOTIFY_ACKNOWLEDGED], s->outcomes[NOTIFY_REFUSED],
	          s->outcomes[NOTIFY_GAVE_UP], s->outcomes[NOTIFY_LOST], s->sent[NOTIFY_OVER_TCP], s->sent[NOTIFY_OVER_UDP],
	          s->sent[NOTIFY_OVER_CONN], s->failed, s->unverified, s->pending, s->in_flight, subscriptions, not_told);
}
