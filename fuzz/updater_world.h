/* fuzz/updater_world.h -- what the updater's fuzz target has beside the updater: a primary, a remote, and what was sent; and what must hold
 * of them.  For updater_fuzz.c alone. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/updater.h"
#include "base/alloc.h"
#include "base/cur.h"
#include "base/str.h"
#include "dns/tsig.h"
#include "zone/zone.h"

enum {
	NOW_S = 1700000000,
	UPDATES_MAX = 40, REPEATS_MAX = 20, FILES_MAX = 4, COMMITS_MAX = 1000,
	KEYS_N = 2,
};

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define DNSKEY " DNSKEY 0 3 163 " SECRET "\n"

static const char keys_all[] = "all._update." DNSKEY "me._update.example." DNSKEY;
static const char keys_few[] = "all._update." DNSKEY;
static const char example[] = "$TTL 60\n@ SOA ns1 h 7 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n";
static const char other[] = "$TTL 60\n@ SOA ns1.example. h 7 2 3 4 5\n@ NS ns1.example.\nwww A 192.0.2.2\n";

/* ---- files ---- */

struct files {
	struct {
		char *path, *text; /* owned */
	} file[FILES_MAX];
	size_t n;
};

static void
files_put(struct files *f, const char *path, const char *text)
{
	size_t i = 0;
	while (i < f->n && strcmp(f->file[i].path, path) != 0) {
		i++;
	}
	if (i == f->n) {
		ASSERT(f->n < FILES_MAX);
		f->file[f->n++].path = xstrdup(path);
	} else {
		free(f->file[i].text);
	}
	f->file[i].text = xstrdup(text);
}

static const char *
files_text(const struct files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->file[i].path, path) == 0) {
			return f->file[i].text;
		}
	}
	return NULL;
}

static void
files_fini(struct files *f)
{
	while (f->n != 0) {
		f->n--;
		free(f->file[f->n].path);
		free(f->file[f->n].text);
	}
}

static void
files_copy(struct files *to, const struct files *from)
{
	files_fini(to);
	for (size_t i = 0; i < from->n; i++) {
		files_put(to, from->file[i].path, from->file[i].text);
	}
}

/* ---- the world ---- */

enum update_kind { KIND_CHANGE, KIND_NOTHING, KIND_NO, KIND_SPOILS, KIND_BROKEN };

struct update_sent {
	enum update_kind kind;
	unsigned key, zone;
	uint8_t *wire;            /* owned, as long as it is */
	size_t len;
	struct tsig_key secret;
	struct tsig tsig;
	unsigned commit;          /* in which it came to the remote; 0: in none */
	bool is_told_no, is_repeated;
};

/* As one came: the first time, or again. */
struct arrival {
	struct update_sent *sent;
	struct name key;
	bool is_ended;
	unsigned seen;            /* sights of the remote before */
};

struct push {
	bool is_under_way, is_again;
	unsigned id, base;
	uint64_t made_s;
	struct files files;       /* that it writes */
};

static struct world {
	struct primary *primary;
	struct updater *updater;
	struct updater_now now;
	struct files files;       /* of the remote's head */
	struct files served;      /* of the commit that is served */
	unsigned head, commits;   /* of the remote; the last id given */
	bool is_there[COMMITS_MAX];
	unsigned told;            /* the last that the git process has told; 0: none yet */
	unsigned lost;            /* the commit of which it is not known whether it arrived */
	bool is_whole_wanted;
	struct push push, late;   /* `late`: may arrive yet */
	struct sight {
		bool is_under_way;
		unsigned head;
		bool has_lost;        /* the remote had the commit `lost` then */
		bool is_whole;        /* all files are told */
		unsigned asked;       /* pulls that the updater had asked for before */
		struct files files;
	} retry;                  /* a pull that the git side has begun by itself: what it has seen */
	unsigned asked;           /* pulls that the updater has asked for */
	unsigned seen;            /* sights of the remote, and commits that arrived */
	bool is_gone, is_stale, is_pull_coming, is_reserve_refused;
	struct update_sent updates[UPDATES_MAX];
	struct arrival requests[UPDATES_MAX + REPEATS_MAX];
	unsigned updates_n, requests_n, ended_n;
} w;

static const struct server_conf server = { .udp_max = 1232 };
static const struct peer peer = { .family = 4, .address = { 192, 0, 2, 7 }, .port = 4242, .transport = TRANSPORT_TCP };

static void
print_id(unsigned id, char out[65])
{
	snprintf(out, 65, "%040u", id);
}

static unsigned
read_id(const char *id)
{
	return (unsigned)strtoul(id, NULL, 10);
}

/* ---- the primary ---- */

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	const struct files *f = ctx;
	const char *text = files_text(f, path);
	if (text == NULL) {
		return E_NOTFOUND;
	}
	char *copy = xstrdup(text); /* so that a use after the close is seen */
	*out = (struct master_text){ .text = copy, .len = strlen(copy), .handle = copy };
	return OK;
}

static void
close_file(void *ctx, struct master_text *text)
{
	(void)ctx;
	free(text->handle);
}

/* All of it, as the commit of that id. */
static void
apply(struct primary *p, struct files *f, unsigned id)
{
	struct source_change changes[FILES_MAX];
	struct source_commit c = { .changes = changes, .n = f->n, .is_whole = true, .ctx = f, .open = open_file, .close = close_file };
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	for (size_t i = 0; i < f->n; i++) {
		changes[i] = (struct source_change){ .path = f->file[i].path, .bytes = (const uint8_t *)f->file[i].text,
			                             .len = strlen(f->file[i].text) };
	}
	print_id(id, c.id);
	ASSERT(primary_apply(p, &c, &outcome, &view, &old) == OK && outcome == PRIMARY_APPLIED);
	discard_free(&old);
}

static struct primary *
primary_begin(void)
{
	static const struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT };
	static const struct primary_log log;
	return primary_new(&conf, &log);
}

/* ---- the remote ---- */

static bool
is_in(const struct files *f, const char *format, unsigned number)
{
	char mark[32];
	snprintf(mark, sizeof mark, format, number);
	for (size_t i = 0; i < f->n; i++) {
		if (strstr(f->file[i].text, mark) != NULL) {
			return true;
		}
	}
	return false;
}

static bool
is_same_line(const struct update_sent *a, const struct update_sent *b)
{
	return a->kind == KIND_CHANGE && b->kind == KIND_CHANGE && a->key == b->key && a->zone == b->zone;
}

/* Of one key and zone none that came later is in an earlier commit, and in one commit the last is made last: each sets the key's name. */
static void
check_order(unsigned i)
{
	const struct update_sent *s = &w.updates[i];
	bool is_last = true;
	for (unsigned k = 0; k < w.updates_n; k++) {
		const struct update_sent *t = &w.updates[k];
		if (!is_same_line(s, t) || t->commit == 0) {
			continue;
		}
		ASSERT(k < i || t->is_repeated || t->commit >= s->commit);
		is_last &= t->commit != s->commit || (k <= i && !t->is_repeated);
	}
	ASSERT(!is_last || is_in(&w.files, "\"s%u.\"", i));
}

/* A commit of ours has come to the remote. */
static void
note_commit(unsigned id)
{
	for (unsigned i = 0; i < w.updates_n; i++) {
		struct update_sent *s = &w.updates[i];
		if (s->kind == KIND_CHANGE && s->commit == 0 && is_in(&w.files, "\"u%u.\"", i)) {
			ASSERT(!s->is_told_no);
			s->commit = id;
		}
	}
	for (unsigned i = 0; i < w.updates_n; i++) {
		if (w.updates[i].commit == id && !w.updates[i].is_repeated) {
			check_order(i);
		}
	}
}

static void
arrive(const struct push *p)
{
	ASSERT(p->base == w.head);
	for (size_t i = 0; i < p->files.n; i++) {
		files_put(&w.files, p->files.file[i].path, p->files.file[i].text);
	}
	w.head = p->id;
	w.is_there[p->id] = true;
	w.seen++;
	note_commit(p->id);
}

/* One that was on its way for long.  It cannot arrive any more once the branch has moved. */
static void
arrive_late(void)
{
	if (w.late.is_under_way && w.late.base == w.head) {
		arrive(&w.late);
	}
	w.late.is_under_way = false;
}

static unsigned
next_id(void)
{
	ASSERT(w.commits + 1 < COMMITS_MAX);
	return ++w.commits;
}

static void
others_push(struct cur *c)
{
	uint8_t what = cur_u8(c);
	if (what % 8 == 0) {
		files_put(&w.files, "_keys", (what & 8) != 0 ? keys_few : keys_all);
	} else if (what % 8 == 1) {
		files_put(&w.files, "example", example);
	} else {
		const char *path = what % 2 != 0 ? "example" : "other";
		struct str text = { 0 };
		str_printf(&text, "%sp%u TXT \"by hand\"\n", files_text(&w.files, path), w.commits);
		files_put(&w.files, path, str_text(&text));
		str_fini(&text);
	}
	w.head = next_id();
	w.is_there[w.head] = true;
}
