#include "auth/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
put(struct texts *t, unsigned i, size_t len)
{
	char path[32], *text = calloc(len + 1, 1);
	snprintf(path, sizeof path, "file-%u", i);
	memset(text, 'x', len);
	texts_put(t, path, text, len);
	free(text);
}

static bool
has(struct texts *t, unsigned i)
{
	char path[32];
	size_t len;
	snprintf(path, sizeof path, "file-%u", i);
	return texts_find(t, path, &len) != NULL;
}

static void
found_dropped_replaced(void **state)
{
	(void)state;
	struct texts t = { 0 };
	size_t len;
	assert_null(texts_find(&t, "a", &len));
	texts_put(&t, "a", "one", 3);
	texts_put(&t, "b", "two", 3);
	assert_memory_equal(texts_find(&t, "a", &len), "one", 3);
	texts_put(&t, "a", "longer", 6);
	assert_memory_equal(texts_find(&t, "a", &len), "longer", 6);
	assert_int_equal(len, 6);
	assert_int_equal(t.octets, 9);
	texts_drop(&t, "a");
	texts_drop(&t, "nothing");
	assert_null(texts_find(&t, "a", &len));
	texts_fini(&t);
	assert_null(texts_find(&t, "b", &len));
	texts_fini(&t);
}

static void
few_and_not_large(void **state)
{
	(void)state;
	struct texts t = { 0 };
	put(&t, 0, TEXTS_ONE_MAX + 1);
	assert_false(has(&t, 0));
	for (unsigned i = 1; i <= 2 * TEXTS_N_MAX; i++) {
		put(&t, i, 10);
	}
	assert_true(has(&t, 1)); /* borrowed texts stay until texts_trim() */
	texts_trim(&t);
	assert_int_equal(t.n, TEXTS_N_MAX);
	assert_true(has(&t, 1)); /* it was wanted last */
	assert_false(has(&t, 2));
	for (unsigned i = 1000; i < 1020; i++) {
		put(&t, i, TEXTS_ONE_MAX);
	}
	texts_trim(&t);
	assert_true(t.octets <= TEXTS_ALL_MAX);
	assert_true(has(&t, 1019));
	texts_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_dropped_replaced),
		cmocka_unit_test(few_and_not_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
