#include "net/return_path.h"

#include "net/tcp.h"

static void
send_datagram(const struct return_path *to, const uint8_t *bytes, size_t len)
{
	struct iovec io = { (void *)(uintptr_t)bytes, len };
	const struct msghdr m = {
		.msg_name = (void *)(uintptr_t)&to->udp.to,
		.msg_namelen = to->udp.to_len,
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = to->udp.control_len != 0 ? (void *)(uintptr_t)to->udp.control : NULL,
		.msg_controllen = to->udp.control_len,
	};
	(void)sendmsg(to->udp.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
return_path_send(const struct return_path *to, const uint8_t *bytes, size_t len)
{
	if (to->peer.transport == TRANSPORT_TCP) {
		tcp_worker_answer(to->tcp.worker, to->tcp.conn, bytes, len);
	} else if (len != 0) {
		send_datagram(to, bytes, len);
	}
}
