/* tests/sim/certificates/plan.h -- what happens in one run: made of a seed, or of a part of the events of one.
 *
 * Most runs are hours of faults and then a calm.  Some are two years with a CA that is down for one day of them, and nothing else.
 *
 * All that people and fate do is a list of events with times, so that a failing run can be tried again without some of them.  The rest
 * (which request is refused, how long an answer takes) is thrown by dice in the run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../units.h"

enum {
	HOSTS_MAX = 4,
	SERVERS_MAX = 3,
	OACMES = 2,        /* the second one runs for a while only */
	EVENTS_MAX = 64,
	LAG_MAX_S = 120,   /* of a name server behind the primary, for good */
	RETRY_AFTER_MAX_S = 3600,
};

enum plan_kind {
	/* What people do: to a host. */
	PLAN_REQUEST,      /* a signing request that is another one, or the first */
	PLAN_WITHDRAW,     /* request and certificate go */
	PLAN_BREAK,        /* the request is garbage */
	PLAN_FOREIGN,      /* it names somebody else's host */
	PLAN_TWICE,        /* there are two requests */
	PLAN_SPOIL,        /* the certificate goes, the request stays */
	PLAN_STRANGER,     /* somebody else's TXT record comes beside the proofs */
	PLAN_TAKE,         /* the proofs go */
	/* Faults, each until a time. */
	PLAN_KILL,         /* oacme is down; it forgets everything */
	PLAN_DEADLY,       /* of a thousand answers that it gets, `amount` end it for some seconds */
	PLAN_SECOND,       /* a second oacme with the same account runs */
	PLAN_CLOCK,        /* the clock of oacme is off by `amount` seconds */
	PLAN_DEAF,         /* oacme gets no new version of a zone */
	PLAN_CA_DOWN,
	PLAN_CA_SLOW,      /* answers take up to `amount` seconds */
	PLAN_CA_LOSES,     /* of a thousand requests `amount` are carried out, and their answers are lost */
	PLAN_CA_REFUSES,   /* … are refused with any problem */
	PLAN_CA_LIMITS,    /* … are too many, says the CA */
	PLAN_CA_BABBLES,   /* … are answered with nonsense */
	PLAN_CA_LIES,      /* of a thousand certificates `amount` are not what was asked for */
	PLAN_CA_DOUBTS,    /* of a thousand proofs `amount` are not found */
	PLAN_CA_FORGETS,   /* at its beginning all accounts and orders are gone */
	PLAN_PRIMARY_DOWN, /* UPDATEs do not arrive */
	PLAN_PRIMARY_REFUSES, /* of a thousand UPDATEs `amount` are refused */
	PLAN_PRIMARY_LOSES, /* … are lost, or their answers are, or they are carried out late */
	PLAN_SERVER_DEAD,  /* a name server does not answer */
	PLAN_SERVER_LAGS,  /* it is `amount` seconds more behind the primary */
	PLAN_KINDS
};

struct plan_event {
	enum plan_kind kind;
	uint64_t at_ns, until_ns;
	unsigned which;            /* host, oacme or name server */
	int64_t amount;
};

struct plan {
	uint64_t seed;
	bool is_long;              /* two years */
	unsigned hosts_n, servers_n;
	uint64_t life_s;           /* of certificates */
	bool has_window;           /* the CA has renewal information */
	bool is_reusing;           /* … and proven names need not be proven again for a while */
	enum plan_place {          /* of the proofs of the first host */
		PLACE_HERE,
		PLACE_ALIAS,       /* in another zone, to which a CNAME leads */
		PLACE_DELEGATED,   /* in a zone of their own */
	} place;
	enum plan_rights {         /* what the keys of oacme may change */
		RIGHTS_ALL,
		RIGHTS_BY_TYPE,    /* one TXT records, another one TLSA records */
		RIGHTS_BY_HOST,    /* TXT records at and below a host; what is at its request */
	} rights;
	bool has_lasting;          /* the CA takes records that last as proofs (dns-persist-01) */
	unsigned lasting;          /* hosts that have one for the first account: bits */
	bool has_alternates;       /* the CA has two chains */
	bool prefers_other;        /* … and oacme wants the second one */
	unsigned late_s;           /* the zone of the proofs comes so late after a start, at most; 0: as others */
	unsigned ca_think_s;       /* at most, for a proof or a certificate */
	unsigned bad_nonces;       /* of a thousand, that are refused for no reason */
	unsigned lag_s[SERVERS_MAX];
	int dead;                  /* a name server that never answers; -1: none */
	struct plan_event events[EVENTS_MAX];
	size_t events_n;
	uint64_t calm_ns;          /* all faults have healed by then */
};

void plan_make(struct plan *p, uint64_t seed);

/* Within this time after the calm all hosts have their certificates, and nothing of ours is left beside them. */
uint64_t plan_settle_ns(const struct plan *p);
uint64_t plan_prompt_ns(const struct plan *p); /* and later, within this time after a request */

const char *plan_kind_name(enum plan_kind kind);
bool plan_kind_is_fault(enum plan_kind kind);
void plan_print_event(const struct plan_event *e);
