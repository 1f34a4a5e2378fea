/* zone/master.h -- reads master files (RFC 1035 5, RFC 2308 4, RFC 3597 5).
 *
 * Text goes in, and records come out through callbacks; nothing is kept.  Each record comes with its place in the source, for
 * edits that change files in place.  After an error, reading continues with the next record, and every error is reported, up to
 * a limit.
 *
 * Pure: the caller opens included files, and decides which may be read.
 *
 * Where the RFCs leave room, we follow BIND 9.18: without $TTL, a record has the last TTL given, or else, from the SOA on, the
 * SOA's minimum; TTLs over 2^31 - 1 become 0 (RFC 2181 8); an included file begins with the owner and the TTLs of the including
 * line, and passes the TTLs on to the lines after it, but not owner or origin.
 *
 * Codes of the diagnostics (stable; docs/man/ozone.1).  Errors:
 *   bad-syntax         quote or parenthesis not closed or not opened, octet 0
 *   bad-owner          the owner is not a domain name
 *   no-owner           the first record has no owner to inherit
 *   no-type            the line ends before the type
 *   unknown-type       neither a type nor TYPE123
 *   meta-type          a type that only queries have (RFC 6895 3.1)
 *   bad-class          a class other than IN
 *   bad-ttl            a TTL over 32 bits, or no TTL where one is required
 *   no-ttl             no TTL, no $TTL, and no SOA before
 *   bad-rdata          the data do not fit the type
 *   unknown-directive  $SOMETHING
 *   bad-directive      missing arguments, or too many
 *   bad-origin         the argument of $ORIGIN or $INCLUDE is not a domain name
 *   bad-generate       range, template or result of a $GENERATE
 *   generate-limit     too many records of one $GENERATE, or too much data of all in a zone
 *   generate-refused   with refuses_generate: a $GENERATE
 *   include-refused    not allowed here, a path out of the repository, not a plain file, or a file of keys or secondaries
 *   include-not-found  no such file, or it cannot be read
 *   include-cycle      a file that includes itself
 *   include-depth      includes nested too deeply
 *   include-limit      too many includes, or too much included text, in this zone or in all zones; in the latter case reading stops
 *   too-many-errors    reading stopped
 * Warnings:
 *   ttl-too-large      over 2^31 - 1: 0 is used
 *   soa-ttl            neither TTL nor $TTL at the SOA: its minimum is used
 *   previous-ttl       neither TTL nor $TTL: that of the record before is used (reported once)
 *   previous-owner     an inherited owner right after $ORIGIN
 *   out-of-zone        with drops_outside: a record outside of the zone, which is dropped
 *   too-many-warnings  further warnings are only counted
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "dns/name.h"

enum {
	MASTER_INCLUDE_DEPTH_MAX = 8,
	MASTER_INCLUDES_MAX = 10000,    /* in one zone */
	MASTER_GENERATE_MAX = 1000000,  /* records of one $GENERATE */
	MASTER_GENERATED_MAX = 1 << 27, /* octets of generated records in one zone */
	MASTER_INCLUDED_MAX = 1 << 28,  /* octets of included text in one zone */
	MASTER_ALL_INCLUDES_MAX = 1000000, /* in all zones of a tree; a file counts each time that it is included */
	MASTER_ALL_INCLUDED_MAX = 1 << 30, /* octets of included text in all zones of a tree */
	MASTER_ERRORS_MAX = 100,        /* reported; then reading stops */
	MASTER_WARNINGS_MAX = 100,      /* reported; reading goes on */
	MASTER_PATH_MAX = 1024,
};

enum master_rr_flags {
	MASTER_OWNER_INHERITED = 1 << 0, /* the line begins with white space */
	MASTER_TTL_GIVEN = 1 << 1,
	MASTER_CLASS_GIVEN = 1 << 2,
	MASTER_GENERATED = 1 << 3,       /* made by a $GENERATE */
	MASTER_AMONG_KEYS = 1 << 4,      /* its file looks like a keys file (dns/secret.h); only with marks_keys */
};

/* What gives a TTL to a record without its own. */
enum master_ttl_source {
	MASTER_TTL_NONE,     /* nowhere: an SOA gets its minimum, other records are errors */
	MASTER_TTL_LAST,     /* the last TTL given */
	MASTER_TTL_DEFAULT,  /* $TTL, or the minimum of the SOA before */
};

struct master_rr {
	const uint8_t *owner;
	uint16_t type, rrclass;
	uint32_t ttl;
	uint16_t rdlen;
	const uint8_t *rdata;          /* uncompressed */
	unsigned flags;                /* of enum master_rr_flags */
	const uint8_t *origin;         /* the origin of relative names in the line */
	enum master_ttl_source ttl_source; /* where a line without TTL would get one, if it were right before this record */
	uint32_t ttl_inherited;        /* the TTL that such a line would get; 0: none */
	const char *file;              /* as given to master_read(); or the plain path of an $INCLUDE */
	uint32_t line, last_line;      /* from 1; for a generated record, those of the directive */
	uint32_t col;                  /* of the first token */
	size_t begin, end;             /* octets in the file's text; end is after the line end */
	const char *text;              /* the file's text */
	int32_t number;                /* for a generated record: the number that replaces $ */
};

/* The range of a $GENERATE: numbers from `start`, which is not negative, in steps of `step`, as long as they do not exceed
 * `stop`. */
struct master_range {
	int32_t start, stop, step;
};
err_t master_range_parse(const char *text, size_t len, struct master_range *out); /* E_FORMAT, E_RANGE */

struct master_text {
	const char *text;
	size_t len;
	void *handle; /* for the opener */
};

/* What all zones that are read together may still include.  The limits of each zone hold besides. */
struct master_allowance {
	size_t files, octets;
	size_t files_max, octets_max; /* the whole limits, for messages */
	bool is_spent; /* an $INCLUDE exceeded it, and reading ended there */
};
#define MASTER_ALLOWANCE                                                                                              \
	{ .files = MASTER_ALL_INCLUDES_MAX, .octets = MASTER_ALL_INCLUDED_MAX, .files_max = MASTER_ALL_INCLUDES_MAX,  \
	  .octets_max = MASTER_ALL_INCLUDED_MAX }

struct master_reader {
	const uint8_t *apex;           /* initial $ORIGIN */
	const char *file;              /* name of the file in messages, relative to the root of the repository */
	void *ctx;
	err_t (*record)(void *ctx, const struct master_rr *rr); /* an error ends the reading */
	/* Opens a file for $INCLUDE: `path` is plain, relative to the repository's root, and within it ("sub/x.inc").  NULL:
	 * $INCLUDE is refused.  Errors, such as E_REFUSED (not a plain file) or E_NOTFOUND, become a diagnostic. */
	err_t (*open)(void *ctx, const char *path, struct master_text *out);
	void (*close)(void *ctx, struct master_text *text);
	const struct diag_sink *sink;
	bool has_default_ttl;          /* before any $TTL, records without TTL get default_ttl: for keys files */
	uint32_t default_ttl;
	bool is_of_keys;               /* this is a keys file: $INCLUDE may read other keys files, and `sink` must keep secrets
	                                * to itself */
	bool marks_keys;               /* records get MASTER_AMONG_KEYS, at the cost of one more pass over each text */
	bool refuses_generate;         /* for files of keys or secondaries: no limit of a zone's memory holds for their records */
	bool drops_outside;            /* records outside `apex` get a warning and are dropped */
	struct master_allowance *allowance; /* reduced by what this reading includes; NULL: only the limits of one zone count */
};

struct master_counts {
	size_t records, errors, warnings;
	size_t generate_rest; /* how many records a $GENERATE had yet to make when a callback's error ended the reading */
};

/* E_FORMAT: there were errors, all of which were reported; *out is written nevertheless.  Other errors come from the callbacks.
 * The data in rr and diagnostics are only valid during the callback. */
err_t master_read(const struct master_reader *r, const char *text, size_t len, struct master_counts *out);

/* Makes the path of an $INCLUDE in the file `from` plain: relative to the root, no "." or empty parts, ".." resolved.  It is
 * given relative to the directory of `from`.  E_REFUSED: it is absolute, leaves the root, or goes into ".git".  E_LIMIT: it is
 * too long.  E_FORMAT: it names no file (empty, octet 0). */
err_t master_include_path(const char *from, const char *path, size_t len, char out[MASTER_PATH_MAX]);
