/* The editor of master files: any text that is a zone, and any update of it.  The input is cut at octets 0xFF: the first piece is the
 * update, a little program; the second the zone's text; the others are files "1", "2", ... that it may include.  The edited texts must
 * say the new zone, and lines without a record concerned must be there in order.  Nothing is refused but for a file that may not
 * be edited. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "kept_lines.h"
#include "zone/edit.h"

enum { PIECES_MAX = 6, RECORDS_MAX = 600, OPS_MAX = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t apex[] = "\7example";

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* ---- files ---- */

struct piece {
	const char *text;
	size_t len;
};

/* piece[0] is the zone's own file, "0". */
struct files {
	struct piece piece[PIECES_MAX];
	size_t n, opened, closed;
	size_t times[PIECES_MAX]; /* that each was opened since load() began */
	struct zone_builder *builder;
	size_t records;
};

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct files *f = ctx;
	size_t i = (size_t)(path[0] - '0');
	if (path[1] != '\0' || i >= f->n) {
		return E_NOTFOUND;
	}
	f->opened++;
	f->times[i]++;
	char *copy = malloc(f->piece[i].len + 1); /* so that a use after the close is seen */
	check(copy != NULL);
	memcpy(copy, f->piece[i].text, f->piece[i].len);
	*out = (struct master_text){ .text = copy, .len = f->piece[i].len, .handle = copy };
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	struct files *f = ctx;
	f->closed++;
	free(text->handle);
}

static bool
may_edit(void *ctx, const char *path)
{
	(void)ctx;
	return path[0] % 2 == 0; /* "1" is shared, "2" is not */
}

/* Is there a file that may not be edited, or is included twice? */
static bool
may_be_refused(const struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const char path[] = { (char)('0' + i), '\0' };
		if (f->times[i] > 1 || (f->times[i] == 1 && !may_edit(NULL, path))) {
			return true;
		}
	}
	return false;
}

static struct master_reader
reader(struct files *f)
{
	return (struct master_reader){ .apex = apex, .file = "0", .ctx = f, .open = open_file, .close = close_file };
}

static err_t
build(void *ctx, const struct master_rr *rr)
{
	struct files *f = ctx;
	if (++f->records > RECORDS_MAX) {
		return E_STOPPED;
	}
	return zone_builder_add(f->builder, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
}

/* NULL: no zone, or too large. */
static struct zone *
load(struct files *f)
{
	struct zone *z = NULL;
	struct findings findings = { 0 };
	struct master_counts counts;
	struct master_reader r = reader(f);
	r.record = build;
	f->records = f->opened = f->closed = 0;
	memset(f->times, 0, sizeof f->times);
	check(zone_builder_new(apex, &findings, &f->builder) == OK);
	if (master_read(&r, f->piece[0].text, f->piece[0].len, &counts) == OK) {
		err_t err = zone_builder_finish(f->builder, &z);
		check((err == OK) == (z != NULL));
	}
	check(f->opened == f->closed);
	zone_builder_free(&f->builder);
	findings_fini(&findings);
	return z;
}

/* ---- updates ---- */

struct records {
	struct zone_rr rr[RECORDS_MAX];
	size_t n;
};

static err_t
gather(void *ctx, const struct zone_rr *rr)
{
	struct records *r = ctx;
	check(r->n < RECORDS_MAX);
	r->rr[r->n++] = *rr;
	return OK;
}

static const struct zone_rr *
any_record(struct cur *program, const struct records *r)
{
	return &r->rr[cur_u16(program) % r->n];
}

/* The owner of some record, maybe with a label before it. */
static void
any_owner(struct cur *program, const struct records *r, struct name *out)
{
	static const char *const labels[] = { "a", "*", "zz.y", "\\$", "q\\.r\\032\\\"", "M", "in", "a6", "3600", "@" };
	uint8_t which = cur_u8(program);
	const uint8_t *parent = any_record(program, r)->owner;
	name_set(out, parent);
	if (which % 2 != 0) {
		const char *label = labels[(which / 2) % ARRAY_LEN(labels)];
		(void)!name_parse(label, strlen(label), parent, out);
	}
}

static void
add_text(struct cur *program, struct zone_txn *t, const uint8_t *owner, uint32_t ttl)
{
	static const struct {
		uint16_t type;
		const char *rdata;
	} data[] = {
		{ TYPE_A, "192.0.2.1" }, { TYPE_A, "192.0.2.2" }, { TYPE_TXT, "\"; x\" y" }, { TYPE_MX, "10 a" }, { TYPE_CNAME, "b" },
		{ TYPE_NS, "c.example." }, { TYPE_HTTPS, "1 . alpn=h2" }, { 42, "" }, { 65400, "\\# 2 0102" }, { TYPE_CAA, "0 a \"b\"" },
		{ TYPE_TLSA, "3 0 0 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF" }, { 10, "\\# 0" },
	};
	uint8_t octets[200];
	struct buf b = buf_over(octets, sizeof octets);
	struct lex lx;
	size_t i = cur_u8(program) % ARRAY_LEN(data);
	lex_init(&lx, data[i].rdata, strlen(data[i].rdata));
	lx.at_line_start = false;
	check(rdata_parse(&lx, data[i].type, apex, &b, NULL) == OK);
	(void)!zone_txn_add(t, owner, data[i].type, ttl, octets, (uint16_t)b.len);
}

static void
run_op(struct cur *program, struct zone_txn *t, const struct records *r)
{
	static const uint32_t ttls[] = { 0, 60, 3600, 86400, 77 };
	uint8_t op = cur_u8(program), which = cur_u8(program);
	struct name owner;
	uint32_t ttl = which % 2 != 0 ? any_record(program, r)->ttl : ttls[(which / 2) % ARRAY_LEN(ttls)];
	const struct zone_rr *rr = any_record(program, r);
	switch (op % 5) {
	case 0:
		(void)!zone_txn_remove(t, rr->owner, rr->type, rr->rdata, rr->rdlen);
		break;
	case 1: /* another TTL */
		(void)!zone_txn_add(t, rr->owner, rr->type, ttl, rr->rdata, rr->rdlen);
		break;
	case 2: /* data that the text has elsewhere */
		any_owner(program, r, &owner);
		(void)!zone_txn_add(t, owner.oct, rr->type, ttl, rr->rdata, rr->rdlen);
		break;
	case 3: /* others in the place of it */
		(void)!zone_txn_remove(t, rr->owner, rr->type, rr->rdata, rr->rdlen);
		add_text(program, t, rr->owner, ttl);
		break;
	default:
		any_owner(program, r, &owner);
		add_text(program, t, owner.oct, ttl);
	}
}

/* With another serial, and maybe other timers. */
static void
change_soa(struct cur *program, struct zone_txn *t, const struct zone *z)
{
	const struct rr *rr = rrset_first(z->soa);
	uint8_t rdata[600];
	memcpy(rdata, rr->rdata, rr->rdlen);
	rdata[rr->rdlen - 17]++;
	rdata[rr->rdlen - 1] = (uint8_t)(rdata[rr->rdlen - 1] + cur_u8(program) % 2);
	(void)!zone_txn_remove(t, z->apex_name, TYPE_SOA, rr->rdata, rr->rdlen);
	(void)!zone_txn_add(t, z->apex_name, TYPE_SOA, rrset_ttl(z->soa), rdata, rr->rdlen);
}

/* NULL: what came out would be no zone. */
static struct zone *
update(struct cur *program, const struct zone *old, struct garbage *garbage)
{
	static struct records r;
	struct zone_txn *t = NULL;
	struct zone *new = NULL;
	r.n = 0;
	check(zone_walk(old, gather, &r) == OK);
	check(zone_txn_begin(old, &t) == OK);
	if (cur_u8(program) % 4 != 0) {
		change_soa(program, t, old);
	}
	for (size_t ops = 0; ops < OPS_MAX && cur_left(program) != 0; ops++) {
		run_op(program, t, &r);
	}
	if (zone_txn_commit(&t, &new, garbage) != OK) {
		zone_txn_rollback(&t);
		return NULL;
	}
	return new;
}

/* ---- an edit ---- */

static err_t
see_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)ctx;
	(void)is_added;
	(void)rr;
	return E_FORMAT;
}

static void
check_edit(struct files *f, const struct edit *e, const struct zone *new, const struct zone_changes *changes)
{
	struct files after = *f;
	for (size_t i = 0; i < e->n; i++) {
		struct piece *p = &after.piece[e->files[i].path[0] - '0'];
		*p = (struct piece){ e->files[i].text, e->files[i].len };
	}
	struct zone *z = load(&after);
	if (z == NULL && after.records > RECORDS_MAX) {
		return;
	}
	check(z != NULL && zone_diff(new, z, see_difference, NULL) == OK);
	const struct master_reader before = reader(f);
	check(kept_lines_are_there(&before, (struct kept_text){ f->piece[0].text, f->piece[0].len },
	                           (struct kept_text){ after.piece[0].text, after.piece[0].len }, changes));
	zone_free(&z);
}

static void
run(struct files *f, const struct zone *old, const struct zone *new)
{
	struct zone_changes changes;
	struct edit e = { 0 };
	struct diag why;
	const struct master_reader r = reader(f);
	check(zone_changes_find(old, new, SIZE_MAX, &changes) == OK);
	const struct edit_in in = { .source = &r, .text = f->piece[0].text, .len = f->piece[0].len, .old = old, .new = new,
		                    .changes = &changes, .may_edit = may_edit };
	bool may_refuse = may_be_refused(f);
	f->opened = f->closed = 0;
	err_t err = edit_zone(&in, &e, &why);
	check(f->opened == f->closed);
	if (err == OK) {
		check_edit(f, &e, new, &changes);
	} else {
		check(err == E_FORMAT && may_refuse && why.code != NULL);
	}
	edit_fini(&e);
	zone_changes_fini(&changes);
}

static void
check_new_zone(const struct zone *z)
{
	struct str text = { 0 };
	check(edit_new_zone(z, &text) == OK);
	struct files f = { .piece = { { text.s, text.len } }, .n = 1 };
	struct zone *again = load(&f);
	check(again != NULL && zone_diff(z, again, see_difference, NULL) == OK);
	zone_free(&again);
	str_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct files f = { .n = 0 };
	const char *at = (const char *)data, *end = at + size, *cut = memchr(at, 0xFF, size);
	if (cut == NULL) {
		return 0;
	}
	struct cur program = cur_over(data, (size_t)(cut - at));
	for (at = cut + 1; f.n < PIECES_MAX; at = cut + 1) {
		cut = memchr(at, 0xFF, (size_t)(end - at));
		f.piece[f.n++] = (struct piece){ at, (size_t)((cut != NULL ? cut : end) - at) };
		if (cut == NULL) {
			break;
		}
	}
	struct garbage garbage = { 0 };
	struct zone *old = load(&f);
	if (old == NULL) {
		return 0;
	}
	struct zone *new = update(&program, old, &garbage);
	if (new == NULL) {
		zone_free(&old);
		return 0;
	}
	run(&f, old, new);
	check_new_zone(new);
	garbage_free(&garbage); /* the old zone with it */
	zone_free(&new);
	return 0;
}
