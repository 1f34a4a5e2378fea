#include "auth/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The MAC number i; those that share `home` begin alike. */
static void
mac_of(uint32_t i, uint32_t home, uint8_t out[32])
{
	memset(out, 7, 32);
	memcpy(out, &home, sizeof home);
	memcpy(out + 8, &i, sizeof i);
}

static enum replay_state
take_at(struct replay *r, uint32_t i, uint32_t home, uint64_t now_s, unsigned *rcode)
{
	uint8_t mac[32];
	mac_of(i, home, mac);
	return replay_take(r, mac, sizeof mac, now_s, rcode);
}

static enum replay_state
take(struct replay *r, uint32_t i, uint32_t home, unsigned *rcode)
{
	return take_at(r, i, home, 5, rcode);
}

static void
the_second_gets_the_first_ones_answer(void **state)
{
	(void)state;
	struct replay *r = replay_new();
	uint8_t mac[32];
	unsigned rcode = 99;
	assert_int_equal(take(r, 1, 5, &rcode), REPLAY_NEW);
	assert_int_equal(take(r, 1, 5, &rcode), REPLAY_UNDER_WAY);
	assert_int_equal(take(r, 2, 5, &rcode), REPLAY_NEW);
	mac_of(1, 5, mac);
	replay_answered(r, mac, sizeof mac, 3);
	assert_int_equal(take(r, 1, 5, &rcode), REPLAY_ANSWERED);
	assert_int_equal(rcode, 3);
	assert_int_equal(take(r, 2, 5, &rcode), REPLAY_UNDER_WAY);
	assert_int_equal(replay_take(r, mac, 10, 5, &rcode), REPLAY_NEW); /* shorter ones are others */
	mac_of(77, 77, mac);
	replay_answered(r, mac, sizeof mac, 3); /* nobody took that */
	assert_int_equal(take(r, 77, 77, &rcode), REPLAY_NEW);
	replay_free(&r);
	assert_null(r);
	replay_free(&r);
}

/* Of a million the last are known, whatever their hashes; and nothing else is. */
static void
the_oldest_are_forgotten(void **state)
{
	(void)state;
	enum { N = REPLAY_MAX + 212345 };
	struct replay *r = replay_new();
	unsigned rcode, seed = 1;
	uint32_t *home = calloc(N, sizeof *home);
	for (uint32_t i = 0; i < N; i++) {
		/* Some share a home, and a neighbourhood that goes round the end of the table. */
		home[i] = (uint32_t)(rand_r(&seed) % 300 == 0 ? 4 * REPLAY_MAX - 1 - rand_r(&seed) % 50 : rand_r(&seed));
		assert_int_equal(take(r, i, home[i], &rcode), REPLAY_NEW);
	}
	for (uint32_t i = N - REPLAY_MAX; i < N; i++) {
		assert_int_equal(take(r, i, home[i], &rcode), REPLAY_UNDER_WAY);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(take(r, i, home[i], &rcode), REPLAY_NEW);
	}
	free(home);
	replay_free(&r);
}

/* At 1,500 updates a second each is known for as long as its signature is good; at 20 no more room is taken than for these. */
static void
all_that_are_good_are_known(void **state)
{
	(void)state;
	static const unsigned rates[] = { 1500, 20 };
	for (size_t k = 0; k < 2; k++) {
		struct replay *r = replay_new();
		unsigned rcode;
		uint32_t i = 0, last = 3 * REPLAY_AGE_S * rates[k];
		for (uint64_t s = 1000; i < last; s++) {
			for (unsigned n = 0; n < rates[k]; n++, i++) {
				assert_int_equal(take_at(r, i, i * 2654435761u, s, &rcode), REPLAY_NEW);
				uint32_t old = i - REPLAY_AGE_S * rates[k];
				if (i > REPLAY_AGE_S * rates[k] && n % 100 == 0) {
					assert_int_equal(take_at(r, old, old * 2654435761u, s, &rcode), REPLAY_UNDER_WAY);
				}
			}
		}
		assert_int_equal(take_at(r, 1, 2654435761u, 1000 + 3 * REPLAY_AGE_S, &rcode), REPLAY_NEW);
		replay_free(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_gets_the_first_ones_answer),
		cmocka_unit_test(the_oldest_are_forgotten),
		cmocka_unit_test(all_that_are_good_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
