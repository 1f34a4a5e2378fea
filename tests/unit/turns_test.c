/* Each rule of auth/turns.h by itself, then all of them under random sequences. */
#include "auth/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "turns_world.h"

enum { KEY_NONE, KEY_A, KEY_B, KEY_C };

static void
ask(struct turns *t, unsigned client, unsigned key, struct turn *turn)
{
	struct peer from = world_peer(client);
	struct name signer = world_key(key);
	assert_int_equal(turns_ask(t, &from, &signer, turn), OK);
}

/* As many as may begin do. */
static unsigned
begin_all(struct turns *t, uint64_t now_ms)
{
	unsigned n = 0;
	while (turns_begin_next(t, now_ms) != NULL) {
		n++;
	}
	return n;
}

static void
leave_all(struct turns *t, struct turn *turn, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		turns_leave(t, &turn[i]);
	}
	assert_int_equal(t->active_n + t->waiting_n, 0);
}

static void
a_client_has_a_fourth(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[40];
	turns_init(&t, 10);
	for (unsigned i = 0; i < 40; i++) {
		ask(&t, 1, i % 4, &turn[i]); /* with however many keys */
	}
	assert_int_equal(begin_all(&t, 0), 3);
	turns_leave(&t, &turn[0]);
	assert_int_equal(begin_all(&t, 0), 1);
	leave_all(&t, turn + 1, 39);
}

static void
a_key_has_half(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[6], other;
	turns_init(&t, 7);
	for (unsigned i = 0; i < 6; i++) {
		ask(&t, i, KEY_A, &turn[i]); /* from however many addresses */
	}
	assert_int_equal(begin_all(&t, 0), 4);
	ask(&t, 5, KEY_B, &other);
	assert_ptr_equal(turns_begin_next(&t, 0), &other);
	turns_leave(&t, &other);
	leave_all(&t, turn, 6);
}

static void
what_is_not_signed_is_of_one_party(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[6];
	turns_init(&t, 4);
	for (unsigned i = 0; i < 6; i++) {
		ask(&t, i, KEY_NONE, &turn[i]);
	}
	assert_int_equal(begin_all(&t, 0), 2);
	leave_all(&t, turn, 6);
}

static void
one_place_is_for_everybody(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[2];
	turns_init(&t, 1);
	ask(&t, 1, KEY_A, &turn[0]);
	ask(&t, 1, KEY_A, &turn[1]);
	assert_ptr_equal(turns_begin_next(&t, 0), &turn[0]);
	assert_null(turns_begin_next(&t, 0));
	turns_leave(&t, &turn[0]);
	assert_ptr_equal(turns_begin_next(&t, 0), &turn[1]);
	turns_leave(&t, &turn[1]);
}

/* One place; who begins leaves at once.  Returns the place in `turn` of the one that began. */
static size_t
serve_one(struct turns *t, struct turn *turn)
{
	struct turn *next = turns_begin_next(t, 0);
	assert_non_null(next);
	turns_leave(t, next);
	return (size_t)(next - turn);
}

static void
clients_have_their_turns_in_a_round(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[9];
	static const unsigned clients[9] = { 1, 1, 1, 1, 1, 1, 2, 2, 3 };
	static const size_t order[9] = { 0, 6, 8, 1, 7, 2, 3, 4, 5 };
	turns_init(&t, 1);
	for (unsigned i = 0; i < 9; i++) {
		ask(&t, clients[i], KEY_A, &turn[i]);
	}
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(serve_one(&t, turn), order[i]);
	}
}

/* One client with three keys has no more than another with one; nor has one key at three clients. */
static void
more_keys_are_no_more_turns(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[6];
	turns_init(&t, 1);
	for (unsigned i = 0; i < 3; i++) {
		ask(&t, 1, i, &turn[i]);
	}
	for (unsigned i = 3; i < 6; i++) {
		ask(&t, 2, KEY_C, &turn[i]);
	}
	static const size_t order[6] = { 0, 3, 1, 4, 2, 5 };
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(serve_one(&t, turn), order[i]);
	}
}

static void
more_clients_are_no_more_turns_of_a_key(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[6];
	turns_init(&t, 1);
	for (unsigned i = 0; i < 3; i++) {
		ask(&t, i, KEY_A, &turn[i]);
	}
	for (unsigned i = 3; i < 6; i++) {
		ask(&t, 5, KEY_B, &turn[i]);
	}
	static const size_t order[6] = { 0, 3, 1, 4, 2, 5 };
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(serve_one(&t, turn), order[i]);
	}
}

/* Who asks again and again does not pass those who wait. */
static void
who_comes_anew_waits_for_the_round(void **state)
{
	(void)state;
	struct turns t;
	struct turn patient[3], busy;
	turns_init(&t, 1);
	ask(&t, 1, KEY_A, &patient[0]);
	ask(&t, 1, KEY_A, &patient[1]);
	assert_int_equal(serve_one(&t, patient), 0);
	ask(&t, 2, KEY_B, &busy);
	assert_int_equal(serve_one(&t, patient), 1);
	turns_leave(&t, &busy);
}

static void
pass_a_window(struct turn *turn, uint64_t *now_ms, uint64_t rate, uint64_t *taken)
{
	*now_ms += TURNS_WINDOW_MS;
	*taken += rate * TURNS_WINDOW_MS / 1000;
	turn_note_taken(turn, *now_ms, *taken);
}

static void
a_slow_one_goes_on_alone_and_ends_for_others(void **state)
{
	(void)state;
	struct turns t;
	struct turn slow, own, other;
	uint64_t now_ms = 5, taken = 0;
	turns_init(&t, 1);
	ask(&t, 1, KEY_A, &slow);
	turns_begin_next(&t, now_ms);
	pass_a_window(&slow, &now_ms, TURNS_RATE_MIN / 2, &taken);
	assert_null(turns_too_slow(&t)); /* nobody waits */
	ask(&t, 1, KEY_B, &own);
	assert_null(turns_too_slow(&t)); /* nobody but itself */
	ask(&t, 2, KEY_B, &other);
	assert_ptr_equal(turns_too_slow(&t), &slow);
	pass_a_window(&slow, &now_ms, TURNS_RATE_MIN, &taken);
	assert_null(turns_too_slow(&t)); /* fast enough */
	pass_a_window(&slow, &now_ms, TURNS_RATE_MIN - 1, &taken);
	assert_ptr_equal(turns_too_slow(&t), &slow);
	turns_leave(&t, &slow);
	turns_leave(&t, &own);
	turns_leave(&t, &other);
}

static void
nobody_is_slow_before_a_whole_window(void **state)
{
	(void)state;
	struct turns t;
	struct turn slow, other;
	turns_init(&t, 1);
	ask(&t, 1, KEY_A, &slow);
	turns_begin_next(&t, 7);
	ask(&t, 2, KEY_B, &other);
	turn_note_taken(&slow, 7 + TURNS_WINDOW_MS - 1, 0);
	assert_null(turns_too_slow(&t));
	turn_note_taken(&slow, 7 + TURNS_WINDOW_MS, 0);
	assert_ptr_equal(turns_too_slow(&t), &slow);
	turns_leave(&t, &slow);
	turns_leave(&t, &other);
}

/* Places are free; what another waits for is its key's share, and so one of that key ends, and of these the slowest. */
static void
the_slowest_of_those_in_the_way_ends(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[4], foreign, waiting;
	turns_init(&t, 8);
	for (unsigned i = 0; i < 4; i++) {
		ask(&t, i, KEY_A, &turn[i]);
	}
	ask(&t, 0, KEY_B, &foreign);
	assert_int_equal(begin_all(&t, 0), 5);
	ask(&t, 5, KEY_A, &waiting);
	assert_null(turns_begin_next(&t, 0));
	turn_note_taken(&foreign, TURNS_WINDOW_MS, 0);
	for (unsigned i = 0; i < 4; i++) {
		turn_note_taken(&turn[i], TURNS_WINDOW_MS, 1000000u * (i == 0) + 1000u * (4 - i));
	}
	assert_ptr_equal(turns_too_slow(&t), &turn[3]);
	turns_leave(&t, &turn[3]);
	assert_ptr_equal(turns_begin_next(&t, 0), &waiting);
	assert_null(turns_too_slow(&t));
	turns_leave(&t, &waiting);
	turns_leave(&t, &foreign);
	leave_all(&t, turn, 3);
}

static void
who_has_most_waiting_loses_the_latest(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[6];
	static const unsigned clients[6] = { 2, 1, 1, 2, 2, 3 };
	turns_init(&t, 1);
	assert_null(turns_one_too_many(&t));
	for (unsigned i = 0; i < 6; i++) {
		ask(&t, clients[i], KEY_A, &turn[i]);
	}
	assert_ptr_equal(turns_one_too_many(&t), &turn[4]);
	turns_leave(&t, &turn[4]);
	assert_ptr_equal(turns_one_too_many(&t), &turn[3]); /* two each: the latest */
	assert_false(turns_are_too_many(&t));
	turns_leave(&t, &turn[5]);
	leave_all(&t, turn, 4);
}

/* Many addresses with one key, each with one that waits, and one address with another key and two. */
static void
the_key_counts_before_the_client(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[6];
	turns_init(&t, 1);
	for (unsigned i = 0; i < 4; i++) {
		ask(&t, i, KEY_A, &turn[i]);
	}
	ask(&t, 5, KEY_B, &turn[4]);
	ask(&t, 5, KEY_B, &turn[5]);
	assert_ptr_equal(turns_one_too_many(&t), &turn[3]);
	leave_all(&t, turn, 6);
}

static void
what_is_not_signed_goes_before_what_is(void **state)
{
	(void)state;
	struct turns t;
	struct turn turn[4];
	turns_init(&t, 1);
	for (unsigned i = 0; i < 3; i++) {
		ask(&t, 1, KEY_A, &turn[i]);
	}
	ask(&t, 2, KEY_NONE, &turn[3]);
	assert_ptr_equal(turns_one_too_many(&t), &turn[3]);
	leave_all(&t, turn, 4);
}

static void
random_sequences_hold_what_is_promised(void **state)
{
	(void)state;
	static struct world w;
	for (unsigned seed = 0; seed < 200; seed++) {
		srand(seed);
		world_begin(&w, 1 + seed % 21);
		for (unsigned i = 0; i < 500; i++) {
			world_step(&w, (uint8_t)rand(), (uint8_t)rand(), (uint8_t)rand());
		}
		world_end(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_has_a_fourth),
		cmocka_unit_test(a_key_has_half),
		cmocka_unit_test(what_is_not_signed_is_of_one_party),
		cmocka_unit_test(one_place_is_for_everybody),
		cmocka_unit_test(clients_have_their_turns_in_a_round),
		cmocka_unit_test(more_keys_are_no_more_turns),
		cmocka_unit_test(more_clients_are_no_more_turns_of_a_key),
		cmocka_unit_test(who_comes_anew_waits_for_the_round),
		cmocka_unit_test(a_slow_one_goes_on_alone_and_ends_for_others),
		cmocka_unit_test(nobody_is_slow_before_a_whole_window),
		cmocka_unit_test(the_slowest_of_those_in_the_way_ends),
		cmocka_unit_test(who_has_most_waiting_loses_the_latest),
		cmocka_unit_test(the_key_counts_before_the_client),
		cmocka_unit_test(what_is_not_signed_goes_before_what_is),
		cmocka_unit_test(random_sequences_hold_what_is_promised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
