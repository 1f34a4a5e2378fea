/* bin/cli_notify.h -- a tool tells a primary that a zone has changed (RFC 1996), and says what the answer means.
 */
#pragma once

#include <stdint.h>

#include "bin/cli_signed.h"

enum { CLI_NOTIFY_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 64 + TSIG_RR_MAX };

struct cli_notification {
	/* The program's. */
	struct name zone;
	char zone_text[NAME_TEXT_MAX];
	bool has_serial, is_quiet;
	uint32_t serial;          /* that the zone has now */
	struct cli_signed asked;  /* with the key, if there is one */
	/* private */
	uint8_t wire[CLI_NOTIFY_MAX];
};

/* Tells, waits for the acknowledgement, and prints it, or what is wrong.  CLI_OK, CLI_FAILED. */
int cli_notify(struct cli_notification *n, const struct client_addresses *to, const struct client_patience *patience);
