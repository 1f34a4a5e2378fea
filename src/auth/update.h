/* auth/update.h -- UPDATE (RFC 2136): reads a message, checks it against a zone, and applies it to the zone's next version.
 *
 * server_handle() checks who sends the request and whether the key has the right (RFC 3007: by TSIG), and reports EVENT_UPDATE.
 * Then the request is queued, and read here when its turn comes (auth/batch.h).  Its records are read once.  Then the
 * prerequisites are checked and the changes made in a transaction on the zone, one update after the other, so that each sees the
 * changes of those before it.
 *
 * Where RFC 2136 ignores a change without an error (3.4.2: a CNAME beside other data, the last NS record of the zone, an older
 * SOA), so do we.  Changes of RRSIG, NSEC and NSEC3 records are REFUSED: only the zone's signer makes these.  Updates that make
 * or remove a zone (--zones-by-update) are our own extension: see update_creates() and update_removes().
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

/* Octets of one message after it was read.  Names in RDATA take two octets where they are compressed, but up to 255 here:
 * without a limit 64 KiB would become 3 MiB.  Ordinary records grow to four times their octets. */
enum { UPDATE_OCTETS_MAX = 1 << 20 };

/* Octets of the records of one message as text.  One bit of a type bitmap can become a word: without limits a message could make
 * lines of 650 KB, and 5 MB in all.  Ordinary records stay far below. */
enum {
	UPDATE_LINE_MAX = 64 << 10, /* of one record */
	UPDATE_TEXT_MAX = 2 << 20,  /* of all that one message adds */
};

/* Handles an UPDATE for server_handle(): sets an error, or the event EVENT_UPDATE. */
void update_handle(struct request *q);

struct update_rr {
	const uint8_t *owner;  /* in the arena, like rdata */
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
	size_t octets;              /* of names and RDATA; the arena takes up to twice as many */
	bool is_narrow;             /* the key is narrow (key_is_narrow()); set by update_permit() */
};

/* The answer to an update, as RCODE and as a text for people. */
struct update_verdict {
	unsigned rcode;
	int ede;          /* EDE_NONE: none */
	const char *why;  /* static; "" when rcode is NOERROR */
};

/* Reads the header and the zone section, which are enough for an answer.  The verdict is FORMERR when the message cannot be
 * understood as an update. */
void update_begin(struct update *u, const uint8_t *bytes, size_t len, struct update_verdict *v);

/* Reads the records.  The verdict is FORMERR when one of them is malformed, REFUSED when they take more than UPDATE_OCTETS_MAX.
 * E_NOMEM. */
err_t update_read(struct update *u, struct update_verdict *v);

/* Checks the rights of the key.  It must be allowed to change each name and type in the changes, and each name in the
 * prerequisites, whatever the type; else the verdict is REFUSED.  Nothing of the zone is looked at, so a refusal tells nothing
 * about its contents. */
void update_permit(struct update *u, const struct key *key, struct update_verdict *v);

void update_fini(struct update *u); /* frees the records; the state is as after update_begin() */

/* RFC 2136 3.2: checks the prerequisites.  `t`: NULL when there is no such zone; then no name is in use. */
err_t update_ask(const struct update *u, struct zone_txn *t, struct update_verdict *v);

/* RFC 2136 3.4.1: checks that each change is well-formed and possible. */
void update_prescan(const struct update *u, struct update_verdict *v);

/* REFUSED when the added records would be lines that are too long, or too much text.  E_NOMEM. */
err_t update_measure(const struct update *u, struct update_verdict *v);

/* RFC 2136 3.4.2: makes the changes.  When a narrow key deletes all records of a name, SOA, NS and DS records stay; at the apex
 * SOA and NS stay in any case.  Errors are those of the transaction, which cannot be used any more after an error. */
err_t update_apply(const struct update *u, struct zone_txn *t);

/* The name of the zone that the update makes: the owner of an added SOA record where `v` has no zone, or the catalog.  NULL: it makes
 * none. */
const uint8_t *update_creates(const struct update *u, const struct view *v);

/* The apex of the zone that the update removes: its only change deletes exactly the SOA record that the zone has in `v`.  NULL:
 * it removes none.  The catalog cannot be removed. */
const uint8_t *update_removes(const struct update *u, const struct view *v);
