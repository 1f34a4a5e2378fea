/* auth/notifier_p.h -- what the files of the notifier share: notifier.c (what comes in), notifier_answer.c (what comes of
 * answers), notifier_send.c (what goes out, by which way), notifier_notice.c (states and schedule), notifier_table.c (what there
 * is) and notifier_message.c (messages, written and read).
 *
 * A notification is called a notice here, a target a peer.
 */
#pragma once

#include "auth/notifier.h"
#include "base/heap.h"
#include "base/list.h"
#include "zone/trie.h"

enum {
	PEER_BUCKETS = 4096, /* a power of two */
	NO_EXCHANGE = -1,
};

/* A key as long as anything pending is signed with it: one for all of them, as it is large and secret. */
struct signer {
	size_t refs;
	bool is_listed;       /* in the notifier's trie; one of the same name and another secret takes its place there */
	struct tsig_key tsig; /* the trie reads the name in it */
};

/* Where a notification is.  IDLE: on its way from one state to another.  WAITING: due, in one of the peer's lists.
 * IN_FLIGHT: sent; until `timer` the answer is waited for.  RESTING: due again at `timer`. */
enum notice_state { NOTICE_IDLE, NOTICE_WAITING, NOTICE_IN_FLIGHT, NOTICE_RESTING };

/* One zone for one peer. */
struct notice {
	struct peer *peer;
	struct signer *signers[NOTIFIER_KEYS_MAX];
	uint8_t signers_n;         /* 0: unsigned */
	uint8_t turn;              /* the one of the latest message */
	uint8_t next_turn;         /* the one with which the next attempt begins */
	uint8_t tried;             /* how many the latest attempt has come to */
	struct heap_node timer;
	struct list_link link;     /* WAITING, IN_FLIGHT */
	uint64_t begun_ns;         /* the attempt under way, or the last one */
	enum notice_state state;
	enum notify_transport transport; /* of the last message */
	uint8_t attempts;          /* begun so far */
	uint8_t said;              /* outcomes that were reported, a bit each */
	bool is_doubted;           /* IN_FLIGHT, and has no place in the window any more */
	uint16_t id;
	uint8_t mac[HMAC_MAX];     /* of the last message, for its answer */
	size_t mac_len;
	uint32_t ttl, serial;
	uint16_t rdlen;            /* 0: the zone is gone */
	uint8_t zone_len;
	uint8_t zone[];            /* then RDATA; the peer's trie reads the name here */
};

/* What a target never answers must not hold up what is new for it: the two take turns. */
enum notice_queue { NOTICE_FRESH, NOTICE_AGAIN, NOTICE_QUEUES };

/* A target, for as long as anything is pending for it. */
struct peer {
	struct peer *next;               /* in its bucket */
	struct notify_target at;         /* without a key */
	struct trie_txn notices;         /* of struct notice by zone; never committed: changed in place */
	struct list_link waiting[NOTICE_QUEUES];     /* to be sent over TCP, or over its connection */
	struct list_link waiting_udp[NOTICE_QUEUES]; /* TCP has failed for these */
	enum notice_queue turn;                      /* which of the two queues is next, if it has any */
	struct list_link on_exchange;    /* in flight over TCP */
	struct list_link in_air;         /* in flight otherwise */
	unsigned in_flight, window;      /* window: how many may be */
	unsigned doubted;                /* besides those: in flight, with an answer that was not signed well */
	int exchange;
	uint64_t heard_ns;               /* over the exchange last, or when it was opened */
	bool has_answered;               /* over the exchange */
	struct heap_node stall;          /* exchange: when it is given up if nothing more is heard */
	struct list_link ready;          /* may send; in turn with the others */
	struct list_link touched;        /* to be looked at before the input ends */
};

struct notifier {
	struct notifier_conf conf;
	struct notifier_stats stats;
	uint32_t seed;                   /* of the buckets */
	struct peer *bucket[PEER_BUCKETS];
	struct trie_txn signers;         /* by name */
	struct heap timers;              /* of notices */
	struct heap stalls;              /* of peers */
	struct list_link ready, touched; /* of peers */
	struct peer *exchange[NOTIFIER_EXCHANGES_MAX];
	uint16_t free_exchange[NOTIFIER_EXCHANGES_MAX]; /* a stack of stats.exchanges taken from its top */
};

#define SIGNER_NAME_AT offsetof(struct signer, tsig.name.oct)

static inline const struct signer *
notice_signer(const struct notice *x) /* NULL: unsigned */
{
	return x->signers_n != 0 ? x->signers[x->turn] : NULL;
}

static inline uint8_t
notice_turn_after(const struct notice *x) /* the key after the one of the latest message */
{
	return (uint8_t)(x->turn + 1 < x->signers_n ? x->turn + 1 : 0);
}

static inline const uint8_t *
notice_soa(const struct notice *x)
{
	return x->zone + x->zone_len;
}

static inline struct notice *
notice_of(struct list_link *link)
{
	return LIST_ENTRY(link, struct notice, link);
}

static inline bool
is_any_in(const struct list_link queues[NOTICE_QUEUES])
{
	return !list_is_empty(&queues[NOTICE_FRESH]) || !list_is_empty(&queues[NOTICE_AGAIN]);
}

#define SECOND_NS UINT64_C(1000000000)

/* ---- notifier_notice.c ---- */

/* After any change to a peer: may it send?  And it is looked at again before the input ends. */
void peer_changed(struct notifier *n, struct peer *p);

/* From IDLE to WAITING, to IN_FLIGHT (its message has gone), to RESTING (the attempt has failed); from any state to IDLE. */
void notice_wait(struct notifier *n, struct notice *x);
void notice_take_off(struct notifier *n, struct notice *x, uint64_t now_ns);
void notice_rest(struct notifier *n, struct notice *x); /* or it is over, after the last attempt, and freed */
void notice_detach(struct notifier *n, struct notice *x);

/* Reports, of which what is said of the notice itself need not be filled in.  It is over, and freed; or it goes on, which is said once. */
void notice_finish(struct notifier *n, struct notice *x, struct notifier_report r);
void notice_say(struct notifier *n, struct notice *x, struct notifier_report r);
bool notice_has_said(const struct notice *x, enum notify_outcome o);

/* ---- notifier_send.c ---- */

/* The end of every input: what may be sent is, and what is of no more use goes. */
void notifier_settle(struct notifier *n, const struct notifier_now *now);

struct notice *notice_in_flight(const struct list_link *list, uint16_t id); /* NULL: none */

/* Sends it, with the key whose turn it is, and begins to wait for an answer: an attempt, or the same once more with another key.  From
 * IDLE; when the peer's own connection is gone the notice is over, and freed. */
void notice_send(struct notifier *n, struct notice *x, enum notify_transport t, const struct notifier_now *now);

/* TCP brought no good answer to it: UDP, unless the attempt is over. */
void notice_fall_back(struct notifier *n, struct notice *x, const struct notifier_now *now);

/* The exchange is closed already, and forgotten; it is gone or could not be opened; it is closed, as it brings nothing.  `is_dead`: another
 * one would fare no better. */
void peer_drop_exchange(struct notifier *n, struct peer *p);
void peer_tcp_failed(struct notifier *n, struct peer *p, bool is_dead, const struct notifier_now *now);
void peer_fail_exchange(struct notifier *n, struct peer *p, bool is_dead, const struct notifier_now *now);

/* An answer came, good or not: the exchange is alive.  A good one: more may be in flight, too. */
void peer_note_alive(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns);
void peer_note_heard(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns);

/* Its own connection is gone. */
void peer_lose_conn(struct notifier *n, const struct peer *p);

/* ---- notifier_table.c ---- */

/* The peer of a target, or NULL; made when it is not there. */
struct peer *peer_find(const struct notifier *n, const struct notify_target *at);
struct peer *peer_get(struct notifier *n, const struct notify_target *at); /* NULL: no memory */
void peer_free(struct notifier *n, struct peer *p); /* nothing is pending for it, and it has no exchange */

/* The notice of a zone, or NULL. */
struct notice *peer_notice(const struct peer *p, const uint8_t *zone);

/* One in no state yet, and of no peer.  E_NOMEM. */
err_t notice_new(struct notifier *n, const struct notify_news *news, const struct tsig_key *key, struct notice **out);
void notice_free(struct notifier *n, struct notice *x); /* it is in no state, and no peer has it */

/* Is it about that very version, and may it be signed with this key, too, which it has not yet? */
bool notice_has_room(const struct notice *x, const struct notify_news *news, const struct tsig_key *key);
err_t notice_add_key(struct notifier *n, struct notice *x, const struct tsig_key *key); /* E_NOMEM */
void notice_drop_key(struct notifier *n, struct notice *x); /* that of the latest message; it is the turn of the one after it */

/* The peer has it from now on.  *old: the one of the same zone that it had, which is the caller's now; NULL: none.
 * E_NOMEM, not when there was one. */
err_t peer_put(struct peer *p, struct notice *x, struct notice **old);
void peer_take(struct notice *x); /* its peer has it no more */

/* All that is there, in whatever state. */
void table_free(struct notifier *n);

/* ---- notifier_message.c ---- */

/* The message for the next attempt with the ID x->id; keeps its MAC.  `is_short`: the SOA is left out when it would not
 * fit in a datagram of 512 octets. */
err_t notice_write(struct notice *x, uint64_t wall_s, bool is_short, uint8_t out[NOTIFIER_MESSAGE_MAX], size_t *len);

/* Has the message the form of an answer to it? */
bool notice_is_answered_by(const struct notice *x, const struct msg *m);

/* Is the signature as it must be?  Else *t says what is wrong (error 0: none, or malformed). */
bool notice_is_verified(const struct notice *x, const struct msg *m, uint64_t wall_s, struct tsig *t);
