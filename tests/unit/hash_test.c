#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Values that the authors of FNV publish (draft-eastlake-fnv, appendix C). */
static void
published_values(void **state)
{
	(void)state;
	assert_int_equal(hash32_text(""), 0x811C9DC5);
	assert_int_equal(hash32_text("a"), 0xE40C292C);
	assert_int_equal(hash32_text("foobar"), 0xBF9CF968);
	assert_true(hash64(HASH64_START, "", 0) == UINT64_C(0xCBF29CE484222325));
	assert_true(hash64(HASH64_START, "a", 1) == UINT64_C(0xAF63DC4C8601EC8C));
	assert_true(hash64(HASH64_START, "foobar", 6) == UINT64_C(0x85944171F73967E8));
}

static void
parts_make_the_whole(void **state)
{
	(void)state;
	assert_int_equal(hash32(hash32(HASH32_START, "foo", 3), "bar", 3), hash32_text("foobar"));
	assert_true(hash64(hash64(HASH64_START, "foo", 3), "bar", 3) == hash64(HASH64_START, "foobar", 6));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values),
		cmocka_unit_test(parts_make_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
