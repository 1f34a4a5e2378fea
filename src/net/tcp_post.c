/* What other threads send by a worker's connections: answers that took their time, and notifications. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/tcp_p.h"

enum { POSTS_LEN_MAX = 64 * 1024 * 1024 }; /* octets that wait for the worker */

struct post {
	struct post *next;
	uint64_t conn;
	bool is_answer; /* to a request that was left open */
	size_t len;
	uint8_t bytes[]; /* after room for the length */
};

static bool
leave(struct tcp_worker *w, struct post *p)
{
	pthread_mutex_lock(&w->lock);
	bool has_room = w->posts_len + p->len <= POSTS_LEN_MAX && !w->is_stopping;
	if (has_room) {
		*w->posts_end = p;
		w->posts_end = &p->next;
		w->posts_len += p->len;
	}
	pthread_mutex_unlock(&w->lock);
	return has_room;
}

static bool
post(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len, bool is_answer)
{
	struct post *p = xalloc(sizeof *p + LENGTH_LEN + len);
	ASSERT(len <= DNS_MSG_MAX);
	p->conn = conn;
	p->is_answer = is_answer;
	p->len = len;
	p->bytes[0] = (uint8_t)(len >> 8);
	p->bytes[1] = (uint8_t)len;
	if (len != 0) {
		memcpy(p->bytes + LENGTH_LEN, bytes, len);
	}
	if (!leave(w, p)) {
		free(p);
		return false;
	}
	(void)uv_async_send(&w->wake);
	return true;
}

void
tcp_worker_answer(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len)
{
	(void)post(w, conn, bytes, len, true);
}

bool
tcp_worker_send(struct tcp_worker *w, uint64_t conn, const uint8_t *bytes, size_t len)
{
	return post(w, conn, bytes, len, false);
}

static struct post *
take_all(struct tcp_worker *w)
{
	pthread_mutex_lock(&w->lock);
	struct post *first = w->posts;
	w->posts = NULL;
	w->posts_end = &w->posts;
	w->posts_len = 0;
	pthread_mutex_unlock(&w->lock);
	return first;
}

static void
send_one(struct tcp_worker *w, const struct post *p)
{
	struct conn *c = conn_find(w, p->conn);
	if (c == NULL) {
		return;
	}
	c->awaited -= p->is_answer && c->awaited > 0;
	if (p->len != 0) {
		conn_write(c, p->bytes, LENGTH_LEN + p->len);
	}
	conn_close_if_done(c);
}

void
posts_send(struct tcp_worker *w)
{
	for (struct post *p = take_all(w), *next; p != NULL; p = next) {
		next = p->next;
		send_one(w, p);
		free(p);
	}
}

void
posts_drop(struct tcp_worker *w)
{
	for (struct post *p = take_all(w), *next; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
}
