/* bin/cli_status.h -- asks a server for its state (auth/status_text.h): page by page, each question signed.
 *
 *     struct cli_status s = { .to = &addresses, .timeout_s = 2, .asked = { .subject = "zones", .port = 53 } };
 *     cli_signed_read_key(&s.asked, &from, "--key");
 *     err = cli_status_ask(&s, STATUS_ZONES, domain, on_zone, ctx);
 *
 * The answers are foreign text: there are limits for items and octets, and a program that prints values cleans them (bin/clean.h).
 */
#pragma once

#include "auth/status_text.h"
#include "base/err.h"
#include "base/str.h"
#include "bin/cli_signed.h"

enum {
	CLI_STATUS_ITEMS_MAX = 4 << 20,     /* items of one question, on all pages */
	CLI_STATUS_OCTETS_MAX = 512 << 20,  /* octets of its answers */
	CLI_STATUS_ASK_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 12 + NAME_TEXT_MAX + 16 + 11 + TSIG_RR_MAX,
};

struct cli_status {
	const struct client_addresses *to; /* borrowed */
	unsigned timeout_s;                /* for each page */
	struct cli_signed asked;
	char commit[65];                   /* the commit that the last answer is about; "": the server has none */
	struct name domain;                /* the domain of the key: cli_status_reach() */
	bool is_quiet;                     /* print nothing when the server is not reached: the caller tries again, and prints it at last */
	/* private */
	uint8_t wire[CLI_STATUS_ASK_MAX], answer[DNS_MSG_MAX];
	struct status_item item;
	char after[NAME_TEXT_MAX];
};

/* Appends the place of the item's finding: "file:5:7", or only the file if the server knows no line.  The text is cleaned. */
void cli_status_put_place(struct str *out, const struct status_item *item);

/* Reads the key's domain from its name.  E_FORMAT: the name gives no right; that was printed. */
err_t cli_status_reach(struct cli_status *s);

/* Asks, and calls `each` with every item, which is valid during the call.  An error of `each` ends the question.  E_NOTFOUND: there is no
 * such zone.  For any other error the reason was printed, unless `is_quiet`. */
err_t cli_status_ask(struct cli_status *s, enum status_what what, const uint8_t *domain,
                     err_t (*each)(void *ctx, const struct status_item *item), void *ctx);
