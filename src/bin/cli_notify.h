/* bin/cli_notify.h -- sends a NOTIFY to a primary (RFC 1996): a zone has changed.  Then tells what the answer means.
 */
#pragma once

#include <stdint.h>

#include "bin/cli_signed.h"

enum { CLI_NOTIFY_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 64 + TSIG_RR_MAX };

struct cli_notification {
	/* Set by the program. */
	struct name zone;
	char zone_text[NAME_TEXT_MAX];
	bool has_serial, is_quiet;
	uint32_t serial;          /* the zone's new serial, if has_serial */
	struct cli_signed asked;  /* has the key, if there is one */
	/* private */
	uint8_t wire[CLI_NOTIFY_MAX];
};

/* Sends the NOTIFY, waits for the answer, and prints that it was acknowledged or what is wrong.  CLI_OK, CLI_FAILED. */
int cli_notify(struct cli_notification *n, const struct client_addresses *to, const struct client_patience *patience);
