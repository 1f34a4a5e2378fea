#include "git/puller.h"

#include <limits.h>

#include "ops/clock.h"

void
puller_init(struct puller *p)
{
	pthread_mutex_init(&p->lock, NULL);
}

void
puller_want(struct puller *p, enum pull_wish wish)
{
	unsigned was = atomic_load(&p->wish);
	while (was < wish && !atomic_compare_exchange_weak(&p->wish, &was, wish)) {
	}
	p->wake(p->ctx);
}

void
puller_want_whole(struct puller *p)
{
	atomic_store(&p->is_whole, true);
	puller_want(p, PULL_FOR_UPDATE);
}

bool
puller_on_notify(struct puller *p, const uint8_t mac[TSIG_MAC_PART])
{
	pthread_mutex_lock(&p->lock);
	bool is_repeat = notify_repeats_take(&p->repeats, mac);
	pthread_mutex_unlock(&p->lock);
	if (is_repeat) {
		atomic_fetch_add_explicit(&p->notify_repeated, 1, memory_order_relaxed);
	} else {
		puller_want(p, PULL_FOR_NEWS);
	}
	return !is_repeat;
}

static void
send_pull(struct puller *p)
{
	/* If the git process has just died, this frame is lost.  puller_restart() sends the next process another one. */
	struct link_frame f = { .type = LINK_PULL, .pull = puller_next(p), .fd = -1 };
	f.flags = atomic_exchange(&p->is_whole, false) ? LINK_WHOLE : 0;
	/* Counted first: who reads the counter before he asks for a pull must not take this one for his. */
	atomic_store(&p->pulls, f.pull);
	(void)!link_send(p->git->link, &f);
}

void
puller_restart(struct puller *p)
{
	atomic_store(&p->wish, PULL_UNWANTED);
	pull_pace_restart(&p->pace);
	send_pull(p);
}

void
puller_go_on(struct puller *p)
{
	pull_pace_want(&p->pace, atomic_exchange(&p->wish, PULL_UNWANTED));
	if (pull_pace_begin(&p->pace, clock_ms())) {
		send_pull(p);
	}
}

int
puller_wait_ms(const struct puller *p)
{
	uint64_t ms = pull_pace_wait(&p->pace, clock_ms());
	return ms == UINT64_MAX ? -1 : (int)(ms < INT_MAX ? ms : INT_MAX);
}

uint64_t
puller_answered(const struct puller *p, const struct link_frame *result)
{
	uint64_t asked = atomic_load(&p->pulls);
	bool is_over = result->type == LINK_FAILED && result->retry_s == 0; /* this git process answers no PULL any more */
	uint64_t n = is_over || result->pull > asked ? asked : result->pull;
	return n > p->answered ? n : p->answered;
}

void
puller_end(struct puller *p, const struct link_frame *result)
{
	p->answered = puller_answered(p, result);
	if (p->answered == atomic_load(&p->pulls)) {
		pull_pace_end(&p->pace, result->type == LINK_COMMIT, clock_ms());
	}
}

uint64_t
puller_next(const struct puller *p)
{
	return atomic_load(&p->pulls) + 1;
}

bool
puller_is_pulling(const struct puller *p)
{
	return p->pace.is_under_way;
}
