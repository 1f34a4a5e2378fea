/* bin/cli_status.h -- a tool's questions about a server's state (auth/status_text.h): asked page by page, each signed.
 *
 *     struct cli_status s = { .to = &addresses };
 *     cli_status_init(&s, "ns1.example.org", port);
 *     cli_signed_read_key(&s.asked, &from, "--key");
 *     err = cli_status_ask(&s, STATUS_ZONES, domain, on_zone, ctx);
 *
 * What a server says is a stranger's: items and octets have limits, and whoever prints values cleans them (bin/clean.h).
 */
#pragma once

#include "auth/status_text.h"
#include "base/err.h"
#include "base/str.h"
#include "bin/cli_signed.h"

enum {
	CLI_STATUS_ITEMS_MAX = 4 << 20,     /* of one question, over all pages */
	CLI_STATUS_OCTETS_MAX = 512 << 20,
	CLI_STATUS_ASK_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 12 + NAME_TEXT_MAX + 16 + 11 + TSIG_RR_MAX,
};

struct cli_status {
	const struct client_addresses *to; /* borrowed */
	unsigned timeout_s;                /* for each page */
	struct cli_signed asked;
	char commit[65];                   /* that the last answer is about; "": of none */
	struct name domain;                /* what the key reaches: cli_status_reach() */
	bool is_quiet;                     /* a server that is not reached is not said to be: who asks again says it in the end */
	/* private */
	uint8_t wire[CLI_STATUS_ASK_MAX], answer[DNS_MSG_MAX];
	struct status_item item;
	char after[NAME_TEXT_MAX];
};

/* "file:5:7" of the finding that an item has, cleaned: the file, when the server knows no line. */
void cli_status_put_place(struct str *out, const struct status_item *item);

/* The domain of the key that was read; E_FORMAT: by its name it has no right, which was printed. */
err_t cli_status_reach(struct cli_status *s);

/* Asks, and hands over each item, which is good for the call.  What is wrong was printed, unless `is_quiet`, but for E_NOTFOUND: there
 * is no such zone.  An error of `each` ends it. */
err_t cli_status_ask(struct cli_status *s, enum status_what what, const uint8_t *domain,
                     err_t (*each)(void *ctx, const struct status_item *item), void *ctx);
