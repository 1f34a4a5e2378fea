/* Every allocation of an edit fails once, and with it all after it: nothing comes out, nothing is lost and nothing is freed
 * twice.  Linked with --wrap, see meson.build. */
#include "nomem.h"

#include "edit_zone.h"

/* Something of everything: a SOA in place, owners and TTLs put in, lines that go and come, a $GENERATE, files. */
static const char own[] = "@ 60 SOA ns1 host ( 1 ; serial\n 2 3 4 5 )\n@ NS ns1\nns1 A 192.0.2.1\n$GENERATE 1-3 h$ A 192.0.2.$ ; pool\n"
                          "www A 192.0.2.80\n  TXT ( \"a\"\n \"b\" )\nwww A 192.0.2.80\n$INCLUDE hosts sub\n$INCLUDE shared x\n$INCLUDE shared y\n";
static const char hosts[] = "a MX 10 b\n  A 192.0.2.7\nb A 192.0.2.8\n";
static const char shared[] = "s A 192.0.2.9\n";

static const char *const changes[] = {
	"-@ 0 SOA ns1 host 1 2 3 4 5", "+@ 60 SOA ns1 host 2 2 3 4 5", "-h2 0 A 192.0.2.2", "-www 0 A 192.0.2.80", "-www 0 TXT a b",
	"+www 60 TXT c", "+ns1 300 A 192.0.2.1", "-a.sub 0 MX 10 b.sub", "+b.sub 60 A 192.0.2.81", "+c.sub 60 CNAME b.sub", "+s.x 60 TXT new",
};

static struct zone *
changed(const struct zone *old, struct garbage *garbage)
{
	struct zone_txn *t = NULL;
	struct zone *new = NULL;
	assert_int_equal(zone_txn_begin(old, &t), OK);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct text_rr rr = text_rr(changes[i] + 1, example);
		err_t err = changes[i][0] == '+' ? zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen)
		                                 : zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen);
		assert_int_equal(err, OK);
	}
	assert_int_equal(zone_txn_commit(&t, &new, garbage), OK);
	return new;
}

static err_t
open_exempt(void *ctx, const char *path, struct master_text *out)
{
	exempt++;
	err_t err = files_open(ctx, path, out);
	exempt--;
	return err;
}

static void
edits_without_memory(void **state)
{
	(void)state;
	struct zone_files f = { .file = { { "zone", own, strlen(own), false }, { "hosts", hosts, strlen(hosts), false },
		                          { "shared", shared, strlen(shared), true } } };
	struct garbage garbage = { 0 };
	struct zone_changes list;
	struct master_reader r = files_reader(&f, NULL, example);
	r.open = open_exempt;
	struct zone *old = files_load(&f, example);
	assert_non_null(old);
	struct zone *new = changed(old, &garbage);
	assert_int_equal(zone_changes_find(old, new, SIZE_MAX, &list), OK);
	const struct edit_in in = { .source = &r, .text = own, .len = strlen(own), .old = old, .new = new, .changes = &list,
		                    .may_edit = files_may_edit };
	size_t n = 0;
	do {
		struct edit e = { 0 };
		struct diag why;
		f.opened = f.closed = 0;
		fail_after(n++);
		err_t err = edit_zone(&in, &e, &why);
		is_failing = false;
		assert_int_equal(err, has_failed ? E_NOMEM : OK);
		assert_int_equal(f.opened, f.closed);
		assert_int_equal(e.n, err == OK ? 2 : 0);
		edit_fini(&e);
	} while (has_failed);
	assert_true(n > 50);
	zone_changes_fini(&list);
	garbage_free(&garbage);
	zone_free(&new);
}

static void
new_texts_without_memory(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "www 60 MX 10 mail\n");
	size_t n = 0;
	do {
		struct str text = { 0 };
		fail_after(n++);
		err_t err = edit_new_zone(z, &text);
		is_failing = false;
		assert_int_equal(err, has_failed ? E_NOMEM : OK);
		str_fini(&text);
	} while (has_failed);
	zone_free(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_without_memory),
		cmocka_unit_test(new_texts_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
