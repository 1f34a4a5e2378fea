#include "bin/oprimary_secrets.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/cli.h"

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

/* A file may have many lines; the environment gives one. */
static int
read_credentials(const struct secret_args *a, struct git_conf *conf)
{
	struct diag d;
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	const struct cli_secret from = { .file = a->credential_file, .env = "ORIGIN_CREDENTIAL", .credential = "credential",
		                         .form = CLI_SECRET_TEXT };
	if (cli_secret_read(&from, &text) != OK) {
		return CLI_FAILED;
	}
	return text == NULL || git_conf_credentials(conf, text, strlen(text), &d) == OK ? CLI_OK : cli_complain(&d);
}

static int
read_all(void *ctx, struct git_conf *conf)
{
	const struct secret_args *a = ctx;
	guard_forget(a->of_answers); /* this is the keeper's process */
	int status = read_remote(a, conf);
	if (status == CLI_OK) {
		status = read_ssh(a, conf);
	}
	return status == CLI_OK ? read_credentials(a, conf) : status;
}

/* ---- forgetting ---- */

static void
forget_all(void *ctx)
{
	struct secret_args *a = ctx;
	if (a->remote != NULL) {
		hide_in_url(a->remote);
	}
	wipe_text(a->ssh_key);
	a->remote = a->ssh_key = NULL;
	cli_forget_environment();
}

struct keeper_secrets
secrets_for_keeper(struct secret_args *a)
{
	return (struct keeper_secrets){ .read = read_all, .forget = forget_all, .ctx = a };
}
