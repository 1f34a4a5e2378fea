#include "bin/oprimary_updates.h"

#include <string.h>
#include <unistd.h>

#include "dns/rrtype.h"
#include "dns/wire.h"
#include "git/link_files.h"
#include "net/peer.h"
#include "ops/clock.h"

/* ---- to the git side ---- */

static struct updater_now
now(void *ctx)
{
	(void)ctx;
	return (struct updater_now){ .mono_ns = clock_ns(), .wall_s = clock_wall_s() };
}

static void
begin_reading(void *ctx)
{
	struct updates *u = ctx;
	asker_begin(u->asker);
}

static bool
is_pull_coming(void *ctx)
{
	const struct updates *u = ctx;
	return u->asker->is_pull_coming;
}

static err_t
put_entries(const struct updater_push *p, struct link_frame *f)
{
	struct link_build build = { 0 };
	link_build_put(&build, LINK_ENTRY_MESSAGE, "", 0, p->message, strlen(p->message));
	for (size_t i = 0; i < p->n; i++) {
		const struct batch_file *file = &p->files[i];
		link_build_put(&build, file->text != NULL ? LINK_ENTRY_PUT : LINK_ENTRY_REMOVE, file->path, strlen(file->path), file->text,
		               file->len);
	}
	err_t err = link_build_seal(&build, &f->fd, &f->n);
	link_build_fini(&build);
	return err;
}

/* False: the git process is gone, or there is no memory for the message. */
static bool
push(void *ctx, const struct updater_push *p)
{
	struct updates *u = ctx;
	struct link_frame f = { .type = LINK_PUSH, .now_s = p->made_s, .fd = -1 };
	if (put_entries(p, &f) != OK) {
		return false;
	}
	memcpy(f.id, p->base, strlen(p->base) + 1);
	if (p->again != NULL) {
		f.flags = LINK_AGAIN;
		memcpy(f.text, p->again, strlen(p->again) + 1);
	}
	err_t err = link_send(u->git->link, &f);
	close(f.fd);
	return err == OK;
}

static void
pull(void *ctx, bool is_whole)
{
	struct updates *u = ctx;
	if (is_whole) {
		puller_want_whole(u->puller);
	} else {
		puller_want(u->puller, PULL_FOR_UPDATE);
	}
	u->asked = puller_next(u->puller);
}

/* ---- views and answers ---- */

static err_t
reserve(void *ctx)
{
	struct updates *u = ctx;
	return served_reserve(u->served);
}

static void
publish(void *ctx, const struct view *next, struct discard *old)
{
	struct updates *u = ctx;
	served_publish(u->served, next, old);
	u->changed(u->ctx);
}

static void
answer(void *ctx, void *handle, const uint8_t *bytes, size_t len)
{
	struct updates *u = ctx;
	struct inbox_item *item = handle;
	return_path_send(&item->from, bytes, len);
	inbox_give_back(u->inbox, item);
}

/* ---- the log ---- */

const struct histogram_bounds updates_push_bounds = {
	.n = 12,
	.at = { 1000, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000, 60000000 },
	.one = 1e6,
};
const struct histogram_bounds updates_batch_bounds = { .n = 10, .at = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000 }, .one = 1 };

static void
count_pushed(struct updates *u, const struct updater_report *r)
{
	histogram_note(&u->push_us, &updates_push_bounds, r->took.push_us);
	histogram_note(&u->batch, &updates_batch_bounds, r->updates);
}

static void
say_pushed(const struct log *log, const struct updater_report *r)
{
	const struct updater_took *t = &r->took;
	log_event(log, LOG_LEVEL_INFO, "commit-pushed",
	          "commit=%s updates=%zu evaluate_us=%u edit_us=%u commit_us=%u push_us=%u publish_us=%u total_us=%u", r->commit,
	          r->updates, t->evaluate_us, t->edit_us, t->commit_us, t->push_us, t->publish_us, t->total_us);
}

static void
say_refused(const struct log *log, const struct updater_report *r)
{
	const struct updater_refused *what = &r->refused;
	enum log_level level = what->rcode == RCODE_SERVFAIL ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	char from[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX], rcode[RRTYPE_TEXT_MAX];
	if (!log_is_on(log, level)) {
		return;
	}
	peer_print(what->peer, from);
	name_print(what->zone, zone);
	name_print(what->key, key);
	log_peer_event(log, LOG_BY_KEY, level, "update-refused", "from=%s zone=%s key=%s rcode=%s why=%s", from, zone, key,
	               rcode_print(what->rcode, false, rcode), r->text);
}

static void
say(void *ctx, const struct updater_report *r)
{
	struct updates *u = ctx;
	switch (r->event) {
	case UPDATER_PAUSES:
		log_event(u->log, LOG_LEVEL_INFO, "updates-pause", "ms=%u waiting=%zu why=%s", r->wait_ms, r->updates, r->text);
		break;
	case UPDATER_PUSHED:
		count_pushed(u, r);
		say_pushed(u->log, r);
		break;
	case UPDATER_PUSH_FAILED:
		log_event(u->log, LOG_LEVEL_ERROR, "push-failed", "updates=%zu text=%s serving=last-good", r->updates, r->text);
		break;
	case UPDATER_PUSH_UNCLEAR:
		log_event(u->log, LOG_LEVEL_WARNING, "push-unclear", "commit=%s updates=%zu text=%s", r->commit, r->updates, r->text);
		break;
	case UPDATER_NOT_TAKEN_OVER:
		log_event(u->log, LOG_LEVEL_ERROR, "commit-not-taken-over", "text=%s hint=%s", r->text, "everything is read again");
		break;
	case UPDATER_SERIAL_NOT_WRITTEN:
		log_event(u->log, LOG_LEVEL_WARNING, "serial-not-written", "why=%s", r->text);
		break;
	case UPDATER_REFUSED:
		say_refused(u->log, r);
		break;
	case UPDATER_EVENTS:
		break;
	}
}

/* ---- from the inbox and the git side ---- */

static void
take_inbox(struct updates *u)
{
	for (struct inbox_item *item = inbox_take_all(u->inbox), *next; item != NULL; item = next) {
		const struct updater_request r = {
			.key = &item->key, .peer = &item->from.peer, .arrived_s = item->arrived_s, .arrived_ns = item->arrived_ns,
			.bytes = item->bytes, .len = item->len, .handle = item,
		};
		next = item->next;
		updater_add(u->updater, &r);
	}
}

void
updates_go_on(struct updates *u)
{
	take_inbox(u);
	puller_go_on(u->puller);
	updater_go_on(u->updater, puller_is_pulling(u->puller));
}

int
updates_wait_ms(struct updates *u)
{
	return puller_is_pulling(u->puller) ? -1 : updater_wait_ms(u->updater);
}

void
updates_on_frame(struct updates *u, const struct link_frame *f)
{
	if (f->type == LINK_PUSHED) {
		const struct updater_pushed p = { .commit = f->id, .commit_us = f->commit_us, .push_us = f->push_us };
		updater_on_pushed(u->updater, &p);
	} else {
		const struct updater_push_failure p = { .status = (err_t)f->status, .commit = f->id, .text = f->text };
		updater_on_push_failed(u->updater, &p);
	}
	updates_go_on(u);
}

void
updates_after_pull(struct updates *u, const struct link_frame *f)
{
	const struct updater_pull p = {
		.end = f->type == LINK_COMMIT     ? UPDATER_PULL_COMMIT
		       : f->type == LINK_UPTODATE ? UPDATER_PULL_UPTODATE
		                                  : UPDATER_PULL_FAILED,
		.commit = f->id,
		.is_older = u->puller->answered < u->asked,
		.is_from_cache = (f->flags & LINK_FROM_CACHE) != 0,
		.is_of_people = (f->flags & LINK_OF_PEOPLE) != 0,
		.has_pushed = (f->flags & LINK_HAS_PUSHED) != 0,
		.has_no_branch = (f->flags & LINK_NO_BRANCH) != 0,
		.text = f->text,
	};
	updater_after_pull(u->updater, &p);
	take_inbox(u);
	updater_go_on(u->updater, puller_is_pulling(u->puller));
}

/* ---- beginning and end ---- */

void
updates_begin(struct updates *u)
{
	const struct updater_conf conf = {
		.primary = u->primary,
		.server = u->conf,
		.source = { .ctx = u->asker, .open = asker_open, .close = asker_close },
		.io = {
			.now = now, .begin_reading = begin_reading, .is_pull_coming = is_pull_coming, .push = push, .pull = pull,
			.reserve = reserve, .publish = publish, .answer = answer, .say = say, .ctx = u,
		},
	};
	u->updater = updater_new(&conf);
}

void
updates_end(struct updates *u)
{
	take_inbox(u);
	updater_free(&u->updater);
}
