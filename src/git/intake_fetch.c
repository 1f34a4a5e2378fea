/* One fetch into the intake: see git/intake.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "crypto/sha.h"
#include "git/errors.h"
#include "git/intake_p.h"

/* A fetch that is over one of these limits goes to libgit2's indexer, which is slower and needs less memory. */
enum {
	INTAKE_PACK_MAX = 64 << 20,   /* octets of the pack */
	INTAKE_TOTAL_MAX = 512 << 20, /* octets, inflated, of all objects in memory */
	INTAKE_OBJECTS_MAX = 1 << 18,
	INTAKE_ROUNDS_MAX = 32,       /* over the deltas; more than one is needed only if a base comes after its delta, which is rare */
};

/* One object of the pack. */

struct taken {
	struct pack_entry pack; /* data: the delta at first, the object once it is known */
	uint8_t id[PACK_ID];
	enum pack_type type;
	bool is_known;
};

struct fetch {
	git_odb_writepack parent; /* the first member, so that libgit2's pointer to it leads to the fetch */
	struct intake *intake;
	git_odb *odb;
	git_indexer_progress_cb progress;
	void *payload;
	struct str bytes;      /* the pack so far */
	git_indexer *indexer;  /* libgit2's, which gets the pack when that is over a limit; NULL: we have the pack */
	struct taken *taken;   /* in the order of the pack, so ascending in pack.at */
	size_t n, known;       /* objects read so far; how many of them are known */
	size_t total;          /* octets that `taken` holds */
	struct id_map by_id;   /* the known objects */
};

static void
fetch_forget(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->taken[i].pack.data);
	}
	free(f->taken);
	f->taken = NULL;
	f->n = f->known = f->total = 0;
	id_map_fini(&f->by_id);
}

static size_t
room(const struct fetch *f)
{
	size_t used = f->total + f->intake->total;
	return used < INTAKE_TOTAL_MAX ? INTAKE_TOTAL_MAX - used : 0;
}

/* The content of `x` is known: computes its id. */
static err_t
settle(struct fetch *f, struct taken *x)
{
	static const char *const names[] = { "", "commit", "tree", "blob", "tag" };
	char head[32];
	int n = snprintf(head, sizeof head, "%s %zu", names[x->type], x->pack.len) + 1; /* with its NUL */
	TRY(sha1(head, (size_t)n, x->pack.data, x->pack.len, x->id));
	id_map_put(&f->by_id, x->id, (size_t)(x - f->taken));
	x->is_known = true;
	f->known++;
	return OK;
}

static err_t
scan(struct fetch *f, git_indexer_progress *stats)
{
	struct cur c;
	uint32_t n = 0;
	TRY(pack_open((const uint8_t *)f->bytes.s, f->bytes.len, &c, &n));
	if (n > INTAKE_OBJECTS_MAX) {
		return E_LIMIT;
	}
	stats->total_objects = n;
	f->taken = xalloc((n + 1) * sizeof *f->taken);
	while (f->n < n) {
		struct taken *x = &f->taken[f->n];
		TRY(pack_next(&c, room(f), &x->pack));
		stats->received_objects = (unsigned)++f->n;
		f->total += x->pack.len;
		x->type = x->pack.type;
		if (x->type <= PACK_TAG) {
			TRY(settle(f, x));
		}
	}
	return cur_left(&c) == 0 ? OK : E_FORMAT;
}

static err_t
apply(struct fetch *f, struct taken *x, enum pack_type type, const uint8_t *base, size_t base_len)
{
	uint8_t *made = NULL;
	size_t len = 0;
	TRY(delta_apply(x->pack.data, x->pack.len, base, base_len, room(f), &made, &len));
	free(x->pack.data);
	f->total += len - x->pack.len;
	x->pack.data = made;
	x->pack.len = len;
	x->type = type;
	return settle(f, x);
}

/* Applies a delta whose base is not in this pack.  E_NOTFOUND: the clone does not have the base either. */
static err_t
apply_to_old(struct fetch *f, struct taken *x)
{
	[[gnu::cleanup(git_free_object)]] git_odb_object *base = NULL;
	git_oid id;
	memcpy(id.id, x->pack.base, sizeof id.id);
	if (git_odb_read(&base, f->odb, &id) != 0) {
		return E_NOTFOUND;
	}
	return apply(f, x, (enum pack_type)git_odb_object_type(base), git_odb_object_data(base), git_odb_object_size(base));
}

static bool
has_offset(const struct fetch *f, size_t at, size_t *number)
{
	size_t lo = 0, hi = f->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (f->taken[mid].pack.at < at) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	*number = lo;
	return lo < f->n && f->taken[lo].pack.at == at;
}

/* E_NOTFOUND: the base is not there, or not known yet. */
static err_t
resolve(struct fetch *f, struct taken *x)
{
	size_t i = 0;
	if (x->pack.type == PACK_REF_DELTA && !id_map_has(&f->by_id, x->pack.base, &i)) {
		return apply_to_old(f, x);
	}
	if (x->pack.type == PACK_OFS_DELTA && !has_offset(f, x->pack.base_at, &i)) {
		return E_FORMAT;
	}
	const struct taken *base = &f->taken[i];
	return base->is_known ? apply(f, x, base->type, base->pack.data, base->pack.len) : E_NOTFOUND;
}

/* Goes over the deltas until all are resolved.  Once is enough, unless a base comes after its delta. */
static err_t
resolve_all(struct fetch *f, git_indexer_progress *stats)
{
	for (unsigned round = 0; f->known < f->n; round++) {
		size_t before = f->known;
		if (round == INTAKE_ROUNDS_MAX) {
			return E_LIMIT;
		}
		for (size_t i = 0; i < f->n; i++) {
			err_t err = f->taken[i].is_known ? OK : resolve(f, &f->taken[i]);
			if (err != OK && err != E_NOTFOUND) {
				return err;
			}
			stats->indexed_objects = (unsigned)f->known;
			if (i % 64 == 0 && f->progress != NULL && f->progress(stats, f->payload) != 0) {
				return E_STOPPED;
			}
		}
		if (f->known == before) {
			return E_NOTFOUND;
		}
	}
	return OK;
}

static void
keep(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct taken *x = &f->taken[i];
		git_oid id;
		memcpy(id.id, x->id, sizeof id.id);
		if (!git_odb_exists_ext(f->odb, &id, GIT_ODB_LOOKUP_NO_REFRESH)) { /* it may be on the disk, or twice in the pack */
			intake_add(f->intake, x->id, x->type, x->pack.data, x->pack.len);
			x->pack.data = NULL;
		}
	}
}

/* ---- libgit2's side ---- */

static int
fail(const char *why)
{
	git_error_set_str(GIT_ERROR_INDEXER, why);
	return -1;
}

/* Hands the pack, as far as it has come, to libgit2's own indexer.  The rest goes there, too. */
static int
pass_on(struct fetch *f, git_indexer_progress *stats)
{
	[[gnu::cleanup(str_fini)]] struct str packs = { 0 };
	git_indexer_options o = GIT_INDEXER_OPTIONS_INIT;
	str_printf(&packs, "%s/pack", f->intake->dir);
	o.progress_cb = f->progress;
	o.progress_cb_payload = f->payload;
	int ret = git_indexer_new(&f->indexer, str_text(&packs), 0, f->odb, &o);
	if (ret == 0) {
		ret = git_indexer_append(f->indexer, f->bytes.s, f->bytes.len, stats);
	}
	str_fini(&f->bytes);
	return ret;
}

static int
fetch_append(git_odb_writepack *parent, const void *bytes, size_t n, git_indexer_progress *stats)
{
	struct fetch *f = (struct fetch *)parent;
	if (f->indexer != NULL) {
		return git_indexer_append(f->indexer, bytes, n, stats);
	}
	str_put(&f->bytes, bytes, n);
	if (f->bytes.err != OK) {
		return fail("no memory for the pack");
	}
	return f->bytes.len > INTAKE_PACK_MAX ? pass_on(f, stats) : 0;
}

static int
commit_indexer(struct fetch *f, git_indexer_progress *stats)
{
	int ret = git_indexer_commit(f->indexer, stats);
	ret = ret == 0 ? git_odb_refresh(f->odb) : ret;
	return ret == 0 ? git_odb_refresh(f->intake->disk) : ret;
}

static int
fetch_commit(git_odb_writepack *parent, git_indexer_progress *stats)
{
	struct fetch *f = (struct fetch *)parent;
	if (f->indexer != NULL) {
		return commit_indexer(f, stats);
	}
	err_t err = scan(f, stats);
	if (err == OK) {
		err = resolve_all(f, stats);
	}
	if (err == OK) {
		keep(f);
		return 0;
	}
	fetch_forget(f);
	if (err == E_LIMIT || err == E_NOMEM) {
		int ret = pass_on(f, stats);
		return ret == 0 ? commit_indexer(f, stats) : ret;
	}
	if (err == E_STOPPED) {
		return GIT_EUSER;
	}
	return fail(err == E_NOTFOUND ? "the pack builds on objects that the clone does not have" : "the pack is damaged");
}

static void
fetch_free(git_odb_writepack *parent)
{
	struct fetch *f = (struct fetch *)parent;
	fetch_forget(f);
	str_fini(&f->bytes);
	git_indexer_free(f->indexer);
	free(f);
}

int
intake_writepack(git_odb_writepack **out, git_odb_backend *backend, git_odb *odb, git_indexer_progress_cb progress,
                 void *payload)
{
	struct fetch *f = xalloc(sizeof *f);
	f->parent.backend = backend;
	f->parent.append = fetch_append;
	f->parent.commit = fetch_commit;
	f->parent.free = fetch_free;
	f->intake = (struct intake *)backend;
	f->odb = odb;
	f->progress = progress;
	f->payload = payload;
	*out = &f->parent;
	return 0;
}
