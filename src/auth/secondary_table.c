#include "auth/secondary_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/serial.h"

enum { SLOTS = 1 << 15 }; /* never more: growing would allocate; so lists have six zones at SECONDARY_ROWS_MAX */

/* All rows of a zone, in one block. */
struct secondary_zone {
	struct secondary_zone *next; /* in the same slot */
	size_t n, cap;
	struct name name;
	struct secondary_row list[]; /* sorted by address and port */
};

/* ---- memory ---- */

bool
secondary_room_make(struct secondary_room *room)
{
	free(room->block);
	room->block = try_alloc(sizeof *room->block + room->wanted * sizeof room->block->list[0]);
	if (room->block != NULL) {
		room->block->cap = room->wanted;
	}
	return room->block != NULL;
}

void
secondary_room_free(struct secondary_room *room)
{
	free_ptr(&room->block);
}

void
secondary_table_init(struct secondary_table *t)
{
	*t = (struct secondary_table){ .slots = xalloc(SLOTS * sizeof(struct secondary_zone *)) };
}

void
secondary_table_fini(struct secondary_table *t)
{
	for (size_t i = 0; i < SLOTS; i++) {
		for (struct secondary_zone *z = t->slots[i], *next; z != NULL; z = next) {
			next = z->next;
			free(z);
		}
	}
	free_ptr(&t->slots);
}

/* ---- zones ---- */

/* Where the pointer to the zone is, or would be. */
static struct secondary_zone **
place_of_zone(const struct secondary_table *t, const uint8_t *zone)
{
	struct secondary_zone **at = &t->slots[name_hash(zone) % SLOTS];
	while (*at != NULL && !name_is_equal((*at)->name.oct, zone)) {
		at = &(*at)->next;
	}
	return at;
}

static struct secondary_zone *
find_zone(const struct secondary_table *t, const uint8_t *zone)
{
	return *place_of_zone(t, zone);
}

/* The zone, with room for one more row.  NULL: `room` is too small for that. */
static struct secondary_zone *
enlarge_zone(struct secondary_table *t, const uint8_t *zone, struct secondary_room *room)
{
	struct secondary_zone **at = place_of_zone(t, zone), *old = *at, *new = room->block;
	size_t n = old != NULL ? old->n : 0;
	if (old != NULL && n < old->cap) {
		return old;
	}
	if (new == NULL || new->cap <= n) {
		room->wanted = n + 1;
		return NULL;
	}
	name_set(&new->name, zone);
	new->n = n;
	new->next = NULL;
	if (old != NULL) {
		new->next = old->next;
		memcpy(new->list, old->list, n * sizeof *new->list);
	}
	*at = new;
	room->block = old;
	return new;
}

/* ---- rows ---- */

static int
compare(const struct secondary_row *r, const struct secondary_at *at)
{
	int order = key_address_compare(&r->address, &at->address);
	return order != 0 ? order : (int)r->port - (int)at->port;
}

/* Where the row is, or belongs. */
static size_t
place_of(const struct secondary_zone *z, const struct secondary_at *at)
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

/* All rows of an address. */
static struct found
find_address(struct secondary_zone *z, const struct key_address *a)
{
	size_t i = place_of(z, &(struct secondary_at){ .address = *a }), n = 0;
	while (i + n < z->n && key_address_is_equal(&z->list[i + n].address, a)) {
		n++;
	}
	return (struct found){ .rows = n != 0 ? z->list + i : NULL, .n = n };
}

/* A row that began with a transfer becomes that of the first port where the address is told.  Until then it is the only row of the
 * address, so the list stays in order. */
static struct found
find_rows(struct secondary_zone *z, const struct secondary_at *at)
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

/* When something went well last. */
static uint64_t
heard_s(const struct secondary_row *r)
{
	return r->told_s > r->has_s ? r->told_s : r->has_s;
}

static void
drop_oldest(struct secondary_table *t, struct secondary_zone *z)
{
	size_t oldest = 0;
	for (size_t i = 1; i < z->n; i++) {
		oldest = heard_s(&z->list[i]) < heard_s(&z->list[oldest]) ? i : oldest;
	}
	z->n--;
	t->rows--;
	memmove(z->list + oldest, z->list + oldest + 1, (z->n - oldest) * sizeof *z->list);
}

/* Adds a row.  *out has none: there are as many as there may be.  False: `room` is too small. */
static bool
add_row(struct secondary_table *t, const struct secondary_news *news, struct secondary_room *room, struct found *out)
{
	const struct secondary_zone *there = find_zone(t, news->zone);
	*out = (struct found){ .n = 0 };
	if (t->rows == SECONDARY_ROWS_MAX || (there != NULL && there->n == SECONDARY_OF_ZONE_MAX)) {
		t->over_limit++;
		return true;
	}
	struct secondary_zone *z = enlarge_zone(t, news->zone, room);
	if (z == NULL) {
		return false;
	}
	size_t i = place_of(z, &news->at);
	memmove(z->list + i + 1, z->list + i, (z->n - i) * sizeof *z->list);
	z->list[i] = (struct secondary_row){ .address = news->at.address, .port = news->at.port };
	z->n++;
	t->rows++;
	*out = (struct found){ .rows = z->list + i, .n = 1 };
	return true;
}

/* The rows that the news counts for, made if there are none. */
static bool
get_rows(struct secondary_table *t, const struct secondary_news *news, struct secondary_room *room, struct found *out)
{
	struct secondary_zone *z = find_zone(t, news->zone);
	*out = z != NULL ? find_rows(z, &news->at) : (struct found){ .n = 0 };
	if (out->n != 0) {
		return true;
	}
	if (z != NULL && z->n == SECONDARY_OF_ZONE_MAX && news->what != SECONDARY_FAILED) {
		drop_oldest(t, z);
	}
	return add_row(t, news, room, out);
}

static void
put_news(struct secondary_row *r, const struct secondary_news *news, bool is_only)
{
	bool is_good = news->what != SECONDARY_FAILED;
	if (is_good && (is_only || !r->is_error_of_port)) {
		r->error = NULL;
	}
	if (news->what == SECONDARY_TOLD) {
		r->told = news->serial;
		r->told_s = news->now_s;
	} else if (news->what == SECONDARY_HAS) {
		r->has = news->serial;
		r->has_s = news->now_s;
	} else {
		r->error = news->error;
		r->error_s = news->now_s;
		r->is_error_of_port = news->at.port != 0;
	}
}

bool
secondary_table_note(struct secondary_table *t, const struct secondary_news *news, struct secondary_room *room)
{
	struct found f;
	if (!get_rows(t, news, room, &f)) {
		return false;
	}
	for (size_t i = 0; i < f.n; i++) {
		put_news(&f.rows[i], news, f.n == 1);
	}
	return true;
}

/* ---- the rest ---- */

static bool
has_row(const struct secondary_table *t, const uint8_t *zone, const struct key_address *a)
{
	struct secondary_zone *z = find_zone(t, zone);
	return z != NULL && find_address(z, a).n != 0;
}

bool
secondary_table_is_secondary(const struct secondary_table *t, const uint8_t *zone, const struct name *key, const struct key_address *from)
{
	struct key k = { .right = RIGHT_NONE };
	if (key->len != 0 && key_name_read(key->oct, &k) == OK) {
		if (k.right == RIGHT_UPDATE) {
			return false;
		}
		if (k.right == RIGHT_TRANSFER && k.secondary.family != 0) {
			return key_address_is_equal(&k.secondary, from);
		}
	}
	return has_row(t, zone, from);
}

void
secondary_table_forget(struct secondary_table *t, const uint8_t *zone, struct secondary_room *room)
{
	struct secondary_zone **at = place_of_zone(t, zone), *z = *at;
	ASSERT(room->block == NULL);
	if (z != NULL) {
		*at = z->next;
		t->rows -= z->n;
		room->block = z;
	}
}

size_t
secondary_table_read(const struct secondary_table *t, const uint8_t *zone, struct secondary_row out[SECONDARY_OF_ZONE_MAX])
{
	const struct secondary_zone *z = find_zone(t, zone);
	size_t n = z != NULL ? z->n : 0;
	if (n != 0) {
		memcpy(out, z->list, n * sizeof *out);
	}
	return n;
}

/* Decides by the serial of the last transfer; if there was none since the start, by the serial that the secondary has
 * acknowledged. */
enum secondary_state
secondary_row_state(const struct secondary_row *row, uint32_t serial, uint64_t since_s)
{
	if (row->has_s == 0 && row->told_s == 0) {
		return SECONDARY_UNHEARD;
	}
	if (row->has_s != 0) {
		bool is_from_before = row->has != serial && row->has_s <= since_s;
		return serial_is_newer(serial, row->has) ? SECONDARY_BEHIND : is_from_before ? SECONDARY_BEYOND : SECONDARY_CURRENT;
	}
	return serial_is_newer(serial, row->told) ? SECONDARY_BEHIND : SECONDARY_KNOWS;
}

const char *
secondary_state_text(enum secondary_state state)
{
	static const char *const texts[SECONDARY_STATES] = {
		[SECONDARY_UNHEARD] = "unheard", [SECONDARY_CURRENT] = "current", [SECONDARY_KNOWS] = "told", [SECONDARY_BEHIND] = "behind",
		[SECONDARY_BEYOND] = "ahead",
	};
	return texts[state];
}

uint32_t
secondary_row_behind(const struct secondary_row *row, uint32_t serial)
{
	return serial - (row->has_s != 0 ? row->has : row->told);
}
