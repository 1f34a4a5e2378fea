/* zone/master_p.h -- what the parts of the master-file reader share; for no one else.
 *
 * Functions here return OK, or E_FORMAT when the trouble was reported and reading goes on at the
 * next line, unless `stop` is set: then reading ends with it.
 */
#pragma once

#include "base/buf.h"
#include "dns/lex.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "zone/master.h"

enum {
	MASTER_TEMPLATE_MAX = 65536,  /* one side of a generated record, expanded */
	MASTER_NUMBER_MAX = 128,      /* a number in it, NUL included: as BIND */
	MASTER_SHOWN_MAX = 64,        /* of a token, in a message */
	MASTER_RECORD_COST = 32,      /* octets that a generated record counts beside owner and RDATA */
};

/* What an $INCLUDE sets aside and gets back; one on the stack of each file that is open. */
struct master_frame {
	const char *file;
	const struct master_frame *up; /* who includes us; NULL for the zone's own file */
	unsigned depth;
	bool is_judged, has_keys;      /* was the text looked through, and does it look like one of keys? */
};

struct master {
	const struct master_reader *r;
	struct lex lx;
	struct master_frame *frame;
	struct name origin;
	struct name owner;          /* of the last record; owner.len 0: there was none */
	const char *owner_text;     /* its text, while that and the origin stay; else NULL */
	size_t owner_text_len;
	bool owner_is_bad;          /* it did not parse: records that inherit it are not given out */
	bool origin_changed;        /* no owner was given since */
	bool has_default_ttl;       /* $TTL, or the SOA's minimum */
	bool has_last_ttl;
	bool warned_last_ttl;
	uint32_t default_ttl, last_ttl;
	struct master_counts counts;
	size_t includes, included_octets, generated_octets;
	err_t stop;                 /* not OK: reading ends */
	struct buf rdata;           /* over rdata_octets */
	uint8_t rdata_octets[DNS_RDATA_MAX];
	char expanded[MASTER_TEMPLATE_MAX];
};

/* The part of a record between owner and RDATA. */
struct master_head {
	struct lex_token t;         /* of the type */
	uint16_t type;
	bool has_ttl, has_class;
	uint32_t ttl;
};

/* ---- master.c ---- */

err_t master_read_text(struct master *m, const char *text, size_t len);
err_t master_parse_name(struct master *m, const struct lex_token *t, const char *code, struct name *out);
/* TTL, class and type, in any order but the type last. */
err_t master_read_head(struct master *m, struct master_head *out);
/* A TTL out of a token that looks like one; E_UNSUPPORTED, unreported, when it is none. */
err_t master_read_ttl(struct master *m, const struct lex_token *t, uint32_t *out);
/* The TTL that a record has, its RDATA being in m->rdata. */
err_t master_settle_ttl(struct master *m, const struct master_head *h, uint32_t *out);

/* Hands a record out; one outside of the zone gets a warning at `t` where these are dropped.  Returns m->stop. */
err_t master_give(struct master *m, const struct lex_token *t, const struct master_rr *rr);

/* What a record without a TTL would get here. */
static inline void
master_note_ttl(const struct master *m, struct master_rr *rr)
{
	rr->ttl_source = m->has_default_ttl ? MASTER_TTL_DEFAULT : m->has_last_ttl ? MASTER_TTL_LAST : MASTER_TTL_NONE;
	rr->ttl_inherited = m->has_default_ttl ? m->default_ttl : m->last_ttl;
}

/* Line of the LEX_EOL that was read last. */
static inline uint32_t
master_last_line(const struct master *m)
{
	return m->lx.at == m->lx.line_start ? m->lx.line - 1 : m->lx.line;
}

/* ---- master_directive.c ---- */

err_t master_directive(struct master *m, const struct lex_token *t);
/* The next argument of a directive; `what` it is, for the message when the line ends before. */
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
/* A token as it may stand in a message: shortened, controls escaped. */
[[gnu::cold]] const char *master_shown(const struct lex_token *t, char out[MASTER_SHOWN_MAX]);
/* Does the file that is being read look like one of keys (dns/secret.h)?  It is looked through once, when that is asked. */
[[gnu::cold]] bool master_has_keys(struct master *m);

static inline unsigned
master_marks(struct master *m)
{
	return m->r->marks_keys && master_has_keys(m) ? MASTER_AMONG_KEYS : 0u;
}

/* Why text is no domain name. */
[[gnu::cold]] const char *master_name_trouble(err_t err);
