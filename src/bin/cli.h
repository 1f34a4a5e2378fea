/* bin/cli.h -- what every program does the same way: version, exit status, messages, secrets.
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
 * Messages go to standard error as "PROGRAM: error: text"; a hint says, on a line of its own, what to do.  Somebody will put a key where a
 * name belongs: no message shows a word that may be a secret (dns/secret.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct argp;
struct argp_state;
struct diag;

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 }; /* exit status of all programs */

#define CLI_VERSION(program) program " " ORIGIN_VERSION " (Origin)"

/* First thing in main(): exit status of usage errors, SIGPIPE ignored, descriptors 0 to 2 open (so
 * that no socket becomes one of them). */
void cli_init(void);

/* argp_parse() and argp_error(), which show no secrets either; the second ends the program. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);
[[gnu::format(printf, 2, 3)]] void cli_usage(struct argp_state *state, const char *format, ...);

/* For struct argp: leaves out what argp says of short options in every help. */
char *cli_help_filter(int key, const char *text, void *input);

/* For programs that hold secrets: no core dumps. */
void cli_forbid_core(void);

[[gnu::format(printf, 1, 2)]] void cli_error(const char *format, ...);   /* "onotify: error: text" */
[[gnu::format(printf, 1, 2)]] void cli_warning(const char *format, ...); /* "onotify: warning: text" */
[[gnu::format(printf, 1, 2)]] void cli_hint(const char *format, ...);    /* "  hint: text" */

/* A finding about what was given on the command line or in its place, with its hint; returns CLI_USAGE. */
int cli_complain(const struct diag *d);

/* True when escape sequences belong into `f`: a terminal that knows them, NO_COLOR not set. */
bool cli_has_colour(FILE *f);

/* Escape sequences, "" when `on` is false. */
enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_RED, CLI_YELLOW, CLI_GREEN, CLI_BLUE };
const char *cli_colour(bool on, enum cli_colour which);

/* The argument of --out-of-zone, in an argp parser: whether records outside of their zone are dropped. */
bool cli_drops_outside(struct argp_state *state, const char *arg);

/* Unsigned decimal number of at most `max`: E_FORMAT, E_RANGE. */
err_t cli_number(const char *text, uint64_t max, uint64_t *out);

/* The same for an option's argument: when it is no number from `min` to `max`, says so and ends the program. */
uint64_t cli_number_argument(struct argp_state *state, const char *what, const char *text, uint64_t min, uint64_t max);

/* The same for the number that an option --`option` has. */
unsigned cli_number_option(struct argp_state *state, const char *option, const char *text, unsigned min, unsigned max);

/* Where a secret may come from, best first: the command line, a file, the environment, a systemd
 * credential.  Those not offered are NULL. */
struct cli_secret {
	char *arg;              /* in argv: copied, then overwritten there, so that ps shows it no longer */
	const char *file;       /* first line counts; "-": standard input */
	const char *env;        /* name of a variable */
	const char *credential; /* name of a file in $CREDENTIALS_DIRECTORY */
};

enum { CLI_SECRET_MAX = 4096 };

/* Gives the secret as text, without line end, to be given back with cli_secret_free().  *out is NULL
 * when there is none anywhere.  E_IO, E_LIMIT, E_FORMAT (empty, octet 0): the reason was printed.  Warns
 * when a file can be read by everyone. */
err_t cli_secret_read(const struct cli_secret *from, char **out);
void cli_secret_free(char **secret); /* wipes; NULL-safe; serves as a cleanup handler */
