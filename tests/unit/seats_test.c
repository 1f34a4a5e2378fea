/* Which connection goes for another: each rule of net/seats.h by itself, then random sequences beside a plain array. */
#include "net/seats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
ranks_are_by_what_is_open(void **state)
{
	(void)state;
	static const struct {
		enum seat_rank rank;
		struct seat_facts facts;
	} cases[] = {
		{ SEAT_IDLE, { .unseen_ms = SEATS_NEW_MS - 1 } },
		{ SEAT_SILENT, { .unseen_ms = SEATS_NEW_MS } },
		{ SEAT_IDLE, { .has_asked = true } },
		{ SEAT_IDLE, { .has_asked = true, .unseen_ms = 1000000 } },
		{ SEAT_TAKING, { .has_asked = true, .has_unsent = true, .unseen_ms = SEATS_STALL_MS - 1 } },
		{ SEAT_STALLED, { .has_asked = true, .has_unsent = true, .unseen_ms = SEATS_STALL_MS } },
		{ SEAT_WAITING, { .has_asked = true, .is_waiting = true, .is_signed = true, .unseen_ms = 1000000 } },
		{ SEAT_WAITING, { .has_asked = true, .is_waiting = true } },
		{ SEAT_SENDING, { .has_asked = true, .has_transfer = true, .has_unsent = true } },
		{ SEAT_TRUSTED, { .has_asked = true, .has_transfer = true, .has_unsent = true, .is_signed = true } },
		{ SEAT_STALLED, { .has_asked = true, .has_transfer = true, .is_signed = true, .unseen_ms = SEATS_STALL_MS } },
		{ SEAT_TRUSTED, { .has_asked = true, .is_kept = true, .unseen_ms = 1000000 } },
		{ SEAT_STALLED, { .has_asked = true, .is_kept = true, .has_unsent = true, .unseen_ms = 1000000 } },
		{ SEAT_TRUSTED, { .has_asked = true, .has_update = true, .unseen_ms = 1000000 } },
		{ SEAT_TRUSTED, { .has_asked = true, .is_kept = true, .is_waiting = true } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(seat_rank_of(&cases[i].facts), cases[i].rank);
	}
}

static void
the_lowest_rank_goes_and_of_it_the_longest_unseen(void **state)
{
	(void)state;
	struct seats ps;
	struct seat p[4];
	seats_init(&ps);
	assert_null(seats_victim(&ps));
	for (unsigned i = 0; i < 4; i++) {
		seats_add(&ps, &p[i], i);
	}
	assert_ptr_equal(seats_victim(&ps), &p[0]);
	seats_seen(&ps, &p[0], 9);
	assert_ptr_equal(seats_victim(&ps), &p[1]);
	seats_set_rank(&ps, &p[0], SEAT_SILENT);
	seats_set_rank(&ps, &p[1], SEAT_TRUSTED);
	seats_set_rank(&ps, &p[3], SEAT_SENDING);
	assert_ptr_equal(seats_victim(&ps), &p[0]);
	seats_remove(&ps, &p[0]);
	assert_ptr_equal(seats_victim(&ps), &p[2]);
	seats_remove(&ps, &p[2]);
	assert_ptr_equal(seats_victim(&ps), &p[3]);
	seats_remove(&ps, &p[3]);
	assert_null(seats_victim(&ps)); /* those that are trusted do not go */
	seats_remove(&ps, &p[1]);
	assert_int_equal(ps.n, 0);
}

/* Who comes to a rank unseen, as stalled ones do, takes its place by time. */
static void
a_rank_stays_in_order(void **state)
{
	(void)state;
	struct seats ps;
	struct seat early, late;
	seats_init(&ps);
	seats_add(&ps, &early, 1);
	seats_add(&ps, &late, 2);
	seats_set_rank(&ps, &late, SEAT_STALLED);
	seats_set_rank(&ps, &early, SEAT_STALLED);
	assert_ptr_equal(seats_victim(&ps), &early);
	seats_remove(&ps, &early);
	seats_remove(&ps, &late);
}

/* ---- random sequences ---- */

enum { N = 40, STEPS = 20000 };

struct model {
	bool is_there;
	enum seat_rank rank;
	uint64_t seen_ms;
	struct seat seat;
};

/* Does a rank go after another?  The same rank: who was seen later. */
static bool
goes_before(const struct model *a, const struct model *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->seen_ms < b->seen_ms;
}

static void
hold(const struct seats *ps, const struct model *m)
{
	const struct seat *victim = seats_victim(ps);
	unsigned n = 0;
	for (unsigned i = 0; i < N; i++) {
		n += m[i].is_there;
		if (victim == NULL) {
			assert_true(!m[i].is_there || m[i].rank == SEAT_TRUSTED);
		} else if (m[i].is_there) {
			assert_false(goes_before(&m[i], LIST_ENTRY(victim, struct model, seat)));
		}
	}
	assert_int_equal(ps->n, n);
	assert_true(victim == NULL || victim->rank != SEAT_TRUSTED);
}

static void
random_sequences_choose_as_an_array_does(void **state)
{
	(void)state;
	struct seats ps;
	struct model m[N];
	memset(m, 0, sizeof m);
	srand(1);
	seats_init(&ps);
	for (uint64_t now_ms = 1; now_ms < STEPS; now_ms++) {
		struct model *c = &m[rand() % N];
		if (!c->is_there) {
			*c = (struct model){ .is_there = true, .rank = SEAT_IDLE, .seen_ms = now_ms };
			seats_add(&ps, &c->seat, now_ms);
		} else if (rand() % 4 == 0) {
			seats_remove(&ps, &c->seat);
			c->is_there = false;
		} else if (rand() % 2 == 0) {
			c->seen_ms = now_ms;
			seats_seen(&ps, &c->seat, now_ms);
		} else {
			c->rank = (enum seat_rank)(rand() % SEAT_RANKS);
			seats_set_rank(&ps, &c->seat, c->rank);
		}
		hold(&ps, m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_are_by_what_is_open),
		cmocka_unit_test(the_lowest_rank_goes_and_of_it_the_longest_unseen),
		cmocka_unit_test(a_rank_stays_in_order),
		cmocka_unit_test(random_sequences_choose_as_an_array_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
