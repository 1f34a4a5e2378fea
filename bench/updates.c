/* bench/updates.c -- clients that update one zone, each as fast as it is answered, from one thread.
 *
 *     updates ADDRESS PORT ZONE KEY SECRET add|replace|nothing CLIENTS SECONDS LOST_S PREFIX DONE
 *
 * A client is a UDP socket with one update (RFC 2136) on the way, signed with hmac-sha256 (RFC 8945); one that is not
 * answered within LOST_S is given up and counted, and its client goes on.  Once SECONDS are over nothing more leaves, and what
 * is on the way is waited for; with 0 each client sends one.
 *
 *     add      an address under a new name each time: the zone grows
 *     replace  the client's own name gets another address: the set is removed, one is added
 *     nothing  a set that is not there is removed: verified and evaluated, but nothing to write
 *
 * Prints one JSON object.  DONE gets a line "NAME ADDRESS" for every record that must be in the zone now: what was
 * acknowledged and is not contested by a later update of unknown outcome.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CLIENTS_MAX = 1000,
	MESSAGE_MAX = 2048, /* with the names at their longest an update has 1,131 octets */
	TEXT_MAX = 256, /* a name in text; what is given is shorter by far, and checked */
	WIRE_MAX = 255,
	SECRET_MAX = 64,
	MAC_LEN = 32,
	FUDGE_S = 300,
	TTL_S = 300,
	TYPE_A = 1,
	TYPE_SOA = 6,
	TYPE_TSIG = 250,
	CLASS_IN = 1,
	CLASS_ANY = 255,
	OPCODE_UPDATE = 5 << 11,
	TURN_MS = 100, /* how often what is lost is looked for */
};

enum mode { MODE_ADD, MODE_REPLACE, MODE_NOTHING };
static const char *const modes[] = { "add", "replace", "nothing" };

struct client {
	int fd;
	uint32_t number;      /* of the update on the way, among all; its lower bits are the message's ID */
	uint32_t done_number; /* replace: of the last one acknowledged; 0: none, or a later one was lost */
	uint64_t sent_ns;     /* 0: none is on the way */
};

struct wire_name {
	uint8_t octets[WIRE_MAX];
	size_t len;
};

struct load {
	enum mode mode;
	const char *zone_text, *prefix;
	struct wire_name zone, key, algorithm;
	uint8_t secret[SECRET_MAX];
	int secret_len;
	struct client client[CLIENTS_MAX];
	unsigned clients_n;
	uint64_t lost_ns, last_ns; /* last_ns: when the last acknowledgement came */
	uint32_t sent, done, refused, lost, rcode;
	uint32_t *took_us; /* of each acknowledged one */
	size_t took_room;
	FILE *out;
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
	fprintf(stderr, "updates: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- messages ---- */

static uint8_t *
put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return at + 2;
}

static uint8_t *
put32(uint8_t *at, uint32_t v)
{
	return put16(put16(at, v >> 16), v & 0xFFFF);
}

static uint8_t *
put_name(uint8_t *at, const struct wire_name *n)
{
	memcpy(at, n->octets, n->len);
	return at + n->len;
}

/* Labels of plain letters and digits; no escapes. */
static void
name_from_text(struct wire_name *n, const char *text)
{
	n->len = 0;
	if (strlen(text) + 2 > WIRE_MAX) {
		errno = ENAMETOOLONG;
		die(text);
	}
	while (*text != '\0') {
		size_t label = strcspn(text, ".");
		n->octets[n->len] = (uint8_t)label;
		memcpy(n->octets + n->len + 1, text, label);
		n->len += 1 + label;
		text += label + (text[label] == '.');
	}
	n->octets[n->len++] = 0;
}

/* The owner of update `number` in text; `replace` has one name a client. */
static void
owner_of(const struct load *l, const struct client *c, uint32_t number, char out[TEXT_MAX])
{
	unsigned i = (unsigned)(c - l->client);
	int len = l->mode == MODE_REPLACE ? snprintf(out, TEXT_MAX, "%s%u.%s", l->prefix, i, l->zone_text) :
	                                    snprintf(out, TEXT_MAX, "%s%u-%u.%s", l->prefix, i, number, l->zone_text);
	if (len < 0 || len >= TEXT_MAX) {
		errno = ENAMETOOLONG;
		die(l->prefix);
	}
}

static uint32_t
address_of(uint32_t number)
{
	return 0x0A000000 | (number & 0xFFFFFF);
}

static uint8_t *
put_record(uint8_t *at, const struct wire_name *owner, unsigned rclass, uint32_t ttl_s, unsigned rdata_len)
{
	at = put16(put_name(at, owner), TYPE_A);
	return put16(put32(put16(at, rclass), ttl_s), rdata_len);
}

/* RFC 8945 4.2: algorithm, time signed, fudge; in the digest and in the RDATA. */
static uint8_t *
put_stamp(const struct load *l, uint8_t *at, uint64_t wall_s)
{
	at = put16(put_name(at, &l->algorithm), (unsigned)(wall_s >> 32));
	return put16(put32(at, (uint32_t)wall_s), FUDGE_S);
}

/* Appends the TSIG record; returns where the message ends. */
static uint8_t *
sign(const struct load *l, uint8_t *m, uint8_t *end, uint32_t id)
{
	uint8_t digest[MESSAGE_MAX], *at = digest + (end - m), mac[MAC_LEN];
	uint64_t wall_s = (uint64_t)time(NULL);
	memcpy(digest, m, (size_t)(end - m));
	at = put32(put16(put_name(at, &l->key), CLASS_ANY), 0);
	at = put32(put_stamp(l, at, wall_s), 0); /* no error, no other data */
	if (HMAC(EVP_sha256(), l->secret, l->secret_len, digest, (size_t)(at - digest), mac, NULL) == NULL) {
		die("HMAC");
	}
	(void)put16(m + 10, 1);
	end = put16(put_name(end, &l->key), TYPE_TSIG);
	end = put32(put16(end, CLASS_ANY), 0);
	uint8_t *rdata_len = end;
	end = put16(put_stamp(l, end + 2, wall_s), MAC_LEN);
	memcpy(end, mac, MAC_LEN);
	end = put32(put16(end + MAC_LEN, id), 0); /* original ID, no error, no other data */
	(void)put16(rdata_len, (unsigned)(end - rdata_len - 2));
	return end;
}

/* Update `number` of a client; returns its length. */
static size_t
compose(const struct load *l, const struct client *c, uint32_t number, uint8_t m[MESSAGE_MAX])
{
	char text[TEXT_MAX];
	struct wire_name owner;
	uint32_t id = number & 0xFFFF;
	uint8_t *at = put32(put16(put16(m, id), OPCODE_UPDATE), 1 << 16);
	owner_of(l, c, number, text);
	name_from_text(&owner, text);
	at = put32(at, l->mode == MODE_REPLACE ? 2 << 16 : 1 << 16);
	at = put16(put16(put_name(at, &l->zone), TYPE_SOA), CLASS_IN);
	if (l->mode != MODE_ADD) {
		at = put_record(at, &owner, CLASS_ANY, 0, 0);
	}
	if (l->mode != MODE_NOTHING) {
		at = put32(put_record(at, &owner, CLASS_IN, TTL_S, 4), address_of(number));
	}
	return (size_t)(sign(l, m, at, id) - m);
}

/* ---- clients ---- */

static void
send_next(struct load *l, struct client *c)
{
	uint8_t m[MESSAGE_MAX];
	c->number = ++l->sent;
	size_t len = compose(l, c, c->number, m);
	c->sent_ns = now_ns();
	if (send(c->fd, m, len, 0) != (ssize_t)len) {
		die("send");
	}
}

static void
write_done(struct load *l, const struct client *c, uint32_t number)
{
	char owner[TEXT_MAX], address[INET_ADDRSTRLEN];
	struct in_addr in = { htonl(address_of(number)) };
	owner_of(l, c, number, owner);
	fprintf(l->out, "%s %s\n", owner, inet_ntop(AF_INET, &in, address, sizeof address));
}

static void
note_done(struct load *l, struct client *c, uint64_t at_ns)
{
	if (l->done == l->took_room) {
		l->took_room = l->took_room == 0 ? 1 << 16 : 2 * l->took_room;
		l->took_us = reallocarray(l->took_us, l->took_room, sizeof *l->took_us);
		if (l->took_us == NULL) {
			die("memory");
		}
	}
	l->took_us[l->done++] = (uint32_t)((at_ns - c->sent_ns) / 1000);
	l->last_ns = at_ns;
	c->done_number = c->number;
	if (l->mode == MODE_ADD) {
		write_done(l, c, c->number);
	}
}

/* Takes what has come for a client; true when its update is answered. */
static bool
receive(struct load *l, struct client *c)
{
	uint8_t m[MESSAGE_MAX];
	ssize_t len = recv(c->fd, m, sizeof m, MSG_DONTWAIT);
	if (len < 0 && errno != EAGAIN) {
		die("recv");
	}
	if (len < 12 || ((uint32_t)m[0] << 8 | m[1]) != (c->number & 0xFFFF) || c->sent_ns == 0) {
		return false; /* given up before */
	}
	if ((m[3] & 15) == 0) {
		note_done(l, c, now_ns());
	} else {
		l->refused++;
		l->rcode = m[3] & 15;
	}
	c->sent_ns = 0;
	return true;
}

/* True when the client's update was given up. */
static bool
gave_up(struct load *l, struct client *c, uint64_t at_ns)
{
	if (c->sent_ns == 0 || at_ns < c->sent_ns + l->lost_ns) {
		return false;
	}
	c->sent_ns = 0;
	c->done_number = 0;
	l->lost++;
	return true;
}

/* Waits for answers and takes them; who is free sends again unless the time is over.  False: nothing is on the way. */
static bool
turn(struct load *l, uint64_t end_ns)
{
	struct pollfd p[CLIENTS_MAX];
	bool is_busy = false;
	for (unsigned i = 0; i < l->clients_n; i++) {
		p[i] = (struct pollfd){ l->client[i].fd, POLLIN, 0 };
	}
	(void)poll(p, l->clients_n, TURN_MS);
	uint64_t at = now_ns();
	for (unsigned i = 0; i < l->clients_n; i++) {
		struct client *c = &l->client[i];
		bool is_free = p[i].revents != 0 ? receive(l, c) : gave_up(l, c, at);
		if (is_free && at < end_ns) {
			send_next(l, c);
		}
		is_busy = is_busy || c->sent_ns != 0;
	}
	return is_busy;
}

static int
connected(const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		die(address);
	}
	return fd;
}

/* ---- figures ---- */

static int
by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static uint32_t
percentile_us(const struct load *l, unsigned percent)
{
	return l->done == 0 ? 0 : l->took_us[(uint64_t)(l->done - 1) * percent / 100];
}

static void
print_counts(struct load *l, uint64_t begin_ns)
{
	double seconds = l->done == 0 ? 0 : (double)(l->last_ns - begin_ns) / 1e9;
	if (l->done > 0) {
		qsort(l->took_us, l->done, sizeof *l->took_us, by_size);
	}
	printf("{\"seconds\": %.6f, \"sent\": %" PRIu32 ", \"done\": %" PRIu32 ", \"refused\": %" PRIu32 ", \"rcode\": %" PRIu32
	       ", \"lost\": %" PRIu32 ", \"p50_us\": %" PRIu32 ", \"p99_us\": %" PRIu32 ", \"max_us\": %" PRIu32 "}\n",
	       seconds, l->sent, l->done, l->refused, l->rcode, l->lost, percentile_us(l, 50), percentile_us(l, 99),
	       percentile_us(l, 100));
}

static void
run(struct load *l, double seconds)
{
	uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9);
	for (unsigned i = 0; i < l->clients_n; i++) {
		send_next(l, &l->client[i]);
	}
	while (turn(l, end)) {
	}
	for (unsigned i = 0; i < l->clients_n && l->mode == MODE_REPLACE; i++) {
		if (l->client[i].done_number != 0) {
			write_done(l, &l->client[i], l->client[i].done_number);
		}
	}
	print_counts(l, begin);
}

static void
read_arguments(struct load *l, char **argv)
{
	uint8_t secret[SECRET_MAX + 4];
	size_t len = strlen(argv[5]);
	int wire = len / 4 * 3 <= sizeof secret ? EVP_DecodeBlock(secret, (const uint8_t *)argv[5], (int)len) : -1;
	if (wire < 0 || wire > SECRET_MAX) {
		errno = EINVAL;
		die("SECRET");
	}
	l->secret_len = wire - (len > 0 && argv[5][len - 1] == '=') - (len > 1 && argv[5][len - 2] == '=');
	memcpy(l->secret, secret, sizeof l->secret);
	l->zone_text = argv[3];
	name_from_text(&l->zone, argv[3]);
	name_from_text(&l->key, argv[4]);
	name_from_text(&l->algorithm, "hmac-sha256");
	while (strcmp(modes[l->mode], argv[6]) != 0) {
		if (++l->mode > MODE_NOTHING) {
			errno = EINVAL;
			die(argv[6]);
		}
	}
	l->clients_n = (unsigned)strtoul(argv[7], NULL, 10);
	l->lost_ns = (uint64_t)(strtod(argv[9], NULL) * 1e9);
	l->prefix = argv[10];
	if (l->clients_n == 0 || l->clients_n > CLIENTS_MAX) {
		errno = EINVAL;
		die("CLIENTS");
	}
}

int
main(int argc, char **argv)
{
	static struct load l;
	if (argc != 12) {
		fprintf(stderr, "usage: updates ADDRESS PORT ZONE KEY SECRET add|replace|nothing CLIENTS SECONDS LOST_S PREFIX DONE\n");
		return 2;
	}
	read_arguments(&l, argv);
	l.out = fopen(argv[11], "we");
	if (l.out == NULL) {
		die(argv[11]);
	}
	for (unsigned i = 0; i < l.clients_n; i++) {
		l.client[i].fd = connected(argv[1], (int)strtol(argv[2], NULL, 10));
	}
	run(&l, strtod(argv[8], NULL));
	if (fclose(l.out) != 0) {
		die(argv[11]);
	}
	free(l.took_us);
	return EXIT_SUCCESS;
}
