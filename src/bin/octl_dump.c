/* octl dump: gets a zone from the server by AXFR (RFC 5936), and prints it as a master file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "bin/clean.h"
#include "bin/cli.h"
#include "bin/octl.h"
#include "dns/rdata.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "ops/memory_limit.h"
#include "zone/dump.h"
#include "zone/findings.h"

enum { UNKNOWN_MIB = 1024, PART = 2 }; /* memory assumed if the system does not tell; the part of it that a zone may use */

enum { QUERY_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 11 + TSIG_RR_MAX }; /* header, question, OPT, signature */

enum { WHOLE_MAX_S = 3600 }; /* for all messages of one transfer together */

enum { SOA_MAX = 2 * NAME_WIRE_MAX + 20 };

struct dump {
	const uint8_t *zone;
	struct zone_builder *builder;
	struct findings findings;
	uint8_t soa[SOA_MAX]; /* RDATA of the first record, which the last one must equal (RFC 5936 2.2) */
	size_t soa_len;       /* 0: no record has come yet */
	bool is_complete;
	err_t err;
	uint8_t rdata[UINT16_MAX];
};

/* ---- records ---- */

/* A SOA record is the first record of the answer or the last. */
static err_t
take_soa(struct dump *d, const uint8_t *owner, const struct buf *rdata)
{
	if (!name_is_equal(owner, d->zone) || rdata->len > SOA_MAX) {
		return E_FORMAT;
	}
	if (d->soa_len != 0) {
		d->is_complete = rdata->len == d->soa_len && memcmp(d->rdata, d->soa, d->soa_len) == 0;
		return d->is_complete ? OK : E_FORMAT;
	}
	memcpy(d->soa, d->rdata, rdata->len);
	d->soa_len = rdata->len;
	return OK;
}

static err_t
take_record(struct dump *d, const struct msg *m, const uint8_t *owner, const struct msg_rr *rr)
{
	struct cur c = cur_over(m->wire, m->len);
	struct buf rdata = buf_over(d->rdata, sizeof d->rdata);
	c.pos = rr->rdata_at;
	bool is_in_place = !d->is_complete && rr->rrclass == CLASS_IN && (rr->type == TYPE_SOA || d->soa_len != 0);
	TRY(is_in_place ? rdata_read(&c, rr->type, rr->rdlength, &rdata) : E_FORMAT);
	if (rr->type == TYPE_SOA) {
		TRY(take_soa(d, owner, &rdata));
	}
	return d->is_complete ? OK : zone_builder_add(d->builder, owner, rr->type, rr->ttl, d->rdata, (uint16_t)rdata.len);
}

/* A message without a record is an error: otherwise a server could send such messages for ever. */
static err_t
take_message(struct dump *d, const struct msg *m)
{
	struct cur c = cur_over(m->wire, m->len);
	c.pos = m->rr_at[1];
	for (unsigned i = 0; i < m->count[1]; i++) {
		struct name owner;
		struct msg_rr rr;
		TRY(msg_read_rr(&c, &owner, &rr));
		TRY(take_record(d, m, owner.oct, &rr));
	}
	return m->count[1] != 0 ? OK : E_FORMAT;
}

static enum client_verdict
on_part(void *ctx, const struct msg *m)
{
	struct dump *d = ctx;
	d->err = take_message(d, m);
	return d->err == OK && !d->is_complete ? CLIENT_MORE : CLIENT_TAKE;
}

/* ---- the result ---- */

static err_t
write_text(void *ctx, const char *text, size_t len)
{
	return fwrite(text, 1, len, ctx) == len ? OK : E_IO;
}

/* Prints the first error of the zone builder as a hint. */
static void
hint_finding(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].level == DIAG_ERROR) {
			struct str text = { 0 };
			clean_put(&text, f->list[i].text);
			cli_hint("%s", str_text(&text));
			str_fini(&text);
			return;
		}
	}
}

static int
print(struct dump *d, const struct cli_signed *asked)
{
	struct zone *zone = NULL;
	err_t err = d->err == OK ? zone_builder_finish(d->builder, &zone) : d->err;
	if (err != OK) {
		cli_error("%s: %s has sent a zone that cannot be printed: %s", asked->subject, asked->server, err_str(err));
		hint_finding(&d->findings);
	} else {
		err = dump_zone(zone, write_text, stdout);
		err = err == OK && fflush(stdout) != 0 ? E_IO : err;
		if (err != OK) {
			cli_error("%s: printed only in part: %s", asked->subject, err_str(err));
		}
	}
	zone_free(&zone);
	return err == OK ? CLI_OK : CLI_FAILED;
}

static void
explain(const struct cli_signed *asked, const uint8_t *zone)
{
	const struct signed_request *r = &asked->request;
	char rcode[RRTYPE_TEXT_MAX];
	if (!signed_is_refusal(r)) {
		cli_signed_explain(asked);
		return;
	}
	cli_error("%s: %s answers %s%s%s", asked->subject, asked->server, rcode_print(r->rcode, false, rcode),
	          r->ede[0] != '\0' ? ": " : "", r->ede);
	cli_signed_hint_unknown_key(asked);
	cli_signed_explain_rights(asked, RIGHT_TRANSFER, zone);
}

/* ---- asking ---- */

static void
limit_memory(struct zone_builder *b)
{
	const struct memory_limit have = memory_limit_find("");
	zone_builder_limit(b, (have.octets != 0 ? have.octets : (size_t)UNKNOWN_MIB << 20) / PART);
}

/* Asks one address.  If it fails half-way, the next address is asked for everything again. */
static err_t
ask_one(struct dump *d, struct cli_signed *asked, const struct client_addresses *one, unsigned timeout_s)
{
	uint8_t wire[QUERY_MAX];
	struct buf b = buf_over(wire, sizeof wire);
	const struct client_patience patience = { .tcp_ms = timeout_s * 3000, .whole_ms = WHOLE_MAX_S * 1000 };
	TRY(zone_builder_new(d->zone, &d->findings, &d->builder));
	limit_memory(d->builder);
	client_begin_request(&b, OPCODE_QUERY << 11, &(struct question){ d->zone, TYPE_AXFR, CLASS_IN });
	request_put_edns(&b);
	asked->request = (struct signed_request){
		.wire = wire, .len = b.len, .cap = sizeof wire, .key = &asked->key, .part = on_part, .part_ctx = d,
	};
	err_t err = cli_signed_ask(asked, one, &patience);
	asked->request.wire = NULL;
	return err;
}

static void
dump_free(struct dump **d)
{
	zone_builder_free(&(*d)->builder);
	findings_fini(&(*d)->findings);
	free_ptr(d);
}

int
octl_dump(struct cli_signed *asked, const struct client_addresses *to, unsigned timeout_s, const uint8_t *zone)
{
	for (size_t i = 0; i < to->n; i++) {
		[[gnu::cleanup(dump_free)]] struct dump *d = xalloc(sizeof *d);
		const struct client_addresses one = { .n = 1, .list = { to->list[i] } };
		d->zone = zone;
		if (ask_one(d, asked, &one, timeout_s) != OK) {
			if (d->soa_len != 0) {
				cli_hint("a part of the zone has come, and is not printed");
			}
			continue;
		}
		if (asked->request.outcome == SIGNED_ACCEPTED) {
			return print(d, asked);
		}
		explain(asked, zone);
		return CLI_FAILED;
	}
	return CLI_FAILED;
}
