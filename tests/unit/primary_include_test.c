/* Many zones that share what they include: what that costs, and how much all of them may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/primary.h"

#define TOP "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\n"
#define COMMON "ns A 192.0.2.1\n"

enum { ZONES = 500 };

struct world {
	struct primary *primary;
	char zones[ZONES][16];      /* names of files */
	const char *text, *common;  /* of each zone, and of each file that it includes */
	unsigned opened, open;
	unsigned events[FILE_IGNORED + 1]; /* of the last commit */
	unsigned named;                    /* rejected, since a file that is named has the zone */
	char code[32];              /* of the last diagnostic, and its text */
	char said[DIAG_TEXT_MAX];
};

static void
on_report(void *ctx, const struct primary_report *r)
{
	struct world *w = ctx;
	w->events[r->event]++;
	w->named += strstr(r->text, "served already, from the file z") != NULL;
}

static void
on_diag(void *ctx, const struct diag *d)
{
	struct world *w = ctx;
	(void)snprintf(w->code, sizeof w->code, "%s", d->code);
	(void)snprintf(w->said, sizeof w->said, "%s", d->text);
}

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct world *w = ctx;
	const char *text = strchr(path, '/') != NULL ? w->common : w->text;
	w->opened++;
	if (text == NULL) {
		return E_NOTFOUND;
	}
	w->open++;
	*out = (struct master_text){ .text = text, .len = strlen(text) };
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	struct world *w = ctx;
	(void)text;
	w->open--;
}

/* `text`: of each zone; what they include has COMMON. */
static void
world_init(struct world *w, size_t includes_max, size_t included_max, const char *text)
{
	const struct primary_conf conf = { .delete_zones_percent = 100, .delete_records_percent = 100,
		                           .includes_max = includes_max, .included_max = included_max };
	*w = (struct world){ .text = text, .common = COMMON };
	const struct primary_log log = { .report = on_report, .diag = { on_diag, w }, .ctx = w };
	w->primary = primary_new(&conf, &log);
	for (int i = 0; i < ZONES; i++) {
		(void)snprintf(w->zones[i], sizeof w->zones[i], "z%03d", i);
	}
}

static void
world_fini(struct world *w)
{
	assert_int_equal(w->open, 0);
	primary_free(&w->primary);
}

static void
apply(struct world *w, const struct source_change *changes, size_t n)
{
	struct source_commit c = { .id = "1", .changes = changes, .n = n, .ctx = w, .open = open_file, .close = close_file };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	memset(w->events, 0, sizeof w->events);
	w->opened = 0;
	assert_int_equal(primary_apply(w->primary, &c, &outcome, &view, &old), OK);
	discard_free(&old);
}

/* Zones from one to another, with that text. */
static void
put(struct world *w, int first, int n, const char *text)
{
	struct source_change changes[ZONES];
	for (int i = 0; i < n; i++) {
		changes[i] = (struct source_change){ .path = w->zones[first + i], .bytes = (const uint8_t *)text, .len = strlen(text) };
	}
	apply(w, changes, (size_t)n);
}

static void
change(struct world *w, const char *path, enum source_change_kind kind)
{
	const struct source_change c = { .kind = kind, .path = path };
	apply(w, &c, 1);
}

static void
a_file_is_opened_once_for_all_zones(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 0, 0, TOP "$INCLUDE inc/a\n$INCLUDE inc/b\n$INCLUDE inc/a\n");
	put(&w, 0, ZONES, w.text);
	assert_int_equal(w.events[ZONE_LOADED], ZONES);
	assert_int_equal(w.opened, 2);
	w.common = "ns A 192.0.2.2\n";
	change(&w, "inc/b", SOURCE_PUT);
	assert_int_equal(w.events[ZONE_CHANGED], ZONES);
	assert_int_equal(w.opened, ZONES + 2);
	change(&w, "inc/c", SOURCE_PUT); /* which nobody reads */
	assert_int_equal(w.opened, 0);
	world_fini(&w);
}

/* It is not there for any of them, and comes for all. */
static void
a_file_that_is_missing_is_asked_for_once(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 0, 0, TOP "$INCLUDE inc/a\n");
	w.common = NULL;
	put(&w, 0, ZONES, w.text);
	assert_int_equal(w.events[ZONE_REJECTED], ZONES);
	assert_int_equal(w.opened, 1);
	w.common = COMMON;
	change(&w, "inc/a", SOURCE_PUT);
	assert_int_equal(w.events[ZONE_LOADED], ZONES);
	world_fini(&w);
}

static void
what_all_zones_include_has_a_limit(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 10, 0, TOP "$INCLUDE inc/a\n$INCLUDE inc/a\n");
	put(&w, 0, 7, w.text);
	assert_int_equal(w.events[ZONE_LOADED], 5);
	assert_int_equal(w.events[ZONE_REJECTED], 2);
	assert_string_equal(w.code, "include-limit");
	assert_string_equal(w.said, "all zones together include more than 10 files");
	put(&w, 0, 1, TOP "$INCLUDE inc/a\n$INCLUDE inc/a\n$INCLUDE inc/a\n"); /* the last good one is served on */
	assert_int_equal(w.events[ZONE_REJECTED], 1);
	assert_int_equal(view_zones_n(primary_view(w.primary)), 5);
	world_fini(&w);
}

static void
what_was_refused_is_read_when_there_is_room(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 10, 0, TOP "$INCLUDE inc/a\n$INCLUDE inc/a\n");
	put(&w, 0, 7, w.text);
	change(&w, w.zones[1], SOURCE_REMOVE);
	assert_int_equal(w.events[ZONE_LOADED], 1);
	assert_int_equal(w.events[ZONE_REJECTED], 1); /* the other finds too little still */
	put(&w, 0, 1, TOP COMMON);
	assert_int_equal(w.events[ZONE_LOADED], 1);
	assert_int_equal(w.events[ZONE_REJECTED], 0);
	put(&w, 0, 1, TOP COMMON "x A 192.0.2.3\n");
	assert_int_equal(w.opened, 0);
	world_fini(&w);
}

static void
the_text_that_all_zones_include_has_a_limit(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 0, 5 * (sizeof COMMON - 1), TOP "$INCLUDE inc/a\n");
	put(&w, 0, 7, w.text);
	assert_int_equal(w.events[ZONE_LOADED], 5);
	assert_int_equal(w.events[ZONE_REJECTED], 2);
	assert_string_equal(w.code, "include-limit");
	put(&w, 0, 5, w.text); /* what they include counts once, however often they come */
	assert_int_equal(w.events[ZONE_REJECTED], 0);
	world_fini(&w);
}

/* To find the file that has the zone takes a look at all: some are named. */
static void
zones_that_are_there_twice(void **state)
{
	(void)state;
	struct source_change changes[2 * ZONES];
	char others[ZONES][16];
	struct world w;
	world_init(&w, 0, 0, TOP COMMON);
	for (size_t i = 0; i < ZONES; i++) {
		(void)snprintf(others[i], sizeof others[i], "Z%s", w.zones[i] + 1);
		changes[i] = (struct source_change){ .path = w.zones[i] };
		changes[ZONES + i] = (struct source_change){ .path = others[i] };
	}
	apply(&w, changes, ARRAY_LEN(changes));
	assert_int_equal(w.events[ZONE_LOADED], ZONES);
	assert_int_equal(w.events[ZONE_REJECTED], ZONES);
	assert_int_equal(w.named, 100);
	w.named = 0;
	apply(&w, changes + ZONES, 1); /* another commit */
	assert_int_equal(w.named, 1);
	world_fini(&w);
}

/* What is found in a zone is located by reading it again: that is no second share. */
static void
a_second_reading_takes_nothing(void **state)
{
	(void)state;
	struct world w;
	world_init(&w, 4, 0, TOP "$INCLUDE inc/a\nx MX 10 nowhere\n"); /* a warning */
	for (int i = 0; i < 3; i++) {
		put(&w, 0, 4, w.text);
		assert_int_equal(w.events[ZONE_REJECTED], 0);
	}
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_opened_once_for_all_zones),
		cmocka_unit_test(a_file_that_is_missing_is_asked_for_once),
		cmocka_unit_test(what_all_zones_include_has_a_limit),
		cmocka_unit_test(what_was_refused_is_read_when_there_is_room),
		cmocka_unit_test(the_text_that_all_zones_include_has_a_limit),
		cmocka_unit_test(a_second_reading_takes_nothing),
		cmocka_unit_test(zones_that_are_there_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
