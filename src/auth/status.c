#include "auth/status_p.h"

#include <string.h>

#include "dns/rrtype.h"
#include "dns/wire.h"

enum {
	/* Octets of the record in the authority section, without the name after "next=": fixed fields, "commit=" with a SHA-256
	 * in hex, "next=", and the length octets of strings. */
	TAIL_FIXED_LEN = 12 + 1 + 7 + 64 + 1 + 5 + NAME_TEXT_MAX / 255 + 1,
};

/* ---- the question ---- */

/* Reads "after" from the question's authority section. */
static err_t
read_cursor(const struct msg *m, struct status_question *q)
{
	struct status_item item;
	struct status_reader r = status_read(m, 2);
	if (status_next(&r, &item) != OK || r.left != 0) {
		return E_FORMAT;
	}
	const char *after = status_value(&item, "after");
	if (after[0] == '\0' || name_parse(after, strlen(after), name_root, &q->after) != OK) {
		return E_FORMAT;
	}
	q->has_after = q->what == STATUS_KEYS ? status_is_key_place(q->after.oct) : name_is_within(q->after.oct, q->domain);
	return q->has_after ? OK : E_FORMAT;
}

err_t
status_question_read(const struct msg *m, struct status_question *out)
{
	out->has_after = false;
	if (m->qclass != CLASS_CH || (m->qtype != TYPE_TXT && m->qtype != TYPE_ANY)) {
		return E_NOTFOUND;
	}
	TRY(status_name_read(m->qname.oct, &out->what, &out->domain));
	return m->count[2] == 0 ? OK : read_cursor(m, out);
}

/* ---- a page ---- */

void
page_begin(struct status_page *p)
{
	p->w.b = buf_over(p->r->wire + p->r->len, p->r->cap - p->r->len);
	status_begin(&p->w);
}

static size_t
tail_len(const uint8_t *name)
{
	char text[NAME_TEXT_MAX];
	return TAIL_FIXED_LEN + (name != NULL ? name_print(name, text) : 0);
}

bool
page_end(struct status_page *p, const uint8_t *name)
{
	status_end(&p->w);
	if (p->items == STATUS_ITEMS_MAX || buf_room(&p->w.b) < tail_len(name)) {
		p->is_full = true;
		return false;
	}
	p->r->len += p->w.b.len;
	p->r->count[SECTION_ANSWER]++;
	p->items++;
	if (name != NULL) {
		name_set(&p->last, name);
	}
	return true;
}

/* Writes the authority section.  After items there is room for it: page_end() checks that. */
static err_t
put_tail(struct status_page *p)
{
	char next[NAME_TEXT_MAX] = "";
	if (p->is_full) {
		(void)name_print(p->last.oct, next);
	}
	page_begin(p);
	status_pair(&p->w, "commit", p->view->commit);
	status_pair(&p->w, "next", next);
	status_end(&p->w);
	if (p->w.b.err == OK) {
		p->r->len += p->w.b.len;
		p->r->count[SECTION_AUTHORITY]++;
	}
	return p->w.b.err;
}

/* ---- items ---- */

static err_t
put_items(struct status_page *p)
{
	switch (p->q->what) {
	case STATUS_ZONES:
		status_put_zones(p, &p->view->notes.all);
		return OK;
	case STATUS_TROUBLE:
		status_put_zones(p, &p->view->notes.troubles);
		return OK;
	case STATUS_ZONE:
		return status_put_zone(p);
	case STATUS_KEYS:
		status_put_keys(p);
		return OK;
	case STATUS_SECONDARIES:
		return status_put_secondaries(p);
	case STATUS_UPDATES:
		return status_put_updates(p);
	default:
		status_put_daemon(p);
		return OK;
	}
}

err_t
status_answer(const struct view *v, const struct server_conf *conf, const struct status_question *q, bool is_all, struct reply *r)
{
	struct status_page p = { .view = v, .conf = conf, .q = q, .is_all = is_all, .r = r };
	TRY(put_items(&p));
	if (p.is_full && p.items == 0 && p.last.len == 0) {
		return E_FULL;
	}
	return put_tail(&p);
}

/* ---- the request ---- */

static void
refuse(struct request *q)
{
	q->rcode = RCODE_REFUSED;
	q->ede = EDE_PROHIBITED;
}

static void
answer(struct request *q, const struct status_question *question)
{
	bool is_all = key_sees_all(q->key);
	switch (status_answer(q->view, q->conf, question, is_all, &q->r)) {
	case OK:
		q->is_authoritative = true;
		break;
	case E_NOTFOUND:
		q->is_authoritative = true;
		q->rcode = RCODE_NXDOMAIN;
		break;
	default: /* nothing fits; over TCP it will */
		q->r.is_truncated = q->peer->transport == TRANSPORT_UDP;
		q->rcode = q->r.is_truncated ? RCODE_NOERROR : RCODE_SERVFAIL;
	}
}

/* What is known of updates is about the server as a whole. */
static bool
may_ask(const struct key *k, const struct status_question *q)
{
	return k != NULL && (q->what == STATUS_UPDATES ? key_sees_all(k) : key_has_right(k, RIGHT_STATUS, q->domain));
}

bool
status_handle(struct request *q)
{
	struct status_question question = { .what = STATUS_WHATS }; /* it may ask for something unknown */
	err_t err = status_question_read(&q->m, &question);
	if (err == E_NOTFOUND) {
		return false;
	}
	if (!may_ask(q->key, &question)) {
		refuse(q);
	} else if (err == E_UNSUPPORTED) {
		q->rcode = RCODE_NXDOMAIN;
	} else if (err != OK) {
		q->rcode = RCODE_FORMERR;
	} else {
		answer(q, &question);
	}
	return true;
}
