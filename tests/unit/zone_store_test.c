/* Zones into files by the store's thread, and back.  Meant to run under ThreadSanitizer as well.  Linked with --wrap, see meson.build: the
 * version that is written goes as often as a test wants. */
#include "zone_text.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/saved_zone.h"
#include "auth/secondary.h"
#include "base/alloc.h"
#include "net/env.h"
#include "net/zone_store_p.h"
#include "zone/history.h"

enum { LIMIT_MS = 20000 };
#define MS UINT64_C(1000000)

static const uint8_t other[] = "\5other", cat[] = "\3cat";

static _Atomic bool is_revoked;
static _Atomic unsigned writes; /* pieces of files, also of such as come to nothing */

bool __real_served_pin_is_revoked(const struct served_pin *pin);
bool __wrap_served_pin_is_revoked(const struct served_pin *pin);

bool
__wrap_served_pin_is_revoked(const struct served_pin *pin)
{
	writes++;
	return is_revoked || __real_served_pin_is_revoked(pin);
}

struct fixture {
	char path[64];
	struct log log;
	struct secondary *secondary;
	struct served *served;
	struct zone_store *store;
	struct follower *follower;
	struct key key;
	struct follow_source source;
	struct follow_bounds bounds;
	const struct zone *version;
	bool is_broken;                /* what is taken next is a catalog that is */
	enum follow_presence presence; /* of what was restored */
	unsigned restored;
	size_t room;
};

/* ---- views ---- */

static void
release(void *old)
{
	discard_free(&(struct discard *){ old });
}

static void
publish(struct fixture *f, const struct secondary_step *step)
{
	if (f->served != NULL) {
		served_publish(f->served, step->view, step->old);
	} else {
		discard_free(&(struct discard *){ step->old });
	}
}

static void
report(struct fixture *f, enum follow_event event)
{
	const struct follow_report r = { .event = event, .zone = example, .source = &f->source, .is_broken = f->is_broken, .why = "" };
	zone_store_on_report(f->store, &r);
}

static void
take(struct fixture *f, const char *text)
{
	struct zone *whole = text_zone(text);
	struct zone_txn *none = NULL;
	struct secondary_step step;
	assert_int_equal(secondary_take(f->secondary, example, &whole, &none, net_wall_s(), &f->version, &step), OK);
	zone_free(&whole);
	publish(f, &step);
	report(f, FOLLOW_TRANSFERRED);
}

/* ---- the follower, which only restores ---- */

static err_t
restore(void *ctx, const uint8_t *zone, struct zone **whole, enum follow_presence presence, uint64_t changed_s,
        const struct zone **version)
{
	struct fixture *f = ctx;
	struct secondary_step step;
	TRY(secondary_restore(f->secondary, zone, whole, presence, changed_s, net_wall_s(), version, &step));
	publish(f, &step);
	f->version = *version;
	f->presence = presence;
	f->restored++;
	return OK;
}

static void
ignore(void *ctx, const struct follow_report *r)
{
	(void)ctx, (void)r;
}

static uint32_t
no_random(void *ctx)
{
	(void)ctx;
	return 0;
}

static size_t
room(void *ctx)
{
	return ((const struct fixture *)ctx)->room;
}

/* ---- runs ---- */

/* A new process, as it were. */
static void
begin(struct fixture *f)
{
	const struct privs_who same = { .is_other = false };
	const struct now now = net_now();
	struct diag d;
	f->secondary = secondary_new(&(struct secondary_conf){ .octets_max = 0 }, NULL);
	f->restored = 0;
	const struct follower_conf conf = {
		.bounds = f->bounds, .io = { .restore = restore, .report = ignore, .random_u32 = no_random, .ctx = f },
	};
	f->follower = follower_new(&conf);
	assert_int_equal(follower_add(f->follower, &now, &f->source), OK);
	const struct zone_store_conf store = { .path = f->path, .user = &same, .bounds = &f->bounds, .log = &f->log };
	assert_int_equal(zone_store_open(&store, &f->store, &d), OK);
	zone_store_restore(f->store, f->follower, room, f);
	const struct served_conf served = { .first = secondary_view(f->secondary), .octets_max = 1 << 20, .release = release };
	f->served = served_new(&served);
	assert_int_equal(zone_store_start(f->store, f->served), OK);
}

static void
end(struct fixture *f)
{
	assert_true(zone_store_stop(f->store, LIMIT_MS));
	zone_store_free(&f->store);
	follower_free(&f->follower);
	served_free(&f->served);
	secondary_free(&f->secondary);
	f->version = NULL;
}

static void
begin_anew(struct fixture *f)
{
	end(f);
	begin(f);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	char why[128];
	*f = (struct fixture){ .path = "/tmp/zone_store_test.XXXXXX", .room = SIZE_MAX, .bounds = { 1, 86400, 1, 86400, 1, 86400000 } };
	assert_non_null(mkdtemp(f->path));
	log_init(&f->log, LOG_LEVEL_INFO);
	f->log.fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(f->log.fd >= 0);
	char key[] = "who._transfer:SHA256:kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=";
	assert_int_equal(tsig_key_parse(key, &f->key.tsig, why), OK);
	f->source = (struct follow_source){ .key = &f->key, .domain = name_root, .address = { 4, { 127, 0, 0, 1 } }, .port = 53 };
	begin(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	end(f);
	close(f->log.fd);
	(void)snprintf(command, sizeof command, "rm -r %s", f->path);
	return system(command);
}

/* How often the event was logged. */
static unsigned
logged(const struct fixture *f, const char *event)
{
	static char text[1 << 16];
	unsigned times = 0;
	ssize_t n = pread(f->log.fd, text, sizeof text - 1, 0);
	assert_in_range(n, 0, sizeof text - 2); /* all of it */
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, event)) != NULL; at++) {
		times++;
	}
	return times;
}

static void
await_logged(const struct fixture *f, const char *event, unsigned times)
{
	while (logged(f, event) < times) {
		sched_yield();
	}
}

static off_t
size_of_file(const struct fixture *f)
{
	struct stat st;
	char path[128];
	(void)snprintf(path, sizeof path, "%s/example" SAVED_SUFFIX, f->path);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void
await_size_over(const struct fixture *f, off_t size)
{
	while (size_of_file(f) <= size) {
		sched_yield();
	}
}

#define ZONE(serial, more) "@ 3600 SOA ns1 hostmaster " serial " 7200 3600 1209600 300\n@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n" more

/* ---- what must hold ---- */

static void
test_zone_and_its_changes_come_back(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	await_size_over(f, 0);
	off_t whole = size_of_file(f);
	take(f, ZONE("8", "www 60 A 192.0.2.8\n"));
	await_size_over(f, whole);
	assert_true(size_of_file(f) < whole + 400); /* what has changed, not the zone once more */
	begin_anew(f);
	assert_int_equal(f->restored, 1);
	assert_int_equal(f->presence, FOLLOW_PRESENT);
	assert_int_equal(f->version->serial, 8);
	assert_int_equal(f->version->history.n, 1);
	assert_ptr_equal(view_zone(secondary_view(f->secondary), example), f->version);
	take(f, ZONE("9", "www 60 A 192.0.2.9\n")); /* goes behind what was there */
	begin_anew(f);
	assert_int_equal(f->version->serial, 9);
	assert_int_equal(f->version->history.n, 2);
}

/* The file's version has the same serial and other content: no step leads from it. */
static void
test_zone_that_began_anew_is_written_as_a_whole(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", "old 60 A 192.0.2.7\n"));
	await_size_over(f, 0);
	take(f, ZONE("7", "new 60 A 192.0.2.7\n"));
	begin_anew(f);
	assert_non_null(text_node(f->version, "new"));
	assert_null(text_node(f->version, "old"));
	take(f, ZONE("6", "older 60 A 192.0.2.7\n"));
	begin_anew(f);
	assert_int_equal(f->version->serial, 6);
	assert_non_null(text_node(f->version, "older"));
}

/* Many changes, some of which the thread sees together; in the end the file is written anew. */
static void
test_many_changes(void **state)
{
	struct fixture *f = *state;
	char text[200];
	for (unsigned i = 1; i <= 1000; i++) {
		(void)snprintf(text, sizeof text, "@ 3600 SOA ns1 hostmaster %u 7200 3600 1209600 300\n@ 3600 NS ns1\nns1 3600 A 192.0.2.%u\n",
		               i, i % 200);
		take(f, text);
	}
	assert_true(zone_store_stop(f->store, LIMIT_MS));
	assert_in_range(size_of_file(f), 1, 70000);
	begin_anew(f);
	assert_int_equal(f->version->serial, 1000);
}

/* It is in its file before its primary withdraws it. */
static void
take_and_withdraw(struct fixture *f)
{
	struct secondary_step step;
	take(f, ZONE("7", ""));
	await_size_over(f, 0);
	assert_int_equal(secondary_show(f->secondary, example, FOLLOW_WITHDRAWN, net_wall_s(), &step), OK);
	publish(f, &step);
	report(f, FOLLOW_GONE);
}

static void
test_withdrawn_zone_is_kept_and_goes(void **state)
{
	struct fixture *f = *state;
	take_and_withdraw(f);
	begin_anew(f);
	assert_int_equal(f->presence, FOLLOW_UNKNOWN);
	assert_null(view_zone(secondary_view(f->secondary), example));
	zone_store_forget(f->store, example);
	zone_store_forget(f->store, other);
	begin_anew(f);
	assert_int_equal(f->restored, 0);
	assert_int_equal(size_of_file(f), -1);
}

/* It was withdrawn by its primary, and then by its catalog. */
static void
test_zone_that_is_listed_no_more_is_not_restored(void **state)
{
	struct fixture *f = *state;
	take_and_withdraw(f);
	off_t before = size_of_file(f);
	await_size_over(f, before - 1);
	report(f, FOLLOW_SET_ASIDE);
	begin_anew(f);
	assert_int_equal(f->restored, 0);
	assert_true(size_of_file(f) > 0); /* until it would have expired */
}

/* The file keeps what counts on, whatever comes after. */
static void
test_broken_version_of_a_catalog_is_held_back(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	begin_anew(f);
	assert_int_equal(f->version->serial, 7);
	f->is_broken = true;
	take(f, ZONE("8", "x 60 A 192.0.2.8\n"));
	report(f, FOLLOW_CURRENT);
	report(f, FOLLOW_GONE); /* so that there is something to note */
	begin_anew(f);
	assert_int_equal(f->version->serial, 7);
	take(f, ZONE("9", "x 60 A 192.0.2.9\n"));
	f->is_broken = false;
	take(f, ZONE("10", "x 60 A 192.0.2.10\n"));
	begin_anew(f);
	assert_int_equal(f->version->serial, 10);
}

/* There was no memory to read it; then there was, and no other version comes for long. */
static void
test_version_of_a_catalog_that_is_read_later_is_written(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	begin_anew(f);
	off_t before = size_of_file(f);
	f->is_broken = true;
	take(f, ZONE("8", "x 60 A 192.0.2.8\n"));
	f->is_broken = false;
	report(f, FOLLOW_CURRENT);
	report(f, FOLLOW_NO_ROOM);
	report(f, FOLLOW_CATALOG);
	await_size_over(f, before);
	begin_anew(f);
	assert_int_equal(f->version->serial, 8);
	report(f, FOLLOW_CATALOG); /* of a zone that is not held, and of one that is not known */
	const struct follow_report r = { .event = FOLLOW_CATALOG, .zone = other, .why = "" };
	zone_store_on_report(f->store, &r);
	begin_anew(f);
	assert_int_equal(f->restored, 1);
}

/* EXPIRE is two weeks: a refresh soon after the transfer is not worth a note. */
static void
test_refreshes_cost_next_to_nothing(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	begin_anew(f); /* the file may be there before the store knows that it is */
	off_t whole = size_of_file(f);
	for (unsigned i = 0; i < 1000; i++) {
		report(f, FOLLOW_CURRENT);
	}
	begin_anew(f);
	assert_int_equal(size_of_file(f), whole);
}

/* The zone expires after --expire-max, whatever its SOA record says: a refresh that is not noted for long would be of no use. */
static void
test_refreshes_are_noted_within_the_bounds(void **state)
{
	struct fixture *f = *state;
	f->bounds = (struct follow_bounds){ 1, 4, 1, 4, 1, 8 };
	begin_anew(f);
	take(f, ZONE("7", ""));
	await_size_over(f, 0);
	off_t whole = size_of_file(f);
	report(f, FOLLOW_CURRENT);
	await_size_over(f, whole);
	begin_anew(f);
	whole = size_of_file(f);
	report(f, FOLLOW_CURRENT);
	await_size_over(f, whole);
}

static void
test_zone_without_room_is_left_in_its_file(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	f->room = 100;
	begin_anew(f);
	assert_int_equal(f->restored, 0);
	f->room = SIZE_MAX;
	begin_anew(f);
	assert_int_equal(f->restored, 1);
}

/* What people are told of the directory. */
static void
assert_trouble(const struct fixture *f, const char *want)
{
	struct kept_state told = { 0 };
	do { /* a zone is not in trouble before the log says so, nor waits at once */
		zone_store_tell(f->store, &told);
	} while (told.waiting != (want[0] != '\0'));
	assert_string_equal(told.dir, f->path);
	assert_string_equal(told.error, want);
	assert_true(want[0] == '\0' ? told.since_s == 0 : net_wall_s() - told.since_s < LIMIT_MS / 1000);
}

/* What waits when the store ends was not written, and the log does not say so. */
static void
test_file_that_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	char aside[128];
	(void)snprintf(aside, sizeof aside, "%s/example" SAVED_SUFFIX ".new", f->path);
	assert_int_equal(mkdir(aside, 0700), 0);
	take(f, ZONE("7", ""));
	await_logged(f, "event=state-not-written zone=example.", 1);
	assert_trouble(f, "Is a directory");
	begin_anew(f);
	assert_int_equal(f->restored, 0);
	assert_int_equal(logged(f, "event=state-written-again"), 0);
	take(f, ZONE("7", ""));
	await_logged(f, "event=state-not-written zone=example.", 2);
	assert_int_equal(rmdir(aside), 0);
	await_logged(f, "event=state-written-again zones=1", 1);
	assert_trouble(f, "");
	begin_anew(f);
	assert_int_equal(f->restored, 1);
}

static void
await_writes(unsigned n)
{
	while (writes < n) {
		sched_yield();
	}
}

static void
say(struct fixture *f, const uint8_t *zone, enum follow_event event)
{
	const struct follow_report r = { .event = event, .zone = zone, .source = &f->source, .is_catalog = zone == cat, .why = "" };
	zone_store_on_report(f->store, &r);
}

static const struct stored *
next_turn(struct fixture *f)
{
	pthread_mutex_lock(&f->store->lock);
	const struct stored *e = stored_next(f->store);
	pthread_mutex_unlock(&f->store->lock);
	return e;
}

/* The thread has stopped: the next zone's turn.  The pause after it. */
static uint64_t
turn(struct fixture *f)
{
	pthread_mutex_lock(&f->store->lock);
	struct stored *e = stored_next(f->store);
	assert_non_null(e);
	uint64_t pause_s = stored_turn(f->store, e);
	pthread_mutex_unlock(&f->store->lock);
	return pause_s;
}

/* 1, 2, 4, ... seconds, whatever becomes of other zones meanwhile: the thread has stopped, and the turns are the test's. */
static void
test_file_that_cannot_be_written_is_no_storm(void **state)
{
	static const uint64_t pauses[] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, ZONE_STORE_PAUSE_MAX_S, ZONE_STORE_PAUSE_MAX_S };
	struct fixture *f = *state;
	char aside[128];
	(void)snprintf(aside, sizeof aside, "%s/example" SAVED_SUFFIX ".new", f->path);
	assert_true(zone_store_stop(f->store, LIMIT_MS));
	assert_int_equal(mkdir(aside, 0700), 0);
	take(f, ZONE("7", ""));
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
		say(f, cat, FOLLOW_CURRENT); /* which is not served, so that there is nothing to write: that is well */
		assert_int_equal(turn(f), pauses[i]);
		assert_int_equal(turn(f), 0);
	}
	assert_int_equal(logged(f, "event=state-not-written"), 1);
	assert_int_equal(f->store->stats.failed, ARRAY_LEN(pauses));
	assert_int_equal(rmdir(aside), 0);
	assert_int_equal(turn(f), 0);
	assert_true(size_of_file(f) > 0);
	assert_null(next_turn(f));
	assert_int_equal(mkdir(aside, 0700), 0);
	take(f, ZONE("6", ""));
	assert_int_equal(turn(f), 1); /* it begins anew */
	assert_int_equal(rmdir(aside), 0);
}

/* The version goes again and again while it is written: that is no reason to try without end. */
static void
test_version_that_goes_is_not_written_at_once_again(void **state)
{
	struct fixture *f = *state;
	writes = 0;
	is_revoked = true;
	take(f, ZONE("7", ""));
	await_writes(1);
	uint64_t first_ns = net_now().mono_ns;
	await_writes(2);
	assert_in_range(net_now().mono_ns - first_ns, 900 * MS, LIMIT_MS * MS); /* a second; the watch may miss its beginning */
	is_revoked = false;
	await_size_over(f, 0);
	begin_anew(f);
	assert_int_equal(f->version->serial, 7);
}

/* The process may end before the reset is carried out, and after the catalog was written. */
static void
test_zone_that_is_to_be_reset_is_not_restored(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	begin_anew(f);
	assert_int_equal(f->restored, 1);
	report(f, FOLLOW_TO_RESET);
	begin_anew(f);
	assert_int_equal(f->restored, 0);
	take(f, ZONE("7", ""));
	report(f, FOLLOW_TO_RESET);
	take(f, ZONE("8", ""));
	begin_anew(f);
	assert_int_equal(f->version->serial, 8);
}

static void
test_zone_that_is_to_leave_is_not_restored(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	report(f, FOLLOW_TO_LEAVE);
	begin_anew(f);
	assert_int_equal(f->restored, 0);
	assert_true(size_of_file(f) > 0);
}

/* Also when the catalog waited before them. */
static void
test_members_go_before_their_catalog(void **state)
{
	struct fixture *f = *state;
	take(f, ZONE("7", ""));
	begin_anew(f);
	assert_true(zone_store_stop(f->store, LIMIT_MS));
	say(f, cat, FOLLOW_TRANSFERRED);
	say(f, example, FOLLOW_TO_RESET);
	say(f, cat, FOLLOW_TRANSFERRED);
	assert_memory_equal(next_turn(f)->apex, example, sizeof example);
	assert_memory_equal(next_turn(f)->apex, cat, sizeof cat);
	assert_null(next_turn(f));
}

static void
test_without_a_store_nothing_happens(void **state)
{
	const struct follow_report r = { .event = FOLLOW_CURRENT, .zone = example };
	struct zone_store *none = NULL;
	(void)state;
	zone_store_restore(none, NULL, room, NULL);
	assert_int_equal(zone_store_start(none, NULL), OK);
	zone_store_on_report(none, &r);
	zone_store_forget(none, example);
	zone_store_log_stats(none);
	assert_true(zone_store_stop(none, 0));
	zone_store_free(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zone_and_its_changes_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zone_that_began_anew_is_written_as_a_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_withdrawn_zone_is_kept_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zone_that_is_listed_no_more_is_not_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_version_of_a_catalog_is_held_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_of_a_catalog_that_is_read_later_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refreshes_cost_next_to_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refreshes_are_noted_within_the_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zone_without_room_is_left_in_its_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_that_cannot_be_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_that_cannot_be_written_is_no_storm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_version_that_goes_is_not_written_at_once_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zone_that_is_to_be_reset_is_not_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zone_that_is_to_leave_is_not_restored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_members_go_before_their_catalog, setup, teardown),
		cmocka_unit_test(test_without_a_store_nothing_happens),
	};
	return cmocka_run_group_tests_name("zone_store", tests, NULL, NULL);
}
