/* The HTTP server: who gets what, who is put out, and what may hang. */
#include "net/web.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopback.h"

enum { LIMIT_MS = 20000, ANSWER_MAX = 4096 };

static const struct web_page pages[] = {
	{ .path = "/", .headers = { { "Content-Type", "text/html" }, { "X-Kind", "page" } } },
	{ .path = "/values", .accept = "text/fine", .headers = { { "Content-Type", "text/fine" } } },
	{ .path = "/values", .headers = { { "Content-Type", "text/plain" } } },
};

struct world {
	struct web *web;
	struct listen_address at;
	atomic_uint made, turns, begun, ended;
	atomic_bool is_broken;
};

static err_t
make(void *ctx, size_t page, struct str *out)
{
	struct world *w = ctx;
	atomic_fetch_add(&w->made, 1);
	str_printf(out, "page %zu", page);
	return atomic_load(&w->is_broken) ? E_BUSY : OK;
}

static void
turn(void *ctx)
{
	struct world *w = ctx;
	atomic_fetch_add(&w->turns, 1);
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

static int
setup(void **state)
{
	static struct world w;
	struct diag d;
	w = (struct world){ .at = loopback(1, 0) };
	int fd = loopback_listen(&w.at);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	const struct web_conf conf = { .pages = pages, .pages_n = ARRAY_LEN(pages), .make = make, .turn = turn, .begin = begin, .end = end,
		                       .ctx = &w };
	assert_int_equal(web_start(&conf, fd, &w.web, &d), OK);
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	assert_true(web_stop(&w->web, LIMIT_MS));
	assert_null(w->web);
	assert_int_equal(atomic_load(&w->begun), 1);
	assert_int_equal(atomic_load(&w->ended), 1);
	return 0;
}

static int
connected(const struct world *w)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &w->at.sa.any, w->at.len), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Reads until the other side closes, or nothing comes for too long. */
static const char *
hear(int fd)
{
	static char text[ANSWER_MAX + 1];
	size_t len = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (len < ANSWER_MAX && poll(&p, 1, LIMIT_MS) == 1) {
		ssize_t n = read(fd, text + len, ANSWER_MAX - len);
		if (n <= 0) {
			break;
		}
		len += (size_t)n;
	}
	text[len] = '\0';
	close(fd);
	return text;
}

static const char *
ask(const struct world *w, const char *request)
{
	int fd = connected(w);
	say(fd, request);
	return hear(fd);
}

#define CLOSE "Host: x\r\nConnection: close\r\n\r\n"

static void
each_gets_what_fits(void **state)
{
	const struct world *w = *state;
	const char *got = ask(w, "GET / HTTP/1.1\r\n" CLOSE);
	assert_non_null(strstr(got, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(got, "X-Kind: page\r\n"));
	assert_non_null(strstr(got, "\r\n\r\npage 0"));
	assert_non_null(strstr(ask(w, "GET /values HTTP/1.1\r\nAccept: text/fine;q=1\r\n" CLOSE), "page 1"));
	assert_non_null(strstr(ask(w, "GET /values HTTP/1.1\r\nAccept: */*\r\n" CLOSE), "page 2"));
	assert_non_null(strstr(ask(w, "GET /values?x=1 HTTP/1.1\r\n" CLOSE), "page 2"));
	got = ask(w, "HEAD /values HTTP/1.1\r\n" CLOSE);
	assert_non_null(strstr(got, "200 OK"));
	assert_non_null(strstr(got, "Content-Length: 6\r\n"));
	assert_null(strstr(got, "page 2"));
}

static void
others_get_a_reason(void **state)
{
	const struct world *w = *state;
	assert_non_null(strstr(ask(w, "GET /nothing HTTP/1.1\r\n" CLOSE), " 404 "));
	assert_non_null(strstr(ask(w, "GET /../../etc/passwd HTTP/1.1\r\n" CLOSE), " 404 "));
	const char *got = ask(w, "POST / HTTP/1.1\r\nContent-Length: 3\r\n" CLOSE "abc");
	assert_non_null(strstr(got, " 405 "));
	assert_non_null(strstr(got, "Allow: GET, HEAD"));
	assert_non_null(strstr(ask(w, "DELETE / HTTP/1.1\r\n" CLOSE), " 405 "));
}

static void
what_cannot_be_made_is_said(void **state)
{
	struct world *w = *state;
	atomic_store(&w->is_broken, true);
	assert_non_null(strstr(ask(w, "GET / HTTP/1.1\r\n" CLOSE), " 503 "));
	atomic_store(&w->is_broken, false);
	assert_non_null(strstr(ask(w, "GET / HTTP/1.1\r\n" CLOSE), " 200 "));
}

/* However often somebody asks, it is made once in a while. */
static void
many_questions_are_one(void **state)
{
	struct world *w = *state;
	unsigned turns = 0;
	for (unsigned i = 0; i < 300; i++) {
		assert_non_null(strstr(ask(w, "GET / HTTP/1.1\r\n" CLOSE), "page 0"));
		turns++;
	}
	assert_true(atomic_load(&w->made) < turns / 2);
}

static void
nonsense_ends_the_connection_alone(void **state)
{
	static char long_line[3 * WEB_REQUEST_MAX];
	const struct world *w = *state;
	(void)ask(w, "\x16\x03\x01\x02\x01\x01\xfc\x03\r\n\r\n\r\n");
	(void)ask(w, "GET\r\n\r\n");
	memset(long_line, 'a', sizeof long_line - 1);
	memcpy(long_line, "GET /", 5);
	(void)ask(w, long_line);
	assert_non_null(strstr(ask(w, "GET / HTTP/1.1\r\n" CLOSE), " 200 "));
}

/* The oldest are closed, and whoever comes and asks is answered. */
static void
two_hundred_that_say_nothing(void **state)
{
	enum { SILENT = 200 };
	const struct world *w = *state;
	int fds[SILENT];
	for (unsigned i = 0; i < SILENT; i++) {
		fds[i] = connected(w);
		if (i % 2 == 0) {
			say(fds[i], "GET / HTTP/1.1\r\nHost:");
		}
	}
	assert_non_null(strstr(ask(w, "GET / HTTP/1.1\r\n" CLOSE), " 200 "));
	struct pollfd p = { .fd = fds[0], .events = POLLIN };
	assert_int_equal(poll(&p, 1, LIMIT_MS), 1);
	for (unsigned i = 0; i < SILENT; i++) {
		close(fds[i]);
	}
}

/* A request, and no reader. */
static void
clients_that_take_nothing(void **state)
{
	const struct world *w = *state;
	int fds[60];
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = connected(w);
		say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	assert_non_null(strstr(ask(w, "GET / HTTP/1.1\r\n" CLOSE), " 200 "));
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		close(fds[i]);
	}
}

static void
it_shows_life(void **state)
{
	struct world *w = *state;
	uint32_t before = atomic_load(&web_pulse(w->web)->beats);
	bool is_alive = false;
	for (unsigned i = 0; i < LIMIT_MS / 10 && !is_alive; i++) {
		is_alive = atomic_load(&web_pulse(w->web)->beats) >= before + 2 && atomic_load(&w->turns) >= 2;
		usleep(10000);
	}
	assert_true(is_alive);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_gets_what_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(others_get_a_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_made_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(many_questions_are_one, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense_ends_the_connection_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(two_hundred_that_say_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(clients_that_take_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(it_shows_life, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
