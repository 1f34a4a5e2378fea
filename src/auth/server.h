/* auth/server.h -- the single entry point: a request's bytes in, a response's bytes out.
 *
 * Pure and reentrant: no clock, no allocation for a query, nothing but the arguments. struct server_out tells the caller what
 * else to do besides sending.
 *
 * The cost of one request is bounded, whoever sends it, and whatever the zones contain; tests/unit/cost_test.c and
 * request_cost_test.c measure it.
 *   Reading: one walk over its octets, at most 65,535.  Compression pointers are skipped, not followed, except in the name of a
 *     TSIG's key.
 *   Signature: no cost if the request is unsigned, or the key is not ours.  Else two HMACs, of the request and, if the first
 *     was right, of the answer, over their octets and some 700 more.  Only they allocate (OpenSSL's contexts).
 *   Turns: one, and one for each alias followed (ALIAS_CHAIN_MAX, 16).  A turn looks up the zone, the name, and perhaps a
 *     wildcard; in a secondary of which some zones cannot be served, the zone among these, too.
 *   Additional data: one lookup for each of REPLY_TARGETS_MAX (32) targets; an address RRset that does not fit is not written
 *     at all.
 *   Proofs of absence: NSEC, two lookups, and one for each wildcard on the way; NSEC3, HASHES_MAX (160) hashes, and
 *     HASH_BLOCKS_MAX (5,000) blocks of SHA-1 in all (auth/answering.h).  An answer that would take more is SERVFAIL.  A zone
 *     with more than ZONE_NSEC3_ITERATIONS_MAX (150) iterations costs none.
 *   Writing: as much as the answer may have: over UDP udp_max (up to 4,096 octets), over TCP 65,535; and once more for records
 *     that did not fit in the end.  All RRsets of a name may be looked at, NODE_RRSETS_MAX (512) at most (zone/node.h).
 *   IXFR over UDP: at most 8 steps of the history are looked at, none is worked out (auth/transfer.c).
 *   ANY: over UDP one RRset; over TCP, and for RRSIG, all that the answer has room for.
 *   Questions about the server's state, signed: STATUS_ITEMS_MAX (200) items (auth/status.h); for questions about keys, also some
 *     binary searches for each, among the rights that all files of secondaries grant.
 *   A transfer, or a query or NOTIFY for the catalog, without a key: for each label of the zone's name a binary search among the
 *     prefixes, and a look at those around the one found, 129 at most (auth/secondaries.h).
 *   Other opcodes, other classes, malformed requests: only reading and signature.
 *   A cookie: a hash, one more for each older secret, and one to make a new one.  A rate limit: a hash of a name, and four words of memory.
 *   AXFR and IXFR over TCP, UPDATE and NOTIFY end here with an event; the rest of their work has its own limits (net/tcp.h,
 *     net/inbox.h, auth/notify.h).  The records of an UPDATE, with all compressed names written out, take at most
 *     UPDATE_OCTETS_MAX (auth/update.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "auth/server_conf.h"
#include "auth/view.h"
#include "dns/cookie.h"
#include "dns/tsig.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

struct peer {
	uint8_t family;      /* 4 or 6 */
	uint8_t address[16];
	uint16_t port;
	enum transport transport;
	uint64_t arrived_ns; /* UDP: when the request came (struct now); counts if answers are limited */
	/* TCP: how long the connection may be idle, in tenths of a second; and how long if a secondary has asked over it (net/tcp_p.h) */
	uint16_t idle_100ms, kept_100ms;
};

/* The peer's address, without the port. */
static inline struct key_address
peer_key_address(const struct peer *p)
{
	struct key_address a = { .family = p->family };
	memcpy(a.octets, p->address, key_address_len(&a));
	return a;
}

/* This many octets of the address identify a client: all of IPv4, and the /64 of IPv6, since one customer gets a whole /64. */
static inline size_t
peer_client_len(const struct peer *p)
{
	return p->family == 4 ? 4 : 8;
}

enum server_event {
	EVENT_NONE,
	EVENT_NOTIFY_ACCEPTED,  /* signed and within the key's rights: a primary pulls, a secondary asks its primary */
	EVENT_NOTIFY_UNSIGNED,  /* acknowledged; without effect, unless it comes from the primary of a secondary */
	EVENT_NOTIFY_DENIED,    /* `why` */
	EVENT_TSIG_FAILED,      /* `why`; possible with any opcode */
	EVENT_TRANSFER,         /* TCP: no response yet; transfer_new() makes them (auth/transfer.h) */
	EVENT_TRANSFER_DENIED,  /* `why` */
	EVENT_AHEAD,            /* an IXFR signed with a transfer key: the secondary has `serial`, which is newer than ours (RFC
	                         * 1982) */
	EVENT_SUBSCRIBED,       /* a secondary's SOA query, signed with a transfer key, for a zone or for the domain that the key
	                         * is for; over TCP, the secondary then hears of changes there */
	EVENT_UPDATE,           /* signed and within the key's rights: no response yet; carried out elsewhere (auth/update.h) */
	EVENT_UPDATE_DENIED,    /* `why` */
	EVENT_FORWARD,          /* an UPDATE that a secondary is to pass on: no response yet; nobody has verified `key` and `mac` */
	EVENT_COUNT
};

struct server_out {
	enum server_event event;
	const char *why;         /* static text; for EVENT_TSIG_FAILED and all …_DENIED events */
	struct name zone;        /* the zone of the request, when event != EVENT_NONE */
	struct name key;         /* the key's name, len 0: none */
	uint32_t serial;         /* EVENT_AHEAD */
	uint8_t mac[TSIG_MAC_PART]; /* EVENT_NOTIFY_ACCEPTED, EVENT_UPDATE, EVENT_FORWARD: part of its signature */
	bool close;              /* TCP: close the connection, nothing sensible can follow */
};

/* Types of queries are counted one by one below SERVER_TYPES_LOW, and from SERVER_TYPES_HIGH on for as many as there are; the others
 * together. */
enum {
	SERVER_TYPES_LOW = 66,
	SERVER_TYPES_HIGH = 251,
	SERVER_TYPES_HIGH_N = 7,
	SERVER_TYPES_OTHER = SERVER_TYPES_LOW + SERVER_TYPES_HIGH_N,
	SERVER_TYPES_N = SERVER_TYPES_OTHER + 1,
};

static inline unsigned
server_type_slot(uint16_t type)
{
	unsigned high = (unsigned)type - SERVER_TYPES_HIGH;
	return type < SERVER_TYPES_LOW ? type : high < SERVER_TYPES_HIGH_N ? SERVER_TYPES_LOW + high : SERVER_TYPES_OTHER;
}

/* The type of a slot that is not SERVER_TYPES_OTHER. */
static inline uint16_t
server_type_of_slot(unsigned slot)
{
	return (uint16_t)(slot < SERVER_TYPES_LOW ? slot : slot - SERVER_TYPES_LOW + SERVER_TYPES_HIGH);
}

/* What is wrong with a request's signature (RFC 8945 5.2). */
enum tsig_failure { TSIG_FAILURE_MALFORMED, TSIG_FAILURE_KEY, TSIG_FAILURE_SIGNATURE, TSIG_FAILURE_TIME, TSIG_FAILURE_TRUNCATED,
	            TSIG_FAILURES };

/* Counters of a worker: one thread writes, any thread reads (relaxed). */
struct server_stats {
	uint64_t queries[2];     /* by enum transport */
	uint64_t types[SERVER_TYPES_N]; /* of those with opcode QUERY: by server_type_slot() */
	uint64_t rcode[24];
	uint64_t tsig_failures[TSIG_FAILURES];
	uint64_t dropped;        /* too short to answer, or itself a response */
	uint64_t truncated;
	uint64_t events[EVENT_COUNT];
	uint64_t limited[RATE_KINDS]; /* answers that were held back, and */
	uint64_t slipped;        /* those of them that were sent without records */
	uint64_t cookies[COOKIE_STATES]; /* requests by the state of their cookie; those without one are not counted */
};

/* Returns the length of the response in `resp` (at most `cap`; give DNS_MSG_MAX for TCP, at least
 * 512 for UDP), or 0: send nothing.  `now_s`: seconds since 1970, for TSIG. */
size_t server_handle(const struct view *v, const struct server_conf *conf, const struct peer *peer,
                     uint64_t now_s, const uint8_t *req, size_t req_len, uint8_t *resp, size_t cap,
                     struct server_stats *stats, struct server_out *out);
