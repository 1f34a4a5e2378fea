/* bin/survey.h -- what is known of a daemon at one moment: the values of its metrics, and what its page for people says.
 *
 * Parts of a daemon put in what they know, on whatever thread they know it, one after the other.  Outputs (bin/metric_table.h, bin/page.h)
 * only read it.  All texts are copied, and are as they came: from DNS, or a repository.
 *
 * One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "bin/metric_table.h"

struct daemon;
struct view;
struct server_conf;

enum {
	SURVEY_COLUMNS_MAX = 6,
	SURVEY_TABLES_MAX = 4,
	SURVEY_ROWS_MAX = 500,         /* of a table; those with trouble come first */
	SURVEY_OCTETS_MAX = 4 << 20,   /* of all facts and tables */
	SURVEY_ZONES_MAX = 1000,       /* zones with metrics of their own */
	SURVEY_SECONDARIES_MAX = 2000, /* pairs of zone and secondary */
	SURVEY_HOSTS_MAX = 1000,       /* names of certificates */
	SURVEY_WALKED_MAX = 1000000,   /* zones that are looked at in all */
	SURVEY_TEXT_MAX = 600,         /* a text on the page is cut behind so many octets */
};

enum survey_level { SURVEY_BAD, SURVEY_DOUBTFUL, SURVEY_GOOD, SURVEY_LEVELS };

struct survey_fact {
	struct survey_fact *next;
	const char *name, *value; /* name: static */
	enum survey_level level;
};

struct survey_row {
	struct survey_row *next;
	enum survey_level level;
	const char *cell[SURVEY_COLUMNS_MAX];
	const char *note; /* below the row; "": none */
};

struct survey_rows {
	struct survey_row *first, *last;
};

struct survey_table {
	const char *title;                       /* static, as the names of columns */
	const char *column[SURVEY_COLUMNS_MAX];  /* NULL behind the last one */
	struct survey_rows rows[SURVEY_LEVELS];
	size_t rows_n, left_out;
};

struct survey {
	struct metrics *metrics;      /* owned */
	uint64_t taken_s;             /* since 1970 */
	const char *trouble;          /* static or in the arena; NULL: the process is well */
	struct survey_fact *facts, **facts_end;
	struct survey_table tables[SURVEY_TABLES_MAX];
	size_t tables_n;
	struct arena arena;
};

struct survey *survey_new(uint64_t now_s);
void survey_free(struct survey **s); /* NULL-safe */

void survey_set_trouble(struct survey *s, const char *text);

/* Adds a line to the head of the page; none, if the value is empty. */
void survey_fact(struct survey *s, enum survey_level level, const char *name, const char *value);
[[gnu::format(printf, 4, 5)]] void survey_factf(struct survey *s, enum survey_level level, const char *name, const char *format, ...);

/* Adds a table, whose columns end with NULL. */
struct survey_table *survey_table(struct survey *s, const char *title, const char *const *columns);

/* Adds a row with as many cells as there are columns. */
void survey_row(struct survey *s, struct survey_table *t, enum survey_level level, const char *const *cells, const char *note);

/* Lists things in a table, `most` of them, in two walks over all: in the first those with trouble are wanted. */
struct survey_list {
	struct survey *s;
	struct survey_table *table;
	size_t most, listed;
	bool is_trouble_wanted;
};

/* Is the thing to be listed in this walk?  One that finds no room is counted as left out. */
bool survey_list_takes(struct survey_list *l, enum survey_level level);

/* "3 min", "2 h 5 min", "4 d 3 h": for people. */
enum { SURVEY_AGE_MAX = 32 };
const char *survey_age(uint64_t seconds, char out[SURVEY_AGE_MAX]);
const char *survey_ago(uint64_t now_s, uint64_t then_s, char out[SURVEY_AGE_MAX]); /* "3 min ago"; "never" for 0 */
const char *survey_octets(uint64_t octets, char out[SURVEY_AGE_MAX]);               /* "12.5 MiB" */

/* ---- parts that daemons share ---- */

/* The process, its log, and what it answers.  `fd`: of /proc/self/statm; -1: not to be had. */
void survey_process(struct survey *s, const struct daemon *d, int fd);
void survey_answering(struct survey *s, const struct daemon *d);

struct served;
void survey_memory(struct survey *s, const struct daemon *d, struct served *served, size_t zones_octets);

/* The zones of a view, those with trouble first.  `has_table`: in a table of the page, too. */
void survey_zones(struct survey *s, const struct view *v, bool has_table);

/* The secondaries of all zones. */
void survey_secondaries(struct survey *s, const struct view *v, const struct server_conf *conf);

struct notifier_stats;
void survey_notifier(struct survey *s, const struct notifier_stats *n);

struct follower;
struct follower_stats;
struct now;
void survey_follower(struct survey *s, const struct follower_stats *f, uint64_t notices_dropped);

/* The zones that are followed, with a table.  The following thread. */
void survey_followed(struct survey *s, const struct follower *f, const struct now *now);

struct kept_state;
void survey_kept(struct survey *s, const struct kept_state *k);
