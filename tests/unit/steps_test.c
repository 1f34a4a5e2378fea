#include "acme/steps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "dns/msg.h"
#include "dns/rrtype.h"
#include "named.h"

enum { UPDATES = 2 };

static void
add(struct steps *s, enum step_change_kind kind, const char *zone, const char *owner, uint16_t type)
{
	const struct name z = named(zone), o = named(owner);
	const struct step_change c = { .kind = kind, .owner = o.oct, .type = type, .ttl = 60, .rdata = (const uint8_t *)"\1x", .rdlen = 2 };
	assert_int_equal(steps_add(s, z.oct, &c), OK);
}

static struct keystore *
keys_of(const char *const *names)
{
	struct keystore *ks = keystore_new(NULL);
	for (; *names != NULL; names++) {
		struct tsig_key k = { .alg = HMAC_SHA256, .secret = "secret", .secret_len = 6 };
		k.name = named(*names);
		assert_int_equal(keystore_add_key(ks, &k), OK);
	}
	keystore_seal(ks);
	return ks;
}

static uint8_t bytes[STEPS_MESSAGE_MAX + 64];

/* The next message's key, and how many conditions and changes it has. */
static err_t
next(struct steps *s, const struct keystore *ks, const char *key, size_t conditions, size_t changes)
{
	struct buf b = buf_over(bytes, sizeof bytes);
	struct step step = { .message = &b };
	struct msg m;
	err_t err = steps_next(s, ks, &step);
	if (err != OK) {
		return err;
	}
	const struct name want = named(key);
	assert_true(name_is_equal(step.key->tsig.name.oct, want.oct));
	assert_int_equal(msg_parse(b.base, b.len, &m), OK);
	assert_int_equal(m.count[1], conditions);
	assert_int_equal(m.count[UPDATES], changes);
	return OK;
}

static void
one_key_is_one_message(void **state)
{
	(void)state;
	struct keystore *ks = keys_of((const char *const[]){ "a._txt._update.example", "b._update.example", NULL });
	struct steps s = { 0 };
	add(&s, STEP_ADD, "example", "_acme-challenge.example", TYPE_TXT);
	add(&s, STEP_IF_THERE, "example", "_letsencrypt._tcp.example", TYPE_TLSA);
	add(&s, STEP_IF_THERE, "example", "_letsencrypt._tcp.example", TYPE_TLSA);
	add(&s, STEP_REMOVE, "example", "_letsencrypt._tcp.example", TYPE_TLSA);
	assert_int_equal(next(&s, ks, "b._update.example", 2, 2), OK);
	assert_true(steps_has_condition(&s));
	assert_int_equal(next(&s, ks, "b._update.example", 2, 2), OK); /* again, as it was not done */
	steps_done(&s);
	assert_int_equal(next(&s, ks, "", 0, 0), E_NOTFOUND);
	steps_fini(&s);
	keystore_free(&ks);
}

static void
narrow_keys_make_steps(void **state)
{
	(void)state;
	struct keystore *ks = keys_of((const char *const[]){ "a._txt._update._acme-challenge.example", "b._tlsa._update.example",
	                                                     "c._transfer.example", "d._update.other", NULL });
	struct steps s = { 0 };
	add(&s, STEP_ADD, "other", "x.other", TYPE_TXT);
	add(&s, STEP_ADD, "example", "_acme-challenge.example", TYPE_TXT);
	add(&s, STEP_ADD, "example", "_letsencrypt._tcp.example", TYPE_TLSA);
	add(&s, STEP_ADD, "other", "y.other", TYPE_TXT);
	assert_int_equal(next(&s, ks, "d._update.other", 0, 2), OK);
	steps_done(&s);
	assert_int_equal(next(&s, ks, "a._txt._update._acme-challenge.example", 0, 1), OK);
	steps_done(&s);
	assert_int_equal(next(&s, ks, "b._tlsa._update.example", 0, 1), OK);
	steps_done(&s);
	add(&s, STEP_ADD, "example", "www.example", TYPE_TXT); /* that of transfers alone may not */
	assert_int_equal(next(&s, ks, "", 0, 0), E_AUTH);
	steps_fini(&s);
	keystore_free(&ks);
}

static void
much_is_several_messages(void **state)
{
	(void)state;
	static uint8_t large[30000];
	struct keystore *ks = keys_of((const char *const[]){ "b._update.example", NULL });
	const struct name zone = named("example");
	struct step_change c = { .kind = STEP_ADD, .owner = zone.oct, .type = TYPE_TXT, .rdata = large, .rdlen = sizeof large };
	struct steps s = { 0 };
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(steps_add(&s, zone.oct, &c), OK);
	}
	assert_int_equal(next(&s, ks, "b._update.example", 0, 1), OK);
	steps_done(&s);
	assert_int_equal(next(&s, ks, "b._update.example", 0, 1), OK);
	steps_done(&s);
	c.rdlen = 0x10000;
	assert_int_equal(steps_add(&s, zone.oct, &c), E_LIMIT);
	steps_fini(&s);
	keystore_free(&ks);
}

/* Ten records are there, and two of `len` octets replace them. */
static void
replace(struct steps *s, size_t len)
{
	static uint8_t large[40000];
	const struct name zone = named("example");
	struct step_change c = { .kind = STEP_IF_THERE, .owner = zone.oct, .type = TYPE_TLSA, .rdata = large, .rdlen = 2000 };
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(steps_add(s, zone.oct, &c), OK);
	}
	c.kind = STEP_ADD;
	c.rdlen = len;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(steps_add(s, zone.oct, &c), OK);
	}
}

/* What came in a message after the conditions would have none. */
static void
an_rrset_with_conditions_is_not_divided(void **state)
{
	(void)state;
	struct keystore *ks = keys_of((const char *const[]){ "b._update.example", NULL });
	struct steps s = { 0 };
	replace(&s, 19000);
	assert_int_equal(next(&s, ks, "b._update.example", 10, 2), OK);
	steps_fini(&s);
	add(&s, STEP_ADD, "example", "www.example", TYPE_TXT);
	replace(&s, 25000);
	assert_int_equal(next(&s, ks, "b._update.example", 0, 1), OK);
	steps_done(&s);
	assert_int_equal(next(&s, ks, "", 0, 0), E_FULL);
	steps_fini(&s);
	keystore_free(&ks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_key_is_one_message),
		cmocka_unit_test(narrow_keys_make_steps),
		cmocka_unit_test(much_is_several_messages),
		cmocka_unit_test(an_rrset_with_conditions_is_not_divided),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
