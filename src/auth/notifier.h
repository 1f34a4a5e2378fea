/* auth/notifier.h -- NOTIFY out (RFC 1996): secondaries are told that a zone has changed, until they have heard.
 *
 * A state machine without I/O: what happened comes in with the time, what is to be sent goes out by callbacks.
 *
 * One notification is pending for each zone and target; a newer one for the same two takes its place, also in the
 * queue, and begins anew.
 * It is sent at once, and again after 1, 1, 1, 4, 13, 20, 20, 120, 420, 900, 2100 and 82,800 s, each counted from the
 * attempt before, until it is answered.  An attempt goes over TCP, and over UDP when TCP fails or brings no answer in
 * time; both fit between two attempts.  A target that has a connection of its own to us is told over that alone: when
 * it closes, what is pending for it is dropped.
 *
 * All that is due at one target shares a TCP connection ("exchange"), in which notifications are sent without waiting
 * for each other's answers (RFC 7766 6.2.1.1).  One that breaks before it brought any answer has failed for all of
 * them.  How many may be unanswered at a target (its window) grows with each answer and is small again after one that
 * stayed away, so dead targets do not hold up the others.  One with an answer that is not signed well is waited for as
 * before, but takes no place in the window, and of very many the first is waited for no more: a secondary may know none
 * of a thousand new zones.  Targets take turns, and so do, at one target, those that are new and those that it has not
 * answered; each in the order in which they fell due.
 *
 * A secondary may have several keys, of which it need not know each (one is being replaced by another).  The same news for the same
 * target with another key is no second notification: an answer to any of its keys is one.  The first attempt begins with the key that
 * was added first, each other attempt with the one after that of the attempt before.  When the peer says that it does not take the
 * key (BADKEY, BADSIG, NOTAUTH without any signature), the next key is tried at once, as part of the same attempt, until each
 * has been tried.  A rightly signed answer that says no does the same, and takes the key out of the turn as long as there are others.
 * A key that is added when the keys before it have failed is tried at once.
 *
 * What counts as an answer (RFC 1996 3.6): a response from where the request went, with its ID and question (which a
 * FORMERR or NOTIMP may lack, and a NOTAUTH to what was signed), and, when the request was signed, rightly signed (RFC
 * 8945 5.3).  Everything else is counted and ignored.  What becomes of one:
 *   NOERROR    acknowledged.
 *   SERVFAIL   the peer could not just now: it is told again, as if it had not answered.
 *   any other  (NOTIMP, REFUSED, NOTAUTH, FORMERR, …) the peer has heard, and would say the same another time: over, as
 *              RFC 1996 3.12 says for NOTIMP and 3.3 for responses at large ("contains no useful information").
 * A target that answers none of the first three attempts is said to be unreached; and at once when a newer notification takes
 * the place of one that was.  One that said SERVFAIL is reached.
 * The answer to an unsigned notification can be forged by who guesses the ID, and where it went by UDP, our port: then
 * the secondary learns of the change with its refresh timer.
 *
 * Bounds: NOTIFIER_* below.  One thread; the callbacks must not call back in.
 * Cost: each input O(log pending); memory for a pending one about 250 octets with its zone's name and SOA.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "base/err.h"
#include "dns/tsig.h"

enum {
	NOTIFY_PORT = 53,
	NOTIFIER_PENDING_MAX = 1 << 19,  /* in all: 100,000 zones at five targets each */
	NOTIFIER_OCTETS_MAX = 256 << 20, /* of these: names and SOA records are kept uncompressed, and may have 800 octets */
	NOTIFIER_IN_FLIGHT_MAX = 1024,   /* sent and not answered at all, at all targets */
	NOTIFIER_EXCHANGES_MAX = 256,    /* TCP connections, one a target; beyond them UDP is used at once */
	NOTIFIER_WINDOW_MIN = 8,         /* in flight at one target */
	NOTIFIER_WINDOW_MAX = 64,
	NOTIFIER_DOUBTED_MAX = 128,      /* besides these, at one target: those that wait for a better answer than they had */
	NOTIFIER_ATTEMPTS_MAX = 13,
	NOTIFIER_KEYS_MAX = 4,           /* of one notification */
	NOTIFIER_UNREACHED_ATTEMPTS = 3, /* three seconds: one that is merely busy has answered by then */
	/* Header, question, SOA with its fixed fields, TSIG. */
	NOTIFIER_MESSAGE_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 12 + 2 * NAME_WIRE_MAX + 20 + TSIG_RR_MAX,
};

#define NOTIFIER_NEVER UINT64_MAX

struct notifier_now {
	uint64_t mono_ns; /* never goes back: for the schedule */
	uint64_t wall_s;  /* since 1970: for TSIG */
};

/* What there is to tell. */
struct notify_news {
	const uint8_t *zone;
	const uint8_t *soa; /* RDATA, uncompressed and checked; NULL: the zone is gone */
	uint16_t soa_len;
	uint32_t soa_ttl;
};

/* Whom to tell.  With a connection of its own, that alone says who it is; else address, port and source do: who is told from two addresses
 * of ours is two targets. */
struct notify_target {
	struct key_address source;  /* which of our addresses messages come from; family 0: the caller's choice */
	struct key_address address;
	uint16_t port;
	uint64_t conn;              /* the peer's own connection, never given to another; 0: none */
	const struct tsig_key *key; /* to sign with; NULL: unsigned.  Copied where it is kept */
};

enum notify_transport { NOTIFY_OVER_TCP, NOTIFY_OVER_UDP, NOTIFY_OVER_CONN, NOTIFY_TRANSPORTS };

enum notify_outcome {
	/* It is over: */
	NOTIFY_ACKNOWLEDGED,
	NOTIFY_REFUSED,     /* heard, with an RCODE that says no */
	NOTIFY_GAVE_UP,     /* no answer to any attempt */
	NOTIFY_LOST,        /* the peer's own connection closed */
	/* It goes on, and this is said once a notification: */
	NOTIFY_PUT_OFF,     /* SERVFAIL */
	NOTIFY_UNVERIFIED,  /* an answer whose signature is missing or wrong, or one that says that ours is */
	NOTIFY_UNANSWERED,  /* the attempts of the first minute */
	NOTIFY_UNREACHED,   /* at its address, by the first attempts: who has another way to it may take that */
	NOTIFY_OUTCOMES
};

/* For the log.  Borrowed for the call. */
struct notifier_report {
	enum notify_outcome outcome;
	const uint8_t *zone;
	bool is_removal;
	uint32_t serial;                  /* 0 for a removal */
	struct notify_news news;          /* the same again, as notifier_add() takes it */
	const struct notify_target *target;
	unsigned attempts;
	enum notify_transport transport;  /* of the last message sent */
	unsigned rcode;                   /* REFUSED, PUT_OFF */
	unsigned tsig_error;              /* UNVERIFIED: RCODE_BADSIG, …; 0: not signed, or malformed */
	bool is_peer_error;               /* UNVERIFIED: the peer says so of our signature */
};

/* Where messages go.  False: it cannot go (no route, no descriptor, the connection is gone, …); then the next way is
 * tried.  An exchange is a number below NOTIFIER_EXCHANGES_MAX, in use from open (unless that is false) until close or
 * notifier_exchange_closed(). */
struct notifier_io {
	bool (*send_udp)(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len);
	/* Begins to connect and queues the message; more may be queued before it is connected. */
	bool (*exchange_open)(void *ctx, unsigned exchange, const struct notify_target *to, const uint8_t *bytes,
	                      size_t len);
	bool (*exchange_send)(void *ctx, unsigned exchange, const uint8_t *bytes, size_t len);
	void (*exchange_close)(void *ctx, unsigned exchange);
	bool (*send_over)(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len);
	void (*report)(void *ctx, const struct notifier_report *r);
	uint16_t (*random_id)(void *ctx); /* not to be guessed */
	void *ctx;
};

struct notifier_conf {
	size_t pending_max, octets_max, in_flight_max; /* 0: as NOTIFIER_* */
	struct notifier_io io;
};

struct notifier_stats {
	uint64_t added;
	uint64_t over_limit;              /* not taken: too many pending, or no memory */
	uint64_t replaced;                /* by a newer one */
	uint64_t outcomes[NOTIFY_OUTCOMES];
	uint64_t sent[NOTIFY_TRANSPORTS];
	uint64_t not_sent;                /* messages that could not go */
	uint64_t failed;                  /* attempts that came to nothing */
	uint64_t malformed;               /* messages ignored: no DNS, … */
	uint64_t unexpected;              /* … no answer to anything in flight, … */
	uint64_t unverified;              /* … no signature, or a wrong one */
	/* As it stands: */
	uint64_t pending, octets, in_flight, exchanges;
	uint64_t doubted;                 /* of those in flight: with an answer that was not signed well */
};

struct notifier;

struct notifier *notifier_new(const struct notifier_conf *conf);
void notifier_free(struct notifier **n); /* NULL-safe; sends and reports nothing */

/* E_LIMIT, E_NOMEM: it is not taken, and counted. */
err_t notifier_add(struct notifier *n, const struct notifier_now *now, const struct notify_news *news,
                   const struct notify_target *to);

/* One message that came: as a datagram (only address, port and source of `from` count: the source is ours that it came to), over an
 * exchange, or over a peer's own connection. */
void notifier_datagram(struct notifier *n, const struct notifier_now *now, const struct notify_target *from,
                       const uint8_t *bytes, size_t len);
void notifier_exchange_input(struct notifier *n, const struct notifier_now *now, unsigned exchange, const uint8_t *bytes,
                             size_t len);
void notifier_conn_input(struct notifier *n, const struct notifier_now *now, uint64_t conn, const uint8_t *bytes,
                         size_t len);

/* It could not be connected, or has ended; not after exchange_close(). */
void notifier_exchange_closed(struct notifier *n, const struct notifier_now *now, unsigned exchange);
void notifier_conn_closed(struct notifier *n, const struct notifier_now *now, uint64_t conn);

/* To be called when the deadline has come (mono_ns); NOTIFIER_NEVER: there is none.  Ask anew after every input. */
uint64_t notifier_deadline(const struct notifier *n);
void notifier_timer(struct notifier *n, const struct notifier_now *now);

const struct notifier_stats *notifier_stats(const struct notifier *n);
