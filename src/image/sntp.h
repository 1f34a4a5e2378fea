/* image/sntp.h -- the time from a server: SNTP version 4 (RFC 4330), as a client.
 *
 * One datagram asks, one answers.  An answer counts if it repeats the random number of the question, comes from a server that is
 * itself synchronised, and is plausible.  Times are nanoseconds since 1970.
 *
 * Pure: sockets, clocks and randomness are the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	SNTP_LEN = 48, /* a message without authentication; an answer may be longer */
	SNTP_PORT = 123,
	SNTP_SLEW_MAX_MS = 128, /* a smaller error is corrected by a faster or slower clock, a larger one by a jump */
	SNTP_TRUST_MAX_S = 900, /* a larger jump, once the clock was right, needs SNTP_WITNESSES answers */
	SNTP_WITNESSES = 3,
};

/* Writes a question.  `nonce` stands where our time would be: the server only repeats it, and it is harder to guess. */
void sntp_ask(uint64_t nonce, uint8_t out[SNTP_LEN]);

/* When the server received the question and sent the answer, by its clock. */
struct sntp_answer {
	int64_t received_ns, sent_ns;
};

/* E_FORMAT: no answer to this question; it may be forged, and the caller waits for another one.  E_REFUSED: the server wants us to ask
 * less, or not at all (RFC 4330 8).  E_UNSUPPORTED: the server's own time cannot be relied on.  *why says what, static. */
err_t sntp_read(const uint8_t *octets, size_t len, uint64_t nonce, struct sntp_answer *out, const char **why);

/* By how much our clock is behind.  `asked_ns` and `heard_ns` are by our clock, and not before 1970 (RFC 4330 5). */
int64_t sntp_offset_ns(const struct sntp_answer *a, int64_t asked_ns, int64_t heard_ns);

/* What is to be done about an offset.  Zero-initialised; belongs to one clock. */
struct sntp_judge {
	bool was_right;         /* the clock has been set or confirmed before */
	unsigned witnesses;     /* answers in a row that agree on a large jump */
	int64_t doubted_ns;     /* the offset they agree on */
};

enum sntp_verdict { SNTP_SLEW, SNTP_STEP, SNTP_DOUBT };

/* `then_ns` is the time that the offset would lead to; `floor_ns` is a time that is surely past. */
enum sntp_verdict sntp_decide(struct sntp_judge *j, int64_t offset_ns, int64_t then_ns, int64_t floor_ns);
