/* acme/dane.h -- TLSA records for clients of a service (RFC 6698, 7671): "3 1 1" at _PORT._tcp.NAME.
 *
 * Such a record has the SHA-256 of the service's public key (SubjectPublicKeyInfo), so it stays the same when a certificate is renewed with
 * the same key.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/pkey.h"
#include "dns/name.h"

enum {
	DANE_PORTS_MAX = 8,
	DANE_HASH_AT = 3,                 /* where the hash begins in the RDATA */
	DANE_RDATA_LEN = DANE_HASH_AT + 32,
	DANE_HASH_TEXT_LEN = 2 * 32,      /* in base16 */
};

struct dane_ports {
	size_t n;
	uint16_t port[DANE_PORTS_MAX];
};

/* Adds those of a list like "443,25"; a port that is there already is passed over.  E_FORMAT: it is no such list; E_LIMIT: too many. */
err_t dane_ports_add(struct dane_ports *ports, const char *text);

err_t dane_owner(uint16_t port, const uint8_t *name, struct name *out); /* E_NAMELEN */

/* NAME of an owner _PORT._tcp.NAME, as a part of it; NULL: the owner is another name. */
const uint8_t *dane_host(const uint8_t *owner);

err_t dane_rdata(const struct pkey *key, uint8_t out[DANE_RDATA_LEN]); /* E_CRYPTO, E_NOMEM */

/* The hash of it as a text, and back.  False: the text is none. */
void dane_print_hash(const uint8_t rdata[DANE_RDATA_LEN], char out[DANE_HASH_TEXT_LEN + 1]);
bool dane_read_hash(const char *text, uint8_t out[DANE_RDATA_LEN]);
