/* acme/problem.h -- the problem document of a CA (RFC 7807, RFC 8555 6.7) with its subproblems, as a kind and a line for people.
 *
 * The line is printable ASCII, whatever the CA sent: it goes to a log, a terminal and a TXT record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum {
	ACME_PROBLEM_LINE_MAX = 2000,   /* octets of the line; a longer one ends in "..." */
	ACME_PROBLEM_PARTS_MAX = 100,   /* subproblems that are shown */
};

/* RFC 8555 6.7, RFC 9773 7.4, draft-ietf-acme-profiles 6.1. */
enum acme_problem_kind {
	ACME_PROBLEM_OTHER,
	ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST,
	ACME_PROBLEM_ALREADY_REPLACED,
	ACME_PROBLEM_ALREADY_REVOKED,
	ACME_PROBLEM_BAD_CSR,
	ACME_PROBLEM_BAD_NONCE,
	ACME_PROBLEM_BAD_PUBLIC_KEY,
	ACME_PROBLEM_BAD_REVOCATION_REASON,
	ACME_PROBLEM_BAD_SIGNATURE_ALGORITHM,
	ACME_PROBLEM_CAA,
	ACME_PROBLEM_COMPOUND,
	ACME_PROBLEM_CONFLICT,
	ACME_PROBLEM_CONNECTION,
	ACME_PROBLEM_DNS,
	ACME_PROBLEM_EXTERNAL_ACCOUNT_REQUIRED,
	ACME_PROBLEM_INCORRECT_RESPONSE,
	ACME_PROBLEM_INVALID_CONTACT,
	ACME_PROBLEM_INVALID_PROFILE,
	ACME_PROBLEM_MALFORMED,
	ACME_PROBLEM_ORDER_NOT_READY,
	ACME_PROBLEM_RATE_LIMITED,
	ACME_PROBLEM_REJECTED_IDENTIFIER,
	ACME_PROBLEM_SERVER_INTERNAL,
	ACME_PROBLEM_TLS,
	ACME_PROBLEM_UNAUTHORIZED,
	ACME_PROBLEM_UNSUPPORTED_CONTACT,
	ACME_PROBLEM_UNSUPPORTED_IDENTIFIER,
	ACME_PROBLEM_USER_ACTION_REQUIRED,
	ACME_PROBLEM_KINDS
};

struct json_t;

struct acme_problem {
	enum acme_problem_kind kind;
	bool has_names;              /* a subproblem is about an identifier */
	char line[ACME_PROBLEM_LINE_MAX + 1]; /* "rateLimited: too many … (www.example.org: caa: …; …)" */
};

/* Anything is a problem: a body that is no problem document gives a line that says so, with the status. */
void acme_problem_read(unsigned status, const char *body, size_t len, struct acme_problem *out);

/* A problem within another object: the error of a challenge or an order. */
void acme_problem_of(const struct json_t *object, struct acme_problem *out);

/* Writes a text of the CA as printable ASCII, at most `max` octets: '?' for each octet of anything else. */
void acme_put_plain(struct str *out, const char *text, size_t max);
