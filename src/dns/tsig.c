#include "dns/tsig.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/number.h"
#include "dns/rrtype.h"

enum {
	TIME_LEN = 6,
	MAC_MIN = 10,
	FIXED_LEN = 10 + TIME_LEN + 10, /* of a TSIG RR, without names, MAC and other data */
};

static const struct {
	const char *text;
	const uint8_t *name; /* RFC 8945 6 */
} algs[HMAC_ALG_COUNT] = {
	[HMAC_SHA1] = { "SHA1", (const uint8_t *)"\x09hmac-sha1" },
	[HMAC_SHA224] = { "SHA224", (const uint8_t *)"\x0Bhmac-sha224" },
	[HMAC_SHA256] = { "SHA256", (const uint8_t *)"\x0Bhmac-sha256" },
	[HMAC_SHA384] = { "SHA384", (const uint8_t *)"\x0Bhmac-sha384" },
	[HMAC_SHA512] = { "SHA512", (const uint8_t *)"\x0Bhmac-sha512" },
};

/* A TSIG RR (RFC 8945 4.2). */
struct tsig_rr {
	struct name key_name, alg_name;
	uint64_t time_s;
	uint16_t fudge_s;
	const uint8_t *mac; /* borrowed, as `other` */
	uint16_t mac_len;
	uint16_t original_id;
	uint16_t error;
	const uint8_t *other;
	uint16_t other_len;
};

static enum hmac_alg
alg_by_name(const uint8_t *name)
{
	for (enum hmac_alg a = HMAC_SHA1; a < HMAC_ALG_COUNT; a++) {
		if (name_is_equal(name, algs[a].name)) {
			return a;
		}
	}
	return HMAC_NONE;
}

static err_t
read_rr(const struct msg *m, struct tsig_rr *out)
{
	if (m->tsig.rrclass != CLASS_ANY || m->tsig.ttl != 0) {
		return E_FORMAT;
	}
	TRY(tsig_key_name(m, &out->key_name));
	struct cur c = cur_over(m->wire, m->tsig.rdata_at + m->tsig.rdlength);
	c.pos = m->tsig.rdata_at;
	name_read_plain(&c, &out->alg_name);
	out->time_s = cur_u48(&c);
	out->fudge_s = cur_u16(&c);
	out->mac_len = cur_u16(&c);
	out->mac = cur_take(&c, out->mac_len);
	out->original_id = cur_u16(&c);
	out->error = cur_u16(&c);
	out->other_len = cur_u16(&c);
	out->other = cur_take(&c, out->other_len);
	return c.err == OK && c.pos == c.len ? OK : E_FORMAT;
}

/* Digests the prior MAC, with its length (RFC 8945 4.3.1). */
static err_t
digest_prior(struct hmac *h, const struct tsig *t)
{
	const uint8_t len[2] = { 0, (uint8_t)t->mac_len };
	if (t->mac_len == 0) {
		return OK;
	}
	TRY(hmac_update(h, len, sizeof len));
	return hmac_update(h, t->mac, t->mac_len);
}

/* Digests the message without its TSIG RR, which is after `len` (RFC 8945 4.3.2). */
static err_t
digest_message(struct hmac *h, const uint8_t *wire, size_t len, uint16_t id, uint16_t arcount)
{
	uint8_t header[DNS_HEADER_LEN];
	memcpy(header, wire, sizeof header);
	u16_put(header, id);
	u16_put(header + 10, arcount);
	TRY(hmac_update(h, header, sizeof header));
	return hmac_update(h, wire + sizeof header, len - sizeof header);
}

/* Digests the TSIG variables (RFC 8945 4.3.3).  `timers_only`: for all messages of a chain except the first (5.3.1). */
static err_t
digest_variables(struct hmac *h, const struct tsig_rr *rr, bool timers_only)
{
	uint8_t bytes[2 * NAME_WIRE_MAX + 18];
	struct buf b = buf_over(bytes, sizeof bytes);
	if (!timers_only) {
		name_lower(buf_take(&b, rr->key_name.len), rr->key_name.oct);
		buf_u16(&b, CLASS_ANY);
		buf_u32(&b, 0);
		name_lower(buf_take(&b, rr->alg_name.len), rr->alg_name.oct);
	}
	buf_u48(&b, rr->time_s);
	buf_u16(&b, rr->fudge_s);
	if (!timers_only) {
		buf_u16(&b, rr->error);
		buf_u16(&b, rr->other_len);
	}
	ASSERT(b.err == OK);
	TRY(hmac_update(h, bytes, b.len));
	return timers_only ? OK : hmac_update(h, rr->other, rr->other_len);
}

/* E_AUTH: the MAC does not belong to the message.  A truncated MAC is compared as far as it goes (RFC 8945 5.2.2.1). */
static err_t
check_mac(struct tsig *t, const struct tsig_key *key, const struct msg *m, const struct tsig_rr *rr)
{
	[[gnu::cleanup(hmac_free)]] struct hmac *h = t->pending;
	t->pending = NULL;
	if (h == NULL) {
		TRY(hmac_begin(key->alg, key->secret, key->secret_len, &h));
		TRY(digest_prior(h, t));
	}
	TRY(digest_message(h, m->wire, m->tsig.at, rr->original_id, (uint16_t)(m->count[3] - 1)));
	TRY(digest_variables(h, rr, t->is_chain));
	uint8_t mac[HMAC_MAX];
	size_t len;
	TRY(hmac_finish(h, mac, &len));
	bool is_right = rr->mac_len != 0 && rr->mac_len <= len && ct_is_equal(mac, rr->mac, rr->mac_len);
	wipe(mac, sizeof mac); /* for a forged message, this is the right MAC */
	return is_right ? OK : E_AUTH;
}

/* RFC 8945 5.2.2.1: other lengths are not allowed. */
static bool
mac_len_is_allowed(size_t len, size_t whole)
{
	return len <= whole && len >= MAC_MIN && len * 2 >= whole;
}

static bool
time_is_right(const struct tsig_rr *rr, uint64_t now_s)
{
	uint64_t fudge_s = rr->fudge_s < TSIG_FUDGE_MAX_S ? rr->fudge_s : TSIG_FUDGE_MAX_S;
	return (now_s > rr->time_s ? now_s - rr->time_s : rr->time_s - now_s) <= fudge_s;
}

static err_t
deny(struct tsig *t, unsigned error)
{
	t->error = error;
	return E_AUTH;
}

static void
keep_mac(struct tsig *t, const struct tsig_rr *rr)
{
	memcpy(t->mac, rr->mac, rr->mac_len);
	t->mac_len = rr->mac_len;
}

void
tsig_fini(struct tsig *t)
{
	hmac_free(&t->pending);
	*t = (struct tsig){ 0 };
}

err_t
tsig_key_name(const struct msg *m, struct name *out)
{
	if (!m->has_tsig) {
		return E_NOTFOUND;
	}
	struct cur c = cur_over(m->wire, m->len);
	c.pos = m->tsig.at;
	name_read(&c, out);
	return c.err == OK ? OK : E_FORMAT;
}

err_t
tsig_read_claim(const struct msg *m, struct tsig_claim *out)
{
	struct tsig_rr rr;
	if (!m->has_tsig) {
		return E_NOTFOUND;
	}
	TRY(read_rr(m, &rr));
	*out = (struct tsig_claim){ .original_id = rr.original_id };
	name_set(&out->key, rr.key_name.oct);
	memcpy(out->mac, rr.mac, rr.mac_len < sizeof out->mac ? rr.mac_len : sizeof out->mac);
	return OK;
}

/* The checks are in the order that RFC 8945 5.2 requires: key, MAC, time, truncation. */
err_t
tsig_verify_request(struct tsig *t, const struct msg *m, const struct tsig_key *key, uint64_t now_s)
{
	struct tsig_rr rr;
	*t = (struct tsig){ 0 };
	if (!m->has_tsig) {
		return E_NOTFOUND;
	}
	TRY(read_rr(m, &rr));
	name_set(&t->key_name, rr.key_name.oct);
	name_set(&t->alg_name, rr.alg_name.oct);
	t->peer_time_s = rr.time_s;
	t->peer_fudge_s = rr.fudge_s;
	t->original_id = rr.original_id;
	if (key == NULL || !name_is_equal(key->name.oct, rr.key_name.oct) || alg_by_name(rr.alg_name.oct) != key->alg) {
		return deny(t, RCODE_BADKEY);
	}
	if (!mac_len_is_allowed(rr.mac_len, hmac_len(key->alg))) {
		return E_FORMAT;
	}
	err_t err = check_mac(t, key, m, &rr);
	if (err != OK) {
		return err == E_AUTH ? deny(t, RCODE_BADSIG) : err;
	}
	t->key = key;
	keep_mac(t, &rr);
	if (!time_is_right(&rr, now_s)) {
		return deny(t, RCODE_BADTIME);
	}
	if (rr.mac_len < hmac_len(key->alg)) {
		return deny(t, RCODE_BADTRUNC);
	}
	return OK;
}

static err_t
append_rr(const struct tsig_rr *rr, uint8_t *wire, size_t *len, size_t cap)
{
	struct buf b = { .base = wire, .cap = cap, .len = *len };
	buf_put(&b, rr->key_name.oct, rr->key_name.len);
	buf_u16(&b, TYPE_TSIG);
	buf_u16(&b, CLASS_ANY);
	buf_u32(&b, 0);
	buf_u16(&b, (uint16_t)(rr->alg_name.len + TIME_LEN + 4 + rr->mac_len + 6 + rr->other_len));
	buf_put(&b, rr->alg_name.oct, rr->alg_name.len);
	buf_u48(&b, rr->time_s);
	buf_u16(&b, rr->fudge_s);
	buf_u16(&b, rr->mac_len);
	buf_put(&b, rr->mac, rr->mac_len);
	buf_u16(&b, rr->original_id);
	buf_u16(&b, rr->error);
	buf_u16(&b, rr->other_len);
	buf_put(&b, rr->other, rr->other_len);
	uint16_t arcount = u16_at(wire + 10);
	if (b.err != OK || arcount == UINT16_MAX) {
		return E_FULL;
	}
	buf_patch_u16(&b, 10, (uint16_t)(arcount + 1));
	*len = b.len;
	return OK;
}

/* Sets the fields that are common to all TSIG RRs that we send.  An answer has the request's original ID: whoever has forwarded the request
 * gave it another one, and gives the answer the first one again (RFC 8945 4.2, RFC 2136 6). */
static void
rr_begin(struct tsig_rr *rr, const struct tsig *t, uint64_t time_s)
{
	*rr = (struct tsig_rr){ .time_s = time_s, .fudge_s = TSIG_FUDGE_S, .original_id = t->original_id };
	name_set(&rr->key_name, t->key_name.oct);
	name_set(&rr->alg_name, t->alg_name.oct);
}

/* Computes the MAC of the message with `rr`, and appends `rr`; the MAC becomes the prior one. */
static err_t
sign(struct tsig *t, struct tsig_rr *rr, uint8_t *wire, size_t *len, size_t cap)
{
	ASSERT(t->key != NULL && *len >= DNS_HEADER_LEN);
	const struct tsig_key *key = t->key;
	[[gnu::cleanup(hmac_free)]] struct hmac *h = NULL;
	TRY(hmac_begin(key->alg, key->secret, key->secret_len, &h));
	TRY(digest_prior(h, t));
	TRY(digest_message(h, wire, *len, rr->original_id, u16_at(wire + 10)));
	TRY(digest_variables(h, rr, t->is_chain));
	uint8_t mac[HMAC_MAX];
	size_t mac_len;
	TRY(hmac_finish(h, mac, &mac_len));
	rr->mac = mac;
	rr->mac_len = (uint16_t)mac_len;
	TRY(append_rr(rr, wire, len, cap));
	keep_mac(t, rr);
	return OK;
}

err_t
tsig_sign_response(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s)
{
	struct tsig_rr rr;
	rr_begin(&rr, t, now_s);
	TRY(sign(t, &rr, wire, len, cap));
	t->is_chain = true;
	return OK;
}

err_t
tsig_sign_error(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s)
{
	struct tsig_rr rr;
	rr_begin(&rr, t, now_s);
	rr.error = (uint16_t)t->error;
	if (t->error == RCODE_BADSIG || t->error == RCODE_BADKEY) {
		return append_rr(&rr, wire, len, cap); /* MUST NOT be signed (RFC 8945 5.3.2) */
	}
	uint8_t clock[TIME_LEN];
	if (t->error == RCODE_BADTIME) { /* the client's time and fudge, so that the client can verify; our time is in the other
	                                  * data (5.2.3) */
		struct buf b = buf_over(clock, sizeof clock);
		buf_u48(&b, now_s);
		rr.time_s = t->peer_time_s;
		rr.fudge_s = t->peer_fudge_s;
		rr.other = clock;
		rr.other_len = sizeof clock;
	}
	return sign(t, &rr, wire, len, cap);
}

size_t
tsig_response_len(const struct tsig *t)
{
	bool is_signed = t->error != RCODE_BADSIG && t->error != RCODE_BADKEY;
	return (size_t)t->key_name.len + t->alg_name.len + FIXED_LEN + (is_signed ? hmac_len(t->key->alg) : 0) +
	       (t->error == RCODE_BADTIME ? TIME_LEN : 0);
}

err_t
tsig_sign_request(struct tsig *t, uint8_t *wire, size_t *len, size_t cap, uint64_t now_s)
{
	const struct tsig_key *key = t->key;
	tsig_fini(t);
	t->key = key;
	name_set(&t->key_name, key->name.oct);
	name_set(&t->alg_name, algs[key->alg].name);
	t->original_id = u16_at(wire);
	struct tsig_rr rr;
	rr_begin(&rr, t, now_s);
	return sign(t, &rr, wire, len, cap);
}

/* Adds a message of a chain without TSIG to the digest for the next one with TSIG. */
static err_t
verify_unsigned(struct tsig *t, const struct msg *m)
{
	if (!t->is_chain || t->unsigned_n >= TSIG_CHAIN_GAP_MAX) {
		return E_NOTFOUND;
	}
	if (t->pending == NULL) {
		TRY(hmac_begin(t->key->alg, t->key->secret, t->key->secret_len, &t->pending));
		TRY(digest_prior(t->pending, t));
	}
	TRY(hmac_update(t->pending, m->wire, m->len));
	t->unsigned_n++;
	return OK;
}

static err_t
deny_as_peer(struct tsig *t, const struct tsig_rr *rr, bool is_signed)
{
	t->is_peer_error = true;
	t->is_error_signed = is_signed;
	if (rr->error == RCODE_BADTIME && rr->other_len == TIME_LEN) {
		struct cur c = cur_over(rr->other, rr->other_len);
		t->server_time_s = cur_u48(&c);
	}
	return deny(t, rr->error);
}

err_t
tsig_verify_response(struct tsig *t, const struct msg *m, uint64_t now_s)
{
	ASSERT(t->key != NULL);
	if (!m->has_tsig) {
		return verify_unsigned(t, m);
	}
	struct tsig_rr rr;
	TRY(read_rr(m, &rr));
	t->error = 0;
	t->is_peer_error = false;
	if (!name_is_equal(rr.key_name.oct, t->key->name.oct) || alg_by_name(rr.alg_name.oct) != t->key->alg) {
		return deny(t, RCODE_BADKEY);
	}
	if (rr.mac_len == 0 && rr.error != 0) {
		return deny_as_peer(t, &rr, false); /* may be forged, but the caller does not take it for a success in any case */
	}
	if (!mac_len_is_allowed(rr.mac_len, hmac_len(t->key->alg))) {
		return E_FORMAT;
	}
	err_t err = check_mac(t, t->key, m, &rr);
	if (err != OK) {
		return err == E_AUTH ? deny(t, RCODE_BADSIG) : err;
	}
	if (rr.error != 0) {
		return deny_as_peer(t, &rr, true);
	}
	if (!time_is_right(&rr, now_s)) {
		t->server_time_s = rr.time_s;
		return deny(t, RCODE_BADTIME);
	}
	if (rr.mac_len < hmac_len(t->key->alg)) {
		return deny(t, RCODE_BADTRUNC);
	}
	keep_mac(t, &rr);
	t->is_chain = true;
	t->unsigned_n = 0;
	return OK;
}

bool
tsig_chain_is_closed(const struct tsig *t)
{
	return t->is_chain && t->unsigned_n == 0;
}

enum hmac_alg
tsig_alg_parse(const char *text, size_t len)
{
	if (len > 5 && strncasecmp(text, "hmac-", 5) == 0) {
		text += 5;
		len -= 5;
	}
	for (enum hmac_alg a = HMAC_SHA1; a < HMAC_ALG_COUNT; a++) {
		if (len == strlen(algs[a].text) && strncasecmp(text, algs[a].text, len) == 0) {
			return a;
		}
	}
	return HMAC_NONE;
}

const char *
tsig_alg_text(enum hmac_alg alg)
{
	return alg > HMAC_NONE && alg < HMAC_ALG_COUNT ? algs[alg].text : "none";
}

/* The text between two colons may be a misplaced secret, so it is never shown. */
static err_t
key_parse(const char *text, struct tsig_key *out, const char **why)
{
	const char *alg = strchr(text, ':');
	const char *secret = alg != NULL ? strchr(alg + 1, ':') : NULL;
	*why = "expected NAME:ALGORITHM:SECRET, such as me._update.example:SHA256:SECRET";
	if (secret == NULL) {
		return E_FORMAT;
	}
	if (tsig_alg_parse(text, (size_t)(alg - text)) != HMAC_NONE) {
		*why = "the key's name comes first, then the algorithm: NAME:ALGORITHM:SECRET";
		return E_FORMAT;
	}
	*why = "the key's name, before the first colon, is not a domain name";
	TRY(name_parse(text, (size_t)(alg - text), NULL, &out->name));
	alg++;
	out->alg = tsig_alg_parse(alg, (size_t)(secret - alg));
	*why = "the algorithm, between the colons, should be SHA1, SHA224, SHA256, SHA384 or SHA512";
	if (out->alg == HMAC_NONE) {
		return E_FORMAT;
	}
	secret++;
	*why = "the secret, after the second colon, is not base64 (a multiple of four characters, with its = signs)";
	err_t err = base64_decode(secret, strlen(secret), out->secret, sizeof out->secret, &out->secret_len);
	if (err == E_FULL) {
		*why = "the secret is longer than 512 octets";
	} else if (err == OK && out->secret_len == 0) {
		*why = "the secret, after the second colon, is empty";
	}
	return err == OK && out->secret_len != 0 ? OK : E_FORMAT;
}

err_t
tsig_key_parse(const char *text, struct tsig_key *out, char why[128])
{
	struct tsig_key key = { 0 };
	const char *reason;
	err_t err = key_parse(text, &key, &reason);
	if (err == OK) {
		*out = key;
	} else {
		(void)snprintf(why, 128, "%s", reason);
		err = E_FORMAT;
	}
	wipe(&key, sizeof key);
	return err;
}
