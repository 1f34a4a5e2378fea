/* Finds the place of a new name: it follows the order that the text has around that place.
 *
 *   by number    1 2 10 20 22 200, or www1 www2 www10: labels that end in a number
 *   canonically  1 10 2 20 200 22 (RFC 4034 6.1)
 *   neither      after the last of its group: records of the same type, with as many labels, below the same name
 *
 * Before the text is read, the name's neighbours in both orders are found in the old zone, and become owners that mark a place.
 * During the reading, their positions and the names beside them are noted.  Afterwards one of the orders holds there, or none. */
#include <string.h>

#include "zone/edit_p.h"

enum {
	NUMBER_DIGITS_MAX = 9,
	OCTET_MAX = 255,    /* highest label of a reverse zone (RFC 1035 3.5) */
	STEM_REACH = 16,    /* greatest distance between neighbours with a stem, as in www7 */
	REVERSE_DEPTH = 4,  /* labels of an IPv4 address */
	GROUPS_MAX = 16,    /* groups in one edit; names of further groups get their canonical places */
};

/* A label that ends in a number. */
struct numbered {
	const uint8_t *stem; /* the characters before the number */
	size_t stem_len;
	uint32_t value;
};

struct edit_order {
	const uint8_t *encloser;     /* the deepest name above the new one in the old zone */
	bool has_number;             /* the label below `encloser` ends in a number */
	struct numbered number;
	struct edit_owner *number_before, *number_behind; /* neighbours by number; NULL: none near */
	struct edit_owner *before, *behind;               /* neighbours in canonical order */
	struct edit_group *group;    /* NULL: there are too many groups */
	bool is_by_number;           /* its place was found by number */
};

struct edit_group {
	struct edit_group *next;
	const uint8_t *encloser;
	unsigned labels;
	uint16_t type;
	bool is_found;
	struct name last;            /* owner of the last record of the group */
};

/* ---- numbers ---- */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* True when the label ends in a number without leading zeros; with leading zeros, the canonical order is the order by number. */
static bool
has_number(const uint8_t *label, struct numbered *out)
{
	size_t len = label[0], digits = 0;
	while (digits < len && is_digit(label[len - digits])) {
		digits++;
	}
	const uint8_t *first = label + 1 + len - digits;
	if (digits == 0 || digits > NUMBER_DIGITS_MAX || (digits > 1 && *first == '0')) {
		return false;
	}
	*out = (struct numbered){ .stem = label + 1, .stem_len = len - digits };
	for (size_t i = 0; i < digits; i++) {
		out->value = out->value * 10 + (uint32_t)(first[i] - '0');
	}
	return true;
}

static bool
is_same_stem(const struct numbered *a, const struct numbered *b)
{
	if (a->stem_len != b->stem_len) {
		return false;
	}
	for (size_t i = 0; i < a->stem_len; i++) {
		if (octet_lower(a->stem[i]) != octet_lower(b->stem[i])) {
			return false;
		}
	}
	return true;
}

/* The label of `name` right below `ancestor`; NULL: `name` is not below it. */
static const uint8_t *
label_below(const uint8_t *name, const uint8_t *ancestor)
{
	unsigned labels = name_labels(ancestor);
	if (name_labels(name) <= labels || !name_is_within(name, ancestor)) {
		return NULL;
	}
	return name_suffix(name, labels + 1);
}

/* The node below `parent` with the stem of `n` and the number `value`; NULL: there is none. */
static const struct node *
node_with_number(const struct zone *z, const struct numbered *n, uint32_t value, const uint8_t *parent)
{
	uint8_t label[1 + LABEL_MAX + NUMBER_DIGITS_MAX + 1];
	char digits[NUMBER_DIGITS_MAX + 1];
	size_t digits_n = 0;
	struct name name;
	struct nkey key;
	do {
		digits[digits_n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	label[0] = (uint8_t)(n->stem_len + digits_n);
	if (label[0] > LABEL_MAX) {
		return NULL;
	}
	memcpy(label + 1, n->stem, n->stem_len);
	for (size_t i = 0; i < digits_n; i++) {
		label[1 + n->stem_len + i] = (uint8_t)digits[digits_n - 1 - i];
	}
	if (name_join(label, 1 + (size_t)label[0], parent, &name) != OK) {
		return NULL;
	}
	nkey_set(&key, name.oct);
	return trie_get(&z->nodes, &key);
}

/* The first (or last) name with records at or below a node, by number; NULL: not found. */
static const uint8_t *
edge_of(const struct zone *z, const struct node *n, bool is_last)
{
	static const struct numbered octet = { .stem = (const uint8_t *)"" };
	for (unsigned depth = 0; n != NULL && n->rrsets == 0 && depth < REVERSE_DEPTH; depth++) {
		const struct node *child = NULL;
		for (uint32_t i = 0; i <= OCTET_MAX && child == NULL; i++) {
			child = node_with_number(z, &octet, is_last ? OCTET_MAX - i : i, n->name);
		}
		n = child;
	}
	return n != NULL && n->rrsets != 0 ? n->name : NULL;
}

/* The name with the nearest lower (or higher) number. */
static const uint8_t *
nearest_number(const struct zone *z, const struct edit_order *o, bool is_lower)
{
	const struct numbered *n = &o->number;
	uint32_t reach = n->stem_len == 0 ? OCTET_MAX : STEM_REACH;
	for (uint32_t i = 1; i <= reach && (!is_lower || i <= n->value); i++) {
		uint32_t value = is_lower ? n->value - i : n->value + i;
		const struct node *found = node_with_number(z, n, value, o->encloser);
		if (found != NULL) {
			return edge_of(z, found, is_lower);
		}
	}
	return NULL;
}

/* ---- before the text is read ---- */

static bool
has_records(const struct trie *t, const struct nkey *key)
{
	const struct node *n = trie_get(t, key);
	return n != NULL && n->rrsets != 0;
}

/* Makes the name an owner that marks a place.  `name` NULL: does nothing. */
static err_t
mark(struct editor *e, const uint8_t *name, struct edit_owner **out)
{
	if (name == NULL) {
		return OK;
	}
	TRY(edit_owner_of(e, name, out));
	(*out)->marks_place = true;
	return OK;
}

static const uint8_t *
canonically_before(const struct zone *z, const struct nkey *key)
{
	struct nkey at = *key;
	const struct node *n = trie_before(&z->nodes, &at);
	while (n != NULL && n->rrsets == 0) {
		nkey_set(&at, n->name);
		n = trie_before(&z->nodes, &at);
	}
	return n != NULL ? n->name : NULL;
}

static const uint8_t *
canonically_behind(const struct zone *z, const struct nkey *key)
{
	struct trie_iter it;
	const struct node *n;
	trie_iter_seek(&it, &z->nodes, key);
	while ((n = trie_iter_next(&it)) != NULL && n->rrsets == 0) {
	}
	return n != NULL ? n->name : NULL;
}

static const uint8_t *
encloser_of(const struct zone *z, const struct nkey *key)
{
	struct trie_path path;
	trie_lookup(&z->nodes, key, &path);
	return path.n != 0 ? ((const struct node *)path.ancestor[path.n - 1])->name : z->apex_name;
}

static err_t
join_group(struct editor *e, const struct edit_owner *o, struct edit_order *order)
{
	unsigned n = 0, labels = name_labels(o->name);
	uint16_t type = edit_change_rr(&o->changes[0])->type;
	struct edit_group *g = e->groups;
	for (; g != NULL && (g->type != type || g->labels != labels || !name_is_equal(g->encloser, order->encloser)); g = g->next) {
		n++;
	}
	if (g == NULL && n < GROUPS_MAX) {
		g = arena_alloc(&e->arena, sizeof *g);
		if (g == NULL) {
			return E_NOMEM;
		}
		*g = (struct edit_group){ .next = e->groups, .encloser = order->encloser, .labels = labels, .type = type };
		e->groups = g;
	}
	order->group = g;
	return OK;
}

static err_t
find_neighbours(struct editor *e, const struct nkey *key, struct edit_owner *o)
{
	const struct zone *z = e->in->old;
	struct edit_order *order = arena_alloc(&e->arena, sizeof *order);
	if (order == NULL) {
		return E_NOMEM;
	}
	*order = (struct edit_order){ .encloser = encloser_of(z, key) };
	o->order = order;
	const uint8_t *label = label_below(o->name, order->encloser);
	order->has_number = label != NULL && has_number(label, &order->number);
	if (order->has_number) {
		TRY(mark(e, nearest_number(z, order, true), &order->number_before));
		TRY(mark(e, nearest_number(z, order, false), &order->number_behind));
	}
	TRY(mark(e, canonically_before(z, key), &order->before));
	TRY(mark(e, canonically_behind(z, key), &order->behind));
	return join_group(e, o, order);
}

err_t
edit_order_find(struct editor *e, struct edit_owner *o)
{
	struct nkey key;
	nkey_set(&key, o->name);
	if (has_records(&e->in->old->nodes, &key) || has_records(&e->in->old->nsec3, &key)) {
		return OK; /* the owner is not new */
	}
	return find_neighbours(e, &key, o);
}

/* ---- while the text is read ---- */

static void
see_group(struct edit_group *g, const struct master_rr *rr)
{
	if (g->type == rr->type && name_labels(rr->owner) == g->labels && name_is_within(rr->owner, g->encloser)) {
		name_set(&g->last, rr->owner);
		g->is_found = true;
	}
}

/* Keeps a copy of the name beside a mark. */
static err_t
note(struct editor *e, const uint8_t *name, const uint8_t **out)
{
	*out = arena_copy(&e->arena, name, name_len(name));
	return *out != NULL ? OK : E_NOMEM;
}

err_t
edit_order_see(struct editor *e, struct edit_sight *sight, const struct master_rr *rr, struct edit_owner *owner)
{
	struct edit_owner *before = sight->owner;
	if (e->groups == NULL) {
		return OK; /* no name is new, or the places are known */
	}
	for (struct edit_group *g = e->groups; g != NULL && (rr->flags & MASTER_GENERATED) == 0; g = g->next) {
		see_group(g, rr);
	}
	sight->n++;
	if (before != NULL && before->marks_place && before != owner) {
		TRY(note(e, rr->owner, &before->seen.behind));
	}
	if (owner != NULL && owner->marks_place) {
		if (owner->seen.first == 0) {
			owner->seen.first = sight->n;
			TRY(sight->n > 1 ? note(e, sight->name.oct, &owner->seen.before) : OK);
		}
		owner->seen.last = sight->n;
		owner->seen.behind = NULL;
	}
	sight->owner = owner;
	name_set(&sight->name, rr->owner);
	return OK;
}

/* ---- afterwards ---- */

static bool
is_seen(const struct edit_owner *o)
{
	return o != NULL && o->seen.first != 0;
}

/* True when the name has the same stem and a lower number. */
static bool
has_lower_number(const struct edit_order *o, const uint8_t *name)
{
	struct numbered n;
	const uint8_t *label = label_below(name, o->encloser);
	return label != NULL && has_number(label, &n) && is_same_stem(&n, &o->number) && n.value < o->number.value;
}

/* True when the neighbours by number are in order in the text, and the canonical neighbour is not between them. */
static bool
is_between_numbers(const struct edit_order *o)
{
	const struct edit_owner *before = o->number_before, *behind = o->number_behind, *other = o->before;
	bool is_in_order = before->seen.last < behind->seen.first;
	bool is_other_between = is_seen(other) && other != before && other->seen.last > before->seen.last &&
	                        other->seen.last < behind->seen.first;
	return is_in_order && !is_other_between;
}

/* True when the order by number holds after the neighbour with the lower number. */
static bool
follows_number(const struct edit_order *o)
{
	if (!is_seen(o->number_before)) {
		return false;
	}
	if (is_seen(o->number_behind)) {
		return is_between_numbers(o);
	}
	const uint8_t *behind = o->number_before->seen.behind;
	return behind == NULL || !has_lower_number(o, behind);
}

static bool
is_canonical(const struct edit_order *o)
{
	const uint8_t *behind = is_seen(o->before) ? o->before->seen.behind : NULL;
	return behind != NULL && o->behind != NULL && name_is_equal(behind, o->behind->name);
}

/* Puts the owner after the last line of `name`. */
static err_t
put_after(struct editor *e, struct edit_owner *o, const uint8_t *name)
{
	TRY(edit_owner_of(e, name, &o->before));
	o->before->marks_place = true;
	return OK;
}

static err_t
settle(struct editor *e, struct edit_owner *o)
{
	struct edit_order *order = o->order;
	bool is_first_number = is_seen(order->number_behind) && order->number_behind->seen.before != NULL;
	if (follows_number(order)) {
		order->is_by_number = true;
		o->before = order->number_before;
		return OK;
	}
	if (is_canonical(order)) {
		o->before = order->before;
		return OK;
	}
	if (is_first_number && order->number_before == NULL) {
		order->is_by_number = true;
		return put_after(e, o, order->number_behind->seen.before);
	}
	if (order->group != NULL && order->group->is_found) {
		return put_after(e, o, order->group->last.oct);
	}
	o->before = order->before;
	return OK;
}

err_t
edit_order_settle(struct editor *e, bool *is_read_again)
{
	*is_read_again = false;
	for (struct edit_owner *o = e->first_owner; o != NULL; o = o->next) {
		if (o->order != NULL) {
			TRY(settle(e, o));
			*is_read_again = *is_read_again || (o->before != NULL && o->before->first == NULL);
		}
	}
	return OK;
}

bool
edit_order_is_by_number(const struct edit_owner *o)
{
	return o->order != NULL && o->order->is_by_number;
}

bool
edit_order_is_before(const struct edit_owner *a, const struct edit_owner *b)
{
	const struct edit_order *x = a->order, *y = b->order;
	return edit_order_is_by_number(a) && edit_order_is_by_number(b) && x->encloser == y->encloser &&
	       is_same_stem(&x->number, &y->number) && x->number.value < y->number.value;
}
