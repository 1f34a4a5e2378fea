/* A transfer that comes in, in two ways.  Raw: messages as a peer could send them.  By records: the input is a program that makes records of
 * few names, values and serials, cut into messages anywhere; the outcome must be that of a model, which applies them to a plain list. */
#include "auth/incoming.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dns/wire.h"
#include "zone/findings.h"

enum { STEPS_MAX = 200, SERVED = 7, TTL = 60, OWNERS = 4, OUTSIDE = 3, SOA_LEN = 22 };

static const uint8_t apex[] = "\1z";
static const char *const owners[OWNERS] = { "\1z", "\1a\1z", "\1a\1b\1z", "\1z\1y" }; /* the last one is of another zone */

struct record {
	uint16_t type; /* SOA, NS, CNAME, A */
	uint8_t owner, value;
};

struct list {
	struct record r[2 * STEPS_MAX];
	size_t n;
};

static size_t
write_rdata(const struct record *r, uint8_t out[SOA_LEN])
{
	struct buf b = buf_over(out, SOA_LEN);
	switch (r->type) {
	case TYPE_SOA:
		buf_u16(&b, 0); /* MNAME and RNAME: the root */
		buf_u32(&b, r->value);
		buf_u32(&b, 1);
		buf_u32(&b, 1);
		buf_u32(&b, 1);
		buf_u32(&b, 1);
		break;
	case TYPE_NS:
	case TYPE_CNAME:
		buf_put(&b, (const uint8_t[]){ 1, (uint8_t)('a' + r->value), 1, 'y', 0 }, 5);
		break;
	default:
		buf_u32(&b, 0xC0000200u + r->value);
		break;
	}
	return b.len;
}

/* ---- the model ---- */

static bool
is_same(const struct record *a, const struct record *b)
{
	return a->type == b->type && a->owner == b->owner && a->value == b->value;
}

static size_t
list_find(const struct list *l, const struct record *r)
{
	size_t i = 0;
	while (i < l->n && !is_same(&l->r[i], r)) {
		i++;
	}
	return i;
}

static bool
list_add(struct list *l, const struct record *r)
{
	bool is_new = list_find(l, r) == l->n;
	if (is_new) {
		l->r[l->n++] = *r;
	}
	return is_new;
}

static bool
list_remove(struct list *l, const struct record *r)
{
	size_t i = list_find(l, r);
	if (i == l->n) {
		return false;
	}
	l->r[i] = l->r[--l->n];
	return true;
}

static const struct list served = {
	.r = { { TYPE_SOA, 0, SERVED }, { TYPE_NS, 0, 0 }, { TYPE_A, 1, 1 }, { TYPE_A, 1, 2 }, { TYPE_A, 2, 1 } }, .n = 5,
};

enum outcome { MORE, BAD, DONE };

static enum outcome
model_whole(const struct list *sent, struct list *zone)
{
	for (size_t i = 0; i < sent->n; i++) {
		if (i != 0 && sent->r[i].type == TYPE_SOA) {
			return is_same(&sent->r[i], &sent->r[0]) && i == sent->n - 1 ? DONE : BAD;
		}
		(void)list_add(zone, &sent->r[i]);
	}
	return MORE;
}

static enum outcome
model_changes(const struct list *sent, struct list *zone)
{
	uint8_t reached = SERVED;
	bool is_adding = true;
	*zone = served;
	for (size_t i = 1; i < sent->n; i++) {
		const struct record *r = &sent->r[i];
		if (r->type == TYPE_SOA && is_adding && i != 1 && reached == sent->r[0].value) {
			return is_same(r, &sent->r[0]) && i == sent->n - 1 ? DONE : BAD;
		}
		if (r->type == TYPE_SOA) {
			is_adding = !is_adding;
			if (is_adding ? !serial_is_newer(r->value, reached) : r->value != reached) {
				return BAD;
			}
			reached = r->value;
		}
		if (r->owner == OUTSIDE || !(is_adding ? list_add(zone, r) : list_remove(zone, r))) {
			return BAD;
		}
	}
	return MORE;
}

static enum outcome
model(bool is_incremental, const struct list *sent, struct list *zone, enum incoming_form *form)
{
	const struct record *first = sent->r;
	*zone = (struct list){ .n = 0 };
	*form = INCOMING_WHOLE;
	if (sent->n == 0) {
		return MORE;
	}
	if (first->type != TYPE_SOA) {
		return BAD;
	}
	if (is_incremental && !serial_is_newer(first->value, SERVED)) {
		*form = INCOMING_CURRENT;
		return sent->n == 1 ? DONE : BAD;
	}
	if (is_incremental && sent->n > 1 && sent->r[1].type == TYPE_SOA && !is_same(&sent->r[1], first)) {
		*form = INCOMING_CHANGES;
		return model_changes(sent, zone);
	}
	return model_whole(sent, zone);
}

static bool
is_zone(const struct list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->r[i].owner == OUTSIDE) {
			return false;
		}
	}
	return true;
}

/* ---- what came of it ---- */

static err_t
take_from_list(void *ctx, const struct zone_rr *rr)
{
	struct list *left = ctx;
	bool is_in_model = false;
	for (size_t i = 0; i < left->n && !is_in_model; i++) {
		uint8_t rdata[SOA_LEN];
		size_t len = write_rdata(&left->r[i], rdata);
		is_in_model = rr->type == left->r[i].type && name_is_equal(rr->owner, (const uint8_t *)owners[left->r[i].owner]) &&
		              len == rr->rdlen && memcmp(rdata, rr->rdata, len) == 0;
		if (is_in_model) {
			left->r[i] = left->r[--left->n];
		}
	}
	ASSERT(is_in_model);
	return OK;
}

static void
compare(struct incoming *in, enum incoming_form form, struct list *zone)
{
	struct zone *whole;
	struct zone_txn *changes;
	const struct zone *to = NULL;
	ASSERT(incoming_report(in)->form == form);
	err_t err = incoming_finish(in, &whole, &changes);
	if (form == INCOMING_CURRENT) {
		ASSERT(err == OK && whole == NULL && changes == NULL);
		return;
	}
	ASSERT(err == (is_zone(zone) ? OK : E_FORMAT));
	if (err == OK) {
		ASSERT(whole != NULL || zone_txn_prepare(changes, &to) == OK);
		to = whole != NULL ? whole : to;
		ASSERT(zone_walk(to, take_from_list, zone) == OK && zone->n == 0);
	}
	zone_free(&whole);
	zone_txn_rollback(&changes);
}

static struct zone *
make_served(void)
{
	struct findings f = { 0 };
	struct zone_builder *b;
	struct zone *z = NULL;
	ASSERT(zone_builder_new(apex, &f, &b) == OK);
	zone_builder_take_flaws(b);
	for (size_t i = 0; i < served.n; i++) {
		uint8_t rdata[SOA_LEN];
		const struct record *r = &served.r[i];
		size_t len = write_rdata(r, rdata);
		ASSERT(zone_builder_add(b, (const uint8_t *)owners[r->owner], r->type, TTL, rdata, (uint16_t)len) == OK);
	}
	ASSERT(zone_builder_finish(b, &z) == OK);
	zone_builder_free(&b);
	findings_fini(&f);
	return z;
}

/* ---- by records ---- */

static struct record
next_record(uint8_t a, uint8_t b)
{
	switch (a % 4) {
	case 0: return (struct record){ TYPE_SOA, 0, (uint8_t)(SERVED - 1 + b % 5) };
	case 1: return b < 128 ? (struct record){ TYPE_NS, 0, b % 2 } : (struct record){ TYPE_CNAME, (a >> 2) % OWNERS, b % 2 };
	default: return (struct record){ TYPE_A, (a >> 2) % OWNERS, b % 3 };
	}
}

static void
put_record(struct buf *b, const struct record *r)
{
	uint8_t rdata[SOA_LEN];
	size_t len = write_rdata(r, rdata);
	buf_put(b, owners[r->owner], name_len((const uint8_t *)owners[r->owner]));
	buf_u16(b, r->type);
	buf_u16(b, CLASS_IN);
	buf_u32(b, TTL);
	buf_u16(b, (uint16_t)len);
	buf_put(b, rdata, len);
}

/* One message of records, up to the end of the input or an octet that says so; returns the octets of input that it took. */
static size_t
next_message(const uint8_t *data, size_t size, struct list *sent, struct buf *b)
{
	const uint8_t header[DNS_HEADER_LEN] = { 0, 1, 0x84 };
	size_t at = 0;
	uint8_t n = 0;
	buf_rewind(b, 0);
	buf_put(b, header, sizeof header);
	while (at + 2 <= size && sent->n < STEPS_MAX && n < UINT8_MAX) {
		const struct record r = next_record(data[at], data[at + 1]);
		put_record(b, &r);
		sent->r[sent->n++] = r;
		n++;
		at += 2;
		if (data[at - 2] >= 0xC0) {
			break;
		}
	}
	b->base[7] = n;
	return at;
}

static void
run_records(struct incoming *in, bool is_incremental, const uint8_t *data, size_t size)
{
	static uint8_t wire[64 * STEPS_MAX];
	static struct list sent, zone;
	bool is_last = false;
	err_t err = OK;
	enum incoming_form form;
	sent.n = 0;
	while (err == OK && !is_last && size >= 2 && sent.n < STEPS_MAX) {
		struct buf b = buf_over(wire, sizeof wire);
		struct msg m;
		size_t n = next_message(data, size, &sent, &b);
		ASSERT(msg_parse(wire, b.len, &m) == OK);
		err = incoming_take(in, &m, &is_last);
		data += n;
		size -= n;
	}
	enum outcome outcome = model(is_incremental, &sent, &zone, &form);
	ASSERT(outcome == (err != OK ? BAD : is_last ? DONE : MORE));
	if (outcome == DONE) {
		compare(in, form, &zone);
	}
}

/* ---- raw ---- */

static void
run_raw(struct incoming *in, const uint8_t *data, size_t size)
{
	bool is_last = false;
	err_t err = OK;
	while (err == OK && !is_last && size > 2) {
		struct msg m;
		size_t n = (size_t)data[0] << 8 | data[1];
		n = n < size - 2 ? n : size - 2;
		if (msg_parse(data + 2, n, &m) != OK) {
			return;
		}
		err = incoming_take(in, &m, &is_last);
		data += 2 + n;
		size -= 2 + n;
	}
	if (err == OK && is_last) {
		struct zone *whole;
		struct zone_txn *changes;
		(void)!incoming_finish(in, &whole, &changes);
		zone_free(&whole);
		zone_txn_rollback(&changes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	bool is_incremental = (data[0] & 1) != 0, is_raw = (data[0] & 2) != 0;
	struct zone *from = make_served();
	struct incoming *in;
	const struct incoming_conf conf = { .apex = apex, .from = is_incremental ? from : NULL, .octets_max = 1 << 20, .records_max = 1000 };
	ASSERT(incoming_new(&conf, &in) == OK);
	if (is_raw) {
		run_raw(in, data + 1, size - 1);
	} else {
		run_records(in, is_incremental, data + 1, size - 1);
	}
	incoming_free(&in);
	zone_free(&from);
	return 0;
}
