/* auth/server.h -- the one door: a request's bytes in, a response's bytes out.
 *
 * Pure and reentrant: no clock, no allocation for a query, nothing but the arguments.  What the
 * caller has to do besides sending comes back in struct server_out.
 *
 * What one request can cost is bounded, whoever sends it, and whatever zones hold; tests/unit/cost_test.c and request_cost_test.c count it.
 *   Reading: one walk over its octets, at most 65,535; where compression leads is not followed, but for the one name of a TSIG's key.
 *   Signature: unsigned, or by a key that is not ours: none.  Else two HMACs: of the request, and of the answer if the first was
 *     right, over what both have and some 700 octets.  They alone allocate (OpenSSL's contexts).
 *   Turns: one, and one for each alias followed (ALIAS_CHAIN_MAX, 16).  A turn looks up the zone, the name, and perhaps a wildcard.
 *   Additional data: a lookup for each of REPLY_TARGETS_MAX (32) targets; of an address RRset that does not fit nothing is written.
 *   Proofs of absence: NSEC, two lookups and one for each wildcard on the way; NSEC3, HASHES_MAX (160) hashes, HASH_BLOCKS_MAX (5,000)
 *     blocks of SHA-1 together (auth/answering.h).  What would take more is SERVFAIL.  A zone with more than
 *     ZONE_NSEC3_ITERATIONS_MAX (150) iterations costs none.
 *   Writing: what the answer has room for: over UDP udp_max (up to 4,096 octets), over TCP 65,535; and once more of what did not fit in the
 *     end.  The RRsets of a name are looked through, which are NODE_RRSETS_MAX (512) at most (zone/node.h).
 *   IXFR over UDP: at most 8 steps of the history are looked at, none is worked out (auth/transfer.c).
 *   ANY over UDP: one RRset; over TCP, and RRSIG, what there is, as far as the answer has room.
 *   Questions about the server's state, signed: STATUS_ITEMS_MAX (200) items (auth/status.h), and of keys what all files of secondaries
 *     grant, looked through once.
 *   A transfer and the catalog without a key: a comparison for each prefix of the zone's domains (auth/secondaries.h).
 *   Other opcodes, other classes, what is malformed: nothing beyond reading and signature.
 *   AXFR and IXFR over TCP, UPDATE and NOTIFY end here with an event; what follows has limits of its own (net/tcp.h, net/inbox.h,
 *     auth/notify.h).  An UPDATE's records, with all names that compression makes of them, come to UPDATE_OCTETS_MAX at most
 *     (auth/update.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "auth/view.h"
#include "dns/tsig.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

struct peer {
	uint8_t family;      /* 4 or 6 */
	uint8_t address[16];
	uint16_t port;
	enum transport transport;
};

/* Its address, without the port. */
static inline struct key_address
peer_key_address(const struct peer *p)
{
	struct key_address a = { .family = p->family };
	memcpy(a.octets, p->address, p->family == 4 ? 4 : 16);
	return a;
}

/* How much of its address tells a client from others: all of IPv4, and of IPv6 the /64, which is what one customer gets. */
static inline size_t
peer_client_len(const struct peer *p)
{
	return p->family == 4 ? 4 : 8;
}

enum server_event {
	EVENT_NONE,
	EVENT_NOTIFY_ACCEPTED,  /* signed and within rights: pull */
	EVENT_NOTIFY_UNSIGNED,  /* acknowledged, otherwise ignored */
	EVENT_NOTIFY_DENIED,    /* `why` */
	EVENT_TSIG_FAILED,      /* `why`; on any opcode */
	EVENT_TRANSFER,         /* TCP: no response yet, transfer_new() makes them (auth/transfer.h) */
	EVENT_TRANSFER_DENIED,  /* `why` */
	EVENT_AHEAD,            /* an IXFR signed with a transfer key: the secondary has `serial`, newer than ours (RFC 1982) */
	EVENT_SUBSCRIBED,       /* a SOA query signed with a transfer key: a secondary is there (and by TCP, hears of changes) */
	EVENT_UPDATE,           /* signed and within rights, to be taken up elsewhere: no response yet (auth/update.h) */
	EVENT_UPDATE_DENIED,    /* `why` */
	EVENT_COUNT
};

struct server_out {
	enum server_event event;
	const char *why;         /* static text; for EVENT_TSIG_FAILED and whatever is DENIED */
	struct name zone;        /* what the request was about, when event != EVENT_NONE */
	struct name key;         /* the key's name, len 0: none */
	uint32_t serial;         /* EVENT_AHEAD */
	uint8_t mac[TSIG_MAC_PART]; /* EVENT_NOTIFY_ACCEPTED, EVENT_UPDATE: of its signature */
	bool close;              /* TCP: nothing sensible can follow */
};

/* Per-worker counters: written by one thread, read by any (relaxed). */
struct server_stats {
	uint64_t queries[2];     /* by enum transport */
	uint64_t rcode[24];
	uint64_t dropped;        /* too short to answer, or itself a response */
	uint64_t truncated;
	uint64_t events[EVENT_COUNT];
};

/* Returns the length of the response in `resp` (at most `cap`; give DNS_MSG_MAX for TCP, at least
 * 512 for UDP), or 0: send nothing.  `now_s`: seconds since 1970, for TSIG. */
size_t server_handle(const struct view *v, const struct server_conf *conf, const struct peer *peer,
                     uint64_t now_s, const uint8_t *req, size_t req_len, uint8_t *resp, size_t cap,
                     struct server_stats *stats, struct server_out *out);
