/* bin/ocertify_dns.h -- what ocertify asks of DNS: the TLSA set of a host, the reason why there is no certificate, and an UPDATE.
 *
 * It blocks, as net/client.h does.
 */
#pragma once

#include <stdint.h>

#include "acme/request_set.h"
#include "base/str.h"
#include "bin/cli_signed.h"

struct ocertify_dns {
	/* Set by the program. */
	const struct client_addresses *to;
	struct cli_signed asked;      /* has the key, if there is one */
	struct name tlsa, status;
	/* private */
	uint8_t wire[DNS_MSG_MAX], answer[DNS_MSG_MAX];
};

/* E_NAMELEN: the host's name is too long for the names below it. */
err_t ocertify_dns_init(struct ocertify_dns *d, const uint8_t *host);

/* Asks for the TLSA set; the caller frees it.  E_AUTH: the answer is none, or cannot be believed; else as signed_ask(). */
err_t ocertify_dns_look(struct ocertify_dns *d, struct acme_set *out);

/* Prints why the last ocertify_dns_look(), which returned `err`, has failed. */
void ocertify_dns_explain_look(const struct ocertify_dns *d, err_t err);

/* What oacme says of its last try for this request, in one line that is fit for a terminal; "" if it says nothing, and after an error. */
err_t ocertify_dns_status(struct ocertify_dns *d, const struct csr *request, struct str *out);

/* Replaces the TLSA set by the request.  E_REFUSED: the server says no; after any error the reason was printed, and *is_in_doubt says
 * whether the request may be there nevertheless. */
err_t ocertify_dns_request(struct ocertify_dns *d, const struct csr *request, bool *is_in_doubt);
