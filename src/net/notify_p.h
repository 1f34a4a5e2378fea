/* net/notify_p.h -- private to notify.c (the thread and its callers), notify_udp.c and notify_exchange.c (TCP).
 *
 * Only the notifier's thread uses what is declared here, unless a comment says otherwise.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <uv.h>

#include "net/dial.h"
#include "net/env.h"
#include "net/loop_pulse.h"
#include "net/loop_timer.h"
#include "net/notify.h"
#include "net/notify_queue.h"

/* Source addresses that targets ask for and that have a UDP socket each.  From further addresses, messages go by TCP only. */
enum { NOTIFY_SOURCES_MAX = 16 };

/* A UDP socket and the source of its messages.  Closing it in the loop also frees it. */
struct notify_socket {
	uv_udp_t udp;              /* must be first: the handle is cast to the socket */
	struct key_address source; /* as in the targets; family 0: that of net_notify_conf, or the system's choice */
};

struct exchange {
	struct dial *dial; /* NULL: it is not in use */
	struct net_notify *owner;
};

struct net_notify {
	struct net_notify_conf conf;
	struct notify_queue queue;    /* any thread */
	pthread_mutex_t lock;         /* for `stats` */
	struct notifier_stats stats;  /* a copy of the machine's counters, made after each input */
	pthread_t thread;
	atomic_bool stop;
	uv_async_t wake;
	uv_loop_t loop;
	struct loop_timer timer;
	struct loop_pulse pulse;
	struct notifier *machine;
	struct listen_address from_v4, from_v6;   /* the default source of messages; len 0: the system chooses */
	struct notify_socket *udp_v4, *udp_v6;    /* sockets with that source; NULL: the machine does not have the family */
	struct notify_socket *udp_from[NOTIFY_SOURCES_MAX];
	size_t udp_from_n;
	struct exchange exchange[NOTIFIER_EXCHANGES_MAX];
	uint8_t datagram[NOTIFY_INPUT_MAX];
};

/* ---- notify.c ---- */

/* Called after each input to the machine: sets the timer to its next deadline, and copies its counters. */
void notify_after_input(struct net_notify *nn);

/* ---- notify_udp.c ---- */

/* The sockets of both families.  E_UNSUPPORTED, E_NOMEM, E_IO, as net_notify_start(). */
err_t notify_udp_open(struct net_notify *nn, struct diag *diag);

/* Closes a handle of the loop that is a UDP socket. */
void notify_udp_close(uv_handle_t *handle);

/* One of the functions of struct notifier_io; ctx: the net_notify. */
bool notify_send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len);

/* ---- notify_exchange.c: functions of struct notifier_io; ctx: the net_notify ---- */

bool notify_exchange_open(void *ctx, unsigned number, const struct notify_target *to, const uint8_t *bytes, size_t len);
bool notify_exchange_send(void *ctx, unsigned number, const uint8_t *bytes, size_t len);
void notify_exchange_close(void *ctx, unsigned number);

/* Closes all exchanges; the machine hears no more of them. */
void notify_exchanges_end(struct net_notify *nn);
