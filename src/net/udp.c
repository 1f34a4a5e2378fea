#include "net/udp.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/listen.h"
#include "net/peer.h"
#include "ops/thread.h"

enum {
	/* Not a power of two: buffers a power of two apart would share few sets of the cache. */
	REQUEST_STRIDE = UDP_REQUEST_MAX + 1 + 3 * 64,
	CONTROL_LEN = RETURN_CONTROL_MAX,
};

union source {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct udp_worker {
	_Alignas(64) struct net_stats stats; /* in its own cache lines, so that workers do not disturb each other */
	_Alignas(64) const struct net_env *env;
	struct gate *gate;
	pthread_t thread;
	struct pulse pulse;
	atomic_bool stop;
	int fds[UDP_SOCKETS_MAX];
	size_t fds_n;
	int epoll; /* -1: there is only one socket */
	size_t map_len; /* of this struct and the buffers after it */
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

/* Sets again what the kernel overwrites when it delivers a message.  Packet info comes only from sockets on a wildcard address
 * (listen_open()); for other sockets the control length comes back as 0. */
static void
rearm(struct udp_worker *w, unsigned i)
{
	struct msghdr *h = &w->in[i].msg_hdr;
	h->msg_namelen = sizeof w->from[i];
	h->msg_controllen = CONTROL_LEN;
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
			.msg_control = w->control[i],
		};
		rearm(w, i);
		w->out_io[i] = (struct iovec){ w->responses + i * w->response_stride, 0 };
		w->out[i].msg_hdr = (struct msghdr){ .msg_iov = &w->out_io[i], .msg_iovlen = 1 };
	}
}

/* Makes the packet info of a request fit for its answer.  The answer leaves from the address that was asked.  The interface is cleared,
 * because the routing table chooses the way back.  A link-local address keeps its interface: without it the address means nothing
 * (RFC 3542 6.3). */
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

/* False when the request cannot be answered: it was cut short, or its source is not valid (port 0, which is always forged). */
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

/* Handles a request that needs more than an answer.  Returns the length of the answer in `resp`; 0: none now. */
[[gnu::cold, gnu::noinline]] static size_t
handle_event(struct udp_worker *w, int fd, const struct net_request *what, const struct peer *peer, struct msghdr *m,
             const struct server_out *out, uint8_t *resp, size_t n)
{
	struct return_path from = { .peer = *peer, .udp = { .fd = fd, .to_len = m->msg_namelen } };
	struct net_request r = *what;
	memcpy(&from.udp.to, m->msg_name, m->msg_namelen);
	turn_pktinfo(m);
	from.udp.control_len = (socklen_t)m->msg_controllen;
	memcpy(from.udp.control, m->msg_control, m->msg_controllen);
	r.from = &from;
	size_t own = w->env->event(w->env->ctx, &r, out, resp, w->response_cap);
	return n != 0 ? n : own;
}

/* Answers in[0, n), which came to the socket `fd`; returns how many answers are in out[]. */
static unsigned
answer(struct udp_worker *w, int fd, unsigned n)
{
	const struct net_env *env = w->env;
	const struct view *view = served_read(env->served);
	uint64_t now_s = net_wall_s();
	unsigned ready = 0;
	struct server_out out;
	struct peer peer = { .arrived_ns = env->conf->rate_limit != NULL ? net_coarse_ns() : 0 };
	for (unsigned i = 0; i < n; i++) {
		struct mmsghdr *m = &w->in[i];
		if (!take_peer(w, m, &peer)) {
			continue;
		}
		struct iovec *io = &w->out_io[ready];
		uint64_t begun_ns = net_sample_begin(&w->stats, TRANSPORT_UDP);
		out.event = EVENT_NONE;
		io->iov_len = env->handle(view, env->conf, &peer, now_s, w->in_io[i].iov_base, m->msg_len, io->iov_base,
		                          w->response_cap, &w->stats.server, &out);
		if (begun_ns != 0) {
			net_sample_end(&w->stats, begun_ns);
		}
		if (out.event != EVENT_NONE) {
			const struct net_request r = { .view = view, .bytes = w->in_io[i].iov_base, .len = m->msg_len, .now_s = now_s };
			io->iov_len = handle_event(w, fd, &r, &peer, &m->msg_hdr, &out, io->iov_base, io->iov_len);
		}
		if (io->iov_len == 0) {
			continue;
		}
		struct msghdr *to = &w->out[ready++].msg_hdr;
		to->msg_name = m->msg_hdr.msg_name;
		to->msg_namelen = m->msg_hdr.msg_namelen;
		turn_pktinfo(&m->msg_hdr);
		to->msg_control = m->msg_hdr.msg_control;
		to->msg_controllen = m->msg_hdr.msg_controllen;
	}
	served_read_end(env->served);
	return ready;
}

/* Sends out[0, n).  An answer that cannot be sent (EPERM from a firewall, no route, …) is skipped.  When the socket's buffer is full, the
 * rest is dropped, as the network would do. */
static void
send_out(struct udp_worker *w, int fd, unsigned n)
{
	unsigned sent = 0;
	while (sent < n) {
		int k = sendmmsg(fd, w->out + sent, n - sent, MSG_DONTWAIT);
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
	/* The socket stays usable after an error (ENOMEM, or a pending network error); the pause avoids a busy loop. */
	const struct timespec pause = { .tv_nsec = 1000000 };
	nanosleep(&pause, NULL);
}

/* Answers what has come to a socket: at most one batch. */
static void
serve(struct udp_worker *w, int fd, int flags)
{
	int n = recvmmsg(fd, w->in, UDP_BATCH, flags, NULL);
	pulse_beat(&w->pulse);
	if (n <= 0) {
		if (errno != EINTR && errno != EAGAIN) {
			pause_after_error();
		}
		return;
	}
	send_out(w, fd, answer(w, fd, (unsigned)n));
	for (unsigned i = 0; i < (unsigned)n; i++) {
		rearm(w, i);
	}
}

static bool
is_stopping(const struct udp_worker *w)
{
	return atomic_load_explicit(&w->stop, memory_order_relaxed);
}

static void
serve_one(struct udp_worker *w)
{
	while (!is_stopping(w)) {
		serve(w, w->fds[0], MSG_WAITFORONE);
	}
}

/* Each socket that has input gets one batch for each turn, so that none has to wait for one that is flooded. */
static void
serve_several(struct udp_worker *w)
{
	struct epoll_event ready[UDP_SOCKETS_MAX];
	while (!is_stopping(w)) {
		int n = epoll_wait(w->epoll, ready, UDP_SOCKETS_MAX, PULSE_PERIOD_MS);
		pulse_beat(&w->pulse);
		for (int i = 0; i < n; i++) {
			serve(w, ready[i].data.fd, MSG_DONTWAIT);
		}
	}
}

static void *
run(void *arg)
{
	struct udp_worker *w = arg;
	thread_name("udp");
	thread_allow_end();
	if (w->gate != NULL && !gate_pass(w->gate, &w->pulse)) {
		return NULL;
	}
	served_thread_begin();
	if (w->epoll < 0) {
		serve_one(w);
	} else {
		serve_several(w);
	}
	served_thread_end();
	return NULL;
}

/* recvmmsg returns after this time even if nothing came, so that the worker can beat its pulse. */
static void
limit_waiting(int fd)
{
	const struct timeval period = { .tv_sec = PULSE_PERIOD_MS / 1000 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &period, sizeof period);
}

/* Prepares for waiting: with a time limit on one socket, with epoll on several. */
static err_t
watch(struct udp_worker *w)
{
	if (w->fds_n == 1) {
		limit_waiting(w->fds[0]);
		return OK;
	}
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < w->fds_n; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.fd = w->fds[i] };
		if (w->epoll < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->fds[i], &e) != 0) {
			return E_IO;
		}
	}
	return OK;
}

static struct udp_worker *
worker_new(const struct net_env *env)
{
	size_t response_cap = env->conf->udp_max < DNS_UDP_PLAIN_MAX ? DNS_UDP_PLAIN_MAX : env->conf->udp_max;
	size_t response_stride = round_up(response_cap) + 64;
	size_t head = round_up(sizeof(struct udp_worker));
	size_t map_len = head + UDP_BATCH * (REQUEST_STRIDE + response_stride);
	/* The worker gets its own pages.  A page that is never used costs nothing, and no two workers share a cache line. */
	void *map = mmap(NULL, map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED) {
		return NULL;
	}
	(void)madvise(map, map_len, MADV_NOHUGEPAGE); /* a huge page would make the unused parts cost memory, too */
	struct udp_worker *w = map;
	w->env = env;
	w->epoll = -1;
	w->map_len = map_len;
	w->response_cap = response_cap;
	w->response_stride = response_stride;
	w->requests = (uint8_t *)map + head;
	w->responses = w->requests + UDP_BATCH * REQUEST_STRIDE;
	prepare(w);
	return w;
}

static void
close_sockets(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		close(fds[i]);
	}
}

static void
worker_free(struct udp_worker *w)
{
	close_sockets(w->fds, w->fds_n);
	if (w->epoll >= 0) {
		close(w->epoll);
	}
	munmap(w, w->map_len);
}

err_t
udp_worker_start(const struct net_env *env, struct gate *gate, const int *fds, size_t n, struct udp_worker **out)
{
	ASSERT(n != 0 && n <= UDP_SOCKETS_MAX);
	struct udp_worker *w = worker_new(env);
	if (w == NULL) {
		close_sockets(fds, n);
		return E_NOMEM;
	}
	memcpy(w->fds, fds, n * sizeof *fds);
	w->fds_n = n;
	w->gate = gate;
	err_t err = watch(w);
	if (err == OK && pthread_create(&w->thread, NULL, run, w) != 0) {
		err = E_NOMEM;
	}
	if (err == OK) {
		*out = w;
	} else {
		worker_free(w);
	}
	return err;
}

void
udp_worker_stop(struct udp_worker **w)
{
	if (*w == NULL) {
		return;
	}
	atomic_store(&(*w)->stop, true);
	thread_end((*w)->thread); /* the sockets stay as they are: another process may have them, too */
	worker_free(*w);
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
