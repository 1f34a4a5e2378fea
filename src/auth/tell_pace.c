#include "auth/tell_pace.h"

static bool
is_same(const struct tell_wish *a, const struct tell_wish *b)
{
	return a->way == b->way && key_address_is_equal(&a->address, &b->address) && name_is_equal(a->key.oct, b->key.oct) &&
	       name_is_equal(a->domain.oct, b->domain.oct);
}

static struct tell_entry *
find(struct tell_pace *p, const struct tell_wish *wish)
{
	for (size_t i = 0; i < p->n; i++) {
		if (is_same(&p->list[i].wish, wish)) {
			return &p->list[i];
		}
	}
	return NULL;
}

static void
forget_calm(struct tell_pace *p, uint64_t now_ms)
{
	for (size_t i = p->n; i-- != 0;) {
		const struct tell_entry *e = &p->list[i];
		if (!e->is_wanted && now_ms >= e->due_ms + TELL_CALM_MS) {
			p->list[i] = p->list[--p->n];
		}
	}
}

/* `key` NULL: of all keys. */
static size_t
count(const struct tell_pace *p, const struct name *key, bool is_as_target)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct tell_wish *w = &p->list[i].wish;
		n += (key == NULL || name_is_equal(w->key.oct, key->oct)) && (!is_as_target || w->way == TELL_AS_TARGET);
	}
	return n;
}

static bool
has_room(const struct tell_pace *p, const struct tell_wish *wish)
{
	bool has_any = p->n < TELL_WISHES_MAX && count(p, &wish->key, false) < TELL_WISHES_OF_KEY_MAX;
	return has_any && (wish->way != TELL_AS_TARGET || (count(p, NULL, true) < TELL_AS_TARGET_MAX &&
	                                                   count(p, &wish->key, true) < TELL_AS_TARGET_OF_KEY_MAX));
}

err_t
tell_pace_want(struct tell_pace *p, const struct tell_wish *wish, uint64_t now_ms)
{
	forget_calm(p, now_ms);
	struct tell_entry *e = find(p, wish);
	if (e == NULL && !has_room(p, wish)) {
		return E_LIMIT;
	}
	if (e == NULL) {
		e = &p->list[p->n++];
		*e = (struct tell_entry){ .wish = *wish, .due_ms = now_ms };
	}
	e->is_wanted = true;
	return OK;
}

/* NULL: none. */
static const struct tell_entry *
first_due(const struct tell_pace *p, uint64_t now_ms)
{
	const struct tell_entry *first = NULL;
	for (size_t i = 0; i < p->n; i++) {
		const struct tell_entry *e = &p->list[i];
		if (e->is_wanted && e->due_ms <= now_ms && (first == NULL || e->due_ms < first->due_ms)) {
			first = e;
		}
	}
	return first;
}

bool
tell_pace_is_due(const struct tell_pace *p, uint64_t now_ms)
{
	return first_due(p, now_ms) != NULL;
}

bool
tell_pace_next(struct tell_pace *p, uint64_t now_ms, struct tell_wish *out)
{
	const struct tell_entry *first = first_due(p, now_ms);
	if (first == NULL) {
		return false;
	}
	struct tell_entry *e = &p->list[first - p->list];
	e->pause_ms = e->pause_ms == 0 ? TELL_PAUSE_MIN_MS : e->pause_ms < TELL_PAUSE_MAX_MS / 2 ? 2 * e->pause_ms : TELL_PAUSE_MAX_MS;
	e->due_ms = now_ms + e->pause_ms;
	e->is_wanted = false;
	*out = e->wish;
	return true;
}
