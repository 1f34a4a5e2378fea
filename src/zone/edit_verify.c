/* Reads the edited texts again: they must be exactly the new zone.
 *
 * The quick way: each record of the text must be in the new zone, with the same TTL, and their numbers must be equal.  To notice
 * a record that is there twice while another is missing, the addresses of the records found are mixed and added up, and compared
 * with the same sum over the zone's own records.  (The mix is a bijection, so one such pair is always noticed.  Several could
 * only go unnoticed if 64 bits agreed by chance, and nobody who writes records knows their addresses in memory.) If the quick
 * way fails, a zone is built from the texts and compared: the reason may be repeated records, different TTLs within an RRset, or
 * a real difference. */
#include "dns/rdata.h"
#include "zone/edit_p.h"

enum {
	STEPS_PER_RECORD = 16, /* records that are looked at to find one, on average; with more, building a zone is quicker */
	STEPS_FREE = 1 << 16,
};

struct check {
	struct editor *e;
	const struct node *node;  /* node of the record before */
	size_t records, steps;
	uint64_t sum;
	struct zone_builder *builder; /* for the slow way */
};

/* ---- the texts ---- */

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	const struct check *c = ctx;
	struct edit_source *s;
	TRY(edit_source_open(c->e, path, &s));
	*out = s->text;
	if (s->first != NULL) {
		*out = (struct master_text){ .text = str_text(&s->edited), .len = s->edited.len };
	}
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	(void)ctx;
	(void)text; /* it stays open */
}

static void
see_trouble(void *ctx, const struct diag *d)
{
	const struct check *c = ctx;
	if (d->level == DIAG_ERROR && c->e->why->code == NULL) {
		(void)edit_fail(c->e, NULL, 0, "edit-mismatch", "", "the edited text cannot be read: %.100s:%u: %.300s", d->file, d->line,
		                d->text);
	}
}

static err_t
read_texts(struct check *c, err_t (*record)(void *ctx, const struct master_rr *rr))
{
	struct master_counts counts;
	const struct diag_sink sink = { see_trouble, c };
	struct master_reader r = *c->e->in->source;
	struct master_text own;
	r.ctx = c;
	r.record = record;
	r.open = r.open != NULL ? open_file : NULL;
	r.close = close_file;
	r.sink = &sink;
	const struct edit_source *s = c->e->sources;
	own = s->first != NULL ? (struct master_text){ .text = str_text(&s->edited), .len = s->edited.len } : s->text;
	return master_read(&r, own.text, own.len, &counts);
}

/* ---- the quick way ---- */

/* A bijection whose results look random (the end of splitmix64). */
static uint64_t
mix(const void *address)
{
	uint64_t x = (uint64_t)(uintptr_t)address;
	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

static err_t
add_of_zone(void *ctx, const struct zone_rr *rr)
{
	uint64_t *sum = ctx;
	*sum += mix(rr->rdata);
	return OK;
}

static const struct rrset *
find_set(const struct node *n, const struct master_rr *rr)
{
	if (n == NULL) {
		return NULL;
	}
	return rr->type == TYPE_RRSIG ? node_rrsigs(n, edit_covers(rr->type, rr->rdata, rr->rdlen)) : node_rrset(n, rr->type);
}

/* The RRset of a record's name and type.  Often the name is the same as before. */
static const struct rrset *
look_up(struct check *c, const struct master_rr *rr)
{
	struct nkey key;
	const struct zone *new = c->e->in->new;
	if (c->node == NULL || !name_is_equal(c->node->name, rr->owner)) {
		nkey_set(&key, rr->owner);
		c->node = trie_get(&new->nodes, &key);
	}
	const struct rrset *s = find_set(c->node, rr);
	if (s == NULL && new->nsec3.n != 0) {
		nkey_set(&key, rr->owner);
		s = find_set(trie_get(&new->nsec3, &key), rr);
	}
	return s;
}

/* E_STOPPED: the quick way fails. */
static err_t
see_record(void *ctx, const struct master_rr *rr)
{
	struct check *c = ctx;
	const struct rrset *s = look_up(c, rr);
	if (s == NULL || rrset_ttl(s) != rr->ttl || c->steps > STEPS_FREE + STEPS_PER_RECORD * c->records) {
		return E_STOPPED;
	}
	const struct rr *r = rrset_first(s);
	unsigned left = s->n;
	while (left != 0 && rdata_compare(rr->type, r->rdata, r->rdlen, rr->rdata, rr->rdlen) != 0) {
		r = rr_next(r);
		left--;
	}
	c->steps += s->n - left;
	c->records++;
	c->sum += mix(r->rdata);
	return left != 0 ? OK : E_STOPPED;
}

static err_t
check_quickly(struct editor *e)
{
	struct check c = { .e = e };
	uint64_t want = 0;
	err_t err = read_texts(&c, see_record);
	if (err == OK && c.records == e->in->new->records) {
		err = zone_walk(e->in->new, add_of_zone, &want);
		return err == OK && c.sum != want ? E_STOPPED : err;
	}
	return err == OK ? E_STOPPED : err;
}

/* ---- the slow way ---- */

static err_t
add_record(void *ctx, const struct master_rr *rr)
{
	struct check *c = ctx;
	return zone_builder_add(c->builder, rr->owner, rr->type, rr->ttl, rr->rdata, rr->rdlen);
}

static err_t
tell_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	const struct check *c = ctx;
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	name_print(rr->owner, name);
	return edit_fail(c->e, NULL, 0, "edit-mismatch", "the file is not what the zone was made of: fetch it again",
	                 "after the edit the text %s: %.200s %u %s", is_added ? "has one record too many" : "lacks a record", name, rr->ttl,
	                 rrtype_print(rr->type, type));
}

static err_t
build_and_compare(struct check *c)
{
	struct zone *made = NULL;
	TRY(read_texts(c, add_record));
	err_t err = zone_builder_finish(c->builder, &made);
	if (err == OK) {
		err = zone_diff(c->e->in->new, made, tell_difference, c);
	}
	zone_free(&made);
	return err;
}

static err_t
check_thoroughly(struct editor *e)
{
	struct check c = { .e = e };
	struct findings f = { 0 };
	TRY(zone_builder_new(e->in->source->apex, &f, &c.builder));
	err_t err = build_and_compare(&c);
	if (err == E_FORMAT && e->why->code == NULL && f.n != 0) {
		(void)edit_fail(e, NULL, 0, "edit-mismatch", f.list[0].hint, "after the edit the text is not a valid zone: %.400s",
		                f.list[0].text);
	}
	zone_builder_free(&c.builder);
	findings_fini(&f);
	return err;
}

err_t
edit_verify(struct editor *e)
{
	err_t err = check_quickly(e);
	return err == E_STOPPED ? check_thoroughly(e) : err;
}
