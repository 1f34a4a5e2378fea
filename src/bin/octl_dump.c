/* octl dump: gets a zone from the server by AXFR (RFC 5936), and prints it as a master file. */
#include <stdio.h>

#include "auth/incoming.h"
#include "bin/clean.h"
#include "bin/cli.h"
#include "bin/octl.h"
#include "dns/request.h"
#include "dns/rrtype.h"
#include "ops/memory_limit.h"
#include "zone/dump.h"

enum { UNKNOWN_MIB = 1024, PART = 2 }; /* memory assumed if the system does not tell; the part of it that a zone may use */

enum { QUERY_MAX = DNS_HEADER_LEN + NAME_WIRE_MAX + 4 + 11 + TSIG_RR_MAX }; /* header, question, OPT, signature */

enum { WHOLE_MAX_S = 3600 }; /* for all messages of one transfer together */

struct dump {
	const uint8_t *zone;
	struct incoming *in;
	bool is_complete;
	err_t err;
};

/* ---- messages ---- */

static enum client_verdict
on_part(void *ctx, const struct msg *m)
{
	struct dump *d = ctx;
	d->err = incoming_take(d->in, m, &d->is_complete);
	return d->err == OK && !d->is_complete ? CLIENT_MORE : CLIENT_TAKE;
}

/* ---- the result ---- */

static err_t
write_text(void *ctx, const char *text, size_t len)
{
	return fwrite(text, 1, len, ctx) == len ? OK : E_IO;
}

/* What is wrong with the zone; its names come from the server. */
static void
hint_why(const struct incoming *in)
{
	struct str text = { 0 };
	clean_put(&text, incoming_why(in));
	if (text.len != 0) {
		cli_hint("%s", str_text(&text));
	}
	str_fini(&text);
}

static int
print(struct dump *d, const struct cli_signed *asked)
{
	struct zone *zone = NULL;
	struct zone_txn *none;
	err_t err = d->err == OK ? incoming_finish(d->in, &zone, &none) : d->err;
	if (err != OK) {
		cli_error("%s: %s has sent a zone that cannot be printed: %s", asked->subject, asked->server, err_str(err));
		hint_why(d->in);
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

static size_t
octets_max(void)
{
	const struct memory_limit have = memory_limit_find("");
	return (have.octets != 0 ? have.octets : (size_t)UNKNOWN_MIB << 20) / PART;
}

/* Asks one address.  If it fails half-way, the next address is asked for everything again.  Errors were printed. */
static err_t
ask_one(struct dump *d, struct cli_signed *asked, const struct client_addresses *one, unsigned timeout_s)
{
	uint8_t wire[QUERY_MAX];
	struct buf b = buf_over(wire, sizeof wire);
	const struct client_patience patience = { .tcp_ms = timeout_s * 3000, .whole_ms = WHOLE_MAX_S * 1000 };
	const struct incoming_conf conf = { .apex = d->zone, .octets_max = octets_max(), .records_max = SIZE_MAX };
	err_t err = incoming_new(&conf, &d->in);
	if (err != OK) {
		cli_error("%s: %s", asked->subject, err_str(err));
		return err;
	}
	client_begin_request(&b, OPCODE_QUERY << 11, &(struct question){ d->zone, TYPE_AXFR, CLASS_IN });
	request_put_edns(&b);
	asked->request = (struct signed_request){
		.wire = wire, .len = b.len, .cap = sizeof wire, .key = &asked->key, .part = on_part, .part_ctx = d,
	};
	err = cli_signed_ask(asked, one, &patience);
	asked->request.wire = NULL;
	return err;
}

static void
dump_fini(struct dump *d)
{
	incoming_free(&d->in);
}

int
octl_dump(struct cli_signed *asked, const struct client_addresses *to, unsigned timeout_s, const uint8_t *zone)
{
	for (size_t i = 0; i < to->n; i++) {
		[[gnu::cleanup(dump_fini)]] struct dump d = { .zone = zone };
		const struct client_addresses one = { .n = 1, .list = { to->list[i] } };
		if (ask_one(&d, asked, &one, timeout_s) != OK) {
			if (d.in != NULL && incoming_report(d.in)->has_serial) {
				cli_hint("a part of the zone has come, and is not printed");
			}
			continue;
		}
		if (asked->request.outcome == SIGNED_ACCEPTED) {
			return print(&d, asked);
		}
		explain(asked, zone);
		return CLI_FAILED;
	}
	return CLI_FAILED;
}
