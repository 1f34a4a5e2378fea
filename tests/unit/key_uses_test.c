#include "auth/key_uses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "dns/name.h"

static void
name_of(unsigned i, struct name *out)
{
	char text[32];
	(void)snprintf(text, sizeof text, "k%u._notify.", i);
	assert_int_equal(name_parse(text, strlen(text), NULL, out), OK);
}

static void
the_last_use_counts(void **state)
{
	(void)state;
	struct key_uses *t = xalloc(sizeof *t);
	struct name a, upper;
	name_of(1, &a);
	assert_int_equal(name_parse("K1._NOTIFY.", 11, NULL, &upper), OK);
	assert_int_equal(key_uses_last(t, a.oct), 0);
	key_uses_note(t, a.oct, 1700000000);
	key_uses_note(t, upper.oct, 1700000005);
	assert_int_equal(key_uses_last(t, a.oct), 1700000005);
	free_ptr(&t);
}

/* Four times as many keys as there are places: the newest are all there, and nobody has another's time. */
static void
the_oldest_are_forgotten(void **state)
{
	(void)state;
	enum { KEYS = 4 * KEY_USES_ROWS * KEY_USES_WAYS };
	struct key_uses *t = xalloc(sizeof *t);
	struct name n;
	for (unsigned i = 0; i < KEYS; i++) {
		name_of(i, &n);
		key_uses_note(t, n.oct, 1 + i);
	}
	size_t known = 0;
	for (unsigned i = 0; i < KEYS; i++) {
		name_of(i, &n);
		uint64_t last = key_uses_last(t, n.oct);
		assert_true(last == 0 || last == 1 + i);
		known += last != 0;
		assert_true(last != 0 || i + KEY_USES_ROWS / 4 < KEYS);
	}
	assert_in_range(known, KEY_USES_ROWS * KEY_USES_WAYS * 9 / 10, KEY_USES_ROWS * KEY_USES_WAYS);
	free_ptr(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_use_counts),
		cmocka_unit_test(the_oldest_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
