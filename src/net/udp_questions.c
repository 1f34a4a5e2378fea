#include "net/udp_questions.h"

#include <stdlib.h>

#include "base/alloc.h"

struct udp_question {
	uv_udp_t udp;
	struct udp_questions *owner;
	unsigned slot;
};

static void
on_freed(uv_handle_t *handle)
{
	free(handle);
}

void
udp_questions_end(struct udp_questions *q, unsigned slot)
{
	if (q->slots[slot] != NULL) {
		uv_close((uv_handle_t *)&q->slots[slot]->udp, on_freed);
		q->slots[slot] = NULL;
	}
}

void
udp_questions_end_all(struct udp_questions *q)
{
	for (unsigned slot = 0; slot < UDP_QUESTIONS_MAX; slot++) {
		udp_questions_end(q, slot);
	}
}

/* ---- answers ---- */

static void
on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct udp_question *u = (struct udp_question *)handle;
	(void)suggested;
	*buf = uv_buf_init((char *)u->owner->buffer, sizeof u->owner->buffer);
}

static void
on_received(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct udp_question *u = (struct udp_question *)udp;
	struct udp_questions *q = u->owner;
	(void)from;
	if (q->slots[u->slot] != u) {
		return; /* it has ended */
	}
	if (n < 0) {
		q->not_reached(q->ctx, u->slot);
	} else if (n >= DNS_HEADER_LEN && (flags & UV_UDP_PARTIAL) == 0) {
		q->answered(q->ctx, u->slot, (const uint8_t *)buf->base, (size_t)n);
	}
}

/* ---- questions ---- */

static bool
connect_from(struct udp_question *u, const struct listen_address *from, const struct listen_address *to)
{
	return (from->len == 0 || uv_udp_bind(&u->udp, &from->sa.any, 0) == 0) && uv_udp_connect(&u->udp, &to->sa.any) == 0 &&
	       uv_udp_recv_start(&u->udp, on_buffer, on_received) == 0;
}

static bool
begin(struct udp_questions *q, unsigned slot, const struct listen_address *from, const struct listen_address *to)
{
	struct udp_question *u = try_alloc(sizeof *u);
	if (u == NULL || uv_udp_init(q->loop, &u->udp) != 0) {
		free(u);
		return false;
	}
	u->owner = q;
	u->slot = slot;
	q->slots[slot] = u;
	if (!connect_from(u, from, to)) {
		udp_questions_end(q, slot);
		return false;
	}
	return true;
}

bool
udp_questions_send(struct udp_questions *q, unsigned slot, const struct listen_address *from, const struct listen_address *to,
                   const uint8_t *bytes, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
	if (q->slots[slot] == NULL && !begin(q, slot, from, to)) {
		return false;
	}
	return uv_udp_try_send(&q->slots[slot]->udp, &buf, 1, NULL) == (int)len;
}
