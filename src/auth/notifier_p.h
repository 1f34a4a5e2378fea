/* auth/notifier_p.h -- the private header of notifier*.c.
 *
 * notifier.c takes news, ends of connections and time; notifier_answer.c takes answers. notifier_send.c sends messages, over
 * TCP, UDP or the peer's own connection. notifier_notice.c has states, schedule and reports. notifier_table.c keeps keys, peers
 * and notices. notifier_message.c writes and reads messages.
 *
 * A notification is called a notice here, and a target a peer: this struct peer is not that of auth/server.h.
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

/* A key, shared by all pending notices that are signed with it, since it is large and secret. */
struct signer {
	size_t refs;
	bool is_listed;       /* in the notifier's trie; a key with the same name and another secret replaces it there */
	struct tsig_key tsig; /* the trie uses the name in here as its key */
};

/* The state of a notice.  IDLE: between two states.  WAITING: due, in one of the peer's lists.  IN_FLIGHT: sent, and waits for
 * its answer until `timer`.  RESTING: due again at `timer`. */
enum notice_state { NOTICE_IDLE, NOTICE_WAITING, NOTICE_IN_FLIGHT, NOTICE_RESTING };

/* A notification about one zone to one peer. */
struct notice {
	struct peer *peer;
	struct signer *signers[NOTIFIER_KEYS_MAX];
	uint8_t signers_n;         /* 0: unsigned */
	uint8_t turn;              /* index of the key of the latest message */
	uint8_t next_turn;         /* index of the key with which the next attempt begins */
	uint8_t tried;             /* number of keys tried in the latest attempt */
	struct heap_node timer;
	struct list_link link;     /* WAITING, IN_FLIGHT */
	uint64_t begun_ns;         /* start of the present or last attempt */
	enum notice_state state;
	enum notify_transport transport; /* of the last message */
	uint8_t attempts;          /* attempts begun so far */
	uint8_t said;              /* outcomes that were reported, one bit each */
	bool is_doubted;           /* IN_FLIGHT with an answer that was not signed well: no longer counted in the window */
	uint16_t id;
	uint8_t mac[HMAC_MAX];     /* of the last message, for its answer */
	size_t mac_len;
	uint32_t ttl, serial;
	uint16_t rdlen;            /* 0: the zone is gone */
	uint8_t zone_len;
	uint8_t zone[];            /* followed by RDATA; the peer's trie uses the name in here as its key */
};

/* Notices that a target never answers must not hold up new ones: the two queues take turns. */
enum notice_queue { NOTICE_FRESH, NOTICE_AGAIN, NOTICE_QUEUES };

/* A target, as long as anything is pending for it. */
struct peer {
	struct peer *next;               /* in its bucket */
	struct notify_target at;         /* without a key */
	struct trie_txn notices;         /* struct notice by zone; never committed, but changed in place */
	size_t octets;                   /* memory of these */
	struct list_link waiting[NOTICE_QUEUES];     /* to be sent over TCP, or over the peer's own connection */
	struct list_link waiting_udp[NOTICE_QUEUES]; /* TCP has failed for these */
	enum notice_queue turn;                      /* the queue whose turn is next, unless it is empty */
	struct list_link on_exchange;    /* in flight over TCP */
	struct list_link in_air;         /* in flight otherwise */
	unsigned in_flight, window;      /* notices in flight, and the most that may be */
	unsigned doubted;                /* notices in flight that are doubted; in_flight does not count them */
	int exchange;
	uint64_t heard_ns;               /* time of the last answer over the exchange, or of its opening */
	bool has_answered;               /* over the exchange */
	struct heap_node stall;          /* when the exchange is given up if no answer comes */
	struct list_link ready;          /* linked when the peer may send; peers take turns */
	struct list_link touched;        /* linked when the peer changed: notifier_settle() looks at it */
};

struct notifier {
	struct notifier_conf conf;
	struct notifier_stats stats;
	size_t pending_for_conns;        /* notices of peers with their own connections */
	uint32_t seed;                   /* of the hash of the buckets */
	struct peer *bucket[PEER_BUCKETS];
	struct trie_txn signers;         /* by name */
	struct heap timers;              /* of notices */
	struct heap stalls;              /* of peers */
	struct list_link ready, touched; /* of peers */
	struct peer *exchange[NOTIFIER_EXCHANGES_MAX];
	uint16_t free_exchange[NOTIFIER_EXCHANGES_MAX]; /* a stack; stats.exchanges numbers are taken from it */
};

#define SIGNER_NAME_AT offsetof(struct signer, tsig.name.oct)

static inline const struct signer *
notice_signer(const struct notice *x) /* NULL: unsigned */
{
	return x->signers_n != 0 ? x->signers[x->turn] : NULL;
}

static inline uint8_t
notice_turn_after(const struct notice *x) /* the key after that of the latest message */
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

/* To be called after any change of a peer: puts it into n->ready or takes it out, and puts it into n->touched. */
void peer_changed(struct notifier *n, struct peer *p);

/* These change the state of a notice: from IDLE to WAITING, to IN_FLIGHT (after its message was sent) and to RESTING (after the attempt
 * failed); and from any state to IDLE. */
void notice_wait(struct notifier *n, struct notice *x);
void notice_take_off(struct notifier *n, struct notice *x, uint64_t now_ns);
void notice_rest(struct notifier *n, struct notice *x); /* after the last attempt: the notice is over, and freed */
void notice_detach(struct notifier *n, struct notice *x);

/* Both report the outcome `r`, and fill in its fields about the notice.  After notice_finish() the notice is over, and freed.
 * After notice_say() it goes on, and the same outcome is not reported again. */
void notice_finish(struct notifier *n, struct notice *x, struct notifier_report r);
void notice_say(struct notifier *n, struct notice *x, struct notifier_report r);
bool notice_has_said(const struct notice *x, enum notify_outcome o);

/* ---- notifier_send.c ---- */

/* Called at the end of every input: sends what may be sent, closes unused exchanges, and frees peers for which nothing is
 * pending. */
void notifier_settle(struct notifier *n, const struct now *now);

struct notice *notice_in_flight(const struct list_link *list, uint16_t id); /* NULL: none */

/* Sends an IDLE notice, with the key whose turn it is, and begins to wait for an answer: as a new attempt, or in the same
 * attempt with another key.  If the peer's own connection is gone, the notice is over, and freed. */
void notice_send(struct notifier *n, struct notice *x, enum notify_transport t, const struct now *now);

/* TCP brought no good answer: sends over UDP, unless the attempt is over. */
void notice_fall_back(struct notifier *n, struct notice *x, const struct now *now);

/* Three ends of an exchange: peer_drop_exchange() forgets one that is closed already; peer_tcp_failed() goes on after one that
 * is gone, or could not be opened; peer_fail_exchange() closes one that brings no answers.  `is_dead`: another exchange would
 * not succeed either. */
void peer_drop_exchange(struct notifier *n, struct peer *p);
void peer_tcp_failed(struct notifier *n, struct peer *p, bool is_dead, const struct now *now);
void peer_fail_exchange(struct notifier *n, struct peer *p, bool is_dead, const struct now *now);

/* peer_note_alive(): an answer came, good or not, so the exchange is alive. peer_note_heard(): a good answer came, so the window
 * grows, too. */
void peer_note_alive(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns);
void peer_note_heard(struct notifier *n, struct peer *p, enum notify_transport t, uint64_t now_ns);

/* The connection that the peer opened is gone. */
void peer_lose_conn(struct notifier *n, const struct peer *p);

/* ---- notifier_table.c ---- */

/* peer_find(): the peer of a target, or NULL. peer_get(): makes it if there is none. */
struct peer *peer_find(const struct notifier *n, const struct notify_target *at);
struct peer *peer_get(struct notifier *n, const struct notify_target *at); /* NULL: no memory */
void peer_free(struct notifier *n, struct peer *p); /* nothing may be pending for it, and it must have no exchange */

/* The notice of a zone, or NULL. */
struct notice *peer_notice(const struct peer *p, const uint8_t *zone);

/* Makes a notice without state or peer.  E_NOMEM. */
err_t notice_new(struct notifier *n, const struct notify_news *news, const struct tsig_key *key, struct notice **out);
void notice_free(struct notifier *n, struct notice *x); /* it must be IDLE, and in no peer */

/* True when the notice is about the same version of the zone, does not have this key yet, and can take one more. */
bool notice_has_room(const struct notice *x, const struct notify_news *news, const struct tsig_key *key);
err_t notice_add_key(struct notifier *n, struct notice *x, const struct tsig_key *key); /* E_NOMEM */
void notice_drop_key(struct notifier *n, struct notice *x); /* drops the key of the latest message; the next key has the turn */

/* Gives the notice to the peer.  *old: the peer's former notice of the same zone, which is now the caller's; NULL: none.
 * E_NOMEM, but never when there was one. */
err_t peer_put(struct peer *p, struct notice *x, struct notice **old);
void peer_take(struct notice *x); /* takes the notice from its peer */

/* Frees everything, whatever its state. */
void table_free(struct notifier *n);

/* ---- notifier_message.c ---- */

/* Writes the message for the next attempt, with the ID x->id, and keeps its MAC.  `is_short`: the SOA is left out if the message
 * would not fit in a datagram of 512 octets. */
err_t notice_write(struct notice *x, uint64_t wall_s, bool is_short, uint8_t out[NOTIFIER_MESSAGE_MAX], size_t *len);

/* True when the message has the form of an answer to the notice. */
bool notice_is_answered_by(const struct notice *x, const struct msg *m);

/* True when the signature is right, or none is needed.  Else *t says what is wrong (error 0: no signature, or malformed). */
bool notice_is_verified(const struct notice *x, const struct msg *m, uint64_t wall_s, struct tsig *t);
