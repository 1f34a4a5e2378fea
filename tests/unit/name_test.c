#include "dns/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "named.h"

static void
parse_and_print_are_inverse(void **state)
{
	(void)state;
	static const char *const texts[] = {
		".", "example.", "a.b.c.", "\\000\\255.x.", "a\\.b.c.", "\\\"\\(\\)\\@\\$\\;\\\\.",
		"*.example.", "_sip._tcp.example.", "a\\032b.",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char out[NAME_TEXT_MAX];
		struct name n = named(texts[i]);
		assert_int_equal(n.len, name_len(n.oct));
		name_print(n.oct, out);
		assert_string_equal(out, texts[i]);
	}
}

static void
people_leave_the_final_dot_out(void **state)
{
	(void)state;
	char out[NAME_TEXT_MAX];
	assert_int_equal(name_show(named("www.example.").oct, out), 11);
	assert_string_equal(out, "www.example");
	assert_int_equal(name_show(named("a\\..").oct, out), 3); /* the escaped one is not final */
	assert_string_equal(out, "a\\.");
	assert_int_equal(name_show(named(".").oct, out), 1);
	assert_string_equal(out, ".");
}

static void
limits_are_kept(void **state)
{
	(void)state;
	struct name n;
	char label[80];
	memset(label, 'a', sizeof label);
	assert_int_equal(name_parse(label, 63, NULL, &n), OK);
	assert_int_equal(name_parse(label, 64, NULL, &n), E_LABEL);
	assert_int_equal(name_parse("a..b.", 5, NULL, &n), E_LABEL);
	assert_int_equal(name_parse(".a", 2, NULL, &n), E_LABEL);
	assert_int_equal(name_parse("", 0, NULL, &n), E_LABEL);
	assert_int_equal(name_parse("a\\", 2, NULL, &n), E_FORMAT);
	assert_int_equal(name_parse("a\\25", 4, NULL, &n), E_FORMAT);
	assert_int_equal(name_parse("a\\256", 5, NULL, &n), E_RANGE);
	char longest[300];
	size_t len = 0;
	for (int i = 0; i < 126; i++) { /* 126 labels of one octet: 253 octets with the root */
		longest[len++] = 'x';
		longest[len++] = '.';
	}
	assert_int_equal(name_parse(longest, len, NULL, &n), OK);
	assert_int_equal(n.len, 253);
	assert_int_equal(name_labels(n.oct), 126);
	longest[len++] = 'y';
	assert_int_equal(name_parse(longest, len, NULL, &n), OK);
	assert_int_equal(n.len, 255);
	longest[len++] = 'y';
	assert_int_equal(name_parse(longest, len, NULL, &n), E_NAMELEN);
	assert_int_equal(name_parse(longest, len - 1, (const uint8_t *)"\1o", &n), E_NAMELEN);
}

static void
order_is_canonical(void **state)
{
	(void)state;
	/* RFC 4034 6.1 */
	static const char *const sorted[] = {
		"example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.",
		"z.example.", "\\001.z.example.", "*.z.example.", "\\200.z.example.",
	};
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sorted); j++) {
			struct name a = named(sorted[i]), b = named(sorted[j]);
			int d = name_compare(a.oct, b.oct);
			assert_int_equal(d < 0 ? -1 : d > 0, i < j ? -1 : i > j);
			assert_int_equal(name_is_equal(a.oct, b.oct), i == j);
		}
	}
}

static void
suffixes(void **state)
{
	(void)state;
	struct name a = named("www.Example.com."), b = named("mail.example.COM."), c = named("ample.com.");
	assert_int_equal(name_shared_suffix(a.oct, b.oct), 13);
	assert_int_equal(name_shared_suffix(a.oct, c.oct), 5);
	assert_true(name_is_within(a.oct, named("example.com.").oct));
	assert_true(name_is_within(a.oct, a.oct));
	assert_true(name_is_within(a.oct, name_root));
	assert_false(name_is_within(a.oct, c.oct));
	assert_false(name_is_within(c.oct, a.oct));
	assert_int_equal(name_len(name_suffix(a.oct, 1)), 5);
}

static void
compressed_names_on_the_wire(void **state)
{
	(void)state;
	uint8_t wire[64] = { 0 };
	memcpy(wire + 12, "\3com", 5);
	memcpy(wire + 17, "\7example\xC0\x0C", 10);
	memcpy(wire + 27, "\3www\xC0\x11", 6);
	memcpy(wire + 33, "\xC0\x21", 2);       /* to itself */
	memcpy(wire + 35, "\1a\xC0\x23", 4);    /* to its own start */
	memcpy(wire + 39, "\xC0\x04", 2);       /* into the header */
	memcpy(wire + 41, "\x40", 1);           /* label type 01 */
	struct cur c = cur_over(wire, sizeof wire);
	struct name n;
	char text[NAME_TEXT_MAX];
	c.pos = 27;
	name_read(&c, &n);
	assert_int_equal(c.err, OK);
	assert_int_equal(c.pos, 33);
	name_print(n.oct, text);
	assert_string_equal(text, "www.example.com.");
	static const struct { size_t at; err_t want; } bad[] = {
		{ 33, E_PTR }, { 35, E_PTR }, { 39, E_PTR }, { 41, E_LABEL },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c = cur_over(wire, sizeof wire);
		c.pos = bad[i].at;
		name_read(&c, &n);
		assert_int_equal(c.err, bad[i].want);
	}
	c = cur_over(wire, sizeof wire);
	c.pos = 27;
	name_read_plain(&c, &n);
	assert_int_equal(c.err, E_PTR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_and_print_are_inverse),
		cmocka_unit_test(people_leave_the_final_dot_out),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(order_is_canonical),
		cmocka_unit_test(suffixes),
		cmocka_unit_test(compressed_names_on_the_wire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
