/* Each file is opened once, and what is open is closed. */
#include "auth/includes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct source {
	unsigned opened, closed;
	size_t len; /* of each file */
};

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct source *s = ctx;
	s->opened++;
	if (strcmp(path, "none") == 0) {
		return E_NOTFOUND;
	}
	char *text = calloc(s->len + 1, 1);
	assert_non_null(text);
	memset(text, path[0], s->len);
	*out = (struct master_text){ .text = text, .len = s->len, .handle = text };
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	struct source *s = ctx;
	s->closed++;
	free(text->handle);
}

static void
opened_once(void **state)
{
	(void)state;
	struct source s = { .len = 3 };
	const struct includes_source from = { .ctx = &s, .open = open_file, .close = close_file };
	struct includes t = { 0 };
	struct master_text a, b;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(includes_open(&t, &from, "a", &a), OK);
		assert_int_equal(includes_open(&t, &from, "b", &b), OK);
		assert_memory_equal(a.text, "aaa", 3);
		assert_memory_equal(b.text, "bbb", 3);
		includes_close(&from, &a);
		includes_close(&from, &b);
		assert_int_equal(includes_open(&t, &from, "none", &a), E_NOTFOUND);
	}
	assert_int_equal(s.opened, 3);
	assert_int_equal(s.closed, 2);
	includes_forget(&t); /* they may be others from now on */
	assert_int_equal(includes_open(&t, &from, "a", &a), OK);
	assert_int_equal(s.opened, 4);
	includes_close(&from, &a);
	includes_fini(&t);
	assert_int_equal(s.closed, 3);
}

static void
what_has_no_room_is_opened_each_time(void **state)
{
	(void)state;
	struct source s = { .len = INCLUDES_KEPT_MAX / 2 + 1 };
	const struct includes_source from = { .ctx = &s, .open = open_file, .close = close_file };
	struct includes t = { 0 };
	struct master_text a, b;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(includes_open(&t, &from, "a", &a), OK);
		assert_int_equal(includes_open(&t, &from, "b", &b), OK);
		assert_int_equal(a.text[s.len - 1], 'a');
		assert_int_equal(b.text[s.len - 1], 'b');
		includes_close(&from, &b);
		includes_close(&from, &a);
	}
	assert_int_equal(s.opened, 4);
	includes_fini(&t);
	assert_int_equal(s.closed, 4);
}

static void
held_as_long_as_it_has_users(void **state)
{
	(void)state;
	struct source s = { .len = 3 };
	const struct includes_source from = { .ctx = &s, .open = open_file, .close = close_file };
	struct includes t = { 0 };
	struct master_text text;
	struct include *a = includes_hold(&t, "a");
	assert_ptr_equal(includes_hold(&t, "a"), a);
	assert_int_equal(a->users, 2);
	assert_int_equal(includes_open(&t, &from, "a", &text), OK);
	includes_close(&from, &text);
	includes_release(&t, a);
	includes_forget(&t);
	assert_ptr_equal(includes_find(&t, "a"), a);
	assert_int_equal(includes_open(&t, &from, "a", &text), OK);
	includes_close(&from, &text);
	includes_release(&t, a);
	assert_ptr_equal(includes_find(&t, "a"), a); /* its text is still here */
	includes_forget(&t);
	assert_null(includes_find(&t, "a"));
	includes_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opened_once),
		cmocka_unit_test(what_has_no_room_is_opened_each_time),
		cmocka_unit_test(held_as_long_as_it_has_users),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
