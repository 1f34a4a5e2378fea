/* ops/gate.h -- holds threads back until there is something to do for them. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "ops/pulse.h"

enum gate_state {
	GATE_SHUT,
	GATE_OPEN,
	GATE_ENDED, /* it will not be opened: the threads are to end */
};

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum gate_state state;
};

void gate_init(struct gate *g, enum gate_state state);
void gate_fini(struct gate *g);

/* Any thread.  True: this call has changed the state.  A gate that is open stays open. */
bool gate_open(struct gate *g);
void gate_end(struct gate *g);
bool gate_is_open(struct gate *g);

/* Waits, and beats the pulse meanwhile.  False: the gate has ended. */
bool gate_pass(struct gate *g, struct pulse *pulse);
