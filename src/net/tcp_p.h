/* net/tcp_p.h -- a TCP worker and its connections, for the files tcp*.c alone.
 *
 * tcp.c: connections come and go.  tcp_seats.c: which of them stay.  tcp_input.c: messages in, answers out.  tcp_stream.c: zone
 * transfers.  tcp_post.c: what other threads send.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <uv.h>

#include "auth/turns.h"
#include "base/list.h"
#include "net/loop_pulse.h"
#include "net/seats.h"
#include "net/tcp.h"

enum {
	LENGTH_LEN = 2, /* octets before each message (RFC 1035 4.2.2) */
	ANSWER_MAX = LENGTH_LEN + DNS_MSG_MAX,
};

/* A zone transfer to a connection's peer.  While it waits for its turn there is the request and no more. */
struct stream {
	struct conn *conn;
	struct turn turn;
	struct name zone, key;       /* key.len 0: not signed */
	uint8_t *request;            /* owned; NULL: it has begun */
	size_t request_len;
	uint64_t asked_s;            /* since 1970 */
	uint64_t asked_ms, begun_ms; /* of the loop */
	struct transfer *transfer;   /* owned; NULL: it has not begun */
	struct served_pin *pin;
	uint64_t taken;              /* octets, by the peer, when that was last looked at */
	struct list_link run;        /* in the worker's list, when the peer can take more */
};

struct conn {
	uv_tcp_t tcp;               /* first: the handle is the connection */
	struct tcp_worker *worker;
	struct seat seat;         /* seen: last whole message, last that the peer took, or the beginning */
	uint64_t id;                /* for other threads */
	struct peer peer;
	uint8_t *in;                /* owned: input not handled yet; NULL: none */
	size_t in_len, in_cap;
	unsigned unsent;            /* writes under way; while there are any nothing is read */
	unsigned awaited;           /* answers that come from other threads */
	uint64_t awaited_ms;        /* since when, the latest */
	struct stream *stream;      /* owned; while it is there nothing is read */
	struct post *held, **held_end; /* owned: notifications that wait until no question of its peer is open */
	unsigned held_n;
	bool has_asked;             /* a whole message has come */
	bool is_trusted;            /* it counts as clients_trust() has it */
	bool is_kept;               /* its peer hears of changes by it: it may be idle for long */
	bool is_eof;                /* no more comes */
	bool is_last;               /* close once everything has been sent */
	bool is_closed;
};

struct output { /* what a socket did not take at once */
	uv_write_t req; /* first */
	struct conn *conn;
	size_t len;
	uint8_t bytes[];
};

struct post;

struct tcp_worker {
	_Alignas(64) struct net_stats stats;
	_Alignas(64) struct tcp_conf conf;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake; /* tcp_worker_stop(), posts */
	uv_timer_t sweep;
	struct loop_pulse pulse;
	uv_idle_t pump;  /* while there are runnable streams, or one may begin */
	uv_tcp_t *listeners; /* owned */
	size_t listeners_n;
	struct seats seats;
	size_t held;      /* octets in all connections' `in` and unsent output */
	size_t out_len;   /* in write_buffer */
	struct turns turns;        /* of all streams */
	struct list_link runnable; /* streams */
	struct conn **slots; /* owned; by the lower bits of a connection's id */
	size_t slots_n, free_slot;
	uint64_t generation; /* of the latest id */
	uv_tcp_t shed;       /* a connection that there is no memory for */
	bool is_shedding, has_unshed;
	uv_poll_t reserve;   /* closed before the loop runs */

	pthread_mutex_t lock; /* for what follows */
	struct post *posts, **posts_end;
	size_t posts_len; /* octets in them */
	bool is_stopping;

	uint8_t read_buffer[TCP_READ_MAX];
	uint8_t write_buffer[TCP_WRITE_MAX];
};

static inline uv_stream_t *
stream_of(struct conn *c)
{
	return (uv_stream_t *)&c->tcp;
}

static inline struct conn *
conn_of_seat(struct seat *p)
{
	return LIST_ENTRY(p, struct conn, seat);
}

/* ---- tcp.c ---- */

void conn_close(struct conn *c);

/* The same at once, with a reset: what the peer has not taken is not kept for it by the system, either. */
void conn_abort(struct conn *c);
void conn_drop_input(struct conn *c);
struct conn *conn_find(const struct tcp_worker *w, uint64_t id); /* NULL: it has gone */

/* Closes it if it is at its end and owes nothing more. */
void conn_close_if_done(struct conn *c);

/* ---- tcp_seats.c ---- */

/* It is one of the worker's from now on; and no more. */
void conn_sit(struct conn *c);
void conn_rise(struct conn *c);

/* Something has come from its peer, or that has taken something. */
void conn_seen(struct conn *c);

/* What is open on it may have changed, and with it who goes first. */
void conn_settle(struct conn *c);

/* Its peer hears of changes by it: it stays, if there is a place for one more of these. */
void conn_keep(struct conn *c);

/* Room for one more: who is to go for others goes.  False: there is nobody, or another worker has who goes sooner: it finds so itself
 * when it looks (on_sweep()). */
bool evict_one(struct tcp_worker *w);

void on_sweep(uv_timer_t *timer);

/* ---- tcp_input.c ---- */

err_t conn_read_start(struct conn *c);

/* Goes on with what had come while the connection was busy. */
void conn_resume(struct conn *c);

/* Writes what is gathered in the worker's write_buffer.  Afterwards the connection may be waiting, or closed. */
void conn_flush(struct conn *c);

/* Writes after all that was written before.  Closes the connection when its peer has not taken too much already. */
void conn_write(struct conn *c, const uint8_t *bytes, size_t len);

static inline bool
conn_can_go_on(const struct conn *c)
{
	return !c->is_closed && !c->is_last && c->unsent == 0 && c->stream == NULL;
}

/* ---- tcp_stream.c ---- */

/* The transfer that a request asks for: it begins when it is its turn, with the view that is served then. */
void stream_ask(struct conn *c, const struct net_request *r, const struct server_out *out);
void stream_end(struct conn *c, enum transfer_end how);

/* The peer has taken all that was written: there may be more. */
void stream_resume(struct stream *s);

void streams_end_revoked(struct tcp_worker *w);

/* Now and then: whose peers have taken something are not idle; those that are too slow, or too long under way, end. */
void streams_look(struct tcp_worker *w);

void on_pump(uv_idle_t *pump);

/* ---- tcp_post.c ---- */

/* Sends what other threads have left. */
void posts_send(struct tcp_worker *w);

/* Sends what was held for one connection, if no question of its peer is open any more. */
void conn_send_held(struct conn *c);
void conn_drop_held(struct conn *c);
void posts_drop(struct tcp_worker *w);
