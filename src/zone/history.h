/* zone/history.h -- the last changes of a zone, step by step, for incremental transfers (RFC 1995).
 *
 * A delta is the step from one serial number to the next, as records ready to be sent.  The deltas of a zone are a chain from the
 * newest to older ones, and each version knows how many of them are its own (zone.h: struct zone_history).  The next version
 * has the same deltas and one more.  Deltas that then pass the limits are garbage, freed once nobody reads the version that still has
 * them.  So a version with its history never changes, and costs nothing to keep but its last delta.
 *
 * Two kinds of step end the history, which then begins anew: a step that is not known record by record, and a step to a serial
 * that is not newer than all serials that the zone was served with, for that serial may have stood for other content.  No step leads away
 * from such a serial either: we do not know which of the two contents a secondary has that asks from there.  So every serial at which
 * a step begins has stood for one content only.  Deltas that lie back by more than half of the circle (RFC 1982) go before the same
 * number can come again.
 *
 * Threads: readers follow `older` from a version that they hold, as far as its count goes; only the writer touches the rest.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "dns/name.h"
#include "zone/changes.h"
#include "zone/zone.h"

enum {
	HISTORY_STEPS_MAX = 10000,
	/* Octets of all deltas of a zone: about a fourth of what its records take, as a longer way is no shorter than a transfer
	 * of all; within these bounds. */
	HISTORY_OCTETS_PER_RECORD = 16,
	HISTORY_OCTETS_MIN = 64 << 10,
	HISTORY_OCTETS_MAX = 16 << 20,
	/* Records in several deltas, up to which they are made one. */
	HISTORY_CONDENSE_MAX = 20000,
	/* And octets: each transfer has its own, as long as its peer takes. */
	HISTORY_CONDENSE_OCTETS_MAX = 1 << 20,
	/* What secondaries say that they have is believed so many times a zone, and may raise its serial by so much in all: a million
	 * updates, or a year of serials that are dates.  So a key that others got hold of cannot push it on for ever. */
	HISTORY_HEARD_TIMES_MAX = 8,
	HISTORY_HEARD_MAX = 1 << 20,
};

struct delta {
	struct delta *older;        /* good as far as the version's count goes */
	struct delta *newer;        /* the writer's alone */
	uint32_t old_serial, new_serial;
	uint32_t removed_n, added_n; /* records, each with its SOA first (RFC 1995 4) */
	size_t len;
	uint8_t wire[];             /* those removed, then those added: see delta_next() */
};

/* One record of a delta: owner (uncompressed), then TYPE, CLASS, TTL, RDLENGTH and RDATA as they are sent. */
struct delta_rr {
	const uint8_t *owner;
	uint8_t owner_len;
	const uint8_t *fixed; /* TYPE and what follows, fixed_len octets */
	size_t fixed_len;
};

/* The record at octet *at, which moves on to the next.  There are removed_n + added_n. */
struct delta_rr delta_next(const struct delta *d, size_t *at);

/* Gives the new version the old one's history and the step between them: `changes` is all that differs, or is not whole (then
 * the history begins anew).  *garbage gets what the new version does not have.  Cannot fail: without memory for it, too, the
 * history begins anew. */
void history_extend(const struct zone *old, struct zone *new, const struct zone_changes *changes, struct garbage *garbage);

/* The first version of a zone that was served before, up to the serial `newest`: by a file that went, or before a start.  `is_same`: what
 * was served with that serial is just this version. */
void history_begin(struct zone *first, uint32_t newest, bool is_same);

/* The same where only the serial is known, by what the file was in an older commit: one that is equal is no reason to say anything. */
void history_begin_unsure(struct zone *first, uint32_t newest);

/* The zone was served with a newer serial than is known here, as was found out only now.  The steps to this version stay, the next
 * one begins anew. */
void history_note_served(struct zone *z, uint32_t serial);

/* The same by what a secondary says.  E_EXISTS: it is not newer than what is known; E_LIMIT: it is not believed. */
err_t history_note_heard(struct zone *z, uint32_t serial);

/* The newest serial that the zone was served with: the next one must be newer. */
static inline uint32_t
history_newest_serial(const struct zone *z)
{
	return z->history.served;
}

/* Is the version's serial one that secondaries may pass over, or have with other content? */
static inline bool
history_is_serial_stuck(const struct zone *z)
{
	return z->history.is_ambiguous;
}

/* All deltas of a version that has no successor: into *garbage. */
void history_drop(const struct zone *z, struct garbage *garbage);

/* A version that has no successor, with all its deltas, at once: nobody reads it any more.  NULL-safe. */
void history_free_zone(struct zone **z);

/* The steps from a serial to the version's own, oldest first; *list is the caller's to free, what it points to is the version's.
 * E_NOTFOUND: the history does not reach so far.  E_NOMEM. */
err_t history_from(const struct zone *z, uint32_t serial, const struct delta ***list, size_t *n);

/* The same into list[0, cap), without allocating, for who can do without.  E_NOTFOUND also when there are more. */
err_t history_last(const struct zone *z, uint32_t serial, const struct delta **list, size_t cap, size_t *n);

/* Several steps as one: a record that came and went is in neither half.  *out is the caller's to free.  E_LIMIT: there are too many
 * records, or octets, for that; E_NOMEM. */
err_t history_condense(const struct delta *const *list, size_t n, struct delta **out);
