#include "bin/views.h"

#include "auth/next_view.h"

static void
release(void *old)
{
	discard_free(&(struct discard *){ old });
}

static size_t
octets_of(const void *old)
{
	return discard_octets(old);
}

static void
on_unpinned(void *ctx)
{
	struct daemon *d = ctx;
	d->unpinned(d->ctx);
}

/* Some transfers keep too much memory, and must end. */
static void
on_revoked(void *ctx)
{
	struct daemon *d = ctx;
	front_end_revoked(&d->front);
}

struct served *
views_new(struct daemon *d, const struct view *first, void (*unpinned)(void *ctx))
{
	d->unpinned = unpinned;
	return served_new(&(struct served_conf){ .first = first, .octets_max = d->opts->kept_octets_max, .release = release,
	                                         .octets = octets_of, .unpinned = on_unpinned, .revoked = on_revoked, .ctx = d });
}
