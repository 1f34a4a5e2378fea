/* tests/sim/shrink.h -- leaves out what a failing run does not need: events of its plan, first many at a time, then one by one. */
#pragma once

#include "plan.h"

/* Runs it in a process of its own, so that it may also end that. */
bool shrink_fails(const struct plan *p);

/* Of a plan that fails; *p is the smaller one, which fails as well, perhaps in another way. */
void shrink(struct plan *p);
