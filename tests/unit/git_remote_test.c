#include "git/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *remote;
	enum git_scheme scheme;
	const char *url, *shown, *host;
	unsigned port;
	const char *branch, *user, *password;
} good[] = {
	{ "/srv/zones.git", GIT_REMOTE_LOCAL, "/srv/zones.git", "/srv/zones.git", NULL, 0, NULL, NULL, NULL },
	{ "zones#prod", GIT_REMOTE_LOCAL, "zones", "zones#prod", NULL, 0, "prod", NULL, NULL },
	{ "./a:b", GIT_REMOTE_LOCAL, "./a:b", "./a:b", NULL, 0, NULL, NULL, NULL },
	{ "/a#b/c#d/e", GIT_REMOTE_LOCAL, "/a#b/c", "/a#b/c#d/e", NULL, 0, "d/e", NULL, NULL },
	{ "file:///srv/my%20zones#refs/heads/x", GIT_REMOTE_LOCAL, "/srv/my zones", "file:///srv/my%20zones#x", NULL, 0, "x", NULL, NULL },
	{ "file://localhost/srv", GIT_REMOTE_LOCAL, "/srv", "file://localhost/srv", NULL, 0, NULL, NULL, NULL },
	{ "git://h.example/z.git", GIT_REMOTE_GIT, "git://h.example/z.git", "git://h.example/z.git", "h.example", 9418, NULL, NULL, NULL },
	{ "git://[2001:db8::1]:99/z", GIT_REMOTE_GIT, "git://[2001:db8::1]:99/z", "git://[2001:db8::1]:99/z", "2001:db8::1", 99, NULL, NULL, NULL },
	{ "https://h/z", GIT_REMOTE_HTTPS, "https://h/z", "https://h/z", "h", 443, NULL, NULL, NULL },
	{ "HTTPS://me:s3c%40ret@h:8443/z.git#b", GIT_REMOTE_HTTPS, "https://h:8443/z.git", "HTTPS://***@h:8443/z.git#b", "h", 8443, "b", "me", "s3c@ret" },
	{ "https://ghp_token@h/z", GIT_REMOTE_HTTPS, "https://h/z", "https://***@h/z", "h", 443, NULL, "ghp_token", "ghp_token" },
	{ "http://a:b@c@h/z?key=secret", GIT_REMOTE_HTTP, "http://h/z?key=secret", "http://***@h/z?***", "h", 80, NULL, "a", "b@c" },
	{ "https://me:@h/z", GIT_REMOTE_HTTPS, "https://h/z", "https://***@h/z", "h", 443, NULL, "me", "" },
	{ "ssh://git@h/z", GIT_REMOTE_SSH, "ssh://git@h/z", "ssh://git@h/z", "h", 22, NULL, "git", NULL },
	{ "git+ssh://git:pw@h:2222/~/z", GIT_REMOTE_SSH, "ssh://git@h:2222/~/z", "git+ssh://git:***@h:2222/~/z", "h", 2222, NULL, "git", "pw" },
	{ "git@h.example:zones.git#main", GIT_REMOTE_SSH, "git@h.example:zones.git", "git@h.example:zones.git#main", "h.example", 22, "main", "git", NULL },
	{ "h:z", GIT_REMOTE_SSH, "h:z", "h:z", "h", 22, NULL, NULL, NULL },
	{ "git@[2001:db8::1]:z", GIT_REMOTE_SSH, "git@[2001:db8::1]:z", "git@[2001:db8::1]:z", "2001:db8::1", 22, NULL, "git", NULL },
};

static void
same(const char *a, const char *b)
{
	if (b == NULL) {
		assert_null(a);
	} else {
		assert_non_null(a);
		assert_string_equal(a, b);
	}
}

static void
remotes_of_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct git_conf c = { 0 };
		struct diag diag = { 0 };
		if (git_conf_remote(&c, good[i].remote, &diag) != OK) {
			fail_msg("%s: %s", good[i].remote, diag.text);
		}
		assert_int_equal(c.scheme, good[i].scheme);
		same(c.url, good[i].url);
		same(c.shown, good[i].shown);
		same(c.host, good[i].host);
		assert_int_equal(c.port, good[i].port);
		same(c.branch, good[i].branch);
		same(c.user, good[i].user);
		same(c.password, good[i].password);
		git_conf_fini(&c);
	}
}

static void
what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "#x", "ftp://h/z", "svn+ssh://h/z", "file://relative/z", "file://", "https://", "https:///z", "https://:80/z",
		"https://h:0/z", "https://h:65536/z", "https://h:8x/z", "https://[::1/z", "https://[::1]x/z", "https://a:%zz@h/z",
		"https://a:%0@h/z", "https://a:%00@h/z", "https://%@h/z", "h:", "git@h:", "/z#a..b", "/z# ", "/z#-x", "/z#a b", "/z#/x",
		"/z#x/", "/z#a~1", "/z#@{u}", "/z\n", "/z#a\x7f", "git@:z",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct git_conf c = { 0 };
		struct diag diag = { 0 };
		if (git_conf_remote(&c, bad[i], &diag) == OK) {
			fail_msg("taken: %s", bad[i]);
		}
		assert_true(diag.text[0] != '\0' && diag.hint[0] != '\0');
		git_conf_fini(&c);
	}
	char large[GIT_URL_MAX + 2];
	memset(large, 'a', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	struct git_conf c = { 0 };
	struct diag diag = { 0 };
	assert_int_equal(git_conf_remote(&c, large, &diag), E_LIMIT);
	git_conf_fini(&c);
}

static void
keys_and_fingerprints(void **state)
{
	(void)state;
	struct git_conf c = { 0 };
	struct diag diag = { 0 };
	assert_int_equal(git_conf_ssh_key(&c, "ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", &diag), OK);
	assert_true(c.has_seed);
	for (size_t i = 0; i < sizeof c.seed; i++) {
		assert_int_equal(c.seed[i], i);
	}
	static const char *const keys[] = { "", "ed25519:", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "rsa:AAEC", "ed25519:AAEC",
		"ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==", "ed25519:!" };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(git_conf_ssh_key(&c, keys[i], &diag), E_FORMAT);
	}
	const char *pin = "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDOxT3y8PvXYmZOkzI";
	assert_int_equal(git_conf_authenticator(&c, pin, &diag), OK);
	assert_string_equal(c.authenticator, pin);
	assert_int_equal(git_conf_authenticator(&c, "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDOxT3y8PvXYmZOkzI=\n", &diag), OK);
	assert_string_equal(c.authenticator, pin);
	static const char *const pins[] = { "", "SHA256:", "MD5:aa", "uNiVztksCsDhcc0u9e8BgrJXVGDOxT3y8PvXYmZOkzI",
		"SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDOxT3y8PvXYmZOkz", "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDOxT3y8PvXYmZOkzIA",
		"SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDOxT3y8PvXYmZOk!I" };
	for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
		assert_int_equal(git_conf_authenticator(&c, pins[i], &diag), E_FORMAT);
	}
	git_conf_fini(&c);
}

static void
committers(void **state)
{
	(void)state;
	struct git_conf c = { 0 };
	struct diag diag = { 0 };
	static const char *const fine[] = { "Our zones <hostmaster@example.org>", "o <o>" };
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		assert_int_equal(git_conf_committer(&c, fine[i], &diag), OK);
		assert_string_equal(c.committer, fine[i]);
	}
	static const char *const bad[] = { "", "Zones", "<a@b>", " <a@b>", " x <a@b>", "x  <a@b>", "x<a@b>", "x <>", "x <a@b", "x <a@b> ", "x <a@b> 1 +0",
		"x\ny <a@b>", "x <a b>", "x <a<b>", "x> <a@b>", "x\x7f <a@b>" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(git_conf_committer(&c, bad[i], &diag), E_FORMAT);
	}
	git_conf_fini(&c);
}

static const struct {
	const char *remote, *file;
	err_t err;
	const char *user, *password;
} files[] = {
	{ "https://h/z", "me:pw\n", OK, "me", "pw" },
	{ "https://h/z", "\r\n# comment\r\ntoken\r\n", OK, "git", "token" },
	{ "https://you@h/z", "", OK, "you", "you" },
	{ "https://h/z", "https://a:b@other\nhttps://me:p%3Aw@H\n", OK, "me", "p:w" },
	{ "https://h:8443/z", "https://a:b@h\nhttps://me:pw@h:8443", OK, "me", "pw" },
	{ "https://h/z", "http://me:pw@h\n", E_NOTFOUND, NULL, NULL },
	{ "https://h/z", "https://me@other\nhttps://me:pw@g\n", E_NOTFOUND, NULL, NULL },
	{ "https://h/z", "", E_NOTFOUND, NULL, NULL },
	{ "https://h/z", "#\n\n", E_NOTFOUND, NULL, NULL },
};

static void
credential_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct git_conf c = { 0 };
		struct diag diag = { 0 };
		assert_int_equal(git_conf_remote(&c, files[i].remote, &diag), OK);
		assert_int_equal(git_conf_credentials(&c, files[i].file, strlen(files[i].file), &diag), files[i].err);
		same(c.user, files[i].user);
		same(c.password, files[i].password);
		git_conf_fini(&c);
	}
	struct git_conf c = { 0 };
	struct diag diag = { 0 };
	assert_int_equal(git_conf_remote(&c, "https://h/z", &diag), OK);
	assert_int_equal(git_conf_credentials(&c, "a\0b", 3, &diag), E_FORMAT);
	git_conf_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remotes_of_every_kind),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(keys_and_fingerprints),
		cmocka_unit_test(committers),
		cmocka_unit_test(credential_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
