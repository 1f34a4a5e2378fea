/* zone/master.h -- reads master files (RFC 1035 5, RFC 2308 4, RFC 3597 5).
 *
 * Text goes in and records come out, through callbacks; nothing is kept.  Each record comes with its place in the
 * source, as edits change files in place.  After an error reading goes on at the next record,
 * and every error is reported, up to a limit.
 *
 * Pure: included files come from the caller, who decides what may be read.
 *
 * Where the RFCs leave room, BIND 9.18 is followed: TTLs without $TTL (the last one given, else the
 * SOA's minimum for and after the SOA), TTLs over 2^31 - 1 are 0 (RFC 2181 8), an included file begins with the
 * owner and the TTLs of the line that includes it, and leaves the TTLs behind, but not owner or origin.
 *
 * Codes of the diagnostics (stable; docs/man/ozone.1).  Errors:
 *   bad-syntax         quote or parenthesis not closed or not opened, octet 0
 *   bad-owner          the owner is no domain name
 *   no-owner           the first record has no owner to inherit
 *   no-type            the line ends before the type
 *   unknown-type       neither a type nor TYPE123
 *   meta-type          a type that only queries have (RFC 6895 3.1)
 *   bad-class          a class other than IN
 *   bad-ttl            a TTL over 32 bits, or no TTL where one must be
 *   no-ttl             no TTL, no $TTL, and no SOA before
 *   bad-rdata          the data do not fit the type
 *   unknown-directive  $SOMETHING
 *   bad-directive      arguments missing or too many
 *   bad-origin         the argument of $ORIGIN or $INCLUDE is no domain name
 *   bad-generate       range, template or result of a $GENERATE
 *   generate-limit     a $GENERATE makes too many records, or all of a zone's too much data
 *   include-refused    not allowed here, a path out of the repository, no plain file, or one of keys or policy
 *   include-not-found  no such file, or it cannot be read
 *   include-cycle      a file that includes itself
 *   include-depth      includes within includes
 *   include-limit      too many includes, or too much text in them, in this zone or in all together; for the latter reading stops
 *   too-many-errors    reading stopped
 * Warnings:
 *   ttl-too-large      over 2^31 - 1: 0 is used
 *   soa-ttl            neither TTL nor $TTL at the SOA: its minimum is used
 *   previous-ttl       neither TTL nor $TTL: that of the record before is used (reported once)
 *   previous-owner     an inherited owner right after $ORIGIN
 *   out-of-zone        with drops_outside: a record outside of the zone, which is not given out
 *   too-many-warnings  the others are counted only
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "dns/name.h"

enum {
	MASTER_INCLUDE_DEPTH_MAX = 8,
	MASTER_INCLUDES_MAX = 10000,    /* over all of one zone */
	MASTER_GENERATE_MAX = 1000000,  /* records of one $GENERATE */
	MASTER_GENERATED_MAX = 1 << 27, /* octets of generated records, over all of one zone */
	MASTER_INCLUDED_MAX = 1 << 28,  /* octets of included text, over all of one zone */
	MASTER_ALL_INCLUDES_MAX = 1000000, /* over all zones of a tree; a file counts each time that it is included */
	MASTER_ALL_INCLUDED_MAX = 1 << 30, /* octets, likewise */
	MASTER_ERRORS_MAX = 100,        /* reported; then reading stops */
	MASTER_WARNINGS_MAX = 100,      /* reported; reading goes on */
	MASTER_PATH_MAX = 1024,
};

enum master_rr_flags {
	MASTER_OWNER_INHERITED = 1 << 0, /* the line begins with white space */
	MASTER_TTL_GIVEN = 1 << 1,
	MASTER_CLASS_GIVEN = 1 << 2,
	MASTER_GENERATED = 1 << 3,       /* out of a $GENERATE */
	MASTER_AMONG_KEYS = 1 << 4,      /* its file looks like one of keys (dns/secret.h); only where marks_keys */
};

/* Where a record without a TTL has it from. */
enum master_ttl_source {
	MASTER_TTL_NONE,     /* nowhere: a SOA has its minimum, others are errors */
	MASTER_TTL_LAST,     /* the TTL given last */
	MASTER_TTL_DEFAULT,  /* $TTL, or the minimum of the SOA before */
};

struct master_rr {
	const uint8_t *owner;
	uint16_t type, rrclass;
	uint32_t ttl;
	uint16_t rdlen;
	const uint8_t *rdata;          /* uncompressed */
	unsigned flags;                /* of enum master_rr_flags */
	const uint8_t *origin;         /* what relative names of the line are completed with */
	enum master_ttl_source ttl_source; /* for a line without a TTL in this place, before this record */
	uint32_t ttl_inherited;        /* what it would have; 0 when it would have none */
	const char *file;              /* as named to master_read() or by $INCLUDE, path made plain */
	uint32_t line, last_line;      /* from 1; of the directive for a generated record */
	uint32_t col;                  /* of the first token */
	size_t begin, end;             /* octets in the file's text; end is after the line end */
	const char *text;              /* the file's text */
	int32_t number;                /* of a generated record: what $ stands for */
};

/* The range of a $GENERATE: numbers from 0, all steps of `step` from `start` up to `stop`, which may lie between two. */
struct master_range {
	int32_t start, stop, step;
};
err_t master_range_parse(const char *text, size_t len, struct master_range *out); /* E_FORMAT, E_RANGE */

struct master_text {
	const char *text;
	size_t len;
	void *handle; /* the opener's */
};

/* What zones that are read together may include in all, beside the limits of each: what is left of it. */
struct master_allowance {
	size_t files, octets;
	size_t files_max, octets_max; /* of what it was, for messages */
	bool is_spent; /* something was refused for want of it: reading ended there */
};
#define MASTER_ALLOWANCE                                                                                              \
	{ .files = MASTER_ALL_INCLUDES_MAX, .octets = MASTER_ALL_INCLUDED_MAX, .files_max = MASTER_ALL_INCLUDES_MAX,  \
	  .octets_max = MASTER_ALL_INCLUDED_MAX }

struct master_reader {
	const uint8_t *apex;           /* initial $ORIGIN */
	const char *file;              /* name for messages, relative to the root of the repository */
	void *ctx;
	err_t (*record)(void *ctx, const struct master_rr *rr); /* an error ends the reading */
	/* $INCLUDE: `path` is plain, relative to the repository's root and within it ("sub/x.inc").
	 * NULL: $INCLUDE is refused.  E_REFUSED (it is no plain file), E_NOTFOUND and others become a diagnostic. */
	err_t (*open)(void *ctx, const char *path, struct master_text *out);
	void (*close)(void *ctx, struct master_text *text);
	const struct diag_sink *sink;
	bool has_default_ttl;          /* before any $TTL, records without one get default_ttl: for keys files */
	uint32_t default_ttl;
	bool is_of_keys;               /* it is a keys file: $INCLUDE may read others, and `sink` lets no secret out */
	bool marks_keys;               /* records get MASTER_AMONG_KEYS: one more pass over each text */
	bool drops_outside;            /* records not within `apex` are warned about and not given out */
	struct master_allowance *allowance; /* what this reading takes is taken off; NULL: the limits of one zone alone count */
};

struct master_counts {
	size_t records, errors, warnings;
};

/* E_FORMAT when there were errors (all of them have been reported; *out is written nevertheless).
 * Other errors: from the callbacks.  What rr and the diagnostics borrow ends with the callback. */
err_t master_read(const struct master_reader *r, const char *text, size_t len, struct master_counts *out);

/* The path of an $INCLUDE in `from`, made plain: no "." or empty parts, ".." resolved.  Relative to
 * the directory that `from` is in.  E_REFUSED when it is absolute, leaves the root or goes into ".git"; E_LIMIT
 * when it is too long; E_FORMAT when it names no file (empty, octet 0). */
err_t master_include_path(const char *from, const char *path, size_t len, char out[MASTER_PATH_MAX]);
