/* Names of questions, and pairs in TXT records: what one side writes the other reads, and nothing else. */
#include "auth/status_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "named.h"

static void
names_of_questions(void **state)
{
	(void)state;
	static const struct {
		enum status_what what;
		const char *domain, *name;
	} cases[] = {
		{ STATUS_DAEMON, ".", "status._status." },
		{ STATUS_ZONES, "example.org.", "zones._status.example.org." },
		{ STATUS_ZONE, "_status.example.", "zone._status._status.example." },
		{ STATUS_TROUBLE, "a\\.b.", "trouble._status.a\\.b." },
		{ STATUS_KEYS, "x.", "keys._status.x." },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct name domain = named(cases[i].domain), want = named(cases[i].name), made;
		enum status_what what;
		const uint8_t *found;
		assert_int_equal(status_name(cases[i].what, domain.oct, &made), OK);
		assert_true(name_is_equal(made.oct, want.oct) && made.len == want.len);
		assert_int_equal(status_name_read(made.oct, &what, &found), OK);
		assert_int_equal(what, cases[i].what);
		assert_true(name_is_equal(found, domain.oct));
	}
}

static void
names_of_others(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		err_t err;
	} cases[] = {
		{ ".", E_NOTFOUND },           { "_status.", E_NOTFOUND },    { "zones.", E_NOTFOUND },
		{ "version.bind.", E_NOTFOUND }, { "x.zones._status.", E_NOTFOUND }, { "zones._statu.", E_NOTFOUND },
		{ "zone s._status.", E_UNSUPPORTED }, { "ZONES._STATUS.", OK }, { "all._status.x.", E_UNSUPPORTED },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct name n = named(cases[i].name);
		enum status_what what;
		const uint8_t *domain;
		assert_int_equal(status_name_read(n.oct, &what, &domain), cases[i].err);
	}
}

static void
a_domain_may_be_too_long(void **state)
{
	(void)state;
	struct name n = { .len = 255 }, out;
	for (size_t i = 0; i + 2 <= 254; i += 2) {
		n.oct[i] = 1;
		n.oct[i + 1] = 'a';
	}
	assert_int_equal(status_name(STATUS_ZONES, n.oct, &out), E_NAMELEN);
	assert_int_equal(status_name(STATUS_ZONES, n.oct + 14, &out), OK);
	assert_int_equal(out.len, 255);
	assert_int_equal(status_name(STATUS_ZONES, n.oct + 12, &out), E_NAMELEN);
}

/* A message with one record of the pairs that `write` makes. */
static size_t
message_of(void (*write)(struct status_writer *w), uint8_t *wire, size_t cap)
{
	struct status_writer w = { .b = buf_over(wire, cap) };
	struct name n = named("zones._status.");
	buf_put(&w.b, "\0\1\x84\0\0\1\0\1\0\0\0\0", 12);
	buf_put(&w.b, n.oct, n.len);
	buf_u16(&w.b, TYPE_TXT);
	buf_u16(&w.b, CLASS_CH);
	status_begin(&w);
	write(&w);
	status_end(&w);
	return w.b.err == OK ? w.b.len : 0;
}

static char long_value[3000];

static void
write_pairs(struct status_writer *w)
{
	status_pair(w, "a", "1");
	status_pair(w, "nothing", "");
	status_number(w, "n", UINT64_MAX);
	status_pair(w, "eq", "x=y=z");
	for (size_t len = 253; len <= 256; len++) { /* 255 octets with "k=" before them fill a string */
		long_value[len] = '\0';
		status_pair(w, "k", long_value);
		long_value[len] = 'v';
	}
	status_pair(w, "long", long_value);
	status_pair(w, "last", "\xC3\xA4 \1");
}

static void
what_is_written_is_read(void **state)
{
	(void)state;
	static uint8_t wire[8192];
	struct status_item *item = xalloc(sizeof *item);
	struct msg m;
	memset(long_value, 'v', sizeof long_value - 1);
	size_t len = message_of(write_pairs, wire, sizeof wire);
	assert_int_equal(msg_parse(wire, len, &m), OK);
	struct status_reader r = status_read(&m, 1);
	assert_int_equal(status_next(&r, item), OK);
	assert_int_equal(item->n, 9);
	assert_string_equal(status_value(item, "a"), "1");
	assert_string_equal(status_value(item, "n"), "18446744073709551615");
	assert_string_equal(status_value(item, "eq"), "x=y=z");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(strlen(item->pair[3 + i].value), 253 + i);
	}
	assert_string_equal(status_value(item, "long"), long_value);
	assert_string_equal(status_value(item, "last"), "\xC3\xA4 \1");
	assert_string_equal(status_value(item, "nothing"), "");
	assert_int_equal(status_next(&r, item), E_NOTFOUND);
	for (size_t cap = 0; cap < len; cap++) { /* whatever room there is: nothing, or all of it */
		assert_int_equal(message_of(write_pairs, wire, cap), 0);
	}
	free_ptr(&item);
}

static void
write_nothing(struct status_writer *w)
{
	(void)w;
}

/* RDATA of strangers. */
static void
what_cannot_be_read(void **state)
{
	(void)state;
	static const struct {
		const char *rdata;
		size_t len;
		err_t err;
	} cases[] = {
		{ "\3a=b", 4, OK },       { "\0", 1, OK },          { "\3a=b\0", 5, E_FORMAT }, { "\2=b", 3, E_FORMAT },
		{ "\1a", 2, E_FORMAT },   { "\4a=b", 4, E_FORMAT }, { "\3a=\0", 4, E_FORMAT },  { "\2a=", 3, OK },
	};
	struct status_item *item = xalloc(sizeof *item);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t wire[256];
		struct msg m;
		size_t len = message_of(write_nothing, wire, sizeof wire) - 1; /* the empty string */
		memcpy(wire + len, cases[i].rdata, cases[i].len);
		wire[len - 1] = (uint8_t)cases[i].len;
		assert_int_equal(msg_parse(wire, len + cases[i].len, &m), OK);
		struct status_reader r = status_read(&m, 1);
		assert_int_equal(status_next(&r, item), cases[i].err);
	}
	free_ptr(&item);
}

static void
write_many(struct status_writer *w)
{
	for (int i = 0; i < STATUS_PAIRS_MAX + 1; i++) {
		status_pair(w, "a", "b");
	}
}

static void
write_much(struct status_writer *w)
{
	for (int i = 0; i < STATUS_ITEM_MAX / 2900; i++) {
		status_pair(w, "a", long_value);
	}
	status_pair(w, "a", long_value);
}

static void
items_have_limits(void **state)
{
	(void)state;
	static uint8_t wire[65535];
	struct status_item *item = xalloc(sizeof *item);
	struct msg m;
	memset(long_value, 'v', sizeof long_value - 1);
	assert_int_equal(msg_parse(wire, message_of(write_many, wire, sizeof wire), &m), OK);
	struct status_reader r = status_read(&m, 1);
	assert_int_equal(status_next(&r, item), E_LIMIT);
	assert_int_equal(msg_parse(wire, message_of(write_much, wire, sizeof wire), &m), OK);
	r = status_read(&m, 1);
	assert_int_equal(status_next(&r, item), E_LIMIT);
	free_ptr(&item);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_questions),      cmocka_unit_test(names_of_others), cmocka_unit_test(a_domain_may_be_too_long),
		cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(what_cannot_be_read), cmocka_unit_test(items_have_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
