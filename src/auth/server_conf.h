/* auth/server_conf.h -- what the answering of requests needs besides a view: settings of the operator, and what the process tells of
 * itself.
 *
 * It is the same for as long as the process lives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/daemon_state.h"
#include "auth/key_uses.h"
#include "auth/rate_limit.h"
#include "auth/secondary_table.h"
#include "dns/cookie.h"

struct server_conf {
	uint16_t udp_max;            /* largest UDP answer (1232) */
	const char *version;         /* version.bind CH TXT; NULL: refused */
	const char *id;              /* id.server CH TXT and NSID; NULL: refused, no NSID */
	bool tells_commit;           /* commit.server CH TXT, and ZONEVERSION (RFC 9660), to everybody */
	bool is_axfr_open;           /* zone transfers for everybody, unsigned */
	const struct cookie_secrets *cookies; /* DNS cookies are made with these; NULL: they are passed over */
	bool requires_cookie;        /* over UDP, a client that knows cookies has to show a good one before it gets an answer */
	struct rate_limit *rate_limit; /* written by every worker; NULL: answers are not limited */
	bool takes_no_updates;       /* a secondary: UPDATE is refused, */
	bool forwards_updates;       /* but for those that its primary may take (auth/forward.h) */
	bool (*is_deaf)(const void *ctx); /* true while we cannot pull, so that a NOTIFY is of no use; any thread; NULL: never */
	const void *deaf_ctx;
	struct key_uses *uses;       /* written by every worker; NULL: not recorded */
	/* Tells the state of the process.  Any thread; must not take long.  NULL: not known. */
	void (*state)(void *ctx, struct daemon_state *out);
	/* Tells the secondaries of a zone, SECONDARY_OF_ZONE_MAX at most, and returns their number.  As above. */
	size_t (*secondaries)(void *ctx, const uint8_t *zone, struct secondary_row *out);
	void *state_ctx;             /* for state() and secondaries() */
	/* Tells where zones are kept for the next run.  As above.  NULL: nowhere. */
	void (*kept)(void *ctx, struct kept_state *out);
	void *kept_ctx;
};
