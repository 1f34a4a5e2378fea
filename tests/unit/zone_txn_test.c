#include "zone_text.h"

#include "base/alloc.h"
#include "zone/changes.h"

/* The plain model: a list of records. */
enum { MODEL_MAX = 400 };
struct model {
	struct text_rr rr[MODEL_MAX];
	size_t n;
};

static size_t
below(unsigned *seed, size_t n)
{
	return (size_t)rand_r(seed) % n;
}

static uint16_t
covers_of(const struct text_rr *rr)
{
	return node_rr_covers(&(struct node_rr){ .type = rr->type, .rdlen = rr->rdlen, .rdata = rr->rdata });
}

static bool
is_same_set(const struct text_rr *a, const struct text_rr *b)
{
	return a->type == b->type && covers_of(a) == covers_of(b) && name_is_equal(a->owner.oct, b->owner.oct);
}

static size_t
model_find(const struct model *m, const struct text_rr *rr)
{
	size_t i = 0;
	while (i < m->n && !(is_same_set(&m->rr[i], rr) &&
	                     rdata_compare(rr->type, rr->rdata, rr->rdlen, m->rr[i].rdata, m->rr[i].rdlen) == 0)) {
		i++;
	}
	return i;
}

static void
model_add(struct model *m, const struct text_rr *rr)
{
	size_t i = model_find(m, rr);
	if (i == m->n) {
		assert_true(m->n < MODEL_MAX);
		m->rr[m->n++] = *rr;
	}
	for (i = 0; i < m->n; i++) {
		if (is_same_set(&m->rr[i], rr)) {
			m->rr[i].ttl = rr->ttl;
		}
	}
}

static struct zone *
model_build(const struct model *m)
{
	struct findings f = { 0 };
	struct zone_builder *b = NULL;
	struct zone *z = NULL;
	assert_int_equal(zone_builder_new(example, &f, &b), OK);
	for (size_t i = 0; i < m->n; i++) {
		const struct text_rr *rr = &m->rr[i];
		assert_int_equal(zone_builder_add(b, rr->owner.oct, rr->type, rr->ttl, rr->rdata, rr->rdlen), OK);
	}
	assert_int_equal(zone_builder_finish(b, &z), OK);
	assert_int_equal(f.n, 0);
	zone_builder_free(&b);
	findings_fini(&f);
	return z;
}

static void
assert_same_tries(const struct trie *a, const struct trie *b)
{
	struct trie_iter ai, bi;
	const struct node *an, *bn;
	assert_int_equal(a->n, b->n);
	trie_iter_first(&ai, a);
	trie_iter_first(&bi, b);
	while ((an = trie_iter_next(&ai)) != NULL) {
		bn = trie_iter_next(&bi);
		char name[NAME_TEXT_MAX];
		name_print(an->name, name);
		if (an->flags != bn->flags) {
			fail_msg("%s: flags %x, not %x", name, an->flags, bn->flags);
		}
		assert_int_equal(an->size, bn->size);
		assert_memory_equal(an, bn, an->size);
	}
	assert_null(trie_iter_next(&bi));
}

static size_t
node_octets(const struct trie *t)
{
	struct trie_iter it;
	const struct node *n;
	size_t octets = 0;
	trie_iter_first(&it, t);
	while ((n = trie_iter_next(&it)) != NULL) {
		octets += alloc_octets(n->size);
	}
	return octets;
}

/* Names, flags, records and all that follows from the apex. */
static void
assert_same_zone(const struct zone *a, const struct zone *b)
{
	assert_same_tries(&a->nodes, &b->nodes);
	assert_same_tries(&a->nsec3, &b->nsec3);
	assert_int_equal(a->records, b->records);
	assert_int_equal(a->node_octets, node_octets(&a->nodes) + node_octets(&a->nsec3));
	assert_int_equal(zone_octets(a), zone_octets(b));
	assert_int_equal(a->serial, b->serial);
	assert_int_equal(a->negative_ttl, b->negative_ttl);
	assert_memory_equal(&a->ready_soa, &b->ready_soa, sizeof a->ready_soa);
	assert_int_equal(a->is_signed, b->is_signed);
	assert_int_equal(a->has_nsec3, b->has_nsec3);
	assert_memory_equal(&a->nsec3_param, &b->nsec3_param, sizeof a->nsec3_param);
	assert_ptr_equal(a->apex, zone_node(a, a->apex_name));
	assert_ptr_equal(a->soa, node_rrset(a->apex, TYPE_SOA));
	assert_ptr_equal(a->ns, node_rrset(a->apex, TYPE_NS));
	assert_memory_equal(a->apex_name, b->apex_name, a->apex_len);
}

/* What the transaction says that it changes is what a walk through both versions finds. */
static void
assert_same_changes(struct zone_txn *t, const struct zone *old)
{
	struct zone_changes said, found;
	const struct zone *new;
	bool is_effective;
	assert_int_equal(zone_txn_is_effective(t, &is_effective), OK);
	assert_int_equal(zone_txn_prepare(t, &new), OK);
	assert_int_equal(zone_changes_of(t, &said), OK);
	assert_int_equal(zone_changes_find(old, new, SIZE_MAX, &found), OK);
	assert_int_equal(said.n, found.n);
	assert_int_equal(is_effective, found.n != 0);
	for (size_t i = 0; i < said.n; i++) {
		const struct zone_rr *a = &said.list[i].rr, *b = &found.list[i].rr;
		assert_int_equal(said.list[i].is_added, found.list[i].is_added);
		assert_ptr_equal(a->rdata, b->rdata);
		assert_ptr_equal(a->owner, b->owner);
		assert_int_equal(a->ttl, b->ttl);
	}
	zone_changes_fini(&said);
	zone_changes_fini(&found);
}

/* Few names, deep and near each other, so that cuts, wildcards and empty names come and go everywhere. */
static struct text_rr
random_rr(unsigned *seed)
{
	static const char *const rdata[] = {
		"A 192.0.2.%u", "A 192.0.2.%u", "A 192.0.2.%u", "NS ns%u", "NS ns%u", "NS ns%u.a.net.", "MX %u mx.b.a.net.", "DNAME d.test.", "TXT \"%u\"",
		"MX %u mail", "RRSIG A 13 2 300 20300101000000 20200101000000 %u example. AAAA",
		"RRSIG NSEC3 13 2 300 20300101000000 20200101000000 %u example. AAAA",
		"NSEC3 1 1 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A",
	};
	static const char *const labels[] = { "a", "b", "*", "c" };
	char line[200] = "", format[160];
	size_t depth = 1 + below(seed, 5);
	for (size_t i = 0; i < depth; i++) {
		strcat(line, labels[below(seed, ARRAY_LEN(labels) - (i % 2))]);
		strcat(line, i + 1 < depth ? "." : "");
	}
	strcpy(format, rdata[below(seed, ARRAY_LEN(rdata))]);
	char data[160];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(data, sizeof data, format, (unsigned)below(seed, 3) + 1);
#pragma GCC diagnostic pop
	snprintf(line + strlen(line), sizeof line - strlen(line), " %u %s", below(seed, 4) == 0 ? 60u : 300u, data);
	return text_rr(line, example);
}

static bool
may_be_added(const struct model *m, const struct text_rr *rr)
{
	for (size_t i = 0; rr->type == TYPE_DNAME && i < m->n; i++) {
		if (is_same_set(&m->rr[i], rr) && model_find(m, rr) == m->n) {
			return false;
		}
	}
	return m->n < MODEL_MAX;
}

static void
random_add(unsigned *seed, struct zone_txn *t, struct model *m)
{
	struct text_rr rr = random_rr(seed);
	if (!may_be_added(m, &rr)) {
		return;
	}
	size_t i = model_find(m, &rr);
	bool is_there = i < m->n;
	err_t err = zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen);
	if (!is_there) {
		assert_int_equal(err, OK); /* the reverse need not hold: another TTL changes the set */
	}
	model_add(m, &rr);
}

static void
random_remove(unsigned *seed, struct zone_txn *t, struct model *m)
{
	struct text_rr rr = random_rr(seed);
	if (below(seed, 4) != 0 && m->n > 5) {
		rr = m->rr[4 + below(seed, m->n - 4)]; /* not the apex's */
	}
	size_t i = model_find(m, &rr);
	err_t err = zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen);
	assert_int_equal(err, i < m->n ? OK : E_NOTFOUND);
	if (i < m->n) {
		m->rr[i] = m->rr[--m->n];
	}
}

static err_t
count_one(void *ctx, const struct zone_rr *rr)
{
	(void)rr;
	(*(size_t *)ctx)++;
	return OK;
}

/* How many records of a name and type there are, whether or not the name has been changed. */
static void
assert_counts(unsigned *seed, struct zone_txn *t, const struct model *m)
{
	const struct text_rr rr = random_rr(seed);
	size_t want = 0, all = 0, n, told = 0;
	for (size_t i = 0; i < m->n; i++) {
		bool is_here = name_is_equal(m->rr[i].owner.oct, rr.owner.oct);
		want += is_here && m->rr[i].type == rr.type;
		all += is_here;
	}
	assert_int_equal(zone_txn_count(t, rr.owner.oct, rr.type, &n), OK);
	assert_int_equal(n, want);
	assert_int_equal(zone_txn_each(t, rr.owner.oct, rr.type, count_one, &told), OK);
	assert_int_equal(told, want);
	assert_int_equal(zone_txn_count(t, rr.owner.oct, TYPE_ANY, &n), OK);
	assert_int_equal(n, all);
}

static void
change_serial(struct zone_txn *t, struct model *m, unsigned serial)
{
	char line[120];
	const struct text_rr *old = &m->rr[0];
	assert_int_equal(zone_txn_remove(t, old->owner.oct, old->type, old->rdata, old->rdlen), OK);
	snprintf(line, sizeof line, "@ 3600 SOA ns1 hostmaster %u 7200 3600 1209600 %u", serial, serial % 5000);
	m->rr[0] = text_rr(line, example);
	assert_int_equal(zone_txn_add(t, m->rr[0].owner.oct, TYPE_SOA, 3600, m->rr[0].rdata, m->rr[0].rdlen), OK);
}

static void
model_text(struct model *m, const char *text)
{
	const char *line;
	while ((line = text_line(&text)) != NULL) {
		struct text_rr rr = text_rr(line, example);
		model_add(m, &rr);
	}
}

/* Each version equals the zone built anew of its records; the version before stays as it was. */
static void
random_transactions_equal_a_build(void **state)
{
	(void)state;
	static struct model m, changed;
	for (unsigned run = 1; run <= 8; run++) {
		unsigned seed = run * 77;
		m.n = 0;
		model_text(&m, TEXT_APEX "@ 0 NSEC3PARAM 1 0 0 -\n");
		struct zone *z = model_build(&m);
		for (unsigned i = 0; i < 60; i++) {
			struct zone_txn *t = NULL;
			struct zone *anew = model_build(&m);
			assert_int_equal(zone_txn_begin(z, &t), OK);
			changed = m;
			size_t adds = below(&seed, 100);
			for (size_t ops = 1 + below(&seed, 30); ops > 0; ops--) {
				if (below(&seed, 100) < adds) {
					random_add(&seed, t, &changed);
				} else {
					random_remove(&seed, t, &changed);
				}
				assert_counts(&seed, t, &changed);
			}
			if (below(&seed, 4) != 0) {
				change_serial(t, &changed, 1000 + i);
			}
			if (below(&seed, 5) == 0) {
				zone_txn_rollback(&t);
				assert_null(t);
				assert_same_zone(z, anew);
				zone_free(&anew);
				continue;
			}
			struct zone *next = NULL;
			struct garbage garbage = { 0 };
			assert_same_changes(t, z);
			assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
			assert_null(t);
			assert_same_zone(z, anew);
			zone_free(&anew);
			m = changed;
			anew = model_build(&m);
			assert_same_zone(next, anew);
			zone_free(&anew);
			garbage_free(&garbage); /* the old zone with it */
			z = next;
		}
		zone_free(&z);
	}
}

static err_t
change(struct zone_txn *t, bool is_add, const char *line)
{
	struct text_rr rr = text_rr(line, example);
	return is_add ? zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen)
	              : zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen);
}

static void
outcomes_of_single_changes(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 NS x.a\n");
	struct zone_txn *t = NULL;
	assert_int_equal(zone_txn_begin(z, &t), OK);
	assert_int_equal(change(t, true, "A 300 a 192.0.2.1"), E_EXISTS);
	assert_int_equal(change(t, true, "A 300 NS X.A"), E_EXISTS);
	assert_int_equal(change(t, false, "a 0 A 192.0.2.3"), E_NOTFOUND);
	assert_int_equal(change(t, false, "b 0 A 192.0.2.3"), E_NOTFOUND);
	assert_int_equal(change(t, true, "a.test. 0 A 192.0.2.3"), E_RANGE);
	assert_int_equal(change(t, true, "a 60 A 192.0.2.1"), OK);
	assert_int_equal(change(t, false, "a 60 NS X.a"), OK);
	assert_int_equal(change(t, false, "a 60 NS X.a"), E_NOTFOUND);
	assert_int_equal(change(t, true, "a 300 NS X.a"), OK);
	struct zone *next = NULL;
	struct garbage garbage = { 0 };
	assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
	garbage_free(&garbage);
	const struct node *n = text_node(next, "a");
	assert_int_equal(rrset_ttl(node_rrset(n, TYPE_A)), 60);
	assert_int_equal(node_rrset(n, TYPE_A)->n, 2);
	assert_int_equal(rrset_first(node_rrset(n, TYPE_NS))->rdata[1], 'X');
	zone_free(&next);
}

struct seen {
	unsigned n, of_type[64];
	struct zone_txn *remove_from; /* NULL: only look */
};

static err_t
see(void *ctx, const struct zone_rr *rr)
{
	struct seen *s = ctx;
	s->n++;
	s->of_type[rr->type]++;
	return s->remove_from != NULL ? zone_txn_remove(s->remove_from, rr->owner, rr->type, rr->rdata, rr->rdlen) : OK;
}

/* A transaction can be asked what is there by now, and be emptied while it tells. */
static void
records_by_now(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "a 300 A 192.0.2.1\na 300 A 192.0.2.2\na 300 TXT x\n");
	struct zone_txn *t = NULL;
	struct name a = text_name("a", example), b = text_name("b", example), other = text_name("b.test.", example);
	assert_int_equal(zone_txn_begin(z, &t), OK);
	assert_int_equal(change(t, false, "a 0 A 192.0.2.1"), OK);
	assert_int_equal(change(t, true, "a 60 A 192.0.2.3"), OK);
	assert_int_equal(change(t, true, "b 60 A 192.0.2.3"), OK);
	struct seen all = { 0 }, some = { 0 }, new = { 0 }, none = { 0 };
	assert_int_equal(zone_txn_each(t, a.oct, TYPE_ANY, see, &all), OK);
	assert_int_equal(all.n, 3);
	assert_int_equal(zone_txn_each(t, a.oct, TYPE_A, see, &some), OK);
	assert_int_equal(some.of_type[TYPE_A], 2);
	assert_int_equal(zone_txn_each(t, b.oct, TYPE_ANY, see, &new), OK);
	assert_int_equal(new.of_type[TYPE_A], 1);
	assert_int_equal(zone_txn_each(t, other.oct, TYPE_ANY, see, &none), E_RANGE);
	struct seen emptied = { .remove_from = t };
	assert_int_equal(zone_txn_each(t, a.oct, TYPE_ANY, see, &emptied), OK);
	assert_int_equal(emptied.n, 3);
	assert_int_equal(zone_txn_each(t, a.oct, TYPE_ANY, see, &none), OK);
	assert_int_equal(none.n, 0);
	zone_txn_rollback(&t);
	zone_free(&z);
}

static void
what_is_no_zone_is_not_committed(void **state)
{
	(void)state;
	static const char *const bad[][3] = {
		{ "-@ 0 SOA ns1 hostmaster 7 7200 3600 1209600 300" },
		{ "-@ 0 NS ns1" },
		{ "+@ 0 SOA ns1 hostmaster 8 7200 3600 1209600 300" },
		{ "+a 0 SOA ns1 hostmaster 8 7200 3600 1209600 300" },
		{ "+ns1 0 CNAME b" },
		{ "+a 0 CNAME b", "+a 0 CNAME c" },
		{ "+@ 0 DNAME b.test.", "+@ 0 DNAME c.test." },
		{ "-@ 0 NS ns1", "-@ 0 SOA ns1 hostmaster 7 7200 3600 1209600 300", "-ns1 0 A 192.0.2.1" },
	};
	struct zone *z = text_zone(TEXT_APEX);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct zone_txn *t = NULL;
		struct zone *next = NULL;
		struct garbage garbage = { 0 };
		assert_int_equal(zone_txn_begin(z, &t), OK);
		for (size_t j = 0; j < 3 && bad[i][j] != NULL; j++) {
			assert_int_equal(change(t, bad[i][j][0] == '+', bad[i][j] + 1), OK);
		}
		if (zone_txn_commit(&t, &next, &garbage) != E_FORMAT) {
			fail_msg("%s", bad[i][0]);
		}
		assert_null(next);
		assert_int_equal(garbage.n, 0);
		zone_txn_rollback(&t);
	}
	struct zone *anew = text_zone(TEXT_APEX);
	assert_same_zone(z, anew);
	zone_free(&anew);
	zone_free(&z);
}

/* A commit that changes nothing shares all nodes. */
static void
nothing_changed(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "a 300 A 192.0.2.1\n"), *next = NULL;
	const struct node *a = text_node(z, "a");
	struct zone_txn *t = NULL;
	struct garbage garbage = { 0 };
	assert_int_equal(zone_txn_begin(z, &t), OK);
	assert_int_equal(change(t, false, "a 300 A 192.0.2.1"), OK);
	assert_int_equal(change(t, true, "a 300 A 192.0.2.1"), OK);
	assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
	assert_ptr_equal(text_node(next, "a"), a);
	assert_int_equal(garbage.n, 1); /* the struct zone */
	garbage_free(&garbage);
	zone_free(&next);
	zone_txn_rollback(&t);
}

/* Forty thousand changes of one name take no time to speak of, in any order. */
static void
many_changes_of_one_name(void **state)
{
	(void)state;
	enum { RECORDS = 40000 };
	struct zone *z = text_zone(TEXT_APEX), *next = NULL;
	struct zone_txn *t = NULL;
	struct garbage garbage = { 0 };
	assert_int_equal(zone_txn_begin(z, &t), OK);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < RECORDS; i++) {
			unsigned k = i * 7919 % RECORDS;
			uint8_t address[4] = { 10, 0, (uint8_t)(k >> 8), (uint8_t)k };
			err_t err = round == 1 ? zone_txn_remove(t, example, TYPE_A, address, 4)
			                       : zone_txn_add(t, example, TYPE_A, 60, address, 4);
			assert_int_equal(err, OK);
		}
	}
	assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
	garbage_free(&garbage);
	assert_int_equal(node_rrset(next->apex, TYPE_A)->n, RECORDS);
	assert_int_equal(next->records, RECORDS + 3);
	zone_free(&next);
}

/* The first thing that a transaction keeps is of no octets. */
/* Some 5,000 prerequisites go into a message. */
static void
ask_all(struct zone_txn *t, const uint8_t *owner, size_t want)
{
	size_t n, none;
	for (unsigned i = 0; i < 5000; i++) {
		assert_int_equal(zone_txn_count(t, owner, TYPE_A, &n), OK);
		assert_int_equal(n, want);
		assert_int_equal(zone_txn_count(t, owner, TYPE_ANY, &n), OK);
		assert_int_equal(n, want);
		none = 0;
		assert_int_equal(zone_txn_each(t, owner, want != 0 ? TYPE_MX : TYPE_A, count_one, &none), OK);
		assert_int_equal(none, 0);
	}
}

/* To ask how many there are costs the same for one record and for ten thousand, in a zone, in a transaction, and when they are gone. */
static void
questions_about_a_large_rrset(void **state)
{
	(void)state;
	enum { N = 10000 };
	uint8_t address[4] = { 10 };
	struct zone *z = text_zone(TEXT_APEX "a 300 A 10.0.0.1\n"), *next = NULL;
	struct garbage garbage = { 0 };
	struct zone_txn *t = NULL;
	struct name a;
	assert_int_equal(name_parse("a", 1, example, &a), OK);
	assert_int_equal(zone_txn_begin(z, &t), OK);
	for (unsigned i = 2; i <= N; i++) {
		memcpy(address + 2, (uint8_t[]){ (uint8_t)(i >> 8), (uint8_t)i }, 2);
		assert_int_equal(zone_txn_add(t, a.oct, TYPE_A, 300, address, 4), OK);
	}
	ask_all(t, a.oct, N);
	assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
	garbage_free(&garbage);
	assert_int_equal(zone_txn_begin(next, &t), OK);
	ask_all(t, a.oct, N);
	for (unsigned i = 1; i <= N; i++) {
		memcpy(address + 2, (uint8_t[]){ (uint8_t)(i >> 8), (uint8_t)i }, 2);
		assert_int_equal(zone_txn_remove(t, a.oct, TYPE_A, address, 4), OK);
	}
	ask_all(t, a.oct, 0);
	assert_true(zone_txn_steps(t) < 20 * N);
	zone_txn_rollback(&t);
	zone_free(&next);
}

static void
an_empty_rdata_is_added(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX), *next = NULL;
	struct zone_txn *t = NULL;
	struct garbage garbage = { 0 };
	struct text_rr rr = text_rr("a 60 APL", example);
	assert_int_equal(rr.rdlen, 0);
	assert_int_equal(zone_txn_begin(z, &t), OK);
	assert_int_equal(zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen), OK);
	assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
	garbage_free(&garbage);
	assert_int_equal(next->records, 4);
	zone_free(&next);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_of_single_changes),
		cmocka_unit_test(records_by_now),
		cmocka_unit_test(what_is_no_zone_is_not_committed),
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(many_changes_of_one_name),
		cmocka_unit_test(questions_about_a_large_rrset),
		cmocka_unit_test(an_empty_rdata_is_added),
		cmocka_unit_test(random_transactions_equal_a_build),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
