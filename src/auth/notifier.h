/* auth/notifier.h -- sends NOTIFY (RFC 1996): tells secondaries that a zone has changed, until they have answered.
 *
 * A state machine without I/O: events come in with the time, messages to be sent go out by callbacks.
 *
 * One notification is pending for each pair of zone and target.  A newer one for the same pair replaces it, also in the queue,
 * and its schedule starts again.  It is sent at once, and again after 1, 1, 1, 4, 13, 20, 20, 120, 420, 900, 2100 and 82,800 s,
 * each counted from the attempt before, until it is answered.  An attempt goes over TCP, then over UDP if TCP fails or brings no
 * answer in time; both fit between two attempts.  A target may have opened a connection to us: then only that connection is
 * used, and when it closes, the notifications pending for it are dropped.
 *
 * All notifications that are due at one target share a TCP connection ("exchange"), in which they are sent without waiting for
 * the answers to the ones before (RFC 7766 6.2.1.1).  If it breaks before it brought any answer, it has failed for all of them.
 * The window of a target is the number of notifications that may be unanswered there.  It grows with each answer, and becomes
 * small again when an answer does not come; so dead targets do not hold up the others.  A notification whose answer was not
 * signed well ("doubted") still waits for a better answer, but takes no place in the window; when there are very many of them,
 * the oldest stops waiting.  A secondary may answer like this because it does not know any of a thousand new zones.  Targets
 * take turns.  At one target, new notifications and those that it has not answered take turns, each group in the order in which
 * they fell due.
 *
 * A secondary may have several keys in our files, and perhaps does not know all of them (while one replaces another).  The same
 * news for the same target with another key is not a second notification: an answer with any of its keys counts.  The first
 * attempt begins with the key that was added first, each later attempt with the key after the last one that was used.  When the
 * peer says that it does not accept the key (BADKEY, BADSIG, NOTAUTH without any signature), the next key is tried at once, as
 * part of the same attempt, until each was tried.  A correctly signed answer that refuses has the same effect, and removes the
 * key as long as there are others.  A key that is added after the other keys have failed is tried at once.
 *
 * An answer counts (RFC 1996 3.6) if it is a response from where the request went, with its ID and question (which may be
 * missing in a FORMERR or NOTIMP, and in a NOTAUTH to a signed request), and, when the request was signed, is correctly signed
 * (RFC 8945 5.3).  All other messages are counted and ignored.  The effect of an answer:
 *   NOERROR    The notification is acknowledged.
 *   SERVFAIL   The peer has a temporary problem: the notification is sent again, as if there were no answer.
 *   any other  (NOTIMP, REFUSED, NOTAUTH, FORMERR, …) The peer has received it, and would answer the same another time: the
 *              notification is over (RFC 1996 3.12 for NOTIMP, 3.3 for responses at large: "contains no useful information").
 * A target that answers none of the first three attempts is reported as unreached; a newer notification that replaces an
 * unreached one is reported at once.  A target that answered SERVFAIL is reached.  The answer to an unsigned notification can be
 * forged by anybody who guesses the ID, and over UDP also our port: then the secondary learns of the change only with its
 * refresh timer.
 *
 * Bounds: NOTIFIER_* below.  One thread; the callbacks must not call back in.
 * Cost: each input O(log pending).  A pending notification takes about 250 octets with its zone's name and SOA.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "base/err.h"
#include "base/now.h"
#include "dns/tsig.h"

enum {
	NOTIFY_PORT = 53,
	NOTIFIER_PENDING_MAX = 1 << 19,  /* in all: 100,000 zones at five targets each */
	NOTIFIER_OCTETS_MAX = 256 << 20, /* memory of all pending ones: each keeps a name and an SOA record, up to 800 octets */
	NOTIFIER_TARGET_PART = 2,        /* one target may have half of either, */
	NOTIFIER_CONNS_PART = 4,         /* and all connections that peers have opened a fourth of what is pending */
	NOTIFIER_IN_FLIGHT_MAX = 1024,   /* sent and not answered, at all targets */
	NOTIFIER_EXCHANGES_MAX = 256,    /* TCP connections, one for each target; when all are in use, UDP is used at once */
	NOTIFIER_WINDOW_MIN = 8,         /* smallest window: sent and not answered at one target */
	NOTIFIER_WINDOW_MAX = 64,
	NOTIFIER_DOUBTED_MAX = 128,      /* doubted ones at one target, which wait for a better answer outside of the window */
	NOTIFIER_ATTEMPTS_MAX = 13,
	NOTIFIER_KEYS_MAX = 4,           /* keys of one notification */
	NOTIFIER_UNREACHED_ATTEMPTS = 3, /* three seconds: a target that is merely busy has answered by then */
	/* Header, question, SOA with its fixed fields, TSIG. */
	NOTIFIER_MESSAGE_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 12 + 2 * NAME_WIRE_MAX + 20 + TSIG_RR_MAX,
};

/* What has changed. */
struct notify_news {
	const uint8_t *zone;
	const uint8_t *soa; /* RDATA, uncompressed and checked; NULL: the zone is gone */
	uint16_t soa_len;
	uint32_t soa_ttl;
};

/* A receiver of notifications.  A target with its own connection is identified by this connection alone, any other target by address,
 * port and source: an address that gets messages from two of our addresses is two targets. */
struct notify_target {
	struct key_address source;  /* our address that messages are sent from; family 0: the caller chooses */
	struct key_address address;
	uint16_t port;
	uint64_t conn;              /* number of the connection that the peer opened, never used again for another; 0: none */
	const struct tsig_key *key; /* signs the messages; NULL: unsigned.  The notifier copies it */
};

enum notify_transport { NOTIFY_OVER_TCP, NOTIFY_OVER_UDP, NOTIFY_OVER_CONN, NOTIFY_TRANSPORTS };

enum notify_outcome {
	/* The notification is over: */
	NOTIFY_ACKNOWLEDGED,
	NOTIFY_REFUSED,     /* answered with an RCODE that refuses */
	NOTIFY_GAVE_UP,     /* no answer to any attempt */
	NOTIFY_LOST,        /* the connection that the peer opened has closed */
	/* The notification goes on, and this is reported once for each: */
	NOTIFY_PUT_OFF,     /* SERVFAIL */
	NOTIFY_UNVERIFIED,  /* the signature of an answer is missing or wrong, or the answer says that ours is wrong */
	NOTIFY_UNANSWERED,  /* no answer to the attempts of the first minute */
	NOTIFY_UNREACHED,   /* no answer to the first attempts at its address: the caller may try another way */
	NOTIFY_OUTCOMES
};

/* For the log.  Borrowed for the call. */
struct notifier_report {
	enum notify_outcome outcome;
	const uint8_t *zone;
	bool is_removal;
	uint32_t serial;                  /* 0 for a removal */
	struct notify_news news;          /* the news again, as notifier_add() takes it */
	const struct notify_target *target;
	unsigned attempts;
	enum notify_transport transport;  /* of the last message sent */
	unsigned rcode;                   /* REFUSED, PUT_OFF */
	unsigned tsig_error;              /* UNVERIFIED: RCODE_BADSIG, …; 0: not signed, or malformed */
	bool is_peer_error;               /* UNVERIFIED: it is the peer's error about our signature */
};

/* How messages are sent.  False: the message cannot be sent (no route, no descriptor, the connection is gone, …); then the next
 * way is tried.  An exchange is a number below NOTIFIER_EXCHANGES_MAX.  It is in use from exchange_open(), if that returned
 * true, until exchange_close() or notifier_exchange_closed(). */
struct notifier_io {
	bool (*send_udp)(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len);
	/* Begins to connect, and queues the message.  More messages may be queued before the connection is established. */
	bool (*exchange_open)(void *ctx, unsigned exchange, const struct notify_target *to, const uint8_t *bytes,
	                      size_t len);
	bool (*exchange_send)(void *ctx, unsigned exchange, const uint8_t *bytes, size_t len);
	void (*exchange_close)(void *ctx, unsigned exchange);
	bool (*send_over)(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len);
	void (*report)(void *ctx, const struct notifier_report *r);
	uint16_t (*random_id)(void *ctx); /* must not be predictable */
	void *ctx;
};

struct notifier_conf {
	size_t pending_max, octets_max, in_flight_max; /* 0: as NOTIFIER_* */
	struct notifier_io io;
};

struct notifier_stats {
	uint64_t added;
	uint64_t over_limit;              /* not accepted: too much is pending, in all or for one; or no memory */
	uint64_t replaced;                /* by a newer one */
	uint64_t outcomes[NOTIFY_OUTCOMES];
	uint64_t sent[NOTIFY_TRANSPORTS];
	uint64_t not_sent;                /* messages that could not be sent */
	uint64_t failed;                  /* attempts without success */
	uint64_t malformed;               /* messages ignored: not DNS */
	uint64_t unexpected;              /* … not an answer to anything in flight */
	uint64_t unverified;              /* … without a signature, or with a wrong one */
	/* The present state: */
	uint64_t pending, octets, in_flight, exchanges;
	uint64_t doubted;                 /* of those in flight: with an answer that was not signed well */
};

struct notifier;

struct notifier *notifier_new(const struct notifier_conf *conf);
void notifier_free(struct notifier **n); /* NULL-safe; sends and reports nothing */

/* E_LIMIT: too much is pending, in all, for this target, or for connections.  E_NOMEM.  Then the notification is not accepted, only
 * counted. */
err_t notifier_add(struct notifier *n, const struct now *now, const struct notify_news *news,
                   const struct notify_target *to);

/* A message was received: as a datagram (only address, port and source of `from` count, and source is our address that it was
 * sent to), over an exchange, or over the connection that the peer opened. */
void notifier_datagram(struct notifier *n, const struct now *now, const struct notify_target *from,
                       const uint8_t *bytes, size_t len);
void notifier_exchange_input(struct notifier *n, const struct now *now, unsigned exchange, const uint8_t *bytes,
                             size_t len);
void notifier_conn_input(struct notifier *n, const struct now *now, uint64_t conn, const uint8_t *bytes,
                         size_t len);

/* An exchange or connection could not be established, or has ended.  Not to be called after exchange_close(). */
void notifier_exchange_closed(struct notifier *n, const struct now *now, unsigned exchange);
void notifier_conn_closed(struct notifier *n, const struct now *now, uint64_t conn);

/* Call notifier_timer() when the deadline (mono_ns) has come.  NOW_NEVER: there is none.  Every input may change the
 * deadline. */
uint64_t notifier_deadline(const struct notifier *n);
void notifier_timer(struct notifier *n, const struct now *now);

const struct notifier_stats *notifier_stats(const struct notifier *n);
