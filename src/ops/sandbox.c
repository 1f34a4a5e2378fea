#include "ops/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ops/files.h"
#include "ops/sandbox_p.h"

enum { DNS_PORT = 53 };

/* For a worker, which is forked from a process that has entered. */
static struct {
	const struct log *log; /* NULL: it has no filter of SANDBOX_GIT */
} git;

/* ---- what is allowed ---- */

static void
add_fd(struct sandbox_conf *c, int fd, enum sandbox_access access)
{
	if (fd >= 0) {
		ASSERT(c->places_n < SANDBOX_PLACES_MAX);
		c->places[c->places_n++] = (struct sandbox_place){ .fd = fd, .access = access };
	}
}

void
sandbox_add_place(struct sandbox_conf *c, const char *path, enum sandbox_access access)
{
	add_fd(c, path != NULL ? open(path, O_PATH | O_CLOEXEC) : -1, access);
}

void
sandbox_add_dir(struct sandbox_conf *c, int dir)
{
	add_fd(c, fcntl(dir, F_DUPFD_CLOEXEC, 0), SANDBOX_WRITE);
}

void
sandbox_add_beside(struct sandbox_conf *c, const char *path)
{
	char dir[PATH_MAX];
	if (path == NULL || (size_t)snprintf(dir, sizeof dir, "%s", path) >= sizeof dir) {
		return;
	}
	char *slash = strrchr(dir, '/');
	if (slash != NULL) {
		slash[slash == dir] = '\0';
	}
	sandbox_add_place(c, slash != NULL ? dir : ".", SANDBOX_READ);
	sandbox_add_place(c, path, SANDBOX_READ); /* it may be a link to elsewhere */
}

static bool
has_proxy(void)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0') {
			return true;
		}
	}
	return false;
}

/* Where a link of the system leads. */
static void
add_behind(struct sandbox_conf *c, const char *link)
{
	char path[PATH_MAX];
	if (realpath(link, path) != NULL) {
		sandbox_add_beside(c, path);
	}
}

/* Whole directories, because resolv.conf and the list of authorities are replaced now and then, and may be links.  What a user may read
 * there is for everybody. */
void
sandbox_add_system(struct sandbox_conf *c)
{
	static const char *const read[] = {
		"/etc", "/usr", "/lib", "/lib64", "/run/systemd", "/run/resolvconf", "/run/NetworkManager", "/run/nscd",
		"/dev/random", "/dev/urandom",
	};
	for (size_t i = 0; i < ARRAY_LEN(read); i++) {
		sandbox_add_place(c, read[i], SANDBOX_READ);
	}
	sandbox_add_place(c, "/dev/null", SANDBOX_WRITE);
	sandbox_add_place(c, getenv("SSL_CERT_DIR"), SANDBOX_READ);
	sandbox_add_beside(c, getenv("SSL_CERT_FILE"));
	add_behind(c, "/etc/resolv.conf");
	add_behind(c, "/etc/ssl/certs/ca-certificates.crt");
	sandbox_add_port(c, DNS_PORT);
	c->is_any_port |= has_proxy();
}

void
sandbox_add_port(struct sandbox_conf *c, uint16_t port)
{
	for (size_t i = 0; i < c->ports_n; i++) {
		if (c->ports[i] == port) {
			return;
		}
	}
	if (c->ports_n == SANDBOX_PORTS_MAX) {
		c->is_any_port = true;
	} else {
		c->ports[c->ports_n++] = port;
	}
}

/* A sanitizer reads about itself and its process for its report. */
static void
add_sanitizer(struct sandbox_conf *c)
{
	static const char *const read[] = { "/proc", "/usr", "/lib", "/lib64" };
	for (size_t i = 0; SANDBOX_IS_SANITIZED && i < ARRAY_LEN(read); i++) {
		sandbox_add_place(c, read[i], SANDBOX_READ);
	}
}

/* ---- entering ---- */

static void
note_missing(struct sandbox_state *s, const char *what)
{
	size_t len = strlen(s->missing);
	(void)snprintf(s->missing + len, sizeof s->missing - len, "%s%s: %s", len != 0 ? "; " : "", what, strerror(errno));
}

/* The limit becomes what it is, or less, permanently. */
static void
fix_limit(struct sandbox_state *s, int resource, const char *name, rlim_t most)
{
	struct rlimit r;
	if (getrlimit((__rlimit_resource_t)resource, &r) == 0) {
		r.rlim_cur = r.rlim_cur < most ? r.rlim_cur : most;
		r.rlim_max = r.rlim_cur;
		if (setrlimit((__rlimit_resource_t)resource, &r) == 0) {
			return;
		}
	}
	note_missing(s, name);
}

/* Git and hooks may need more than we do. */
static void
fix_limits(const struct sandbox_conf *c, struct sandbox_state *s)
{
	fix_limit(s, RLIMIT_CORE, "RLIMIT_CORE", 0);
	if (!sandbox_is_open(c->role)) {
		fix_limit(s, RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", 0);
		fix_limit(s, RLIMIT_NOFILE, "RLIMIT_NOFILE", RLIM_INFINITY);
	}
}

static void
close_places(struct sandbox_conf *c)
{
	for (size_t i = 0; i < c->places_n; i++) {
		close(c->places[i].fd);
	}
	c->places_n = 0;
}

/* Landlock first, as its own system calls are in no list. */
static err_t
enter(struct sandbox_conf *c, struct sandbox_state *out)
{
	if (!sandbox_is_open(c->role)) {
		TRY(sandbox_trap(c));
	}
	bool is_limited = c->role != SANDBOX_GIT_LOCAL && c->role != SANDBOX_GIT_WORKER;
	if (is_limited && sandbox_limit_files(c, &out->landlock, &out->has_ports) != OK) {
		note_missing(out, "landlock");
	}
	err_t err = sandbox_limit_calls(c);
	if (err == E_UNSUPPORTED) {
		note_missing(out, "seccomp");
	}
	out->has_calls = err == OK;
	git.log = c->role == SANDBOX_GIT && err == OK ? c->log : NULL;
	return err == E_UNSUPPORTED ? OK : err;
}

err_t
sandbox_enter(struct sandbox_conf *c, struct sandbox_state *out, struct diag *diag)
{
	*out = (struct sandbox_state){ 0 };
	tzset(); /* the C library reads a file the first time that it prints a date */
	add_sanitizer(c);
	fix_limits(c, out);
	err_t err = enter(c, out);
	close_places(c);
	if (err == E_NOMEM) {
		diag_set(diag, DIAG_ERROR, "sandbox", "there is no memory to make it");
	}
	return err;
}

static const char *
extent(bool is_limited)
{
	return is_limited ? "limited" : "all";
}

void
sandbox_say(const struct log *log, enum sandbox_role role, const struct sandbox_state *s)
{
	bool is_whole = s->missing[0] == '\0';
	log_event(log, is_whole ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "sandbox",
	          "role=%s system_calls=%s files=%s ports=%s missing=%s hint=%s", sandbox_role_name(role), extent(s->has_calls),
	          extent(s->landlock != 0), extent(s->has_ports), s->missing, is_whole ? "" : "the kernel cannot do this; a newer one may");
}

err_t
sandbox_enter_worker(struct diag *diag)
{
	struct sandbox_state s;
	struct sandbox_conf c = { .role = SANDBOX_GIT_WORKER, .log = git.log };
	return git.log != NULL ? sandbox_enter(&c, &s, diag) : OK;
}
