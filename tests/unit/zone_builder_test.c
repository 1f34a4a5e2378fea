#include "zone_text.h"

static void
records_come_out_in_canonical_order(void **state)
{
	(void)state;
	struct zone *z = text_zone("www 300 AAAA 2001:db8::1\n"
	                           "@ 3600 NS ns2\n"
	                           "z.a 300 TXT \"late\"\n"
	                           "www 300 A 192.0.2.9\n" /* back to an owner */
	                           "WWW 300 A 192.0.2.10\n"
	                           "mail 300 MX 10 www\n" TEXT_APEX);
	assert_walk(z, "example. 3600 NS ns1.example.\n"
	               "example. 3600 NS ns2.example.\n"
	               "example. 3600 SOA ns1.example. hostmaster.example. 7 7200 3600 1209600 300\n"
	               "z.a.example. 300 TXT \"late\"\n"
	               "mail.example. 300 MX 10 www.example.\n"
	               "ns1.example. 3600 A 192.0.2.1\n"
	               "www.example. 300 A 192.0.2.9\n"
	               "www.example. 300 A 192.0.2.10\n"
	               "www.example. 300 AAAA 2001:db8::1\n");
	assert_int_equal(z->records, 9);
	assert_int_equal(z->serial, 7);
	assert_int_equal(z->negative_ttl, 300);
	assert_false(z->is_signed);
	assert_ptr_equal(z->apex, text_node(z, "@"));
	assert_ptr_equal(z->ns, node_rrset(z->apex, TYPE_NS));
	assert_ptr_equal(z->soa, node_rrset(z->apex, TYPE_SOA));
	zone_free(&z);
	assert_null(z);
	zone_free(&z);
}

static void
flags_follow_from_the_names_around(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "sub 300 NS ns.sub\n"
	                                     "ns.sub 300 A 192.0.2.2\n"
	                                     "deeper.sub 300 NS x.y.z.sub\n"
	                                     "x.y.z.sub 300 A 192.0.2.2\n"
	                                     "a.b.c.d 300 A 192.0.2.3\n"
	                                     "*.d 300 CNAME www\n"
	                                     "q.*.e 300 A 192.0.2.3\n"
	                                     "dn 300 DNAME other.test.\n"
	                                     "under.dn 300 A 192.0.2.3\n"
	                                     "d-x 300 RRSIG A 13 2 300 20300101000000 20200101000000 1 example. AAAA\n");
	static const struct {
		const char *name;
		uint16_t flags;
	} want[] = {
		{ "@", NODE_APEX },
		{ "ns1", 0 },
		{ "sub", NODE_CUT | NODE_REFERRAL },
		{ "ns.sub", NODE_BELOW_CUT },
		{ "deeper.sub", NODE_CUT | NODE_BELOW_CUT },
		{ "z.sub", NODE_BELOW_CUT | NODE_EMPTY },
		{ "y.z.sub", NODE_BELOW_CUT | NODE_EMPTY },
		{ "x.y.z.sub", NODE_BELOW_CUT },
		{ "d", NODE_EMPTY | NODE_WILDCARD },
		{ "*.d", NODE_CNAME },
		{ "c.d", NODE_EMPTY },
		{ "b.c.d", NODE_EMPTY },
		{ "a.b.c.d", 0 },
		{ "e", NODE_EMPTY | NODE_WILDCARD },
		{ "*.e", NODE_EMPTY },
		{ "q.*.e", 0 },
		{ "dn", NODE_DNAME },
		{ "under.dn", NODE_BELOW_CUT },
		{ "d-x", NODE_SIGNED },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct node *n = text_node(z, want[i].name);
		assert_non_null(n);
		assert_int_equal(n->flags, want[i].flags);
	}
	assert_int_equal(z->nodes.n, ARRAY_LEN(want));
	zone_free(&z);
}

static void
nsec3_owners_are_no_names(void **state)
{
	(void)state;
#define HASH "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
	struct zone *z = text_zone(
		TEXT_APEX "@ 0 NSEC3PARAM 1 0 12 AABBCCDD\n"
			  "@ 300 RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA\n" HASH
			  " 300 NSEC3 1 1 12 AABBCCDD 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n" HASH
			  " 300 RRSIG NSEC3 13 2 300 20300101000000 20200101000000 1 example. AAAA\n" HASH
			  " 300 TXT \"a name like any other\"\n"
			  "*." HASH " 300 A 192.0.2.1\n");
	assert_true(z->is_signed);
	assert_true(z->has_nsec3);
	assert_int_equal(z->nsec3_param.iterations, 12);
	assert_int_equal(z->nsec3_param.salt_len, 4);
	assert_memory_equal(z->nsec3_param.salt, "\xAA\xBB\xCC\xDD", 4);
	assert_int_equal(z->nsec3.n, 1);
	assert_int_equal(z->records, 9);
	const struct node *n = trie_first(&z->nsec3);
	assert_int_equal(n->rrsets, 2);
	assert_int_equal(n->flags, NODE_SIGNED);
	n = text_node(z, HASH);
	assert_int_equal(n->rrsets, 1);
	assert_int_equal(n->flags, NODE_WILDCARD);
	struct str walk = { 0 };
	assert_int_equal(zone_walk(z, text_print, &walk), OK);
	const char *txt = strstr(str_text(&walk), "TXT"), *nsec3 = strstr(str_text(&walk), "\n" HASH ".example. 300 NSEC3");
	assert_true(txt != NULL && nsec3 != NULL && txt < nsec3 && nsec3 < strstr(str_text(&walk), "*."));
	str_fini(&walk);
	zone_free(&z);
#undef HASH
}

struct expected {
	const char *text; /* besides TEXT_APEX */
	const char *code, *owner;
	uint16_t type;
	unsigned nth;
	enum diag_level level;
};

static void
check_finding(const struct findings *f, const struct expected *e)
{
	if (f->n != 1) {
		fail_msg("%s: %zu findings, not 1", e->code, f->n);
	}
	const struct finding *d = &f->list[0];
	char owner[NAME_TEXT_MAX];
	name_print(d->owner, owner);
	assert_string_equal(d->code, e->code);
	assert_string_equal(owner, e->owner);
	assert_int_equal(d->type, e->type);
	assert_int_equal(d->nth, e->nth);
	assert_int_equal(d->level, e->level);
	assert_int_equal(f->errors, e->level == DIAG_ERROR);
	assert_true(strlen(d->text) > 10 && strlen(d->hint) > 10);
}

static void
problems_are_found(void **state)
{
	(void)state;
	static const struct expected cases[] = {
		{ TEXT_APEX "www.test. 300 A 192.0.2.1", "out-of-zone", "www.test.", TYPE_A, 0, DIAG_ERROR },
		{ "@ 300 NS ns1\n", "no-soa", "example.", 0, 0, DIAG_ERROR },
		{ "@ 300 SOA a b 1 2 3 4 5\n", "no-apex-ns", "example.", 0, 0, DIAG_ERROR },
		{ TEXT_APEX "@ 3600 SOA ns1 hostmaster 8 7200 3600 1209600 300", "several-soa", "example.", TYPE_SOA, 0,
		  DIAG_ERROR },
		{ TEXT_APEX "a 300 SOA a b 1 2 3 4 5", "soa-not-at-apex", "a.example.", TYPE_SOA, 0, DIAG_ERROR },
		{ TEXT_APEX "a 300 CNAME b\na 300 TXT x", "cname-and-other", "a.example.", TYPE_TXT, 0, DIAG_ERROR },
		{ TEXT_APEX "a 300 CNAME b\na 300 CNAME c", "several-cname", "a.example.", TYPE_CNAME, 0, DIAG_ERROR },
		{ TEXT_APEX "a 300 DNAME b\na 300 DNAME c", "several-dname", "a.example.", TYPE_DNAME, 0, DIAG_ERROR },
		{ TEXT_APEX "a 300 A 192.0.2.1\na 300 A 192.0.2.1", "duplicate-record", "a.example.", TYPE_A, 1,
		  DIAG_WARNING },
		{ TEXT_APEX "a 300 A 192.0.2.1\nb 300 A 192.0.2.1\nA 300 A 192.0.2.1", "duplicate-record", "a.example.",
		  TYPE_A, 1, DIAG_WARNING },
		{ TEXT_APEX "a 300 NS c\nb 300 A 192.0.2.1\nA 300 NS C", "duplicate-record", "a.example.", TYPE_NS, 1,
		  DIAG_WARNING },
		{ TEXT_APEX "a 300 A 192.0.2.1\na 60 A 192.0.2.2", "ttl-differs", "a.example.", TYPE_A, 0, DIAG_WARNING },
		{ TEXT_APEX "a 300 A 192.0.2.1\nb 60 A 192.0.2.2\na 60 A 192.0.2.2", "ttl-differs", "a.example.", TYPE_A, 0,
		  DIAG_WARNING },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct findings f = { 0 };
		struct zone *z = NULL;
		err_t want = cases[i].level == DIAG_ERROR ? E_FORMAT : OK;
		assert_int_equal(text_build(cases[i].text, example, &f, &z), want);
		check_finding(&f, &cases[i]);
		assert_int_equal(z == NULL, want != OK);
		zone_free(&z);
		findings_fini(&f);
	}
}

static void
what_may_stand_beside_a_cname(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "a 300 CNAME b\n"
	                                     "a 300 NSEC b.example. CNAME RRSIG NSEC\n"
	                                     "a 300 RRSIG CNAME 13 2 300 20300101000000 20200101000000 1 example. AAAA\n"
	                                     "a 300 RRSIG NSEC 13 2 300 20300101000000 20200101000000 1 example. AAAA\n");
	zone_free(&z);
}

static void
lower_ttl_and_one_of_the_equals_stay(void **state)
{
	(void)state;
	struct findings f = { 0 };
	struct zone *z = NULL;
	assert_int_equal(text_build(TEXT_APEX "a 300 A 192.0.2.2\n"
	                                      "a 300 A 192.0.2.1\n"
	                                      "a 20 A 192.0.2.2\n"
	                                      "b 20 A 192.0.2.2\n"
	                                      "a 30 A 192.0.2.2\n",
	                            example, &f, &z),
	                 OK);
	assert_int_equal(f.warnings, 3);
	assert_int_equal(f.list[0].nth, 1);
	assert_int_equal(f.list[1].nth, 2);
	assert_string_equal(f.list[2].code, "ttl-differs");
	const struct rrset *s = node_rrset(text_node(z, "a"), TYPE_A);
	assert_int_equal(s->n, 2);
	assert_int_equal(rrset_ttl(s), 20);
	assert_memory_equal(rrset_first(s)->rdata, "\300\0\2\1", 4);
	assert_int_equal(z->records, 6);
	zone_free(&z);
	findings_fini(&f);
}

/* The same zone whatever order its records come in, and however often an owner comes back. */
static void
order_of_records_does_not_matter(void **state)
{
	(void)state;
	enum { RECORDS = 3000 };
	struct findings f = { 0 };
	struct str walks[2] = { { 0 }, { 0 } };
	for (unsigned seed = 0; seed < 2; seed++) {
		struct zone_builder *b = NULL;
		struct zone *z = NULL;
		assert_int_equal(zone_builder_new(example, &f, &b), OK);
		const char *apex = TEXT_APEX, *line;
		while ((line = text_line(&apex)) != NULL) {
			struct text_rr rr = text_rr(line, example);
			assert_int_equal(zone_builder_add(b, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen), OK);
		}
		for (unsigned i = 0; i < RECORDS; i++) {
			unsigned k = seed == 0 ? i : i * 7 % RECORDS; /* 7 and RECORDS have no common factor */
			char name[40];
			snprintf(name, sizeof name, "h%u.d%u", k / 10, k / 300);
			struct name owner = text_name(name, example);
			uint8_t address[4] = { 10, 0, (uint8_t)(k >> 8), (uint8_t)k };
			assert_int_equal(zone_builder_add(b, owner.oct, TYPE_A, 60, address, 4), OK);
		}
		assert_int_equal(zone_builder_finish(b, &z), OK);
		zone_builder_free(&b);
		assert_int_equal(f.n, 0);
		assert_int_equal(z->nodes.n, 2 + RECORDS / 10 + RECORDS / 300);
		assert_int_equal(zone_walk(z, text_print, &walks[seed]), OK);
		zone_free(&z);
	}
	assert_string_equal(str_text(&walks[0]), str_text(&walks[1]));
	str_fini(&walks[0]);
	str_fini(&walks[1]);
	findings_fini(&f);
}

static void
sets_have_a_limit(void **state)
{
	(void)state;
	struct findings f = { 0 };
	struct zone_builder *b = NULL;
	struct zone *z = NULL;
	assert_int_equal(zone_builder_new(example, &f, &b), OK);
	for (uint32_t i = 0; i <= RRSET_RRS_MAX; i++) {
		uint8_t address[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		assert_int_equal(zone_builder_add(b, example, TYPE_A, 60, address, 4), OK);
	}
	assert_int_equal(zone_builder_finish(b, &z), E_FORMAT);
	assert_string_equal(f.list[0].code, "rrset-too-large");
	zone_builder_free(&b);
	findings_fini(&f);
}

static void
empty_names_have_a_limit(void **state)
{
	(void)state;
	struct findings f = { 0 };
	struct zone_builder *b = NULL;
	struct zone *z = NULL;
	uint8_t name[NAME_WIRE_MAX];
	assert_int_equal(zone_builder_new(name_root, &f, &b), OK);
	for (unsigned i = 0; i < 64; i++) {
		for (size_t at = 0; at < 252; at += 2) {
			name[at] = 1;
			name[at + 1] = 'x';
		}
		name[249] = (uint8_t)i;
		name[251] = 'y';
		name[252] = 0;
		assert_int_equal(zone_builder_add(b, name, TYPE_A, 60, (const uint8_t *)"\1\2\3\4", 4), OK);
	}
	assert_int_equal(zone_builder_finish(b, &z), E_FORMAT);
	assert_int_equal(f.n, 2);
	assert_string_equal(f.list[0].code, "no-apex-ns");
	assert_string_equal(f.list[1].code, "too-many-empty-names");
	zone_builder_free(&b);
	findings_fini(&f);
}

static void
root_zone_and_abandoned_builders(void **state)
{
	(void)state;
	struct findings f = { 0 };
	struct zone *z = NULL;
	assert_int_equal(text_build("@ 300 SOA a b 1 2 3 4 5\n@ 300 NS a\na 300 A 192.0.2.1\nb.c 60 A 192.0.2.1\n", name_root,
	                            &f, &z),
	                 OK);
	assert_int_equal(z->nodes.n, 4);
	assert_int_equal(text_node(z, "c")->flags, NODE_EMPTY);
	zone_free(&z);
	struct zone_builder *b = NULL;
	assert_int_equal(zone_builder_new(example, &f, &b), OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(zone_builder_add(b, (const uint8_t *)(i % 2 != 0 ? "\1a\7example" : "\7example"), TYPE_TXT, 60,
		                                  (const uint8_t *)"\0", 1),
		                 OK);
	}
	zone_builder_free(&b);
	zone_builder_free(&b);
	findings_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_in_canonical_order),
		cmocka_unit_test(flags_follow_from_the_names_around),
		cmocka_unit_test(nsec3_owners_are_no_names),
		cmocka_unit_test(problems_are_found),
		cmocka_unit_test(what_may_stand_beside_a_cname),
		cmocka_unit_test(lower_ttl_and_one_of_the_equals_stay),
		cmocka_unit_test(order_of_records_does_not_matter),
		cmocka_unit_test(sets_have_a_limit),
		cmocka_unit_test(empty_names_have_a_limit),
		cmocka_unit_test(root_zone_and_abandoned_builders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
