/* auth/incoming.h -- a zone transfer that comes in: the messages that answer an AXFR (RFC 5936) or IXFR (RFC 1995) query become a
 * version of the zone.
 *
 *     TRY(incoming_new(&conf, &in));
 *     for each message of the answer:
 *             TRY(incoming_take(in, &m, &is_last));     // an error ends the transfer; incoming_why() tells people the reason
 *     TRY(incoming_finish(in, &zone, &txn));            // once the signature of the last message is verified
 *
 * The answer to AXFR is the whole zone.  The answer to IXFR has one of three forms, which its first records tell:
 *
 *   SOA, not newer than ours                      INCOMING_CURRENT: there is nothing to transfer
 *   SOA, SOA of our serial, …, SOA                INCOMING_CHANGES: sequences of removed and added records, each from one serial
 *                                                 to the next
 *   SOA, any other record, …, SOA                 INCOMING_WHOLE: as for AXFR (RFC 1995 4)
 *
 *          ┌─────── SOA, not newer ──────────────────────────────────────┐
 *     FIRST ── SOA ──> SECOND ── our SOA ──> REMOVED <── SOA ──> ADDED ── last SOA ──> END
 *          └─── AXFR ────┴── other record ──> WHOLE ──────────────────── last SOA ──────┘
 *
 * A SOA alone that is newer than ours says over UDP that the answer does not fit; over TCP it is the first message of several.
 *
 * A zone that the primary serves although a name in it breaks a rule (CNAME and other data, no NS at the apex) is taken as it is: struct
 * zone's `flaw`.  Not taken is what a zone cannot have: records outside of it, a second SOA, more than a node holds, secrets.
 *
 * Nothing of the served version changes: a whole zone is built beside it, and changes are made in a transaction.  Their cost is by their
 * size.  The caller checks the header, ID, question, RCODE and signature of each message.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/msg.h"
#include "zone/zone.h"

enum incoming_form { INCOMING_UNKNOWN, INCOMING_CURRENT, INCOMING_CHANGES, INCOMING_WHOLE };

struct incoming_conf {
	const uint8_t *apex;
	const struct zone *from; /* IXFR was asked for, from this version; borrowed.  NULL: AXFR was asked for */
	size_t octets_max;       /* memory that a whole zone, or more than small changes, may take while they are made: incoming_limit() */
	size_t records_max;      /* of all messages */
};

struct incoming_report {
	enum incoming_form form;
	bool has_serial;
	uint32_t serial;         /* that the transfer leads to */
	size_t messages, octets, records;
};

struct incoming;

err_t incoming_new(const struct incoming_conf *conf, struct incoming **out); /* E_NOMEM */
void incoming_free(struct incoming **in); /* NULL-safe */

/* Takes the next message.  *is_last: the answer is complete.  E_STALE: the changes do not fit the version that they are for: ask for
 * the whole zone.  E_FORMAT: this is no transfer of the zone.  E_LIMIT, E_NOMEM.  After an error only incoming_why(),
 * incoming_report() and incoming_free() are left. */
err_t incoming_take(struct incoming *in, const struct msg *m, bool *is_last);

/* Another conf.octets_max, from the next message on. */
void incoming_limit(struct incoming *in, size_t octets_max);
size_t incoming_octets(const struct incoming *in);         /* memory that it takes now */
bool incoming_is_over_limit(const struct incoming *in);    /* after E_LIMIT: it would have taken more */

/* After the last message: INCOMING_WHOLE sets *whole; INCOMING_CHANGES sets *changes, a transaction that is prepared; the other is
 * NULL, and for INCOMING_CURRENT both are.  The caller owns them.  E_FORMAT: the result is no valid zone; E_LIMIT, E_NOMEM. */
err_t incoming_finish(struct incoming *in, struct zone **whole, struct zone_txn **changes);

/* After an error: the reason, for people; parts of it come from the peer.  "" when the error says all. */
const char *incoming_why(const struct incoming *in);

const struct incoming_report *incoming_report(const struct incoming *in);
