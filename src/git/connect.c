#include "git/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/enc.h"
#include "git/errors.h"
#include "git/format.h"
#include "git/sshkey.h"

/* A server has host keys of several types, and libssh2 asks for one of them.  libgit2 has no option for the type: it
 * prefers the type that the known_hosts file in the home directory has for the host.  So we write such a file, and try
 * a connection with each type until the server shows a key that we expect.  Nearly always the first one is such a key. */
static const char *const key_types[] = {
	"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
};

void
git_connection_fini(struct git_connection *a)
{
	if (a->key.s != NULL) {
		wipe(a->key.s, a->key.cap);
	}
	str_fini(&a->key);
	str_fini(&a->offered);
	str_fini(&a->words);
	free(a->known);
}

static int
auth_failed(const char *why)
{
	git_error_set_str(GIT_ERROR_CALLBACK, why);
	return GIT_EAUTH;
}

/* libgit2 calls this again when the server has refused the credential that it returned.  So key and password are
 * offered once each. */
static int
on_credentials(git_credential **out, const char *url, const char *user_of_url, unsigned allowed, void *payload)
{
	(void)url;
	struct git_connection *a = payload;
	const struct git_conf *c = a->how->conf;
	const char *user = c->user != NULL && c->user[0] != '\0' ? c->user : user_of_url != NULL ? user_of_url : "git";
	if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) {
		return git_credential_username_new(out, user);
	}
	bool is_first = a->asked++ == 0;
	if ((allowed & GIT_CREDENTIAL_SSH_MEMORY) != 0 && a->key.s != NULL && is_first) {
		return git_credential_ssh_key_memory_new(out, user, NULL, str_text(&a->key), NULL);
	}
	if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && c->password != NULL &&
	    (is_first || (a->key.s != NULL && a->asked == 2))) {
		return git_credential_userpass_plaintext_new(out, user, c->password);
	}
	return auth_failed(is_first ? "the server asks for credentials, and we have none of a kind that it accepts"
	                            : "the server refused our credentials");
}

static int
check_host_key(struct git_connection *a, const git_cert_hostkey *cert)
{
	const char *pinned = a->how->conf->authenticator;
	char fingerprint[GIT_FINGERPRINT_TEXT], type[32];
	if ((cert->type & GIT_CERT_SSH_RAW) == 0 ||
	    ssh_fingerprint((const uint8_t *)cert->hostkey, cert->hostkey_len, fingerprint) != OK) {
		return GIT_ECERTIFICATE;
	}
	enum ssh_verdict verdict =
		a->known != NULL ? ssh_known_check(a->known, (const uint8_t *)cert->hostkey, cert->hostkey_len)
		: strcmp(pinned, fingerprint) == 0 ? SSH_KEY_GOOD : SSH_KEY_UNKNOWN;
	if (verdict == SSH_KEY_GOOD) {
		return 0;
	}
	a->is_key_refused = true;
	a->is_key_revoked |= verdict == SSH_KEY_REVOKED;
	ssh_key_type((const uint8_t *)cert->hostkey, cert->hostkey_len, type);
	str_printf(&a->offered, "%s%s (%s)", a->offered.len > 0 ? ", " : "", fingerprint, type);
	git_error_set_str(GIT_ERROR_CALLBACK, "the server's key is not the one that is expected");
	return GIT_ECERTIFICATE;
}

static int
on_certificate(git_cert *cert, int valid, const char *host, void *payload)
{
	(void)host;
	if (cert->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
		return check_host_key(payload, (const git_cert_hostkey *)cert);
	}
	return valid ? 0 : GIT_ECERTIFICATE;
}

static int
on_progress(const git_indexer_progress *p, void *payload)
{
	struct git_connection *a = payload;
	a->how->alive(a->how->ctx);
	if (p->received_bytes > a->how->conf->total_max) {
		a->is_too_large = true;
		return GIT_EUSER;
	}
	return 0;
}

static int
on_sideband(const char *text, int len, void *payload)
{
	struct git_connection *a = payload;
	size_t room = GIT_WORDS_MAX - a->words.len;
	a->how->alive(a->how->ctx);
	if (len > 0) {
		str_put(&a->words, text, (size_t)len < room ? (size_t)len : room);
	}
	return 0;
}

void
git_connection_callbacks(struct git_connection *a, git_remote_callbacks *out)
{
	out->credentials = on_credentials;
	out->certificate_check = on_certificate;
	out->transfer_progress = on_progress;
	out->sideband_progress = on_sideband;
	out->payload = a;
}

static err_t
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		return E_IO;
	}
	bool is_good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	is_good &= close(fd) == 0;
	return is_good ? OK : E_IO;
}

/* Writes a known_hosts file into our home directory (git_connect_settle()).  Its only entry names the type, with a
 * made-up key: check_host_key() compares the server's key with the right ones. */
static err_t
prefer_key_type(const struct git_how *how, const char *type, struct diag *diag)
{
	[[gnu::cleanup(str_fini)]] struct str path = { 0 };
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	uint8_t blob[128] = { 0, 0, 0, (uint8_t)strlen(type) };
	char digits[ENC_BASE64_LEN(sizeof blob) + 1];
	memcpy(blob + 4, type, strlen(type));
	digits[base64_encode(blob, sizeof blob, digits)] = '\0';
	str_printf(&line, "[%s]:%u %s %s\n", how->conf->host, how->conf->port, type, digits);
	str_printf(&path, "%s/.ssh", how->home);
	bool is_made = mkdir(str_text(&path), 0700) == 0 || errno == EEXIST;
	str_cat(&path, "/known_hosts");
	if (!is_made || write_file(str_text(&path), str_text(&line)) != OK) {
		diag_set(diag, DIAG_ERROR, "git", "cannot write %.300s: %s", str_text(&path), strerror(errno));
		return E_IO;
	}
	return OK;
}

static err_t
read_known_hosts(struct git_connection *a, struct diag *diag)
{
	enum { FILE_MAX = 1 << 20 };
	const struct git_conf *c = a->how->conf;
	int fd = open(c->known_hosts, O_RDONLY | O_CLOEXEC);
	char *text = xalloc(FILE_MAX);
	ssize_t len = fd >= 0 ? read(fd, text, FILE_MAX) : -1;
	int why = errno;
	if (fd >= 0) {
		close(fd);
	}
	if (len < 0) {
		free(text);
		diag_set(diag, DIAG_ERROR, "git", "cannot read the known_hosts file %.200s: %s", c->known_hosts, strerror(why));
		return E_IO;
	}
	a->known = xalloc(sizeof *a->known);
	ssh_known_find(text, (size_t)len, c->host, c->port, a->known);
	free(text);
	return OK;
}

static err_t
ssh_prepare(struct git_connection *a, struct diag *diag)
{
	const struct git_conf *c = a->how->conf;
	if (c->authenticator[0] == '\0' && c->known_hosts == NULL) {
		diag_set(diag, DIAG_ERROR, "git", "cannot connect to %.300s: no option says which key its server must have", c->shown);
		diag_hint(diag, "give --authenticator=SHA256:...; `ssh-keyscan -p %u %.100s | ssh-keygen -lf -` shows the "
		          "server's key: its owner knows the right one", c->port, c->host);
		return E_AUTH;
	}
	if (c->authenticator[0] == '\0') {
		TRY(read_known_hosts(a, diag));
	}
	return c->has_seed ? ssh_private_key_text(c->seed, &a->key) : OK;
}

static err_t
host_key_refused(struct git_connection *a, struct diag *diag)
{
	const struct git_conf *c = a->how->conf;
	if (a->known != NULL) {
		diag_set(diag, DIAG_ERROR, "git", "the server of %.200s showed a key that %s: %.200s", c->shown,
		         a->is_key_revoked ? "is revoked in the known_hosts file" : "is not in the known_hosts file",
		         str_text(&a->offered));
	} else {
		diag_set(diag, DIAG_ERROR, "git",
		         "the server of %.150s showed another key than --authenticator says: it has %.200s; we expect %s", c->shown,
		         str_text(&a->offered), c->authenticator);
	}
	diag_hint(diag, "somebody may be in between; or the server has a new key, which its owner can confirm: "
	          "`ssh-keyscan -p %u %.100s | ssh-keygen -lf -` shows it", c->port, c->host);
	return E_AUTH;
}

static void
hint_ssh_auth(struct git_connection *a, struct diag *diag)
{
	const struct git_conf *c = a->how->conf;
	[[gnu::cleanup(str_fini)]] struct str line = { 0 };
	if (!c->has_seed) {
		diag_hint(diag, "give a key with --ssh-key or --ssh-key-file; `okeygen ssh` makes one");
	} else if (ssh_public_key_text(c->seed, &line) == OK) {
		diag_hint(diag, "let this key read the repository: %s", str_text(&line));
	}
}

/* True when the server says that we may not write.  Each server has its own words for that. */
static bool
is_denial(const char *text)
{
	static const char *const signs[] = {
		"status code: 403", "denied", "read-only", "read only", "not permitted", "not allowed", "forbidden",
	};
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (strcasestr(text, signs[i]) != NULL) {
			return true;
		}
	}
	return false;
}

/* The hint depends on what failed, since libgit2's text names only the symptom.  (A number alone does not: the path of
 * the repository may be in the text, and have it.) */
static err_t
connect_failed(struct git_connection *a, int ret, struct diag *diag)
{
	const struct git_conf *c = a->how->conf;
	const git_error *e = git_error_last();
	int class = e != NULL ? e->klass : GIT_ERROR_NONE;
	const char *text = git_lib_text();
	bool is_auth = ret == GIT_EAUTH || strstr(text, "status code: 401") != NULL || strstr(text, "status code: 403") != NULL;
	bool is_tls = class == GIT_ERROR_SSL || ret == GIT_ECERTIFICATE;
	bool is_absent = strstr(text, "status code: 404") != NULL || strstr(text, "not export") != NULL ||
	                 strstr(text, "not found") != NULL || strstr(text, "does not appear to be a git") != NULL;
	bool is_denied = a->direction == GIT_DIRECTION_PUSH && ret != GIT_EAUTH && (is_absent || is_denial(text));
	bool is_moved = strstr(text, "unexpected http status code: 3") != NULL || strstr(text, "redirect") != NULL;
	if (git_format_explain_remote(text, c->shown, diag)) {
		return E_UNSUPPORTED;
	}
	err_t err = git_trouble(diag, ret, "cannot connect to %.200s", c->shown);
	if (c->scheme == GIT_REMOTE_LOCAL) {
		diag_hint(diag, "is the path right, and may this user read it?");
	} else if (is_denied) {
		diag_hint(diag, "the server takes no push to this repository, or no push from us, or it does not have the repository");
	} else if (is_auth && c->scheme == GIT_REMOTE_SSH) {
		hint_ssh_auth(a, diag);
	} else if (is_auth) {
		diag_hint(diag, "%s", c->password != NULL ? "user, password or token is wrong, or may not read this repository"
		                                         : "give USER:PASSWORD or a token in a credential file");
	} else if (is_tls) {
		diag_hint(diag, "the certificate must be for %.100s, not expired, and from a CA in %.100s", c->host,
		          c->ca_file != NULL ? c->ca_file : "the system's list (--ca-file names another)");
	} else if (is_absent) {
		diag_hint(diag, "is the path right, and does the server serve this repository to us?");
	} else if (is_moved) {
		diag_hint(diag, "the server sends us elsewhere, and we do not send our credentials there: put the new URL into --remote");
	} else {
		diag_hint(diag, "is the server up, and can we reach port %u of %.100s from here?", c->port,
		          c->host != NULL ? c->host : "it");
	}
	return is_denied ? E_REFUSED : is_auth || is_tls ? E_AUTH : is_absent ? E_NOTFOUND : err;
}

static int
connect_once(struct git_connection *a, git_remote *remote)
{
	git_remote_connect_options o = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	git_connection_callbacks(a, &o.callbacks);
	o.proxy_opts.type = GIT_PROXY_AUTO;
	/* A redirect to another host could take our credentials there. */
	o.follow_redirects = a->how->conf->password != NULL ? GIT_REMOTE_REDIRECT_NONE : GIT_REMOTE_REDIRECT_INITIAL;
	a->asked = 0;
	return git_remote_connect_ext(remote, a->direction, &o);
}

static err_t
connect_ssh(struct git_connection *a, git_remote *remote, struct diag *diag)
{
	TRY(ssh_prepare(a, diag));
	int ret = -1;
	for (size_t i = 0; i < ARRAY_LEN(key_types) && ret < 0; i++) {
		TRY(prefer_key_type(a->how, key_types[i], diag));
		bool was_refused = a->is_key_refused;
		a->is_key_refused = false;
		ret = connect_once(a, remote);
		/* Another type is worth a try when we refused this key, or the server has no key of this type. */
		bool is_next = a->is_key_refused || strstr(git_lib_text(), "failed to start SSH session") != NULL;
		if (ret < 0 && !is_next) {
			return connect_failed(a, ret, diag);
		}
		a->is_key_refused |= was_refused;
		a->how->alive(a->how->ctx);
	}
	if (ret < 0) {
		return a->is_key_refused ? host_key_refused(a, diag) : connect_failed(a, ret, diag);
	}
	return OK;
}

/* libgit2 sends small pieces and leaves Nagle's algorithm on.  So the last piece waits until the piece before it is
 * acknowledged, and the other end delays that by 40 ms.  (A push over the loopback takes 65 ms, without the delay 20
 * ms.)  libgit2 gives no access to its socket; but that is the only TCP socket of this process, so it can be found. */
static void
disable_nagle(void)
{
	enum { FDS = 256 }; /* the socket's number is lower: a new descriptor gets the lowest free number */
	const int on = 1;
	for (int fd = 0; fd < FDS; fd++) {
		int protocol = 0;
		socklen_t len = sizeof protocol;
		if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP) {
			(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		}
	}
}

static err_t
connect_plain(struct git_connection *a, git_remote *remote, struct diag *diag)
{
	const struct git_conf *c = a->how->conf;
	if (c->scheme == GIT_REMOTE_HTTPS && c->ca_file != NULL &&
	    git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, c->ca_file, NULL) < 0) {
		return git_trouble(diag, -1, "cannot read the CA certificates in %.200s", c->ca_file);
	}
	int ret = connect_once(a, remote);
	return ret < 0 ? connect_failed(a, ret, diag) : OK;
}

void
git_connect_settle(const struct git_how *how)
{
	if (how->conf->scheme == GIT_REMOTE_SSH) {
		setenv("HOME", how->home, 1);
	}
}

err_t
git_connect(struct git_connection *a, git_remote *remote, git_direction direction, struct diag *diag)
{
	a->direction = direction;
	TRY(a->how->conf->scheme == GIT_REMOTE_SSH ? connect_ssh(a, remote, diag) : connect_plain(a, remote, diag));
	disable_nagle();
	return OK;
}
