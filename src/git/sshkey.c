#include "git/sshkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/enc.h"
#include "crypto/ed25519.h"
#include "crypto/hmac.h"
#include "crypto/sha.h"

static const char ED25519[] = "ssh-ed25519";

enum { PUBLIC_LEN = 32, BLOB_LEN = 4 + sizeof ED25519 - 1 + 4 + PUBLIC_LEN, LINE = 70 };

/* RFC 4251 5: "string" is a length and octets. */
static void
put_string(struct buf *b, const void *bytes, size_t n)
{
	buf_u32(b, (uint32_t)n);
	buf_put(b, bytes, n);
}

static void
put_public(struct buf *b, const uint8_t public[PUBLIC_LEN])
{
	put_string(b, ED25519, sizeof ED25519 - 1);
	put_string(b, public, PUBLIC_LEN);
}

/* OpenSSH's PROTOCOL.key: two equal numbers (with a passphrase they show that it was right), the keys, a comment, and
 * the octets 1, 2, 3, ...  up to a multiple of 8. */
static void
put_private(struct buf *b, const uint8_t seed[GIT_SEED_LEN], const uint8_t public[PUBLIC_LEN])
{
	uint8_t both[GIT_SEED_LEN + PUBLIC_LEN];
	memcpy(both, seed, GIT_SEED_LEN);
	memcpy(both + GIT_SEED_LEN, public, PUBLIC_LEN);
	size_t begin = b->len;
	buf_u32(b, 0x6F726967);
	buf_u32(b, 0x6F726967);
	put_public(b, public);
	put_string(b, both, sizeof both);
	put_string(b, "origin", 6);
	for (uint8_t pad = 1; (b->len - begin) % 8 != 0; pad++) {
		buf_u8(b, pad);
	}
	wipe(both, sizeof both);
}

err_t
ssh_private_key_text(const uint8_t seed[GIT_SEED_LEN], struct str *out)
{
	uint8_t public[PUBLIC_LEN], bytes[512], private[256];
	char digits[ENC_BASE64_LEN(sizeof bytes)];
	TRY(ed25519_public(seed, public));
	struct buf inner = buf_over(private, sizeof private);
	put_private(&inner, seed, public);
	struct buf b = buf_over(bytes, sizeof bytes);
	buf_put(&b, "openssh-key-v1", 15);
	put_string(&b, "none", 4); /* cipher */
	put_string(&b, "none", 4); /* key derivation */
	put_string(&b, "", 0);
	buf_u32(&b, 1);
	buf_u32(&b, BLOB_LEN);
	put_public(&b, public);
	put_string(&b, private, inner.len);
	ASSERT(b.err == OK && inner.err == OK);
	size_t n = base64_encode(bytes, b.len, digits);
	str_cat(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < n; i += LINE) {
		str_put(out, digits + i, n - i < LINE ? n - i : LINE);
		str_char(out, '\n');
	}
	str_cat(out, "-----END OPENSSH PRIVATE KEY-----\n");
	wipe(private, sizeof private);
	wipe(bytes, sizeof bytes);
	wipe(digits, sizeof digits);
	return out->err;
}

err_t
ssh_public_key_text(const uint8_t seed[GIT_SEED_LEN], struct str *out)
{
	uint8_t public[PUBLIC_LEN], bytes[BLOB_LEN];
	char digits[ENC_BASE64_LEN(BLOB_LEN)];
	TRY(ed25519_public(seed, public));
	struct buf b = buf_over(bytes, sizeof bytes);
	put_public(&b, public);
	ASSERT(b.err == OK);
	str_printf(out, "%s %.*s origin", ED25519, (int)base64_encode(bytes, b.len, digits), digits);
	return out->err;
}

err_t
ssh_fingerprint(const uint8_t *key, size_t len, char out[GIT_FINGERPRINT_TEXT])
{
	uint8_t digest[SHA256_LEN];
	char digits[ENC_BASE64_LEN(SHA256_LEN)];
	TRY(sha256(key, len, NULL, 0, digest));
	base64_encode(digest, sizeof digest, digits);
	snprintf(out, GIT_FINGERPRINT_TEXT, "SHA256:%.43s", digits); /* ssh-keygen leaves the "=" out */
	return OK;
}

void
ssh_key_type(const uint8_t *key, size_t len, char out[32])
{
	struct cur c = cur_over(key, len);
	uint32_t n = cur_u32(&c);
	const uint8_t *type = n < 32 ? cur_take(&c, n) : NULL;
	snprintf(out, 32, "%.*s", type != NULL ? (int)n : 7, type != NULL ? (const char *)type : "unknown");
	for (char *p = out; *p != '\0'; p++) {
		*p = *p > ' ' && *p < 0x7F ? *p : '?';
	}
}

struct word {
	const char *at;
	size_t len;
};

static struct word
next_word(struct word *line)
{
	while (line->len > 0 && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->len--;
	}
	struct word w = { .at = line->at };
	while (w.len < line->len && w.at[w.len] != ' ' && w.at[w.len] != '\t' && w.at[w.len] != '\r') {
		w.len++;
	}
	line->at += w.len;
	line->len -= w.len;
	return w;
}

/* "*" and "?" as in a shell; the case of ASCII is ignored.  A mismatch leads back to the last "*" only, so no pattern
 * is slow. */
static bool
glob_is_match(struct word pattern, const char *name)
{
	size_t p = 0, star = SIZE_MAX;
	const char *again = name;
	while (*name != '\0') {
		char c = p < pattern.len ? pattern.at[p] : '\0';
		c = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		if (c == '*') {
			star = p++;
			again = name;
		} else if (c == '?' || (c == *name && c != '\0')) {
			p++;
			name++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			name = ++again;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*') {
		p++;
	}
	return p == pattern.len;
}

/* "|1|salt|hash": HMAC-SHA1 of the name under the salt, both in base64 (ssh-keygen -H). */
static bool
hashed_is_match(struct word field, const char *name)
{
	uint8_t salt[64], hash[SHA1_LEN], mac[HMAC_MAX];
	size_t salt_n = 0, hash_n = 0, mac_n = 0;
	const char *sep = field.len > 3 ? memchr(field.at + 3, '|', field.len - 3) : NULL;
	if (sep == NULL || base64_decode(field.at + 3, (size_t)(sep - field.at) - 3, salt, sizeof salt, &salt_n) != OK ||
	    base64_decode(sep + 1, (size_t)(field.at + field.len - sep) - 1, hash, sizeof hash, &hash_n) != OK ||
	    hash_n != sizeof hash) {
		return false;
	}
	[[gnu::cleanup(hmac_free)]] struct hmac *h = NULL;
	return hmac_begin(HMAC_SHA1, salt, salt_n, &h) == OK && hmac_update(h, name, strlen(name)) == OK &&
	       hmac_finish(h, mac, &mac_n) == OK && mac_n == hash_n && memcmp(mac, hash, hash_n) == 0;
}

static bool
hosts_is_match(struct word hosts, const char *name)
{
	bool is_match = false;
	if (hosts.len > 3 && memcmp(hosts.at, "|1|", 3) == 0) {
		return hashed_is_match(hosts, name);
	}
	while (hosts.len > 0) {
		const char *comma = memchr(hosts.at, ',', hosts.len);
		struct word one = { .at = hosts.at, .len = comma != NULL ? (size_t)(comma - hosts.at) : hosts.len };
		bool is_not = one.len > 0 && one.at[0] == '!';
		struct word pattern = { .at = one.at + is_not, .len = one.len - is_not };
		if (glob_is_match(pattern, name)) {
			if (is_not) {
				return false; /* sshd(8): a "!" that matches outweighs all others */
			}
			is_match = true;
		}
		size_t skip = one.len + (comma != NULL);
		hosts.at += skip;
		hosts.len -= skip;
	}
	return is_match;
}

static void
take_line(struct word line, const char *name, struct ssh_known *out)
{
	struct word first = next_word(&line);
	bool is_marked = first.len > 0 && first.at[0] == '@';
	bool is_revoked = first.len == 8 && memcmp(first.at, "@revoked", 8) == 0;
	struct word hosts = is_marked ? next_word(&line) : first;
	struct word type = next_word(&line);
	struct word key = next_word(&line);
	if (first.len == 0 || first.at[0] == '#' || (is_marked && !is_revoked) || type.len == 0 || key.len == 0 ||
	    out->n == SSH_KNOWN_MAX || !hosts_is_match(hosts, name)) {
		return;
	}
	struct ssh_known_key *k = &out->keys[out->n];
	if (base64_decode(key.at, key.len, k->key, sizeof k->key, &k->len) == OK) {
		k->is_revoked = is_revoked;
		out->n++;
	}
}

void
ssh_known_find(const char *text, size_t len, const char *host, uint16_t port, struct ssh_known *out)
{
	char name[300];
	out->n = 0;
	int n = port == 22 ? snprintf(name, sizeof name, "%s", host) : snprintf(name, sizeof name, "[%s]:%u", host, port);
	if (n < 0 || (size_t)n >= sizeof name) {
		return;
	}
	for (char *p = name; *p != '\0'; p++) {
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	}
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n_line = end != NULL ? (size_t)(end - text) : len;
		take_line((struct word){ .at = text, .len = n_line }, name, out);
		n_line += end != NULL;
		text += n_line;
		len -= n_line;
	}
}

enum ssh_verdict
ssh_known_check(const struct ssh_known *known, const uint8_t *key, size_t len)
{
	enum ssh_verdict verdict = SSH_KEY_UNKNOWN;
	for (size_t i = 0; i < known->n; i++) {
		const struct ssh_known_key *k = &known->keys[i];
		if (k->len == len && memcmp(k->key, key, len) == 0) {
			if (k->is_revoked) {
				return SSH_KEY_REVOKED;
			}
			verdict = SSH_KEY_GOOD;
		}
	}
	return verdict;
}
