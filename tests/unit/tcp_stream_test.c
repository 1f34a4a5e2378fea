/* Transfers and posted messages over real sockets of the loopback, with the real server behind the TCP worker. */
#include "net/tcp.h"

#include <arpa/inet.h>
#include <poll.h>
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

#include "base/buf.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "net/listen.h"
#include "serve.h"

enum { PORT = 36653, WAIT_MS = 20000 };

/* Names in the zone: a transfer of MANY is more than all sockets' buffers take. */
enum { FEW = 20000, MANY = 300000 };

enum { OCTETS_KEPT_MAX = 4 << 20 }; /* less than one version of MANY */

#define KEY "me._transfer.:SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
static const char keys[] = "me._transfer. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

struct fixture {
	unsigned names;
	struct primary *primary;
	struct server_conf conf;
	struct net_env env;
	struct tcp_conf tcp;
	struct tcp_worker *worker;
	struct listen_address at;
	_Atomic unsigned ended[TRANSFER_FAILED + 1], responses, closed;
	_Atomic uint64_t conn;      /* that was kept last */
};

static size_t
on_event(void *ctx, const struct net_request *r, const struct server_out *out, uint8_t *resp, size_t cap)
{
	struct fixture *f = ctx;
	(void)resp, (void)cap;
	if (out->event == EVENT_SUBSCRIBED) {
		atomic_store(&f->conn, r->conn);
	}
	return 0;
}

static void
on_transferred(void *ctx, const struct net_transferred *t)
{
	struct fixture *f = ctx;
	assert_int_equal(t->to->family, 4);
	assert_true(t->how != TRANSFER_DONE || t->report->records == f->names + 4);
	assert_true(t->zone->len > 1);
	assert_true((t->how == TRANSFER_REVOKED) == (t->kept_octets != 0));
	atomic_fetch_add(&f->ended[t->how], 1);
}

static void
on_response(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct fixture *f = ctx;
	assert_int_equal(conn, atomic_load(&f->conn));
	assert_true(len >= DNS_HEADER_LEN && (bytes[2] & 0x80) != 0);
	atomic_fetch_add(&f->responses, 1);
}

static void
on_closed(void *ctx, uint64_t conn)
{
	struct fixture *f = ctx;
	assert_int_equal(conn, atomic_load(&f->conn));
	atomic_fetch_add(&f->closed, 1);
}

static void
give_back(void *old)
{
	struct discard *d = old;
	discard_free(&d);
}

static size_t
octets_of(const void *old)
{
	return discard_octets(old);
}

static void
on_revoked(void *ctx)
{
	struct fixture *f = ctx;
	tcp_worker_wake(f->worker);
}

static char *
zone_text(unsigned names)
{
	char *text = xalloc(names * 40 + 200);
	size_t n = (size_t)sprintf(text, "$TTL 3600\n@ SOA ns1 hostmaster 7 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n");
	for (unsigned i = 0; i < names; i++) {
		n += (size_t)sprintf(text + n, "name-%u A 192.0.2.%u\n", i, i % 256);
	}
	return text;
}

static void
start(struct fixture *f, unsigned names, unsigned transfers_max, uint32_t idle_ms)
{
	struct diag d;
	int fd;
	char *text = zone_text(names);
	const char *const files[][2] = { { "example", text }, { "_keys", keys } };
	*f = (struct fixture){ .names = names, .conf = { .udp_max = 1232, .is_axfr_open = true } };
	f->primary = serve_files(files, 2);
	assert_non_null(f->primary);
	free(text);
	const struct served_conf served = {
		.first = primary_view(f->primary), .octets_max = OCTETS_KEPT_MAX, .release = give_back, .octets = octets_of,
		.revoked = on_revoked, .ctx = f,
	};
	f->env = (struct net_env){
		.served = served_new(&served), .conf = &f->conf, .handle = server_handle, .event = on_event,
		.transferred = on_transferred, .response = on_response, .closed = on_closed, .ctx = f,
	};
	f->tcp = (struct tcp_conf){
		.env = &f->env, .clients = clients_new(100, 100), .max = 100, .idle_ms = idle_ms, .transfers_max = transfers_max, .number = 3,
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
	assert_int_equal(clients_count(f->tcp.clients), 0);
	clients_free(&f->tcp.clients);
	served_free(&f->env.served); /* no pin is left, or it would say so */
	primary_free(&f->primary);
}

static int
client(const struct fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 4096;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	assert_int_equal(connect(fd, &f->at.sa.any, f->at.len), 0);
	return fd;
}

/* A query, signed if `tsig` is not NULL, with its length before it. */
static size_t
query(uint8_t out[600], const char *name, uint16_t type, uint16_t id, struct tsig *tsig)
{
	struct name n;
	struct buf b = buf_over(out + 2, 598);
	assert_int_equal(name_parse(name, strlen(name), name_root, &n), OK);
	buf_u16(&b, id);
	buf_u16(&b, 0);
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u32(&b, 0);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, type);
	buf_u16(&b, CLASS_IN);
	size_t len = b.len;
	if (tsig != NULL) {
		assert_int_equal(tsig_sign_request(tsig, out + 2, &len, 598, (uint64_t)time(NULL)), OK);
	}
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	return 2 + len;
}

static void
ask(int fd, const char *name, uint16_t type, uint16_t id)
{
	uint8_t q[600];
	size_t n = query(q, name, type, id, NULL);
	assert_int_equal(send(fd, q, n, MSG_NOSIGNAL), (ssize_t)n);
}

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

/* 0: the connection has ended. */
static size_t
receive_message(int fd, struct msg *m, uint8_t wire[DNS_MSG_MAX])
{
	uint8_t head[2];
	if (!receive_all(fd, head, 2)) {
		return 0;
	}
	size_t len = (size_t)head[0] << 8 | head[1];
	assert_true(receive_all(fd, wire, len));
	assert_int_equal(msg_parse(wire, len, m), OK);
	return len;
}

static bool
is_soa_last(const struct msg *m)
{
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr = { 0 };
	c.pos = m->question_end;
	for (unsigned i = 0; i < m->count[1]; i++) {
		assert_int_equal(msg_read_rr(&c, &owner, &rr), OK);
	}
	return rr.type == TYPE_SOA;
}

/* Reads a transfer to its end; returns its records. */
static size_t
receive_transfer(int fd, uint16_t id)
{
	static _Thread_local uint8_t wire[DNS_MSG_MAX];
	size_t records = 0;
	struct msg m;
	do {
		assert_true(receive_message(fd, &m, wire) != 0);
		assert_int_equal(m.id, id);
		records += m.count[1];
	} while (!is_soa_last(&m));
	return records;
}

static void
expect_answer(int fd, uint16_t id)
{
	static uint8_t wire[DNS_MSG_MAX];
	struct msg m;
	assert_true(receive_message(fd, &m, wire) != 0);
	assert_int_equal(m.id, id);
}

static void
await(const _Atomic unsigned *counter, unsigned want)
{
	for (int i = 0; atomic_load(counter) < want; i++) {
		assert_true(i < WAIT_MS);
		usleep(1000);
	}
	assert_int_equal(atomic_load(counter), want);
}

/* Something has come, and stays where it is. */
static void
await_octets(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* The worker has read so many questions. */
static void
await_questions(const struct fixture *f, uint64_t want)
{
	for (int i = 0;; i++) {
		struct net_stats sum = { 0 };
		net_stats_add(&sum, tcp_worker_stats(f->worker));
		if (sum.server.queries[TRANSPORT_TCP] >= want) {
			return;
		}
		assert_true(i < WAIT_MS);
		usleep(1000);
	}
}

/* ---- tests ---- */

static void
what_comes_after_it_waits(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, FEW, 10, 10000);
	int fd = client(&f);
	ask(fd, "ns1.example.", TYPE_A, 1);
	ask(fd, "example.", TYPE_AXFR, 2);
	ask(fd, "ns1.example.", TYPE_A, 3);
	ask(fd, "example.", TYPE_AXFR, 4);
	ask(fd, "ns1.example.", TYPE_A, 5);
	expect_answer(fd, 1);
	assert_int_equal(receive_transfer(fd, 2), f.names + 4);
	expect_answer(fd, 3);
	assert_int_equal(receive_transfer(fd, 4), f.names + 4);
	expect_answer(fd, 5);
	await(&f.ended[TRANSFER_DONE], 2);
	close(fd);
	stop(&f);
}

/* Three at a time, of twelve; and a question of somebody else meanwhile. */
static void
many_have_their_turns(void **state)
{
	(void)state;
	enum { N = 12 };
	struct fixture f;
	start(&f, FEW, 3, 10000);
	int fd[N], other = client(&f);
	for (uint16_t i = 0; i < N; i++) {
		fd[i] = client(&f);
		ask(fd[i], "example.", TYPE_AXFR, i);
	}
	ask(other, "ns1.example.", TYPE_A, 99);
	expect_answer(other, 99);
	for (uint16_t i = 0; i < N; i++) {
		assert_int_equal(receive_transfer(fd[i], i), f.names + 4);
		close(fd[i]);
	}
	await(&f.ended[TRANSFER_DONE], N);
	close(other);
	stop(&f);
}

static void
who_reads_nothing_is_dropped(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, MANY, 1, 300);
	int slow = client(&f), waiting = client(&f);
	ask(slow, "example.", TYPE_AXFR, 1);
	await_octets(slow);
	ask(waiting, "example.", TYPE_AXFR, 2); /* begins when the other has been dropped */
	assert_int_equal(receive_transfer(waiting, 2), f.names + 4);
	await(&f.ended[TRANSFER_STALLED], 1);
	close(slow);
	close(waiting);
	stop(&f);
}

static void
who_goes_is_forgotten(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, MANY, 1, 10000);
	int gone = client(&f), also_gone = client(&f), stays = client(&f);
	uint8_t some[1000];
	ask(gone, "example.", TYPE_AXFR, 1);
	assert_true(receive_all(gone, some, sizeof some));
	ask(also_gone, "example.", TYPE_AXFR, 2);
	ask(stays, "example.", TYPE_AXFR, 3);
	await_questions(&f, 3);
	const struct linger now = { .l_onoff = 1 };
	assert_int_equal(setsockopt(also_gone, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(also_gone);
	assert_int_equal(setsockopt(gone, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(gone);
	assert_int_equal(receive_transfer(stays, 3), f.names + 4);
	close(stays);
	stop(&f);
}

/* The next version of the zone, which has hardly anything. */
static void
publish(struct fixture *f, unsigned serial)
{
	char next[200];
	int n = snprintf(next, sizeof next, "$TTL 3600\n@ SOA ns1 hostmaster %u 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n", serial);
	struct source_change change = { .path = "example", .bytes = (const uint8_t *)next, .len = (size_t)n };
	struct source_commit c = { .id = "c0ffee", .changes = &change, .n = 1, .open = serve_no_file, .close = serve_close };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	assert_int_equal(primary_apply(f->primary, &c, &outcome, &view, &old), OK);
	served_publish(f->env.served, view, old);
}

/* The zone moves on under a transfer, which goes on with what it began with. */
static void
the_version_stays(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, MANY, 10, 10000);
	int fd = client(&f);
	uint8_t head[2];
	ask(fd, "example.", TYPE_AXFR, 1);
	assert_true(recv(fd, head, 2, MSG_PEEK | MSG_WAITALL) == 2); /* it is under way */
	publish(&f, 8);
	assert_int_equal(served_kept(f.env.served).versions, 1);
	assert_int_equal(receive_transfer(fd, 1), f.names + 4);
	await(&f.ended[TRANSFER_DONE], 1);
	served_reclaim(f.env.served);
	assert_int_equal(served_kept(f.env.served).versions, 0);
	close(fd);
	stop(&f);
}

/* It reads nothing, so that it is not at it when its pin is revoked. */
static void
who_keeps_too_much_is_cut(void **state)
{
	(void)state;
	struct fixture f;
	start(&f, MANY, 10, 10000);
	int fd = client(&f);
	ask(fd, "example.", TYPE_AXFR, 1);
	await_octets(fd);
	publish(&f, 8);
	publish(&f, 9);
	await(&f.ended[TRANSFER_REVOKED], 1);
	served_reclaim(f.env.served);
	assert_int_equal(served_kept(f.env.served).versions, 0);
	assert_int_equal(served_kept(f.env.served).octets, 0);
	close(fd);
	stop(&f);
}

/* A secondary that asks with its key hears of changes by its connection, though it says nothing for long. */
static void
secondaries_are_kept(void **state)
{
	(void)state;
	struct fixture f;
	struct tsig_key key;
	struct tsig tsig = { .key = &key };
	char why[128];
	start(&f, FEW, 10, 200);
	assert_int_equal(tsig_key_parse(KEY, &key, why), OK);
	int fd = client(&f), other = client(&f);
	uint8_t q[600], m[2 + DNS_HEADER_LEN] = { 0, DNS_HEADER_LEN, 7, 7, 0x20 };
	size_t n = query(q, "example.", TYPE_SOA, 1, &tsig);
	assert_int_equal(send(fd, q, n, MSG_NOSIGNAL), (ssize_t)n);
	expect_answer(fd, 1);
	uint8_t octet;
	assert_false(receive_all(other, &octet, 1)); /* who is idle is closed */
	uint64_t conn = atomic_load(&f.conn);
	assert_int_equal(tcp_worker_of(conn), 3);
	assert_true(tcp_worker_send(f.worker, conn, m + 2, DNS_HEADER_LEN));
	assert_true(tcp_worker_send(f.worker, conn ^ 1, m + 2, DNS_HEADER_LEN)); /* nobody has that */
	uint8_t got[sizeof m];
	assert_true(receive_all(fd, got, sizeof got));
	assert_memory_equal(got, m, sizeof m);
	m[4] = 0xA0; /* its answer */
	assert_int_equal(send(fd, m, sizeof m, MSG_NOSIGNAL), (ssize_t)sizeof m);
	await(&f.responses, 1);
	assert_int_equal(atomic_load(&f.closed), 0);
	close(fd);
	await(&f.closed, 1);
	close(other);
	tsig_fini(&tsig);
	stop(&f);
}

/* The places for secondaries are those of all workers together. */
static void
what_other_workers_keep_counts(void **state)
{
	(void)state;
	struct fixture f;
	struct tsig_key key;
	struct tsig tsig = { .key = &key };
	char why[128];
	start(&f, FEW, 10, 200);
	assert_int_equal(tsig_key_parse(KEY, &key, why), OK);
	unsigned elsewhere = 0;
	while (clients_keep(f.tcp.clients)) {
		elsewhere++;
	}
	assert_int_equal(elsewhere, f.tcp.max / CLIENTS_KEPT_PART);

	uint8_t q[600], octet;
	size_t n = query(q, "example.", TYPE_SOA, 1, &tsig);
	int fd = client(&f);
	atomic_store(&f.conn, 1);
	assert_int_equal(send(fd, q, n, MSG_NOSIGNAL), (ssize_t)n);
	expect_answer(fd, 1);
	assert_int_equal(atomic_load(&f.conn), 0); /* not by this connection */
	assert_false(receive_all(fd, &octet, 1));  /* closed as idle */
	close(fd);
	tsig_fini(&tsig);
	while (elsewhere-- != 0) {
		clients_unkeep(f.tcp.clients);
	}
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_after_it_waits),
		cmocka_unit_test(many_have_their_turns),
		cmocka_unit_test(who_reads_nothing_is_dropped),
		cmocka_unit_test(who_goes_is_forgotten),
		cmocka_unit_test(the_version_stays),
		cmocka_unit_test(who_keeps_too_much_is_cut),
		cmocka_unit_test(secondaries_are_kept),
		cmocka_unit_test(what_other_workers_keep_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
