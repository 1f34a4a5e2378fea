/* Serials of zones that are not served: what is kept of them, and how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/marks.h"
#include "dns/name.h"

static struct name
name_of(unsigned number)
{
	char text[32];
	struct name n;
	int len = snprintf(text, sizeof text, "z%07u.example.", number);
	assert_int_equal(name_parse(text, (size_t)len, NULL, &n), OK);
	return n;
}

static const struct mark *
find(const struct marks *m, unsigned number)
{
	const struct name n = name_of(number);
	return marks_find(m, n.oct);
}

static void
the_newest_serial_counts(void **state)
{
	(void)state;
	struct marks m = { 0 };
	const struct name n = name_of(1);
	marks_note(&m, n.oct, 10, 77);
	marks_note(&m, n.oct, 9, 78);
	assert_int_equal(find(&m, 1)->serial, 10);
	assert_int_equal(find(&m, 1)->digest, 77);
	marks_note(&m, n.oct, 10, 79); /* another version had it, too */
	assert_int_equal(find(&m, 1)->digest, 0);
	marks_note(&m, n.oct, UINT32_C(10) + (UINT32_C(1) << 31), 80); /* RFC 1982 3.2: neither is newer */
	assert_int_equal(find(&m, 1)->serial, 10);
	marks_note_past(&m, n.oct, 11);
	assert_true(find(&m, 1)->is_hearsay);
	marks_note(&m, n.oct, 12, 81);
	assert_false(find(&m, 1)->is_hearsay);
	assert_int_equal(find(&m, 1)->digest, 81);
	marks_drop(&m, n.oct);
	assert_null(find(&m, 1));
	marks_fini(&m);
}

/* More zones go than are kept in mind, and then some more: those that went last are known, and none of it takes minutes. */
static void
those_set_longest_ago_go_first(void **state)
{
	(void)state;
	enum { MORE = MARKS_MAX / 2 };
	struct marks m = { 0 };
	struct name n = name_of(0);
	for (unsigned i = 0; i < MARKS_MAX; i++) {
		n = name_of(i);
		marks_note(&m, n.oct, i, 1);
	}
	assert_int_equal(m.n, MARKS_MAX);
	n = name_of(0);
	marks_note(&m, n.oct, 5, 1); /* the oldest is set anew */
	for (unsigned i = MARKS_MAX; i < MARKS_MAX + MORE; i++) {
		n = name_of(i);
		marks_note(&m, n.oct, i, 1);
		assert_true(m.n <= MARKS_MAX);
	}
	assert_non_null(find(&m, 0));
	assert_null(find(&m, 1));
	for (unsigned i = MARKS_MAX; i < MARKS_MAX + MORE; i++) {
		assert_int_equal(find(&m, i)->serial, i);
	}
	assert_true(m.n >= MARKS_MAX / 4 * 3);
	marks_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_serial_counts),
		cmocka_unit_test(those_set_longest_ago_go_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
