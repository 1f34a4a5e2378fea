/* dns/tsig.h -- transaction signatures (RFC 8945): verifies and signs messages, and chains of many messages.
 *
 * Pure: time comes in as seconds since 1970.  Keys are borrowed.  MACs are compared in constant time.
 *
 * Truncated MACs: a MAC that is longer than the hash, or shorter than half of it or than 10 octets, is malformed (RFC 8945
 * 5.2.2.1).  A MAC of a length in between is checked; if it is right, the message is refused with BADTRUNC (5.2.4), because our
 * policy is the whole hash: a key has no field that would allow less.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/hmac.h"
#include "dns/msg.h"
#include "dns/name.h"

enum {
	TSIG_FUDGE_S = 300,   /* RFC 8945 10 */
	TSIG_FUDGE_MAX_S = 600, /* a longer fudge is reduced to this: the sender alone must not decide how long a recorded
	                         * message is valid */
	TSIG_SECRET_MAX = 512,
	/* Room for any TSIG RR that we sign: owner, TYPE to RDLENGTH, algorithm name (hmac-sha512. takes 13 octets), fixed fields of
	 * the RDATA, MAC, other data.  An unsigned one repeats the peer's names and may be longer: tsig_response_len(). */
	TSIG_RR_MAX = NAME_WIRE_MAX + 10 + 27 + 16 + HMAC_MAX + 6,
	TSIG_MAC_PART = 16,       /* this many octets identify a MAC: nobody can find another MAC that begins with them */
	TSIG_CHAIN_GAP_MAX = 99, /* messages without TSIG in a row (RFC 8945 5.3.1) */
};

struct tsig_key {
	struct name name;        /* compared without case */
	enum hmac_alg alg;
	uint8_t secret[TSIG_SECRET_MAX];
	size_t secret_len;
};

/* State of one exchange: from the request through the response, with all messages of a chain.  Ready for use when zeroed. */
struct tsig {
	const struct tsig_key *key; /* borrowed; NULL before a key was found */
	uint8_t mac[HMAC_MAX];      /* of the last message signed or verified */
	size_t mac_len;
	unsigned error;             /* 0, RCODE_BADSIG, _BADKEY, _BADTIME, _BADTRUNC: for the answer */
	bool is_peer_error;         /* client: the server has reported `error`; else we have found it */
	bool is_error_signed;       /* client: the signature of the server's report is right */
	uint64_t server_time_s;     /* client, BADTIME: the server's clock; 0: unknown */
	struct name key_name, alg_name; /* as sent by the peer; a BADKEY answer repeats them */
	uint64_t peer_time_s;       /* time and fudge of the request; a BADTIME answer repeats both */
	uint16_t peer_fudge_s;
	uint16_t original_id;
	unsigned unsigned_n;        /* chain, receiving: messages since the last signed one */
	bool is_chain;              /* after the first message: of the TSIG variables, the digest has only the timers */
	struct hmac *pending;       /* chain, receiving: digest over unsigned messages; freed by tsig_fini */
};

void tsig_fini(struct tsig *t); /* frees all; ready to be used again */

/* Verifies a request.  `key` is the key that the caller has found for the message's key name, or NULL.  *t is overwritten, so it
 * need not be initialised; on the server's side it owns nothing.  OK: verified, and *t is ready to sign the response.  E_AUTH:
 * t->error is the reason; answer with tsig_sign_error().  E_FORMAT: the TSIG RR itself is malformed; answer FORMERR without
 * TSIG. */
err_t tsig_verify_request(struct tsig *t, const struct msg *m, const struct tsig_key *key, uint64_t now_s);

/* The key name of a message with a TSIG, for finding the key. */
err_t tsig_key_name(const struct msg *m, struct name *out);

/* What a message says of its signature, which nobody has verified. */
struct tsig_claim {
	struct name key;
	uint8_t mac[TSIG_MAC_PART]; /* zeros after a shorter MAC */
	uint16_t original_id;
};
err_t tsig_read_claim(const struct msg *m, struct tsig_claim *out); /* E_NOTFOUND: it is not signed.  E_FORMAT */

/* Appends a TSIG RR to the response in wire[0, *len), and counts it in ARCOUNT.  For the first message of a response, and for
 * each later one of a chain (RFC 8945 5.3.1).  E_FULL: no room. */
err_t tsig_sign_response(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s);

/* Octets of the TSIG RR that tsig_sign_response() appends, or after E_AUTH tsig_sign_error(): this much room must be reserved. */
size_t tsig_response_len(const struct tsig *t);

/* After E_AUTH: appends a TSIG RR.  For BADSIG and BADKEY it is unsigned.  For BADTRUNC it is signed, with our time.  For BADTIME it
 * is signed, with the request's time, and with our time as other data (RFC 8945 5.2.3, 5.3.2).  The caller sets the header's RCODE
 * (NOTAUTH).  E_FULL: no room (an unsigned RR repeats the peer's names, and has up to 536 octets). */
err_t tsig_sign_error(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s);

/* Client: signs a request.  The caller sets t->key; everything else starts from zero. */
err_t tsig_sign_request(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s);

/* Client: verifies a response, or the next message of a chain.  E_AUTH: t->error has the reason (reported by the server, or
 * found here).  E_NOTFOUND: the message has no TSIG, but should have one.  (A chain may leave it out in up to 99 messages in a
 * row: then OK, and the caller asks tsig_chain_is_closed() after the last message.) After a failure the state cannot be used for
 * later messages. */
err_t tsig_verify_response(struct tsig *t, const struct msg *m, uint64_t now_s);
bool tsig_chain_is_closed(const struct tsig *t);

/* Reads "SHA256" or "hmac-sha256", in any case; HMAC_NONE: it is neither. */
enum hmac_alg tsig_alg_parse(const char *text, size_t len);
const char *tsig_alg_text(enum hmac_alg alg); /* "SHA256" */

/* Reads "NAME:ALG:BASE64", as on the programs' command lines; ALG is SHA1 … SHA512 (also hmac-sha256).  E_FORMAT: `why`
 * describes the error, without repeating the secret. */
err_t tsig_key_parse(const char *text, struct tsig_key *out, char why[128]);
