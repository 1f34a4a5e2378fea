/* tests/sim/certificates/ca.h -- the model of a CA: RFC 8555 with dns-01 and dns-persist-01, RFC 9773.
 *
 * ca.c has accounts, orders and proofs; ca_answer.c writes its answers; ca_wrong.c makes them wrong; ca_issue.c makes certificates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/http.h"
#include "acme/renewal.h"
#include "base/str.h"
#include "crypto/csr.h"
#include "crypto/x509.h"

#define CA_URL "https://ca.example"
#define CA_ISSUER "ca.example"
#define CA_ROOT "Root"             /* above the first chain */
#define CA_OTHER_ROOT "Other Root" /* above the second one */

enum {
	CA_ORDERS_MAX = 64,     /* that it remembers; likewise below */
	CA_PROOFS_MAX = 256,
	CA_CERTS_MAX = 64,
	CA_NONCES_MAX = 256,
	CA_NAMES_MAX = 4,       /* of an order */
	CA_NAME_MAX = 64,
	CA_TOKEN_MAX = 24,
	CA_REUSE_S = 4 * 3600,
};

struct world;

enum ca_lie { CA_HONEST, CA_WRONG_KEY, CA_WRONG_NAME, CA_EXPIRED, CA_EARLY, CA_WRONG_CHAIN, CA_CUT, CA_LIES };

struct ca_proof {
	unsigned number;        /* 0: none */
	char name[CA_NAME_MAX]; /* without "*." */
	bool is_wildcard, is_told, is_by_lasting; /* by_lasting: it was told that there is a record that lasts */
	enum { CA_PENDING, CA_VALID, CA_INVALID } state;
	char token[CA_TOKEN_MAX];
	uint64_t until_ns;      /* VALID: for other orders, too */
};

struct ca_cert {
	unsigned number;
	char id[ACME_CERT_ID_MAX + 1];
	uint64_t not_before_s, not_after_s;
	bool is_replaced;
	struct str pem, other;  /* other: with the second chain */
};

struct ca_order {
	unsigned number;
	size_t n;
	char names[CA_NAMES_MAX][CA_NAME_MAX];
	unsigned proofs[CA_NAMES_MAX];
	bool is_finalized;
	uint64_t done_ns;       /* FINALIZED: the certificate is there */
	unsigned cert;
};

struct ca {
	bool has_account;
	unsigned account;       /* counts, as the CA may forget it */
	unsigned nonces_n;      /* ever */
	bool is_nonce[CA_NONCES_MAX];
	struct ca_order orders[CA_ORDERS_MAX];
	struct ca_proof proofs[CA_PROOFS_MAX];
	struct ca_cert certs[CA_CERTS_MAX];
	unsigned orders_n, proofs_n, certs_n;
};

/* ---- ca.c ---- */

void ca_fini(struct ca *ca);
void ca_forget(struct ca *ca); /* accounts, orders, proofs */
void ca_look(struct world *w, unsigned proof);

const struct ca_cert *ca_new_cert(struct world *w, uint64_t not_before_s, const struct csr *request, enum ca_lie lie);

/* Serves a request. */
void ca_serve(struct world *w, enum acme_method method, const char *url, const struct str *body, struct acme_answer *a);

/* ---- ca_answer.c ---- */

void ca_say(struct acme_answer *a, unsigned status, const char *body);
[[gnu::format(printf, 2, 3)]] void ca_say_header(struct acme_answer *a, const char *format, ...);
void ca_say_problem(struct acme_answer *a, unsigned status, const char *type, const char *detail);
void ca_say_directory(const struct world *w, struct acme_answer *a);
void ca_say_order(const struct world *w, struct acme_answer *a, unsigned status, const struct ca_order *o);
void ca_say_proof(const struct world *w, struct acme_answer *a, const struct ca_proof *p);
void ca_say_window(struct acme_answer *a, const struct ca_cert *c);

/* ---- ca_wrong.c ---- */

/* True: the request is not served, but answered wrongly. */
bool ca_refuses(struct world *w, struct acme_answer *a);
void ca_spoil(struct world *w, struct acme_answer *a); /* an answer, perhaps */

/* ---- ca_issue.c ---- */

void ca_keys_begin(void);
void ca_keys_end(void);

/* Makes a certificate for what the request asks for, and its chains. */
void ca_issue(struct ca_cert *c, const struct csr *request, enum ca_lie lie);

/* Its first certificate, for the caller to free. */
struct cert *ca_leaf(const struct ca_cert *c);
struct cert *ca_middle(void);
