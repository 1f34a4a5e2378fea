#include "net/own_addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
assert_own(struct own_addresses *own, struct listen_address *room, const char *const *texts, size_t n)
{
	struct diag d;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(listen_parse(texts[i], 53, &room[i], &d), OK);
	}
	*own = (struct own_addresses){ .listen = room, .listen_n = n };
	own_addresses_find(own);
}

static bool
has(const struct own_addresses *own, const struct key_address *a, uint16_t port)
{
	for (size_t i = 0; i < own->n; i++) {
		if (own->list[i].port == port && key_address_is_equal(&own->list[i].address, a)) {
			return true;
		}
	}
	return false;
}

static void
those_of_the_listeners(void **state)
{
	(void)state;
	static const char *const texts[] = { "192.0.2.1", "192.0.2.2@54", "2001:db8::1" };
	static const struct key_address other = { 4, { 192, 0, 2, 2 } }, v6 = { 6, { 0x20, 1, 0xD, 0xB8, [15] = 1 } };
	struct own_addresses own;
	struct listen_address room[ARRAY_LEN(texts)];
	assert_own(&own, room, texts, ARRAY_LEN(texts));
	assert_int_equal(own.n, 3); /* and none of the machine's */
	assert_true(has(&own, &other, 54) && !has(&own, &other, 53) && has(&own, &v6, 53));
	assert_false(own_addresses_are_loopback(&own));
	assert_null(own_addresses_source(&own, AF_INET)); /* which of the two? */
	assert_ptr_equal(own_addresses_source(&own, AF_INET6), &room[2]);
}

static void
those_of_the_machine(void **state)
{
	(void)state;
	static const char *const texts[] = { "0.0.0.0", "127.0.0.9@54", "0.0.0.0@55", "0.0.0.0" };
	static const struct key_address loopback = { 4, { 127, 0, 0, 1 } }, ninth = { 4, { 127, 0, 0, 9 } };
	struct own_addresses own;
	struct listen_address room[ARRAY_LEN(texts)];
	assert_own(&own, room, texts, ARRAY_LEN(texts));
	assert_true(has(&own, &loopback, 53) && has(&own, &loopback, 55) && !has(&own, &loopback, 54));
	assert_true(has(&own, &ninth, 54));
	assert_false(own_addresses_are_loopback(&own));
	assert_null(own_addresses_source(&own, AF_INET));
	assert_null(own_addresses_source(&own, AF_INET6));
	size_t n = own.n;
	own_addresses_find(&own);
	assert_int_equal(own.n, n); /* anew, not once more */
	own.listen_n--;             /* the last is there twice */
	own_addresses_find(&own);
	assert_int_equal(own.n, n);
}

static void
loopback_alone(void **state)
{
	(void)state;
	static const char *const texts[] = { "127.0.0.2", "::1" };
	struct own_addresses own;
	struct listen_address room[ARRAY_LEN(texts)];
	assert_own(&own, room, texts, ARRAY_LEN(texts));
	assert_true(own_addresses_are_loopback(&own));
	assert_ptr_equal(own_addresses_source(&own, AF_INET), &room[0]);
	assert_own(&own, room, texts, 0);
	assert_false(own_addresses_are_loopback(&own));
}

static void
there_is_a_limit(void **state)
{
	(void)state;
	static struct listen_address many[OWN_ADDRESSES_MAX + 1];
	struct diag d;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		assert_int_equal(listen_parse("192.0.2.1", (uint16_t)(53 + i), &many[i], &d), OK);
	}
	struct own_addresses own = { .listen = many, .listen_n = ARRAY_LEN(many) };
	own_addresses_find(&own);
	assert_int_equal(own.n, OWN_ADDRESSES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_the_listeners),
		cmocka_unit_test(those_of_the_machine),
		cmocka_unit_test(loopback_alone),
		cmocka_unit_test(there_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
