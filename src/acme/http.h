/* acme/http.h -- what the client of a certificate authority (CA) sends and gets over HTTPS, without the connection itself.
 *
 * The client makes a struct acme_request; whoever has the connection sends it as it is, with no header that is not said here besides
 * User-Agent and Accept-Language (RFC 8555 6.1), follows no redirection, and verifies the server's certificate.  What comes back goes
 * into a struct acme_answer, piece by piece as it arrives: acme_answer_begin() at the status line (again for each one, since an interim
 * answer may precede), acme_answer_header() for each header line, acme_answer_body() for each piece of the body.  All limits are here:
 * a piece that is over one gets E_LIMIT, and the transfer is to be ended then, and told to the client as a failure.
 *
 * Everything in an answer is hostile.  A header that we do not use, or that is malformed, is passed over.
 *
 * Pure.  An answer owns its body and its texts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
	ACME_URL_MAX = 1024,          /* octets of a URL, without the NUL */
	ACME_NONCE_MAX = 256,         /* octets of a nonce */
	ACME_BODY_MAX = 256 << 10,    /* octets of a body: a chain of ten large certificates takes 40 KiB */
	ACME_HEADERS_MAX = 64,        /* header lines of one answer */
	ACME_HEADER_LINE_MAX = 8192,  /* octets of one of them */
	ACME_LINKS_MAX = 16,          /* links to other chains that are kept */
};

enum acme_method { ACME_GET, ACME_HEAD, ACME_POST };

/* Texts are the client's, and stay until its next request is taken. */
struct acme_request {
	uint64_t id;         /* comes back with the answer; never used again for another request */
	enum acme_method method;
	const char *url;     /* https://… */
	const char *content_type; /* of the body: application/jose+json; NULL: there is no body */
	const char *accept;  /* a header Accept with this; NULL: none */
	const char *body;
	size_t body_len;
};

/* Empty when zeroed. */
struct acme_answer {
	unsigned status;                      /* 200, … */
	char nonce[ACME_NONCE_MAX + 1];       /* Replay-Nonce (RFC 8555 6.5.1); "": none, or malformed */
	char location[ACME_URL_MAX + 1];      /* as it was sent: maybe relative; "": none */
	struct acme_links {
		char *alternates[ACME_LINKS_MAX]; /* Link with rel="alternate" (RFC 8555 7.4.2); as they were sent */
		size_t alternates_n;
		char terms[ACME_URL_MAX + 1];     /* rel="terms-of-service" (7.3.3); "": none */
	} links;
	struct acme_retry {                   /* Retry-After (RFC 9110 10.2.3) */
		enum { ACME_RETRY_NONE, ACME_RETRY_SECONDS, ACME_RETRY_DATE } kind;
		uint64_t value;                   /* seconds, from now or since 1970 */
	} retry;
	struct str body;
	size_t headers_n;
};

void acme_answer_begin(struct acme_answer *a, unsigned status); /* forgets all that came before */
err_t acme_answer_header(struct acme_answer *a, const char *line, size_t len); /* with or without CR LF; E_LIMIT, E_NOMEM */
err_t acme_answer_body(struct acme_answer *a, const void *bytes, size_t n);    /* E_LIMIT, E_NOMEM */
void acme_answer_fini(struct acme_answer *a);                   /* ready to be used again */

/* Seconds that the other side asks us to wait, counted from `wall_s`; 0: none, or the time has passed. */
uint64_t acme_answer_retry_s(const struct acme_answer *a, uint64_t wall_s);

/* A URL that we would ask: https, a host, at most ACME_URL_MAX octets, and no character that would need to be escaped (in JSON, in a
 * header, in a line of the log), no user and no fragment. */
bool acme_url_is_good(const char *url);

/* The port of a URL that acme_url_is_good() takes: 443 if it names none, or no port that there is. */
uint16_t acme_url_port(const char *url);

/* The URL that `ref`, from an answer to `base`, leads to: a URL by itself, or a path that begins with "/" at the same host.  E_FORMAT:
 * anything else. */
err_t acme_url_resolve(const char *base, const char *ref, char out[ACME_URL_MAX + 1]);
