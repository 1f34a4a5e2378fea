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

/* UDP of one family, and where its messages come from. */
struct family {
	uv_udp_t udp;
	bool is_there;
	struct listen_address source; /* len 0: any */
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
	struct family v4, v6;
	struct exchange *exchange[NOTIFIER_EXCHANGES_MAX];
	uint8_t datagram[NOTIFY_INPUT_MAX];
};

/* ---- notify.c ---- */

struct notifier_now notify_now(void);

/* After each input to the machine: its next deadline, its counters. */
void notify_after_input(struct net_notify *nn);

/* ---- notify_udp.c ---- */

struct family *notify_family(struct net_notify *nn, const struct key_address *a);
struct listen_address notify_sockaddr(const struct notify_target *to);

/* E_UNSUPPORTED, E_NOMEM, E_IO, as net_notify_start().  The socket is the loop's. */
err_t notify_family_open(struct net_notify *nn, struct family *f, int af, const struct listen_address *source, struct diag *diag);

/* For struct notifier_io; ctx: the net_notify. */
bool notify_send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len);

/* ---- notify_exchange.c: for struct notifier_io; ctx: the net_notify ---- */

bool notify_exchange_open(void *ctx, unsigned number, const struct notify_target *to, const uint8_t *bytes, size_t len);
bool notify_exchange_send(void *ctx, unsigned number, const uint8_t *bytes, size_t len);
void notify_exchange_close(void *ctx, unsigned number);

/* Nothing more comes of it; it is freed when the loop has turned. */
void notify_exchange_drop(struct exchange *x);
