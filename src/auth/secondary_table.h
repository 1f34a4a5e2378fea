/* auth/secondary_table.h -- how far each secondary is, as far as the primary has heard: by zone, address and port.
 *
 * A row begins with the first notification that came to something, or the first transfer.  What a secondary has is what was transferred to
 * it last.  That it has acknowledged a NOTIFY means that it knows of a serial, and no more.
 *
 * The port is the one at which a secondary is told.  A transfer, and a notification over the secondary's own connection, come from
 * another port, so they count for every row of the address.  When there are several, such good news does not end the error of a
 * notification, which may be another secondary's.
 *
 * Bounds: SECONDARY_ROWS_MAX rows in all; what does not fit is not taken, and counted.  SECONDARY_OF_ZONE_MAX rows of a zone: when
 * another secondary does well, the row goes of which nothing good was heard for longest.  Addresses change, so that one is most
 * likely nobody's any more.
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
	uint16_t port;             /* where it is told; 0: not told yet */
	bool is_error_of_port;     /* `error` is that of a notification at the port */
	uint32_t told, has;        /* serials: acknowledged last, transferred last */
	uint64_t told_s, has_s;    /* when, since 1970; 0: never */
	const char *error;         /* static: what went wrong last, when nothing went well since; NULL: nothing */
	uint64_t error_s;
};

struct secondary_table {
	struct trie_txn zones;     /* private; never committed: changed in place */
	size_t rows, over_limit;
};

/* Whom something was heard of. */
struct secondary_at {
	struct key_address address;
	uint16_t port; /* where it was told; 0: it comes from the address, whatever its port */
};

void secondary_table_init(struct secondary_table *t);
void secondary_table_fini(struct secondary_table *t);

/* It has acknowledged the serial; it was sent the zone with it, to the end; `error` (static) went wrong. */
void secondary_table_told(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at, uint32_t serial, uint64_t now_s);
void secondary_table_has(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, uint32_t serial, uint64_t now_s);
void secondary_table_failed(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at, const char *error,
                            uint64_t now_s);

/* Is there a row with this address? */
bool secondary_table_knows(const struct secondary_table *t, const uint8_t *zone, const struct key_address *a);

/* The zone is gone. */
void secondary_table_forget(struct secondary_table *t, const uint8_t *zone);

/* Copies the zone's rows, in the order of their addresses and ports; returns how many. */
size_t secondary_table_read(const struct secondary_table *t, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX]);
