/* Writes items about keys.  Secrets are never shown.  A key whose name gives no right is left out, since the name may be a misplaced
 * secret, unless a file of secondaries lets the key transfer something. */
#include <stdio.h>
#include <string.h>

#include "auth/status_p.h"

/* ---- where a page begins ---- */

/* Items come in two parts.  The next page begins at a number and not behind a name, because the name of a key that is not shown may be a
 * secret.  When keys come or go between two pages, a key may be missing, or be there twice. */
struct key_place {
	enum { PART_NAMED, PART_GRANTED } part;
	size_t at; /* of the keys, or of the grants */
};

static const char part_letters[] = { [PART_NAMED] = 'k', [PART_GRANTED] = 'g' };
enum { PLACE_DIGITS = 7, PLACE_LEN = 1 + PLACE_DIGITS }; /* always as many: page_end() leaves room for a name of that length */
_Static_assert(KEYS_MAX < 10000000 && SECONDARIES_MAX < 10000000, "");

static struct name
place_name(const struct key_place *p)
{
	struct name n = { .len = 1 + PLACE_LEN + 1 };
	char label[PLACE_LEN + 1];
	(void)snprintf(label, sizeof label, "%c%0*zu", part_letters[p->part], PLACE_DIGITS, p->at);
	n.oct[0] = PLACE_LEN;
	memcpy(n.oct + 1, label, PLACE_LEN);
	return n;
}

static bool
read_place(const uint8_t *name, struct key_place *out)
{
	if (name[0] != PLACE_LEN || name[1 + PLACE_LEN] != 0) {
		return false;
	}
	*out = (struct key_place){ .part = name[1] == part_letters[PART_NAMED] ? PART_NAMED : PART_GRANTED };
	if (name[1] != part_letters[out->part]) {
		return false;
	}
	for (unsigned i = 2; i <= PLACE_LEN; i++) {
		if (name[i] < '0' || name[i] > '9') {
			return false;
		}
		out->at = out->at * 10 + (size_t)(name[i] - '0');
	}
	return true;
}

bool
status_is_key_place(const uint8_t *name)
{
	struct key_place p;
	return read_place(name, &p);
}

/* The first key at or behind the name, in canonical order. */
static size_t
find_key(const struct keystore *ks, const uint8_t *name)
{
	size_t low = 0, high = keystore_count(ks);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_compare(keystore_at(ks, mid)->tsig.name.oct, name) < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

/* ---- what is said of a key ---- */

enum { GRANTS_SHOWN = 8 };

/* What the key is granted at and below the domain. */
struct grants {
	const struct secondary_grant *first;
	size_t n;
};

static bool
is_before(const uint8_t *name, const uint8_t *domain)
{
	return name_compare(name, domain) < 0;
}

static bool
is_before_or_within(const uint8_t *name, const uint8_t *domain)
{
	return is_before(name, domain) || name_is_within(name, domain);
}

/* How many of the key's grants the predicate is true of: in canonical order it is so of the first ones alone. */
static size_t
count_first(const struct key *k, bool (*is_true)(const uint8_t *name, const uint8_t *domain), const uint8_t *domain)
{
	size_t low = 0, high = k->granted_n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (is_true(k->granted[mid].domain, domain)) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

static struct grants
grants_within(const struct key *k, const uint8_t *domain)
{
	size_t begin = count_first(k, is_before, domain), end = count_first(k, is_before_or_within, domain);
	return (struct grants){ .first = begin < end ? &k->granted[begin] : NULL, .n = end - begin };
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

/* What its name says. */
static void
put_named(struct status_writer *w, const struct key *k)
{
	char domain[NAME_TEXT_MAX];
	(void)name_show(k->domain.oct, domain);
	status_pair(w, "right", key_right_label(k->right) + 1);
	status_pair(w, "domain", domain);
}

static void
put_use(struct status_page *p, const struct key *k)
{
	uint64_t used_s = p->conf->uses != NULL ? key_uses_last(p->conf->uses, k->tsig.name.oct) : 0;
	if (used_s != 0) {
		status_number(&p->w, "used", used_s);
	}
}

/* A key without any right there is left out: its name may be a misplaced secret, and is nobody's business.  `next`: where the next
 * page begins after it.  False: the page is full. */
static bool
put_key(struct status_page *p, const struct key *k, const struct key_place *next)
{
	struct status_writer *w = &p->w;
	const struct grants g = grants_within(k, p->q->domain);
	const struct name behind = place_name(next);
	bool is_by_name = is_named_for(k, p->q->domain);
	char name[NAME_TEXT_MAX];
	if (!is_by_name && g.n == 0) {
		return true;
	}
	(void)name_show(k->tsig.name.oct, name);
	page_begin(p);
	status_pair(w, "key", name);
	if (is_by_name) {
		put_named(w, k);
	}
	put_granted(w, &g);
	status_pair(w, "algorithm", tsig_alg_text(k->tsig.alg));
	if (is_by_name || p->is_all) { /* else it may have been used for zones of others */
		put_use(p, k);
	}
	return page_end(p, behind.oct);
}

/* ---- a page ---- */

/* A page looks at so many keys, whether they are shown or not. */
struct walk {
	struct key_place place;
	unsigned left;
};

/* True: the page has looked at enough keys, and the next one begins here. */
static bool
is_enough(struct status_page *p, struct walk *w)
{
	if (w->left-- != 0) {
		return false;
	}
	p->is_full = true;
	p->last = place_name(&w->place);
	return true;
}

/* Keys of a domain have names within it, so in canonical order they are side by side.  False: the page is full. */
static bool
put_named_within(struct status_page *p, struct walk *w)
{
	const struct keystore *ks = p->view->keys;
	const uint8_t *domain = p->q->domain;
	size_t first = find_key(ks, domain);
	w->place.at = w->place.at < first ? first : w->place.at;
	for (const struct key *k; (k = keystore_at(ks, w->place.at)) != NULL && name_is_within(k->tsig.name.oct, domain); w->place.at++) {
		const struct key_place next = { .part = PART_NAMED, .at = w->place.at + 1 };
		if (is_enough(p, w) || !put_key(p, k, &next)) {
			return false;
		}
	}
	return true;
}

/* The first grant of the next key. */
static size_t
behind_key(const struct secondaries *s, size_t i)
{
	const uint8_t *key = secondaries_grant(s, i)->key;
	size_t low = i + 1, high = secondaries_grants_n(s);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (name_is_equal(secondaries_grant(s, mid)->key, key)) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

/* After them those of other names that are granted something there. */
static void
put_granted_within(struct status_page *p, struct walk *w)
{
	const struct secondaries *s = p->view->secondaries;
	for (struct key_place next = { .part = PART_GRANTED }; w->place.at < secondaries_grants_n(s); w->place = next) {
		const uint8_t *name = secondaries_grant(s, w->place.at)->key;
		const struct key *k = name_is_within(name, p->q->domain) ? NULL : keystore_find(p->view->keys, name);
		next.at = behind_key(s, w->place.at);
		if (is_enough(p, w) || (k != NULL && !put_key(p, k, &next))) {
			return;
		}
	}
}

void
status_put_keys(struct status_page *p)
{
	struct walk w = { .left = STATUS_ITEMS_MAX };
	bool is_bad = p->q->has_after && !read_place(p->q->after.oct, &w.place);
	if (p->view->keys == NULL || is_bad || (w.place.part == PART_NAMED && !put_named_within(p, &w))) {
		return;
	}
	w.place = w.place.part == PART_GRANTED ? w.place : (struct key_place){ .part = PART_GRANTED };
	if (!name_is_root(p->q->domain)) { /* all keys have names within the root */
		put_granted_within(p, &w);
	}
}
