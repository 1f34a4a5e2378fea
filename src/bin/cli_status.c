#include "bin/cli_status.h"

#include <stdio.h>
#include <string.h>

#include "bin/clean.h"
#include "dns/request.h"
#include "dns/rrtype.h"

enum { UDP_TRIES = 2 };

void
cli_status_put_place(struct str *out, const struct status_item *item)
{
	const char *in = status_value(item, "in"), *line = status_value(item, "line");
	clean_put(out, in[0] != '\0' ? in : status_value(item, "file"));
	if (line[0] != '\0') {
		str_char(out, ':');
		clean_put(out, line);
		str_char(out, ':');
		clean_put(out, status_value(item, "column"));
	}
}

err_t
cli_status_reach(struct cli_status *s)
{
	struct key k = { 0 };
	if (key_name_read(s->asked.key.name.oct, &k) != OK) {
		cli_error("the key's name has no operation in it, so it may do nothing");
		cli_hint("make a key with a name like ANYTHING._status.DOMAIN (okeygen tsig)");
		return E_FORMAT;
	}
	s->domain = k.domain;
	return OK;
}

/* ---- one page ---- */

static err_t
write_question(struct cli_status *s, enum status_what what, const uint8_t *domain)
{
	struct name name;
	struct status_writer w = { .b = buf_over(s->wire, sizeof s->wire) };
	if (status_name(what, domain, &name) != OK) {
		char text[NAME_TEXT_MAX];
		(void)name_show(domain, text);
		cli_error("%s: the name is too long for this question: ask about a domain above it", text);
		return E_NAMELEN;
	}
	client_begin_request(&w.b, OPCODE_QUERY << 11, &(struct question){ name.oct, TYPE_TXT, CLASS_CH });
	if (s->after[0] != '\0') {
		status_begin(&w);
		status_pair(&w, "after", s->after);
		status_end(&w);
		buf_patch_u16(&w.b, 8, 1); /* NSCOUNT */
	}
	request_put_edns(&w.b);
	s->asked.request = (struct signed_request){
		.wire = s->wire, .len = w.b.len, .cap = sizeof s->wire, .key = s->asked.request.key, .answer = s->answer,
	};
	return w.b.err;
}

static void
explain(const struct cli_status *s, enum status_what what, const uint8_t *domain)
{
	const struct signed_request *r = &s->asked.request;
	char rcode[RRTYPE_TEXT_MAX];
	if (s->is_quiet) {
		return;
	}
	if (!signed_is_refusal(r)) {
		cli_signed_explain(&s->asked);
		return;
	}
	cli_error("%s: %s answers %s%s%s", s->asked.subject, s->asked.server, rcode_print(r->rcode, false, rcode),
	          r->ede[0] != '\0' ? ": " : "", r->ede);
	switch (r->rcode) {
	case RCODE_SERVFAIL:
		cli_hint("perhaps it has not loaded anything yet: its log says why");
		break;
	case RCODE_REFUSED:
	case RCODE_NOTAUTH:
		cli_signed_hint_unknown_key(&s->asked);
		cli_signed_explain_rights(&s->asked, RIGHT_STATUS, what == STATUS_UPDATES ? name_root : domain);
		break;
	default:
		cli_hint("is this an Origin server, and new enough to answer such questions?");
	}
}

/* One exchange.  Lists are asked for by TCP only, because they rarely fit into a datagram. */
static err_t
exchange(struct cli_status *s, enum status_what what, const uint8_t *domain)
{
	const struct client_patience patience = {
		.udp_tries = what == STATUS_DAEMON ? UDP_TRIES : 0, .udp_first_ms = s->timeout_s * 1000, .tcp_ms = s->timeout_s * 3000,
	};
	struct signed_request *r = &s->asked.request;
	TRY(write_question(s, what, domain));
	TRY(s->is_quiet ? signed_ask(r, s->to, &patience) : cli_signed_ask(&s->asked, s->to, &patience));
	if (r->outcome == SIGNED_REFUSED && r->rcode == RCODE_NXDOMAIN) {
		return E_NOTFOUND;
	}
	if (r->outcome != SIGNED_ACCEPTED) {
		explain(s, what, domain);
		return E_REFUSED;
	}
	return OK;
}

/* ---- all pages ---- */

struct asking {
	err_t (*each)(void *ctx, const struct status_item *item);
	void *ctx;
	size_t items, octets;
};

static err_t
take_items(struct cli_status *s, struct asking *a, const struct msg *m)
{
	struct status_reader r = status_read(m, 1);
	err_t err;
	while ((err = status_next(&r, &s->item)) == OK) {
		TRY(a->each(a->ctx, &s->item));
		a->items++;
	}
	a->octets += m->len;
	a->items++; /* the page itself */
	bool is_too_much = a->items > CLI_STATUS_ITEMS_MAX || a->octets > CLI_STATUS_OCTETS_MAX;
	return err != E_NOTFOUND ? err : is_too_much ? E_LIMIT : OK;
}

/* Reads where the next page begins; "" after the last page.  It must differ from the page before, or the questions would never end. */
static err_t
take_tail(struct cli_status *s, const struct msg *m)
{
	char before[NAME_TEXT_MAX];
	struct status_reader r = status_read(m, 2);
	err_t err = status_next(&r, &s->item);
	if (err != OK) {
		return err == E_NOTFOUND ? E_FORMAT : err;
	}
	const char *next = status_value(&s->item, "next"), *commit = status_value(&s->item, "commit");
	(void)snprintf(before, sizeof before, "%s", s->after);
	bool is_new = next[0] == '\0' || strcmp(next, before) != 0;
	if (!is_new || strlen(next) >= sizeof s->after || strlen(commit) >= sizeof s->commit) {
		return E_FORMAT;
	}
	(void)snprintf(s->after, sizeof s->after, "%s", next);
	(void)snprintf(s->commit, sizeof s->commit, "%s", commit);
	return OK;
}

static err_t
take_page(struct cli_status *s, struct asking *a)
{
	struct msg m;
	err_t err = msg_parse(s->answer, s->asked.request.answer_len, &m);
	err = err == OK ? take_items(s, a, &m) : err;
	err = err == OK ? take_tail(s, &m) : err;
	if ((err == E_FORMAT || err == E_LIMIT) && !s->is_quiet) {
		cli_error("%s: the answer of %s cannot be read: %s", s->asked.subject, s->asked.server, err_str(err));
		cli_hint("is this an Origin server of this version?");
	}
	return err;
}

err_t
cli_status_ask(struct cli_status *s, enum status_what what, const uint8_t *domain,
               err_t (*each)(void *ctx, const struct status_item *item), void *ctx)
{
	struct asking a = { .each = each, .ctx = ctx };
	s->after[0] = '\0';
	do {
		TRY(exchange(s, what, domain));
		TRY(take_page(s, &a));
	} while (s->after[0] != '\0');
	return OK;
}
