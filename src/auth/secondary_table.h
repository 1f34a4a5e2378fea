/* auth/secondary_table.h -- how far each secondary is, as far as the primary has heard: by zone and address.
 *
 * A row begins with the first notification that came to something, or the first transfer.  What a secondary has is what was transferred to
 * it last; that it has acknowledged a NOTIFY means that it knows of a serial, and no more.
 *
 * Bounds: SECONDARY_ROWS_MAX rows, beyond which nothing new is taken, and that is counted; SECONDARY_OF_ZONE_MAX of a zone, of which the
 * one of which nothing good was heard for longest gives place to another that does well: addresses change, and that one is most likely
 * nobody's any more.
 * Pure; one thread at a time.  Cost: a lookup by the zone's name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/keys.h"
#include "base/err.h"
#include "zone/trie.h"

enum { SECONDARY_ROWS_MAX = 200000, SECONDARY_OF_ZONE_MAX = 16 };

struct secondary_row {
	struct key_address address;
	uint32_t told, has;        /* serials: acknowledged last, transferred last */
	uint64_t told_s, has_s;    /* when, since 1970; 0: never */
	const char *error;         /* static: what went wrong last, since then nothing went well; NULL: nothing */
	uint64_t error_s;
};

struct secondary_table {
	struct trie_txn zones;     /* private; never committed: changed in place */
	size_t rows, over_limit;
};

void secondary_table_init(struct secondary_table *t);
void secondary_table_fini(struct secondary_table *t);

/* It has acknowledged the serial; it was sent the zone with it, to the end; `error` (static) went wrong. */
void secondary_table_told(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, uint32_t serial, uint64_t now_s);
void secondary_table_has(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, uint32_t serial, uint64_t now_s);
void secondary_table_failed(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, const char *error, uint64_t now_s);

/* Is there a row? */
bool secondary_table_knows(const struct secondary_table *t, const uint8_t *zone, const struct key_address *a);

/* The zone is gone. */
void secondary_table_forget(struct secondary_table *t, const uint8_t *zone);

/* Copies the zone's rows, in the order of their addresses; returns how many. */
size_t secondary_table_read(const struct secondary_table *t, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX]);
