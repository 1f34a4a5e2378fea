#include "git/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/sha.h"

/* An index has: magic and version, 256 counts, the ids of all objects, their checksums, their offsets, and at last the
 * checksums of the pack and of the index itself. */
enum { FANOUT_AT = 8, IDS_AT = FANOUT_AT + 256 * 4, EACH = ID_LEN + 4 + 4, SUMS = 2 * ID_LEN };

struct place {
	size_t at;
	const uint8_t *id; /* borrowed from the index */
};

/* The objects of a pack, in their order there. */
struct places {
	struct place *all;
	size_t n;
};

static void
places_fini(struct places *p)
{
	free(p->all);
}

static int
by_place(const void *a, const void *b)
{
	size_t x = ((const struct place *)a)->at, y = ((const struct place *)b)->at;
	return x < y ? -1 : x > y;
}

err_t
pack_index_count(const uint8_t *index, size_t len, uint32_t *n)
{
	struct cur c = cur_over(index, len);
	uint32_t magic = cur_u32(&c), version = cur_u32(&c);
	(void)cur_take(&c, 255 * 4);
	uint32_t count = cur_u32(&c);
	TRY(c.err);
	if (magic != 0xFF744F63 || version != 2) { /* "\377tOc"; version 1 begins with the counts */
		return E_UNSUPPORTED;
	}
	*n = count;
	return OK;
}

/* E_FORMAT: the index is damaged, or belongs to another pack. */
static err_t
check_index(const struct pack_in *in, uint32_t *n)
{
	uint8_t sum[ID_LEN];
	TRY(pack_index_count(in->index, in->index_len, n));
	if (*n > JOIN_OBJECTS_MAX) {
		return E_LIMIT;
	}
	size_t want = IDS_AT + (size_t)*n * EACH + SUMS;
	if (in->index_len != want) {
		return in->index_len > want ? E_UNSUPPORTED : E_FORMAT; /* longer: it has offsets of eight octets */
	}
	TRY(sha1(in->index, want - ID_LEN, NULL, 0, sum));
	bool is_sound = memcmp(sum, in->index + want - ID_LEN, ID_LEN) == 0 &&
	                memcmp(in->pack + in->pack_len - ID_LEN, in->index + want - SUMS, ID_LEN) == 0;
	return is_sound ? OK : E_FORMAT;
}

static err_t
read_places(const struct pack_in *in, uint32_t n, struct places *out)
{
	size_t offsets = IDS_AT + (size_t)n * (ID_LEN + 4);
	struct cur c = cur_over(in->index + offsets, (size_t)n * 4);
	out->all = try_alloc(((size_t)n + 1) * sizeof *out->all);
	if (out->all == NULL) {
		return E_NOMEM;
	}
	for (out->n = 0; out->n < n; out->n++) {
		out->all[out->n] = (struct place){ .at = cur_u32(&c), .id = in->index + IDS_AT + out->n * ID_LEN };
	}
	out->all[n] = (struct place){ .at = in->pack_len - ID_LEN }; /* where the last one ends */
	qsort(out->all, n, sizeof *out->all, by_place);
	for (size_t i = 0; i <= n; i++) {
		size_t least = i == 0 ? PACK_HEADER : out->all[i - 1].at + 1;
		if (out->all[i].at < least || (i == 0 && n > 0 && out->all[i].at != least)) {
			return E_FORMAT;
		}
	}
	return OK;
}

/* Where the base is in the new pack that begins at `at` in the old one. */
static err_t
find_base(const struct pack_join *j, const struct places *places, size_t at, size_t *out)
{
	const struct place key = { .at = at };
	const struct place *base = bsearch(&key, places->all, places->n, sizeof key, by_place);
	size_t slot = 0;
	if (base == NULL || !id_map_has(&j->by_id, base->id, &slot)) {
		return E_FORMAT;
	}
	*out = j->out.slots[slot].at;
	return OK;
}

static err_t
copy_entry(struct pack_join *j, const struct pack_in *in, const struct places *places, size_t i, struct str *head)
{
	const struct place *from = &places->all[i];
	struct cur c = cur_over(in->pack, places->all[i + 1].at);
	struct pack_entry e;
	size_t base_at = 0;
	c.pos = from->at;
	TRY(pack_read_head(&c, &e));
	str_clear(head);
	pack_put_head(head, e.type, e.len);
	if (e.type == PACK_OFS_DELTA) {
		TRY(find_base(j, places, e.base_at, &base_at));
		pack_put_back(head, j->out.bytes.len - base_at);
	} else if (e.type == PACK_REF_DELTA) {
		str_put(head, e.base, sizeof e.base);
	}
	pack_out_entry(&j->out, from->id, head, in->pack + c.pos, cur_left(&c));
	TRY(j->out.err);
	id_map_put(&j->by_id, from->id, j->out.n - 1);
	return OK;
}

err_t
pack_join_add(struct pack_join *j, const struct pack_in *in)
{
	[[gnu::cleanup(places_fini)]] struct places places = { 0 };
	[[gnu::cleanup(str_fini)]] struct str head = { 0 };
	struct cur entries;
	uint32_t n = 0, indexed = 0;
	TRY(pack_open(in->pack, in->pack_len, &entries, &n));
	TRY(check_index(in, &indexed));
	if (n != indexed) {
		return E_FORMAT;
	}
	TRY(read_places(in, n, &places));
	for (size_t i = 0; i < n; i++) {
		size_t slot;
		if (!id_map_has(&j->by_id, places.all[i].id, &slot)) {
			TRY(copy_entry(j, in, &places, i, &head));
		}
	}
	return j->out.n <= JOIN_OBJECTS_MAX ? OK : E_LIMIT;
}

void
pack_join_fini(struct pack_join *j)
{
	pack_out_fini(&j->out);
	id_map_fini(&j->by_id);
}
