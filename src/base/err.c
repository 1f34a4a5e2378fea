#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>

const char *
err_str(err_t e)
{
	static const char *const text[E_COUNT] = {
		[OK] = "no error",
		[E_SHORT] = "input ends too early",
		[E_FULL] = "no room left in the output",
		[E_FORMAT] = "malformed input",
		[E_PTR] = "bad compression pointer",
		[E_LABEL] = "bad label",
		[E_NAMELEN] = "name longer than 255 octets",
		[E_RANGE] = "number out of range",
		[E_LIMIT] = "over a limit",
		[E_NOMEM] = "out of memory",
		[E_NOTFOUND] = "not found",
		[E_EXISTS] = "exists already",
		[E_UNSUPPORTED] = "not supported",
		[E_IO] = "input or output failed",
		[E_TIMEOUT] = "timed out",
		[E_AUTH] = "authentication failed",
		[E_REFUSED] = "refused",
		[E_BUSY] = "busy",
		[E_STOPPED] = "stopped",
		[E_CRYPTO] = "cryptographic library failed",
		[E_STALE] = "the other side has changed meanwhile",
		[E_UNKNOWN] = "it is not known whether it was done",
	};
	return (unsigned)e < E_COUNT ? text[e] : "unknown error";
}

const char *
err_word(err_t e)
{
	static const char *const words[E_COUNT] = {
		[OK] = "ok", [E_SHORT] = "short", [E_FULL] = "full", [E_FORMAT] = "format", [E_PTR] = "pointer", [E_LABEL] = "label",
		[E_NAMELEN] = "name-length", [E_RANGE] = "range", [E_LIMIT] = "limit", [E_NOMEM] = "memory", [E_NOTFOUND] = "not-found",
		[E_EXISTS] = "exists", [E_UNSUPPORTED] = "unsupported", [E_IO] = "io", [E_TIMEOUT] = "timeout", [E_AUTH] = "auth",
		[E_REFUSED] = "refused", [E_BUSY] = "busy", [E_STOPPED] = "stopped", [E_CRYPTO] = "crypto", [E_STALE] = "stale",
		[E_UNKNOWN] = "unknown",
	};
	return (unsigned)e < E_COUNT ? words[e] : "unknown";
}

void
assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: broken contract: %s\n", file, line, expr);
	abort();
}
