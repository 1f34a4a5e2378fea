/* zone/edit_p.h -- what the edit_*.c files share; private to them.
 *
 * An edit goes through these steps:
 *   edit_changes.c   the changes, sorted, and their owners, hashed: which records are we looking for?
 *   edit_scan.c      one reading of the text, which keeps the lines of these owners and those that hang on them
 *   edit_order.c     after which owner a new one goes: before, while and after the text is read
 *   edit_place.c     what becomes of each line, and after which line each new record goes
 *   edit_render.c    the lines in the order in which they are read, and with them the owner and the TTL that are in force: patches
 *   edit_files.c     patches into texts
 *   edit_verify.c    the texts are read again
 * with
 *   edit_tokens.c    where the parts of a line are
 *   edit_style.c     how the lines around a place are written
 *   edit_write.c     a line written like them
 *   edit_line.c      owner or TTL changed within a line
 *   edit_data.c      data changed within a line
 *   edit_fit.c       columns behind a change kept
 *   edit_generate.c  a $GENERATE without the records that change
 *   edit_rdata.c     names and RDATA as text, relative where wanted
 */
#pragma once

#include "base/arena.h"
#include "dns/lex.h"
#include "zone/edit.h"

struct edit_owner;
struct edit_line;

/* Octets [from, to) of a file's text; to == 0: there is no such thing. */
struct edit_span {
	size_t from, to;
};

static inline bool
edit_has(struct edit_span s)
{
	return s.to != 0;
}

/* ---- files (edit_files.c) ---- */

/* Put in the place of [begin, end). */
struct edit_patch {
	struct edit_patch *next;
	size_t begin, end;
	const char *text;        /* in the arena */
	size_t len;
	bool is_lines;
};

/* A file of the zone.  Its text stays open until the end, so that all readings see the same. */
struct edit_source {
	struct edit_source *next, *next_in_slot;
	const char *path;
	struct master_text text;
	unsigned opened;          /* how often the first reading opened it */
	bool is_own;
	enum { MAY_EDIT_UNKNOWN, MAY_EDIT_YES, MAY_EDIT_NO } may_edit;
	struct edit_patch *first, **end; /* in the order of the text */
	struct str edited;        /* the text after the patches, if there are any */
};

/* Records that come, in a line of their own each. */
struct edit_added {
	struct edit_added *next;
	const struct edit_owner *owner;
	const struct zone_rr *rr;
};

struct edit_added_list {
	struct edit_added *first, *last;
};

enum { EDIT_SLOTS = 512 };

struct editor {
	const struct edit_in *in;
	struct diag *why;
	struct arena arena;
	/* edit_files.c */
	struct edit_source *sources; /* the zone's own is the first */
	struct edit_source *slots[EDIT_SLOTS];
	/* edit_changes.c */
	struct edit_owner **owners;  /* hashed by name; owners_cap slots, a power of two */
	size_t owners_cap;
	struct edit_owner *first_owner, **owners_end; /* in canonical order, but for those that only mark a place */
	struct edit_change *changes; /* by owner, type, RDATA */
	size_t changes_n;
	struct edit_group *groups;   /* edit_order.c; NULL: no owner is new */
	/* edit_scan.c */
	struct edit_line *lines, **lines_end; /* in the order of reading */
	/* edit_place.c */
	struct edit_added_list at_end; /* to the end of the zone's own file */
	/* edit_style.c: names of the zone in its SOA */
	enum { SOA_UNREAD, SOA_SILENT, SOA_RELATIVE, SOA_ABSOLUTE } soa_names;
};

err_t edit_files_begin(struct editor *e);
void edit_files_fini(struct editor *e);
/* Opens a file, or gives it again. */
err_t edit_source_open(struct editor *e, const char *path, struct edit_source **out);
bool edit_source_may_be_edited(struct editor *e, struct edit_source *s);
/* A patch, of which the text is copied.  Those of one file do not overlap, and come in the order of its text.  With whole lines,
 * which have their ends, it begins on a line of its own. */
err_t edit_patch_add_text(struct editor *e, struct edit_source *s, struct edit_span at, const struct str *text);
err_t edit_patch_add_lines(struct editor *e, struct edit_source *s, struct edit_span at, const struct str *text);
err_t edit_files_apply(struct editor *e);
err_t edit_files_hand_out(struct editor *e, struct edit *out);
/* "\r\n", "\n" or "\r", as the line that ends at `end` has it, else the text's first line. */
const char *edit_line_end(const struct master_text *t, size_t end);

/* Fills *why and returns E_FORMAT.  `s` NULL: about no line. */
[[gnu::cold, gnu::format(printf, 6, 7)]] err_t edit_fail(struct editor *e, const struct edit_source *s, uint32_t line,
                                                         const char *code, const char *hint, const char *format, ...);

/* ---- what changes (edit_changes.c) ---- */

/* One record: `old` alone goes, `new` alone comes, both: its TTL changes. */
struct edit_change {
	struct edit_owner *owner;
	const struct zone_rr *old, *new;
	uint16_t covers;
	struct edit_line *line;      /* the first that says `old` */
	bool is_placed;              /* `new` has its place in a line */
};

static inline const struct zone_rr *
edit_change_rr(const struct edit_change *c)
{
	return c->old != NULL ? c->old : c->new;
}

/* The type that an RRSIG covers; of others 0. */
static inline uint16_t
edit_covers(uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	return node_rr_covers(&(struct node_rr){ .type = type, .rdlen = rdlen, .rdata = rdata });
}

struct edit_owner {
	struct edit_owner *next, *next_in_slot;
	const uint8_t *name;         /* a zone's, or in the arena */
	struct edit_change *changes;
	size_t n;
	/* edit_order.c */
	struct edit_order *order;    /* of one that is new; else NULL */
	struct edit_owner *before;   /* of one that is new: it goes after this one's last line; NULL: to the end of the file */
	bool marks_place;            /* a new one may have its place beside it */
	struct {
		size_t first, last;            /* its records among all that are read, from 1; 0: none */
		const uint8_t *before, *behind; /* owners of the records before the first and after the last; NULL: none */
	} seen;
	struct edit_line *first, **end; /* its lines */
	size_t left_out, repeated;   /* of its lines that follow one of it: those without the owner, and with it */
};

err_t edit_changes_take(struct editor *e);
/* The owner of that name, which is added if it is not there.  The name is copied, unless it is one of a change. */
err_t edit_owner_of(struct editor *e, const uint8_t *name, struct edit_owner **out);
/* Before the text is read once more. */
void edit_owners_forget_lines(struct editor *e);
struct edit_owner *edit_owner_find(const struct editor *e, const uint8_t *name); /* NULL: not concerned */
/* The change that removes a record, or gives it another TTL; or NULL. */
struct edit_change *edit_change_find(const struct edit_owner *o, uint16_t type, const uint8_t *rdata, uint16_t rdlen);

/* ---- the lines concerned (edit_scan.c) ---- */

/* A file while it is read; one for each time that it is opened. */
struct edit_frame {
	struct edit_frame *up;
	struct edit_source *source;
	/* edit_scan.c: of the last record in it that is not out of a $GENERATE; an included file begins with its includer's */
	const struct edit_owner *owner; /* NULL: one that is not concerned */
	bool follows;                /* that record, or a $GENERATE since, is among the lines */
	/* edit_render.c */
	bool is_entered;
	const struct edit_owner *now; /* in force, in the new text, for lines that leave it out; NULL: as in the old text */
};

/* One record of the text.  Those of one $GENERATE follow each other, all with the directive's place. */
struct edit_line {
	struct edit_line *next, *next_of_owner;
	struct edit_frame *frame;
	struct edit_owner *owner;    /* NULL: not concerned, but it hangs on the line before */
	const uint8_t *name, *origin;
	size_t begin, end;           /* in the file's text */
	uint32_t line;
	unsigned flags;              /* of enum master_rr_flags */
	int32_t number;              /* of a $GENERATE's record: what $ stands for */
	uint16_t type, covers;
	uint32_t ttl;
	enum master_ttl_source ttl_source;
	uint32_t ttl_inherited;
	bool follows;                /* the record read before it is among the lines */
	bool follows_in_frame;       /* likewise for the owner: see struct edit_frame */
	const struct edit_owner *owner_before; /* of the frame, before this line */
	struct edit_change *change;
	/* edit_place.c */
	bool is_gone;
	uint32_t want_ttl;
	const struct zone_rr *with;  /* has this record's place */
	struct edit_added_list added; /* go after it */
};

static inline bool
edit_line_is_generated(const struct edit_line *l)
{
	return (l->flags & MASTER_GENERATED) != 0;
}

/* Two records of one $GENERATE? */
static inline bool
edit_line_is_same_directive(const struct edit_line *a, const struct edit_line *b)
{
	return edit_line_is_generated(a) && edit_line_is_generated(b) && a->frame == b->frame && a->begin == b->begin;
}

static inline bool
edit_line_is_changed(const struct edit_line *l)
{
	return l->is_gone || l->with != NULL || l->want_ttl != l->ttl;
}

err_t edit_scan(struct editor *e);

/* ---- where a new owner goes (edit_order.c) ---- */

/* What the reading has come to. */
struct edit_sight {
	size_t n;                    /* records so far */
	struct edit_owner *owner;    /* of the last one, if it is concerned */
	struct name name;            /* of the last one */
};

err_t edit_order_find(struct editor *e, struct edit_owner *o);
err_t edit_order_see(struct editor *e, struct edit_sight *sight, const struct master_rr *rr, struct edit_owner *owner);
/* *is_read_again: a place is beside an owner whose lines were not kept. */
err_t edit_order_settle(struct editor *e, bool *is_read_again);
bool edit_order_is_by_number(const struct edit_owner *o);
/* Of two that go to the same place: does `a` go before `b`, whatever the canonical order? */
bool edit_order_is_before(const struct edit_owner *a, const struct edit_owner *b);

err_t edit_place(struct editor *e);
/* The line would have to change, but its file may not be edited: fills *why, returns E_FORMAT. */
[[gnu::cold]] err_t edit_refuse(struct editor *e, const struct edit_line *l);
err_t edit_render(struct editor *e);
err_t edit_verify(struct editor *e);

/* What a record without a TTL has, in the new text, at some place. */
struct edit_ttl {
	enum master_ttl_source source;
	uint32_t value;
};

static inline bool
edit_ttl_must_be_given(const struct edit_ttl *t, uint32_t want)
{
	return t->source == MASTER_TTL_NONE || t->value != want;
}

/* A record with a TTL of its own was written. */
static inline void
edit_ttl_note(struct edit_ttl *t, uint32_t given)
{
	if (t->source != MASTER_TTL_DEFAULT) {
		*t = (struct edit_ttl){ MASTER_TTL_LAST, given };
	}
}

/* ---- parts of a line (edit_tokens.c) ---- */

enum edit_field { EDIT_TTL, EDIT_CLASS, EDIT_TYPE, EDIT_RDATA, EDIT_FIELDS };

struct edit_tokens {
	const char *text;            /* the file's; spans are in it */
	size_t begin, end;
	struct edit_span range;      /* of a $GENERATE */
	struct edit_span owner;      /* with its quotes; none: it is inherited */
	struct edit_span field[EDIT_FIELDS]; /* EDIT_RDATA: from the first token of the data to the last */
	struct edit_span *rdata;     /* each token of the data, with its quotes; owned */
	size_t rdata_n, rdata_cap;
	unsigned depth;              /* parentheses that are open where the data begin, or behind the type */
	size_t tail;                 /* behind the last token and the parentheses after it */
	bool is_plain;               /* one physical line without parentheses */
};

/* Of a logical line that is a record, or with is_directive a $GENERATE.  E_FORMAT: it is none.  E_NOMEM. */
err_t edit_tokens_read(const char *text, size_t begin, size_t end, bool is_directive, struct edit_tokens *out);
void edit_tokens_fini(struct edit_tokens *t);

static inline size_t
edit_span_len(struct edit_span s)
{
	return s.to - s.from;
}

/* Does a token end with a dot that no backslash takes away? */
bool edit_is_absolute(const char *text, struct edit_span s);

/* ---- text (edit_rdata.c) ---- */

/* A name, relative to `origin` if it is within; NULL: absolute. */
void edit_name_print(const uint8_t *name, const uint8_t *origin, struct str *out);
/* RDATA on one line; names in it likewise. */
void edit_rdata_print(uint16_t type, const uint8_t *rdata, size_t len, const uint8_t *origin, struct str *out);
/* Seconds, in the largest unit that divides them (with_units), in upper case or not. */
void edit_ttl_print(uint32_t ttl, bool with_units, bool in_upper, struct str *out);

/* ---- style (edit_style.c) ---- */

/* How a field is set off from what is before it. */
struct edit_gap {
	bool is_known;               /* a line around has the field */
	bool is_aligned;             /* to `column` (from 0), else as in `gap` */
	bool has_tab;
	unsigned column;
	char gap[16];                /* white space */
};

struct edit_style {
	bool is_owner_absolute, leaves_owner_out, are_names_absolute;
	bool has_ttl, has_class, is_class_first;
	bool has_units, are_units_upper, is_type_lower;
	char class[8];
	char blank[64];              /* white space before a line that leaves its owner out */
	struct edit_gap gap[EDIT_FIELDS];
	const char *line_end;
};

/* Around the place after `l`; NULL: at the end of the zone's own file. */
err_t edit_style_find(struct editor *e, const struct edit_line *l, struct edit_style *out);
/* That of a $GENERATE itself. */
void edit_style_of_directive(const struct edit_tokens *t, const char *line_end, struct edit_style *out);

/* ---- new lines (edit_write.c) ---- */

struct edit_new_line {
	const char *owner;           /* NULL: left out */
	size_t owner_len;
	bool has_ttl;
	uint32_t ttl;
	uint16_t type;
	const char *rdata;
	bool is_one_line;            /* however long the data are */
};
/* Long data of several words (certificates, keys) go over several lines, in parentheses. */
void edit_write_line(const struct edit_style *s, const struct edit_new_line *l, struct str *out);

/* A TTL between columns `from` and `to`, where the next field is to be, with its gaps: in the column of other TTLs, else right before
 * that field, or with tabs at the next tab stop.  Where it does not fit, the field moves. */
void edit_write_ttl(const struct edit_style *s, bool has_tab, unsigned from, unsigned to, const char *ttl, struct str *out);

/* White space from one column to another, at least one: tabs where `has_tab`. */
void edit_fill(bool has_tab, unsigned from, unsigned to, struct str *out);
/* The column behind `len` octets that begin in column `from`. */
unsigned edit_column_after(const char *s, size_t len, unsigned from);

/* ---- changes within a line (edit_line.c) ---- */

struct edit_line_change {
	const char *owner;           /* to be put in; NULL: not wanted */
	size_t owner_len;
	bool has_ttl;                /* to be set */
	uint32_t ttl;
	const struct zone_rr *with;  /* new data; NULL: as they are */
	const struct zone_rr *old;   /* the data so far, when there are new ones */
	const struct edit_style *style;
};
err_t edit_line_change(struct editor *e, const struct edit_line *l, const struct edit_line_change *c);
/* The data alone (edit_data.c). */
err_t edit_data_change(struct editor *e, const struct edit_line *l, const struct edit_tokens *t, const struct edit_line_change *c);

/* ---- columns behind a change (edit_fit.c) ---- */

/* Changes of one record's line, in the order of the text. */
struct edit_fit {
	const char *text;            /* the file's */
	size_t len;
	size_t at;                   /* so far, in the text as it was */
	unsigned column;             /* of it, in the new line */
};
void edit_fit_begin(struct edit_fit *f, const char *text, size_t len, size_t begin); /* nothing before `begin` changes */
/* `text` is to replace the token at *at: white space around is added to both, so that what follows in a column stays there. */
void edit_fit_next(struct edit_fit *f, struct edit_span *at, struct str *text);

/* ---- $GENERATE (edit_generate.c) ---- */

/* Takes the changed records out of the directive of `first`; they are among the lines from there on.  What stays are directives of the
 * ranges between them, and lines.  *is_empty: none of its records is left. */
err_t edit_generate(struct editor *e, const struct edit_line *first, struct edit_ttl *ttl, bool *is_empty);
