#include "git/remote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/enc.h"
#include "git/remote_p.h"

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

err_t
git_conf_refuse(struct diag *diag, err_t err, const char *what, const char *hint)
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

/* A copy of `len` octets with %XX replaced (RFC 3986 2.1).  NULL: there is %00, or a "%" without two hex digits. */
static char *
percent_decoded(const char *text, size_t len)
{
	char *out = xalloc(len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int octet = len - i > 2 ? base16_octet(text + i + 1) : -1;
			if (octet <= 0) {
				wipe(out, len + 1);
				free(out);
				return NULL;
			}
			c = (char)octet;
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
	/* Those rules of git-check-ref-format(1) without which the name could mean something else to git. */
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
		return git_conf_refuse(diag, E_FORMAT, "the user or password in --remote has a % without two hex digits after it",
		                       "write % itself as %25, or use a credential file");
	}
	if (colon == NULL && (c->scheme == GIT_REMOTE_HTTP || c->scheme == GIT_REMOTE_HTTPS) && c->user[0] != '\0') {
		/* https://TOKEN@host: the token is the password; servers do not look at the user then. */
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
		return git_conf_refuse(diag, E_FORMAT, "the host or port in --remote is malformed",
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
	/* For ssh the user stays in the URL, where libgit2 looks for it.  It stays as it was written, so nothing has to be escaped. */
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
	if (c->url == NULL) {
		return git_conf_refuse(diag, E_FORMAT, "--remote=file://... needs an absolute path", "as in file:///srv/zones.git");
	}
	return OK;
}

static err_t
take_scp(struct git_conf *c, const char *text, const char *colon, struct diag *diag)
{
	const char *at = memrchr(text, '@', (size_t)(colon - text));
	const char *host = at != NULL ? at + 1 : text;
	c->scheme = GIT_REMOTE_SSH;
	if (colon[1] == '\0') {
		return git_conf_refuse(diag, E_FORMAT, "--remote=HOST: has no path", "write it as USER@HOST:PATH");
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
		return git_conf_refuse(diag, E_UNSUPPORTED, "--remote has a scheme that is not supported",
		                       "there are file://, git://, http://, https:// and ssh://; also a path, and USER@HOST:PATH");
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
		return git_conf_refuse(diag, len == 0 ? E_FORMAT : E_LIMIT, len == 0 ? "--remote is empty" : "--remote is too long",
		                       "write it as URL[#BRANCH]");
	}
	if (has_control(remote)) {
		return git_conf_refuse(diag, E_FORMAT, "--remote has a control character in it", "write it as URL[#BRANCH]");
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
			err = git_conf_refuse(diag, E_FORMAT, "no branch can have the name after # in --remote",
			                      "write it as URL#BRANCH");
		}
	}
	c->shown = shown.s;
	return err != OK ? err : shown.err;
}
