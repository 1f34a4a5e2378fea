/* acme/client_p.h -- the private header of client*.c and order*.c.
 *
 * client.c is what the caller sees of the client.  client_ask.c has requests: when they are sent, again and again if need be, and nonces.
 * client_account.c gets directory and account, client_contact.c keeps the account's contact, client_notice.c what is to be said, and
 * client_renewal.c asks for renewal information.  order.c is what the caller sees of an order, and its end; order_steps.c leads it from
 * newOrder to the certificate; order_proof.c has the authorizations, order_chain.c the certificates.
 */
#pragma once

#include "acme/chain.h"
#include "acme/client.h"
#include "acme/directory.h"
#include "acme/jws.h"
#include "acme/problem.h"
#include "base/list.h"

enum {
	NONCES_MAX = 16,
	TEXT_MAX = 1024,                   /* of the configuration's texts */
	DIRECTORY_AGE_MAX_S = 86400,
	DIRECTORY_AGAIN_S = 3600,          /* after a directory that could not be had again, while the old one is still good */
	ACCOUNT_REST_MIN_S = 60,           /* after the first failure with directory or account; doubled for each */
	ACCOUNT_REST_MAX_S = 3600,
	LIMIT_REST_S = 60,                 /* where a rate limit comes without Retry-After */
	LIMIT_REST_MAX_S = 8 * 86400,      /* the longest Retry-After that is believed */
	CONTACT_AGAIN_S = 3600,            /* after an update of the contact that was lost */
	TERMS_REST_S = 3600,               /* until somebody has agreed to new terms */
	ORDER_REQUESTS_MIN = 64,           /* of an order in all: so many, and */
	ORDER_REQUESTS_A_NAME = 16,        /* so many for each name */
	CHALLENGES_MAX = 32,               /* of an authorization that are looked at */
	TOKEN_MAX = 512,
};

struct ask;

/* What became of a request in the end. */
struct reply {
	const struct acme_answer *answer;  /* with a status of 2xx; NULL: see the problem */
	bool is_lost;                      /* no answer, or trouble of the CA's own, in all attempts */
	bool is_limit;                     /* a rate limit; retry_s is when it ends */
	uint64_t retry_s;                  /* Retry-After, for any answer */
	struct acme_problem problem;       /* with its line, for anything but success */
};

/* A request, from the wish to its reply.  ASK_WAITING: it is sent as soon as it can be, but not before at_ns. */
enum ask_state { ASK_IDLE, ASK_WAITING, ASK_IN_FLIGHT };

struct ask {
	struct acme_client *client;
	struct list_link link;             /* in the client's list, unless IDLE */
	enum ask_state state;
	enum acme_method method;
	bool has_key;                      /* POST: signed with the key itself in the header (newAccount) */
	const char *url;                   /* borrowed from the owner */
	const char *accept;
	struct str payload;                /* POST */
	uint64_t at_ns;
	unsigned attempts, bad_nonces;
	const struct acme_order *order;    /* newOrder: a rate limit may be about its names alone */
	void (*on_reply)(struct ask *a, const struct now *now, const struct reply *r);
};

/* Ways of setting up; IDLE: nothing is under way. */
enum setup_step { SETUP_IDLE, SETUP_DIRECTORY, SETUP_FIND, SETUP_CREATE };

struct acme_client {
	/* configuration */
	char *directory_url, *contact, *eab_kid, *profile, *preferred_chain; /* NULL: none */
	uint8_t *eab_key;
	size_t eab_key_len, in_flight_max;
	bool has_agreed;
	const struct pkey *key;
	char thumbprint[ACME_THUMBPRINT_LEN + 1];

	/* requests */
	struct list_link asks;             /* in the order of the wishes */
	struct flight {
		uint64_t id;               /* 0: free */
		struct ask *ask;           /* NULL: its owner is gone */
	} flights[ACME_IN_FLIGHT_MAX];
	size_t in_flight;
	uint64_t last_id;
	char nonces[NONCES_MAX][ACME_NONCE_MAX + 1]; /* the newest last */
	size_t nonces_n;
	struct ask new_nonce;
	struct str body;                   /* of the request that was taken last; its owner may go before it is sent */
	char url[ACME_URL_MAX + 1];
	uint64_t rests_until_ns;           /* the CA wants it */

	/* directory and account */
	struct ask setup;
	enum setup_step step;
	struct acme_directory directory;   /* new_order == NULL: not known yet */
	uint64_t directory_until_ns;       /* then ask for it again */
	char account[ACME_URL_MAX + 1];    /* "": not known */
	bool wants_account;
	uint64_t setup_at_ns;              /* not before */
	struct ask update;                 /* of the account */
	uint64_t contact_at_ns;            /* when the contact is to be updated; NOW_NEVER: it is not */
	bool is_contact_told, is_contact_refused;
	uint64_t terms_at_ns;              /* no notice about terms before */
	unsigned setup_failures;
	char trouble[ACME_REASON_MAX + 1]; /* "": none */

	char *notices[ACME_NOTICES];       /* NULL: none */

	struct list_link orders;           /* those under way */
	struct list_link changed;          /* orders for acme_client_next_order() */
	size_t orders_n;
	struct list_link renewals;         /* those under way */
	struct list_link answered;
	size_t renewals_n;
	uint64_t now_ns;                   /* of the last input */
	struct acme_client_stats stats;
};

/* ---- client_ask.c ---- */

void ask_post(struct ask *a, const char *url); /* the payload was written before */
void ask_get(struct ask *a, const char *url);
void ask_finish(struct ask *a); /* whatever its state; its answer is not wanted any more */
void ask_fini(struct ask *a);
uint64_t after_s(const struct now *now, uint64_t s); /* mono_ns, without overflow */

/* ---- client_notice.c ---- */

void notice_put(struct acme_client *c, enum acme_notice_kind kind, const char *text); /* in place of one of this kind */
void notice_terms(struct acme_client *c, const struct now *now, const char *text);    /* and the client rests */
void notices_fini(struct acme_client *c);

/* ---- client_contact.c ---- */

/* The account was found, as the CA shows it; NULL: made, or it cannot be read. */
void contact_look(struct acme_client *c, const struct now *now, const struct json_t *account);
bool contact_is_wanted(const struct acme_client *c);
void contact_put(const struct acme_client *c, struct str *payload); /* "contact":[…] */
/* Whether the reply is about the contact: then the account can do without it. */
bool contact_is_refused(struct acme_client *c, const struct reply *r);
void contact_go(struct acme_client *c, const struct now *now); /* if it is time */

/* ---- client_account.c ---- */

/* Begins or goes on with what is still missing. */
void setup_go(struct acme_client *c, const struct now *now);

/* ---- order*.c ---- */

enum order_step {
	STEP_NEW,       /* newOrder */
	STEP_LOOK,      /* which authorizations are pending */
	STEP_PROVE,     /* the caller makes proofs; those that are told go to the CA */
	STEP_VALIDATE,  /* the CA looks at them */
	STEP_READY,     /* the order becomes ready */
	STEP_FINALIZE,  /* the CSR was sent, or is to be sent */
	STEP_ISSUE,     /* the CA makes the certificate */
	STEP_CHAIN,     /* the certificate comes */
	STEP_ALTERNATE, /* other chains come */
	STEP_END,
};

struct authorization {
	const char *url;                   /* these are in the order's memory */
	const char *name;
	const char *dns_url, *persist_url; /* of challenges; NULL: not offered */
	const char *issuers[ACME_ISSUERS_MAX]; /* dns-persist-01 */
	size_t issuers_n;
	bool is_valid;
	enum acme_way way;                 /* told */
	struct acme_proof proof;           /* for the caller */
};

struct acme_order {
	struct list_link link;             /* in the client's orders, while it is under way */
	struct list_link changed;          /* in the client's list of changed ones */
	struct acme_client *client;
	struct ask ask;
	void *user;
	enum acme_order_state state;
	enum order_step step;
	struct arena memory;

	const char **names;
	size_t names_n;
	const uint8_t *csr;
	size_t csr_len;
	struct pkey *key;                  /* of the CSR */
	const char *replaces;              /* NULL: none, or the CA did not like it */

	const char *url, *finalize_url, *certificate_url;
	struct authorization *authorizations;
	size_t authorizations_n;
	size_t at;                         /* the authorization or alternate that is asked for */
	size_t *pending;                   /* indexes of those that were not valid at first: those that the CA was told of come first */
	size_t pending_n, told_n, posted_n;
	const size_t *proofs;              /* the same, in the order in which the caller knows them */
	size_t proofs_n;
	struct acme_problem *refusal;      /* of a challenge or finalize: a repeated request may be refused although the first was heard */
	unsigned finalizings;

	unsigned requests, polls;
	uint64_t order_end_ns, step_end_ns; /* limits; the second is NOW_NEVER outside of steps with one */

	const char **alternates;
	size_t alternates_n;
	struct acme_chain chain;
	struct acme_der ders[ACME_CHAIN_CERTS_MAX];
	const char *chain_fault;           /* of the first chain */
	struct acme_failure failure;
};

/* order.c */
[[gnu::format(printf, 3, 4)]] void order_fail(struct acme_order *o, enum acme_fault fault, const char *format, ...);
void order_fail_reply(struct acme_order *o, const struct now *now, const struct reply *r, const char *doing);
void order_set_state(struct acme_order *o, enum acme_order_state state);
void order_end(struct acme_order *o, enum acme_order_state state);
void order_check_time(struct acme_order *o, const struct now *now);
char *order_keep(struct acme_order *o, const char *text); /* NULL: the order has failed for want of memory */

/* order_steps.c */
void order_post(struct acme_order *o, const char *url); /* a POST with the ask's payload, which is "" for a POST-as-GET */
void order_fetch(struct acme_order *o, const char *url);
void order_poll(struct acme_order *o, const struct now *now, const char *url, uint64_t retry_s); /* POST-as-GET after a while */
void order_go(struct acme_order *o, const struct now *now, enum order_step step);
void order_begin(struct acme_order *o, const struct now *now);
void order_ask_new(struct acme_order *o); /* directory and account are there */
void order_keep_refusal(struct acme_order *o, const struct reply *r);

/* order_proof.c */
void order_on_look(struct acme_order *o, const struct now *now, const struct reply *r);
void order_on_validate(struct acme_order *o, const struct now *now, const struct reply *r);
void order_on_told(struct acme_order *o, const struct now *now, const struct reply *r);
void order_ask_authorization(struct acme_order *o, const struct now *now); /* the one that is next, or the step after all of them */
const char *order_read_authorizations(struct acme_order *o, const struct json_t *json); /* what is wrong; NULL: nothing */

/* order_chain.c */
void order_fetch_chain(struct acme_order *o, const char *url);
void order_on_chain(struct acme_order *o, const struct now *now, const struct reply *r);
void order_on_alternate(struct acme_order *o, const struct now *now, const struct reply *r);

/* client_renewal.c */
void renewal_go(struct acme_client *c);   /* the directory is there */
void renewals_fail(struct acme_client *c);
