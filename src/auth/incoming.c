#include "auth/incoming.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/secret.h"
#include "dns/serial.h"
#include "zone/findings.h"

enum {
	SOA_MAX = 2 * NAME_WIRE_MAX + 20,
	WHY_MAX = 400,
	NAME_SHOWN_MAX = 120,
	RECORD_OCTETS = 64,         /* of memory that a record of changes takes, beside its octets in the message */
	SMALL_CHANGES = 256 * 1024, /* octets of changes that are taken however little memory is left: they may well make zones smaller */
};

enum phase { FIRST, SECOND, WHOLE, REMOVED, ADDED, END };

struct incoming {
	struct incoming_conf conf;
	struct name apex;             /* what conf.apex points to */
	struct incoming_report report;
	enum phase phase;
	uint8_t soa[SOA_MAX];         /* RDATA of the first record, which is also the last */
	size_t soa_len;
	uint32_t soa_ttl;
	uint32_t reached;             /* the serial that the sequences so far lead to */
	struct zone_builder *builder; /* of a whole zone */
	struct zone_txn *txn;         /* of changes */
	struct findings findings;     /* of the builder */
	bool is_over_limit;           /* octets_max */
	char why[WHY_MAX];
	uint8_t rdata[UINT16_MAX];    /* of the record at hand */
};

/* The record at hand, as the functions below take it. */
struct record {
	const uint8_t *owner;
	uint16_t type, rdlen;
	uint32_t ttl;
	const uint8_t *rdata;
	uint32_t serial; /* of a SOA record */
};

err_t
incoming_new(const struct incoming_conf *conf, struct incoming **out)
{
	struct incoming *in = try_alloc(sizeof *in);
	if (in == NULL) {
		return E_NOMEM;
	}
	in->conf = *conf;
	name_set(&in->apex, conf->apex);
	in->conf.apex = in->apex.oct;
	*out = in;
	return OK;
}

void
incoming_free(struct incoming **incoming)
{
	struct incoming *in = *incoming;
	if (in != NULL) {
		zone_builder_free(&in->builder);
		zone_txn_rollback(&in->txn);
		findings_fini(&in->findings);
		free(in);
		*incoming = NULL;
	}
}

const char *
incoming_why(const struct incoming *in)
{
	return in->why;
}

const struct incoming_report *
incoming_report(const struct incoming *in)
{
	return &in->report;
}

/* ---- reasons ---- */

[[gnu::format(printf, 3, 4)]] static err_t
fail(struct incoming *in, err_t err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(in->why, sizeof in->why, format, args);
	va_end(args);
	return err;
}

/* The same, about a record: "www.example.org. A: …". */
static err_t
fail_at(struct incoming *in, err_t err, const struct record *r, const char *text)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	name_print(r->owner, owner);
	return fail(in, err, "%.*s %s: %s", NAME_SHOWN_MAX, owner, rrtype_print(r->type, type), text);
}

/* ---- a whole zone ---- */

/* An error of the builder, with its reason. */
static err_t
judge_whole(struct incoming *in, err_t err)
{
	in->is_over_limit = err == E_LIMIT && zone_builder_is_over_limit(in->builder);
	return in->is_over_limit ? fail(in, err, "the zone takes more than %zu octets of memory", in->conf.octets_max) : err;
}

static err_t
add_to_whole(struct incoming *in, const struct record *r)
{
	return judge_whole(in, zone_builder_add(in->builder, r->owner, r->type, r->ttl, r->rdata, r->rdlen));
}

static struct record
first_soa(const struct incoming *in)
{
	return (struct record){ .owner = in->apex.oct, .type = TYPE_SOA, .ttl = in->soa_ttl, .rdata = in->soa,
		                .rdlen = (uint16_t)in->soa_len, .serial = in->report.serial };
}

static err_t
begin_whole(struct incoming *in)
{
	const struct record soa = first_soa(in);
	TRY(zone_builder_new(in->apex.oct, &in->findings, &in->builder));
	zone_builder_take_flaws(in->builder);
	zone_builder_limit(in->builder, in->conf.octets_max);
	in->report.form = INCOMING_WHOLE;
	in->phase = WHOLE;
	return add_to_whole(in, &soa);
}

/* ---- changes ---- */

/* An error of the transaction as the caller wants it. */
static err_t
judge_change(struct incoming *in, const struct record *r, err_t err)
{
	switch (err) {
	case E_NOTFOUND: return fail_at(in, E_STALE, r, "is to be removed and is not there");
	case E_EXISTS: return fail_at(in, E_STALE, r, "is to be added and is there already");
	case E_RANGE: return fail_at(in, E_FORMAT, r, "is not in the zone");
	default: return err;
	}
}

static err_t
remove_record(struct incoming *in, const struct record *r)
{
	return judge_change(in, r, zone_txn_remove(in->txn, r->owner, r->type, r->rdata, r->rdlen));
}

static err_t
add_record(struct incoming *in, const struct record *r)
{
	if (secret_is_record(r->type, r->rdata, r->rdlen)) { /* as the builder does with a whole zone */
		return fail_at(in, E_FORMAT, r, "has the algorithm number of an HMAC: it would publish a secret");
	}
	return judge_change(in, r, zone_txn_add(in->txn, r->owner, r->type, r->ttl, r->rdata, r->rdlen));
}

static err_t
begin_changes(struct incoming *in, const struct record *soa)
{
	TRY(zone_txn_begin(in->conf.from, &in->txn));
	in->report.form = INCOMING_CHANGES;
	in->phase = REMOVED;
	in->reached = soa->serial;
	return remove_record(in, soa);
}

/* The SOA between the removed and the added records of a sequence. */
static err_t
take_new_soa(struct incoming *in, const struct record *soa)
{
	if (!serial_is_newer(soa->serial, in->reached)) {
		return fail(in, E_STALE, "the changes lead from serial %u to %u", in->reached, soa->serial);
	}
	in->reached = soa->serial;
	in->phase = ADDED;
	return add_record(in, soa);
}

/* ---- the order of records ---- */

static bool
is_first_soa(const struct incoming *in, const struct record *soa)
{
	return rdata_compare(TYPE_SOA, soa->rdata, soa->rdlen, in->soa, in->soa_len) == 0;
}

static err_t
take_last_soa(struct incoming *in, const struct record *soa)
{
	if (!is_first_soa(in, soa)) {
		return fail(in, E_FORMAT, "the last SOA record (serial %u) is not the first one (serial %u)", soa->serial,
		            in->report.serial);
	}
	in->phase = END;
	return OK;
}

static err_t
take_first(struct incoming *in, const struct record *r)
{
	if (r->type != TYPE_SOA) {
		return fail_at(in, E_FORMAT, r, "the first record is to be the SOA");
	}
	memcpy(in->soa, r->rdata, r->rdlen);
	in->soa_len = r->rdlen;
	in->soa_ttl = r->ttl;
	in->report.serial = r->serial;
	in->report.has_serial = true;
	if (in->conf.from == NULL) {
		return begin_whole(in);
	}
	bool is_newer = serial_is_newer(r->serial, in->conf.from->serial);
	in->report.form = is_newer ? INCOMING_UNKNOWN : INCOMING_CURRENT;
	in->phase = is_newer ? SECOND : END;
	return OK;
}

static err_t
take_in_whole(struct incoming *in, const struct record *r)
{
	return r->type == TYPE_SOA ? take_last_soa(in, r) : add_to_whole(in, r);
}

static err_t
take_second(struct incoming *in, const struct record *r)
{
	if (r->type == TYPE_SOA && r->serial == in->conf.from->serial) {
		return begin_changes(in, r);
	}
	if (r->type == TYPE_SOA && !is_first_soa(in, r)) {
		return fail(in, E_STALE, "the changes begin at serial %u, and %u was asked for", r->serial, in->conf.from->serial);
	}
	TRY(begin_whole(in));
	return take_in_whole(in, r);
}

static err_t
take_removed(struct incoming *in, const struct record *r)
{
	return r->type == TYPE_SOA ? take_new_soa(in, r) : remove_record(in, r);
}

static err_t
take_added(struct incoming *in, const struct record *r)
{
	if (r->type != TYPE_SOA) {
		return add_record(in, r);
	}
	if (in->reached == in->report.serial) {
		return take_last_soa(in, r);
	}
	if (r->serial != in->reached) {
		return fail(in, E_STALE, "a sequence of changes begins at serial %u, and the one before ends at %u", r->serial,
		            in->reached);
	}
	in->phase = REMOVED;
	return remove_record(in, r);
}

static err_t
take_in_order(struct incoming *in, const struct record *r)
{
	switch (in->phase) {
	case FIRST: return take_first(in, r);
	case SECOND: return take_second(in, r);
	case WHOLE: return take_in_whole(in, r);
	case REMOVED: return take_removed(in, r);
	case ADDED: return take_added(in, r);
	default: return fail_at(in, E_FORMAT, r, "comes after the end of the transfer");
	}
}

/* ---- records and messages ---- */

static err_t
check_soa(struct incoming *in, struct record *r)
{
	struct soa soa;
	if (!name_is_equal(r->owner, in->apex.oct)) {
		return fail_at(in, E_FORMAT, r, "is the SOA record of another zone");
	}
	TRY(rdata_read_soa(r->rdata, r->rdlen, &soa));
	r->serial = soa.serial;
	return OK;
}

static err_t
take_record(struct incoming *in, const struct msg *m, const uint8_t *owner, const struct msg_rr *rr)
{
	struct record r = { .owner = owner, .type = rr->type, .ttl = rr->ttl };
	struct cur c = cur_over(m->wire, m->len);
	struct buf rdata = buf_over(in->rdata, sizeof in->rdata);
	c.pos = rr->rdata_at;
	if (++in->report.records > in->conf.records_max) {
		return fail(in, E_LIMIT, "the transfer has more than %zu records", in->conf.records_max);
	}
	if (rr->rrclass != CLASS_IN || (rrtype_flags(rr->type) & RRTYPE_META) != 0) {
		return fail_at(in, E_FORMAT, &r, "cannot be in a zone of class IN");
	}
	if (rdata_read(&c, rr->type, rr->rdlength, &rdata) != OK) {
		return fail_at(in, E_FORMAT, &r, "has malformed data");
	}
	r.rdata = in->rdata;
	r.rdlen = (uint16_t)rdata.len;
	if (r.type == TYPE_SOA) {
		TRY(check_soa(in, &r));
	}
	return take_in_order(in, &r);
}

/* A transaction has no limit of its own, so what it takes is estimated: else changes without end would take all memory. */
static size_t
changes_octets(const struct incoming *in)
{
	return in->report.octets + in->report.records * RECORD_OCTETS;
}

static err_t
check_changes(struct incoming *in)
{
	size_t octets = changes_octets(in);
	if (in->report.form == INCOMING_CHANGES && octets > SMALL_CHANGES && octets > in->conf.octets_max) {
		in->is_over_limit = true;
		return fail(in, E_LIMIT, "the changes take more than %zu octets of memory", in->conf.octets_max);
	}
	return OK;
}

void
incoming_limit(struct incoming *in, size_t octets_max)
{
	in->conf.octets_max = octets_max;
	if (in->builder != NULL) {
		zone_builder_limit(in->builder, octets_max);
	}
}

size_t
incoming_octets(const struct incoming *in)
{
	return in->builder != NULL ? zone_builder_octets(in->builder) : in->txn != NULL ? changes_octets(in) : 0;
}

bool
incoming_is_over_limit(const struct incoming *in)
{
	return in->is_over_limit;
}

err_t
incoming_take(struct incoming *in, const struct msg *m, bool *is_last)
{
	struct cur c = cur_over(m->wire, m->len);
	c.pos = m->rr_at[1];
	in->report.messages++;
	in->report.octets += m->len;
	if (m->count[1] == 0) { /* a peer could send such messages for ever */
		return fail(in, E_FORMAT, "a message of the transfer has no records");
	}
	for (unsigned i = 0; i < m->count[1]; i++) {
		struct name owner;
		struct msg_rr rr;
		TRY(msg_read_rr(&c, &owner, &rr));
		TRY(take_record(in, m, owner.oct, &rr));
	}
	TRY(check_changes(in));
	*is_last = in->phase == END;
	return OK;
}

/* ---- the result ---- */

static err_t
finish_whole(struct incoming *in, struct zone **out)
{
	err_t err = judge_whole(in, zone_builder_finish(in->builder, out));
	for (size_t i = 0; err == E_FORMAT && in->why[0] == '\0' && i < in->findings.n; i++) {
		if (in->findings.list[i].level == DIAG_ERROR) {
			(void)fail(in, err, "%s", in->findings.list[i].text);
		}
	}
	return err;
}

static err_t
finish_changes(struct incoming *in, struct zone_txn **out)
{
	const struct zone *to;
	err_t err = zone_txn_prepare(in->txn, &to);
	if (err == E_FORMAT) {
		return fail(in, err, "the changes would not lead to a valid zone");
	}
	TRY(err);
	*out = in->txn;
	in->txn = NULL;
	return OK;
}

err_t
incoming_finish(struct incoming *in, struct zone **whole, struct zone_txn **changes)
{
	ASSERT(in->phase == END);
	*whole = NULL;
	*changes = NULL;
	switch (in->report.form) {
	case INCOMING_WHOLE: return finish_whole(in, whole);
	case INCOMING_CHANGES: return finish_changes(in, changes);
	default: return OK;
	}
}
