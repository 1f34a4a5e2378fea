/* auth/update_task.h -- one UPDATE from its arrival to its answer.
 *
 * The task keeps everything that must outlive a view: the request's octets (borrowed from the receiver), and after verification
 * a copy of its key with the rights that it had, so that the answer can be signed even if the key is removed meanwhile.  The
 * records are read when the task is opened: while it waits they take no memory.
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

enum { UPDATE_ANSWER_TEXT_MAX = 256 }; /* text of an extended error (RFC 8914) */

struct update_task {
	const uint8_t *bytes;  /* borrowed */
	size_t len;
	struct peer peer;
	uint64_t arrived_s;    /* seconds since 1970 */

	struct update update;  /* refers to `bytes`; begun when the task is first opened */
	bool is_begun, is_read;
	struct update_verdict verdict; /* the result of reading the message */
	struct key key;        /* a copy, without grants, which are the view's, and no matter of updates; wiped with the task */
	struct tsig tsig;      /* ready to sign the answer, with `key` */
	bool is_verified;

	unsigned rcode;        /* the answer */
	int ede;
	char text[UPDATE_ANSWER_TEXT_MAX]; /* why, for the log; for people only if `general` is NULL, or the key sees all */
	const char *general;   /* static: what other keys are told in place of the text */
};

void update_task_init(struct update_task *t, const uint8_t *bytes, size_t len, const struct peer *peer, uint64_t arrived_s);
void update_task_fini(struct update_task *t);

/* Verifies the signature with the keys of this view, checks the key's rights, and reads the records.  May be called again with
 * another view: the rights are those of the commit on which the update is made.  E_REFUSED: t->rcode has the answer; E_NOMEM. */
err_t update_task_open(struct update_task *t, const struct view *v);

/* Does the same without the records, for an answer that does not depend on them. */
err_t update_task_open_unread(struct update_task *t, const struct view *v);

/* Reads the header and the zone section alone, for an answer to whoever it was.  The answer is signed if the key is in the view, whatever
 * its rights; NULL: it is not signed. */
void update_task_begin(struct update_task *t, const struct view *v);

/* Frees the records, until the task is opened again. */
void update_task_close(struct update_task *t);

/* Writes the reason for an answer.  A text that is too long is cut, and ends in "...". */
[[gnu::format(printf, 2, 3)]] void update_text_put(char out[UPDATE_ANSWER_TEXT_MAX], const char *format, ...);
[[gnu::format(printf, 2, 0)]] void update_text_vput(char out[UPDATE_ANSWER_TEXT_MAX], const char *format, va_list args);

/* Sets the answer.  The text is for the sender, whatever his key: update_task_hide() says otherwise. */
[[gnu::format(printf, 4, 5)]] void update_task_settle(struct update_task *t, unsigned rcode, int ede, const char *format, ...);

/* The text may tell where the repository is, or what others do.  So it goes to the log, and to keys that see all (key_sees_all());
 * all other keys are told `general`, a static text. */
void update_task_hide(struct update_task *t, const char *general);

/* Writes the answer and returns its length; 0: there is no answer. */
size_t update_task_answer(struct update_task *t, const struct server_conf *conf, uint64_t now_s, uint8_t *out, size_t cap);

static inline const uint8_t *
update_task_zone(const struct update_task *t)
{
	return t->update.m.qname.oct;
}
