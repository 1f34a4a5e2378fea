/* What compressed messages come to, and how much of it is held at a time. */
#include "batch_world.h"

enum { TYPE_MINFO = 14 };

/* Where names stand in such a message; the long one has 251 octets with the zone. */
enum { AT_ZONE = 12, AT_LONG = AT_ZONE + 9 + 4 + 2 + 10, LONG_LEN = 3 * 64 + 50 };

static void
put_fixed(struct buf *b, uint16_t type, uint32_t ttl, uint16_t rdlen)
{
	buf_u16(b, type);
	buf_u16(b, CLASS_IN);
	buf_u32(b, ttl);
	buf_u16(b, rdlen);
}

/* A name that others end in. */
static void
put_long_name(struct buf *b)
{
	for (size_t i = 0; i < LONG_LEN; i++) {
		buf_u8(b, i == LONG_LEN - 50 ? 49 : i % 64 != 0 ? 'x' : 63);
	}
	buf_u16(b, 0xC000 | AT_ZONE);
}

/* Another name of 255 octets for each number. */
static void
put_name_in_long(struct buf *b, unsigned number)
{
	buf_u8(b, 3);
	buf_u8(b, (uint8_t)(number >> 16));
	buf_u16(b, (uint16_t)number);
	buf_u16(b, 0xC000 | AT_LONG);
}

enum compressed { MINFO_RDATA, MINFO_PREREQUISITES, LONG_OWNERS };

/* n records of 18 to 22 octets, which come to 300 and 550. */
static void
build_compressed(struct update_text *u, enum compressed kind, unsigned n, unsigned first)
{
	static uint16_t id;
	bool is_prerequisite = kind == MINFO_PREREQUISITES;
	struct buf b = buf_over(u->wire, sizeof u->wire - TSIG_RR_MAX);
	buf_u16(&b, ++id);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, is_prerequisite ? (uint16_t)(n + 1) : 0);
	buf_u16(&b, is_prerequisite ? 0 : (uint16_t)(n + 1));
	buf_u16(&b, 0);
	buf_put(&b, "\7example", 9);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	buf_u16(&b, 0xC000 | AT_ZONE);
	put_fixed(&b, TYPE_MINFO, is_prerequisite ? 0 : 60, LONG_LEN + 4);
	put_long_name(&b);
	buf_u16(&b, 0xC000 | AT_LONG);
	for (unsigned i = 0; i < n; i++) {
		if (kind == LONG_OWNERS) {
			put_name_in_long(&b, first + i);
			put_fixed(&b, TYPE_A, 60, 4);
			buf_u32(&b, i);
		} else {
			buf_u16(&b, 0xC000 | AT_ZONE);
			put_fixed(&b, TYPE_MINFO, is_prerequisite ? 0 : 60, 8);
			put_name_in_long(&b, first + i);
			buf_u16(&b, 0xC000 | AT_LONG);
		}
	}
	assert_int_equal(b.err, OK);
	u->len = b.len;
	update_text_sign(u, KEY);
}

static void
assert_too_much(const struct world *w, enum compressed kind, unsigned n)
{
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	static struct update_text u;
	struct update_task t;
	build_compressed(&u, kind, n, 0);
	update_task_init(&t, u.wire, u.len, &peer, UPDATE_NOW_S);
	assert_int_equal(update_task_open(&t, primary_view(w->primary)), E_REFUSED);
	assert_int_equal(t.rcode, RCODE_REFUSED);
	assert_non_null(strstr(t.text, "several messages"));
	assert_true(t.update.arena.used <= 2 * UPDATE_OCTETS_MAX);
	check_answer(&u, &t, RCODE_REFUSED);
	update_task_fini(&t);
}

/* What a message comes to is bounded, whichever part of it grows. */
static void
a_message_that_grows(void **state)
{
	(void)state;
	static const struct {
		enum compressed kind;
		unsigned too_many, good; /* 0: so many do not fit into a message */
	} cases[] = { { MINFO_RDATA, 2900, 1900 }, { MINFO_PREREQUISITES, 2900, 1900 }, { LONG_OWNERS, 0, 3200 } };
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	static struct update_text u;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		struct update_task t;
		world_begin(&w, plain);
		if (cases[i].too_many != 0) {
			assert_too_much(&w, cases[i].kind, cases[i].too_many);
		}
		build_compressed(&u, cases[i].kind, cases[i].good, 0);
		update_task_init(&t, u.wire, u.len, &peer, UPDATE_NOW_S);
		assert_int_equal(update_task_open(&t, primary_view(w.primary)), OK);
		update_task_close(&t);
		assert_int_equal(t.update.arena.used, 0);
		update_task_fini(&t);
		tsig_fini(&u.tsig);
		world_end(&w);
	}
}

/* So is what the messages of a batch come to; the next one waits unread. */
static void
a_batch_that_grows(void **state)
{
	(void)state;
	static struct many m;
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	struct world w;
	size_t octets = 0, n = 0;
	unsigned rcode;
	int ede;
	char text[UPDATE_ANSWER_TEXT_MAX];
	world_begin(&w, plain);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	do {
		assert_true(n < ARRAY_LEN(m.task));
		build_compressed(&m.text[n], n % 2 != 0 ? LONG_OWNERS : MINFO_RDATA, 1900, 1900 * (unsigned)n);
		update_task_init(&m.task[n], m.text[n].wire, m.text[n].len, &peer, UPDATE_NOW_S);
		assert_int_equal(update_task_open(&m.task[n], primary_view(w.primary)), OK);
		assert_int_equal(batch_add(b, &m.task[n], &m.taken[n]), OK);
		octets += m.task[n].update.octets;
	} while (m.taken[n++] == BATCH_PENDING);
	assert_int_equal(m.taken[n - 1], BATCH_FULL);
	assert_in_range(octets, BATCH_OCTETS_MAX + 1, BATCH_OCTETS_MAX + UPDATE_OCTETS_MAX);
	update_task_close(&m.task[n - 1]);
	assert_int_equal(batch_prepare(b, &rcode, &ede, text), OK);
	commit(&w, b);
	batch_free(&b);
	b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	assert_int_equal(update_task_open(&m.task[n - 1], primary_view(w.primary)), OK);
	assert_int_equal(batch_add(b, &m.task[n - 1], &m.taken[n - 1]), OK);
	assert_int_equal(m.taken[n - 1], BATCH_PENDING);
	batch_free(&b);
	free_many(&m, n);
	world_end(&w);
}

/* What is refused costs, too: a batch comes to its end, however many of those there are. */
static void
a_batch_that_costs(void **state)
{
	(void)state;
	enum { EACH = 1900 };
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	static struct update_text u;
	struct world w;
	struct update_task t;
	enum batch_taken taken;
	unsigned n = 0;
	world_begin(&w, plain);
	build_compressed(&u, MINFO_PREREQUISITES, EACH, 0);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	for (taken = BATCH_SETTLED; taken == BATCH_SETTLED; n++) {
		assert_int_equal(batch_is_full(b), batch_cost(b) >= BATCH_COST_MAX);
		update_task_init(&t, u.wire, u.len, &peer, UPDATE_NOW_S);
		assert_int_equal(update_task_open(&t, primary_view(w.primary)), OK);
		assert_int_equal(batch_add(b, &t, &taken), OK);
		assert_int_equal(t.rcode, taken == BATCH_SETTLED ? RCODE_NXRRSET : RCODE_NOERROR);
		update_task_fini(&t);
	}
	assert_int_equal(taken, BATCH_FULL);
	assert_in_range(n, BATCH_COST_MAX / (EACH + 10), BATCH_COST_MAX / EACH + 2);
	batch_free(&b);
	tsig_fini(&u.tsig);
	world_end(&w);
}

/* Who is not let in is answered without his records being read. */
static void
an_answer_without_the_records(void **state)
{
	(void)state;
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	static struct update_text u;
	struct world w;
	struct update_task t;
	world_begin(&w, plain);
	build_compressed(&u, MINFO_RDATA, 2900, 0);
	update_task_init(&t, u.wire, u.len, &peer, UPDATE_NOW_S);
	assert_int_equal(update_task_open_unread(&t, primary_view(w.primary)), OK);
	assert_int_equal(t.update.arena.used, 0);
	update_task_settle(&t, RCODE_REFUSED, EDE_OTHER, "too many updates wait already");
	check_answer(&u, &t, RCODE_REFUSED);
	update_task_fini(&t);
	world_end(&w);
}

static void
a_long_reason_shows_that_it_is_cut(void **state)
{
	(void)state;
	char text[UPDATE_ANSWER_TEXT_MAX], fits[UPDATE_ANSWER_TEXT_MAX], longer[UPDATE_ANSWER_TEXT_MAX + 1];
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	memcpy(fits, longer + 1, sizeof fits);
	update_text_put(text, "%s", fits);
	assert_string_equal(text, fits);
	update_text_put(text, "%s", longer);
	assert_int_equal(strlen(text), UPDATE_ANSWER_TEXT_MAX - 1);
	assert_string_equal(text + UPDATE_ANSWER_TEXT_MAX - sizeof "x...", "x...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_that_grows),
		cmocka_unit_test(a_batch_that_grows),
		cmocka_unit_test(a_batch_that_costs),
		cmocka_unit_test(an_answer_without_the_records),
		cmocka_unit_test(a_long_reason_shows_that_it_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
