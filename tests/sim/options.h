/* tests/sim/options.h -- the command line of simulators, and what they say when a seed ends the process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct options {
	uint64_t first, last;      /* seeds */
	bool is_logging, shrinks;
	unsigned failures_max;     /* after so many it ends */
};

/* Ends the process when the arguments are wrong. */
void options_read(struct options *o, int argc, char **argv, const char *what);

/* The seed that is next: if the process ends by a sanitizer, an assertion or a signal, it is told. */
void options_note_seed(uint64_t seed);
