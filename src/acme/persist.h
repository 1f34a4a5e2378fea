/* acme/persist.h -- dns-persist-01: a lasting TXT record that lets an account have certificates of a name
 * (draft-ietf-acme-dns-persist-02).
 *
 *     _validation-persist.www.example.org. TXT "ca.example; accounturi=https://ca.example/acct/1; policy=wildcard"
 *
 * It has the form of a CAA value (RFC 8659 4.2).  Since version 02 of the draft, accounturi is a hash of domain, account key and account
 * URL, below a prefix that the CA's directory gives.  CAs of version 01 have no such prefix, and want the account URL itself.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { ACME_ISSUERS_MAX = 10 }; /* issuer domain names (section 3.1) */

/* Whom the record is to name. */
struct acme_persist {
	const char *const *issuers; /* any of these */
	size_t issuers_n;
	const char *account;        /* URL */
	const char *thumbprint;     /* of the account's key */
	const char *hash_prefix;    /* accountHashPrefix of the directory; NULL: the CA wants the account URL */
};

/* Whether the record's text (its strings put together) proves `name`, in lower case, and its wildcard if `is_wildcard`.  As the CA would,
 * it refuses a text that is malformed or has a parameter twice. */
bool acme_persist_is_proof(const struct acme_persist *p, const char *name, bool is_wildcard, uint64_t wall_s, const char *text);

/* The text of such a record, with the first issuer.  E_NOTFOUND: there is no issuer or no account. */
err_t acme_persist_print(const struct acme_persist *p, const char *name, bool is_wildcard, struct str *out);

/* The record in a line of a zone file.  Errors as above. */
err_t acme_persist_print_line(const struct acme_persist *p, const char *name, bool is_wildcard, struct str *out);

/* A domain name as the draft wants issuers to be: A-labels in lower case, at most 253 octets, without a dot at the end. */
bool acme_persist_is_issuer(const char *text);
