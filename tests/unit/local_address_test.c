#include "net/local_address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static struct sockaddr_storage
address(const char *text)
{
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memcpy(&out, &in, sizeof in);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
		memcpy(&out, &in6, sizeof in6);
	}
	return out;
}

static void
what_others_cannot_reach_is_doubted(void **state)
{
	(void)state;
	static const struct {
		const char *local, *server, *doubt; /* NULL: none */
	} rows[] = {
		{ "192.0.2.7", "198.51.100.1", NULL },
		{ "192.0.2.7", "10.0.0.1", NULL },
		{ "127.0.0.1", "127.0.0.1", "to itself" },
		{ "127.9.9.9", "10.0.0.1", "to itself" },
		{ "169.254.1.1", "169.254.1.2", "one network segment" },
		{ "10.255.255.255", "192.0.2.1", "private" },
		{ "172.16.0.1", "192.0.2.1", "private" },
		{ "172.31.255.255", "192.0.2.1", "private" },
		{ "172.32.0.0", "192.0.2.1", NULL },
		{ "172.15.255.255", "192.0.2.1", NULL },
		{ "192.168.1.2", "192.0.2.1", "private" },
		{ "192.169.0.0", "192.0.2.1", NULL },
		{ "100.64.0.1", "192.0.2.1", "private" },
		{ "100.127.255.255", "192.0.2.1", "private" },
		{ "100.128.0.0", "192.0.2.1", NULL },
		{ "192.168.1.2", "192.168.1.1", NULL }, /* a site of its own */
		{ "192.168.1.2", "10.0.0.1", NULL },
		{ "2001:db8::7", "2001:db8::1", NULL },
		{ "::1", "::1", "to itself" },
		{ "fe80::1", "fe80::2", "one network segment" },
		{ "fd00::7", "2001:db8::1", "private" },
		{ "fc00::7", "2001:db8::1", "private" },
		{ "fd00::7", "fd00::1", NULL },
		{ "fe00::7", "2001:db8::1", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage local = address(rows[i].local), server = address(rows[i].server);
		const char *doubt = local_address_doubt(&local, &server);
		if (rows[i].doubt == NULL ? doubt != NULL : doubt == NULL || strstr(doubt, rows[i].doubt) == NULL) {
			fail_msg("%s to %s: %s", rows[i].local, rows[i].server, doubt != NULL ? doubt : "(none)");
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_cannot_reach_is_doubted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
