/* What a machine is short of, by number, by text, and by trying. */
#include "git/shortage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_texts(void **state)
{
	static const int numbers[] = { ENOSPC, EDQUOT, EROFS, ENFILE, EMFILE, ENOMEM, EIO };
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		char text[256];
		snprintf(text, sizeof text, "failed to write 'x': %s (and so on)", strerror(numbers[i]));
		assert_non_null(shortage_in(text));
		assert_int_equal(shortage_in(text)->number, numbers[i]);
		assert_ptr_equal(shortage_of_errno(numbers[i]), shortage_in(text));
	}
	assert_int_equal(shortage_in("Out of memory")->number, ENOMEM);
	assert_null(shortage_in("object not found - no match for id (abc)"));
	assert_null(shortage_of_errno(0));
	assert_null(shortage_of_errno(EACCES));
}

static void
test_trying(void **state)
{
	struct diag d;
	(void)state;
	diag_set(&d, DIAG_ERROR, "git", "object not found");
	assert_null(shortage_at("."));
	assert_false(shortage_explain(".", &d));
	assert_string_equal(d.text, "object not found");
	assert_false(shortage_explain("/nowhere", &d)); /* missing is not short */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_trying),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
