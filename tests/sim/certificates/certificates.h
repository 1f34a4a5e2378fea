/* tests/sim/certificates/certificates.h -- certificates in one process and in virtual time: what the parts of this simulator share.
 *
 * The machines are the real ones: the certifier (acme/certifier.h) with the client of the CA (acme/client.h), and UPDATEs as a primary
 * carries them out (auth/update.h).  What lies between them is modelled: the CA (ca.h), zones and name servers (dns.c), people who want
 * certificates (people.c), the life of oacme's process (oacme.c).
 *
 * plan.c makes a plan of a seed, world.c carries it out, check.c looks whether what must hold does, main.c is for people.
 * One thread, no clock, no randomness but the seed's.
 */
#pragma once

#include "../dice.h"
#include "acme/certifier.h"
#include "acme/jws.h"
#include "acme/request_set.h"
#include "auth/secondary.h"
#include "auth/update.h"
#include "base/heap.h"
#include "ca.h"
#include "plan.h"

enum {
	WALL_S = 1700000000,
	BROKEN_MAX = 512,
	ZONES = 2,             /* that of the hosts, and one for proofs of the first */
	VERSIONS_MAX = 64,     /* of a zone, that some name server may still show */
	ORDERS_SEEN_MAX = 64,
	STRANGERS_MAX = 16,
	ANSWER_MAX = 1232,     /* octets of an answer over UDP */
	SEE_MAX_S = 20,        /* until oacme has a version of a zone */
};

struct world;

/* ---- oacme ---- */

struct oacme {
	struct world *world;
	unsigned number, down;     /* down: faults that make it so */
	bool is_up;
	unsigned run;              /* counts: what was meant for an earlier one is not for this one */
	uint64_t again_ns;         /* when it is started after an untimely end; 0: it runs, or a fault lasts */
	int64_t skew_s;
	unsigned deaf;
	struct secondary *zones;
	struct acme_client *client;
	struct certifier *certifier;
	uint32_t seen[ZONES];      /* serials */
	bool is_asking[CERTIFIER_JOBS_MAX];
	unsigned asked[CERTIFIER_JOBS_MAX]; /* counts: an answer to the question before does not arrive */
	uint64_t starts_ns[ORDERS_SEEN_MAX];          /* the last ones; likewise: */
	uint64_t begun_ns[HOSTS_MAX][ORDERS_SEEN_MAX], failed_ns[HOSTS_MAX][ORDERS_SEEN_MAX];
};

void oacme_keys_begin(void); /* once, for all runs */
void oacme_keys_end(void);
void oacme_init(struct world *w, unsigned number);
void oacme_start(struct oacme *o);
void oacme_stop(struct oacme *o);      /* as a process that is killed */
struct now oacme_now(const struct oacme *o);
uint64_t oacme_deadline(const struct oacme *o);
void oacme_go_on(struct oacme *o);     /* after each step */
void oacme_see(struct oacme *o, unsigned zone);
void oacme_die_perhaps(struct oacme *o); /* it was just told something */

/* ---- what is on its way ---- */

enum action_kind {
	ACTION_REQUEST,   /* arrives at the CA */
	ACTION_ANSWER,    /* of the CA, arrives */
	ACTION_LOOK,      /* the CA looks at a proof */
	ACTION_UPDATE,    /* arrives at the primary */
	ACTION_UPDATED,   /* its answer, or the news that there is none */
	ACTION_SHOWN,     /* the answer of a name server */
	ACTION_RESOLVED,
	ACTION_SEE,       /* a version of a zone arrives at oacme */
};

struct action {
	struct heap_node timer;
	enum action_kind kind;
	struct oacme *oacme;
	unsigned run, slot, number;  /* number: of the question, authorization or zone */
	uint64_t id;                 /* of the request */
	enum acme_method method;
	char url[ACME_URL_MAX + 1];
	struct str bytes;            /* owned */
	bool is_lost;                /* ANSWER: there is none; UPDATE: its answer was told already */
	struct acme_answer answer;   /* owned */
	const struct key *key;
	enum certifier_outcome outcome;
	struct name name;
};

struct action *action_new(struct world *w, enum action_kind kind, struct oacme *o, uint64_t after_ns);

/* ---- DNS ---- */

struct version {
	uint64_t made_ns;
	struct zone *zone;           /* shares nothing with others */
};

struct dns_zone {
	struct name apex;
	struct version versions[VERSIONS_MAX]; /* the newest last */
	size_t n;
};

/* ---- hosts ---- */

enum {
	KEYS = 3,
	VARIANTS = 3,
	VARIANT_BELOW = 2,           /* it names a host below, too */
	REQUEST_MAX = 1024,
	PEOPLE_LASTING_MAX = 128,
};

struct host_of {
	bool is_wished;              /* its request is one that is to be carried out */
	unsigned key, variant;       /* of it */
	bool has_cert;               /* in DNS: one that fits */
	uint64_t not_after_s;        /* of that */
	uint64_t wished_ns;          /* since when */
	uint64_t said_s;             /* the time in the remark on a failure; 0: there is none */
	unsigned commits;            /* of oacme's, since the last push about it */
};

struct stranger {
	struct name owner;
	char value[32];
};

/* ---- all of it ---- */

struct world {
	const struct plan *plan;
	struct dice dice;
	uint64_t now_ns;
	struct heap actions;
	struct oacme oacmes[OACMES];
	struct dns_zone zones[ZONES];
	struct keystore *keys;
	struct host_of hosts[HOSTS_MAX];
	struct stranger strangers[STRANGERS_MAX];
	size_t strangers_n;
	struct ca ca;
	char thumbprint[ACME_THUMBPRINT_LEN + 1]; /* of the account */
	/* Faults under way: how many of each kind, and the amount of the last. */
	unsigned faults[PLAN_KINDS];
	int64_t amounts[PLAN_KINDS];
	unsigned dead[SERVERS_MAX];
	int64_t lag_s[SERVERS_MAX];
	/* The time after the calm: */
	enum { PHASE_FAULTS, PHASE_SETTLING, PHASE_RESTING, PHASE_QUIET, PHASE_OVER } phase;
	uint64_t phase_ns, settled_ns;
	unsigned quiet_host;
	/* For people: */
	bool is_logging;
	uint64_t requests, orders, certs, updates, requests_hour, hour_ns, requests_hour_most;
	char broken[BROKEN_MAX];     /* ""; else what does not hold */
};

/* ---- world.c ---- */

/* Carries out a plan.  False: something that must hold does not, and w->broken says what. */
bool world_run(struct world *w, const struct plan *p, bool is_logging);
void world_fini(struct world *w);
uint64_t world_wall_s(const struct world *w);
bool world_fault(struct world *w, enum plan_kind kind); /* a fault that hits one of a thousand, if it is under way */

[[gnu::format(printf, 2, 3)]] void world_log(const struct world *w, const char *format, ...);
[[gnu::format(printf, 2, 3)]] void world_break(struct world *w, const char *format, ...); /* the first one counts */

/* ---- dns.c ---- */

const char *dns_apex(const struct world *w, unsigned zone);
void dns_begin(struct world *w);
void dns_fini(struct world *w);
const struct zone *dns_zone(const struct world *w, unsigned zone);          /* as it is at the primary */
struct zone *dns_copy(const struct zone *z, uint32_t serial);               /* for the caller to own */
const struct zone *dns_shown(const struct world *w, unsigned server, unsigned zone);
bool dns_is_dead(const struct world *w, unsigned server);
unsigned dns_zone_of(const struct world *w, const uint8_t *name);
const struct rrset *dns_rrset(const struct zone *z, const uint8_t *name, uint16_t type);
bool dns_has_txt(const struct zone *z, const uint8_t *owner, const char *value);
void dns_install(struct world *w, unsigned zone, struct zone_txn **t); /* the new version, if it is one */
void dns_on_update(struct world *w, struct action *a);
size_t dns_answer(const struct world *w, unsigned server, const uint8_t *bytes, size_t len, uint8_t out[ANSWER_MAX]);

/* ---- people.c ---- */

void people_keys_begin(void); /* once, for all runs */
void people_keys_end(void);
void people_begin(struct world *w);
void people_do(struct world *w, const struct plan_event *e);
void people_put_zone(struct world *w, struct zone_builder *b, unsigned zone); /* what a zone has at first */
struct name people_host(unsigned host);
int people_host_number(const uint8_t *name); /* -1: none of ours */
const struct csr *people_request(unsigned host, unsigned key, unsigned variant);
struct name people_named(const char *text);
bool people_is_strangers(const struct world *w, const struct zone_rr *rr);
void people_print_lasting(unsigned account, char text[PEOPLE_LASTING_MAX]); /* of a TXT record, for dns-persist-01 */

/* ---- check.c ---- */

void check_update(struct world *w, const struct update *u, unsigned zone, const struct zone *before); /* one of oacme's was carried out */
void check_hosts(struct world *w, bool is_push);                              /* the zone has another version */
void check_report(struct oacme *o, const struct certifier_report *r);
void check_minute(struct world *w);
bool check_is_over(const struct world *w);
