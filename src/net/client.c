#include "net/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "net/client_p.h"
#include "net/random.h"
#include "ops/clock.h"
#include "ops/files.h"

/* ---- time and descriptors ---- */

/* Waits until one of the descriptors is ready; a descriptor of -1 is ignored.  E_TIMEOUT: none was until the deadline. */
err_t
client_await(struct pollfd *fds, nfds_t n, uint64_t deadline_ms)
{
	for (;;) {
		uint64_t now = clock_ms();
		int left = deadline_ms > now ? (int)(deadline_ms - now) : 0;
		int ready = poll(fds, n, left);
		if (ready > 0) {
			return OK;
		}
		if (ready == 0) {
			return E_TIMEOUT;
		}
		if (errno != EINTR) {
			return E_IO;
		}
	}
}

err_t
client_err_of_errno(void)
{
	return errno == ECONNREFUSED ? E_REFUSED : errno == ETIMEDOUT ? E_TIMEOUT : E_IO;
}

bool
client_is_try_again(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* ---- answers ---- */

/* True when the message answers the request.  An answer repeats the question (RFC 1035 4.1.2), unless the server could not read it. */
static bool
is_answer_to(const struct client_request *r, const struct msg *m)
{
	uint16_t id = u16_at(r->wire);
	uint16_t bits = u16_at(r->wire + 2);
	if (m->id != id || (m->bits & DNS_QR) == 0 || ((m->bits ^ bits) & DNS_OPCODE) != 0) {
		return false;
	}
	struct msg asked;
	if (m->count[0] == 0 || msg_parse(r->wire, r->len, &asked) != OK || asked.count[0] != 1) {
		return true;
	}
	return m->count[0] == 1 && m->qtype == asked.qtype && m->qclass == asked.qclass &&
	       name_is_equal(m->qname.oct, asked.qname.oct);
}

static struct client_exchange *
exchange_new(const struct client_address *to, const struct client_request *r)
{
	struct client_exchange *e = xalloc(sizeof *e);
	e->to = to;
	e->r = r;
	e->udp = -1;
	return e;
}

static void
exchange_free(struct client_exchange **e)
{
	file_close(&(*e)->udp);
	free(*e);
}

struct client_heard
client_hear(const struct client_request *r, const uint8_t *wire, size_t len)
{
	struct msg m;
	if (msg_parse(wire, len, &m) != OK || !is_answer_to(r, &m)) {
		return (struct client_heard){ .verdict = CLIENT_IGNORE };
	}
	return (struct client_heard){ .verdict = r->judge(r->ctx, &m), .is_truncated = (m.bits & DNS_TC) != 0 };
}

/* ---- all together ---- */

static const char *
trouble_text(err_t err)
{
	switch (err) {
	case E_TIMEOUT:
		return "no answer";
	case E_REFUSED:
		return "nothing listens there";
	case E_LIMIT:
		return "answer truncated";
	case E_SHORT:
		return "connection closed without an answer";
	default:
		return strerror(errno);
	}
}

[[gnu::format(printf, 2, 3)]] static void
tell(char why[CLIENT_WHY_MAX], const char *format, ...)
{
	size_t len = strlen(why);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(why + len, CLIENT_WHY_MAX - len, format, args);
	va_end(args);
}

/* After UDP has failed: asks over TCP until patience ends, and still takes an answer over UDP. */
static err_t
go_on_with_tcp(struct client_exchange *e, err_t udp, char why[CLIENT_WHY_MAX])
{
	uint64_t deadline_ms = clock_ms() + e->r->patience.tcp_ms;
	err_t err = client_ask_tcp(e, deadline_ms);
	tell(why, " TCP: %s", trouble_text(err));
	if (err == E_STOPPED || (err != OK && e->has_doubtful)) {
		return OK;
	}
	if (err != OK && udp == E_TIMEOUT && e->udp >= 0 && client_listen_udp(e, deadline_ms) == OK) {
		return OK; /* the server is slow, and has no TCP */
	}
	return err;
}

/* Asks one address, and appends to `why` what happened. */
static err_t
ask_address(struct client_exchange *e, char why[CLIENT_WHY_MAX])
{
	unsigned udp_tries = e->r->patience.udp_tries;
	err_t udp = udp_tries != 0 ? client_ask_udp(e) : E_LIMIT;
	if (udp == OK) {
		return OK;
	}
	const char *udp_text = trouble_text(udp); /* errno is still that of UDP */
	tell(why, "%s%s:", *why != '\0' ? "; " : "", e->to->text);
	if (udp_tries != 0) {
		tell(why, " UDP: %s,", udp_text);
	}
	err_t tcp = go_on_with_tcp(e, udp, why);
	return tcp == OK ? OK : udp == E_TIMEOUT || tcp == E_TIMEOUT ? E_TIMEOUT : tcp == E_REFUSED ? E_REFUSED : E_IO;
}

err_t
client_ask(const struct client_addresses *to, const struct client_request *request, struct client_result *out)
{
	ASSERT(request->len >= DNS_HEADER_LEN && request->len <= DNS_MSG_MAX);
	err_t worst = E_REFUSED;
	*out = (struct client_result){ 0 };
	for (size_t i = 0; i < to->n; i++) {
		[[gnu::cleanup(exchange_free)]] struct client_exchange *e = exchange_new(&to->list[i], request);
		err_t err = ask_address(e, out->why);
		if (err == OK) {
			out->from = e->to;
			return OK;
		}
		out->may_have_arrived |= e->is_sent;
		worst = worst == E_TIMEOUT || err == E_REFUSED ? worst : err;
	}
	return worst;
}

void
client_begin_request(struct buf *b, uint16_t bits, const struct question *q)
{
	request_begin(b, (uint16_t)net_random_u32(), bits, q);
}
