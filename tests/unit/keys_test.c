#include "auth/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "named.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static err_t
add(struct keystore *ks, const char *owner, const char *within, const char *rdata, size_t n, struct findings *f)
{
	struct name o = named(owner), w = named(within);
	return keystore_add(ks, o.oct, w.oct, (const uint8_t *)rdata, (uint16_t)n, f);
}

#define ADD(ks, owner, within, rdata, f) add(ks, owner, within, rdata, sizeof(rdata) - 1, f)
#define RDATA(alg, secret) "\0\0\3" alg secret

static void
keys_are_kept_and_found(void **state)
{
	(void)state;
	struct keystore *ks = keystore_new(NULL);
	struct findings f = { 0 };
	assert_null(keystore_find(NULL, name_root));
	assert_int_equal(ADD(ks, "k._update.b.", "b.", RDATA("\xA3", SECRET), &f), OK);
	assert_int_equal(ADD(ks, "k._update.a.", ".", RDATA("\xA5", SECRET), &f), OK);
	for (int i = 0; i < 1000; i++) {
		char name[64];
		snprintf(name, sizeof name, "k%d._notify.c.", i);
		assert_int_equal(ADD(ks, name, ".", RDATA("\xA1", SECRET), &f), OK);
	}
	assert_int_equal(f.n, 0);
	keystore_seal(ks);
	assert_int_equal(keystore_count(ks), 1002);
	const struct key *k = keystore_find(ks, named("K._UPDATE.B.").oct);
	assert_non_null(k);
	assert_int_equal(k->tsig.alg, HMAC_SHA256);
	assert_int_equal(k->tsig.secret_len, 32);
	assert_memory_equal(k->tsig.secret, SECRET, 32);
	assert_int_equal(k->right, RIGHT_UPDATE);
	assert_null(keystore_find(ks, named("k._update.c.").oct));
	for (size_t i = 0; i < 1002; i++) {
		k = keystore_at(ks, i);
		assert_ptr_equal(keystore_find(ks, k->tsig.name.oct), k);
		assert_true(i == 0 || name_compare(keystore_at(ks, i - 1)->tsig.name.oct, k->tsig.name.oct) < 0);
	}
	assert_null(keystore_at(ks, 1002));
	keystore_free(&ks);
	assert_null(ks);
	keystore_free(&ks);
	findings_fini(&f);
}

static void
every_finding(void **state)
{
	(void)state;
	static const struct {
		const char *owner, *within, *rdata;
		size_t n;
		const char *code; /* NULL: none */
		bool is_kept;
	} rows[] = {
#define ROW(o, w, r, c, k) { o, w, r, sizeof(r) - 1, c, k }
		ROW("k._update.m.", "m.", RDATA("\xA3", SECRET), NULL, true),
		ROW("k._update.m.", "m.", RDATA("\xA6", SECRET), "key-algorithm", false),
		ROW("k._update.m.", "m.", RDATA("\xA0", SECRET), "key-algorithm", false),
		ROW("k._update.m.", "m.", "\1\1\3\x0D" SECRET, "key-algorithm", false),
		ROW("k._update.m.", "m.", "\0\0\3", "key-algorithm", false),
		ROW("k._update.m.", "m.", "\2\0\3\xA3" SECRET, "key-flags", true),
		ROW("k._update.m.", "m.", "\0\0\2\xA3" SECRET, "key-flags", true),
		ROW("k._update.m.", "m.", RDATA("\xA3", ""), "key-length", false),
		ROW("k._update.m.", "m.", RDATA("\xA3", "short"), "key-weak", true),
		ROW("k.m.", "m.", RDATA("\xA3", SECRET), NULL, true), /* a file of secondaries may name it */
		ROW("k.", "m.", RDATA("\xA3", SECRET), "key-domain", false),
		ROW("k._update.other.", "m.", RDATA("\xA3", SECRET), "key-domain", false),
		ROW("k._update.m.", "x._update.m.", RDATA("\xA3", SECRET), "key-domain", false),
		ROW("k._update.", "m.", RDATA("\xA3", SECRET), "key-domain", false),
#undef ROW
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct keystore *ks = keystore_new(NULL);
		struct findings f = { 0 };
		assert_int_equal(add(ks, rows[i].owner, rows[i].within, rows[i].rdata, rows[i].n, &f), OK);
		assert_int_equal(keystore_count(ks), rows[i].is_kept);
		assert_int_equal(f.errors + f.warnings, rows[i].code != NULL);
		assert_int_equal(f.errors, rows[i].is_kept ? 0 : 1);
		if (rows[i].code != NULL) {
			assert_string_equal(f.list[0].code, rows[i].code);
			assert_null(strstr(f.list[0].text, "0123"));
		}
		keystore_free(&ks);
		findings_fini(&f);
	}
	static const uint8_t longest[4 + TSIG_SECRET_MAX + 1] = { 0, 0, 3, 163, 1 };
	struct keystore *ks = keystore_new(NULL);
	struct findings f = { 0 };
	assert_int_equal(add(ks, "a._update.m.", "m.", (const char *)longest, sizeof longest - 1, &f), OK);
	assert_int_equal(f.n, 0);
	assert_int_equal(add(ks, "b._update.m.", "m.", (const char *)longest, sizeof longest, &f), OK);
	assert_string_equal(f.list[0].code, "key-length");
	keystore_free(&ks);
	findings_fini(&f);
}

static void
one_secret_a_name(void **state)
{
	(void)state;
	struct keystore *a = keystore_new(NULL), *b = keystore_new(NULL), *all = keystore_new(NULL);
	struct findings f = { 0 };
	assert_int_equal(ADD(a, "k._update.m.", "m.", RDATA("\xA3", SECRET), &f), OK);
	assert_int_equal(ADD(a, "K._update.m.", "m.", RDATA("\xA3", SECRET), &f), OK);
	assert_int_equal(f.warnings, 1);
	assert_int_equal(f.list[0].nth, 1);
	assert_int_equal(ADD(a, "k._update.m.", "m.", RDATA("\xA3", SECRET "x"), &f), OK);
	assert_int_equal(f.errors, 1);
	assert_int_equal(keystore_count(a), 1);
	keystore_seal(a);

	assert_int_equal(ADD(b, "k._update.m.", ".", RDATA("\xA5", SECRET), &f), OK);
	assert_int_equal(ADD(b, "l._update.m.", ".", RDATA("\xA5", SECRET), &f), OK);
	assert_int_equal(keystore_merge(all, a, &f), OK);
	assert_int_equal(f.errors, 1);
	assert_int_equal(keystore_merge(all, b, &f), OK);
	assert_int_equal(f.errors, 2);
	keystore_free(&a);
	keystore_free(&b);
	keystore_seal(all);
	assert_int_equal(keystore_count(all), 2);
	assert_int_equal(keystore_find(all, named("k._update.m.").oct)->tsig.alg, HMAC_SHA256); /* the first */
	keystore_free(&all);
	findings_fini(&f);
}

static void
put_keys(struct keystore *ks, unsigned first, unsigned n)
{
	struct findings f = { 0 };
	for (unsigned i = first; i < first + n; i++) {
		char name[32];
		snprintf(name, sizeof name, "k%u._update.m.", i);
		assert_int_equal(ADD(ks, name, "m.", RDATA("\xA3", SECRET), &f), OK);
	}
	assert_int_equal(f.errors + f.warnings, 0);
}

/* With all or with none. */
static void
too_many_to_merge(void **state)
{
	(void)state;
	struct keystore *all = keystore_new(NULL), *two = keystore_new(NULL), *one = keystore_new(NULL);
	struct findings f = { 0 };
	put_keys(all, 0, KEYS_MAX - 1);
	put_keys(two, KEYS_MAX, 2);
	put_keys(one, KEYS_MAX, 1);
	assert_int_equal(keystore_merge(all, two, &f), E_LIMIT);
	assert_int_equal(keystore_count(all), KEYS_MAX - 1);
	assert_null(keystore_find(all, named("k100000._update.m.").oct));
	assert_int_equal(keystore_merge(all, one, &f), OK);
	assert_int_equal(keystore_count(all), KEYS_MAX);
	assert_non_null(keystore_find(all, named("k100000._update.m.").oct));
	assert_int_equal(keystore_merge(all, one, &f), E_LIMIT);
	assert_int_equal(f.errors + f.warnings, 0);
	keystore_free(&all);
	keystore_free(&two);
	keystore_free(&one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_kept_and_found),
		cmocka_unit_test(every_finding),
		cmocka_unit_test(one_secret_a_name),
		cmocka_unit_test(too_many_to_merge),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
