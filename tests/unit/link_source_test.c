#include "net/link_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct key_address none, loopback = { 4, { 127, 0, 0, 1 } }, ours = { 4, { 192, 0, 2, 1 } }, theirs = { 4, { 192, 0, 2, 2 } },
                                theirs_v6 = { 6, { 0x20, 1, 0xd, 0xb8 } };

static void
assert_source(const struct link_source *s, const struct key_address *to, const struct key_address *source, const struct key_address *want)
{
	const struct follow_source f = { .address = *to, .port = 53, .source = *source };
	const struct listen_address from = link_source_for(s, &f);
	const struct listen_address expected = want->family != 0 ? listen_at(want, 0) : (struct listen_address){ 0 };
	assert_int_equal(from.len, expected.len);
	assert_memory_equal(&from.sa, &expected.sa, expected.len);
}

static void
the_source_is_what_the_key_says_or_where_we_listen(void **state)
{
	(void)state;
	static const struct link_source nowhere;
	const struct link_source at_ours = { .v4 = listen_at(&ours, 0) }, at_loopback = { .v4 = listen_at(&loopback, 0) };
	assert_source(&nowhere, &theirs, &none, &none);
	assert_source(&nowhere, &theirs, &ours, &ours);
	assert_source(&at_ours, &theirs, &none, &ours);
	assert_source(&at_ours, &theirs_v6, &none, &none); /* another family */
	assert_source(&at_loopback, &loopback, &none, &loopback);
	assert_source(&at_loopback, &theirs, &none, &none); /* cannot be reached from there */
	assert_source(&at_loopback, &theirs, &loopback, &loopback); /* but who says so has it so */
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_source_is_what_the_key_says_or_where_we_listen) };
	return cmocka_run_group_tests_name("link_source", tests, NULL, NULL);
}
