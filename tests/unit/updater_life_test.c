/* The updater beside its pushes and pulls: a git side that dies, serials, pauses, repeats, turns. */
#include "updater_world.h"

#include "auth/quiet.h"

/* ---- the git side's life ---- */

static void
death_while_nothing_is_pushed(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *waits = scene_add(&s, "add a 60 TXT first\n");
	updater_on_death(s.updater);
	scene_go_on(&s);
	assert_int_equal(s.pushes, 0); /* the next process pulls first */
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(waits, RCODE_NOERROR, "");
	scene_end(&s);
}

static void
death_while_a_push_is_under_way(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n"), *b = scene_update(&s, "add b 60 TXT second\n");
	updater_on_death(s.updater);
	s.push.is_under_way = false;
	assert_forgotten(a);
	assert_waiting(b);
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	assert_forgotten(scene_repeat(&s, a)); /* nobody knows: it may be in there */
	assert_int_equal(updater_stats(s.updater)->unanswered, 1);
	assert_int_equal(updater_stats(s.updater)->repeated, 1);
	scene_end(&s);
}

static void
death_while_it_is_unknown(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	scene_pull_fails(&s, "no route");
	updater_on_death(s.updater);
	assert_forgotten(a);
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
	assert_waiting(b); /* the next process may reach the remote */
	scene_uptodate(&s);
	assert_false(s.push.is_again);
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	scene_end(&s);
}

static void
death_while_it_is_to_be_tried_again(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	updater_on_death(s.updater);
	assert_waiting(a);
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	scene_end(&s);
}

static void
death_while_it_changes_nothing(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "delete www AAAA\n");
	updater_on_death(s.updater);
	assert_waiting(a);
	scene_uptodate(&s); /* it is looked at again, and asked for again */
	assert_waiting(a);
	assert_int_equal(s.pulls, 2);
	scene_uptodate(&s);
	assert_answered(a, RCODE_NOERROR, "");
	scene_end(&s);
}

static void
absence_and_return(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_add(&s, "add a 60 TXT first\n");
	updater_on_death(s.updater);
	updater_on_absence(s.updater, "it is gone");
	updater_go_on(s.updater, true); /* whether or not anything could be pulled */
	assert_answered(a, RCODE_SERVFAIL, "the repository cannot be reached: it is gone");
	assert_answered(scene_update(&s, "add b 60 TXT second\n"), RCODE_SERVFAIL, "it is gone");
	assert_int_equal(updater_wait_ms(s.updater), -1);
	updater_on_return(s.updater);
	struct sent_update *c = scene_update(&s, "add c 60 TXT third\n");
	assert_waiting(c);
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(c, RCODE_NOERROR, "");
	assert_answered(scene_repeat(&s, a), RCODE_SERVFAIL, ""); /* as it was told */
	assert_false(scene_has(&s, "first"));
	updater_on_death(s.updater);
	updater_on_absence(s.updater, "it is gone");
	assert_answered(scene_repeat(&s, c), RCODE_NOERROR, ""); /* likewise */
	scene_end(&s);
}

static void
loss(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n"), *b = scene_update(&s, "add b 60 TXT second\n");
	updater_on_death(s.updater);
	s.push.is_under_way = false;
	updater_on_loss(s.updater);
	updater_go_on(s.updater, true);
	assert_forgotten(a);
	assert_answered(b, RCODE_SERVFAIL, "must be restarted");
	assert_answered(scene_update(&s, "add c 60 TXT third\n"), RCODE_SERVFAIL, "must be restarted");
	assert_int_equal(s.pushes, 1);
	scene_end(&s);
}

/* What is not allowed is told that, also when nothing could be written. */
static void
a_refusal_while_the_remote_is_away(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	updater_on_death(s.updater);
	updater_on_absence(s.updater, "it is gone");
	struct sent_update *a = scene_add_zone(&s, "other.", KEY, "add x 60 A 192.0.2.9\n");
	scene_go_on(&s);
	assert_answered(a, RCODE_REFUSED, "the key has no right");
	scene_end(&s);
}

static void
the_end_comes_while_they_wait(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *pushed = scene_update(&s, "add a 60 TXT first\n"), *waits = scene_update(&s, "add b 60 TXT second\n");
	updater_free(&s.updater);
	assert_forgotten(pushed);
	assert_forgotten(waits);
	scene_end(&s);
}

/* ---- serials ---- */

static bool
is_serial_coming(const struct scene *s)
{
	return updater_is_serial_coming(s->updater, zone_of(&s->base, "example."));
}

/* The zone's file was changed, and its serial was not. */
static void
begin_stuck(struct scene *s)
{
	scene_begin(s);
	scene_uptodate(s);
	write_file(&s->base, "example", HEAD(7) "www\tA\t192.0.2.99\n");
	apply_all(&s->base);
	updater_add_serial(s->updater, zone_of(&s->base, "example.")->apex_name, 6);
	assert_false(is_serial_coming(s));
	updater_add_serial(s->updater, zone_of(&s->base, "example.")->apex_name, 7);
	assert_true(is_serial_coming(s));
}

static void
a_serial_is_raised(void **state)
{
	(void)state;
	static struct scene s;
	begin_stuck(&s);
	assert_int_equal(updater_wait_ms(s.updater), 0);
	scene_go_on(&s);
	assert_true(s.push.is_under_way);
	scene_pushed(&s);
	assert_int_equal(scene_serial(&s), 8);
	assert_int_equal(s.reads, 1); /* and that is all */
	assert_int_equal(s.last.updates, 0);
	assert_false(is_serial_coming(&s));
	assert_int_equal(updater_wait_ms(s.updater), -1);
	scene_end(&s);
}

static void
a_serial_goes_with_the_updates_that_wait(void **state)
{
	(void)state;
	static struct scene s;
	begin_stuck(&s);
	struct sent_update *a = scene_add_zone(&s, "other.", KEY_ALL, "add x 60 TXT first\n");
	scene_go_on(&s);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_int_equal(s.pushes, 1);
	assert_int_equal(scene_serial(&s), 8);
	scene_end(&s);
}

/* A serial that somebody else has raised meanwhile is none to raise. */
static void
a_serial_that_has_changed(void **state)
{
	(void)state;
	static struct scene s;
	begin_stuck(&s);
	write_file(&s.base, "example", HEAD(12) "www\tA\t192.0.2.99\n");
	scene_pull_ends(&s, moved);
	assert_int_equal(s.pushes, 0);
	assert_int_equal(updater_wait_ms(s.updater), -1);
	scene_end(&s);
}

/* It is not tried again and again, but after the next sight of the remote, or with the next update. */
static void
a_serial_that_the_remote_refuses(void **state)
{
	(void)state;
	static struct scene s;
	begin_stuck(&s);
	scene_go_on(&s);
	scene_push_fails(&s, E_REFUSED, "the hook says no");
	assert_int_equal(s.pushes, 1);
	assert_false(is_serial_coming(&s));
	assert_int_equal(updater_wait_ms(s.updater), -1);
	scene_pull_fails(&s, "no route");
	assert_int_equal(s.pushes, 1);
	scene_uptodate(&s);
	assert_int_equal(s.pushes, 2);
	scene_push_fails(&s, E_REFUSED, "the hook says no");
	updater_add_serial(s.updater, zone_of(&s.base, "example.")->apex_name, 7); /* or after a change */
	assert_int_equal(updater_wait_ms(s.updater), 0);
	scene_go_on(&s);
	scene_pushed(&s);
	assert_int_equal(scene_serial(&s), 8);
	scene_end(&s);
}

/* When the batch cannot be written, it is tried without them. */
static void
serials_and_an_update_that_cannot_be_written(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_add(&s, "add www 60 DNAME other.\nadd x.www 60 A 192.0.2.9\n");
	updater_add_serial(s.updater, zone_of(&s.base, "other.")->apex_name, 1);
	scene_go_on(&s);
	assert_int_equal(s.said[UPDATER_SERIAL_NOT_WRITTEN], 1);
	assert_waiting(a);
	assert_int_equal(updater_wait_ms(s.updater), 0);
	scene_go_on(&s);
	assert_answered(a, RCODE_REFUSED, "DNAME");
	assert_int_equal(updater_wait_ms(s.updater), -1);
	scene_end(&s);
}

/* Of very many it is not worth while to look one up. */
static void
very_many_serials(void **state)
{
	(void)state;
	static struct scene s;
	begin_stuck(&s);
	for (unsigned i = 2; i < UPDATE_SERIALS_LOOKED_AT; i++) {
		updater_add_serial(s.updater, (const uint8_t *)"\1x", 1);
	}
	assert_true(is_serial_coming(&s));
	updater_add_serial(s.updater, (const uint8_t *)"\1x", 1);
	assert_false(is_serial_coming(&s));
	scene_go_on(&s);
	scene_pushed(&s); /* that of the zone which is there */
	assert_int_equal(scene_serial(&s), 8);
	scene_end(&s);
}

static void
no_serial_comes_while_the_remote_is_away(void **state)
{
	(void)state;
	static struct scene s;
	begin_stuck(&s);
	updater_on_absence(s.updater, "it is gone");
	assert_false(is_serial_coming(&s));
	assert_int_equal(updater_wait_ms(s.updater), -1);
	updater_on_return(s.updater);
	assert_true(is_serial_coming(&s));
	updater_on_death(s.updater);
	updater_on_loss(s.updater);
	assert_false(is_serial_coming(&s));
	scene_end(&s);
}

/* ---- pauses ---- */

/* Updates without pause, one after the other, until a moment is left. */
static unsigned
update_without_pause(struct scene *s, uint64_t limit_ms)
{
	unsigned n = 0;
	for (uint64_t ms = 0; s->said[UPDATER_PAUSES] == 0 && ms < limit_ms; ms += 1000) {
		char text[64];
		snprintf(text, sizeof text, "add n 60 TXT n%u\n", n++);
		scene_update(s, text);
		if (s->push.is_under_way) {
			scene_pushed(s);
		}
		scene_pass(s, 1000);
	}
	return n;
}

static void
people_get_a_moment(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	unsigned n = update_without_pause(&s, 2 * QUIET_RARELY_MS);
	assert_true(n > QUIET_RARELY_MS / 1000 && n <= QUIET_RARELY_MS / 1000 + 2);
	assert_non_null(strstr(s.last_text, "for minutes"));
	assert_true(s.last.wait_ms > 0 && s.last.wait_ms <= QUIET_MS);
	assert_int_equal(s.last.updates, 1);
	struct sent_update *r = &s.requests[s.n - 1];
	assert_waiting(r);
	int wait_ms = updater_wait_ms(s.updater);
	assert_true(wait_ms > 0);
	scene_go_on(&s);
	assert_int_equal(s.said[UPDATER_PAUSES], 1); /* once for each moment */
	scene_pass(&s, (uint64_t)wait_ms);
	assert_int_equal(s.pulls, 0);
	scene_go_on(&s);
	assert_int_equal(s.pulls, 1); /* what came in that moment, first */
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(r, RCODE_NOERROR, "");
	scene_end(&s);
}

static void
people_who_push_get_it_sooner(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	scene_uptodate(&s); /* the first pull */
	scene_update(&s, "add a 60 TXT first\n");
	scene_pushed(&s);
	scene_others_push(&s, "other", other);
	unsigned n = update_without_pause(&s, 2 * QUIET_BURST_MS);
	assert_true(n <= QUIET_BURST_MS / 1000 + 2);
	assert_non_null(strstr(s.last_text, "people push"));
	scene_others_push(&s, "other", other); /* that was it: the moment is over */
	assert_int_equal(s.pulls, 1);
	scene_uptodate(&s);
	assert_true(s.push.is_under_way);
	scene_end(&s);
}

/* What the first pull brings may be of long ago; what a later one brings counts, also before our first push. */
static void
the_first_pull_expects_nobody(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		static struct scene s;
		scene_begin(&s);
		scene_others_push(&s, "other", other);
		if (later) {
			scene_others_push(&s, "other", other);
		}
		unsigned n = update_without_pause(&s, 2 * QUIET_BURST_MS);
		assert_int_equal(s.said[UPDATER_PAUSES], later);
		assert_true(n > 0);
		scene_end(&s);
	}
}

/* ---- repeats ---- */

static void
the_same_message_again(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	assert_waiting(scene_repeat(&s, a)); /* it is looked at when its turn comes: */
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_answered(&s.requests[1], RCODE_NOERROR, ""); /* by then the first is done */
	assert_answered(scene_repeat(&s, a), RCODE_NOERROR, "");
	struct sent_update *b = scene_update(&s, "prereq nxdomain www\n");
	assert_answered(b, RCODE_YXDOMAIN, "");
	assert_answered(scene_repeat(&s, b), RCODE_YXDOMAIN, "");
	assert_int_equal(s.pushes, 1);
	scene_end(&s);
}

static void
the_same_message_while_the_first_is_under_way(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_add(&s, "add a 60 TXT first\n");
	struct sent_update *b = scene_repeat(&s, a);
	assert_waiting(a);
	assert_forgotten(b);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_int_equal(updater_stats(s.updater)->repeated, 1);
	scene_end(&s);
}

/* After a start the history says up to when a key's updates were carried out. */
static void
what_was_signed_before_the_start(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	updater_note_signed(s.updater, "me._update.example", strlen("me._update.example"), UPDATE_NOW_S);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	assert_answered(a, RCODE_SERVFAIL, "sign it again");
	struct sent_update *b = scene_add_zone(&s, "example.", KEY_ALL, "add b 60 TXT second\n"); /* another key's past is not its own */
	scene_go_on(&s);
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	scene_end(&s);

	scene_begin(&s);
	updater_note_signed(s.updater, ".", 1, UPDATE_NOW_S); /* of any key */
	assert_answered(scene_update(&s, "add a 60 TXT first\n"), RCODE_SERVFAIL, "sign it again");
	scene_end(&s);

	scene_begin(&s);
	scene_uptodate(&s); /* from here on this primary knows what it does */
	updater_note_signed(s.updater, ".", 1, UPDATE_NOW_S);
	a = scene_update(&s, "add a 60 TXT first\n");
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	scene_end(&s);
}

/* ---- whose turn it is ---- */

/* Each key's in order of arrival; a key that brings much does not keep the others waiting. */
static void
keys_take_turns(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	enum { N = BATCH_TASKS_MAX + 10 };
	scene_update(&s, "add it 60 TXT x\n");
	for (unsigned i = 1; i < N; i++) {
		scene_add(&s, "prereq nxdomain www\n"); /* answered as it is looked at */
	}
	struct sent_update *b = scene_add_zone(&s, "example.", KEY_ALL, "prereq nxdomain www\n");
	scene_pushed(&s);
	scene_go_on(&s);
	for (unsigned i = 1; i < N; i++) {
		assert_answered(&s.requests[i], RCODE_YXDOMAIN, "");
		assert_true(i == 1 || s.requests[i - 1].turn < s.requests[i].turn);
	}
	assert_true(b->turn < 5);
	scene_end(&s);
}

static void
a_batch_has_a_limit(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	enum { N = BATCH_TASKS_MAX + 10 };
	for (unsigned i = 0; i < N; i++) {
		char text[64];
		snprintf(text, sizeof text, "add n%u 60 TXT x\n", i);
		scene_add(&s, text);
	}
	scene_go_on(&s);
	scene_pushed(&s);
	assert_answered(&s.requests[BATCH_TASKS_MAX - 1], RCODE_NOERROR, "");
	assert_waiting(&s.requests[BATCH_TASKS_MAX]);
	scene_pushed(&s);
	assert_answered(&s.requests[N - 1], RCODE_NOERROR, "");
	assert_int_equal(s.pushes, 2);
	scene_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_while_nothing_is_pushed),
		cmocka_unit_test(death_while_a_push_is_under_way),
		cmocka_unit_test(death_while_it_is_unknown),
		cmocka_unit_test(death_while_it_is_to_be_tried_again),
		cmocka_unit_test(death_while_it_changes_nothing),
		cmocka_unit_test(absence_and_return),
		cmocka_unit_test(loss),
		cmocka_unit_test(a_refusal_while_the_remote_is_away),
		cmocka_unit_test(the_end_comes_while_they_wait),
		cmocka_unit_test(a_serial_is_raised),
		cmocka_unit_test(a_serial_goes_with_the_updates_that_wait),
		cmocka_unit_test(a_serial_that_has_changed),
		cmocka_unit_test(a_serial_that_the_remote_refuses),
		cmocka_unit_test(serials_and_an_update_that_cannot_be_written),
		cmocka_unit_test(very_many_serials),
		cmocka_unit_test(no_serial_comes_while_the_remote_is_away),
		cmocka_unit_test(people_get_a_moment),
		cmocka_unit_test(people_who_push_get_it_sooner),
		cmocka_unit_test(the_first_pull_expects_nobody),
		cmocka_unit_test(the_same_message_again),
		cmocka_unit_test(the_same_message_while_the_first_is_under_way),
		cmocka_unit_test(what_was_signed_before_the_start),
		cmocka_unit_test(keys_take_turns),
		cmocka_unit_test(a_batch_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
