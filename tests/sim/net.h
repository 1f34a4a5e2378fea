/* tests/sim/net.h -- the network: connections, which keep the order of messages and break; datagrams, which are lost.
 *
 * A connection has two ends, 0 at the node that opened it and 1 at the other.  A message into a split is lost with its connection, both
 * ends of which close a while later.  Faults: struct world.
 */
#pragma once

#include "sim.h"

struct conn {
	struct list_link link;
	uint64_t id;                  /* never used again */
	unsigned node[2];
	bool is_open[2];
	bool is_doomed;               /* nothing comes through any more */
	bool is_exchange;             /* else a link of a follower */
	unsigned number;              /* of the exchange or link at node[0] */
	unsigned answers;             /* from end 1 */
	unsigned packets;             /* on their way */
	uint64_t last_ns[2];          /* when the last one arrives at that end */
};

/* Never fails at once: what cannot be reached closes later. */
struct conn *conn_open(struct sim_node *from, unsigned to, bool is_exchange, unsigned number);
void conn_send(struct world *w, struct conn *c, unsigned end, const uint8_t *bytes, size_t len); /* from that end */
void conn_close(struct world *w, struct conn *c, unsigned end); /* that end does; the other one hears of it, if it can */
struct conn *conn_find(struct world *w, uint64_t id);           /* NULL: it is gone */
void conn_drop_all(struct sim_node *n);                             /* the node is killed */

/* A request that is answered with a datagram, or not. */
void datagram_send(struct sim_node *from, const struct notify_target *to, const uint8_t *bytes, size_t len);

/* A question of a follower, from a socket of its own. */
void question_send(struct sim_node *from, unsigned slot, unsigned to, const uint8_t *bytes, size_t len);

/* Sends a request that has come to the node once more, as a datagram from there. */
void datagram_repeat(struct sim_node *to, unsigned from, const uint8_t *bytes, size_t len);

uint64_t net_next(const struct world *w); /* when the next packet arrives; NOW_NEVER */
void net_deliver(struct world *w);        /* it has arrived */
void net_close_idle(struct world *w);     /* some connections, as servers do; but none that is kept */
void net_fini(struct world *w);
