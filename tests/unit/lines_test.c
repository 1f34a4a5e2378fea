#include "auth/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

struct thing {
	struct lines_item turn;
	unsigned owner, number;
	uint64_t cost;
};

static void
put(struct lines *t, struct thing *x, unsigned owner, unsigned number, uint64_t cost)
{
	char text[32];
	struct name name;
	snprintf(text, sizeof text, number % 2 != 0 ? "key-%u" : "KEY-%u", owner); /* one owner */
	assert_int_equal(name_parse(text, strlen(text), name_root, &name), OK);
	x->owner = owner;
	x->number = number;
	x->cost = cost;
	assert_int_equal(lines_put(t, name.oct, &x->turn), OK);
}

static struct thing *
take(struct lines *t)
{
	struct lines_item *item = lines_take(t);
	return item != NULL ? (struct thing *)(void *)item : NULL;
}

/* One is taken, and what it costs is charged. */
static struct thing *
serve(struct lines *t)
{
	struct thing *x = take(t);
	if (x != NULL) {
		lines_charge(t, &x->turn, x->cost);
		lines_done(t, &x->turn);
	}
	return x;
}

static void
one_owner_is_served_in_order(void **state)
{
	(void)state;
	struct lines t = { 0 };
	struct thing x[10];
	assert_null(take(&t));
	for (unsigned i = 0; i < ARRAY_LEN(x); i++) {
		put(&t, &x[i], 1, i, 1000 * i);
	}
	for (unsigned i = 0; i < ARRAY_LEN(x); i++) {
		assert_int_equal(t.n, ARRAY_LEN(x) - i);
		assert_int_equal(serve(&t)->number, i);
	}
	assert_null(take(&t));
	lines_fini(&t);
}

/* Fifty large ones of one key do not hold up a small one of another. */
static void
who_comes_new_comes_next(void **state)
{
	(void)state;
	struct lines t = { 0 };
	struct thing large[50], small;
	for (unsigned i = 0; i < ARRAY_LEN(large); i++) {
		put(&t, &large[i], 1, i, 5000);
	}
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(serve(&t)->owner, 1);
	}
	put(&t, &small, 2, 0, 1);
	assert_ptr_equal(serve(&t), &small);
	for (unsigned i = 20; i < ARRAY_LEN(large); i++) {
		assert_int_equal(serve(&t)->number, i);
	}
	lines_fini(&t);
}

/* Whoever comes back for each of his large ones alone is no better off. */
static void
what_was_done_counts_after_it_is_done(void **state)
{
	(void)state;
	struct lines t = { 0 };
	struct thing large, small[100];
	unsigned served = 0;
	for (unsigned i = 0; i < ARRAY_LEN(small); i++) {
		put(&t, &small[i], 2, i, 10);
	}
	for (unsigned i = 0; i < ARRAY_LEN(small); served++) {
		if (served % 2 == 0) {
			put(&t, &large, 1, served, 300);
		}
		i += serve(&t)->owner == 2;
		while (served % 2 == 0 && t.n + i != ARRAY_LEN(small)) { /* it has its turn before it comes again */
			i += serve(&t)->owner == 2;
		}
	}
	assert_in_range(served, 1, 20);
	lines_fini(&t);
}

/* When all has been done, nobody owes anything. */
static void
all_are_even_when_nothing_waits(void **state)
{
	(void)state;
	struct lines t = { 0 };
	struct thing x[4];
	put(&t, &x[0], 1, 0, 1000000);
	serve(&t);
	assert_null(take(&t));
	put(&t, &x[1], 1, 1, 10);
	put(&t, &x[2], 2, 2, 10);
	put(&t, &x[3], 2, 3, 10);
	assert_int_equal(serve(&t)->owner + serve(&t)->owner, 3);
	assert_ptr_equal(serve(&t), &x[3]);
	lines_fini(&t);
}

/* ---- at random ---- */

enum { OWNERS = 7, COST_MAX = 1000, THINGS = 20000 };

struct account {
	unsigned put, served; /* numbers: order */
	uint64_t cost;        /* since all waited */
};

static unsigned
below(unsigned *seed, unsigned n)
{
	return (unsigned)rand_r(seed) % n;
}

static struct thing *
thing_new(struct lines *t, struct account *a, unsigned owner, unsigned *seed)
{
	struct thing *x = xalloc(sizeof *x);
	/* Each owner's things are of a size of their own, mostly. */
	put(t, x, owner, a[owner].put++, 1 + below(seed, below(seed, 10) != 0 ? 1 + COST_MAX / (1 + owner * owner) : COST_MAX));
	return x;
}

/* While all have something waiting no two differ by more than two of the largest things. */
static void
check_shares(const struct account *a)
{
	uint64_t least = UINT64_MAX, most = 0;
	for (unsigned i = 0; i < OWNERS; i++) {
		least = a[i].cost < least ? a[i].cost : least;
		most = a[i].cost > most ? a[i].cost : most;
	}
	assert_true(most - least <= 2 * COST_MAX);
}

static void
serve_one(struct lines *t, struct account *a)
{
	struct thing *x = serve(t);
	assert_int_equal(x->number, a[x->owner].served++);
	a[x->owner].cost += x->cost + 1;
	free(x);
}

static void
each_gets_the_same(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++) {
		struct lines t = { 0 };
		struct account a[OWNERS] = { 0 };
		unsigned random = seed;
		for (unsigned i = 0; i < THINGS; i++) {
			for (unsigned o = 0; o < OWNERS; o++) { /* nobody is ever without one */
				while (a[o].put - a[o].served < 1 + below(&random, 4)) {
					thing_new(&t, a, o, &random);
				}
			}
			serve_one(&t, a);
			check_shares(a);
		}
		while (t.n != 0) {
			serve_one(&t, a);
		}
		lines_fini(&t);
	}
}

/* They come and go, are held, charged later, or not at all: each comes out once, in its owner's order, and nothing is left. */
static void
each_is_served_once(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct lines t = { 0 };
		struct account a[OWNERS] = { 0 };
		struct thing *held[64] = { NULL };
		unsigned random = seed, waiting = 0;
		for (unsigned i = 0; i < THINGS; i++) {
			struct thing **h = &held[below(&random, ARRAY_LEN(held))];
			if (*h != NULL) {
				lines_charge(&t, &(*h)->turn, (*h)->cost);
				lines_done(&t, &(*h)->turn);
				free(*h);
				*h = NULL;
			}
			if (below(&random, 100) < (i / 1000 % 2 != 0 ? 30 : 70)) {
				thing_new(&t, a, below(&random, OWNERS), &random);
				waiting++;
			} else if ((*h = take(&t)) != NULL) {
				assert_int_equal((*h)->number, a[(*h)->owner].served++);
				waiting--;
			}
			assert_int_equal(t.n, waiting);
		}
		for (unsigned i = 0; i < ARRAY_LEN(held); i++) {
			if (held[i] != NULL) {
				lines_done(&t, &held[i]->turn);
				free(held[i]);
			}
		}
		while (t.n != 0) {
			serve_one(&t, a);
		}
		lines_fini(&t); /* the sanitizer sees what would be left */
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_owner_is_served_in_order),
		cmocka_unit_test(who_comes_new_comes_next),
		cmocka_unit_test(what_was_done_counts_after_it_is_done),
		cmocka_unit_test(all_are_even_when_nothing_waits),
		cmocka_unit_test(each_gets_the_same),
		cmocka_unit_test(each_is_served_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
