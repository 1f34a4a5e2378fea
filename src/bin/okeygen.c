/* okeygen: makes TSIG secrets and SSH keys, in the forms that our programs and other DNS software read. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/keys.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/enc.h"
#include "base/number.h"
#include "bin/cli.h"
#include "crypto/ed25519.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"
#include "ops/host.h"
#include "ops/privs.h"

const char *argp_program_version = CLI_VERSION("okeygen");

static const char doc[] =
	"Makes keys: \"tsig\" makes a secret that two programs share to sign DNS messages, \"ssh\" makes a key pair to log in to "
	"the git server."
	"\v"
	"okeygen tsig NAME prints the key twice: as the line for the repository's file _keys (or, for a key of DOMAIN, "
	"DOMAIN._keys), and as NAME:ALGORITHM:SECRET, for onotify, oupdate and octl. The key's name says what it may do: "
	"ANYTHING._OPERATION.DOMAIN:\n"
	"\n"
	"  me._status.example.org    ask for the state of the primary and its zones\n"
	"  me._notify.example.org    the same, and tell the primary to pull\n"
	"  192.0.2.1.198.51.100.7._transfer.example.org\n"
	"                            the same, and transfer zones, from the primary's\n"
	"                            address to the secondary's (IPv6: 2001-db8--53)\n"
	"  me._update.example.org    the same, and change zones\n"
	"  router._a._aaaa._update.home1.example.org\n"
	"                            change A and AAAA records and nothing else, at\n"
	"                            home1.example.org and below it, even if the zone\n"
	"                            is example.org\n"
	"\n"
	"Each is for DOMAIN and all below it; without DOMAIN (me._notify.) for every zone.\n"
	"\n"
	"okeygen ssh prints the private key for oprimary's --ssh-key, and the public key for git servers and "
	"~/.ssh/authorized_keys. With --output the private key goes into a file that only you can read.\n"
	"\n"
	"Examples:\n"
	"  okeygen tsig me._notify.example.org\n"
	"  okeygen tsig me._update.example.org --output=update.key >>example.org._keys\n"
	"  okeygen tsig --secret-file=update.key --bind >update.conf\n"
	"  okeygen ssh --output=/etc/origin/ssh-key\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage.";

enum { KEY_BIND = 256, KEY_KNOT, KEY_NSD, KEY_SECRET_FILE, KEY_SEED_FILE, KEY_COMMENT };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "okeygen tsig:", 1 },
	{ "algorithm", 'a', "ALG", 0, "sha256 (default), sha1, sha224, sha384 or sha512", 0 },
	{ "bind", KEY_BIND, NULL, 0, "Also print a key clause for BIND's named.conf, and nsupdate -k", 0 },
	{ "knot", KEY_KNOT, NULL, 0, "Also print a key section for Knot's knot.conf", 0 },
	{ "nsd", KEY_NSD, NULL, 0, "Also print a key section for nsd.conf", 0 },
	{ "secret-file", KEY_SECRET_FILE, "FILE", 0, "Print an existing key: FILE (-: standard input) has NAME:ALGORITHM:SECRET, "
	  "as --output writes it, or BIND's key statement, or a secret in base64. With --bind, --knot or --nsd, only that form is "
	  "printed", 0 },
	{ NULL, 0, NULL, 0, "okeygen ssh:", 2 },
	{ "seed-file", KEY_SEED_FILE, "FILE", 0, "Read the private key (ed25519:SEED) from the first line of FILE (-: "
	  "standard input), to print its public key again", 0 },
	{ "comment", KEY_COMMENT, "TEXT", 0, "The comment of the public key (origin@HOST)", 0 },
	{ NULL, 0, NULL, 0, "Both:", 3 },
	{ "output", 'o', "FILE", 0, "Write NAME:ALGORITHM:SECRET, or the private SSH key, to a new FILE (mode 0600) "
	  "instead of printing it", 0 },
	{ 0 },
};

enum config { CONFIG_BIND, CONFIG_KNOT, CONFIG_NSD, CONFIG_COUNT };

struct opts {
	const char *arg[2];
	unsigned arg_n;
	enum hmac_alg alg; /* HMAC_NONE: not given */
	bool wants[CONFIG_COUNT];
	const char *secret_file, *seed_file, *comment, *output;
};

static error_t
parse_opt(int key, char *arg, struct argp_state *state)
{
	struct opts *o = state->input;
	switch (key) {
	case 'a':
		o->alg = tsig_alg_parse(arg, strlen(arg));
		if (o->alg == HMAC_NONE) {
			cli_usage(state, "'%s' is none of sha1, sha224, sha256, sha384, sha512", arg);
		}
		break;
	case KEY_BIND:
	case KEY_KNOT:
	case KEY_NSD:
		o->wants[key - KEY_BIND] = true;
		break;
	case KEY_SECRET_FILE:
		o->secret_file = arg;
		break;
	case KEY_SEED_FILE:
		o->seed_file = arg;
		break;
	case KEY_COMMENT:
		o->comment = arg;
		break;
	case 'o':
		o->output = arg;
		break;
	case ARGP_KEY_ARG:
		if (o->arg_n == ARRAY_LEN(o->arg)) {
			cli_usage(state, "too many arguments");
		}
		o->arg[o->arg_n++] = arg;
		break;
	case ARGP_KEY_END:
		if (o->arg_n == 0) {
			cli_usage(state, "which kind of key? okeygen tsig NAME, or okeygen ssh");
		}
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Writes the private line to standard output, or to a new file that nobody else can read. */
static err_t
put_private(const char *path, const char *label, const char *line)
{
	if (path == NULL) {
		return printf("%s%s\n", label, line) > 0 ? OK : E_IO;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f == NULL) {
		bool is_there = errno == EEXIST;
		cli_error("%s: %s", path, strerror(errno));
		cli_hint(is_there ? "this may be a key in use: give another name, or remove the file yourself"
		                  : "--output makes a new file, in a directory that exists and that you may write to");
		return E_IO;
	}
	bool is_written = fprintf(f, "%s\n", line) > 0 && fflush(f) == 0 && fsync(fd) == 0;
	if (fclose(f) != 0 || !is_written) {
		cli_error("%s: %s", path, strerror(errno));
		(void)unlink(path);
		return E_IO;
	}
	return OK;
}

/* ---- tsig ---- */

struct tsig_texts {
	char name[NAME_TEXT_MAX];  /* with the final dot */
	char plain[NAME_TEXT_MAX]; /* without the final dot */
	char alg[16];              /* hmac-sha256 */
	char secret[ENC_BASE64_LEN(TSIG_SECRET_MAX) + 1];
};

static err_t
read_name(const char *text, struct tsig_key *k)
{
	err_t err = name_parse(text, strlen(text), NULL, &k->name);
	if (err == OK && strchr(text, ':') != NULL) {
		err = E_FORMAT; /* colons separate the parts of NAME:ALG:SECRET */
	}
	if (err != OK) {
		cli_error("'%s' is not a name for a key: %s", text,
		          err == E_FORMAT ? "it has a colon or a bad escape" : err_str(err));
		cli_hint("write ANYTHING._OPERATION.DOMAIN, such as me._notify.example.org");
	}
	return err;
}

/* Reads NAME:ALGORITHM:SECRET.  A name or an algorithm given on the command line must be the same. */
static err_t
read_whole_key(const struct opts *o, const char *text, struct tsig_key *k)
{
	const struct tsig_key given = { .alg = k->alg, .name = k->name };
	char why[128];
	if (tsig_key_parse(text, k, why) != OK) {
		cli_error("%s: %s", o->secret_file, why);
		return E_FORMAT;
	}
	if (o->arg_n == 2 && !name_is_equal(given.name.oct, k->name.oct)) {
		cli_error("%s has a key of another name than %s", o->secret_file, o->arg[1]);
		cli_hint("leave the name out; a key cannot be renamed, because everybody who has it would have to rename it");
		return E_FORMAT;
	}
	if (given.alg != HMAC_NONE && given.alg != k->alg) {
		cli_error("%s has a key for %s, not for %s", o->secret_file, tsig_alg_text(k->alg), tsig_alg_text(given.alg));
		return E_FORMAT;
	}
	return OK;
}

static err_t
read_secret(const struct opts *o, const char *text, struct tsig_key *k)
{
	if (o->arg_n != 2) {
		cli_error("%s: the first line is not NAME:ALGORITHM:SECRET, and no name was given", o->secret_file);
		cli_hint("okeygen tsig NAME --secret-file=%s", o->secret_file);
		return E_FORMAT;
	}
	if (base64_decode(text, strlen(text), k->secret, sizeof k->secret, &k->secret_len) != OK || k->secret_len == 0) {
		cli_error("%s: the first line is neither NAME:ALGORITHM:SECRET nor a secret of 1 to %d octets in base64",
		          o->secret_file, TSIG_SECRET_MAX);
		return E_FORMAT;
	}
	k->alg = k->alg != HMAC_NONE ? k->alg : HMAC_SHA256;
	return OK;
}

/* `k` has the name and the algorithm, if they were given.  Adds the rest: from --secret-file, or with a new secret. */
static err_t
complete_key(const struct opts *o, struct tsig_key *k)
{
	if (o->secret_file == NULL) {
		k->alg = k->alg != HMAC_NONE ? k->alg : HMAC_SHA256;
		k->secret_len = hmac_len(k->alg); /* a longer one would not be stronger (RFC 2104 3) */
		return cli_random(k->secret, k->secret_len);
	}
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	const struct cli_secret from = { .file = o->secret_file, .form = CLI_SECRET_TSIG };
	TRY(cli_secret_read(&from, &text));
	return strchr(text, ':') != NULL ? read_whole_key(o, text, k) : read_secret(o, text, k);
}

static void
print_address(const char *what, const struct key_address *a)
{
	if (a->family == 4) {
		(void)fprintf(stderr, "%s %u.%u.%u.%u", what, a->octets[0], a->octets[1], a->octets[2], a->octets[3]);
	} else if (a->family == 6) {
		(void)fprintf(stderr, "%s ", what);
		for (int i = 0; i < 16; i += 2) {
			(void)fprintf(stderr, "%s%x", i != 0 ? ":" : "", (unsigned)u16_at(a->octets + i));
		}
	}
}

/* True when a person could take the label for an address, or for a part of one. */
static bool
is_like_address(const uint8_t *label)
{
	unsigned digits = 0, hex = 0, dashes = 0;
	for (unsigned i = 1; i <= label[0]; i++) {
		digits += label[i] >= '0' && label[i] <= '9';
		hex += strchr("0123456789abcdefABCDEF", label[i]) != NULL;
		dashes += label[i] == '-';
	}
	return digits == label[0] || (dashes >= 2 && hex + dashes == label[0]);
}

/* True when more labels look like addresses than were understood as such. */
static bool
is_misspelt(const uint8_t *name, const struct key *says)
{
	static const unsigned labels_of[] = { [4] = 4, [6] = 1 };
	unsigned understood = labels_of[says->primary.family] + labels_of[says->secondary.family], seen = 0;
	for (; name_len(name) > (size_t)says->domain.len; name = name_parent(name)) {
		seen += is_like_address(name);
	}
	return seen > understood;
}

/* Prints "change A and AAAA records, and do nothing else", with the types in the order of the name. */
static void
print_types(const struct key *says)
{
	(void)fputs("change ", stderr);
	for (unsigned i = says->types_n; i-- != 0;) {
		char type[RRTYPE_TEXT_MAX];
		(void)fprintf(stderr, "%s%s", rrtype_print(says->types[i], type), i == 0 ? "" : i == 1 ? " and " : ", ");
	}
	(void)fputs(" records, and do nothing else", stderr);
}

/* An existing key of other people has a name that they chose, and a `_secondaries` file may give it a right.  For a new key, a name without
 * a right is a mistake. */
static void
explain_no_right(const struct opts *o, const struct tsig_texts *t, const struct tsig_key *k, err_t err)
{
	char trouble[KEY_TROUBLE_MAX];
	if (err == E_FORMAT && o->secret_file != NULL) {
		(void)fprintf(stderr, "By its name %s may do nothing. A line in a file _secondaries lets it transfer zones:\n"
		                      "_transfer PTR %s\nThe DNSKEY line goes into the repository's file _keys.\n", t->plain, t->name);
		return;
	}
	key_name_trouble(k->name.oct, trouble);
	cli_warning("the name %s %s: this key may do nothing", t->name, trouble);
	cli_hint(err == E_UNSUPPORTED
	                 ? "write types of records before _update, and only there: ANYTHING._a._aaaa._update.DOMAIN"
	                 : "write ANYTHING._OPERATION.DOMAIN, where the operation is _status, _notify, _transfer or _update; or "
	                   "name the key in a file _secondaries");
}

/* Prints what the key's name allows, and where its line belongs.  On standard error, so that standard output has only the lines, which may
 * go into files. */
static void
explain_rights(const struct opts *o, const struct tsig_texts *t, const struct tsig_key *k)
{
	static const char *const rights[] = {
		[RIGHT_STATUS] = "ask for the state of the primary and its zones",
		[RIGHT_NOTIFY] = "tell the primary to pull",
		[RIGHT_TRANSFER] = "transfer zones and tell the primary to pull",
		[RIGHT_UPDATE] = "change zones, transfer them and tell the primary to pull",
	};
	struct key says = { 0 };
	char domain[NAME_TEXT_MAX];
	err_t err = key_name_read(k->name.oct, &says);
	if (err != OK) {
		explain_no_right(o, t, k, err);
		return;
	}
	size_t len = name_print(says.domain.oct, domain);
	bool is_all = len == 1;
	domain[is_all ? 0 : len - 1] = '\0';
	(void)fprintf(stderr, "%s may ", t->plain);
	if (says.types_n != 0) {
		print_types(&says);
	} else {
		(void)fputs(rights[says.right], stderr);
	}
	(void)fprintf(stderr, ", for %s%s", is_all ? "every zone" : domain, is_all ? "" : " and all below it");
	print_address("; the primary is", &says.primary);
	print_address(", the secondary", &says.secondary);
	(void)fprintf(stderr, ".\nThe DNSKEY line goes into the repository's file %s%s.\n", domain,
	              is_all                       ? "_keys"
	              : says.right == RIGHT_UPDATE ? "._keys (or the file of a parent domain, or _keys)"
	                                           : "._keys (or _keys)");
	if (says.right == RIGHT_TRANSFER && is_misspelt(k->name.oct, &says)) {
		cli_warning("%s has labels that look like an address and are none: they have no effect", t->name);
	}
	if (says.right == RIGHT_TRANSFER && says.primary.family == 0) {
		cli_hint("for a person this name is good; for a secondary PRIMARYIP.SECONDARYIP._transfer.DOMAIN says, too, at which "
		         "address it is told of changes");
	}
}

static void
print_config(enum config which, const struct tsig_texts *t)
{
	switch (which) {
	case CONFIG_BIND:
		(void)printf("key \"%s\" {\n\talgorithm %s;\n\tsecret \"%s\";\n};\n", t->plain, t->alg, t->secret);
		break;
	case CONFIG_KNOT:
		(void)printf("key:\n  - id: %s\n    algorithm: %s\n    secret: %s\n", t->name, t->alg, t->secret);
		break;
	default:
		(void)printf("key:\n\tname: \"%s\"\n\talgorithm: %s\n\tsecret: \"%s\"\n", t->plain, t->alg, t->secret);
		break;
	}
}

static void
fill_texts(struct tsig_texts *t, const struct tsig_key *k)
{
	(void)name_print(k->name.oct, t->name);
	(void)name_show(k->name.oct, t->plain);
	(void)snprintf(t->alg, sizeof t->alg, "hmac-%s", tsig_alg_text(k->alg));
	for (char *c = t->alg; *c != '\0'; c++) {
		*c = (char)octet_lower((uint8_t)*c);
	}
	t->secret[base64_encode(k->secret, k->secret_len, t->secret)] = '\0';
}

/* Writes NAME:ALGORITHM:SECRET, which only the two parties that share the key may have. */
static err_t
put_key(const struct opts *o, const struct tsig_texts *t, enum hmac_alg alg)
{
	char line[NAME_TEXT_MAX + sizeof t->secret + 16];
	(void)snprintf(line, sizeof line, "%s:%s:%s", t->plain, tsig_alg_text(alg), t->secret);
	err_t err = put_private(o->output, "", line);
	wipe(line, sizeof line);
	return err;
}

/* True when an existing key is to be printed in another program's form.  Then only that form is printed: the other lines are already in
 * their places. */
static bool
is_conversion(const struct opts *o)
{
	return o->secret_file != NULL && (o->wants[CONFIG_BIND] || o->wants[CONFIG_KNOT] || o->wants[CONFIG_NSD]);
}

static err_t
print_tsig(const struct opts *o, const struct tsig_key *k)
{
	struct tsig_texts t;
	bool is_bare = is_conversion(o);
	err_t err = OK;
	fill_texts(&t, k);
	if (o->output != NULL) { /* first: if this fails, no line must be left in a keys file, in the way of the next try */
		err = put_key(o, &t, k->alg);
	}
	if (err == OK && !is_bare) {
		explain_rights(o, &t, k);
		(void)printf("%s DNSKEY 0 3 %d %s\n", t.name, 160 + (int)k->alg, t.secret);
		bool is_known = o->output != NULL || o->secret_file != NULL; /* the other copy is in a file */
		err = is_known ? OK : put_key(o, &t, k->alg);
	}
	for (enum config c = 0; c < CONFIG_COUNT && err == OK; c++) {
		if (o->wants[c]) {
			print_config(c, &t);
		}
	}
	wipe(&t, sizeof t);
	return err;
}

static int
make_tsig(const struct opts *o)
{
	struct tsig_key k = { .alg = o->alg };
	if (o->arg_n != 2 && o->secret_file == NULL) {
		cli_error("okeygen tsig NAME: the key's name is missing");
		cli_hint("write ANYTHING._OPERATION.DOMAIN, such as me._notify.example.org");
		return CLI_USAGE;
	}
	if (o->seed_file != NULL || o->comment != NULL) {
		cli_error("--seed-file and --comment belong to okeygen ssh");
		return CLI_USAGE;
	}
	if (o->arg_n == 2 && read_name(o->arg[1], &k) != OK) {
		return CLI_USAGE;
	}
	err_t err = complete_key(o, &k);
	if (err == OK) {
		err = print_tsig(o, &k);
	}
	wipe(&k, sizeof k);
	return err == OK ? CLI_OK : CLI_FAILED;
}

/* ---- ssh ---- */

/* Reads "ed25519:SEED" as it was printed, even with the words before it. */
static err_t
read_seed(const char *path, uint8_t seed[ED25519_SEED_LEN])
{
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	const struct cli_secret from = { .file = path };
	TRY(cli_secret_read(&from, &text));
	const char *colon = strrchr(text, ':');
	const char *base64 = colon != NULL ? colon + 1 : text;
	size_t n = 0;
	base64 += strspn(base64, " ");
	if (base64_decode(base64, strlen(base64), seed, ED25519_SEED_LEN, &n) != OK || n != ED25519_SEED_LEN) {
		cli_error("%s: the first line should be ed25519:SEED, where SEED is 32 octets in base64", path);
		return E_FORMAT;
	}
	return OK;
}

/* Prints the public key as OpenSSH writes it: type and key, each with its length (RFC 8709 4). */
static void
print_public(const uint8_t public[ED25519_PUBLIC_LEN], const char *comment)
{
	static const char type[] = "ssh-ed25519";
	uint8_t blob[4 + sizeof type - 1 + 4 + ED25519_PUBLIC_LEN];
	char text[ENC_BASE64_LEN(sizeof blob) + 1];
	struct buf b = buf_over(blob, sizeof blob);
	buf_u32(&b, sizeof type - 1);
	buf_put(&b, type, sizeof type - 1);
	buf_u32(&b, ED25519_PUBLIC_LEN);
	buf_put(&b, public, ED25519_PUBLIC_LEN);
	ASSERT(b.err == OK && b.len == sizeof blob);
	text[base64_encode(blob, sizeof blob, text)] = '\0';
	(void)printf("%s %s %s\n", type, text, comment);
}

static err_t
print_ssh(const struct opts *o, const uint8_t seed[ED25519_SEED_LEN])
{
	uint8_t public[ED25519_PUBLIC_LEN];
	char line[16 + ENC_BASE64_LEN(ED25519_SEED_LEN) + 1] = "ed25519:";
	char host[HOST_NAME_LEN_MAX + 1], comment[300];
	if (ed25519_public(seed, public) != OK) {
		cli_error("the cryptographic library failed");
		return E_CRYPTO;
	}
	host_name(host);
	(void)snprintf(comment, sizeof comment, "origin@%s", host);
	size_t prefix = strlen(line);
	line[prefix + base64_encode(seed, ED25519_SEED_LEN, line + prefix)] = '\0';
	err_t err = put_private(o->output, "private key: ", line);
	wipe(line, sizeof line);
	if (err == OK) {
		print_public(public, o->comment != NULL ? o->comment : comment);
	}
	return err;
}

static int
make_ssh(const struct opts *o)
{
	uint8_t seed[ED25519_SEED_LEN];
	if (o->arg_n != 1) {
		cli_error("okeygen ssh takes no further argument");
		return CLI_USAGE;
	}
	if (o->comment != NULL && strpbrk(o->comment, "\r\n") != NULL) {
		cli_error("--comment must be one line");
		return CLI_USAGE;
	}
	if (o->secret_file != NULL || o->wants[CONFIG_BIND] || o->wants[CONFIG_KNOT] || o->wants[CONFIG_NSD]) {
		cli_error("--secret-file, --bind, --knot and --nsd belong to okeygen tsig");
		return CLI_USAGE;
	}
	err_t err = o->seed_file != NULL ? read_seed(o->seed_file, seed) : cli_random(seed, sizeof seed);
	if (err == OK) {
		err = print_ssh(o, seed);
	}
	wipe(seed, sizeof seed);
	return err == OK ? CLI_OK : CLI_FAILED;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = { options, parse_opt, "tsig NAME\ntsig --secret-file=FILE\nssh", doc, NULL, cli_help_filter, NULL };
	struct opts o = { .alg = HMAC_NONE };
	int status = CLI_USAGE;
	cli_init();
	privs_hide_memory();
	cli_parse(&argp, argc, argv, &o);
	if (strcmp(o.arg[0], "tsig") == 0) {
		status = make_tsig(&o);
	} else if (strcmp(o.arg[0], "ssh") == 0) {
		status = make_ssh(&o);
	} else {
		cli_error("'%s' is no kind of key: okeygen tsig NAME, or okeygen ssh", o.arg[0]);
	}
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		cli_error("cannot write the output: %s", strerror(errno));
		status = CLI_FAILED;
	}
	return status;
}
