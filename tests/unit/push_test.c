/* Reports to a TCP server: one that is there, is away, comes late, takes nothing, or goes. */
#include "net/push.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopback.h"
#include "ops/clock.h"

enum { LIMIT_MS = 20000, INTERVAL_MS = 50, LARGE = 32 << 20 };

struct world {
	struct push *push;
	struct listen_address at;
	int fd; /* of the server; -1: it is away */
	atomic_uint made, begun, ended, found, lost;
	atomic_bool is_broken, is_large;
};

static err_t
make(void *ctx, struct str *out)
{
	static const char block[4096] = { [0 ... 4095] = 'x' };
	struct world *w = ctx;
	str_printf(out, "report %u\n", atomic_fetch_add(&w->made, 1));
	while (atomic_load(&w->is_large) && out->err == OK && out->len < LARGE) {
		str_put(out, block, sizeof block);
	}
	return atomic_load(&w->is_broken) ? E_BUSY : OK;
}

static void
told(void *ctx, const char *why)
{
	struct world *w = ctx;
	atomic_fetch_add(why == NULL ? &w->found : &w->lost, 1);
}

static void
begin(void *ctx)
{
	struct world *w = ctx;
	atomic_fetch_add(&w->begun, 1);
}

static void
end(void *ctx)
{
	struct world *w = ctx;
	atomic_fetch_add(&w->ended, 1);
}

static void
server_up(struct world *w)
{
	w->fd = loopback_listen(&w->at);
}

static void
server_down(struct world *w)
{
	close(w->fd);
	w->fd = -1;
}

static int
accepted(struct world *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
	int fd = accept(w->fd, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

static void
await_text(int fd, const char *text)
{
	char got[4096] = "";
	size_t len = 0;
	while (strstr(got, text) == NULL) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
		ssize_t n = recv(fd, got + len, sizeof got - 1 - len, 0);
		assert_true(n > 0);
		len += (size_t)n;
		got[len] = '\0';
	}
}

static void
push_up(struct world *w)
{
	struct diag d;
	const struct push_conf conf = {
		.to = w->at, .interval_ms = INTERVAL_MS,
		.make = make, .told = told, .begin = begin, .end = end, .ctx = w,
	};
	assert_int_equal(push_start(&conf, &w->push, &d), OK);
}

static void
push_down(struct world *w)
{
	uint64_t begun_ms = clock_ms();
	assert_true(push_stop(&w->push, LIMIT_MS));
	assert_true(clock_ms() - begun_ms < LIMIT_MS / 2);
	assert_int_equal(w->begun, 1);
	assert_int_equal(w->ended, 1);
}

static void
await_count(const atomic_uint *count, unsigned n)
{
	uint64_t begun_ms = clock_ms();
	while (atomic_load(count) < n) {
		assert_true(clock_ms() - begun_ms < LIMIT_MS);
		(void)poll(NULL, 0, 5);
	}
}

static void
reports_come_over_one_connection(void **state)
{
	(void)state;
	struct world w = { .at = loopback(1, 0), .fd = -1 };
	server_up(&w);
	push_up(&w);
	int fd = accepted(&w);
	await_text(fd, "report 0\nreport 1\nreport 2\n");
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	await_text(fd, "report 5\n");
	assert_true(push_sent(w.push) >= 5);
	assert_int_equal(w.found, 1);
	assert_int_equal(w.lost, 0);
	push_down(&w);
	close(fd);
	server_down(&w);
}

/* Nothing is kept for a server that is away: it gets the newest report, at once. */
static void
a_server_that_is_away_and_comes(void **state)
{
	(void)state;
	struct world w = { .at = loopback(1, 0), .fd = -1 };
	server_up(&w);
	server_down(&w);
	push_up(&w);
	await_count(&w.lost, 1);
	while (push_skipped(w.push) < 5) {
		(void)poll(NULL, 0, 5);
	}
	assert_int_equal(w.made, 0);
	server_up(&w);
	int fd = accepted(&w);
	await_text(fd, "report 0\n");
	assert_int_equal(w.lost, 1);
	await_count(&w.found, 1);
	close(fd);
	await_count(&w.lost, 2);
	fd = accepted(&w);
	await_text(fd, "report ");
	push_down(&w);
	close(fd);
	server_down(&w);
}

/* One report is kept, and no more are made. */
static void
a_server_that_takes_nothing(void **state)
{
	(void)state;
	struct world w = { .at = loopback(1, 0), .fd = -1, .is_large = true };
	server_up(&w);
	push_up(&w);
	int fd = accepted(&w);
	while (push_skipped(w.push) < 10) {
		(void)poll(NULL, 0, 5);
	}
	assert_int_equal(w.made, 1);
	assert_int_equal(push_sent(w.push), 0);
	push_down(&w);
	close(fd);
	server_down(&w);
}

static void
a_report_that_cannot_be_made_is_skipped(void **state)
{
	(void)state;
	struct world w = { .at = loopback(1, 0), .fd = -1, .is_broken = true };
	server_up(&w);
	push_up(&w);
	int fd = accepted(&w);
	await_count(&w.made, 3);
	atomic_store(&w.is_broken, false);
	await_text(fd, "report ");
	assert_true(push_skipped(w.push) >= 3);
	push_down(&w);
	close(fd);
	server_down(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_come_over_one_connection),
		cmocka_unit_test(a_server_that_is_away_and_comes),
		cmocka_unit_test(a_server_that_takes_nothing),
		cmocka_unit_test(a_report_that_cannot_be_made_is_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
