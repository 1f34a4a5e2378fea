/* auth/status.h -- the server's side of questions about its state (auth/status_text.h): who may ask, and the answer.
 *
 * A key whose name gives it any right may ask about its domain and all below it; all other requests are refused.  Answers come
 * from the view, which needs no lock, and from what struct server_conf says about the process.  No answer contains a secret.
 *
 * Bounded cost: STATUS_ITEMS_MAX items, as far as the message has room, each with a lookup and its writing, about a microsecond;
 * of keys those count, too, that are looked at and not shown; counting the zones of a domain is a walk over at most
 * STATUS_COUNTED_MAX.  Nothing is allocated.
 *
 * Pure, and reentrant like server_handle().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/reply.h"
#include "auth/request.h"
#include "auth/server_conf.h"
#include "auth/status_text.h"
#include "auth/view.h"

enum {
	STATUS_ITEMS_MAX = 200,     /* in one answer; the next question gets the rest */
	STATUS_COUNTED_MAX = 1000,  /* zones of a domain that are counted; the number of all zones is known */
};

/* True: the request is such a question, and q has its answer. */
bool status_handle(struct request *q);

struct status_question {
	enum status_what what;
	const uint8_t *domain; /* part of the message's qname */
	bool has_after;
	struct name after;     /* the answer begins after this item, which is within the domain; of keys, at this place (status_p.h) */
};

/* E_NOTFOUND: this is not such a question.  E_UNSUPPORTED: it asks for something unknown.  E_FORMAT: its "after" is not one that
 * we gave out.  In the last two cases the domain is set, so that the caller can check whether the key may see it. */
err_t status_question_read(const struct msg *m, struct status_question *out);

/* Writes the answer; the caller has checked that the key may see the domain.  `is_all`: the key reaches everything, and may also
 * see the state of the process.  E_NOTFOUND: there is no such zone, or the
 * server does not know this.  E_FULL: there is no room for the first item, or for the end
 * of the answer. */
err_t status_answer(const struct view *v, const struct server_conf *conf, const struct status_question *q, bool is_all, struct reply *r);

/* Number of zones in a domain: all, those with trouble, and those of the latter that are held. */
struct status_counts {
	size_t zones, troubles, held;
	bool is_more; /* not all were counted */
};
struct status_counts status_count(const struct view *v, const uint8_t *domain);
