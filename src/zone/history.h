/* zone/history.h -- the last changes of a zone, step by step, for incremental transfers (RFC 1995).
 *
 * A delta is the step from one serial number to the next, as records ready to be sent.  The deltas of a zone are a chain from
 * the newest to older ones, and each version knows how many of them are its own (zone.h: struct zone_history).  The next version
 * has the same deltas and one more.  Deltas that then exceed the limits are garbage, freed once nobody reads the version that
 * still has them.  So a version with its history never changes, and only its last delta takes new memory.
 *
 * Two kinds of step end the history, which then starts again.  One is a step that is not known record by record.  The other is a
 * step to a serial that is not newer than all serials with which the zone was served, because that serial may have stood for
 * other content.  No step begins at such a serial either: if a secondary asks from there, we do not know which of the two
 * contents it has.  So each serial at which a step begins has stood for one content only.  Deltas that are more than half of the
 * circle old (RFC 1982) are dropped before the same number can come again.
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
	/* Octets of all deltas of a zone, within these bounds: about a fourth of the size of its records, because a longer chain
	 * is no shorter than a transfer of the whole zone. */
	HISTORY_OCTETS_PER_RECORD = 16,
	HISTORY_OCTETS_MIN = 64 << 10,
	HISTORY_OCTETS_MAX = 16 << 20,
	/* Most records in several deltas that are joined into one. */
	HISTORY_CONDENSE_MAX = 20000,
	/* Most octets for that, since each transfer keeps its own joined delta until its peer has taken it. */
	HISTORY_CONDENSE_OCTETS_MAX = 1 << 20,
	/* A zone believes only this many serials that secondaries report, and they may raise its serial by this number in all: a
	 * million updates, or a year of serials that are dates.  So somebody with a stolen key cannot raise it without end. */
	HISTORY_HEARD_TIMES_MAX = 8,
	HISTORY_HEARD_MAX = 1 << 20,
};

struct delta {
	struct delta *older;        /* valid as far as the version's count goes */
	struct delta *newer;        /* only for the writer */
	uint32_t old_serial, new_serial;
	uint32_t removed_n, added_n; /* records, each with its SOA first (RFC 1995 4) */
	size_t len;
	uint8_t wire[];             /* removed records, then added ones: see delta_next() */
};

/* One record of a delta: owner (uncompressed), then TYPE, CLASS, TTL, RDLENGTH and RDATA in wire form. */
struct delta_rr {
	const uint8_t *owner;
	uint8_t owner_len;
	const uint8_t *fixed; /* TYPE and all that follows, fixed_len octets */
	size_t fixed_len;
};

/* The record at octet *at; moves *at to the next.  There are removed_n + added_n. */
struct delta_rr delta_next(const struct delta *d, size_t *at);

/* Gives the new version the history of the old one, and the step between them.  `changes` has all differences; or it is not
 * complete, and the history starts again.  *garbage gets the deltas that the new version does not have.  Cannot fail: without
 * memory the history also starts again. */
void history_extend(const struct zone *old, struct zone *new, const struct zone_changes *changes, struct garbage *garbage);

/* Begins the history of a zone that was served before, from a file that was then removed, or before a restart.  `newest`: the newest
 * serial with which it was served.  `is_same`: if `first` has that serial, it also has the content that was served with it. */
void history_begin(struct zone *first, uint32_t newest, bool is_same);

/* The same if the serial is only known from the file in an older commit: whether it was served, and with this content, is not known.
 * An equal serial does not count as stuck, but no step begins at it. */
void history_begin_unsure(struct zone *first, uint32_t newest);

/* Notes that the zone was served with a newer serial than was known.  The steps to this version stay, but the next version's history
 * starts again. */
void history_note_served(struct zone *z, uint32_t serial);

/* The same, as reported by a secondary.  E_EXISTS: the serial is not newer than the newest known; E_LIMIT: it is not believed. */
err_t history_note_heard(struct zone *z, uint32_t serial);

/* The newest serial with which the zone was served: the next one must be newer. */
static inline uint32_t
history_newest_serial(const struct zone *z)
{
	return z->history.served;
}

/* True when secondaries may ignore the version's serial, or have it with other content. */
static inline bool
history_is_serial_stuck(const struct zone *z)
{
	return z->history.is_ambiguous;
}

/* Puts all deltas of a version without successor into *garbage. */
void history_drop(const struct zone *z, struct garbage *garbage);

/* Frees a version without successor and all its deltas at once, when nobody reads it any more.  NULL-safe. */
void history_free_zone(struct zone **z);

/* The steps from a serial to the version's own, oldest first.  The caller frees *list; the deltas belong to the version.
 * E_NOTFOUND: the history does not reach back so far.  E_NOMEM. */
err_t history_from(const struct zone *z, uint32_t serial, const struct delta ***list, size_t *n);

/* The same into list[0, cap), without allocating.  E_NOTFOUND also if there are more steps. */
err_t history_last(const struct zone *z, uint32_t serial, const struct delta **list, size_t cap, size_t *n);

/* Joins several steps into one; a record that was added and removed again is in neither half.  The caller frees *out.  E_LIMIT:
 * too many records or octets for that; E_NOMEM. */
err_t history_condense(const struct delta *const *list, size_t n, struct delta **out);
