/* auth/status_text.h -- questions about the server's state and their answers, as they stand in messages: what both sides agree on.
 *
 * A question has the name WHAT._status.DOMAIN, class CH, type TXT: "zones._status.example.org" asks for all zones at and below
 * example.org, and "._status." with nothing behind it, for all that there are.  It is signed; the key's domain must reach DOMAIN.
 *
 * The answer section has a TXT record for each item (a zone, a key, ...), in a stable order.  Its strings are pairs, "key=value"; a
 * string of 255 octets goes on in the next one.  What there is nothing to say of is left out, and a reader passes over keys that
 * he does not know.
 *
 * The authority section has one TXT record of pairs about the whole: "commit", of which the answer speaks, and "next" when there is
 * more than the message holds.  The next question carries "next" as "after", in a TXT record of its authority section, as IXFR
 * carries its SOA (RFC 1995 3): so the server keeps nothing between two questions.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "dns/msg.h"
#include "dns/name.h"

enum status_what {
	STATUS_DAEMON,  /* "status" */
	STATUS_ZONES,   /* "zones" */
	STATUS_ZONE,    /* "zone": DOMAIN itself and nothing below it */
	STATUS_TROUBLE, /* "trouble": zones whose file is not what is served */
	STATUS_KEYS,    /* "keys" */
	STATUS_UPDATES, /* "updates" */
	STATUS_SECONDARIES, /* "secondaries" */
	STATUS_WHATS
};

enum {
	STATUS_PAIRS_MAX = 64,      /* of one item */
	STATUS_ITEM_MAX = 16384,    /* octets of one item's pairs */
};

const char *status_what_text(enum status_what what);

/* E_NAMELEN: the domain is too long for that. */
err_t status_name(enum status_what what, const uint8_t *domain, struct name *out);

/* The other way.  E_NOTFOUND: this is no question of that kind; E_UNSUPPORTED: it is, with a WHAT that we do not know.  *domain is in
 * `name`, and set in both other cases. */
err_t status_name_read(const uint8_t *name, enum status_what *what, const uint8_t **domain);

/* ---- writing ---- */

/* One TXT record at a time, owned by the question's name, class CH. */
struct status_writer {
	struct buf b;
	size_t rdata_at, string_at;
};

void status_begin(struct status_writer *w);
void status_pair(struct status_writer *w, const char *key, const char *value); /* an empty value: not written */
void status_number(struct status_writer *w, const char *key, uint64_t value);
void status_end(struct status_writer *w); /* w->b.err: did it all fit? */

/* ---- reading: all of it is a stranger's ---- */

struct status_item {
	size_t n;
	struct {
		const char *key, *value; /* in text; values may have any octets but NUL */
	} pair[STATUS_PAIRS_MAX];
	char text[STATUS_ITEM_MAX];
};

const char *status_value(const struct status_item *item, const char *key); /* "": it is not there */

struct status_reader {
	struct cur c;
	unsigned left; /* records */
};

/* The records of a section of a message that msg_parse() took: 1 answer, 2 authority. */
struct status_reader status_read(const struct msg *m, unsigned section);

/* The next record.  E_NOTFOUND: that was all; E_FORMAT: another record than a TXT of ours, a string that is no pair, a NUL in it;
 * E_LIMIT: too many pairs, or too long. */
err_t status_next(struct status_reader *r, struct status_item *out);
