/* Metrics of a daemon whose survey takes long, as with very many zones, or when the thread that has to add to it is busy. */
#include "bin/monitor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bin/survey.h"

enum { PORT = 36364, SLOW_MS = 1200 };

static atomic_uint surveys;

static bool
slow_survey(struct daemon *d, struct survey **s)
{
	(void)d, (void)s;
	atomic_fetch_add(&surveys, 1);
	usleep(SLOW_MS * 1000);
	return true;
}

static const struct daemon_program program = { .name = "test", .survey = slow_survey };

static int
ask(const char *path, const char *accept)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	char text[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
	int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\nAccept: %s\r\nConnection: close\r\n\r\n", path, accept);
	assert_int_equal(send(fd, text, (size_t)n, 0), n);
	return fd;
}

static void
await_answer(int fd)
{
	char text[16] = "";
	assert_int_equal(recv(fd, text, 15, MSG_WAITALL), 15);
	assert_string_equal(text, "HTTP/1.1 200 OK");
	close(fd);
}

/* Each would take another second in which the web's thread shows no life; and with several clients, the daemon would be called stuck. */
static void
who_waits_gets_the_survey_that_has_just_ended(void **state)
{
	(void)state;
	static struct daemon_opts o;
	static struct daemon d = { .program = &program, .opts = &o, .log = { .level = LOG_LEVEL_ERROR } };
	struct diag diag;
	d.log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(daemon_log_up(&d), OK);
	assert_int_equal(listen_parse("127.0.0.1", PORT, &o.monitor.http, &diag), OK);
	d.health.log = &d.log;
	assert_int_equal(monitor_listen_up(&d), OK);
	int fds[] = { ask("/", "*"), ask("/metrics", "*"), ask("/metrics", "application/openmetrics-text") };
	assert_int_equal(monitor_up(&d), OK);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		await_answer(fds[i]);
	}
	assert_int_equal(atomic_load(&surveys), 1);
	monitor_down(&d);
	assert_false(d.is_stuck);
	monitor_listen_down(&d);
	daemon_log_down(&d);
	health_fini(&d.health);
	close(d.log.fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(who_waits_gets_the_survey_that_has_just_ended) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
