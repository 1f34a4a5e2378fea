/* Signing requests and certificates, as they are in a TLSA RRset. */
#include <stdio.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "acme/chain.h"
#include "base/enc.h"
#include "crypto/sha.h"
#include "zone/node.h"

void
reading_fini(struct reading *r)
{
	acme_set_fini(&r->set);
}

/* ---- the request ---- */

/* Of all requests together: one more or one less is a change. */
static err_t
add_to_hash(const struct rr *rr, uint8_t hash[32], size_t *hash_len)
{
	TRY(sha256(hash, *hash_len, rr->rdata, rr->rdlen, hash));
	*hash_len = 32;
	return OK;
}

static err_t
read_records(const struct rrset *tlsa, struct reading *r)
{
	uint8_t hash[32] = { 0 };
	char text[ENC_BASE16_LEN(sizeof hash)];
	size_t hash_len = 0;
	const struct rr *rr = rrset_first(tlsa);
	for (unsigned i = 0; i < tlsa->n; i++, rr = rr_next(rr)) {
		acme_set_add(&r->set, rr->rdata, rr->rdlen);
		if (acme_tlsa_use(rr->rdata, rr->rdlen) == ACME_REQUEST) {
			TRY(add_to_hash(rr, hash, &hash_len));
		}
	}
	(void)base16_encode(hash, sizeof hash, text);
	memcpy(r->hash, text, REMARK_HASH_LEN);
	r->hash[REMARK_HASH_LEN] = '\0';
	return OK;
}

static const char *
trouble_of(err_t err)
{
	switch (err) {
	case E_AUTH: return "its signature is not that of its key";
	case E_NOTFOUND: return "it names no host";
	case E_LIMIT: return "it is too large, or has too many names";
	case E_UNSUPPORTED: return "its key, or a name in it, is of no kind that a CA takes";
	default: return "it is no PKCS#10";
	}
}

/* Who may update a name must not get certificates for others. */
static void
look_at_request(struct reading *r, const uint8_t *host)
{
	char text[NAME_TEXT_MAX];
	if (r->set.requests_n > 1) {
		(void)snprintf(r->why, sizeof r->why, "there are %u signing requests: remove all but one", r->set.requests_n);
		return;
	}
	if (r->set.request == NULL) {
		(void)snprintf(r->why, sizeof r->why, "the signing request cannot be read: %s", trouble_of(r->set.request_err));
		return;
	}
	const char *outside = acme_request_outside(r->set.request, host);
	if (outside != NULL) {
		name_show(host, text);
		(void)snprintf(r->why, sizeof r->why, "the signing request names %.253s, which is not at or below %.200s", outside, text);
	}
}

/* A certificate without a key identifier has no name: then the CA cannot be asked about it. */
static void
name_cert(struct reading *r)
{
	const struct cert *c = r->cert;
	const struct acme_cert_parts parts = {
		.key_id = c->key_id, .serial = c->serial, .key_id_len = c->key_id_len, .serial_len = c->serial_len,
	};
	if (acme_cert_id(&parts, r->cert_id) != OK) {
		r->cert_id[0] = '\0';
	}
}

err_t
reading_of(const struct rrset *tlsa, const uint8_t *host, uint64_t now_s, struct reading *out)
{
	/* what is accepted of the CA fits here, too: else it would be ordered again and again */
	const struct acme_span now = { .from_s = (int64_t)now_s + ACME_CLOCK_SKEW_S, .until_s = (int64_t)now_s };
	*out = (struct reading){ .cert = NULL };
	err_t err = read_records(tlsa, out);
	if (err != OK || out->set.requests_n == 0) {
		reading_fini(out);
		return err != OK ? err : E_NOTFOUND;
	}
	look_at_request(out, host);
	out->cert = out->why[0] == '\0' ? acme_set_find(&out->set, out->set.request, now) : NULL;
	if (out->cert != NULL) {
		name_cert(out);
	}
	return OK;
}
