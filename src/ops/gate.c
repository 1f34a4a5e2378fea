#include "ops/gate.h"

#include <time.h>

void
gate_init(struct gate *g, enum gate_state state)
{
	g->state = state;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
}

void
gate_fini(struct gate *g)
{
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
}

/* A gate that is not shut stays as it is. */
static bool
leave_shut(struct gate *g, enum gate_state state)
{
	pthread_mutex_lock(&g->lock);
	bool was_shut = g->state == GATE_SHUT;
	if (was_shut) {
		g->state = state;
		pthread_cond_broadcast(&g->changed);
	}
	pthread_mutex_unlock(&g->lock);
	return was_shut;
}

bool
gate_open(struct gate *g)
{
	return leave_shut(g, GATE_OPEN);
}

void
gate_end(struct gate *g)
{
	(void)leave_shut(g, GATE_ENDED);
}

bool
gate_is_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	bool is_open = g->state == GATE_OPEN;
	pthread_mutex_unlock(&g->lock);
	return is_open;
}

bool
gate_pass(struct gate *g, struct pulse *pulse)
{
	pthread_mutex_lock(&g->lock);
	while (g->state == GATE_SHUT) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += PULSE_PERIOD_MS / 1000;
		(void)pthread_cond_timedwait(&g->changed, &g->lock, &until);
		pulse_beat(pulse);
	}
	bool is_open = g->state == GATE_OPEN;
	pthread_mutex_unlock(&g->lock);
	return is_open;
}
