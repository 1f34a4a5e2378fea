#include "bin/cli.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/diag.h"
#include "base/str.h"
#include "dns/bind_key.h"
#include "dns/secret.h"

void
cli_init(void)
{
	argp_err_exit_status = CLI_USAGE;
	(void)signal(SIGPIPE, SIG_IGN);
	int fd;
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0) {
		(void)close(fd);
	}
}

char *
cli_help_filter(int key, const char *text, void *input)
{
	(void)input;
	return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)(uintptr_t)text;
}

/* The message, with words that may be secrets masked.  The caller frees it with str_fini(). */
[[gnu::format(printf, 1, 0)]] static struct str
compose(const char *format, va_list args)
{
	struct str text = { 0 }, masked = { 0 };
	str_vprintf(&text, format, args);
	secret_mask(str_text(&text), &masked);
	str_fini(&text);
	return masked;
}

/* Writes a message at once, so that lines of several programs do not mix. */
[[gnu::format(printf, 3, 0)]] static void
say(enum cli_colour colour, const char *kind, const char *format, va_list args)
{
	[[gnu::cleanup(str_fini)]] struct str text = compose(format, args);
	bool on = cli_has_colour(stderr);
	(void)fprintf(stderr, "%s: %s%s%s%s\n", program_invocation_short_name, cli_colour(on, colour), kind,
	              cli_colour(on, CLI_PLAIN), str_text(&text));
}

void
cli_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(CLI_RED, "error: ", format, args);
	va_end(args);
}

void
cli_warning(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(CLI_YELLOW, "warning: ", format, args);
	va_end(args);
}

void
cli_hint(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	[[gnu::cleanup(str_fini)]] struct str text = compose(format, args);
	va_end(args);
	bool on = cli_has_colour(stderr);
	(void)fprintf(stderr, "  %shint:%s %s\n", cli_colour(on, CLI_BLUE), cli_colour(on, CLI_PLAIN), str_text(&text));
}

void
cli_usage(struct argp_state *state, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	[[gnu::cleanup(str_fini)]] struct str text = compose(format, args);
	va_end(args);
	argp_error(state, "%s", str_text(&text));
}

static bool
is_end(const struct argp_option *o)
{
	return o->name == NULL && o->key == 0 && o->doc == NULL;
}

/* Counts the options of a parser and its children that begin with the first `len` octets of `name`.  If these are the whole name
 * of an option, *is_whole is true and the result is 1. */
static size_t
count_own_options(const struct argp *argp, const char *name, size_t len, bool *is_whole)
{
	size_t n = 0;
	for (const struct argp_option *o = argp->options; o != NULL && !is_end(o); o++) {
		bool is_it = o->name != NULL && strncmp(o->name, name, len) == 0;
		*is_whole |= is_it && o->name[len] == '\0';
		n += is_it;
	}
	for (const struct argp_child *c = argp->children; c != NULL && c->argp != NULL; c++) {
		n += count_own_options(c->argp, name, len, is_whole);
	}
	return *is_whole ? 1 : n;
}

/* How many options the first `len` octets of `name` may stand for; 1 if they are the whole name of one. */
static size_t
count_options(const struct argp *argp, const char *name, size_t len)
{
	static const char *const built_in[] = { "help", "usage", "version" }, *const hidden[] = { "program-name", "HANG" };
	bool is_whole = false;
	size_t n = count_own_options(argp, name, len, &is_whole);
	for (size_t i = 0; i < ARRAY_LEN(built_in) && !is_whole; i++) {
		n += strncmp(built_in[i], name, len) == 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(hidden) && !is_whole; i++) {
		n += strncmp(hidden[i], name, len) == 0 ? 2 : 0; /* argp also has these, which nobody means: count them as unknown */
	}
	return n;
}

/* getopt prints an unknown option with its argument, which may be a secret: "--kye=NAME:SHA256:SECRET". */
static void
hide_unknown(const struct argp *argp, char *arg)
{
	char *equals = strncmp(arg, "--", 2) == 0 ? strchr(arg, '=') : NULL;
	if (equals == NULL || count_options(argp, arg + 2, (size_t)(equals - arg - 2)) == 1) {
		return;
	}
	[[gnu::cleanup(str_fini)]] struct str masked = { 0 };
	secret_mask(equals + 1, &masked);
	if (strcmp(str_text(&masked), equals + 1) != 0) {
		wipe(equals, strlen(equals));
	}
}

void
cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	for (int i = 1; i < argc; i++) {
		hide_unknown(argp, argv[i]);
	}
	(void)argp_parse(argp, argc, argv, 0, NULL, input);
}

int
cli_complain(const struct diag *d)
{
	cli_error("%s", d->text);
	if (d->hint[0] != '\0') {
		cli_hint("%s", d->hint);
	}
	return CLI_USAGE;
}

bool
cli_has_colour(FILE *f)
{
	const char *no_colour = getenv("NO_COLOR"); /* no-color.org */
	const char *term = getenv("TERM");
	return isatty(fileno(f)) && (no_colour == NULL || *no_colour == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

const char *
cli_colour(bool on, enum cli_colour which)
{
	static const char *const codes[] = {
		[CLI_PLAIN] = "\033[0m",     [CLI_BOLD] = "\033[1m",      [CLI_RED] = "\033[1;31m",
		[CLI_YELLOW] = "\033[1;33m", [CLI_GREEN] = "\033[1;32m", [CLI_BLUE] = "\033[1;34m",
	};
	return on ? codes[which] : "";
}

bool
cli_drops_outside(struct argp_state *state, const char *arg)
{
	bool drops = strcmp(arg, "drop") == 0;
	if (!drops && strcmp(arg, "error") != 0) {
		cli_usage(state, "--out-of-zone is error or drop, not %s", arg);
	}
	return drops;
}

err_t
cli_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	if (*text == '\0') {
		return E_FORMAT;
	}
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9') {
			return E_FORMAT;
		}
		uint64_t digit = (uint64_t)(*text - '0');
		if (v > (UINT64_MAX - digit) / 10) {
			return E_RANGE;
		}
		v = v * 10 + digit;
	}
	if (v > max) {
		return E_RANGE;
	}
	*out = v;
	return OK;
}

uint64_t
cli_number_argument(struct argp_state *state, const char *what, const char *text, uint64_t min, uint64_t max)
{
	uint64_t v = 0;
	if (cli_number(text, max, &v) != OK || v < min) {
		cli_usage(state, "%s should be a number from %llu to %llu, not '%s'", what, (unsigned long long)min,
		           (unsigned long long)max, text);
	}
	return v;
}

unsigned
cli_number_option(struct argp_state *state, const char *option, const char *text, unsigned min, unsigned max)
{
	uint64_t v = 0;
	if (cli_number(text, max, &v) != OK || v < min) {
		cli_usage(state, "--%s=%s: should be a number from %u to %u", option, text, min, max);
	}
	return (unsigned)v;
}

static void
close_fd(const int *fd)
{
	if (*fd > STDERR_FILENO) {
		(void)close(*fd);
	}
}

/* Reads until the end of the file or until `bytes` is full.  If *n is cap, there may be more. */
static err_t
read_up_to(int fd, char *bytes, size_t cap, size_t *n)
{
	size_t have = 0;
	while (have < cap) {
		ssize_t got = read(fd, bytes + have, cap - have);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return E_IO;
		}
		if (got == 0) {
			break;
		}
		have += (size_t)got;
	}
	*n = have;
	return OK;
}

/* Copies the first line. */
static err_t
first_line(const char *bytes, size_t n, const char *where, char **out)
{
	const char *newline = memchr(bytes, '\n', n);
	size_t len = newline != NULL ? (size_t)(newline - bytes) : n;
	if (newline == NULL && n > CLI_SECRET_MAX) {
		cli_error("%s: the secret is longer than %d octets", where, CLI_SECRET_MAX);
		return E_LIMIT;
	}
	while (len != 0 && (bytes[len - 1] == '\r' || bytes[len - 1] == ' ' || bytes[len - 1] == '\t')) {
		len--;
	}
	if (len == 0 || memchr(bytes, '\0', len) != NULL) {
		cli_error("%s: the first line should be the secret, but it %s", where,
		          len == 0 ? "is empty" : "is not text");
		return E_FORMAT;
	}
	*out = xstrndup(bytes, len);
	return OK;
}

/* Takes the key out of a file that holds a TSIG key: the first line, or BIND's statement. */
static err_t
key_text(const char *bytes, size_t n, const char *where, char **out)
{
	char key[CLI_SECRET_MAX + 1];
	err_t err = n <= CLI_SECRET_MAX ? bind_key_read(bytes, n, key, sizeof key) : E_NOTFOUND;
	if (err == OK) {
		*out = xstrdup(key);
	} else if (err == E_NOTFOUND) {
		err = first_line(bytes, n, where, out);
	} else {
		cli_error("%s: a key as BIND has it should be one key statement and nothing else", where);
		cli_hint("key \"NAME\" { algorithm hmac-sha256; secret \"SECRET\"; };");
	}
	wipe(key, sizeof key);
	return err;
}

/* Takes all lines. */
static err_t
all_text(const char *bytes, size_t n, const char *where, char **out)
{
	const char *trouble = memchr(bytes, '\0', n) != NULL ? "it is not text"
	                      : n > CLI_SECRET_TEXT_MAX      ? "it is longer than 64 KiB"
	                                                     : NULL;
	if (trouble != NULL) {
		cli_error("%s: %s", where, trouble);
		return E_FORMAT;
	}
	*out = xstrndup(bytes, n);
	return OK;
}

static err_t
secret_text(enum cli_secret_form form, const char *bytes, size_t n, const char *where, char **out)
{
	switch (form) {
	case CLI_SECRET_TSIG: return key_text(bytes, n, where, out);
	case CLI_SECRET_TEXT: return all_text(bytes, n, where, out);
	default: return first_line(bytes, n, where, out);
	}
}

static err_t
read_secret(int fd, enum cli_secret_form form, const char *where, char **out)
{
	size_t cap = (form == CLI_SECRET_TEXT ? CLI_SECRET_TEXT_MAX : CLI_SECRET_MAX) + 1, n = 0;
	char *bytes = xalloc(cap);
	err_t err = read_up_to(fd, bytes, cap, &n);
	if (err != OK) {
		cli_error("%s: %s", where, strerror(errno));
	} else {
		err = secret_text(form, bytes, n, where, out);
	}
	wipe(bytes, cap);
	free(bytes);
	return err;
}

static err_t
read_file(const char *path, enum cli_secret_form form, char **out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	[[gnu::cleanup(close_fd)]] int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		bool is_denied = errno == EACCES;
		cli_error("%s: %s", path, strerror(errno));
		if (is_denied) {
			cli_hint("the user who starts %s has to read it: see \"ls -l %s\"", program_invocation_short_name, path);
		}
		return E_IO;
	}
	struct stat st;
	if (!is_stdin && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0) {
		cli_warning("%s: every user of this machine can read it", path);
		cli_hint("chmod 600 %s", path);
	}
	return read_secret(fd, form, is_stdin ? "standard input" : path, out);
}

/* If the credential does not exist, *out is NULL; that is no error. */
static err_t
read_credential(const char *name, enum cli_secret_form form, char **out)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[4096];
	if (dir == NULL || (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path ||
	    access(path, F_OK) != 0) {
		*out = NULL;
		return OK;
	}
	return read_file(path, form, out);
}

const char *
cli_secret_origin(const struct cli_secret *from)
{
	const char *env = from->env != NULL ? getenv(from->env) : NULL;
	if (from->file != NULL) {
		return strcmp(from->file, "-") == 0 ? "standard input" : from->file;
	}
	return env != NULL && *env != '\0' ? from->env : "the systemd credential";
}

err_t
cli_secret_read(const struct cli_secret *from, char **out)
{
	if (from->arg != NULL) {
		size_t len = strlen(from->arg);
		*out = xstrndup(from->arg, len);
		wipe(from->arg, len);
		return OK;
	}
	if (from->file != NULL) {
		return read_file(from->file, from->form, out);
	}
	const char *env = from->env != NULL ? getenv(from->env) : NULL;
	if (env != NULL && *env != '\0') {
		*out = xstrdup(env);
		return OK;
	}
	if (from->credential != NULL) {
		return read_credential(from->credential, from->form, out);
	}
	*out = NULL;
	return OK;
}

void
cli_secret_free(char **secret)
{
	if (*secret != NULL) {
		wipe(*secret, strlen(*secret));
		free(*secret);
		*secret = NULL;
	}
}

err_t
cli_random(uint8_t *out, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = getrandom(out + have, n - have, 0);
		if (got < 0 && errno != EINTR) {
			cli_error("no random numbers: %s", strerror(errno));
			return E_IO;
		}
		have += got > 0 ? (size_t)got : 0;
	}
	return OK;
}

void
cli_forget_environment(void)
{
	static const char ours[] = "ORIGIN_";
	char **kept = environ;
	for (char **e = environ; *e != NULL; e++) {
		if (strncmp(*e, ours, strlen(ours)) == 0) {
			wipe(*e, strlen(*e));
		} else {
			*kept++ = *e;
		}
	}
	*kept = NULL;
}
