/* auth/follower.h -- follows primaries: learns which zones they have, asks for serial numbers, and transfers what is newer (RFC 1034
 * 4.3.5, RFC 1995, RFC 1996, RFC 5936).
 *
 * A state machine without I/O, for any number of zones and primaries: messages, NOTIFYs and time come in; messages and new versions of
 * zones go out by callbacks.
 *
 * A source is a primary that may be asked, with one key, for the zones of one domain.  A zone is followed from all sources around it:
 *
 *              due, or NOTIFY            its turn             newer
 *     RESTING ───────────────> WAITING ───────────> ASKING ───────────> WAITING ───────────> TRANSFERRING
 *        ^                        ^                   │                     its turn             │
 *        │                        └── next source ────┤ not newer, or no answer                  │
 *        └─────────────────────────── no more ────────┴<──────────── taken, or failed ───────────┘
 *
 * A round over the sources begins with the one that sent a NOTIFY, else with the one that answered last, and asks all of them: so the
 * newest version is the one that is served in the end, whoever has it.  A round that a NOTIFY began ends as soon as the version that it
 * tells of is there: a source with a newer one sends another NOTIFY.  An older version than ours is never taken before ours has expired.
 * A source that has one is taken to be behind for a moment, if ours came from another source less than REFRESH ago; else it has failed.
 *
 * What is shown of a zone (enum follow_presence):
 *
 *     NEW ──transferred──> PRESENT ──not refreshed within EXPIRE──> EXPIRED
 *      │                      │  ^                                    │
 *      │ NOTAUTH       NOTAUTH│  └──── refreshed or transferred ──────┤
 *      v                      v  ^                                    v
 *   FORGOTTEN <──EXPIRE── WITHDRAWN <──────────── NOTAUTH ────────────┘
 *
 * Zones are found by asking for the SOA record of a source's domain.  If that is a zone, it is followed.  Else the primary tells by NOTIFY
 * of each zone in the domain (a primary of this house answers NOTAUTH to such a question and sends NOTIFYs; others send them on their own).
 * Until all sources of the domain have answered, other than by SERVFAIL, names in it get SERVFAIL: one that is silent may have zones that
 * the others deny, and at a primary that is a secondary, a zone may have expired.
 * A signed NOTIFY for a zone in the domain of its key makes the zone known.  An unsigned one counts only if it comes from the address of
 * a source of a known zone.  NOTIFYs are hints: they make us ask sooner.  So does the answer about a domain that is a known zone: it tells
 * what happened while a kept link was not there, when no NOTIFY could come.  The other zones in the domain are asked about one after the
 * other then, FOLLOWER_CATCH_UP_A_S in a second: some may have gone, and no NOTIFY tells of that any more.
 *
 * A zone is withdrawn only by a signed NOTAUTH: of all sources; or of the one that had it last, when no other one has it.  Its data are
 * kept until EXPIRE, so that a primary's bad minute costs no transfer.
 *
 * Catalogs (RFC 9432) are zones that are followed in any case, and what they list is followed, too: from the sources of the catalog, and
 * from those around the zone.  Such a member is withdrawn by its catalog alone, and NOTAUTH counts as a failure.  Withdrawn by it, a
 * member is asked for no more, and its data are kept until EXPIRE; listed again under the same label, it goes on with them.  Under another
 * label it begins anew, without data (5.4, 5.6).  A broken catalog changes nothing (5.1), and neither does one that has expired.  What is
 * not taken from a catalog, as another one has it (5.2) or for reasons of ours, is in follower_catalog.c.
 *
 * The questions to one primary (address and port) go over one TCP connection ("link"), several at a time (RFC 7766 6.2.1.1).  A primary
 * that closes it early is asked less at a time.  While a link cannot be made, all its zones wait for it, and it is tried again after 1, 2,
 * 4, … up to FOLLOWER_DOWN_MAX_S seconds; so ten thousand zones of a dead primary cost one attempt at a time.
 *
 * The serial of a zone that is due is asked for over UDP when no link is open: mostly nothing is newer, and ten thousand zones with nothing
 * new need no connection.  What is not answered so, and well, is asked over the link (follower_udp.c).
 *
 * IXFR is asked for when there is a version; if the changes do not come, or do not fit, the whole zone is asked for, once.  Every message
 * is verified (RFC 8945 5.3.1).  A version counts when its last message is verified.
 *
 * Bounds: FOLLOWER_* below.  One thread; the callbacks must not call back in.
 * Cost: each input O(log zones), and one look at each link; the end of a link also one step for each zone that waits for it, and one for
 * each zone when it was a kept one and is there again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/incoming.h"
#include "auth/key.h"
#include "base/err.h"
#include "base/now.h"
#include "dns/tsig.h"

enum {
	FOLLOWER_SOURCES_MAX = 1024,
	FOLLOWER_CATALOGS_MAX = 16,
	FOLLOWER_MEMBERS_SAID = 10,        /* members that a version of a catalog changes, and that are reported one by one */
	FOLLOWER_LINKS_MAX = 256,
	FOLLOWER_ZONES_MAX = 1 << 20,
	FOLLOWER_WINDOW_MAX = 64,          /* questions that one primary has not answered */
	FOLLOWER_TRANSFERS_MAX = 16,       /* at a time, in all */
	FOLLOWER_LINK_TRANSFERS_MAX = 4,   /* of one primary */
	FOLLOWER_UDP_MAX = 64,             /* questions over UDP that are not answered, in all */
	FOLLOWER_LINK_UDP_MAX = 16,        /* of one primary */
	FOLLOWER_UDP_FIRST_MS = 1000,      /* such a question is sent again after that, */
	FOLLOWER_UDP_SECOND_MS = 2000,     /* and goes over the link after that */
	FOLLOWER_SILENCE_S = 10,           /* a link that brings no answer for so long is dead */
	FOLLOWER_ANSWER_MAX_S = 60,        /* a question, while the link brings other answers, and no transfer, behind which it may wait */
	FOLLOWER_TRANSFER_MAX_S = 7200,    /* one transfer, and whatever is asked meanwhile */
	FOLLOWER_KEEP_MIN_S = 5,           /* between two questions that only keep a link in use */
	FOLLOWER_BRIEF_S = 10,             /* a kept link that ends so soon is made again as one that has failed */
	FOLLOWER_DOWN_MAX_S = 300,         /* between two attempts to make a link */
	FOLLOWER_NEW_MAX_S = 300,          /* between two questions about a zone, or domain, that nobody has answered yet */
	FOLLOWER_FIND_S = 30,              /* from the first answer about a domain that is no zone, until other names in it are not ours */
	FOLLOWER_DOMAIN_S = 3600,          /* between two questions about a domain that was answered */
	FOLLOWER_CATCH_UP_A_S = 100,       /* zones that are asked about in a second when a kept link is there again */
	/* Header, question, OPT; for IXFR our SOA record; TSIG. */
	FOLLOWER_QUERY_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 15 + 12 + 2 * NAME_WIRE_MAX + 20 + TSIG_RR_MAX,
};

/* Bounds of what SOA records ask for, in seconds. */
struct follow_bounds {
	uint32_t refresh_min, refresh_max, retry_min, retry_max, expire_min, expire_max;
};

/* EXPIRE of the version, within the bounds. */
uint32_t follow_expire_s(const struct follow_bounds *b, const struct zone *version);

struct follow_source {
	const struct key *key;      /* borrowed */
	const uint8_t *domain;      /* of zones to be followed; borrowed */
	struct key_address address; /* the primary's */
	uint16_t port;
	struct key_address source;  /* our address that the link comes from; family 0: the caller chooses */
	bool is_kept;               /* the primary reaches us only by our own connection: a link that closes is made again */
};

enum follow_presence {
	FOLLOW_NEW,       /* never transferred: SERVFAIL */
	FOLLOW_PRESENT,   /* served */
	FOLLOW_EXPIRED,   /* not served any more: SERVFAIL; the version is kept */
	FOLLOW_WITHDRAWN, /* no zone of ours any more; the version is kept */
	FOLLOW_FORGOTTEN, /* no zone of ours any more; the version goes */
	FOLLOW_UNKNOWN,   /* SERVFAIL: a domain, which is no zone as far as we know, and nobody knows yet which zones there are in it; or a
	                     zone that an earlier run withdrew, until a source has said what became of it */
};

enum follow_event {
	FOLLOW_FOUND,       /* a zone that was not known is followed */
	FOLLOW_RESTORED,    /* so is one of an earlier run, with its version */
	FOLLOW_CURRENT,     /* the primary has nothing newer */
	FOLLOW_BEHIND,      /* it has an older version than ours, for a moment: ours came from another one a short while ago */
	FOLLOW_TRANSFERRED,
	FOLLOW_FAILED,      /* `why`; a source did not answer, or not well; another one may be asked next */
	FOLLOW_WHOLE,       /* `why`; the changes do not fit our version: the whole zone is asked for */
	FOLLOW_PUT_OFF,     /* `why`; the zone takes more memory than other transfers leave: it is transferred once there is more */
	FOLLOW_GONE,        /* withdrawn */
	FOLLOW_SET_ASIDE,   /* withdrawn, as its catalog lists it no more */
	FOLLOW_EXPIRY,      /* expired */
	FOLLOW_NO_ROOM,     /* `why`; no memory for what is to be shown; tried again */
	FOLLOW_LINK_DOWN,   /* `why`; a link has failed; tried again after `retry_s` */
	FOLLOW_LINK_UP,     /* a link that had failed brings answers again */
	FOLLOW_CATALOG,     /* `counts`; what a new version of a catalog lists is followed */
	FOLLOW_CATALOG_BROKEN,  /* `why`; it changes nothing */
	FOLLOW_MEMBERS_REMOVED, /* `counts`; after FOLLOW_CATALOG, when the version lists some no more */
	FOLLOW_MEMBER,          /* `why`; of the first FOLLOWER_MEMBERS_SAID: a member came, went, or begins anew */
	FOLLOW_MEMBER_REFUSED,  /* `why`; likewise: what the catalog lists is not followed because of that */
	/* Not for the log, but for whoever keeps versions, before TRANSFERRED of the catalog: */
	FOLLOW_TO_LEAVE,        /* it lists the zone no more, */
	FOLLOW_TO_RESET,        /* or anew, so the version that is there counts no more; the zone is shown so as soon as that may be */
	FOLLOW_EVENTS
};

/* What a version of a catalog has changed. */
struct follow_counts {
	size_t members;  /* that it has now */
	size_t added, removed, reset; /* reset: its label has changed */
	size_t moved;    /* from another catalog (RFC 9432 4.4.1) */
	size_t refused;  /* that it lists besides, and that are not followed because of it */
};

/* For the log.  Borrowed for the call. */
struct follow_report {
	enum follow_event event;
	const uint8_t *zone;                /* NULL: about a domain, or a link */
	const uint8_t *catalog;             /* SET_ASIDE, MEMBER, MEMBER_REFUSED */
	const struct follow_counts *counts; /* CATALOG, MEMBERS_REMOVED */
	const struct follow_source *source; /* NULL: none in particular */
	uint32_t serial;                    /* CURRENT, TRANSFERRED, BEHIND: the zone's at the source; CATALOG*: the version's */
	const struct incoming_report *transfer; /* TRANSFERRED, or of one that failed; NULL: none */
	bool is_catalog;                    /* TRANSFERRED: of one, */
	bool is_broken;                     /* which is broken, or there was no memory to read it: what it said before counts on */
	uint64_t took_ms;
	uint64_t retry_s;
	const char *why;                    /* for people; parts of it may come from the peer; "" */
};

/* Links are numbers below FOLLOWER_LINKS_MAX.  A link is in use from open(), if that returned true, until close() or
 * follower_closed(). */
struct follower_io {
	/* Begins to connect.  Messages may be sent before the link is established.  False: it cannot be made. */
	bool (*open)(void *ctx, unsigned link, const struct follow_source *to);
	bool (*send)(void *ctx, unsigned link, const uint8_t *bytes, size_t len);
	void (*close)(void *ctx, unsigned link);

	/* Sends a question over UDP, from a socket of its own with an unpredictable port, or once more from the same one.  Slots are
	 * numbers below FOLLOWER_UDP_MAX.  One is in use from then on until udp_end().  False: it cannot be sent.  NULL: there is no
	 * UDP. */
	bool (*udp_send)(void *ctx, unsigned slot, const struct follow_source *to, const uint8_t *bytes, size_t len);
	void (*udp_end)(void *ctx, unsigned slot);

	/* Makes a version served: a whole zone, or changes of the version that is served; the other is NULL.  Takes what it uses and sets
	 * that to NULL; *version is the zone's from now on, borrowed until the next take() or FORGOTTEN.  After an error nothing has
	 * changed. */
	err_t (*take)(void *ctx, const uint8_t *zone, struct zone **whole, struct zone_txn **changes, const struct zone **version);
	/* Shows the zone as that, from NEW on.  Not called for PRESENT after take(), which does that.  An error: tried again later.  Also
	 * called for the domain of a source: UNKNOWN at first; if it is no zone, FORGOTTEN when those in it have had time to be found. */
	err_t (*show)(void *ctx, const uint8_t *zone, enum follow_presence presence);
	/* follower_restore() alone: a version of an earlier run becomes the zone's, which is shown as that (PRESENT, EXPIRED, UNKNOWN).
	 * `changed_s`: since when (wall time) it has that version.  Otherwise as take(). */
	err_t (*restore)(void *ctx, const uint8_t *zone, struct zone **whole, enum follow_presence presence, uint64_t changed_s,
	                 const struct zone **version);
	void (*report)(void *ctx, const struct follow_report *r);
	uint32_t (*random_u32)(void *ctx);  /* must not be predictable */
	/* Before show(): the zone is a member of that catalog; NULL: of none any more.  E_NOMEM.  NULL: nobody wants to know. */
	err_t (*belongs)(void *ctx, const uint8_t *zone, const uint8_t *catalog);
	void *ctx;
};

struct follower_conf {
	struct follow_bounds bounds;
	size_t zones_max;                   /* 0: FOLLOWER_ZONES_MAX */
	unsigned transfers_max, link_transfers_max; /* 0: FOLLOWER_* */
	size_t records_max;                 /* of one transfer; 0: no limit */
	size_t zone_octets_max;             /* memory of one zone while it is transferred; 0: no limit */
	size_t (*octets_max)(void *ctx);    /* of all that are transferred at a time; NULL: no limit; io.ctx */
	struct follower_io io;
};

/* A NOTIFY that has come. */
struct follow_notice {
	struct name zone;
	struct name key;            /* that signed it; len 0: none */
	struct key_address address; /* of the sender */
	bool has_serial;
	uint32_t serial;            /* a hint */
};

/* Reads the serial out of the message: has_serial, serial (RFC 1996 3.7).  `zone` is set. */
void follow_notice_read(struct follow_notice *n, const uint8_t *bytes, size_t len);

struct follower_stats {
	uint64_t questions, datagrams, datagrams_lost, transfers, whole_again, failed, notices, notices_ignored, links_opened, links_failed;
	uint64_t malformed, unexpected;
	/* The present state: */
	uint64_t zones, waiting, asking, transferring, links;
};

struct follower;

struct follower *follower_new(const struct follower_conf *conf);
void follower_free(struct follower **f); /* NULL-safe; sends, shows and reports nothing */

/* Before the first input.  E_LIMIT: too many sources or links; E_NOMEM. */
err_t follower_add(struct follower *f, const struct now *now, const struct follow_source *s);

/* After all sources.  Follows the catalog zone of that name (copied) and what it lists.  Until all catalogs are known, nobody knows which
 * zones there are, so the root is shown as UNKNOWN.  E_NOTFOUND: no source is for it; E_EXISTS; E_LIMIT: too many catalogs; E_NOMEM. */
err_t follower_add_catalog(struct follower *f, const struct now *now, const uint8_t *name);

/* A zone of an earlier run. */
struct follow_restored {
	uint64_t refreshed_ago_s;   /* since a primary answered well about it */
	uint64_t changed_s;         /* wall time of its last transfer */
	bool is_withdrawn;
	bool is_unlisted;           /* by its catalog */
	struct key_address address; /* of that primary; family 0: not known */
	uint16_t port;
	const uint8_t *key;         /* with which it was asked; NULL: not known */
};

/* After follower_add() and follower_add_catalog(), and before the first input: the zone is shown at once, until its EXPIRE counted from
 * that refresh, and is asked about as soon as there is input.  Catalogs go first: what they list is followed from then on, so its versions
 * can be restored.  Takes *whole (sets it to NULL), unless there is an error.  E_NOTFOUND: no source is around it, and no catalog lists
 * it; or its catalog listed it no more, so that it is found again by a NOTIFY or a catalog alone; E_EXISTS: it has a version already;
 * E_STALE: it was withdrawn, and EXPIRE is over; E_LIMIT, E_NOMEM. */
err_t follower_restore(struct follower *f, const struct now *now, struct zone **whole, const struct follow_restored *r);

/* The name of the catalog with that number; NULL: there are not so many. */
const uint8_t *follower_catalog(const struct follower *f, size_t i);

void follower_notice(struct follower *f, const struct now *now, const struct follow_notice *n);

/* A response has come over a link.  (Requests that come over it are the caller's.) */
void follower_input(struct follower *f, const struct now *now, unsigned link, const uint8_t *bytes, size_t len);

/* A datagram has come from where the question in that slot went to; or the system has heard that nobody is there.  Not to be called
 * after udp_end(). */
void follower_datagram(struct follower *f, const struct now *now, unsigned slot, const uint8_t *bytes, size_t len);
void follower_unreachable(struct follower *f, const struct now *now, unsigned slot);

/* A link could not be established, or has ended.  Not to be called after close().  `why`: for people. */
void follower_closed(struct follower *f, const struct now *now, unsigned link, const char *why);

/* Call follower_timer() when the deadline (mono_ns) has come.  NOW_NEVER: there is none.  Every input may change it. */
uint64_t follower_deadline(const struct follower *f);
void follower_timer(struct follower *f, const struct now *now);

const struct follower_stats *follower_stats(const struct follower *f);

/* The sources of a followed zone, the one that answered last first; of each primary one.  Returns their number, `cap` at most. */
size_t follower_sources(const struct follower *f, const uint8_t *zone, const struct follow_source **out, size_t cap);

/* One zone, as people want to see it.  Times are seconds from now. */
struct follow_state {
	const uint8_t *zone;
	const uint8_t *catalog;                      /* that has it, or had it last; NULL: none */
	enum follow_presence presence;
	bool has_serial;
	uint32_t serial;
	uint64_t refreshed_ago_s, next_s, expires_s; /* UINT64_MAX: never, or now under way; next_s 0: as soon as others let it */
	const struct follow_source *source;          /* that answered last; NULL: none has */
	uint64_t transferred_ago_s;                  /* the version that there is; UINT64_MAX: never */
	size_t transfer_octets;                      /* of the last transfer of this run; 0: none was yet */
	uint64_t transfer_ms;
	const char *trouble;                         /* the last failure since the last refresh; "" */
};
void follower_each(const struct follower *f, const struct now *now, void (*each)(void *ctx, const struct follow_state *s), void *ctx);
