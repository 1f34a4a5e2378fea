/* bin/cli.h -- what all programs do in the same way: version, exit status, messages, secrets.
 *
 * Use, with argp (see onotify.c):
 *
 *     const char *argp_program_version = CLI_VERSION("onotify");
 *
 *     int
 *     main(int argc, char **argv)
 *     {
 *             cli_init();
 *             cli_parse(&argp, argc, argv, &opts); // --help: 0; wrong usage: CLI_USAGE
 *
 * Messages go to standard error as "PROGRAM: error: text".  A hint follows on its own line and says what to do.  Somebody will give a key
 * where a name belongs, so a word that may be a secret is never shown (dns/secret.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct argp;
struct argp_state;
struct diag;

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 }; /* exit status of all programs */

#define CLI_VERSION(program) program " " ORIGIN_VERSION " (Origin)"

/* The first call in main().  Sets the exit status of usage errors, ignores SIGPIPE, and opens descriptors 0 to 2 if they are closed, so
 * that no socket gets one of these numbers. */
void cli_init(void);

/* argp_parse() and argp_error(), but they hide secrets.  cli_usage() ends the program. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);
[[gnu::format(printf, 2, 3)]] void cli_usage(struct argp_state *state, const char *format, ...);

/* For struct argp: removes the note about short options, which argp adds to every help. */
char *cli_help_filter(int key, const char *text, void *input);

[[gnu::format(printf, 1, 2)]] void cli_error(const char *format, ...);   /* "onotify: error: text" */
[[gnu::format(printf, 1, 2)]] void cli_warning(const char *format, ...); /* "onotify: warning: text" */
[[gnu::format(printf, 1, 2)]] void cli_hint(const char *format, ...);    /* "  hint: text" */

/* Prints a finding about the command line (or what stands for it) and its hint; returns CLI_USAGE. */
int cli_complain(const struct diag *d);

/* True when escape sequences may be written to `f`: it is a terminal that understands them, and NO_COLOR is not set. */
bool cli_has_colour(FILE *f);

/* An escape sequence; "" when `on` is false. */
enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_RED, CLI_YELLOW, CLI_GREEN, CLI_BLUE };
const char *cli_colour(bool on, enum cli_colour which);

/* Reads the argument of --out-of-zone in an argp parser.  True: records outside of their zone are dropped. */
bool cli_drops_outside(struct argp_state *state, const char *arg);

/* Reads an unsigned decimal number of at most `max`.  E_FORMAT, E_RANGE. */
err_t cli_number(const char *text, uint64_t max, uint64_t *out);

/* The same for an argument called `what`.  If it is not a number from `min` to `max`, prints that and ends the program. */
uint64_t cli_number_argument(struct argp_state *state, const char *what, const char *text, uint64_t min, uint64_t max);

/* The same for the argument of the option --`option`. */
unsigned cli_number_option(struct argp_state *state, const char *option, const char *text, unsigned min, unsigned max);

/* Where a secret may come from, in this order: the command line, a file, the environment, a systemd credential.  A source that the program
 * does not offer is NULL. */
struct cli_secret {
	char *arg;              /* in argv: copied, then overwritten there, so that ps no longer shows it */
	const char *file;       /* its first line is the secret; "-": standard input */
	const char *env;        /* name of a variable */
	const char *credential; /* name of a file in $CREDENTIALS_DIRECTORY */
	enum cli_secret_form {
		CLI_SECRET_LINE, /* the first line of a file */
		CLI_SECRET_TSIG, /* a key: a file may also hold BIND's key statement, which is given as NAME:ALGORITHM:SECRET */
		CLI_SECRET_TEXT, /* all lines of a file */
	} form;
};

enum { CLI_SECRET_MAX = 4096, CLI_SECRET_TEXT_MAX = 64 << 10 };

/* Returns the secret as text without line end (but for CLI_SECRET_TEXT), to be freed with cli_secret_free().  *out is NULL if no source has
 * one.  E_IO, E_LIMIT, E_FORMAT (empty, or octet 0): the reason was printed.  Warns when every user can read the file. */
err_t cli_secret_read(const struct cli_secret *from, char **out);

/* From where cli_secret_read() has it, for messages.  Before cli_forget_environment(). */
const char *cli_secret_origin(const struct cli_secret *from);
void cli_secret_free(char **secret); /* wipes; NULL-safe; serves as a cleanup handler */

/* Octets that nobody can guess.  E_IO: the reason was printed. */
err_t cli_random(uint8_t *out, size_t n);

/* Overwrites all variables ORIGIN_*, which the kernel would show (proc(5): environ), and forgets them. */
void cli_forget_environment(void);
