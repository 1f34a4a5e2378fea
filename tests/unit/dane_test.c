#include "acme/dane.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/enc.h"
#include "named.h"

static void
ports_are_read(void **state)
{
	(void)state;
	struct dane_ports p = { .n = 0 };
	assert_int_equal(dane_ports_add(&p, "443,25"), OK);
	assert_int_equal(dane_ports_add(&p, "25,65535"), OK);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.port[0], 443);
	assert_int_equal(p.port[1], 25);
	assert_int_equal(p.port[2], 65535);
}

static void
others_are_no_ports(void **state)
{
	(void)state;
	static const char *const rows[] = { "", ",", "443,", ",443", "0", "65536", "-1", "+1", " 1", "443 ", "x", "0x1", "99999999999999999999" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dane_ports p = { .n = 0 };
		assert_int_equal(dane_ports_add(&p, rows[i]), E_FORMAT);
	}
	struct dane_ports p = { .n = 0 };
	assert_int_equal(dane_ports_add(&p, "1,2,3,4,5,6,7,8,8,9"), E_LIMIT);
}

static void
names_of_ports(void **state)
{
	(void)state;
	const struct name host = named("www.example"), want = named("_443._tcp.www.example");
	struct name owner;
	assert_int_equal(dane_owner(443, host.oct, &owner), OK);
	assert_int_equal(owner.len, want.len);
	assert_memory_equal(owner.oct, want.oct, want.len);
	assert_true(name_is_equal(dane_host(owner.oct), host.oct));
	static const char *const rows[] = { "www.example", "_tcp.example", "_._tcp.example", "_25._udp.example", "_2x._tcp.example", "_25.example",
		                            "25._tcp.example", "." };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_null(dane_host(named(rows[i]).oct));
	}
}

static void
a_name_that_is_too_long(void **state)
{
	(void)state;
	struct name n = { .len = 0 }, owner;
	for (unsigned i = 0; i < 122; i++) {
		n.oct[n.len++] = 1;
		n.oct[n.len++] = 'a';
	}
	n.len++; /* 245 octets; 10 more are the most */
	assert_int_equal(dane_owner(443, n.oct, &owner), OK);
	assert_int_equal(owner.len, NAME_WIRE_MAX);
	assert_int_equal(dane_owner(4433, n.oct, &owner), E_NAMELEN);
}

/* The key is that of RFC 8410 10.1; the hash is what "base64 -d | openssl dgst -sha256" prints for it. */
static void
a_record(void **state)
{
	(void)state;
	static const char spki[] = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
	static const char want[] = "A1E9156054E04FAC899AE9F275132CDC07A5DBC4EA2C2AD3A1FFC6E0D253681F";
	uint8_t der[64], rdata[DANE_RDATA_LEN], again[DANE_RDATA_LEN];
	char text[DANE_HASH_TEXT_LEN + 1];
	struct pkey *key;
	size_t len;
	assert_int_equal(base64_decode(spki, sizeof spki - 1, der, sizeof der, &len), OK);
	assert_int_equal(pkey_from_public(der, len, &key), OK);
	assert_int_equal(dane_rdata(key, rdata), OK);
	pkey_free(&key);
	assert_memory_equal(rdata, "\3\1\1", 3);
	dane_print_hash(rdata, text);
	assert_string_equal(text, want);
	assert_true(dane_read_hash(text, again));
	assert_memory_equal(again, rdata, sizeof rdata);
}

static void
others_are_no_hashes(void **state)
{
	(void)state;
	char text[] = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEFF";
	uint8_t rdata[DANE_RDATA_LEN];
	assert_false(dane_read_hash("", rdata));
	assert_false(dane_read_hash(text, rdata));
	text[64] = '\0';
	assert_true(dane_read_hash(text, rdata));
	text[63] = 'f';
	assert_false(dane_read_hash(text, rdata));
	text[63] = '\0';
	assert_false(dane_read_hash(text, rdata));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_read), cmocka_unit_test(others_are_no_ports), cmocka_unit_test(names_of_ports),
		cmocka_unit_test(a_name_that_is_too_long), cmocka_unit_test(a_record), cmocka_unit_test(others_are_no_hashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
