/* acme/steps.h -- changes of DNS that belong together, on their way into UPDATE messages (RFC 2136).
 *
 * One UPDATE is about one zone, and signed with one key; a key may be good for a part of the zone alone (auth/key.h).  So a list of changes
 * becomes as few messages as zones and keys allow: steps, carried out one after the other.  Of two changes the one that was added first is
 * never in a later step than the other, if both are of the same zone and the same keys are good for both.  Those of an RRset that has
 * conditions are never divided.
 *
 *     steps_add(&s, zone, &change);                  // several times
 *     while (steps_next(&s, keys, &step) == OK) {    // … send step.message, signed with step.key …
 *             steps_done(&s);                        // or not: then steps_next() gives the same again
 *     }
 *
 * Pure.  Ready for use, and empty, when zeroed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "dns/name.h"

enum {
	STEPS_CHANGES_MAX = 1000,     /* E_LIMIT beyond that */
	STEPS_MESSAGE_MAX = 60000,    /* octets, so that there is room for a signature */
};

enum step_change_kind {
	STEP_ADD,
	STEP_REMOVE,
	/* This record is there.  All such of one owner and type are the whole RRset (RFC 2136 2.4.2), and are sent with the changes
	 * of that owner and type. */
	STEP_IF_THERE,
};

struct step_change {
	enum step_change_kind kind;
	const uint8_t *owner;
	uint16_t type;
	uint32_t ttl;
	const uint8_t *rdata;
	size_t rdlen;
};

struct steps {
	struct steps_entry *list;
	size_t n, cap;
	size_t now_n;         /* changes of the step that was made last */
	struct arena mem;
};

/* True when the key may change records of this type at this name. */
bool steps_may_change(const struct key *k, const uint8_t *zone, const uint8_t *owner, uint16_t type);

void steps_fini(struct steps *s); /* ready to be used again */

/* Copies what it needs.  E_LIMIT, E_NOMEM. */
err_t steps_add(struct steps *s, const uint8_t *zone, const struct step_change *c);

struct step {
	const struct key *key;
	const uint8_t *zone;
	struct buf *message;      /* set by the caller: empty, STEPS_MESSAGE_MAX octets; gets the request, with ID 0 and unsigned */
	const uint8_t *refused;   /* after E_AUTH: no key may change this name */
	uint16_t refused_type;
};

/* E_NOTFOUND: all is done.  E_AUTH; E_FULL: a change, or those of an RRset with its conditions, do not fit into a message. */
err_t steps_next(struct steps *s, const struct keystore *keys, struct step *out);
void steps_done(struct steps *s);
bool steps_has_condition(const struct steps *s); /* the step that was made last may fail because DNS has changed */
