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
take(struct replay *r, uint32_t i, uint32_t home, unsigned *rcode)
{
	uint8_t mac[32];
	mac_of(i, home, mac);
	return replay_take(r, mac, sizeof mac, rcode);
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
	assert_int_equal(replay_take(r, mac, 10, &rcode), REPLAY_NEW); /* shorter ones are others */
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
	enum { N = 3 * REPLAY_MAX + 12345 };
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_gets_the_first_ones_answer),
		cmocka_unit_test(the_oldest_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
