/* Asking a server that is a child of ours, on the loopback.  What onotify and oupdate say of it is in the system tests. */
#include "net/signed.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "dns/rrtype.h"

static const uint8_t name[] = "\6status";
static const struct tsig_key key = { .name = { .oct = "\3key", .len = 5 }, .alg = HMAC_SHA256, .secret = "s", .secret_len = 1 };
static const struct client_patience short_patience = { .udp_tries = 2, .udp_first_ms = 100, .tcp_ms = 300 };

enum manner { TRUE_ANSWER, UNSIGNED_ANSWER, OTHER_ID, TRUNCATED, SILENCE, ENDLESS };

enum { PART_NS = 20000000 }; /* between two messages of an answer without an end */

struct server {
	int udp, tcp;
	uint16_t port;
	pid_t pid;
};

/* ---- the server ---- */

static int
bound(int type, uint16_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) != 0 || getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
		return -1;
	}
	*port = ntohs(sa.sin_port);
	return fd;
}

/* The request with QR set, and then as the manner says; the answer's octets. */
static size_t
answer(enum manner how, uint8_t *wire, size_t len)
{
	struct msg m;
	struct tsig t;
	bool is_good = msg_parse(wire, len, &m) == OK && tsig_verify_request(&t, &m, &key, (uint64_t)time(NULL)) == OK;
	len = is_good ? m.tsig.at : len;
	wire[2] |= DNS_QR >> 8;
	wire[11] = (uint8_t)(wire[11] - is_good);
	if (how == OTHER_ID) {
		wire[0] ^= 1;
	}
	if (how == TRUNCATED) {
		wire[2] |= DNS_TC >> 8;
	}
	if (is_good && how != UNSIGNED_ANSWER && tsig_sign_response(&t, wire, &len, DNS_MSG_MAX, (uint64_t)time(NULL)) != OK) {
		_exit(1);
	}
	return len;
}

static void
answer_tcp(int listening)
{
	static uint8_t wire[2 + DNS_MSG_MAX];
	int fd = accept(listening, NULL, NULL);
	ssize_t n = recv(fd, wire, sizeof wire, 0); /* one segment, as client.c sends it */
	size_t len = n > 2 ? answer(TRUE_ANSWER, wire + 2, (size_t)n - 2) : 0;
	wire[0] = (uint8_t)(len >> 8);
	wire[1] = (uint8_t)len;
	(void)send(fd, wire, len + 2, MSG_NOSIGNAL);
	(void)close(fd);
}

/* The same message again and again, as if each were a part of the answer. */
static void
answer_endlessly(int listening)
{
	static uint8_t wire[2 + DNS_MSG_MAX];
	int fd = accept(listening, NULL, NULL);
	ssize_t n = recv(fd, wire, sizeof wire, 0);
	wire[4] |= DNS_QR >> 8;
	while (n > 0 && send(fd, wire, (size_t)n, MSG_NOSIGNAL) == n) {
		nanosleep(&(struct timespec){ .tv_nsec = PART_NS }, NULL);
	}
	(void)close(fd);
}

static _Noreturn void
serve(const struct server *s, enum manner how)
{
	static uint8_t wire[DNS_MSG_MAX];
	(void)alarm(20);
	if (how == ENDLESS) {
		answer_endlessly(s->tcp);
	}
	for (;;) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(s->udp, wire, sizeof wire, 0, (struct sockaddr *)&from, &from_len);
		if (n > DNS_HEADER_LEN && how != SILENCE) {
			(void)sendto(s->udp, wire, answer(how, wire, (size_t)n), 0, (struct sockaddr *)&from, from_len);
		}
		if (how == TRUNCATED) {
			answer_tcp(s->tcp);
		}
	}
}

static struct server
begin(enum manner how)
{
	struct server s = { .port = 0 };
	s.udp = bound(SOCK_DGRAM, &s.port);
	s.tcp = bound(SOCK_STREAM, &s.port);
	assert_true(s.udp >= 0 && s.tcp >= 0);
	if (how == TRUNCATED || how == ENDLESS) {
		assert_int_equal(listen(s.tcp, 1), 0);
	}
	s.pid = fork();
	if (s.pid == 0) {
		serve(&s, how);
	}
	assert_true(s.pid > 0);
	return s;
}

static void
end(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->udp);
	(void)close(s->tcp);
}

/* ---- asking ---- */

static uint8_t wire[512], kept[DNS_MSG_MAX];

static struct signed_request
request(bool has_key)
{
	struct buf b = buf_over(wire, sizeof wire);
	client_begin_request(&b, 0, &(struct question){ name, TYPE_TXT, CLASS_CH });
	request_put_edns(&b);
	return (struct signed_request){ .wire = wire, .len = b.len, .cap = sizeof wire, .key = has_key ? &key : NULL, .answer = kept };
}

static struct client_addresses
addresses(uint16_t port)
{
	struct client_addresses to;
	char why[CLIENT_WHY_MAX];
	assert_int_equal(client_resolve("127.0.0.1", port, &to, why), OK);
	return to;
}

static err_t
ask(struct signed_request *s, enum manner how)
{
	static struct client_addresses to;
	struct server server = begin(how);
	to = addresses(server.port);
	err_t err = signed_ask(s, &to, &short_patience);
	end(&server);
	return err;
}

static void
assert_kept(const struct signed_request *s)
{
	struct msg m;
	assert_int_equal(msg_parse(kept, s->answer_len, &m), OK);
	assert_int_equal(m.qclass, CLASS_CH);
	assert_int_equal(m.bits & DNS_QR, DNS_QR);
}

static void
a_signed_answer_is_believed_and_kept(void **state)
{
	(void)state;
	struct signed_request s = request(true);
	assert_int_equal(ask(&s, TRUE_ANSWER), OK);
	assert_int_equal(s.outcome, SIGNED_ACCEPTED);
	assert_non_null(strstr(s.result.from->text, "127.0.0.1 port "));
	assert_kept(&s);
}

static void
without_a_key_any_answer_counts(void **state)
{
	(void)state;
	struct signed_request s = request(false);
	s.answer = NULL;
	assert_int_equal(ask(&s, TRUE_ANSWER), OK);
	assert_int_equal(s.outcome, SIGNED_ACCEPTED);
	assert_int_equal(s.answer_len, 0);
}

static void
an_unsigned_answer_is_taken_when_nothing_better_comes(void **state)
{
	(void)state;
	struct signed_request s = request(true);
	assert_int_equal(ask(&s, UNSIGNED_ANSWER), OK);
	assert_int_equal(s.outcome, SIGNED_UNSIGNED);
	assert_kept(&s);
}

static void
a_truncated_answer_leads_to_tcp(void **state)
{
	(void)state;
	struct signed_request s = request(true);
	assert_int_equal(ask(&s, TRUNCATED), OK);
	assert_int_equal(s.outcome, SIGNED_ACCEPTED);
	assert_kept(&s);
	struct msg m;
	assert_int_equal(msg_parse(kept, s.answer_len, &m), OK);
	assert_int_equal(m.bits & DNS_TC, 0);
}

static void
what_answers_another_request_does_not_count(void **state)
{
	(void)state;
	struct signed_request s = request(true);
	assert_int_equal(ask(&s, OTHER_ID), E_TIMEOUT);
	assert_int_equal(s.outcome, SIGNED_NOTHING);
	assert_true(s.result.may_have_arrived);
}

static void
silence_and_a_closed_port_are_told_apart(void **state)
{
	(void)state;
	struct signed_request s = request(true);
	assert_int_equal(ask(&s, SILENCE), E_TIMEOUT);
	assert_true(s.result.may_have_arrived);
	assert_non_null(strstr(s.result.why, "UDP: no answer, TCP: nothing listens there"));

	uint16_t port = 0;
	int fd = bound(SOCK_DGRAM, &port);
	(void)close(fd);
	const struct client_addresses to = addresses(port);
	s = request(true);
	assert_int_equal(signed_ask(&s, &to, &short_patience), E_REFUSED);
	assert_false(s.result.may_have_arrived);
}

static enum client_verdict
count_part(void *ctx, const struct msg *m)
{
	unsigned *n = ctx;
	(void)m;
	++*n;
	return CLIENT_MORE;
}

static void
an_answer_without_an_end_has_one(void **state)
{
	(void)state;
	unsigned parts = 0;
	const struct client_patience patience = { .tcp_ms = 10000, .whole_ms = 10 * PART_NS / 1000000 };
	struct signed_request s = request(false);
	struct server server = begin(ENDLESS);
	const struct client_addresses to = addresses(server.port);
	s.part = count_part;
	s.part_ctx = &parts;
	assert_int_equal(signed_ask(&s, &to, &patience), E_TIMEOUT);
	assert_in_range(parts, 1, 20);
	end(&server);
}

static void
a_request_that_cannot_be_signed_is_not_sent(void **state)
{
	(void)state;
	struct signed_request s = request(true);
	const struct client_addresses to = { .n = 0 };
	s.cap = s.len + 1;
	assert_int_equal(signed_ask(&s, &to, &short_patience), E_FULL);
	assert_string_equal(s.result.why, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_answer_is_believed_and_kept),
		cmocka_unit_test(without_a_key_any_answer_counts),
		cmocka_unit_test(an_unsigned_answer_is_taken_when_nothing_better_comes),
		cmocka_unit_test(a_truncated_answer_leads_to_tcp),
		cmocka_unit_test(what_answers_another_request_does_not_count),
		cmocka_unit_test(silence_and_a_closed_port_are_told_apart),
		cmocka_unit_test(an_answer_without_an_end_has_one),
		cmocka_unit_test(a_request_that_cannot_be_signed_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
