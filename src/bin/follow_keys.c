#include "bin/follow_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "bin/cli.h"
#include "bin/key_memory.h"
#include "dns/bind_key.h"
#include "net/peer.h"

/* ---- keys ---- */

/* Where a key was read. */
struct origin {
	const char *what; /* an option, a file, … */
	unsigned line;    /* 0: it has no lines */
};

static void
complain(const struct origin *o, const char *text)
{
	if (o->line != 0) {
		cli_error("%s:%u: %s", o->what, o->line, text);
	} else {
		cli_error("%s: %s", o->what, text);
	}
}

static int
add_key(struct keystore *ks, const struct origin *from, const char *text)
{
	struct tsig_key key;
	char why[128];
	if (tsig_key_parse(text, &key, why) != OK) {
		complain(from, why);
		cli_hint("a key is NAME:ALGORITHM:SECRET, as \"okeygen tsig NAME\" prints it");
		return CLI_USAGE;
	}
	err_t err = keystore_add_key(ks, &key);
	if (err != OK) {
		char name[NAME_TEXT_MAX], said[NAME_TEXT_MAX + 100];
		name_print(key.name.oct, name);
		const char *trouble = err == E_EXISTS ? "it is there twice, with different secrets or algorithms" : err_str(err);
		(void)snprintf(said, sizeof said, "key %s: %s", name, trouble);
		complain(from, said);
	}
	wipe(&key, sizeof key);
	return err == OK ? CLI_OK : CLI_USAGE;
}

/* A comment begins with "#", at the beginning of the line or after a space. */
static void
cut_comment(char *line)
{
	char *at = line;
	while ((at = strchr(at, '#')) != NULL && at != line && at[-1] != ' ' && at[-1] != '\t') {
		at++;
	}
	if (at != NULL) {
		*at = '\0';
	}
}

/* One key, with spaces around it; or nothing. */
static int
add_word(struct keystore *ks, const struct origin *from, char *word)
{
	word += strspn(word, " \t\r");
	char *end = word + strcspn(word, " \t\r");
	if (end[strspn(end, " \t\r")] != '\0') { /* it would be lost without a word */
		complain(from, "something follows a key on its line");
		cli_hint("keys are separated by commas or line ends; a comment begins with \"#\"");
		return CLI_USAGE;
	}
	*end = '\0';
	return word[0] != '\0' ? add_key(ks, from, word) : CLI_OK;
}

static int
add_line(struct keystore *ks, const struct origin *from, char *line)
{
	int status = CLI_OK;
	cut_comment(line);
	for (char *word; status == CLI_OK && (word = strsep(&line, ",")) != NULL;) {
		status = add_word(ks, from, word);
	}
	return status;
}

/* A list of keys, with commas or line ends between them; or one key statement of BIND.  The text is changed. */
static int
add_list(struct keystore *ks, const char *what, char *text)
{
	char statement[CLI_SECRET_MAX], *rest = text;
	struct origin from = { .what = what };
	bool has_lines = strchr(text, '\n') != NULL;
	int status = CLI_OK;
	if (bind_key_read(text, strlen(text), statement, sizeof statement) == OK) {
		status = add_key(ks, &from, statement);
		wipe(statement, sizeof statement);
		return status;
	}
	for (char *line; status == CLI_OK && (line = strsep(&rest, "\n")) != NULL;) {
		from.line += has_lines;
		status = add_line(ks, &from, line);
	}
	return status;
}

static int
add_arguments(struct keystore *ks, const struct follow_keys_args *a)
{
	int status = CLI_OK;
	for (size_t i = 0; i < a->keys_n; i++) {
		size_t len = strlen(a->keys[i]);
		status = status == CLI_OK ? add_list(ks, a->option, a->keys[i]) : status;
		wipe(a->keys[i], len);
	}
	return status;
}

static int
add_all(struct keystore *ks, const struct follow_keys_args *a)
{
	const struct cli_secret from = { .file = a->file, .env = "ORIGIN_KEYS", .credential = "keys", .form = CLI_SECRET_TEXT };
	[[gnu::cleanup(cli_secret_free)]] char *text = NULL;
	int status = add_arguments(ks, a);
	if (status == CLI_OK && (a->keys_n == 0 || a->file != NULL) && cli_secret_read(&from, &text) != OK) {
		status = CLI_FAILED;
	}
	return status == CLI_OK && text != NULL ? add_list(ks, cli_secret_origin(&from), text) : status;
}

int
follow_keys_read(const struct follow_keys_args *a, struct keystore **out)
{
	struct keystore *ks = keystore_new(key_memory());
	int status = ks != NULL ? add_all(ks, a) : CLI_FAILED;
	cli_forget_environment();
	if (status == CLI_OK && keystore_count(ks) == 0) {
		if (a->file != NULL) {
			cli_error("%s: there is no key in this file", a->file);
		} else {
			cli_error("which zones? %s=KEY is missing", a->option);
		}
		cli_hint("a key says which zones there are, and where: PRIMARY.SECONDARY._transfer.ZONE:SHA256:SECRET, with the addresses "
		         "of both");
		status = CLI_USAGE;
	}
	if (status != CLI_OK) {
		keystore_free(&ks);
		return status;
	}
	keystore_seal(ks);
	*out = ks;
	return CLI_OK;
}

/* ---- primaries ---- */

/* Has this machine the address?  A primary may know us by it alone. */
static bool
is_ours(const struct key_address *a)
{
	if (a->family == 0) {
		return false;
	}
	const struct listen_address at = listen_at(a, 0);
	int fd = socket(at.sa.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_bound = fd >= 0 && bind(fd, &at.sa.any, at.len) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return is_bound;
}

static struct follow_source
source_of(const struct key *k, const struct key_address *address, uint16_t port)
{
	struct follow_source s = {
		.key = k, .domain = k->domain.oct, .address = *address, .port = port, .is_kept = k->secondary.family == 0,
	};
	if (k->secondary.family == address->family && is_ours(&k->secondary)) {
		s.source = k->secondary;
	}
	return s;
}

static size_t
add_sources(const struct key *k, const struct listen_address *primaries, size_t n, struct follow_source *out)
{
	if (n == 0) {
		out[0] = source_of(k, &k->primary, 53);
		return k->primary.family != 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct peer p;
		bool is_address = peer_from_sockaddr(&primaries[i].sa.any, TRANSPORT_TCP, &p);
		ASSERT(is_address);
		const struct key_address a = peer_key_address(&p);
		out[i] = source_of(k, &a, p.port);
	}
	return n;
}

static int
no_primary(const char *name, const struct follow_keys_use *use)
{
	cli_error("key %s names no primary", name);
	cli_hint("give the primary's address: in the key's name (ADDRESS.OURS._transfer.ZONE), or with %s=ADDRESS", use->primary_option);
	return CLI_USAGE;
}

static bool
is_for_other_uses(const struct key *k, const struct follow_keys_use *use)
{
	bool is_for_octl = key_includes(k, RIGHT_STATUS) && !key_includes(k, RIGHT_NOTIFY);
	return is_for_octl || (use->is_updating && k->right == RIGHT_UPDATE && !key_includes(k, RIGHT_TRANSFER));
}

/* The sources of all keys.  *nameless: the first key without any, which is no error yet, as it may be for updates alone. */
static int
collect(const struct keystore *keys, const struct follow_keys_use *use, struct follow_source *list, size_t *n, const struct key **nameless)
{
	for (size_t i = 0; i < keystore_count(keys); i++) {
		const struct key *k = keystore_at(keys, i);
		char name[NAME_TEXT_MAX];
		name_print(k->tsig.name.oct, name);
		if (is_for_other_uses(k, use)) {
			continue;
		}
		if (!key_includes(k, RIGHT_TRANSFER)) {
			cli_warning("key %s transfers no zone: its name has no _transfer or _update", name);
			continue;
		}
		size_t added = add_sources(k, use->primaries, use->primaries_n, &list[*n]);
		if (added == 0 && (!use->is_updating || k->right != RIGHT_UPDATE)) {
			return no_primary(name, use);
		}
		*nameless = added == 0 && *nameless == NULL ? k : *nameless;
		*n += added;
	}
	return CLI_OK;
}

int
follow_keys_sources(const struct keystore *keys, const struct follow_keys_use *use, struct follow_source **out, size_t *n)
{
	struct follow_source *list = xalloc(keystore_count(keys) * (use->primaries_n + 1) * sizeof *list);
	const struct key *nameless = NULL;
	size_t total = 0;
	int status = collect(keys, use, list, &total, &nameless);
	if (status == CLI_OK && total == 0 && nameless != NULL) {
		char name[NAME_TEXT_MAX];
		name_print(nameless->tsig.name.oct, name);
		status = no_primary(name, use);
	} else if (status == CLI_OK && total == 0) { /* it could only wait */
		cli_error("no key may transfer a zone");
		cli_hint("make one with a name like PRIMARY.SECONDARY._transfer.ZONE, with the addresses of both");
		status = CLI_USAGE;
	}
	if (status != CLI_OK) {
		free(list);
		return status;
	}
	*out = list;
	*n = total;
	return CLI_OK;
}

/* ---- catalogs ---- */

void
follow_keys_take(struct follow_keys_args *a, char *arg, const char *file_option, struct argp_state *state)
{
	if (a->keys_n == FOLLOW_KEYS_MAX) {
		cli_usage(state, "%s: at most %d times; put them into a file, for %s", a->option, FOLLOW_KEYS_MAX, file_option);
	}
	a->keys[a->keys_n++] = arg;
}

const char *
follow_catalogs_add(struct follow_catalogs *c, const char *text)
{
	struct name n;
	if (name_parse(text, strlen(text), NULL, &n) != OK || name_is_root(n.oct)) {
		return "should be a zone's name, such as catalog.example.org";
	}
	for (size_t i = 0; i < c->n; i++) {
		if (name_is_equal(c->list[i].oct, n.oct)) {
			return "is there twice";
		}
	}
	if (c->n == ARRAY_LEN(c->list)) {
		return "there are too many catalogs: at most 16";
	}
	c->list[c->n++] = n;
	return NULL;
}
