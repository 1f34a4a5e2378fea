/* auth/rate_limit.h -- response rate limiting (RRL): how many like answers a network of clients gets over UDP in a second.
 *
 * The sender's address of a datagram can be forged, and then somebody else gets our answers.  Such floods have one network as their target,
 * and few different answers.  So answers are counted in accounts: an account is a network and what the answer is about.  Which name that is
 * depends on the kind of answer, and it is always a name of ours, so that nobody opens new accounts by asking for random names:
 *
 *   data         the name that has the records, or has none of that type
 *   referral     the cut
 *   denial       the zone (NXDOMAIN)
 *   expansion    the wildcard or DNAME
 *   error        nothing: a network has one account for all errors
 *
 * An account may have `rate` answers a second, and a second's worth at once.  Beyond that answers are dropped, except for one of `slip`:
 * that one goes out without records, so that a client whose network is the target learns that it should come over TCP.  Answers that are
 * dropped count, too, up to `window_s` seconds' worth: so a network that goes on asking too much gets nothing more.  With a window of one
 * second it gets `rate` answers in each second.
 *
 * The table has a fixed size, and holds no names and no addresses.  An account has one cell in each of RATE_LIMIT_ROWS rows, which a keyed
 * hash chooses, and the cell that says least counts.  So:
 *   - an account that shares not all of its cells with others gets what it would get alone;
 *   - if F accounts are above their rate, another one is held for one of them with a probability of (F / RATE_LIMIT_CELLS)^4 at most: for
 *     10,000 accounts that is 1 in 470,000, for 1,000 of them 1 in 4,700 millions;
 *   - small accounts add up in a cell: at T answers a second to T different accounts, a cell has T / RATE_LIMIT_CELLS a second;
 *   - without the key nobody can choose accounts that share cells.
 *
 * Any number of threads share the table without a lock.  A cell is one word, read and written with relaxed atomics.  If two threads write
 * one cell at the same time, one of the two answers may not count, so now and then an account gets a little more, and never less.
 *
 * Pure: time and key come in.  Cost of an answer: a hash, and a look at four words that may each miss the cache.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "base/err.h"

enum {
	RATE_LIMIT_ROWS = 4,
	RATE_LIMIT_CELLS = 1 << 18, /* of a row */
	RATE_LIMIT_OCTETS = RATE_LIMIT_ROWS * RATE_LIMIT_CELLS * 8, /* 8 MiB */
	RATE_LIMIT_KEY_LEN = 16,
	RATE_LIMIT_EXEMPT_MAX = 64,
	RATE_LIMIT_MAX = 1000000,       /* answers a second */
	RATE_LIMIT_SLIP_MAX = 100,
	RATE_LIMIT_WINDOW_MAX_S = 3600,
};

struct rate_limit_network {
	struct key_address address;
	uint8_t len; /* bits that count */
};

struct rate_limit_conf {
	uint32_t rate;     /* answers a second, 1 to RATE_LIMIT_MAX */
	uint32_t slip;     /* of so many answers that are held back one goes out without records; 0: none */
	uint32_t window_s; /* at least 1 */
	uint8_t ipv4_len, ipv6_len; /* a network's bits */
	struct rate_limit_network exempt[RATE_LIMIT_EXEMPT_MAX];
	size_t exempt_n;
};

enum rate_kind { RATE_DATA, RATE_REFERRAL, RATE_DENIAL, RATE_EXPANSION, RATE_ERROR, RATE_KINDS };

struct rate_account {
	struct key_address from;
	enum rate_kind kind;
	const uint8_t *about; /* a name of ours, in the spelling that it has here; NULL: none */
};

enum rate_verdict { RATE_PASS, RATE_DROP, RATE_SLIP };

struct rate_limit;

/* Copies `conf`, whose numbers are within their limits.  `key`: RATE_LIMIT_KEY_LEN octets that nobody can guess. */
struct rate_limit *rate_limit_new(const struct rate_limit_conf *conf, const uint8_t *key);
void rate_limit_free(struct rate_limit **r); /* NULL-safe */

/* Counts one more answer of an account.  `now_ns`: of a clock that never goes back (base/now.h); a hundredth of a second is exact enough.
 * `nth`: a number that the caller raises with each answer that is held back; it decides which of them slips. */
enum rate_verdict rate_limit_judge(struct rate_limit *r, const struct rate_account *account, uint64_t now_ns, uint64_t nth);

const struct rate_limit_conf *rate_limit_conf(const struct rate_limit *r);
