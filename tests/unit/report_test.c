/* What the log says of requests, transfers, connections, and secondaries that are not told. */
#include "net/report.h"
#include "net/report_notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "named.h"

static struct log to;
static int lines_fd;
static char text[4096];

static const struct peer stranger = { .family = 4, .address = { 192, 0, 2, 1 }, .port = 4242, .transport = TRANSPORT_TCP };

static int
up(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	lines_fd = fds[0];
	to = (struct log){ .fd = fds[1], .level = LOG_LEVEL_INFO };
	return 0;
}

static int
down(void **state)
{
	(void)state;
	close(lines_fd);
	close(to.fd);
	return 0;
}

/* The one line that was written, without its time. */
static const char *
line(void)
{
	ssize_t n = read(lines_fd, text, sizeof text - 1);
	assert_true(n > 25);
	text[n] = '\0';
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	return text + 25;
}

static void
requests_have_a_line_each(void **state)
{
	(void)state;
	struct server_out out = { .event = EVENT_TRANSFER_DENIED, .zone = named("example.org."), .key = named("k."), .why = "no right" };
	report_request(&to, &stranger, &out);
	assert_string_equal(line(), "warning event=transfer-denied from=192.0.2.1@4242 transport=tcp zone=example.org. key=k. why=\"no right\"\n");

	const struct peer by_udp = { .family = 4, .address = { 192, 0, 2, 1 }, .port = 53, .transport = TRANSPORT_UDP };
	out = (struct server_out){ .event = EVENT_NOTIFY_UNSIGNED, .zone = named(".") };
	report_request(&to, &by_udp, &out);
	assert_string_equal(line(), "info event=notify-unsigned from=192.0.2.1@53 transport=udp zone=.\n");
}

/* Others would be read as theirs. */
static void
what_has_no_line_writes_none(void **state)
{
	(void)state;
	static const enum server_event quiet[] = { EVENT_NONE, EVENT_AHEAD, EVENT_TRANSFER, EVENT_SUBSCRIBED, EVENT_UPDATE };
	for (size_t i = 0; i < sizeof quiet / sizeof quiet[0]; i++) {
		report_request(&to, &stranger, &(struct server_out){ .event = quiet[i] });
	}
	report_evicted(&to, &stranger, SEAT_IDLE);
	assert_ptr_equal(strstr(line(), "warning event=connection-evicted from=192.0.2.1@4242 state=idle hint="), text + 25);
}

static void
transfers_say_how_they_ended(void **state)
{
	(void)state;
	const struct name zone = named("example.org."), none = { 0 };
	const struct transfer_report sent = { .is_incremental = true, .serial = 7, .from_serial = 5, .records = 9, .octets = 300, .messages = 1 };
	report_transfer(&to, &(struct net_transferred){ .to = &stranger, .zone = &zone, .key = &none, .report = &sent, .took_ms = 3 });
	assert_string_equal(line(), "info event=transfer-sent to=192.0.2.1@4242 zone=example.org. type=ixfr serial=7 old_serial=5 records=9 "
	                            "octets=300 messages=1 ms=3\n");

	report_transfer(&to, &(struct net_transferred){ .to = &stranger, .zone = &zone, .key = &none, .how = TRANSFER_EVICTED, .waited_ms = 8 });
	assert_string_equal(line(), "warning event=transfer-cut to=192.0.2.1@4242 zone=example.org. waited_ms=8 "
	                            "why=\"all TCP connections were taken, and this one was closed to make room\" hint=\"raise --tcp-max\"\n");
}

static void
who_is_not_told_and_why(void **state)
{
	(void)state;
	const struct tsig_key key = { .name = named("k._transfer.") };
	const struct name zone = named("example.org.");
	const struct notify_target from = { .address = { 4, { 192, 0, 2, 1 } }, .port = 4242, .conn = 7, .key = &key };
	report_notify_not_told(&to, &from, &zone, NOTIFY_SHARE_TAKEN);
	assert_string_equal(line(), "warning event=secondary-not-told from=192.0.2.1@4242 zone=example.org. key=k._transfer. "
	                            "text=\"its connection or its key has as many subscriptions as one may have\" "
	                            "hint=\"it hears of changes at its address, if that is told, or when it asks again\"\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_have_a_line_each, up, down),
		cmocka_unit_test_setup_teardown(what_has_no_line_writes_none, up, down),
		cmocka_unit_test_setup_teardown(transfers_say_how_they_ended, up, down),
		cmocka_unit_test_setup_teardown(who_is_not_told_and_why, up, down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
