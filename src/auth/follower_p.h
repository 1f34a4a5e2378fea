/* auth/follower_p.h -- the private header of follower*.c.
 *
 * follower.c takes what comes in: sources, NOTIFYs, messages, ends of links, the time.  follower_zone.c has the states of a zone.
 * follower_source.c asks about the domain of each source.  follower_catalog.c makes zones of what catalogs list, and follower_member.c has
 * what becomes of such a zone.  follower_link.c has links, and decides what is sent when; follower_udp.c asks over UDP.  follower_ask.c has
 * what was sent.  follower_answer.c takes answers.  follower_message.c writes questions and recognises the answers to them.
 * follower_room.c shares memory among transfers.  follower_restore.c takes zones of an earlier run.
 */
#pragma once

#include "auth/follower.h"
#include "base/heap.h"
#include "base/list.h"
#include "dns/msg.h"
#include "zone/trie.h"

enum {
	WHY_MAX = 400, TROUBLE_MAX = 200,
	SOURCE_ANSWERS_SURE = 2, /* so many answers, and a name that is in no known zone of the domain is not ours */
};

enum query { QUERY_SERIAL, QUERY_CHANGES, QUERY_WHOLE };

/* What waits for its turn at a link: the next query about a zone, or the question about a source's domain. */
struct want {
	bool is_domain;
	struct list_link link; /* linked while it waits */
};

struct source {
	struct follow_source at;
	struct follow_link *link;
	struct want want;
	struct heap_node timer; /* when the question about the domain is due; not set while it waits or is asked */
	unsigned failures;      /* without an answer, in a row */
	bool is_asked;
	unsigned answers;       /* so far, up to SOURCE_ANSWERS_SURE */
	uint64_t answered_ns;   /* the last one */
	uint64_t caught_up_ns;  /* when what may have been missed was asked about last */
	unsigned catch_ups;     /* in a row */
	bool is_shown;          /* as UNKNOWN: which zones it has in the domain is not known yet */
};

/* What NOTIFYs say of a zone. */
struct serial_hint {
	bool is_set;     /* there was one, */
	bool has_serial; /* and each had a serial, */
	uint32_t serial; /* of which this is the newest */
};

enum zone_phase { ZONE_RESTING, ZONE_WAITING, ZONE_ASKED };

struct soa_times {
	uint32_t refresh_s, retry_s, expire_s; /* within the bounds */
};

/* A catalog that is followed. */
struct followed_catalog {
	struct follow_zone *zone;    /* the catalog itself, which is never forgotten */
	uint32_t generation;         /* of its last version that was read */
	size_t refused;              /* what that one lists, and is not ours */
	uint32_t refused_hash;       /* of their names */
	bool is_known;               /* one was */
	bool is_broken;              /* the zone's present version is another one, and broken */
	bool is_behind;              /* no memory for all that it lists: to be read again */
	bool has_missed;             /* while it had expired, another one has lost what it may list: likewise */
};

/* What a catalog says of a zone. */
struct membership {
	struct followed_catalog *catalog;
	const struct followed_catalog *next; /* that the zone may move to; NULL: none, or none of ours */
	uint32_t generation;         /* of the catalog's version that listed it last */
	uint8_t label[];             /* its length octet first */
};

/* What its catalog demands of a zone, as soon as it is asked about no more.  FORGET: to be dropped, after a reset
 * that was not carried out. */
enum demand { DEMAND_NOTHING, DEMAND_DROP, DEMAND_RESET, DEMAND_ASK, DEMAND_FORGET };

struct follow_zone {
	struct want want;
	struct heap_node timer;
	enum zone_phase phase;
	enum query query;            /* that waits, or is asked */
	enum follow_presence presence;
	const struct zone *version;  /* borrowed: see struct follower_io; NULL: none */
	struct soa_times times;      /* of the version */
	uint64_t refreshed_ns;       /* when a source last said that the version is the newest */
	uint64_t due_ns;             /* RESTING: when it is asked about again */
	uint64_t expires_ns;         /* when what is shown changes by itself, or is tried again; NOW_NEVER: not */
	uint64_t taken_ns;           /* when the version came */
	unsigned failures;           /* rounds without an answer, in a row */
	uint16_t source, first;      /* in a round over the sources: the present one, the one that it began with */
	uint16_t good;               /* the source that answered last, with which rounds begin */
	bool has_good;
	bool is_current;             /* a source of this round has the version */
	bool is_denied;              /* one has answered NOTAUTH, */
	bool is_denied_by_good;      /* the one that answered last before; */
	bool is_any_unheard;         /* another one gave no answer, or none that counts */
	struct serial_hint wanted;   /* a NOTIFY began this round, which ends with that version; is_set false: all sources are asked */
	struct serial_hint later;    /* of the NOTIFYs that came during this round, whose sources may have been asked before them */
	uint16_t later_source;       /* of the newest one of these */
	bool has_ended_a_link;       /* a transfer of the whole zone, since the last one that came to its end */
	bool is_link_next;           /* UDP has brought no good answer of the present source */
	bool needs_all_room;         /* the last transfer took more memory than others had left */
	bool is_whole_next;          /* the changes that were asked for last did not come to their end */
	bool is_catalog;             /* of those that are followed in any case */
	enum demand demand;
	bool is_aside;               /* its catalog lists it no more: WITHDRAWN, and not asked for */
	struct membership *member;   /* owned; NULL: of no catalog */
	size_t transfer_octets;
	uint64_t transfer_ms;
	char *trouble;               /* owned; NULL: none */
	uint8_t apex_len;
	uint8_t apex[];              /* the trie uses the name in here as its key */
};

#define FOLLOW_ZONE_NAME_AT offsetof(struct follow_zone, apex)

/* A query that was sent. */
struct ask {
	struct list_link link;     /* in the link's `asks`, or the follower's `datagram_asks` */
	struct follow_link *on;
	struct source *source;
	struct follow_zone *zone;  /* NULL: the question about the source's domain */
	enum query query;
	uint16_t id;
	uint64_t begun_ns;
	struct tsig tsig;
	struct incoming *in;       /* of a transfer */
	size_t reserved;           /* memory for it */
	struct datagram *datagram; /* owned; NULL: it goes over the link */
};

/* A question over UDP. */
struct datagram {
	struct ask *ask;
	struct heap_node timer;
	unsigned slot, sent;
	size_t len;
	uint8_t wire[FOLLOWER_QUERY_MAX];
};

struct follow_link {
	struct follow_source at;          /* its address, port and source count */
	unsigned number;
	bool is_open;
	unsigned answers;                 /* since it was opened */
	unsigned unexpected;              /* messages that are none, since the last answer */
	bool is_told_down;                /* LINK_DOWN was reported, and no answer has come since */
	unsigned failures;                /* in a row */
	unsigned brief;                   /* ends in a row that came soon */
	uint64_t heard_ns;                /* the last answer, or when it was opened */
	uint64_t opened_ns, failed_ns;    /* when it was opened last, and has failed last */
	uint64_t idle_ns;                 /* so long may it be, as the primary says; 0: it is to be closed; NOW_NEVER: not told */
	uint64_t again_ns;                /* not before this time is it opened again */
	struct heap_node timer;
	struct list_link questions, transfers, alone; /* wants; alone: transfers of zones whose last one ended the link */
	struct list_link datagrams;       /* wants that go by UDP, if that may be used */
	unsigned datagrams_n;             /* that are not answered */
	unsigned udp_losses;              /* in a row */
	uint64_t udp_again_ns;            /* not before this time is UDP used */
	unsigned passed;                  /* transfers in a row that went before those in `alone` */
	struct list_link asks;
	unsigned asks_n, transfers_n, window; /* asks_n counts all, transfers_n some of them */
};

struct follower {
	struct follower_conf conf;
	struct follower_stats stats;
	struct source *sources[FOLLOWER_SOURCES_MAX]; /* owned; the deepest domains first, else as added */
	size_t sources_n;
	struct followed_catalog catalogs[FOLLOWER_CATALOGS_MAX];
	size_t catalogs_n;
	enum { UNKNOWN_NOTHING, UNKNOWN_DUE, UNKNOWN_SHOWN } unknown; /* the root, as UNKNOWN, for what a catalog may list */
	struct follow_link *links[FOLLOWER_LINKS_MAX]; /* owned */
	size_t links_n;
	size_t next_link;             /* links take turns */
	struct trie_txn zones;        /* struct follow_zone by name; never committed, but changed in place */
	struct heap zone_timers, source_timers, link_timers, udp_timers;
	struct datagram *datagrams[FOLLOWER_UDP_MAX]; /* by slot; owned by their asks */
	struct list_link datagram_asks;
	size_t reserved;              /* memory for transfers that are under way */
	unsigned wholes_n;            /* of these: of whole zones */
	struct room_claim {
		const struct follow_link *on; /* where a whole zone waits for memory; NULL: none does */
		const struct want *want;
		unsigned passed;      /* others that have begun meanwhile */
	} claim;
	bool is_unsettled;            /* something waits, which may be sent now */
};

static inline uint64_t
seconds_ns(uint64_t s)
{
	return s * NOW_SECOND_NS;
}

/* ---- follower.c ---- */

void follower_say(const struct follower *f, struct follow_report r);
uint64_t follower_jittered(const struct follower *f, uint64_t ns); /* up to a tenth less */
uint64_t follower_backoff_ns(const struct follower *f, unsigned failures, uint64_t max_s); /* 1, 2, 4, … s; failures >= 1 */

/* The source's domain is this zone, and has that serial; without one: it is no zone there. */
void follower_heard_of(struct follower *f, struct follow_zone *z, size_t source, const struct serial_hint *h);

/* ---- follower_zone.c ---- */

struct follow_zone *followed_get(const struct follower *f, const uint8_t *apex); /* NULL: it is not followed */

/* A zone of no source and no catalog, that nobody was told of yet; and its end as that.  E_LIMIT, E_NOMEM. */
err_t followed_put(struct follower *f, const uint8_t *apex, struct follow_zone **out);
void followed_drop(struct follower *f, struct follow_zone *z);

struct soa_times followed_times(const struct follower *f, const struct zone *version);

/* Makes a zone known, and asks about it, beginning with the source.  E_LIMIT, E_NOMEM. */
err_t followed_add(struct follower *f, const struct now *now, const uint8_t *apex, size_t source);

/* The same for a zone that is there, without a version. */
void followed_begin(struct follower *f, const struct now *now, struct follow_zone *z, size_t source);

bool source_is_for(const struct source *s, const uint8_t *apex);
bool source_is_of(const struct source *s, const struct follow_zone *z); /* for it, or for the catalog that has it */
size_t followed_first_source(const struct follower *f, const struct follow_zone *z);

/* Asks about a RESTING zone: one source after the other, from this one on; all of them, or until there is the version that is wanted. */
void followed_begin_round(struct follower *f, struct follow_zone *z, size_t source, struct serial_hint wanted);
void followed_ask_all(struct follower *f, struct follow_zone *z); /* all sources, beginning with the one that answered last */

void followed_hurry(struct follower *f, struct follow_zone *z, uint64_t at_ns); /* a RESTING one is asked about at that time, or before */

void followed_take_time(struct follower *f, const struct now *now, struct follow_zone *z); /* its timer has run out */

/* False: it is shown as before.  The caller sees to it that this is tried again. */
bool followed_show(struct follower *f, struct follow_zone *z, enum follow_presence presence);
bool followed_is_to_be_withdrawn(const struct follow_zone *z); /* once it is known to be gone: it is served, or UNKNOWN */
err_t followed_tell_owner(const struct follower *f, const struct follow_zone *z); /* whoever shows it */
void followed_show_again(const struct now *now, struct follow_zone *z); /* soon: its timer has to be set */
void followed_set_timer(struct follower *f, struct follow_zone *z);

/* A RESTING zone goes.  Sources whose domain it was ask for it again now and then.  False: it cannot go now. */
bool followed_forget(struct follower *f, const struct now *now, struct follow_zone *z);

/* The present source has no answer, or no good one: the next one is asked; or all were, and the round is over. */
void followed_source_failed(struct follower *f, const struct now *now, struct follow_zone *z, const char *why);

/* It has a version that is older than ours: another one has been quicker. */
void followed_is_behind(struct follower *f, const struct now *now, struct follow_zone *z);
bool followed_may_be_behind(const struct follow_zone *z, const struct now *now);

void followed_denied(struct follower *f, const struct now *now, struct follow_zone *z);       /* the present source says NOTAUTH */
void followed_is_current(struct follower *f, const struct now *now, struct follow_zone *z);   /* it says that the version is the newest */
void followed_taken(struct follower *f, const struct now *now, struct follow_zone *z, const struct zone *version); /* then go_on() */
void followed_go_on(struct follower *f, const struct now *now, struct follow_zone *z);

/* Waits for its turn with the next query, or again with the one that was not answered through no fault of its own. */
void followed_wait_again(struct follower *f, const struct now *now, struct follow_zone *z, enum query query);
void followed_wait(struct follower *f, struct follow_zone *z, enum query query);
void followed_free(struct follow_zone *z);

/* ---- follower_catalog.c ---- */

void catalogs_show_unknown(struct follower *f); /* if that is due */
void catalogs_lost_root(struct follower *f); /* the root was a zone, which was forgotten */
bool catalogs_are_known(const struct follower *f); /* a version of each was read */
struct followed_catalog *followed_as_catalog(struct follower *f, const struct follow_zone *z); /* NULL: it is none */
void catalog_taken(struct follower *f, const struct now *now, struct followed_catalog *c); /* its zone has another version */
void catalog_restored(struct follower *f, const struct now *now, struct followed_catalog *c); /* likewise, of an earlier run */
void catalog_is_current(struct follower *f, const struct now *now, struct followed_catalog *c); /* or has not, and is well */

/* ---- follower_member.c ---- */

bool followed_is_leaving(const struct follow_zone *z); /* its catalog lists it no more */
bool followed_is_pinned(const struct follow_zone *z);  /* a catalog says that it is ours, whatever a primary says */
err_t followed_enter(struct follow_zone *z, struct followed_catalog *c, const uint8_t *label); /* E_NOMEM: nothing changed */
void followed_leave(struct follower *f, struct follow_zone *z); /* it is of no catalog any more */

/* Now, or when the zone is asked about no more; then followed_carry_out() is called for the RESTING zone, also until it succeeds. */
void followed_demand(struct follower *f, const struct now *now, struct follow_zone *z, enum demand what);
void followed_carry_out(struct follower *f, const struct now *now, struct follow_zone *z);
void followed_return(struct follower *f, const struct now *now, struct follow_zone *z); /* it was leaving, and is a member again */

/* ---- follower_source.c ---- */

void source_begin(struct follower *f, struct source *s);        /* the question about its domain is due */
void source_answered(struct follower *f, const struct now *now, struct source *s, bool is_zone); /* then source_rest() */
void source_rest(struct follower *f, const struct now *now, struct source *s, bool is_answered);
void source_hurry(struct follower *f, struct source *s, uint64_t at_ns); /* asks at that time, unless it does so before */
uint16_t source_number(const struct follower *f, const struct source *s);
void source_lost_zone(struct follower *f, const struct now *now, struct source *s); /* its domain was one, which was forgotten */

/* If all sources of the domain have answered, and for the root all catalogs are known, what is in no zone there is not ours. */
void domain_end_unknown(struct follower *f, const uint8_t *domain);

/* ---- follower_link.c ---- */

struct follow_link *link_get(struct follower *f, const struct follow_source *s); /* makes it if need be; NULL: too many, or no memory */
void link_wait(struct follower *f, struct follow_link *l, struct want *w);
void link_wait_no_more(struct follower *f, struct want *w);
void link_wake(struct follower *f, struct follow_link *l); /* its primary shows life: it is made again soon */
void link_take_time(struct follower *f, const struct now *now, struct follow_link *l);

/* How a link ends. */
enum link_end {
	LINK_LOST,  /* the primary has closed it, or the network: transfers that had begun have failed, and all else waits again */
	LINK_LEFT,  /* we close it because of one query, which has ended: all else that was asked waits again, and has not failed */
	LINK_FAULT, /* we close it because of the primary: all that was asked has failed */
};

/* A link that is LOST before it brought any answer has failed, with all that was asked and all that waits for it. */
void link_ended(struct follower *f, const struct now *now, struct follow_link *l, enum link_end how, const char *why);
void link_close(struct follower *f, const struct now *now, struct follow_link *l, enum link_end how, const char *why);

void link_take_idle(struct follow_link *l, const struct ask *a, const struct msg *m); /* from an answer */
void link_heard(struct follower *f, const struct now *now, struct follow_link *l);

/* Sends what may be sent. */
void follower_settle(struct follower *f, const struct now *now);

/* ---- follower_ask.c ---- */

/* The query that waited, with an ID that is not in use on the link. */
err_t ask_new(struct follower *f, struct follow_link *l, struct want *w, struct ask **out);
void ask_free(struct ask *a);                                                   /* one that is in no list, and not counted */
void ask_note_sent(struct follower *f, struct ask *a, const struct now *now);   /* over the link */
void ask_end(struct follower *f, struct ask *a);                                /* frees it */
struct ask *link_ask(const struct follow_link *l, uint16_t id);                 /* NULL: none */
uint64_t ask_took_ms(const struct ask *a, const struct now *now);
void ask_say_failed(struct follower *f, const struct now *now, const struct ask *a, enum follow_event event, const char *why);

/* ---- follower_answer.c ---- */

/* The query has no answer, or no good one.  `has_more`: more messages of its answer may come, so the link is left. */
void follower_give_up(struct follower *f, const struct now *now, struct ask *a, bool has_more, const char *why);

void follower_take_answer(struct follower *f, const struct now *now, struct ask *a, const struct msg *m);

void follower_take_serial(struct follower *f, const struct now *now, struct ask *a, const struct msg *m); /* it is verified */

/* ---- follower_udp.c ---- */

bool udp_is_for(const struct follower *f, const struct follow_zone *z); /* the question about it */
void udp_go(struct follower *f, const struct now *now, struct follow_link *l); /* sends what may be sent; the rest waits for the link */
void udp_end(struct follower *f, struct ask *a);
void udp_take_time(struct follower *f, const struct now *now, struct datagram *d);

/* ---- follower_room.c ---- */

bool room_is_there(const struct follower *f, const struct follow_zone *z); /* so that the transfer may begin */
void room_claim(struct follower *f, struct follow_link *l, const struct follow_zone *z); /* the next one there */
const struct follow_zone *room_is_held_for(const struct follower *f, const struct follow_link *l); /* one there; NULL: none */
void room_claim_no_more(struct follower *f, const struct want *w);                        /* if it has one */
void room_reserve(struct follower *f, struct ask *a);
size_t room_of(const struct follower *f, const struct ask *a);           /* that it may take in all, as things are */
void room_note(struct follower *f, struct ask *a);                       /* it has taken more */
void room_release(struct follower *f, struct ask *a);
bool room_is_shared(const struct follower *f, const struct ask *a);      /* it could take more if it were alone */

/* ---- follower_message.c ---- */

err_t ask_write(struct ask *a, bool is_datagram, uint64_t wall_s, uint8_t out[FOLLOWER_QUERY_MAX], size_t *len);
bool ask_is_answered_by(const struct ask *a, const struct msg *m);

/* Reads the SOA record of the answer section.  E_NOTFOUND: there is none of that owner. */
err_t answer_read_serial(const struct msg *m, const uint8_t *owner, uint32_t *serial);

/* Why the signature of an answer is not accepted, or what an RCODE says, for people. */
void answer_why_unsigned(const struct tsig *t, err_t err, const struct msg *m, char out[WHY_MAX]);
void answer_why_refused(const struct msg *m, char out[WHY_MAX]);

static inline unsigned
answer_rcode(const struct msg *m)
{
	return (m->bits & DNS_RCODE) | (m->edns.present ? m->edns.ext_rcode * 16u : 0);
}
