/* Sockets and workers of a daemon as a whole, with a handler that stands in for the server. */
#include "net/front.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PORT = 36363, WORKERS = 2, WAIT_S = 5 };

static struct log quiet = { .fd = -1, .level = LOG_LEVEL_ERROR };
static struct server_conf server = { .udp_max = 1232 };
static struct net_env env;

/* Answers with the request. */
static size_t
echo(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *req, size_t len,
     uint8_t *resp, size_t cap, struct server_stats *stats, struct server_out *out)
{
	(void)v, (void)conf, (void)now_s, (void)out;
	assert_true(len <= cap);
	net_count(&stats->queries[peer->transport], 1);
	memcpy(resp, req, len);
	return len;
}

static struct front_conf
conf_of(const char *const *addresses, size_t n)
{
	struct front_conf c = {
		.listen_n = n, .workers = WORKERS, .tcp_max = 50, .tcp_per_client = 50, .tcp_idle_ms = 30000, .transfers_max = 10,
	};
	struct diag d;
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(listen_parse(addresses[i], PORT, &c.listen[i], &d), OK);
	}
	return c;
}

static void
open_front(struct front *f, const char *const *addresses, size_t n)
{
	const struct front_conf c = conf_of(addresses, n);
	struct diag d;
	front_init(f, &c, &quiet);
	assert_int_equal(front_open(f, &d), OK);
}

static void
start_front(struct front *f)
{
	struct diag d;
	env = (struct net_env){ .served = served_new(&(struct served_conf){ 0 }), .conf = &server, .handle = echo };
	assert_int_equal(front_start(f, &env, &d), OK);
}

static void
end_front(struct front *f)
{
	front_stop(f);
	front_close(f);
	served_free(&env.served);
}

/* Sends a message, and has it back.  The socket stays open. */
static int
ask(const char *address, int type)
{
	static const uint8_t by_tcp[] = "\0\016message bytes"; /* with its length before it; the end of the text counts */
	const uint8_t *bytes = type == SOCK_STREAM ? by_tcp : by_tcp + 2;
	ssize_t len = type == SOCK_STREAM ? sizeof by_tcp : sizeof by_tcp - 2;
	const struct timeval limit = { .tv_sec = WAIT_S };
	struct listen_address to;
	struct diag d;
	uint8_t got[sizeof by_tcp] = { 0 };
	assert_int_equal(listen_parse(address, PORT, &to, &d), OK);
	int fd = socket(to.sa.any.sa_family, type | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	assert_int_equal(connect(fd, &to.sa.any, to.len), 0);
	assert_int_equal(send(fd, bytes, (size_t)len, 0), len);
	assert_int_equal(recv(fd, got, (size_t)len, MSG_WAITALL), len);
	assert_memory_equal(got, bytes, (size_t)len);
	return fd;
}

static unsigned
count_files(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d) != NULL) {
		n++;
	}
	closedir(d);
	return n;
}

static void
ask_all(void)
{
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.2" };
	struct front f;
	struct net_stats sum;
	int open[ARRAY_LEN(addresses)];
	open_front(&f, addresses, ARRAY_LEN(addresses));
	start_front(&f);
	assert_true(f.udp_n == WORKERS && f.tcp_n == WORKERS);
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		close(ask(addresses[i], SOCK_DGRAM));
		open[i] = ask(addresses[i], SOCK_STREAM);
	}
	front_sum(&f, &sum);
	assert_true(sum.server.queries[TRANSPORT_UDP] == 2 && sum.server.queries[TRANSPORT_TCP] == 2 && sum.accepted == 2);
	assert_int_equal(front_connections(&f), 2);
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		close(open[i]);
	}
	end_front(&f);
}

static void
each_address_answers_by_both_transports(void **state)
{
	(void)state;
	ask_all();
	unsigned files = count_files(); /* libuv keeps a pipe from its first loop on */
	ask_all();
	assert_int_equal(count_files(), files);
}

static void
all_its_threads_are_looked_after(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.2" };
	struct front f;
	struct health h = { .log = &quiet };
	open_front(&f, addresses, ARRAY_LEN(addresses));
	start_front(&f);
	front_watch(&f, &h);
	assert_int_equal(h.n, 2 * WORKERS);
	assert_true(health_look(&h, 1000));
	health_fini(&h);
	end_front(&f);
}

static void
an_address_that_is_not_there(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "192.0.2.77" }; /* RFC 5737: nobody has it */
	struct front_conf c = conf_of(addresses, ARRAY_LEN(addresses));
	struct front f;
	struct diag d;
	unsigned files = count_files();
	front_init(&f, &c, &quiet);
	assert_int_equal(front_open(&f, &d), E_UNSUPPORTED); /* it was asked for */
	assert_non_null(strstr(d.text, "192.0.2.77"));
	assert_int_equal(count_files(), files);

	c.is_listen_default = true;
	front_init(&f, &c, &quiet);
	assert_int_equal(front_open(&f, &d), OK);
	assert_int_equal(f.conf.listen_n, 1);
	front_close(&f);
	assert_int_equal(count_files(), files);
}

static void
a_port_that_somebody_has(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.2", "127.0.0.1" };
	struct front first, second;
	struct diag d;
	open_front(&first, addresses + 1, 1);
	unsigned files = count_files();
	const struct front_conf c = conf_of(addresses, ARRAY_LEN(addresses));
	front_init(&second, &c, &quiet);
	assert_int_equal(front_open(&second, &d), E_EXISTS);
	assert_int_equal(count_files(), files);
	front_close(&first);
}

/* The last test: what is given up does not come back. */
static void
few_files_are_fewer_connections(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.2" };
	enum { ALLOWED = 300, OTHERS = 100, CONNECTIONS = 1000 };
	const struct rlimit few = { .rlim_cur = 50, .rlim_max = ALLOWED };
	struct front_conf c = conf_of(addresses, ARRAY_LEN(addresses));
	struct front f;
	struct diag d;
	c.tcp_max = CONNECTIONS;
	front_init(&f, &c, &quiet);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(front_allow_files(&f, OTHERS, &d), OK);
	assert_in_range(f.conf.tcp_max, 1, ALLOWED - OTHERS - CLIENTS_BEYOND_MAX - 2 * WORKERS * ARRAY_LEN(addresses));
	front_init(&f, &c, &quiet);
	assert_int_equal(front_allow_files(&f, ALLOWED, &d), E_LIMIT);
	assert_non_null(strstr(d.hint, "LimitNOFILE="));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_answers_by_both_transports),
		cmocka_unit_test(all_its_threads_are_looked_after),
		cmocka_unit_test(an_address_that_is_not_there),
		cmocka_unit_test(a_port_that_somebody_has),
		cmocka_unit_test(few_files_are_fewer_connections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
