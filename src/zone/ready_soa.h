/* zone/ready_soa.h -- a zone's SOA record, prepared for copying into a response.
 *
 * Every negative answer has it (RFC 2308 3), and every secondary asks for it.  So it is written once, with the version, as a
 * piece of a message in which compression pointers are relative to the apex's name.  The question ends with this name, before
 * its type and class; so an answer is the piece with one number added to its pointers, as for a referral (zone/referral.h).
 * There is none if it would be unusually large: then the answer is made from the RRset.
 *
 * Measured with an SOA whose names are in another domain: NXDOMAIN takes 1,730 instructions without it, 1,305 with it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "zone/node.h"

enum {
	READY_SOA_MAX = 160,        /* octets: most have 60 to 100, and every zone has this room */
	READY_SOA_POINTERS_MAX = 3, /* owner, MNAME, RNAME */
};

struct ready_soa {
	uint8_t len;        /* octets of the piece; 0: there is none */
	uint8_t ttl_at;     /* offset of the TTL in the piece; negative answers have a lower one (RFC 2308 5) */
	uint8_t pointers_n;
	uint8_t at[READY_SOA_POINTERS_MAX]; /* offsets of the pointers in the piece */
	uint8_t piece[READY_SOA_MAX];
};

/* `soa`: the RRset in `apex`. */
void ready_soa_make(const struct node *apex, const struct rrset *soa, struct ready_soa *out);

/* Copies it to `to`, directly after the question, in which the apex's name is at `apex_at`.  The caller has checked that there
 * is room. */
void ready_soa_copy(const struct ready_soa *n, uint8_t *to, size_t apex_at, uint32_t ttl);
