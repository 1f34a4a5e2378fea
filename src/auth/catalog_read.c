#include "auth/catalog_read.h"

#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"
#include "zone/nkey.h"
#include "zone/node.h"

struct reading {
	const struct zone *zone;
	size_t members_max;
	struct trie_txn members;
	struct arena *memory;
	char *why;
};

/* ---- what is wrong ---- */

static err_t
broken(char why[CATALOG_WHY_MAX], const uint8_t *name, const char *what)
{
	char text[NAME_TEXT_MAX];
	name_print(name, text);
	(void)snprintf(why, CATALOG_WHY_MAX, "%s %s", text, what);
	return E_FORMAT;
}

static err_t
say_listed_twice(char why[CATALOG_WHY_MAX], const uint8_t *owner, const uint8_t *member)
{
	char at[NAME_TEXT_MAX], name[NAME_TEXT_MAX];
	name_print(owner, at);
	name_print(member, name);
	(void)snprintf(why, CATALOG_WHY_MAX, "%s lists %s, which another label lists, too", at, name);
	return E_FORMAT;
}

/* ---- the version ---- */

/* The first label of `prefix` ("\4coo" and the like), before that name.  False: it would be too long, so nothing is there. */
static bool
join(const char *label, const uint8_t *below, struct name *out)
{
	return name_join((const uint8_t *)label, 1 + (size_t)(uint8_t)label[0], below, out) == OK;
}

static err_t
check_version(const struct zone *z, char why[CATALOG_WHY_MAX])
{
	struct name name;
	const struct node *node = join("\7version", z->apex_name, &name) ? zone_node(z, name.oct) : NULL;
	const struct rrset *set = node != NULL ? node_rrset(node, TYPE_TXT) : NULL;
	if (set == NULL) {
		return broken(why, z->apex_name, "has no TXT record \"version\", which says that it is a catalog");
	}
	if (set->n != 1) {
		return broken(why, node->name, "has several TXT records");
	}
	const struct rr *rr = rrset_first(set);
	bool is_two = rr->rdlen == 2 && rr->rdata[0] == 1 && rr->rdata[1] == '2';
	return is_two ? OK : broken(why, node->name, "is not \"2\", the only version that is known");
}

/* ---- members ---- */

/* The only PTR record's name.  *out NULL: there is none. */
static err_t
only_pointer(const struct node *node, const uint8_t **out, char why[CATALOG_WHY_MAX])
{
	const struct rrset *set = node_rrset(node, TYPE_PTR);
	*out = set != NULL ? rrset_first(set)->rdata : NULL;
	return set == NULL || set->n == 1 ? OK : broken(why, node->name, "has several PTR records");
}

static err_t
add_member(struct reading *r, const struct node *node, const uint8_t *name)
{
	size_t len = name_len(name);
	struct nkey key;
	if (r->members.now.n == r->members_max) {
		(void)snprintf(r->why, CATALOG_WHY_MAX, "it has more than %zu members", r->members_max);
		return E_LIMIT;
	}
	struct catalog_member *m = arena_alloc(r->memory, sizeof *m + len);
	if (m == NULL) {
		return E_NOMEM;
	}
	*m = (struct catalog_member){ .label = node->name, .name_len = (uint8_t)len };
	memcpy(m->name, name, len);
	nkey_set(&key, m->name);
	err_t err = trie_add(&r->members, &key, m);
	return err == E_EXISTS ? say_listed_twice(r->why, node->name, name) : err;
}

static err_t
take_member(struct reading *r, const struct node *node)
{
	const uint8_t *name;
	TRY(only_pointer(node, &name, r->why));
	return name != NULL ? add_member(r, node, name) : OK;
}

/* The property of a label that lists nothing has no meaning. */
static err_t
take_next_catalog(struct reading *r, const struct node *node)
{
	const struct node *of = zone_node(r->zone, name_parent(node->name));
	const uint8_t *name, *next;
	struct nkey key;
	TRY(only_pointer(node, &next, r->why));
	TRY(only_pointer(of, &name, r->why));
	if (name != NULL && next != NULL) {
		nkey_set(&key, name);
		struct catalog_member *m = trie_get(&r->members.now, &key);
		m->next = next; /* its label comes before what is below it */
	}
	return OK;
}

static bool
is_next_catalog(const uint8_t *name)
{
	return name[0] == 3 && octet_lower(name[1]) == 'c' && octet_lower(name[2]) == 'o' && octet_lower(name[3]) == 'o';
}

static err_t
take_all(struct reading *r)
{
	struct name zones;
	struct nkey key;
	struct trie_iter it;
	if (!join("\5zones", r->zone->apex_name, &zones)) {
		return OK;
	}
	unsigned depth = name_labels(zones.oct);
	nkey_set(&key, zones.oct);
	trie_iter_seek(&it, &r->zone->nodes, &key);
	const struct node *n = trie_iter_next(&it);
	for (; n != NULL && name_is_within(n->name, zones.oct); n = trie_iter_next(&it)) {
		unsigned below = name_labels(n->name) - depth;
		if (below == 1) {
			TRY(take_member(r, n));
		} else if (below == 2 && is_next_catalog(n->name)) {
			TRY(take_next_catalog(r, n));
		}
	}
	return OK;
}

/* ---- all ---- */

err_t
catalog_read(const struct zone *z, size_t members_max, struct catalog_list *out, char why[CATALOG_WHY_MAX])
{
	struct reading r = { .zone = z, .members_max = members_max, .memory = &out->memory, .why = why };
	struct trie none;
	struct garbage garbage = { 0 };
	*out = (struct catalog_list){ 0 };
	trie_init(&out->members, offsetof(struct catalog_member, name));
	trie_init(&none, offsetof(struct catalog_member, name));
	why[0] = '\0';
	TRY(check_version(z, why));
	trie_begin(&r.members, &none);
	err_t err = take_all(&r);
	if (err != OK) {
		trie_rollback(&r.members);
		arena_fini(&out->memory);
		return err;
	}
	out->members = trie_commit(&r.members, &garbage);
	garbage_free(&garbage);
	return OK;
}

void
catalog_list_fini(struct catalog_list *l)
{
	trie_fini(&l->members, NULL, NULL);
	arena_fini(&l->memory);
}

bool
catalog_is_label(const uint8_t *a, const uint8_t *b)
{
	return a[0] == b[0] && nkey_octets_are_equal(a + 1, b + 1, a[0]);
}
