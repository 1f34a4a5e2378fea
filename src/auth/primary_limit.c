/* How many keys, and how many records of secondaries, all files together may have.
 *
 * A file with which there would be too many is rejected as a whole, and keeps its last good version.  If only some of its records were
 * taken, exceptions could be left out, and an address could transfer more than was meant.
 *
 * Afterwards the safety valve may hold keys that the commit takes away (primary_hold_keys.c).  Only with these there can be too many all
 * the same; then the view is without the keys of some file (primary_keys.c).
 */
#include "auth/primary_p.h"

static const struct limit {
	enum source_kind kind;
	size_t max;
	const char *why;
} limits[] = {
	{ SOURCE_KEYS, KEYS_MAX, "all keys files together would have too many keys" },
	{ SOURCE_SECONDARIES, SECONDARIES_MAX, "all files of secondaries together would have too many records" },
};

static size_t
count(const struct keystore *keys, const struct secondaries *secondaries)
{
	return keystore_count(keys) + secondaries_count(secondaries);
}

static size_t
count_served(const struct pending *d)
{
	return count(d->file->keys, d->file->secondaries);
}

static size_t
count_new(const struct pending *d)
{
	bool is_new_version = d->keys != NULL || d->secondaries != NULL;
	return is_new_version ? count(d->keys, d->secondaries) : count_served(d);
}

static void
reject(const struct apply *a, struct pending *d, const char *why)
{
	keystore_free(&d->keys);
	secondaries_free(&d->secondaries);
	d->is_too_many = true;
	primary_reject_file(a->p, d, why);
}

/* The number with all versions that are served, but for those that go, and those that the commit makes smaller. */
static size_t
count_least(const struct apply *a, enum source_kind kind)
{
	const struct primary *p = a->p;
	size_t n = 0;
	for (size_t i = 0; i < p->files_n; i++) {
		n += p->files[i]->kind == kind ? count(p->files[i]->keys, p->files[i]->secondaries) : 0;
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct pending *d = &a->list[i];
		size_t was = count_served(d), is = d->is_removal ? 0 : count_new(d);
		n -= d->file->kind == kind && is < was ? was - is : 0;
	}
	return n;
}

static void
reject_beyond(struct apply *a, const struct limit *l)
{
	size_t n = count_least(a, l->kind);
	for (size_t i = a->removals_n; i < a->n; i++) {
		struct pending *d = &a->list[i];
		size_t was = count_served(d), is = count_new(d), more = d->file->kind == l->kind && is > was ? is - was : 0;
		if (more != 0 && (n > l->max || more > l->max - n)) {
			reject(a, d, l->why);
		} else {
			n += more;
		}
	}
}

void
limit_reject(struct apply *a)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		reject_beyond(a, &limits[i]);
	}
}

static bool
concerns(const struct apply *a, enum source_kind kind)
{
	size_t i = 0;
	while (i < a->n && a->list[i].file->kind != kind) {
		i++;
	}
	return i < a->n;
}

err_t
limit_plan_again(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		struct file *f = p->files[i];
		if (f->is_too_many && !plan_has(a, f) && concerns(a, f->kind)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}
