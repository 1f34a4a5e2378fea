/* auth/reply.h -- writes a response's records straight into the send buffer.
 *
 * Compression needs no search.  All names of a zone end in its apex, which is in the question, and each
 * RR knows how long a suffix its names share with their owner, and with which earlier name of the RRset they share
 * more (zone/node.h); so a pointer is arithmetic on where these were written: on a struct place, which knows where a
 * name's tail is, or on where the earlier name ends.
 *
 * An RRset that does not fit is left out whole; whether that means TC is the caller's to say.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/node.h"

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTION_COUNT };

/* A name in the message: its first len - shared octets are at pos, the rest belongs to `tail`. */
struct place {
	const uint8_t *name;      /* the whole name, uncompressed */
	const struct place *tail; /* NULL when shared is 0 */
	uint16_t pos;             /* 0: not written yet; whoever writes it first sets this */
	uint8_t len, shared;
};

enum {
	REPLY_TARGETS_MAX = 32,     /* records of one RRset that get additional data */
	REPLY_POINTER_MAX = 0x3FFF, /* 14 bits (RFC 1035 4.1.4) */
};

struct reply {
	uint8_t *wire;
	size_t len;
	size_t cap;                   /* for records; room for OPT and TSIG is not in it */
	uint16_t count[SECTION_COUNT];
	bool is_truncated;
	/* Of the RRset written last, where the names are that additional data or an alias is about. */
	unsigned targets;
	uint8_t first_shared;                  /* octets of the first that a pointer stands for */
	uint16_t target_at[REPLY_TARGETS_MAX]; /* 0: nowhere that one can point to */
};

struct reply_rrset {
	enum section section;
	struct place *owner;
	const struct rrset *set;
	uint8_t wildcard_len;      /* not 0: `set` is a wildcard's, whose name is so long; owner is what was asked for */
	bool has_ttl;              /* negative answers: SOA with another TTL (RFC 2308 5) */
	uint32_t ttl;
};

/* False: it did not fit, nothing was written. */
bool reply_add(struct reply *r, const struct reply_rrset *what);

/* For transfers: as many of the RRset's last *left records, from `rr` on, as fit.  Returns the next, and how many are left. */
const struct rr *reply_add_some(struct reply *r, const struct reply_rrset *what, const struct rr *rr, unsigned *left);

/* The same as reply_add() for RDATA without names and of one length (A, AAAA), under an owner that can be pointed to. */
bool reply_add_plain(struct reply *r, enum section section, uint16_t owner_at, const struct rrset *set);

/* A CNAME made from a DNAME (RFC 6672 3.1).  `target` comes with its tail, the DNAME's own target; where it stands is set. */
bool reply_add_cname(struct reply *r, struct place *owner, struct place *target, const uint8_t ttl[4]);

/* Where a suffix of the name stands: an offset, or 0 when a pointer cannot reach it. */
static inline uint16_t
place_suffix(const struct place *p, size_t suffix_len)
{
	while (suffix_len <= p->shared) {
		p = p->tail;
	}
	size_t at = p->pos + p->len - suffix_len;
	return at <= REPLY_POINTER_MAX ? (uint16_t)at : 0;
}

/* Offset in the RDATA of the name that additional data and aliases are about, -1 for other types. */
static inline int
target_offset(uint16_t type)
{
	switch (type) {
	case 2:  /* NS */
	case 5:  /* CNAME */
	case 39: /* DNAME */
		return 0;
	case 15: /* MX */
	case 64: /* SVCB */
	case 65: /* HTTPS */
		return 2;
	case 33: /* SRV */
		return 6;
	default:
		return -1;
	}
}
