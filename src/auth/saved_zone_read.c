/* Blocks of a file into a zone. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/saved_zone_p.h"
#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "zone/changes.h"
#include "zone/findings.h"

enum phase { MAGIC, HEAD, WHOLE, AFTER, CUT };

struct saved_in {
	enum phase phase;
	size_t octets_max;
	struct name apex;
	uint32_t serial, served;       /* as the head says */
	bool is_ambiguous;
	uint64_t records;              /* so far */
	struct zone_builder *builder;  /* until END */
	struct findings findings;      /* of the builder */
	struct zone *zone;             /* from END on */
	uint64_t changed_s;
	struct saved_refresh refresh;
	struct saved_mark mark;
	char why[SAVED_WHY_MAX];
	uint8_t rdata[DNS_RDATA_MAX];  /* of the record at hand */
};

struct record {
	struct name owner;             /* len 0: there was none yet */
	uint16_t type, rdlen;
	uint32_t ttl;
};

err_t
saved_in_new(size_t octets_max, struct saved_in **out)
{
	struct saved_in *in = try_alloc(sizeof *in);
	if (in == NULL) {
		return E_NOMEM;
	}
	in->octets_max = octets_max;
	*out = in;
	return OK;
}

void
saved_in_free(struct saved_in **saved)
{
	struct saved_in *in = *saved;
	if (in != NULL) {
		zone_builder_free(&in->builder);
		findings_fini(&in->findings);
		history_free_zone(&in->zone);
		free(in);
		*saved = NULL;
	}
}

const char *
saved_in_why(const struct saved_in *in)
{
	return in->why;
}

/* The error, with its reason unless there is one already, and where the block begins. */
[[gnu::format(printf, 3, 4)]] static err_t
fail(struct saved_in *in, err_t err, const char *format, ...)
{
	char text[SAVED_WHY_MAX - 40];
	if (in->why[0] != '\0') {
		return err;
	}
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	(void)snprintf(in->why, sizeof in->why, "octet %llu: %s", (unsigned long long)in->mark.len, text);
	return err;
}

/* ---- parts of blocks ---- */

/* Sets len to 0 for a name of length 0. */
static void
read_name(struct cur *c, struct name *out)
{
	size_t len = cur_u8(c), end = c->pos + len;
	out->len = 0;
	if (len != 0) {
		name_read_plain(c, out);
		if (c->pos != end) {
			cur_fail(c, E_FORMAT);
		}
	}
}

static void
read_refresh(struct cur *c, struct saved_refresh *out)
{
	struct saved_refresh r = { .at_s = cur_u48(c) };
	uint8_t state = cur_u8(c);
	r.is_withdrawn = (state & SAVED_WITHDRAWN) != 0;
	r.is_unlisted = (state & SAVED_UNLISTED) != 0;
	r.address.family = cur_u8(c);
	cur_copy(c, r.address.octets, sizeof r.address.octets);
	r.port = cur_u16(c);
	read_name(c, &r.key);
	if (r.address.family != 0 && r.address.family != 4 && r.address.family != 6) {
		cur_fail(c, E_FORMAT);
	}
	*out = r;
}

/* `r` has the record before, whose owner may count again; in->rdata gets the RDATA. */
static err_t
read_record(struct saved_in *in, struct cur *c, struct record *r)
{
	struct name owner;
	struct buf rdata = buf_over(in->rdata, sizeof in->rdata);
	read_name(c, &owner);
	if (owner.len != 0) {
		r->owner = owner;
	}
	r->type = cur_u16(c);
	bool is_in = cur_u16(c) == CLASS_IN;
	r->ttl = cur_u32(c);
	size_t rdlen = cur_u16(c);
	if (r->owner.len == 0 || !is_in || (rrtype_flags(r->type) & RRTYPE_META) != 0) {
		cur_fail(c, E_FORMAT);
	}
	if (c->err != OK || rdata_read(c, r->type, rdlen, &rdata) != OK) {
		return fail(in, E_FORMAT, "a record is malformed");
	}
	r->rdlen = (uint16_t)rdata.len;
	return OK;
}

/* ---- the whole zone ---- */

static err_t
take_head(struct saved_in *in, struct cur *c)
{
	read_name(c, &in->apex);
	in->serial = cur_u32(c);
	in->served = cur_u32(c);
	in->is_ambiguous = cur_u8(c) != 0;
	in->changed_s = cur_u48(c);
	read_refresh(c, &in->refresh);
	if (c->err != OK || cur_left(c) != 0 || in->apex.len == 0) {
		return fail(in, E_FORMAT, "the head is malformed");
	}
	TRY(zone_builder_new(in->apex.oct, &in->findings, &in->builder));
	zone_builder_limit(in->builder, in->octets_max);
	zone_builder_take_flaws(in->builder);
	in->phase = WHOLE;
	return OK;
}

static err_t
too_large(struct saved_in *in)
{
	return fail(in, E_LIMIT, "the zone takes more memory than there is (%zu octets)", in->octets_max);
}

/* An error of the builder, with its reason. */
static err_t
judge(struct saved_in *in, err_t err)
{
	return err == E_LIMIT && zone_builder_is_over_limit(in->builder) ? too_large(in) : err;
}

static err_t
take_records(struct saved_in *in, struct cur *c)
{
	struct record r = { .type = 0 };
	while (cur_left(c) != 0) {
		TRY(read_record(in, c, &r));
		TRY(judge(in, zone_builder_add(in->builder, r.owner.oct, r.type, r.ttl, in->rdata, r.rdlen)));
		in->records++;
	}
	return OK;
}

static err_t
take_end(struct saved_in *in, struct cur *c)
{
	uint64_t records = (uint64_t)cur_u32(c) << 32;
	records |= cur_u32(c);
	if (c->err != OK || cur_left(c) != 0 || records != in->records) {
		return fail(in, E_FORMAT, "records are missing");
	}
	err_t err = judge(in, zone_builder_finish(in->builder, &in->zone));
	zone_builder_free(&in->builder);
	if (err == E_FORMAT) {
		return fail(in, err, "these records are no zone: %s", in->findings.n != 0 ? in->findings.list[0].text : "");
	}
	TRY(err);
	if (in->zone->serial != in->serial) {
		return fail(in, E_FORMAT, "the serial is %u, and not %u", in->zone->serial, in->serial);
	}
	history_begin(in->zone, in->served, !in->is_ambiguous);
	in->mark.whole_len = in->mark.len;
	in->phase = AFTER;
	return OK;
}

/* ---- what came after ---- */

static err_t
change_record(struct saved_in *in, struct zone_txn *t, const struct record *r, bool is_added)
{
	err_t err = is_added ? zone_txn_add(t, r->owner.oct, r->type, r->ttl, in->rdata, r->rdlen)
	                     : zone_txn_remove(t, r->owner.oct, r->type, in->rdata, r->rdlen);
	bool is_wrong = err == E_EXISTS || err == E_NOTFOUND || err == E_RANGE;
	return is_wrong ? fail(in, E_FORMAT, "a change does not fit") : err;
}

static err_t
change(struct saved_in *in, struct zone_txn *t, struct cur *c, uint32_t removed_n, uint32_t added_n)
{
	struct record r = { .type = 0 };
	for (uint64_t i = 0; i < (uint64_t)removed_n + added_n; i++) {
		TRY(read_record(in, c, &r));
		TRY(change_record(in, t, &r, i >= removed_n));
	}
	return cur_left(c) == 0 ? OK : fail(in, E_FORMAT, "a change has octets behind its end");
}

/* The next version takes the place of the zone's, and has the step to it in its history. */
static err_t
commit(struct saved_in *in, struct zone_txn **t, uint32_t serial)
{
	struct zone_changes changes;
	struct garbage garbage = { 0 };
	const struct zone *made;
	struct zone *next;
	err_t err = zone_txn_prepare(*t, &made);
	if (err == E_FORMAT || (err == OK && made->serial != serial)) {
		return fail(in, E_FORMAT, "a change does not lead to serial %u", serial);
	}
	TRY(err);
	TRY(zone_changes_of(*t, &changes));
	err = zone_txn_commit(t, &next, &garbage);
	ASSERT(err == OK); /* it was prepared */
	history_extend(in->zone, next, &changes, &garbage);
	in->zone = next;
	zone_changes_fini(&changes);
	garbage_free(&garbage);
	return zone_octets(next) <= in->octets_max ? OK : too_large(in);
}

static err_t
take_change(struct saved_in *in, struct cur *c)
{
	[[gnu::cleanup(zone_txn_rollback)]] struct zone_txn *t = NULL;
	struct saved_refresh refresh;
	read_refresh(c, &refresh);
	uint32_t from = cur_u32(c), to = cur_u32(c), removed_n = cur_u32(c), added_n = cur_u32(c);
	if (c->err != OK || from != in->zone->serial) {
		return fail(in, E_FORMAT, "a change is malformed, or not for serial %u", in->zone->serial);
	}
	TRY(zone_txn_begin(in->zone, &t));
	TRY(change(in, t, c, removed_n, added_n));
	TRY(commit(in, &t, to));
	in->refresh = refresh;
	in->changed_s = refresh.at_s;
	return OK;
}

static err_t
take_refresh(struct saved_in *in, struct cur *c)
{
	struct saved_refresh refresh;
	read_refresh(c, &refresh);
	if (c->err != OK || cur_left(c) != 0) {
		return fail(in, E_FORMAT, "the time of a refresh is malformed");
	}
	in->refresh = refresh;
	return OK;
}

/* ---- blocks ---- */

struct block {
	enum saved_kind kind;
	const uint8_t *content;
	size_t len;
	uint8_t check[SAVED_CHECK_LEN];
};

/* Does the block make sense here?  It is good, so whoever wrote it meant it. */
static err_t
take_block(struct saved_in *in, const struct block *b)
{
	struct cur c = cur_over(b->content, b->len);
	memcpy(in->mark.check, b->check, SAVED_CHECK_LEN);
	in->mark.len += SAVED_FRAME_LEN + b->len;
	if (in->phase == HEAD) {
		return b->kind == SAVED_HEAD ? take_head(in, &c) : fail(in, E_FORMAT, "the head is missing");
	}
	if (in->phase == WHOLE && b->kind == SAVED_RECORDS) {
		return take_records(in, &c);
	}
	if (in->phase == WHOLE && b->kind == SAVED_END) {
		return take_end(in, &c);
	}
	if (in->phase == AFTER && b->kind == SAVED_CHANGE) {
		return take_change(in, &c);
	}
	if (in->phase == AFTER && b->kind == SAVED_REFRESH) {
		return take_refresh(in, &c);
	}
	return fail(in, E_FORMAT, "a block of kind %u is in the wrong place", b->kind);
}

/* What is not good ends the file, if it comes behind the whole zone; before that, the file is damaged. */
static err_t
cut_or_fail(struct saved_in *in, const char *why)
{
	if (in->phase != AFTER) {
		return fail(in, E_FORMAT, "%s", why);
	}
	in->phase = CUT;
	return OK;
}

static err_t
take_magic(struct saved_in *in, const uint8_t *bytes)
{
	enum { SAME_LEN = 12 }; /* "origin zone " */
	if (memcmp(bytes, saved_magic, SAVED_MAGIC_LEN) != 0) {
		bool is_other = memcmp(bytes, saved_magic, SAME_LEN) == 0;
		return fail(in, E_UNSUPPORTED, is_other ? "it is of another format, which another version of the program has written"
		                                        : "it is no file that keeps a zone");
	}
	in->mark.len = SAVED_MAGIC_LEN;
	in->phase = HEAD;
	return OK;
}

/* Reads the frame at the beginning; *whole: octets of the block.  E_SHORT: more octets are needed, *whole of them.  E_FORMAT: it is not
 * good. */
static err_t
read_block(const struct saved_in *in, const uint8_t *bytes, size_t len, struct block *b, size_t *whole)
{
	struct cur c = cur_over(bytes, len);
	uint8_t check[SAVED_CHECK_LEN];
	*whole = SAVED_FRAME_LEN;
	b->kind = cur_u8(&c);
	b->len = cur_u32(&c);
	cur_copy(&c, b->check, SAVED_CHECK_LEN);
	if (c.err != OK) {
		return E_SHORT;
	}
	if (b->len > SAVED_BLOCK_MAX) {
		return E_FORMAT;
	}
	*whole += b->len;
	b->content = cur_take(&c, b->len);
	if (b->content == NULL) {
		return E_SHORT;
	}
	TRY(saved_check(in->mark.check, b->kind, b->content, b->len, check));
	return memcmp(check, b->check, SAVED_CHECK_LEN) == 0 ? OK : E_FORMAT;
}

err_t
saved_in_take(struct saved_in *in, const uint8_t *bytes, size_t len, size_t *used, size_t *wanted)
{
	*used = 0;
	*wanted = SAVED_MAGIC_LEN;
	if (in->phase == MAGIC && len >= SAVED_MAGIC_LEN) {
		TRY(take_magic(in, bytes));
		*used = SAVED_MAGIC_LEN;
	}
	while (in->phase != MAGIC && in->phase != CUT) {
		struct block b;
		err_t err = read_block(in, bytes + *used, len - *used, &b, wanted);
		if (err == E_SHORT) {
			return OK;
		}
		if (err == E_FORMAT) {
			TRY(cut_or_fail(in, "the check does not fit"));
			break;
		}
		TRY(err);
		TRY(take_block(in, &b));
		*used += *wanted;
	}
	*wanted = in->phase == MAGIC ? SAVED_MAGIC_LEN : 0;
	return OK;
}

err_t
saved_in_finish(struct saved_in *in, size_t left, struct saved_zone *out)
{
	if (in->zone == NULL) {
		return fail(in, E_FORMAT, "the file ends too early");
	}
	*out = (struct saved_zone){ .zone = in->zone, .changed_s = in->changed_s, .refresh = in->refresh, .mark = in->mark,
	                            .is_cut = left != 0 };
	in->zone = NULL;
	return OK;
}
