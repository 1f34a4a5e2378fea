/* Questions over TCP, over the loopback; the test is the name server. */
#include "net/tcp_questions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "dns/wire.h"
#include "loopback.h"

enum { WAIT_MS = 20000, SLOT = TCP_QUESTIONS_MAX - 1 };

static const uint8_t question[DNS_HEADER_LEN] = { 1, 2, 0, 0, 0, 1 };

struct fixture {
	uv_loop_t loop;
	uv_timer_t limit;
	struct tcp_questions *q;
	int listener, peer;
	struct listen_address at;
	unsigned answers, failures, slot;
	size_t octets;
	bool ends; /* at its answer */
};

static void
on_answer(void *ctx, unsigned slot, const uint8_t *bytes, size_t len)
{
	struct fixture *f = ctx;
	(void)bytes;
	f->answers++;
	f->octets = len;
	f->slot = slot;
	if (f->ends) {
		tcp_questions_end(f->q, slot);
	}
}

static void
on_failure(void *ctx, unsigned slot)
{
	struct fixture *f = ctx;
	f->failures++;
	f->slot = slot;
	tcp_questions_end(f->q, slot); /* there is none: nothing happens */
}

static void
on_limit(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing has come");
}

static void
begin(struct fixture *f)
{
	*f = (struct fixture){ .q = calloc(1, sizeof *f->q), .at = loopback(1, 0), .peer = -1 };
	assert_non_null(f->q);
	f->listener = loopback_listen(&f->at);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->limit), 0);
	assert_int_equal(uv_timer_start(&f->limit, on_limit, WAIT_MS, 0), 0);
	*f->q = (struct tcp_questions){ .loop = &f->loop, .answered = on_answer, .failed = on_failure, .ctx = f };
}

static void
end(struct fixture *f)
{
	tcp_questions_end_all(f->q);
	uv_close((uv_handle_t *)&f->limit, NULL);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->listener);
	if (f->peer >= 0) {
		close(f->peer);
	}
	free(f->q);
}

static void
ask(struct fixture *f)
{
	uint8_t got[2 + sizeof question];
	assert_true(tcp_questions_send(f->q, SLOT, &f->at, question, sizeof question));
	f->peer = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC); /* the system accepts before the program does */
	assert_true(f->peer >= 0);
	while (recv(f->peer, got, sizeof got, MSG_PEEK | MSG_DONTWAIT) != sizeof got) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(recv(f->peer, got, sizeof got, 0), sizeof got);
	assert_int_equal(got[0] << 8 | got[1], sizeof question);
	assert_memory_equal(got + 2, question, sizeof question);
}

static void
say(const struct fixture *f, size_t len, size_t sent)
{
	uint8_t *bytes = calloc(1, 2 + sent);
	assert_non_null(bytes);
	bytes[0] = (uint8_t)(len >> 8);
	bytes[1] = (uint8_t)len;
	assert_int_equal(send(f->peer, bytes, 2 + sent, MSG_NOSIGNAL), (ssize_t)(2 + sent));
	free(bytes);
}

static void
turn_until(struct fixture *f, const unsigned *what)
{
	while (*what == 0) {
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	}
	assert_int_equal(f->slot, SLOT);
}

static void
the_largest_answer(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	ask(&f);
	say(&f, DNS_MSG_MAX, DNS_MSG_MAX);
	turn_until(&f, &f.answers);
	assert_int_equal(f.octets, DNS_MSG_MAX);
	end(&f);
}

/* Nothing more is heard of it, and the slot is free. */
static void
a_question_may_end_at_its_answer(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	f.ends = true;
	ask(&f);
	say(&f, DNS_HEADER_LEN, DNS_HEADER_LEN);
	say(&f, DNS_HEADER_LEN, DNS_HEADER_LEN);
	turn_until(&f, &f.answers);
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.answers, 1);
	assert_int_equal(f.failures, 0);
	close(f.peer);
	ask(&f);
	end(&f);
}

static void
nobody_listens(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	close(f.listener);
	f.listener = -1;
	if (tcp_questions_send(f.q, SLOT, &f.at, question, sizeof question)) {
		turn_until(&f, &f.failures);
	}
	end(&f);
}

static void
the_connection_ends(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	ask(&f);
	say(&f, 1000, 500);
	assert_int_equal(shutdown(f.peer, SHUT_WR), 0);
	turn_until(&f, &f.failures);
	assert_int_equal(f.answers, 0);
	end(&f);
}

static void
what_is_no_message(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	ask(&f);
	say(&f, 3, 3);
	turn_until(&f, &f.failures);
	assert_int_equal(f.answers, 0);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_largest_answer),
		cmocka_unit_test(a_question_may_end_at_its_answer),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(the_connection_ends),
		cmocka_unit_test(what_is_no_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
