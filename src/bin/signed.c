#include "bin/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns/rrtype.h"

/* ---- the key ---- */

bool
signed_is_key(const char *text)
{
	return strcasestr(text, ":sha") != NULL || strcasestr(text, ":hmac-") != NULL;
}

/* Where cli_secret_read() has found it. */
static const char *
source_of_key(const struct cli_secret *from, const char *option)
{
	const char *env = from->env != NULL ? getenv(from->env) : NULL;
	return from->arg != NULL                   ? option
	       : from->file != NULL                ? from->file
	       : env != NULL && *env != '\0'       ? from->env
	                                           : from->credential;
}

err_t
signed_read_key(struct signed_request *s, const struct cli_secret *from, const char *option)
{
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	char why[128];
	TRY(cli_secret_read(from, &text));
	if (text == NULL) {
		return E_NOTFOUND;
	}
	if (tsig_key_parse(text, &s->key, why) != OK) {
		cli_error("%s: %s", source_of_key(from, option), why);
		return E_FORMAT;
	}
	(void)name_print(s->key.name.oct, s->key_text);
	s->has_key = true;
	return OK;
}

/* ---- what comes back ---- */

/* Answers that cannot be believed are only taken when nothing better comes: anybody can send them. */
static enum client_verdict
judge_signed(struct signed_request *s, const struct msg *m, enum signed_outcome by_rcode)
{
	struct tsig t = s->sent; /* an answer that was wrong leaves no trace in it */
	err_t err = tsig_verify_response(&t, m, (uint64_t)time(NULL));
	if (err != OK && err != E_NOTFOUND && err != E_AUTH) {
		return CLIENT_IGNORE;
	}
	s->tsig = t;
	s->outcome = err == OK             ? by_rcode
	             : err == E_NOTFOUND   ? SIGNED_UNSIGNED
	             : t.is_peer_error     ? SIGNED_TSIG_REFUSED
	                                   : SIGNED_BAD_SIGNATURE;
	return err == OK || t.is_error_signed ? CLIENT_TAKE : CLIENT_DOUBT;
}

static enum client_verdict
judge(void *ctx, const struct msg *m)
{
	struct signed_request *s = ctx;
	unsigned rcode = (m->bits & DNS_RCODE) | (m->edns.present ? m->edns.ext_rcode * 16u : 0);
	enum signed_outcome by_rcode = rcode == RCODE_NOERROR ? SIGNED_ACCEPTED : SIGNED_REFUSED;
	enum client_verdict verdict = CLIENT_TAKE;
	if (s->has_key) {
		verdict = judge_signed(s, m, by_rcode);
	} else {
		s->outcome = by_rcode;
	}
	if (verdict != CLIENT_IGNORE) {
		s->rcode = rcode;
		(void)ede_print(&m->edns, s->ede);
	}
	return verdict;
}

bool
signed_is_refusal(const struct signed_request *s)
{
	return s->outcome == SIGNED_REFUSED || (s->outcome == SIGNED_UNSIGNED && s->rcode != RCODE_NOERROR);
}

/* "Prohibited (why)", as ede_print() writes it. */
bool
signed_has_reason(const struct signed_request *s)
{
	return strchr(s->ede, '(') != NULL;
}

/* ---- asking ---- */

static void
explain_silence(const struct signed_request *s, err_t err, const char *why)
{
	cli_error("%s: %s", s->subject, why);
	if (err == E_REFUSED) {
		cli_hint("does the server run there, and on this port? (--port)%s",
		         s->host == NULL ? " Without SERVER, this machine is asked" : "");
	} else if (err == E_TIMEOUT) {
		if (s->late_hint != NULL) {
			cli_hint("%s", s->late_hint);
		}
		cli_hint("is the address right, does the server run, does a firewall let port %u through?", s->port);
	}
}

static err_t
sign(struct signed_request *s)
{
	if (!s->has_key) {
		return OK;
	}
	s->sent.key = &s->key;
	return tsig_sign_request(&s->sent, s->wire, &s->len, s->cap, (uint64_t)time(NULL));
}

err_t
signed_ask(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience)
{
	struct client_result result;
	err_t err = sign(s);
	if (err != OK) {
		cli_error("%s: %s", s->subject, err_str(err));
		return err;
	}
	const struct client_request request = { s->wire, s->len, judge, s, *patience };
	err = client_ask(to, &request, &result);
	if (err != OK) {
		s->may_have_arrived = result.may_have_arrived;
		explain_silence(s, err, result.why);
		return err;
	}
	s->server = result.from->text;
	return OK;
}

/* ---- what is said about it ---- */

static void
print_time(uint64_t t_s, char out[32])
{
	time_t t = (time_t)t_s;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
		(void)snprintf(out, 32, "%llu", (unsigned long long)t_s);
	}
}

static void
explain_clocks(const struct signed_request *s)
{
	char here[32], there[32] = "(it does not say)";
	uint64_t now = (uint64_t)time(NULL), other = s->tsig.server_time_s;
	print_time(now, here);
	if (other != 0) {
		print_time(other, there);
		uint64_t apart = now > other ? now - other : other - now;
		cli_error("%s: the clocks are %llu seconds apart, more than the %d that a signature allows (BADTIME)",
		          s->subject, (unsigned long long)apart, TSIG_FUDGE_S);
	} else {
		cli_error("%s: %s finds the signature too old or too new (BADTIME)", s->subject, s->server);
	}
	cli_hint("here it is %s, at %s %s; set the clock that is wrong (timedatectl set-ntp true)", here, s->server, there);
}

static void
explain_tsig_refusal(const struct signed_request *s)
{
	switch (s->tsig.error) {
	case RCODE_BADKEY:
		cli_error("%s: %s does not know the key %s with %s (BADKEY)", s->subject, s->server, s->key_text,
		          tsig_alg_text(s->key.alg));
		cli_hint("is it in the file _keys or NAME._keys of the repository, with this algorithm? A server that has not "
		         "pulled since it was put there does not know it yet: send it SIGHUP, or restart it, once");
		break;
	case RCODE_BADSIG:
		cli_error("%s: %s has another secret for the key %s (BADSIG)", s->subject, s->server, s->key_text);
		cli_hint("compare the secret with the one in the repository's _keys file");
		break;
	case RCODE_BADTIME:
		explain_clocks(s);
		break;
	default: {
		char error[RRTYPE_TEXT_MAX];
		cli_error("%s: %s refuses the signature: %s", s->subject, s->server, rcode_print(s->tsig.error, true, error));
		break;
	}
	}
}

static void
explain_bad_signature(const struct signed_request *s)
{
	switch (s->tsig.error) {
	case RCODE_BADTIME:
		explain_clocks(s);
		break;
	case RCODE_BADKEY:
		cli_error("%s: the answer from %s is signed with another key", s->subject, s->server);
		break;
	default:
		cli_error("%s: the answer's signature is wrong: it does not come from %s, or was changed on its way",
		          s->subject, s->server);
		break;
	}
	cli_hint("%s", s->doubt_hint);
}

static void
explain_unsigned(const struct signed_request *s)
{
	char rcode[RRTYPE_TEXT_MAX];
	cli_error("%s: %s answers %s, but unsigned: that is not a server that knows the key", s->subject, s->server,
	          rcode_print(s->rcode, false, rcode));
	cli_hint("is this the primary's address, and does it know keys (TSIG)?");
}

void
signed_explain(const struct signed_request *s)
{
	switch (s->outcome) {
	case SIGNED_TSIG_REFUSED:
		explain_tsig_refusal(s);
		break;
	case SIGNED_UNSIGNED:
		explain_unsigned(s);
		break;
	case SIGNED_BAD_SIGNATURE:
		explain_bad_signature(s);
		break;
	default:
		cli_error("%s: no answer", s->subject);
		break;
	}
}

/* RFC 8945 5.2.1 wants BADKEY of whoever does not know the key, which Knot from 3.4 on does not say. */
void
signed_hint_unknown_key(const struct signed_request *s)
{
	if (s->outcome == SIGNED_UNSIGNED && s->rcode == RCODE_NOTAUTH) {
		cli_hint("the answer is unsigned: it may be that the server does not know the key %s with %s", s->key_text,
		         tsig_alg_text(s->key.alg));
	}
}

void
signed_explain_rights(const struct signed_request *s, enum key_right right, const uint8_t *zone)
{
	struct key k = { 0 };
	char zone_text[NAME_TEXT_MAX], domain[NAME_TEXT_MAX];
	(void)name_show(zone, zone_text);
	if (key_name_read(s->key.name.oct, &k) != OK) {
		cli_hint("the key's name has no operation in it, so it may do nothing: make one that is named ANYTHING.%s.%s",
		         key_right_label(right), zone_text);
	} else if (!key_has_right(&k, k.right, zone)) {
		(void)name_print(k.domain.oct, domain);
		cli_hint("the key is good for %s and what is below it, and %s is not", domain, zone_text);
	} else if (k.right < right) {
		cli_hint("the key's name says %s, which does not include this: make one that is named ANYTHING.%s.%s",
		         key_right_label(k.right), key_right_label(right), zone_text);
	} else if (!signed_has_reason(s)) {
		cli_hint("the server's log says why");
	}
}
