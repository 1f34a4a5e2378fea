/* The UDP worker over real sockets of the loopback, with a handler that stands in for the server. */
#include "net/udp.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/listen.h"

enum { PORT = 35353, WAIT_MS = 5000, QUIET_MS = 150 };

static _Atomic unsigned events;

/* The way back of a request that is answered later. */
static struct return_path later;
static atomic_bool is_later;

/* Answers with the request, QR set.  First octet 0: no answer; 'E': with an event; 'L': `cap` octets; 'U': leaves it to the
 * event, which answers "now" at once and "later" not at all. */
static size_t
echo(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *req,
     size_t len, uint8_t *resp, size_t cap, struct server_stats *stats, struct server_out *out)
{
	(void)v;
	assert_true(cap >= conf->udp_max && cap >= 512);
	assert_true(peer->transport == TRANSPORT_UDP && peer->port != 0 && now_s > 1600000000);
	__atomic_store_n(&stats->queries[TRANSPORT_UDP], stats->queries[TRANSPORT_UDP] + 1, __ATOMIC_RELAXED);
	if (len == 0 || req[0] == 0) {
		return 0;
	}
	if (req[0] == 'E') {
		out->event = EVENT_NOTIFY_UNSIGNED;
	}
	if (req[0] == 'U') {
		out->event = EVENT_UPDATE;
		return 0;
	}
	size_t n = req[0] == 'L' ? cap : len < cap ? len : cap;
	memset(resp, 0, n);
	memcpy(resp, req, len < n ? len : n);
	resp[0] |= 0x80;
	return n;
}

static size_t
on_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	(void)ctx;
	assert_int_equal(r->from->peer.family, 4);
	if (out->event == EVENT_UPDATE && r->bytes[1] == 'l') {
		later = *r->from;
		atomic_store(&is_later, true);
		return 0;
	}
	if (out->event == EVENT_UPDATE) {
		assert_true(cap >= 512);
		memcpy(resp, "answered now", 12);
		return 12;
	}
	assert_int_equal(out->event, EVENT_NOTIFY_UNSIGNED);
	events++;
	return 0;
}

struct fixture {
	struct server_conf conf;
	struct net_env env;
	struct udp_worker *worker;
	struct listen_address at; /* the last of them */
};

/* A socket at a port that is free. */
static int
open_at(const char *address, struct listen_address *at)
{
	struct diag d;
	int fd;
	for (uint16_t port = PORT;; port++) {
		assert_true(port < PORT + 200);
		assert_int_equal(listen_parse(address, port, at, &d), OK);
		if (listen_probe(at, TRANSPORT_UDP, &d) == OK) {
			break;
		}
	}
	assert_int_equal(listen_open(at, TRANSPORT_UDP, &fd, &d), OK);
	return fd;
}

static void
start_on(struct fixture *f, const int *fds, size_t n)
{
	f->conf = (struct server_conf){ .udp_max = 1232 };
	f->env = (struct net_env){ .served = served_new(&(struct served_conf){ 0 }), .conf = &f->conf, .handle = echo, .event = on_event };
	f->worker = NULL;
	assert_int_equal(udp_worker_start(&f->env, NULL, fds, n, &f->worker), OK);
}

static void
start(struct fixture *f, const char *address)
{
	int fd = open_at(address, &f->at);
	start_on(f, &fd, 1);
}

static void
stop(struct fixture *f)
{
	udp_worker_stop(&f->worker);
	assert_null(f->worker);
	served_free(&f->env.served);
}

/* A client's socket, connected: it takes answers only from where it asked. */
static int
client(const struct fixture *f, const char *address)
{
	struct diag d;
	struct listen_address to;
	uint16_t port = ntohs(f->at.sa.any.sa_family == AF_INET ? f->at.sa.v4.sin_port : f->at.sa.v6.sin6_port);
	assert_int_equal(listen_parse(address, port, &to, &d), OK);
	int fd = socket(to.sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &to.sa.any, to.len), 0);
	return fd;
}

/* -1: nothing within the time. */
static ssize_t
receive(int fd, uint8_t *bytes, size_t cap, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, ms) == 1 ? recv(fd, bytes, cap, 0) : -1;
}

static void
expect_echo(int fd, const char *text)
{
	uint8_t got[8192];
	assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	assert_int_equal(receive(fd, got, sizeof got, WAIT_MS), (ssize_t)strlen(text));
	assert_int_equal(got[0], (uint8_t)text[0] | 0x80);
	assert_memory_equal(got + 1, text + 1, strlen(text) - 1);
}

static void
requests_are_answered(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, "127.0.0.1");
	int fd = client(&f, "127.0.0.1");
	events = 0;
	expect_echo(fd, "question");
	expect_echo(fd, "Event");
	assert_int_equal(events, 1);
	uint8_t got[8192];
	assert_int_equal(send(fd, "L", 1, 0), 1);
	assert_int_equal(receive(fd, got, sizeof got, WAIT_MS), 1232);
	struct net_stats sum = { 0 };
	net_stats_add(&sum, udp_worker_stats(f.worker));
	uint64_t sampled = 0;
	for (unsigned i = 0; i <= net_answering_bounds.n; i++) {
		sampled += sum.answering.count[i];
	}
	assert_int_equal(sampled, (sum.server.queries[TRANSPORT_UDP] + NET_SAMPLED - 1) / NET_SAMPLED);
	assert_int_equal(sum.server.queries[TRANSPORT_UDP], 3);
	close(fd);
	stop(&f);
}

static void
an_answer_may_come_from_the_event_or_later(void **state)
{
	(void)state;
	static const char *const listen[] = { "127.0.0.1", "0.0.0.0" };
	for (size_t i = 0; i < ARRAY_LEN(listen); i++) {
		struct fixture f;
		start(&f, listen[i]);
		int fd = client(&f, i == 0 ? "127.0.0.1" : "127.1.2.3"); /* connected: it takes answers from there alone */
		uint8_t got[64];
		atomic_store(&is_later, false);
		assert_int_equal(send(fd, "Unow", 4, 0), 4);
		assert_int_equal(receive(fd, got, sizeof got, WAIT_MS), 12);
		assert_int_equal(send(fd, "Ulater", 6, 0), 6);
		assert_int_equal(receive(fd, got, sizeof got, QUIET_MS), -1);
		assert_true(atomic_load(&is_later));
		return_path_send(&later, NULL, 0); /* that is none */
		return_path_send(&later, (const uint8_t *)"answered later", 14);
		assert_int_equal(receive(fd, got, sizeof got, WAIT_MS), 14);
		close(fd);
		stop(&f);
	}
}

static void
what_deserves_no_answer_gets_none(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, "127.0.0.1");
	int fd = client(&f, "127.0.0.1");
	static const uint8_t large[65507] = { 'x' }; /* there is no longer one (RFC 768 over RFC 791) */
	uint8_t got[8192];
	assert_int_equal(send(fd, "", 0, 0), 0);
	assert_int_equal(send(fd, "\0", 1, 0), 1);
	assert_int_equal(receive(fd, got, sizeof got, QUIET_MS), -1);
	expect_echo(fd, "still there");
	struct net_stats sum = { 0 };
	net_stats_add(&sum, udp_worker_stats(f.worker));
	assert_int_equal(sum.oversized, 0);
	assert_int_equal(send(fd, large, sizeof large, 0), (ssize_t)sizeof large);
	assert_int_equal(receive(fd, got, sizeof got, WAIT_MS), 1232);
	close(fd);
	stop(&f);
}

static void
many_at_once_are_a_batch(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, "127.0.0.1");
	int fd = client(&f, "127.0.0.1");
	enum { N = 200 };
	bool seen[N] = { false };
	for (unsigned i = 0; i < N; i++) { /* every third without an answer: gaps in the batch */
		uint8_t q[2] = { i % 3 == 0 ? 0 : 1, (uint8_t)i };
		assert_int_equal(send(fd, q, sizeof q, 0), 2);
	}
	uint8_t got[8192];
	for (unsigned i = 0; i < N - (N + 2) / 3; i++) {
		assert_int_equal(receive(fd, got, sizeof got, WAIT_MS), 2);
		assert_false(seen[got[1]]);
		seen[got[1]] = true;
	}
	assert_int_equal(receive(fd, got, sizeof got, QUIET_MS), -1);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(seen[i], i % 3 != 0);
	}
	close(fd);
	stop(&f);
}

static void
answers_leave_from_the_address_that_was_asked(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, "0.0.0.0");
	int a = client(&f, "127.0.0.1"), b = client(&f, "127.0.0.2"), c = client(&f, "127.1.2.3");
	expect_echo(a, "one");
	expect_echo(b, "two"); /* connected: an answer from elsewhere would not come through */
	expect_echo(c, "three");
	close(a);
	close(b);
	close(c);
	stop(&f);
}

/* One worker, one thread: sockets of one address and of all addresses beside each other. */
enum { SEVERAL = 3 };

static void
start_several(struct fixture *f, struct listen_address at[SEVERAL])
{
	static const char *const texts[SEVERAL] = { "127.0.0.1", "0.0.0.0", "127.0.0.2" };
	int fds[SEVERAL];
	for (size_t i = 0; i < SEVERAL; i++) {
		fds[i] = open_at(texts[i], &at[i]);
	}
	start_on(f, fds, SEVERAL);
}

static int
client_of(struct fixture *f, const struct listen_address *at, const char *address)
{
	f->at = *at;
	return client(f, address);
}

static unsigned
threads_n(void)
{
	unsigned n = 0;
	DIR *tasks = opendir("/proc/self/task");
	assert_non_null(tasks);
	for (const struct dirent *e; (e = readdir(tasks)) != NULL;) {
		n += e->d_name[0] != '.';
	}
	closedir(tasks);
	return n;
}

static void
one_thread_serves_several_sockets(void **state)
{
	(void)state;
	struct fixture f;
	struct listen_address at[SEVERAL];
	unsigned before = threads_n();
	start_several(&f, at);
	assert_true(threads_n() <= before + 1);
	int a = client_of(&f, &at[0], "127.0.0.1"), b = client_of(&f, &at[1], "127.1.2.3"), c = client_of(&f, &at[2], "127.0.0.2");
	for (int i = 0; i < 3; i++) { /* what one socket's requests leave in the buffers is not for the next one's */
		expect_echo(a, "one address");
		expect_echo(b, "any address");
		expect_echo(c, "another");
	}
	atomic_store(&is_later, false);
	assert_int_equal(send(b, "Ulater", 6, 0), 6);
	uint8_t got[64];
	assert_int_equal(receive(b, got, sizeof got, QUIET_MS), -1);
	assert_true(atomic_load(&is_later));
	return_path_send(&later, (const uint8_t *)"answered later", 14);
	assert_int_equal(receive(b, got, sizeof got, WAIT_MS), 14);
	close(a);
	close(b);
	close(c);
	stop(&f);
}

/* More is ready on one socket than a batch has: the others have their turn between two. */
static void
a_flooded_socket_leaves_turns_to_others(void **state)
{
	(void)state;
	struct fixture f;
	struct listen_address at[SEVERAL];
	start_several(&f, at);
	int flood = client_of(&f, &at[0], "127.0.0.1"), quiet = client_of(&f, &at[2], "127.0.0.2");
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 3 * UDP_BATCH; i++) {
			(void)send(flood, "\0", 1, MSG_DONTWAIT);
		}
		expect_echo(quiet, "among many");
	}
	expect_echo(flood, "after all");
	close(flood);
	close(quiet);
	stop(&f);
}

static bool
has_ipv6(void)
{
	struct diag d;
	struct listen_address a;
	return listen_parse("::1@35999", 1, &a, &d) == OK && listen_probe(&a, TRANSPORT_UDP, &d) == OK;
}

static void
ipv6_too(void **state)
{
	(void)state;
	static const char *const texts[] = { "::1", "::" };
	for (size_t i = 0; i < ARRAY_LEN(texts) && has_ipv6(); i++) {
		struct fixture f;
		start(&f, texts[i]);
		int fd = client(&f, "::1");
		expect_echo(fd, "six");
		close(fd);
		stop(&f);
	}
}

static void
stopping_does_not_wait_for_a_packet(void **state)
{
	(void)state;
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < 20; i++) {
		struct fixture f;
		struct listen_address at[SEVERAL];
		start(&f, "127.0.0.1");
		stop(&f);
		start_several(&f, at);
		stop(&f);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - begin.tv_sec < 10); /* each would be a pulse otherwise, 40 in all */
}

static void
listen_addresses_are_read_and_printed(void **state)
{
	(void)state;
	static const struct { const char *in, *out; } good[] = {
		{ "192.0.2.1", "192.0.2.1@53" },
		{ "192.0.2.1@5353", "192.0.2.1@5353" },
		{ "2001:db8::1", "2001:db8::1@53" },
		{ "2001:db8::1@5353", "2001:db8::1@5353" },
		{ "[2001:db8::1]", "2001:db8::1@53" },
		{ "[2001:db8::1]@5353", "2001:db8::1@5353" },
		{ "[::]:5353", "::@5353" },
		{ "fe80::1%lo@5353", "fe80::1%lo@5353" },
	};
	static const char *const bad[] = {
		"", "@53", "[]", "[::1", "[::1]x", "localhost", "192.0.2", "192.0.2.1@", "192.0.2.1@0", "192.0.2.1@65536",
		"192.0.2.1@-1", "192.0.2.1@5x", "1:2@3@4", "192.0.2.1:53",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct listen_address a;
	struct diag d;
	char text[LISTEN_TEXT_MAX];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(listen_parse(good[i].in, 53, &a, &d), OK);
		listen_print(&a, text);
		assert_string_equal(text, good[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(listen_parse(bad[i], 53, &a, &d), E_FORMAT);
		assert_string_not_equal(d.text, "");
	}
}

static void
addresses_without_a_port(void **state)
{
	(void)state;
	static const char *const good[][2] = {
		{ "192.0.2.1", "192.0.2.1@0" }, { "2001:db8::1", "2001:db8::1@0" }, { "[2001:db8::1]", "2001:db8::1@0" },
	};
	static const char *const bad[] = { "", "192.0.2.1@53", "[2001:db8::1]:53", "0.0.0.0", "::", "localhost", "192.0.2" };
	struct listen_address a = { .len = 0 };
	char text[LISTEN_TEXT_MAX];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(listen_parse_host(bad[i], &a), E_FORMAT);
		assert_int_equal(a.len, 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(listen_parse_host(good[i][0], &a), OK);
		listen_print(&a, text);
		assert_string_equal(text, good[i][1]);
	}
}

static void
a_taken_port_is_found_although_it_could_be_shared(void **state)
{
	(void)state;
	struct fixture f;
	struct diag d;
	start(&f, "127.0.0.1");
	assert_int_equal(listen_probe(&f.at, TRANSPORT_UDP, &d), E_EXISTS);
	assert_non_null(strstr(d.text, "127.0.0.1@3"));
	stop(&f);
	int fd;
	assert_int_equal(listen_open(&f.at, TRANSPORT_TCP, &fd, &d), OK);
	assert_int_equal(listen_probe(&f.at, TRANSPORT_TCP, &d), E_EXISTS);
	close(fd);
	assert_int_equal(listen_parse("192.0.2.77", 35353, &f.at, &d), OK);
	assert_int_equal(listen_probe(&f.at, TRANSPORT_UDP, &d), E_UNSUPPORTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_answered),
		cmocka_unit_test(an_answer_may_come_from_the_event_or_later),
		cmocka_unit_test(what_deserves_no_answer_gets_none),
		cmocka_unit_test(many_at_once_are_a_batch),
		cmocka_unit_test(answers_leave_from_the_address_that_was_asked),
		cmocka_unit_test(one_thread_serves_several_sockets),
		cmocka_unit_test(a_flooded_socket_leaves_turns_to_others),
		cmocka_unit_test(ipv6_too),
		cmocka_unit_test(stopping_does_not_wait_for_a_packet),
		cmocka_unit_test(listen_addresses_are_read_and_printed),
		cmocka_unit_test(addresses_without_a_port),
		cmocka_unit_test(a_taken_port_is_found_although_it_could_be_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
