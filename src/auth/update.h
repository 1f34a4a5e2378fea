/* auth/update.h -- UPDATE (RFC 2136): what a message asks for, held against a zone and applied to its next version.
 *
 * server_handle() sees who sends it and whether he may (RFC 3007: by TSIG), and gives EVENT_UPDATE: the request is kept and taken up
 * again here, in its turn (auth/batch.h).  Its records are read once; then prerequisites are asked of a transaction on
 * the zone, and the changes made in it, one update after the other, so that each sees what those before it did.
 *
 * Where RFC 2136 leaves a change out without an error (3.4.2: a CNAME beside other data, the last NS of the zone, an older SOA), so do
 * we.  RRSIG, NSEC and NSEC3 are the signer's business: REFUSED.  An update that makes a zone or removes one (--zones-by-update) is
 * ours and not the RFC's: see update_creates() and update_removes().
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/request.h"
#include "auth/view.h"
#include "base/arena.h"
#include "base/err.h"
#include "dns/msg.h"
#include "zone/zone.h"

/* What one message may come to when it is read.  Names in RDATA take two octets where they are compressed, and 255 here: without a limit
 * 64 KiB would become 3 MiB.  Records as people send them come to four times their octets. */
enum { UPDATE_OCTETS_MAX = 1 << 20 };

/* What its records may come to as text, in octets.  A bit of a type bitmap can be a word: without limits a message would be lines of
 * 650 KB, and 5 MB of them.  Records as people send them stay far below. */
enum {
	UPDATE_LINE_MAX = 64 << 10, /* of one record */
	UPDATE_TEXT_MAX = 2 << 20,  /* of all that one message adds */
};

/* An UPDATE in server_handle(): fills an error, or the event EVENT_UPDATE. */
void update_handle(struct request *q);

struct update_rr {
	const uint8_t *owner;  /* in the arena, as rdata */
	uint16_t type, rrclass;
	uint32_t ttl;
	uint16_t rdlen;
	const uint8_t *rdata;  /* uncompressed */
};

struct update {
	struct msg m;               /* over the request's octets, which are borrowed */
	struct arena arena;
	struct update_rr *prerequisites, *changes; /* in the arena */
	size_t prerequisites_n, changes_n;
	size_t octets;              /* of all that; the arena has up to twice as many */
	bool is_narrow;             /* its key is (auth/key.h); by update_permit() */
};

/* What becomes of it, as the RCODE says it and as people need to hear it. */
struct update_verdict {
	unsigned rcode;
	int ede;          /* EDE_NONE */
	const char *why;  /* static; "" when rcode is NOERROR */
};

/* Reads what stands before the records, which is enough for an answer.  The verdict is FORMERR when it is no update that can be
 * understood. */
void update_begin(struct update *u, const uint8_t *bytes, size_t len, struct update_verdict *v);

/* Reads the records.  The verdict is FORMERR when one of them is malformed, REFUSED when they come to more than UPDATE_OCTETS_MAX.
 * E_NOMEM. */
err_t update_read(struct update *u, struct update_verdict *v);

/* May the key have all of that?  Each change is at a name and of a type that the key may change, and each prerequisite at such a name, of
 * any type; else the verdict is REFUSED, whatever the zone has: this is asked before anything is looked at. */
void update_permit(struct update *u, const struct key *key, struct update_verdict *v);

void update_fini(struct update *u); /* frees the records: as after update_begin() */

/* 2136 3.2: do the prerequisites hold?  `t`: NULL when there is no such zone, where nothing is in use. */
err_t update_ask(const struct update *u, struct zone_txn *t, struct update_verdict *v);

/* 2136 3.4.1: is every change one that could be made? */
void update_prescan(const struct update *u, struct update_verdict *v);

/* Would its records be lines that are too long, or too many?  Then the verdict is REFUSED.  E_NOMEM. */
err_t update_measure(const struct update *u, struct update_verdict *v);

/* 2136 3.4.2.  By a narrow key the deletion of all of a name leaves SOA, NS and DS, as that at the apex leaves SOA and NS.
 * Errors are those of the transaction, which is of no use then. */
err_t update_apply(const struct update *u, struct zone_txn *t);

/* The name of the zone that it makes: the owner of a SOA that is added where `v` has no zone.  NULL: none. */
const uint8_t *update_creates(const struct update *u, const struct view *v);

/* The apex of the zone that it removes: its one and only change deletes the very SOA record that this zone of the view has.  NULL: none. */
const uint8_t *update_removes(const struct update *u, const struct view *v);
