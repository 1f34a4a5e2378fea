#include "auth/secondary_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "zone/nkey.h"

/* All rows of a zone, in one block. */
struct of_zone {
	struct secondary_row *list; /* owned, sorted by address and port */
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
compare_address(const struct key_address *a, const struct key_address *b)
{
	return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->octets, b->octets, a->family == 4 ? 4 : 16);
}

static int
compare(const struct secondary_row *r, const struct secondary_at *at)
{
	int order = compare_address(&r->address, &at->address);
	return order != 0 ? order : (int)r->port - (int)at->port;
}

/* Where the row is, or belongs. */
static size_t
place_of(const struct of_zone *z, const struct secondary_at *at)
{
	size_t i = 0;
	while (i < z->n && compare(&z->list[i], at) < 0) {
		i++;
	}
	return i;
}

/* Rows that something counts for, side by side. */
struct found {
	struct secondary_row *rows;
	size_t n;
};

/* All of an address. */
static struct found
find_address(const struct of_zone *z, const struct key_address *a)
{
	size_t i = place_of(z, &(struct secondary_at){ .address = *a }), n = 0;
	while (i + n < z->n && compare_address(&z->list[i + n].address, a) == 0) {
		n++;
	}
	return (struct found){ .rows = n != 0 ? z->list + i : NULL, .n = n };
}

/* A row that began with a transfer is that of the first port where the address is told: until then it is the only one of the address,
 * so it stays in order. */
static struct found
find_rows(const struct of_zone *z, const struct secondary_at *at)
{
	struct found f = find_address(z, &at->address);
	if (at->port == 0 || f.n == 0) {
		return f;
	}
	if (f.rows[0].port == 0) {
		f.rows[0].port = at->port;
	}
	for (size_t i = 0; i < f.n; i++) {
		if (f.rows[i].port == at->port) {
			return (struct found){ .rows = f.rows + i, .n = 1 };
		}
	}
	return (struct found){ .n = 0 };
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

/* A new row.  None: there is no room for it. */
static struct found
add_row(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at)
{
	struct of_zone *z = find_zone(t, zone);
	bool has_room = t->rows < SECONDARY_ROWS_MAX && (z == NULL || z->n < SECONDARY_OF_ZONE_MAX);
	z = has_room ? get_zone(t, zone) : NULL;
	struct secondary_row *grown = z != NULL ? realloc(z->list, (z->n + 1) * sizeof *grown) : NULL;
	if (grown == NULL) {
		t->over_limit++;
		return (struct found){ .n = 0 };
	}
	z->list = grown;
	size_t i = place_of(z, at);
	memmove(grown + i + 1, grown + i, (z->n - i) * sizeof *grown);
	grown[i] = (struct secondary_row){ .address = at->address, .port = at->port };
	z->n++;
	t->rows++;
	return (struct found){ .rows = grown + i, .n = 1 };
}

/* The rows, made if there are none. */
static struct found
get_rows(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at)
{
	struct of_zone *z = find_zone(t, zone);
	struct found f = z != NULL ? find_rows(z, at) : (struct found){ .n = 0 };
	return f.n != 0 ? f : add_row(t, zone, at);
}

/* The same, for something that went well. */
static struct found
get_good_rows(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at)
{
	struct of_zone *z = find_zone(t, zone);
	if (z != NULL && z->n == SECONDARY_OF_ZONE_MAX && find_rows(z, at).n == 0) {
		drop_oldest(t, z);
	}
	struct found f = get_rows(t, zone, at);
	for (size_t i = 0; i < f.n; i++) {
		if (f.n == 1 || !f.rows[i].is_error_of_port) {
			f.rows[i].error = NULL;
		}
	}
	return f;
}

void
secondary_table_told(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at, uint32_t serial, uint64_t now_s)
{
	struct found f = get_good_rows(t, zone, at);
	for (size_t i = 0; i < f.n; i++) {
		f.rows[i].told = serial;
		f.rows[i].told_s = now_s;
	}
}

void
secondary_table_has(struct secondary_table *t, const uint8_t *zone, const struct key_address *a, uint32_t serial, uint64_t now_s)
{
	struct found f = get_good_rows(t, zone, &(struct secondary_at){ .address = *a });
	for (size_t i = 0; i < f.n; i++) {
		f.rows[i].has = serial;
		f.rows[i].has_s = now_s;
	}
}

void
secondary_table_failed(struct secondary_table *t, const uint8_t *zone, const struct secondary_at *at, const char *error, uint64_t now_s)
{
	struct found f = get_rows(t, zone, at);
	for (size_t i = 0; i < f.n; i++) {
		f.rows[i].error = error;
		f.rows[i].error_s = now_s;
		f.rows[i].is_error_of_port = at->port != 0;
	}
}

bool
secondary_table_knows(const struct secondary_table *t, const uint8_t *zone, const struct key_address *a)
{
	const struct of_zone *z = find_zone(t, zone);
	return z != NULL && find_address(z, a).n != 0;
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
