/* A catalog zone, as other makes write it: its members, or why it is broken. */
#include "zone_text.h"

#include "auth/catalog_read.h"
#include "zone/findings.h"

#define FRAME "@ 0 SOA invalid. invalid. 1 3600 600 86400 0\n@ 0 NS invalid.\n"
#define VERSION "version 0 TXT \"2\"\n"

static const uint8_t apex[] = "\3cat\4test";

struct reading {
	struct zone *zone;
	struct catalog_list list;
	err_t err;
	char why[CATALOG_WHY_MAX];
};

static void
read_with(struct reading *r, const uint8_t *name, const char *text, size_t members_max)
{
	struct findings f = { 0 };
	*r = (struct reading){ 0 };
	assert_int_equal(text_build(text, name, &f, &r->zone), OK);
	findings_fini(&f);
	r->err = catalog_read(r->zone, members_max, &r->list, r->why);
	assert_int_equal(r->err != OK && r->err != E_NOMEM, r->why[0] != '\0');
}

static void
drop(struct reading *r)
{
	catalog_list_fini(&r->list);
	zone_free(&r->zone);
}

/* "LABEL=MEMBER>NEXT" of each member, in the order of their names. */
static void
assert_lists(const char *text, const char *expected)
{
	struct reading r;
	char out[4 * NAME_TEXT_MAX] = "";
	struct trie_iter it;
	const struct catalog_member *m;
	read_with(&r, apex, text, 100);
	if (r.err != OK) {
		fail_msg("%s", r.why);
	}
	trie_iter_first(&it, &r.list.members);
	while ((m = trie_iter_next(&it)) != NULL) {
		char name[NAME_TEXT_MAX], next[NAME_TEXT_MAX] = "";
		size_t at = strlen(out);
		name_print(m->name, name);
		if (m->next != NULL) {
			name_print(m->next, next);
		}
		(void)snprintf(out + at, sizeof out - at, "%.*s=%.200s%s%.200s ", m->label[0], (const char *)m->label + 1, name,
		               m->next != NULL ? ">" : "", next);
	}
	assert_string_equal(out, expected);
	drop(&r);
}

static void
assert_broken(const char *text, const char *why)
{
	struct reading r;
	read_with(&r, apex, text, 100);
	assert_int_equal(r.err, E_FORMAT);
	assert_string_equal(r.why, why);
	assert_int_equal(r.list.members.n, 0);
	drop(&r);
}

static void
test_members(void **state)
{
	(void)state;
	assert_lists(FRAME VERSION, ""); /* an empty one is good */
	assert_lists(FRAME VERSION "b.zones 0 PTR example.org.\na.zones 0 PTR example.net.\nroot.zones 0 PTR .\n",
	             "root=. a=example.net. b=example.org. ");
	assert_lists(FRAME "VERSION 0 TXT \"2\"\n1.ZONES 0 PTR one.\n", "1=one. "); /* names have no case */
}

/* The example of RFC 9432 A. */
static void
test_the_example(void **state)
{
	(void)state;
	assert_lists(FRAME VERSION "example.vendor.ext 0 CNAME example.net.\n"
	                   "nj2xg5b.zones 0 PTR example.com.\nnvxxezj.zones 0 PTR example.net.\ngroup.nvxxezj.zones 0 TXT \"operator-x-foo\"\n"
	                   "nfwxa33.zones 0 PTR example.org.\ncoo.nfwxa33.zones 0 PTR newcatalog.example.net.\n"
	                   "group.nfwxa33.zones 0 TXT \"operator-y-bar\"\nmetrics.vendor.ext.nfwxa33.zones 0 CNAME collector.example.net.\n",
	             "nj2xg5b=example.com. nvxxezj=example.net. nfwxa33=example.org.>newcatalog.example.net. ");
}

/* What has no meaning here is passed over, wherever it is. */
static void
test_what_is_passed_over(void **state)
{
	(void)state;
	assert_lists(FRAME VERSION "zones 0 PTR apex.\na.zones 0 A 192.0.2.1\na.zones 0 TXT \"x\"\nb.zones 0 A 192.0.2.1\n"
	                   "c.d.zones 0 PTR deep.\nd.zones 0 PTR d.\nx.y.d.zones 0 PTR deeper.\ncoo.coo.d.zones 0 PTR no.\n"
	                   "coo 0 PTR no.\ncoo.d.zones 0 TXT \"no\"\ncoo.e.zones 0 PTR no.\nother.version 0 TXT \"1\"\nversion 0 A 192.0.2.1\n"
	                   "e.notzones 0 PTR no.\ngroup.d.zones 0 TXT \"a\" \"b\"\ngroup.d.zones 0 TXT \"c\"\ncool.d.zones 0 PTR no.\n",
	             "d=d. ");
}

static void
test_broken_versions(void **state)
{
	(void)state;
	static const char none[] = "cat.test. has no TXT record \"version\", which says that it is a catalog";
	static const char other[] = "version.cat.test. is not \"2\", the only version that is known";
	assert_broken(FRAME "a.zones 0 PTR a.\n", none);
	assert_broken(FRAME "version 0 A 192.0.2.1\n", none);
	assert_broken(FRAME "version 0 TXT \"1\"\na.zones 0 PTR a.\n", other);
	assert_broken(FRAME "version 0 TXT \"3\"\n", other);
	assert_broken(FRAME "version 0 TXT \"\"\n", other);
	assert_broken(FRAME "version 0 TXT \"22\"\n", other);
	assert_broken(FRAME "version 0 TXT \"2\" \"2\"\n", other);
	assert_broken(FRAME VERSION "version 0 TXT \"1\"\n", "version.cat.test. has several TXT records");
}

static void
test_broken_members(void **state)
{
	(void)state;
	assert_broken(FRAME VERSION "a.zones 0 PTR a.\na.zones 0 PTR b.\n", "a.zones.cat.test. has several PTR records");
	assert_broken(FRAME VERSION "a.zones 0 PTR a.\ncoo.a.zones 0 PTR x.\nCOO.a.zones 0 PTR y.\n",
	              "coo.a.zones.cat.test. has several PTR records");
	assert_broken(FRAME VERSION "coo.a.zones 0 PTR x.\ncoo.a.zones 0 PTR y.\n", "coo.a.zones.cat.test. has several PTR records");
	assert_broken(FRAME VERSION "a.zones 0 PTR z.\nb.zones 0 PTR Z.\n", "b.zones.cat.test. lists Z., which another label lists, too");
}

static void
test_limits(void **state)
{
	(void)state;
	struct reading r;
	read_with(&r, apex, FRAME VERSION "a.zones 0 PTR a.\nb.zones 0 PTR b.\n", 1);
	assert_int_equal(r.err, E_LIMIT);
	assert_string_equal(r.why, "it has more than 1 members");
	drop(&r);
}

/* No name fits below it. */
static void
test_a_long_name(void **state)
{
	(void)state;
	uint8_t name[NAME_WIRE_MAX] = { 0 };
	struct reading r;
	for (size_t at = 0; at < 254; at += 2) {
		name[at] = 1;
		name[at + 1] = 'x';
	}
	read_with(&r, name, FRAME, 1);
	assert_int_equal(r.err, E_FORMAT);
	drop(&r);
}

static void
test_labels(void **state)
{
	(void)state;
	assert_true(catalog_is_label((const uint8_t *)"\3aBc", (const uint8_t *)"\3AbC"));
	assert_false(catalog_is_label((const uint8_t *)"\3abc", (const uint8_t *)"\3abd"));
	assert_false(catalog_is_label((const uint8_t *)"\3abc", (const uint8_t *)"\2ab"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_the_example),
		cmocka_unit_test(test_what_is_passed_over),
		cmocka_unit_test(test_broken_versions),
		cmocka_unit_test(test_broken_members),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_a_long_name),
		cmocka_unit_test(test_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
