/* auth/status_p.h -- an answer about the server's state in the making; private to status*.c. */
#pragma once

#include "auth/status.h"

struct status_page {
	const struct view *view;
	const struct server_conf *conf;
	const struct status_question *q;
	bool is_all;
	struct reply *r;
	struct status_writer w; /* over the room that is left in *r */
	unsigned items;
	bool is_full;           /* no more goes into it, and `last` says where the next one begins */
	struct name last;       /* the item written last, or looked at; len 0: none */
};

/* Begins an item, whose pairs go to p->w. */
void page_begin(struct status_page *p);

/* Ends it.  `name`: by which the next page can begin behind it; NULL: it is the only one.  False: it does not fit, or enough are there:
 * the page is full, without it. */
bool page_end(struct status_page *p, const uint8_t *name);

/* An item for each zone of `notes` within the domain. */
void status_put_zones(struct status_page *p, const struct trie *notes);
err_t status_put_zone(struct status_page *p); /* the domain's own; E_NOTFOUND */

/* An item for each secondary of each zone within the domain. */
void status_put_secondaries(struct status_page *p);

/* The first zone of the question's domain, or that behind its cursor; others follow by trie_iter_next(), also those outside. */
const struct zone_note *status_begin_walk(const struct trie *notes, const struct status_question *q, struct trie_iter *it);

/* One item: of the server as a whole; of the updates that it carries out. */
void status_put_daemon(struct status_page *p);
void status_put_updates(struct status_page *p);

/* An item for each key whose domain is within the question's. */
void status_put_keys(struct status_page *p);
