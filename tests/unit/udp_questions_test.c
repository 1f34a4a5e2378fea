/* Questions over UDP, over real sockets of the loopback. */
#include "net/udp_questions.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

enum { WAIT_MS = 20000 };

static const uint8_t question[DNS_HEADER_LEN] = { 1, 2, 0, 0, 0, 1 };

struct fixture {
	uv_loop_t loop;
	uv_timer_t limit;
	struct udp_questions *q;
	int primary, other;
	struct listen_address at;
	unsigned answers, unreachable, slot;
	bool ends;        /* at its answer */
};

static void
on_answer(void *ctx, unsigned slot, const uint8_t *bytes, size_t len)
{
	struct fixture *f = ctx;
	assert_true(len >= DNS_HEADER_LEN && bytes[0] == 1);
	f->answers++;
	f->slot = slot;
	if (f->ends) {
		udp_questions_end(f->q, slot);
	}
}

static void
on_unreachable(void *ctx, unsigned slot)
{
	struct fixture *f = ctx;
	f->unreachable++;
	f->slot = slot;
	udp_questions_end(f->q, slot);
}

static void
on_limit(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing has come");
}

static int
bound_socket(struct listen_address *at)
{
	const struct key_address a = { 4, { 127, 0, 0, 1 } };
	*at = listen_at(&a, 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &at->sa.any, at->len), 0);
	assert_int_equal(getsockname(fd, &at->sa.any, &at->len), 0);
	return fd;
}

static void
begin(struct fixture *f)
{
	struct listen_address elsewhere;
	*f = (struct fixture){ .q = calloc(1, sizeof *f->q) };
	assert_non_null(f->q);
	f->primary = bound_socket(&f->at);
	f->other = bound_socket(&elsewhere);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->limit), 0);
	assert_int_equal(uv_timer_start(&f->limit, on_limit, WAIT_MS, 0), 0);
	f->q->loop = &f->loop;
	f->q->answered = on_answer;
	f->q->not_reached = on_unreachable;
	f->q->ctx = f;
}

static void
end(struct fixture *f)
{
	udp_questions_end_all(f->q);
	uv_close((uv_handle_t *)&f->limit, NULL);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	close(f->primary);
	close(f->other);
	free(f->q);
}

static void
ask(struct fixture *f, unsigned slot)
{
	static const struct listen_address any;
	assert_true(udp_questions_send(f->q, slot, &any, &f->at, question, sizeof question));
}

/* The question as it comes; returns where from. */
static struct sockaddr_in
receive(const struct fixture *f)
{
	struct pollfd p = { .fd = f->primary, .events = POLLIN };
	uint8_t bytes[512];
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(recvfrom(f->primary, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len), sizeof question);
	assert_memory_equal(bytes, question, sizeof question);
	return from;
}

static void
answer_from(int fd, const struct sockaddr_in *to, const uint8_t *bytes, size_t len)
{
	assert_int_equal(sendto(fd, bytes, len, 0, (const struct sockaddr *)to, sizeof *to), (ssize_t)len);
}

static void
each_has_a_port_of_its_own(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	ask(&f, 0);
	ask(&f, UDP_QUESTIONS_MAX - 1);
	struct sockaddr_in a = receive(&f), b = receive(&f);
	assert_int_not_equal(a.sin_port, b.sin_port);
	ask(&f, 0); /* once more, from the same one */
	assert_int_equal(receive(&f).sin_port, a.sin_port);
	answer_from(f.primary, &b, question, sizeof question);
	while (f.answers == 0) {
		(void)uv_run(&f.loop, UV_RUN_ONCE);
	}
	assert_int_equal(f.slot, UDP_QUESTIONS_MAX - 1);
	end(&f);
}

/* What comes from elsewhere, or is no message, does not arrive. */
static void
strangers_are_not_heard(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	ask(&f, 5);
	struct sockaddr_in a = receive(&f);
	const uint8_t forged[DNS_HEADER_LEN] = { 9, 9 };
	answer_from(f.other, &a, forged, sizeof forged);
	answer_from(f.primary, &a, question, 3);
	answer_from(f.primary, &a, question, sizeof question);
	while (f.answers == 0) {
		(void)uv_run(&f.loop, UV_RUN_ONCE); /* on_answer() looks at what comes */
	}
	assert_int_equal(f.answers, 1);
	assert_int_equal(f.unreachable, 0);
	end(&f);
}

static void
a_question_may_end_at_its_answer(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	f.ends = true;
	ask(&f, 5);
	struct sockaddr_in a = receive(&f);
	answer_from(f.primary, &a, question, sizeof question);
	answer_from(f.primary, &a, question, sizeof question);
	while (f.answers == 0) {
		(void)uv_run(&f.loop, UV_RUN_ONCE);
	}
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.answers, 1);
	ask(&f, 5); /* the slot is free again */
	assert_int_not_equal(receive(&f).sin_port, a.sin_port);
	end(&f);
}

static void
the_system_says_that_nobody_is_there(void **state)
{
	struct fixture f;
	(void)state;
	begin(&f);
	close(f.primary);
	ask(&f, 7);
	while (f.unreachable == 0) {
		(void)uv_run(&f.loop, UV_RUN_ONCE);
	}
	assert_int_equal(f.slot, 7);
	f.primary = dup(f.other);
	end(&f);
}

static void
it_comes_from_the_address_that_is_wanted(void **state)
{
	const struct key_address two = { 4, { 127, 0, 0, 2 } }, nobody = { 4, { 192, 0, 2, 1 } };
	struct listen_address from = listen_at(&two, 0), not_ours = listen_at(&nobody, 0);
	struct fixture f;
	(void)state;
	begin(&f);
	assert_true(udp_questions_send(f.q, 1, &from, &f.at, question, sizeof question));
	assert_int_equal(receive(&f).sin_addr.s_addr, from.sa.v4.sin_addr.s_addr);
	assert_false(udp_questions_send(f.q, 2, &not_ours, &f.at, question, sizeof question));
	udp_questions_end(f.q, 2); /* there is none: nothing happens */
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_a_port_of_its_own),
		cmocka_unit_test(strangers_are_not_heard),
		cmocka_unit_test(a_question_may_end_at_its_answer),
		cmocka_unit_test(the_system_says_that_nobody_is_there),
		cmocka_unit_test(it_comes_from_the_address_that_is_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
