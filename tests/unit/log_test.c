#include "ops/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/log_ring.h"

struct sink {
	struct log log;
	int read_fd;
	char text[65536];
};

static int
sink_up(void **state)
{
	static struct sink s;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	s = (struct sink){ .log = { .fd = fds[1], .level = LOG_LEVEL_INFO }, .read_fd = fds[0] };
	*state = &s;
	return 0;
}

static int
sink_down(void **state)
{
	struct sink *s = *state;
	close(s->read_fd);
	close(s->log.fd);
	return 0;
}

/* What one read(2) gives: with a line a write, all lines written so far. */
static const char *
written(struct sink *s)
{
	ssize_t n = read(s->read_fd, s->text, sizeof s->text - 1);
	assert_true(n >= 0);
	s->text[n] = '\0';
	return s->text;
}

/* After the time, "2026-11-23T08:40:00.123Z ". */
static const char *
without_time(const char *line)
{
	assert_true(strlen(line) > 25);
	assert_int_equal(line[10], 'T');
	assert_int_equal(line[23], 'Z');
	return line + 25;
}

static void
a_line_has_time_level_and_fields(void **state)
{
	struct sink *s = *state;
	log_event(&s->log, LOG_LEVEL_INFO, "zone-loaded", "zone=%s serial=%u records=%zu took_ms=%" PRIu64 " delta=%d",
	          "example.", 5u, (size_t)12, (uint64_t)7, -3);
	assert_string_equal(without_time(written(s)),
	                    "info event=zone-loaded zone=example. serial=5 records=12 took_ms=7 delta=-3\n");
	log_event(&s->log, LOG_LEVEL_ERROR, "x", "a=%s b=%s c=%s", "", "1", getenv("NO_SUCH_VARIABLE"));
	assert_string_equal(without_time(written(s)), "error event=x b=1\n");
	log_event(&s->log, LOG_LEVEL_WARNING, "x", "a=fixed n=%lu", 3ul);
	assert_string_equal(without_time(written(s)), "warning event=x a=fixed n=3\n");
	log_event(&s->log, LOG_LEVEL_WARNING, "x", "a=%ld b=%lld c=%" PRId64 " d=%llu", -4l, -5ll, (int64_t)-6, 7ull);
	assert_string_equal(without_time(written(s)), "warning event=x a=-4 b=-5 c=-6 d=7\n");
	log_event(&s->log, LOG_LEVEL_WARNING, "x", "a=%s b=fixed c=also d=%s e=%s", "1", "", "");
	assert_string_equal(without_time(written(s)), "warning event=x a=1 b=fixed c=also\n");
}

static void
levels_are_kept(void **state)
{
	struct sink *s = *state;
	enum log_level level;
	log_event(&s->log, LOG_LEVEL_DEBUG, "no", "a=1");
	log_event(&s->log, LOG_LEVEL_INFO, "yes", "a=1");
	assert_string_equal(without_time(written(s)), "info event=yes a=1\n");
	assert_int_equal(log_level_parse("debug", &level), OK);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("loud", &level), E_FORMAT);
}

static void
values_are_quoted_and_escaped(void **state)
{
	struct sink *s = *state;
	static const struct { const char *in, *out; } rows[] = {
		{ "a b", "\"a b\"" },
		{ "x=y", "\"x=y\"" },
		{ "say \"hi\"\\", "\"say \\\"hi\\\"\\\\\"" },
		{ "two\nlines", "\"two\\nlines\"" },
		{ "\x1b[31mred\r\x7f", "\"\\x1B[31mred\\x0D\\x7F\"" },
		{ "\xC3\xA9\x9B", "\"\\xC3\\xA9\\x9B\"" },
		{ "[2001:db8::1]@53", "[2001:db8::1]@53" },
		{ "sub/x.inc:3", "sub/x.inc:3" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char want[128];
		snprintf(want, sizeof want, "info event=e v=%s\n", rows[i].out);
		log_event(&s->log, LOG_LEVEL_INFO, "e", "v=%s", rows[i].in);
		assert_string_equal(without_time(written(s)), want);
	}
}

static void
a_long_line_is_cut_and_says_so(void **state)
{
	struct sink *s = *state;
	char long_text[3 * LOG_LINE_MAX];
	memset(long_text, '\1', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	log_event(&s->log, LOG_LEVEL_INFO, "e", "v=%s more=%s", long_text, "text");
	const char *line = written(s);
	assert_int_equal(strlen(line), LOG_LINE_MAX);
	assert_string_equal(line + LOG_LINE_MAX - 4, "...\n");
}

static void
the_journal_gets_a_priority(void **state)
{
	struct sink *s = *state;
	s->log.to_journal = true;
	log_event(&s->log, LOG_LEVEL_WARNING, "e", "a=1");
	assert_string_equal(written(s), "<4>warning event=e a=1\n");
}

static void
the_journal_is_known_by_device_and_inode(void **state)
{
	(void)state;
	struct log log;
	struct stat st;
	char text[64];
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	log_init(&log, LOG_LEVEL_INFO);
	assert_true(log.to_journal);
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init(&log, LOG_LEVEL_INFO);
	assert_false(log.to_journal);
	unsetenv("JOURNAL_STREAM");
}

static unsigned
lines_in(const char *text)
{
	unsigned n = 0;
	for (; *text != '\0'; text++) {
		n += *text == '\n';
	}
	return n;
}

/* ---- limits ---- */

struct budget {
	enum log_cause cause;
	unsigned event, all;
};

static const struct budget budgets[] = {
	{ LOG_BY_STRANGER, LOG_STRANGER_EVENT_LINES, LOG_STRANGER_LINES },
	{ LOG_BY_KEY, LOG_KEY_EVENT_LINES, LOG_KEY_LINES },
	{ LOG_BY_US, LOG_OWN_EVENT_LINES, LOG_OWN_LINES },
};

static unsigned
take_many(struct log_limits *l, enum log_cause cause, const char *event, uint64_t now_s, unsigned n)
{
	unsigned taken = 0;
	uint32_t suppressed;
	for (unsigned i = 0; i < n; i++) {
		taken += log_limit_take(l, cause, event, now_s, &suppressed);
	}
	return taken;
}

static void
each_event_has_its_lines_and_so_have_all(void **state)
{
	(void)state;
	static const char *const events[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	struct log_limits *l = calloc(1, sizeof *l);
	for (size_t i = 0; i < ARRAY_LEN(budgets); i++) { /* none at the cost of another */
		const struct budget *b = &budgets[i];
		unsigned taken = 0;
		uint32_t suppressed = 0;
		for (size_t k = 0; k < ARRAY_LEN(events); k++) {
			unsigned n = take_many(l, b->cause, events[k], 100, 2 * b->event);
			assert_int_equal(n, taken + b->event <= b->all ? b->event : 0);
			taken += n;
		}
		assert_int_equal(taken, b->all);
		assert_true(log_limit_is_used_up(l, b->cause, "a", 100));
		assert_int_equal(take_many(l, b->cause, "a", 100 + LOG_LIMIT_PERIOD_S - 1, 1), 0);
		assert_true(log_limit_take(l, b->cause, "a", 100 + LOG_LIMIT_PERIOD_S, &suppressed));
		assert_int_equal(suppressed, b->event + 2);
		assert_false(log_limit_is_used_up(l, b->cause, "a", 100 + LOG_LIMIT_PERIOD_S));
		assert_true(log_limit_take(l, b->cause, "a", 100 + LOG_LIMIT_PERIOD_S, &suppressed));
		assert_int_equal(suppressed, 0);
	}
	free(l);
}

/* More events than there is room for are bounded together, and counted. */
static void
no_event_is_without_a_limit(void **state)
{
	(void)state;
	enum { EVENTS = LOG_LIMIT_EVENTS_MAX + 100 };
	static char names[EVENTS][8];
	struct log_limits *l = calloc(1, sizeof *l);
	unsigned taken = 0;
	for (unsigned i = 0; i < EVENTS; i++) {
		snprintf(names[i], sizeof names[i], "e%u", i);
		taken += take_many(l, LOG_BY_STRANGER, names[i], 1, 1);
	}
	assert_int_equal(taken, LOG_STRANGER_LINES);
	assert_int_equal(l->suppressed, EVENTS - LOG_STRANGER_LINES);
	free(l);
}

static void
lines_over_the_limit_are_left_out_and_counted(void **state)
{
	struct sink *s = *state;
	static struct log_limits limits;
	s->log.limits = &limits;
	for (int i = 0; i < 1000; i++) {
		log_peer_event(&s->log, LOG_BY_STRANGER, LOG_LEVEL_INFO, "e", "a=1");
	}
	assert_int_equal(lines_in(written(s)), LOG_STRANGER_EVENT_LINES);
	log_event(&s->log, LOG_LEVEL_INFO, "e", "a=2"); /* what we say ourselves has lines of its own */
	assert_string_equal(without_time(written(s)), "info event=e a=2\n");
	for (size_t i = 0; i < LOG_LIMIT_EVENTS_MAX; i++) { /* as if the period were over */
		limits.events[LOG_BY_STRANGER][i].limit.since_s = 0;
	}
	log_peer_event(&s->log, LOG_BY_STRANGER, LOG_LEVEL_INFO, "e", "a=1");
	assert_string_equal(without_time(written(s)), "info event=e a=1 suppressed=990\n");
	assert_int_equal(limits.suppressed, 990);
}

/* Without a ring a reader who takes nothing costs a moment, and once only. */
static void
a_reader_who_stalls_is_waited_for_once(void **state)
{
	struct sink *s = *state;
	static struct log_limits limits;
	char octets[65536] = { 0 };
	s->log.limits = &limits;
	assert_int_equal(fcntl(s->log.fd, F_SETFL, O_NONBLOCK), 0);
	while (write(s->log.fd, octets, sizeof octets) > 0) {
	}
	assert_int_equal(fcntl(s->log.fd, F_SETFL, 0), 0);
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < 100; i++) {
		log_event(&s->log, LOG_LEVEL_INFO, "e", "a=1");
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec <= 10 * LOG_DIRECT_WAIT_MS / 1000);
	assert_int_equal(fcntl(s->read_fd, F_SETFL, O_NONBLOCK), 0);
	while (read(s->read_fd, octets, sizeof octets) > 0) {
	}
	log_event(&s->log, LOG_LEVEL_INFO, "e", "a=1");
	assert_string_equal(without_time(written(s)), "info event=e a=1\n");
}

/* ---- the ring ---- */

enum { MANY = 2000, VALUE_LEN = 2000 }; /* 4 MB: a pipe holds 64 KiB, the ring 1 MiB */

static void
log_much(const struct log *log)
{
	char value[VALUE_LEN + 1];
	memset(value, 'x', VALUE_LEN);
	value[VALUE_LEN] = '\0';
	for (unsigned i = 0; i < MANY; i++) {
		log_event(log, LOG_LEVEL_INFO, "e", "v=%s", value);
	}
}

/* Reads until nobody can write any more, and counts lines of "event=e", and those that were said to be dropped. */
static void
count_lines(int fd, unsigned *written, unsigned *dropped)
{
	FILE *f = fdopen(fd, "r");
	char line[LOG_LINE_MAX + 1];
	*written = *dropped = 0;
	while (fgets(line, sizeof line, f) != NULL) {
		unsigned n = 0;
		const char *said = strstr(line, "event=log-dropped lines=");
		*written += strstr(line, "event=e v=") != NULL;
		*dropped += said != NULL && sscanf(said, "event=log-dropped lines=%u", &n) == 1 ? n : 0;
	}
	fclose(f);
}

static void
a_ring_loses_no_line_that_fits(void **state)
{
	struct sink *s = *state;
	assert_int_equal(log_ring_start(&s->log, &s->log.ring), OK);
	for (unsigned i = 0; i < 500; i++) {
		log_event(&s->log, LOG_LEVEL_INFO, "e", "v=%u", i);
	}
	assert_int_equal(log_ring_dropped(s->log.ring), 0);
	assert_true(log_ring_end(s->log.ring, 10000));
	log_ring_free(&s->log.ring);
	const char *text = written(s);
	for (unsigned i = 0; i < 500; i++) { /* all, and in order */
		char want[32];
		snprintf(want, sizeof want, "event=e v=%u\n", i);
		text = strstr(text, want);
		assert_non_null(text);
	}
}

struct counting {
	int fd;
	unsigned written, said; /* lines; of those dropped */
};

static void *
count(void *arg)
{
	struct counting *c = arg;
	count_lines(c->fd, &c->written, &c->said);
	return NULL;
}

static void
what_a_full_ring_drops_is_said(void **state)
{
	struct sink *s = *state;
	pthread_t reader;
	assert_int_equal(log_ring_start(&s->log, &s->log.ring), OK);
	log_much(&s->log); /* nobody reads, and it ends all the same */
	uint64_t dropped = log_ring_dropped(s->log.ring);
	assert_true(dropped > 0);

	struct counting c = { .fd = dup(s->read_fd) };
	assert_int_equal(pthread_create(&reader, NULL, count, &c), 0);
	assert_true(log_ring_end(s->log.ring, 60000));
	log_ring_free(&s->log.ring);
	close(s->log.fd);
	assert_int_equal(pthread_join(reader, NULL), 0);
	s->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(c.written + c.said, MANY);
	assert_int_equal(c.said, dropped);
}

static void
a_reader_who_stalls_does_not_hold_up_the_end(void **state)
{
	struct sink *s = *state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) { /* its thread never ends: the process does */
		bool is_good = log_ring_start(&s->log, &s->log.ring) == OK;
		log_much(&s->log);
		is_good = is_good && !log_ring_end(s->log.ring, 1);
		log_much(&s->log); /* nor does who still writes */
		_exit(is_good ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void *
log_until(void *arg)
{
	struct sink *s = arg;
	while (log_ring_dropped(s->log.ring) == 0) {
		log_event(&s->log, LOG_LEVEL_INFO, "e", "v=%u", 1);
	}
	return NULL;
}

/* A thread that is not waited for at the end, as the loader in the midst of a large commit: its lines are dropped. */
static void
lines_that_come_after_the_end_are_dropped(void **state)
{
	struct sink *s = *state;
	struct counting c = { .fd = dup(s->read_fd) };
	pthread_t reader, writer;
	assert_int_equal(log_ring_start(&s->log, &s->log.ring), OK);
	assert_int_equal(pthread_create(&reader, NULL, count, &c), 0);
	log_event(&s->log, LOG_LEVEL_INFO, "e", "v=%u", 0);
	assert_true(log_ring_end(s->log.ring, 60000));
	assert_int_equal(pthread_create(&writer, NULL, log_until, s), 0);
	assert_int_equal(pthread_join(writer, NULL), 0);
	log_ring_free(&s->log.ring);
	close(s->log.fd);
	assert_int_equal(pthread_join(reader, NULL), 0);
	s->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(c.written, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_has_time_level_and_fields, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(levels_are_kept, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(values_are_quoted_and_escaped, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_says_so, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(the_journal_gets_a_priority, sink_up, sink_down),
		cmocka_unit_test(the_journal_is_known_by_device_and_inode),
		cmocka_unit_test(each_event_has_its_lines_and_so_have_all),
		cmocka_unit_test(no_event_is_without_a_limit),
		cmocka_unit_test_setup_teardown(lines_over_the_limit_are_left_out_and_counted, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(a_reader_who_stalls_is_waited_for_once, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(a_ring_loses_no_line_that_fits, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(what_a_full_ring_drops_is_said, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(a_reader_who_stalls_does_not_hold_up_the_end, sink_up, sink_down),
		cmocka_unit_test_setup_teardown(lines_that_come_after_the_end_are_dropped, sink_up, sink_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
