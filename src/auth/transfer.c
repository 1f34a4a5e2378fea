#include "auth/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "auth/access.h"
#include "auth/cookies.h"
#include "auth/keepalive.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dns/wire.h"
#include "zone/history.h"

enum {
	OPT_LEN = 11,
	IXFR_UDP_STEPS_MAX = 8, /* more steps rarely fit into a datagram */
};

/* ---- what is to be sent ---- */

enum part { PART_FIRST_SOA, PART_BODY, PART_LAST_SOA, PART_END };

/* The records of a transfer in their order, one after the other. */
struct feed {
	const struct zone *zone;
	struct place apex;       /* in the message, at the question */
	enum part part;
	/* the steps of the history; NULL: the whole zone */
	const struct delta **steps;
	size_t steps_n, step;
	uint32_t rrs_done;       /* of this step */
	size_t at;               /* in its octets */
	struct delta *condensed; /* owned: all steps as one */
	/* the whole zone */
	struct zone_cursor cursor;
	const struct node *node;
	struct place owner;
	const struct rrset *set;
	unsigned sets_left;      /* of the node, the one under way included */
	const struct rr *rr;
	unsigned rrs_left;       /* of the RRset */
};

static struct place
apex_place(const struct zone *z)
{
	return (struct place){ .name = z->apex->name, .pos = DNS_HEADER_LEN, .len = z->apex_len };
}

static void
feed_fini(struct feed *f)
{
	free(f->steps);
	free(f->condensed);
}

/* Sets the steps from the client's serial to the zone's.  E_NOTFOUND: the history does not have them. */
static err_t
feed_steps(struct feed *f, uint32_t from_serial)
{
	TRY(history_from(f->zone, from_serial, &f->steps, &f->steps_n));
	if (f->steps_n > 1 && history_condense(f->steps, f->steps_n, &f->condensed) == OK) {
		f->steps[0] = f->condensed;
		f->steps_n = 1;
	}
	return OK;
}

static void
feed_next_node(struct feed *f)
{
	bool is_nsec3;
	f->node = zone_cursor_next(&f->cursor, &is_nsec3);
	if (f->node == NULL) {
		return;
	}
	f->sets_left = f->node->rrsets;
	f->set = node_first(f->node);
	f->rr = rrset_first(f->set);
	f->rrs_left = f->sets_left != 0 ? f->set->n : 0;
}

static void
feed_begin(struct feed *f)
{
	f->part = PART_FIRST_SOA;
	f->apex = apex_place(f->zone);
	if (f->steps == NULL) {
		zone_cursor_first(&f->cursor, f->zone);
		feed_next_node(f);
	}
}

/* In a new message no owner has been written yet. */
static struct place
owner_place(const struct feed *f, const struct node *n)
{
	return (struct place){ .name = n->name, .tail = &f->apex, .len = n->name_len, .shared = f->zone->apex_len };
}

/* Each of these writes what fits.  False: not all of it did. */

static bool
put_soa(struct feed *f, struct reply *r)
{
	struct place owner = owner_place(f, f->zone->apex);
	const struct reply_rrset what = { .section = SECTION_ANSWER, .owner = &owner, .set = f->zone->soa };
	return reply_add(r, &what);
}

static bool
put_node(struct feed *f, struct reply *r)
{
	for (;;) {
		if (f->set->type == TYPE_SOA) {
			f->rrs_left = 0; /* first and last, not here */
		}
		const struct reply_rrset what = { .section = SECTION_ANSWER, .owner = &f->owner, .set = f->set };
		f->rr = reply_add_some(r, &what, f->rr, &f->rrs_left);
		if (f->rrs_left != 0) {
			return false;
		}
		if (--f->sets_left == 0) {
			return true;
		}
		f->set = rrset_next(f->set);
		f->rr = rrset_first(f->set);
		f->rrs_left = f->set->n;
	}
}

static bool
put_whole(struct feed *f, struct reply *r)
{
	while (f->node != NULL) {
		f->owner = owner_place(f, f->node);
		if (f->sets_left != 0 && !put_node(f, r)) {
			return false;
		}
		feed_next_node(f);
	}
	return true;
}

/* A record of the history, whose owner ends in the zone's name. */
static bool
put_delta_rr(const struct feed *f, struct reply *r, const struct delta_rr *rr)
{
	bool is_short = f->zone->apex_len > 1;
	size_t plain = is_short ? (size_t)(rr->owner_len - f->zone->apex_len) : rr->owner_len;
	uint8_t *p = r->wire + r->len;
	if (r->cap - r->len < plain + 2 + rr->fixed_len) {
		return false;
	}
	memcpy(p, rr->owner, plain);
	p += plain;
	if (is_short) {
		*p++ = 0xC0;
		*p++ = DNS_HEADER_LEN;
	}
	memcpy(p, rr->fixed, rr->fixed_len);
	r->len = (size_t)(p - r->wire) + rr->fixed_len;
	r->count[SECTION_ANSWER]++;
	return true;
}

static bool
put_steps(struct feed *f, struct reply *r)
{
	while (f->step < f->steps_n) {
		const struct delta *d = f->steps[f->step];
		while (f->rrs_done < d->removed_n + d->added_n) {
			size_t at = f->at;
			struct delta_rr rr = delta_next(d, &at);
			if (!put_delta_rr(f, r, &rr)) {
				return false;
			}
			f->at = at;
			f->rrs_done++;
		}
		f->step++;
		f->rrs_done = 0;
		f->at = 0;
	}
	return true;
}

/* RFC 5936 2.2, RFC 1995 4: the zone's SOA at both ends. */
static bool
feed_put(struct feed *f, struct reply *r)
{
	while (f->part != PART_END) {
		bool is_body = f->part == PART_BODY;
		if (!(is_body ? f->steps != NULL ? put_steps(f, r) : put_whole(f, r) : put_soa(f, r))) {
			return false;
		}
		f->part++;
	}
	return true;
}

/* ---- the request ---- */

/* What a request is judged by. */
struct asked {
	const struct view *view;
	const struct server_conf *conf;
	const struct peer *peer;
	const struct msg *m;
	const struct key *key; /* NULL: unsigned */
};

/* What becomes of it. */
struct plan {
	unsigned rcode; /* not NOERROR: refused */
	int ede;
	const char *why;
	const struct zone *zone;
	bool is_incremental; /* IXFR */
	bool is_up_to_date;
	uint32_t client_serial;
};

static void
refuse(struct plan *p, unsigned rcode, int ede, const char *why)
{
	p->rcode = rcode;
	p->ede = ede;
	p->why = why;
}

/* The client's SOA, in the authority section (RFC 1995 3). */
static err_t
read_client_serial(const struct msg *m, uint32_t *out)
{
	uint8_t rdata[2 * NAME_WIRE_MAX + 20];
	struct buf b = buf_over(rdata, sizeof rdata);
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr;
	struct soa soa;
	c.pos = m->rr_at[2];
	if (m->count[2] == 0) {
		return E_NOTFOUND;
	}
	TRY(msg_read_rr(&c, &owner, &rr));
	if (rr.type != TYPE_SOA || rr.rrclass != CLASS_IN || !name_is_equal(owner.oct, m->qname.oct)) {
		return E_FORMAT;
	}
	c.pos = rr.rdata_at;
	TRY(rdata_read(&c, TYPE_SOA, rr.rdlength, &b));
	TRY(rdata_read_soa(rdata, b.len, &soa));
	*out = soa.serial;
	return OK;
}

/* Why there is no such zone for this client, for the log; NULL: there is one. */
static const char *
absence(const struct asked *q, const struct asker *who, const struct zone *z)
{
	return z == NULL                           ? "no such zone here"
	       : access_is_hidden(q->view, who, z) ? "the catalog is hidden from clients that may not transfer it"
	                                           : NULL;
}

static void
make_plan(const struct asked *q, struct plan *p)
{
	const struct view *v = q->view;
	const struct msg *m = q->m;
	*p = (struct plan){ .ede = EDE_NONE, .is_incremental = m->qtype == TYPE_IXFR };
	const struct asker who = { .key = q->key, .peer = q->peer, .is_axfr_open = q->conf->is_axfr_open };
	p->zone = view_zone(v, m->qname.oct);
	const struct shut_zone *shut = p->zone == NULL ? view_shut_around(v, m->qname.oct) : NULL;
	const char *absent = absence(q, &who, p->zone);
	if (p->is_incremental && read_client_serial(m, &p->client_serial) != OK) {
		refuse(p, RCODE_FORMERR, EDE_NONE, "no SOA of the client's version");
	} else if (!v->is_ready) {
		refuse(p, RCODE_SERVFAIL, EDE_NOT_READY, "nothing is loaded yet");
	} else if (shut != NULL) {
		refuse(p, RCODE_SERVFAIL, shut_zone_ede(shut), shut_zone_text(shut));
	} else if (absent != NULL) {
		refuse(p, RCODE_NOTAUTH, EDE_NOT_AUTHORITATIVE, absent); /* RFC 5936 2.2.1 */
	} else if (!access_may_transfer(v, &who, m->qname.oct)) {
		refuse(p, RCODE_REFUSED, EDE_PROHIBITED, q->key == NULL ? "the request is not signed"
		                                                        : "the key has no right to transfer this zone");
	} else if (p->is_incremental) {
		p->is_up_to_date = p->client_serial == p->zone->serial || serial_is_newer(p->client_serial, p->zone->serial);
	}
}

/* IXFR over UDP: the steps as they are, if they are few and fit, else the SOA alone, which says: come by TCP (RFC 1995 2).  Who asks
 * may be anybody, so the cost is that of one datagram: nothing is condensed, nothing allocated. */
static void
answer_at_once(struct request *q, const struct plan *p)
{
	const struct delta *steps[IXFR_UDP_STEPS_MAX];
	struct feed f = { .zone = p->zone, .steps = steps };
	size_t len = q->r.len;
	bool is_known = !p->is_up_to_date && history_last(p->zone, p->client_serial, steps, ARRAY_LEN(steps), &f.steps_n) == OK;
	feed_begin(&f);
	if (!is_known || !feed_put(&f, &q->r)) {
		q->r.len = len;
		q->r.count[SECTION_ANSWER] = 0;
		q->r.is_truncated = !put_soa(&f, &q->r);
	}
	q->is_authoritative = true;
}

/* True when the client has a newer serial than we serve.  Believed only if its key may transfer the zone. */
static bool
is_ahead(const struct request *q, const struct plan *p)
{
	return p->is_incremental && access_by_key(q->view, q->key, RIGHT_TRANSFER, q->m.qname.oct) &&
	       serial_is_newer(p->client_serial, p->zone->serial);
}

void
transfer_handle(struct request *q)
{
	const struct asked asked = { .view = q->view, .conf = q->conf, .peer = q->peer, .m = &q->m, .key = q->key };
	struct plan p;
	bool is_udp = q->peer->transport == TRANSPORT_UDP;
	make_plan(&asked, &p);
	if (is_udp && !p.is_incremental && p.rcode == RCODE_NOERROR) {
		refuse(&p, RCODE_FORMERR, EDE_NONE, "AXFR goes over TCP only"); /* RFC 5936 4.2 */
	}
	q->out->zone = q->m.qname;
	if (p.rcode != RCODE_NOERROR) {
		q->rcode = p.rcode;
		q->ede = p.ede;
		q->out->event = EVENT_TRANSFER_DENIED;
		q->out->why = p.why;
	} else if (is_udp || p.is_up_to_date) {
		answer_at_once(q, &p);
		if (is_ahead(q, &p)) {
			q->out->event = EVENT_AHEAD;
			q->out->serial = p.client_serial;
		}
	} else {
		q->out->event = EVENT_TRANSFER;
	}
}

/* ---- a transfer under way ---- */

struct transfer {
	struct feed feed;
	struct tsig tsig;
	bool is_signed;
	bool has_edns;        /* in the request; the first message says so too (RFC 5936 2.2.5), */
	size_t keepalive_len; /* with that option, */
	struct cookie cookie; /* and this one */
	uint16_t idle_100ms;
	uint16_t id, bits;
	uint16_t udp_max, edns_flags;
	size_t question_len;
	uint8_t question[NAME_WIRE_MAX + 4];
	struct transfer_report report;
};

static void
take_request(struct transfer *t, const struct asked *q, uint64_t now_s)
{
	const struct msg *m = q->m;
	t->id = m->id;
	t->bits = DNS_QR | DNS_AA | (m->bits & DNS_RD);
	t->has_edns = m->edns.present;
	t->keepalive_len = keepalive_len(m, q->peer);
	t->idle_100ms = q->peer->idle_100ms;
	cookies_read(q->conf, q->peer, m, now_s, &t->cookie);
	t->udp_max = q->conf->udp_max;
	t->edns_flags = m->edns.flags & EDNS_DO;
	t->is_signed = q->key != NULL;
	t->question_len = m->question_end - DNS_HEADER_LEN;
	ASSERT(t->question_len <= sizeof t->question);
	memcpy(t->question, m->wire + DNS_HEADER_LEN, t->question_len);
	t->report.zone = m->qname;
	if (q->key != NULL) {
		name_set(&t->report.key, q->key->tsig.name.oct);
	}
}

static void
take_plan(struct transfer *t, const struct plan *p)
{
	t->feed.zone = p->zone;
	t->report.serial = p->zone->serial;
	if (p->is_incremental && feed_steps(&t->feed, p->client_serial) == OK) {
		t->report.is_incremental = true;
		t->report.from_serial = p->client_serial;
	}
	feed_begin(&t->feed);
}

static err_t
begin(struct transfer *t, struct asked *q, uint64_t now_s)
{
	struct plan p;
	TRY(request_verify(q->view, q->m, now_s, &t->tsig, &q->key));
	make_plan(q, &p);
	if (p.rcode != RCODE_NOERROR) {
		return E_REFUSED;
	}
	take_request(t, q, now_s);
	take_plan(t, &p);
	return OK;
}

err_t
transfer_new(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *req,
             size_t len, struct transfer **out)
{
	struct msg m;
	struct asked asked = { .view = v, .conf = conf, .peer = peer, .m = &m };
	if (msg_parse(req, len, &m) != OK) {
		return E_REFUSED;
	}
	struct transfer *t = try_alloc(sizeof *t);
	if (t == NULL) {
		return E_NOMEM;
	}
	err_t err = begin(t, &asked, now_s);
	if (err != OK) {
		transfer_free(&t);
		return err == E_NOMEM ? err : E_REFUSED;
	}
	*out = t;
	return OK;
}

void
transfer_free(struct transfer **t)
{
	if (*t == NULL) {
		return;
	}
	feed_fini(&(*t)->feed);
	tsig_fini(&(*t)->tsig);
	free_ptr(t);
}

static size_t
options_len(const struct transfer *t)
{
	return t->keepalive_len + cookies_len(&t->cookie);
}

static size_t
reserve(const struct transfer *t)
{
	return (t->is_signed ? (size_t)TSIG_RR_MAX : 0) + (t->has_edns ? OPT_LEN + options_len(t) : 0);
}

static void
begin_message(const struct transfer *t, struct reply *r)
{
	memcpy(r->wire + DNS_HEADER_LEN, t->question, t->question_len);
	r->len = DNS_HEADER_LEN + t->question_len;
}

/* Fills a message of the usual size.  A record that is larger than that gets a larger message of its own. */
static bool
fill(struct transfer *t, struct reply *r)
{
	r->cap = TRANSFER_MESSAGE_MAX - reserve(t);
	bool is_last = feed_put(&t->feed, r);
	if (!is_last && r->count[SECTION_ANSWER] == 0) {
		r->cap = DNS_MSG_MAX - reserve(t);
		is_last = feed_put(&t->feed, r);
	}
	return is_last;
}

/* Header and OPT.  Room for them was left. */
static void
finish_message(const struct transfer *t, struct reply *r)
{
	struct buf head = buf_over(r->wire, DNS_HEADER_LEN);
	/* The first message has to have it, later ones may (RFC 5936 2.2.5).  A client with a cookie looks for one in each answer. */
	bool has_opt = t->has_edns && (t->report.messages == 0 || cookies_len(&t->cookie) != 0);
	buf_u16(&head, t->id);
	buf_u16(&head, t->bits);
	buf_u16(&head, 1);
	buf_u16(&head, r->count[SECTION_ANSWER]);
	buf_u16(&head, 0);
	buf_u16(&head, has_opt);
	if (has_opt) {
		struct buf opt = buf_over(r->wire + r->len, OPT_LEN);
		buf_u8(&opt, 0);
		buf_u16(&opt, TYPE_OPT);
		buf_u16(&opt, t->udp_max);
		buf_u16(&opt, 0); /* upper bits of the RCODE, version */
		buf_u16(&opt, t->edns_flags);
		buf_u16(&opt, (uint16_t)options_len(t));
		r->len += opt.len;
		if (cookies_len(&t->cookie) != 0) {
			cookies_put(r->wire + r->len, &t->cookie);
			r->len += COOKIE_OPTION_LEN;
		}
		if (t->keepalive_len != 0) {
			keepalive_put(r->wire + r->len, t->idle_100ms);
			r->len += KEEPALIVE_LEN;
		}
	}
}

size_t
transfer_next(struct transfer *t, uint64_t now_s, uint8_t wire[DNS_MSG_MAX], bool *is_last)
{
	struct reply r = { .wire = wire };
	begin_message(t, &r);
	*is_last = fill(t, &r);
	if (r.count[SECTION_ANSWER] == 0) {
		return 0; /* a record that fits into no message */
	}
	finish_message(t, &r);
	if (t->is_signed && tsig_sign_response(&t->tsig, wire, &r.len, DNS_MSG_MAX, now_s) != OK) {
		return 0;
	}
	t->report.records += r.count[SECTION_ANSWER];
	t->report.octets += r.len;
	t->report.messages++;
	return r.len;
}

const struct transfer_report *
transfer_report(const struct transfer *t)
{
	return &t->report;
}
