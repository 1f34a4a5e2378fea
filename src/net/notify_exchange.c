/* Exchanges: an exchange is a TCP connection to a target (net/dial.h). */
#include "net/notify_p.h"

static unsigned
number_of(const struct exchange *x)
{
	return (unsigned)(x - x->owner->exchange);
}

static void
on_message(void *ctx, const uint8_t *bytes, size_t len)
{
	struct exchange *x = ctx;
	struct now t = net_now();
	notifier_exchange_input(x->owner->machine, &t, number_of(x), bytes, len);
	notify_after_input(x->owner);
}

/* The peer has closed the connection, or it could not be made. */
static void
on_ended(void *ctx, const char *why)
{
	(void)why;
	struct exchange *x = ctx;
	struct now t = net_now();
	x->dial = NULL;
	notifier_exchange_closed(x->owner->machine, &t, number_of(x));
	notify_after_input(x->owner);
}

bool
notify_exchange_open(void *ctx, unsigned number, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	struct exchange *x = &nn->exchange[number];
	const struct dial_conf conf = {
		.from = listen_source(&to->address, &to->source, &nn->from_v4, &nn->from_v6),
		.to = listen_at(&to->address, to->port),
		.message_max = NOTIFY_INPUT_MAX,
		.message = on_message,
		.ended = on_ended,
		.ctx = x,
	};
	const char *why;
	x->owner = nn;
	x->dial = dial_begin(&nn->loop, &conf, &why);
	if (x->dial != NULL && !dial_send(x->dial, bytes, len)) {
		dial_close(&x->dial);
	}
	return x->dial != NULL;
}

bool
notify_exchange_send(void *ctx, unsigned number, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	return dial_send(nn->exchange[number].dial, bytes, len);
}

void
notify_exchange_close(void *ctx, unsigned number)
{
	struct net_notify *nn = ctx;
	dial_close(&nn->exchange[number].dial);
}

void
notify_exchanges_end(struct net_notify *nn)
{
	for (unsigned i = 0; i < NOTIFIER_EXCHANGES_MAX; i++) {
		dial_close(&nn->exchange[i].dial);
	}
}
