#include "net/tcp_questions.h"

#include "base/err.h"
#include "dns/wire.h"

static unsigned
slot_of(const struct tcp_question *t)
{
	return (unsigned)(t - t->owner->slots);
}

static void
on_message(void *ctx, const uint8_t *bytes, size_t len)
{
	struct tcp_question *t = ctx;
	t->owner->answered(t->owner->ctx, slot_of(t), bytes, len);
}

static void
on_ended(void *ctx, const char *why)
{
	struct tcp_question *t = ctx;
	(void)why;
	t->dial = NULL;
	t->owner->failed(t->owner->ctx, slot_of(t));
}

bool
tcp_questions_send(struct tcp_questions *q, unsigned slot, const struct listen_address *to, const uint8_t *bytes, size_t len)
{
	struct tcp_question *t = &q->slots[slot];
	const char *why;
	ASSERT(t->dial == NULL);
	t->owner = q;
	const struct dial_conf conf = { .to = *to, .message_max = DNS_MSG_MAX, .message = on_message, .ended = on_ended, .ctx = t };
	t->dial = dial_begin(q->loop, &conf, &why);
	if (t->dial != NULL && !dial_send(t->dial, bytes, len)) {
		dial_close(&t->dial);
	}
	return t->dial != NULL;
}

void
tcp_questions_end(struct tcp_questions *q, unsigned slot)
{
	dial_close(&q->slots[slot].dial);
}

void
tcp_questions_end_all(struct tcp_questions *q)
{
	for (unsigned slot = 0; slot < TCP_QUESTIONS_MAX; slot++) {
		tcp_questions_end(q, slot);
	}
}
