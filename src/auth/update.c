#include "auth/update_p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

enum { SECTION_PREREQUISITE = 1, SECTION_UPDATE = 2 }; /* RFC 2136 2 */

/* ---- checks of a request ---- */

/* What is wrong with the zone section (RFC 2136 3.1.1); NULL: nothing. */
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
	} else if (q->conf->takes_no_updates) {
		q->rcode = RCODE_REFUSED;
		q->ede = EDE_PROHIBITED;
		q->out->why = "this server is a secondary: the primary takes updates";
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

/* Takes memory from the arena, and counts it against UPDATE_OCTETS_MAX. */
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

/* Consecutive records often have the same owner in the same spelling: these share one copy. */
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
		update_deny(v, RCODE_FORMERR, "the message is malformed");
		return;
	}
	const char *trouble = zone_section_trouble(&u->m);
	if (trouble != NULL) {
		update_deny(v, RCODE_FORMERR, trouble);
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
		update_deny(v, RCODE_REFUSED, "the records take more than 1 MiB when their names are written out: send several messages");
		v->ede = EDE_PROHIBITED;
	} else if (err != OK) {
		update_deny(v, RCODE_FORMERR, "a record's data do not fit its type");
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

/* ---- zones that are made and removed ---- */

/* Updates can neither change nor remove the catalog: for them it is no zone. */
static const struct zone *
zone_of_repository(const struct view *v, const uint8_t *apex)
{
	const struct zone *z = view_zone(v, apex);
	return z != v->catalog ? z : NULL;
}

const uint8_t *
update_creates(const struct update *u, const struct view *v)
{
	for (size_t i = 0; i < u->changes_n; i++) {
		const struct update_rr *rr = &u->changes[i];
		if (rr->rrclass == CLASS_IN && rr->type == TYPE_SOA && zone_of_repository(v, rr->owner) == NULL) {
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
	const struct zone *z = zone_of_repository(v, rr->owner);
	return z != NULL && is_soa_of(rr, z) ? rr->owner : NULL;
}
