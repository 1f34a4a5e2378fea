/* The limit for the memory of all zones, keys and secondaries: which zones of a commit are made, and which have to wait.
 *
 * While a new version is made, memory also holds the version that it replaces, and older versions that are still being read.
 * Their size is known before a zone is read; the new version may take the rest of the memory, and no more.
 *
 * Small zones are made first, so that a large zone leaves enough memory for the others, whatever the order of the files.  When a
 * commit has several zones, each may first take only a part of the rest.  Zones that need more are read again after the others,
 * in the order of their names and with a larger part.  So what is served after a start depends only on the files.
 *
 * A short $GENERATE makes very many records.  When it is interrupted, its range tells how much memory the zone would have taken.  So such
 * a zone is not read again with a part that is too small.
 *
 * Files of keys and of secondaries are treated like zones.  Each of them takes memory twice, as the view has a copy of all of them.
 */
#include "auth/primary_p.h"

/* In each turn a zone may take this part of the rest: one sixteenth, then one quarter, then all. */
static const unsigned parts[] = { 16, 4, 1 };
enum { TURNS = sizeof parts / sizeof parts[0] };

enum { RETRY_PART = 16 }; /* a zone is tried again only if there is a sixteenth more memory than it had taken when it was
                           * rejected */

static size_t
octets_max(const struct primary *p)
{
	return p->conf.octets_max != 0 ? p->conf.octets_max : SIZE_MAX;
}

static size_t
room(const struct primary *p, size_t pending)
{
	size_t used = primary_octets(p) + p->views.kept_octets + pending;
	return used < octets_max(p) ? octets_max(p) - used : 0;
}

size_t
primary_room(const struct primary *p)
{
	return room(p, 0);
}

static bool
is_zone(const struct pending *d)
{
	return d->file->kind == SOURCE_ZONE;
}

static size_t
copies_n(const struct pending *d)
{
	return is_zone(d) ? 1 : 2;
}

static size_t
served_octets(const struct pending *d)
{
	return is_zone(d) ? zone_octets(pending_served(d)) : file_octets(d->file);
}

static size_t
new_octets(const struct pending *d)
{
	return zone_octets(d->zone) + d->changes.cap * sizeof *d->changes.list +
	       copies_n(d) * (keystore_octets(d->keys) + secondaries_octets(d->secondaries));
}

/* What is already served may take at least twice its present memory, even at its first turn. */
static size_t
share_of(const struct apply *a, const struct pending *d, size_t turn)
{
	size_t all = room(a->p, a->pending_octets), part = all / parts[turn], known = 2 * copies_n(d) * served_octets(d);
	part = part < known ? known : part;
	return part < all ? part : all;
}

/* The part of a share for one copy.  Keys and secondaries that take no more than before are always taken: a right that is taken away must
 * not stay for want of memory. */
static size_t
copy_max(const struct pending *d, size_t share)
{
	size_t part = share / copies_n(d), least = is_zone(d) ? 0 : served_octets(d);
	return part > least ? part : least;
}

/* The next view gets a copy of its own of all keys and secondaries, also of those that stay. */
static void
count_copy(struct apply *a, const struct pending *d)
{
	const struct view *v = a->p->views.latest;
	if (!is_zone(d) && !a->is_copy_counted) {
		a->is_copy_counted = true;
		a->pending_octets += keystore_octets(v->keys) + secondaries_octets(v->secondaries);
	}
}

void
file_set_wanted(struct primary *p, struct file *f, size_t octets)
{
	p->wanting_n -= f->wanted != 0;
	p->wanting_n += octets != 0;
	f->wanted = octets;
}

static double
mib(size_t octets)
{
	return (double)octets / (1 << 20);
}

/* The least memory with which a file that was put off is worth another try.  The expected memory is an estimate, so a 16th less is
 * enough when there is no later try. */
static size_t
least_for_try(const struct pending *d, bool is_last)
{
	size_t expected = d->counts.octets_expected, octets = copies_n(d) * d->counts.octets;
	expected -= is_last ? expected / 16 : 0;
	return octets > expected ? octets : expected;
}

/* Rejects a file that needs more memory than there is. */
static void
reject(const struct apply *a, struct pending *d)
{
	const struct primary *p = a->p;
	struct diag diag;
	d->wanted = least_for_try(d, true);
	d->counts.errors++;
	diag_set(&diag, DIAG_ERROR, "memory-max",
	         "the %s more than %.1f MiB of memory while %s made; of %.1f MiB that zones may take, %.1f MiB are in use",
	         is_zone(d) ? "zone takes" : "file's records take", mib(d->wanted), is_zone(d) ? "it is" : "they are", mib(octets_max(p)),
	         mib(octets_max(p) - room(p, a->pending_octets)));
	diag_hint(&diag, "raise --memory-max, or make the %s",
	          is_zone(d) ? "zone smaller; a short $GENERATE line can make very many records" : "file smaller");
	diag.file = d->file->path;
	pending_take_diag(d, &diag, "the zone takes more memory than is left for it here (--memory-max); the server's log has the figures");
	diag_report(&p->log.diag, &diag);
	primary_reject_file(p, d, "there is not enough memory for it");
}

static err_t
load(struct apply *a, struct pending *d, size_t turn)
{
	count_copy(a, d);
	size_t share = share_of(a, d, turn);
	bool is_all = share == room(a->p, a->pending_octets);
	if (!d->is_put_off || share > least_for_try(d, is_all)) {
		reads_fini(a->p, &d->reads);
		TRY(primary_load_file(a, d, copy_max(d, share)));
	}
	d->is_put_off = d->is_over_limit && !is_all;
	if (d->is_over_limit && is_all) {
		reject(a, d);
	}
	a->pending_octets += new_octets(d);
	return OK;
}

err_t
memory_load(struct apply *a, struct pending *d)
{
	return load(a, d, a->commit->n == 1 ? TURNS - 1 : 0); /* a single zone need not leave memory for others */
}

err_t
memory_load_put_off(struct apply *a)
{
	for (size_t turn = 1; turn < TURNS; turn++) {
		for (size_t i = a->removals_n; i < a->n; i++) {
			if (a->list[i].is_put_off) {
				TRY(load(a, &a->list[i], turn));
			}
		}
	}
	return OK;
}

/* True when the file was rejected because there was not enough memory, and `octets` are enough for another attempt. */
static bool
is_fed_by(const struct file *f, size_t octets)
{
	return f->wanted != 0 && octets / (RETRY_PART + 1) >= f->wanted / RETRY_PART;
}

err_t
memory_plan_again(struct apply *a)
{
	struct primary *p = a->p;
	for (size_t i = 0; i < p->files_n; i++) {
		struct file *f = p->files[i];
		if ((f->was_without_memory || is_fed_by(f, primary_room(p))) && !plan_has(a, f)) {
			TRY(plan_file(a, f, NULL, false));
		}
	}
	return OK;
}

bool
primary_has_room_again(const struct primary *p)
{
	size_t octets = primary_room(p);
	for (size_t i = 0; i < p->files_n && p->wanting_n != 0; i++) {
		if (is_fed_by(p->files[i], octets)) {
			return true;
		}
	}
	return false;
}
