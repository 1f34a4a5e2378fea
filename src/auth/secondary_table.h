/* auth/secondary_table.h -- the serials that secondaries have, as far as the primary knows: by zone, address and port.
 *
 * A row begins with the first notification that came to something, or the first transfer.  What a secondary has is what was transferred to
 * it last.  That it has acknowledged a NOTIFY means that it knows of a serial, and no more.
 *
 * The port is the one at which a secondary is told.  A transfer, and a notification over the secondary's own connection, come from
 * another port, so they count for every row of the address.  When there are several, such good news does not end the error of a
 * notification, which may be another secondary's.
 *
 * Bounds: SECONDARY_ROWS_MAX rows in all; what does not fit is not taken, and counted.  SECONDARY_OF_ZONE_MAX rows of a zone: when a
 * further secondary succeeds, the row whose last success is oldest is dropped.  Addresses change, so that one is most likely nobody's
 * any more.
 *
 * Pure; one caller at a time, under a lock.  No function but init and fini allocates or frees memory: that of rows goes in and out in a
 * struct secondary_room, so that the lock is never held meanwhile.
 * Cost: a lookup by the zone's name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"

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

/* Compared with the serial that is served. */
enum secondary_state {
	SECONDARY_UNHEARD, /* nothing was heard of it since the start */
	SECONDARY_CURRENT, /* it has transferred that serial, or a still newer one that is served by now */
	SECONDARY_KNOWS,   /* nothing was transferred since the start, and it has acknowledged that serial */
	SECONDARY_BEHIND,
	SECONDARY_BEYOND,   /* the serial went back, so it keeps what it has transferred before */
	SECONDARY_STATES
};
/* `since_s`: since when that serial is served. */
enum secondary_state secondary_row_state(const struct secondary_row *row, uint32_t serial, uint64_t since_s);
const char *secondary_state_text(enum secondary_state state); /* "unheard", "current", "told", "behind", "ahead" */
uint32_t secondary_row_behind(const struct secondary_row *row, uint32_t serial); /* of SECONDARY_BEHIND: by how much */

struct secondary_table {
	struct secondary_zone **slots; /* private: a hash table by the zone's name */
	size_t rows, over_limit;
};

/* Memory for a row that may have to be added, and memory that is not needed any more.  Ready for use when zeroed. */
struct secondary_room {
	struct secondary_zone *block; /* owned; NULL: none */
	size_t wanted;                /* rows that the next block has to have room for */
};
bool secondary_room_make(struct secondary_room *room); /* false: no memory */
void secondary_room_free(struct secondary_room *room);

/* Whom something was heard of. */
struct secondary_at {
	struct key_address address;
	uint16_t port; /* where it was told; 0: it comes from the address, whatever its port */
};

void secondary_table_init(struct secondary_table *t);
void secondary_table_fini(struct secondary_table *t);

/* What was heard of a secondary.  False: nothing was noted, since `room` is too small: call again after secondary_room_make(). */
struct secondary_news {
	const uint8_t *zone;
	struct secondary_at at;
	uint64_t now_s;
	enum { SECONDARY_TOLD, SECONDARY_HAS, SECONDARY_FAILED } what; /* it has acknowledged a serial; a transfer has ended; neither */
	uint32_t serial;           /* TOLD, HAS */
	const char *error;         /* FAILED: static */
};
bool secondary_table_note(struct secondary_table *t, const struct secondary_news *news, struct secondary_room *room);

/* True when a client that transfers the zone is a secondary, and not a person who looks at it (octl dump), mostly with a key that may also
 * change it.  `key`: that signed the request; len 0: none.
 *
 * A key with a secondary's address in its name counts only for a client at that address.  Any other client counts as a secondary if its
 * address has a row, because NOTIFY was sent there: a client with a transfer key, with a key that only a `_secondaries` file grants
 * the right, or without a key.  A key for updates is a person's. */
bool secondary_table_is_secondary(const struct secondary_table *t, const uint8_t *zone, const struct name *key,
                                  const struct key_address *from);

/* The zone is gone: its rows are moved to `room`, which has to be empty. */
void secondary_table_forget(struct secondary_table *t, const uint8_t *zone, struct secondary_room *room);

/* Copies the zone's rows, in the order of their addresses and ports; returns how many. */
size_t secondary_table_read(const struct secondary_table *t, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX]);
