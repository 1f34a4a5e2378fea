/* The TCP worker over real sockets of the loopback, with a handler that stands in for the server. */
#include "net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/listen.h"

enum { PORT = 36353, WAIT_MS = 10000, LEN = 16 /* of the test's messages */ };

/* Answers with the request, QR set, by its third octet: 'L': DNS_MSG_MAX octets; 'N': nothing; 'C': close; 'S': the peer
 * is to hear of changes; 'U': the answer comes later. */
static size_t
echo(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *req,
     size_t len, uint8_t *resp, size_t cap, struct server_stats *stats, struct server_out *out)
{
	(void)v;
	(void)conf;
	assert_true(cap == DNS_MSG_MAX && len >= DNS_HEADER_LEN && len <= DNS_MSG_MAX);
	assert_true(peer->transport == TRANSPORT_TCP && peer->port != 0 && now_s > 1600000000);
	__atomic_store_n(&stats->queries[TRANSPORT_TCP], stats->queries[TRANSPORT_TCP] + 1, __ATOMIC_RELAXED);
	out->close = req[2] == 'C';
	out->event = req[2] == 'S' ? EVENT_SUBSCRIBED : req[2] == 'U' ? EVENT_UPDATE : EVENT_NONE;
	if (req[2] == 'N' || req[2] == 'U') {
		return 0;
	}
	size_t n = req[2] == 'L' ? cap : len;
	memset(resp, 0, n);
	memcpy(resp, req, len);
	resp[2] |= 0x80;
	return n;
}

static size_t
no_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	(void)ctx, (void)r, (void)out, (void)resp, (void)cap;
	fail();
	return 0;
}

static _Atomic uint64_t kept; /* the connection by which a peer hears of changes */

static size_t
on_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	(void)ctx, (void)out, (void)resp, (void)cap;
	kept = r->conn;
	return 0;
}

struct fixture {
	struct server_conf conf;
	struct net_env env;
	struct tcp_conf tcp;
	struct tcp_worker *worker;
	struct listen_address at;
};

static void
start(struct fixture *f, unsigned max, unsigned per_client, uint32_t idle_ms)
{
	struct diag d;
	int fd;
	*f = (struct fixture){ .conf = { .udp_max = 1232 } };
	f->env = (struct net_env){ .served = served_new(&(struct served_conf){ 0 }), .conf = &f->conf, .handle = echo, .event = no_event };
	f->tcp = (struct tcp_conf){
		.env = &f->env, .clients = clients_new(max, per_client), .max = max, .idle_ms = idle_ms, .transfers_max = 1,
	};
	for (uint16_t port = PORT;; port++) {
		assert_true(port < PORT + 200);
		assert_int_equal(listen_parse("127.0.0.1", port, &f->at, &d), OK);
		if (listen_probe(&f->at, TRANSPORT_TCP, &d) == OK) {
			break;
		}
	}
	assert_int_equal(listen_open(&f->at, TRANSPORT_TCP, &fd, &d), OK);
	assert_int_equal(tcp_worker_start(&f->tcp, &fd, 1, &f->worker), OK);
}

static void
stop(struct fixture *f)
{
	tcp_worker_stop(&f->worker);
	assert_null(f->worker);
	assert_int_equal(clients_count(f->tcp.clients), 0);
	clients_free(&f->tcp.clients);
	served_free(&f->env.served);
}

static uint64_t
mono_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
sleep_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

static int
client(const struct fixture *f, const char *from)
{
	struct sockaddr_in me = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(inet_pton(AF_INET, from, &me.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&me, sizeof me), 0);
	assert_int_equal(connect(fd, &f->at.sa.any, f->at.len), 0);
	return fd;
}

/* A message with its length before it; LEN octets, `kind` in the third, a number in the first two. */
static void
message(uint8_t out[2 + LEN], char kind, uint16_t number)
{
	memset(out, 'm', 2 + LEN);
	out[0] = 0;
	out[1] = LEN;
	out[2] = (uint8_t)(number >> 8);
	out[3] = (uint8_t)number;
	out[4] = (uint8_t)kind;
}

static void
send_all(int fd, const void *bytes, size_t n)
{
	assert_int_equal(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void
send_message(int fd, char kind, uint16_t number)
{
	uint8_t m[2 + LEN];
	message(m, kind, number);
	send_all(fd, m, sizeof m);
}

/* Exactly `n` octets; false at the end of the connection. */
static bool
receive_all(int fd, uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		ssize_t got = recv(fd, bytes + at, n - at, 0);
		if (got <= 0) {
			return false;
		}
		at += (size_t)got;
	}
	return true;
}

static void
expect_answer(int fd, char kind, uint16_t number)
{
	uint8_t m[2 + LEN], got[2 + DNS_MSG_MAX];
	message(m, kind, number);
	assert_true(receive_all(fd, got, 2));
	size_t len = (size_t)got[0] << 8 | got[1];
	assert_int_equal(len, kind == 'L' ? DNS_MSG_MAX : LEN);
	assert_true(receive_all(fd, got + 2, len));
	m[4] |= 0x80;
	assert_memory_equal(got + 2, m + 2, LEN);
}

static void
expect_end(int fd)
{
	uint8_t octet;
	assert_false(receive_all(fd, &octet, 1));
	close(fd);
}

static bool
is_quiet(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 0) == 0;
}

/* Turns of the worker's loop: in each it reads from everybody whom it reads from. */
static void
await_turns(int other, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		send_message(other, 'q', (uint16_t)i);
		expect_answer(other, 'q', (uint16_t)i);
	}
}

static void
one_after_the_other(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	int fd = client(&f, "127.0.0.1");
	for (uint16_t i = 0; i < 5; i++) {
		send_message(fd, 'q', i);
		expect_answer(fd, 'q', i);
	}
	send_message(fd, 'N', 0);
	send_message(fd, 'q', 77);
	expect_answer(fd, 'q', 77); /* and nothing before it */
	close(fd);
	stop(&f);
}

static void
many_in_one_write(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	int fd = client(&f, "127.0.0.1");
	enum { N = 20000 }; /* 360 KB: over several reads, cut anywhere */
	uint8_t *all = calloc(N, 2 + LEN);
	for (unsigned i = 0; i < N; i++) {
		message(all + i * (2 + LEN), 'q', (uint16_t)i);
	}
	pid_t child = fork(); /* so that nobody waits for the other */
	if (child == 0) {
		for (size_t at = 0; at < N * (2 + LEN);) {
			ssize_t n = send(fd, all + at, N * (2 + LEN) - at, MSG_NOSIGNAL);
			if (n <= 0) {
				_exit(1);
			}
			at += (size_t)n;
		}
		_exit(0);
	}
	for (unsigned i = 0; i < N; i++) {
		expect_answer(fd, 'q', (uint16_t)i);
	}
	free(all);
	close(fd);
	stop(&f);
}

static void
octet_by_octet(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	int fd = client(&f, "127.0.0.1"), other = client(&f, "127.0.0.1"), one = 1;
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one), 0);
	uint8_t m[3][2 + LEN];
	for (uint16_t i = 0; i < 3; i++) {
		message(m[i], 'q', i);
	}
	for (size_t i = 0; i < sizeof m; i++) {
		send_all(fd, (uint8_t *)m + i, 1);
		await_turns(other, 1);
	}
	for (uint16_t i = 0; i < 3; i++) {
		expect_answer(fd, 'q', i);
	}
	/* One and a half, then the other half and one more. */
	send_all(fd, m, 2 + LEN + 9);
	expect_answer(fd, 'q', 0);
	await_turns(other, 2);
	assert_true(is_quiet(fd));
	send_all(fd, (uint8_t *)m + 2 + LEN + 9, 2 * (2 + LEN) - 9);
	expect_answer(fd, 'q', 1);
	expect_answer(fd, 'q', 2);
	close(fd);
	close(other);
	stop(&f);
}

static void
the_largest_message(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	int fd = client(&f, "127.0.0.1");
	uint8_t *m = calloc(1, 2 + DNS_MSG_MAX), *got = calloc(1, 2 + DNS_MSG_MAX);
	memset(m, 0xFF, 2 + DNS_MSG_MAX);
	send_all(fd, m, 2 + DNS_MSG_MAX);
	assert_true(receive_all(fd, got, 2 + DNS_MSG_MAX));
	assert_memory_equal(m, got, 2 + DNS_MSG_MAX);
	free(m);
	free(got);
	close(fd);
	stop(&f);
}

static uint64_t
queries(const struct fixture *f)
{
	struct net_stats sum = { 0 };
	net_stats_add(&sum, tcp_worker_stats(f->worker));
	return sum.server.queries[TRANSPORT_TCP];
}

static void
who_does_not_read_is_not_read_from(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	int fd = client(&f, "127.0.0.1"), other = client(&f, "127.0.0.1");
	enum { N = 1000 }; /* 18 KB of questions, 65 MB of answers */
	for (uint16_t i = 0; i < N; i++) {
		send_message(fd, 'L', i);
	}
	enum { TURNS = 20 };
	uint64_t before, others = 0;
	do { /* until the sockets' buffers are full */
		before = queries(&f);
		await_turns(other, TURNS);
		others += TURNS;
	} while (queries(&f) != before + TURNS);
	assert_true(queries(&f) - others < N / 2);
	for (uint16_t i = 0; i < N; i++) {
		expect_answer(fd, 'L', i);
	}
	send_message(fd, 'q', 3);
	expect_answer(fd, 'q', 3);
	close(fd);
	close(other);
	stop(&f);
}

static void
half_closed_is_answered(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	int fd = client(&f, "127.0.0.1");
	for (uint16_t i = 0; i < 100; i++) {
		send_message(fd, 'L', i);
	}
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (uint16_t i = 0; i < 100; i++) {
		expect_answer(fd, 'L', i);
	}
	expect_end(fd);
	stop(&f);
}

static void
what_is_no_message_ends_it(void **state)
{
	(void)state;
	static const uint8_t bad[][4] = { { 0, 0, 'x', 'x' }, { 0, 11, 'x', 'x' } };
	struct fixture f;
	start(&f, 10, 10, 10000);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int fd = client(&f, "127.0.0.1");
		send_message(fd, 'q', 1);
		expect_answer(fd, 'q', 1);
		send_all(fd, bad[i], 2);
		expect_end(fd);
	}
	int fd = client(&f, "127.0.0.1");
	send_message(fd, 'C', 9); /* the server's wish */
	expect_answer(fd, 'C', 9);
	expect_end(fd);
	stop(&f);
}

static void
reset_in_the_middle(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 10, 10, 10000);
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	for (int i = 0; i < 50; i++) {
		int fd = client(&f, "127.0.0.1");
		for (uint16_t k = 0; k < 200; k++) {
			if (send(fd, "\0\20mmLmmmmmmmmmmmmmm", 18, MSG_NOSIGNAL) != 18) {
				break;
			}
		}
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
		close(fd);
	}
	int fd = client(&f, "127.0.0.1");
	send_message(fd, 'q', 1);
	expect_answer(fd, 'q', 1);
	close(fd);
	stop(&f);
}

static void
idle_connections_are_closed(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 100, 100, 400);
	int silent = client(&f, "127.0.0.1"), dripping = client(&f, "127.0.0.1"), lively = client(&f, "127.0.0.1");
	uint64_t begin_ms = mono_ms();
	while (mono_ms() - begin_ms < 1000) {
		(void)send(dripping, "\1", 1, MSG_NOSIGNAL); /* never a whole message */
		send_message(lively, 'q', 5);
		expect_answer(lively, 'q', 5);
		if (mono_ms() - begin_ms < 300) {
			assert_true(is_quiet(silent));
		}
		sleep_ms(50);
	}
	expect_end(silent);
	expect_end(dripping);
	send_message(lively, 'q', 6);
	expect_answer(lively, 'q', 6);
	close(lively);
	stop(&f);
}

static void
a_reader_too_slow_is_closed(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 100, 100, 400);
	int fd = client(&f, "127.0.0.1");
	for (uint16_t i = 0; i < 400; i++) {
		send_message(fd, 'L', i);
	}
	for (int i = 0; i < 400 && clients_count(f.tcp.clients) != 0; i++) {
		sleep_ms(50);
	}
	assert_int_equal(clients_count(f.tcp.clients), 0);
	close(fd);
	stop(&f);
}

static void
when_full_the_longest_idle_goes(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 3, 100, 60000);
	int fd[4];
	for (size_t i = 0; i < 3; i++) {
		fd[i] = client(&f, "127.0.0.1");
		send_message(fd[i], 'q', 1);
		expect_answer(fd[i], 'q', 1);
		sleep_ms(20);
	}
	send_message(fd[0], 'q', 2); /* now the second is the longest idle */
	expect_answer(fd[0], 'q', 2);
	fd[3] = client(&f, "127.0.0.1");
	expect_end(fd[1]);
	static const size_t rest[] = { 0, 2, 3 };
	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		send_message(fd[rest[i]], 'q', 4);
		expect_answer(fd[rest[i]], 'q', 4);
		close(fd[rest[i]]);
	}
	stop(&f);
}

/* Those who come after it do not put it out before it could ask. */
static void
who_is_new_has_time_to_ask(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 3, 100, 60000);
	int fd[6];
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		fd[i] = client(&f, "127.0.0.1");
		if (i < 3) {
			send_message(fd[i], 'q', 1);
			expect_answer(fd[i], 'q', 1);
			sleep_ms(20);
		}
	}
	for (size_t i = 0; i < 3; i++) {
		expect_end(fd[i]);
	}
	for (size_t i = 3; i < ARRAY_LEN(fd); i++) {
		send_message(fd[i], 'q', 2);
		expect_answer(fd[i], 'q', 2);
		close(fd[i]);
	}
	stop(&f);
}

static void
who_says_nothing_goes_first(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 3, 100, 12000);
	int fd[4];
	for (size_t i = 0; i < 3; i++) {
		fd[i] = client(&f, "127.0.0.1");
	}
	for (size_t i = 0; i < 2; i++) {
		send_message(fd[i], 'q', 1);
		expect_answer(fd[i], 'q', 1);
	}
	sleep_ms(SEATS_NEW_MS + 1100); /* and the sweep after that */
	fd[3] = client(&f, "127.0.0.1");
	expect_end(fd[2]);
	static const size_t rest[] = { 0, 1, 3 };
	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		send_message(fd[rest[i]], 'q', 2);
		expect_answer(fd[rest[i]], 'q', 2);
		close(fd[rest[i]]);
	}
	stop(&f);
}

/* Another worker has a silent one: no reason to keep somebody out here. */
static void
an_idle_one_goes_at_once(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 1, 100, 60000);
	clients_join_rank(f.tcp.clients, SEAT_SILENT);
	int last = client(&f, "127.0.0.1");
	for (unsigned i = 0; i < CLIENTS_BEYOND_MAX + 2; i++) {
		send_message(last, 'q', 1);
		expect_answer(last, 'q', 1);
		int next = client(&f, "127.0.0.1");
		expect_end(last);
		last = next;
	}
	close(last);
	clients_leave_rank(f.tcp.clients, SEAT_SILENT);
	stop(&f);
}

static void
when_crowded_idle_is_shorter(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 4, 100, 4000);
	int fd[4];
	for (size_t i = 0; i < 4; i++) {
		fd[i] = client(&f, "127.0.0.1");
	}
	uint64_t begin_ms = mono_ms();
	expect_end(fd[0]); /* after a second instead of four */
	assert_true(mono_ms() - begin_ms < 3000);
	for (size_t i = 1; i < 4; i++) {
		close(fd[i]);
	}
	stop(&f);
}

static void
one_client_has_its_share_only(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 100, 2, 60000);
	int a = client(&f, "127.0.0.1"), b = client(&f, "127.0.0.1"), c = client(&f, "127.0.0.1"), d = client(&f, "127.0.0.2");
	expect_end(c);
	send_message(d, 'q', 1);
	expect_answer(d, 'q', 1);
	close(a);
	int e = -1;
	for (int i = 0; i < 100; i++) { /* its place is free once the worker has seen the end */
		e = client(&f, "127.0.0.1");
		send_message(e, 'q', 2);
		uint8_t octet;
		if (receive_all(e, &octet, 1)) {
			break;
		}
		close(e);
		e = -1;
		sleep_ms(20);
	}
	assert_true(e >= 0);
	close(b);
	close(d);
	close(e);
	stop(&f);
}

static void
stopping_ends_open_connections(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, 100, 100, 60000);
	int a = client(&f, "127.0.0.1"), b = client(&f, "127.0.0.1");
	send_message(a, 'q', 1);
	expect_answer(a, 'q', 1);
	send_all(b, "\0\20mm", 4);
	for (uint16_t i = 0; i < 400; i++) {
		send_message(a, 'L', i);
	}
	for (int i = 0; i < 20000 && queries(&f) < 3; i++) { /* answers are on their way when it stops */
		sleep_ms(1);
	}
	uint64_t begin_ms = mono_ms();
	stop(&f);
	assert_true(mono_ms() - begin_ms < TCP_DRAIN_MS + 500);
	close(a);
	close(b);
}

/* The table against plain counting. */
static void
notify(struct fixture *f, uint16_t number)
{
	uint8_t m[2 + LEN];
	message(m, 'Q', number);
	assert_true(tcp_worker_send(f->worker, kept, m + 2, LEN));
}

/* An answer to 'Q' is 'Q' with QR set; a notification is not. */
static void
expect_notified(int fd, uint16_t number)
{
	uint8_t m[2 + LEN], got[2 + LEN];
	message(m, 'Q', number);
	assert_true(receive_all(fd, got, sizeof got));
	assert_memory_equal(got, m, sizeof m);
}

/* Everything that was sent before has been taken up by the worker. */
static void
catch_up(struct fixture *f)
{
	int fd = client(f, "127.0.0.1");
	send_message(fd, 'Q', 999);
	expect_answer(fd, 'Q', 999);
	close(fd);
}

/* What is told and the end come to the worker in one: what was told first still goes out. */
static void
what_is_sent_before_the_end_arrives(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 200; i++) {
		struct fixture f;
		start(&f, 10, 10, 10000);
		f.env.event = on_event;
		int fd = client(&f, "127.0.0.1");
		send_message(fd, 'S', i);
		expect_answer(fd, 'S', i);
		notify(&f, i);
		stop(&f);
		expect_notified(fd, i);
		expect_end(fd);
	}
}

/* A client takes the next message for the answer to its question: nothing goes before that. */
static void
nothing_is_sent_into_an_open_question(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t m[2 + LEN];
	start(&f, 10, 10, 10000);
	f.env.event = on_event;
	int fd = client(&f, "127.0.0.1");
	send_message(fd, 'S', 1);
	expect_answer(fd, 'S', 1);
	notify(&f, 2);
	expect_notified(fd, 2);

	message(m, 'Q', 3); /* one that has come in part */
	send_all(fd, m, 5);
	notify(&f, 4);
	notify(&f, 5);
	catch_up(&f);
	assert_true(is_quiet(fd));
	send_all(fd, m + 5, sizeof m - 5);
	expect_answer(fd, 'Q', 3);
	expect_notified(fd, 4);
	expect_notified(fd, 5);

	send_message(fd, 'U', 6); /* one whose answer comes from elsewhere */
	notify(&f, 7);
	catch_up(&f);
	assert_true(is_quiet(fd));
	message(m, 'U', 6);
	m[4] = (uint8_t)(m[4] | 0x80);
	tcp_worker_answer(f.worker, kept, m + 2, LEN);
	expect_answer(fd, 'U', 6);
	expect_notified(fd, 7);
	close(fd);
	stop(&f);
}

static void
what_is_held_is_bounded(void **state)
{
	(void)state;
	enum { HELD_MAX = 64 };
	struct fixture f;
	start(&f, 10, 10, 10000);
	f.env.event = on_event;
	int fd = client(&f, "127.0.0.1");
	send_message(fd, 'S', 1);
	expect_answer(fd, 'S', 1);
	for (unsigned round = 0; round < 2; round++) {
		send_message(fd, 'U', 2);
		catch_up(&f);
		for (uint16_t i = 0; i < HELD_MAX + 10; i++) {
			notify(&f, i);
		}
		if (round == 1) {
			break; /* it ends with the worker */
		}
		tcp_worker_answer(f.worker, kept, NULL, 0);
		for (uint16_t i = 0; i < HELD_MAX; i++) {
			expect_notified(fd, i);
		}
		catch_up(&f);
		assert_true(is_quiet(fd));
	}
	stop(&f);
	close(fd);
}

static void
clients_are_counted(void **state)
{
	(void)state;
	enum { CLIENTS = 40, MAX = 60, SHARE = 5, STEPS = 200000 };
	unsigned n[CLIENTS] = { 0 }, total = 0;
	struct clients *c = clients_new(MAX, SHARE);
	srand(1);
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = (unsigned)rand() % CLIENTS;
		struct peer p = { .family = i % 2 == 0 ? 4 : 6, .address = { 10, (uint8_t)i, 0, 0 }, .port = (uint16_t)step };
		if (p.family == 6) {
			memset(p.address + 8, rand() & 0xFF, 8); /* the interface's half does not count */
		}
		if (rand() % 2 == 0) {
			err_t want = n[i] == SHARE ? E_BUSY : total == MAX ? E_LIMIT : OK;
			assert_int_equal(clients_take(c, &p), want);
			n[i] += want == OK;
			total += want == OK;
		} else if (n[i] != 0) {
			clients_give(c, &p);
			n[i]--;
			total--;
		}
		assert_int_equal(clients_count(c), total);
	}
	clients_free(&c);
	assert_null(c);
}

static void
a_site_has_a_fourth(void **state)
{
	(void)state;
	enum { MAX = 40, SITE_MAX = MAX / CLIENTS_SITE_PART };
	struct clients *c = clients_new(MAX, 2);
	struct peer p = { .family = 6, .address = { 0x20, 1, 0xD, 0xB8, 0, 1 } }, other = { .family = 6, .address = { 0x20, 1, 0xD, 0xB8, 0, 2 } };
	for (unsigned i = 0; i < SITE_MAX; i++) {
		p.address[7] = (uint8_t)i; /* each in a /64 of its own */
		assert_int_equal(clients_take(c, &p), OK);
	}
	p.address[7] = SITE_MAX;
	assert_int_equal(clients_take(c, &p), E_BUSY);
	assert_int_equal(clients_take(c, &other), OK);
	p.address[7] = 0;
	clients_give(c, &p);
	p.address[7] = SITE_MAX;
	assert_int_equal(clients_take(c, &p), OK);
	clients_free(&c);
}

static void
some_may_come_beyond_the_most(void **state)
{
	(void)state;
	struct clients *c = clients_new(1, 100);
	struct peer p = { .family = 4 };
	assert_int_equal(clients_take(c, &p), OK);
	assert_int_equal(clients_take(c, &p), E_LIMIT);
	for (unsigned i = 0; i < CLIENTS_BEYOND_MAX; i++) {
		assert_int_equal(clients_take_beyond(c, &p), OK);
	}
	assert_int_equal(clients_take_beyond(c, &p), E_LIMIT);
	clients_free(&c);
}

static void
trusted_places_are_counted(void **state)
{
	(void)state;
	struct clients *c = clients_new(8, 8);
	for (unsigned i = 0; i < 6; i++) {
		assert_true(clients_trust(c));
	}
	assert_false(clients_trust(c));
	clients_distrust(c);
	assert_true(clients_trust(c));
	clients_free(&c);
}

static void
kept_places_are_counted(void **state)
{
	(void)state;
	enum { MAX = 60, KEPT = MAX / CLIENTS_KEPT_PART };
	struct clients *c = clients_new(MAX, MAX);
	for (unsigned i = 0; i < KEPT; i++) {
		assert_true(clients_keep(c));
	}
	assert_false(clients_keep(c));
	clients_unkeep(c);
	assert_true(clients_keep(c));
	assert_false(clients_keep(c));
	clients_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(many_in_one_write),
		cmocka_unit_test(octet_by_octet),
		cmocka_unit_test(the_largest_message),
		cmocka_unit_test(who_does_not_read_is_not_read_from),
		cmocka_unit_test(half_closed_is_answered),
		cmocka_unit_test(what_is_no_message_ends_it),
		cmocka_unit_test(reset_in_the_middle),
		cmocka_unit_test(idle_connections_are_closed),
		cmocka_unit_test(a_reader_too_slow_is_closed),
		cmocka_unit_test(when_full_the_longest_idle_goes),
		cmocka_unit_test(who_is_new_has_time_to_ask),
		cmocka_unit_test(who_says_nothing_goes_first),
		cmocka_unit_test(an_idle_one_goes_at_once),
		cmocka_unit_test(when_crowded_idle_is_shorter),
		cmocka_unit_test(one_client_has_its_share_only),
		cmocka_unit_test(stopping_ends_open_connections),
		cmocka_unit_test(what_is_sent_before_the_end_arrives),
		cmocka_unit_test(nothing_is_sent_into_an_open_question),
		cmocka_unit_test(what_is_held_is_bounded),
		cmocka_unit_test(clients_are_counted),
		cmocka_unit_test(a_site_has_a_fourth),
		cmocka_unit_test(some_may_come_beyond_the_most),
		cmocka_unit_test(trusted_places_are_counted),
		cmocka_unit_test(kept_places_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
