/* NOTIFY out over real sockets of the loopback, with a secondary of the test's own. */
#include "net/notify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "awaiting.h"
#include "base/buf.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "net/env.h"
#include "net/notify_queue.h"

enum { WAIT_MS = 20000, QUIET_MS = 100, MESSAGE_MAX = 2048 };

struct bytes {
	size_t len;
	uint8_t at[MESSAGE_MAX];
};

/* Whom is told: a listener and a socket for datagrams on one port, either may be -1. */
struct secondary {
	int tcp, udp;
	uint16_t port;
	struct key_address address;
};

struct fixture {
	struct net_notify *nn;
	struct awaiting shared;
	unsigned reports[NOTIFY_OUTCOMES];
	enum notify_transport transport; /* of the last report */
	struct bytes over;               /* what went over a peer's own connection last */
	uint64_t over_conn;
	unsigned over_n;
	bool no_conn;
};

/* ---- the notifier's side ---- */

static void
on_report(void *ctx, const struct notifier_report *r)
{
	struct fixture *f = ctx;
	awaiting_begin(&f->shared);
	f->reports[r->outcome]++;
	f->transport = r->transport;
	awaiting_end(&f->shared);
}

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct fixture *f = ctx;
	awaiting_begin(&f->shared);
	bool is_there = !f->no_conn;
	f->over.len = len;
	memcpy(f->over.at, bytes, len);
	f->over_conn = conn;
	f->over_n += is_there;
	awaiting_end(&f->shared);
	return is_there;
}

static void
start_from(struct fixture *f, const struct listen_address *v4)
{
	struct diag d;
	memset(f, 0, sizeof *f);
	awaiting_init(&f->shared, WAIT_MS);
	const struct net_notify_conf conf = { .source_v4 = v4, .send_over = send_over, .report = on_report, .ctx = f };
	assert_int_equal(net_notify_start(&conf, &f->nn, &d), OK);
}

static void
start(struct fixture *f)
{
	start_from(f, NULL);
}

static void
stop(struct fixture *f)
{
	net_notify_stop(&f->nn);
	assert_null(f->nn);
	awaiting_fini(&f->shared);
}

static void
await_report(struct fixture *f, enum notify_outcome o, unsigned n)
{
	await(&f->shared, &f->reports[o], n);
}

static err_t
add(struct fixture *f, const char *zone, const struct notify_target *to)
{
	static const uint8_t soa[] = "\3ns1\7example\0\5admin\7example\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	struct name n;
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n), OK);
	const struct notify_news news = { .zone = n.oct, .soa = soa, .soa_len = sizeof soa - 1, .soa_ttl = 60 };
	return net_notify_add(f->nn, &news, to);
}

static void
add_to(struct fixture *f, const char *zone, const struct secondary *s)
{
	const struct notify_target to = { .address = s->address, .port = s->port };
	assert_int_equal(add(f, zone, &to), OK);
}

static struct notifier_stats
stats(struct fixture *f)
{
	struct notifier_stats s;
	net_notify_stats(f->nn, &s);
	return s;
}

/* Once they have so many of an outcome: what is reported is counted a moment later. */
static struct notifier_stats
stats_after(struct fixture *f, enum notify_outcome o, unsigned n)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	for (int ms = 0; stats(f).outcomes[o] < n; ms++) {
		assert_true(ms < WAIT_MS);
		nanosleep(&pause, NULL);
	}
	return stats(f);
}

/* ---- the secondary's side ---- */

static int
open_socket(int type, const struct listen_address *at)
{
	int fd = socket(at->sa.any.sa_family, type | SOCK_CLOEXEC, 0), one = 1;
	assert_true(fd >= 0);
	if (type == SOCK_STREAM) {
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
	}
	if (bind(fd, &at->sa.any, at->len) != 0 || (type == SOCK_STREAM && listen(fd, 10) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A port that is free for both. */
static struct secondary
secondary(const char *address, bool has_tcp, bool has_udp)
{
	struct diag d;
	for (int tries = 0; tries < 100; tries++) {
		struct listen_address at;
		struct secondary s = { .udp = -1 };
		assert_int_equal(listen_parse(address, 1, &at, &d), OK);
		bool is_v4 = at.sa.any.sa_family == AF_INET;
		s.address.family = is_v4 ? 4 : 6;
		memcpy(s.address.octets, is_v4 ? (void *)&at.sa.v4.sin_addr : (void *)&at.sa.v6.sin6_addr, is_v4 ? 4 : 16);
		*(is_v4 ? &at.sa.v4.sin_port : &at.sa.v6.sin6_port) = 0;
		s.tcp = open_socket(SOCK_STREAM, &at);
		assert_int_equal(getsockname(s.tcp, &at.sa.any, &at.len), 0);
		s.port = ntohs(is_v4 ? at.sa.v4.sin_port : at.sa.v6.sin6_port);
		s.udp = open_socket(SOCK_DGRAM, &at);
		if (s.udp < 0) {
			close(s.tcp);
			continue;
		}
		if (!has_tcp) {
			close(s.tcp);
			s.tcp = -1;
		}
		if (!has_udp) {
			close(s.udp);
			s.udp = -1;
		}
		return s;
	}
	fail_msg("no free port");
	return (struct secondary){ 0 };
}

static void
end(struct secondary *s)
{
	if (s->tcp >= 0) {
		close(s->tcp);
	}
	if (s->udp >= 0) {
		close(s->udp);
	}
}

static void
await_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static int
accept_one(const struct secondary *s)
{
	await_readable(s->tcp);
	int fd = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static bool
receive_all(int fd, uint8_t *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		await_readable(fd);
		ssize_t got = recv(fd, to + at, n - at, 0);
		if (got <= 0) {
			return false;
		}
		at += (size_t)got;
	}
	return true;
}

/* The next message of a connection; false at its end. */
static bool
receive(int fd, struct bytes *out)
{
	uint8_t prefix[2];
	if (!receive_all(fd, prefix, 2)) {
		return false;
	}
	out->len = (size_t)prefix[0] << 8 | prefix[1];
	assert_true(out->len <= sizeof out->at);
	return receive_all(fd, out->at, out->len);
}

static struct msg
parsed(const struct bytes *b)
{
	struct msg m;
	assert_int_equal(msg_parse(b->at, b->len, &m), OK);
	assert_int_equal(m.bits, OPCODE_NOTIFY << 11 | DNS_AA);
	assert_int_equal(m.qtype, TYPE_SOA);
	return m;
}

static struct bytes
answer_to(const struct bytes *request)
{
	struct msg m = parsed(request);
	struct bytes a = { .len = m.question_end };
	memcpy(a.at, request->at, a.len);
	a.at[2] |= 0x80;
	memset(a.at + 6, 0, 6);
	return a;
}

static void
send_framed(int fd, const struct bytes *b)
{
	uint8_t framed[2 + MESSAGE_MAX] = { (uint8_t)(b->len >> 8), (uint8_t)b->len };
	memcpy(framed + 2, b->at, b->len);
	assert_int_equal(send(fd, framed, 2 + b->len, MSG_NOSIGNAL), (ssize_t)(2 + b->len));
}

static void
answer_datagram(const struct secondary *s, struct sockaddr_storage *from)
{
	struct bytes request, a;
	socklen_t from_len = sizeof *from;
	await_readable(s->udp);
	ssize_t n = recvfrom(s->udp, request.at, sizeof request.at, 0, (struct sockaddr *)from, &from_len);
	assert_true(n > 0);
	request.len = (size_t)n;
	a = answer_to(&request);
	assert_int_equal(sendto(s->udp, a.at, a.len, 0, (struct sockaddr *)from, from_len), (ssize_t)a.len);
}

/* ---- tests ---- */

static void
many_zones_over_one_connection(void **state)
{
	(void)state;
	struct fixture f;
	struct secondary s = secondary("127.0.0.1", true, false);
	char zone[32];
	start(&f);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(zone, sizeof zone, "z%03u.example.", i);
		add_to(&f, zone, &s);
	}
	int fd = accept_one(&s);
	struct bytes request;
	for (unsigned i = 0; i < 200; i++) {
		assert_true(receive(fd, &request));
		struct bytes a = answer_to(&request);
		send_framed(fd, &a);
	}
	await_report(&f, NOTIFY_ACKNOWLEDGED, 200);
	assert_int_equal(f.transport, NOTIFY_OVER_TCP);
	assert_false(receive(fd, &request)); /* it is closed when there is no more */
	const struct notifier_stats n = stats_after(&f, NOTIFY_ACKNOWLEDGED, 200);
	assert_int_equal(n.pending, 0);
	assert_int_equal(n.added, 200);
	assert_int_equal(n.sent[NOTIFY_OVER_TCP], 200);
	assert_int_equal(n.sent[NOTIFY_OVER_UDP], 0);
	close(fd);
	end(&s);
	stop(&f);
}

static void
datagrams_where_nobody_listens(void **state)
{
	(void)state;
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct fixture f;
		struct sockaddr_storage from;
		struct secondary s = secondary(addresses[i], false, true);
		start(&f);
		add_to(&f, "example.", &s);
		answer_datagram(&s, &from);
		await_report(&f, NOTIFY_ACKNOWLEDGED, 1);
		assert_int_equal(f.transport, NOTIFY_OVER_UDP);
		end(&s);
		stop(&f);
	}
}

static void
datagrams_after_silence(void **state)
{
	(void)state;
	struct fixture f;
	struct sockaddr_storage from;
	struct secondary s = secondary("127.0.0.1", true, true);
	start(&f);
	add_to(&f, "example.", &s);
	int fd = accept_one(&s);
	struct bytes request;
	assert_true(receive(fd, &request));
	answer_datagram(&s, &from);
	await_report(&f, NOTIFY_ACKNOWLEDGED, 1);
	assert_false(receive(fd, &request));
	close(fd);
	end(&s);
	stop(&f);
}

/* What comes back is no DNS, or ends in the middle: UDP at once. */
static void
datagrams_after_garbage(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		const char *text;
	} garbage[] = { { 2, "\0\0" }, { 3, "\0\5x" }, { 2, "\xFF\xFF" }, { 8, "HTTP/1.1" }, { 20, "\0\100abcdefghijklmnopqr" },
			{ 0, "" } };
	struct fixture f;
	struct secondary s = secondary("127.0.0.1", true, true);
	start(&f);
	for (unsigned i = 0; i < ARRAY_LEN(garbage); i++) {
		struct sockaddr_storage from;
		struct bytes request;
		add_to(&f, "example.", &s);
		int fd = accept_one(&s);
		assert_true(receive(fd, &request));
		assert_int_equal(send(fd, garbage[i].text, garbage[i].len, MSG_NOSIGNAL), (ssize_t)garbage[i].len);
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
		answer_datagram(&s, &from);
		await_report(&f, NOTIFY_ACKNOWLEDGED, i + 1);
		close(fd);
	}
	end(&s);
	stop(&f);
}

static void
answers_in_pieces(void **state)
{
	(void)state;
	struct fixture f;
	struct secondary s = secondary("127.0.0.1", true, false);
	uint8_t all[3 * (2 + MESSAGE_MAX)];
	size_t len = 0;
	start(&f);
	add_to(&f, "a.example.", &s);
	add_to(&f, "b.example.", &s);
	add_to(&f, "c.example.", &s);
	int fd = accept_one(&s);
	for (int i = 0; i < 3; i++) {
		struct bytes request, a;
		assert_true(receive(fd, &request));
		a = answer_to(&request);
		all[len++] = 0;
		all[len++] = (uint8_t)a.len;
		memcpy(all + len, a.at, a.len);
		len += a.len;
	}
	size_t cut = len / 2 + 1; /* in the middle of the second */
	for (size_t at = 0; at < len; at += cut) {
		size_t n = cut < len - at ? cut : len - at;
		assert_int_equal(send(fd, all + at, n, MSG_NOSIGNAL), (ssize_t)n);
		await_report(&f, NOTIFY_ACKNOWLEDGED, at == 0 ? 1 : 3);
	}
	close(fd);
	end(&s);
	stop(&f);
}

/* One answer a connection, as some servers do. */
static void
a_server_that_closes_after_each_answer(void **state)
{
	(void)state;
	struct fixture f;
	struct secondary s = secondary("127.0.0.1", true, true);
	char zone[32];
	start(&f);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(zone, sizeof zone, "z%03u.example.", i);
		add_to(&f, zone, &s);
	}
	while (stats(&f).outcomes[NOTIFY_ACKNOWLEDGED] < 30) {
		struct pollfd p[2] = { { .fd = s.tcp, .events = POLLIN }, { .fd = s.udp, .events = POLLIN } };
		struct sockaddr_storage from;
		int n = poll(p, 2, QUIET_MS);
		if (n > 0 && p[0].revents != 0) {
			struct bytes request, a;
			int fd = accept_one(&s);
			if (receive(fd, &request)) {
				a = answer_to(&request);
				send_framed(fd, &a);
			}
			close(fd);
		}
		if (n > 0 && p[1].revents != 0) {
			answer_datagram(&s, &from);
		}
	}
	await_report(&f, NOTIFY_ACKNOWLEDGED, 30);
	end(&s);
	stop(&f);
}

static void
over_a_peers_own_connection(void **state)
{
	(void)state;
	struct fixture f;
	struct tsig_key key = { .alg = HMAC_SHA512, .secret_len = 64 };
	assert_int_equal(name_parse("k._transfer.", 12, NULL, &key.name), OK);
	memset(key.secret, 'k', key.secret_len);
	const struct notify_target to = { .conn = UINT64_C(0x123456789ABCDEF0), .key = &key };
	start(&f);
	assert_int_equal(add(&f, "example.", &to), OK);
	await(&f.shared, &f.over_n, 1);
	awaiting_begin(&f.shared);
	struct bytes request = f.over;
	assert_true(f.over_conn == to.conn);
	awaiting_end(&f.shared);
	struct msg m = parsed(&request);
	struct tsig t;
	assert_int_equal(tsig_verify_request(&t, &m, &key, net_wall_s()), OK);
	struct bytes a = answer_to(&request);
	net_notify_conn_input(f.nn, to.conn, a.at, a.len); /* unsigned: does not count */
	assert_int_equal(tsig_sign_response(&t, a.at, &a.len, sizeof a.at, net_wall_s()), OK);
	net_notify_conn_input(f.nn, to.conn + 1, a.at, a.len);
	net_notify_conn_input(f.nn, to.conn, a.at, a.len);
	await_report(&f, NOTIFY_ACKNOWLEDGED, 1);
	const struct notifier_stats n = stats_after(&f, NOTIFY_ACKNOWLEDGED, 1);
	assert_int_equal(n.unverified, 1);
	assert_int_equal(n.unexpected, 1);

	assert_int_equal(add(&f, "example.", &to), OK);
	await(&f.shared, &f.over_n, 2);
	net_notify_conn_closed(f.nn, to.conn);
	await_report(&f, NOTIFY_LOST, 1);
	awaiting_begin(&f.shared);
	f.no_conn = true;
	awaiting_end(&f.shared);
	assert_int_equal(add(&f, "example.", &to), OK);
	await_report(&f, NOTIFY_LOST, 2);
	stop(&f);
}

/* By TCP, which brings nothing, and then by UDP: both from that address, and from a port of the system's choice. */
static void
assert_told_from(struct secondary *s, uint32_t address)
{
	struct sockaddr_storage from;
	struct sockaddr_in v4;
	socklen_t len = sizeof v4;
	await_readable(s->tcp);
	int fd = accept4(s->tcp, (struct sockaddr *)&v4, &len, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ntohl(v4.sin_addr.s_addr), address);
	assert_int_not_equal(ntohs(v4.sin_port), 53);
	close(fd);
	answer_datagram(s, &from);
	memcpy(&v4, &from, sizeof v4);
	assert_int_equal(ntohl(v4.sin_addr.s_addr), address);
}

static void
from_an_address_of_our_choice(void **state)
{
	(void)state;
	struct fixture f;
	struct listen_address source;
	struct diag d;
	struct secondary s = secondary("127.0.0.1", true, true);
	assert_int_equal(listen_parse("127.0.0.2", 53, &source, &d), OK);
	start_from(&f, &source);
	add_to(&f, "example.", &s);
	assert_told_from(&s, 0x7F000002);
	await_report(&f, NOTIFY_ACKNOWLEDGED, 1);
	end(&s);
	stop(&f);

	assert_int_equal(listen_parse("192.0.2.1", 53, &source, &d), OK); /* nobody's here */
	const struct net_notify_conf conf = { .source_v4 = &source, .send_over = send_over, .report = on_report, .ctx = &f };
	assert_int_equal(net_notify_start(&conf, &f.nn, &d), E_UNSUPPORTED);
	assert_non_null(strstr(d.text, "192.0.2.1"));
	assert_true(d.hint[0] != '\0');
}

/* The source of a target goes before the one that is for all, by TCP and by UDP; the answer to a datagram finds its way back. */
static void
from_the_source_of_the_target(void **state)
{
	(void)state;
	struct fixture f;
	struct listen_address source;
	struct diag d;
	struct secondary s = secondary("127.0.0.1", true, true);
	assert_int_equal(listen_parse("127.0.0.2", 53, &source, &d), OK);
	start_from(&f, &source);
	const struct notify_target to = { .source = { 4, { 127, 0, 0, 3 } }, .address = s.address, .port = s.port };
	assert_int_equal(add(&f, "example.", &to), OK);
	assert_told_from(&s, 0x7F000003);
	await_report(&f, NOTIFY_ACKNOWLEDGED, 1);
	end(&s);
	stop(&f);
}

/* An address that is ours no more, and more sources than there are sockets for: nothing goes, and nothing breaks. */
static void
from_a_source_that_cannot_be(void **state)
{
	(void)state;
	struct fixture f;
	struct secondary s = secondary("127.0.0.1", false, false);
	start(&f);
	for (unsigned i = 0; i < 40; i++) {
		struct notify_target to = { .source = { 4, { 127, 0, 1, (uint8_t)i } }, .address = s.address, .port = s.port };
		to.source.octets[0] = i < 3 ? 192 : 127;
		assert_int_equal(add(&f, "example.", &to), OK);
	}
	await_report(&f, NOTIFY_UNREACHED, 40);
	assert_int_equal(stats(&f).pending, 40);
	end(&s);
	stop(&f);
}

enum { ADDERS = 3, ADDS = 1500 };

struct adder {
	struct fixture *f;
	unsigned number;
	pthread_t thread;
};

static void *
add_some(void *arg)
{
	struct adder *a = arg;
	struct notifier_stats s;
	char zone[32];
	for (unsigned i = 0; i < ADDS; i++) {
		const struct notify_target to = { .conn = 1 + i % 7 };
		snprintf(zone, sizeof zone, "z%u-%u.example.", a->number, i);
		assert_int_equal(add(a->f, zone, &to), OK);
		if (i % 100 == 0) {
			net_notify_conn_closed(a->f->nn, 1 + i / 100 % 7);
			net_notify_conn_input(a->f->nn, 1 + i % 7, (const uint8_t *)zone, sizeof zone);
			net_notify_stats(a->f->nn, &s);
		}
	}
	return NULL;
}

static void
any_thread_may_add(void **state)
{
	(void)state;
	struct fixture f;
	struct adder adders[ADDERS];
	start(&f);
	for (unsigned i = 0; i < ADDERS; i++) {
		adders[i] = (struct adder){ .f = &f, .number = i };
		assert_int_equal(pthread_create(&adders[i].thread, NULL, add_some, &adders[i]), 0);
	}
	for (unsigned i = 0; i < ADDERS; i++) {
		pthread_join(adders[i].thread, NULL);
	}
	for (uint64_t conn = 1; conn <= 7; conn++) {
		net_notify_conn_closed(f.nn, conn);
	}
	await_report(&f, NOTIFY_LOST, ADDERS * ADDS);
	const struct notifier_stats n = stats_after(&f, NOTIFY_LOST, ADDERS * ADDS);
	assert_int_equal(n.added, ADDERS * ADDS);
	assert_int_equal(n.over_limit, 0);
	stop(&f);
}

/* With connections open, some under way, and much in the queue. */
static void
stopping_is_quick(void **state)
{
	(void)state;
	struct fixture f;
	struct secondary s = secondary("127.0.0.1", true, true), deaf = secondary("127.0.0.1", true, false);
	char zone[32];
	start(&f);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(zone, sizeof zone, "z%03u.example.", i);
		add_to(&f, zone, i % 2 == 0 ? &s : &deaf);
	}
	int fd = accept_one(&s);
	struct bytes request;
	assert_true(receive(fd, &request));
	struct timespec begin, now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	stop(&f);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(now.tv_sec - begin.tv_sec < 5);
	close(fd);
	end(&s);
	end(&deaf);
	struct net_notify *none = NULL;
	net_notify_stop(&none);
}

static void
the_queue_is_bounded(void **state)
{
	(void)state;
	struct notify_queue q;
	static const uint8_t octets[UINT16_MAX];
	notify_queue_init(&q);
	for (unsigned i = 0; i < NOTIFY_QUEUE_INPUTS_MAX; i++) {
		assert_int_equal(notify_queue_input(&q, 1, octets, 12), OK);
	}
	assert_int_equal(notify_queue_input(&q, 1, octets, 12), E_LIMIT);
	assert_int_equal(notify_queue_input(&q, 1, octets, NOTIFY_INPUT_MAX + 1), E_LIMIT);
	assert_int_equal(notify_queue_over_limit(&q), 2);
	const struct notify_news news = { .zone = name_root, .soa = octets, .soa_len = UINT16_MAX };
	const struct notify_target to = { .conn = 1 };
	unsigned n = 0;
	while (notify_queue_news(&q, &news, &to) == OK) {
		n++;
	}
	assert_true(n > NOTIFY_QUEUE_OCTETS_MAX / 70000 && n < NOTIFY_QUEUE_OCTETS_MAX / 65000);
	struct notify_entry *e = notify_queue_take(&q);
	assert_int_equal(e->kind, NOTIFY_ENTRY_INPUT);
	notify_entry_free(&e);
	assert_int_equal(notify_queue_input(&q, 1, octets, 12), OK);
	notify_queue_fini(&q);
}

static void
the_queue_gives_back_what_was_put_in(void **state)
{
	(void)state;
	struct notify_queue q;
	struct tsig_key key = { .alg = HMAC_SHA384, .secret_len = TSIG_SECRET_MAX }, read;
	assert_int_equal(name_parse("k._transfer.", 12, NULL, &key.name), OK);
	memset(key.secret, 's', sizeof key.secret);
	const struct notify_news gone = { .zone = (const uint8_t *)"\1a" },
				 there = { .zone = (const uint8_t *)"\1b", .soa = (const uint8_t *)"soa", .soa_len = 3, .soa_ttl = 9 };
	const struct notify_target plain = { .address = { 4, { 1, 2, 3, 4 } }, .port = 5 },
				   with_key = { .conn = 6, .key = &key };
	notify_queue_init(&q);
	assert_null(notify_queue_take(&q));
	assert_int_equal(notify_queue_news(&q, &gone, &plain), OK);
	assert_int_equal(notify_queue_news(&q, &there, &with_key), OK);
	assert_int_equal(notify_queue_closed(&q, 7), OK);
	struct notify_news news;
	struct notify_target to;
	struct notify_entry *e = notify_queue_take(&q);
	notify_entry_read(e, &news, &to, &read);
	assert_true(name_is_equal(news.zone, gone.zone) && news.soa == NULL && to.key == NULL && to.port == 5);
	assert_true(key_address_is_equal(&to.address, &plain.address));
	notify_entry_free(&e);
	e = notify_queue_take(&q);
	notify_entry_read(e, &news, &to, &read);
	assert_true(name_is_equal(news.zone, there.zone) && news.soa_len == 3 && news.soa_ttl == 9 && to.conn == 6);
	assert_memory_equal(news.soa, "soa", 3);
	assert_true(to.key == &read && read.alg == key.alg && read.secret_len == key.secret_len);
	assert_memory_equal(read.secret, key.secret, key.secret_len);
	assert_true(name_is_equal(read.name.oct, key.name.oct));
	notify_entry_free(&e);
	e = notify_queue_take(&q);
	assert_true(e->kind == NOTIFY_ENTRY_CLOSED && e->target.conn == 7);
	notify_entry_free(&e);
	assert_null(notify_queue_take(&q));
	assert_int_equal(notify_queue_closed(&q, 8), OK); /* after it was empty */
	notify_queue_fini(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_queue_gives_back_what_was_put_in),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(many_zones_over_one_connection),
		cmocka_unit_test(datagrams_where_nobody_listens),
		cmocka_unit_test(datagrams_after_silence),
		cmocka_unit_test(datagrams_after_garbage),
		cmocka_unit_test(answers_in_pieces),
		cmocka_unit_test(a_server_that_closes_after_each_answer),
		cmocka_unit_test(over_a_peers_own_connection),
		cmocka_unit_test(from_an_address_of_our_choice),
		cmocka_unit_test(from_the_source_of_the_target),
		cmocka_unit_test(from_a_source_that_cannot_be),
		cmocka_unit_test(any_thread_may_add),
		cmocka_unit_test(stopping_is_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
