/* The state of zones, from the notes of the view and the zones themselves. */
#include <string.h>

#include "auth/status_p.h"
#include "zone/nkey.h"

static const char *
level_text(const struct zone_note *n)
{
	return n->text[0] == '\0' ? "" : n->level == DIAG_ERROR ? "error" : "warning";
}

static void
put_finding(struct status_page *p, const struct zone_note *n)
{
	struct status_writer *w = &p->w;
	status_pair(w, "finding", p->is_all || n->general == NULL ? n->text : n->general);
	status_pair(w, "level", level_text(n));
	status_pair(w, "code", n->code);
	status_pair(w, "in", n->where);
	if (n->line != 0) {
		status_number(w, "line", n->line);
		status_number(w, "column", n->column);
	}
}

static void
put_catalog(struct status_page *p, const struct zone_note *n)
{
	char name[NAME_TEXT_MAX];
	if (n->catalog != NULL) {
		(void)name_show(n->catalog, name);
		status_pair(&p->w, "catalog", name);
	}
}

/* False: the page is full. */
static bool
put_note(struct status_page *p, const struct zone_note *n)
{
	const struct zone *z = view_zone(p->view, n->apex);
	struct status_writer *w = &p->w;
	char name[NAME_TEXT_MAX];
	(void)name_show(n->apex, name);
	page_begin(p);
	status_pair(w, "zone", name);
	status_pair(w, "state", zone_note_state_text(n->state));
	if (z != NULL) {
		status_number(w, "serial", z->serial);
		status_number(w, "records", z->records);
		status_pair(w, "signed", z->is_signed ? "yes" : "");
	}
	status_pair(w, "file", n->file);
	put_catalog(p, n);
	status_pair(w, "commit", n->changed);
	if (n->changed_s != 0) {
		status_number(w, "changed", n->changed_s);
	}
	status_pair(w, "since", n->since);
	status_pair(w, "tried", n->tried);
	put_finding(p, n);
	return page_end(p, n->apex);
}

const struct zone_note *
status_begin_walk(const struct trie *notes, const struct status_question *q, struct trie_iter *it)
{
	struct nkey key;
	nkey_set(&key, q->has_after ? q->after.oct : q->domain);
	trie_iter_seek(it, notes, &key);
	const struct zone_note *n = trie_iter_next(it);
	bool is_known = n != NULL && q->has_after && name_is_equal(n->apex, q->after.oct);
	return is_known ? trie_iter_next(it) : n;
}

void
status_put_zones(struct status_page *p, const struct trie *notes)
{
	struct trie_iter it;
	const struct zone_note *n = status_begin_walk(notes, p->q, &it);
	while (n != NULL && name_is_within(n->apex, p->q->domain) && put_note(p, n)) {
		n = trie_iter_next(&it);
	}
}

err_t
status_put_zone(struct status_page *p)
{
	const struct zone_note *n = zone_notes_find(&p->view->notes, p->q->domain);
	if (n == NULL) {
		return E_NOTFOUND;
	}
	(void)put_note(p, n);
	return OK;
}

/* True: all zones of the domain were counted. */
static bool
count_in(const struct trie *notes, const uint8_t *domain, size_t *all, size_t *held)
{
	const struct status_question q = { .domain = domain };
	struct trie_iter it;
	size_t left = STATUS_COUNTED_MAX;
	const struct zone_note *n = status_begin_walk(notes, &q, &it);
	for (; n != NULL && name_is_within(n->apex, domain); n = trie_iter_next(&it)) {
		if (left-- == 0) {
			return false;
		}
		++*all;
		*held += n->state == NOTE_HELD;
	}
	return true;
}

struct status_counts
status_count(const struct view *v, const uint8_t *domain)
{
	struct status_counts c = { 0 };
	size_t ignored = 0;
	c.is_more = !count_in(&v->notes.troubles, domain, &c.troubles, &c.held);
	if (name_is_root(domain)) {
		c.zones = v->notes.all.n;
	} else if (!count_in(&v->notes.all, domain, &c.zones, &ignored)) {
		c.is_more = true;
	}
	return c;
}
