/* ops/priority.h -- lets threads that answer queries run before others when the processors are busy. */
#pragma once

/* Lowers the priority of the calling thread permanently.  For threads that prepare what is served next.  Never fails: if the system does
 * not allow it, all threads are equal. */
void priority_give_way(void);
