/* acme/certifier.h -- gets certificates for the signing requests that are in DNS: a state machine without I/O.
 *
 * Versions of zones come in from a follower of primaries (auth/follower.h); answers to UPDATEs, answers of name servers, and time come in,
 * too.  UPDATE messages and questions go out.  The client of the CA (acme/client.h) is asked here; whoever has the connection to the CA
 * feeds it, and calls certifier_on_ca() afterwards.
 *
 * A HOST is known while there is a TLSA RRset at _letsencrypt._tcp.HOST (acme/request_set.h) with one signing request:
 *
 *                 the certificate fits
 *     looked at ───────────────────────> RESTS until its renewal
 *        │ ^                                │
 *        │ └─── the RRset changes ──────────┤
 *        └──> WAITS (back-off, a place) <───┘ due
 *                 │
 *                 v
 *              a job ──> RESTS, or WAITS for longer
 *
 * A job is an order, with all that it does in DNS:
 *
 *     ORDER ────> ADD ──────────> CHECK ──────────────> PROVEN ──> END ──> done
 *     the CA      TXT records     all name servers of   the CA     TXT records out; certificate in, or the reason why not;
 *     begins      by UPDATE       the zone are asked               retried until it is done
 *        └───────────┴──────────────────┴──────────────────┴────────^ on any failure
 *
 * One job a HOST.  CERTIFIER_JOBS_MAX at a time; a question and an UPDATE under way for each.
 *
 * Nothing is stored but in DNS.  Together with each TXT record goes a remark (acme/remark.h), by which a later run finds what was left
 * behind: then a job begins with END.  Why an order has failed, how often, and when the next one may begin, is a remark, too, so that a
 * restart changes nothing about it.  There are never more than CERTIFIER_HOUR_MAX orders for a HOST in an hour.
 *
 * A record that was here and has gone while name servers are asked for it ends its job at once: somebody else has removed it.
 *
 * Others may do the same for the same zone, with the same account even.  So a TXT record counts as left behind only if it is from before
 * this run, could not be removed by it, is older than any order, or from the future.  It stays while its zone is not here.  An order ends
 * without a word when a certificate that fits has come from elsewhere meanwhile.  A remark on failures goes when there is such a
 * certificate, and the CA does not want it to be renewed.
 *
 * Not all zones come at the same time.  A HOST waits while a zone is not here that is needed for a proof or, with conf.dane, for a TLSA
 * record: one that is ours and was not transferred yet, or, shortly after the start, any for which there is a key.  After
 * CERTIFIER_ZONES_MAX_S it goes on without.
 *
 * With conf.dane, TLSA records of the request's key come first (acme/dane.h), by a job of their own:
 *
 *     ADD ────────────> CHECK ──────────────> the host WAITS ──> an order, as above ──> … ──> END: records of old keys out, again by a job
 *     records and       only if others are    for their TTL                                   of its own, after their TTL and
 *     remarks           beside them                                                           dane_keep_s
 *
 * So no certificate is in DNS before clients can know its key, and none loses its record before a service can have changed to the next.
 * Records that somebody has removed are put there again.  Only records with a remark are ever removed.
 *
 * The certificate replaces the old one in one UPDATE, which has the whole RRset as its condition: whatever has changed meanwhile is not
 * overwritten.
 *
 * A signing request may name hosts at and below HOST alone: who may update a name must not get certificates for others.
 *
 * One thread.  Callbacks must not call back in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/client.h"
#include "acme/dane.h"
#include "acme/remark.h"
#include "auth/keys.h"
#include "auth/view.h"
#include "base/err.h"
#include "base/now.h"

enum {
	CERTIFIER_JOBS_MAX = 32,          /* slots: numbers below this */
	CERTIFIER_HOSTS_MAX = 100000,
	CERTIFIER_HOUR_MAX = 5,           /* orders for one HOST */
	CERTIFIER_BACKOFF_FIRST_S = 30,   /* after the first failure */
	CERTIFIER_BACKOFF_S = 900,        /* after the second one; then twice as long each time, */
	CERTIFIER_BACKOFF_MAX_S = 86400,  /* up to this */
	CERTIFIER_RUN_S = 720,            /* after a failure that an earlier run has had; a fifth of an hour */
	CERTIFIER_SAY_S = 3600,           /* between two remarks on failures of a HOST, but for those that cost no UPDATE of their own */
	CERTIFIER_CHECK_MAX_S = 300,      /* for all name servers to show the proofs */
	CERTIFIER_DEAD_S = 30,            /* then one name server of several that does not answer is passed over */
	CERTIFIER_SERVERS_MAX = 16,       /* name servers of a zone */
	CERTIFIER_ADDRESSES_MAX = 4,      /* of one of them */
	CERTIFIER_TCP_MAX = 8,            /* connections to name servers, of all jobs together */
	CERTIFIER_TCP_S = 10,             /* for an answer over one of them */
	CERTIFIER_ZONES_MAX_S = 300,      /* an order waits for zones that are ours and not here yet */
	CERTIFIER_FIND_S = 60,            /* after the first zone has come, others may be found that nobody knows of yet */
	CERTIFIER_REASON_MAX = 512,
	CERTIFIER_TTL = 60,               /* of TXT records */
	CERTIFIER_TLSA_MAX = 100,         /* records for one HOST */
	CERTIFIER_TLSA_TTL_MAX = 300,     /* of a new RRset: a service that changes its key waits for so long */
	CERTIFIER_TLSA_KEEP_S = 7200,     /* for services that look for their certificate every hour */
	CERTIFIER_TLSA_WAIT_MAX_S = 604800, /* caches keep nothing for longer (RFC 8767 4) */
};

struct certifier_place {
	struct key_address address;
	uint16_t port;
};

enum certifier_event {
	CERTIFIER_BEGUN,     /* an order */
	CERTIFIER_PROVING,   /* TXT records are in DNS */
	CERTIFIER_SEEN,      /* all name servers have them */
	CERTIFIER_DEAD,      /* `why`: a name server gives no answer, and is passed over */
	CERTIFIER_ISSUED,    /* the CA has made the certificate */
	CERTIFIER_DONE,      /* it is in DNS */
	CERTIFIER_FAILED,    /* `why`; the next try in `next_s` seconds */
	CERTIFIER_REFUSED,   /* `why`; the signing request cannot be carried out */
	CERTIFIER_CLEANED,   /* TXT records of an earlier order are out of DNS */
	CERTIFIER_STUCK,     /* `why`; an UPDATE that ends an order does not succeed */
	CERTIFIER_CHANGED,   /* the request has changed or gone while its order was under way; `why`: or a certificate has come */
	CERTIFIER_TLSA_ADDED,   /* TLSA records of the request's key are in DNS */
	CERTIFIER_TLSA_REMOVED, /* old ones are out of it */
	CERTIFIER_TLSA_FAILED,  /* `why`; there is a certificate, and its records are tried again in `next_s` seconds */
	CERTIFIER_TLSA_PASSED,  /* `why`: records are left out */
	CERTIFIER_CONTACT,   /* no host: the account has another contact; `why`: and the CA does not show it */
	CERTIFIER_CONTACT_REFUSED, /* no host; `why`: the CA does not take the contact, and goes on without it */
	CERTIFIER_TERMS,     /* no host; `why`: somebody has to agree to new terms of service, and where */
	CERTIFIER_EVENTS
};

/* For the log.  Borrowed for the call. */
struct certifier_report {
	enum certifier_event event;
	const uint8_t *host; /* NULL: it is about the account */
	const char *order;  /* URL at the CA; NULL: none */
	const char *why;    /* parts of it may come from the CA; "" */
	uint64_t next_s;
};

struct certifier_io {
	/* The zones as they are now. */
	const struct view *(*view)(void *ctx);
	/* Sends an UPDATE, which is without ID and signature.  Then certifier_updated() is called with the slot. */
	void (*update)(void *ctx, unsigned slot, const struct key *key, const uint8_t *zone, const uint8_t *bytes, size_t len);
	/* Asks a name server, over UDP or over a TCP connection for this question alone.  Until ask_end() with the slot, its answers come
	 * by certifier_answered().  False: it cannot be sent. */
	bool (*ask)(void *ctx, unsigned slot, const struct certifier_place *to, bool is_tcp, const uint8_t *bytes, size_t len);
	void (*ask_end)(void *ctx, unsigned slot);
	/* Looks up the addresses of a name server in no zone of ours.  Then certifier_resolved() is called with the slot, and not before it
	 * has returned; false: it is not. */
	bool (*resolve)(void *ctx, unsigned slot, const uint8_t *name);
	void (*report)(void *ctx, const struct certifier_report *r);
	uint32_t (*random_u32)(void *ctx); /* must not be predictable */
	void *ctx;
};

struct certifier_conf {
	const struct keystore *keys;      /* for updates; borrowed */
	struct acme_client *ca;           /* borrowed */
	char mark[REMARK_MARK_LEN + 1];   /* of the account, in remarks */
	const struct certifier_place *servers; /* asked in place of the name servers of zones; borrowed */
	size_t servers_n;                 /* 0: those of the zone */
	size_t jobs_max;                  /* 0: CERTIFIER_JOBS_MAX */
	struct dane_ports dane;           /* TLSA records for these are kept; n 0: none */
	uint32_t dane_keep_s;             /* how long an old one stays when there is another certificate, besides its TTL */
	bool is_dry;                      /* nothing begins: only certifier_each() is of use */
	struct certifier_io io;
};

struct certifier;

struct certifier *certifier_new(const struct certifier_conf *conf);
void certifier_free(struct certifier **c); /* NULL-safe; before the client of the CA; sends nothing */

/* A zone has come, has another version, or has gone.  Cost: a look at each name of the zone; certificates are read again only where the
 * RRset has changed. */
void certifier_zone_changed(struct certifier *c, const struct now *now, const uint8_t *apex);

/* The client of the CA has had input. */
void certifier_on_ca(struct certifier *c, const struct now *now);

enum certifier_outcome {
	CERTIFIER_UPDATED,   /* NOERROR, signed */
	CERTIFIER_UNMET,     /* a condition does not hold */
	CERTIFIER_DENIED,    /* another RCODE: the same again is of no use for now */
	CERTIFIER_LOST,      /* no answer, or SERVFAIL: maybe it was carried out */
};
void certifier_updated(struct certifier *c, const struct now *now, unsigned slot, enum certifier_outcome outcome, const char *why);

void certifier_answered(struct certifier *c, const struct now *now, unsigned slot, const uint8_t *bytes, size_t len);
void certifier_unreachable(struct certifier *c, const struct now *now, unsigned slot);
/* n 0: it has none.  `name` as in resolve(). */
void certifier_resolved(struct certifier *c, const struct now *now, unsigned slot, const uint8_t *name, const struct key_address *list,
                        size_t n);

/* Call certifier_timer() when the deadline (mono_ns) has come.  NOW_NEVER: there is none. */
uint64_t certifier_deadline(const struct certifier *c);
void certifier_timer(struct certifier *c, const struct now *now);

struct certifier_stats {
	uint64_t begun, issued, failed, updates, questions;
	uint64_t hosts, jobs; /* now */
};
const struct certifier_stats *certifier_stats(const struct certifier *c);

/* A HOST, for people.  Borrowed for the call. */
struct certifier_state {
	const uint8_t *host;
	bool has_cert;          /* one that fits */
	uint64_t not_after_s;   /* has_cert: when it ends, since 1970 */
	int64_t days_left;      /* of it; -1: there is none, or it has expired */
	const char *action;     /* what is next: static */
	uint64_t next_s;        /* in so many seconds; 0: now, or it is not known */
	unsigned tries;         /* that have failed in a row */
	const char *trouble;    /* "" */
};
void certifier_each(const struct certifier *c, const struct now *now, void (*each)(void *ctx, const struct certifier_state *s),
                    void *ctx);
