#include "bin/cli_notify.h"

#include <stdio.h>

#include "dns/rrtype.h"

/* ---- the message ---- */

/* Adds the new SOA record as a hint (RFC 1996 3.7).  Only its serial is known here, and a receiver looks at nothing else of it. */
static void
put_soa(struct buf *b, uint32_t serial)
{
	buf_u16(b, 0xC000 | DNS_HEADER_LEN); /* the name in the question */
	buf_u16(b, TYPE_SOA);
	buf_u16(b, CLASS_IN);
	buf_u32(b, 0);
	buf_u16(b, 2 + 5 * 4);
	buf_u16(b, 0); /* MNAME and RNAME: the root */
	buf_u32(b, serial);
	for (int i = 0; i < 4; i++) {
		buf_u32(b, 0);
	}
	buf_patch_u16(b, 6, 1); /* ANCOUNT */
}

static err_t
build(struct cli_notification *n)
{
	struct buf b = buf_over(n->wire, sizeof n->wire);
	client_begin_request(&b, OPCODE_NOTIFY << 11 | DNS_AA, &(struct question){ n->zone.oct, TYPE_SOA, CLASS_IN });
	if (n->has_serial) {
		put_soa(&b, n->serial);
	}
	n->asked.request.wire = n->wire;
	n->asked.request.len = b.len;
	n->asked.request.cap = sizeof n->wire;
	return b.err;
}

/* ---- the answer ---- */

static void
explain_rights(const struct cli_notification *n)
{
	if (n->asked.request.key == NULL) {
		cli_hint("this server takes signed notifications only: give it a key (--key-file, see --help)");
	} else {
		cli_signed_explain_rights(&n->asked, RIGHT_NOTIFY, n->zone.oct);
	}
}

static void
explain_refusal(const struct cli_notification *n)
{
	char rcode[RRTYPE_TEXT_MAX];
	cli_error("%s: %s answers %s", n->zone_text, n->asked.server, rcode_print(n->asked.request.rcode, false, rcode));
	switch (n->asked.request.rcode) {
	case RCODE_NOTAUTH:
	case RCODE_REFUSED:
		cli_signed_hint_unknown_key(&n->asked);
		explain_rights(n);
		break;
	case RCODE_NOTIMP:
		cli_hint("this server does not know NOTIFY: is it the primary, and not a resolver?");
		break;
	case RCODE_FORMERR:
		cli_hint("this server does not understand the notification: %s",
		         n->asked.request.key != NULL ? "does it know TSIG?" : "is it a name server?");
		break;
	default:
		cli_hint("the server's log says why");
		break;
	}
}

static int
report(const struct cli_notification *n)
{
	if (n->asked.request.outcome == SIGNED_ACCEPTED) {
		if (!n->is_quiet) {
			(void)printf("%s: %s has acknowledged%s\n", n->zone_text, n->asked.server,
			             n->asked.request.key != NULL ? ", signed" : "");
		}
		return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	}
	if (signed_is_refusal(&n->asked.request)) {
		explain_refusal(n);
	} else {
		cli_signed_explain(&n->asked);
	}
	return CLI_FAILED;
}

int
cli_notify(struct cli_notification *n, const struct client_addresses *to, const struct client_patience *patience)
{
	err_t err = build(n);
	if (err != OK) {
		cli_error("%s: %s", n->zone_text, err_str(err));
		return CLI_FAILED;
	}
	return cli_signed_ask(&n->asked, to, patience) == OK ? report(n) : CLI_FAILED;
}
