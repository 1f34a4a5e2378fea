#include "bin/cli_signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns/rrtype.h"

enum { WANTED_MAX = NAME_TEXT_MAX + 32 }; /* of print_wanted() */

/* ---- the key ---- */

bool
cli_is_key(const char *text)
{
	return strcasestr(text, ":sha") != NULL || strcasestr(text, ":hmac-") != NULL;
}

/* Names the source from which cli_secret_read() took the key. */
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
cli_signed_read_key(struct cli_signed *s, const struct cli_secret *from, const char *option)
{
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	char why[128];
	struct cli_secret of_tsig = *from;
	of_tsig.form = CLI_SECRET_TSIG;
	TRY(cli_secret_read(&of_tsig, &text));
	if (text == NULL) {
		return E_NOTFOUND;
	}
	if (tsig_key_parse(text, &s->key, why) != OK) {
		cli_error("%s: %s", source_of_key(from, option), why);
		return E_FORMAT;
	}
	(void)name_print(s->key.name.oct, s->key_text);
	s->request.key = &s->key;
	return OK;
}

/* ---- asking ---- */

void
cli_signed_explain_silence(const struct cli_signed *s, err_t err)
{
	bool is_told = s->request.result.why[0] != '\0';
	cli_error("%s: %s", s->subject, is_told ? s->request.result.why : err_str(err));
	if (!is_told) {
		return;
	}
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

err_t
cli_signed_ask(struct cli_signed *s, const struct client_addresses *to, const struct client_patience *patience)
{
	err_t err = signed_ask(&s->request, to, patience);
	if (err == OK) {
		s->server = s->request.result.from->text;
	} else {
		cli_signed_explain_silence(s, err);
	}
	return err;
}

/* ---- explaining the answer ---- */

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
explain_clocks(const struct cli_signed *s)
{
	char here[32], there[32] = "(it does not say)";
	uint64_t now = (uint64_t)time(NULL), other = s->request.tsig.server_time_s;
	print_time(now, here);
	if (other != 0) {
		print_time(other, there);
		uint64_t apart = now > other ? now - other : other - now;
		cli_error("%s: the clocks are %llu seconds apart, more than the %d that a signature allows (BADTIME)",
		          s->subject, (unsigned long long)apart, TSIG_FUDGE_S);
	} else {
		cli_error("%s: %s finds the signature too old or too new (BADTIME)", s->subject, s->server);
	}
	cli_hint("here it is %s, at %s %s; set the wrong clock right (timedatectl set-ntp true)", here, s->server, there);
}

static void
explain_tsig_refusal(const struct cli_signed *s)
{
	switch (s->request.tsig.error) {
	case RCODE_BADKEY:
		cli_error("%s: %s does not know the key %s with %s (BADKEY)", s->subject, s->server, s->key_text,
		          tsig_alg_text(s->key.alg));
		cli_hint("is the key in the file _keys or NAME._keys of the repository, with this algorithm? If the server has not pulled "
		         "since the key was put there, send it SIGHUP or restart it; a secondary has only the keys of its --keys or "
		         "--keys-file");
		break;
	case RCODE_BADSIG:
		cli_error("%s: %s has another secret for the key %s (BADSIG)", s->subject, s->server, s->key_text);
		cli_hint("compare the secret with the one in the repository's _keys file; for a secondary, in its --keys or --keys-file");
		break;
	case RCODE_BADTIME:
		explain_clocks(s);
		break;
	default: {
		char error[RRTYPE_TEXT_MAX];
		cli_error("%s: %s refuses the signature: %s", s->subject, s->server, rcode_print(s->request.tsig.error, true, error));
		break;
	}
	}
}

static void
explain_bad_signature(const struct cli_signed *s)
{
	switch (s->request.tsig.error) {
	case RCODE_BADTIME:
		explain_clocks(s);
		break;
	case RCODE_BADKEY:
		cli_error("%s: the answer from %s is signed with another key", s->subject, s->server);
		break;
	default:
		cli_error("%s: the answer's signature is wrong: the answer does not come from %s, or was changed on its way",
		          s->subject, s->server);
		break;
	}
	cli_hint("%s", s->doubt_hint);
}

static void
explain_unsigned(const struct cli_signed *s)
{
	char rcode[RRTYPE_TEXT_MAX];
	cli_error("%s: %s answers %s, but unsigned: a server that knows the key would have signed the answer", s->subject, s->server,
	          rcode_print(s->request.rcode, false, rcode));
	cli_hint("is this the primary's address, and does it know keys (TSIG)?");
}

void
cli_signed_explain(const struct cli_signed *s)
{
	switch (s->request.outcome) {
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

/* A server that does not know the key should answer BADKEY (RFC 8945 5.2.1), but Knot since 3.4 does not. */
void
cli_signed_hint_unknown_key(const struct cli_signed *s)
{
	if (s->request.outcome == SIGNED_UNSIGNED && s->request.rcode == RCODE_NOTAUTH) {
		cli_hint("the answer is unsigned: perhaps the server does not know the key %s with %s", s->key_text,
		         tsig_alg_text(s->key.alg));
	}
}

/* "ANYTHING._notify.example.org"; for all zones "ANYTHING._notify". */
static void
print_wanted(enum key_right right, const uint8_t *zone, char out[WANTED_MAX])
{
	char text[NAME_TEXT_MAX];
	bool is_all = name_is_equal(zone, name_root);
	(void)name_show(zone, text);
	(void)snprintf(out, WANTED_MAX, "ANYTHING.%s%s%s", key_right_label(right), is_all ? "" : ".", is_all ? "" : text);
}

void
cli_signed_explain_rights(const struct cli_signed *s, enum key_right right, const uint8_t *zone)
{
	struct key k = { 0 };
	char zone_text[NAME_TEXT_MAX], domain[NAME_TEXT_MAX], trouble[KEY_TROUBLE_MAX], wanted[WANTED_MAX];
	(void)name_show(zone, zone_text);
	print_wanted(right, zone, wanted);
	if (key_name_read(s->key.name.oct, &k) != OK) {
		key_name_trouble(s->key.name.oct, trouble);
		cli_hint("the key's name %s, so the key may do nothing: make one with a name like %s", trouble, wanted);
	} else if (key_is_narrow(&k, zone) && !(right == RIGHT_UPDATE && key_may_update(&k, zone))) {
		(void)name_print(k.domain.oct, domain);
		cli_hint("the key is good for %s and what is below it, and %s is not", domain, zone_text);
	} else if (k.types_n != 0 && right != RIGHT_UPDATE) {
		cli_hint("the key's name allows only updates of some types: make one with a name like %s", wanted);
	} else if (k.right < right) {
		cli_hint("the key's name says %s, which does not include this: make one with a name like %s",
		         key_right_label(k.right), wanted);
	} else if (!signed_has_reason(&s->request)) {
		cli_hint("the server's log says why");
	}
}
