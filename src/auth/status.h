/* auth/status.h -- the server's side of questions about its state (auth/status_text.h): who may ask, and the answer.
 *
 * Whoever has a key of any right may ask about the key's domain and what is below it; all others are refused.  Answers come from
 * the view, which nobody locks, and from what struct server_conf says of the process.  No answer has a secret.
 *
 * What a question can cost: STATUS_ITEMS_MAX items, as far as the message has room, each a lookup and its writing, about a microsecond;
 * counting a domain's zones: a walk over STATUS_COUNTED_MAX.  Nothing is allocated.
 *
 * Pure, and reentrant as server_handle() is.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/reply.h"
#include "auth/request.h"
#include "auth/status_text.h"
#include "auth/view.h"

enum {
	STATUS_ITEMS_MAX = 200,     /* in one answer; the next question has the rest */
	STATUS_COUNTED_MAX = 1000,  /* zones of a domain that are counted; of all zones the number is known */
};

/* True: the request is a question of that kind, and q has its answer. */
bool status_handle(struct request *q);

struct status_question {
	enum status_what what;
	const uint8_t *domain; /* in the message's qname */
	bool has_after;
	struct name after;     /* the item after which the answer begins; within the domain, but for keys of other names */
};

/* E_NOTFOUND: it is no such question; E_UNSUPPORTED: one that asks for what we do not know; E_FORMAT: its cursor is none of ours.  In
 * the last two cases the domain is set, so that it can be told whether the asker may hear that. */
err_t status_question_read(const struct msg *m, struct status_question *out);

/* Writes the answer to whoever may see the domain.  `is_all`: the key reaches everything, and he may hear of the process, too.
 * E_NOTFOUND: there is no such zone; E_FULL: not even the first item has room, or what follows when there is none. */
err_t status_answer(const struct view *v, const struct server_conf *conf, const struct status_question *q, bool is_all, struct reply *r);

/* How many zones a domain has: of all, of those with trouble, and of these those that are held. */
struct status_counts {
	size_t zones, troubles, held;
	bool is_more; /* than these: not all were counted */
};
struct status_counts status_count(const struct view *v, const uint8_t *domain);
