#include "ops/privs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cmocka.h>

static void
memory_is_hidden(void **state)
{
	struct rlimit limit;
	(void)state;
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	privs_hide_memory();
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_int_equal(limit.rlim_cur, 0);
	assert_int_equal(limit.rlim_max, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(memory_is_hidden) };
	return cmocka_run_group_tests_name("privs", tests, NULL, NULL);
}
