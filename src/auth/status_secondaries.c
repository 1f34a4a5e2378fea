/* The state of secondaries: the serial that each has of each zone, compared with the served serial. */
#include <stdio.h>

#include "auth/notifier.h"
#include "auth/status_p.h"
#include "base/number.h"
#include "zone/nkey.h"

enum { PLACE_MAX = 56 };

/* Writes IPv6 addresses as eight groups, which every program understands.  Returns the length. */
static size_t
print_address(const struct key_address *a, char out[PLACE_MAX])
{
	const uint8_t *o = a->octets;
	if (a->family == 4) {
		return (size_t)snprintf(out, PLACE_MAX, "%u.%u.%u.%u", o[0], o[1], o[2], o[3]);
	}
	size_t len = 0;
	for (size_t i = 0; i < 16; i += 2) {
		len += (size_t)snprintf(out + len, PLACE_MAX - len, "%s%x", i != 0 ? ":" : "", (unsigned)u16_at(o + i));
	}
	return len;
}

/* "192.0.2.1", or "192.0.2.1@5353" when it is told at another port than 53. */
static void
print_place(const struct secondary_row *row, char out[PLACE_MAX])
{
	size_t len = print_address(&row->address, out);
	if (row->port != 0 && row->port != NOTIFY_PORT) {
		(void)snprintf(out + len, PLACE_MAX - len, "@%u", row->port);
	}
}

static bool
put_row(struct status_page *p, const struct zone *z, const struct zone_note *n, const struct secondary_row *row)
{
	struct status_writer *w = &p->w;
	char name[NAME_TEXT_MAX], place[PLACE_MAX];
	enum secondary_state state = secondary_row_state(row, z->serial, n->changed_s);
	(void)name_show(n->apex, name);
	print_place(row, place);
	page_begin(p);
	status_pair(w, "zone", name);
	status_pair(w, "secondary", place);
	status_pair(w, "state", secondary_state_text(state));
	status_number(w, "serial", z->serial);
	if (row->has_s != 0) {
		status_number(w, "has", row->has);
		status_number(w, "transferred", row->has_s);
	}
	if (row->told_s != 0) {
		status_number(w, "told", row->told);
		status_number(w, "acknowledged", row->told_s);
	}
	if (state == SECONDARY_BEHIND) {
		status_number(w, "behind", secondary_row_behind(row, z->serial));
	}
	if (state == SECONDARY_BEHIND || state == SECONDARY_BEYOND) {
		status_number(w, "since", n->changed_s); /* time of the version that it does not have */
	}
	if (row->error != NULL) {
		status_pair(w, "error", row->error);
		status_number(w, "failed", row->error_s);
	}
	return page_end(p, n->apex);
}

/* Writes all rows of a zone or none, since the next page begins after a zone. */
static bool
put_zone_rows(struct status_page *p, const struct zone_note *n)
{
	struct secondary_row rows[SECONDARY_OF_ZONE_MAX];
	const struct zone *z = view_zone(p->view, n->apex);
	size_t rows_n = z != NULL ? p->conf->secondaries(p->conf->state_ctx, n->apex, rows) : 0;
	const struct status_page before = *p;
	const struct reply reply = *p->r;
	for (size_t i = 0; i < rows_n; i++) {
		if (!put_row(p, z, n, &rows[i])) {
			*p->r = reply;
			p->items = before.items;
			p->last = before.last;
			return false;
		}
	}
	return true;
}

err_t
status_put_secondaries(struct status_page *p)
{
	struct trie_iter it;
	size_t left = STATUS_COUNTED_MAX;
	if (p->conf->secondaries == NULL) {
		return E_NOTFOUND;
	}
	const struct zone_note *n = status_begin_walk(&p->view->notes.all, p->q, &it);
	for (; n != NULL && name_is_within(n->apex, p->q->domain); n = trie_iter_next(&it)) {
		if (left-- == 0) { /* the next question gets the rest */
			p->is_full = true;
			return OK;
		}
		if (!put_zone_rows(p, n)) {
			return OK;
		}
		name_set(&p->last, n->apex);
	}
	return OK;
}
