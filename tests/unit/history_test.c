#include "zone_text.h"

#include "dns/serial.h"
#include "dns/wire.h"
#include "zone/history.h"

enum { STEPS = 200, TEXT_MAX = 64 };

/* A zone that changes step by step.  Old versions are not kept, but what they said is. */
struct line {
	struct zone *zone;
	struct garbage garbage;     /* of all steps */
	struct str said[STEPS + 1]; /* by steps since the first version */
	size_t n;
	unsigned seed;
};

static void
begin(struct line *l)
{
	*l = (struct line){ .zone = text_zone(TEXT_APEX), .n = 1, .seed = 1 };
	assert_int_equal(zone_walk(l->zone, text_print, &l->said[0]), OK);
}

static void
end(struct line *l)
{
	history_drop(l->zone, &l->garbage);
	zone_free(&l->zone);
	garbage_free(&l->garbage);
	for (size_t i = 0; i < l->n; i++) {
		str_fini(&l->said[i]);
	}
}

static void
change(struct zone_txn *t, bool is_added, const char *line)
{
	const struct text_rr rr = text_rr(line, example);
	err_t err = is_added ? zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen)
	                     : zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen);
	assert_true(err == OK || err == E_EXISTS || err == E_NOTFOUND);
}

static void
set_serial(struct zone_txn *t, uint32_t old, uint32_t new)
{
	char line[TEXT_MAX * 2];
	snprintf(line, sizeof line, "@ 3600 SOA ns1 hostmaster %u 7200 3600 1209600 300", old);
	change(t, false, line);
	snprintf(line, sizeof line, "@ 3600 SOA ns1 hostmaster %u 7200 3600 1209600 300", new);
	change(t, true, line);
}

/* Commits what the transaction has, as the next version with that serial. */
static void
step(struct line *l, struct zone_txn *t, uint32_t serial)
{
	struct zone *next = NULL;
	const struct zone *made;
	struct zone_changes c;
	set_serial(t, l->zone->serial, serial);
	assert_int_equal(zone_txn_prepare(t, &made), OK);
	assert_int_equal(zone_changes_of(t, &c), OK);
	const struct zone *old = l->zone; /* lives in the garbage until the end */
	assert_int_equal(zone_txn_commit(&t, &next, &l->garbage), OK);
	history_extend(old, next, &c, &l->garbage);
	zone_changes_fini(&c);
	l->zone = next;
	if (l->n <= STEPS) {
		assert_int_equal(zone_walk(next, text_print, &l->said[l->n++]), OK);
	}
}

static void
random_step(struct line *l)
{
	struct zone_txn *t = NULL;
	assert_int_equal(zone_txn_begin(l->zone, &t), OK);
	for (int k = rand_r(&l->seed) % 4; k >= 0; k--) {
		static const unsigned ttls[] = { 60, 300 };
		char line[TEXT_MAX];
		snprintf(line, sizeof line, "h%d %u A 192.0.2.%d", rand_r(&l->seed) % 5, ttls[rand_r(&l->seed) % 2],
		         rand_r(&l->seed) % 3);
		change(t, rand_r(&l->seed) % 2 == 0, line);
	}
	step(l, t, l->zone->serial + 1);
}

/* ---- what a secondary does with it ---- */


static void
print_rr(const struct delta_rr *d, struct str *out)
{
	const struct zone_rr rr = {
		.owner = d->owner,
		.type = (uint16_t)(d->fixed[0] << 8 | d->fixed[1]),
		.ttl = (uint32_t)d->fixed[4] << 24 | (uint32_t)d->fixed[5] << 16 | (uint32_t)d->fixed[6] << 8 | d->fixed[7],
		.rdlen = (uint16_t)(d->fixed_len - RR_FIXED_LEN),
		.rdata = d->fixed + RR_FIXED_LEN,
	};
	assert_int_equal(text_print(out, &rr), OK);
}

/* Takes a line out of a text, which must have it. */
static void
take_line(struct str *text, const char *line)
{
	size_t len = strlen(line);
	char *at = text->s;
	while ((at = strstr(at, line)) != NULL && at != text->s && at[-1] != '\n') {
		at++;
	}
	if (at == NULL) {
		fail_msg("not there: %s in\n%s", line, text->s);
	}
	memmove(at, at + len, strlen(at + len) + 1);
	text->len -= len;
}

/* Applies a step to the text of a version, strictly: what is removed must be there, what is added must not. */
static void
apply(struct str *text, const struct delta *d)
{
	size_t at = 0;
	for (uint32_t k = 0; k < d->removed_n + d->added_n; k++) {
		struct delta_rr rr = delta_next(d, &at);
		struct str line = { 0 };
		print_rr(&rr, &line);
		if (k < d->removed_n) {
			take_line(text, line.s);
		} else {
			char *there = strstr(text->s, line.s);
			assert_true(there == NULL || (there != text->s && there[-1] != '\n'));
			str_cat(text, line.s);
		}
		str_fini(&line);
	}
	assert_int_equal(at, d->len);
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
assert_same_lines(const struct str *a, const struct str *b)
{
	struct str sorted[2] = { { 0 }, { 0 } };
	const struct str *in[] = { a, b };
	for (int i = 0; i < 2; i++) {
		char *lines[100], *copy = strdup(in[i]->s), *save = NULL;
		size_t n = 0;
		for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
			assert_true(n < ARRAY_LEN(lines));
			lines[n++] = line;
		}
		qsort(lines, n, sizeof *lines, compare_lines);
		for (size_t k = 0; k < n; k++) {
			str_printf(&sorted[i], "%s\n", lines[k]);
		}
		free(copy);
	}
	assert_string_equal(sorted[0].s, sorted[1].s);
	str_fini(&sorted[0]);
	str_fini(&sorted[1]);
}

/* From each version of the past to the last: by all steps, and by one. */
static void
leads_from_any_version_to_the_last(void **state)
{
	(void)state;
	struct line l;
	begin(&l);
	uint32_t first = l.zone->serial;
	for (int i = 0; i < STEPS; i++) {
		random_step(&l);
	}
	assert_int_equal(l.zone->history.n, STEPS);
	for (uint32_t i = 0; i < STEPS; i++) {
		const struct delta **list = NULL;
		size_t n = 0;
		assert_int_equal(history_from(l.zone, first + i, &list, &n), OK);
		assert_int_equal(n, STEPS - i);
		assert_int_equal(list[0]->old_serial, first + i);
		assert_int_equal(list[n - 1]->new_serial, l.zone->serial);
		struct str steps = { 0 }, once = { 0 };
		str_cat(&steps, l.said[i].s);
		str_cat(&once, l.said[i].s);
		for (size_t k = 0; k < n; k++) {
			apply(&steps, list[k]);
		}
		assert_same_lines(&steps, &l.said[STEPS]);
		struct delta *d = NULL;
		assert_int_equal(history_condense(list, n, &d), OK);
		assert_int_equal(d->old_serial, first + i);
		assert_int_equal(d->new_serial, l.zone->serial);
		apply(&once, d);
		assert_same_lines(&once, &l.said[STEPS]);
		free(d);
		str_fini(&steps);
		str_fini(&once);
		free(list);
	}
	end(&l);
}

/* A transfer would keep as much for itself, as long as its peer takes. */
static void
large_steps_are_not_made_one(void **state)
{
	(void)state;
	struct delta large = { .len = HISTORY_CONDENSE_OCTETS_MAX / 2 + 1 };
	const struct delta *const list[] = { &large, &large };
	struct delta *d = NULL;
	assert_int_equal(history_condense(list, 2, &d), E_LIMIT);
	assert_null(d);
}

static struct zone_txn *
with(const struct line *l, const char *added)
{
	struct zone_txn *t = NULL;
	assert_int_equal(zone_txn_begin(l->zone, &t), OK);
	change(t, true, added);
	return t;
}

static void
what_came_and_went_is_not_in_one_step(void **state)
{
	(void)state;
	struct line l;
	begin(&l);
	step(&l, with(&l, "a 300 A 192.0.2.1"), 8);
	struct zone_txn *t = with(&l, "b 300 A 192.0.2.1");
	change(t, false, "a 300 A 192.0.2.1");
	step(&l, t, 9);
	step(&l, with(&l, "ns1 60 A 192.0.2.1"), 10); /* another TTL */
	const struct delta **list = NULL;
	struct delta *d = NULL;
	size_t n = 0, at = 0;
	assert_int_equal(history_from(l.zone, 7, &list, &n), OK);
	assert_int_equal(n, 3);
	assert_int_equal(history_condense(list, n, &d), OK);
	assert_int_equal(d->removed_n, 2);
	assert_int_equal(d->added_n, 3);
	struct str got = { 0 };
	for (uint32_t k = 0; k < d->removed_n + d->added_n; k++) {
		struct delta_rr rr = delta_next(d, &at);
		print_rr(&rr, &got);
	}
	assert_string_equal(got.s, "example. 3600 SOA ns1.example. hostmaster.example. 7 7200 3600 1209600 300\n"
	                           "ns1.example. 3600 A 192.0.2.1\n"
	                           "example. 3600 SOA ns1.example. hostmaster.example. 10 7200 3600 1209600 300\n"
	                           "b.example. 300 A 192.0.2.1\n"
	                           "ns1.example. 60 A 192.0.2.1\n");
	str_fini(&got);
	free(d);
	free(list);
	end(&l);
}

static void
assert_reaches(const struct zone *z, uint32_t serial, bool does)
{
	const struct delta **list = NULL;
	size_t n = 0;
	assert_int_equal(history_from(z, serial, &list, &n), does ? OK : E_NOTFOUND);
	free(list);
}

static void
begins_anew_where_the_serial_does_not_grow(void **state)
{
	(void)state;
	struct line l;
	begin(&l);
	step(&l, with(&l, "a 300 A 192.0.2.1"), 8);
	assert_reaches(l.zone, 7, true);
	assert_reaches(l.zone, 8, false);
	assert_reaches(l.zone, 6, false);
	step(&l, with(&l, "a 300 A 192.0.2.2"), 8); /* the same */
	assert_reaches(l.zone, 7, false);
	assert_int_equal(l.zone->history.n, 0);
	step(&l, with(&l, "a 300 A 192.0.2.3"), UINT32_MAX - 10); /* back, by RFC 1982 */
	assert_int_equal(l.zone->history.n, 0);
	step(&l, with(&l, "a 300 A 192.0.2.4"), 9); /* round and on; who has the serial before may not have what we had */
	assert_reaches(l.zone, UINT32_MAX - 10, false);
	assert_reaches(l.zone, 8, false);
	step(&l, with(&l, "a 300 A 192.0.2.5"), 10);
	assert_reaches(l.zone, 9, true);
	end(&l);
}

/* 8, 5, 6, 7, 8, 9, 10: who has the first 8 must not be told the way from the second. */
static void
no_step_leads_from_a_serial_of_two_contents(void **state)
{
	(void)state;
	static const uint32_t serials[] = { 8, 5, 6, 7, 8, 9 };
	struct line l;
	begin(&l);
	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		char line[TEXT_MAX];
		snprintf(line, sizeof line, "a%zu 300 A 192.0.2.1", i);
		step(&l, with(&l, line), serials[i]);
		assert_int_equal(history_newest_serial(l.zone), serials[i] == 9 ? 9 : 8);
		assert_int_equal(history_is_serial_stuck(l.zone), i != 0 && serials[i] != 9);
	}
	for (uint32_t serial = 5; serial < 9; serial++) {
		assert_reaches(l.zone, serial, false);
	}
	step(&l, with(&l, "b 300 A 192.0.2.1"), 10);
	assert_reaches(l.zone, 9, true);
	assert_reaches(l.zone, 8, false);
	end(&l);
}

/* 2^31 apart neither is newer: the first stays the one to be newer than.  Ends of the circle, and its middle. */
static void
where_newer_is_undefined_the_first_stays(void **state)
{
	(void)state;
	static const uint32_t pairs[][2] = { { 4294967294, 2147483646 }, { 8, 2147483656 }, { 2147483656, 8 } };
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct line l;
		uint32_t first = pairs[i][0], second = pairs[i][1];
		assert_false(serial_is_newer(first, second) || serial_is_newer(second, first));
		begin(&l);
		l.zone->history.served = first - 1; /* so that it is newer, wherever it is */
		step(&l, with(&l, "a 300 A 192.0.2.1"), first);
		step(&l, with(&l, "a 300 A 192.0.2.2"), second);
		assert_int_equal(history_newest_serial(l.zone), first);
		assert_true(history_is_serial_stuck(l.zone));
		assert_reaches(l.zone, first, false);
		step(&l, with(&l, "a 300 A 192.0.2.3"), serial_next(first));
		assert_reaches(l.zone, second, false);
		step(&l, with(&l, "a 300 A 192.0.2.4"), first + 2);
		assert_reaches(l.zone, first + 1, true);
		end(&l);
	}
}

/* Three steps go round the whole circle: the number that comes again is not the way's beginning any more. */
static void
half_a_circle_is_as_far_as_it_reaches(void **state)
{
	(void)state;
	struct line l;
	begin(&l); /* 7 */
	step(&l, with(&l, "a 300 A 192.0.2.1"), 7 + 2147483647u);
	assert_reaches(l.zone, 7, true);
	step(&l, with(&l, "a 300 A 192.0.2.2"), 4294967295u);
	assert_reaches(l.zone, 7, false);
	assert_reaches(l.zone, 7 + 2147483647u, true);
	step(&l, with(&l, "a 300 A 192.0.2.3"), 7);
	step(&l, with(&l, "a 300 A 192.0.2.4"), 8);
	assert_reaches(l.zone, 7 + 2147483647u, false);
	assert_reaches(l.zone, 4294967295u, true);
	end(&l);
}

/* A zone that comes back, or is loaded at a start: what is known of it from before. */
static void
begins_after_what_was_served(void **state)
{
	(void)state;
	static const struct {
		uint32_t newest; /* the zone has 7 */
		bool is_same;
		uint32_t served;
		bool is_stuck;
	} cases[] = {
		{ 6, false, 7, false }, { 7, true, 7, false }, { 7, false, 7, true }, { 10, false, 10, true }, { 10, true, 10, true },
		{ 2147483655, false, 2147483655, true }, { 2147483656, false, 7, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct line l;
		begin(&l);
		history_begin(l.zone, cases[i].newest, cases[i].is_same);
		assert_int_equal(history_newest_serial(l.zone), cases[i].served);
		assert_int_equal(history_is_serial_stuck(l.zone), cases[i].is_stuck);
		step(&l, with(&l, "a 300 A 192.0.2.1"), serial_next(cases[i].served));
		assert_reaches(l.zone, 7, !cases[i].is_stuck);
		end(&l);
	}
}

/* Secondaries raise it a few times, and not far in all, whatever versions come between. */
static void
what_secondaries_say_is_bounded(void **state)
{
	(void)state;
	struct line l;
	begin(&l); /* 7 */
	assert_int_equal(history_note_heard(l.zone, 7), E_EXISTS);
	assert_int_equal(history_note_heard(l.zone, 6), E_EXISTS);
	assert_int_equal(history_note_heard(l.zone, 7 + 2147483648u), E_EXISTS);
	assert_int_equal(history_note_heard(l.zone, 7 + HISTORY_HEARD_MAX + 1), E_LIMIT);
	assert_false(history_is_serial_stuck(l.zone));
	assert_int_equal(history_note_heard(l.zone, 7 + HISTORY_HEARD_MAX - 2), OK);
	assert_true(history_is_serial_stuck(l.zone));
	assert_int_equal(history_newest_serial(l.zone), 7 + HISTORY_HEARD_MAX - 2);
	step(&l, with(&l, "a 300 A 192.0.2.1"), 7 + HISTORY_HEARD_MAX);
	assert_reaches(l.zone, 7, false);
	assert_int_equal(history_note_heard(l.zone, l.zone->serial + 3), E_LIMIT);
	assert_int_equal(history_note_heard(l.zone, l.zone->serial + 2), OK);
	step(&l, with(&l, "a 300 A 192.0.2.2"), l.zone->serial + 3);
	step(&l, with(&l, "a 300 A 192.0.2.3"), l.zone->serial + 1);
	assert_reaches(l.zone, l.zone->serial - 1, true);
	assert_int_equal(history_note_heard(l.zone, l.zone->serial + 1), E_LIMIT);
	end(&l);
	begin(&l);
	for (unsigned i = 0; i < HISTORY_HEARD_TIMES_MAX; i++) {
		assert_int_equal(history_note_heard(l.zone, history_newest_serial(l.zone) + 1), OK);
		step(&l, with(&l, i % 2 != 0 ? "a 300 A 192.0.2.1" : "b 300 A 192.0.2.1"), history_newest_serial(l.zone) + 1);
	}
	assert_int_equal(history_note_heard(l.zone, history_newest_serial(l.zone) + 1), E_LIMIT);
	end(&l);
}

static void
changes_that_are_not_known_end_it(void **state)
{
	(void)state;
	struct zone *old = text_zone(TEXT_APEX), *new = text_zone("@ 3600 SOA ns1 hostmaster 8 7200 3600 1209600 300\n"
	                                                          "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n");
	struct zone_changes c;
	struct garbage garbage = { 0 };
	assert_int_equal(zone_changes_find(old, new, 1, &c), OK);
	history_extend(old, new, &c, &garbage);
	assert_int_equal(new->history.n, 0);
	zone_changes_fini(&c);
	assert_int_equal(zone_changes_find(old, new, 10, &c), OK);
	history_extend(old, new, &c, &garbage);
	assert_int_equal(new->history.n, 1);
	zone_changes_fini(&c);
	history_drop(new, &garbage);
	garbage_free(&garbage);
	zone_free(&old);
	zone_free(&new);
}

/* A million would take the same: the oldest go, and what is kept stays within the limits. */
static void
stays_within_its_limits(void **state)
{
	(void)state;
	struct line l;
	begin(&l);
	size_t most = 0;
	for (uint32_t i = 0; i < 3000; i++) {
		char line[TEXT_MAX];
		snprintf(line, sizeof line, "a%u 300 A 192.0.2.1", i % 5);
		struct zone_txn *t = with(&l, line);
		snprintf(line, sizeof line, "a%u 300 A 192.0.2.1", (i + 3) % 5);
		change(t, false, line);
		step(&l, t, l.zone->serial + 1);
		garbage_free(&l.garbage); /* nobody reads the old one */
		most = l.zone->history.octets > most ? l.zone->history.octets : most;
	}
	assert_true(most <= HISTORY_OCTETS_MIN && most > HISTORY_OCTETS_MIN / 2);
	assert_reaches(l.zone, l.zone->serial - 1, true);
	assert_reaches(l.zone, l.zone->serial - (uint32_t)l.zone->history.n, true);
	assert_reaches(l.zone, l.zone->serial - (uint32_t)l.zone->history.n - 1, false);
	end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leads_from_any_version_to_the_last),
		cmocka_unit_test(what_came_and_went_is_not_in_one_step),
		cmocka_unit_test(large_steps_are_not_made_one),
		cmocka_unit_test(begins_anew_where_the_serial_does_not_grow),
		cmocka_unit_test(no_step_leads_from_a_serial_of_two_contents),
		cmocka_unit_test(where_newer_is_undefined_the_first_stays),
		cmocka_unit_test(half_a_circle_is_as_far_as_it_reaches),
		cmocka_unit_test(begins_after_what_was_served),
		cmocka_unit_test(what_secondaries_say_is_bounded),
		cmocka_unit_test(changes_that_are_not_known_end_it),
		cmocka_unit_test(stays_within_its_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
