#include "bin/oprimary_secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/cli.h"

enum { CREDENTIALS_MAX = 64 * 1024 };

static void
cover(char *begin, const char *end)
{
	if (begin < end) {
		memset(begin, '*', (size_t)(end - begin));
	}
}

/* Overwrites a password or token in a URL, and a query, so that ps does not show them.  A mere user name before an SSH host stays. */
static void
hide_in_url(char *url)
{
	char *begin = strstr(url, "://");
	if (begin == NULL) {
		return;
	}
	begin += strlen("://");
	char *end = begin + strcspn(begin, "/?#");
	char *query = begin + strcspn(begin, "?#");
	if (*query == '?') {
		cover(query + 1, query + strcspn(query, "#"));
	}
	while (end > begin && *end != '@') {
		end--;
	}
	bool is_http = strncasecmp(url, "http", strlen("http")) == 0;
	if (*end == '@' && (is_http || memchr(begin, ':', (size_t)(end - begin)) != NULL)) {
		cover(begin, end);
	}
}

void
secrets_take_remote(struct secret_args *a, char *text)
{
	if (a->remote != NULL) {
		hide_in_url(a->remote);
	}
	a->remote = text;
}

static void
wipe_text(char *text)
{
	if (text != NULL) {
		wipe(text, strlen(text));
	}
}

void
secrets_take_ssh_key(struct secret_args *a, char *text)
{
	wipe_text(a->ssh_key);
	a->ssh_key = text;
}

/* ---- reading ---- */

static int
read_remote(const struct secret_args *a, struct git_conf *conf)
{
	struct diag d;
	const struct cli_secret from = { .env = "ORIGIN_REMOTE", .credential = "remote" };
	[[gnu::cleanup(cli_secret_free)]] char *text = a->remote != NULL ? xstrdup(a->remote) : NULL;
	if (text == NULL && cli_secret_read(&from, &text) != OK) {
		return CLI_FAILED;
	}
	if (text == NULL) {
		cli_error("which repository? --remote=URL is missing");
		cli_hint("for a first look: oprimary --remote=file:///srv/zones.git --listen=127.0.0.1@5300");
		return CLI_USAGE;
	}
	return git_conf_remote(conf, text, &d) == OK ? CLI_OK : cli_complain(&d);
}

static int
read_ssh(const struct secret_args *a, struct git_conf *conf)
{
	struct diag d;
	[[gnu::cleanup(cli_secret_free)]] char *key = NULL;
	const struct cli_secret from = {
		.arg = a->ssh_key, .file = a->ssh_key_file, .env = "ORIGIN_SSH_KEY", .credential = "ssh-key",
	};
	if (cli_secret_read(&from, &key) != OK) {
		return CLI_FAILED;
	}
	if (key != NULL && git_conf_ssh_key(conf, key, &d) != OK) {
		return cli_complain(&d);
	}
	return a->authenticator == NULL || git_conf_authenticator(conf, a->authenticator, &d) == OK ? CLI_OK : cli_complain(&d);
}

/* Why the `n` octets that were read cannot be used; NULL: they are the whole file, and text. */
static const char *
credentials_trouble(FILE *f, const char *text, size_t n)
{
	return strlen(text) != n                          ? "it is not text"
	       : n == CREDENTIALS_MAX && fgetc(f) != EOF  ? "it is longer than 64 KiB"
	       : ferror(f)                                ? "it cannot be read"
	                                                  : NULL;
}

/* Reads the whole file, which may have many lines. */
static int
read_credential_file(const char *path, char **out)
{
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		cli_error("--credential-file: %s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	setvbuf(f, NULL, _IONBF, 0); /* no second copy */
	*out = xalloc(CREDENTIALS_MAX + 1);
	size_t n = fread(*out, 1, CREDENTIALS_MAX, f);
	const char *trouble = credentials_trouble(f, *out, n);
	fclose(f);
	if (trouble != NULL) {
		wipe(*out, n);
		cli_error("--credential-file: %s: %s", path, trouble);
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* The environment and systemd give only one line. */
static int
read_credentials(const struct secret_args *a, struct git_conf *conf)
{
	struct diag d;
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	const struct cli_secret from = { .env = "ORIGIN_CREDENTIAL", .credential = "credential" };
	int status = CLI_OK;
	if (a->credential_file != NULL) {
		status = read_credential_file(a->credential_file, &text);
	} else if (cli_secret_read(&from, &text) != OK) {
		status = CLI_FAILED;
	}
	if (status != CLI_OK || text == NULL) {
		return status;
	}
	return git_conf_credentials(conf, text, strlen(text), &d) == OK ? CLI_OK : cli_complain(&d);
}

static int
read_all(void *ctx, struct git_conf *conf)
{
	const struct secret_args *a = ctx;
	int status = read_remote(a, conf);
	if (status == CLI_OK) {
		status = read_ssh(a, conf);
	}
	return status == CLI_OK ? read_credentials(a, conf) : status;
}

/* ---- forgetting ---- */

static void
forget_environment(void)
{
	static const char ours[] = "ORIGIN_";
	char **kept = environ;
	for (char **e = environ; *e != NULL; e++) {
		if (strncmp(*e, ours, strlen(ours)) == 0) {
			wipe_text(*e);
		} else {
			*kept++ = *e;
		}
	}
	*kept = NULL;
}

static void
forget_all(void *ctx)
{
	struct secret_args *a = ctx;
	if (a->remote != NULL) {
		hide_in_url(a->remote);
	}
	wipe_text(a->ssh_key);
	a->remote = a->ssh_key = NULL;
	forget_environment();
}

struct keeper_secrets
secrets_for_keeper(struct secret_args *a)
{
	return (struct keeper_secrets){ .read = read_all, .forget = forget_all, .ctx = a };
}
