#include "zone_text.h"

#include "auth/saved_zone.h"
#include "base/alloc.h"

enum { FILE_MAX = 1 << 20, OCTETS = 100 << 20 };

/* A file in memory, and the zone as it was last written to it. */
struct file {
	uint8_t bytes[FILE_MAX];
	size_t len;
	struct saved_mark mark;
	struct zone *zone;
};

static const struct saved_refresh first_refresh = {
	.at_s = 1000, .address = { 4, { 192, 0, 2, 1 } }, .port = 53, .key = { 3, "\1k" },
};

static err_t
append(void *ctx, const uint8_t *bytes, size_t len)
{
	struct file *f = ctx;
	assert_true(f->len + len <= FILE_MAX);
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
	return OK;
}

static void
write_zone(struct file *f, const char *text)
{
	f->len = 0;
	f->zone = text_zone(text);
	assert_int_equal(saved_write_zone(f->zone, 900, &first_refresh, append, f, &f->mark), OK);
	assert_int_equal(f->mark.len, f->len);
	assert_int_equal(f->mark.whole_len, f->len);
}

/* The next version: `lines` to be removed ("-") and added ("+"). */
static void
change_zone(struct file *f, const char *const *lines, size_t n, uint64_t at_s)
{
	struct zone_txn *t;
	struct zone_changes changes;
	struct garbage garbage = { 0 };
	const struct zone *made;
	struct zone *next;
	assert_int_equal(zone_txn_begin(f->zone, &t), OK);
	for (size_t i = 0; i < n; i++) {
		const struct text_rr rr = text_rr(lines[i] + 1, example);
		assert_int_equal(lines[i][0] == '+' ? zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen)
		                                    : zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen), OK);
	}
	assert_int_equal(zone_txn_prepare(t, &made), OK);
	assert_int_equal(zone_changes_of(t, &changes), OK);
	assert_int_equal(zone_txn_commit(&t, &next, &garbage), OK);
	history_extend(f->zone, next, &changes, &garbage);
	zone_changes_fini(&changes);
	garbage_free(&garbage);
	f->zone = next;
	struct saved_refresh r = first_refresh;
	struct buf b = buf_over(f->bytes + f->len, FILE_MAX - f->len);
	r.at_s = at_s;
	saved_write_change(next->history.newest, &r, &b, &f->mark);
	assert_int_equal(b.err, OK);
	assert_true(b.len <= saved_change_len(next->history.newest));
	f->len += b.len;
	assert_int_equal(f->mark.len, f->len);
}

#define SOA(serial) "@ 3600 SOA ns1 hostmaster " serial " 7200 3600 1209600 300"

/* From serial 7 to 8 to 9. */
static void
change_twice(struct file *f)
{
	static const char *const first[] = { "-" SOA("7"), "+" SOA("8"), "+a 60 A 192.0.2.7" };
	static const char *const second[] = { "-" SOA("8"), "+" SOA("9"), "-a 60 A 192.0.2.7", "+b 60 TXT \"b\"" };
	change_zone(f, first, ARRAY_LEN(first), 2000);
	change_zone(f, second, ARRAY_LEN(second), 3000);
}

/* Feeds the file in pieces of so many octets, as one who reads it does. */
static err_t
read_file(const struct file *f, size_t piece, size_t octets_max, struct saved_zone *out, char why[SAVED_WHY_MAX])
{
	struct saved_in *in;
	size_t at = 0, have = 0, wanted = 1;
	err_t err = OK;
	why[0] = '\0';
	assert_int_equal(saved_in_new(octets_max, &in), OK);
	while (err == OK && wanted != 0 && have < f->len) {
		size_t used;
		have = have + piece < f->len ? have + piece : f->len;
		err = saved_in_take(in, f->bytes + at, have - at, &used, &wanted);
		at += err == OK ? used : 0;
		assert_true(at <= have);
		assert_true(err != OK || wanted == 0 || wanted > have - at);
	}
	err = err == OK ? saved_in_finish(in, f->len - at, out) : err;
	strcpy(why, saved_in_why(in));
	saved_in_free(&in);
	return err;
}

static void
assert_same(const struct zone *a, const struct zone *b)
{
	struct str want = { 0 };
	assert_int_equal(zone_walk(a, text_print, &want), OK);
	assert_walk(b, str_text(&want));
	str_fini(&want);
}

static struct file file;

static int
setup(void **state)
{
	(void)state;
	memset(&file, 0, sizeof file);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	history_free_zone(&file.zone);
	return 0;
}

#define ZONE TEXT_APEX "www 60 AAAA 2001:db8::1\nwww 60 A 192.0.2.9\n*.deep.er 1 MX 5 www\n"

static void
test_zone_is_read_as_written_in_pieces_of_any_size(void **state)
{
	char why[SAVED_WHY_MAX];
	(void)state;
	write_zone(&file, ZONE);
	change_twice(&file);
	for (size_t piece = 1; piece < file.len + 10; piece += 1 + piece / 3) {
		struct saved_zone got;
		assert_int_equal(read_file(&file, piece, OCTETS, &got, why), OK);
		assert_same(file.zone, got.zone);
		assert_int_equal(got.zone->serial, 9);
		assert_false(got.is_cut);
		assert_int_equal(got.changed_s, 3000);
		assert_int_equal(got.refresh.at_s, 3000);
		assert_int_equal(got.refresh.port, 53);
		assert_true(key_address_is_equal(&got.refresh.address, &first_refresh.address));
		assert_true(name_is_equal(got.refresh.key.oct, first_refresh.key.oct));
		assert_memory_equal(&got.mark, &file.mark, sizeof file.mark);
		history_free_zone(&got.zone);
	}
}

static void
test_changes_in_the_file_are_the_history(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	const struct delta **steps;
	size_t n;
	(void)state;
	write_zone(&file, ZONE);
	change_twice(&file);
	assert_int_equal(read_file(&file, FILE_MAX, OCTETS, &got, why), OK);
	assert_int_equal(history_from(got.zone, 7, &steps, &n), OK);
	assert_int_equal(n, 2);
	free(steps);
	history_free_zone(&got.zone);
}

static void
test_refresh_counts_and_tells_withdrawn(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	struct saved_refresh r = { .at_s = 5000, .is_withdrawn = true };
	struct buf b = buf_over(file.bytes, FILE_MAX);
	(void)state;
	write_zone(&file, ZONE);
	b.len = file.len;
	saved_write_refresh(&r, &b, &file.mark);
	assert_int_equal(b.err, OK);
	file.len = b.len;
	assert_int_equal(read_file(&file, FILE_MAX, OCTETS, &got, why), OK);
	assert_int_equal(got.refresh.at_s, 5000);
	assert_true(got.refresh.is_withdrawn && !got.refresh.is_unlisted);
	assert_int_equal(got.refresh.key.len, 0);
	assert_int_equal(got.changed_s, 900);
	history_free_zone(&got.zone);
	r.is_unlisted = true;
	saved_write_refresh(&r, &b, &file.mark);
	file.len = b.len;
	assert_int_equal(read_file(&file, FILE_MAX, OCTETS, &got, why), OK);
	assert_true(got.refresh.is_withdrawn && got.refresh.is_unlisted);
	history_free_zone(&got.zone);
}

/* Whatever is cut off behind the whole zone costs the changes that it takes away, and nothing else. */
static void
test_file_that_was_cut_has_the_changes_before(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	(void)state;
	write_zone(&file, ZONE);
	change_twice(&file);
	size_t len = file.len, whole = file.mark.whole_len;
	for (file.len = 0; file.len < whole; file.len++) {
		assert_int_equal(read_file(&file, 100, OCTETS, &got, why), E_FORMAT);
		assert_string_not_equal(why, "");
	}
	unsigned seen[3] = { 0 };
	for (file.len = whole; file.len <= len; file.len++) {
		assert_int_equal(read_file(&file, 100, OCTETS, &got, why), OK);
		assert_in_range(got.zone->serial, 7, 9);
		seen[got.zone->serial - 7]++;
		assert_true(got.is_cut == (got.mark.len != file.len));
		history_free_zone(&got.zone);
	}
	assert_true(seen[0] > 1 && seen[1] > 1);
	assert_int_equal(seen[2], 1);
}

/* Each octet in turn is another one: no octet of the result is. */
static void
test_wrong_octet_is_seen(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	(void)state;
	write_zone(&file, ZONE);
	change_twice(&file);
	for (size_t i = 0; i < file.len; i++) {
		file.bytes[i] ^= 0x20;
		err_t err = read_file(&file, FILE_MAX, OCTETS, &got, why);
		assert_true(i < file.mark.whole_len ? err == E_FORMAT || err == E_UNSUPPORTED : err == OK);
		if (err == OK) {
			assert_true(got.is_cut);
			assert_true(got.zone->serial == 7 || got.zone->serial == 8);
			history_free_zone(&got.zone);
		}
		file.bytes[i] ^= 0x20;
	}
}

static void
test_block_counts_only_in_its_place(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	(void)state;
	write_zone(&file, ZONE);
	size_t first = file.len;
	change_twice(&file);
	memmove(file.bytes + first, file.bytes + first + 13, file.len - first - 13);
	assert_int_equal(read_file(&file, FILE_MAX, OCTETS, &got, why), OK);
	assert_int_equal(got.zone->serial, 7);
	assert_int_equal(got.mark.len, first);
	history_free_zone(&got.zone);
}

static void
test_format_of_another_version_is_said(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	(void)state;
	write_zone(&file, ZONE);
	file.bytes[13] = '2';
	assert_int_equal(read_file(&file, FILE_MAX, OCTETS, &got, why), E_UNSUPPORTED);
	assert_non_null(strstr(why, "another format"));
}

static void
test_zone_that_needs_too_much_memory_is_refused(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	(void)state;
	write_zone(&file, ZONE);
	assert_int_equal(read_file(&file, FILE_MAX, 1000, &got, why), E_LIMIT);
	assert_non_null(strstr(why, "memory"));
}

static void
test_large_zone_has_several_blocks(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	struct str text = { 0 };
	(void)state;
	str_put(&text, TEXT_APEX, strlen(TEXT_APEX));
	for (unsigned i = 0; i < 5000; i++) {
		str_printf(&text, "host%u 300 A 192.0.2.%u\nhost%u 300 TXT \"some text of host %u\"\n", i, i % 256, i, i);
	}
	write_zone(&file, str_text(&text));
	str_fini(&text);
	assert_int_equal(read_file(&file, 1000, OCTETS, &got, why), OK);
	assert_same(file.zone, got.zone);
	history_free_zone(&got.zone);
}

/* A serial that stood for other content once is not the beginning of a step, also not after a start. */
static void
test_history_remembers_what_was_served(void **state)
{
	char why[SAVED_WHY_MAX];
	struct saved_zone got;
	(void)state;
	file.zone = text_zone(ZONE);
	history_begin(file.zone, 20, false);
	assert_int_equal(saved_write_zone(file.zone, 1, &first_refresh, append, &file, &file.mark), OK);
	assert_int_equal(read_file(&file, FILE_MAX, OCTETS, &got, why), OK);
	assert_int_equal(history_newest_serial(got.zone), 20);
	assert_true(history_is_serial_stuck(got.zone));
	history_free_zone(&got.zone);
}

static err_t
fail_at_once(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx, (void)bytes, (void)len;
	return E_IO;
}

static void
test_error_of_the_writer_ends_it(void **state)
{
	(void)state;
	file.zone = text_zone(ZONE);
	assert_int_equal(saved_write_zone(file.zone, 1, &first_refresh, fail_at_once, &file, &file.mark), E_IO);
}

static void
assert_name(const char *zone, const char *want)
{
	struct name n;
	char got[SAVED_NAME_MAX];
	assert_int_equal(name_parse(zone, strlen(zone), NULL, &n), OK);
	saved_file_name(n.oct, got);
	assert_string_equal(got, want);
}

static void
test_names_of_files(void **state)
{
	char got[SAVED_NAME_MAX];
	struct name n;
	(void)state;
	assert_name("Example.ORG.", "example.org" SAVED_SUFFIX);
	assert_name(".", "@" SAVED_SUFFIX);
	assert_name("@.", "%40" SAVED_SUFFIX);
	assert_name("\\/x.", "%2Fx" SAVED_SUFFIX);
	assert_name("a\\.b\\000%.c.", "a%2Eb%00%25.c" SAVED_SUFFIX);
	assert_name("0/25.2.0.192.in-addr.arpa.", "0%2F25.2.0.192.in-addr.arpa" SAVED_SUFFIX);
	n = (struct name){ .len = 255 };
	for (unsigned i = 0; i < 3; i++) {
		n.oct[64 * i] = 63;
		memset(n.oct + 64 * i + 1, i == 0 ? 'X' : 0xFF, 63);
	}
	n.oct[192] = 61;
	saved_file_name(n.oct, got);
	assert_int_equal(strlen(got), 2 + 64 + strlen(SAVED_SUFFIX));
	assert_memory_equal(got, "%h", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zone_is_read_as_written_in_pieces_of_any_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes_in_the_file_are_the_history, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refresh_counts_and_tells_withdrawn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_that_was_cut_has_the_changes_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_octet_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_block_counts_only_in_its_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_format_of_another_version_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zone_that_needs_too_much_memory_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_zone_has_several_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_history_remembers_what_was_served, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error_of_the_writer_ends_it, setup, teardown),
		cmocka_unit_test(test_names_of_files),
	};
	return cmocka_run_group_tests_name("saved_zone", tests, NULL, NULL);
}
