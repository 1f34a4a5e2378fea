#include "options.h"

#include <argp.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Of sanitizers, which end the process on their own. */
[[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)(void));

enum { FAILURES_MAX = 10 };

static uint64_t seed_now;
static const char *program;

static const struct argp_option option_table[] = {
	{ "seeds", 's', "A-B", 0, "these seeds (1-200)", 0 },
	{ "seed", 'n', "N", 0, "this one", 0 },
	{ "log", 'l', NULL, 0, "tell all that happens", 0 },
	{ "first", 'f', NULL, 0, "end with the first seed that fails", 0 },
	{ "shrink", 'k', NULL, 0, "leave out of a seed that fails what is not needed for that", 0 },
	{ 0 },
};

static void
read_range(struct options *o, const char *arg, struct argp_state *state)
{
	int end = 0;
	if (sscanf(arg, "%" SCNu64 "-%" SCNu64 "%n", &o->first, &o->last, &end) != 2 || arg[end] != '\0' || o->first > o->last) {
		argp_error(state, "--seeds=%s: should be two numbers, the smaller one first: 1-200", arg);
	}
}

static error_t
take_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 's': read_range(o, arg, state); return 0;
	case 'n': o->first = o->last = strtoull(arg, NULL, 10); return 0;
	case 'l': o->is_logging = true; return 0;
	case 'f': o->failures_max = 1; return 0;
	case 'k': o->shrinks = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* The process ends at once: by a sanitizer, an assertion, or a signal. */
static void
tell_seed(void)
{
	fprintf(stderr, "seed %" PRIu64 " has ended the process; again: %s --seed %" PRIu64 " --log\n", seed_now, program, seed_now);
}

static void
on_end(int number)
{
	tell_seed(); /* not safe in a signal handler at large, but the process is about to end */
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

void
options_note_seed(uint64_t seed)
{
	seed_now = seed;
}

void
options_read(struct options *o, int argc, char **argv, const char *what)
{
	const struct argp argp = { option_table, take_option, NULL, what, NULL, NULL, NULL };
	*o = (struct options){ .first = 1, .last = 200, .failures_max = FAILURES_MAX };
	program = argv[0];
	argp_parse(&argp, argc, argv, 0, NULL, o);
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(tell_seed);
	} else {
		(void)signal(SIGSEGV, on_end);
	}
	(void)signal(SIGABRT, on_end);
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* nothing is lost when a run ends the process */
}
