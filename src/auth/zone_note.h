/* auth/zone_note.h -- what there is to say of a zone besides its records: its file, the commits it comes from, what is wrong.
 *
 * Each view has a note for each zone of the repository, also for one that is broken and was never served, and none for the catalog.
 * They are there for questions about the server's state (auth/status.h) alone: no answer to a query looks at them.
 *
 * A note is one immutable block.  It is made by the thread that makes views, put into the tries of the next view, and given back with the
 * garbage of the version that it was replaced in.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "dns/name.h"
#include "zone/garbage.h"
#include "zone/trie.h"

enum note_state {
	NOTE_SERVED,    /* the file as it stands in the commit */
	NOTE_LAST_GOOD, /* the file is broken: an older version is served */
	NOTE_REJECTED,  /* the file is broken, and there is no older version */
	NOTE_HELD,      /* the safety valve keeps an older version (auth/primary.h) */
};

/* What is wrong with a file, as far as one line can tell: the first error, else the first warning. */
struct trouble {
	enum diag_level level;
	uint32_t line, column;    /* 0: of the file as a whole */
	const char *code;         /* static; "" */
	char file[256];           /* that the line is in, cut at its end; "": the zone's own */
	char text[DIAG_TEXT_MAX]; /* "": there is nothing */
};

struct zone_note {
	enum note_state state;
	enum diag_level level;
	uint32_t line, column;
	uint64_t changed_s;      /* when the version that is served came about, by the loader's clock; 0: none is */
	const char *code;        /* static */
	/* In the block itself; "" where there is nothing to say. */
	const char *file;        /* the zone's, in the repository */
	const char *changed;     /* the commit with which the version that is served came */
	const char *since;       /* not SERVED: the commit with which that began */
	const char *tried;       /* not SERVED: the last commit that changed the file, or would have taken it away */
	const char *text, *where; /* of the trouble */
	size_t octets;           /* that the block takes */
	uint8_t apex_len;
	uint8_t apex[];          /* the tries read the name here */
};

#define ZONE_NOTE_NAME_AT offsetof(struct zone_note, apex)

/* All that a note says, to be copied. */
struct zone_note_parts {
	enum note_state state;
	const uint8_t *apex;
	uint64_t changed_s;
	const char *file, *changed, *since, *tried;
	const struct trouble *trouble; /* NULL: none */
};

/* To be freed with free() or as garbage of ->octets.  NULL: there is no memory. */
struct zone_note *zone_note_new(const struct zone_note_parts *parts);

static inline bool
zone_note_is_trouble(const struct zone_note *n)
{
	return n->state != NOTE_SERVED;
}

const char *zone_note_state_text(enum note_state state); /* "served", "last-good", "rejected", "held" */

/* ---- the notes of a view ---- */

/* Immutable once they are a view's. */
struct zone_notes {
	struct trie all;      /* by apex */
	struct trie troubles; /* those of them with zone_note_is_trouble() */
};

void zone_notes_init(struct zone_notes *n); /* empty */
void zone_notes_fini(struct zone_notes *n); /* with all that is in it: no other version shares it any more */
struct zone_note *zone_notes_find(const struct zone_notes *n, const uint8_t *apex); /* NULL: there is none */

/* The next version of them. */
struct note_txn {
	struct trie_txn all, troubles;
	struct garbage garbage; /* notes that were replaced */
};

void note_txn_begin(struct note_txn *t, const struct zone_notes *from);
struct zone_note *note_txn_find(const struct note_txn *t, const uint8_t *apex);
err_t note_txn_put(struct note_txn *t, struct zone_note *n);    /* in place of the one of that name; takes it.  E_NOMEM: not taken */
err_t note_txn_remove(struct note_txn *t, struct zone_note *n); /* which is in it.  E_NOMEM */
void note_txn_commit(struct note_txn *t, struct zone_notes *out, struct garbage *garbage);
void note_txn_rollback(struct note_txn *t);
