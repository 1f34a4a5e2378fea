/* The zones of a secondary become views.  Linked with --wrap, see meson.build: every allocation fails once. */
#include "zone_text.h"

#include "auth/secondary.h"
#include "nomem.h"
#include "view_asking.h"
#include "zone/history.h"

enum { T0 = 1700000000, STEPS_MAX = 32 };

static const uint8_t a[] = "\1a", b[] = "\1b", catalog[] = "\7catalog\4test";

#define SOA(serial) "@ 60 SOA ns host " #serial " 7200 3600 1209600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
#define NEW "SERVFAIL 0/0/0 Not Ready"
#define EXPIRED "SERVFAIL 0/0/0 Invalid Data"
#define NOT_OURS "REFUSED 0/0/0 Not Authoritative"
#define ANSWER "NOERROR aa 1/0/0"
#define NO_NAME "NXDOMAIN aa 0/1/0"

/* A secondary, whose old views are kept until they are dropped, as if somebody read them all. */
struct world {
	struct secondary *s;
	const struct view *view[STEPS_MAX + 1]; /* in their order */
	struct discard *old[STEPS_MAX];         /* [i]: what view[i] alone had */
	size_t n;
};

static void
begin(struct world *w, bool has_catalog)
{
	struct secondary_conf conf = { .octets_max = 1 << 20 };
	struct keystore *keys = keystore_new(NULL);
	view_add_key(keys, "all._transfer.");
	keystore_seal(keys);
	if (has_catalog) {
		name_set(&conf.catalog, catalog);
	}
	*w = (struct world){ .s = secondary_new(&conf, keys) };
	w->view[0] = secondary_view(w->s);
}

static void
published(struct world *w, const struct secondary_step *step)
{
	assert_true(w->n < STEPS_MAX);
	assert_ptr_equal(step->view, secondary_view(w->s));
	assert_ptr_not_equal(step->view, w->view[w->n]);
	w->old[w->n++] = step->old;
	w->view[w->n] = step->view;
}

static void
drop_old(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		discard_free(&w->old[i]);
	}
	w->view[0] = w->view[w->n];
	w->n = 0;
}

static void
end(struct world *w)
{
	drop_old(w);
	secondary_free(&w->s);
	assert_null(w->s);
}

static void
assert_asked(const struct view *v, const char *name, const char *answer)
{
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	assert_string_equal(view_ask(v, &view_a, name, NULL, &event, text), answer);
}

static void
assert_now(const struct world *w, const char *name, const char *answer)
{
	assert_asked(w->view[w->n], name, answer);
}

/* ---- steps ---- */

static struct zone *
zone_of(const uint8_t *apex, const char *text)
{
	struct findings f = { 0 };
	struct zone *z = NULL;
	assert_int_equal(text_build(text, apex, &f, &z), OK);
	findings_fini(&f);
	return z;
}

static err_t
take_zone(struct world *w, const uint8_t *apex, struct zone *z, const struct zone **version)
{
	struct zone_txn *none = NULL;
	struct secondary_step step;
	err_t err = secondary_take(w->s, apex, &z, &none, T0, version, &step);
	if (err == OK) {
		published(w, &step);
		assert_ptr_equal(view_zone(step.view, apex), *version);
	}
	is_failing = false;
	zone_free(&z); /* what was not used */
	return err;
}

static const struct zone *
take(struct world *w, const uint8_t *apex, const char *text)
{
	const struct zone *version = NULL;
	assert_int_equal(take_zone(w, apex, zone_of(apex, text), &version), OK);
	return version;
}

static void
put_rr(struct zone_txn *t, const uint8_t *apex, bool is_added, const char *line)
{
	const struct text_rr rr = text_rr(line, apex);
	assert_int_equal(is_added ? zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen)
	                          : zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen), OK);
}

/* Adds a name with the next serial, `from` being below 9. */
static struct zone_txn *
changes_of(const struct zone *from, const char *added)
{
	struct zone_txn *t;
	const struct zone *prepared;
	char soa[] = "@ 60 SOA ns host 0 7200 3600 1209600 60";
	assert_int_equal(zone_txn_begin(from, &t), OK);
	soa[17] = (char)('0' + from->serial);
	put_rr(t, from->apex_name, false, soa);
	soa[17]++;
	put_rr(t, from->apex_name, true, soa);
	put_rr(t, from->apex_name, true, added);
	assert_int_equal(zone_txn_prepare(t, &prepared), OK);
	return t;
}

static err_t
take_txn(struct world *w, const uint8_t *apex, struct zone_txn *t, const struct zone **version)
{
	struct zone *none = NULL;
	struct secondary_step step;
	err_t err = secondary_take(w->s, apex, &none, &t, T0, version, &step);
	if (err == OK) {
		published(w, &step);
		assert_ptr_equal(view_zone(step.view, apex), *version);
	}
	is_failing = false;
	zone_txn_rollback(&t);
	return err;
}

static const struct zone *
take_changes(struct world *w, const struct zone *from, const char *added)
{
	const struct zone *version = NULL;
	assert_int_equal(take_txn(w, from->apex_name, changes_of(from, added), &version), OK);
	return version;
}

static err_t
show(struct world *w, const uint8_t *apex, enum follow_presence presence)
{
	struct secondary_step step;
	err_t err = secondary_show(w->s, apex, presence, T0, &step);
	if (err == OK) {
		published(w, &step);
	}
	is_failing = false;
	return err;
}

static void
assert_steps(const struct zone *z, uint32_t from, size_t n)
{
	const struct delta **steps;
	size_t found = 0;
	err_t err = history_from(z, from, &steps, &found);
	assert_int_equal(err, n != 0 ? OK : E_NOTFOUND);
	assert_int_equal(found, n);
	if (err == OK) {
		free(steps);
	}
}

/* ---- what must hold ---- */

static void
a_zone_is_new_then_served(void **state)
{
	(void)state;
	struct world w;
	begin(&w, false);
	assert_true(secondary_view(w.s)->is_ready);
	assert_now(&w, "www.a.", NOT_OURS);
	assert_int_equal(show(&w, a, FOLLOW_NEW), OK);
	assert_now(&w, "www.a.", NEW);
	const struct zone *z = take(&w, a, SOA(1) "www 60 A 192.0.2.2\n");
	assert_int_equal(z->serial, 1);
	assert_now(&w, "www.a.", ANSWER);
	assert_int_equal(secondary_view(w.s)->shut.n, 0);
	assert_asked(w.view[0], "www.a.", NOT_OURS); /* old views stay what they are */
	assert_asked(w.view[1], "www.a.", NEW);
	end(&w);
}

static err_t
restore(struct world *w, const uint8_t *apex, struct zone *z, enum follow_presence presence)
{
	struct secondary_step step;
	const struct zone *version = NULL, *given = z;
	err_t err = secondary_restore(w->s, apex, &z, presence, T0 - 5, T0, &version, &step);
	if (err == OK) {
		assert_ptr_equal(version, given);
		published(w, &step);
	}
	assert_true((z == NULL) == (err == OK));
	is_failing = false;
	zone_free(&z);
	return err;
}

static void
a_zone_of_an_earlier_run_is_shown_as_it_was(void **state)
{
	(void)state;
	struct world w;
	begin(&w, false);
	assert_int_equal(show(&w, a, FOLLOW_NEW), OK);
	assert_int_equal(restore(&w, a, zone_of(a, SOA(1)), FOLLOW_PRESENT), OK);
	assert_now(&w, "ns.a.", ANSWER);
	assert_int_equal(restore(&w, b, zone_of(b, SOA(1)), FOLLOW_EXPIRED), OK);
	assert_now(&w, "ns.b.", EXPIRED);
	assert_int_equal(show(&w, b, FOLLOW_PRESENT), OK); /* it was kept */
	assert_now(&w, "ns.b.", ANSWER);
	assert_true(secondary_octets(w.s) > 2 * 1000);
	end(&w);
	begin(&w, false);
	assert_int_equal(restore(&w, a, zone_of(a, SOA(1)), FOLLOW_WITHDRAWN), OK);
	assert_now(&w, "ns.a.", NOT_OURS);
	take(&w, a, SOA(2));
	assert_now(&w, "ns.a.", ANSWER);
	end(&w);
}

static void
whole_zones_and_changes_make_a_history(void **state)
{
	(void)state;
	struct world w;
	begin(&w, false);
	take(&w, a, SOA(1));
	const struct zone *z = take(&w, a, SOA(2) "two 60 A 192.0.2.2\n");
	assert_steps(z, 1, 1);
	z = take_changes(&w, z, "three 60 A 192.0.2.3");
	assert_int_equal(z->serial, 3);
	assert_steps(z, 1, 2);
	assert_now(&w, "two.a.", ANSWER);
	assert_now(&w, "three.a.", ANSWER);
	assert_asked(w.view[2], "three.a.", NO_NAME);
	drop_old(&w);
	z = take_changes(&w, z, "four 60 A 192.0.2.4");
	assert_steps(z, 1, 3);

	struct server_out event; /* our own secondaries get it */
	char text[VIEW_TEXT_MAX];
	assert_string_equal(view_ask(w.view[w.n], &view_ixfr, "a.", "all._transfer.", &event, text), "NOERROR aa 11/0/0"); /* three steps of three records, and the SOA twice */
	end(&w);
}

static void
the_same_zone_again_changes_nothing(void **state)
{
	(void)state;
	struct world w;
	begin(&w, false);
	take(&w, a, SOA(1));
	const struct zone *z = take(&w, a, SOA(2));
	assert_ptr_equal(take(&w, a, SOA(2)), z);
	assert_steps(z, 1, 1);
	assert_int_equal(show(&w, a, FOLLOW_EXPIRED), OK);
	assert_ptr_equal(take(&w, a, SOA(2)), z);
	assert_now(&w, "ns.a.", ANSWER);
	assert_steps(z, 1, 1);
	end(&w);
}

/* More records than zone_changes_max() allows to differ. */
static void
a_zone_that_is_quite_different_begins_anew(void **state)
{
	(void)state;
	struct world w;
	struct str text = { 0 };
	begin(&w, false);
	take(&w, a, SOA(1));
	str_printf(&text, "%s", SOA(2));
	for (unsigned i = 0; i < 1100; i++) {
		str_printf(&text, "n%u 60 A 192.0.2.7\n", i);
	}
	const struct zone *z = take(&w, a, str_text(&text));
	str_fini(&text);
	assert_steps(z, 1, 0);
	assert_now(&w, "n1099.a.", ANSWER);
	assert_asked(w.view[1], "ns.a.", ANSWER);
	end(&w);
}

static void
an_older_serial_begins_anew(void **state)
{
	(void)state;
	struct world w;
	begin(&w, false);
	take(&w, a, SOA(5));
	const struct zone *z = take(&w, a, SOA(3) "x 60 A 192.0.2.2\n");
	assert_int_equal(z->serial, 3);
	assert_steps(z, 5, 0);
	end(&w);
}

static void
what_is_kept_comes_back(void **state)
{
	(void)state;
	static const struct {
		enum follow_presence presence;
		const char *answer;
	} cases[] = { { FOLLOW_EXPIRED, EXPIRED }, { FOLLOW_WITHDRAWN, NOT_OURS } };
	struct world w;
	begin(&w, false);
	take(&w, a, SOA(1));
	const struct zone *z = take(&w, a, SOA(2));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(show(&w, a, cases[i].presence), OK);
		assert_now(&w, "ns.a.", cases[i].answer);
		assert_int_equal(show(&w, a, cases[i].presence), OK); /* once more */
		assert_now(&w, "ns.a.", cases[i].answer);
		assert_int_equal(show(&w, a, FOLLOW_PRESENT), OK);
		assert_now(&w, "ns.a.", ANSWER);
		assert_ptr_equal(view_zone(secondary_view(w.s), a), z);
		assert_steps(z, 1, 1);
	}
	assert_int_equal(show(&w, a, FOLLOW_EXPIRED), OK);
	assert_int_equal(show(&w, a, FOLLOW_WITHDRAWN), OK);
	assert_now(&w, "ns.a.", NOT_OURS);
	assert_int_equal(show(&w, a, FOLLOW_FORGOTTEN), OK);
	assert_now(&w, "ns.a.", NOT_OURS);
	end(&w);
}

/* Old views have the version that was kept, and the new one shares memory with it. */
static void
what_is_kept_gets_a_successor(void **state)
{
	(void)state;
	static const enum follow_presence kept[] = { FOLLOW_EXPIRED, FOLLOW_WITHDRAWN };
	for (size_t i = 0; i < 2 * ARRAY_LEN(kept); i++) {
		struct world w;
		bool is_whole = i >= ARRAY_LEN(kept);
		begin(&w, true);
		const struct zone *z = take(&w, a, SOA(1) "one 60 A 192.0.2.2\n");
		assert_int_equal(show(&w, a, kept[i % ARRAY_LEN(kept)]), OK);
		z = is_whole ? take(&w, a, SOA(2) "one 60 A 192.0.2.2\ntwo 60 A 192.0.2.2\n") : take_changes(&w, z, "two 60 A 192.0.2.2");
		assert_steps(z, 1, 1);
		assert_now(&w, "one.a.", ANSWER);
		assert_now(&w, "two.a.", ANSWER);
		assert_asked(w.view[1], "one.a.", ANSWER);
		assert_asked(w.view[1], "two.a.", NO_NAME);
		for (size_t left = 0; left < w.n; left++) { /* readers go, oldest first */
			discard_free(&w.old[left]);
			assert_asked(w.view[left + 1], "one.a.", left + 1 == 2 ? i % 2 == 0 ? EXPIRED : NOT_OURS : ANSWER);
		}
		assert_now(&w, "two.a.", ANSWER);
		end(&w);
	}
}

static void
zones_do_not_disturb_each_other(void **state)
{
	(void)state;
	struct world w;
	begin(&w, true);
	take(&w, a, SOA(1));
	assert_int_equal(view_zones_n(secondary_view(w.s)), 1);
	assert_int_equal(show(&w, b, FOLLOW_NEW), OK);
	assert_now(&w, "ns.a.", ANSWER);
	assert_now(&w, "ns.b.", NEW);
	take(&w, b, SOA(7));
	assert_int_equal(show(&w, a, FOLLOW_FORGOTTEN), OK);
	assert_now(&w, "ns.a.", NOT_OURS);
	assert_now(&w, "ns.b.", ANSWER);
	assert_int_equal(secondary_view(w.s)->catalog->records - 3, 1); /* a member; SOA, NS and version besides */
	end(&w);
}

static void
the_catalogs_name_is_taken(void **state)
{
	(void)state;
	struct world w;
	const struct zone *version = NULL;
	begin(&w, true);
	size_t octets = secondary_octets(w.s);
	assert_int_equal(show(&w, catalog, FOLLOW_NEW), E_EXISTS);
	assert_int_equal(take_zone(&w, catalog, zone_of(catalog, SOA(1)), &version), E_EXISTS);
	assert_null(version);
	assert_int_equal(w.n, 0);
	assert_int_equal(secondary_octets(w.s), octets);
	end(&w);
}

static void
octets_are_counted(void **state)
{
	(void)state;
	struct world w;
	begin(&w, false);
	size_t empty = secondary_octets(w.s), room = secondary_room(w.s);
	assert_true(empty != 0 && room == (1 << 20) - empty);
	assert_int_equal(show(&w, a, FOLLOW_NEW), OK);
	assert_true(secondary_octets(w.s) > empty);
	const struct zone *z = take(&w, a, SOA(1));
	size_t one = secondary_octets(w.s);
	assert_true(one >= empty + zone_octets(z));
	take_changes(&w, z, "x 60 A 192.0.2.2");
	assert_true(secondary_octets(w.s) > one);
	take(&w, b, SOA(1));
	assert_true(secondary_room(w.s) < (1 << 20) - secondary_octets(w.s)); /* for the old views */
	drop_old(&w);
	assert_int_equal(secondary_room(w.s), (1 << 20) - secondary_octets(w.s));

	size_t served = secondary_octets(w.s);
	assert_int_equal(show(&w, a, FOLLOW_WITHDRAWN), OK);
	assert_null(zone_notes_find(&secondary_view(w.s)->notes, a));
	assert_true(secondary_octets(w.s) > served - 1000); /* it is kept */
	assert_int_equal(show(&w, a, FOLLOW_PRESENT), OK);
	assert_int_equal(secondary_octets(w.s), served);
	assert_int_equal(zone_notes_find(&secondary_view(w.s)->notes, a)->state, NOTE_SERVED);
	assert_int_equal(show(&w, a, FOLLOW_EXPIRED), OK);
	assert_int_equal(zone_notes_find(&secondary_view(w.s)->notes, a)->state, NOTE_EXPIRED);
	assert_int_equal(show(&w, a, FOLLOW_FORGOTTEN), OK);
	assert_int_equal(show(&w, b, FOLLOW_FORGOTTEN), OK);
	assert_int_equal(secondary_octets(w.s), empty);
	drop_old(&w);
	assert_int_equal(secondary_room(w.s), room);
	end(&w);
}

/* ---- without memory ---- */

/* One step of each kind; *name and *answer: what is asked afterwards. */
enum kind { SHOW_NEW, SHOW_EXPIRED, SHOW_PRESENT, SHOW_WITHDRAWN, SHOW_FORGOTTEN, TAKE_FIRST, TAKE_WHOLE, TAKE_CHANGES, TAKE_KEPT, KINDS };

static const enum follow_presence shown[] = { FOLLOW_NEW, FOLLOW_EXPIRED, FOLLOW_PRESENT, FOLLOW_WITHDRAWN, FOLLOW_FORGOTTEN };

static const struct zone *
prepare(struct world *w, enum kind kind)
{
	const struct zone *z = NULL;
	begin(w, true);
	take(w, b, SOA(1));
	if (kind != SHOW_NEW && kind != TAKE_FIRST) {
		z = take(w, a, SOA(1));
	} else if (kind == TAKE_FIRST) {
		assert_int_equal(show(w, a, FOLLOW_NEW), OK);
	}
	if (kind == SHOW_PRESENT || kind == TAKE_KEPT) {
		assert_int_equal(show(w, a, FOLLOW_EXPIRED), OK);
	}
	return z;
}

static err_t
carry_out(struct world *w, enum kind kind, const struct zone *from, size_t allocations)
{
	const struct zone *version = NULL;
	if (kind <= SHOW_FORGOTTEN) {
		fail_after(allocations);
		return show(w, a, shown[kind]);
	}
	if (kind == TAKE_CHANGES) {
		struct zone_txn *t = changes_of(from, "new 60 A 192.0.2.2");
		fail_after(allocations);
		return take_txn(w, a, t, &version);
	}
	struct zone *z = zone_of(a, SOA(2) "new 60 A 192.0.2.2\n");
	fail_after(allocations);
	return take_zone(w, a, z, &version);
}

static const char *const before[KINDS] = { NOT_OURS, NO_NAME, EXPIRED, NO_NAME, NO_NAME, NEW, NO_NAME, NO_NAME, EXPIRED };
static const char *const after[KINDS] = { NEW, EXPIRED, NO_NAME, NOT_OURS, NOT_OURS, ANSWER, ANSWER, ANSWER, ANSWER };

static void
without_memory_all_is_as_it_was(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		size_t n = 0, refused = 0;
		bool was_short;
		do {
			struct world w;
			const struct zone *from = prepare(&w, kind);
			size_t octets = secondary_octets(w.s), views = w.n;
			err_t err = carry_out(&w, kind, from, n++);
			was_short = has_failed;
			if (err != OK) {
				assert_int_equal(err, E_NOMEM);
				assert_int_equal(w.n, views);
				assert_int_equal(secondary_octets(w.s), octets);
				assert_now(&w, "new.a.", before[kind]);
				refused++;
				assert_int_equal(carry_out(&w, kind, from, SIZE_MAX), OK);
			}
			assert_now(&w, "new.a.", after[kind]);
			assert_now(&w, "ns.b.", ANSWER);
			end(&w);
		} while (was_short);
		assert_true(refused >= 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_is_new_then_served),
		cmocka_unit_test(a_zone_of_an_earlier_run_is_shown_as_it_was),
		cmocka_unit_test(whole_zones_and_changes_make_a_history),
		cmocka_unit_test(the_same_zone_again_changes_nothing),
		cmocka_unit_test(a_zone_that_is_quite_different_begins_anew),
		cmocka_unit_test(an_older_serial_begins_anew),
		cmocka_unit_test(what_is_kept_comes_back),
		cmocka_unit_test(what_is_kept_gets_a_successor),
		cmocka_unit_test(zones_do_not_disturb_each_other),
		cmocka_unit_test(the_catalogs_name_is_taken),
		cmocka_unit_test(octets_are_counted),
		cmocka_unit_test(without_memory_all_is_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
