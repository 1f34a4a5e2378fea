/* auth/zone_note.h -- what is known about a zone besides its records: its file, the commits that it comes from, and what is wrong with
 * it.
 *
 * A view has a note for each zone of the repository, including zones that are broken and were never served, but not for the
 * catalog; in a secondary, for each zone that is served or shut (auth/shut.h), without files and commits.  Notes only serve
 * questions about the server's state (auth/status.h): no answer to a query looks at them.
 *
 * A note is one immutable block.  The thread that makes views makes it, and puts it into the tries of the next view.  When it is
 * replaced, it is freed with the garbage of the old version.  Pure.
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
	NOTE_SERVED,    /* the file of the served commit is served */
	NOTE_LAST_GOOD, /* the file is broken: an older version is served */
	NOTE_REJECTED,  /* the file is broken, and there is no older version */
	NOTE_HELD,      /* the safety valve keeps an older version (auth/primary.h) */
	NOTE_NEW,       /* a secondary: it was not transferred yet */
	NOTE_EXPIRED,   /* a secondary: it was not refreshed for too long */
};

/* One finding about a file: the first error, else the first warning. */
struct trouble {
	enum diag_level level;
	uint32_t line, column;    /* 0: it concerns the file as a whole */
	const char *code;         /* static; "" */
	char file[256];           /* the file with the line, cut at its end; "": the zone's own file */
	char text[DIAG_TEXT_MAX]; /* "": nothing is wrong */
	const char *general;      /* static: what keys that do not see all (key_sees_all()) are told in place of the text, which has
	                           * figures of the whole server, say; NULL: the text */
};

struct zone_note {
	enum note_state state;
	enum diag_level level;
	uint32_t line, column;
	uint64_t changed_s;      /* when the served version was made, by the loader's clock; 0: none is served */
	const char *code;        /* static */
	const char *general;     /* as in struct trouble */
	/* These point into the block; "": not known, or none. */
	const char *file;        /* the zone's file in the repository */
	const char *changed;     /* the commit that brought the served version */
	const char *since;       /* not SERVED: the commit with which the state began */
	const char *tried;       /* not SERVED: the last commit that changed the file, or would have removed it */
	const char *text, *where; /* of the finding */
	const uint8_t *catalog;  /* a secondary: the catalog that lists it; NULL: none */
	size_t octets;           /* size of the block */
	uint8_t apex_len;
	uint8_t apex[];          /* the tries use the name in here as their key */
};

#define ZONE_NOTE_NAME_AT offsetof(struct zone_note, apex)

/* The contents of a note, which are copied. */
struct zone_note_parts {
	enum note_state state;
	const uint8_t *apex;
	uint64_t changed_s;
	const char *file, *changed, *since, *tried;
	const struct trouble *trouble; /* NULL: none */
	const uint8_t *catalog;        /* NULL: none */
};

/* To be freed with free(), or as garbage of ->octets.  NULL: no memory. */
struct zone_note *zone_note_new(const struct zone_note_parts *parts);

static inline bool
zone_note_is_trouble(const struct zone_note *n)
{
	return n->state != NOTE_SERVED;
}

const char *zone_note_state_text(enum note_state state); /* "served", "last-good", "rejected", "held", "new", "expired" */

/* ---- the notes of a view ---- */

/* Immutable once they belong to a view. */
struct zone_notes {
	struct trie all;      /* by apex */
	struct trie troubles; /* only those with zone_note_is_trouble() */
};

void zone_notes_init(struct zone_notes *n); /* empty */
void zone_notes_fini(struct zone_notes *n); /* frees all notes: no other version may share them any more */
struct zone_note *zone_notes_find(const struct zone_notes *n, const uint8_t *apex); /* NULL: there is none */

/* The next version of the notes. */
struct note_txn {
	struct trie_txn all, troubles;
	struct garbage garbage; /* notes that were replaced */
};

void note_txn_begin(struct note_txn *t, const struct zone_notes *from);
struct zone_note *note_txn_find(const struct note_txn *t, const uint8_t *apex);
/* replaces the note of that name, and takes `n`.  E_NOMEM: not taken */
err_t note_txn_put(struct note_txn *t, struct zone_note *n);
err_t note_txn_remove(struct note_txn *t, struct zone_note *n); /* `n` must be in it.  E_NOMEM */
void note_txn_commit(struct note_txn *t, struct zone_notes *out, struct garbage *garbage);
void note_txn_rollback(struct note_txn *t);
