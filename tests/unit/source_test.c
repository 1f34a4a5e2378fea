/* Names of files: which are zones, and how a zone's file is called. */
#include "auth/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/filename.h"

static enum source_kind
kind(const char *path)
{
	struct name apex;
	return source_kind_of(NULL, path, &apex);
}

static void
files_by_their_names(void **state)
{
	(void)state;
	static const char *const zones[] = { "example.org", "@", "2.0.192.in-addr.arpa", "readme.example", "notes.example", "NOTESY",
		                             "example.com.md", "example.sh", "old.example", "txt", "json.example", "with space.example" };
	static const char *const ignored[] = { ".gitignore", "README", "README.md", "LICENSE-MIT", "NOTES", "INSTALL", "VERSION", "Dockerfile",
		                               "Jenkinsfile", "Makefile.inc", "example.org.bak", "example.org~", "example.org.orig",
		                               "example.org.rej", "example.org.swp", "#example.org#", "zones.json", "a.yml", "a.YAML", "a.toml",
		                               "default.nix", "notes.txt", "Kexample.+008+1.private", "_keys.bak", "example._keys.orig", "INSTALL.txt" };
	static const char *const bad[] = { "a..b", ("b\xC3\xBC" "cher.example"), "\xFF.example", "a.b\xCC\x88._keys", "a\\", "a\\256", "_Keys", "example.org._KEYS", "x.%5Fkeys",
		                           "_keys.", "_Secondaries", "example.org._secondaries ", "a..b._secondaries", "x.%5fsecondaries" };
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		assert_int_equal(kind(zones[i]), SOURCE_ZONE);
	}
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		assert_int_equal(kind(ignored[i]), SOURCE_IGNORED);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(kind(bad[i]), SOURCE_BAD_NAME);
	}
	assert_int_equal(kind("_keys"), SOURCE_KEYS);
	assert_int_equal(kind("0%2F26.example._keys"), SOURCE_KEYS);
	assert_int_equal(kind("_secondaries"), SOURCE_SECONDARIES);
	assert_int_equal(kind("@._secondaries"), SOURCE_SECONDARIES);
	assert_int_equal(kind("0%2F26.example._secondaries"), SOURCE_SECONDARIES);
	assert_int_equal(kind("my_secondaries"), SOURCE_ZONE);
	assert_int_equal(kind("sub/example"), SOURCE_BELOW_ROOT);
	struct ignore *all;
	struct name apex;
	assert_int_equal(ignore_read("!*\n", 3, &all), OK);
	assert_int_equal(source_kind_of(all, "_Secondaries", &apex), SOURCE_BAD_NAME); /* whatever is said */
	assert_int_equal(source_kind_of(all, "Example._secondaries", &apex), SOURCE_SECONDARIES);
	assert_true(name_is_equal(apex.oct, (const uint8_t *)"\7example"));
	assert_int_equal(source_kind_of(all, "x._Keys", &apex), SOURCE_BAD_NAME);
	ignore_free(&all);
}

static void
texts_of_doubtful_files(void **state)
{
	(void)state;
	static const char *const zones[] = { "$TTL 1h\n", "\xEF\xBB\xBF$ORIGIN sh.\n", "; a zone\n\n  ; of mine\r\n@ IN SOA a b 1 2 3 4 5\n",
		                             "@\tSOA(a b 1 2 3 4 5)", "md. 3600 soa a. b. (\n", "; old Mac\r@ SOA a b 1 2 3 4 5\r" };
	static const char *const none[] = { "", "\n\n", ";\n", "#!/bin/sh\n$TTL\n", "# SOA records\n\n@ SOA", "The word SOA-like\n", "import os\n",
		                            "www A 192.0.2.1\n", "$", "$(x)\n", "a ; SOA\n", "SOA a b\n" };
	assert_true(source_is_doubtful(NULL, "example.sh") && source_is_doubtful(NULL, "a.b.MD"));
	assert_false(source_is_doubtful(NULL, "sh") || source_is_doubtful(NULL, ".md") || source_is_doubtful(NULL, "example.shop"));
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		assert_true(source_is_master(zones[i], strlen(zones[i])));
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		assert_false(source_is_master(none[i], strlen(none[i])));
	}
}

static void
spellings(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "example.org.", "example.org" }, { ".", "@" }, { "0/26.2.0.192.in-addr.arpa.", "0%2F26.2.0.192.in-addr.arpa" },
		{ "a\\.b.example.", "a%2Eb.example" }, { "\\@.", "%40" }, { "50%.example.", "50%25.example" }, { "*.example.", "%2A.example" },
		{ "a\\000\\255b.", "a%00%FFb" }, { "a\\\\b.", "a%5Cb" }, { "Under_score-1.", "under_score-1" }, { "EXAMPLE.Org.", "example.org" },
		{ "con.example.", "%63on.example" }, { "COM1.", "%63om1" }, { "nul.", "%6Eul" }, { "a.nul.", "a.nul" }, { "conin$.", "%63onin%24" }, { "a\\032b.", "a%20b" },
		{ "a~.", "a%7E" }, { "1:2.", "1%3A2" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name name, again;
		char path[NAME_TEXT_MAX];
		assert_int_equal(name_parse(rows[i][0], strlen(rows[i][0]), NULL, &name), OK);
		source_file_name(name.oct, path);
		assert_string_equal(path, rows[i][1]);
		assert_int_equal(source_kind_of(NULL, path, &again), SOURCE_ZONE);
		assert_true(name_is_equal(name.oct, again.oct));
	}
	struct name lower, plain;
	assert_int_equal(source_kind_of(NULL, "0%2f26.example", &lower), SOURCE_ZONE); /* read, though not written so */
	assert_int_equal(lower.oct[2], '/');
	assert_int_equal(source_kind_of(NULL, "50%.example", &plain), SOURCE_ZONE);
	assert_int_equal(source_kind_of(NULL, "50%2", &plain), SOURCE_ZONE);
	assert_memory_equal(plain.oct, "\x04" "50%2", 6);
}

/* Each octet that a label can have comes back. */
static void
every_octet(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		uint8_t wire[] = { 3, 'a', (uint8_t)c, 'b', 1, (uint8_t)c, 0 };
		char path[NAME_TEXT_MAX];
		struct name again;
		source_file_name(wire, path);
		assert_true(source_read_name(path, strlen(path), &again));
		assert_true(name_is_equal(again.oct, wire));
		assert_null(filename_trouble(path, strlen(path)));
	}
}

/* As Python's codec and idn2 have them; names of RFC 3492 7.1, which is about no one case, are theirs, too. */
static void
a_labels(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "bücher.example", "xn--bcher-kva.example" }, { "BÜCHER.Example", "xn--bcher-kva.example" }, { "straße.de", "xn--strae-oqa.de" },
		{ "παράδειγμα", "xn--hxajbheg2az3al" }, { "Испытание.рф", "xn--80akhbyknj4f.xn--p1ai" }, { "例え.テスト", "xn--r8jz45g.xn--zckzah" },
		{ "例.example", "xn--fsq.example" }, { "ü", "xn--tda" }, { "他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye" },
		{ "plain.example.", NULL }, { "", NULL }, { "a\xC3", NULL }, { "\xC0\x80", NULL }, { "u\xCC\x88", NULL }, { "\xF5\x80\x80\x80", NULL },
		{ "\xED\xA0\x80", NULL }, { "a b", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[NAME_TEXT_MAX] = "";
		bool is_known = source_to_ascii(rows[i][0], out);
		assert_int_equal(is_known, rows[i][1] != NULL);
		if (is_known) {
			assert_string_equal(out, rows[i][1]);
		}
	}
	struct diag d;
	source_say_bad(("b\xC3\xBC" "cher.example"), &d);
	assert_non_null(strstr(d.hint, "xn--bcher-kva.example"));
	source_say_bad("u\xCC\x88.example", &d);
	assert_non_null(strstr(d.hint, "idn2"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_by_their_names),
		cmocka_unit_test(texts_of_doubtful_files),
		cmocka_unit_test(spellings),
		cmocka_unit_test(every_octet),
		cmocka_unit_test(a_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
