/* auth/status_text.h -- questions about the server's state and their answers: their form in messages, shared by server and
 * client.
 *
 * A question has the name WHAT._status.DOMAIN, class CH, type TXT: "zones._status.example.org" asks for all zones at and below
 * example.org, "zones._status." for all zones.  It is signed; the key's domain must include DOMAIN.
 *
 * The answer section has a TXT record for each item (a zone, a key, ...), in a stable order.  The strings of a record are pairs,
 * "key=value"; a string of 255 octets continues in the next one.  Pairs without a value are left out, and a reader ignores keys
 * that it does not know.
 *
 * The authority section has one TXT record of pairs about the answer: "commit", the commit that it speaks of, and "next" when
 * there are more items than the message has room for.  The next question carries the value of "next" as "after", in a TXT record
 * of its authority section, as IXFR carries its SOA (RFC 1995 3).  So the server keeps no state between two questions.
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
	STATUS_ZONE,    /* "zone": only DOMAIN itself, nothing below it */
	STATUS_TROUBLE, /* "trouble": zones whose file is not served as it stands */
	STATUS_KEYS,    /* "keys" */
	STATUS_UPDATES, /* "updates" */
	STATUS_SECONDARIES, /* "secondaries" */
	STATUS_WHATS
};

enum {
	STATUS_PAIRS_MAX = 64,      /* of one item */
	STATUS_ITEM_MAX = 16384,    /* octets of one item's pairs */
};

/* Makes the name of a question.  E_NAMELEN: the domain is too long. */
err_t status_name(enum status_what what, const uint8_t *domain, struct name *out);

/* Reads the name of a question.  E_NOTFOUND: it is not one.  E_UNSUPPORTED: it is one, but WHAT is unknown.  *domain points into
 * `name`, and is set if OK or E_UNSUPPORTED. */
err_t status_name_read(const uint8_t *name, enum status_what *what, const uint8_t **domain);

/* ---- writing ---- */

/* Writes one TXT record at a time, owned by the question's name, class CH. */
struct status_writer {
	struct buf b;
	size_t rdata_at, string_at;
};

void status_begin(struct status_writer *w);
void status_pair(struct status_writer *w, const char *key, const char *value); /* does not write an empty value */
void status_number(struct status_writer *w, const char *key, uint64_t value);
void status_end(struct status_writer *w); /* w->b.err: set if not everything fitted */

/* ---- reading: input is not trusted ---- */

struct status_item {
	size_t n;
	struct {
		const char *key, *value; /* pointers into `text`; values may have any octets except NUL */
	} pair[STATUS_PAIRS_MAX];
	char text[STATUS_ITEM_MAX];
};

const char *status_value(const struct status_item *item, const char *key); /* "": there is no such key */

struct status_reader {
	struct cur c;
	unsigned left; /* records left */
};

/* Reads the records of a section of a message that msg_parse() accepted: 1 answer, 2 authority. */
struct status_reader status_read(const struct msg *m, unsigned section);

/* The next record.  E_NOTFOUND: there are no more.  E_FORMAT: it is not such a TXT record, or a string is not a pair or has a
 * NUL.  E_LIMIT: too many pairs, or too long. */
err_t status_next(struct status_reader *r, struct status_item *out);
