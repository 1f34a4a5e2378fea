/* acme/client.h -- a client of one certificate authority (CA), with one account (RFC 8555, RFC 9773): a state machine without I/O.
 *
 * Requests come out (acme_client_take_request()), answers and time go in; the sender has as many under way as it is given, at most
 * ACME_IN_FLIGHT_MAX.  After every input (acme_order_new(), acme_order_proven() and the like are inputs, too): take requests
 * until there are none, look at the orders that have changed (acme_client_next_order(), acme_client_next_renewal()), and again, until
 * neither brings anything; then ask for the deadline, which does not count what can be sent at once.
 *
 * The client by itself:
 *
 *     idle ──> directory ──> account: find it by its key (onlyReturnExisting) ──┬──> ready
 *                 │                   │ there is none: newAccount (terms, contact, EAB) ──┘
 *                 └──────── fails ────┴──> resting, longer each time; the orders that wait fail with the reason
 *
 * It begins when there is something to do: an order, a question about a renewal, or acme_client_want_account().  The directory is asked
 * for again when it is a day old, and the account when the CA says that it does not know it.  Nothing is stored: the account is found
 * by its key.  One that is found with another contact than ours is updated (RFC 8555 7.3.2), beside all else, and once in the life of the
 * client, whatever the CA shows afterwards.  Nonces are kept as they come, and one is asked for when there is none.  A request whose nonce
 * is refused is sent again at once with the new one, a few times.  What fails on its way (no connection, status 500 and above, no answer)
 * is sent again after pauses, a few times.  Where the CA asks us to wait (Retry-After with 429 or 503), nothing is sent to it before,
 * except where this was about the names of one order, or about the contact.
 *
 * An order:
 *
 *     UNDER_WAY ──> PROVE ──────────> UNDER_WAY ──────────────> ISSUED
 *     newOrder,     the caller makes  the CA is told, and      the chain is there,
 *     which names   proofs visible    polled; finalize (CSR),  and was checked
 *     are proven?       │             certificate, alternates
 *         └─────────────┴─────────────────┴──────────────────> FAILED: a reason in a line, and when to try again
 *
 * PROVE is left out where all names are proven already (the CA reuses authorizations).  In PROVE the caller sees to each proof
 * (acme_order_proof()) in one of the ways that it offers, and says for each that it is to be seen (acme_order_proven()).  Each is told to
 * the CA as soon as it is said.  The proofs are needed until the order is ISSUED or FAILED.  A caller that cannot make one frees the order.
 *
 * A chain is handed out only if its first certificate has the public key of the CSR and all names, is valid now, and if each is signed
 * by the next one.  Of several chains the preferred one is taken (acme_client_conf.preferred_chain).
 *
 * Make no order while the client rests (acme_client_rests_until()): it would wait, and its time runs.
 *
 * Bounds: ACME_* below.  An order ends, whatever the CA says: after ACME_ORDER_TIME_MAX_S at most, and with a bounded number of
 * requests.  Memory: ACME_ORDERS_MAX orders of at most ACME_ORDER_OCTETS_MAX each.
 *
 * One thread.  Orders and questions belong to the caller, who frees them, at any time; all of them before the client.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/http.h"
#include "acme/persist.h"
#include "acme/renewal.h"
#include "base/err.h"
#include "base/now.h"
#include "base/str.h"

struct pkey;

enum {
	ACME_ORDERS_MAX = 256,           /* that are under way */
	ACME_ORDER_OCTETS_MAX = 1 << 20,
	ACME_RENEWALS_MAX = 1024,        /* questions about renewals that are under way */
	ACME_IN_FLIGHT_MAX = 8,          /* requests */
	ACME_ATTEMPTS_MAX = 4,           /* of a request that fails on its way: after 1, 4 and 16 seconds again */
	ACME_BAD_NONCES_MAX = 16,        /* refused nonces of one request */
	ACME_ORDER_TIME_MAX_S = 7200,    /* from newOrder until the certificate */
	ACME_PROVE_TIME_MAX_S = 3600,    /* of these, for the caller */
	ACME_VALIDATE_TIME_MAX_S = 900,  /* … and for the CA to look at the proofs */
	ACME_WAIT_MAX_S = 600,           /* the longest Retry-After within an order; a longer one fails it */
	ACME_REASON_MAX = 2048,          /* octets of a failure's reason */
	ACME_TXT_VALUE_LEN = 43,         /* octets of a dns-01 proof: a SHA-256 in base64url */
};

/* Borrowed until acme_client_new() returns, except `key`, which must outlive the client. */
struct acme_client_conf {
	const char *directory;         /* URL */
	const struct pkey *key;        /* of the account */
	const char *contact;           /* "mailto:somebody@example.org"; NULL: none, and one that the account has stays */
	bool has_agreed;               /* to the CA's terms of service, whatever they are */
	const char *eab_kid;           /* external account binding (RFC 8555 7.3.4); NULL: none */
	const uint8_t *eab_key;        /* … its HMAC key, decoded */
	size_t eab_key_len;
	const char *profile;           /* of certificates (draft-ietf-acme-profiles); NULL: the CA's default */
	const char *preferred_chain;   /* take a chain whose last certificate is issued by this common name; NULL: the first */
	size_t in_flight_max;          /* 0: ACME_IN_FLIGHT_MAX */
};

struct acme_client;
struct acme_order;
struct acme_renewal;

/* E_FORMAT: the directory's URL is not one; E_LIMIT: a text is too long. */
err_t acme_client_new(const struct acme_client_conf *conf, struct acme_client **out);
void acme_client_free(struct acme_client **c); /* NULL-safe */

/* The next request to be sent now; false: there is none. */
bool acme_client_take_request(struct acme_client *c, const struct now *now, struct acme_request *out);

/* What became of a request: an answer with any status, or none, for a reason (in a line).  Unknown numbers are ignored: the order may
 * be gone. */
void acme_client_on_answer(struct acme_client *c, const struct now *now, uint64_t id, const struct acme_answer *a);
void acme_client_on_failure(struct acme_client *c, const struct now *now, uint64_t id, const char *why);

/* When (mono_ns) there is something to do without further input; NOW_NEVER: never.  Then call acme_client_timer(). */
uint64_t acme_client_deadline(const struct acme_client *c);
void acme_client_timer(struct acme_client *c, const struct now *now);

/* The account, for what needs nothing else: --print-persist. */
void acme_client_want_account(struct acme_client *c, const struct now *now);
const char *acme_client_account(const struct acme_client *c); /* URL; NULL: not known yet */
/* Why the last attempt to get directory and account failed; NULL: it did not. */
const char *acme_client_trouble(const struct acme_client *c);
/* Until when (mono_ns) the client rests: because of that trouble, or because the CA wants it (a rate limit of the account); 0: it does
 * not.  Orders wait that long. */
uint64_t acme_client_rests_until(const struct acme_client *c, const struct now *now);

/* What somebody should know about the account, and no order says. */
enum acme_notice_kind {
	ACME_NOTICE_CONTACT,           /* the account has another contact now */
	ACME_NOTICE_CONTACT_REFUSED,   /* the CA does not take it, and goes on without it */
	ACME_NOTICE_TERMS,             /* somebody has to agree to new terms of service first (RFC 8555 7.3.3); once an hour at most */
	ACME_NOTICES
};

struct acme_notice {
	enum acme_notice_kind kind;
	char text[ACME_REASON_MAX + 1]; /* one line of printable ASCII; "": there is nothing to add */
};

/* Each once; false: there is none. */
bool acme_client_next_notice(struct acme_client *c, struct acme_notice *out);

struct acme_client_stats {
	uint64_t requests, answers, failures; /* failures: no answer */
	uint64_t bad_nonces, rate_limits, new_nonces;
	uint64_t orders, issued, failed;
};

const struct acme_client_stats *acme_client_stats(const struct acme_client *c);

/* ---- orders ---- */

struct acme_order_wish {
	const char *const *names;      /* all of the CSR, as crypto/host_names.h has them */
	size_t names_n;
	const uint8_t *csr;            /* DER (crypto/csr.h) */
	size_t csr_len;
	const char *replaces;          /* name of the certificate that this one is to replace (RFC 9773 5); NULL: none */
	void *user;                    /* for acme_order_user() */
};

/* E_LIMIT: too many orders; E_FORMAT: the names are not those of the CSR; else as csr_read().  Copies what it needs. */
err_t acme_order_new(struct acme_client *c, const struct now *now, const struct acme_order_wish *wish,
                     struct acme_order **out);
void acme_order_free(struct acme_order **o); /* NULL-safe; the CA forgets the order by itself */

enum acme_order_state { ACME_ORDER_UNDER_WAY, ACME_ORDER_PROVE, ACME_ORDER_ISSUED, ACME_ORDER_FAILED };

/* An order whose state has changed since it was returned here last; NULL: there is none. */
struct acme_order *acme_client_next_order(struct acme_client *c);
enum acme_order_state acme_order_state(const struct acme_order *o);
void *acme_order_user(const struct acme_order *o);
const char *acme_order_url(const struct acme_order *o); /* at the CA, for the log; NULL: not known yet */

enum acme_way { ACME_WAY_DNS, ACME_WAY_PERSIST };

/* A name to be proven, by either way that is offered.  Borrowed from the order. */
struct acme_proof {
	const char *name;                     /* without "*." */
	bool is_wildcard;
	bool is_told;                         /* acme_order_proven() was called */
	bool has_dns;                         /* dns-01: a TXT record at _acme-challenge.NAME with this value */
	char value[ACME_TXT_VALUE_LEN + 1];
	bool has_persist;                     /* dns-persist-01: see acme_order_is_persist() */
};

size_t acme_order_proofs_n(const struct acme_order *o);
const struct acme_proof *acme_order_proof(const struct acme_order *o, size_t i);

/* Whether a TXT record at _validation-persist.NAME, its strings put together, proves this name to this CA for this account. */
bool acme_order_is_persist(const struct acme_order *o, size_t i, const char *txt, uint64_t wall_s);

/* In PROVE: the proof can be seen everywhere, by this way.  Once for each proof. */
void acme_order_proven(struct acme_order *o, const struct now *now, size_t i, enum acme_way way);

/* ISSUED: the certificate first, each signed by the next.  Borrowed from the order. */
struct acme_der {
	const uint8_t *octets;
	size_t len;
};
size_t acme_order_chain(const struct acme_order *o, const struct acme_der **out);

enum acme_fault {
	ACME_FAULT_NETWORK,     /* the CA was not to be reached, or has trouble of its own */
	ACME_FAULT_NAME_RATE,   /* a rate limit for these names: not before retry_s */
	ACME_FAULT_ACCOUNT_RATE,/* a rate limit for the account, or the CA is busy: no order before retry_s */
	ACME_FAULT_ACCOUNT,     /* no account (refused, terms, external account binding): somebody has to do something */
	ACME_FAULT_REFUSED,     /* this order would be refused again: CSR, key, names, profile, CAA */
	ACME_FAULT_VALIDATION,  /* the CA has not found the proof of a name */
	ACME_FAULT_ANSWER,      /* an answer makes no sense, or is a lie (wrong key, broken chain) */
	ACME_FAULT_TIME,        /* one of the limits above */
	ACME_FAULT_MEMORY,
};

struct acme_failure {
	enum acme_fault fault;
	uint64_t retry_s;       /* the CA asks us not to try again before; 0: it says nothing */
	char reason[ACME_REASON_MAX + 1]; /* one line of printable ASCII, with the problem's subproblems */
};

const struct acme_failure *acme_order_failure(const struct acme_order *o); /* FAILED */

/* ---- renewal information (RFC 9773) ---- */

/* Asks when a certificate should be renewed; `cert_id` as of acme_cert_id().  E_LIMIT: too many such questions. */
err_t acme_renewal_new(struct acme_client *c, const struct now *now, const char *cert_id, void *user,
                       struct acme_renewal **out);
void acme_renewal_free(struct acme_renewal **r); /* NULL-safe */

struct acme_renewal *acme_client_next_renewal(struct acme_client *c); /* one that was answered, each once; NULL: there is none */
void *acme_renewal_user(const struct acme_renewal *r);

struct acme_renewal_answer {
	err_t err;              /* E_UNSUPPORTED: this CA has no such information; E_NOTFOUND: not of this certificate; E_FORMAT, E_IO */
	struct acme_window window; /* OK */
	uint64_t retry_s;       /* ask again after so long; at least a minute, at most a day */
};

const struct acme_renewal_answer *acme_renewal_answer(const struct acme_renewal *r);

/* ---- dns-persist-01 ---- */

/* Appends a line of a zone file, for people to commit: the record at _validation-persist.NAME that lets this account have certificates of
 * `name` from this CA for ever; "*.NAME": and of all names below it.  E_NOTFOUND: the account is not known yet; E_UNSUPPORTED: the
 * directory names no issuer domain. */
err_t acme_client_persist_line(const struct acme_client *c, const char *name, struct str *out);
