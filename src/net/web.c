#include "net/web.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "ops/clock.h"
#include "ops/poller.h"
#include "ops/thread.h"

enum {
	/* libmicrohttpd takes some more connections than ours in one turn; above its own limit it takes none. */
	TAKEN_MAX = WEB_CONNECTIONS_MAX + 8,
};

struct client {
	struct list_link link; /* in the order in which they came */
	int fd;                /* libmicrohttpd's */
	uint64_t came_ms;
	bool is_ended;
};

struct made {
	struct MHD_Response *response; /* NULL: not made yet */
	uint64_t made_ms;
};

struct web {
	struct web_conf conf;
	struct MHD_Daemon *http;
	int fd;
	struct poller poller;
	struct list_link clients;
	unsigned clients_n; /* not ended */
	bool has_room;      /* a connection has ended: libmicrohttpd takes others again, but only in its next turn */
	struct made made[WEB_PAGES_MAX];
	struct MHD_Response *not_found, *not_allowed, *not_now;
};

/* ---- clients ---- */

/* Its connection ends in the next turn: what is read from it is an end. */
static void
end_client(struct web *w, struct client *c)
{
	c->is_ended = true;
	w->clients_n--;
	(void)shutdown(c->fd, SHUT_RDWR);
}

static void
end_oldest(struct web *w)
{
	for (struct list_link *l = w->clients.next; l != &w->clients; l = l->next) {
		struct client *c = LIST_ENTRY(l, struct client, link);
		if (!c->is_ended) {
			end_client(w, c);
			return;
		}
	}
}

static void
on_client_begin(struct web *w, struct MHD_Connection *connection, void **mark)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct client *c = try_alloc(sizeof *c);
	*mark = c;
	if (c == NULL) {
		return; /* the time limits of libmicrohttpd are enough for it */
	}
	*c = (struct client){ .fd = info->connect_fd, .came_ms = clock_ms() };
	list_append(&w->clients, &c->link);
	w->clients_n++;
	if (w->clients_n > WEB_CONNECTIONS_MAX) {
		end_oldest(w);
	}
}

static void
on_client(void *ctx, struct MHD_Connection *connection, void **mark, enum MHD_ConnectionNotificationCode what)
{
	struct web *w = ctx;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		on_client_begin(w, connection, mark);
	} else if (*mark != NULL) {
		struct client *c = *mark;
		w->clients_n -= !c->is_ended;
		list_remove(&c->link);
		free(c);
		*mark = NULL;
	}
	w->has_room |= what == MHD_CONNECTION_NOTIFY_CLOSED;
}

/* Ends connections that are too old. */
static void
look_at_clients(struct web *w)
{
	uint64_t now_ms = clock_ms();
	for (struct list_link *l = w->clients.next; l != &w->clients; l = l->next) {
		struct client *c = LIST_ENTRY(l, struct client, link);
		if (!c->is_ended && now_ms - c->came_ms >= 1000 * WEB_LIFE_S) {
			end_client(w, c);
		}
	}
}

/* ---- answers ---- */

static struct MHD_Response *
plain(const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	if (r != NULL) {
		(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	}
	return r;
}

static void
drop(struct MHD_Response **r)
{
	if (*r != NULL) {
		MHD_destroy_response(*r);
		*r = NULL;
	}
}

/* NULL: it cannot be made just now. */
static struct MHD_Response *
make(const struct web *w, size_t page)
{
	const struct web_page *p = &w->conf.pages[page];
	struct str text = { 0 };
	err_t err = w->conf.make(w->conf.ctx, page, &text);
	struct MHD_Response *r = err == OK && text.err == OK
	                                 ? MHD_create_response_from_buffer(text.len, text.s, MHD_RESPMEM_MUST_FREE)
	                                 : NULL;
	if (r == NULL) {
		str_fini(&text);
		return NULL;
	}
	for (size_t i = 0; i < WEB_HEADERS_MAX && p->headers[i].name != NULL; i++) {
		(void)MHD_add_response_header(r, p->headers[i].name, p->headers[i].value);
	}
	return r;
}

/* NULL: it cannot be made just now. */
static struct MHD_Response *
answer(struct web *w, size_t page)
{
	struct made *m = &w->made[page];
	uint64_t now_ms = clock_ms();
	if (m->response == NULL || now_ms - m->made_ms >= WEB_FRESH_MS) {
		drop(&m->response);
		m->response = make(w, page);
		m->made_ms = now_ms;
	}
	return m->response;
}

/* pages_n: there is none. */
static size_t
find(const struct web *w, struct MHD_Connection *connection, const char *path)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	for (size_t i = 0; i < w->conf.pages_n; i++) {
		const struct web_page *p = &w->conf.pages[i];
		bool fits = p->accept == NULL || (accept != NULL && strstr(accept, p->accept) != NULL);
		if (fits && strcmp(p->path, path) == 0) {
			return i;
		}
	}
	return w->conf.pages_n;
}

static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method, const char *version,
           const char *upload, size_t *upload_len, void **mark)
{
	struct web *w = ctx;
	(void)version, (void)upload, (void)mark;
	*upload_len = 0; /* whatever it is, nobody wants it */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		return MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, w->not_allowed);
	}
	size_t page = find(w, connection, path);
	if (page == w->conf.pages_n) {
		return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, w->not_found);
	}
	struct MHD_Response *r = answer(w, page);
	return r != NULL ? MHD_queue_response(connection, MHD_HTTP_OK, r)
	                 : MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, w->not_now);
}

/* ---- the thread ---- */

static int
wait_ms(struct web *w)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (w->has_room) {
		w->has_room = false;
		return 0;
	}
	bool has_limit = MHD_get_timeout(w->http, &ms) == MHD_YES;
	return has_limit && ms < PULSE_PERIOD_MS ? (int)ms : PULSE_PERIOD_MS;
}

static void *
run(void *arg)
{
	struct web *w = arg;
	int epoll = MHD_get_daemon_info(w->http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	short events;
	thread_name("metrics");
	w->conf.begin(w->conf.ctx);
	while (poller_wait(&w->poller, epoll, POLLIN, wait_ms(w), &events)) {
		look_at_clients(w);
		(void)MHD_run(w->http);
		w->conf.turn(w->conf.ctx);
	}
	w->conf.end(w->conf.ctx);
	return NULL;
}

static struct MHD_Daemon *
http_new(struct web *w)
{
	return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, w,
	                        MHD_OPTION_LISTEN_SOCKET, w->fd,
	                        MHD_OPTION_CONNECTION_LIMIT, (unsigned)TAKEN_MAX,
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_SILENT_S,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)WEB_REQUEST_MAX,
	                        MHD_OPTION_NOTIFY_CONNECTION, on_client, w,
	                        MHD_OPTION_END);
}

static void
web_free(struct web *w)
{
	if (w->http != NULL) {
		MHD_stop_daemon(w->http); /* closes the socket */
	} else {
		close(w->fd);
	}
	for (size_t i = 0; i < w->conf.pages_n; i++) {
		drop(&w->made[i].response);
	}
	drop(&w->not_found);
	drop(&w->not_allowed);
	drop(&w->not_now);
	free(w);
}

static bool
make_parts(struct web *w)
{
	w->not_found = plain("There is nothing here.  Look at / or /metrics\n");
	w->not_allowed = plain("This server only answers GET and HEAD.\n");
	w->not_now = plain("The values are not to be had just now.\n");
	if (w->not_found == NULL || w->not_allowed == NULL || w->not_now == NULL) {
		return false;
	}
	(void)MHD_add_response_header(w->not_allowed, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	w->http = http_new(w);
	return w->http != NULL;
}

err_t
web_start(const struct web_conf *conf, int fd, struct web **out, struct diag *diag)
{
	struct web *w = xalloc(sizeof *w);
	ASSERT(conf->pages_n <= WEB_PAGES_MAX);
	*w = (struct web){ .conf = *conf, .fd = fd };
	list_init(&w->clients);
	if (!make_parts(w) || poller_begin(&w->poller, run, w) != OK) {
		diag_set(diag, DIAG_ERROR, "metrics", "cannot start the thread that answers HTTP");
		web_free(w);
		return E_IO;
	}
	*out = w;
	return OK;
}

bool
web_stop(struct web **w, unsigned limit_ms)
{
	if (*w == NULL) {
		return true;
	}
	if (!poller_end(&(*w)->poller, limit_ms)) {
		return false;
	}
	web_free(*w);
	*w = NULL;
	return true;
}

const struct pulse *
web_pulse(const struct web *w)
{
	return &w->poller.pulse;
}
