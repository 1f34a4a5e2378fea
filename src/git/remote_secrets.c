/* Keys, credentials and committer for a remote: see git/remote.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/enc.h"
#include "git/remote_p.h"

err_t
git_conf_ssh_key(struct git_conf *c, const char *text, struct diag *diag)
{
	static const char prefix[] = "ed25519:";
	size_t skip = strncasecmp(text, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
	size_t len = strcspn(text + skip, " \t\r\n");
	size_t n = 0;
	err_t err = skip != 0 ? base64_decode(text + skip, len, c->seed, sizeof c->seed, &n) : E_FORMAT;
	if (err != OK || n != sizeof c->seed) {
		wipe(c->seed, sizeof c->seed);
		return git_conf_refuse(diag, E_FORMAT, "the SSH key is not \"ed25519:\" and 32 octets in base64",
		                       "`okeygen ssh` makes one, with the public key for the server");
	}
	c->has_seed = true;
	return OK;
}

err_t
git_conf_authenticator(struct git_conf *c, const char *text, struct diag *diag)
{
	uint8_t digest[32];
	char digits[45];
	size_t n = 0, len = strncmp(text, "SHA256:", 7) == 0 ? strcspn(text + 7, "= \t\r\n") : 0;
	err_t err = E_FORMAT;
	if (len == 43) {
		memcpy(digits, text + 7, 43);
		digits[43] = '=';
		err = base64_decode(digits, 44, digest, sizeof digest, &n);
	}
	if (err != OK || n != sizeof digest) {
		return git_conf_refuse(diag, E_FORMAT, "--authenticator is not \"SHA256:\" and a SHA-256 digest in base64",
		                       "`ssh-keyscan HOST | ssh-keygen -lf -` shows the server's key; its owner knows the right one");
	}
	memcpy(c->authenticator, "SHA256:", 7);
	memcpy(c->authenticator + 7, digits, 43);
	c->authenticator[50] = '\0';
	return OK;
}

static void
drop(char **text)
{
	if (*text != NULL) {
		wipe(*text, strlen(*text));
	}
	free(*text);
	*text = NULL;
}

/* True for "NAME <MAIL>" on one line.  NAME and MAIL have no "<" or ">".  NAME does not begin or end with a blank, MAIL has none. */
static bool
is_committer(const char *text)
{
	size_t len = strlen(text), name = strcspn(text, "<>");
	if (len > GIT_COMMITTER_MAX || name < 2 || text[name] != '<') {
		return false;
	}
	if (text[0] == ' ' || text[name - 2] == ' ' || text[name - 1] != ' ') {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
			return false;
		}
	}
	size_t mail = strcspn(text + name + 1, "<> ");
	return mail > 0 && strcmp(text + name + 1 + mail, ">") == 0;
}

err_t
git_conf_committer(struct git_conf *c, const char *text, struct diag *diag)
{
	if (!is_committer(text)) {
		return git_conf_refuse(diag, E_FORMAT, "--committer is not \"NAME <MAIL>\"",
		                       "such as --committer='Our zones <hostmaster@example.org>'");
	}
	drop(&c->committer);
	c->committer = xstrdup(text);
	return OK;
}

/* Takes user and password out of a line of git-credential-store(1).  E_NOTFOUND: the line is not for our host. */
static err_t
take_store_line(struct git_conf *c, const char *line, struct diag *diag)
{
	[[gnu::cleanup(git_conf_fini)]] struct git_conf one = { 0 };
	err_t err = git_conf_remote(&one, line, diag);
	if (err != OK || one.host == NULL || c->host == NULL || strcasecmp(one.host, c->host) != 0 || one.port != c->port ||
	    one.scheme != c->scheme || one.password == NULL || (c->user != NULL && strcmp(c->user, one.user) != 0)) {
		return err == OK ? E_NOTFOUND : err;
	}
	free(c->user);
	c->user = one.user;
	c->password = one.password;
	one.user = one.password = NULL;
	return OK;
}

static err_t
take_plain_line(struct git_conf *c, const char *line)
{
	const char *colon = strchr(line, ':');
	if (c->user == NULL) {
		c->user = colon != NULL ? xstrndup(line, (size_t)(colon - line)) : xstrdup("git");
	}
	c->password = xstrdup(colon != NULL ? colon + 1 : line);
	return OK;
}

static size_t
line_len(const char *text, size_t max)
{
	size_t n = 0;
	while (n < max && text[n] != '\n' && text[n] != '\r') {
		n++;
	}
	return n;
}

err_t
git_conf_credentials(struct git_conf *c, const char *text, size_t len, struct diag *diag)
{
	const char *end = text + len;
	err_t err = E_NOTFOUND;
	while (c->password == NULL && text < end) {
		size_t n = line_len(text, (size_t)(end - text));
		if (n > GIT_URL_MAX || memchr(text, '\0', n) != NULL) {
			return git_conf_refuse(diag, E_FORMAT, "the credential file is not a text",
			                       "write one line: USER:PASSWORD, or a token");
		}
		char *line = xstrndup(text, n);
		if (n > 0 && line[0] != '#') {
			err = strstr(line, "://") != NULL ? take_store_line(c, line, diag) : take_plain_line(c, line);
		}
		wipe(line, n);
		free(line);
		text += n;
		text += text < end;
	}
	if (c->password == NULL) {
		diag_set(diag, DIAG_ERROR, "remote", "the credential file has nothing for %.200s", c->shown);
		diag_hint(diag, "a line USER:PASSWORD, a token alone, or https://USER:PASSWORD@HOST as git stores it");
		return err == OK ? E_NOTFOUND : err;
	}
	return OK;
}

void
git_conf_fini(struct git_conf *c)
{
	drop(&c->url);
	drop(&c->shown);
	drop(&c->host);
	drop(&c->branch);
	drop(&c->user);
	drop(&c->password);
	drop(&c->committer);
	wipe(c->seed, sizeof c->seed);
	*c = (struct git_conf){ 0 };
}
