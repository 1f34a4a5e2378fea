/* The follower's thread over real sockets of the loopback.  The machine is a stand-in, which keeps what it is told; what it does, the test
 * does in its place, on its thread. */
#include "net/follow.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "awaiting.h"
#include "base/alloc.h"
#include "dns/wire.h"
#include "loopback.h"
#include "net/notice_queue.h"

enum { WAIT_MS = 20000, LIMIT_MS = 10000, LINK = 3, OTHER_LINK = FOLLOWER_LINKS_MAX - 1 };

struct fixture {
	struct net_follow *nf;
	struct follow_source source;
	int listener, peer;
	struct awaiting shared; /* for all below */
	void (*task)(struct fixture *f);
	unsigned tasks, holds, notices, inputs, closed, timers, requests;
	unsigned link;        /* of the last input, or the last end */
	size_t octets;        /* of all inputs */
	char why[128];
	struct follow_notice notice; /* the last one */
	struct peer from;     /* of the last request */
	uint64_t deadline;
	bool is_held;         /* the task waits for this to become false */
	bool is_closer;       /* the machine closes a link after its first input */
};

static void
count(struct fixture *f, unsigned *counter)
{
	awaiting_begin(&f->shared);
	++*counter;
	awaiting_end(&f->shared);
}

/* ---- the machine ---- */

struct follower {
	struct follower_conf conf;
	struct fixture *f;
	size_t sources;
};

static size_t sources_max = FOLLOWER_SOURCES_MAX;
static struct fixture *fixture; /* the one in use */

struct follower *
follower_new(const struct follower_conf *conf)
{
	struct follower *m = xalloc(sizeof *m);
	m->conf = *conf;
	m->f = fixture;
	return m;
}

void
follower_free(struct follower **m)
{
	free_ptr(m);
}

err_t
follower_add(struct follower *m, const struct now *now, const struct follow_source *s)
{
	assert_true(now->mono_ns != 0 && now->wall_s != 0 && s->port != 0);
	return m->sources++ < sources_max ? OK : E_LIMIT;
}

err_t
follower_add_catalog(struct follower *m, const struct now *now, const uint8_t *name)
{
	assert_true(now->mono_ns != 0 && m->sources != 0);
	return name[1] == 'x' ? E_NOTFOUND : OK;
}

void
follower_notice(struct follower *m, const struct now *now, const struct follow_notice *n)
{
	(void)now;
	m->f->notice = *n;
	count(m->f, &m->f->notices);
}

void
follower_input(struct follower *m, const struct now *now, unsigned link, const uint8_t *bytes, size_t len)
{
	(void)now;
	assert_true((bytes[2] & 0x80) != 0);
	if (m->f->is_closer) {
		m->conf.io.close(m->conf.io.ctx, link);
	}
	m->f->link = link;
	m->f->octets += len;
	count(m->f, &m->f->inputs);
}

void
follower_closed(struct follower *m, const struct now *now, unsigned link, const char *why)
{
	(void)now;
	snprintf(m->f->why, sizeof m->f->why, "%s", why);
	m->f->link = link;
	count(m->f, &m->f->closed);
}

void
follower_datagram(struct follower *m, const struct now *now, unsigned slot, const uint8_t *bytes, size_t len)
{
	(void)now, (void)bytes;
	m->conf.io.udp_end(m->conf.io.ctx, slot);
	m->f->link = slot;
	m->f->octets += len;
	count(m->f, &m->f->inputs);
}

void
follower_unreachable(struct follower *m, const struct now *now, unsigned slot)
{
	(void)now;
	m->conf.io.udp_end(m->conf.io.ctx, slot);
	m->f->link = slot;
	count(m->f, &m->f->closed);
}

const struct follower_stats *
follower_stats(const struct follower *f)
{
	static const struct follower_stats none;
	(void)f;
	return &none;
}

uint64_t
follower_deadline(const struct follower *m)
{
	return m->f->deadline;
}

size_t
follower_sources(const struct follower *m, const uint8_t *zone, const struct follow_source **out, size_t cap)
{
	(void)m, (void)zone, (void)out, (void)cap;
	return 0;
}

void
follower_timer(struct follower *m, const struct now *now)
{
	if (now->mono_ns >= m->f->deadline) {
		m->f->deadline = m->f->timers < 2 ? now->mono_ns + 5000000 : NOW_NEVER;
		count(m->f, &m->f->timers);
	}
}

static const struct follower_io *
io_of(const struct fixture *f)
{
	return &net_follow_machine(f->nf)->conf.io;
}

/* ---- what the caller gives ---- */

static size_t
on_request(void *ctx, const struct peer *from, const uint8_t *bytes, size_t len, uint8_t *resp, size_t cap)
{
	struct fixture *f = ctx;
	assert_true(len <= cap && (bytes[2] & 0x80) == 0);
	f->from = *from;
	memcpy(resp, bytes, len);
	resp[2] |= 0x80;
	count(f, &f->requests);
	return bytes[3] == 'n' ? 0 : len; /* n: no answer */
}

static void
on_woken(void *ctx)
{
	struct fixture *f = ctx;
	if (f->task != NULL) {
		f->task(f);
	}
	count(f, &f->tasks);
}

static err_t
on_take(void *ctx, const uint8_t *zone, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	(void)zone;
	assert_true(whole == NULL && changes == NULL && version == NULL);
	((struct fixture *)ctx)->octets += 1;
	return E_BUSY;
}

static err_t
on_show(void *ctx, const uint8_t *zone, enum follow_presence presence)
{
	(void)zone;
	((struct fixture *)ctx)->octets += 10;
	return presence == FOLLOW_EXPIRED ? E_NOMEM : OK;
}

static void
on_report(void *ctx, const struct follow_report *r)
{
	((struct fixture *)ctx)->octets += r->event == FOLLOW_GONE ? 100 : 0;
}

static size_t
on_octets_max(void *ctx)
{
	return ((struct fixture *)ctx)->octets;
}

/* ---- beginning and end ---- */

static struct net_follow_conf
conf_of(struct fixture *f)
{
	return (struct net_follow_conf){
		.machine = { .octets_max = on_octets_max, .io = { .take = on_take, .show = on_show, .report = on_report, .ctx = f } },
		.sources = &f->source,
		.sources_n = 1,
		.request = on_request,
		.woken = on_woken,
		.ctx = f,
	};
}

static void
set_up(struct fixture *f)
{
	struct listen_address at = loopback(1, 0);
	*f = (struct fixture){ .peer = -1, .deadline = NOW_NEVER };
	fixture = f;
	awaiting_init(&f->shared, WAIT_MS);
	f->listener = loopback_listen(&at);
	f->source = (struct follow_source){ .address = { 4, { 127, 0, 0, 1 } }, .port = ntohs(at.sa.v4.sin_port) };
}

static void
start_from(struct fixture *f, const struct listen_address *v4)
{
	struct diag d;
	set_up(f);
	struct net_follow_conf conf = conf_of(f);
	conf.from_v4 = v4;
	assert_int_equal(net_follow_new(&conf, &f->nf, &d), OK);
	assert_int_equal(net_follow_start(f->nf, &d), OK);
}

static void
start(struct fixture *f)
{
	start_from(f, NULL);
}

static void
clean_up(struct fixture *f)
{
	if (f->peer >= 0) {
		close(f->peer);
	}
	close(f->listener);
	awaiting_fini(&f->shared);
}

static void
stop(struct fixture *f)
{
	assert_true(net_follow_stop(&f->nf, LIMIT_MS));
	assert_null(f->nf);
	clean_up(f);
}

static void
begin_task(struct fixture *f, void (*task)(struct fixture *f))
{
	f->task = task;
	net_follow_wake(f->nf);
}

/* On the follower's thread; returns when it is done. */
static void
perform(struct fixture *f, void (*task)(struct fixture *f))
{
	unsigned before = f->tasks;
	begin_task(f, task);
	await(&f->shared, &f->tasks, before + 1);
}

/* ---- the primary ---- */

static void
await_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static struct sockaddr_in
accept_peer(struct fixture *f)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	await_readable(f->listener);
	if (f->peer >= 0) {
		close(f->peer);
	}
	f->peer = accept4(f->listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
	assert_true(f->peer >= 0);
	return from;
}

static size_t
put_message(uint8_t *to, size_t len, bool is_response, char mark)
{
	memset(to, 0, 2 + len);
	to[0] = (uint8_t)(len >> 8);
	to[1] = (uint8_t)len;
	to[4] = is_response ? 0x80 : 0;
	to[5] = (uint8_t)mark;
	return 2 + len;
}

static void
peer_sends(struct fixture *f, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(f->peer, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
assert_peer_gets(struct fixture *f, const uint8_t *want, size_t len)
{
	uint8_t got[1000];
	assert_true(len <= sizeof got);
	for (size_t at = 0; at < len;) {
		await_readable(f->peer);
		ssize_t n = recv(f->peer, got + at, len - at, 0);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_memory_equal(got, want, len);
}

static void
assert_peer_sees_the_end(struct fixture *f)
{
	uint8_t octet;
	await_readable(f->peer);
	assert_int_equal(recv(f->peer, &octet, 1, 0), 0);
}

/* ---- tasks ---- */

static void
open_link(struct fixture *f)
{
	const struct follower_io *io = io_of(f);
	uint8_t question[2 + 40];
	put_message(question, 40, false, 'q');
	assert_true(io->open(io->ctx, LINK, &f->source));
	assert_true(io->send(io->ctx, LINK, question + 2, 40));
	assert_true(io->send(io->ctx, LINK, question + 2, 40));
}

static void
close_link(struct fixture *f)
{
	const struct follower_io *io = io_of(f);
	io->close(io->ctx, LINK);
}

static void
open_and_close_another(struct fixture *f)
{
	const struct follower_io *io = io_of(f);
	assert_true(io->open(io->ctx, OTHER_LINK, &f->source));
	io->close(io->ctx, OTHER_LINK);
	open_link(f);
}

static void
ask_the_caller(struct fixture *f)
{
	const struct follower *m = net_follow_machine(f->nf);
	const struct follow_report r = { .event = FOLLOW_GONE };
	f->octets = 0;
	assert_int_equal(m->conf.io.take(m->conf.io.ctx, name_root, NULL, NULL, NULL), E_BUSY);
	assert_int_equal(m->conf.io.show(m->conf.io.ctx, name_root, FOLLOW_EXPIRED), E_NOMEM);
	m->conf.io.report(m->conf.io.ctx, &r);
	assert_int_equal(m->conf.octets_max(m->conf.io.ctx), 111);
	assert_true(m->conf.io.random_u32(m->conf.io.ctx) != m->conf.io.random_u32(m->conf.io.ctx) ||
	            m->conf.io.random_u32(m->conf.io.ctx) != m->conf.io.random_u32(m->conf.io.ctx));
}

static void
set_deadline(struct fixture *f)
{
	f->deadline = 1;
}

static void
hold(struct fixture *f)
{
	count(f, &f->holds);
	awaiting_begin(&f->shared);
	while (f->is_held) {
		pthread_cond_wait(&f->shared.changed, &f->shared.lock);
	}
	awaiting_end(&f->shared);
}

/* From now on the thread does nothing. */
static void
hold_up(struct fixture *f)
{
	f->is_held = true;
	begin_task(f, hold);
	await(&f->shared, &f->holds, 1);
}

static void
release(struct fixture *f)
{
	awaiting_begin(&f->shared);
	f->is_held = false;
	awaiting_end(&f->shared);
}

/* ---- tests ---- */

static void
questions_and_answers(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t questions[2 * 42], answers[3 * 42];
	start(&f);
	size_t len = put_message(questions, 40, false, 'q');
	len += put_message(questions + len, 40, false, 'q');
	perform(&f, open_link);
	accept_peer(&f);
	assert_peer_gets(&f, questions, len);
	len = put_message(answers, 40, true, 'a');
	len += put_message(answers + len, 40, true, 'b');
	len += put_message(answers + len, 30, true, 'c');
	peer_sends(&f, answers, len);
	await(&f.shared, &f.inputs, 3);
	assert_int_equal(f.link, LINK);
	assert_int_equal(f.octets, 110);
	perform(&f, close_link);
	assert_peer_sees_the_end(&f);
	assert_int_equal(f.closed, 0);
	perform(&f, ask_the_caller);
	stop(&f);
}

static void
requests_over_a_link(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t requests[3 * 42], answer[42];
	start(&f);
	perform(&f, open_link);
	accept_peer(&f);
	assert_peer_gets(&f, requests, 0);
	size_t len = put_message(requests, 20, false, 'n');
	len += put_message(requests + len, 20, true, 'r'); /* a response between them */
	len += put_message(requests + len, 20, false, 'a');
	peer_sends(&f, requests, len);
	await(&f.shared, &f.requests, 2);
	await(&f.shared, &f.inputs, 1);
	uint8_t questions[2 * 42];
	len = put_message(questions, 40, false, 'q');
	len += put_message(questions + len, 40, false, 'q');
	assert_peer_gets(&f, questions, len);
	assert_peer_gets(&f, answer, put_message(answer, 20, true, 'a'));
	assert_int_equal(f.from.family, 4);
	assert_memory_equal(f.from.address, "\177\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(f.from.port, f.source.port);
	assert_int_equal(f.from.transport, TRANSPORT_TCP);
	stop(&f);
}

static void
the_primary_closes(void **state)
{
	(void)state;
	struct fixture f;
	start(&f);
	for (unsigned i = 1; i <= 3; i++) { /* the same number each time */
		perform(&f, open_link);
		accept_peer(&f);
		assert_int_equal(shutdown(f.peer, SHUT_RDWR), 0);
		await(&f.shared, &f.closed, i);
		assert_int_equal(f.link, LINK);
		assert_string_equal(f.why, "the peer has closed the connection");
	}
	stop(&f);
}

static void
the_machine_closes_in_the_middle(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t answers[10 * 42];
	size_t len = 0;
	start(&f);
	f.is_closer = true;
	for (size_t i = 0; i < 10; i++) {
		len += put_message(answers + len, 40, true, 'a');
	}
	perform(&f, open_link);
	accept_peer(&f);
	peer_sends(&f, answers, len);
	await(&f.shared, &f.inputs, 1);
	perform(&f, NULL); /* a turn of the loop later */
	assert_int_equal(f.inputs, 1);
	assert_int_equal(f.closed, 0);
	stop(&f);
}

static void
links_that_cannot_be(void **state)
{
	(void)state;
	struct fixture f;
	start(&f);
	f.source.source = (struct key_address){ 4, { 192, 0, 2, 1 } }; /* nobody's here */
	perform(&f, open_link);
	await(&f.shared, &f.closed, 1);
	assert_int_equal(f.link, LINK);
	assert_non_null(strstr(f.why, "address"));
	perform(&f, open_and_close_another); /* nothing is told of the other */
	await(&f.shared, &f.closed, 2);
	assert_int_equal(f.link, LINK);
	f.source.source.family = 0;
	close(f.listener);
	perform(&f, open_link);
	await(&f.shared, &f.closed, 3);
	assert_non_null(strstr(f.why, "refused"));
	f.listener = dup(0);
	stop(&f);
}

static void
from_an_address_of_our_choice(void **state)
{
	(void)state;
	struct fixture f;
	struct listen_address by_default = loopback(7, 0);
	by_default.sa.v4.sin_port = htons(53); /* does not matter */
	start_from(&f, &by_default);
	perform(&f, open_link);
	struct sockaddr_in from = accept_peer(&f);
	assert_memory_equal(&from.sin_addr, "\177\0\0\7", 4);
	perform(&f, close_link);
	f.source.source = (struct key_address){ 4, { 127, 0, 0, 8 } };
	perform(&f, open_link);
	from = accept_peer(&f);
	assert_memory_equal(&from.sin_addr, "\177\0\0\10", 4);
	stop(&f);
}

static void
the_timer(void **state)
{
	(void)state;
	struct fixture f;
	start(&f);
	perform(&f, set_deadline);
	await(&f.shared, &f.timers, 3);
	perform(&f, NULL);
	assert_true(f.deadline == NOW_NEVER);
	stop(&f);
}

/* Signed: the queue takes fewer of those that are not. */
static struct follow_notice
notice(const char *zone, uint32_t serial)
{
	struct follow_notice n = { .address = { 4, { 192, 0, 2, 1 } }, .has_serial = true, .serial = serial };
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n.zone), OK);
	n.key = n.zone;
	return n;
}

enum { TELLERS = 4, TOLD = 2500 };

struct teller {
	struct fixture *f;
	unsigned number;
	pthread_t thread;
};

static void *
tell(void *arg)
{
	const struct teller *t = arg;
	char zone[32];
	for (unsigned i = 0; i < TOLD; i++) {
		snprintf(zone, sizeof zone, "z%u-%u.example.", t->number, i);
		const struct follow_notice n = notice(zone, i);
		net_follow_notice(t->f->nf, &n);
	}
	return NULL;
}

static void
notices_from_any_thread(void **state)
{
	(void)state;
	struct fixture f;
	struct teller tellers[TELLERS];
	start(&f);
	for (unsigned i = 0; i < TELLERS; i++) {
		tellers[i] = (struct teller){ .f = &f, .number = i };
		assert_int_equal(pthread_create(&tellers[i].thread, NULL, tell, &tellers[i]), 0);
	}
	for (unsigned i = 0; i < TELLERS; i++) {
		pthread_join(tellers[i].thread, NULL);
	}
	await(&f.shared, &f.notices, TELLERS * TOLD);
	assert_int_equal(net_follow_notices_dropped(f.nf), 0);
	stop(&f);
}

/* While the thread is busy, 10,000 zones wait, and ten notices for one zone are one. */
static void
notices_that_wait(void **state)
{
	(void)state;
	struct fixture f;
	start(&f);
	hold_up(&f);
	struct teller t = { .f = &f };
	for (t.number = 0; t.number < TELLERS; t.number++) {
		tell(&t);
	}
	for (uint32_t i = 1; i <= 10; i++) {
		const struct follow_notice n = notice("last.example.", i);
		net_follow_notice(f.nf, &n);
	}
	release(&f);
	await(&f.shared, &f.notices, TELLERS * TOLD + 1);
	perform(&f, NULL);
	assert_int_equal(f.notices, TELLERS * TOLD + 1);
	const struct follow_notice last = notice("last.example.", 10);
	assert_true(name_is_equal(f.notice.zone.oct, last.zone.oct));
	assert_int_equal(f.notice.serial, 10);
	stop(&f);
}

static void
too_many_notices(void **state)
{
	(void)state;
	struct fixture f;
	char zone[32];
	start(&f);
	hold_up(&f);
	for (unsigned i = 0; i < 2 * NOTICE_QUEUE_MAX; i++) {
		snprintf(zone, sizeof zone, "z%u.example.", i);
		const struct follow_notice n = notice(zone, i);
		net_follow_notice(f.nf, &n);
	}
	assert_int_equal(net_follow_notices_dropped(f.nf), NOTICE_QUEUE_MAX);
	release(&f);
	await(&f.shared, &f.notices, NOTICE_QUEUE_MAX);
	stop(&f);
}

static void
stopping_a_busy_thread(void **state)
{
	(void)state;
	struct fixture f;
	start(&f);
	hold_up(&f);
	assert_false(net_follow_stop(&f.nf, 1));
	assert_non_null(f.nf);
	release(&f);
	stop(&f);
}

static void
stopping_with_links(void **state)
{
	(void)state;
	struct fixture f;
	struct net_follow *none = NULL;
	start(&f);
	perform(&f, open_link);
	accept_peer(&f);
	assert_true(net_follow_stop(&f.nf, LIMIT_MS));
	assert_int_equal(f.closed, 0);
	uint8_t got[100];
	while (recv(f.peer, got, sizeof got, 0) > 0) {
	}
	clean_up(&f);
	assert_true(net_follow_stop(&none, 0));
}

static void
too_many_primaries(void **state)
{
	(void)state;
	struct fixture f;
	struct diag d;
	set_up(&f);
	const struct follow_source sources[] = { f.source, f.source };
	struct net_follow_conf conf = conf_of(&f);
	conf.sources = sources;
	conf.sources_n = ARRAY_LEN(sources);
	sources_max = 1;
	assert_int_equal(net_follow_new(&conf, &f.nf, &d), E_LIMIT);
	assert_non_null(strstr(d.text, "too many primaries"));
	sources_max = FOLLOWER_SOURCES_MAX;
	assert_null(f.nf);
	clean_up(&f);
}

static struct follow_source asked;

static void
ask_by_udp(struct fixture *f)
{
	static const uint8_t question[DNS_HEADER_LEN] = { 1, 2 };
	assert_true(io_of(f)->udp_send(io_of(f)->ctx, 3, &asked, question, sizeof question));
}

static void
a_question_over_udp(void **state)
{
	struct fixture f;
	struct listen_address at = loopback(1, 0), from;
	uint8_t bytes[64];
	(void)state;
	start(&f);
	int primary = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(primary, &at.sa.any, at.len), 0);
	assert_int_equal(getsockname(primary, &at.sa.any, &at.len), 0);
	asked = f.source;
	asked.port = ntohs(at.sa.v4.sin_port);
	perform(&f, ask_by_udp);
	await_readable(primary);
	from.len = sizeof from.sa;
	assert_int_equal(recvfrom(primary, bytes, sizeof bytes, 0, &from.sa.any, &from.len), DNS_HEADER_LEN);
	assert_int_equal(sendto(primary, bytes, DNS_HEADER_LEN, 0, &from.sa.any, from.len), DNS_HEADER_LEN);
	await(&f.shared, &f.inputs, 1);
	assert_int_equal(f.link, 3);
	close(primary);
	perform(&f, ask_by_udp); /* nobody is there */
	await(&f.shared, &f.closed, 1);
	stop(&f);
}

static void
a_catalog_without_a_key(void **state)
{
	(void)state;
	struct fixture f;
	struct diag d;
	const struct name catalogs[] = { { 3, "\1a" }, { 3, "\1x" } };
	set_up(&f);
	struct net_follow_conf conf = conf_of(&f);
	conf.catalogs = catalogs;
	conf.catalogs_n = ARRAY_LEN(catalogs);
	assert_int_equal(net_follow_new(&conf, &f.nf, &d), E_NOTFOUND);
	assert_string_equal(d.text, "no key may transfer the catalog x");
	assert_null(f.nf);
	clean_up(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_and_answers),
		cmocka_unit_test(requests_over_a_link),
		cmocka_unit_test(the_primary_closes),
		cmocka_unit_test(the_machine_closes_in_the_middle),
		cmocka_unit_test(links_that_cannot_be),
		cmocka_unit_test(from_an_address_of_our_choice),
		cmocka_unit_test(the_timer),
		cmocka_unit_test(notices_from_any_thread),
		cmocka_unit_test(notices_that_wait),
		cmocka_unit_test(too_many_notices),
		cmocka_unit_test(stopping_a_busy_thread),
		cmocka_unit_test(stopping_with_links),
		cmocka_unit_test(too_many_primaries),
		cmocka_unit_test(a_question_over_udp),
		cmocka_unit_test(a_catalog_without_a_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
