/* The options of a machine: the right forms, the wrong ones, and what is left for the program. */
#include "image/settings.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct settings read_all;
static struct diag why;

static err_t
read_words(const char *const *words)
{
	size_t n = 0;
	while (words[n] != NULL) {
		n++;
	}
	return settings_read(&read_all, (char *const *)words, n, &why);
}

static err_t
read_one(const char *word)
{
	const char *const words[] = { word, NULL };
	return read_words(words);
}

static void
what_the_tutorial_gives(void **state)
{
	(void)state;
	const char *const words[] = { "--ipv4=10.0.42.2/24", "--keys=a:SHA256:b=", "--ipv4-gateway=10.0.42.1", "--ipv6=2001:db8::2/64",
		                      "--ipv6-gateway=fe80::1", "--hostname=ns1.example.org", "--name-server=10.0.42.1",
		                      "--name-server=2001:db8::53", "--time-server=time.example.org", "--time-server=::1", "--axfr", NULL };
	assert_int_equal(read_words(words), OK);
	assert_int_equal(read_all.ipv4.family, AF_INET);
	assert_int_equal(read_all.ipv4.prefix, 24);
	assert_memory_equal(read_all.ipv4.octets, "\x0a\x00\x2a\x02", 4);
	assert_memory_equal(read_all.ipv4_gateway.octets, "\x0a\x00\x2a\x01", 4);
	assert_int_equal(read_all.ipv6.prefix, 64);
	assert_int_equal(read_all.ipv6_gateway.octets[0], 0xfe);
	assert_string_equal(read_all.hostname, "ns1.example.org");
	assert_int_equal(read_all.name_servers_n, 2);
	assert_int_equal(read_all.time_servers_n, 2);
	assert_int_equal(read_all.words_n, 2);
	assert_string_equal(read_all.words[0], "--keys=a:SHA256:b=");
	assert_string_equal(read_all.words[1], "--axfr");
	assert_null(read_all.words[2]);
}

static void
the_program_has_the_rest(void **state)
{
	(void)state;
	const char *const words[] = { "--ipv4=10.0.42.2/24", "word", "--", "--ipv4=x", "--", "--name-server=ns1.example.org", NULL };
	assert_int_equal(read_words(words), OK);
	assert_int_equal(read_all.ipv4.prefix, 24);
	assert_int_equal(read_all.words_n, 4);
	assert_string_equal(read_all.words[0], "word");
	assert_string_equal(read_all.words[1], "--ipv4=x");
	assert_string_equal(read_all.words[2], "--");
	assert_string_equal(read_all.words[3], "--name-server=ns1.example.org");
}

static void
wrong_forms(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"--ipv4", "--ipv4=", "--ipv4=10.0.42.2", "--ipv4=10.0.42.2/", "--ipv4=10.0.42.2/33", "--ipv4=10.0.42.2/0", "--ipv4=10.0.42.2/-1",
		"--ipv4=10.0.42.2/24x", "--ipv4=10.0.42.256/24", "--ipv4=::1/64", "--ipv4=/24", "--ipv6=10.0.42.2/24", "--ipv6=::1/129",
		"--ipv6=0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001/1", "--ipv4-gateway=10.0.42.1/24", "--ipv6-gateway=10.0.42.1",
		"--hostname=", "--hostname=a b", "--hostname=-a", "--name-server=ns.example.org", "--time-server=", "--time-server=a/b",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(read_one(wrong[i]), E_FORMAT);
		assert_non_null(strstr(why.text, ": should be "));
	}
}

static void
a_gateway_alone_is_of_no_use(void **state)
{
	(void)state;
	assert_int_equal(read_one("--ipv4-gateway=10.0.42.1"), E_FORMAT);
	assert_int_equal(read_one("--ipv6-gateway=fe80::1"), E_FORMAT);
}

static void
too_many_servers(void **state)
{
	(void)state;
	const char *const names[] = { "--name-server=::1", "--name-server=::2", "--name-server=::3", "--name-server=::4", NULL };
	const char *const times[] = { "--time-server=a", "--time-server=b", "--time-server=c", "--time-server=d", "--time-server=e", NULL };
	assert_int_equal(read_words(names), E_FORMAT);
	assert_int_equal(read_words(names + 1), OK);
	assert_int_equal(read_words(times), E_FORMAT);
	assert_int_equal(read_words(times + 1), OK);
}

static bool
is_near(const char *own, const char *gateway)
{
	char option[64] = "--ipv4=";
	struct ip_address other = { .family = AF_INET };
	strncat(option, own, sizeof option - 8);
	assert_int_equal(read_one(option), OK);
	assert_int_equal(inet_pton(AF_INET, gateway, other.octets), 1);
	return ip_address_is_near(&read_all.ipv4, &other);
}

static void
in_the_same_network(void **state)
{
	(void)state;
	assert_true(is_near("10.0.42.2/24", "10.0.42.1"));
	assert_false(is_near("10.0.42.2/24", "10.0.43.1"));
	assert_true(is_near("10.0.42.2/23", "10.0.43.1"));
	assert_false(is_near("10.0.42.2/32", "10.0.42.1"));
	assert_true(is_near("10.0.42.2/32", "10.0.42.2"));
	assert_true(is_near("10.0.42.2/1", "127.0.0.1"));
	assert_false(is_near("10.0.42.2/1", "128.0.0.1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_tutorial_gives),
		cmocka_unit_test(the_program_has_the_rest),
		cmocka_unit_test(wrong_forms),
		cmocka_unit_test(a_gateway_alone_is_of_no_use),
		cmocka_unit_test(too_many_servers),
		cmocka_unit_test(in_the_same_network),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
