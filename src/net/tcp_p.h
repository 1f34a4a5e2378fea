/* net/tcp_p.h -- a TCP worker and its connections; private to the files tcp*.c.
 *
 * tcp.c begins and ends connections. tcp_seats.c decides which connections stay. tcp_input.c reads messages and writes answers.
 * tcp_stream.c sends zone transfers. tcp_post.c sends what other threads want to send. tcp_drain.c ends what is left when the worker ends.
 *
 * A connection is kept when a secondary has asked for a SOA over it, signed with a transfer key: the secondary may be notified over it
 * (net/subscriptions.h), so it may be idle for long.
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

/* A zone transfer to a connection's peer.  While it waits for its turn, it consists of the request only. */
struct stream {
	struct conn *conn;
	struct turn turn;
	struct name zone, key;       /* key.len 0: not signed */
	uint8_t *request;            /* owned; NULL: the transfer has begun */
	size_t request_len;
	uint64_t asked_s;            /* when the request came: since 1970, */
	uint64_t asked_ms, begun_ms; /* and by the loop's clock */
	struct transfer *transfer;   /* owned; NULL: it has not begun */
	struct served_pin *pin;
	uint64_t taken;              /* octets that the peer had taken at the last look */
	struct list_link run;        /* in the worker's list `runnable`, while the peer can take more */
};

struct conn {
	uv_tcp_t tcp;               /* must be first: the handle is cast to the connection */
	struct tcp_worker *worker;
	struct seat seat;           /* its seen_ms: the last whole message, the last octets taken, or the beginning */
	uint64_t id;                /* for other threads, which cannot use a pointer */
	struct peer peer;
	uint8_t *in;                /* owned: input not handled yet; NULL: none */
	size_t in_len, in_cap;
	unsigned unsent;            /* writes under way; nothing is read meanwhile */
	unsigned awaited;           /* answers that will come from other threads */
	uint64_t awaited_ms;        /* when the latest of these requests came */
	struct stream *stream;      /* owned; nothing is read while there is one */
	struct post *held, **held_end; /* owned: notifications that wait until no question of the peer is open */
	unsigned held_n;
	bool has_asked;             /* a whole message has come */
	bool is_trusted;            /* it is counted by clients_trust() */
	bool is_kept;               /* as told above; it is counted by clients_keep() */
	bool is_eof;                /* no more input will come */
	bool is_last;               /* to be closed once everything has been sent */
	bool is_closed;
};

struct output { /* octets that a socket did not take at once */
	uv_write_t req; /* must be first */
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
	uv_async_t wake; /* for tcp_worker_end(), tcp_worker_wake() and posts */
	uv_timer_t sweep;
	uv_timer_t drain; /* runs at the end */
	uint64_t drain_end_ms;
	struct loop_pulse pulse;
	uv_idle_t pump;  /* runs while a stream is runnable or may begin */
	uv_tcp_t *listeners; /* owned */
	size_t listeners_n;
	bool is_listening, is_draining;
	struct seats seats;
	struct tcp_terms {   /* as they were at the last sweep */
		uint32_t idle_ms; /* how long a connection may be idle without anything that is open on it */
		bool is_full;     /* there are no more places, so that idle ones should go */
		bool may_keep;    /* one more connection could be kept */
	} terms;
	size_t buffered;  /* octets in the `in` of all connections, in unsent output, and in requests of streams */
	size_t out_len;   /* octets in write_buffer */
	struct turns turns;        /* of all streams */
	struct list_link runnable; /* streams whose peers can take more */
	struct conn **slots; /* owned: connections, by the lower bits of their ids */
	size_t slots_n, free_slot;
	uint64_t generation; /* of the latest id */
	uv_tcp_t shed;       /* a connection that is accepted only to be closed, for lack of memory */
	bool is_shedding, has_unshed;
	uv_poll_t reserve;   /* see reserve_descriptors(); closed before the loop runs */

	pthread_mutex_t lock; /* for posts, posts_len and is_stopping */
	struct post *posts, **posts_end; /* owned: messages that other threads want to be sent */
	size_t posts_len; /* octets in the posts */
	bool is_stopping;

	uint8_t read_buffer[TCP_READ_MAX];
	uint8_t write_buffer[TCP_WRITE_MAX];
};

static inline uv_stream_t *
conn_uv(struct conn *c)
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

/* Closes the connection with a reset, so that the system drops data that the peer has not taken. */
void conn_abort(struct conn *c);
void conn_drop_input(struct conn *c);
void tcp_close_all(struct tcp_worker *w); /* connections, listeners, timers: the loop ends */
struct conn *conn_find(const struct tcp_worker *w, uint64_t id); /* NULL: the connection has closed */

/* Closes the connection if it is to be closed and nothing is left to send. */
void conn_close_if_done(struct conn *c);

/* ---- tcp_seats.c ---- */

/* conn_sit() gives the connection a seat; conn_rise() takes the seat away. */
void conn_sit(struct conn *c);
void conn_rise(struct conn *c);

/* The peer has sent something or has taken something. */
void conn_seen(struct conn *c);

/* Sets the rank anew, after what is open on the connection may have changed. */
void conn_settle(struct conn *c);

/* Sets what the connection's peer is told of how long it may be idle (RFC 7828). */
void conn_set_terms(struct conn *c);
void terms_set(struct tcp_worker *w);

/* Makes it a kept connection, if there is a place for one more of these. */
void conn_keep(struct conn *c);

/* Closes a connection to make room for another.  False: this worker has none to close, or another worker has one of a lower rank, which it
 * will close in on_sweep(). */
bool evict_one(struct tcp_worker *w);

void on_sweep(uv_timer_t *timer);

/* ---- tcp_input.c ---- */

err_t conn_read_start(struct conn *c);

/* Continues with the input that came while the connection was busy. */
void conn_resume(struct conn *c);

/* Writes what was gathered in the worker's write_buffer.  Afterwards the connection may wait for its peer, or be closed. */
void conn_flush(struct conn *c);

/* Writes after everything that was written before.  Closes the connection if its peer has left too much unread. */
void conn_write(struct conn *c, const uint8_t *bytes, size_t len);

static inline bool
conn_can_go_on(const struct conn *c)
{
	return !c->is_closed && !c->is_last && c->unsent == 0 && c->stream == NULL;
}

/* ---- tcp_stream.c ---- */

/* Takes a request for a transfer.  The transfer begins when its turn comes, with the view that is served then. */
void stream_ask(struct conn *c, const struct net_request *r, const struct server_out *out);
void stream_end(struct conn *c, enum transfer_end how);

/* The peer has taken everything that was written, so more can be sent. */
void stream_resume(struct stream *s);

void streams_end_revoked(struct tcp_worker *w);

/* Called now and then: notes which peers have taken something, and ends transfers that are too slow or take too long. */
void streams_look(struct tcp_worker *w);

void on_pump(uv_idle_t *pump);

/* ---- tcp_drain.c ---- */

/* Closes the listeners, and each connection when nothing is open on it; in the end everything. */
void drain_begin(struct tcp_worker *w);

/* ---- tcp_post.c ---- */

/* Sends what other threads have put into the queue of posts. */
void posts_send(struct tcp_worker *w);

/* Sends what was held for one connection, if no question of the peer is open any more. */
void conn_send_held(struct conn *c);
void conn_drop_held(struct conn *c);
void posts_drop(struct tcp_worker *w);
