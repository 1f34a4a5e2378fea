/* Catalog zones of any content: what is read must be what a plain list of the same records gives. */
#include "auth/catalog_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/cur.h"
#include "dns/rrtype.h"
#include "zone/findings.h"

enum { RECORDS_MAX = 200, MEMBERS_MAX = 20, LABELS = 8, NAMES = 8 };

static const uint8_t apex[] = "\3cat\4test";
static const char *const labels[LABELS] = { "\1a", "\1A", "\3coo", "\5group", "\1*", "\7version", "\5zones", "\2id" };
static const char *const names[NAMES] = { "", "\1a", "\1A", "\1b\1a", "\3cat\4test", "\1\0", "\3coo\1x", "\1c" };

struct record {
	struct name owner;
	uint16_t type;
	uint8_t rdata[NAME_WIRE_MAX];
	uint16_t rdlen;
};

static struct record records[RECORDS_MAX];
static size_t records_n;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- records ---- */

static void
prepend(struct name *n, const char *label)
{
	struct name below = *n;
	(void)name_join((const uint8_t *)label, 1 + (size_t)(uint8_t)label[0], below.oct, n); /* too long: it stays as it is */
}

/* Of those, one to three labels: before the apex, or before "zones" there. */
static struct name
read_owner(struct cur *c)
{
	struct name n;
	uint8_t where = cur_u8(c);
	name_set(&n, apex);
	if ((where & 1) != 0) {
		prepend(&n, "\5zones");
	}
	for (unsigned i = 0; i < (where >> 1 & 3u); i++) {
		prepend(&n, labels[cur_u8(c) % LABELS]);
	}
	return n;
}

static struct record
read_record(struct cur *c)
{
	struct record r = { .owner = read_owner(c) };
	uint8_t what = cur_u8(c);
	if (what % 4 == 0) {
		r.type = TYPE_TXT;
		r.rdlen = (uint16_t)(2 + (what >> 4 & 1) * 2);
		memcpy(r.rdata, (const uint8_t[]){ 1, (uint8_t)('1' + (what >> 2 & 3)), 1, '2' }, r.rdlen);
	} else if (what % 4 == 1) {
		r.type = TYPE_A;
		r.rdlen = 4;
	} else {
		const uint8_t *name = (const uint8_t *)names[what >> 2 & (NAMES - 1)];
		r.type = TYPE_PTR;
		r.rdlen = (uint16_t)name_len(name);
		memcpy(r.rdata, name, r.rdlen);
	}
	return r;
}

/* ---- the model ---- */

static bool
is_same(const struct record *a, const struct record *b)
{
	bool is_rdata = a->type == TYPE_PTR ? name_is_equal(a->rdata, b->rdata)
	                                    : a->rdlen == b->rdlen && memcmp(a->rdata, b->rdata, a->rdlen) == 0;
	return a->type == b->type && name_is_equal(a->owner.oct, b->owner.oct) && is_rdata;
}

/* How many different records of the type the owner has; *last: one of them. */
static unsigned
count(const uint8_t *owner, uint16_t type, const struct record **last)
{
	unsigned n = 0;
	for (size_t i = 0; i < records_n; i++) {
		const struct record *r = &records[i];
		if (r->type == type && name_is_equal(r->owner.oct, owner)) {
			n++;
			*last = r;
		}
	}
	return n;
}

static bool
is_below(const struct record *r, unsigned labels_n)
{
	static const uint8_t zones[] = "\5zones\3cat\4test";
	return r->type == TYPE_PTR && name_is_within(r->owner.oct, zones) && name_labels(r->owner.oct) == 3 + labels_n;
}

static bool
has_version(void)
{
	static const uint8_t owner[] = "\7version\3cat\4test";
	const struct record *r = NULL;
	return count(owner, TYPE_TXT, &r) == 1 && r->rdlen == 2 && r->rdata[1] == '2';
}

static bool
is_coo(const struct record *r)
{
	return is_below(r, 2) && r->owner.oct[0] == 3 && octet_lower(r->owner.oct[1]) == 'c';
}

/* The members; -1: the catalog is broken. */
static int
model(const struct record *members[RECORDS_MAX])
{
	const struct record *last;
	int n = 0;
	for (size_t i = 0; i < records_n; i++) {
		const struct record *r = &records[i];
		if ((is_below(r, 1) || is_coo(r)) && count(r->owner.oct, TYPE_PTR, &last) != 1) {
			return -1;
		}
		for (int k = 0; is_below(r, 1) && k < n; k++) {
			if (name_is_equal(members[k]->rdata, r->rdata)) {
				return -1;
			}
		}
		if (is_below(r, 1)) {
			members[n++] = r;
		}
	}
	return has_version() ? n : -1;
}

static void
check_member(const struct catalog_list *l, const struct record *r)
{
	struct nkey key;
	struct name coo = r->owner;
	const struct record *next = NULL;
	nkey_set(&key, r->rdata);
	const struct catalog_member *m = trie_get(&l->members, &key);
	ASSERT(m != NULL && catalog_is_label(m->label, r->owner.oct));
	prepend(&coo, "\3coo");
	ASSERT(count(coo.oct, TYPE_PTR, &next) == (m->next != NULL));
	ASSERT(m->next == NULL || name_is_equal(m->next, next->rdata));
}

static void
check(const struct zone *z)
{
	const struct record *members[RECORDS_MAX];
	struct catalog_list l;
	char why[CATALOG_WHY_MAX];
	int n = model(members);
	err_t err = catalog_read(z, MEMBERS_MAX, &l, why);
	ASSERT((err == OK) == (why[0] == '\0') && strlen(why) < CATALOG_WHY_MAX);
	ASSERT((err == OK) == (n >= 0 && n <= MEMBERS_MAX));
	ASSERT(err == OK || l.members.n == 0);
	for (int i = 0; err == OK && i < n; i++) {
		check_member(&l, members[i]);
	}
	ASSERT(err != OK || l.members.n == (size_t)n);
	catalog_list_fini(&l);
}

/* ---- the zone ---- */

static void
add(struct zone_builder *b, const struct record *r)
{
	bool is_there = false;
	for (size_t i = 0; i < records_n; i++) {
		is_there |= is_same(&records[i], r);
	}
	if (!is_there) {
		records[records_n++] = *r;
		ASSERT(zone_builder_add(b, r->owner.oct, r->type, 0, r->rdata, r->rdlen) == OK);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t soa[22] = { 0 }, two[] = { 1, '2' };
	struct cur c = cur_over(data, size);
	struct findings f = { 0 };
	struct zone_builder *b;
	struct zone *z = NULL;
	records_n = 0;
	ASSERT(zone_builder_new(apex, &f, &b) == OK);
	ASSERT(zone_builder_add(b, apex, TYPE_SOA, 0, soa, sizeof soa) == OK);
	ASSERT(zone_builder_add(b, apex, TYPE_NS, 0, name_root, 1) == OK);
	if (cur_u8(&c) % 4 != 0) { /* else the input has to find it */
		struct record version = { .type = TYPE_TXT, .rdlen = sizeof two };
		name_set(&version.owner, (const uint8_t *)"\7version\3cat\4test");
		memcpy(version.rdata, two, sizeof two);
		add(b, &version);
	}
	while (cur_left(&c) != 0 && records_n < RECORDS_MAX) {
		const struct record r = read_record(&c);
		add(b, &r);
	}
	if (zone_builder_finish(b, &z) == OK) { /* PTR and others beside a CNAME, say, are no zone */
		check(z);
	}
	zone_builder_free(&b);
	findings_fini(&f);
	zone_free(&z);
	return 0;
}
