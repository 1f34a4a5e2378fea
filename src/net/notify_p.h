/* net/notify_p.h -- what notify.c (the thread, and what other threads have for it), notify_udp.c and notify_exchange.c (TCP) share.
 *
 * Private to them.  All of it is the thread's own, but for what is said.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <uv.h>

#include "net/loop_pulse.h"
#include "net/notify.h"
#include "net/notify_queue.h"

struct exchange;

enum { NOTIFY_SOURCES_MAX = 16 }; /* addresses of ours that targets ask for, with a UDP socket each; from others there is TCP alone */

/* A UDP socket, and where its messages come from.  The loop frees it when it is closed. */
struct notify_socket {
	uv_udp_t udp;              /* first: the handle is the socket */
	struct key_address source; /* as in the targets; family 0: that of net_notify_conf, or any */
};

struct net_notify {
	struct net_notify_conf conf;
	struct notify_queue queue;    /* any thread's */
	pthread_mutex_t lock;         /* of `stats` */
	struct notifier_stats stats;  /* as the machine had them last */
	pthread_t thread;
	atomic_bool stop;
	uv_async_t wake;
	uv_loop_t loop;
	uv_timer_t timer;
	struct loop_pulse pulse;
	struct notifier *machine;
	struct listen_address from_v4, from_v6;   /* where messages come from by default; len 0: any */
	struct notify_socket *udp_v4, *udp_v6;    /* from there; NULL: the machine does not have the family */
	struct notify_socket *udp_from[NOTIFY_SOURCES_MAX];
	size_t udp_from_n;
	struct exchange *exchange[NOTIFIER_EXCHANGES_MAX];
	uint8_t datagram[NOTIFY_INPUT_MAX];
};

/* ---- notify.c ---- */

struct notifier_now notify_now(void);

/* After each input to the machine: its next deadline, its counters. */
void notify_after_input(struct net_notify *nn);

/* ---- notify_udp.c ---- */

struct listen_address notify_sockaddr(const struct key_address *a, uint16_t port);

/* From where messages to a target go; len 0: as the system likes. */
struct listen_address notify_from(const struct net_notify *nn, const struct notify_target *to);

/* The sockets of both families.  E_UNSUPPORTED, E_NOMEM, E_IO, as net_notify_start(). */
err_t notify_udp_open(struct net_notify *nn, struct diag *diag);

/* A handle of the loop that is a UDP socket. */
void notify_udp_close(uv_handle_t *handle);

/* For struct notifier_io; ctx: the net_notify. */
bool notify_send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len);

/* ---- notify_exchange.c: for struct notifier_io; ctx: the net_notify ---- */

bool notify_exchange_open(void *ctx, unsigned number, const struct notify_target *to, const uint8_t *bytes, size_t len);
bool notify_exchange_send(void *ctx, unsigned number, const uint8_t *bytes, size_t len);
void notify_exchange_close(void *ctx, unsigned number);

/* Nothing more comes of it; it is freed when the loop has turned. */
void notify_exchange_drop(struct exchange *x);
