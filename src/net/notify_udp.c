/* UDP: one socket for each family, and one for each source address that targets ask for. */
#include "net/notify_p.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "net/peer.h"

/* ---- sockets ---- */

static void
on_socket_freed(uv_handle_t *handle)
{
	free(handle);
}

void
notify_udp_close(uv_handle_t *handle)
{
	uv_close(handle, on_socket_freed);
}

static void
on_datagram_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)suggested;
	struct net_notify *nn = handle->data;
	*buf = uv_buf_init((char *)nn->datagram, sizeof nn->datagram);
}

static void
on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct net_notify *nn = udp->data;
	const struct notify_socket *s = (const struct notify_socket *)udp;
	struct peer peer;
	if (n <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0 || !peer_from_sockaddr(from, TRANSPORT_UDP, &peer)) {
		return;
	}
	const struct notify_target at = { .address = peer_key_address(&peer), .port = peer.port, .source = s->source };
	struct now t = net_now();
	notifier_datagram(nn->machine, &t, &at, (const uint8_t *)buf->base, (size_t)n);
	notify_after_input(nn);
}

static err_t
source_failed(struct diag *diag, const struct listen_address *a, int why)
{
	char text[LISTEN_TEXT_MAX];
	listen_print(a, text);
	diag_set(diag, DIAG_ERROR, "notify", "cannot send from %s: %s", text, uv_strerror(why));
	diag_hint(diag, "give an address of an interface of this machine: see \"ip address\"");
	return why == UV_EADDRNOTAVAIL || why == UV_EAFNOSUPPORT ? E_UNSUPPORTED : E_IO;
}

/* NULL: no socket could be opened, and *why is libuv's error. */
static struct notify_socket *
socket_open(struct net_notify *nn, const struct listen_address *from, const struct key_address *source, int *why)
{
	struct notify_socket *s = try_alloc(sizeof *s);
	*why = s != NULL ? uv_udp_init(&nn->loop, &s->udp) : UV_ENOMEM;
	if (*why != 0) {
		free(s);
		return NULL;
	}
	s->udp.data = nn;
	s->source = *source;
	*why = uv_udp_bind(&s->udp, &from->sa.any, from->sa.any.sa_family == AF_INET6 ? UV_UDP_IPV6ONLY : 0);
	*why = *why == 0 ? uv_udp_recv_start(&s->udp, on_datagram_buffer, on_datagram) : *why;
	if (*why != 0) {
		notify_udp_close((uv_handle_t *)s);
		return NULL;
	}
	return s;
}

/* A family that the machine does not have is left out, unless the user gave a source address of that family. */
static err_t
family_open(struct net_notify *nn, int af, const struct listen_address *given, struct listen_address *from,
            struct notify_socket **out, struct diag *diag)
{
	static const struct key_address by_default;
	struct listen_address any = { .sa.any.sa_family = (sa_family_t)af }; /* the wildcard, any port */
	int why = 0;
	*from = listen_any_port(given);
	*out = socket_open(nn, given != NULL ? from : &any, &by_default, &why);
	return *out != NULL || (given == NULL && why != UV_ENOMEM) ? OK : why == UV_ENOMEM ? E_NOMEM : source_failed(diag, given, why);
}

err_t
notify_udp_open(struct net_notify *nn, struct diag *diag)
{
	TRY(family_open(nn, AF_INET, nn->conf.source_v4, &nn->from_v4, &nn->udp_v4, diag));
	return family_open(nn, AF_INET6, nn->conf.source_v6, &nn->from_v6, &nn->udp_v6, diag);
}

/* ---- sending ---- */

/* The socket for the source address that the target asks for; opened when it is first needed.  NULL: there are too many sockets, or this
 * machine no longer has the address. */
static struct notify_socket *
socket_from(struct net_notify *nn, const struct notify_target *to)
{
	for (size_t i = 0; i < nn->udp_from_n; i++) {
		if (key_address_is_equal(&nn->udp_from[i]->source, &to->source)) {
			return nn->udp_from[i];
		}
	}
	if (nn->udp_from_n == NOTIFY_SOURCES_MAX) {
		return NULL;
	}
	const struct listen_address from = listen_source(&to->address, &to->source, &nn->from_v4, &nn->from_v6);
	int why = 0;
	struct notify_socket *s = socket_open(nn, &from, &to->source, &why);
	if (s != NULL) {
		nn->udp_from[nn->udp_from_n++] = s;
	}
	return s;
}

bool
notify_send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	struct notify_socket *by_default = to->address.family == 4 ? nn->udp_v4 : nn->udp_v6;
	struct notify_socket *s = to->source.family != 0 ? socket_from(nn, to) : by_default;
	const struct listen_address a = listen_at(&to->address, to->port);
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
	return s != NULL && uv_udp_try_send(&s->udp, &buf, 1, &a.sa.any) == (int)len;
}
