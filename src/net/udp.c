#include "net/udp.h"
#include "ops/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Buffers a power of two apart would fall into the same few cache sets. */
	REQUEST_STRIDE = UDP_REQUEST_MAX + 1 + 3 * 64,
	CONTROL_LEN = RETURN_CONTROL_MAX,
};

union source {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct udp_worker {
	_Alignas(64) struct net_stats stats; /* cache lines of its own: workers do not disturb each other */
	_Alignas(64) const struct net_env *env;
	pthread_t thread;
	struct pulse pulse;
	atomic_bool stop;
	int fd;
	bool has_pktinfo;
	size_t map_len; /* of this struct with the buffers after it */
	size_t response_cap, response_stride;
	uint8_t *requests, *responses;
	struct mmsghdr in[UDP_BATCH], out[UDP_BATCH];
	struct iovec in_io[UDP_BATCH], out_io[UDP_BATCH];
	union source from[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][CONTROL_LEN];
};

static size_t
round_up(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* What the kernel overwrites when it delivers a message. */
static void
rearm(struct udp_worker *w, unsigned i)
{
	struct msghdr *h = &w->in[i].msg_hdr;
	h->msg_namelen = sizeof w->from[i];
	h->msg_controllen = w->has_pktinfo ? CONTROL_LEN : 0;
	h->msg_flags = 0;
}

static void
prepare(struct udp_worker *w)
{
	for (unsigned i = 0; i < UDP_BATCH; i++) {
		w->in_io[i] = (struct iovec){ w->requests + i * REQUEST_STRIDE, UDP_REQUEST_MAX };
		w->in[i].msg_hdr = (struct msghdr){
			.msg_name = &w->from[i],
			.msg_iov = &w->in_io[i],
			.msg_iovlen = 1,
			.msg_control = w->has_pktinfo ? w->control[i] : NULL,
		};
		rearm(w, i);
		w->out_io[i] = (struct iovec){ w->responses + i * w->response_stride, 0 };
		w->out[i].msg_hdr = (struct msghdr){ .msg_iov = &w->out_io[i], .msg_iovlen = 1 };
	}
}

/* The packet info that came with a request goes out with its answer: only the address it was sent to
 * counts, the way back is the routing table's business.  A link-local address means nothing without
 * its interface (RFC 3542 6.3). */
static void
turn_pktinfo(struct msghdr *h)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	if (c == NULL) {
		return;
	}
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		info.ipi_ifindex = 0; /* ipi_spec_dst is our address already (ip(7)) */
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
			info.ipi6_ifindex = 0;
			memcpy(CMSG_DATA(c), &info, sizeof info);
		}
	}
}

/* False when the request is not worth an answer: cut short, or from where no answer can go (port 0 is
 * only ever forged). */
static bool
take_peer(struct udp_worker *w, const struct mmsghdr *m, struct peer *peer)
{
	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
		net_count(&w->stats.oversized, 1);
		return false;
	}
	return m->msg_hdr.msg_namelen != 0 &&
	       peer_from_sockaddr(m->msg_hdr.msg_name, TRANSPORT_UDP, peer) && peer->port != 0;
}

/* What a request asks for besides an answer, or in place of one.  Returns the length of the answer in `resp`. */
[[gnu::cold, gnu::noinline]] static size_t
handle_event(struct udp_worker *w, const struct net_request *what, const struct peer *peer, struct msghdr *m,
             const struct server_out *out, uint8_t *resp, size_t n)
{
	struct return_path from = { .peer = *peer, .udp = { .fd = w->fd, .to_len = m->msg_namelen } };
	struct net_request r = *what;
	memcpy(&from.udp.to, m->msg_name, m->msg_namelen);
	if (w->has_pktinfo) {
		turn_pktinfo(m);
		from.udp.control_len = (socklen_t)m->msg_controllen;
		memcpy(from.udp.control, m->msg_control, m->msg_controllen);
	}
	r.from = &from;
	size_t own = w->env->event(w->env->ctx, &r, out, resp, w->response_cap);
	return n != 0 ? n : own;
}

/* Answers in[0, n); returns how many answers stand in out[]. */
static unsigned
answer(struct udp_worker *w, unsigned n)
{
	const struct net_env *env = w->env;
	const struct view *view = served_read(env->served);
	uint64_t now_s = net_wall_s();
	unsigned ready = 0;
	struct server_out out;
	struct peer peer = { 0 };
	for (unsigned i = 0; i < n; i++) {
		struct mmsghdr *m = &w->in[i];
		if (!take_peer(w, m, &peer)) {
			continue;
		}
		struct iovec *io = &w->out_io[ready];
		out.event = EVENT_NONE;
		io->iov_len = env->handle(view, env->conf, &peer, now_s, w->in_io[i].iov_base, m->msg_len, io->iov_base,
		                          w->response_cap, &w->stats.server, &out);
		if (out.event != EVENT_NONE) {
			const struct net_request r = { .view = view, .bytes = w->in_io[i].iov_base, .len = m->msg_len, .now_s = now_s };
			io->iov_len = handle_event(w, &r, &peer, &m->msg_hdr, &out, io->iov_base, io->iov_len);
		}
		if (io->iov_len == 0) {
			continue;
		}
		struct msghdr *to = &w->out[ready++].msg_hdr;
		to->msg_name = m->msg_hdr.msg_name;
		to->msg_namelen = m->msg_hdr.msg_namelen;
		if (w->has_pktinfo) {
			turn_pktinfo(&m->msg_hdr);
			to->msg_control = m->msg_hdr.msg_control;
			to->msg_controllen = m->msg_hdr.msg_controllen;
		}
	}
	served_read_end(env->served);
	return ready;
}

/* Sends out[0, n).  An answer that cannot go (a firewall's EPERM, no route, …) is left out and the rest
 * goes on; when the socket's buffer is full the rest is dropped, as the network would. */
static void
send_out(struct udp_worker *w, unsigned n)
{
	unsigned sent = 0;
	while (sent < n) {
		int k = sendmmsg(w->fd, w->out + sent, n - sent, MSG_DONTWAIT);
		if (k > 0) {
			sent += (unsigned)k;
		} else if (k < 0 && errno == EAGAIN) {
			net_count(&w->stats.send_failed, n - sent);
			return;
		} else if (k == 0 || errno != EINTR) {
			net_count(&w->stats.send_failed, 1);
			sent++;
		}
	}
}

static void
pause_after_error(void)
{
	/* The socket stays usable after an error (ENOMEM, a pending one of the network); only never spin. */
	const struct timespec pause = { .tv_nsec = 1000000 };
	nanosleep(&pause, NULL);
}

static void *
run(void *arg)
{
	struct udp_worker *w = arg;
	thread_name("oprimary-udp");
	served_thread_begin();
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		int n = recvmmsg(w->fd, w->in, UDP_BATCH, MSG_WAITFORONE, NULL);
		pulse_beat(&w->pulse);
		if (n <= 0) {
			if (errno != EINTR && errno != EAGAIN) {
				pause_after_error();
			}
			continue;
		}
		send_out(w, answer(w, (unsigned)n));
		for (unsigned i = 0; i < (unsigned)n; i++) {
			rearm(w, i);
		}
	}
	served_thread_end();
	return NULL;
}

/* Who waits for a request comes round all the same, to show that it is alive. */
static void
limit_waiting(int fd)
{
	const struct timeval period = { .tv_sec = PULSE_PERIOD_MS / 1000 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &period, sizeof period);
}

static struct udp_worker *
worker_new(const struct net_env *env, int fd, const struct listen_address *at)
{
	size_t response_cap = env->conf->udp_max < DNS_UDP_PLAIN_MAX ? DNS_UDP_PLAIN_MAX : env->conf->udp_max;
	size_t response_stride = round_up(response_cap) + 64;
	size_t head = round_up(sizeof(struct udp_worker));
	size_t map_len = head + UDP_BATCH * (REQUEST_STRIDE + response_stride);
	/* Pages of its own: what is never used costs nothing, and no two workers share a line. */
	void *map = mmap(NULL, map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		return NULL;
	}
	(void)madvise(map, map_len, MADV_NOHUGEPAGE); /* one would be all that is mostly never used */
	struct udp_worker *w = map;
	w->env = env;
	w->fd = fd;
	w->has_pktinfo = listen_is_wildcard(at);
	w->map_len = map_len;
	w->response_cap = response_cap;
	w->response_stride = response_stride;
	w->requests = (uint8_t *)map + head;
	w->responses = w->requests + UDP_BATCH * REQUEST_STRIDE;
	prepare(w);
	limit_waiting(fd);
	return w;
}

err_t
udp_worker_start(const struct net_env *env, int fd, const struct listen_address *at, struct udp_worker **out)
{
	struct udp_worker *w = worker_new(env, fd, at);
	if (w == NULL) {
		close(fd);
		return E_NOMEM;
	}
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		close(fd);
		munmap(w, w->map_len);
		return E_NOMEM;
	}
	*out = w;
	return OK;
}

void
udp_worker_stop(struct udp_worker **w)
{
	if (*w == NULL) {
		return;
	}
	atomic_store(&(*w)->stop, true);
	/* Linux wakes a receiver even though it says ENOTCONN (net/ipv4/af_inet.c, inet_shutdown). */
	(void)shutdown((*w)->fd, SHUT_RD);
	pthread_join((*w)->thread, NULL);
	close((*w)->fd);
	munmap(*w, (*w)->map_len);
	*w = NULL;
}

const struct pulse *
udp_worker_pulse(const struct udp_worker *w)
{
	return &w->pulse;
}

const struct net_stats *
udp_worker_stats(const struct udp_worker *w)
{
	return &w->stats;
}
