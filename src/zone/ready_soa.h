/* zone/ready_soa.h -- a zone's SOA record, ready to be copied into a response.
 *
 * Every negative answer has it (RFC 2308 3), and every secondary asks for it.  So it is written once, when the version is made, as a
 * piece of a message whose compression pointers are still relative to the apex's name, with which the question ends before its
 * type and class, as in a referral (zone/referral.h).  Answering copies the piece and adds one number to its pointers.  There
 * is none when it would be unusually large: then the answer is put together from the RRset.
 *
 * Measured with an SOA whose names are of another domain: NXDOMAIN takes 1,730 instructions without, 1,305 with it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "zone/node.h"

enum {
	READY_SOA_MAX = 160,        /* octets: most have 60 to 100, and every zone has the room */
	READY_SOA_POINTERS_MAX = 3, /* owner, MNAME, RNAME */
};

struct ready_soa {
	uint8_t len;        /* octets of the piece; 0: there is none */
	uint8_t ttl_at;     /* where the TTL is in it, which a negative answer has lower (RFC 2308 5) */
	uint8_t pointers_n;
	uint8_t at[READY_SOA_POINTERS_MAX]; /* where the pointers are in the piece */
	uint8_t piece[READY_SOA_MAX];
};

/* `soa`: the RRset in `apex`. */
void ready_soa_make(const struct node *apex, const struct rrset *soa, struct ready_soa *out);

/* Copies it to `to`, directly behind the question; the apex's name is at `apex_at` in that.  The caller has made sure of the
 * room. */
void ready_soa_copy(const struct ready_soa *n, uint8_t *to, size_t apex_at, uint32_t ttl);
