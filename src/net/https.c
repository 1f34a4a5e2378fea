#include "net/https.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/alloc.h"

struct exchange {
	struct https *owner;
	CURL *easy;                /* NULL: it could not begin */
	struct curl_slist *headers;
	uint64_t id;
	struct acme_answer answer;
	bool is_over_limit;
	char why[CURL_ERROR_SIZE];
	struct exchange *next;
};

/* Of a socket of libcurl's: it lives from the first wish to watch it until the wish to stop. */
struct watch {
	uv_poll_t poll; /* must be first */
	struct https *owner;
	curl_socket_t socket;
};

struct https {
	struct https_conf conf;
	CURLM *multi;
	uv_timer_t *timer;         /* libcurl's; freed by the loop */
	struct exchange *exchanges;
	size_t n;
};

/* ---- the end of an exchange ---- */

static void
exchange_free(struct exchange *x)
{
	struct exchange **at = &x->owner->exchanges;
	while (*at != x) {
		at = &(*at)->next;
	}
	*at = x->next;
	x->owner->n--;
	if (x->easy != NULL) {
		(void)curl_multi_remove_handle(x->owner->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	curl_slist_free_all(x->headers);
	acme_answer_fini(&x->answer);
	free(x);
}

static void
end(struct exchange *x, CURLcode code)
{
	struct https *h = x->owner;
	char why[HTTPS_WHY_MAX];
	if (code == CURLE_OK) {
		h->conf.answered(h->conf.ctx, x->id, &x->answer);
	} else {
		const char *what = x->is_over_limit ? "the answer is too large" : x->why[0] != '\0' ? x->why : curl_easy_strerror(code);
		(void)snprintf(why, sizeof why, "%s", what);
		h->conf.failed(h->conf.ctx, x->id, why);
	}
	exchange_free(x);
}

static void
take_ended(struct https *h)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct exchange *x = NULL;
		CURLcode code = m->data.result;
		if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x) == CURLE_OK) {
			end(x, code);
		}
	}
	for (struct exchange *x = h->exchanges, *next; x != NULL; x = next) {
		next = x->next;
		if (x->easy == NULL) {
			end(x, CURLE_FAILED_INIT);
			next = h->exchanges; /* the callback may have begun others */
		}
	}
}

/* ---- libcurl on the loop ---- */

static void
act(struct https *h, curl_socket_t socket, int events)
{
	int running;
	(void)curl_multi_socket_action(h->multi, socket, events, &running);
	take_ended(h);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	const struct watch *w = (const struct watch *)poll;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
	flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
	act(w->owner, w->socket, flags);
}

static void
on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_handle_closed(uv_handle_t *handle)
{
	free(handle);
}

static struct watch *
watch_new(struct https *h, curl_socket_t socket)
{
	struct watch *w = try_alloc(sizeof *w);
	if (w == NULL || uv_poll_init_socket(h->conf.loop, &w->poll, socket) != 0) {
		free(w);
		return NULL;
	}
	w->owner = h;
	w->socket = socket;
	(void)curl_multi_assign(h->multi, socket, w);
	return w;
}

static int
on_socket(CURL *easy, curl_socket_t socket, int what, void *ctx, void *watch)
{
	struct https *h = ctx;
	struct watch *w = watch;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL) {
			(void)curl_multi_assign(h->multi, socket, NULL);
			uv_close((uv_handle_t *)&w->poll, on_handle_closed);
		}
		return 0;
	}
	w = w != NULL ? w : watch_new(h, socket);
	int events = what == CURL_POLL_IN ? UV_READABLE : what == CURL_POLL_OUT ? UV_WRITABLE : UV_READABLE | UV_WRITABLE;
	return w != NULL && uv_poll_start(&w->poll, events, on_poll) == 0 ? 0 : -1;
}

/* libcurl must not be called from here, so not even a time of 0 is acted on at once. */
static int
on_wish_for_time(CURLM *multi, long ms, void *ctx)
{
	struct https *h = ctx;
	(void)multi;
	return ms < 0 ? uv_timer_stop(h->timer) : uv_timer_start(h->timer, on_timer, (uint64_t)ms, 0);
}

/* ---- an exchange ---- */

static size_t
on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	long status = 0;
	err_t err = OK;
	bool is_status = n > 5 && memcmp(line, "HTTP/", 5) == 0 && line[5] >= '0' && line[5] <= '9';
	if (is_status && x->answer.body.len == 0) { /* not in a trailer */
		(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
		acme_answer_begin(&x->answer, (unsigned)status);
	} else {
		err = acme_answer_header(&x->answer, line, size * n);
	}
	x->is_over_limit |= err != OK;
	return err == OK ? size * n : 0;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
	struct exchange *x = ctx;
	err_t err = acme_answer_body(&x->answer, bytes, size * n);
	x->is_over_limit |= err != OK;
	return err == OK ? size * n : 0;
}

static bool
add_header(struct exchange *x, const char *name, const char *value)
{
	char line[256];
	int len = snprintf(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *more = len < (int)sizeof line ? curl_slist_append(x->headers, line) : NULL;
	x->headers = more != NULL ? more : x->headers;
	return more != NULL;
}

static bool
set_headers(struct exchange *x, const struct acme_request *r)
{
	struct curl_slist *no_expect = curl_slist_append(x->headers, "Expect:"); /* it would cost a round trip, or a second */
	x->headers = no_expect;
	return no_expect != NULL && add_header(x, "Accept-Language", "en") &&
	       (r->content_type == NULL || add_header(x, "Content-Type", r->content_type)) &&
	       (r->accept == NULL || add_header(x, "Accept", r->accept)) &&
	       curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

static bool
set_method(CURL *e, const struct acme_request *r)
{
	switch (r->method) {
	case ACME_HEAD: return curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
	case ACME_POST:
		return curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
		       curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len) == CURLE_OK &&
		       curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, r->body) == CURLE_OK;
	default: return curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	}
}

/* Whom to trust, and nothing but https. */
static bool
set_trust(const struct exchange *x)
{
	CURL *e = x->easy;
	const char *file = x->owner->conf.ca_file;
	return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       (file == NULL || (curl_easy_setopt(e, CURLOPT_CAINFO, file) == CURLE_OK &&
	                         curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool
set_callbacks(struct exchange *x)
{
	CURL *e = x->easy;
	return curl_easy_setopt(e, CURLOPT_PRIVATE, (void *)x) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->why) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_HEADERDATA, (void *)x) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_WRITEDATA, (void *)x) == CURLE_OK;
}

static bool
begin(struct exchange *x, const struct acme_request *r)
{
	CURL *e = x->easy = curl_easy_init();
	bool is_set = e != NULL && curl_easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK && set_trust(x) && set_callbacks(x) &&
	              set_method(e, r) && set_headers(x, r) &&
	              curl_easy_setopt(e, CURLOPT_USERAGENT, "Origin/" ORIGIN_VERSION " (oacme)") == CURLE_OK &&
	              curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	              curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)HTTPS_CONNECT_MAX_S) == CURLE_OK &&
	              curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)HTTPS_TIME_MAX_S) == CURLE_OK;
	return is_set && curl_multi_add_handle(x->owner->multi, e) == CURLM_OK;
}

void
https_send(struct https *h, const struct acme_request *r)
{
	struct exchange *x = xalloc(sizeof *x);
	x->owner = h;
	x->id = r->id;
	x->next = h->exchanges;
	h->exchanges = x;
	if (h->n++ >= HTTPS_IN_FLIGHT_MAX || !begin(x, r)) {
		curl_easy_cleanup(x->easy); /* NULL-safe */
		x->easy = NULL;
		(void)uv_timer_start(h->timer, on_timer, 0, 0);
	}
}

/* ---- beginning and end ---- */

static bool
set_up(struct https *h)
{
	return curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
	       curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, (void *)h) == CURLM_OK &&
	       curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_wish_for_time) == CURLM_OK &&
	       curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, (void *)h) == CURLM_OK &&
	       curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTPS_CONNECTIONS_MAX) == CURLM_OK;
}

struct https *
https_new(const struct https_conf *conf)
{
	struct https *h = xalloc(sizeof *h);
	h->conf = *conf;
	h->timer = xalloc(sizeof *h->timer);
	bool has_curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	h->multi = has_curl ? curl_multi_init() : NULL;
	if (h->multi == NULL || !set_up(h) || uv_timer_init(conf->loop, h->timer) != 0) {
		(void)curl_multi_cleanup(h->multi);
		free(h->timer);
		free(h);
		return NULL;
	}
	h->timer->data = h;
	return h;
}

void
https_free(struct https **https)
{
	struct https *h = *https;
	if (h == NULL) {
		return;
	}
	while (h->exchanges != NULL) {
		exchange_free(h->exchanges);
	}
	(void)curl_multi_cleanup(h->multi); /* says for each socket that nobody needs to watch it any more */
	uv_close((uv_handle_t *)h->timer, on_handle_closed);
	curl_global_cleanup();
	free(h);
	*https = NULL;
}
