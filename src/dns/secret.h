/* dns/secret.h -- what is a shared secret, told by its looks: never served, never shown.
 *
 * TSIG secrets live in files of keys, as DNSKEY records with algorithm numbers that DNSSEC does not use (auth/keys.h).  Somebody will give
 * such a file a wrong name, paste a key into a zone, or send a key in an update.  No such record ever becomes part of a zone.  And no
 * message quotes a text that looks as if it held a secret, in whatever form: people who read the log need not know secrets.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "dns/rrtype.h"

/* Does the RDATA of a key have the number of an HMAC (157, BIND's HMAC-MD5; 161 to 165)? */
bool secret_is_rdata(const uint8_t *rdata, size_t rdlen);

/* Does the record publish a secret: DNSKEY, CDNSKEY, KEY or RKEY with such a number?  Every record that is
 * loaded asks, so most have their answer without a call. */
static inline bool
secret_is_record(uint16_t type, const uint8_t *rdata, size_t rdlen)
{
	bool is_key = type == TYPE_DNSKEY || type == TYPE_CDNSKEY || type == TYPE_KEY || type == TYPE_RKEY;
	return is_key && secret_is_rdata(rdata, rdlen);
}

/* Does the text of a file look like one that holds keys: TSIG as DNSKEY records or as NAME:ALGORITHM:SECRET, configuration of BIND, Knot
 * or NSD, private keys?  `file`: its path; one that is called like keys ("keys", "example.org.key") holds some.  One pass. */
bool secret_is_text(const char *file, const char *text, size_t len);

/* Could the word be a secret in base64 or hexadecimal: long, of their digits alone, and no word of a language? */
bool secret_is_word(const char *word, size_t len);

/* Is there such a word? */
bool secret_is_in(const char *text, size_t len);

/* Appends a message, with "(not shown)" for such words, and for what follows NAME:ALGORITHM: or "ed25519:". */
void secret_mask(const char *text, struct str *out);
