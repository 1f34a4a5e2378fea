/* auth/status_p.h -- an answer about the server's state while it is written; private to status*.c. */
#pragma once

#include "auth/status.h"

struct status_page {
	const struct view *view;
	const struct server_conf *conf;
	const struct status_question *q;
	bool is_all;
	struct reply *r;
	struct status_writer w; /* writes into the room left in *r */
	unsigned items;
	bool is_full;           /* no more items fit; the next question continues after `last` */
	struct name last;       /* the last item that was written or looked at; len 0: none */
};

/* Begins an item.  Its pairs are written to p->w. */
void page_begin(struct status_page *p);

/* Ends an item.  `name`: the next page can begin after it; NULL: it is the only item.  False: it does not fit, or there are
 * enough items: the page is full, and the item is left out. */
bool page_end(struct status_page *p, const uint8_t *name);

/* Writes an item for each zone of `notes` within the domain. */
void status_put_zones(struct status_page *p, const struct trie *notes);
err_t status_put_zone(struct status_page *p); /* writes the zone of the domain itself; E_NOTFOUND */

/* Writes an item for each secondary of each zone within the domain.  E_NOTFOUND: nobody keeps account of them. */
err_t status_put_secondaries(struct status_page *p);

/* The first zone of the question's domain, or the first one after its cursor. trie_iter_next() gives the others, and goes on
 * past the domain's end. */
const struct zone_note *status_begin_walk(const struct trie *notes, const struct status_question *q, struct trie_iter *it);

/* Each writes one item: about the server as a whole; about the updates that it carries out (E_NOTFOUND: nobody keeps account of them). */
void status_put_daemon(struct status_page *p);
err_t status_put_updates(struct status_page *p);

/* Writes an item for each key that has a right within the question's domain.  A page of keys does not begin behind a name:
 * status_is_key_place() tells whether "after" is a place that an earlier page gave out. */
void status_put_keys(struct status_page *p);
bool status_is_key_place(const uint8_t *name);
