/* The end of a daemon that has a stuck thread. */
#include "bin/daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ops/clock.h"

enum { PORT = 36365, WORKERS = 2, AT_ONCE_MS = 300 };

static const struct daemon_program program = { .name = "test" };

/* Its workers are not stopped, and those of sockets that were taken over may still wait for zones. */
static void
workers_that_wait_do_not_hold_up_the_end(void **state)
{
	(void)state;
	static struct daemon_opts o = {
		.front = { .listen_n = 1, .workers = WORKERS, .tcp_max = 5, .tcp_per_client = 5, .tcp_idle_ms = 1000, .transfers_max = 1 },
	};
	static struct daemon d = { .program = &program, .opts = &o, .log = { .fd = -1, .level = LOG_LEVEL_ERROR } };
	static struct server_conf server = { .udp_max = 1232 };
	assert_int_equal(listen_parse("127.0.0.1", PORT, &o.front.listen[0], &d.diag), OK);
	front_init(&d.front, &o.front, &d.log);
	d.front.is_taken_over = true;
	d.env = (struct net_env){ .served = served_new(&(struct served_conf){ 0 }), .conf = &server, .handle = server_handle };
	assert_int_equal(daemon_listen_up(&d), OK);
	assert_int_equal(daemon_workers_up(&d), OK);

	d.is_stuck = true;
	uint64_t begun_ms = clock_ms();
	daemon_workers_down(&d);
	daemon_listen_down(&d);
	assert_true(clock_ms() - begun_ms < AT_ONCE_MS);

	d.is_stuck = false;
	daemon_workers_down(&d);
	daemon_listen_down(&d);
	served_free(&d.env.served);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(workers_that_wait_do_not_hold_up_the_end) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
