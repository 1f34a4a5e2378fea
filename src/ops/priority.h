/* ops/priority.h -- who waits for whom when the processors are busy: answering goes first. */
#pragma once

/* The calling thread gives way, for good, to those that answer questions: for whoever prepares what is served next.  Never
 * fails: where the system does not let us, all are equal. */
void priority_give_way(void);
