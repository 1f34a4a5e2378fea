/* Whether threads are alive, as the main thread sees it and the log says it; and what they are called. */
#include "ops/health.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/thread.h"

enum { LIMIT_MS = 3000 };

static char text[4096];

/* What was logged since, "" for nothing. */
static const char *
logged(int fd)
{
	ssize_t n = read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
silence_is_said_once_and_so_is_its_end(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	const struct log log = { .fd = fds[1], .level = LOG_LEVEL_INFO };
	struct health h = { .log = &log };
	struct pulse quick = { 0 }, hangs = { 0 };
	atomic_bool is_silent = false;
	health_add(&h, "udp", 0, &quick, LIMIT_MS, NULL);
	health_add(&h, "loader", 3, &hangs, LIMIT_MS, &is_silent);

	uint64_t now_ms = 1000;
	bool is_well = true;
	for (; now_ms < 8000; now_ms += PULSE_PERIOD_MS) {
		pulse_beat(&quick);
		is_well = health_look(&h, now_ms);
	}
	assert_false(is_well);
	assert_true(atomic_load(&is_silent));
	assert_string_equal(health_stuck(&h), "loader");
	const char *line = logged(fds[0]);
	assert_non_null(strstr(line, "error event=thread-stuck thread=loader number=3 silent_s=3 hint=\"a service manager with "
	                             "WatchdogSec= restarts health_test; without one, restart it yourself\"\n"));
	assert_ptr_equal(strchr(line, '\n') + 1, line + strlen(line));

	pulse_beat(&hangs);
	pulse_beat(&quick);
	assert_true(health_look(&h, now_ms));
	assert_false(atomic_load(&is_silent));
	assert_null(health_stuck(&h));
	assert_non_null(strstr(logged(fds[0]), "warning event=thread-goes-on thread=loader number=3\n"));
	health_fini(&h);
	close(fds[0]);
	close(fds[1]);
}

static void
threads_have_the_name_of_the_program(void **state)
{
	(void)state;
	char before[16], name[16];
	assert_int_equal(prctl(PR_GET_NAME, before), 0);
	thread_name("udp");
	assert_int_equal(prctl(PR_GET_NAME, name), 0);
	assert_string_equal(name, "health_test-udp");
	assert_int_equal(prctl(PR_SET_NAME, before), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_said_once_and_so_is_its_end),
		cmocka_unit_test(threads_have_the_name_of_the_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
