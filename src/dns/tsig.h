/* dns/tsig.h -- transaction signatures (RFC 8945): verify, sign, chains over many messages.
 *
 * Pure: time comes in as seconds since 1970.  Keys are borrowed.  MACs are compared in constant time.
 *
 * Truncated MACs: a MAC that is longer than the hash, or shorter than half of the hash or than 10 octets, is
 * malformed (RFC 8945 5.2.2.1).  A MAC of a length in between is checked; when it is right, the message is refused with
 * BADTRUNC (5.2.4).  Our policy is the whole hash, as a key has no field that would allow less.
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
	TSIG_FUDGE_MAX_S = 600, /* a longer fudge counts as this: a sender alone does not decide how long a recorded message is good */
	TSIG_SECRET_MAX = 512,
	/* Octets that a TSIG RR can take: owner, algorithm name (hmac-sha512.), MAC, other data. */
	TSIG_RR_MAX = NAME_WIRE_MAX + 10 + 27 + 16 + HMAC_MAX + 6,
	TSIG_MAC_PART = 16,       /* octets that are enough to recognise a MAC: nobody finds another MAC that begins with them */
	TSIG_CHAIN_GAP_MAX = 99, /* messages without TSIG in a row (RFC 8945 5.3.1) */
};

struct tsig_key {
	struct name name;        /* compared without case */
	enum hmac_alg alg;
	uint8_t secret[TSIG_SECRET_MAX];
	size_t secret_len;
};

/* State of one exchange: from the request, through the response, over all messages of a chain.
 * Zero-initialised it is ready. */
struct tsig {
	const struct tsig_key *key; /* borrowed; NULL before one was found */
	uint8_t mac[HMAC_MAX];      /* of the last message signed or verified */
	size_t mac_len;
	unsigned error;             /* 0, RCODE_BADSIG, _BADKEY, _BADTIME, _BADTRUNC: to be answered */
	bool is_peer_error;         /* client: `error` is what the server said, not what we found */
	bool is_error_signed;       /* client: and its signature was right */
	uint64_t server_time_s;     /* client, BADTIME: the server's clock, 0: unknown */
	struct name key_name, alg_name; /* as the peer sent them: a BADKEY answer repeats them */
	uint64_t peer_time_s;       /* the request's time and fudge: a BADTIME answer repeats both */
	uint16_t peer_fudge_s;
	uint16_t original_id;
	unsigned unsigned_n;        /* chain, receiving: messages since the last signed one */
	bool is_chain;              /* the first message is done: prior MAC, timers only */
	struct hmac *pending;       /* chain, receiving: digest over unsigned messages; freed by tsig_fini */
};

void tsig_fini(struct tsig *t); /* ready again */

/* Verifies a request.  `key` is what the caller found under msg's key name, or NULL.  What was in *t before is
 * overwritten, so that it need not be initialised; on the server's side it owns nothing.  OK: verified,
 * t is ready to sign the response.  E_AUTH: t->error says why; answer with tsig_sign_error().
 * E_FORMAT: the TSIG RR itself is malformed: answer FORMERR without TSIG. */
err_t tsig_verify_request(struct tsig *t, const struct msg *m, const struct tsig_key *key, uint64_t now_s);

/* Key name of a message that has a TSIG, for looking the key up. */
err_t tsig_key_name(const struct msg *m, struct name *out);

/* Appends a TSIG RR to the response in wire[0, *len) and counts it in ARCOUNT.  For the first message
 * of a response, and for each later one of a chain (RFC 8945 5.3.1).  E_FULL: no room. */
err_t tsig_sign_response(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s);

/* Octets of the TSIG RR that tsig_sign_response(), or after E_AUTH tsig_sign_error(), appends: what has to be left for it. */
size_t tsig_response_len(const struct tsig *t);

/* After E_AUTH: unsigned for BADSIG and BADKEY, signed with our time for BADTIME and BADTRUNC
 * (RFC 8945 5.2, 5.3.2).  The header's RCODE (NOTAUTH) is the caller's.  E_FULL: no room (an unsigned
 * one repeats the peer's names, up to 542 octets). */
err_t tsig_sign_error(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s);

/* Client: signs a request; t->key is set by the caller, all else is begun anew. */
err_t tsig_sign_request(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s);

/* Client: verifies a response, or the next message of a chain.  E_AUTH with t->error (as sent by the
 * server or as found).  E_NOTFOUND: it carries no TSIG and should (a chain may leave it out in up to
 * 99 messages in a row: then OK; the caller asks tsig_chain_is_closed() after the last).  After a
 * failure the state is of no use for later messages. */
err_t tsig_verify_response(struct tsig *t, const struct msg *m, uint64_t now_s);
bool tsig_chain_is_closed(const struct tsig *t);

/* "SHA256", "hmac-sha256", any case; HMAC_NONE when it is neither. */
enum hmac_alg tsig_alg_parse(const char *text, size_t len);
const char *tsig_alg_text(enum hmac_alg alg); /* "SHA256" */

/* "NAME:ALG:BASE64" as on the programs' command lines, ALG one of SHA1 … SHA512 (also hmac-sha256).
 * On E_FORMAT `why` says what is wrong without repeating the secret. */
err_t tsig_key_parse(const char *text, struct tsig_key *out, char why[128]);
