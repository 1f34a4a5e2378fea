/* auth/update_task.h -- one UPDATE from its arrival to its answer.
 *
 * The task keeps what outlives a view: the request's octets (borrowed from whoever received it) and, once it is verified, a copy of
 * its key, so that the answer can be signed though the key may be gone by then.  The records are read when it is opened: while it waits
 * they take no memory.
 *
 * One thread.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/server.h"
#include "auth/update.h"
#include "base/err.h"

enum { UPDATE_ANSWER_TEXT_MAX = 256 }; /* of an extended error (RFC 8914) */

struct update_task {
	const uint8_t *bytes;  /* borrowed */
	size_t len;
	struct peer peer;
	uint64_t arrived_s;    /* seconds since 1970 */

	struct update update;  /* over bytes; begun when the task is opened first */
	bool is_begun, is_read;
	struct update_verdict verdict; /* on what was begun, or read */
	struct tsig_key key;   /* a copy; wiped with the task */
	struct tsig tsig;      /* ready to sign the answer, with `key` */
	bool is_verified;

	unsigned rcode;        /* the answer */
	int ede;
	char text[UPDATE_ANSWER_TEXT_MAX];
};

void update_task_init(struct update_task *t, const uint8_t *bytes, size_t len, const struct peer *peer, uint64_t arrived_s);
void update_task_fini(struct update_task *t);

/* Verifies it by the keys of this view, and reads it; again and again, if it comes to that: what a key may do is what the commit
 * says that the update is made on.  OK; E_REFUSED: rcode says why not; E_NOMEM. */
err_t update_task_open(struct update_task *t, const struct view *v);

/* The same for an answer alone: the records, and what is wrong with them, are not looked at. */
err_t update_task_open_unread(struct update_task *t, const struct view *v);

/* Gives back the records, until it is opened again. */
void update_task_close(struct update_task *t);

/* A reason for an answer; one that is too long ends in "...". */
[[gnu::format(printf, 2, 3)]] void update_text_put(char out[UPDATE_ANSWER_TEXT_MAX], const char *format, ...);
[[gnu::format(printf, 2, 0)]] void update_text_vput(char out[UPDATE_ANSWER_TEXT_MAX], const char *format, va_list args);

[[gnu::format(printf, 4, 5)]] void update_task_settle(struct update_task *t, unsigned rcode, int ede, const char *format, ...);

/* Writes the answer and returns its length; 0: there can be none. */
size_t update_task_answer(struct update_task *t, const struct server_conf *conf, uint64_t now_s, uint8_t *out, size_t cap);

static inline const uint8_t *
update_task_zone(const struct update_task *t)
{
	return t->update.m.qname.oct;
}
