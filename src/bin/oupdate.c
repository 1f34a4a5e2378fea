/* oupdate: changes a zone on its primary (RFC 2136, signed as in RFC 8945), above all dynamic addresses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/cli_signed.h"
#include "bin/oupdate_opts.h"
#include "dns/rrtype.h"
#include "net/ask_zone.h"
#include "net/client.h"
#include "net/local_address.h"
#include "ops/privs.h"

/* The time to wait is divided into fifteenths: 1, 2 and 4 for the tries over UDP, 8 for TCP.  UDP is still listened to during TCP. */
enum { UDP_TRIES = 3, PARTS = 15, TCP_PARTS = 8 };

enum { ZONE_PART = 4 }; /* a fourth of that time is for finding the zone */

enum { OPT_LEN = 11, RECORDS_MAX = DNS_MSG_MAX - OPT_LEN - TSIG_RR_MAX }; /* octets up to the last change, in the longest message */

enum { SECTION_UPDATE = 2, PREREQUISITES_AT = 6, CHANGES_AT = 8 }; /* RFC 2136 2: a section, and where the header has the counts */

struct update {
	const struct oupdate_opts *opts;
	struct name zone;
	char zone_text[NAME_TEXT_MAX];
	char host_text[NAME_TEXT_MAX]; /* "": no name gets an address */
	struct client_addresses to;
	struct local_address local;    /* for "auto" */
	struct cli_signed asked;
	uint16_t prerequisites_n, changes_n;
	uint16_t host_n;               /* this many changes at the beginning are about HOSTNAME's addresses */
	char doubt[2048];
	uint8_t wire[DNS_MSG_MAX];
};

/* ---- arguments ---- */

static err_t
read_key(struct update *u, const struct oupdate_opts *o)
{
	const struct cli_secret from = {
		.arg = o->asking.key, .file = o->asking.key_file, .env = "ORIGIN_KEY", .credential = "update-key",
	};
	err_t err = cli_signed_read_key(&u->asked, &from, o->asking.key_called);
	if (err == E_NOTFOUND) {
		cli_error("no key: servers take only signed updates");
		cli_hint("give a key after SERVER, or with --key-file or ORIGIN_KEY; \"okeygen tsig me._update.ZONE\" makes one");
	}
	return err;
}

static err_t
read_name(const char *what, const char *text, struct name *out)
{
	err_t err = name_parse(text, strlen(text), NULL, out);
	if (err != OK) {
		cli_error("%s: '%s' is not a domain name: %s", what, text, err_str(err));
	}
	return err;
}

/* Takes the name that follows _update in the key's name: it is the zone, or a name in the zone. */
static err_t
zone_of_key(struct update *u)
{
	struct key k = { 0 };
	if (key_name_read(u->asked.key.name.oct, &k) != OK || k.right != RIGHT_UPDATE) {
		cli_error("there is no _update in the key's name %s, so it does not say which zone to change", u->asked.key_text);
		cli_hint("name the zone with --zone; keys for Origin are named ANYTHING._update.ZONE");
		return E_FORMAT;
	}
	if (name_is_root(k.domain.oct)) {
		cli_error("the key %s is for every zone, so it does not say which one to change", u->asked.key_text);
		cli_hint("name the zone with --zone");
		return E_FORMAT;
	}
	name_set(&u->zone, k.domain.oct);
	return OK;
}

static err_t
read_names(struct update *u, const struct oupdate_opts *o)
{
	struct name host;
	TRY(o->zone != NULL ? read_name("--zone", o->zone, &u->zone) : zone_of_key(u));
	(void)name_show(u->zone.oct, u->zone_text);
	if (o->host != NULL) {
		TRY(read_name("HOSTNAME", o->host, &host));
		(void)name_show(host.oct, u->host_text);
	}
	u->asked.subject = o->host != NULL ? u->host_text : u->zone_text;
	return OK;
}

static err_t
find_local_address(struct update *u)
{
	bool is_wanted = false;
	for (size_t i = 0; i < u->opts->address_n; i++) {
		is_wanted |= strcmp(u->opts->address[i], OUPDATE_AUTO) == 0;
	}
	if (!is_wanted) {
		return OK;
	}
	err_t err = local_address_find(&u->to, &u->local);
	if (err != OK) {
		cli_error("%s: no address of this machine leads to %s: %s", u->host_text, u->opts->server, strerror(errno));
	} else if (u->local.doubt != NULL) {
		cli_warning("%s gets the address %s: %s", u->host_text, u->local.text, u->local.doubt);
		cli_hint("if others should reach it, give the address that others see");
	}
	return err;
}

/* ---- the message ---- */

/* Appends a record.  `what` tells the user where the text comes from. */
static err_t
put(struct update *u, struct buf *b, enum change_kind kind, const char *what, const char *text)
{
	const struct change_context in = { .zone = u->zone.oct, .ttl = u->opts->ttl };
	struct change_error why;
	err_t err = change_put(b, kind, text, &in, &why);
	if (err != OK) {
		cli_error("%s: %s", what, why.text);
		if (why.hint[0] != '\0') {
			cli_hint("%s", why.hint);
		}
		return err;
	}
	bool is_change = kind == CHANGE_ADD || kind == CHANGE_DELETE;
	u->changes_n = (uint16_t)(u->changes_n + is_change);
	u->prerequisites_n = (uint16_t)(u->prerequisites_n + !is_change);
	return OK;
}

/* Appends a record about HOSTNAME: "laptop.example.org A 192.0.2.1". */
static err_t
put_host(struct update *u, struct buf *b, enum change_kind kind, const char *type, const char *address)
{
	char text[NAME_TEXT_MAX + 64];
	(void)snprintf(text, sizeof text, "%s %s %s", u->host_text, type, address);
	return put(u, b, kind, "HOSTNAME", text);
}

static err_t
put_prerequisites(struct update *u, struct buf *b)
{
	const struct oupdate_opts *o = u->opts;
	if (o->host != NULL) { /* a server silently ignores an address beside a CNAME (RFC 2136 3.4.2.2), so ask for an error */
		TRY(put_host(u, b, CHANGE_IF_ABSENT, "CNAME", ""));
	}
	for (size_t i = 0; i < o->changes_n; i++) {
		const struct oupdate_change *c = &o->changes[i];
		if (c->kind == CHANGE_IF_EXISTS || c->kind == CHANGE_IF_ABSENT) {
			TRY(put(u, b, c->kind, oupdate_change_option(c->kind), c->text));
		}
	}
	return OK;
}

/* New IPv4 addresses replace all IPv4 addresses of the name, and new IPv6 addresses all IPv6 addresses. */
static err_t
put_addresses(struct update *u, struct buf *b)
{
	bool is_replaced[2] = { false, false };
	for (size_t i = 0; i < u->opts->address_n; i++) {
		const char *address = u->opts->address[i];
		address = strcmp(address, OUPDATE_AUTO) == 0 ? u->local.text : address;
		bool is_ipv6 = strchr(address, ':') != NULL;
		const char *type = is_ipv6 ? "AAAA" : "A";
		if (!is_replaced[is_ipv6]) {
			TRY(put_host(u, b, CHANGE_DELETE, type, ""));
			is_replaced[is_ipv6] = true;
		}
		TRY(put_host(u, b, CHANGE_ADD, type, address));
	}
	u->host_n = u->changes_n;
	return OK;
}

static err_t
put_changes(struct update *u, struct buf *b)
{
	TRY(put_addresses(u, b));
	for (size_t i = 0; i < u->opts->changes_n; i++) {
		const struct oupdate_change *c = &u->opts->changes[i];
		if (c->kind == CHANGE_ADD || c->kind == CHANGE_DELETE) {
			TRY(put(u, b, c->kind, oupdate_change_option(c->kind), c->text));
		}
	}
	return OK;
}

static err_t
build(struct update *u)
{
	struct buf b = buf_over(u->wire, RECORDS_MAX);
	client_begin_request(&b, OPCODE_UPDATE << 11, &(struct question){ u->zone.oct, TYPE_SOA, CLASS_IN });
	TRY(put_prerequisites(u, &b));
	TRY(put_changes(u, &b));
	buf_patch_u16(&b, PREREQUISITES_AT, u->prerequisites_n);
	buf_patch_u16(&b, CHANGES_AT, u->changes_n);
	b.cap = sizeof u->wire;
	request_put_edns(&b);
	u->asked.request.wire = u->wire;
	u->asked.request.len = b.len;
	u->asked.request.cap = sizeof u->wire;
	return b.err;
}

/* ---- the changes, read from the message ---- */

struct walk {
	struct msg m;
	struct cur c;
	struct name owner;
	struct msg_rr rr;
};

static void
begin_walk(const struct update *u, struct walk *w)
{
	err_t err = msg_parse(u->asked.request.wire, u->asked.request.len, &w->m);
	ASSERT(err == OK);
	w->c = cur_over(w->m.wire, w->m.len);
	w->c.pos = w->m.rr_at[SECTION_UPDATE];
}

static void
next_change(struct walk *w)
{
	err_t err = msg_read_rr(&w->c, &w->owner, &w->rr);
	ASSERT(err == OK);
}

/* Writes the hint for the case that nobody knows whether the change was made: how to look. */
static void
describe_doubt(struct update *u)
{
	struct walk w;
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	const char *server = u->opts->server;
	bool has_brackets = *server == '[';
	int len = (int)strnlen(server, 256);
	begin_walk(u, &w);
	next_change(&w);
	(void)name_show(w.owner.oct, owner);
	(void)snprintf(u->doubt, sizeof u->doubt, "the change may have been made nevertheless; to see: dig @%.*s -p %u %s %s",
	               has_brackets ? len - 2 : len, server + has_brackets, u->opts->asking.port, owner, rrtype_print(w.rr.type, type));
	u->asked.doubt_hint = u->doubt;
}

static void
print_changes(const struct update *u, struct str *out)
{
	struct walk w;
	begin_walk(u, &w);
	for (uint16_t i = 0; i < u->changes_n; i++) {
		char owner[NAME_TEXT_MAX];
		next_change(&w);
		bool is_host = i < u->host_n, is_added = w.rr.rrclass == CLASS_IN;
		if (is_host && !is_added) {
			continue; /* the addresses that are added say enough */
		}
		(void)name_show(w.owner.oct, owner);
		str_printf(out, "%s: %s", owner, is_host ? "" : is_added ? "add " : "delete ");
		change_print(&w.m, &w.rr, out);
		str_printf(out, ": %s, signed\n", is_host ? "in the zone" : "acknowledged");
	}
}

static int
report_success(const struct update *u)
{
	if (u->opts->is_quiet) {
		return CLI_OK;
	}
	struct str out = { 0 };
	print_changes(u, &out);
	bool is_printed = fputs(str_text(&out), stdout) >= 0 && fflush(stdout) == 0;
	if (!is_printed) {
		cli_error("%s: the change was made, but the message about it cannot be written: %s", u->asked.subject, strerror(errno));
	}
	str_fini(&out);
	return is_printed ? CLI_OK : CLI_FAILED;
}

/* ---- explaining the answer ---- */

static bool
has_if_absent(const struct oupdate_opts *o)
{
	for (size_t i = 0; i < o->changes_n; i++) {
		if (o->changes[i].kind == CHANGE_IF_ABSENT) {
			return true;
		}
	}
	return false;
}

/* The RCODEs of failed prerequisites (RFC 2136 2.2).  If there is a HOSTNAME, one prerequisite is our own: it has no CNAME. */
static void
explain_prerequisite(const struct update *u)
{
	if (u->asked.request.rcode == RCODE_YXRRSET && u->host_text[0] != '\0') {
		cli_hint("%s%s has a CNAME, and a CNAME cannot stand beside an address: --delete='%s CNAME' first",
		         has_if_absent(u->opts) ? "something of --if-absent exists, or " : "", u->host_text, u->host_text);
		return;
	}
	switch (u->asked.request.rcode) {
	case RCODE_YXDOMAIN:
	case RCODE_YXRRSET:
		cli_hint("something of --if-absent exists: nothing was changed");
		break;
	case RCODE_NXRRSET:
		cli_hint("something of --if-exists does not exist, or not with this data: nothing was changed");
		break;
	default:
		cli_hint("something of --if-exists does not exist: nothing was changed");
		break;
	}
}

static void
explain_rights(const struct update *u)
{
	struct key k = { 0 };
	if (key_name_read(u->asked.key.name.oct, &k) != E_FORMAT) {
		cli_signed_explain_rights(&u->asked, RIGHT_UPDATE, u->zone.oct);
	} else {
		cli_hint("the server's log says why; for Origin, the key's name must be ANYTHING._update.%s", u->zone_text);
	}
}

static void
explain_rcode(const struct update *u)
{
	/* Anybody may have sent an unsigned answer, so it does not show that nothing was changed. */
	const char *unchanged = u->asked.request.outcome == SIGNED_UNSIGNED ? "" : "nothing was changed; ";
	switch (u->asked.request.rcode) {
	case RCODE_FORMERR:
		cli_hint("this server does not understand the update: does it know UPDATE, TSIG and EDNS?");
		break;
	case RCODE_SERVFAIL:
		if (signed_has_reason(&u->asked.request)) {
			cli_hint("%sthe reason in parentheses is that of the git server, whose words are told to keys for all names "
			         "alone, or of this server, the primary or a secondary that passes updates on: remove this cause first",
			         unchanged);
			break;
		}
		cli_hint("%sthe server's log says why. Origin's primary answers so while its git remote cannot be reached, or when the "
		         "remote does not take the change: try again later", unchanged);
		break;
	case RCODE_NOTIMP:
		cli_hint("this server takes no updates: is it the primary, and not a secondary or a resolver?");
		break;
	case RCODE_REFUSED:
		explain_rights(u);
		break;
	case RCODE_NOTAUTH:
		cli_signed_hint_unknown_key(&u->asked);
		cli_hint("this server is not the primary of a zone %s: give another zone (--zone), or ask another server", u->zone_text);
		break;
	case RCODE_NOTZONE:
		cli_hint("a name is not in the zone %s as this server has it: perhaps it is in a zone below (--zone)", u->zone_text);
		break;
	case RCODE_NXDOMAIN:
	case RCODE_YXDOMAIN:
	case RCODE_YXRRSET:
	case RCODE_NXRRSET:
		explain_prerequisite(u);
		break;
	default:
		cli_hint("the server's log says why");
		break;
	}
}

static void
explain_refusal(const struct update *u)
{
	const struct signed_request *r = &u->asked.request;
	char rcode[RRTYPE_TEXT_MAX];
	cli_error("%s: %s answers %s%s%s%s", u->asked.subject, u->asked.server, rcode_print(r->rcode, false, rcode),
	          r->outcome == SIGNED_UNSIGNED ? ", unsigned" : "", r->ede[0] != '\0' ? ": " : "", r->ede);
	explain_rcode(u);
}

static int
report(const struct update *u)
{
	if (u->asked.request.outcome == SIGNED_ACCEPTED) {
		return report_success(u);
	}
	if (signed_is_refusal(&u->asked.request)) {
		explain_refusal(u);
	} else {
		cli_signed_explain(&u->asked);
	}
	if (u->asked.request.outcome == SIGNED_UNSIGNED) { /* anybody may have sent it */
		cli_hint("%s", u->doubt);
	}
	return CLI_FAILED;
}

/* ---- all together ---- */

/* The domain in the key's name may be only a part of a zone, so the server is asked which zone that is.  If it does not answer soon, the
 * domain is taken for the zone. */
static void
find_zone(struct update *u)
{
	unsigned all_ms = u->opts->asking.timeout_s * 1000 / ZONE_PART;
	const struct client_patience patience = {
		.udp_tries = u->opts->is_tcp ? 0 : UDP_TRIES, .udp_first_ms = all_ms / PARTS, .tcp_ms = all_ms / PARTS * TCP_PARTS,
	};
	struct signed_request query = { .key = &u->asked.key };
	struct name found;
	if (ask_zone(&query, &u->to, &patience, u->zone.oct, &found) == OK) {
		u->zone = found;
		(void)name_show(u->zone.oct, u->zone_text);
	}
}

/* Without EDNS a server may accept only 512 octets over UDP (RFC 1035 4.2.1), and before the first answer we do not know. */
static bool
is_for_udp(const struct update *u)
{
	size_t signature_max = TSIG_RR_MAX - NAME_WIRE_MAX + u->asked.key.name.len;
	return !u->opts->is_tcp && u->asked.request.len + signature_max <= DNS_UDP_PLAIN_MAX;
}

static int
ask(struct update *u)
{
	unsigned all_ms = u->opts->asking.timeout_s * 1000;
	bool is_udp = is_for_udp(u);
	const struct client_patience patience = {
		.udp_tries = is_udp ? UDP_TRIES : 0,
		.udp_first_ms = all_ms / PARTS,
		.tcp_ms = is_udp ? all_ms / PARTS * TCP_PARTS : all_ms,
	};
	if (cli_signed_ask(&u->asked, &u->to, &patience) == OK) {
		return report(u);
	}
	if (u->asked.request.result.may_have_arrived) {
		cli_hint("%s", u->doubt);
	}
	return CLI_FAILED;
}

static int
run(struct update *u)
{
	const struct oupdate_opts *o = u->opts;
	char why[CLIENT_WHY_MAX];
	u->asked.host = o->server;
	u->asked.port = o->asking.port;
	u->asked.late_hint = "the server may be waiting for its git server; then the change may still be made (--timeout)";
	if (read_key(u, o) != OK || read_names(u, o) != OK) {
		return CLI_USAGE;
	}
	if (client_resolve(o->server, o->asking.port, &u->to, why) != OK) {
		cli_error("%s", why);
		cli_hint("the server is an address or a host name: oupdate SERVER [KEY] HOSTNAME IP");
		return CLI_FAILED;
	}
	if (find_local_address(u) != OK) {
		return CLI_FAILED;
	}
	if (o->zone == NULL) {
		find_zone(u);
	}
	if (build(u) != OK) {
		return CLI_USAGE;
	}
	describe_doubt(u);
	return ask(u);
}

int
main(int argc, char **argv)
{
	struct oupdate_opts o;
	cli_init();
	privs_hide_memory();
	oupdate_opts_read(argc, argv, &o);
	struct update *u = xalloc(sizeof *u);
	u->opts = &o;
	int status = run(u);
	wipe(u, sizeof *u);
	free(u);
	oupdate_opts_fini(&o);
	return status;
}
