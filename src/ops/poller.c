#include "ops/poller.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ops/thread.h"

err_t
poller_begin(struct poller *p, void *(*run)(void *), void *ctx)
{
	*p = (struct poller){ .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	if (p->wake < 0) {
		return E_IO;
	}
	if (pthread_create(&p->thread, NULL, run, ctx) != 0) {
		close(p->wake);
		return E_IO;
	}
	return OK;
}

bool
poller_wait(struct poller *p, int fd, short events, int limit_ms, short *come)
{
	if (atomic_load(&p->is_stopping)) {
		return false;
	}
	struct pollfd fds[] = { { .fd = fd, .events = events }, { .fd = p->wake, .events = POLLIN } };
	(void)poll(fds, ARRAY_LEN(fds), limit_ms);
	*come = fds[0].revents;
	pulse_beat(&p->pulse);
	return true;
}

bool
poller_end(struct poller *p, unsigned limit_ms)
{
	atomic_store(&p->is_stopping, true);
	(void)!write(p->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
	if (!thread_join_within(p->thread, limit_ms)) {
		return false;
	}
	close(p->wake);
	return true;
}
