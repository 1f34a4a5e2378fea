/* ocertify: gets a certificate through DNS (see acme/request_set.h for what is there). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/enc.h"
#include "bin/cli.h"
#include "bin/ocertify_deliver.h"
#include "bin/ocertify_dns.h"
#include "bin/ocertify_key.h"
#include "bin/ocertify_opts.h"
#include "bin/ocertify_pair.h"
#include "net/client.h"
#include "ops/clock.h"
#include "ops/files.h"
#include "ops/privs.h"

enum {
	PAUSE_FIRST_MS = 1000,    /* between two looks; then half as long again each time */
	PAUSE_MAX_MS = 60000,
	TICK_MS = 1000,           /* the line on the terminal */
	DATA_MAX = CLI_SECRET_MAX,
};

struct certifying {
	const struct ocertify_opts *opts;
	struct pkey *wanted;      /* of --seed or --data; NULL: neither was given */
	struct ocertify_key key;
	struct ocertify_dns dns;
	struct client_addresses to;
	struct acme_set set;      /* as it was seen last */
	struct acme_set before;   /* what was there before the new request */
	struct str status;        /* what oacme says, as it was shown last */
	uint64_t begun_ms;
	bool is_complained;       /* about what the certificate lacks */
	bool has_line;            /* on the terminal */
	bool has_seen_ours;       /* our request was there */
};

/* ---- secrets ---- */

/* The key that --data has in base64. */
static err_t
key_of_data(const struct ocertify_opts *o, const char *text, struct pkey **out)
{
	uint8_t octets[DATA_MAX];
	size_t n = 0;
	err_t err = base64_decode(text, strlen(text), octets, sizeof octets, &n);
	err = err == OK ? pkey_from_octets(o->kind, octets, n, out) : err;
	wipe(octets, sizeof octets);
	if (err != OK) {
		cli_error("--data is no such private key in base64: for ec it has 32 octets (48 with --bits=384), for ed25519 32, "
		          "for rsa it is PKCS#8 or PKCS#1");
	}
	return err;
}

/* E_NOTFOUND: none is given. */
static err_t
read_wanted(const struct ocertify_opts *o, struct pkey **out)
{
	const struct cli_secret from_seed = {
		.arg = o->seed, .file = o->seed_file, .env = "ORIGIN_SEED", .credential = "seed",
	};
	const struct cli_secret from_data = { .arg = o->data };
	[[gnu::cleanup(cli_secret_free)]] char *data = NULL, *seed = NULL;
	TRY(cli_secret_read(&from_data, &data));
	if (data != NULL) {
		return key_of_data(o, data, out);
	}
	TRY(cli_secret_read(&from_seed, &seed));
	if (seed == NULL) {
		return E_NOTFOUND;
	}
	err_t err = *seed != '\0' ? pkey_from_seed(o->kind, o->bits, (const uint8_t *)seed, strlen(seed), out) : E_FORMAT;
	if (err != OK) {
		cli_error("no private key could be made of the seed: %s", err_str(err));
	}
	return err;
}

static err_t
read_dns_key(struct certifying *c)
{
	const struct cli_secret from = {
		.arg = c->opts->dns_key, .file = c->opts->dns_key_file, .env = "ORIGIN_KEY", .credential = "update-key",
	};
	err_t err = cli_signed_read_key(&c->dns.asked, &from, "--dns-key");
	return err == E_NOTFOUND ? OK : err; /* to take what is there needs no key */
}

static err_t
read_secrets(struct certifying *c)
{
	TRY(read_dns_key(c));
	err_t err = read_wanted(c->opts, &c->wanted);
	TRY(err == E_NOTFOUND ? OK : err);
	cli_forget_environment(); /* the hook has no use for it */
	return OK;
}

/* ---- what is said meanwhile ---- */

static void
clear_line(struct certifying *c)
{
	if (c->has_line) {
		(void)fputs("\r\033[K", stderr);
		c->has_line = false;
	}
}

static void
show_line(struct certifying *c)
{
	if (!c->opts->is_quiet && isatty(STDERR_FILENO) && cli_has_colour(stderr)) {
		(void)fprintf(stderr, "\r\033[K%s: waiting for the certificate, %llu of %u seconds", c->opts->host_text,
		              (unsigned long long)((clock_ms() - c->begun_ms) / 1000), c->opts->timeout_s);
		(void)fflush(stderr);
		c->has_line = true;
	}
}

[[gnu::format(printf, 2, 3)]] static void
say(struct certifying *c, const char *format, ...)
{
	va_list args;
	if (!c->opts->is_quiet) {
		clear_line(c);
		(void)fprintf(stderr, "%s: ", c->opts->host_text);
		va_start(args, format);
		(void)vfprintf(stderr, format, args);
		va_end(args);
		(void)fputc('\n', stderr);
	}
}

/* Shows what oacme says whenever it says something else. */
static void
show_status(struct certifying *c)
{
	struct str now = { 0 };
	const struct csr *asked = c->set.request != NULL ? c->set.request : c->key.request;
	(void)ocertify_dns_status(&c->dns, asked, &now);
	if (now.len != 0 && strcmp(str_text(&now), str_text(&c->status)) != 0) {
		say(c, "oacme says: %s", str_text(&now));
	}
	str_fini(&c->status);
	c->status = now;
}

/* ---- the certificate ---- */

static bool
is_in(const struct acme_set *s, const struct cert *c)
{
	for (size_t i = 0; i < s->cert_n; i++) {
		if (cert_is_equal(s->cert[i], c)) {
			return true;
		}
	}
	return false;
}

/* Records of a chain of which none is the issuer: then it is the wrong chain, or something is missing. */
static bool
has_chain(const struct certifying *c, const struct ocertify_found *f)
{
	return f->chain_n != 0 || (c->set.chain_n == 0 && c->set.left_out_n == 0);
}

static void
complain_of_chain(struct certifying *c, const struct cert *without)
{
	if (!c->is_complained) {
		clear_line(c);
		cli_warning("%s: a certificate is in DNS, but its issuer (%s) is not, or has not signed it: it is not taken",
		            c->opts->host_text, without->issuer);
		c->is_complained = true;
	}
}

/* The one that lasts longest of those with a chain. */
static void
find(struct certifying *c, struct ocertify_found *out)
{
	int64_t now_s = (int64_t)clock_wall_s();
	const struct cert *fits[ACME_CERTS_MAX], *without = NULL;
	size_t n = acme_set_find_lasting(&c->set, c->key.request, now_s, fits);
	for (size_t i = 0; i < n; i++) {
		if (c->opts->is_forced && is_in(&c->before, fits[i])) {
			continue;
		}
		*out = (struct ocertify_found){ .cert = fits[i] };
		chain_order(fits[i], c->set.chain, c->set.chain_n, now_s, out->chain, &out->chain_n);
		if (has_chain(c, out)) {
			return;
		}
		without = without != NULL ? without : fits[i];
	}
	*out = (struct ocertify_found){ 0 };
	if (without != NULL) {
		complain_of_chain(c, without);
	}
}

/* ---- waiting ---- */

/* Sleeps, and keeps the line on the terminal up to date. */
static void
pause_for(struct certifying *c, uint64_t ms)
{
	for (uint64_t left = ms; left != 0;) {
		uint64_t part = left < TICK_MS ? left : TICK_MS;
		show_line(c);
		(void)usleep((useconds_t)(part * 1000));
		left -= part;
	}
}

/* Whether the certificate is there is not known then. */
static int
give_up_unanswered(struct certifying *c, err_t err)
{
	clear_line(c);
	ocertify_dns_explain_look(&c->dns, err);
	cli_hint("the request was in DNS before; run ocertify again when the server answers");
	return CLI_FAILED;
}

static int
give_up(struct certifying *c)
{
	clear_line(c);
	if (c->status.len != 0) {
		cli_error("%s: no certificate yet; oacme says: %s", c->opts->host_text, str_text(&c->status));
		cli_hint("oacme tries again by itself; run ocertify again later");
		if (c->key.is_next) {
			cli_hint("for a certificate with the key in %s remove %s and run ocertify again", c->opts->key_path,
			         c->opts->next_key_path);
		}
		return EXIT_REFUSED;
	}
	if (!c->opts->is_quiet) {
		cli_warning("%s: the request is in DNS, the certificate is not there yet", c->opts->host_text);
		cli_hint("does oacme run, with a key for this zone? Run ocertify again later");
	}
	return EXIT_WAITING;
}

/* Somebody else may ask for a certificate of this host, with another key: then ours will never come.  A secondary may show for a while what
 * was there before. */
static bool
is_replaced(struct certifying *c)
{
	const struct csr *there = c->set.request, *before = c->before.request;
	bool is_ours = there != NULL && acme_request_is_same(there, c->key.request);
	bool is_old = there != NULL && before != NULL && acme_request_is_same(there, before);
	c->has_seen_ours |= is_ours;
	if (there == NULL || is_ours || (is_old && !c->has_seen_ours)) {
		return false;
	}
	clear_line(c);
	cli_error("%s: another signing request, with another key or other names, has replaced ours", c->opts->host_text);
	cli_hint("who else asks for a certificate of this host?");
	return true;
}

/* True: the waiting is over, and *status is how the program ends. */
static bool
is_over(struct certifying *c, int *status)
{
	struct ocertify_found f;
	find(c, &f);
	if (f.cert != NULL) {
		clear_line(c);
		*status = ocertify_deliver(c->opts, &c->key, &f);
		return true;
	}
	*status = CLI_FAILED;
	return is_replaced(c);
}

static int
wait_for(struct certifying *c)
{
	uint64_t pause_ms = PAUSE_FIRST_MS, end_ms = c->begun_ms + c->opts->timeout_s * UINT64_C(1000);
	int status;
	err_t err = OK;
	say(c, "the signing request is in DNS; waiting for the certificate");
	for (;;) {
		if (err == OK) {
			show_status(c);
		}
		uint64_t now_ms = clock_ms();
		if (now_ms >= end_ms) {
			return err == OK ? give_up(c) : give_up_unanswered(c, err);
		}
		pause_for(c, pause_ms < end_ms - now_ms ? pause_ms : end_ms - now_ms);
		pause_ms = pause_ms * 3 / 2 < PAUSE_MAX_MS ? pause_ms * 3 / 2 : PAUSE_MAX_MS;
		acme_set_fini(&c->set);
		err = ocertify_dns_look(&c->dns, &c->set); /* the server may be restarted */
		if (err == OK && is_over(c, &status)) {
			return status;
		}
	}
}

/* ---- all together ---- */

static int
refuse_without_key(const struct certifying *c)
{
	cli_error("%s: there is no certificate in DNS that fits, and no key for DNS to ask for one", c->opts->host_text);
	cli_hint("give a key with --dns-key-file or ORIGIN_KEY; \"okeygen tsig me._tlsa._update._letsencrypt._tcp.%s\" makes one",
	         c->opts->host_text);
	return CLI_FAILED;
}

static int
request(struct certifying *c)
{
	if (c->dns.asked.request.key == NULL) {
		ocertify_key_take_back(c->opts, &c->key);
		return refuse_without_key(c);
	}
	if (pkey_kind(c->key.key) == PKEY_ED25519) {
		cli_warning("the private key is of type Ed25519: Let's Encrypt, as all CAs of browsers, issues no certificate for "
		            "such keys");
	}
	bool is_in_doubt;
	err_t err = ocertify_dns_request(&c->dns, c->key.request, &is_in_doubt);
	c->before = c->set;
	c->set = (struct acme_set){ 0 };
	if (err == OK) {
		ocertify_key_drop_stale(c->opts, &c->key);
		return wait_for(c);
	}
	if (!is_in_doubt) {
		ocertify_key_take_back(c->opts, &c->key);
	}
	return err == E_REFUSED ? EXIT_REFUSED : CLI_FAILED;
}

static bool
is_asked_for(const struct certifying *c)
{
	return c->set.request != NULL && acme_request_is_same(c->set.request, c->key.request);
}

static err_t
prepare_key(struct certifying *c)
{
	const struct ocertify_opts *o = c->opts;
	TRY(ocertify_key_prepare(o, c->wanted, c->set.request, &c->key));
	if (c->key.is_next_stale) {
		say(c, "%s counts, and not %s", o->key_path, o->next_key_path);
	}
	return OK;
}

static int
certify(struct certifying *c)
{
	struct ocertify_found f;
	char why[CLIENT_WHY_MAX];
	if (client_resolve(c->opts->server, c->opts->port, &c->to, why) != OK) {
		cli_error("%s", why);
		cli_hint("the server is an address or a host name: ocertify SERVER HOSTNAME");
		return CLI_FAILED;
	}
	c->dns.to = &c->to;
	c->begun_ms = clock_ms();
	err_t err = ocertify_dns_look(&c->dns, &c->set);
	if (err != OK) {
		ocertify_dns_explain_look(&c->dns, err);
		return CLI_FAILED;
	}
	if (prepare_key(c) != OK) {
		return CLI_FAILED;
	}
	if (c->opts->is_forced) {
		return request(c);
	}
	find(c, &f);
	return f.cert != NULL ? ocertify_deliver(c->opts, &c->key, &f) : is_asked_for(c) ? wait_for(c) : request(c);
}

/* For as long as another run waits, its certificate is not there yet. */
static int
explain_lock(const struct ocertify_opts *o, err_t err)
{
	if (err != E_BUSY) {
		cli_error("%s: cannot lock %s: %s", o->host_text, o->lock_path, strerror(errno));
		return CLI_FAILED;
	}
	if (!o->is_quiet) {
		cli_warning("%s: another ocertify is at work on %s: nothing was done", o->host_text, o->certificate_path);
		cli_hint("wait until it has ended, for --timeout at most");
	}
	return EXIT_WAITING;
}

static int
run_locked(struct certifying *c)
{
	int lock = -1;
	err_t err = file_lock(c->opts->lock_path, &lock);
	if (err != OK) {
		return explain_lock(c->opts, err);
	}
	int status = ocertify_pair_mend(c->opts) == OK ? certify(c) : CLI_FAILED;
	file_unlock(c->opts->lock_path, &lock);
	return status;
}

static int
run(struct certifying *c)
{
	const struct ocertify_opts *o = c->opts;
	c->dns.asked.subject = o->host_text;
	c->dns.asked.host = o->server;
	c->dns.asked.port = o->port;
	c->dns.asked.late_hint = "the server may be waiting for its git server; then the request may still be made";
	c->dns.asked.doubt_hint = "the request may be in DNS nevertheless: run ocertify again";
	if (ocertify_dns_init(&c->dns, o->host.oct) != OK) {
		cli_error("%s is too long: the name of its signing request would have over 255 octets", o->host_text);
		return CLI_USAGE;
	}
	return read_secrets(c) == OK ? run_locked(c) : CLI_FAILED;
}

int
main(int argc, char **argv)
{
	static struct ocertify_opts o;
	cli_init();
	privs_hide_memory();
	ocertify_opts_read(argc, argv, &o);
	struct certifying *c = xalloc(sizeof *c);
	c->opts = &o;
	int status = ocertify_opts_locate(&o) == OK ? run(c) : CLI_FAILED;
	acme_set_fini(&c->set);
	acme_set_fini(&c->before);
	ocertify_key_fini(&c->key);
	pkey_free(&c->wanted);
	str_fini(&c->status);
	wipe(c, sizeof *c);
	free(c);
	ocertify_opts_fini(&o);
	return status;
}
