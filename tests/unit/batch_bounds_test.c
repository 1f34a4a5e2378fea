/* What updates may bring into the repository. */
#include "batch_world.h"

#include "auth/batch_p.h"
#include "base/filename.h"

#define MAKE "add @ 3600 SOA ns1.example. h.example. 1 1 1 1 1\nadd @ 60 NS ns1.example.\n"

/* Labels of 47 octets below example.: the file's name has 48 * n + 7. */
static void
long_name(char out[1024], unsigned n)
{
	size_t len = 0;
	for (unsigned i = 0; i < n; i++) {
		len += (size_t)sprintf(out + len, "%047u.", i);
	}
	strcpy(out + len, "example.");
}

static void
assert_refused(struct world *w, const char *zone, const char *key, const char *why)
{
	struct result r = update_zone(w, zone, key, MAKE);
	assert_int_equal(r.rcode, RCODE_REFUSED);
	if (strstr(r.text, why) == NULL) {
		fail_msg("%s: %s", zone, r.text);
	}
}

static void
names_that_are_too_long(void **state)
{
	(void)state;
	struct world w;
	char zone[1024], escaped[1024] = "";
	world_begin_zones(&w, plain, 100);
	long_name(zone, 3);
	assert_refused(&w, zone, KEY, "longer than 143 octets");
	for (unsigned i = 0; i < 46; i++) {
		strcat(escaped, "\\200"); /* %C8: three octets for one */
	}
	strcat(escaped, ".example.");
	assert_refused(&w, escaped, KEY, "longer than 143 octets");
	long_name(zone, 2);
	assert_true(update_zone(&w, zone, KEY, MAKE).is_committed);
	world_end(&w);
}

static void
names_that_some_system_takes_for_another(void **state)
{
	(void)state;
	struct world w;
	world_begin_zones(&w, plain, 100);
	write_file(&w, "Mixed.Example.", "$TTL 1\n@ SOA a b 1 2 3 4 5\n@ NS ns1.example.\n"); /* Windows drops the dot */
	write_file(&w, "README.example", "nothing\n");
	write_file(&w, "_secondaries", "nothing\n");
	apply_all(&w);
	assert_refused(&w, "readme.example.", KEY, "there is a file whose name");
	assert_refused(&w, "_secondaries.", KEY_ALL, "no zone can have that name here");
	assert_refused(&w, "A._KEYS.", KEY_ALL, "no zone can have that name here");
	/* In lower case, whatever the client writes; devices of Windows under another name. */
	assert_true(update_zone(&w, "NEW.Example.", KEY, MAKE).is_committed);
	assert_non_null(read_file(&w, "new.example"));
	assert_true(update_zone(&w, "Con.Example.", KEY, MAKE).is_committed);
	assert_non_null(read_file(&w, "%63on.example"));
	assert_true(update_zone(&w, "con.example.", KEY, "add x 60 A 192.0.2.1\n").is_committed);
	/* A zone that is there in another spelling is that zone. */
	assert_true(update_zone(&w, "mixed.example.", KEY, "add x 60 A 192.0.2.1\n").is_committed);
	assert_null(read_file(&w, "mixed.example"));
	world_end(&w);
}

/* As many as one key may have, out of one commit. */
static void
begin_with_zones(struct world *w, size_t n)
{
	static const char text[] = "$TTL 1\n@ SOA a b 1 2 3 4 5\n@ NS ns1.example.\n";
	struct source_change *changes = xalloc((n + 2) * sizeof *changes);
	struct source_commit c = w->source;
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	for (size_t i = 0; i < n + 2; i++) {
		char path[64];
		const char *content = i == n ? plain : i == n + 1 ? keys : text;
		snprintf(path, sizeof path, i == n ? "example" : i == n + 1 ? "_keys" : "z%zu.example", i);
		changes[i] = (struct source_change){ .path = xstrdup(path), .bytes = (const uint8_t *)content, .len = strlen(content) };
	}
	snprintf(c.id, sizeof c.id, "%040u", ++w->commits);
	c.changes = changes;
	c.n = n + 2;
	c.is_whole = true;
	assert_int_equal(primary_apply(w->primary, &c, &outcome, &view, &old), OK);
	discard_free(&old);
	for (size_t i = 0; i < c.n; i++) {
		free((char *)(uintptr_t)changes[i].path);
	}
	free(changes);
}

static void
zones_of_one_key(void **state)
{
	(void)state;
	struct world w;
	world_begin_zones(&w, plain, 100);
	begin_with_zones(&w, BATCH_ZONES_OF_KEY_MAX - 2); /* and "example" itself */
	assert_int_equal(update_zone(&w, "last.example.", KEY, MAKE).rcode, RCODE_NOERROR);
	assert_refused(&w, "more.example.", KEY, "10000 zones in the key's domain");
	assert_refused(&w, "other.", KEY_ALL, "10000 zones in the key's domain"); /* the root's: it counts all */
	assert_int_equal(update_zone(&w, "last.example.", KEY, "add x 60 A 192.0.2.1\n").rcode, RCODE_NOERROR);
	world_end(&w);
}

/* ---- texts ---- */

enum { TYPE_CSYNC_NUMBER = 62, BITMAP_WINDOW_LEN = 34 };

/* CSYNC records with all types of so many windows: a mnemonic a bit (RFC 7477 2.1.1.2). */
static struct result
add_bitmaps(struct world *w, unsigned records, unsigned windows)
{
	static struct update_text u;
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	struct result r = { 0 };
	struct update_task t;
	enum batch_taken taken = BATCH_SETTLED;
	int ede;
	struct buf b = buf_over(u.wire, sizeof u.wire - TSIG_RR_MAX);
	buf_u16(&b, 1);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u16(&b, (uint16_t)records);
	buf_u16(&b, 0);
	buf_put(&b, "\7example", 9);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	for (unsigned i = 0; i < records; i++) {
		buf_u8(&b, 2);
		buf_u16(&b, (uint16_t)(0x6161 + i));
		buf_u16(&b, 0xC00C);
		buf_u16(&b, TYPE_CSYNC_NUMBER);
		buf_u16(&b, CLASS_IN);
		buf_u32(&b, 60);
		buf_u16(&b, (uint16_t)(6 + windows * BITMAP_WINDOW_LEN));
		buf_u32(&b, 1);
		buf_u16(&b, 0);
		for (unsigned k = 0; k < windows; k++) {
			buf_u8(&b, (uint8_t)(k + 1));
			buf_u8(&b, 32);
			for (unsigned octet = 0; octet < 32; octet++) {
				buf_u8(&b, 0xFF);
			}
		}
	}
	assert_int_equal(b.err, OK);
	u.len = b.len;
	update_text_sign(&u, KEY);
	update_task_init(&t, u.wire, u.len, &peer, UPDATE_NOW_S);
	struct batch *batch = batch_new(w->primary, &w->source, UPDATE_NOW_S);
	assert_int_equal(update_task_open(&t, primary_view(w->primary)), OK);
	assert_int_equal(batch_add(batch, &t, &taken), OK);
	r.rcode = t.rcode;
	r.is_committed = taken == BATCH_PENDING && batch_prepare(batch, &r.rcode, &ede, t.text) == OK;
	memcpy(r.text, t.text, sizeof r.text);
	batch_free(&batch);
	update_task_fini(&t);
	tsig_fini(&u.tsig);
	return r;
}

static void
lines_and_texts_have_a_limit(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, plain);
	struct result line = add_bitmaps(&w, 1, 200), text = add_bitmaps(&w, 60, 20);
	assert_int_equal(line.rcode, RCODE_REFUSED);
	assert_non_null(strstr(line.text, "a line of more than 64 KiB"));
	assert_int_equal(text.rcode, RCODE_REFUSED);
	assert_non_null(strstr(text.text, "send several messages"));
	assert_true(add_bitmaps(&w, 1, 20).is_committed && add_bitmaps(&w, 30, 20).is_committed);
	world_end(&w);
}

static void
files_that_grow(void **state)
{
	(void)state;
	char text[] = "x";
	struct edit_file files[] = { { .text = text, .len = BATCH_FILE_MAX }, { .text = text, .len = BATCH_FILE_MAX + 2, .old_len = BATCH_FILE_MAX + 3 },
		                     { .len = 0 }, { .text = text, .len = BATCH_FILE_MAX + 1, .old_len = BATCH_FILE_MAX } };
	struct edit e = { .files = files, .n = 3 };
	assert_false(batch_is_overgrown(&e)); /* one that was larger may become smaller */
	e.n = 4;
	assert_true(batch_is_overgrown(&e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_too_long),
		cmocka_unit_test(names_that_some_system_takes_for_another),
		cmocka_unit_test(zones_of_one_key),
		cmocka_unit_test(lines_and_texts_have_a_limit),
		cmocka_unit_test(files_that_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
