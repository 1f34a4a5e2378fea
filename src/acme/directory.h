/* acme/directory.h -- the directory of a CA (RFC 8555 7.1.1): which URL does what, and what it says of itself.
 *
 * Pure.  A directory owns its texts; empty when zeroed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "acme/persist.h"
#include "base/arena.h"
#include "base/err.h"

enum { ACME_PROFILES_MAX = 32 };

struct acme_directory {
	struct arena memory;
	const char *new_nonce, *new_account, *new_order;
	const char *renewal_info;            /* RFC 9773; NULL: none */
	const char *terms;                   /* NULL: none */
	const char *hash_prefix;             /* accountHashPrefix (draft-ietf-acme-dns-persist 4.1); NULL: none */
	const char *issuers[ACME_ISSUERS_MAX]; /* issuerDomainNames (3.2) */
	size_t issuers_n;
	const char *caa[ACME_ISSUERS_MAX];   /* caaIdentities */
	size_t caa_n;
	bool wants_binding;                  /* externalAccountRequired */
	const char *profiles[ACME_PROFILES_MAX]; /* draft-ietf-acme-profiles 3 */
	size_t profiles_n;
};

/* E_FORMAT: it is no directory, or lacks one of the first three URLs. */
err_t acme_directory_read(const char *body, size_t len, struct acme_directory *out);
void acme_directory_fini(struct acme_directory *d);

bool acme_directory_has_profile(const struct acme_directory *d, const char *profile);

/* The domain names of an array of texts, if it has 1 to ACME_ISSUERS_MAX and all are well-formed; else 0.  Borrowed. */
struct json_t;
size_t acme_issuers_read(const struct json_t *array, const char *out[ACME_ISSUERS_MAX]);
