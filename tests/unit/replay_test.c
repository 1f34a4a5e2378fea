#include "auth/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rrtype.h"

enum { START_S = 1700000000 };

/* Some keys, and a request of each. */
struct world {
	struct replay *r;
	struct name name;
	uint8_t mac[32];
	uint64_t now_s; /* seconds since 1970, and since the machine was started */
	unsigned rcode;
	struct replay_entry *entry;
};

static void
begin(struct world *w)
{
	*w = (struct world){ .r = replay_new(), .now_s = START_S };
}

static void
end(struct world *w)
{
	replay_free(&w->r);
	assert_null(w->r);
	replay_free(&w->r);
}

/* The request number i; those that share `home` begin alike. */
static void
mac_of(uint32_t i, uint32_t home, uint8_t out[32])
{
	memset(out, 7, 32);
	memcpy(out, &home, sizeof home);
	memcpy(out + 8, &i, sizeof i);
}

static enum replay_state
take_signed(struct world *w, const char *key, uint32_t i, uint64_t signed_s)
{
	enum replay_state state = REPLAY_NEW;
	assert_int_equal(name_parse(key, strlen(key), name_root, &w->name), OK);
	mac_of(i, i % 7 == 0 && i < 1000 ? 3 : i * 2654435761u, w->mac);
	const struct replay_request q = { .key = w->name.oct, .mac = w->mac, .mac_len = sizeof w->mac, .signed_s = signed_s,
		                          .now_s = w->now_s, .mono_s = w->now_s - START_S + 5 };
	assert_int_equal(replay_take(w->r, &q, &state, &w->rcode, &w->entry), OK);
	return state;
}

static enum replay_state
take(struct world *w, const char *key, uint32_t i)
{
	return take_signed(w, key, i, w->now_s);
}

static void
carry_out(struct world *w, const char *key, uint32_t i)
{
	assert_int_equal(take(w, key, i), REPLAY_NEW);
	replay_settle(w->r, w->entry, 0, true);
}

static void
refuse(struct world *w, const char *key, uint32_t i)
{
	assert_int_equal(take(w, key, i), REPLAY_NEW);
	replay_settle(w->r, w->entry, RCODE_REFUSED, false);
}

static void
the_second_gets_the_first_ones_answer(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(take(&w, "k", 1), REPLAY_NEW);
	struct replay_entry *first = w.entry;
	assert_int_equal(take(&w, "k", 1), REPLAY_UNDER_WAY);
	assert_int_equal(take(&w, "k", 2), REPLAY_NEW);
	struct replay_entry *second = w.entry;
	replay_settle(w.r, first, RCODE_NXRRSET, false);
	assert_int_equal(take(&w, "k", 1), REPLAY_ANSWERED);
	assert_int_equal(w.rcode, RCODE_NXRRSET);
	assert_int_equal(take(&w, "k", 2), REPLAY_UNDER_WAY);
	replay_lose(w.r, second); /* nobody knows */
	assert_int_equal(take(&w, "k", 2), REPLAY_UNDER_WAY);
	assert_int_equal(take(&w, "k", 77), REPLAY_NEW); /* and is under way at the end */
	end(&w);
}

/* A key's name is signed without its case, so that anybody can change that. */
static void
a_key_is_its_name(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	carry_out(&w, "k._update.example", 1);
	assert_int_equal(take(&w, "K._Update.EXAMPLE", 1), REPLAY_ANSWERED);
	assert_int_equal(take(&w, "other._update.example", 1), REPLAY_NEW);
	end(&w);
}

/* What others do, however much it is, costs a key nothing of its memory. */
static void
a_key_has_its_own(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	carry_out(&w, "k", 1);
	for (uint32_t i = 0; i < 70000; i++) {
		refuse(&w, "stranger", 100 + i);
	}
	for (uint32_t i = 0; i < REPLAY_MAX + 1000; i++) {
		w.now_s += i % 10000 == 0;
		carry_out(&w, "busy", 1000000 + i);
	}
	assert_true(replay_n(w.r) <= REPLAY_MAX);
	assert_int_equal(take(&w, "k", 1), REPLAY_ANSWERED);
	assert_int_equal(take_signed(&w, "k", 2, w.now_s - 300), REPLAY_NEW); /* nor has it anything forgotten */
	end(&w);
}

static void
what_was_refused_pushes_out_nothing_that_was_done(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	carry_out(&w, "k", 1);
	for (uint32_t i = 0; i < 3 * REPLAY_REFUSED_MAX; i++) {
		refuse(&w, "k", 100 + i);
	}
	assert_int_equal(replay_n(w.r), 1 + REPLAY_REFUSED_MAX);
	assert_int_equal(take(&w, "k", 1), REPLAY_ANSWERED);
	assert_int_equal(take(&w, "k", 100 + 3 * REPLAY_REFUSED_MAX - 1), REPLAY_ANSWERED);
	assert_int_equal(w.rcode, RCODE_REFUSED);
	assert_int_equal(take(&w, "k", 100), REPLAY_NEW); /* the oldest, and nothing stands against it */
	end(&w);
}

/* Where memory ends, what was forgotten is not carried out again, and what is new is. */
static void
what_is_forgotten_is_doubtful(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	uint32_t i = 1;
	for (; replay_n(w.r) < REPLAY_MAX; i++) {
		w.now_s += i % 10000 == 0;
		carry_out(&w, "k", i);
	}
	carry_out(&w, "k", i);
	assert_true(replay_n(w.r) < REPLAY_MAX);
	assert_int_equal(take_signed(&w, "k", 1, START_S), REPLAY_DOUBTFUL);
	assert_int_equal(take_signed(&w, "k", i + 1, START_S), REPLAY_DOUBTFUL); /* it is not, but who knows */
	assert_int_equal(take_signed(&w, "k", i + 1, w.now_s - 60), REPLAY_NEW);
	assert_int_equal(take_signed(&w, "k", i, w.now_s), REPLAY_ANSWERED);
	assert_int_equal(take_signed(&w, "other", 1, START_S), REPLAY_NEW);
	end(&w);
}

/* As long as its signature may be good it is known: also of a client whose clock is ahead, or that gives itself a large fudge. */
static void
all_that_are_good_are_known(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(take_signed(&w, "k", 1, START_S + TSIG_FUDGE_MAX_S), REPLAY_NEW);
	replay_settle(w.r, w.entry, 0, true);
	w.now_s += 2 * TSIG_FUDGE_MAX_S;
	assert_int_equal(take_signed(&w, "k", 1, START_S + TSIG_FUDGE_MAX_S), REPLAY_ANSWERED);
	w.now_s++;
	assert_int_equal(take(&w, "k", 2), REPLAY_NEW);
	replay_settle(w.r, w.entry, 0, true);
	assert_int_equal(replay_n(w.r), 1); /* TSIG does not let the first come again */
	assert_int_equal(take_signed(&w, "k", 3, w.now_s - TSIG_FUDGE_MAX_S), REPLAY_NEW);
	end(&w);
}

/* Of what was done before the start one time is known. */
static void
nothing_of_before_the_start(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(name_parse("K", 1, name_root, &w.name), OK);
	assert_int_equal(replay_note(w.r, w.name.oct, START_S - 10), OK);
	assert_int_equal(replay_note(w.r, w.name.oct, START_S - 20), OK);
	assert_int_equal(take_signed(&w, "k", 1, START_S - 10), REPLAY_DOUBTFUL);
	assert_int_equal(take_signed(&w, "k", 1, START_S - 300), REPLAY_DOUBTFUL);
	assert_int_equal(take_signed(&w, "k", 1, START_S - 9), REPLAY_NEW);
	assert_int_equal(take_signed(&w, "other", 1, START_S - 300), REPLAY_NEW);
	assert_int_equal(replay_note(w.r, NULL, START_S - 100), OK); /* so many that not all were looked at */
	assert_int_equal(take_signed(&w, "other", 2, START_S - 100), REPLAY_DOUBTFUL);
	assert_int_equal(take_signed(&w, "other", 2, START_S - 99), REPLAY_NEW);
	end(&w);
}

/* Somebody had set the clock to next year. */
static void
a_clock_that_goes_back(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(name_parse("k", 1, name_root, &w.name), OK);
	assert_int_equal(replay_note(w.r, w.name.oct, START_S + 365 * 86400), OK);
	assert_int_equal(take(&w, "k", 1), REPLAY_DOUBTFUL);
	w.now_s++;
	assert_int_equal(take(&w, "k", 2), REPLAY_NEW);
	end(&w);
}

/* Keys that are gone, and of which nothing can come again, leave nothing: a million names take no more than one. */
static void
names_do_not_gather(void **state)
{
	(void)state;
	struct world w;
	char name[32];
	begin(&w);
	for (uint32_t i = 0; i < 200000; i++) {
		w.now_s += 1;
		snprintf(name, sizeof name, "k%u", i);
		carry_out(&w, name, i);
	}
	assert_true(replay_n(w.r) < 20000); /* those of the last hours: slots are looked at when something comes into them */
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_gets_the_first_ones_answer),
		cmocka_unit_test(a_key_is_its_name),
		cmocka_unit_test(a_key_has_its_own),
		cmocka_unit_test(what_was_refused_pushes_out_nothing_that_was_done),
		cmocka_unit_test(what_is_forgotten_is_doubtful),
		cmocka_unit_test(all_that_are_good_are_known),
		cmocka_unit_test(nothing_of_before_the_start),
		cmocka_unit_test(a_clock_that_goes_back),
		cmocka_unit_test(names_do_not_gather),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
