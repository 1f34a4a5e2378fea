/* Against a plain list, with strings that share long beginnings. */
#include "base/strmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 300 };

struct world {
	struct strmap map;
	char keys[KEYS][48];
	bool is_in[KEYS];
};

/* Each is another; many are the beginning of others, and octets are of all kinds. */
static void
world_init(struct world *w)
{
	*w = (struct world){ 0 };
	for (int i = 0; i < KEYS; i++) {
		int len = i % 40;
		memset(w->keys[i], i % 3 == 0 ? 'a' : '\xff', (size_t)len);
		(void)snprintf(w->keys[i] + len, sizeof w->keys[i] - (size_t)len, "%s%d", i % 2 == 0 ? "/" : "", i);
	}
	w->keys[0][0] = '\0';
}

static void
assert_as_listed(struct world *w)
{
	size_t n = 0;
	for (int i = 0; i < KEYS; i++) {
		assert_ptr_equal(strmap_find(&w->map, w->keys[i]), w->is_in[i] ? w->keys[i] : NULL);
		n += w->is_in[i];
	}
	assert_int_equal(w->map.n, n);
}

static void
as_a_list_would(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	srandom(1);
	assert_as_listed(&w);
	for (int turn = 0; turn < 4000; turn++) {
		int i = (int)(random() % KEYS);
		if (w.is_in[i]) {
			assert_ptr_equal(strmap_take(&w.map, w.keys[i]), w.keys[i]);
		} else {
			assert_null(strmap_take(&w.map, w.keys[i]));
			assert_int_equal(strmap_put(&w.map, w.keys[i], w.keys[i]), OK);
		}
		w.is_in[i] = !w.is_in[i];
		if (turn % 50 == 0) {
			assert_as_listed(&w);
		}
	}
	for (int i = 0; i < KEYS; i++) {
		assert_ptr_equal(strmap_take(&w.map, w.keys[i]), w.is_in[i] ? w.keys[i] : NULL);
		w.is_in[i] = false;
	}
	assert_as_listed(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_list_would),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
