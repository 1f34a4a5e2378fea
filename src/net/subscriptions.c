#include "net/subscriptions.h"

#include <stdlib.h>

#include "auth/access.h"
#include "base/alloc.h"
#include "base/hash.h"

enum { BUCKETS = 4096 };

/* A connection that has subscriptions. */
struct subscription_conn {
	struct list_link link; /* in its bucket; likewise below */
	uint64_t id;
	size_t n;
	struct list_link list; /* of its subscriptions */
};

/* A key, shared by all subscriptions with it, since it is large and secret. */
struct subscription_key {
	struct list_link link;
	size_t n;
	struct tsig_key tsig;
};

struct subscriptions_table {
	struct list_link all;
	struct list_link conns[BUCKETS], keys[BUCKETS], zones[BUCKETS], addresses[BUCKETS];
};

/* ---- addresses ---- */

static uint32_t
address_hash(const struct key_address *a)
{
	return hash32(hash32_octet(HASH32_START, a->family), a->octets, key_address_len(a));
}

static unsigned
place_of(const struct key_address *a)
{
	return address_hash(a) % SUBSCRIPTIONS_PLACES;
}

void
subscriptions_expect(struct subscriptions *s, const struct key_address *a)
{
	atomic_fetch_add_explicit(&s->at[place_of(a)], 1, memory_order_relaxed);
}

void
subscriptions_unexpect(struct subscriptions *s, const struct key_address *a)
{
	atomic_fetch_sub_explicit(&s->at[place_of(a)], 1, memory_order_relaxed);
}

bool
subscriptions_may_have(const struct subscriptions *s, const struct key_address *a)
{
	return atomic_load_explicit(&s->at[place_of(a)], memory_order_relaxed) != 0;
}

const struct key_address *
subscription_address(const struct key_address *in_key, const struct notify_target *asks_from)
{
	return in_key->family != 0 ? in_key : &asks_from->address;
}

static const struct key_address *
address_of(const struct subscription *s)
{
	return subscription_address(&s->secondary, &s->target);
}

/* ---- the table ---- */

static struct list_link *
conn_bucket(struct subscriptions_table *t, uint64_t id)
{
	return &t->conns[hash32(HASH32_START, &id, sizeof id) % BUCKETS];
}

static struct list_link *
key_bucket(struct subscriptions_table *t, const struct tsig_key *key)
{
	return &t->keys[name_hash(key->name.oct) % BUCKETS];
}

static struct list_link *
zone_bucket(struct subscriptions_table *t, const uint8_t *zone)
{
	return &t->zones[name_hash(zone) % BUCKETS];
}

static struct list_link *
address_bucket(struct subscriptions_table *t, const struct key_address *a)
{
	return &t->addresses[address_hash(a) % BUCKETS];
}

static err_t
need_table(struct subscriptions *s)
{
	if (s->table != NULL) {
		return OK;
	}
	struct subscriptions_table *t = try_alloc(sizeof *t);
	if (t == NULL) {
		return E_NOMEM;
	}
	list_init(&t->all);
	for (size_t i = 0; i < BUCKETS; i++) {
		list_init(&t->conns[i]);
		list_init(&t->keys[i]);
		list_init(&t->zones[i]);
		list_init(&t->addresses[i]);
	}
	s->table = t;
	return OK;
}

/* NULL: there is none; likewise below. */
static struct subscription_conn *
find_conn(struct subscriptions_table *t, uint64_t id)
{
	struct list_link *head = conn_bucket(t, id);
	for (struct list_link *l = head->next; l != head; l = l->next) {
		struct subscription_conn *c = LIST_ENTRY(l, struct subscription_conn, link);
		if (c->id == id) {
			return c;
		}
	}
	return NULL;
}

static struct subscription_key *
find_key(struct subscriptions_table *t, const struct tsig_key *key)
{
	struct list_link *head = key_bucket(t, key);
	for (struct list_link *l = head->next; l != head; l = l->next) {
		struct subscription_key *k = LIST_ENTRY(l, struct subscription_key, link);
		if (name_is_equal(k->tsig.name.oct, key->name.oct) && key_is_same(&k->tsig, key)) {
			return k;
		}
	}
	return NULL;
}

static struct subscription_conn *
need_conn(struct subscriptions_table *t, uint64_t id)
{
	struct subscription_conn *c = find_conn(t, id);
	if (c == NULL && (c = try_alloc(sizeof *c)) != NULL) {
		c->id = id;
		list_init(&c->list);
		list_append(conn_bucket(t, id), &c->link);
	}
	return c;
}

static struct subscription_key *
need_key(struct subscriptions_table *t, const struct tsig_key *key)
{
	struct subscription_key *k = find_key(t, key);
	if (k == NULL && (k = try_alloc(sizeof *k)) != NULL) {
		k->tsig = *key;
		list_append(key_bucket(t, key), &k->link);
	}
	return k;
}

/* Frees a connection or key without subscriptions. */
static void
let_conn_go(struct subscription_conn *c)
{
	if (c != NULL && c->n == 0) {
		list_remove(&c->link);
		free(c);
	}
}

static void
let_key_go(struct subscription_key *k)
{
	if (k != NULL && k->n == 0) {
		list_remove(&k->link);
		wipe(&k->tsig, sizeof k->tsig);
		free(k);
	}
}

static void
put(struct subscriptions *s, struct subscription *own)
{
	struct subscriptions_table *t = s->table;
	own->target.key = &own->key->tsig;
	own->conn->n++;
	own->key->n++;
	s->n++;
	list_append(&t->all, &own->in_all);
	list_append(&own->conn->list, &own->of_conn);
	list_append(zone_bucket(t, own->zone.oct), &own->at_zone);
	list_append(address_bucket(t, address_of(own)), &own->at_address);
	subscriptions_expect(s, address_of(own));
}

static void
drop(struct subscriptions *s, struct subscription *own)
{
	subscriptions_unexpect(s, address_of(own));
	list_remove(&own->in_all);
	list_remove(&own->of_conn);
	list_remove(&own->at_zone);
	list_remove(&own->at_address);
	s->n--;
	own->conn->n--;
	own->key->n--;
	let_conn_go(own->conn);
	let_key_go(own->key);
	free(own);
}

/* ---- which ones are about a zone ---- */

/* Is a subscription to the name, at the zone's or above it, about a change of the zone?  Above it, if the name is no zone itself. */
static bool
counts_at(const struct view *v, const uint8_t *at, const uint8_t *zone)
{
	return name_is_equal(at, zone) || v == NULL || view_zone(v, at) == NULL;
}

static bool
is_about(const struct subscription *s, const struct view *v, const uint8_t *zone)
{
	return name_is_within(zone, s->zone.oct) && counts_at(v, s->zone.oct, zone);
}

/* Goes over the subscriptions that a change of the zone is told to. */
struct about {
	struct subscriptions_table *table;
	const struct view *view;
	const uint8_t *zone;
	const uint8_t *at;             /* the zone's name, then those above */
	struct list_link *head, *next; /* in the bucket of that name */
};

/* All subscriptions to the name count, or none does: then they are passed over. */
static void
about_go_to(struct about *a, const uint8_t *at)
{
	a->at = at;
	a->head = zone_bucket(a->table, at);
	bool is_passed_over = !list_is_empty(a->head) && !counts_at(a->view, at, a->zone);
	a->next = is_passed_over ? a->head : a->head->next;
}

static struct about
about_begin(const struct subscriptions *s, const struct view *v, const uint8_t *zone)
{
	struct about a = { .table = s->table, .view = v, .zone = zone };
	if (a.table != NULL) {
		about_go_to(&a, zone);
	}
	return a;
}

/* NULL: there are no more. */
static struct subscription *
about_next(struct about *a)
{
	while (a->table != NULL) {
		while (a->next != a->head) {
			struct subscription *s = LIST_ENTRY(a->next, struct subscription, at_zone);
			a->next = a->next->next;
			if (name_is_equal(s->zone.oct, a->at)) {
				return s;
			}
		}
		if (name_is_root(a->at)) {
			break;
		}
		about_go_to(a, name_parent(a->at));
	}
	return NULL;
}

/* ---- the list ---- */

void
subscriptions_fini(struct subscriptions *s)
{
	while (s->table != NULL && !list_is_empty(&s->table->all)) {
		drop(s, LIST_ENTRY(s->table->all.next, struct subscription, in_all));
	}
	free(s->table);
	s->table = NULL;
}

static bool
is_there(const struct subscriptions *s, const struct view *v, const struct subscription *new)
{
	struct about a = about_begin(s, v, new->zone.oct);
	const struct subscription *one;
	while ((one = about_next(&a)) != NULL) {
		if (one->target.conn == new->target.conn && name_is_equal(one->target.key->name.oct, new->target.key->name.oct)) {
			return true;
		}
	}
	return false;
}

static bool
has_its_share(const struct subscription_conn *c, const struct subscription_key *k)
{
	return c->n >= SUBSCRIPTIONS_OF_CONN_MAX || k->n >= SUBSCRIPTIONS_OF_KEY_MAX;
}

err_t
subscriptions_add(struct subscriptions *s, const struct view *v, const struct subscription *new)
{
	TRY(need_table(s));
	if (is_there(s, v, new)) {
		return E_EXISTS;
	}
	if (s->n >= SUBSCRIPTIONS_MAX) {
		return E_LIMIT;
	}
	struct subscription_conn *c = need_conn(s->table, new->target.conn);
	struct subscription_key *k = need_key(s->table, new->target.key);
	bool is_one_too_many = c != NULL && k != NULL && has_its_share(c, k);
	struct subscription *own = c != NULL && k != NULL && !is_one_too_many ? try_alloc(sizeof *own) : NULL;
	if (own == NULL) {
		let_conn_go(c);
		let_key_go(k);
		return is_one_too_many ? E_BUSY : E_NOMEM;
	}
	*own = *new;
	own->conn = c;
	own->key = k;
	put(s, own);
	s->is_checked = false;
	return OK;
}

void
subscriptions_drop_conn(struct subscriptions *s, uint64_t conn)
{
	struct subscription_conn *c = s->table != NULL ? find_conn(s->table, conn) : NULL;
	for (size_t left = c != NULL ? c->n : 0; left != 0; left--) { /* with the last one, the connection goes */
		drop(s, LIST_ENTRY(c->list.next, struct subscription, of_conn));
	}
}

static bool
is_allowed(const struct view *v, const struct subscription *s)
{
	const struct key *key = keystore_find(v->keys, s->target.key->name.oct);
	return key != NULL && key_is_same(&key->tsig, s->target.key) && access_by_key(v, key, RIGHT_TRANSFER, s->zone.oct);
}

void
subscriptions_drop_disallowed(struct subscriptions *s, const struct view *v)
{
	struct list_link *next;
	for (struct list_link *l = s->table != NULL ? s->table->all.next : NULL; l != NULL && l != &s->table->all; l = next) {
		struct subscription *one = LIST_ENTRY(l, struct subscription, in_all);
		next = l->next;
		if (!is_allowed(v, one)) {
			drop(s, one);
		}
	}
	s->is_checked = true;
}

/* ---- telling ---- */

static bool
has_target(const struct notify_targets *targets, const struct key_address *a)
{
	for (size_t i = 0; i < targets->n; i++) {
		if (key_address_is_equal(&targets->list[i].address, a)) {
			return true;
		}
	}
	return false;
}

void
subscriptions_tell(const struct subscriptions *s, const struct view *v, const struct notify_news *news,
                   const struct notify_targets *targets, notify_each *each, void *ctx)
{
	struct about a = about_begin(s, v, news->zone);
	const struct subscription *one;
	while ((one = about_next(&a)) != NULL) {
		if (!has_target(targets, address_of(one))) {
			each(ctx, news, &one->target);
		}
	}
}

static bool
is_wished(const struct subscription *s, const struct tell_wish *wish)
{
	return s->is_awaited && name_is_equal(s->zone.oct, wish->domain.oct) &&
	       name_is_equal(s->target.key->name.oct, wish->key.oct) && key_address_is_equal(&s->target.address, &wish->address);
}

void
subscriptions_each_awaited(struct subscriptions *s, const struct tell_wish *wish, subscription_each *each, void *ctx)
{
	struct list_link *head = s->table != NULL ? zone_bucket(s->table, wish->domain.oct) : NULL;
	for (struct list_link *l = head != NULL ? head->next : NULL; l != head; l = l->next) {
		struct subscription *one = LIST_ENTRY(l, struct subscription, at_zone);
		if (is_wished(one, wish)) {
			one->is_awaited = false;
			each(ctx, one);
		}
	}
}

void
subscriptions_take_report(struct subscriptions *s, const struct view *v, const struct notify_news *news,
                          const struct key_address *at, bool is_reached, notify_each *each, void *ctx)
{
	struct list_link *head = s->table != NULL ? address_bucket(s->table, at) : NULL;
	for (struct list_link *l = head != NULL ? head->next : NULL; l != head; l = l->next) {
		struct subscription *one = LIST_ENTRY(l, struct subscription, at_address);
		if (!key_address_is_equal(address_of(one), at)) {
			continue;
		}
		one->is_reached |= is_reached;
		if (!one->is_reached && is_about(one, v, news->zone)) {
			each(ctx, news, &one->target);
		}
	}
}
