#include "zone/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/name.h"

void
findings_fini(struct findings *f)
{
	arena_fini(&f->arena);
	free(f->list);
	*f = (struct findings){ 0 };
}

/* The place of the last warning, which a more serious finding may take. */
static struct finding *
place_of_warning(struct findings *f)
{
	for (size_t i = f->n; f->kept_warnings != 0 && i-- > 0;) {
		if (f->list[i].level == DIAG_WARNING) {
			return &f->list[i];
		}
	}
	return NULL;
}

static struct finding *
next_slot(struct findings *f, enum diag_level level)
{
	if (f->n == FINDINGS_MAX) {
		return level != DIAG_WARNING ? place_of_warning(f) : NULL;
	}
	if (!try_room(&f->list, sizeof *f->list, f->n, &f->cap)) {
		return NULL;
	}
	return &f->list[f->n];
}

/* Copies the data that the finding points to; false when the arena is full. */
static bool
keep(struct arena *a, struct finding *d)
{
	d->owner = arena_copy(a, d->owner, name_len(d->owner));
	d->text = arena_copy(a, d->text, strlen(d->text) + 1);
	d->hint = arena_copy(a, d->hint, strlen(d->hint) + 1);
	if (d->rdata != NULL) {
		d->rdata = arena_copy(a, d->rdata, d->rdlen);
		return d->owner != NULL && d->text != NULL && d->hint != NULL && d->rdata != NULL;
	}
	return d->owner != NULL && d->text != NULL && d->hint != NULL;
}

static void
add(struct findings *f, struct finding *d, const char *format, va_list args)
{
	size_t *count = d->level == DIAG_ERROR ? &f->errors : &f->warnings;
	(*count)++;
	struct finding *slot = next_slot(f, d->level);
	if (slot == NULL) {
		return;
	}
	char text[DIAG_TEXT_MAX];
	vsnprintf(text, sizeof text, format, args);
	d->text = text;
	f->arena.limit = FINDINGS_BYTES_MAX;
	if (keep(&f->arena, d)) {
		bool is_new = slot == f->list + f->n;
		f->kept_warnings += d->level == DIAG_WARNING;
		f->kept_warnings -= !is_new; /* it takes the place of a warning */
		*slot = *d;
		f->n += is_new;
	}
}

void
findings_add(struct findings *f, enum diag_level level, const char *code, const uint8_t *owner, uint16_t type,
             const uint8_t *rdata, uint16_t rdlen, const char *hint, const char *format, ...)
{
	struct finding d = {
		.level = level, .code = code, .owner = owner, .type = type, .rdata = rdata, .rdlen = rdlen, .hint = hint,
	};
	va_list args;
	va_start(args, format);
	add(f, &d, format, args);
	va_end(args);
}

void
findings_add_nth(struct findings *f, const struct finding *what, const char *format, ...)
{
	struct finding d = *what;
	va_list args;
	va_start(args, format);
	add(f, &d, format, args);
	va_end(args);
}
