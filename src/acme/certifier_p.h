/* acme/certifier_p.h -- the parts of the certifier among themselves.
 *
 * certifier.c         hosts in their order of time; jobs begin; what callers see
 * certifier_zone.c    versions of zones become hosts, and what was left behind
 * certifier_read.c    signing requests and certificates are read
 * certifier_job.c     a job from its beginning to its end, and its UPDATEs
 * certifier_order.c   its order at the CA
 * certifier_dns.c     what a job adds to DNS and removes from it
 * certifier_check.c   name servers are asked
 * certifier_tlsa.c    TLSA records for clients of a host
 */
#pragma once

#include "acme/certifier.h"
#include "acme/request_set.h"
#include "acme/steps.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/strmap.h"

struct node;
struct rrset;
struct zone;

enum {
	HOST_TEXT_MAX = NAME_TEXT_MAX,
	NO_ROOM_S = 60,             /* there is no memory to look at a host */
	AGAIN_MAX_S = 6 * 3600,     /* a host is looked at so often, whatever the clock of the machine does */
	TLSA_PAUSE_S = 600,         /* between two jobs that add TLSA records of a host, and two that remove them, */
	TLSA_FAILED_S = 3600,       /* if the first one has failed */
	SETTLE_S = 120,             /* for a certificate that is in DNS to come back by the follower */
	UPDATE_TRIES_MAX = 8,       /* of one step: after 1, 2, 4, … seconds again */
	UPDATE_PAUSE_MAX_S = 60,
	END_TRIES_MAX = 20,         /* likewise, at the end of a job; what is left then is found later */
	LEFT_AGAIN_S = 1800,        /* from there on until that is tried again */
	UNMET_TRIES_MAX = 6,
	LATE_MAX_S = 120,           /* an UPDATE without an answer is not carried out any more then */
	CNAMES_MAX = 8,
	ZONES_PAUSE_S = 3,          /* until there is another look whether the zones are here */
};

/* ---- what the RRset says: certifier_read.c ---- */

struct reading {
	struct acme_set set;
	const struct cert *cert;          /* of the set: one that fits the request, and is valid; NULL: none */
	char hash[REMARK_HASH_LEN + 1];   /* of the request */
	char cert_id[ACME_CERT_ID_MAX + 1]; /* of `cert`, as RFC 9773 names it; "": it has none */
	char why[CERTIFIER_REASON_MAX];   /* the request cannot be carried out, and set.request may be NULL; "": it can */
};

/* Reads what is at _letsencrypt._tcp.HOST.  E_NOTFOUND: there is no signing request; E_NOMEM. */
err_t reading_of(const struct rrset *tlsa, const uint8_t *host, uint64_t now_s, struct reading *out);
void reading_fini(struct reading *r);

/* ---- hosts ---- */

/* TLSA records for its clients; zeroed where there are to be none. */
struct host_tlsa {
	struct name *names;         /* owned: those of the request, without wildcards */
	size_t names_n;
	uint8_t rdata[DANE_RDATA_LEN]; /* of the request's key */
	bool is_missing;            /* a record is not in our zones */
	bool has_old;               /* one is there of another key, or at another name, and may go */
	bool is_seen;               /* all name servers have had them */
	uint32_t wait_s, old_ttl_s; /* how long caches may not know them, beside others; how long they know old ones */
	uint64_t ready_ns;          /* after is_seen: when caches know them */
	uint64_t written_ns;        /* since when there is a certificate */
	uint64_t add_ns, remove_ns; /* no job before */
};

struct host {
	struct heap_node timer;
	struct list_link waiting;   /* for a place */
	struct name name, apex;
	char text[HOST_TEXT_MAX];   /* key of the map */
	size_t place;               /* in the list */
	uint64_t rrset_hash;
	char request[REMARK_HASH_LEN + 1];
	bool has_request, has_cert;
	uint64_t not_after_s, renew_s;
	char cert_id[ACME_CERT_ID_MAX + 1], trouble[CERTIFIER_REASON_MAX];
	bool is_settling;           /* the certificate is in DNS, and not here yet */
	bool is_known;              /* since an earlier version of the zone */
	bool awaits_zone;           /* a proof that was left behind is in a zone that is not here yet */
	unsigned tries;
	uint64_t not_before_ns;     /* no order before */
	uint64_t zones_ns;          /* likewise, and no TLSA records: zones are not here yet; 0: they are */
	uint64_t awaits_ns;         /* since when that is so; 0: it is not */
	uint64_t settles_ns;        /* likewise, as the certificate in DNS has to come back by the follower; 0: it has */
	uint64_t left_ns;           /* when to look for what was left behind in DNS; 0: nothing is known to be */
	uint64_t left_s;            /* remarks on proofs up to this wall time are of our jobs that could not end in DNS; 0: none are */
	uint64_t said_s;            /* wall time of the last remark on a failure; 0: none */
	uint64_t begun_ns[CERTIFIER_HOUR_MAX]; /* orders; 0: none */
	struct job *job;
	struct acme_renewal *question;
	uint64_t question_ns;       /* when the CA is asked about the renewal next */
	bool is_answered;           /* it was, about this certificate */
	uint64_t window_s;          /* the moment that its answer has; 0: none */
	struct host_tlsa tlsa;
};

/* ---- jobs ---- */

enum { TROUBLE_MAX = 80 };

enum job_state { JOB_ORDER, JOB_ADD, JOB_CHECK, JOB_PROVEN, JOB_END };

/* What a job does about TLSA records: then it has no order. */
enum job_tlsa { TLSA_NONE, TLSA_ADD, TLSA_REMOVE };

/* A record that name servers are to have. */
struct job_proof {
	struct name owner, zone;
	uint16_t type;            /* TXT, or TLSA: then the value is the hash of the key */
	char value[REMARK_VALUE_MAX + 1];
	uint64_t at_s;            /* of the remark */
	size_t at;                /* of the order's proofs; not for one that was left behind */
	bool is_seen;             /* in the answer at hand */
	bool is_here;             /* the follower has brought it */
};

struct job_server {
	struct name name;         /* len 0: it has none */
	struct certifier_place at[CERTIFIER_ADDRESSES_MAX];
	size_t at_n;
	bool is_looked_up, has_proof, is_done, is_dead; /* is_done, is_dead: after its last address */
	char trouble[TROUBLE_MAX]; /* what it does in place of an answer; "": nothing at all */
};

struct job {
	struct certifier *owner;
	unsigned slot;
	struct heap_node timer;
	struct host *host;        /* NULL: it has gone */
	struct name name, apex;   /* of the host */
	enum job_state state;
	struct acme_order *order; /* NULL: only what was left behind is removed, or the request was refused */
	char request[REMARK_HASH_LEN + 1];
	char cert_id[ACME_CERT_ID_MAX + 1]; /* of the certificate that there was at its beginning */
	struct job_proof *proofs; /* owned */
	size_t proofs_n;
	bool is_waiting;          /* an UPDATE is under way */
	struct steps steps;
	unsigned update_tries, unmet;
	bool is_partly_done;      /* an UPDATE was carried out, the first of which has the remarks */
	uint64_t late_ns;         /* another one, which adds proofs, may be carried out until then; 0: none */
	bool is_end_made;         /* JOB_END: the steps are those of the end */
	bool is_success;
	bool has_changed;         /* the request is another one now, or there is none */
	bool is_cleaning;         /* only what was left behind */
	enum job_tlsa tlsa;
	uint32_t wait_s;          /* TLSA_ADD: after name servers have the records */
	bool has_failed;          /* likewise, and TLSA_REMOVE: and no order is concerned */
	char why[CERTIFIER_REASON_MAX];
	struct {
		size_t proof;
		struct job_server servers[CERTIFIER_SERVERS_MAX];
		size_t servers_n, server, address;
		bool is_asking, is_resolving, is_tcp;
		bool is_dead_reported;  /* `dead` */
		struct job_server dead; /* the one that was passed over */
		unsigned sent;
		uint16_t id;
		uint64_t begun_ns;
		unsigned pauses;
	} check;
};

struct certifier {
	struct certifier_conf conf;
	struct strmap hosts;
	struct host **list;       /* all, in no order; each knows its place */
	size_t list_n, list_cap;
	uint64_t began_s;         /* wall time of the first news about a zone; 0: there was none yet */
	uint64_t began_ns;        /* when the first zone has come; 0: likewise */
	struct heap host_timers, job_timers;
	struct list_link waiting;
	bool is_reading;          /* a version of a zone: what is due waits until all of it is known */
	struct job *jobs[CERTIFIER_JOBS_MAX];
	uint64_t rests_until_ns;  /* the client of the CA does so, and hosts wait for that; NOW_NEVER: no */
	size_t tcp_n;             /* connections to name servers */
	struct certifier_stats stats;
};

static inline uint64_t
seconds_after(const struct now *now, uint64_t s)
{
	return now->mono_ns + s * NOW_SECOND_NS;
}

void certifier_say(const struct certifier *c, const struct certifier_report *r);
void certifier_go(struct certifier *c, const struct now *now); /* begins jobs while there are places */

struct host *host_find(const struct certifier *c, const uint8_t *name);
struct host *host_get(struct certifier *c, const uint8_t *name); /* a new one if there is none; NULL: there are too many */
void host_drop(struct certifier *c, struct host *h);             /* without a job */
bool host_is_content(const struct host *h, const struct now *now); /* its certificate is good for now, as far as the CA says, too */
void host_let_go(struct certifier *c, const struct now *now, struct host *h); /* drops it if there is nothing to know about it */
/* True: a job began, and the host may have gone with it.  Only for a host without a job. */
bool host_look_at_remarks(struct certifier *c, const struct now *now, struct host *h);
void host_look_later(struct certifier *c, const struct now *now, struct host *h, uint64_t s); /* at remarks, in so many seconds */
/* Looks at its RRset, and decides what is next; `is_new`: the RRset has changed. */
void host_look(struct certifier *c, const struct now *now, struct host *h, bool is_new);
void host_schedule(struct certifier *c, const struct now *now, struct host *h); /* without a job */
void host_failed(struct certifier *c, const struct now *now, struct host *h, const char *why, uint64_t retry_s);
const struct rrset *host_rrset(const struct certifier *c, const struct host *h);
void host_on_renewal(struct certifier *c, const struct now *now, struct acme_renewal *r);

/* The zone of ours around a name, and its node.  NULL: none. */
const struct zone *zone_around(const struct certifier *c, const uint8_t *name);
const struct zone *zone_of(const struct certifier *c, const uint8_t *name); /* that has the name: it is not below a delegation */
/* That has the name, is not here, and in which some key may change records of this type. */
bool zone_may_come(const struct certifier *c, const struct now *now, const uint8_t *name, uint16_t type);
bool host_awaits_zones(const struct certifier *c, const struct now *now, const struct host *h, const struct reading *r);
const struct rrset *rrset_at(const struct zone *z, const uint8_t *name, uint16_t type);

/* For certifier_order.c, and within certifier_job.c. */
struct job *job_new(struct certifier *c, struct host *h); /* the host's; NULL: there is no memory, or no place */
void job_report(const struct job *j, enum certifier_event event, const char *why, uint64_t next_s);
void job_step(struct job *j, const struct now *now); /* the next UPDATE, or what comes after the last one */
void job_end(struct job *j, const struct now *now);  /* whatever it was about: what it has left in DNS goes */
void job_proofs_seen(struct job *j, const struct now *now); /* all name servers have its proofs */

/* False: there is no memory, or no room at the client. */
bool job_begin(struct certifier *c, const struct now *now, struct host *h, const struct reading *r);
void job_clean(struct certifier *c, const struct now *now, struct host *h, struct job_proof *left, size_t n); /* takes `left` */
bool job_tlsa(struct certifier *c, const struct now *now, struct host *h, enum job_tlsa what); /* false: there is no memory */
void job_refuse(struct certifier *c, const struct now *now, struct host *h, const char *why);
void job_on_change(struct certifier *c, const struct now *now, struct job *j, const char *request); /* "": none any more */
void job_on_order(struct certifier *c, const struct now *now, struct acme_order *o);
void job_fail(struct job *j, const struct now *now, const char *why, uint64_t retry_s); /* before its end */
void job_checked(struct job *j, const struct now *now); /* all name servers have the records */
void job_on_reading(struct job *j, const struct now *now); /* what is in DNS was read anew; NULL: no job */
void job_on_zone(struct job *j, const struct now *now, const struct zone *z); /* another version */
void job_timer(struct job *j, const struct now *now);
void job_updated(struct job *j, const struct now *now, enum certifier_outcome outcome, const char *why);
void job_free(struct job *j);
unsigned certifier_free_slot(const struct certifier *c); /* conf.jobs_max: none */

/* certifier_dns.c.  The last four fill j->steps; their errors are those of steps_add(). */
bool dns_some_key_may(const struct certifier *c, const uint8_t *zone, const uint8_t *owner, uint16_t type);
bool dns_may_write(const struct certifier *c, const struct host *h); /* a certificate */
bool dns_may_come(const struct certifier *c, const uint8_t *owner, uint16_t type); /* the zone of this record, for which there is a key */
/* The zone for the remarks of a host, and their name; NULL: no key may write them. */
const uint8_t *dns_status_zone(const struct certifier *c, const uint8_t *host, const uint8_t *apex, struct name *owner);
bool dns_is_proven_for_good(const struct job *j, const struct now *now, size_t i); /* a proof of the order: by dns-persist-01 */
bool dns_is_proof(const struct job_proof *p, const uint8_t *rdata, size_t len);
bool dns_has_proof(const struct zone *z, const struct job_proof *p);
/* E_NOTFOUND: no zone of ours has out->owner.  After any error `why` says more. */
err_t dns_find_place(const struct certifier *c, const char *name, struct job_proof *out, char why[CERTIFIER_REASON_MAX]);
bool dns_awaits_zone(const struct certifier *c, const struct now *now, const char *name); /* for the proof */
err_t dns_put_status(struct job *j, enum step_change_kind kind, const uint8_t *rdata, size_t len);
err_t dns_put_remark(struct job *j, enum step_change_kind kind, const struct remark *r);
err_t dns_add_proofs(struct job *j);
err_t dns_end(struct job *j, const struct now *now);

/* certifier_tlsa.c */
err_t tlsa_take(const struct certifier *c, struct host *h, const struct reading *r); /* the request is another one; E_NOMEM, E_CRYPTO */
void tlsa_fini(struct host_tlsa *t);
bool tlsa_look(const struct certifier *c, struct host *h); /* at what is in DNS; true: it is other than before */
bool tlsa_passed_over(const struct certifier *c, const struct host *h, char why[CERTIFIER_REASON_MAX]); /* false: nothing */
bool tlsa_awaits_zones(const struct certifier *c, const struct now *now, const struct host *h);
uint64_t tlsa_order_ns(const struct host *h);                            /* no order before; NOW_NEVER: a job first */
uint64_t tlsa_job_ns(const struct certifier *c, const struct host *h);   /* when a job is due; NOW_NEVER: none */
enum job_tlsa tlsa_next(const struct certifier *c, const struct host *h, const struct now *now);
/* Fill j->steps; errors as above. */
err_t tlsa_put_new(struct job *j, const struct now *now); /* and j->proofs, if name servers have to be asked */
err_t tlsa_put_old(struct job *j);

void check_begin(struct job *j, const struct now *now);
void check_end(struct job *j);
void check_timer(struct job *j, const struct now *now);
