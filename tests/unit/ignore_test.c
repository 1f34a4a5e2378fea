/* Patterns of .originignore: some by hand, and many at random with git as the judge. */
#include "auth/ignore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

static enum ignore_verdict
ask(const char *text, const char *name)
{
	struct ignore *ig = NULL;
	assert_int_equal(ignore_read(text, strlen(text), &ig), OK);
	enum ignore_verdict v = ignore_ask(ig, name);
	ignore_free(&ig);
	return v;
}

static void
as_the_manual_of_git_has_it(void **state)
{
	(void)state;
	static const struct {
		const char *text, *name;
		enum ignore_verdict want;
	} rows[] = {
		{ "", "a", IGNORE_NOT_SAID }, { "# a\n\n", "# a", IGNORE_NOT_SAID }, { "\\#a\n", "#a", IGNORE_YES },
		{ "a", "a", IGNORE_YES }, { "a\r\n", "a", IGNORE_YES }, { "a  \n", "a", IGNORE_YES },
		{ "a\\ \n", "a ", IGNORE_YES }, { "/a\n", "a", IGNORE_YES }, { "a/\n", "a", IGNORE_NOT_SAID },
		{ "b/a\n", "a", IGNORE_NOT_SAID }, { "**/a\n", "a", IGNORE_YES }, { "a/**\n", "a", IGNORE_NOT_SAID },
		{ "*.tmpl\n!x.tmpl\n", "x.tmpl", IGNORE_NO }, { "*.tmpl\n!x.tmpl\n", "y.tmpl", IGNORE_YES },
		{ "!a\n*\n", "a", IGNORE_YES }, { "[a-c]?z\n", "bxz", IGNORE_YES }, { "[!a-c]\n", "d", IGNORE_YES },
		{ "[[:digit:]]*\n", "0%2F26", IGNORE_YES }, { "[a\n", "a", IGNORE_NOT_SAID }, { "[]a]\n", "]", IGNORE_YES },
		{ "\xEF\xBB\xBF" "a\n", "a", IGNORE_YES }, { "a\\\n", "a", IGNORE_NOT_SAID }, { "\\!a\n", "!a", IGNORE_YES },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(ask(rows[i].text, rows[i].name), rows[i].want);
	}
	assert_int_equal(ignore_ask(NULL, "a"), IGNORE_NOT_SAID);
}

static void
it_is_bounded(void **state)
{
	(void)state;
	struct str s = { 0 };
	struct ignore *ig = NULL;
	for (int i = 0; i <= IGNORE_PATTERNS_MAX; i++) {
		str_cat(&s, "a\n");
	}
	assert_int_equal(ignore_read(s.s, s.len, &ig), E_LIMIT);
	assert_int_equal(ignore_read(s.s, s.len - 2, &ig), OK);
	ignore_free(&ig);
	str_clear(&s);
	for (int i = 0; i < IGNORE_OCTETS_MAX / 2; i++) {
		str_cat(&s, "*a");
	}
	assert_int_equal(ignore_read(s.s, s.len, &ig), OK);
	assert_int_equal(ignore_ask(ig, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), IGNORE_NOT_SAID);
	ignore_free(&ig);
	str_cat(&s, "*");
	assert_int_equal(ignore_read(s.s, s.len, &ig), E_LIMIT);
	str_fini(&s);
}

/* As many patterns as there may be that nearly match, for all zones of a large repository: with one try for each place a star can stand for,
 * this took minutes. */
static void
hostile_patterns_take_no_time(void **state)
{
	(void)state;
	enum { ASKED = 500, NAME = 250, SECONDS_MAX = 60 };
	static const char *const parts[] = { "[[:xdigit:]]", "a", "[!b-z]", "?" };
	struct ignore *ig = NULL;
	char name[NAME + 1] = "";
	memset(name, 'a', NAME);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct str s = { 0 };
		while (s.len < IGNORE_OCTETS_MAX - 1000) {
			str_cat(&s, "*");
			for (int n = 0; n < 80; n++) {
				str_cat(&s, parts[i]);
			}
			str_cat(&s, "!*\n");
		}
		assert_int_equal(ignore_read(s.s, s.len, &ig), OK);
		for (int n = 0; n < ASKED; n++) {
			assert_int_equal(ignore_ask(ig, name), IGNORE_NOT_SAID);
		}
		ignore_free(&ig);
		str_fini(&s);
	}
	assert_true(clock() < (clock_t)SECONDS_MAX * CLOCKS_PER_SEC); /* of the process, whatever else the machine does */
}

static void
patterns_of_many_elements(void **state)
{
	(void)state;
	char pattern[300] = "", name[300] = "";
	for (size_t n = 62; n < 260; n++) { /* around the ends of words */
		memset(pattern, '?', n);
		memset(name, 'x', n);
		pattern[n] = name[n] = '\0';
		assert_int_equal(ask(pattern, name), IGNORE_YES);
		assert_int_equal(ask(pattern, name + 1), IGNORE_NOT_SAID);
		pattern[n - 1] = '*';
		assert_int_equal(ask(pattern, name), IGNORE_YES);
		assert_int_equal(ask(pattern, name + 1), IGNORE_YES);
		assert_int_equal(ask(pattern, name + 2), IGNORE_NOT_SAID);
	}
}

/* ---- git as the judge ---- */

enum { ROUNDS = 40, PATTERNS = 3, NAMES = 40 };

static void
random_text(char *out, size_t max, const char *from)
{
	size_t n = 1 + (size_t)random() % max;
	for (size_t i = 0; i < n; i++) {
		out[i] = from[(size_t)random() % strlen(from)];
	}
	out[n] = '\0';
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, true);
	assert_int_equal(fclose(f), 0);
}

/* What `git check-ignore --verbose --non-matching` says of the names, a line each. */
static void
git_says(const char *dir, const struct str *names, enum ignore_verdict want[NAMES])
{
	char command[512], path[256];
	(void)snprintf(path, sizeof path, "%s/names", dir);
	write_text(path, names->s);
	(void)snprintf(command, sizeof command,
	               "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C %s/work check-ignore -v -n --no-index --stdin <%s", dir, path);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	char line[512];
	for (int i = 0; i < NAMES; i++) {
		assert_non_null(fgets(line, sizeof line, f));
		const char *pattern = strchr(line, ':') != NULL ? strchr(strchr(line, ':') + 1, ':') + 1 : "";
		want[i] = strncmp(line, "::\t", 3) == 0 ? IGNORE_NOT_SAID : pattern[0] == '!' ? IGNORE_NO : IGNORE_YES;
	}
	(void)pclose(f);
}

static void
one_round(const char *dir)
{
	struct str text = { 0 }, names = { 0 };
	char name[NAMES][16], path[256], pattern[16];
	enum ignore_verdict want[NAMES];
	for (int i = 0; i < PATTERNS; i++) {
		random_text(pattern, 8, "aabb**??[[]]--!^\\/  c#:");
		str_printf(&text, "%s%s\n", random() % 4 == 0 ? "!" : "", pattern);
	}
	for (int i = 0; i < NAMES; i++) {
		do {
			random_text(name[i], 4, "aabbc-!]#: ");
		} while (name[i][0] == ':'); /* to git that is no plain path */
		str_printf(&names, "%s\n", name[i]);
	}
	(void)snprintf(path, sizeof path, "%s/work/.gitignore", dir);
	write_text(path, text.s);
	git_says(dir, &names, want);
	struct ignore *ig = NULL;
	assert_int_equal(ignore_read(text.s, text.len, &ig), OK);
	for (int i = 0; i < NAMES; i++) {
		if (ignore_ask(ig, name[i]) != want[i]) {
			fail_msg("\"%s\" by\n%sgit says %d, we %d", name[i], text.s, want[i], ignore_ask(ig, name[i]));
		}
	}
	ignore_free(&ig);
	str_fini(&text);
	str_fini(&names);
}

static void
as_git_does(void **state)
{
	(void)state;
	char dir[] = "/tmp/ignore_test.XXXXXX", command[128];
	assert_non_null(mkdtemp(dir));
	(void)snprintf(command, sizeof command, "git init -q %s/work", dir);
	bool has_git = system(command) == 0;
	const char *seed = getenv("SEED");
	srandom(seed != NULL ? (unsigned)atoi(seed) : 1);
	for (int i = 0; i < ROUNDS && has_git; i++) {
		one_round(dir);
	}
	(void)snprintf(command, sizeof command, "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	if (!has_git) {
		skip();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_manual_of_git_has_it),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(hostile_patterns_take_no_time),
		cmocka_unit_test(patterns_of_many_elements),
		cmocka_unit_test(as_git_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
