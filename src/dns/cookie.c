#include "dns/cookie.h"

#include <string.h>

#include "base/alloc.h"
#include "base/enc.h"
#include "base/number.h"
#include "crypto/siphash.h"

/* A server cookie: version, reserved octets, time, hash (RFC 9018 4). */
enum {
	VERSION = 1,
	TIME_AT = 4,
	HASH_AT = 8,
	ADDRESS_MAX = 16,
};

/* Of the client cookie, all of the server cookie before the hash, and the address (RFC 9018 4.4). */
static void
hash(const uint8_t secret[COOKIE_SECRET_LEN], const struct cookie_client *c, const uint8_t *client, const uint8_t *server,
     uint8_t out[SIPHASH_LEN])
{
	uint8_t octets[COOKIE_CLIENT_LEN + HASH_AT + ADDRESS_MAX];
	ASSERT(c->address_len <= ADDRESS_MAX);
	memcpy(octets, client, COOKIE_CLIENT_LEN);
	memcpy(octets + COOKIE_CLIENT_LEN, server, HASH_AT);
	memcpy(octets + COOKIE_CLIENT_LEN + HASH_AT, c->address, c->address_len);
	siphash_octets(secret, octets, COOKIE_CLIENT_LEN + HASH_AT + c->address_len, out);
}

void
cookie_make(const uint8_t secret[COOKIE_SECRET_LEN], const struct cookie_client *to, const uint8_t client[COOKIE_CLIENT_LEN],
            uint32_t now_s, uint8_t out[COOKIE_SERVER_LEN])
{
	memset(out, 0, TIME_AT);
	out[0] = VERSION;
	u32_put(out + TIME_AT, now_s);
	hash(secret, to, client, out, out + HASH_AT);
}

/* Not younger than COOKIE_AHEAD_MAX and not older than `age_max`, as serial numbers are compared (RFC 9018 4.3). */
static bool
is_in_time(const uint8_t *server, uint32_t now_s, uint32_t age_max)
{
	uint32_t age = now_s - u32_at(server + TIME_AT);
	return age <= age_max || -age <= COOKIE_AHEAD_MAX;
}

/* In constant time. */
static bool
is_equal(const uint8_t *a, const uint8_t *b)
{
	uint64_t x, y;
	_Static_assert(sizeof x == SIPHASH_LEN, "one comparison is all of it");
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x ^ y) == 0;
}

/* The number of the secret that has made the server cookie; s->n: none of ours. */
static size_t
find_secret(const struct cookie_secrets *s, const struct cookie_client *from, const uint8_t *client, const uint8_t *server)
{
	size_t i = 0;
	uint8_t want[SIPHASH_LEN];
	for (; i < s->n; i++) {
		hash(s->secret[i], from, client, server, want);
		if (is_equal(want, server + HASH_AT)) {
			break;
		}
	}
	return i;
}

void
cookie_read(const struct cookie_secrets *s, const struct cookie_client *from, const uint8_t *option, size_t len, uint64_t now_s,
            struct cookie *out)
{
	const uint32_t now = (uint32_t)now_s;
	const uint8_t *server = option + COOKIE_CLIENT_LEN;
	size_t server_len = len - COOKIE_CLIENT_LEN;
	if (len < COOKIE_CLIENT_LEN || (server_len != 0 && (server_len < COOKIE_SERVER_MIN || server_len > COOKIE_SERVER_MAX))) {
		out->state = COOKIE_MALFORMED;
		return;
	}
	memcpy(out->octets, option, COOKIE_CLIENT_LEN);
	out->state = server_len == 0 ? COOKIE_NEW : COOKIE_BAD;
	if (server_len == COOKIE_SERVER_LEN && server[0] == VERSION && is_in_time(server, now, COOKIE_AGE_MAX)) {
		size_t by = find_secret(s, from, option, server);
		out->state = by != s->n ? COOKIE_GOOD : COOKIE_BAD;
		if (by == 0 && is_in_time(server, now, COOKIE_AGE_FRESH)) {
			memcpy(out->octets + COOKIE_CLIENT_LEN, server, COOKIE_SERVER_LEN);
			return;
		}
	}
	cookie_make(s->secret[0], from, option, now, out->octets + COOKIE_CLIENT_LEN);
}

/* ---- secrets as text ---- */

static err_t
parse_secret(const char *word, size_t len, uint8_t out[COOKIE_SECRET_LEN])
{
	size_t prefix = len > 2 && word[0] == '0' && (word[1] | 0x20) == 'x' ? 2 : 0;
	word += prefix;
	if (len - prefix != 2 * COOKIE_SECRET_LEN) {
		return E_FORMAT;
	}
	for (size_t i = 0; i < COOKIE_SECRET_LEN; i++) {
		int octet = base16_octet(word + 2 * i);
		if (octet < 0) {
			return E_FORMAT;
		}
		out[i] = (uint8_t)octet;
	}
	return OK;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What is on a line, without comment and spaces around it; returns its length. */
static size_t
trim(const char **line, size_t len)
{
	const char *comment = memchr(*line, '#', len), *p = *line;
	const char *end = comment != NULL ? comment : p + len;
	while (p < end && is_space(*p)) {
		p++;
	}
	while (p < end && is_space(end[-1])) {
		end--;
	}
	*line = p;
	return (size_t)(end - p);
}

err_t
cookie_secrets_parse(const char *text, size_t len, struct cookie_secrets *out, unsigned *line)
{
	struct cookie_secrets got = { 0 };
	err_t err = OK;
	*line = 0;
	for (const char *end = text + len; err == OK && text < end;) {
		const char *nl = memchr(text, '\n', (size_t)(end - text)), *word = text;
		size_t n = trim(&word, (size_t)((nl != NULL ? nl : end) - text));
		text = nl != NULL ? nl + 1 : end;
		++*line;
		if (n != 0) {
			err = got.n == COOKIE_SECRETS_MAX ? E_LIMIT : parse_secret(word, n, got.secret[got.n]);
			got.n++;
		}
	}
	err = err == OK && got.n == 0 ? E_NOTFOUND : err;
	if (err == OK) {
		*out = got;
	}
	wipe(&got, sizeof got);
	return err;
}
