/* dns/secret.h -- recognises shared secrets by their form, so that they are never served and never shown.
 *
 * TSIG secrets are in keys files, as DNSKEY records with algorithm numbers that DNSSEC does not use (auth/keys.h).  Somebody
 * will give such a file a wrong name, paste a key into a zone, or send a key in an update.  Such a record never becomes part of
 * a zone.  And no message quotes a text that looks as if it contained a secret, in whatever form: not everybody who reads the log
 * may know the secrets.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "dns/rrtype.h"

/* True when the RDATA of a key has the algorithm number of an HMAC (157, BIND's HMAC-MD5; 161 to 165). */
bool secret_is_rdata(const uint8_t *rdata, size_t rdlen);

/* True when the record would publish a secret: DNSKEY, CDNSKEY, KEY or RKEY with such a number.  Called for every record that is
 * loaded, so for most types it needs no function call. */
static inline bool
secret_is_record(uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	bool is_key = type == TYPE_DNSKEY || type == TYPE_CDNSKEY || type == TYPE_KEY || type == TYPE_RKEY;
	return is_key && secret_is_rdata(rdata, rdlen);
}

/* True when the text of a file looks as if it contained keys: TSIG as DNSKEY records or as NAME:ALGORITHM:SECRET, configuration
 * of BIND, Knot or NSD, private keys.  Also true if the file's path is a name for keys ("keys", "example.org.key").  In a file of
 * secondaries ("example.org._secondaries") names with _transfer or _notify are no sign of keys.  One pass over the text. */
bool secret_is_text(const char *file, const char *text, size_t len);

/* True when the word could be a secret in base64 or hexadecimal: long, only of their digits, and not a word of a language. */
bool secret_is_word(const char *word, size_t len);

/* True when the text has such a word. */
bool secret_is_in(const char *text, size_t len);

/* Appends a message in which such words are replaced by "(not shown)", as well as the text after NAME:ALGORITHM: or "ed25519:". */
void secret_mask(const char *text, struct str *out);
