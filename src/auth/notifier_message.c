/* Writes the notifier's messages, and recognises the answers to them. */
#include <string.h>

#include "auth/notifier_p.h"
#include "base/buf.h"
#include "dns/msg.h"
#include "dns/request.h"
#include "dns/rrtype.h"

enum { POINTER = 0xC000, ANCOUNT_AT = 6, NOTIFY_BITS = OPCODE_NOTIFY << 11 | DNS_AA };

/* Writes a name.  It may end with a pointer into the question's name, which stands right after the header (RFC 1035 4.1.4). */
static void
put_name(struct buf *b, const struct notice *x, const uint8_t *name)
{
	size_t len = name_len(name), shared = name_shared_suffix(name, x->zone);
	if (shared == 1) { /* only the root is shared */
		buf_put(b, name, len);
		return;
	}
	buf_put(b, name, len - shared);
	buf_u16(b, (uint16_t)(POINTER | (DNS_HEADER_LEN + (size_t)x->zone_len - shared)));
}

/* Writes the new SOA record, which is a hint (RFC 1996 3.7). */
static void
put_soa(struct buf *b, const struct notice *x)
{
	const uint8_t *mname = notice_soa(x), *rname = mname + name_len(mname), *numbers = rname + name_len(rname);
	buf_u16(b, POINTER | DNS_HEADER_LEN);
	buf_u16(b, TYPE_SOA);
	buf_u16(b, CLASS_IN);
	buf_u32(b, x->ttl);
	size_t at = b->len;
	buf_u16(b, 0);
	put_name(b, x, mname);
	put_name(b, x, rname);
	buf_put(b, numbers, x->rdlen - (size_t)(numbers - mname));
	buf_patch_u16(b, at, (uint16_t)(b->len - at - 2));
}

static err_t
write_message(struct notice *x, uint64_t wall_s, bool has_soa, uint8_t *out, size_t *len)
{
	struct buf b = buf_over(out, NOTIFIER_MESSAGE_MAX);
	request_begin(&b, x->id, NOTIFY_BITS, &(struct question){ x->zone, TYPE_SOA, CLASS_IN });
	if (has_soa) {
		put_soa(&b, x);
		buf_patch_u16(&b, ANCOUNT_AT, 1);
	}
	ASSERT(b.err == OK);
	*len = b.len;
	const struct signer *signer = notice_signer(x);
	if (signer == NULL) {
		return OK;
	}
	struct tsig t = { .key = &signer->tsig };
	TRY(tsig_sign_request(&t, out, len, NOTIFIER_MESSAGE_MAX, wall_s));
	memcpy(x->mac, t.mac, t.mac_len);
	x->mac_len = t.mac_len;
	tsig_fini(&t);
	return OK;
}

err_t
notice_write(struct notice *x, uint64_t wall_s, bool is_short, uint8_t out[NOTIFIER_MESSAGE_MAX], size_t *len)
{
	TRY(write_message(x, wall_s, x->rdlen != 0, out, len));
	if (is_short && *len > DNS_UDP_PLAIN_MAX && x->rdlen != 0) {
		return write_message(x, wall_s, false, out, len);
	}
	return OK;
}

bool
notice_is_answered_by(const struct notice *x, const struct msg *m)
{
	if (m->id != x->id || (m->bits & DNS_QR) == 0 || msg_opcode(m) != OPCODE_NOTIFY) {
		return false;
	}
	if (m->count[0] == 0) { /* from a peer that could not read it, or stopped when it saw the key (NSD) */
		unsigned rcode = m->bits & DNS_RCODE;
		return rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP || (rcode == RCODE_NOTAUTH && x->signers_n != 0);
	}
	return m->count[0] == 1 && m->qtype == TYPE_SOA && m->qclass == CLASS_IN && name_is_equal(m->qname.oct, x->zone);
}

bool
notice_is_verified(const struct notice *x, const struct msg *m, uint64_t wall_s, struct tsig *t)
{
	*t = (struct tsig){ 0 };
	const struct signer *signer = notice_signer(x);
	if (signer == NULL) {
		return true;
	}
	t->key = &signer->tsig;
	memcpy(t->mac, x->mac, x->mac_len);
	t->mac_len = x->mac_len;
	err_t err = tsig_verify_response(t, m, wall_s);
	ASSERT(t->pending == NULL); /* only chains of messages have one */
	return err == OK;
}
