#include "auth/secondary_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/nkey.h"

/* All rows of a zone, in one block. */
struct of_zone {
	struct secondary_row *list; /* owned, sorted by address */
	size_t n;
	uint8_t name_len;
	uint8_t name[NAME_WIRE_MAX]; /* the trie reads it here */
};

void
secondary_table_init(struct secondary_table *t)
{
	struct trie none;
	*t = (struct secondary_table){ 0 };
	trie_init(&none, offsetof(struct of_zone, name));
	trie_begin(&t->zones, &none);
}

static void
free_zone(void *ctx, void *value)
{
	struct of_zone *z = value;
	(void)ctx;
	free(z->list);
	free(z);
}

void
secondary_table_fini(struct secondary_table *t)
{
	struct garbage garbage = { 0 };
	struct trie all = trie_commit(&t->zones, &garbage);
	garbage_free(&garbage);
	trie_fini(&all, free_zone, NULL);
}

static struct of_zone *
find_zone(const struct secondary_table *t, const uint8_t *zone)
{
	struct nkey key;
	nkey_set(&key, zone);
	return trie_get(&t->zones.now, &key);
}

/* NULL: no memory. */
static struct of_zone *
get_zone(struct secondary_table *t, const uint8_t *zone)
{
	struct of_zone *z = find_zone(t, zone);
	if (z != NULL) {
		return z;
	}
	void *old;
	z = try_alloc(sizeof *z);
	if (z == NULL) {
		return NULL;
	}
	z->name_len = (uint8_t)name_len(zone);
	memcpy(z->name, zone, z->name_len);
	if (trie_put(&t->zones, z, &old) != OK) {
		free(z);
		return NULL;
	}
	return z;
}

static int
compare(const struct key_address *a, const struct key_address *b)
{
	return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->octets, b->octets, a->family == 4 ? 4 : 16);
}

/* Where the address is, or belongs. */
static size_t
place_of(const struct of_zone *z, const struct key_address *a)
{
	size_t i = 0;
	while (i < z->n && compare(&z->list[i].address, a) < 0) {
		i++;
	}
	return i;
}

static void
drop_row(struct secondary_table *t, struct of_zone *z, size_t i)
{
	z->n--;
	t->rows--;
	memmove(z->list + i, z->list + i + 1, (z->n - i) * sizeof *z->list);
}

/* When something went well last. */
static uint64_t
heard_s(const struct secondary_row *r)
{
	return r->told_s > r->has_s ? r->told_s : r->has_s;
}

static void
drop_oldest(struct secondary_table *t, struct of_zone *z)
{
	size_t oldest = 0;
	for (size_t i = 1; i < z->n; i++) {
		oldest = heard_s(&z->list[i]) < heard_s(&z->list[oldest]) ? i : oldest;
	}
	drop_row(t, z, oldest);
}

/* The row, made if it is not there.  NULL: there is no room for it. */
static struct secondary_row *
get_row(struct secondary_table *t, const uint8_t *zone, const struct key_address *a)
{
	struct of_zone *z = find_zone(t, zone);
	size_t i = z != NULL ? place_of(z, a) : 0;
	if (z != NULL && i < z->n && compare(&z->list[i].address, a) == 0) {
		return &z->list[i];
	}
	bool has_room = t->rows < SECONDARY_ROWS_MAX && (z == NULL || z->n < SECONDARY_OF_ZONE_MAX);
	z = has_room ? get_zone(t, zone) : NULL;
	struct secondary_row *grown = z != NULL ? realloc(z->list, (z->n + 1) * sizeof *grown) : NULL;
	if (grown == NULL) {
		t->over_limit++;
		return NULL;
	}
	z->list = grown;
	memmove(grown + i + 1, grown + i, (z->n - i) * sizeof *grown);
	grown[i] = (struct secondary_row){ .address = *a };
	z->n++;
	t->rows++;
	return &grown[i];
}

static bool
is_there(const struct of_zone *z, const struct key_address *a)
{
	size_t i = place_of(z, a);
	return i < z->n && compare(&z->list[i].address, a) == 0;
}

/* The same, for something that went well. */
static struct secondary_row *
get_good_row(struct secondary_table *t, const uint8_t *zone, const struct key_address *a)
{
	struct of_zone *z = find_zone(t, zone);
	if (z != NULL && z->n == SECONDARY_OF_ZONE_MAX && !is_there(z, a)) {
		drop_oldest(t, z);
	}
	struct secondary_row *r = get_row(t, zone, a);
	if (r != NULL) {
		r->error = NULL;
	}
	return r;
}

void
secondary_table_told(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, uint32_t serial, uint64_t now_s)
{
	struct secondary_row *r = get_good_row(t, zone, a);
	if (r != NULL) {
		r->told = serial;
		r->told_s = now_s;
	}
}

void
secondary_table_has(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, uint32_t serial, uint64_t now_s)
{
	struct secondary_row *r = get_good_row(t, zone, a);
	if (r != NULL) {
		r->has = serial;
		r->has_s = now_s;
	}
}

void
secondary_table_failed(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, const char *error, uint64_t now_s)
{
	struct secondary_row *r = get_row(t, zone, a);
	if (r != NULL) {
		r->error = error;
		r->error_s = now_s;
	}
}

bool
secondary_table_knows(const struct secondary_table *t, const uint8_t *zone, const struct key_address *a)
{
	const struct of_zone *z = find_zone(t, zone);
	return z != NULL && is_there(z, a);
}

void
secondary_table_forget(struct secondary_table *t, const uint8_t *zone)
{
	struct nkey key;
	struct of_zone *z = find_zone(t, zone);
	nkey_set(&key, zone);
	if (z == NULL || trie_claim(&t->zones, &key) != OK) {
		return;
	}
	(void)trie_remove(&t->zones, &key);
	t->rows -= z->n;
	free_zone(NULL, z);
}

size_t
secondary_table_read(const struct secondary_table *t, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX])
{
	const struct of_zone *z = find_zone(t, zone);
	size_t n = z != NULL ? z->n : 0;
	if (n != 0) {
		memcpy(out, z->list, n * sizeof *out);
	}
	return n;
}
