/* A primary on files in memory, and updates that are committed there: for tests of auth/batch.h. */
#pragma once

#include "update_text.h"

#include "auth/batch.h"
#include "octets.h"
#include "serve.h"

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY "me._update.example:SHA256:" SECRET
#define KEY_NOTIFY "me._notify.example:SHA256:" SECRET
#define KEY_ALL "all._update:SHA256:" SECRET

static const char keys[] = "me._update.example. DNSKEY 0 3 163 " SECRET "\n"
                           "me._notify.example. DNSKEY 0 3 163 " SECRET "\n"
                           "all._update. DNSKEY 0 3 163 " SECRET "\n";

#define HEAD(serial)                                                                                                                   \
	"$TTL 3600\n"                                                                                                                  \
	"@\tSOA\tns1 hostmaster " #serial " 7200 3600 1209600 300\n"                                                                    \
	"\tNS\tns1\n"                                                                                                                   \
	"ns1\tA\t192.0.2.1\n"

#define SOA(serial) "SOA ns1 hostmaster " #serial " 7200 3600 1209600 300\n"

static const char plain[] = HEAD(7) "www\tA\t192.0.2.2 ; the web\n"
                                    "www\tA\t192.0.2.3\n"
                                    "txt\tTXT\t\"one\"\n"
                                    "alias\tCNAME\twww\n"
                                    "a.b\tA\t192.0.2.4\n"
                                    "sub\tNS\tns.sub\n"
                                    "ns.sub\tA\t192.0.2.5\n";
static const char other[] = "$TTL 60\n@ SOA ns.example. . 1 2 3 4 5\n@ NS ns1.example.\n";

enum { FILES_MAX = 1100 };

struct world {
	struct primary *primary;
	struct source_commit source;
	struct { char *path, *text; } files[FILES_MAX];
	size_t files_n;
	unsigned commits;
	char message[4096];
};

static inline err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct world *w = ctx;
	for (size_t i = 0; i < w->files_n; i++) {
		if (strcmp(w->files[i].path, path) == 0) {
			*out = (struct master_text){ .text = w->files[i].text, .len = strlen(w->files[i].text), .handle = w };
			return OK;
		}
	}
	return E_NOTFOUND;
}

static inline void
write_file(struct world *w, const char *path, const char *text)
{
	size_t i = 0;
	while (i < w->files_n && strcmp(w->files[i].path, path) != 0) {
		i++;
	}
	if (i < w->files_n) {
		free(w->files[i].path);
		free(w->files[i].text);
		if (text == NULL) {
			w->files[i] = w->files[--w->files_n];
			return;
		}
	} else {
		assert_true(w->files_n++ < ARRAY_LEN(w->files));
	}
	w->files[i].path = xstrdup(path);
	w->files[i].text = xstrdup(text);
}

static inline const char *
read_file(const struct world *w, const char *path)
{
	for (size_t i = 0; i < w->files_n; i++) {
		if (strcmp(w->files[i].path, path) == 0) {
			return w->files[i].text;
		}
	}
	return NULL;
}

static inline void
apply_some(struct world *w, enum primary_outcome want)
{
	struct source_change changes[FILES_MAX];
	for (size_t i = 0; i < w->files_n; i++) {
		changes[i] = (struct source_change){ .path = w->files[i].path, .bytes = (uint8_t *)w->files[i].text,
			                             .len = strlen(w->files[i].text) };
	}
	struct source_commit c = w->source;
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	snprintf(c.id, sizeof c.id, "%040u", ++w->commits);
	c.changes = changes;
	c.n = w->files_n;
	c.is_whole = true;
	assert_int_equal(primary_apply(w->primary, &c, &outcome, &view, &old), OK);
	assert_int_equal(outcome, want);
	discard_free(&old);
	assert_octets_are_counted(w->primary);
}

static inline void
apply_all(struct world *w)
{
	apply_some(w, PRIMARY_APPLIED);
}

static inline void
world_begin_conf(struct world *w, const char *zone, const struct primary_conf *conf)
{
	static const struct primary_log log;
	*w = (struct world){ .primary = primary_new(conf, &log) };
	w->source = (struct source_commit){ .ctx = w, .open = open_file, .close = serve_close };
	write_file(w, "example", zone);
	write_file(w, "_keys", keys);
	write_file(w, "other", other);
	apply_all(w);
}

static inline void
world_begin(struct world *w, const char *zone)
{
	static const struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT };
	world_begin_conf(w, zone, &conf);
}

/* Where updates make zones and remove them; a commit may take away as many percent of the zones. */
static inline void
world_begin_zones(struct world *w, const char *zone, unsigned percent)
{
	const struct primary_conf conf = { percent, 100, 100, SERIAL_INCREMENT, .zones_by_update = true };
	world_begin_conf(w, zone, &conf);
}

static inline void
world_end(struct world *w)
{
	primary_free(&w->primary);
	for (size_t i = 0; i < w->files_n; i++) {
		free(w->files[i].path);
		free(w->files[i].text);
	}
}

static inline const struct zone *
zone_of(const struct world *w, const char *name)
{
	struct name apex;
	assert_int_equal(name_parse(name, strlen(name), name_root, &apex), OK);
	return view_zone(primary_view(w->primary), apex.oct);
}

/* Writes the batch's files, accepts it, and has a second primary read all of it: what is served is what the files say. */
static inline err_t
count_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)is_added, (void)rr;
	(*(unsigned *)ctx)++;
	return OK;
}

static inline void
assert_files_say_what_is_served(const struct world *w)
{
	struct world again;
	world_begin(&again, read_file(w, "example"));
	for (size_t i = 0; i < w->files_n; i++) {
		write_file(&again, w->files[i].path, w->files[i].text);
	}
	apply_all(&again);
	unsigned differences = 0;
	assert_int_equal(zone_diff(zone_of(w, "example."), zone_of(&again, "example."), count_difference, &differences), OK);
	assert_int_equal(differences, 0);
	world_end(&again);
}

static inline void
commit(struct world *w, struct batch *b)
{
	size_t n;
	const struct batch_file *files = batch_files(b, &n);
	const struct view *view;
	struct discard *old = NULL;
	char id[41];
	for (size_t i = 0; i < n; i++) {
		char *text = files[i].text != NULL ? xstrndup(files[i].text, files[i].len) : NULL;
		write_file(w, files[i].path, text);
		free(text);
	}
	snprintf(w->message, sizeof w->message, "%s", batch_message(b));
	snprintf(id, sizeof id, "%040u", ++w->commits);
	assert_int_equal(batch_accept(b, id, &view, &old), OK);
	assert_string_equal(view->commit, id);
	assert_true(discard_octets(old) != 0);
	discard_free(&old);
	assert_octets_are_counted(w->primary);
}

/* What became of one update: its RCODE, and whether there was a commit. */
struct result {
	unsigned rcode;
	bool is_committed;
	char text[UPDATE_ANSWER_TEXT_MAX];
};

static inline void
check_answer(struct update_text *u, struct update_task *t, unsigned rcode)
{
	static const struct server_conf conf = { .udp_max = 1232 };
	static uint8_t wire[DNS_MSG_MAX];
	struct msg m;
	size_t len = update_task_answer(t, &conf, UPDATE_NOW_S, wire, sizeof wire);
	assert_int_equal(msg_parse(wire, len, &m), OK);
	assert_int_equal(m.bits & DNS_RCODE, rcode);
	assert_int_equal(msg_opcode(&m), OPCODE_UPDATE);
	assert_int_equal(m.count[0], 1);
	assert_int_equal(tsig_verify_response(&u->tsig, &m, UPDATE_NOW_S), OK);
	tsig_fini(&u->tsig);
}

static inline struct result
update_zone(struct world *w, const char *zone, const char *key, const char *text)
{
	static struct update_text u;
	static const struct peer peer = { .family = 4, .address = { 192, 0, 2, 7 }, .port = 4242, .transport = TRANSPORT_TCP };
	struct result r = { 0 };
	struct update_task t;
	enum batch_taken taken = BATCH_SETTLED;
	int ede;
	update_text_build(&u, zone, key, text);
	update_task_init(&t, u.wire, u.len, &peer, UPDATE_NOW_S);
	struct batch *b = batch_new(w->primary, &w->source, UPDATE_NOW_S);
	err_t err = update_task_open(&t, primary_view(w->primary));
	assert_true(err == OK || err == E_REFUSED);
	if (err == OK) {
		assert_int_equal(batch_add(b, &t, &taken), OK);
	}
	r.rcode = t.rcode;
	if (taken == BATCH_PENDING) {
		err = batch_prepare(b, &r.rcode, &ede, t.text);
		assert_true(err == OK || err == E_NOTFOUND || err == E_REFUSED);
		r.rcode = err == E_REFUSED ? r.rcode : RCODE_NOERROR;
		t.rcode = r.rcode;
		if (err == OK) {
			commit(w, b);
			r.is_committed = true;
		}
	}
	memcpy(r.text, t.text, sizeof r.text);
	if (t.is_verified) {
		check_answer(&u, &t, r.rcode);
	}
	batch_free(&b);
	update_task_fini(&t);
	tsig_fini(&u.tsig);
	if (r.is_committed && zone_of(w, "example.") != NULL) {
		assert_files_say_what_is_served(w);
	}
	return r;
}

static inline struct result
update(struct world *w, const char *text)
{
	return update_zone(w, "example.", KEY, text);
}

/* ---- many at once ---- */

struct many {
	struct update_text text[16];
	struct update_task task[16];
	enum batch_taken taken[16];
};

static inline void
add_many(struct world *w, struct batch *b, struct many *m, const char *const *updates, size_t n)
{
	static const struct peer peer = { .family = 4, .address = { 192, 0, 2, 8 }, .transport = TRANSPORT_UDP };
	for (size_t i = 0; i < n; i++) {
		const char *zone = updates[i][0] == '!' ? "other." : "example.";
		update_text_build(&m->text[i], zone, KEY_ALL, updates[i] + (updates[i][0] == '!'));
		update_task_init(&m->task[i], m->text[i].wire, m->text[i].len, &peer, UPDATE_NOW_S);
		assert_int_equal(update_task_open(&m->task[i], primary_view(w->primary)), OK);
		assert_int_equal(batch_add(b, &m->task[i], &m->taken[i]), OK);
	}
}

static inline void
free_many(struct many *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		update_task_fini(&m->task[i]);
		tsig_fini(&m->text[i].tsig);
	}
}
