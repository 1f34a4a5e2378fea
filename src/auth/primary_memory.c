/* What zones may take in memory, all together: which of a commit are made, and which have to wait.
 *
 * A version that is being made is beside the one that it will replace, and beside older ones that somebody still reads.  What all of
 * these take is known before a zone is read; while it is, it may have the rest, and no more.
 *
 * Zones that take little go first, so that a large one leaves the others what they need, in whatever order their files stand: where a
 * commit has several, each may take a part of the rest, and those that want more are read again when the others are there, with a
 * larger part; of these, in the order of their names.  What is served after a start follows from that alone.
 */
#include "auth/primary_p.h"

/* Parts of the rest that a zone may take, turn by turn. */
static const unsigned parts[] = { 16, 4, 1 };
enum { TURNS = sizeof parts / sizeof parts[0] };

enum { RETRY_PART = 16 }; /* so much more than a zone had come to must be there before it is tried again */

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

/* One that is served may be twice as large by now, at its first turn. */
static size_t
share_of(const struct apply *a, const struct pending *d, size_t turn)
{
	size_t all = room(a->p, a->pending_octets), part = all / parts[turn], known = 2 * zone_octets(pending_served(d));
	part = part < known ? known : part;
	return part < all ? part : all;
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

/* It wants more than there is. */
static void
reject(const struct apply *a, struct pending *d)
{
	const struct primary *p = a->p;
	struct diag diag;
	d->wanted = d->counts.octets;
	d->counts.errors++;
	diag_set(&diag, DIAG_ERROR, "memory-max",
	         "the zone takes more than %.1f MiB of memory while it is made; of %.1f MiB that zones may take, %.1f MiB are in use",
	         mib(d->counts.octets), mib(octets_max(p)), mib(octets_max(p) - room(p, a->pending_octets)));
	diag_hint(&diag, "raise --memory-max, or make the zone smaller; $GENERATE makes much of a short line");
	diag.file = d->file->path;
	pending_take_diag(d, &diag);
	diag_report(&p->log.diag, &diag);
	primary_reject_file(p, d, "there is not enough memory for it");
}

static err_t
load(struct apply *a, struct pending *d, size_t turn)
{
	size_t share = share_of(a, d, turn);
	bool is_all = share == room(a->p, a->pending_octets);
	if (!d->is_put_off || share > d->counts.octets) { /* it came to so much in a turn before */
		reads_fini(a->p, &d->reads);
		TRY(primary_load_file(a, d, share));
	}
	d->is_put_off = d->is_over_limit && !is_all;
	if (d->is_over_limit && is_all) {
		reject(a, d);
	}
	a->pending_octets += zone_octets(d->zone) + d->changes.cap * sizeof *d->changes.list;
	return OK;
}

err_t
memory_load(struct apply *a, struct pending *d)
{
	return load(a, d, a->commit->n == 1 ? TURNS - 1 : 0); /* alone there is nobody to leave anything to */
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

/* Was it rejected for want of memory, and are these octets enough? */
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
