#include "dns/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "hex.h"

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define OLD_SECRET "dd3bdf9344b678b185a6f5cb60fca715"
#define NEW_SECRET "445536bcd2513298075a5d379663c962"
#define CLIENT "2464c4abcf10c957"
#define SERVER "010000005cf79f111f8130c3eee29480"

enum { MADE_S = 1559731985 }; /* the time in SERVER */

static const uint8_t v4[] = { 198, 51, 100, 100 }, other_v4[] = { 203, 0, 113, 203 };
static const uint8_t v6[] = { 0x20, 0x01, 0x0D, 0xB8, 0x02, 0x20, 0, 1, 0x59, 0xDE, 0xD0, 0xF4, 0x87, 0x69, 0x82, 0xB8 };
static const struct cookie_client from_v4 = { v4, sizeof v4 }, from_other_v4 = { other_v4, sizeof other_v4 },
                                  from_v6 = { v6, sizeof v6 };

static struct cookie_secrets
secrets(const char *text)
{
	struct cookie_secrets s;
	unsigned line;
	assert_int_equal(cookie_secrets_parse(text, strlen(text), &s, &line), OK);
	return s;
}

/* The state of a cookie, and what the answer has: "" for nothing. */
static enum cookie_state
check(const char *with, const struct cookie_client *from, const char *option, uint64_t now_s, const char *answer)
{
	uint8_t octets[64], want[COOKIE_LEN];
	size_t len = unhex(option, octets, sizeof octets);
	const struct cookie_secrets s = secrets(with);
	struct cookie c;
	cookie_read(&s, from, octets, len, now_s, &c);
	if (answer[0] != '\0') {
		assert_int_equal(unhex(answer, want, sizeof want), COOKIE_LEN);
		assert_memory_equal(c.octets, want, COOKIE_LEN);
	}
	return c.state;
}

/* RFC 9018, appendix A. */
static void
the_rfcs_vectors(void **state)
{
	(void)state;
	/* A.1: a first server cookie; A.2: the same client again 40 minutes later gets a new one */
	assert_int_equal(check(SECRET, &from_v4, CLIENT, MADE_S, CLIENT SERVER), COOKIE_NEW);
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, 1559734385, CLIENT "010000005cf7a871d4a564a1442aca77"), COOKIE_GOOD);
	/* A.3: the reserved octets of somebody else's cookie are not zero */
	assert_int_equal(check(SECRET, &from_other_v4, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", 1559728000, ""), COOKIE_GOOD);
	/* A.4: IPv6, and a new secret */
	assert_int_equal(check(OLD_SECRET, &from_v6, "22681ab97d52c298", 1559741817, "22681ab97d52c298010000005cf7c57926556bd0934c72f8"),
	                 COOKIE_NEW);
	assert_int_equal(check(NEW_SECRET "\n" OLD_SECRET, &from_v6, "22681ab97d52c298010000005cf7c57926556bd0934c72f8", 1559741961,
	                       "22681ab97d52c298010000005cf7c609a6bb79d16625507a"), COOKIE_GOOD);
}

static void
a_fresh_cookie_comes_back_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S, CLIENT SERVER), COOKIE_GOOD);
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S + COOKIE_AGE_FRESH, CLIENT SERVER), COOKIE_GOOD);
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S - COOKIE_AHEAD_MAX, CLIENT SERVER), COOKIE_GOOD);
}

/* RFC 9018 4.3. */
static void
a_cookie_is_good_for_its_time(void **state)
{
	(void)state;
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S + COOKIE_AGE_MAX, ""), COOKIE_GOOD);
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S + COOKIE_AGE_MAX + 1, ""), COOKIE_BAD);
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S - COOKIE_AHEAD_MAX - 1, ""), COOKIE_BAD);
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S + (UINT64_C(1) << 32), ""), COOKIE_GOOD); /* 32 bits count */
	assert_int_equal(check(SECRET, &from_v4, CLIENT SERVER, MADE_S + (1u << 31), ""), COOKIE_BAD);
}

/* Across the end of 32 bits, in the year 2106. */
static void
the_time_goes_round(void **state)
{
	(void)state;
	uint8_t option[COOKIE_LEN] = "12345678";
	const struct cookie_secrets s = secrets(SECRET);
	struct cookie c;
	cookie_make(s.secret[0], &from_v4, option, UINT32_MAX - 5, option + COOKIE_CLIENT_LEN);
	cookie_read(&s, &from_v4, option, sizeof option, UINT64_C(1) << 32, &c);
	assert_int_equal(c.state, COOKIE_GOOD);
	cookie_make(s.secret[0], &from_v4, option, 5, option + COOKIE_CLIENT_LEN);
	cookie_read(&s, &from_v4, option, sizeof option, UINT32_MAX, &c);
	assert_int_equal(c.state, COOKIE_GOOD);
}

static void
a_cookie_is_good_for_one_client(void **state)
{
	(void)state;
	assert_int_equal(check(SECRET, &from_other_v4, CLIENT SERVER, MADE_S, ""), COOKIE_BAD);
	assert_int_equal(check(SECRET, &from_v6, CLIENT SERVER, MADE_S, ""), COOKIE_BAD);
	assert_int_equal(check(SECRET, &from_v4, "2464c4abcf10c958" SERVER, MADE_S, ""), COOKIE_BAD); /* another client cookie */
	assert_int_equal(check(OLD_SECRET, &from_v4, CLIENT SERVER, MADE_S, ""), COOKIE_BAD);
	/* with each bit of the server cookie wrong, and the answer has a right one */
	for (unsigned bit = 0; bit < 8 * COOKIE_SERVER_LEN; bit++) {
		uint8_t option[COOKIE_LEN], good[COOKIE_LEN];
		const struct cookie_secrets s = secrets(SECRET);
		struct cookie c;
		assert_int_equal(unhex(CLIENT SERVER, good, sizeof good), COOKIE_LEN);
		memcpy(option, good, sizeof option);
		option[COOKIE_CLIENT_LEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
		cookie_read(&s, &from_v4, option, sizeof option, MADE_S, &c);
		assert_int_equal(c.state, COOKIE_BAD);
		assert_memory_equal(c.octets, good, COOKIE_LEN);
	}
}

/* The secret that comes first makes cookies; those of the others are accepted, and replaced. */
static void
secrets_roll_over(void **state)
{
	(void)state;
	assert_int_equal(check(NEW_SECRET "\n" SECRET, &from_v4, CLIENT SERVER, MADE_S, ""), COOKIE_GOOD);
	assert_int_equal(check(SECRET "\n" NEW_SECRET, &from_v4, CLIENT SERVER, MADE_S, CLIENT SERVER), COOKIE_GOOD);
	assert_int_equal(check(NEW_SECRET "\n" OLD_SECRET, &from_v4, CLIENT SERVER, MADE_S, ""), COOKIE_BAD);
}

/* RFC 7873 4: 8 octets, or 16 to 40. */
static void
lengths(void **state)
{
	(void)state;
	uint8_t option[64] = { 0 };
	const struct cookie_secrets s = secrets(SECRET);
	for (size_t len = 0; len <= sizeof option; len++) {
		struct cookie c;
		cookie_read(&s, &from_v4, option, len, MADE_S, &c);
		bool may_be = len == 8 || (len >= 16 && len <= 40);
		assert_int_equal(c.state, !may_be ? COOKIE_MALFORMED : len == 8 ? COOKIE_NEW : COOKIE_BAD);
	}
}

static void
secrets_as_text(void **state)
{
	(void)state;
	struct cookie_secrets s = secrets("# ours\n\n  0x" SECRET " # since May\r\n\tDD3BDF9344B678B185A6F5CB60FCA715");
	uint8_t want[COOKIE_SECRET_LEN];
	assert_int_equal(s.n, 2);
	assert_int_equal(unhex(SECRET, want, sizeof want), COOKIE_SECRET_LEN);
	assert_memory_equal(s.secret[0], want, sizeof want);
	assert_int_equal(unhex(OLD_SECRET, want, sizeof want), COOKIE_SECRET_LEN);
	assert_memory_equal(s.secret[1], want, sizeof want);
	static const struct {
		const char *text;
		err_t err;
		unsigned line;
	} wrong[] = {
		{ "", E_NOTFOUND, 0 },
		{ "# none\n\n", E_NOTFOUND, 2 },
		{ "00", E_FORMAT, 1 },
		{ "\n" SECRET "00\n", E_FORMAT, 2 },
		{ "0x", E_FORMAT, 1 },
		{ SECRET "\n" SECRET " " SECRET, E_FORMAT, 2 },
		{ "g5e973e5a6b2a43f48e7dc849e37bfcf", E_FORMAT, 1 },
		{ SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n\n" SECRET, E_LIMIT, 6 },
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		unsigned line;
		const struct cookie_secrets before = s;
		assert_int_equal(cookie_secrets_parse(wrong[i].text, strlen(wrong[i].text), &s, &line), wrong[i].err);
		assert_int_equal(line, wrong[i].line);
		assert_memory_equal(&s, &before, sizeof s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_vectors),
		cmocka_unit_test(a_fresh_cookie_comes_back_as_it_is),
		cmocka_unit_test(a_cookie_is_good_for_its_time),
		cmocka_unit_test(the_time_goes_round),
		cmocka_unit_test(a_cookie_is_good_for_one_client),
		cmocka_unit_test(secrets_roll_over),
		cmocka_unit_test(lengths),
		cmocka_unit_test(secrets_as_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
