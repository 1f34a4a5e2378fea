/* What was made here, and is in a commit by now, becomes the next view. */
#include <string.h>

#include "auth/primary_p.h"
#include "base/alloc.h"
#include "zone/history.h"

/* All that can fail: the set's new version. */
static err_t
put_all(struct trie_txn *txn, const struct accepted *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		void *replaced;
		if (list[i].is_removal) {
			struct nkey key;
			nkey_set(&key, list[i].file->apex.oct);
			TRY(trie_claim(txn, &key));
			(void)trie_remove(txn, &key);
		} else {
			TRY(trie_put(txn, list[i].zone, &replaced));
		}
	}
	return OK;
}

static void
take_removal(struct primary *p, struct accepted *a, struct discard *old)
{
	struct file *f = a->file;
	primary_report(p, &(struct primary_report){ .event = ZONE_REMOVED, .path = f->path, .zone = f->zone,
	                                            .records = f->zone->records });
	primary_note_removed(p, f->zone);
	history_drop(f->zone, &old->garbage);
	discard_zone(old, f->zone);
	f->zone = NULL;
	file_remove(p, f);
}

static void
take_change(struct primary *p, struct accepted *a, struct discard *old)
{
	struct file *f = a->file;
	struct zone *before = f->zone, *made;
	err_t err = zone_txn_commit(a->txn, &made, &old->garbage);
	ASSERT(err == OK && made == a->zone); /* it was prepared */
	history_extend(before, made, a->changes, &old->garbage);
	f->zone = made;
	primary_report_zone(p, f, made, before, 0);
}

static void
take_new(struct primary *p, struct accepted *a)
{
	struct file *f = a->file;
	f->zone = a->zone;
	primary_begin_zone(p, f->zone);
	f->is_broken = false;
	if (a->is_new) {
		file_insert(p, f);
	}
	primary_report_zone(p, f, f->zone, NULL, 0);
}

static err_t
prepare(struct primary *p, struct trie_txn *txn, const struct accepted *list, size_t n, struct view **next, struct discard **old)
{
	TRY(put_all(txn, list, n));
	TRY(file_reserve(p, n));
	return step_prepare(n, next, old);
}

err_t
primary_accept(struct primary *p, struct accepted *list, size_t n, const char *id, uint64_t now_s, const struct view **out,
               struct discard **old)
{
	struct trie_txn txn;
	trie_begin(&txn, &p->view->zones);
	struct view *next;
	struct discard *d;
	err_t err = prepare(p, &txn, list, n, &next, &d);
	if (err != OK) {
		trie_rollback(&txn);
		return err;
	}
	next->keys = p->view->keys;
	strncpy(next->commit, id, sizeof next->commit - 1);
	next->zones = trie_commit(&txn, &d->garbage);
	for (size_t i = 0; i < n; i++) {
		p->octets -= file_octets(list[i].file);
		if (list[i].is_removal) {
			take_removal(p, &list[i], d);
		} else if (list[i].txn != NULL) {
			take_change(p, &list[i], d);
		} else {
			take_new(p, &list[i]);
		}
		p->octets += list[i].is_removal ? 0 : file_octets(list[i].file);
	}
	primary_step(p, next, now_s, d);
	*out = next;
	*old = d;
	return OK;
}
