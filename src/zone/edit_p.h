/* zone/edit_p.h -- the private header of edit*.c.
 *
 * edit.c runs an edit through these steps:
 *   edit_changes.c   sorts the changes, and puts their owners into a hash table: these are the records to look for
 *   edit_scan.c      reads the text, and keeps the lines of these owners and the lines that depend on them
 *   edit_order.c     finds the owner after which a new one goes, from what it sees before, during and after the reading
 *   edit_place.c     decides what to do with each line, and after which line each new record goes
 *   edit_render.c    goes through the lines in the order of reading, follows the owner and TTL in force, and makes patches
 *   edit_files.c     applies the patches to the texts
 *   edit_verify.c    reads the new texts, and compares the result with the new zone
 * with
 *   edit_tokens.c    finds the parts of a line
 *   edit_style.c     finds out how the lines around a place are written
 *   edit_write.c     writes a line like them
 *   edit_line.c      changes owner or TTL within a line
 *   edit_data.c      changes data within a line
 *   edit_fit.c       keeps columns after a change
 *   edit_generate.c  takes changed records out of a $GENERATE
 *   edit_rdata.c     writes names and RDATA as text, relative where wanted
 *   edit_new.c       writes a text for a zone that has none yet
 */
#pragma once

#include "base/arena.h"
#include "dns/lex.h"
#include "zone/edit.h"

struct edit_owner;
struct edit_line;

/* Octets [from, to) of a file's text; to == 0: none. */
struct edit_span {
	size_t from, to;
};

static inline bool
edit_has(struct edit_span s)
{
	return s.to != 0;
}

/* ---- files (edit_files.c) ---- */

/* A text that replaces [begin, end). */
struct edit_patch {
	struct edit_patch *next;
	size_t begin, end;
	const char *text;        /* in the arena */
	size_t len;
	bool is_lines;
};

/* A file of the zone.  Its text stays open until the end, so that all readings see the same text. */
struct edit_source {
	struct edit_source *next, *next_in_slot;
	const char *path;
	struct master_text text;
	unsigned opened;          /* how often the first reading has opened it */
	bool is_own;
	enum { MAY_EDIT_UNKNOWN, MAY_EDIT_YES, MAY_EDIT_NO } may_edit;
	struct edit_patch *first, **end; /* patches in the order of the text */
	struct str edited;        /* the text with the patches, if there are any */
};

/* A new record that gets its own line. */
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
	struct edit_source *sources; /* the first is the zone's own file */
	struct edit_source *slots[EDIT_SLOTS];
	/* edit_changes.c */
	struct edit_owner **owners;  /* hash table by name with owners_cap slots, a power of two */
	size_t owners_cap;
	struct edit_owner *first_owner, **owners_end; /* owners with changes, in canonical order */
	struct edit_change *changes; /* sorted by owner, type, RDATA */
	size_t changes_n;
	struct edit_group *groups;   /* edit_order.c; NULL: no owner is new, or all have their places */
	/* edit_scan.c */
	struct edit_line *lines, **lines_end; /* in the order of reading */
	/* edit_place.c */
	struct edit_added_list at_end; /* records that go to the end of the zone's own file */
	/* edit_style.c: how names of the zone are written in its SOA */
	enum { SOA_UNREAD, SOA_SILENT, SOA_RELATIVE, SOA_ABSOLUTE } soa_names;
};

err_t edit_files_begin(struct editor *e);
void edit_files_fini(struct editor *e);
/* Opens a file, or returns it if it is open already. */
err_t edit_source_open(struct editor *e, const char *path, struct edit_source **out);
bool edit_source_may_be_edited(struct editor *e, struct edit_source *s);
/* Add a patch; the text is copied.  The patches of one file must not overlap, and must come in the order of its text.  A patch
 * of whole lines, each with its line end, begins on a new line. */
err_t edit_patch_add_text(struct editor *e, struct edit_source *s, struct edit_span at, const struct str *text);
err_t edit_patch_add_lines(struct editor *e, struct edit_source *s, struct edit_span at, const struct str *text);
err_t edit_files_apply(struct editor *e);
err_t edit_files_hand_out(struct editor *e, struct edit *out);
/* The line end ("\r\n", "\n" or "\r") of the line that ends at `end`; if it has none, the line end of the text's first line. */
const char *edit_line_end(const struct master_text *t, size_t end);

/* Fills *why and returns E_FORMAT.  `s` NULL: no line is concerned. */
[[gnu::cold, gnu::format(printf, 6, 7)]] err_t edit_fail(struct editor *e, const struct edit_source *s, uint32_t line,
                                                         const char *code, const char *hint, const char *format, ...);

/* ---- what changes (edit_changes.c) ---- */

/* One changed record.  Only `old`: it is removed.  Only `new`: it is added.  Both: its TTL changes. */
struct edit_change {
	struct edit_owner *owner;
	const struct zone_rr *old, *new;
	uint16_t covers;
	struct edit_line *line;      /* the first line with `old` */
	bool is_placed;              /* `new` has its place in an existing line */
};

static inline const struct zone_rr *
edit_change_rr(const struct edit_change *c)
{
	return c->old != NULL ? c->old : c->new;
}

/* The type that an RRSIG covers; 0 for other types. */
static inline uint16_t
edit_covers(uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	return node_rr_covers(&(struct node_rr){ .type = type, .rdlen = rdlen, .rdata = rdata });
}

struct edit_owner {
	struct edit_owner *next, *next_in_slot;
	const uint8_t *name;         /* in a zone, or in the arena */
	struct edit_change *changes;
	size_t n;
	/* edit_order.c */
	struct edit_order *order;    /* for a new owner; else NULL */
	struct edit_owner *before;   /* a new owner goes after the last line of this one; NULL: to the end of the file */
	bool marks_place;            /* a new owner may go beside it */
	struct {
		size_t first, last;            /* numbers of its first and last record among all that are read, from 1; 0: none */
		const uint8_t *before, *behind; /* owners of the records before its first and after its last; NULL: none */
	} seen;
	struct edit_line *first, **end; /* its lines */
	size_t left_out, repeated;   /* lines that directly follow another line of this owner: without owner, and with it */
};

err_t edit_changes_take(struct editor *e);
/* The owner of that name, added if it is not there.  The name is copied, except when it is the owner of a change. */
err_t edit_owner_of(struct editor *e, const uint8_t *name, struct edit_owner **out);
/* Forgets all lines, before the text is read again. */
void edit_owners_forget_lines(struct editor *e);
struct edit_owner *edit_owner_find(const struct editor *e, const uint8_t *name); /* NULL: it has no changes */
/* The change that removes a record, or changes its TTL; or NULL. */
struct edit_change *edit_change_find(const struct edit_owner *o, uint16_t type, const uint8_t *rdata, uint16_t rdlen);

/* ---- lines that are kept in memory (edit_scan.c) ---- */

/* A file while it is read; there is one frame for each time that it is opened. */
struct edit_frame {
	struct edit_frame *up;
	struct edit_source *source;
	/* edit_scan.c: about the last record of the file that is not from a $GENERATE; an included file begins with the values of
	 * the including file */
	const struct edit_owner *owner; /* NULL: not in the table of owners */
	bool follows;                /* that record, or a later $GENERATE, is among the lines kept */
	/* edit_render.c */
	bool is_entered;
	const struct edit_owner *now; /* the owner that the new text has in force for lines without owner; NULL: as in the old
	                               * text */
};

/* One record of the text.  The records of one $GENERATE follow each other, all with the position of the directive. */
struct edit_line {
	struct edit_line *next, *next_of_owner;
	struct edit_frame *frame;
	struct edit_owner *owner;    /* NULL: it has no changes, but depends on the line before */
	const uint8_t *name, *origin;
	size_t begin, end;           /* position in the file's text */
	uint32_t line;
	unsigned flags;              /* of enum master_rr_flags */
	int32_t number;              /* for a $GENERATE's record: the number that replaces $ */
	uint16_t type, covers;
	uint32_t ttl;
	enum master_ttl_source ttl_source;
	uint32_t ttl_inherited;
	bool follows;                /* the record read before it is among the lines kept */
	bool follows_in_frame;       /* the record from which it would inherit its owner is among the lines kept: struct edit_frame */
	const struct edit_owner *owner_before; /* the frame's owner before this line */
	struct edit_change *change;
	/* edit_place.c */
	bool is_gone;
	uint32_t want_ttl;
	const struct zone_rr *with;  /* this record takes its place */
	struct edit_added_list added; /* records that go after it */
};

static inline bool
edit_line_is_generated(const struct edit_line *l)
{
	return (l->flags & MASTER_GENERATED) != 0;
}

/* True for two records of one $GENERATE. */
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

/* The present position of the reading. */
struct edit_sight {
	size_t n;                    /* records read so far */
	struct edit_owner *owner;    /* owner of the last record, if it is in the table of owners */
	struct name name;            /* name of the last record */
};

err_t edit_order_find(struct editor *e, struct edit_owner *o);
err_t edit_order_see(struct editor *e, struct edit_sight *sight, const struct master_rr *rr, struct edit_owner *owner);
/* *is_read_again: the text must be read again, because a new record goes beside an owner whose lines were not kept. */
err_t edit_order_settle(struct editor *e, bool *is_read_again);
bool edit_order_is_by_number(const struct edit_owner *o);
/* True when, of two owners that go to the same place, `a` goes before `b` by number, whatever the canonical order. */
bool edit_order_is_before(const struct edit_owner *a, const struct edit_owner *b);

err_t edit_place(struct editor *e);
/* The line should change, but its file may not be edited: fills *why, and returns E_FORMAT. */
[[gnu::cold]] err_t edit_refuse(struct editor *e, const struct edit_line *l);
err_t edit_render(struct editor *e);
err_t edit_verify(struct editor *e);

/* The TTL that a record without its own has at some place in the new text. */
struct edit_ttl {
	enum master_ttl_source source;
	uint32_t value;
};

static inline bool
edit_ttl_must_be_given(const struct edit_ttl *t, uint32_t want)
{
	return t->source == MASTER_TTL_NONE || t->value != want;
}

/* A record with its own TTL was written. */
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
	const char *text;            /* text of the file, to which the spans refer */
	size_t begin, end;
	struct edit_span range;      /* range of a $GENERATE */
	struct edit_span owner;      /* with its quotes; none: the owner is inherited */
	struct edit_span field[EDIT_FIELDS]; /* EDIT_RDATA: from the first token of the data to the last */
	struct edit_span *rdata;     /* each token of the data, with its quotes; owned */
	size_t rdata_n, rdata_cap;
	unsigned depth;              /* number of parentheses open where the data begin, or after the type */
	size_t tail;                 /* position after the last token and the parentheses that follow it */
	bool is_plain;               /* one physical line without parentheses */
};

/* Finds the parts of a logical line that is a record or, with is_directive, a $GENERATE.  E_FORMAT: it is neither.  E_NOMEM. */
err_t edit_tokens_read(const char *text, size_t begin, size_t end, bool is_directive, struct edit_tokens *out);
void edit_tokens_fini(struct edit_tokens *t);

static inline size_t
edit_span_len(struct edit_span s)
{
	return s.to - s.from;
}

/* True when a token ends with a dot that is not escaped. */
bool edit_is_absolute(const char *text, struct edit_span s);

/* ---- text (edit_rdata.c) ---- */

/* Writes a name, relative to `origin` if it is within that; `origin` NULL: absolute. */
void edit_name_print(const uint8_t *name, const uint8_t *origin, struct str *out);
/* Writes RDATA on one line, with its names relative to `origin`. */
void edit_rdata_print(uint16_t type, const uint8_t *rdata, size_t len, const uint8_t *origin, struct str *out);
/* Writes a TTL: seconds, or (with_units) a multiple of the largest unit that divides them, in upper case or not. */
void edit_ttl_print(uint32_t ttl, bool with_units, bool in_upper, struct str *out);

/* ---- style (edit_style.c) ---- */

/* The white space before a field. */
struct edit_gap {
	bool is_known;               /* a line nearby has the field */
	bool is_aligned;             /* up to `column` (from 0); else always `gap` */
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

/* The style around the place after `l`; NULL: at the end of the zone's own file. */
err_t edit_style_find(struct editor *e, const struct edit_line *l, struct edit_style *out);
/* The style of a $GENERATE itself. */
void edit_style_of_directive(const struct edit_tokens *t, const char *line_end, struct edit_style *out);

/* ---- new lines (edit_write.c) ---- */

struct edit_new_line {
	const char *owner;           /* NULL: left out */
	size_t owner_len;
	bool has_ttl;
	uint32_t ttl;
	uint16_t type;
	const char *rdata;
	bool is_one_line;            /* no line break, however long the data are */
};
/* Writes a line.  Long data of several words (certificates, keys) go over several lines, in parentheses. */
void edit_write_line(const struct edit_style *s, const struct edit_new_line *l, struct str *out);

/* Writes a TTL between the columns `from` and `to`, where the next field begins, with white space around it: in the column of
 * other TTLs, else right before that field, or with tabs at the next tab stop.  If it does not fit, the field moves. */
void edit_write_ttl(const struct edit_style *s, bool has_tab, unsigned from, unsigned to, const char *ttl, struct str *out);

/* Writes white space from one column to another, at least one character; with tabs if `has_tab`. */
void edit_fill(bool has_tab, unsigned from, unsigned to, struct str *out);
/* The column after `len` octets that begin in column `from`. */
unsigned edit_column_after(const char *s, size_t len, unsigned from);

/* ---- changes within a line (edit_line.c) ---- */

struct edit_line_change {
	const char *owner;           /* the owner to insert; NULL: none */
	size_t owner_len;
	bool has_ttl;                /* the TTL is to be set */
	uint32_t ttl;
	const struct zone_rr *with;  /* new data; NULL: unchanged */
	const struct zone_rr *old;   /* the old data, if there are new ones */
	const struct edit_style *style;
};
err_t edit_line_change(struct editor *e, const struct edit_line *l, const struct edit_line_change *c);
/* Changes only the data (edit_data.c). */
err_t edit_data_change(struct editor *e, const struct edit_line *l, const struct edit_tokens *t, const struct edit_line_change *c);

/* ---- columns after a change (edit_fit.c) ---- */

/* Applies changes to one record's line, in the order of the text. */
struct edit_fit {
	const char *text;            /* the file's */
	size_t len;
	size_t at;                   /* position reached in the old text */
	unsigned column;             /* its column in the new line */
};
void edit_fit_begin(struct edit_fit *f, const char *text, size_t len, size_t begin); /* nothing before `begin` may change */
/* `text` is to replace the token at *at.  Extends both by white space around them, so that text in a column after the token
 * stays in its column. */
void edit_fit_next(struct edit_fit *f, struct edit_span *at, struct str *text);

/* ---- $GENERATE (edit_generate.c) ---- */

/* Takes the changed records out of the directive of `first`; they are among the lines after it.  The unchanged records stay as
 * directives for the ranges between them, or as lines.  *is_empty: no record is left. */
err_t edit_generate(struct editor *e, const struct edit_line *first, struct edit_ttl *ttl, bool *is_empty);
