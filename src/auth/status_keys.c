/* What is said of keys: never their secrets, and nothing of those whose name does not say what they are: it may be one.  Where a file of
 * secondaries grants such a key something, it is the name of a key. */
#include <stdio.h>

#include "auth/status_p.h"

/* The first key at or behind the name, in canonical order, or with `is_behind` strictly behind it. */
static size_t
find_place(const struct keystore *ks, const uint8_t *name, bool is_behind)
{
	size_t low = 0, high = keystore_count(ks);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = name_compare(keystore_at(ks, mid)->tsig.name.oct, name);
		if (order < 0 || (order == 0 && is_behind)) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

enum { GRANTS_SHOWN = 8 };

/* What the key is granted at and below the domain. */
struct grants {
	const struct secondary_grant *first;
	size_t n;
};

static struct grants
grants_within(const struct key *k, const uint8_t *domain)
{
	size_t low = 0, high = k->granted_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_compare(k->granted[mid].domain, domain) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	struct grants g = { .first = low < k->granted_n ? &k->granted[low] : NULL };
	while (low + g.n < k->granted_n && name_is_within(g.first[g.n].domain, domain)) {
		g.n++;
	}
	return g;
}

/* "a.example b.example", and " +3" when there are more. */
static void
put_granted(struct status_writer *w, const struct grants *g)
{
	char text[GRANTS_SHOWN * NAME_TEXT_MAX + 32] = ""; /* names, blanks between them, and a number */
	size_t len = 0;
	for (size_t i = 0; i < g->n && i < GRANTS_SHOWN; i++) {
		text[len] = ' ';
		len += i != 0;
		len += name_show(g->first[i].domain, text + len);
	}
	if (g->n > GRANTS_SHOWN) {
		(void)snprintf(text + len, sizeof text - len, " +%zu", g->n - GRANTS_SHOWN);
	}
	status_pair(w, "granted", text);
}

/* Its name gives it a right at or below the domain. */
static bool
is_named_for(const struct key *k, const uint8_t *domain)
{
	return k->right != RIGHT_NONE && name_is_within(k->domain.oct, domain);
}

/* A key that may do nothing there is not said: its name could be a secret in the wrong place, and is nobody's business. */
static bool
put_key(struct status_page *p, const struct key *k)
{
	struct status_writer *w = &p->w;
	const struct grants g = grants_within(k, p->q->domain);
	bool is_by_name = is_named_for(k, p->q->domain);
	char name[NAME_TEXT_MAX], domain[NAME_TEXT_MAX];
	if (!is_by_name && g.n == 0) {
		return true;
	}
	(void)name_show(k->tsig.name.oct, name);
	(void)name_show(is_by_name ? k->domain.oct : g.first->domain, domain);
	page_begin(p);
	status_pair(w, "key", name);
	status_pair(w, "right", key_right_label(is_by_name ? k->right : RIGHT_TRANSFER) + 1);
	status_pair(w, "domain", domain);
	put_granted(w, &g);
	status_pair(w, "algorithm", tsig_alg_text(k->tsig.alg));
	uint64_t used_s = p->conf->uses != NULL ? key_uses_last(p->conf->uses, k->tsig.name.oct) : 0;
	if (used_s != 0) {
		status_number(w, "used", used_s);
	}
	return page_end(p, k->tsig.name.oct);
}

/* Keys of a domain have names within it, so in canonical order they are side by side.  False: the page is full. */
static bool
put_named_within(struct status_page *p)
{
	const struct keystore *ks = p->view->keys;
	const struct status_question *q = p->q;
	bool is_later = q->has_after && !name_is_within(q->after.oct, q->domain);
	size_t i = q->has_after ? find_place(ks, q->after.oct, true) : find_place(ks, q->domain, false);
	for (const struct key *k; !is_later && (k = keystore_at(ks, i)) != NULL && name_is_within(k->tsig.name.oct, q->domain); i++) {
		if (!put_key(p, k)) {
			return false;
		}
	}
	return true;
}

/* After them those of other names that are granted something there. */
static void
put_granted_within(struct status_page *p)
{
	const struct secondaries *s = p->view->secondaries;
	const struct status_question *q = p->q;
	bool is_later = q->has_after && !name_is_within(q->after.oct, q->domain);
	const uint8_t *before = is_later ? q->after.oct : NULL; /* the key looked at last */
	for (size_t i = 0; i < secondaries_grants_n(s); i++) {
		const uint8_t *name = secondaries_grant(s, i)->key;
		if (before != NULL && name_compare(name, before) <= 0) {
			continue;
		}
		before = name;
		const struct key *k = name_is_within(name, q->domain) ? NULL : keystore_find(p->view->keys, name);
		if (k != NULL && !put_key(p, k)) {
			return;
		}
	}
}

void
status_put_keys(struct status_page *p)
{
	if (p->view->keys != NULL && put_named_within(p)) {
		put_granted_within(p);
	}
}
