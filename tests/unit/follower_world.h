/* tests/unit/follower_world.h -- a secondary with a clock and a network of the test's own.  Its primaries are real: what is sent to them
 * goes to server_handle(), and transfers come from auth/transfer.h. */
#pragma once

#include "auth/follower_p.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/next_view.h"
#include "auth/primary.h"
#include "auth/server.h"
#include "auth/transfer.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/changes.h"
#include "zone/history.h"

#define SECRET "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
#define MS UINT64_C(1000000)
#define S (1000 * MS)

#define KEY "a._transfer.example"
#define ROOT_KEY "all._transfer"
#define KEYS { "example._keys", KEY ". DNSKEY 0 3 163 " SECRET "\n" }
#define ROOT_KEYS { "_keys", ROOT_KEY ". DNSKEY 0 3 163 " SECRET "\n" }
#define ZONE(serial, more) "$TTL 60\n@ SOA ns host " serial " 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n" more
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

enum { WALL_S = 1700000000, PRIMARIES_MAX = 3, FILES_MAX = 8, DELAY_MS = 2, MESSAGES_MAX = 4096, ZONES_MAX = 2048, UDP_MAX = 1232 };

/* A primary, and how it behaves. */
struct world_primary {
	struct primary *primary;
	struct server_conf conf;
	bool is_down;            /* a connection is refused */
	bool is_silent;          /* it takes connections, and answers nothing */
	bool has_bad_journal;    /* it answers IXFR with SERVFAIL */
	const char *failing;     /* it answers SERVFAIL about this zone, as when it has expired there; NULL: none */
	const char *ignored;     /* it answers nothing about this zone; NULL: none */
	unsigned closes_after;   /* so many answers; 0: never */
	unsigned cut_after;      /* so many messages of a transfer, counted from 1; 0: never */
	bool is_garbled;         /* an octet of each message of a transfer is another */
	const char *garbled;     /* the same, of the transfers of this zone; NULL: none */
	unsigned spread_ms;      /* the messages of a transfer come so long after each other */
	bool is_endless;         /* it leaves out the last message of each transfer, and sends the first but one again and again */
	int64_t skew_s;          /* of its clock */
	bool drops_datagrams;    /* as a firewall does */
	unsigned datagrams_lost; /* so many of the next ones */
	bool is_unreachable;     /* by UDP: the system says so at once */
	bool is_forged;          /* before each answer over UDP comes one with another ID, and one to another question */
	bool is_unsigned;        /* its answers over UDP have no TSIG */
	uint16_t idle_100ms;     /* what it says of connections (RFC 7828) */
	uint16_t kept_100ms;
	unsigned asked, datagrams, transfers, connections; /* asked: over connections */
	unsigned answered;       /* on the present connection */
};

struct message {
	uint64_t at_ns;
	unsigned link, serial_no;
	bool is_end;             /* the connection closes; a datagram: nobody is there */
	bool is_datagram;        /* `link` is its slot */
	size_t len;
	uint8_t *bytes;          /* owned */
};

/* A zone as the secondary has it. */
struct held {
	struct name name;
	struct zone *version;
	enum follow_presence presence;
};

struct world {
	struct follower *f;
	struct now now;
	struct world_primary primary[PRIMARIES_MAX];
	struct keystore *keys;           /* the secondary's */
	struct message queue[MESSAGES_MAX];
	size_t queued;
	bool has_udp[FOLLOWER_UDP_MAX];
	unsigned udp_no[FOLLOWER_UDP_MAX];
	bool is_open[FOLLOWER_LINKS_MAX];
	unsigned open_no[FOLLOWER_LINKS_MAX]; /* a connection's messages do not come over the next one */
	unsigned at_primary[FOLLOWER_LINKS_MAX];
	struct held zone[ZONES_MAX];
	size_t zones_n;
	unsigned events[FOLLOW_EVENTS];
	char why[400];
	struct incoming_report transferred;
	bool is_broken;                  /* what was transferred last: a catalog that is */
	unsigned demanded_at;            /* TRANSFERRED reports when a catalog let a zone go, or reset it, last */
	uint32_t next_random;
	bool no_room;                    /* take() and show() fail */
	size_t room;                     /* memory for transfers, if the test sets conf.octets_max to world_room() */
};

/* ---- what the secondary has ---- */

static inline struct held *
held_of(struct world *w, const uint8_t *name)
{
	for (size_t i = 0; i < w->zones_n; i++) {
		if (name_is_equal(w->zone[i].name.oct, name)) {
			return &w->zone[i];
		}
	}
	return NULL;
}

static inline struct held *
held(struct world *w, const char *text)
{
	struct name n;
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	return held_of(w, n.oct);
}

static inline uint32_t
serial_of(struct world *w, const char *text)
{
	struct held *h = held(w, text);
	return h != NULL && h->version != NULL && h->presence == FOLLOW_PRESENT ? h->version->serial : 0;
}

/* The zone as the secondary has it; made if need be. */
static inline struct held *
hold(struct world *w, const uint8_t *name)
{
	struct held *h = held_of(w, name);
	if (h == NULL) {
		assert_true(w->zones_n < ZONES_MAX);
		h = &w->zone[w->zones_n++];
		*h = (struct held){ 0 }; /* another zone may have been there */
		name_set(&h->name, name);
	}
	return h;
}

static inline err_t
take(void *ctx, const uint8_t *name, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	struct world *w = ctx;
	struct garbage garbage = { 0 };
	if (w->no_room) {
		return E_NOMEM;
	}
	struct held *h = hold(w, name);
	if (*changes != NULL) {
		struct zone *next;
		assert_int_equal(zone_txn_commit(changes, &next, &garbage), OK);
		garbage_free(&garbage);
		h->version = next;
	} else {
		zone_free(&h->version);
		h->version = *whole;
		*whole = NULL;
	}
	h->presence = FOLLOW_PRESENT;
	*version = h->version;
	return OK;
}

static inline err_t
show(void *ctx, const uint8_t *name, enum follow_presence presence)
{
	struct world *w = ctx;
	if (w->no_room) {
		return E_NOMEM;
	}
	struct held *h = hold(w, name);
	if (presence == FOLLOW_FORGOTTEN && h->version == NULL) {
		*h = w->zone[--w->zones_n];
		return OK;
	}
	if (presence == FOLLOW_FORGOTTEN) {
		zone_free(&h->version);
	}
	h->presence = presence;
	return OK;
}

static inline err_t
restore(void *ctx, const uint8_t *name, struct zone **whole, enum follow_presence presence, uint64_t changed_s,
        const struct zone **version)
{
	struct zone_txn *none = NULL;
	(void)changed_s;
	TRY(take(ctx, name, whole, &none, version));
	held_of(ctx, name)->presence = presence;
	return OK;
}

static inline void
on_report(void *ctx, const struct follow_report *r)
{
	struct world *w = ctx;
	w->events[r->event]++;
	if (r->why[0] != '\0' && r->event != FOLLOW_BEHIND) {
		(void)snprintf(w->why, sizeof w->why, "%s", r->why);
	}
	if (r->event == FOLLOW_TO_LEAVE || r->event == FOLLOW_TO_RESET) {
		w->demanded_at = w->events[FOLLOW_TRANSFERRED];
	}
	if (r->event == FOLLOW_TRANSFERRED) {
		w->transferred = *r->transfer;
		w->is_broken = r->is_broken;
	}
}

/* ---- the network ---- */

static inline uint64_t
clock_of(const struct world *w, const struct world_primary *p)
{
	return w->now.wall_s + (uint64_t)p->skew_s;
}

static inline void
post_after(struct world *w, unsigned link, const uint8_t *bytes, size_t len, bool is_end, unsigned ms)
{
	assert_true(w->queued < MESSAGES_MAX);
	struct message *m = &w->queue[w->queued++];
	*m = (struct message){ .at_ns = w->now.mono_ns + ms * MS, .link = link, .serial_no = w->open_no[link], .is_end = is_end, .len = len };
	m->bytes = xalloc(len + 1);
	if (len != 0) {
		memcpy(m->bytes, bytes, len);
	}
}

static inline void
post(struct world *w, unsigned link, const uint8_t *bytes, size_t len, bool is_end)
{
	post_after(w, link, bytes, len, is_end, DELAY_MS);
}

static inline bool
is_about(const char *zone, const uint8_t *bytes, size_t len)
{
	struct name n;
	struct msg m;
	return zone != NULL && name_parse(zone, strlen(zone), NULL, &n) == OK && msg_parse(bytes, len, &m) == OK &&
	       name_is_equal(n.oct, m.qname.oct);
}

/* Closes the connection as the primary does after so many answers. */
static inline void
note_answer(struct world *w, unsigned link)
{
	struct world_primary *p = &w->primary[w->at_primary[link]];
	if (++p->answered == p->closes_after) {
		post(w, link, NULL, 0, true);
	}
}

static inline void
post_transfer(struct world *w, unsigned link, const uint8_t *bytes, size_t len)
{
	struct world_primary *p = &w->primary[w->at_primary[link]];
	const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP, .idle_100ms = p->kept_100ms };
	static uint8_t wire[DNS_MSG_MAX];
	struct transfer *t;
	bool is_last = false;
	assert_int_equal(transfer_new(primary_view(p->primary), &p->conf, &peer, clock_of(w, p), bytes, len, &t), OK);
	p->transfers++;
	for (unsigned i = 1; !is_last; i++) {
		size_t n = transfer_next(t, clock_of(w, p), wire, &is_last);
		assert_true(n != 0);
		if (p->is_garbled || is_about(p->garbled, bytes, len)) {
			wire[n / 2] ^= 0x10;
		}
		if (i == p->cut_after) {
			post_after(w, link, NULL, 0, true, DELAY_MS + i * p->spread_ms);
			break;
		}
		if (!(p->is_endless && is_last)) {
			post_after(w, link, wire, n, false, DELAY_MS + i * p->spread_ms);
		}
	}
	transfer_free(&t);
	note_answer(w, link);
}

static inline void
post_servfail(struct world *w, unsigned link, const uint8_t *bytes, size_t len)
{
	uint8_t answer[DNS_HEADER_LEN + TSIG_RR_MAX] = { bytes[0], bytes[1], DNS_QR >> 8, RCODE_SERVFAIL };
	size_t answer_len = DNS_HEADER_LEN;
	char name[NAME_TEXT_MAX], text[NAME_TEXT_MAX + 100], why[128];
	struct name key_name;
	struct tsig_key key;
	struct tsig t;
	struct msg m;
	assert_int_equal(msg_parse(bytes, len, &m), OK);
	assert_int_equal(tsig_key_name(&m, &key_name), OK);
	name_print(key_name.oct, name);
	(void)snprintf(text, sizeof text, "%s:SHA256:" SECRET, name);
	assert_int_equal(tsig_key_parse(text, &key, why), OK);
	assert_int_equal(tsig_verify_request(&t, &m, &key, w->now.wall_s), OK);
	assert_int_equal(tsig_sign_response(&t, answer, &answer_len, sizeof answer, w->now.wall_s), OK);
	post(w, link, answer, answer_len, false);
}

static inline bool
is_ixfr(const uint8_t *bytes, size_t len)
{
	struct msg m;
	return msg_parse(bytes, len, &m) == OK && m.qtype == TYPE_IXFR;
}

static inline bool
wants_keepalive(const uint8_t *bytes, size_t len)
{
	struct msg m;
	assert_int_equal(msg_parse(bytes, len, &m), OK);
	return m.edns.wants_keepalive;
}

static inline bool
send_to(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	struct world_primary *p = &w->primary[w->at_primary[link]];
	const struct peer peer = { .family = 4, .address = { 10, 0, 0, 9 }, .transport = TRANSPORT_TCP,
		                   .idle_100ms = p->idle_100ms, .kept_100ms = p->kept_100ms };
	static uint8_t answer[DNS_MSG_MAX];
	struct server_stats stats = { 0 };
	struct server_out out;
	assert_true(w->is_open[link] && wants_keepalive(bytes, len));
	p->asked++;
	if (p->is_silent || is_about(p->ignored, bytes, len) || (p->closes_after != 0 && p->answered >= p->closes_after)) {
		return true;
	}
	if ((p->has_bad_journal && is_ixfr(bytes, len)) || is_about(p->failing, bytes, len)) {
		post_servfail(w, link, bytes, len);
		return true;
	}
	size_t n = server_handle(primary_view(p->primary), &p->conf, &peer, clock_of(w, p), bytes, len, answer, sizeof answer, &stats, &out);
	if (out.event == EVENT_TRANSFER) {
		post_transfer(w, link, bytes, len);
	} else {
		post(w, link, answer, n, false);
		note_answer(w, link);
	}
	return true;
}

/* ---- datagrams ---- */

static inline void
post_datagram(struct world *w, unsigned slot, const uint8_t *bytes, size_t len)
{
	post(w, slot, bytes, len, len == 0);
	struct message *m = &w->queue[w->queued - 1];
	m->is_datagram = true;
	m->serial_no = w->udp_no[slot];
}

static inline void
post_answer(struct world *w, struct world_primary *p, unsigned slot, uint8_t *answer, size_t len)
{
	if (p->is_forged) {
		answer[1] ^= 1;
		post_datagram(w, slot, answer, len);
		answer[1] ^= 1;
		answer[DNS_HEADER_LEN + 1] ^= 1; /* the first letter of the question's name */
		post_datagram(w, slot, answer, len);
		answer[DNS_HEADER_LEN + 1] ^= 1;
	}
	post_datagram(w, slot, answer, len);
}

/* OPT and TSIG are gone. */
static inline size_t
without_additional(uint8_t *answer, size_t len)
{
	struct msg m;
	assert_int_equal(msg_parse(answer, len, &m), OK);
	answer[10] = answer[11] = 0;
	return m.rr_at[3];
}

static inline bool
send_datagram(void *ctx, unsigned slot, const struct follow_source *to, const uint8_t *bytes, size_t len)
{
	struct world *w = ctx;
	struct world_primary *p = &w->primary[to->address.octets[3] - 1u];
	const struct peer peer = { .family = 4, .address = { 10, 0, 0, 9 }, .transport = TRANSPORT_UDP };
	uint8_t answer[UDP_MAX];
	struct server_stats stats = { 0 };
	struct server_out out;
	assert_false(wants_keepalive(bytes, len)); /* RFC 7828 3.2.1 */
	w->udp_no[slot] += !w->has_udp[slot];
	w->has_udp[slot] = true;
	p->datagrams++;
	if (p->is_unreachable) {
		post_datagram(w, slot, NULL, 0);
	} else if (p->datagrams_lost != 0) {
		p->datagrams_lost--;
	} else if (!p->is_down && !p->is_silent && !p->drops_datagrams) {
		size_t n = server_handle(primary_view(p->primary), &p->conf, &peer, clock_of(w, p), bytes, len, answer,
		                         p->conf.udp_max, &stats, &out);
		n = p->is_unsigned ? without_additional(answer, n) : n;
		post_answer(w, p, slot, answer, n);
	}
	return true;
}

static inline void
end_datagram(void *ctx, unsigned slot)
{
	struct world *w = ctx;
	assert_true(w->has_udp[slot]);
	w->has_udp[slot] = false;
}

static inline bool
open_link(void *ctx, unsigned link, const struct follow_source *to)
{
	struct world *w = ctx;
	assert_false(w->is_open[link]);
	w->at_primary[link] = to->address.octets[3] - 1u;
	struct world_primary *p = &w->primary[w->at_primary[link]];
	p->connections++;
	p->answered = 0;
	w->is_open[link] = true;
	w->open_no[link]++;
	if (p->is_down) {
		post(w, link, NULL, 0, true);
		p->answered = UINT16_MAX;
		p->closes_after = UINT16_MAX;
	} else if (p->closes_after == UINT16_MAX) {
		p->closes_after = 0;
	}
	return true;
}

static inline void
close_link(void *ctx, unsigned link)
{
	struct world *w = ctx;
	assert_true(w->is_open[link]);
	w->is_open[link] = false;
}

static inline uint32_t
next_random(void *ctx)
{
	struct world *w = ctx;
	w->next_random = w->next_random * 1664525 + 1013904223;
	return w->next_random >> 8;
}

static inline size_t
world_room(void *ctx)
{
	return ((struct world *)ctx)->room;
}

/* ---- time ---- */

static inline void
set_now(struct world *w, uint64_t ns)
{
	w->now.mono_ns = ns;
	w->now.wall_s = WALL_S + ns / S;
}

static inline void
deliver_datagram(struct world *w, const struct message *m)
{
	if (!w->has_udp[m->link] || m->serial_no != w->udp_no[m->link]) {
		return;
	}
	if (m->is_end) {
		follower_unreachable(w->f, &w->now, m->link);
	} else {
		follower_datagram(w->f, &w->now, m->link, m->bytes, m->len);
	}
}

static inline void
deliver(struct world *w, size_t at)
{
	struct message m = w->queue[at];
	memmove(&w->queue[at], &w->queue[at + 1], (--w->queued - at) * sizeof m);
	if (m.is_datagram) {
		deliver_datagram(w, &m);
	} else if (w->is_open[m.link] && m.serial_no == w->open_no[m.link]) {
		if (m.is_end) {
			w->is_open[m.link] = false;
			follower_closed(w->f, &w->now, m.link, "connection refused, or closed");
		} else {
			follower_input(w->f, &w->now, m.link, m.bytes, m.len);
		}
	}
	free(m.bytes);
}

/* Lets that much time go by. */
static inline void
run(struct world *w, uint64_t ns)
{
	uint64_t end = w->now.mono_ns + ns;
	for (;;) {
		size_t first = 0;
		for (size_t i = 1; i < w->queued; i++) {
			first = w->queue[i].at_ns < w->queue[first].at_ns ? i : first;
		}
		uint64_t message = w->queued != 0 ? w->queue[first].at_ns : NOW_NEVER, timer = follower_deadline(w->f);
		uint64_t next = message < timer ? message : timer;
		if (next > end) {
			set_now(w, end);
			return;
		}
		set_now(w, next > w->now.mono_ns ? next : w->now.mono_ns);
		if (message <= timer) {
			deliver(w, first);
		} else {
			follower_timer(w->f, &w->now);
		}
	}
}

/* Lets time go by until the zone waits for its turn. */
static inline void
await_turn(struct world *w, const char *zone)
{
	struct name n;
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n), OK);
	for (unsigned i = 0; followed_get(w->f, n.oct)->phase != ZONE_WAITING; i++) {
		assert_true(i < 3600);
		run(w, S);
	}
}

enum { LARGE_MAX = 400000 };

/* A zone that takes several messages.  The text stays until the next but one is made. */
static inline const char *
large_zone(const char *serial)
{
	static char texts[2][LARGE_MAX];
	static unsigned n;
	char *text = texts[n++ % 2];
	size_t len = (size_t)snprintf(text, LARGE_MAX, "$TTL 60\n@ SOA ns host %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n", serial);
	for (unsigned i = 0; i < 4000; i++) {
		len += (size_t)snprintf(text + len, LARGE_MAX - len, "host%u TXT \"text of host %u\"\n", i, i);
	}
	return text;
}

/* ---- beginning and end ---- */

static inline err_t
no_file(void *ctx, const char *path, struct master_text *out)
{
	(void)ctx, (void)path, (void)out;
	return E_NOTFOUND;
}

static inline void
no_close(void *ctx, struct master_text *text)
{
	(void)ctx, (void)text;
}

/* The primary's tree is these files; each pair: name, text. */
static inline void
commit(struct world *w, unsigned number, const char *const files[][2], size_t n)
{
	static const struct primary_conf conf = { 100, 100, 100 };
	static const struct primary_log log;
	struct world_primary *p = &w->primary[number];
	struct source_change *changes = xalloc(n * sizeof *changes);
	struct source_commit commit = { .id = "c0ffee", .changes = changes, .n = n, .is_whole = true, .open = no_file, .close = no_close };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct source_change){ .kind = SOURCE_PUT, .path = files[i][0], .bytes = (const uint8_t *)files[i][1],
			                             .len = strlen(files[i][1]) };
	}
	p->primary = p->primary != NULL ? p->primary : primary_new(&conf, &log);
	assert_int_equal(primary_apply(p->primary, &commit, &outcome, &view, &old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	discard_free(&old);
	free(changes);
}

#define COMMIT(w, number, ...)                                                                                         \
	do {                                                                                                           \
		const char *const files_[][2] = { __VA_ARGS__ };                                                       \
		commit(w, number, files_, ARRAY_LEN(files_));                                                          \
	} while (0)

static inline void
new_follower(struct world *w, struct follower_conf conf, bool has_udp)
{
	conf.bounds = (struct follow_bounds){ 1, 86400, 1, 86400, 1, 86400000 };
	conf.io = (struct follower_io){ .open = open_link, .send = send_to, .close = close_link, .take = take, .show = show,
		                        .restore = restore, .report = on_report, .random_u32 = next_random, .ctx = w };
	if (has_udp) {
		conf.io.udp_send = send_datagram;
		conf.io.udp_end = end_datagram;
	}
	w->f = follower_new(&conf);
}

static inline void
world_begin_conf(struct world *w, struct follower_conf conf)
{
	*w = (struct world){ .next_random = 1 };
	for (size_t i = 0; i < PRIMARIES_MAX; i++) {
		w->primary[i].idle_100ms = 300;
		w->primary[i].kept_100ms = UINT16_MAX;
	}
	for (unsigned i = 0; i < PRIMARIES_MAX; i++) {
		w->primary[i].conf.udp_max = UDP_MAX;
	}
	set_now(w, 1000 * S);
	w->keys = keystore_new(NULL);
	new_follower(w, conf, true);
}

static inline void
world_begin(struct world *w)
{
	world_begin_conf(w, (struct follower_conf){ 0 });
}

static inline void
world_fini(struct world *w)
{
	follower_free(&w->f);
	for (size_t i = 0; i < w->zones_n; i++) {
		zone_free(&w->zone[i].version);
	}
	for (size_t i = 0; i < w->queued; i++) {
		free(w->queue[i].bytes);
	}
	for (size_t i = 0; i < PRIMARIES_MAX; i++) {
		primary_free(&w->primary[i].primary);
	}
	keystore_free(&w->keys);
}

static inline enum follow_presence
presence_of(struct world *w, const char *name)
{
	const struct held *h = held(w, name);
	return h != NULL ? h->presence : FOLLOW_FORGOTTEN;
}

/* Takes out the version that the follower has, for the next one.  NULL: it has none. */
static inline struct zone *
keep(struct world *w, const char *name)
{
	struct held *h = held(w, name);
	struct zone *version = h != NULL ? h->version : NULL;
	if (h != NULL) {
		h->version = NULL;
	}
	return version;
}

/* Another follower takes the place of the one that is there; it follows nobody yet, and asks over connections
 * alone, so that each question of it counts once.  What was not kept is gone. */
static inline void
world_restart(struct world *w)
{
	follower_free(&w->f);
	for (size_t i = 0; i < w->queued; i++) {
		free(w->queue[i].bytes);
	}
	w->queued = w->zones_n = 0;
	memset(w->is_open, 0, sizeof w->is_open);
	memset(w->events, 0, sizeof w->events);
	new_follower(w, (struct follower_conf){ 0 }, false);
}

/* The secondary follows primary `number` with the key of that name, whose secret is SECRET or `secret`. */
static inline void
follow_with(struct world *w, unsigned number, const char *key_name, const char *secret, bool is_kept)
{
	static struct key keys[FOLLOWER_SOURCES_MAX];
	static size_t n;
	char text[600], why[128];
	struct key *k = &keys[n++ % FOLLOWER_SOURCES_MAX];
	*k = (struct key){ 0 };
	(void)snprintf(text, sizeof text, "%s:SHA256:%s", key_name, secret);
	assert_int_equal(tsig_key_parse(text, &k->tsig, why), OK);
	assert_int_equal(key_name_read(k->tsig.name.oct, k), OK);
	const struct follow_source s = { .key = k, .domain = k->domain.oct, .address = { .family = 4, .octets = { 10, 0, 0, (uint8_t)(number + 1) } },
		                         .port = 53, .is_kept = is_kept };
	assert_int_equal(follower_add(w->f, &w->now, &s), OK);
}

static inline void
follow(struct world *w, unsigned number, const char *key_name)
{
	follow_with(w, number, key_name, SECRET, false);
}

/* A NOTIFY comes from primary `number`; key NULL: unsigned; serial 0: none. */
static inline void
notify(struct world *w, unsigned number, const char *zone, const char *key, uint32_t serial)
{
	struct follow_notice n = { .address = { .family = 4, .octets = { 10, 0, 0, (uint8_t)(number + 1) } }, .has_serial = serial != 0,
		                   .serial = serial };
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n.zone), OK);
	if (key != NULL) {
		assert_int_equal(name_parse(key, strlen(key), NULL, &n.key), OK);
	}
	follower_notice(w->f, &w->now, &n);
}

/* Follows primary 0, and has serial 7 of the zone "example". */
static inline void
begin_with_version_7(struct world *w)
{
	world_begin(w);
	COMMIT(w, 0, KEYS, { "example", ZONE("7", "") });
	follow(w, 0, KEY);
	run(w, S);
}

/* The same over a connection that is kept. */
static inline void
begin_kept_with_version_7(struct world *w)
{
	world_begin(w);
	COMMIT(w, 0, KEYS, { "example", ZONE("7", "") });
	follow_with(w, 0, KEY, SECRET, true);
	run(w, S);
}

/* ---- catalogs ---- */

#define CATALOG(serial, more) "$TTL 0\n@ SOA invalid. invalid. " serial " 3600 600 2592000 0\n@ NS invalid.\nversion TXT \"2\"\n" more
#define SHORT(serial) "$TTL 60\n@ SOA ns host " serial " 60 10 600 60\n@ NS ns\nns A 192.0.2.1\n" /* expires after ten minutes */

/* A catalog that the secondary follows. */
static inline void
add_catalog(struct world *w, const char *text)
{
	struct name n;
	assert_int_equal(name_parse(text, strlen(text), NULL, &n), OK);
	assert_int_equal(follower_add_catalog(w->f, &w->now, n.oct), OK);
}
