/* Limits for the files that updates write: names that git can check out on every system, not too many files, and not too large
 * ones. */
#include <string.h>

#include "auth/batch_p.h"
#include "base/filename.h"

/* ---- files of zones that are made ---- */

static bool
is_same_file(const char *a, const char *b)
{
	return filename_compare(a, strlen(a), b, strlen(b)) == 0;
}

/* True when some operating system would take an existing file and this path for the same file. */
static bool
has_namesake(const struct primary *p, const char *path)
{
	for (size_t i = 0; i < p->files_n; i++) {
		if (is_same_file(p->files[i]->path, path)) {
			return true;
		}
	}
	for (size_t i = 0; i < p->ignored_files.n; i++) {
		if (is_same_file(p->ignored_files.list[i], path)) {
			return true;
		}
	}
	return false;
}

/* The nearest zone above the name.  NULL: there is none. */
static const struct zone *
zone_above(const struct view *v, const uint8_t *name)
{
	const struct zone *z = NULL;
	while (z == NULL && !name_is_root(name)) {
		name = name_parent(name);
		z = view_zone(v, name);
		z = z == v->catalog ? NULL : z;
	}
	return z;
}

bool
batch_is_zone_of_key(const struct batch *b, const struct update_task *t, const uint8_t *apex)
{
	const struct zone *above = zone_above(b->p->views.latest, apex);
	return t->key.types_n == 0 && (above == NULL || !key_is_narrow(&t->key, above->apex_name));
}

/* Zones at the domain and below it, counted up to `max`. */
static size_t
count_zones(const struct view *v, const struct name *domain, size_t max)
{
	struct trie_iter it;
	struct nkey key;
	const struct zone *z;
	size_t n = 0;
	nkey_set(&key, domain->oct);
	trie_iter_seek(&it, &v->zones, &key);
	while (n < max && (z = trie_iter_next(&it)) != NULL && name_is_within(z->apex_name, domain->oct)) {
		n += z != v->catalog;
	}
	return n;
}

const char *
batch_zone_trouble(const struct batch *b, const struct update_task *t, const uint8_t *apex, const char *path)
{
	const struct primary *p = b->p;
	const struct zone *there = view_zone(p->views.latest, apex);
	struct name name;
	if (there != NULL && there == p->views.latest->catalog) {
		return "no zone can have that name here: it is that of the catalog (--catalog)";
	}
	if (filename_trouble(path, strlen(path)) != NULL) { /* source_file_name() has escaped all octets that cause trouble, so
	                                                     * the name can only be too long */
		return "no zone can have that name here: its file's name would be longer than 143 octets";
	}
	if (source_kind_of(p->ignore, path, &name) != SOURCE_ZONE) {
		return "no zone can have that name here";
	}
	if (has_namesake(p, path)) {
		return "no zone can have that name here: there is a file whose name differs only in upper and lower case";
	}
	if (view_zones_n(p->views.latest) >= BATCH_ZONES_MAX) {
		return "there are so many zones here that updates cannot make more";
	}
	bool is_full = count_zones(p->views.latest, &t->key.domain, BATCH_ZONES_OF_KEY_MAX) == BATCH_ZONES_OF_KEY_MAX;
	return is_full ? "there are 10000 zones in the key's domain: updates with this key cannot make more" : NULL;
}

/* ---- files that grow ---- */

bool
batch_is_overgrown(const struct edit *e)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct edit_file *f = &e->files[i];
		if (f->text != NULL && f->len > BATCH_FILE_MAX && f->len > f->old_len) {
			return true;
		}
	}
	return false;
}
