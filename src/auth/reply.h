/* auth/reply.h -- writes a response's records straight into the send buffer.
 *
 * Compression needs no search.  All names of a zone end in its apex, which is in the question.  Each record knows how long a
 * suffix its names share with their owner, and with which earlier name of the RRset they share more (zone/node.h).  So a pointer
 * is computed from the place where these names were written: a struct place says where each part of an owner's name is, and for
 * earlier names the end is kept.
 *
 * An RRset that does not fit is left out as a whole; the caller decides whether that sets TC.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/name.h"
#include "zone/node.h"

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTION_COUNT };

/* A name in the message: its first len - shared octets are at `pos`, the rest is part of `tail`. */
struct place {
	const uint8_t *name;      /* the whole name, uncompressed */
	const struct place *tail; /* NULL when shared is 0 */
	uint16_t pos;             /* 0: not written yet; set when it is written */
	uint8_t len, shared;
};

enum {
	REPLY_TARGETS_MAX = 32,     /* records of one RRset that get additional data */
	REPLY_POINTER_MAX = 0x3FFF, /* 14 bits (RFC 1035 4.1.4) */
};

struct reply {
	uint8_t *wire;
	size_t len;
	size_t cap;                   /* for records; without the room that OPT and TSIG need */
	uint16_t count[SECTION_COUNT];
	bool is_truncated;
	/* The targets of the RRset written last: names for which additional data are added, or to which an alias leads. */
	unsigned targets;
	uint8_t first_shared;                  /* octets of the first target that a pointer replaces */
	uint16_t target_at[REPLY_TARGETS_MAX]; /* offset of each target; UINT16_MAX: out of a pointer's reach */
};

struct reply_rrset {
	enum section section;
	struct place *owner;
	const struct rrset *set;
	uint8_t wildcard_len;      /* not 0: `set` belongs to a wildcard whose name has this length; `owner` is the name asked
	                            * for */
	bool has_ttl;              /* write `ttl` instead: SOA of negative answers (RFC 2308 5) */
	uint32_t ttl;
};

/* False: it did not fit, nothing was written. */
bool reply_add(struct reply *r, const struct reply_rrset *what);

/* For transfers: adds as many records as fit, of the last *left records of the RRset, beginning with `rr`.  Returns the next
 * record, and sets *left to the rest. */
const struct rr *reply_add_some(struct reply *r, const struct reply_rrset *what, const struct rr *rr, unsigned *left);

/* Like reply_add(), for RDATA of one length without names (A, AAAA), under an owner that a pointer can reach. */
bool reply_add_plain(struct reply *r, enum section section, uint16_t owner_at, const struct rrset *set);

/* Adds a CNAME made from a DNAME (RFC 6672 3.1).  `target` comes with its tail, the DNAME's own target; its position is set
 * here. */
bool reply_add_cname(struct reply *r, struct place *owner, struct place *target, const uint8_t ttl[4]);

/* The offset of a suffix of the name; 0: a pointer cannot reach it. */
static inline uint16_t
place_suffix(const struct place *p, size_t suffix_len)
{
	while (suffix_len <= p->shared) {
		p = p->tail;
	}
	size_t at = p->pos + p->len - suffix_len;
	return at <= REPLY_POINTER_MAX ? (uint16_t)at : 0;
}

/* Offset in the RDATA of the target, the name for which additional data are added or to which an alias leads; -1: the type has
 * none. */
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
