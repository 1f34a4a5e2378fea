/* bench/load.c -- asks one DNS server as fast as it answers, or at a steady rate, from one thread.
 *
 *     load udp|tcp ADDRESS PORT QUERIES SECONDS [RATE]
 *
 * QUERIES: a file of messages, each after its length (two octets, network order).  Each of SOCKETS sockets has up to
 * WINDOW questions on the way, told apart by the message ID; one that stays out for LOST_NS is given up and
 * counted.  With RATE (a second), questions leave by the clock, not by the answers, each is waited for as long as
 * a client would (PATIENCE_NS), and a line is printed for each 100 ms, so that a hiccup shows.  Prints JSON, one
 * object a line; the last is the total.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	SOCKETS = 16,
	WINDOW = 16,        /* on the way on one socket */
	RATE_WINDOW = 4096, /* the same at a steady rate: a stalled server is waited for */
	BATCH = 16,         /* messages a system call */
	MESSAGE_MAX = 4096,
	STREAM_MAX = 1 << 16,
	BUCKETS = 200000, /* latencies by 5 µs, up to one second */
	BUCKET_NS = 5000,
	PAUSE_NS = 10000000, /* at most, without anything to read */
};
static const uint64_t LOST_NS = 1000000000, PATIENCE_NS = 5000000000, SLICE_NS = 100000000;

struct queries {
	const uint8_t *base;
	const uint8_t **at; /* each points to the length */
	size_t n, next;
};

struct slot {
	uint64_t sent_ns; /* 0: free */
};

struct sock {
	int fd;
	unsigned on_way;
	uint16_t next_id;
	struct slot slot[RATE_WINDOW]; /* by the ID's lower bits */
	uint8_t in[STREAM_MAX];        /* TCP: what has come of the next message */
	size_t in_len;
	uint8_t out[STREAM_MAX]; /* TCP: what the kernel has not taken yet */
	size_t out_len;
};

struct counts {
	uint64_t sent, answered, lost, octets, rcode[16], max_ns;
	uint32_t histogram[BUCKETS];
};

struct load {
	bool tcp;
	double rate;
	unsigned window;
	struct queries q;
	struct sock sock[SOCKETS];
	struct counts total, slice;
	uint64_t begin_ns;
};

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

[[gnu::noreturn]] static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static size_t
query_len(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

static void
queries_open(struct queries *q, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		die(path);
	}
	q->base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	q->at = calloc((size_t)st.st_size / 14 + 1, sizeof *q->at);
	if (q->base == MAP_FAILED || q->at == NULL) {
		die(path);
	}
	(void)close(fd);
	for (size_t pos = 0; pos + 2 <= (size_t)st.st_size; pos += 2 + query_len(q->base + pos)) {
		q->at[q->n++] = q->base + pos;
	}
	if (q->n == 0) {
		die("no queries");
	}
}

static int
connected(bool tcp, const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		die(address);
	}
	int on = 1, room = 1 << 21;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if (tcp) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Copies the next query with an ID of its own to `dst`; returns its length.  `at`: when it leaves, or was due to. */
static size_t
next_query(struct load *l, struct sock *s, uint8_t *dst, uint64_t at_ns)
{
	const uint8_t *q = l->q.at[l->q.next];
	l->q.next = (l->q.next + 1) % l->q.n;
	size_t len = query_len(q);
	memcpy(dst, q + 2, len);
	uint16_t id = s->next_id++;
	dst[0] = (uint8_t)(id >> 8);
	dst[1] = (uint8_t)id;
	s->slot[id % RATE_WINDOW].sent_ns = at_ns;
	s->on_way++;
	l->total.sent++;
	l->slice.sent++;
	return len;
}

static void
count_answer(struct counts *c, const uint8_t *m, size_t len, uint64_t took_ns)
{
	size_t bucket = took_ns / BUCKET_NS;
	c->answered++;
	c->octets += len;
	c->rcode[m[3] & 15]++;
	c->histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	c->max_ns = took_ns > c->max_ns ? took_ns : c->max_ns;
}

static void
take_answer(struct load *l, struct sock *s, const uint8_t *m, size_t len, uint64_t at_ns)
{
	if (len < 12) {
		return;
	}
	struct slot *slot = &s->slot[((unsigned)m[0] << 8 | m[1]) % RATE_WINDOW];
	if (slot->sent_ns == 0) {
		return; /* given up before */
	}
	uint64_t took = at_ns > slot->sent_ns ? at_ns - slot->sent_ns : 0;
	slot->sent_ns = 0;
	s->on_way--;
	count_answer(&l->total, m, len, took);
	count_answer(&l->slice, m, len, took);
}

static void
send_udp(struct load *l, struct sock *s, unsigned n, uint64_t at_ns)
{
	static uint8_t room[BATCH][MESSAGE_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH] = { 0 };
	while (n > 0) {
		unsigned batch = n < BATCH ? n : BATCH;
		for (unsigned i = 0; i < batch; i++) {
			iov[i] = (struct iovec){ room[i], next_query(l, s, room[i], at_ns) };
			msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		(void)sendmmsg(s->fd, msg, batch, 0); /* what does not leave is lost, and counted so */
		n -= batch;
	}
}

static void
receive_udp(struct load *l, struct sock *s)
{
	static uint8_t room[BATCH][MESSAGE_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH] = { 0 };
	int got = BATCH;
	while (got == BATCH) {
		for (unsigned i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ room[i], MESSAGE_MAX };
			msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		got = recvmmsg(s->fd, msg, BATCH, MSG_DONTWAIT, NULL);
		uint64_t at = now_ns();
		for (int i = 0; i < got; i++) {
			take_answer(l, s, room[i], msg[i].msg_len, at);
		}
	}
}

static void
flush_tcp(struct sock *s)
{
	ssize_t took = s->out_len > 0 ? send(s->fd, s->out, s->out_len, MSG_NOSIGNAL) : 0;
	if (took < 0 && errno != EAGAIN) {
		die("send");
	}
	if (took > 0) {
		s->out_len -= (size_t)took;
		memmove(s->out, s->out + took, s->out_len);
	}
}

static void
send_tcp(struct load *l, struct sock *s, unsigned n, uint64_t at_ns)
{
	for (; n > 0 && s->out_len + 2 + MESSAGE_MAX <= sizeof s->out; n--) {
		uint8_t *dst = s->out + s->out_len;
		size_t len = next_query(l, s, dst + 2, at_ns);
		dst[0] = (uint8_t)(len >> 8);
		dst[1] = (uint8_t)len;
		s->out_len += 2 + len;
	}
	flush_tcp(s);
}

static void
receive_tcp(struct load *l, struct sock *s)
{
	ssize_t got = recv(s->fd, s->in + s->in_len, sizeof s->in - s->in_len, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN)) {
		die("connection closed by the server");
	}
	if (got < 0) {
		return;
	}
	/* A server that writes each answer alone waits for our acknowledgements (Nagle): what is measured is work, not timers. */
	int on = 1;
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	uint64_t at = now_ns();
	size_t pos = 0;
	s->in_len += (size_t)got;
	while (s->in_len - pos >= 2 && s->in_len - pos - 2 >= query_len(s->in + pos)) {
		take_answer(l, s, s->in + pos + 2, query_len(s->in + pos), at);
		pos += 2 + query_len(s->in + pos);
	}
	s->in_len -= pos;
	memmove(s->in, s->in + pos, s->in_len);
}

/* Frees the slots of questions that stay unanswered. */
static void
give_up(struct load *l, uint64_t at_ns)
{
	uint64_t limit_ns = l->rate > 0 ? PATIENCE_NS : LOST_NS;
	for (unsigned i = 0; i < SOCKETS; i++) {
		struct sock *s = &l->sock[i];
		for (unsigned k = 0; k < RATE_WINDOW && s->on_way > 0; k++) {
			if (s->slot[k].sent_ns != 0 && at_ns > s->slot[k].sent_ns + limit_ns) {
				s->slot[k].sent_ns = 0;
				s->on_way--;
				l->total.lost++;
				l->slice.lost++;
			}
		}
	}
}

static double
percentile_us(const struct counts *c, double share)
{
	uint64_t want = (uint64_t)((double)c->answered * share), seen = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		seen += c->histogram[i];
		if (seen > want) {
			return ((double)i + 0.5) * (double)BUCKET_NS / 1000;
		}
	}
	return 0;
}

static void
print_counts(const char *what, const struct counts *c, uint64_t from_ns, uint64_t until_ns, uint64_t begin_ns)
{
	printf("{\"what\": \"%s\", \"at\": %.2f, \"seconds\": %.6f, \"sent\": %lu, \"answered\": %lu, \"lost\": %lu, "
	       "\"octets\": %lu, \"noerror\": %lu, \"nxdomain\": %lu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
	       what, (double)(from_ns - begin_ns) / 1e9, (double)(until_ns - from_ns) / 1e9, c->sent, c->answered, c->lost,
	       c->octets, c->rcode[0], c->rcode[3], percentile_us(c, 0.5), percentile_us(c, 0.99), (double)c->max_ns / 1000);
	(void)fflush(stdout);
}

/* How many questions socket `i` should send now. */
static unsigned
due(struct load *l, struct sock *s, uint64_t at_ns)
{
	unsigned room = l->window - s->on_way;
	if (l->rate > 0) {
		double should = (double)(at_ns - l->begin_ns) / 1e9 * l->rate - (double)l->total.sent;
		unsigned ready = should < 1 ? 0 : (unsigned)should;
		return ready < room ? ready : room;
	}
	return room;
}

/* One look at all sockets; true when anything happened. */
static bool
turn(struct load *l)
{
	uint64_t before = l->total.sent + l->total.answered;
	for (unsigned i = 0; i < SOCKETS; i++) {
		struct sock *s = &l->sock[i];
		(l->tcp ? receive_tcp : receive_udp)(l, s);
		uint64_t at = now_ns();
		unsigned n = due(l, s, at);
		/* a few at a time: a window refilled one by one would measure system calls */
		if (n >= l->window / 4 || s->on_way == 0 || l->rate > 0) {
			(l->tcp ? send_tcp : send_udp)(l, s, n, at);
		} else if (l->tcp) {
			flush_tcp(s);
		}
	}
	return l->total.sent + l->total.answered != before;
}

/* With a rate: until the next question leaves. */
static struct timespec
longest_pause(const struct load *l)
{
	double ns = PAUSE_NS;
	if (l->rate > 0) {
		double due_ns = ((double)l->total.sent + 1) / l->rate * 1e9 - (double)(now_ns() - l->begin_ns);
		ns = due_ns < 0 ? 0 : due_ns < ns ? due_ns : ns;
	}
	return (struct timespec){ 0, (long)ns };
}

static void
pause_until_readable(struct load *l)
{
	struct pollfd p[SOCKETS];
	for (unsigned i = 0; i < SOCKETS; i++) {
		p[i] = (struct pollfd){ l->sock[i].fd, POLLIN, 0 };
	}
	const struct timespec at_most = longest_pause(l);
	(void)ppoll(p, SOCKETS, &at_most, NULL);
}

static void
run(struct load *l, double seconds)
{
	l->begin_ns = now_ns();
	uint64_t end = l->begin_ns + (uint64_t)(seconds * 1e9), slice = l->begin_ns, at = slice;
	while ((at = now_ns()) < end) {
		if (!turn(l)) {
			pause_until_readable(l);
		}
		if (at >= slice + SLICE_NS) {
			give_up(l, at);
			if (l->rate > 0) {
				print_counts("slice", &l->slice, slice, at, l->begin_ns);
			}
			memset(&l->slice, 0, sizeof l->slice);
			slice = at;
		}
	}
	print_counts("total", &l->total, l->begin_ns, at, l->begin_ns);
}

int
main(int argc, char **argv)
{
	static struct load l;
	if (argc < 6) {
		fprintf(stderr, "usage: load udp|tcp ADDRESS PORT QUERIES SECONDS [RATE]\n");
		return 2;
	}
	l.tcp = strcmp(argv[1], "tcp") == 0;
	l.rate = argc > 6 ? strtod(argv[6], NULL) : 0;
	l.window = l.rate > 0 ? RATE_WINDOW : WINDOW;
	queries_open(&l.q, argv[4]);
	for (unsigned i = 0; i < SOCKETS; i++) {
		l.sock[i].fd = connected(l.tcp, argv[2], (int)strtol(argv[3], NULL, 10));
	}
	run(&l, strtod(argv[5], NULL));
	return EXIT_SUCCESS;
}
