/* Connections that we open, over the loopback; the test is the peer, and turns the loop itself. */
#include "net/dial.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "dns/wire.h"
#include "loopback.h"

enum { WAIT_MS = 20000, MANY = 300 };

struct fixture {
	uv_loop_t loop;
	struct listen_address at; /* where the peer listens */
	int listener, peer;       /* peer: the accepted connection; -1: none */
	struct dial *dial;
	size_t message_max;
	unsigned messages, ended, close_after, keepalive_s;
	size_t octets;            /* of all messages */
	uint8_t *last;
	size_t last_len;
	char why[128];
};

static void
on_message(void *ctx, const uint8_t *bytes, size_t len)
{
	struct fixture *f = ctx;
	assert_non_null(f->dial);
	f->messages++;
	f->octets += len;
	f->last = xrealloc(f->last, len);
	memcpy(f->last, bytes, len);
	f->last_len = len;
	if (f->messages == f->close_after) {
		dial_close(&f->dial);
	}
}

static void
on_ended(void *ctx, const char *why)
{
	struct fixture *f = ctx;
	assert_non_null(f->dial);
	f->dial = NULL;
	f->ended++;
	snprintf(f->why, sizeof f->why, "%s", why);
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){ .peer = -1, .message_max = DNS_MSG_MAX, .at = loopback(1, 0) };
	assert_int_equal(uv_loop_init(&f->loop), 0);
	f->listener = loopback_listen(&f->at);
}

static void
tear_down(struct fixture *f)
{
	dial_close(&f->dial);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	if (f->peer >= 0) {
		close(f->peer);
	}
	close(f->listener);
	free(f->last);
}

static struct dial *
begin(struct fixture *f, const struct listen_address *from, const char **why)
{
	const struct dial_conf conf = {
		.from = listen_any_port(from),
		.to = f->at,
		.message_max = f->message_max,
		.keepalive_s = f->keepalive_s,
		.message = on_message,
		.ended = on_ended,
		.ctx = f,
	};
	return dial_begin(&f->loop, &conf, why);
}

static void
open_dial(struct fixture *f, const struct listen_address *from)
{
	const char *why;
	f->dial = begin(f, from, &why);
	assert_non_null(f->dial);
}

/* The system has made the connection by the time connect() was called. */
static void
accept_peer(struct fixture *f)
{
	if (f->peer >= 0) {
		close(f->peer);
	}
	f->peer = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(f->peer >= 0);
}

static void
turn(struct fixture *f)
{
	(void)uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* Turns the loop until a counter has that value. */
static void
await(struct fixture *f, const unsigned *counter, unsigned want)
{
	for (int ms = 0; *counter < want && ms < WAIT_MS; ms++) {
		struct pollfd p = { .fd = uv_backend_fd(&f->loop), .events = POLLIN };
		(void)poll(&p, 1, 1);
		turn(f);
	}
	assert_int_equal(*counter, want);
}

static void
peer_sends(struct fixture *f, const void *bytes, size_t len)
{
	assert_int_equal(send(f->peer, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static size_t
put_message(uint8_t *to, size_t len, uint8_t fill)
{
	to[0] = (uint8_t)(len >> 8);
	to[1] = (uint8_t)len;
	memset(to + 2, fill, len);
	return 2 + len;
}

/* What the peer gets, with the loop turning meanwhile.  Less than `n`: that is the end. */
static size_t
peer_gets(struct fixture *f, uint8_t *to, size_t n)
{
	size_t at = 0;
	for (int ms = 0; at < n && ms < WAIT_MS; ms++) {
		struct pollfd p = { .fd = f->peer, .events = POLLIN };
		turn(f);
		if (poll(&p, 1, 1) == 1) {
			ssize_t got = recv(f->peer, to + at, n - at, 0);
			if (got <= 0) {
				break;
			}
			at += (size_t)got;
		}
	}
	return at;
}

/* ---- tests ---- */

static void
what_is_sent_before_it_is_connected_waits(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t got[3 * (2 + 100)];
	set_up(&f);
	open_dial(&f, NULL);
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t message[100];
		memset(message, 'a' + i, sizeof message);
		assert_true(dial_send(f.dial, message, sizeof message));
	}
	accept_peer(&f);
	assert_int_equal(peer_gets(&f, got, sizeof got), sizeof got);
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t want[102];
		put_message(want, 100, 'a' + i);
		assert_memory_equal(got + i * sizeof want, want, sizeof want);
	}
	tear_down(&f);
}

static void
messages_of_any_length(void **state)
{
	(void)state;
	static const size_t lens[] = { DNS_HEADER_LEN, 2045, 2046, 2047, 2048, 4096, 4097, 65533, DNS_MSG_MAX, 13, DNS_MSG_MAX };
	struct fixture f;
	uint8_t *bytes = xalloc(2 + DNS_MSG_MAX);
	set_up(&f);
	open_dial(&f, NULL);
	accept_peer(&f);
	for (unsigned i = 0; i < ARRAY_LEN(lens); i++) {
		peer_sends(&f, bytes, put_message(bytes, lens[i], (uint8_t)(i + 1)));
		await(&f, &f.messages, i + 1);
		assert_int_equal(f.last_len, lens[i]);
		assert_memory_equal(f.last, bytes + 2, lens[i]);
	}
	assert_int_equal(f.ended, 0);
	tear_down(&f);
	free(bytes);
}

/* MANY messages at once, cut everywhere. */
static void
messages_in_pieces(void **state)
{
	(void)state;
	static const size_t cuts[] = { 1, 3, 2048, 5000, 1 << 20 };
	for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
		struct fixture f;
		uint8_t *bytes = xalloc(MANY * (2 + 112));
		size_t len = 0;
		set_up(&f);
		for (size_t i = 0; i < MANY; i++) {
			len += put_message(bytes + len, DNS_HEADER_LEN + i % 100, (uint8_t)i);
		}
		open_dial(&f, NULL);
		accept_peer(&f);
		for (size_t at = 0; at < len; at += cuts[c]) {
			peer_sends(&f, bytes + at, len - at < cuts[c] ? len - at : cuts[c]);
			turn(&f);
		}
		await(&f, &f.messages, MANY);
		assert_int_equal(f.octets, len - 2 * MANY);
		tear_down(&f);
		free(bytes);
	}
}

static void
closed_by_a_callback_in_the_middle(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t bytes[1000], end_of_it;
	size_t len = 0;
	set_up(&f);
	while (len + 22 + 2 <= sizeof bytes) {
		len += put_message(bytes + len, 20, 'x');
	}
	bytes[len++] = 0; /* and then what would be an error */
	bytes[len++] = 0;
	f.close_after = 7;
	open_dial(&f, NULL);
	accept_peer(&f);
	peer_sends(&f, bytes, len);
	await(&f, &f.messages, 7);
	assert_null(f.dial);
	assert_int_equal(peer_gets(&f, &end_of_it, 1), 0);
	assert_int_equal(f.messages, 7);
	assert_int_equal(f.ended, 0);
	tear_down(&f);
}

static void
assert_ends(struct fixture *f, const char *why)
{
	await(f, &f->ended, 1);
	assert_null(f->dial);
	assert_non_null(strstr(f->why, why));
	turn(f);
	assert_int_equal(f->ended, 1);
	f->ended = 0;
}

static void
what_is_no_message_ends_it(void **state)
{
	(void)state;
	static const char *const lengths[] = { "\0\0", "\0\13", "\3\351", "\377\377" }; /* 0, 11, 1001, 65535 */
	struct fixture f;
	uint8_t good[1002];
	set_up(&f);
	f.message_max = 1000;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		f.messages = 0;
		open_dial(&f, NULL);
		accept_peer(&f);
		peer_sends(&f, good, put_message(good, 1000, 'g'));
		peer_sends(&f, lengths[i], 2);
		assert_ends(&f, "no DNS message");
		assert_int_equal(f.messages, 1);
	}
	tear_down(&f);
}

static void
the_peer_ends_it(void **state)
{
	(void)state;
	const struct linger reset = { .l_onoff = 1 };
	struct fixture f;
	uint8_t bytes[100];
	set_up(&f);
	open_dial(&f, NULL);
	accept_peer(&f);
	peer_sends(&f, bytes, put_message(bytes, 98, 'x') - 1); /* all but the last octet */
	assert_int_equal(shutdown(f.peer, SHUT_WR), 0);
	assert_ends(&f, "the peer has closed the connection");
	assert_int_equal(f.messages, 0);

	open_dial(&f, NULL);
	accept_peer(&f);
	assert_int_equal(setsockopt(f.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
	close(f.peer);
	f.peer = -1;
	assert_ends(&f, "reset");
	tear_down(&f);
}

static void
nobody_listens(void **state)
{
	(void)state;
	struct fixture f;
	static const uint8_t message[20];
	set_up(&f);
	close(f.listener);
	open_dial(&f, NULL);
	assert_true(dial_send(f.dial, message, sizeof message));
	assert_ends(&f, "refused");
	open_dial(&f, NULL); /* closed before it is known */
	assert_true(dial_send(f.dial, message, sizeof message));
	dial_close(&f.dial);
	(void)uv_run(&f.loop, UV_RUN_DEFAULT);
	assert_int_equal(f.ended, 0);
	f.listener = dup(0);
	tear_down(&f);
}

static void
from_an_address_of_our_choice(void **state)
{
	(void)state;
	const struct key_address nobodys = { 4, { 192, 0, 2, 1 } };
	const struct listen_address ours = loopback(7, 0), others = listen_at(&nobodys, 0);
	struct fixture f;
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	const char *why = "";
	set_up(&f);
	open_dial(&f, &ours);
	accept_peer(&f);
	assert_int_equal(getpeername(f.peer, (struct sockaddr *)&from, &len), 0);
	assert_memory_equal(&from.sin_addr, "\177\0\0\7", 4);
	assert_null(begin(&f, &others, &why));
	assert_non_null(strstr(why, "address"));
	tear_down(&f);
}

static void
a_peer_that_does_not_read(void **state)
{
	(void)state;
	struct fixture f;
	uint8_t message[1000] = { 0 };
	unsigned taken = 0;
	set_up(&f);
	open_dial(&f, NULL);
	while (dial_send(f.dial, message, sizeof message)) {
		taken++;
	}
	assert_int_equal(taken, DIAL_UNSENT_MAX / (2 + sizeof message));
	accept_peer(&f);
	for (unsigned more = 0; dial_send(f.dial, message, sizeof message) || more < 10; more++) {
		assert_true(more < 1000000); /* the system's buffers are full some time */
		turn(&f);
	}
	assert_int_equal(f.ended, 0);
	dial_close(&f.dial); /* with writes under way */
	tear_down(&f);
}

/* The timer of a connection of ours, as /proc/net/tcp shows it: 2 is that for keepalive; then 1/100 s. */
static bool
has_keepalive(uint16_t port, unsigned long *when)
{
	char line[256];
	bool has = false;
	FILE *in = fopen("/proc/self/net/tcp", "r");
	assert_non_null(in);
	while (!has && fgets(line, sizeof line, in) != NULL) {
		unsigned local, remote, state, timer;
		has = sscanf(line, "%*u: %*x:%x %*x:%x %x %*x:%*x %x:%lx", &local, &remote, &state, &timer, when) == 5 &&
		      remote == port && state == 1 && timer == 2;
	}
	fclose(in);
	return has;
}

static void
silent_peers_are_asked(void **state)
{
	(void)state;
	struct fixture f;
	unsigned long when = 0;
	set_up(&f);
	uint16_t port = ntohs(f.at.sa.v4.sin_port);
	open_dial(&f, NULL);
	accept_peer(&f);
	turn(&f);
	assert_false(has_keepalive(port, &when));
	dial_close(&f.dial);
	f.keepalive_s = 60;
	open_dial(&f, NULL);
	accept_peer(&f);
	turn(&f);
	assert_true(has_keepalive(port, &when));
	assert_in_range(when, 1, 6000);
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_before_it_is_connected_waits),
		cmocka_unit_test(messages_of_any_length),
		cmocka_unit_test(messages_in_pieces),
		cmocka_unit_test(closed_by_a_callback_in_the_middle),
		cmocka_unit_test(what_is_no_message_ends_it),
		cmocka_unit_test(the_peer_ends_it),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(from_an_address_of_our_choice),
		cmocka_unit_test(a_peer_that_does_not_read),
		cmocka_unit_test(silent_peers_are_asked),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
