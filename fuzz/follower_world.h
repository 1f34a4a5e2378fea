/* fuzz/follower_world.h -- primaries that answer what a follower asks as the input says, and what the follower shows, against a model of
 * the diagrams in auth/follower.h. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "auth/follower_p.h"
#include "base/alloc.h"
#include "base/cur.h"
#include "dns/rdata.h"
#include "zone/changes.h"
#include "zone/history.h"
#include "zone/zone.h"

#include "follower_catalogs.h"
#include "follower_zones.h"

#define MS UINT64_C(1000000)

enum {
	KEPT = 32, HELD_BACK_MAX = 4096, ENDLESS = 16,
	RECORDS_MAX = 6 + 4 * CONTENT_MAX,
	NOWHERE = -1, /* a presence: the zone is not followed */
};

/* How a transfer is answered. */
struct plan {
	uint8_t form;           /* see records_of() */
	uint32_t serial;
	uint8_t cut, is_bare;   /* bits: after which records a message ends; which messages are not signed */
	uint8_t spoilt;         /* this message has a wrong octet */
};

struct sent {
	unsigned link;          /* from LINKS on: a slot, over UDP */
	size_t len;
	uint8_t bytes[FOLLOWER_QUERY_MAX];
	bool is_done;           /* all of a good answer was given */
	struct name zone;
	uint16_t type;
	uint32_t from;          /* IXFR: the serial that is there */
	struct tsig tsig;       /* for the next message of the answer */
	struct plan plan;
	unsigned messages;      /* of the transfer, so far */
	size_t held_back;       /* octets of messages without TSIG, which the next TSIG covers too */
	uint8_t bare[HELD_BACK_MAX];
};

/* A zone as the model has it. */
struct held {
	int presence;
	struct zone *version;   /* owned */
	uint64_t refreshed_ns;
	bool is_denied;         /* since it was refreshed, somebody has signed that there is no such zone */
};

static struct world {
	struct follower *f;
	struct now now;
	int64_t skew_s;         /* of the primaries' clocks */
	struct sent sent[KEPT]; /* the last ones */
	unsigned sent_n, open_n;
	bool is_open[LINKS];
	bool is_asked[FOLLOWER_UDP_MAX]; /* slots that are in use */
	struct held held[ZONES];
	bool has_catalogs;      /* that are followed */
	struct catalogs catalogs;
	uint32_t listed[CATALOGS]; /* the versions that primaries which are well have */
	const uint8_t *noticed; /* the zone of a signed NOTIFY that comes in just now; NULL: none does */
	uint8_t failing;
	uint64_t no_room_ns;    /* when there was no room last */
	uint32_t random;
	size_t room;
} w;

enum { FAIL_OPEN = 1, FAIL_SEND = 2, FAIL_ROOM = 4 };

/* ---- what is shown ---- */

static struct held *
held_of(const uint8_t *name)
{
	return &w.held[zone_number(name)];
}

static bool
is_catalog(int zone)
{
	return zone == CATALOG || zone == OTHER_CATALOG;
}

static uint32_t
good_serial_of(int zone)
{
	return is_catalog(zone) ? w.listed[zone - CATALOG] : GOOD_SERIAL;
}

static void
note_refreshed(struct held *h)
{
	h->refreshed_ns = w.now.mono_ns;
	h->is_denied = false;
}

static bool
is_over(const struct held *h)
{
	return w.now.mono_ns - h->refreshed_ns >= seconds_ns(EXPIRE_S);
}

static bool
has_no_room(void)
{
	bool has_none = (w.failing & FAIL_ROOM) != 0;
	w.no_room_ns = has_none ? w.now.mono_ns : w.no_room_ns;
	return has_none;
}

static void
take_catalog(int zone)
{
	int c = zone - CATALOG;
	catalogs_take(&w.catalogs, c, w.held[zone].version->serial, w.held[CATALOG + 1 - c].presence == FOLLOW_PRESENT);
}

static void
take_catalog_again(int zone)
{
	if (is_catalog(zone) && w.catalogs.has_missed[zone - CATALOG]) {
		catalogs_take_again(&w.catalogs, zone - CATALOG);
	}
}

static err_t
take(void *ctx, const uint8_t *name, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	(void)ctx;
	struct garbage garbage = { 0 };
	struct held *h = held_of(name);
	ASSERT((*whole == NULL) != (*changes == NULL));
	if (has_no_room()) {
		return E_NOMEM;
	}
	if (*changes != NULL) {
		ASSERT(h->version != NULL);
		ASSERT(zone_txn_commit(changes, &h->version, &garbage) == OK);
		garbage_free(&garbage);
	} else {
		zone_free(&h->version);
		h->version = *whole;
		*whole = NULL;
	}
	h->presence = FOLLOW_PRESENT;
	*version = h->version;
	if (is_catalog(zone_number(name))) {
		take_catalog(zone_number(name));
	}
	return OK;
}

/* Without room a zone may be forgotten before it was ever shown. */
static bool
is_new(const struct held *h)
{
	return h->presence == FOLLOW_NEW || h->presence == FOLLOW_UNKNOWN || (h->presence == NOWHERE && w.no_room_ns != 0);
}

static bool
may_be_withdrawn(const struct held *h, const struct owned *o)
{
	bool may = o->is_leaving || o->must_reset || (h->is_denied && o->catalog == NOBODY);
	return h->presence == FOLLOW_PRESENT && may && !is_catalog((int)(h - w.held));
}

static bool
may_be_forgotten(const struct held *h, const struct owned *o)
{
	bool is_pinned = is_catalog((int)(h - w.held)) || owned_is_member(o);
	if (o->must_reset || is_pinned) {
		return o->must_reset;
	}
	bool may_at_expiry = h->is_denied || o->is_leaving;
	return h->presence == FOLLOW_WITHDRAWN ? is_over(h) : is_new(h) || (h->presence == FOLLOW_EXPIRED && may_at_expiry);
}

static bool
may_become(const struct held *h, enum follow_presence next)
{
	const struct owned *o = &w.catalogs.of[h - w.held];
	if (h->presence == (int)next && w.has_catalogs) { /* it is another catalog's now */
		return true;
	}
	switch (next) {
	case FOLLOW_UNKNOWN: return h->presence == NOWHERE || h->presence == FOLLOW_UNKNOWN; /* of two sources, say */
	case FOLLOW_NEW: return h->presence == NOWHERE || h->presence == FOLLOW_NEW || h->presence == FOLLOW_UNKNOWN;
	case FOLLOW_PRESENT: return h->version != NULL && (h->presence == FOLLOW_EXPIRED || h->presence == FOLLOW_WITHDRAWN);
	case FOLLOW_EXPIRED:
		return is_over(h) && (h->presence == FOLLOW_PRESENT || (h->presence == FOLLOW_WITHDRAWN && owned_is_member(o)));
	case FOLLOW_WITHDRAWN: return may_be_withdrawn(h, o);
	default: return may_be_forgotten(h, o);
	}
}

static err_t
show(void *ctx, const uint8_t *name, enum follow_presence presence)
{
	(void)ctx;
	struct held *h = held_of(name);
	ASSERT(may_become(h, presence));
	if (has_no_room()) {
		return E_NOMEM;
	}
	if (presence == FOLLOW_PRESENT && h->presence != FOLLOW_PRESENT) {
		note_refreshed(h);
		take_catalog_again(zone_number(name));
	}
	h->presence = (int)presence;
	if (presence == FOLLOW_FORGOTTEN) {
		zone_free(&h->version);
		*h = (struct held){ .presence = NOWHERE };
		catalogs_forgotten(&w.catalogs, zone_number(name));
	}
	return OK;
}

/* A zone that its catalog lists no more may be found by a NOTIFY that one of its own keys has signed. */
static err_t
belongs(void *ctx, const uint8_t *name, const uint8_t *catalog)
{
	(void)ctx;
	struct owned *o = &w.catalogs.of[zone_number(name)];
	if (catalog == NULL) {
		ASSERT(o->is_leaving && !o->must_reset && w.noticed != NULL && name_is_equal(w.noticed, name));
		o->is_leaving = false;
		o->catalog = o->told = NOBODY;
		return OK;
	}
	if (has_no_room()) {
		return E_NOMEM;
	}
	o->told = zone_number(catalog) - CATALOG;
	return OK;
}

static void
on_report(void *ctx, const struct follow_report *r)
{
	(void)ctx;
	bool is_refresh = r->event == FOLLOW_CURRENT || r->event == FOLLOW_TRANSFERRED;
	ASSERT(r->event < FOLLOW_EVENTS && r->why != NULL && strlen(r->why) < WHY_MAX);
	ASSERT(r->zone != NULL || r->source != NULL);
	ASSERT((r->event != FOLLOW_FAILED && r->event != FOLLOW_WHOLE && r->event != FOLLOW_LINK_DOWN) || r->why[0] != '\0');
	if (is_refresh) {
		struct held *h = held_of(r->zone);
		ASSERT(h->version != NULL && h->version->serial == r->serial);
		if (h->presence == FOLLOW_PRESENT) {
			note_refreshed(h);
		}
	}
}

/* ---- what is sent ---- */

static bool
open_link(void *ctx, unsigned link, const struct follow_source *to)
{
	(void)ctx, (void)to;
	ASSERT(link < LINKS && !w.is_open[link]);
	if ((w.failing & FAIL_OPEN) != 0) {
		return false;
	}
	w.is_open[link] = true;
	w.open_n++;
	return true;
}

static void
close_link(void *ctx, unsigned link)
{
	(void)ctx;
	ASSERT(w.is_open[link]);
	w.is_open[link] = false;
	w.open_n--;
}

static void
read_from(struct sent *s, const struct msg *m)
{
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr;
	uint8_t octets[2 * NAME_WIRE_MAX + 20];
	struct buf rdata = buf_over(octets, sizeof octets);
	struct soa soa;
	c.pos = m->rr_at[2];
	ASSERT(msg_read_rr(&c, &owner, &rr) == OK && rr.type == TYPE_SOA && name_is_equal(owner.oct, m->qname.oct));
	c.pos = rr.rdata_at;
	ASSERT(rdata_read(&c, TYPE_SOA, rr.rdlength, &rdata) == OK && rdata_read_soa(octets, rdata.len, &soa) == OK);
	s->from = soa.serial;
}

static bool
keep(unsigned link, const uint8_t *bytes, size_t len)
{
	struct sent *s = &w.sent[w.sent_n++ % KEPT];
	struct msg m;
	ASSERT(len <= sizeof s->bytes);
	*s = (struct sent){ .link = link, .len = len };
	memcpy(s->bytes, bytes, len);
	ASSERT(msg_parse(s->bytes, len, &m) == OK && (m.bits & (DNS_QR | DNS_OPCODE)) == 0 && m.count[0] == 1 && m.count[1] == 0);
	ASSERT(m.edns.present && m.has_tsig && m.qclass == CLASS_IN);
	ASSERT(m.qtype == TYPE_SOA || m.qtype == TYPE_IXFR || m.qtype == TYPE_AXFR);
	ASSERT(m.count[2] == (m.qtype == TYPE_IXFR ? 1 : 0));
	name_set(&s->zone, m.qname.oct);
	s->type = m.qtype;
	if (m.qtype == TYPE_IXFR) {
		read_from(s, &m);
	}
	size_t k = 0;
	while (k < SOURCES && tsig_verify_request(&s->tsig, &m, &keys[k].tsig, w.now.wall_s) != OK) {
		k++;
	}
	if (k == SOURCES) { /* a datagram that is sent once more after the input let an hour pass: no primary takes it */
		ASSERT(link >= LINKS);
		s->len = 0;
	}
	return (w.failing & FAIL_SEND) == 0;
}

static bool
send_over(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	ASSERT(w.is_open[link]);
	return keep(link, bytes, len);
}

static bool
send_udp(void *ctx, unsigned slot, const struct follow_source *to, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	ASSERT(slot < FOLLOWER_UDP_MAX && !to->is_kept);
	w.is_asked[slot] = true;
	return keep(LINKS + slot, bytes, len);
}

static void
end_udp(void *ctx, unsigned slot)
{
	(void)ctx;
	ASSERT(w.is_asked[slot]);
	w.is_asked[slot] = false;
}

static uint32_t
next_random(void *ctx)
{
	(void)ctx;
	w.random = w.random * 1664525 + 1013904223;
	return w.random >> 8;
}

static size_t
octets_max(void *ctx)
{
	(void)ctx;
	return w.room;
}

/* ---- answers ---- */

static uint64_t
primary_s(void)
{
	return w.now.wall_s + (uint64_t)w.skew_s;
}

/* On the heap, for the sanitizer to see what is read past the end. */
static void
deliver(unsigned link, const uint8_t *bytes, size_t len)
{
	if (link < LINKS ? !w.is_open[link] : !w.is_asked[link - LINKS]) {
		return;
	}
	uint8_t *exact = xalloc(len + 1);
	if (len != 0) {
		memcpy(exact, bytes, len);
	}
	if (link < LINKS) {
		follower_input(w.f, &w.now, link, exact, len);
	} else {
		follower_datagram(w.f, &w.now, link - LINKS, exact, len);
	}
	free(exact);
}

static void
begin_answer(const struct sent *s, struct buf *b, bool has_question, unsigned rcode, bool is_aa)
{
	size_t question = has_question ? s->zone.len + 4u : 0;
	buf_put(b, s->bytes, 2);
	buf_u16(b, (uint16_t)(DNS_QR | (is_aa ? DNS_AA : 0) | rcode));
	buf_u16(b, has_question ? 1 : 0);
	buf_u16(b, 0);
	buf_u32(b, 0);
	buf_put(b, s->bytes + DNS_HEADER_LEN, question);
}

/* From one version to another, and the end of that. */
static unsigned
put_change(const struct sent *s, uint32_t from, uint32_t to, struct record *out)
{
	unsigned n = 0;
	out[n++] = (struct record){ TYPE_SOA, from };
	n += content_of(s->zone.oct, from, out + n);
	out[n++] = (struct record){ TYPE_SOA, to };
	return n + content_of(s->zone.oct, to, out + n);
}

/* A zone has an NS, and what goes by its serial. */
static unsigned
records_of(const struct sent *s, struct record out[RECORDS_MAX])
{
	const struct record soa = { TYPE_SOA, s->plan.serial }, ns = { TYPE_NS, 0 };
	unsigned n = 0;
	out[n++] = soa;
	switch (s->plan.form % 8) {
	case 0: /* the whole zone */
	case 1:
		out[n++] = ns;
		n += content_of(s->zone.oct, s->plan.serial, out + n);
		out[n++] = soa;
		break;
	case 2: /* changes */
		n += put_change(s, s->from, s->plan.serial, out + n);
		out[n++] = soa;
		break;
	case 3: /* changes by way of the next serial */
		n += put_change(s, s->from, s->from + 1, out + n);
		n += put_change(s, s->from + 1, s->plan.serial, out + n);
		out[n++] = soa;
		break;
	case 4: /* there is nothing newer; or the first of several messages */
		break;
	case 5: /* no NS */
		n += content_of(s->zone.oct, s->plan.serial, out + n);
		out[n++] = soa;
		break;
	case 6: /* a record that does not belong here, and another SOA at the end */
		out[n++] = (struct record){ 0, 1 }, out[n++] = ns;
		out[n++] = (struct record){ TYPE_SOA, s->plan.serial + 1 };
		break;
	default: /* without end */
		while (n < ENDLESS) {
			out[n] = (struct record){ n == 1 ? TYPE_NS : TYPE_A, n };
			n++;
		}
	}
	return n;
}

/* Of that number, from 0.  False: there is none. */
static bool
put_message(const struct sent *s, unsigned number, struct buf *b)
{
	struct record r[RECORDS_MAX];
	unsigned n = records_of(s, r), at = 0;
	for (unsigned i = 0; i < n && at <= number; i++) {
		if (at == number) {
			put_record(b, &s->zone, &r[i]);
		}
		at += i % 8 == 7 || (s->plan.cut >> i % 8 & 1) != 0;
	}
	return (b->base[6] | b->base[7]) != 0;
}

/* A TSIG covers the messages without one that were sent before it (RFC 8945 5.3.1): so they are signed as if they were one. */
static void
sign_after_bare(struct sent *s, uint8_t *bytes, size_t *len, size_t cap)
{
	uint8_t all[2 * HELD_BACK_MAX];
	size_t at = s->held_back, n = at + *len;
	memcpy(all, s->bare, at);
	memcpy(all + at, bytes, *len);
	ASSERT(tsig_sign_response(&s->tsig, all, &n, sizeof all, primary_s()) == OK && n - at <= cap);
	memcpy(bytes, all + at, n - at);
	if (at != 0) {
		bytes[11]++; /* ARCOUNT was counted up in the first of them */
	}
	*len = n - at;
	s->held_back = 0;
}

static void
seal(struct sent *s, uint8_t *bytes, size_t *len, size_t cap, bool is_bare)
{
	if (!is_bare) {
		sign_after_bare(s, bytes, len, cap);
	} else if (s->held_back + *len <= HELD_BACK_MAX / 2) {
		memcpy(s->bare + s->held_back, bytes, *len);
		s->held_back += *len;
	}
}

/* The next message of a transfer.  False: there is no more. */
static bool
answer_transfer(struct sent *s)
{
	uint8_t bytes[HELD_BACK_MAX];
	struct buf b = buf_over(bytes, sizeof bytes);
	unsigned number = s->messages;
	begin_answer(s, &b, number == 0 || (s->plan.cut & 1) != 0, RCODE_NOERROR, true);
	if (!put_message(s, number, &b)) {
		return false;
	}
	s->messages++;
	size_t len = b.len;
	seal(s, bytes, &len, sizeof bytes, (s->plan.is_bare >> number % 8 & 1) != 0);
	if (number == s->plan.spoilt) {
		bytes[len / 2] ^= 4;
	}
	deliver(s->link, bytes, len);
	return true;
}

struct reply {
	unsigned rcode;
	bool is_aa, has_question, has_soa, is_signed, is_spoilt;
	uint32_t serial;
};

static void
answer_once(struct sent *s, const struct reply *r)
{
	uint8_t bytes[HELD_BACK_MAX];
	struct buf b = buf_over(bytes, sizeof bytes);
	const struct record soa = { TYPE_SOA, r->serial };
	begin_answer(s, &b, r->has_question, r->rcode, r->is_aa);
	if (r->has_soa) {
		put_record(&b, &s->zone, &soa);
	}
	size_t len = b.len;
	seal(s, bytes, &len, sizeof bytes, !r->is_signed);
	if (r->is_spoilt) {
		bytes[len / 2] ^= 4;
	} else if (r->rcode == RCODE_NOTAUTH && r->is_signed) {
		held_of(s->zone.oct)->is_denied = true;
	}
	deliver(s->link, bytes, len);
}

static void
answer_well(struct sent *s)
{
	bool is_zone = s->zone.len > 1 || held_of(s->zone.oct)->presence != NOWHERE; /* the root is one when somebody has said so */
	uint32_t serial = good_serial_of(zone_number(s->zone.oct));
	s->is_done = true;
	s->messages = 0;
	s->held_back = 0;
	s->plan = (struct plan){ .form = s->type == TYPE_IXFR && s->from != serial ? 2 : 0, .serial = serial, .spoilt = UINT8_MAX };
	if (s->type == TYPE_SOA) {
		answer_once(s, &(struct reply){ .rcode = is_zone ? RCODE_NOERROR : RCODE_NOTAUTH, .is_aa = is_zone, .has_question = true,
		                                .has_soa = is_zone, .is_signed = true, .serial = serial });
	} else {
		while (answer_transfer(s)) {
		}
	}
}
