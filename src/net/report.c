#include "net/report.h"

#include <stdio.h>

#include "auth/turns.h"
#include "net/peer.h"

/* ---- requests ---- */

/* A stranger can name any key; only a good signature shows that the key's owner sent the request. */
static enum log_cause
cause_of(const struct server_out *out)
{
	bool is_verified = out->event != EVENT_TSIG_FAILED && out->event != EVENT_FORWARD;
	return out->key.len != 0 && is_verified ? LOG_BY_KEY : LOG_BY_STRANGER;
}

static const struct {
	const char *name; /* NULL: it is not logged */
	enum log_level level;
} requests[EVENT_COUNT] = {
	[EVENT_NOTIFY_ACCEPTED] = { "notify-accepted", LOG_LEVEL_INFO },
	[EVENT_NOTIFY_UNSIGNED] = { "notify-unsigned", LOG_LEVEL_INFO },
	[EVENT_NOTIFY_DENIED] = { "notify-denied", LOG_LEVEL_WARNING },
	[EVENT_TSIG_FAILED] = { "tsig-failed", LOG_LEVEL_WARNING },
	[EVENT_TRANSFER] = { "transfer-accepted", LOG_LEVEL_DEBUG },
	[EVENT_TRANSFER_DENIED] = { "transfer-denied", LOG_LEVEL_WARNING },
	[EVENT_SUBSCRIBED] = { "secondary-asked", LOG_LEVEL_DEBUG },
	[EVENT_UPDATE] = { "update-received", LOG_LEVEL_DEBUG },
	[EVENT_UPDATE_DENIED] = { "update-denied", LOG_LEVEL_WARNING },
	[EVENT_FORWARD] = { "update-taken-to-forward", LOG_LEVEL_DEBUG },
};

/* Returns "" for no name: the log leaves a field out if it is empty. */
static const char *
print_name(const struct name *name, char out[NAME_TEXT_MAX])
{
	out[0] = '\0';
	if (name->len != 0) {
		name_print(name->oct, out);
	}
	return out;
}

void
report_request(const struct log *log, const struct peer *from, const struct server_out *out)
{
	const char *event = requests[out->event].name;
	enum log_level level = requests[out->event].level;
	enum log_cause cause = cause_of(out);
	char peer[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX];
	if (event == NULL || !log_peer_is_due(log, cause, level, event)) {
		return;
	}
	peer_print(from, peer);
	log_peer_event(log, cause, level, event, "from=%s transport=%s zone=%s key=%s why=%s", peer,
	               from->transport == TRANSPORT_TCP ? "tcp" : "udp", print_name(&out->zone, zone), print_name(&out->key, key),
	               out->why);
}

/* ---- transfers ---- */

static const struct {
	const char *why, *hint;
} ends[] = {
	[TRANSFER_DONE] = { "", "" },
	[TRANSFER_PEER_GONE] = { "the peer closed the connection", "" },
	[TRANSFER_STALLED] = { "the peer took nothing for too long, or the transfer took more than two hours", "" },
	[TRANSFER_REVOKED] = { "too many octets of replaced versions were kept for it",
		"if the secondary cannot be faster, raise --transfers-memory, and --memory-max where its part for transfers is less" },
	[TRANSFER_SLOW] = { "the peer takes less than 32 KiB a second while others wait", "raise --transfers-max" },
	[TRANSFER_CROWDED] = { "too many transfers wait for their turn, and most of them are of this key and client",
		"let this secondary ask for fewer zones at a time" },
	[TRANSFER_EVICTED] = { "all TCP connections were taken, and this one was closed to make room", "raise --tcp-max" },
	[TRANSFER_FAILED] = { "a record fits into no message, memory ran out, or the request was no longer valid when its turn came", "" },
};

_Static_assert(TURNS_RATE_MIN == 32 << 10, "the text above says 32 KiB");

enum { NUMBER_MAX = sizeof "18446744073709551615" };

static const char *
print_number(uint64_t n, bool is_known, char out[NUMBER_MAX])
{
	out[0] = '\0';
	if (is_known) {
		snprintf(out, NUMBER_MAX, "%llu", (unsigned long long)n);
	}
	return out;
}

static const char *
type_of(const struct transfer_report *r)
{
	return r == NULL ? "" : r->is_incremental ? "ixfr" : "axfr";
}

void
report_transfer(const struct log *log, const struct net_transferred *t)
{
	static const struct transfer_report nothing;
	const struct transfer_report *r = t->report != NULL ? t->report : &nothing;
	bool has_begun = t->report != NULL;
	char peer[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX];
	char serial[NUMBER_MAX], old[NUMBER_MAX], records[NUMBER_MAX], octets[NUMBER_MAX], messages[NUMBER_MAX];
	char waited[NUMBER_MAX], took[NUMBER_MAX], kept[NUMBER_MAX];
	peer_print(t->to, peer);
	log_peer_event(log, t->key->len != 0 ? LOG_BY_KEY : LOG_BY_STRANGER, t->how == TRANSFER_DONE ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	               t->how == TRANSFER_DONE ? "transfer-sent" : "transfer-cut",
	               "to=%s zone=%s key=%s type=%s serial=%s old_serial=%s records=%s octets=%s messages=%s ms=%s waited_ms=%s "
	               "kept_octets=%s why=%s hint=%s",
	               peer, print_name(t->zone, zone), print_name(t->key, key), type_of(t->report),
	               print_number(r->serial, has_begun, serial), print_number(r->from_serial, r->is_incremental, old),
	               print_number(r->records, has_begun, records), print_number(r->octets, has_begun, octets),
	               print_number(r->messages, has_begun, messages), print_number(t->took_ms, has_begun, took),
	               print_number(t->waited_ms, t->waited_ms != 0, waited), print_number(t->kept_octets, t->kept_octets != 0, kept),
	               ends[t->how].why, ends[t->how].hint);
}

/* ---- connections ---- */

void
report_evicted(const struct log *log, const struct peer *from, enum seat_rank rank)
{
	static const char *const states[SEAT_RANKS] = { "silent", "idle", "stalled", "taking", "waiting", "sending", "trusted" };
	char peer[PEER_TEXT_MAX];
	peer_print(from, peer);
	log_peer_event(log, LOG_BY_STRANGER, LOG_LEVEL_WARNING, "connection-evicted", "from=%s state=%s hint=%s", peer, states[rank],
	               "all TCP connections are taken; if you know these peers, raise --tcp-max");
}
