/* dns/cookie.h -- DNS cookies (RFC 7873), with server cookies as RFC 9018 has them.
 *
 * A client sends a cookie of its own with each request, and with it the server cookie that it got last.  Only who receives answers at an
 * address can know the server cookie for it.  So a good one proves that the sender's address is not forged.
 *
 * A server cookie is a function of a secret, the client cookie, the client's address and the time.  Servers that share an address share
 * the secret.  While a new secret is spread among them, each accepts the old one and the new one (RFC 9018 5): the first secret makes
 * cookies, all are accepted.
 *
 * Pure: the time comes in as an argument.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	COOKIE_CLIENT_LEN = 8,
	COOKIE_SERVER_LEN = 16,     /* of ours; those of others have 8 to 32 octets (RFC 7873 4) */
	COOKIE_SERVER_MIN = 8,
	COOKIE_SERVER_MAX = 32,
	COOKIE_LEN = COOKIE_CLIENT_LEN + COOKIE_SERVER_LEN,
	COOKIE_SECRET_LEN = 16,
	COOKIE_SECRETS_MAX = 4,
	/* RFC 9018 4.3, in seconds */
	COOKIE_AGE_MAX = 3600,      /* an older server cookie is bad, */
	COOKIE_AHEAD_MAX = 300,     /* and so is one that is so far in the future; */
	COOKIE_AGE_FRESH = 1800,    /* the answer to an older one has a new one */
};

struct cookie_secrets {
	size_t n; /* at least 1 */
	uint8_t secret[COOKIE_SECRETS_MAX][COOKIE_SECRET_LEN];
};

enum cookie_state {
	COOKIE_NONE,      /* the request has no cookie */
	COOKIE_MALFORMED, /* the option has a length that none may have: FORMERR (RFC 7873 5.2.2) */
	COOKIE_NEW,       /* there is only a client cookie */
	COOKIE_BAD,       /* the server cookie is not ours, not for this client, or too old */
	COOKIE_GOOD,
	COOKIE_STATES
};

struct cookie {
	enum cookie_state state;
	uint8_t octets[COOKIE_LEN]; /* the option of the answer, for the last three states: client cookie and server cookie */
};

/* The address of a client, as it is on the wire: 4 or 16 octets. */
struct cookie_client {
	const uint8_t *address;
	size_t address_len;
};

/* Checks the option of a request (its payload), and makes that of the answer.  `now_s`: seconds since 1970; 32 bits of them count. */
void cookie_read(const struct cookie_secrets *s, const struct cookie_client *from, const uint8_t *option, size_t len, uint64_t now_s,
                 struct cookie *out);

/* Writes the server cookie for a client cookie. */
void cookie_make(const uint8_t secret[COOKIE_SECRET_LEN], const struct cookie_client *to, const uint8_t client[COOKIE_CLIENT_LEN],
                 uint32_t now_s, uint8_t out[COOKIE_SERVER_LEN]);

/* Reads secrets from text: one on each line, as 32 hexadecimal digits, with or without 0x before them.  Spaces, empty lines, and comments
 * from "#" on are passed over.  E_FORMAT: *line, counted from 1, is wrong; E_LIMIT: too many, at *line; E_NOTFOUND: there is none. */
err_t cookie_secrets_parse(const char *text, size_t len, struct cookie_secrets *out, unsigned *line);
