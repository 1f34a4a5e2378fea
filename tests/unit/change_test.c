/* What people write becomes what auth/update.h reads. */
#include "dns/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "auth/update.h"
#include "base/err.h"
#include "dns/rrtype.h"

static const uint8_t zone[] = "\6mirage";
static const struct change_context in_zone = { .zone = zone, .ttl = 60 };

enum { PREREQUISITE = 6, UPDATE = 8 }; /* where the sections' counts are */

static uint8_t wire[DNS_MSG_MAX];

static struct buf
begun(void)
{
	struct buf b = buf_over(wire, sizeof wire);
	buf_put(&b, "\x12\x34\x28\0\0\1\0\0\0\0\0\0", DNS_HEADER_LEN);
	buf_put(&b, zone, sizeof zone);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	return b;
}

static struct update
put(enum change_kind kind, const char *text)
{
	struct buf b = begun();
	struct change_error why;
	struct update u;
	struct update_verdict v;
	assert_int_equal(change_put(&b, kind, text, &in_zone, &why), OK);
	buf_patch_u16(&b, kind == CHANGE_ADD || kind == CHANGE_DELETE ? UPDATE : PREREQUISITE, 1);
	update_begin(&u, b.base, b.len, &v);
	assert_int_equal(update_read(&u, &v), OK);
	assert_int_equal(v.rcode, RCODE_NOERROR);
	return u;
}

static void
additions(void **state)
{
	(void)state;
	static const struct {
		const char *text, *owner;
		uint32_t ttl;
		uint16_t type, rdlen;
	} rows[] = {
		{ "mirage A 192.0.2.1", "mirage.", 60, TYPE_A, 4 },
		{ "www.mirage. 300 A 192.0.2.1", "www.mirage.", 300, TYPE_A, 4 },
		{ "www.mirage 1h30m IN AAAA 2001:db8::1", "www.mirage.", 5400, TYPE_AAAA, 16 },
		{ " \tWWW.Mirage IN 0 txt \"a b\" c ; a remark", "WWW.Mirage.", 0, TYPE_TXT, 6 },
		{ "a\\.b.mirage CNAME www.mirage", "a\\.b.mirage.", 60, TYPE_CNAME, 12 }, /* absolute */
		{ "mirage ( MX 10\n mail.example. )", "mirage.", 60, TYPE_MX, 16 },
		{ "mirage TYPE65280 \\# 3 010203", "mirage.", 60, 65280, 3 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char owner[NAME_TEXT_MAX];
		struct update u = put(CHANGE_ADD, rows[i].text);
		assert_int_equal(u.changes_n, 1);
		(void)name_print(u.changes[0].owner, owner);
		assert_string_equal(owner, rows[i].owner);
		assert_int_equal(u.changes[0].ttl, rows[i].ttl);
		assert_int_equal(u.changes[0].type, rows[i].type);
		assert_int_equal(u.changes[0].rrclass, CLASS_IN);
		assert_int_equal(u.changes[0].rdlen, rows[i].rdlen);
		update_fini(&u);
	}
}

/* RFC 2136 2.4, 2.5. */
static void
all_else_is_told_by_the_class(void **state)
{
	(void)state;
	static const struct {
		enum change_kind kind;
		const char *text;
		uint16_t type, rrclass, rdlen;
	} rows[] = {
		{ CHANGE_DELETE, "x.mirage", TYPE_ANY, CLASS_ANY, 0 },
		{ CHANGE_DELETE, "x.mirage ANY", TYPE_ANY, CLASS_ANY, 0 },
		{ CHANGE_DELETE, "x.mirage 300 IN A ; all", TYPE_A, CLASS_ANY, 0 },
		{ CHANGE_DELETE, "x.mirage 300 IN A 192.0.2.1", TYPE_A, CLASS_NONE, 4 },
		{ CHANGE_DELETE, "x.mirage APL", 42, CLASS_ANY, 0 }, /* its RDATA may be empty: all are meant still */
		{ CHANGE_IF_EXISTS, "x.mirage", TYPE_ANY, CLASS_ANY, 0 },
		{ CHANGE_IF_EXISTS, "x.mirage A", TYPE_A, CLASS_ANY, 0 },
		{ CHANGE_IF_EXISTS, "x.mirage A 192.0.2.1", TYPE_A, CLASS_IN, 4 },
		{ CHANGE_IF_ABSENT, "x.mirage", TYPE_ANY, CLASS_NONE, 0 },
		{ CHANGE_IF_ABSENT, "x.mirage CNAME", TYPE_CNAME, CLASS_NONE, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct update u = put(rows[i].kind, rows[i].text);
		const struct update_rr *rr = rows[i].kind == CHANGE_DELETE ? u.changes : u.prerequisites;
		assert_int_equal(u.changes_n + u.prerequisites_n, 1);
		assert_int_equal(rr->ttl, 0);
		assert_int_equal(rr->type, rows[i].type);
		assert_int_equal(rr->rrclass, rows[i].rrclass);
		assert_int_equal(rr->rdlen, rows[i].rdlen);
		update_fini(&u);
	}
}

static void
mistakes_are_explained(void **state)
{
	(void)state;
	static const struct {
		enum change_kind kind;
		const char *text, *why, *hint;
	} rows[] = {
		{ CHANGE_ADD, "", "expected a name", "" },
		{ CHANGE_ADD, "\"mirage\" A 192.0.2.1", "not the string \"mirage\"", "" },
		{ CHANGE_ADD, "a..mirage A 192.0.2.1", "is not a domain name", "" },
		{ CHANGE_ADD, "www A 192.0.2.1", "www is not in the zone mirage", "www.mirage?" },
		{ CHANGE_ADD, "@ A 192.0.2.1", "@ is not in the zone mirage", "must be complete" },
		{ CHANGE_ADD, "\x1B[1m.x A 192.0.2.1", "?[1m.x is not in the zone", "" },
		{ CHANGE_ADD, "mirage", "expected a record type, but there is nothing more", "" },
		{ CHANGE_ADD, "mirage 300", "expected a record type", "" },
		{ CHANGE_ADD, "mirage 4294967296 A 192.0.2.1", "at most 2147483647", "" },
		{ CHANGE_ADD, "mirage 3x A 192.0.2.1", "3x is not a TTL", "" },
		{ CHANGE_ADD, "mirage 300 300 A 192.0.2.1", "unknown record type 300", "" },
		{ CHANGE_ADD, "mirage \"A\" 192.0.2.1", "not the string \"A\"", "" },
		{ CHANGE_ADD, "mirage CH TXT x", "class CH", "" },
		{ CHANGE_DELETE, "mirage NONE", "class NONE", "" },
		{ CHANGE_ADD, "mirage NONSENSE x", "unknown record type NONSENSE", "" },
		{ CHANGE_ADD, "mirage A", "missing, expected an IPv4 address", "" },
		{ CHANGE_ADD, "mirage A 192.0.2.256", "not \"192.0.2.256\"", "" },
		{ CHANGE_ADD, "mirage A 192.0.2.1 x", "expected the end", "" },
		{ CHANGE_ADD, "mirage TXT \"x", "quote", "" },
		{ CHANGE_ADD, "mirage (", "parenthesis", "" },
		{ CHANGE_ADD, "mirage ANY x", "ANY: no name has records of this type", "" },
		{ CHANGE_DELETE, "mirage ANY x", "ANY: no name has records of this type", "" },
		{ CHANGE_DELETE, "mirage AXFR", "AXFR: no name has records of this type", "" },
		{ CHANGE_DELETE, "mirage TYPE0", "TYPE0: no name has", "" },
		{ CHANGE_ADD, "mirage TYPE0 \\# 0", "TYPE0: no name has", "" },
		{ CHANGE_IF_ABSENT, "mirage A 192.0.2.1", "leave the data out", "" },
		{ CHANGE_ADD, "mirage A 192.0.2.1\nwww.mirage A 192.0.2.1", "only one record is possible", "" },
		{ CHANGE_DELETE, "mirage\nwww.mirage", "only one record is possible", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = begun();
		struct change_error why;
		size_t len = b.len;
		memset(&why, 'x', sizeof why);
		assert_int_equal(change_put(&b, rows[i].kind, rows[i].text, &in_zone, &why), E_FORMAT);
		assert_int_equal(b.len, len);
		assert_int_equal(b.err, OK);
		if (strstr(why.text, rows[i].why) == NULL || strstr(why.hint, rows[i].hint) == NULL) {
			fail_msg("%s: \"%s\", \"%s\"", rows[i].text, why.text, why.hint);
		}
	}
}

static void
a_full_message(void **state)
{
	(void)state;
	struct change_error why;
	for (size_t room = 0; room < 8 + 10 + 4; room++) {
		struct buf b = begun();
		size_t len = b.len;
		b.cap = len + room;
		assert_int_equal(change_put(&b, CHANGE_ADD, "mirage A 192.0.2.1", &in_zone, &why), E_FULL);
		assert_int_equal(b.len, len);
		assert_non_null(strstr(why.text, "no room"));
	}
	struct buf b = begun();
	b.cap = b.len + 8 + 10 + 4;
	assert_int_equal(change_put(&b, CHANGE_ADD, "mirage A 192.0.2.1", &in_zone, &why), OK);
}

static void
changes_in_words(void **state)
{
	(void)state;
	static const struct {
		enum change_kind kind;
		const char *text, *words;
	} rows[] = {
		{ CHANGE_ADD, "x.mirage a 192.0.2.1", "A 192.0.2.1, TTL 60" },
		{ CHANGE_ADD, "x.mirage 5 TXT x", "TXT \"x\", TTL 5" },
		{ CHANGE_DELETE, "x.mirage 5 TXT x", "TXT \"x\"" },
		{ CHANGE_DELETE, "x.mirage TXT", "all TXT" },
		{ CHANGE_DELETE, "x.mirage", "everything" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct update u = put(rows[i].kind, rows[i].text);
		struct cur c = cur_over(u.m.wire, u.m.len);
		struct name owner;
		struct msg_rr rr;
		struct str words = { 0 };
		c.pos = u.m.rr_at[2];
		assert_int_equal(msg_read_rr(&c, &owner, &rr), OK);
		change_print(&u.m, &rr, &words);
		assert_string_equal(str_text(&words), rows[i].words);
		str_fini(&words);
		update_fini(&u);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(additions),
		cmocka_unit_test(all_else_is_told_by_the_class),
		cmocka_unit_test(mistakes_are_explained),
		cmocka_unit_test(a_full_message),
		cmocka_unit_test(changes_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
