/* acme/remark.h -- what oacme leaves in DNS about its work for HOST: TXT records at _status._letsencrypt._tcp.HOST.
 *
 *     "proof" MARK TIME OWNER VALUE                 a TXT record with VALUE is at OWNER, until an order ends
 *     "failed" TIME "tries N" "next TIME" "request HASH" REASON...
 *     "tlsa" TIME OWNER HASH                        a TLSA record 3 1 1 with HASH is at OWNER, as long as its key is in use
 *
 * Each word is a character-string of the record.  Times are as in RFC 3339, in UTC.  The first kind goes in and out together with the
 * proof, so that a proof that was left behind is found again, and nobody else's is taken for one.  MARK says whose it is.  The second
 * kind tells people why there is no certificate, and a later run how long to wait.  The third kind is what a later run knows of keys that
 * have been replaced, and which TLSA records are other people's.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "dns/name.h"

enum {
	REMARK_MARK_LEN = 8,       /* characters */
	REMARK_PROOF_LEN = 43,     /* characters of a proof (RFC 8555 8.4): a remark on anything else is none */
	REMARK_VALUE_MAX = 64,     /* characters of SHA-256 in base16 */
	REMARK_REASON_MAX = 1000,  /* octets; more is cut */
	REMARK_HASH_LEN = 8,       /* characters */
	REMARK_RDATA_MAX = 2048,   /* octets of the longest record */
	REMARK_TRIES_MAX = 10000,
	REMARK_TIME_TEXT_MAX = 24,
};

enum remark_kind { REMARK_PROOF, REMARK_FAILED, REMARK_TLSA };

struct remark {
	enum remark_kind kind;
	uint64_t at_s;                        /* since 1970; to the second */
	char mark[REMARK_MARK_LEN + 1];       /* REMARK_PROOF */
	struct name owner;                    /* REMARK_PROOF, REMARK_TLSA */
	char value[REMARK_VALUE_MAX + 1];     /* likewise: the proof, or HASH */
	/* REMARK_FAILED */
	unsigned tries;                       /* in a row */
	uint64_t next_s;
	char request[REMARK_HASH_LEN + 1];    /* of which signing request */
	char reason[REMARK_REASON_MAX + 1];   /* printable ASCII */
};

/* Writes the RDATA of the TXT record.  E_FULL. */
err_t remark_write(const struct remark *r, struct buf *rdata);

/* E_FORMAT: it is no remark. */
err_t remark_read(const uint8_t *rdata, size_t len, struct remark *out);

/* "2026-11-30T05:20:00Z"; years up to 9999, later times as the last second. */
void remark_print_time(uint64_t at_s, char out[REMARK_TIME_TEXT_MAX]);
