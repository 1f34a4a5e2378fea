#include "git/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

#include "crypto/sha.h"

static void
id_of(const char *text, uint8_t id[ID_LEN])
{
	char head[32];
	int n = snprintf(head, sizeof head, "blob %zu", strlen(text)) + 1;
	assert_int_equal(sha1(head, (size_t)n, text, strlen(text), id), OK);
}

static void
put_blob(struct pack_out *o, const char *text)
{
	uint8_t id[ID_LEN];
	id_of(text, id);
	pack_out_object(o, PACK_BLOB, id, text, strlen(text));
}

/* Text that is made of the one before it: "COPY n octets", then a letter more. */
static void
put_delta(struct pack_out *o, const char *base, size_t base_at, const char *made)
{
	struct str head = { 0 }, delta = { 0 };
	uint8_t id[ID_LEN], packed[256];
	uLongf packed_len = sizeof packed;
	size_t n = strlen(base);
	assert_true(n < 128 && strlen(made) == n + 1 && memcmp(base, made, n) == 0);
	str_char(&delta, (char)n);
	str_char(&delta, (char)(n + 1));
	str_char(&delta, (char)0x90); /* copy from 0 on */
	str_char(&delta, (char)n);
	str_char(&delta, 1);
	str_char(&delta, made[n]);
	assert_int_equal(compress(packed, &packed_len, (const Bytef *)delta.s, delta.len), Z_OK);
	if (base_at != 0) {
		pack_put_head(&head, PACK_OFS_DELTA, delta.len);
		pack_put_back(&head, o->bytes.len - base_at);
	} else {
		pack_put_head(&head, PACK_REF_DELTA, delta.len);
		id_of(base, id);
		str_put(&head, id, sizeof id);
	}
	id_of(made, id);
	pack_out_entry(o, id, &head, packed, packed_len);
	str_fini(&head);
	str_fini(&delta);
}

static struct pack_in
in_of(const struct pack_out *o)
{
	return (struct pack_in){
		.pack = (const uint8_t *)o->bytes.s, .pack_len = o->bytes.len, .index = (const uint8_t *)o->index.s, .index_len = o->index.len,
	};
}

/* Reads a whole pack: every object inflated, every delta applied to the entry that it names. */
static void
check_texts(const struct pack_out *o, const char *const *texts, size_t n)
{
	struct cur c;
	uint32_t count = 0;
	struct pack_entry e[16];
	assert_int_equal(pack_open((const uint8_t *)o->bytes.s, o->bytes.len, &c, &count), OK);
	assert_int_equal(count, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *made = NULL;
		size_t made_len = 0, base = 0;
		assert_int_equal(pack_next(&c, 1000, &e[i]), OK);
		if (e[i].type == PACK_OFS_DELTA || e[i].type == PACK_REF_DELTA) {
			for (base = 0; base < i; base++) {
				uint8_t id[ID_LEN];
				id_of(texts[base], id);
				if (e[i].type == PACK_OFS_DELTA ? e[base].at == e[i].base_at : memcmp(id, e[i].base, ID_LEN) == 0) {
					break;
				}
			}
			assert_true(base < i);
			assert_int_equal(delta_apply(e[i].data, e[i].len, e[base].data, e[base].len, 1000, &made, &made_len), OK);
			free(e[i].data);
			e[i].data = made;
			e[i].len = made_len;
		}
		assert_int_equal(e[i].len, strlen(texts[i]));
		assert_memory_equal(e[i].data, texts[i], e[i].len);
	}
	for (size_t i = 0; i < n; i++) {
		free(e[i].data);
	}
	assert_int_equal(cur_left(&c), 0);
}

static void
check_index(const struct pack_out *o)
{
	uint32_t n = 0;
	assert_int_equal(pack_index_count((const uint8_t *)o->index.s, o->index.len, &n), OK);
	assert_int_equal(n, o->n);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *id = (const uint8_t *)o->index.s + 8 + 256 * 4 + (size_t)i * ID_LEN;
		assert_memory_equal(id, o->slots[i].id, ID_LEN);
		assert_true(i == 0 || memcmp(o->slots[i - 1].id, id, ID_LEN) < 0);
	}
}

static void
a_pack_is_read_as_it_was_written(void **state)
{
	(void)state;
	struct pack_out o = { 0 };
	static char large[200000];
	static const char *const texts[] = { "", "a", "some more text" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put_blob(&o, texts[i]);
	}
	assert_int_equal(pack_out_finish(&o), OK);
	check_texts(&o, texts, ARRAY_LEN(texts));
	check_index(&o);
	pack_out_fini(&o);
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	put_blob(&o, large);
	assert_int_equal(pack_out_finish(&o), OK);
	struct cur c;
	uint32_t n = 0;
	struct pack_entry e;
	assert_int_equal(pack_open((const uint8_t *)o.bytes.s, o.bytes.len, &c, &n), OK);
	assert_int_equal(pack_next(&c, sizeof large, &e), OK);
	assert_int_equal(e.len, sizeof large - 1);
	assert_memory_equal(e.data, large, e.len);
	free(e.data);
	pack_out_fini(&o);
	assert_int_equal(pack_out_finish(&o), OK); /* an empty one */
	check_texts(&o, NULL, 0);
	pack_out_fini(&o);
}

static void
distances_back(void **state)
{
	(void)state;
	static const size_t backs[] = { 1, 127, 128, 129, 16511, 16512, 16513, 2113663, 2113664, 3000000 };
	const size_t at = 3000000 + PACK_HEADER; /* far enough from the beginning for any of them */
	uint8_t *pack = calloc(1, at + 16);
	assert_non_null(pack);
	for (size_t i = 0; i < ARRAY_LEN(backs); i++) {
		struct str head = { 0 };
		struct pack_entry e;
		pack_put_head(&head, PACK_OFS_DELTA, 5);
		pack_put_back(&head, backs[i]);
		memcpy(pack + at, head.s, head.len);
		struct cur c = cur_over(pack, at + head.len);
		c.pos = at;
		assert_int_equal(pack_read_head(&c, &e), OK);
		assert_int_equal(e.at - e.base_at, backs[i]);
		assert_int_equal(e.len, 5);
		assert_int_equal(c.pos, at + head.len);
		str_fini(&head);
	}
	free(pack);
}

/* Three packs with deltas of both kinds and objects in common. */
static void
make_packs(struct pack_out p[3])
{
	put_blob(&p[0], "common");
	size_t at = p[0].bytes.len;
	put_blob(&p[0], "first");
	put_delta(&p[0], "first", at, "first+");
	put_delta(&p[0], "first+", 0, "first++");
	put_blob(&p[1], "a lone one");
	at = p[1].bytes.len;
	put_blob(&p[1], "common");
	put_delta(&p[1], "common", at, "common!");
	at = p[1].bytes.len;
	put_delta(&p[1], "common!", 0, "common!!");
	put_delta(&p[1], "common!!", at, "common!!!");
	at = 12;
	put_blob(&p[2], "first+");
	put_delta(&p[2], "first+", at, "first+x");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pack_out_finish(&p[i]), OK);
	}
}

static void
packs_become_one(void **state)
{
	(void)state;
	static const char *const want[] = {
		"common", "first", "first+", "first++", "a lone one", "common!", "common!!", "common!!!", "first+x",
	};
	struct pack_out p[3] = { 0 };
	struct pack_join j = { 0 };
	make_packs(p);
	for (size_t i = 0; i < 3; i++) {
		struct pack_in in = in_of(&p[i]);
		assert_int_equal(pack_join_add(&j, &in), OK);
	}
	assert_int_equal(pack_out_finish(&j.out), OK);
	check_texts(&j.out, want, ARRAY_LEN(want));
	check_index(&j.out);
	struct pack_join again = { 0 }; /* what was joined can be joined, and comes out as it was */
	struct pack_in in = in_of(&j.out);
	assert_int_equal(pack_join_add(&again, &in), OK);
	assert_int_equal(pack_out_finish(&again.out), OK);
	assert_int_equal(again.out.bytes.len, j.out.bytes.len);
	assert_memory_equal(again.out.bytes.s, j.out.bytes.s, j.out.bytes.len);
	pack_join_fini(&again);
	pack_join_fini(&j);
	for (size_t i = 0; i < 3; i++) {
		pack_out_fini(&p[i]);
	}
}

static void
damage_is_noticed(void **state)
{
	(void)state;
	struct pack_out p[3] = { 0 };
	make_packs(p);
	struct pack_in good = in_of(&p[1]);
	uint8_t *pack = malloc(good.pack_len), *index = malloc(good.index_len);
	assert_non_null(pack);
	assert_non_null(index);
	memcpy(pack, good.pack, good.pack_len);
	memcpy(index, good.index, good.index_len);
	struct pack_in in = { .pack = pack, .pack_len = good.pack_len, .index = index, .index_len = good.index_len };
	for (size_t i = 0; i < good.pack_len + good.index_len; i++) {
		uint8_t *at = i < good.pack_len ? pack + i : index + i - good.pack_len;
		struct pack_join j = { 0 };
		*at ^= 0x10;
		assert_int_not_equal(pack_join_add(&j, &in), OK);
		*at ^= 0x10;
		pack_join_fini(&j);
	}
	for (size_t cut = 1; cut < good.index_len; cut += 7) {
		struct pack_join j = { 0 };
		in.index_len = good.index_len - cut;
		assert_int_not_equal(pack_join_add(&j, &in), OK);
		pack_join_fini(&j);
	}
	struct pack_join j = { 0 };
	in = good;
	in.index = in_of(&p[0]).index; /* of another pack */
	in.index_len = in_of(&p[0]).index_len;
	assert_int_equal(pack_join_add(&j, &in), E_FORMAT);
	pack_join_fini(&j);
	free(pack);
	free(index);
	for (size_t i = 0; i < 3; i++) {
		pack_out_fini(&p[i]);
	}
}

static void
ids_have_numbers(void **state)
{
	(void)state;
	struct id_map m = { 0 };
	size_t number = 77;
	uint8_t id[ID_LEN] = { 0 };
	assert_false(id_map_has(&m, id, &number));
	for (uint32_t i = 0; i < 5000; i++) {
		memcpy(id, &i, sizeof i);
		id_map_put(&m, id, i);
		id_map_put(&m, id, 1); /* the first stays */
	}
	assert_int_equal(number, 77);
	for (uint32_t i = 0; i < 6000; i++) {
		memcpy(id, &i, sizeof i);
		assert_int_equal(id_map_has(&m, id, &number), i < 5000);
		assert_int_equal(number, i < 5000 ? i : 4999);
	}
	id_map_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pack_is_read_as_it_was_written),
		cmocka_unit_test(distances_back),
		cmocka_unit_test(packs_become_one),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(ids_have_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
