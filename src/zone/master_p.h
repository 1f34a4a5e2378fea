/* zone/master_p.h -- the private header of master*.c.
 *
 * Functions here return OK, or E_FORMAT after an error that was reported.  Then reading continues with the next line; if `stop`
 * is set, it ends.
 */
#pragma once

#include "base/buf.h"
#include "dns/lex.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "zone/master.h"

enum {
	MASTER_TEMPLATE_MAX = 65536,  /* one side of a generated record, expanded */
	MASTER_NUMBER_MAX = 128,      /* a number in it with its NUL, as in BIND */
	MASTER_SHOWN_MAX = 64,        /* octets of a token in a message */
	MASTER_RECORD_COST = 32,      /* octets that a generated record counts besides owner and RDATA */
};

/* A file that is being read; for each one such a frame is on the stack. */
struct master_frame {
	const char *file;
	const struct master_frame *up; /* the including file; NULL for the zone's own file */
	unsigned depth;
	bool is_judged, has_keys;      /* is_judged: the text was examined; has_keys: it looks like a keys file */
};

struct master {
	const struct master_reader *r;
	struct lex lx;
	struct master_frame *frame;
	struct name origin;
	struct name owner;          /* of the last record; len 0: there was none */
	const char *owner_text;     /* its text, as long as text and origin stay the same; else NULL */
	size_t owner_text_len;
	bool owner_is_bad;          /* it could not be parsed: records with it are dropped */
	bool origin_changed;        /* by $ORIGIN, and no owner was given since */
	bool has_default_ttl;       /* $TTL, or the SOA's minimum */
	bool has_last_ttl;
	bool warned_last_ttl;
	uint32_t default_ttl, last_ttl;
	struct master_counts counts;
	size_t includes, included_octets, generated_octets;
	err_t stop;                 /* not OK: reading ends with it */
	struct buf rdata;           /* over rdata_octets */
	uint8_t rdata_octets[DNS_RDATA_MAX];
	char expanded[MASTER_TEMPLATE_MAX];
};

/* The part of a record between owner and RDATA. */
struct master_head {
	struct lex_token t;         /* token of the type */
	uint16_t type;
	bool has_ttl, has_class;
	uint32_t ttl;
};

/* ---- master.c ---- */

err_t master_read_text(struct master *m, const char *text, size_t len);
err_t master_parse_name(struct master *m, const struct lex_token *t, const char *code, struct name *out);
/* Reads TTL and class, in any order, and then the type. */
err_t master_read_head(struct master *m, struct master_head *out);
/* Reads a TTL from a token that looks like one; E_UNSUPPORTED, without a report: it is none. */
err_t master_read_ttl(struct master *m, const struct lex_token *t, uint32_t *out);
/* Finds the TTL of a record, whose RDATA is in m->rdata. */
err_t master_settle_ttl(struct master *m, const struct master_head *h, uint32_t *out);

/* Passes a record to the callback.  With drops_outside, a record outside the zone gets a warning at `t` instead.  Returns
 * m->stop. */
err_t master_give(struct master *m, const struct lex_token *t, const struct master_rr *rr);

/* Notes the TTL that a record without a TTL would get here. */
static inline void
master_note_ttl(const struct master *m, struct master_rr *rr)
{
	rr->ttl_source = m->has_default_ttl ? MASTER_TTL_DEFAULT : m->has_last_ttl ? MASTER_TTL_LAST : MASTER_TTL_NONE;
	rr->ttl_inherited = m->has_default_ttl ? m->default_ttl : m->last_ttl;
}

/* The line of the last LEX_EOL. */
static inline uint32_t
master_last_line(const struct master *m)
{
	return m->lx.at == m->lx.line_start ? m->lx.line - 1 : m->lx.line;
}

/* ---- master_directive.c ---- */

err_t master_directive(struct master *m, const struct lex_token *t);
/* Reads the next argument of a directive; `what` describes it in the message if there is none. */
err_t master_argument(struct master *m, const char *what, struct lex_token *out);
err_t master_expect_end(struct master *m, const char *hint);

/* ---- master_include.c, master_generate.c: after the directive's name ---- */

err_t master_include(struct master *m);
err_t master_generate(struct master *m, const struct lex_token *directive);

/* ---- master_report.c ---- */

/* Counts and reports an error at a token; returns E_FORMAT. */
[[gnu::cold, gnu::format(printf, 5, 6)]] err_t master_error(struct master *m, const struct lex_token *t,
                                                 const char *code, const char *hint,
                                                 const char *format, ...);
[[gnu::cold, gnu::format(printf, 5, 6)]] void master_warn(struct master *m, const struct lex_token *t,
                                               const char *code, const char *hint,
                                               const char *format, ...);
/* A token of kind LEX_ERROR. */
[[gnu::cold]] err_t master_lex_error(struct master *m, const struct lex_token *t);
[[gnu::cold]] err_t master_unknown_type(struct master *m, const struct lex_token *t, bool has_ttl);
/* The text of a token for a message: shortened, control characters escaped. */
[[gnu::cold]] const char *master_shown(const struct lex_token *t, char out[MASTER_SHOWN_MAX]);
/* True when the present file looks like a keys file (dns/secret.h).  The text is examined once, when this is first called. */
[[gnu::cold]] bool master_has_keys(struct master *m);

static inline unsigned
master_marks(struct master *m)
{
	return m->r->marks_keys && master_has_keys(m) ? MASTER_AMONG_KEYS : 0u;
}

/* Why a text is not a domain name. */
[[gnu::cold]] const char *master_name_trouble(err_t err);
