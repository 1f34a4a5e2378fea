#include "zone_text.h"

static struct zone_hit
find(const struct zone *z, const char *text)
{
	struct name name = text_name(text, z->apex_name);
	struct nkey key;
	struct zone_hit hit;
	memset(&hit, 0xAA, sizeof hit);
	nkey_set(&key, name.oct);
	zone_find(z, &key, &hit);
	return hit;
}

static void
hits_of_a_zone_with_everything(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "a 300 A 192.0.2.1\n"
	                                     "*.w 300 A 192.0.2.1\n"
	                                     "deep.er.e 300 A 192.0.2.1\n"
	                                     "cut 300 NS ns.cut\n"
	                                     "ns.cut 300 A 192.0.2.1\n"
	                                     "inner.cut 300 NS ns.cut\n"
	                                     "dn 300 DNAME d.test.\n"
	                                     "cut2.dn 300 NS ns.cut\n"
	                                     "dn.cut 300 DNAME d.test.\n"
	                                     "both 300 DNAME d.test.\n"
	                                     "both 300 NS ns1\n");
	static const struct {
		const char *name, *node, *encloser, *cut, *dname;
	} want[] = {
		{ "@", "@", "@", NULL, NULL },
		{ "a", "a", "a", NULL, NULL },
		{ "A", "a", "a", NULL, NULL },
		{ "x.a", NULL, "a", NULL, NULL },
		{ "nothing", NULL, "@", NULL, NULL },
		{ "no.thing", NULL, "@", NULL, NULL },
		{ "w", "w", "w", NULL, NULL },
		{ "q.w", NULL, "w", NULL, NULL },
		{ "*.w", "*.w", "*.w", NULL, NULL },
		{ "e", "e", "e", NULL, NULL },
		{ "x.er.e", NULL, "er.e", NULL, NULL },
		{ "cut", "cut", "cut", "cut", NULL },
		{ "x.cut", NULL, "cut", "cut", NULL },
		{ "ns.cut", "ns.cut", "ns.cut", "cut", NULL },
		{ "inner.cut", "inner.cut", "inner.cut", "cut", NULL },
		{ "x.inner.cut", NULL, "inner.cut", "cut", NULL },
		{ "x.dn.cut", NULL, "dn.cut", "cut", NULL },
		{ "dn", "dn", "dn", NULL, NULL },
		{ "x.dn", NULL, "dn", NULL, "dn" },
		{ "x.y.dn", NULL, "dn", NULL, "dn" },
		{ "cut2.dn", "cut2.dn", "cut2.dn", NULL, "dn" },
		{ "both", "both", "both", "both", NULL },
		{ "x.both", NULL, "both", "both", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct zone_hit hit = find(z, want[i].name);
		assert_ptr_equal(hit.node, want[i].node != NULL ? text_node(z, want[i].node) : NULL);
		assert_ptr_equal(hit.encloser, text_node(z, want[i].encloser));
		assert_ptr_equal(hit.cut, want[i].cut != NULL ? text_node(z, want[i].cut) : NULL);
		assert_ptr_equal(hit.dname, want[i].dname != NULL ? text_node(z, want[i].dname) : NULL);
		assert_non_null(hit.encloser);
	}
	zone_free(&z);
}

static void
dname_at_the_apex(void **state)
{
	(void)state;
	struct zone *z = text_zone("@ 3600 SOA a.test. b 7 7200 3600 1209600 300\n@ 300 NS a.test.\n@ 300 DNAME d.test.\n");
	struct zone_hit hit = find(z, "x.y");
	assert_ptr_equal(hit.dname, z->apex);
	assert_null(hit.cut);
	hit = find(z, "@");
	assert_null(hit.dname);
	assert_null(hit.cut);
	zone_free(&z);
}

static void
check_nsec(const struct zone *z, const char *asked, const char *want)
{
	struct name name = text_name(asked, z->apex_name);
	struct nkey key;
	nkey_set(&key, name.oct);
	assert_ptr_equal(zone_nsec_at_or_before(z, &key), text_node(z, want));
}

static void
nsec_before_a_name(void **state)
{
	(void)state;
	char text[40000] = TEXT_APEX "@ 300 NSEC a A\n"
				     "a 300 NSEC f A\n"
				     "f 300 NS x.f\n"
				     "f 300 NSEC k.l.m NS\n"
				     "k.l.m 300 NSEC ns1 A\n"
				     "ns1 300 NSEC @ A\n";
	for (unsigned i = 0; i < 1000; i++) { /* glue, more than steps are taken */
		snprintf(text + strlen(text), 40, "g%u.f 300 A 192.0.2.1\n", i);
	}
	struct zone *z = text_zone(text);
	check_nsec(z, "@", "@");
	check_nsec(z, "0", "@");
	check_nsec(z, "a", "a");
	check_nsec(z, "x.a", "a");
	check_nsec(z, "b", "a");
	check_nsec(z, "f", "f");
	check_nsec(z, "zzz.f", "f");
	check_nsec(z, "fa", "f");
	check_nsec(z, "m", "f");
	check_nsec(z, "l.m", "f");
	check_nsec(z, "k.l.m", "k.l.m");
	check_nsec(z, "n", "k.l.m");
	check_nsec(z, "zz", "ns1");
	zone_free(&z);
}

static void
nsec_that_is_missing(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX);
	struct nkey key;
	nkey_set(&key, (const uint8_t *)"\1x\7example");
	assert_null(zone_nsec_at_or_before(z, &key));
	assert_null(zone_nsec3_match(z, example));
	assert_null(zone_nsec3_cover(z, example));
	zone_free(&z);
}

/* RFC 5155 appendix A: owners are hashes of the names in the comments. */
#define PARAM " 300 NSEC3 1 1 12 AABBCCDD "
static const char chain[] = TEXT_APEX
	"@ 0 NSEC3PARAM 1 0 12 AABBCCDD\n"
	"@ 300 RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA\n"
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" PARAM "2t7b4g4vsa5smi47k61mv5bv1a22bojr MX\n"  /* example */
	"2t7b4g4vsa5smi47k61mv5bv1a22bojr" PARAM "35mthgpgcu1qg68fab165klnsnk3dpvl A\n"   /* ns1.example */
	"35mthgpgcu1qg68fab165klnsnk3dpvl" PARAM "b4um86eghhds6nea196smvmlo4ors995 NS\n"  /* a.example */
	"b4um86eghhds6nea196smvmlo4ors995" PARAM "gjeqe526plbf1g8mklp59enfd789njgi MX\n"  /* x.w.example */
	"gjeqe526plbf1g8mklp59enfd789njgi" PARAM "ji6neoaepv8b5o6k4ev33abha8ht9fgc HINFO\n" /* ai.example */
	"ji6neoaepv8b5o6k4ev33abha8ht9fgc" PARAM "k8udemvp1j2f7eg6jebps17vp3n8i58h\n"     /* y.w.example */
	"k8udemvp1j2f7eg6jebps17vp3n8i58h" PARAM "kohar7mbb8dc2ce8a9qvl8hon4k53uhi\n"     /* w.example */
	"kohar7mbb8dc2ce8a9qvl8hon4k53uhi" PARAM "q04jkcevqvmu85r014c7dkba38o0ji5r A\n"   /* of no name */
	"q04jkcevqvmu85r014c7dkba38o0ji5r" PARAM "r53bq7cc2uvmubfu5ocmm6pers9tk9en A\n"   /* xx.example */
	"r53bq7cc2uvmubfu5ocmm6pers9tk9en" PARAM "t644ebqk9bibcna874givr6joj62mlhv MX\n"  /* *.w.example */
	"t644ebqk9bibcna874givr6joj62mlhv" PARAM "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n";  /* ns2.example */

static const struct node *
hashed(const struct zone *z, const char *text)
{
	struct name name = text_name(text, z->apex_name);
	struct nkey key;
	nkey_set(&key, name.oct);
	return trie_get(&z->nsec3, &key);
}

static void
nsec3_of_rfc_5155(void **state)
{
	(void)state;
	static const struct {
		const char *name, *match, *cover;
	} want[] = {
		{ "@", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", NULL },
		{ "X.w", "b4um86eghhds6nea196smvmlo4ors995", NULL },
		{ "c.x.w", NULL, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },     /* B.1: 0va5bpr2ou0vk0lbqeeljri88laipsfh */
		{ "*.x.w", NULL, "35mthgpgcu1qg68fab165klnsnk3dpvl" },     /* B.1: 92pqneegtaue7pjatc3l3qnk738c6v5m */
		{ "a", "35mthgpgcu1qg68fab165klnsnk3dpvl", NULL },
	};
	struct zone *z = text_zone(chain);
	assert_true(z->is_signed && z->has_nsec3);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct name name = text_name(want[i].name, example);
		assert_ptr_equal(zone_nsec3_match(z, name.oct), want[i].match != NULL ? hashed(z, want[i].match) : NULL);
		assert_ptr_equal(zone_nsec3_cover(z, name.oct), want[i].cover != NULL ? hashed(z, want[i].cover) : NULL);
	}
	/* Whatever its hash, a name is matched or covered, also before the first and after the last. */
	bool was_last_cover = false;
	for (unsigned i = 0; i < 200; i++) {
		char text[16];
		snprintf(text, sizeof text, "n%u", i);
		struct name name = text_name(text, example);
		const struct node *cover = zone_nsec3_cover(z, name.oct);
		assert_non_null(cover);
		was_last_cover |= cover == trie_last(&z->nsec3);
	}
	assert_true(was_last_cover);
	zone_free(&z);
}

/* Records of another chain among those of ours (RFC 5155 7.3), and parameters that we do not follow. */
static void
nsec3_chains_side_by_side(void **state)
{
	(void)state;
	char text[8000];
	strcpy(text, chain);
	for (unsigned i = 0; i < 32; i++) {
		snprintf(text + strlen(text), 200, "%c0000000000000000000000000000000 300 NSEC3 1 0 1 - "
		                                   "35mthgpgcu1qg68fab165klnsnk3dpvl A\n",
		         "0123456789abcdefghijklmnopqrstuv"[i]);
	}
	strcat(text, "@ 0 NSEC3PARAM 1 1 1 -\n@ 0 NSEC3PARAM 2 0 1 -\n");
	struct zone *z = text_zone(text);
	assert_true(z->has_nsec3);
	assert_int_equal(z->nsec3_param.iterations, 12);
	struct name name = text_name("c.x.w", example);
	assert_ptr_equal(zone_nsec3_cover(z, name.oct), hashed(z, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"));
	zone_free(&z);
}

/* More iterations than anybody follows: one and the same record, and no hash (RFC 9276 3.2). */
static void
nsec3_with_excessive_iterations(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "@ 0 NSEC3PARAM 1 0 151 -\n"
	                                     "@ 300 RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA\n"
	                                     "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 300 NSEC3 1 1 151 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
	                                     "35mthgpgcu1qg68fab165klnsnk3dpvl 300 NSEC3 1 1 1 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n");
	struct name name = text_name("c.x.w", example);
	assert_true(z->is_signed && z->has_nsec3);
	const struct node *shown = hashed(z, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
	assert_ptr_equal(zone_nsec3_cover(z, name.oct), shown);
	assert_ptr_equal(zone_nsec3_match(z, name.oct), shown);
	assert_int_equal(zone_nsec3_blocks(z, name.oct), 0);
	zone_free(&z);
	z = text_zone(TEXT_APEX "@ 0 NSEC3PARAM 1 0 151 -\n35mthgpgcu1qg68fab165klnsnk3dpvl 300 NSEC3 1 1 1 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n");
	assert_false(z->has_nsec3); /* nothing of that chain is there */
	zone_free(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hits_of_a_zone_with_everything),
		cmocka_unit_test(dname_at_the_apex),
		cmocka_unit_test(nsec_before_a_name),
		cmocka_unit_test(nsec_that_is_missing),
		cmocka_unit_test(nsec3_of_rfc_5155),
		cmocka_unit_test(nsec3_chains_side_by_side),
		cmocka_unit_test(nsec3_with_excessive_iterations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
