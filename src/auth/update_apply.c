/* Checks the changes of an update (RFC 2136 3.4.1), and makes them (3.4.2). */
#include <string.h>

#include "auth/update_p.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/secret.h"
#include "dns/serial.h"

enum { TYPE_WKS = 11, WKS_KEY_LEN = 5 }; /* address and protocol (RFC 1035 3.4.2) */

static bool
is_signers(uint16_t type)
{
	return type == TYPE_RRSIG || type == TYPE_NSEC || type == TYPE_NSEC3;
}

static void
prescan_one(const struct update *u, const struct update_rr *rr, struct update_verdict *v)
{
	bool is_meta = rr->type == 0 || (rrtype_flags(rr->type) & RRTYPE_META) != 0;
	bool is_deletion = rr->rrclass == CLASS_ANY || rr->rrclass == CLASS_NONE;
	if (!name_is_within(rr->owner, u->m.qname.oct)) {
		update_deny(v, RCODE_NOTZONE, "the name is not in the zone");
	} else if (!is_deletion && rr->rrclass != CLASS_IN) {
		update_deny(v, RCODE_FORMERR, "the class is not the zone's");
	} else if (is_meta && !(rr->type == TYPE_ANY && rr->rrclass == CLASS_ANY)) {
		update_deny(v, RCODE_FORMERR, "records cannot have that type");
	} else if (is_deletion && rr->ttl != 0) {
		update_deny(v, RCODE_FORMERR, "a deletion must have the TTL 0");
	} else if (rr->rrclass == CLASS_ANY && rr->rdlen != 0) {
		update_deny(v, RCODE_FORMERR, "the deletion of an RRset must have no data");
	} else if (rr->rrclass == CLASS_IN && rr->rdlen == 0 && rdata_check(rr->type, rr->rdata, 0) != OK) {
		update_deny(v, RCODE_FORMERR, "the record has no data");
	} else if (rr->rrclass == CLASS_IN && secret_is_record(rr->type, rr->rdata, rr->rdlen)) {
		update_deny(v, RCODE_REFUSED, "a key with the algorithm number of an HMAC would publish a secret");
		v->ede = EDE_PROHIBITED;
	} else if (is_signers(rr->type)) {
		update_deny(v, RCODE_REFUSED, "signatures and denials are made by the zone's signer");
		v->ede = EDE_PROHIBITED;
	}
}

void
update_prescan(const struct update *u, struct update_verdict *v)
{
	for (size_t i = 0; i < u->changes_n && !update_is_denied(v); i++) {
		prescan_one(u, &u->changes[i], v);
	}
}

/* One change that is being made. */
struct making {
	struct zone_txn *t;
	const struct update_rr *rr;
	bool is_apex, is_narrow;
};

static err_t
remove_rr(void *ctx, const struct zone_rr *rr)
{
	const struct making *m = ctx;
	return zone_txn_remove(m->t, rr->owner, rr->type, rr->rdata, rr->rdlen);
}

/* Removes a record, unless the apex must keep it or the deletion does not include it. */
static err_t
remove_unless_kept(void *ctx, const struct zone_rr *rr)
{
	const struct making *m = ctx;
	bool is_kept = (m->is_apex && (rr->type == TYPE_SOA || rr->type == TYPE_NS)) ||
	               (m->is_narrow && m->rr->type == TYPE_ANY && key_is_type_of_zone(rr->type));
	return is_kept || is_signers(rr->type) ? OK : remove_rr(ctx, rr);
}

static err_t
remove_wks(void *ctx, const struct zone_rr *rr)
{
	const struct making *m = ctx;
	bool is_same = m->rr->rdlen >= WKS_KEY_LEN && rr->rdlen >= WKS_KEY_LEN && memcmp(m->rr->rdata, rr->rdata, WKS_KEY_LEN) == 0;
	return is_same ? remove_rr(ctx, rr) : OK;
}

static err_t
nothing_to_do(err_t err)
{
	return err == E_EXISTS || err == E_NOTFOUND ? OK : err;
}

static err_t
add_rr(const struct making *m)
{
	const struct update_rr *rr = m->rr;
	uint32_t ttl = rr->ttl <= DNS_TTL_MAX ? rr->ttl : 0; /* RFC 2181 8 */
	return nothing_to_do(zone_txn_add(m->t, rr->owner, rr->type, ttl, rr->rdata, rr->rdlen));
}

/* E_EXISTS ends the walk at the first record that a CNAME excludes. */
static err_t
find_other_data(void *ctx, const struct zone_rr *rr)
{
	(void)ctx;
	return zone_may_stand_beside_cname(rr->type) ? OK : E_EXISTS;
}

/* RFC 2136 3.4.2.2: a CNAME is ignored if the name has other data; other data are ignored if the name has a CNAME. */
static err_t
is_shut_out(const struct making *m, bool *out)
{
	const struct update_rr *rr = m->rr;
	*out = false;
	if (rr->type == TYPE_CNAME) {
		err_t err = zone_txn_each(m->t, rr->owner, TYPE_ANY, find_other_data, NULL);
		*out = err == E_EXISTS;
		return nothing_to_do(err);
	}
	size_t cnames = 0;
	if (!zone_may_stand_beside_cname(rr->type)) {
		TRY(update_count(m->t, rr->owner, TYPE_CNAME, &cnames));
	}
	*out = cnames != 0;
	return OK;
}

static err_t
read_serial(void *ctx, const struct zone_rr *rr)
{
	struct soa soa;
	TRY(rdata_read_soa(rr->rdata, rr->rdlen, &soa));
	*(uint32_t *)ctx = soa.serial;
	return OK;
}

/* An SOA record is ignored unless its serial is newer (RFC 2136 3.4.2.2). */
static err_t
add_soa(struct making *m)
{
	struct soa soa;
	uint32_t serial = 0;
	if (!m->is_apex) {
		return OK;
	}
	TRY(rdata_read_soa(m->rr->rdata, m->rr->rdlen, &soa));
	TRY(zone_txn_each(m->t, m->rr->owner, TYPE_SOA, read_serial, &serial));
	if (!serial_is_newer(soa.serial, serial)) {
		return OK;
	}
	TRY(zone_txn_each(m->t, m->rr->owner, TYPE_SOA, remove_rr, m));
	return add_rr(m);
}

static err_t
make_addition(struct making *m)
{
	bool is_out;
	if (m->rr->type == TYPE_SOA) {
		return add_soa(m);
	}
	TRY(is_shut_out(m, &is_out));
	if (is_out) {
		return OK;
	}
	if ((rrtype_flags(m->rr->type) & RRTYPE_SINGLETON) != 0) {
		TRY(zone_txn_each(m->t, m->rr->owner, m->rr->type, remove_rr, m));
	} else if (m->rr->type == TYPE_WKS) {
		TRY(zone_txn_each(m->t, m->rr->owner, m->rr->type, remove_wks, m));
	}
	return add_rr(m);
}

static err_t
remove_set(struct making *m)
{
	const struct update_rr *rr = m->rr;
	return zone_txn_each(m->t, rr->owner, rr->type, remove_unless_kept, m);
}

static err_t
remove_one(struct making *m)
{
	const struct update_rr *rr = m->rr;
	size_t servers = 0;
	if (m->is_apex && rr->type == TYPE_SOA) {
		return OK;
	}
	if (m->is_apex && rr->type == TYPE_NS) {
		TRY(update_count(m->t, rr->owner, TYPE_NS, &servers));
		if (servers == 1) {
			return OK; /* the last one must stay */
		}
	}
	return nothing_to_do(zone_txn_remove(m->t, rr->owner, rr->type, rr->rdata, rr->rdlen));
}

err_t
update_apply(const struct update *u, struct zone_txn *t)
{
	for (size_t i = 0; i < u->changes_n; i++) {
		const struct update_rr *rr = &u->changes[i];
		struct making m = { .t = t, .rr = rr, .is_narrow = u->is_narrow };
		m.is_apex = name_is_equal(rr->owner, u->m.qname.oct);
		TRY(rr->rrclass == CLASS_IN ? make_addition(&m) : rr->rrclass == CLASS_ANY ? remove_set(&m) : remove_one(&m));
	}
	return OK;
}
