/* base/err.h -- the error type, and assertions, which abort.
 *
 * Three kinds of failure are kept apart.  Bad input, or a failure of the system or a peer, is an err_t (together with a struct
 * diag where people will read it).  A result that the protocol provides for (an RCODE, "up to date") is a value of its own, not
 * an error.  A bug of ours is an ASSERT: active in release builds, and never reachable from bytes that we received.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum [[nodiscard]] err {
	OK = 0,
	E_SHORT,       /* input ends before what it announces */
	E_FULL,        /* output has no room left */
	E_FORMAT,      /* input does not follow its grammar */
	E_PTR,         /* compression pointer that does not point backwards (RFC 1035 4.1.4) */
	E_LABEL,       /* label too long, empty, or of an unknown type */
	E_NAMELEN,     /* name over 255 octets (RFC 1035 2.3.4) */
	E_RANGE,       /* number too large or too small for its field */
	E_LIMIT,       /* beyond a named limit of ours */
	E_NOMEM,       /* allocation of a size that a peer or a file chose failed */
	E_NOTFOUND,    /* no such thing */
	E_EXISTS,      /* it is there already */
	E_UNSUPPORTED, /* well-formed, but not known to us */
	E_IO,          /* a system call failed; errno was copied into the diag */
	E_TIMEOUT,     /* a time limit passed */
	E_AUTH,        /* credentials or signatures do not match */
	E_REFUSED,     /* the other side refused */
	E_BUSY,        /* already under way */
	E_STOPPED,     /* ended on request */
	E_CRYPTO,      /* the cryptographic library failed */
	E_STALE,       /* the other side has changed since: begin again with its present state */
	E_UNKNOWN,     /* it is not known yet whether it was done */
	E_COUNT
} err_t;

/* One short English phrase, static. */
const char *err_str(err_t e);

/* One word, in lower case, for programs: "timeout", "not-found"; OK is "ok". */
const char *err_word(err_t e);

/* The only macro that returns: leaves the function when `expr` is not OK. */
#define TRY(expr)                                                                                  \
	do {                                                                                       \
		err_t try_err_ = (expr);                                                           \
		if (try_err_ != OK) {                                                              \
			return try_err_;                                                           \
		}                                                                                  \
	} while (0)

[[gnu::noreturn]] void assert_failed(const char *expr, const char *file, int line);

/* A contract between our own functions; never a check of data. */
#define ASSERT(expr) ((expr) ? (void)0 : assert_failed(#expr, __FILE__, __LINE__))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
