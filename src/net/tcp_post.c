/* Sends what other threads want to send over a worker's connections: answers that took time, and notifications. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/alloc.h"
#include "base/number.h"
#include "net/tcp_p.h"

enum {
	POSTS_LEN_MAX = 64 * 1024 * 1024, /* octets that may wait for the worker */
	HELD_MAX = 64,                    /* notifications that may wait for one connection; further ones are lost and sent again later */
};

struct post {
	struct post *next;
	uint64_t conn;
	bool is_answer; /* the answer to a request that was left open; else a notification */
	size_t len;
	uint8_t bytes[]; /* LENGTH_LEN octets with the length, then the message */
};

static bool
enqueue(struct tcp_worker *w, struct post *p)
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
	ASSERT(len <= DNS_MSG_MAX);
	struct post *p = try_alloc(sizeof *p + LENGTH_LEN + len);
	if (p == NULL) {
		return false;
	}
	p->conn = conn;
	p->is_answer = is_answer;
	p->len = len;
	u16_put(p->bytes, len);
	if (len != 0) {
		memcpy(p->bytes + LENGTH_LEN, bytes, len);
	}
	if (!enqueue(w, p)) {
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

/* True when the socket has input.  conn_send_held() is called again after that was read. */
static bool
has_unread(const struct conn *c)
{
	uv_os_fd_t fd;
	int n = 0;
	return uv_fileno((const uv_handle_t *)c, &fd) == 0 && ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/* True when a question of the peer has come, in whole or in part, and its answer has not been sent.  Many clients would take the next
 * message for this answer. */
static bool
is_asking(const struct conn *c)
{
	return c->in_len != 0 || c->awaited != 0 || c->stream != NULL || has_unread(c);
}

static void
hold(struct conn *c, struct post *p)
{
	if (c->held_n == HELD_MAX) {
		free(p);
		return;
	}
	p->next = NULL;
	*(c->held != NULL ? c->held_end : &c->held) = p;
	c->held_end = &p->next;
	c->held_n++;
}

static struct post *
take_held(struct conn *c)
{
	struct post *p = c->held;
	c->held = p->next;
	c->held_n--;
	return p;
}

void
conn_send_held(struct conn *c)
{
	while (c->held != NULL && !c->is_closed && !is_asking(c)) {
		struct post *p = take_held(c);
		conn_write(c, p->bytes, LENGTH_LEN + p->len);
		free(p);
	}
	if (!c->is_closed) {
		conn_settle(c);
	}
}

void
conn_drop_held(struct conn *c)
{
	while (c->held != NULL) {
		free(take_held(c));
	}
}

static void
send_answer(struct conn *c, const struct post *p)
{
	c->awaited -= c->awaited > 0;
	if (p->len != 0) {
		conn_write(c, p->bytes, LENGTH_LEN + p->len);
	}
	if (!c->is_closed) {
		conn_seen(c);
	}
	conn_send_held(c);
	conn_close_if_done(c);
}

/* Takes ownership of the post. */
static void
send_one(struct tcp_worker *w, struct post *p)
{
	struct conn *c = conn_find(w, p->conn);
	if (c != NULL && !p->is_answer) {
		hold(c, p);
		conn_send_held(c);
		return;
	}
	if (c != NULL) {
		send_answer(c, p);
	}
	free(p);
}

void
posts_send(struct tcp_worker *w)
{
	for (struct post *p = take_all(w), *next; p != NULL; p = next) {
		next = p->next;
		send_one(w, p);
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
