#include "git/remote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/enc.h"

static const struct scheme {
	const char *prefix;
	enum git_scheme scheme;
	uint16_t port;
} schemes[] = {
	{ "file://", GIT_REMOTE_LOCAL, 0 },       { "git://", GIT_REMOTE_GIT, 9418 },
	{ "http://", GIT_REMOTE_HTTP, 80 },       { "https://", GIT_REMOTE_HTTPS, 443 },
	{ "ssh://", GIT_REMOTE_SSH, 22 },         { "git+ssh://", GIT_REMOTE_SSH, 22 },
	{ "ssh+git://", GIT_REMOTE_SSH, 22 },
};

static err_t
refuse(struct diag *diag, err_t err, const char *what, const char *hint)
{
	diag_set(diag, DIAG_ERROR, "remote", "%s", what);
	diag_hint(diag, "%s", hint);
	return err;
}

static const struct scheme *
scheme_of(const char *url)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (strncasecmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) {
			return &schemes[i];
		}
	}
	return NULL;
}

/* git's rule: a colon before any slash makes it [user@]host:path; an IPv6 address there has brackets. */
static const char *
scp_colon(const char *text)
{
	const char *at = strchr(text, '@');
	const char *slash = strchr(text, '/');
	const char *host = at != NULL && (slash == NULL || at < slash) ? at + 1 : text;
	const char *from = *host == '[' && strchr(host, ']') != NULL ? strchr(host, ']') : host;
	const char *colon = strchr(from, ':');
	return colon != NULL && colon > text && (slash == NULL || colon < slash) ? colon : NULL;
}

static size_t
authority_len(const char *authority)
{
	return strcspn(authority, "/?#");
}

/* The last "@" of the authority ends the user information (RFC 3986 3.2.1 allows no "@" in it, but passwords
 * have them). */
static const char *
userinfo_end(const char *authority)
{
	return memrchr(authority, '@', authority_len(authority));
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A copy of `len` octets with %XX replaced (RFC 3986 2.1); NULL for %00 and for what is no hex. */
static char *
percent_decoded(const char *text, size_t len)
{
	char *out = xalloc(len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int hi = len - i > 2 ? hex_digit(text[i + 1]) : -1;
			int lo = hi >= 0 ? hex_digit(text[i + 2]) : -1;
			if (lo < 0 || (hi == 0 && lo == 0)) {
				wipe(out, len + 1);
				free(out);
				return NULL;
			}
			c = (char)(hi * 16 + lo);
			i += 2;
		}
		out[n++] = c;
	}
	return out;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7F) {
			return true;
		}
	}
	return false;
}

bool
git_is_branch_name(const char *name)
{
	/* git-check-ref-format(1), as far as it keeps a name from meaning something else. */
	size_t len = strlen(name);
	return len > 0 && len < 256 && !has_control(name) && strpbrk(name, " ~^:?*[\\") == NULL &&
	       strstr(name, "..") == NULL && strstr(name, "//") == NULL && strstr(name, "@{") == NULL &&
	       name[0] != '-' && name[0] != '/' && name[0] != '.' && name[len - 1] != '/' && name[len - 1] != '.';
}

void
git_redact(struct str *out, const char *url)
{
	const char *authority = strstr(url, "://");
	const char *rest = url;
	if (authority != NULL) {
		authority += 3;
		const char *end = userinfo_end(authority);
		const char *colon = end != NULL ? memchr(authority, ':', (size_t)(end - authority)) : NULL;
		str_put(out, url, (size_t)(authority - url));
		if (end != NULL && strncasecmp(url, "http", 4) != 0) {
			str_put(out, authority, (size_t)((colon != NULL ? colon : end) - authority));
			str_cat(out, colon != NULL ? ":***@" : "@");
		} else if (end != NULL) {
			str_cat(out, "***@");
		}
		rest = end != NULL ? end + 1 : authority;
	}
	size_t plain = authority != NULL && strncasecmp(url, "http", 4) == 0 ? strcspn(rest, "?") : strlen(rest);
	str_put(out, rest, plain);
	str_cat(out, rest[plain] != '\0' ? "?***" : "");
}

static err_t
take_userinfo(struct git_conf *c, const char *info, size_t len, struct diag *diag)
{
	const char *colon = memchr(info, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - info) : len;
	c->user = percent_decoded(info, user_len);
	if (c->user != NULL && colon != NULL) {
		c->password = percent_decoded(colon + 1, len - user_len - 1);
	}
	if (c->user == NULL || (colon != NULL && c->password == NULL)) {
		return refuse(diag, E_FORMAT, "the user or password in --remote has a % that is no %XX",
		              "write % itself as %25, or use a credential file");
	}
	if (colon == NULL && (c->scheme == GIT_REMOTE_HTTP || c->scheme == GIT_REMOTE_HTTPS) && c->user[0] != '\0') {
		/* https://TOKEN@host: the token is the password; which user goes with it matters to nobody. */
		c->password = xstrdup(c->user);
	}
	return OK;
}

static err_t
take_host(struct git_conf *c, const char *host, size_t len, uint16_t default_port, struct diag *diag)
{
	const char *bracket = len > 0 && host[0] == '[' ? memchr(host, ']', len) : NULL;
	const char *colon = bracket != NULL ? bracket + 1 : memchr(host, ':', len);
	size_t host_len = bracket != NULL ? (size_t)(bracket - host) - 1 : colon != NULL ? (size_t)(colon - host) : len;
	bool has_port = colon != NULL && colon < host + len && *colon == ':' && colon + 1 < host + len;
	char *end = NULL;
	unsigned long port = has_port ? strtoul(colon + 1, &end, 10) : default_port;
	if (host_len == 0 || (has_port && (end != host + len || port == 0 || port > 65535)) ||
	    (bracket != NULL && bracket + 1 < host + len && bracket[1] != ':')) {
		return refuse(diag, E_FORMAT, "--remote names no host that makes sense",
		              "write it as https://HOST[:PORT]/PATH, ssh://USER@HOST[:PORT]/PATH or USER@HOST:PATH");
	}
	c->host = xstrndup(host + (bracket != NULL), host_len);
	c->port = (uint16_t)port;
	return OK;
}

static err_t
take_url(struct git_conf *c, const struct scheme *s, const char *url, struct diag *diag)
{
	const char *authority = url + strlen(s->prefix);
	size_t len = authority_len(authority);
	const char *at = userinfo_end(authority);
	const char *host = at != NULL ? at + 1 : authority;
	if (at != NULL) {
		TRY(take_userinfo(c, authority, (size_t)(at - authority), diag));
	}
	TRY(take_host(c, host, len - (size_t)(host - authority), s->port, diag));
	struct str clean = { 0 };
	/* The user goes on in the URL for ssh, where libgit2 looks for it; as it was written, so that it needs no escapes. */
	const char *colon = at != NULL ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
	size_t user_len = at == NULL ? 0 : (size_t)((colon != NULL ? colon : at) - authority);
	static const char *const names[] = { "", "git://", "http://", "https://", "ssh://" };
	str_cat(&clean, names[c->scheme]);
	if (c->scheme == GIT_REMOTE_SSH && user_len > 0) {
		str_put(&clean, authority, user_len);
		str_char(&clean, '@');
	}
	str_cat(&clean, host);
	c->url = clean.s;
	return clean.err;
}

static err_t
take_file_url(struct git_conf *c, const char *url, struct diag *diag)
{
	const char *path = url + strlen("file://");
	if (strncasecmp(path, "localhost/", 10) == 0) {
		path += 9;
	}
	c->url = path[0] == '/' ? percent_decoded(path, strlen(path)) : NULL;
	return c->url != NULL ? OK : refuse(diag, E_FORMAT, "--remote=file://... needs an absolute path", "as in file:///srv/zones.git");
}

static err_t
take_scp(struct git_conf *c, const char *text, const char *colon, struct diag *diag)
{
	const char *at = memrchr(text, '@', (size_t)(colon - text));
	const char *host = at != NULL ? at + 1 : text;
	c->scheme = GIT_REMOTE_SSH;
	if (colon[1] == '\0') {
		return refuse(diag, E_FORMAT, "--remote=HOST: has no path", "write it as USER@HOST:PATH");
	}
	if (at != NULL) {
		c->user = xstrndup(text, (size_t)(at - text));
	}
	TRY(take_host(c, host, (size_t)(colon - host), 22, diag));
	c->url = xstrdup(text);
	return OK;
}

static err_t
take_remote(struct git_conf *c, const char *url, struct diag *diag)
{
	const struct scheme *s = scheme_of(url);
	const char *colon = scp_colon(url);
	if (s != NULL) {
		c->scheme = s->scheme;
		return s->scheme == GIT_REMOTE_LOCAL ? take_file_url(c, url, diag) : take_url(c, s, url, diag);
	}
	if (strstr(url, "://") != NULL) {
		return refuse(diag, E_UNSUPPORTED, "--remote has a scheme that we do not speak",
		              "file://, git://, http://, https:// and ssh:// are there; also a path, and USER@HOST:PATH");
	}
	if (colon != NULL) {
		return take_scp(c, url, colon, diag);
	}
	c->scheme = GIT_REMOTE_LOCAL;
	c->url = xstrdup(url);
	return OK;
}

err_t
git_conf_remote(struct git_conf *c, const char *remote, struct diag *diag)
{
	const char *hash = strrchr(remote, '#');
	size_t len = hash != NULL ? (size_t)(hash - remote) : strlen(remote);
	if (len == 0 || len > GIT_URL_MAX) {
		return refuse(diag, len == 0 ? E_FORMAT : E_LIMIT, len == 0 ? "--remote is empty" : "--remote is too long",
		              "write it as URL[#BRANCH]");
	}
	if (has_control(remote)) {
		return refuse(diag, E_FORMAT, "--remote has a control character in it", "write it as URL[#BRANCH]");
	}
	char *url = xstrndup(remote, len);
	err_t err = take_remote(c, url, diag);
	struct str shown = { 0 };
	git_redact(&shown, url);
	wipe(url, len);
	free(url);
	if (err == OK && hash != NULL && hash[1] != '\0') {
		const char *branch = strncmp(hash + 1, "refs/heads/", 11) == 0 ? hash + 12 : hash + 1;
		c->branch = xstrdup(branch);
		str_printf(&shown, "#%s", branch);
		if (!git_is_branch_name(branch)) {
			err = refuse(diag, E_FORMAT, "what follows # in --remote can be no branch's name", "write it as URL#BRANCH");
		}
	}
	c->shown = shown.s;
	return err != OK ? err : shown.err;
}

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
		return refuse(diag, E_FORMAT, "the SSH key is not \"ed25519:\" and 32 octets in base64",
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
		return refuse(diag, E_FORMAT, "--authenticator is not \"SHA256:\" and a SHA-256 digest in base64",
		              "`ssh-keyscan HOST | ssh-keygen -lf -` shows the server's; compare it with what its owner says");
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

/* NAME and MAIL have neither "<" nor ">", begin and end with something to see, and are on one line. */
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
		return refuse(diag, E_FORMAT, "--committer is not \"NAME <MAIL>\"",
		              "such as --committer='Our zones <hostmaster@example.org>'");
	}
	drop(&c->committer);
	c->committer = xstrdup(text);
	return OK;
}

/* One line of git-credential-store(1): is it for our host?  Takes its user and password then. */
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
			return refuse(diag, E_FORMAT, "the credential file is no text", "one line: USER:PASSWORD, or a token");
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
