/* acme/renewal.h -- when a certificate is to be renewed: by the CA's renewal information (RFC 9773), or without it.
 *
 * Pure.  Times are seconds since 1970.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acme/http.h"
#include "base/err.h"

enum {
	ACME_CERT_ID_MAX = 128,             /* octets of RFC 9773's name of a certificate */
	ACME_RENEWAL_AGAIN_MIN_S = 60,      /* Retry-After is held to these (RFC 9773 4.3.2) */
	ACME_RENEWAL_AGAIN_MAX_S = 86400,
	ACME_RENEWAL_AGAIN_S = 21600,       /* where the CA says nothing: RFC 9773 4.3.3 */
};

/* The name of a certificate (RFC 9773 4.1) out of its authority key identifier and the octets of its serial number, as they are in the
 * DER.  E_LIMIT: they are too long, or missing: then there is no information about this certificate. */
struct acme_cert_parts {
	const uint8_t *key_id, *serial;
	size_t key_id_len, serial_len;
};
err_t acme_cert_id(const struct acme_cert_parts *parts, char out[ACME_CERT_ID_MAX + 1]);

struct acme_window {
	uint64_t start_s, end_s;            /* start_s < end_s */
	char explanation[ACME_URL_MAX + 1]; /* URL; "": none */
};

/* E_FORMAT: not such information, or its window ends before it begins. */
err_t acme_window_read(const char *body, size_t len, struct acme_window *out);

/* The moment in the window at which to renew: it depends on the certificate's name alone, so that many do not meet, and that it is
 * the same after a restart. */
uint64_t acme_window_moment(uint64_t start_s, uint64_t end_s, const char *cert_id);

/* Without information: when a third of the lifetime is left, or a half if that is under ten days; up to a twentieth of the lifetime
 * earlier, by the certificate's name. */
uint64_t acme_renewal_moment(uint64_t not_before_s, uint64_t not_after_s, const char *cert_id);
