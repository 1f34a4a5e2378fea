/* A transfer or an update for which there is no memory does not wait, and changes nothing for those that do.  Linked with --wrap, see
 * meson.build. */
#include "nomem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "auth/lines.h"
#include "auth/turns.h"

static void
transfers_without_memory(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn;
	const struct peer from = { .family = 4, .address = { 192, 0, 2, 7 } };
	const struct name unsigned_one = { .len = 0 };
	err_t err = E_NOMEM;
	turns_init(&t, 1);
	for (size_t n = 0; err != OK; n++) {
		assert_int_equal(t.waiting_n, 0);
		assert_null(turns_begin_next(&t, 1));
		fail_after(n);
		err = turns_ask(&t, &from, &unsigned_one, &turn);
		is_failing = false;
		assert_true(err == OK || (err == E_NOMEM && has_failed));
	}
	assert_ptr_equal(turns_begin_next(&t, 1), &turn);
	turns_leave(&t, &turn);
}

/* More owners than the first piece of memory has room for. */
static void
updates_without_memory(void **state)
{
	(void)state;
	enum { N = 200 };
	struct lines t = { 0 };
	struct lines_item item[N];
	for (size_t i = 0; i < N; i++) {
		const uint8_t name[] = { 2, (uint8_t)(i % 26 + 1), (uint8_t)(i / 26 + 1), 0 };
		err_t err = E_NOMEM;
		for (size_t n = 0; err != OK; n++) {
			fail_after(n);
			err = lines_put(&t, name, &item[i]);
			is_failing = false;
			assert_true(err == OK || (err == E_NOMEM && has_failed));
			assert_int_equal(t.n, i + (err == OK));
		}
	}
	fail_after(0); /* what is taken and charged needs none */
	for (size_t i = 0; i < N; i++) {
		struct lines_item *taken = lines_take(&t);
		assert_non_null(taken);
		lines_charge(&t, taken, i % 7);
		lines_done(&t, taken);
	}
	is_failing = false;
	assert_null(lines_take(&t));
	assert_int_equal(t.owners, 0);
	lines_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfers_without_memory),
		cmocka_unit_test(updates_without_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
