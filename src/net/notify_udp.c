/* UDP: a socket a family. */
#include "net/notify_p.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/peer.h"

struct family *
notify_family(struct net_notify *nn, const struct key_address *a)
{
	return a->family == 4 ? &nn->v4 : &nn->v6;
}

struct listen_address
notify_sockaddr(const struct notify_target *to)
{
	struct listen_address a = { 0 };
	if (to->address.family == 4) {
		a.sa.v4.sin_family = AF_INET;
		a.sa.v4.sin_port = htons(to->port);
		memcpy(&a.sa.v4.sin_addr, to->address.octets, 4);
	} else {
		a.sa.v6.sin6_family = AF_INET6;
		a.sa.v6.sin6_port = htons(to->port);
		memcpy(&a.sa.v6.sin6_addr, to->address.octets, 16);
	}
	return a;
}

bool
notify_send_udp(void *ctx, const struct notify_target *to, const uint8_t *bytes, size_t len)
{
	struct net_notify *nn = ctx;
	struct family *f = notify_family(nn, &to->address);
	const struct listen_address a = notify_sockaddr(to);
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
	return f->is_there && uv_udp_try_send(&f->udp, &buf, 1, &a.sa.any) == (int)len;
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
	struct peer peer;
	if (n <= 0 || from == NULL || (flags & UV_UDP_PARTIAL) != 0 || !peer_from_sockaddr(from, TRANSPORT_UDP, &peer)) {
		return;
	}
	const struct notify_target at = { .address = peer_key_address(&peer), .port = peer.port };
	struct notifier_now t = notify_now();
	notifier_datagram(nn->machine, &t, &at, (const uint8_t *)buf->base, (size_t)n);
	notify_after_input(nn);
}

static err_t
source_failed(struct diag *diag, const struct listen_address *a, int why)
{
	char text[LISTEN_TEXT_MAX];
	listen_print(a, text);
	diag_set(diag, DIAG_ERROR, "notify", "cannot send from %s: %s", text, uv_strerror(why));
	diag_hint(diag, "an address of an interface of this machine is wanted: see \"ip address\"");
	return why == UV_EADDRNOTAVAIL || why == UV_EAFNOSUPPORT ? E_UNSUPPORTED : E_IO;
}

err_t
notify_family_open(struct net_notify *nn, struct family *f, int af, const struct listen_address *source, struct diag *diag)
{
	struct listen_address from = { .sa.any.sa_family = (sa_family_t)af }; /* the wildcard, any port */
	if (source != NULL) {
		from = *source;
		*(af == AF_INET ? &from.sa.v4.sin_port : &from.sa.v6.sin6_port) = 0;
	}
	if (uv_udp_init(&nn->loop, &f->udp) != 0) {
		return E_NOMEM;
	}
	f->udp.data = nn;
	int err = uv_udp_bind(&f->udp, &from.sa.any, af == AF_INET6 ? UV_UDP_IPV6ONLY : 0);
	if (err == 0) {
		err = uv_udp_recv_start(&f->udp, on_datagram_buffer, on_datagram);
	}
	f->is_there = err == 0;
	if (source != NULL) {
		f->source = from;
	}
	return err == 0 || source == NULL ? OK : source_failed(diag, source, err);
}
