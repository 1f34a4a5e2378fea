/* The end of a worker.  What has come is answered: a connection that is closed with octets unread is reset, and the peer may lose answers
 * that it has not taken yet.  What comes later the peer has to send again, over a connection to the next process (RFC 7766 6.2.4).
 */
#include <sys/ioctl.h>

#include "net/tcp_p.h"

enum { STEP_MS = 10 };

static bool
has_input(const struct conn *c)
{
	uv_os_fd_t fd;
	int octets = 0;
	return uv_fileno((const uv_handle_t *)c, &fd) == 0 && ioctl(fd, FIONREAD, &octets) == 0 && octets != 0;
}

/* The question of a new connection is on the way. */
static bool
is_about_to_ask(const struct conn *c)
{
	return !c->has_asked && uv_now(&c->worker->loop) < c->seat.seen_ms + SEATS_NEW_MS;
}

/* An update that waits does not count, as whoever would answer it has ended. */
static bool
is_busy(const struct conn *c)
{
	return is_about_to_ask(c) || c->unsent != 0 || c->stream != NULL || c->in_len != 0 || has_input(c);
}

static void
close_done(struct tcp_worker *w, enum seat_rank rank)
{
	const struct list_link *head = &w->seats.of[rank];
	for (struct list_link *l = head->next, *next; l != head; l = next) {
		struct conn *c = conn_of_seat(LIST_ENTRY(l, struct seat, link));
		next = l->next;
		if (!is_busy(c)) {
			conn_close(c);
		}
	}
}

static void
on_drain(uv_timer_t *timer)
{
	struct tcp_worker *w = timer->data;
	for (enum seat_rank rank = 0; rank < SEAT_RANKS; rank++) {
		close_done(w, rank);
	}
	if (w->seats.n == 0 || uv_now(&w->loop) >= w->drain_end_ms) {
		tcp_close_all(w);
	}
}

void
drain_begin(struct tcp_worker *w)
{
	if (w->is_draining) {
		return;
	}
	w->is_draining = true;
	for (size_t i = 0; i < w->listeners_n; i++) {
		uv_close((uv_handle_t *)&w->listeners[i], NULL);
	}
	w->drain_end_ms = uv_now(&w->loop) + TCP_DRAIN_MS;
	if (uv_timer_start(&w->drain, on_drain, 0, STEP_MS) != 0) {
		tcp_close_all(w);
	}
}
