#include "ops/log_syslog.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/log_ring.h"
#include "ops/syslog_message.h"

static const struct syslog_sender sender = { .program = "oprimary", .pid = 77, .host = "ns.example" };

static const char *
message(enum syslog_form form, enum log_level level, const char *line)
{
	static char out[SYSLOG_MESSAGE_MAX + 1];
	const struct log_stamp stamp = { .at_ms = 1772323199007, .level = level }; /* 2026-02-28T23:59:59.007Z */
	struct syslog_sender s = sender;
	s.form = form;
	out[syslog_message(&s, &stamp, line, strlen(line), out)] = '\0';
	return out;
}

static void
a_message_has_the_fields_of_rfc_5424(void **state)
{
	(void)state;
	assert_string_equal(message(SYSLOG_REMOTE, LOG_LEVEL_INFO, "2026-02-28T23:59:59.007Z info event=zone-loaded zone=example. serial=5\n"),
	                    "<30>1 2026-02-28T23:59:59.007Z ns.example oprimary 77 zone-loaded - event=zone-loaded zone=example. serial=5");
	assert_string_equal(message(SYSLOG_REMOTE, LOG_LEVEL_ERROR, "<3>error event=x\n"), /* for the journal */
	                    "<27>1 2026-02-28T23:59:59.007Z ns.example oprimary 77 x - event=x");
	assert_string_equal(message(SYSLOG_REMOTE, LOG_LEVEL_WARNING, "<4>warning event=a-name-that-is-longer-than-32-octets text=\"event=y z\"\n"),
	                    "<28>1 2026-02-28T23:59:59.007Z ns.example oprimary 77 a-name-that-is-longer-than-32-oc - "
	                    "event=a-name-that-is-longer-than-32-octets text=\"event=y z\"");
}

static void
a_local_server_gets_what_the_c_library_writes(void **state)
{
	(void)state;
	assert_string_equal(message(SYSLOG_LOCAL, LOG_LEVEL_DEBUG, "2026-02-28T23:59:59.007Z debug event=x a=1\n"),
	                    "<31>Feb 28 23:59:59 oprimary[77]: event=x a=1");
}

static void
the_longest_line_fits(void **state)
{
	(void)state;
	char line[LOG_LINE_MAX + 1];
	memset(line, 'x', LOG_LINE_MAX);
	memcpy(line, "event=", 6);
	line[LOG_LINE_MAX - 1] = '\n';
	line[LOG_LINE_MAX] = '\0';
	assert_true(strlen(message(SYSLOG_REMOTE, LOG_LEVEL_INFO, line)) > LOG_LINE_MAX);
}

/* ---- sending ---- */

struct server {
	int fd;
	struct log_syslog_to at;
	char text[SYSLOG_MESSAGE_MAX];
};

static void
server_udp(struct server *s)
{
	*s = (struct server){ .fd = socket(AF_INET, SOCK_DGRAM, 0), .at = { .len = sizeof s->at.sa.v4 } };
	s->at.sa.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(s->fd, &s->at.sa.any, s->at.len), 0);
	assert_int_equal(getsockname(s->fd, &s->at.sa.any, &s->at.len), 0);
}

static void
server_bind(struct server *s)
{
	s->fd = socket(s->at.sa.any.sa_family, SOCK_DGRAM, 0);
	assert_int_equal(bind(s->fd, &s->at.sa.any, s->at.len), 0);
}

/* What has come, or "". */
static const char *
received(struct server *s)
{
	ssize_t n = recv(s->fd, s->text, sizeof s->text - 1, MSG_DONTWAIT);
	s->text[n > 0 ? n : 0] = '\0';
	return s->text;
}

static void
say(struct log_syslog *s, const char *line)
{
	const struct log_stamp stamp = { .at_ms = 0, .level = LOG_LEVEL_INFO };
	log_syslog_send(s, &stamp, line, strlen(line));
}

static struct log_syslog *
opened(const struct log_syslog_to *to, bool is_there)
{
	struct log_syslog *s;
	struct diag d;
	const char *why;
	assert_int_equal(log_syslog_open(to, "oacme", &s, &why, &d), OK);
	assert_int_equal(why == NULL, is_there);
	return s;
}

static void
lines_go_by_udp_and_those_that_come_back_are_counted(void **state)
{
	(void)state;
	struct server server;
	server_udp(&server);
	struct log_syslog *s = opened(&server.at, true);
	say(s, "event=a n=1\n");
	assert_non_null(strstr(received(&server), " a - event=a n=1"));
	assert_int_equal(log_syslog_lost(s), 0);
	close(server.fd);
	for (int i = 0; i < 10; i++) { /* the loopback says so at once */
		say(s, "event=a n=2\n");
	}
	assert_in_range(log_syslog_lost(s), 5, 10);
	uint64_t lost = log_syslog_lost(s);
	server_bind(&server);
	say(s, "event=a n=3\n");
	assert_non_null(strstr(received(&server), "event=a n=3"));
	assert_in_range(log_syslog_lost(s), lost, lost + 1);
	log_syslog_close(&s);
	close(server.fd);
}

static struct server
server_local(void)
{
	struct server s = { .at = { .sa.local = { .sun_family = AF_UNIX }, .len = sizeof s.at.sa.local } };
	snprintf(s.at.sa.local.sun_path, sizeof s.at.sa.local.sun_path, "/tmp/log_syslog_test.%d", (int)getpid());
	return s;
}

static void
wait_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void
a_local_server_may_come_late_and_come_back(void **state)
{
	(void)state;
	struct server server = server_local();
	struct log_syslog *s = opened(&server.at, false);
	say(s, "event=a n=1\n");
	assert_int_equal(log_syslog_lost(s), 1);
	for (int i = 2; i < 4; i++) {
		server_bind(&server);
		wait_ms(LOG_SYSLOG_RETRY_MS);
		say(s, "event=a n=2\n");
		assert_non_null(strstr(received(&server), "]: event=a n=2"));
		say(s, "event=a n=3\n");
		assert_non_null(strstr(received(&server), "]: event=a n=3"));
		close(server.fd);
		unlink(server.at.sa.local.sun_path);
		say(s, "event=a n=4\n");
		assert_int_equal(log_syslog_lost(s), i);
	}
	log_syslog_close(&s);
}

static void
a_local_server_that_hangs_costs_lines_alone(void **state)
{
	(void)state;
	struct server server = server_local();
	server_bind(&server);
	struct log_syslog *s = opened(&server.at, true);
	for (int i = 0; i < 5000; i++) {
		say(s, "event=a n=1\n");
	}
	uint64_t lost = log_syslog_lost(s);
	assert_in_range(lost, 1, 4999);
	while (received(&server)[0] != '\0') {
	}
	say(s, "event=a n=2\n");
	assert_non_null(strstr(received(&server), "event=a n=2"));
	assert_int_equal(log_syslog_lost(s), lost);
	log_syslog_close(&s);
	close(server.fd);
	unlink(server.at.sa.local.sun_path);
}

/* With a ring and without, a line goes to both, and the message has the level and the time. */
static void
the_log_sends_its_lines(void **state)
{
	(void)state;
	struct server server;
	int fds[2];
	server_udp(&server);
	assert_int_equal(pipe(fds), 0);
	struct log log = { .fd = fds[1], .level = LOG_LEVEL_INFO, .to_journal = true, .syslog = opened(&server.at, true) };
	for (int i = 0; i < 2; i++) {
		char line[64] = "";
		log_event(&log, LOG_LEVEL_WARNING, "e", "a=%s", "x y");
		if (log.ring != NULL) {
			assert_true(log_ring_end(log.ring, 10000));
			log_ring_free(&log.ring);
		} else {
			assert_int_equal(log_ring_start(&log, &log.ring), OK);
		}
		assert_true(read(fds[0], line, sizeof line - 1) > 0);
		assert_string_equal(line, "<4>warning event=e a=\"x y\"\n");
		int year;
		assert_int_equal(sscanf(received(&server), "<28>1 %d-", &year), 1);
		assert_in_range(year, 2024, 2200);
		assert_non_null(strstr(server.text, " oacme "));
		assert_non_null(strstr(server.text, " e - event=e a=\"x y\""));
	}
	log_syslog_close(&log.syslog);
	close(server.fd);
	close(fds[0]);
	close(fds[1]);
}

static void
without_a_server_nothing_happens(void **state)
{
	(void)state;
	struct log_syslog *none = NULL;
	say(none, "event=a\n");
	assert_int_equal(log_syslog_lost(none), 0);
	log_syslog_close(&none);
}

int
main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_has_the_fields_of_rfc_5424),
		cmocka_unit_test(a_local_server_gets_what_the_c_library_writes),
		cmocka_unit_test(the_longest_line_fits),
		cmocka_unit_test(lines_go_by_udp_and_those_that_come_back_are_counted),
		cmocka_unit_test(a_local_server_may_come_late_and_come_back),
		cmocka_unit_test(a_local_server_that_hangs_costs_lines_alone),
		cmocka_unit_test(the_log_sends_its_lines),
		cmocka_unit_test(without_a_server_nothing_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
