#include "auth/update.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/secret.h"
#include "dns/serial.h"
#include "dns/wire.h"

enum { SECTION_PREREQUISITE = 1, SECTION_UPDATE = 2 }; /* 2136 2 */

enum { TYPE_WKS = 11, WKS_KEY_LEN = 5 }; /* address and protocol (RFC 1035 3.4.2) */

static void
deny(struct update_verdict *v, unsigned rcode, const char *why)
{
	*v = (struct update_verdict){ .rcode = rcode, .ede = EDE_NONE, .why = why };
}

static bool
is_denied(const struct update_verdict *v)
{
	return v->rcode != RCODE_NOERROR;
}

/* ---- on the way in ---- */

/* 2136 3.1.1. */
static const char *
zone_section_trouble(const struct msg *m)
{
	return m->count[0] != 1             ? "the zone section must have one zone"
	       : m->qtype != TYPE_SOA       ? "the zone's type must be SOA"
	                                    : NULL;
}

void
update_handle(struct request *q)
{
	const char *trouble = zone_section_trouble(&q->m);
	q->out->zone = q->m.qname;
	q->out->event = EVENT_UPDATE_DENIED;
	if (trouble != NULL) {
		q->rcode = RCODE_FORMERR;
		q->out->why = trouble;
	} else if (q->m.qclass != CLASS_IN) {
		q->rcode = RCODE_NOTAUTH;
		q->out->why = "only class IN is served";
	} else if (q->key == NULL) {
		q->rcode = RCODE_REFUSED;
		q->ede = EDE_PROHIBITED;
		q->out->why = "the request is not signed";
	} else if (!key_may_update(q->key, q->m.qname.oct)) {
		q->rcode = RCODE_REFUSED;
		q->ede = EDE_PROHIBITED;
		q->out->why = "the key has no right to update this zone";
	} else {
		q->out->event = EVENT_UPDATE;
		q->out->why = "";
		memcpy(q->out->mac, q->tsig.mac, sizeof q->out->mac);
	}
}

/* ---- reading ---- */

/* Room for so many octets of what the message comes to. */
static err_t
take_room(struct update *u, size_t n, void *out)
{
	if (n > UPDATE_OCTETS_MAX - u->octets) {
		return E_LIMIT;
	}
	u->octets += n;
	void *p = arena_alloc(&u->arena, n);
	memcpy(out, &p, sizeof p);
	return p != NULL ? OK : E_NOMEM;
}

static err_t
keep(struct update *u, const void *octets, size_t n, const uint8_t **out)
{
	uint8_t *copy = NULL;
	TRY(take_room(u, n, &copy));
	if (n != 0) {
		memcpy(copy, octets, n);
	}
	*out = copy;
	return OK;
}

/* Many records in a row have one owner, in one spelling: then all have the octets of the first. */
static err_t
keep_owner(struct update *u, const struct name *owner, const struct update_rr *before, const uint8_t **out)
{
	if (before != NULL && name_len(before->owner) == owner->len && memcmp(before->owner, owner->oct, owner->len) == 0) {
		*out = before->owner;
		return OK;
	}
	return keep(u, owner->oct, owner->len, out);
}

static err_t
read_rr(struct update *u, struct cur *c, const struct update_rr *before, struct update_rr *out, struct buf *rdata)
{
	struct name owner;
	struct msg_rr rr;
	TRY(msg_read_rr(c, &owner, &rr));
	*out = (struct update_rr){ .type = rr.type, .rrclass = rr.rrclass, .ttl = rr.ttl };
	buf_rewind(rdata, 0);
	if (rr.rdlength != 0) {
		struct cur data = cur_over(u->m.wire, u->m.len);
		data.pos = rr.rdata_at;
		TRY(rdata_read(&data, rr.type, rr.rdlength, rdata));
	}
	out->rdlen = (uint16_t)rdata->len;
	TRY(keep_owner(u, &owner, before, &out->owner));
	return keep(u, rdata->base, rdata->len, &out->rdata);
}

static err_t
read_section(struct update *u, unsigned section, struct update_rr **list, size_t *n)
{
	[[gnu::cleanup(free_ptr)]] uint8_t *octets = try_alloc(DNS_RDATA_MAX);
	struct buf rdata = buf_over(octets, DNS_RDATA_MAX);
	struct cur c = cur_over(u->m.wire, u->m.len);
	c.pos = u->m.rr_at[section];
	*n = u->m.count[section];
	TRY(take_room(u, (*n + 1) * sizeof **list, list));
	TRY(octets != NULL ? OK : E_NOMEM);
	for (size_t i = 0; i < *n; i++) {
		TRY(read_rr(u, &c, i != 0 ? &(*list)[i - 1] : NULL, &(*list)[i], &rdata));
	}
	return OK;
}

void
update_begin(struct update *u, const uint8_t *bytes, size_t len, struct update_verdict *v)
{
	*u = (struct update){ 0 };
	*v = (struct update_verdict){ .ede = EDE_NONE, .why = "" };
	if (msg_parse(bytes, len, &u->m) != OK) {
		deny(v, RCODE_FORMERR, "the message is malformed");
		return;
	}
	const char *trouble = zone_section_trouble(&u->m);
	if (trouble != NULL) {
		deny(v, RCODE_FORMERR, trouble);
	}
}

err_t
update_read(struct update *u, struct update_verdict *v)
{
	*v = (struct update_verdict){ .ede = EDE_NONE, .why = "" };
	err_t err = read_section(u, SECTION_PREREQUISITE, &u->prerequisites, &u->prerequisites_n);
	if (err == OK) {
		err = read_section(u, SECTION_UPDATE, &u->changes, &u->changes_n);
	}
	if (err == E_NOMEM) {
		return err;
	}
	if (err == E_LIMIT) {
		deny(v, RCODE_REFUSED, "the records come to more than a mebibyte when they are read: send several messages");
		v->ede = EDE_PROHIBITED;
	} else if (err != OK) {
		deny(v, RCODE_FORMERR, "a record's data do not fit its type");
	}
	return OK;
}

void
update_fini(struct update *u)
{
	arena_fini(&u->arena);
	u->prerequisites = u->changes = NULL;
	u->prerequisites_n = u->changes_n = u->octets = 0;
}

/* ---- prerequisites ---- */

/* Records of a type (TYPE_ANY: all) that the name has by now. */
static err_t
count_records(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out)
{
	*out = 0;
	return t != NULL ? zone_txn_count(t, owner, type, out) : OK;
}

/* 2136 3.2.1 to 3.2.4, but for those of the zone's class. */
static err_t
ask_one(const struct update_rr *rr, struct zone_txn *t, struct update_verdict *v)
{
	size_t n;
	bool is_wanted = rr->rrclass == CLASS_ANY, is_any = rr->type == TYPE_ANY;
	TRY(count_records(t, rr->owner, rr->type, &n));
	if (is_wanted && n == 0) {
		deny(v, is_any ? RCODE_NXDOMAIN : RCODE_NXRRSET, is_any ? "prerequisite: the name is not in use"
		                                                        : "prerequisite: there is no such RRset");
	} else if (!is_wanted && n != 0) {
		deny(v, is_any ? RCODE_YXDOMAIN : RCODE_YXRRSET, is_any ? "prerequisite: the name is in use"
		                                                        : "prerequisite: there is such an RRset");
	}
	return OK;
}

static int
compare_sets(const struct update_rr *a, const struct update_rr *b)
{
	int order = name_compare(a->owner, b->owner);
	return order != 0 ? order : (int)a->type - (int)b->type;
}

static int
compare_rrs(const void *left, const void *right)
{
	const struct update_rr *a = *(const struct update_rr *const *)left, *b = *(const struct update_rr *const *)right;
	int order = compare_sets(a, b);
	return order != 0 ? order : rdata_compare(a->type, a->rdata, a->rdlen, b->rdata, b->rdlen);
}

struct wanted_set { /* sorted, each record once */
	const struct update_rr *const *list;
	size_t n;
	size_t found;
};

static err_t
find_wanted(void *ctx, const struct zone_rr *rr)
{
	struct wanted_set *w = ctx;
	const struct update_rr key = { .owner = rr->owner, .type = rr->type, .rdlen = rr->rdlen, .rdata = rr->rdata }, *at = &key;
	bool is_there = bsearch(&at, w->list, w->n, sizeof(const struct update_rr *), compare_rrs) != NULL;
	w->found += is_there;
	return is_there ? OK : E_NOTFOUND;
}

/* Does the zone have exactly these records of one RRset?  TTLs are not compared (2136 2.4.2). */
static err_t
ask_set(struct wanted_set *w, struct zone_txn *t, struct update_verdict *v)
{
	const struct update_rr *first = w->list[0];
	err_t err = t != NULL ? zone_txn_each(t, first->owner, first->type, find_wanted, w) : E_NOTFOUND;
	if (err == E_NOTFOUND || (err == OK && w->found != w->n)) {
		deny(v, RCODE_NXRRSET, "prerequisite: the RRset has other records");
		return OK;
	}
	return err;
}

/* 2136 3.2.3: those of the zone's class, gathered into RRsets. */
static err_t
ask_sets(const struct update_rr **list, size_t n, struct zone_txn *t, struct update_verdict *v)
{
	size_t unique = 0;
	if (n != 0) {
		qsort(list, n, sizeof(const struct update_rr *), compare_rrs);
	}
	for (size_t i = 0; i < n; i++) {
		if (unique == 0 || compare_rrs(&list[unique - 1], &list[i]) != 0) {
			list[unique++] = list[i];
		}
	}
	for (size_t i = 0, end; i < unique && !is_denied(v); i = end) {
		for (end = i + 1; end < unique && compare_sets(list[i], list[end]) == 0; end++) {
		}
		struct wanted_set w = { .list = list + i, .n = end - i };
		TRY(ask_set(&w, t, v));
	}
	return OK;
}

/* 2136 3.2: what is wrong in the prerequisite as such. */
static void
check_prerequisite(const struct update *u, const struct update_rr *rr, struct update_verdict *v)
{
	bool is_data = rr->rrclass == CLASS_IN;
	if (rr->ttl != 0) {
		deny(v, RCODE_FORMERR, "prerequisite: the TTL must be 0");
	} else if (!name_is_within(rr->owner, u->m.qname.oct)) {
		deny(v, RCODE_NOTZONE, "prerequisite: the name is not in the zone");
	} else if (!is_data && rr->rrclass != CLASS_ANY && rr->rrclass != CLASS_NONE) {
		deny(v, RCODE_FORMERR, "prerequisite: the class means nothing");
	} else if (!is_data && rr->rdlen != 0) {
		deny(v, RCODE_FORMERR, "prerequisite: there must be no data");
	} else if ((rrtype_flags(rr->type) & RRTYPE_META) != 0 && (is_data || rr->type != TYPE_ANY)) {
		deny(v, RCODE_FORMERR, "prerequisite: no record has that type");
	}
}

err_t
update_ask(const struct update *u, struct zone_txn *t, struct update_verdict *v)
{
	const struct update_rr **data = calloc(u->prerequisites_n + 1, sizeof(const struct update_rr *));
	size_t data_n = 0;
	err_t err = data != NULL ? OK : E_NOMEM;
	for (size_t i = 0; i < u->prerequisites_n && err == OK && !is_denied(v); i++) {
		const struct update_rr *rr = &u->prerequisites[i];
		check_prerequisite(u, rr, v);
		if (!is_denied(v) && rr->rrclass == CLASS_IN) {
			data[data_n++] = rr;
		} else if (!is_denied(v)) {
			err = ask_one(rr, t, v);
		}
	}
	if (err == OK && !is_denied(v)) {
		err = ask_sets(data, data_n, t, v);
	}
	free(data);
	return err;
}

/* ---- changes ---- */

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
		deny(v, RCODE_NOTZONE, "the name is not in the zone");
	} else if (!is_deletion && rr->rrclass != CLASS_IN) {
		deny(v, RCODE_FORMERR, "the class is not the zone's");
	} else if (is_meta && !(rr->type == TYPE_ANY && rr->rrclass == CLASS_ANY)) {
		deny(v, RCODE_FORMERR, "no record has that type");
	} else if (is_deletion && rr->ttl != 0) {
		deny(v, RCODE_FORMERR, "a deletion must have the TTL 0");
	} else if (rr->rrclass == CLASS_ANY && rr->rdlen != 0) {
		deny(v, RCODE_FORMERR, "the deletion of an RRset must have no data");
	} else if (rr->rrclass == CLASS_IN && rr->rdlen == 0 && rdata_check(rr->type, rr->rdata, 0) != OK) {
		deny(v, RCODE_FORMERR, "a record without data");
	} else if (rr->rrclass == CLASS_IN && secret_is_record(rr->type, rr->rdata, rr->rdlen)) {
		deny(v, RCODE_REFUSED, "a key with the algorithm number of an HMAC would publish a secret");
		v->ede = EDE_PROHIBITED;
	} else if (is_signers(rr->type)) {
		deny(v, RCODE_REFUSED, "signatures and denials are made by the zone's signer");
		v->ede = EDE_PROHIBITED;
	}
}

void
update_prescan(const struct update *u, struct update_verdict *v)
{
	for (size_t i = 0; i < u->changes_n && !is_denied(v); i++) {
		prescan_one(u, &u->changes[i], v);
	}
}

/* One change while it is made. */
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

/* All but what the apex must keep, and what is not the key's. */
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

/* One is enough: E_EXISTS. */
static err_t
find_other_data(void *ctx, const struct zone_rr *rr)
{
	(void)ctx;
	return zone_may_stand_beside_cname(rr->type) ? OK : E_EXISTS;
}

/* 2136 3.4.2.2: a CNAME is left out where there is other data, and other data where there is a CNAME. */
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
		TRY(count_records(m->t, rr->owner, TYPE_CNAME, &cnames));
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

/* Only a newer one counts (2136 3.4.2.2). */
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
		TRY(count_records(m->t, rr->owner, TYPE_NS, &servers));
		if (servers == 1) {
			return OK; /* the last one stays */
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

/* ---- zones that come and go ---- */

const uint8_t *
update_creates(const struct update *u, const struct view *v)
{
	for (size_t i = 0; i < u->changes_n; i++) {
		const struct update_rr *rr = &u->changes[i];
		if (rr->rrclass == CLASS_IN && rr->type == TYPE_SOA && view_zone(v, rr->owner) == NULL) {
			return rr->owner;
		}
	}
	return NULL;
}

static bool
is_soa_of(const struct update_rr *rr, const struct zone *z)
{
	const struct rr *soa = rrset_first(node_rrset(zone_node(z, z->apex_name), TYPE_SOA));
	return rdata_compare(TYPE_SOA, rr->rdata, rr->rdlen, soa->rdata, soa->rdlen) == 0;
}

const uint8_t *
update_removes(const struct update *u, const struct view *v)
{
	const struct update_rr *rr = u->changes;
	if (u->changes_n != 1 || rr->rrclass != CLASS_NONE || rr->type != TYPE_SOA) {
		return NULL;
	}
	const struct zone *z = view_zone(v, rr->owner);
	return z != NULL && is_soa_of(rr, z) ? rr->owner : NULL;
}
