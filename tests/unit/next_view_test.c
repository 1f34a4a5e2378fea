/* Views that follow each other, of zones out of no file.  Linked with --wrap, see meson.build: every allocation fails once. */
#include "zone_text.h"

#include "auth/next_view.h"
#include "nomem.h"
#include "zone/history.h"

enum { ZONES = 3, T0 = 1000000 };

static const uint8_t *const apexes[ZONES] = { (const uint8_t *)"\1a", (const uint8_t *)"\1b", (const uint8_t *)"\1c" };

#define SOA(serial) "@ 60 SOA ns host " #serial " 7200 3600 1209600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n"

/* A server that has nothing but zones: what is served of each is kept beside the views. */
struct world {
	struct view_line line;
	struct zone *zone[ZONES]; /* NULL: not served */
};

static struct zone *
zone_of(size_t i, const char *text)
{
	struct findings f = { 0 };
	struct zone *z = NULL;
	assert_int_equal(text_build(text, apexes[i], &f, &z), OK);
	findings_fini(&f);
	return z;
}

static void
begin(struct world *w)
{
	struct name catalog = { 0 };
	assert_int_equal(name_parse("catalog.test", 12, NULL, &catalog), OK);
	*w = (struct world){ 0 };
	view_line_init(&w->line, &catalog);
}

static void
end(struct world *w)
{
	assert_int_equal(w->line.kept_octets, 0);
	view_line_fini(&w->line);
	for (size_t i = 0; i < ZONES; i++) {
		history_free_zone(&w->zone[i]);
	}
}

static void
assert_served(const struct world *w)
{
	size_t n = 0;
	for (size_t i = 0; i < ZONES; i++) {
		n += w->zone[i] != NULL;
		assert_ptr_equal(view_zone(w->line.latest, apexes[i]), w->zone[i]);
	}
	assert_int_equal(view_zones_n(w->line.latest), n);
}

/* PTR records of the catalog: SOA, NS and version are three. */
static size_t
members(const struct world *w)
{
	return w->line.latest->catalog->records - 3;
}

static void
publish(struct next_view *n, const char *commit)
{
	struct discard *old;
	const struct view *was = n->line->latest, *view = next_view_commit(n, commit, T0, &old);
	assert_ptr_equal(view, n->line->latest);
	assert_ptr_not_equal(view, was);
	assert_string_equal(view->commit, commit);
	assert_true(view->is_ready);
	assert_int_equal(n->line->kept_octets, discard_octets(old));
	discard_free(&old);
	assert_null(old);
	assert_int_equal(n->line->kept_octets, 0);
}

/* ---- changes of each kind ---- */

static err_t
come(struct world *w, size_t i, const char *text)
{
	struct next_view n;
	struct zone *z = zone_of(i, text);
	err_t err = next_view_begin(&n, &w->line, 1);
	if (err == OK && (err = next_view_put(&n, z, NULL)) != OK) {
		next_view_rollback(&n);
	}
	if (err != OK) {
		zone_free(&z);
		return err;
	}
	w->zone[i] = z;
	publish(&n, "");
	return OK;
}

/* As a version that was read or transferred whole.  `limit`: changes that are listed; *is_made: out of the one that was served. */
static err_t
change(struct world *w, size_t i, const char *text, size_t limit, bool *is_made)
{
	struct next_view n;
	struct zone_changes changes;
	struct zone *z = zone_of(i, text), *read = z;
	assert_int_equal(zone_changes_find(w->zone[i], z, limit, &changes), OK);
	err_t err = next_view_begin(&n, &w->line, 1);
	if (err == OK && (err = next_view_put(&n, z, w->zone[i])) != OK) {
		next_view_rollback(&n);
	}
	if (err == OK) {
		w->zone[i] = next_view_follow(&n, w->zone[i], &z, &changes);
		*is_made = w->zone[i] != read;
		assert_true((z != NULL) == *is_made);
		publish(&n, "");
	}
	zone_changes_fini(&changes);
	zone_free(&z);
	return err;
}

static void
put_rr(struct zone_txn *t, const uint8_t *apex, bool is_added, const char *line)
{
	const struct text_rr rr = text_rr(line, apex);
	assert_int_equal(is_added ? zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen)
	                          : zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen), OK);
}

/* As a step of an update or an incremental transfer. */
static void
change_by_txn(struct world *w, size_t i)
{
	struct next_view n;
	struct zone_txn *t;
	struct zone_changes changes;
	const struct zone *prepared;
	assert_int_equal(zone_txn_begin(w->zone[i], &t), OK);
	put_rr(t, apexes[i], false, "@ 60 SOA ns host 1 7200 3600 1209600 60");
	put_rr(t, apexes[i], true, "@ 60 SOA ns host 2 7200 3600 1209600 60");
	put_rr(t, apexes[i], true, "www 60 A 192.0.2.80");
	assert_int_equal(zone_txn_prepare(t, &prepared), OK);
	assert_int_equal(zone_changes_of(t, &changes), OK);
	assert_int_equal(next_view_begin(&n, &w->line, 1), OK);
	assert_int_equal(next_view_put(&n, (struct zone *)(uintptr_t)prepared, w->zone[i]), OK);
	w->zone[i] = next_view_follow_txn(&n, w->zone[i], &t, &changes);
	assert_ptr_equal(w->zone[i], prepared);
	publish(&n, "c0ffee");
	zone_changes_fini(&changes);
}

static err_t
go(struct world *w, size_t i)
{
	struct next_view n;
	err_t err = next_view_begin(&n, &w->line, 1);
	if (err == OK && (err = next_view_claim(&n, apexes[i])) != OK) {
		next_view_rollback(&n);
	}
	if (err == OK) {
		next_view_remove(&n, w->zone[i]);
		w->zone[i] = NULL;
		publish(&n, "");
	}
	return err;
}

/* A zone is shut, opened, withdrawn or put back. */
static err_t
show(struct world *w, err_t (*turn)(struct next_view *n, size_t i, void *arg), size_t i, void *arg)
{
	struct next_view n;
	err_t err = next_view_begin(&n, &w->line, 1);
	if (err == OK && (err = turn(&n, i, arg)) != OK) {
		next_view_rollback(&n);
	}
	if (err == OK) {
		publish(&n, "");
	}
	return err;
}

static err_t
shut(struct next_view *n, size_t i, void *why)
{
	return next_view_shut(n, apexes[i], *(const enum shut_why *)why);
}

static err_t
open_again(struct next_view *n, size_t i, void *unused)
{
	(void)unused;
	return next_view_open(n, apexes[i]);
}

static err_t
withdraw(struct next_view *n, size_t i, void *unused)
{
	(void)unused;
	return next_view_withdraw(n, apexes[i]);
}

static err_t
put_back(struct next_view *n, size_t i, void *z)
{
	(void)i;
	return next_view_put(n, z, NULL);
}

/* Twice in one view, and then it is not published. */
static err_t
shut_twice(struct next_view *n, size_t i, void *err)
{
	TRY(next_view_shut(n, apexes[i], SHUT_NEW));
	TRY(next_view_shut(n, apexes[i], SHUT_EXPIRED));
	return *(const err_t *)err;
}

/* ---- what must hold ---- */

static void
zones_come_change_and_go(void **state)
{
	(void)state;
	struct world w;
	bool is_made;
	begin(&w);
	assert_false(w.line.latest->is_ready);
	assert_served(&w);
	assert_int_equal(come(&w, 0, SOA(1)), OK);
	assert_int_equal(come(&w, 1, SOA(1)), OK);
	assert_served(&w);
	assert_int_equal(members(&w), 2);

	assert_int_equal(change(&w, 0, SOA(2) "x 60 A 192.0.2.2\n", 100, &is_made), OK);
	assert_true(is_made); /* little changed: it shares the rest */
	assert_int_equal(change(&w, 0, SOA(3), 1, &is_made), OK);
	assert_false(is_made);
	assert_served(&w);
	assert_int_equal(w.zone[0]->serial, 3);

	change_by_txn(&w, 1);
	assert_served(&w);
	assert_int_equal(w.zone[1]->serial, 2);

	assert_int_equal(go(&w, 0), OK);
	assert_served(&w);
	assert_int_equal(members(&w), 1);
	end(&w);
}

static void
steps_are_kept_for_incremental_transfers(void **state)
{
	(void)state;
	struct world w;
	const struct delta *steps[4];
	bool is_made;
	size_t n;
	begin(&w);
	assert_int_equal(come(&w, 1, SOA(1)), OK);
	change_by_txn(&w, 1);
	assert_int_equal(change(&w, 1, SOA(3), 100, &is_made), OK);
	assert_int_equal(history_last(w.zone[1], 1, steps, ARRAY_LEN(steps), &n), OK);
	assert_int_equal(n, 2);
	assert_int_equal(change(&w, 1, SOA(4), 1, &is_made), OK); /* not known record by record */
	assert_int_equal(history_last(w.zone[1], 3, steps, ARRAY_LEN(steps), &n), E_NOTFOUND);
	end(&w);
}

static void
a_name_that_is_taken_stays_whose_it_is(void **state)
{
	(void)state;
	struct world w;
	struct findings f = { 0 };
	struct zone *z = NULL;
	struct next_view n;
	begin(&w);
	assert_int_equal(come(&w, 0, SOA(1)), OK);
	assert_int_equal(come(&w, 1, SOA(1)), OK);

	struct zone *other = zone_of(0, SOA(9));
	assert_int_equal(next_view_begin(&n, &w.line, 1), OK);
	assert_int_equal(next_view_put(&n, other, NULL), E_EXISTS);
	assert_int_equal(next_view_put(&n, other, w.zone[1]), E_EXISTS);
	publish(&n, "");
	assert_served(&w);
	zone_free(&other);

	struct view_line fresh; /* also before there is a catalog */
	view_line_init(&fresh, &w.line.catalog);
	assert_int_equal(text_build(SOA(1), w.line.catalog.oct, &f, &z), OK);
	assert_int_equal(next_view_begin(&n, &fresh, 1), OK);
	assert_int_equal(next_view_put(&n, z, NULL), E_EXISTS);
	next_view_rollback(&n);
	view_line_fini(&fresh);
	zone_free(&z);
	findings_fini(&f);
	end(&w);
}

static void
zones_are_shut_and_opened(void **state)
{
	(void)state;
	struct world w;
	enum shut_why new = SHUT_NEW, expired = SHUT_EXPIRED;
	err_t refused = E_REFUSED, ok = OK;
	begin(&w);
	assert_null(view_shut_zone(w.line.latest, apexes[0]));
	assert_int_equal(show(&w, shut, 0, &new), OK);
	assert_int_equal(show(&w, shut, 1, &expired), OK);
	assert_int_equal(view_shut_zone(w.line.latest, apexes[0])->why, SHUT_NEW);
	assert_int_equal(view_shut_zone(w.line.latest, apexes[1])->why, SHUT_EXPIRED);
	assert_null(view_shut_zone(w.line.latest, apexes[2]));
	assert_int_equal(show(&w, shut, 0, &expired), OK); /* for another reason */
	assert_int_equal(view_shut_zone(w.line.latest, apexes[0])->why, SHUT_EXPIRED);

	assert_int_equal(show(&w, shut_twice, 2, &refused), E_REFUSED);
	assert_int_equal(w.line.latest->shut.n, 2);
	assert_int_equal(show(&w, shut_twice, 2, &ok), OK);
	assert_int_equal(w.line.latest->shut.n, 3);

	assert_int_equal(show(&w, open_again, 0, NULL), OK);
	assert_int_equal(show(&w, open_again, 0, NULL), OK); /* it was open */
	assert_null(view_shut_zone(w.line.latest, apexes[0]));
	assert_int_equal(come(&w, 0, SOA(1)), OK);
	assert_int_equal(show(&w, shut, 0, &new), E_EXISTS); /* it is served */
	assert_int_equal(show(&w, open_again, 2, NULL), OK);
	assert_int_equal(w.line.latest->shut.n, 1);
	assert_served(&w);
	end(&w); /* the sanitizers see that each is freed, once */
}

static void
what_is_unknown_is_counted(void **state)
{
	(void)state;
	struct world w;
	enum shut_why new = SHUT_NEW, unknown = SHUT_UNKNOWN;
	err_t refused = E_REFUSED;
	begin(&w);
	assert_false(view_may_have_unknown(w.line.latest, name_root));
	assert_int_equal(show(&w, shut, 0, &unknown), OK);
	assert_int_equal(show(&w, shut, 0, &unknown), OK);
	assert_int_equal(show(&w, shut, 1, &new), OK);
	assert_int_equal(show(&w, shut_twice, 2, &refused), E_REFUSED);
	assert_int_equal(w.line.latest->unknown_n, 1);
	assert_true(view_may_have_unknown(w.line.latest, name_root));
	assert_true(view_may_have_unknown(w.line.latest, apexes[0]));
	assert_false(view_may_have_unknown(w.line.latest, apexes[1]));
	assert_int_equal(show(&w, shut, 0, &new), OK); /* it is a zone, as it turns out */
	assert_int_equal(w.line.latest->unknown_n, 0);
	assert_int_equal(show(&w, shut, 1, &unknown), OK);
	assert_int_equal(show(&w, open_again, 1, NULL), OK);
	assert_int_equal(show(&w, open_again, 1, NULL), OK);
	assert_int_equal(w.line.latest->unknown_n, 0);
	end(&w);
}

static void
the_catalog_is_not_shut(void **state)
{
	(void)state;
	struct world w;
	struct next_view n;
	begin(&w);
	assert_int_equal(next_view_begin(&n, &w.line, 1), OK);
	assert_int_equal(next_view_shut(&n, w.line.catalog.oct, SHUT_NEW), E_EXISTS);
	next_view_rollback(&n);
	end(&w);
}

static void
a_zone_that_was_withdrawn_comes_back(void **state)
{
	(void)state;
	struct world w;
	begin(&w);
	assert_int_equal(come(&w, 0, SOA(1)), OK);
	assert_int_equal(come(&w, 1, SOA(1)), OK);
	assert_int_equal(show(&w, withdraw, 0, NULL), OK);
	assert_int_equal(show(&w, withdraw, 2, NULL), OK); /* was never there */
	struct zone *kept = w.zone[0];
	w.zone[0] = NULL;
	assert_served(&w);
	assert_int_equal(members(&w), 1);
	assert_int_equal(kept->serial, 1);
	assert_int_equal(show(&w, put_back, 0, kept), OK);
	w.zone[0] = kept;
	assert_served(&w);
	assert_int_equal(show(&w, withdraw, 0, NULL), OK);
	assert_int_equal(go(&w, 0), OK); /* without being served again */
	assert_served(&w);
	end(&w);
}

static void
keys_stay_until_others_come(void **state)
{
	(void)state;
	struct world w;
	struct next_view n;
	struct keystore *keys = keystore_new(NULL), *others = keystore_new(NULL);
	struct secondaries *secondaries = secondaries_new();
	begin(&w);
	assert_int_equal(next_view_begin(&n, &w.line, 0), OK);
	next_view_set_keys(&n, keys, secondaries);
	publish(&n, "");
	assert_ptr_equal(w.line.latest->keys, keys);
	assert_int_equal(come(&w, 0, SOA(1)), OK);
	assert_ptr_equal(w.line.latest->keys, keys);
	assert_ptr_equal(w.line.latest->secondaries, secondaries);
	size_t octets = keystore_octets(keys) + secondaries_octets(secondaries);
	struct discard *old;
	assert_int_equal(next_view_begin(&n, &w.line, 0), OK);
	next_view_set_keys(&n, others, NULL);
	(void)next_view_commit(&n, "", T0, &old);
	assert_true(discard_octets(old) >= octets && w.line.kept_octets == discard_octets(old));
	discard_free(&old); /* the sanitizers see that the first are freed, once */
	assert_ptr_equal(w.line.latest->keys, others);
	assert_null(w.line.latest->secondaries);
	end(&w);
}

/* ---- without memory ---- */

/* All of it but the making of zones, which is not what this is about. */
static err_t
put_change_and_claim(struct world *w, struct zone *new, struct zone *changed, struct next_view *n)
{
	TRY(next_view_begin(n, &w->line, 3));
	err_t err = next_view_put(n, new, NULL);
	err = err == OK ? next_view_put(n, changed, w->zone[0]) : err;
	err = err == OK ? next_view_claim(n, apexes[1]) : err;
	err = err == OK ? next_view_shut(n, (const uint8_t *)"\1d", SHUT_NEW) : err;
	err = err == OK ? next_view_open(n, (const uint8_t *)"\1e") : err;
	if (err != OK) {
		next_view_rollback(n);
	}
	return err;
}

/* With so many allocations; true: all three changes were made. */
static bool
change_all(struct world *w, size_t allocations)
{
	struct next_view n;
	struct zone *new = zone_of(2, SOA(1)), *changed = zone_of(0, SOA(2));
	struct zone_changes changes;
	const struct view *was = w->line.latest;
	assert_int_equal(zone_changes_find(w->zone[0], changed, 100, &changes), OK);
	fail_after(allocations);
	err_t err = put_change_and_claim(w, new, changed, &n);
	if (err == OK) {
		w->zone[2] = new;
		w->zone[0] = next_view_follow(&n, w->zone[0], &changed, &changes);
		next_view_remove(&n, w->zone[1]);
		w->zone[1] = NULL;
		publish(&n, "");
	} else {
		assert_int_equal(err, E_NOMEM);
		assert_ptr_equal(w->line.latest, was);
		zone_free(&new);
	}
	is_failing = false;
	assert_true((view_shut_zone(w->line.latest, (const uint8_t *)"\1d") != NULL) == (err == OK));
	assert_true((view_shut_zone(w->line.latest, (const uint8_t *)"\1e") == NULL) == (err == OK));
	zone_changes_fini(&changes);
	zone_free(&changed);
	assert_served(w);
	return err == OK;
}

static err_t
shut_both(struct next_view *n, size_t i, void *unused)
{
	(void)i, (void)unused;
	TRY(next_view_shut(n, (const uint8_t *)"\1e", SHUT_NEW));
	return next_view_shut(n, (const uint8_t *)"\1f", SHUT_NEW);
}

static void
without_memory_all_is_as_it_was(void **state)
{
	(void)state;
	size_t n = 0, refused = 0;
	bool was_short;
	do {
		struct world w;
		begin(&w);
		assert_int_equal(come(&w, 0, SOA(1)), OK);
		assert_int_equal(come(&w, 1, SOA(1)), OK);
		assert_int_equal(show(&w, shut_both, 0, NULL), OK);
		bool is_made = change_all(&w, n++);
		was_short = has_failed;
		refused += !is_made;
		assert_true(is_made || was_short);
		assert_int_equal(is_made || change_all(&w, SIZE_MAX), true);
		assert_int_equal(w.zone[0]->serial, 2);
		assert_int_equal(go(&w, 2), OK); /* the catalog may have been behind: it is made anew */
		assert_int_equal(members(&w), 1);
		end(&w);
	} while (was_short);
	assert_true(refused >= 4 && n > refused + 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_come_change_and_go),
		cmocka_unit_test(steps_are_kept_for_incremental_transfers),
		cmocka_unit_test(a_name_that_is_taken_stays_whose_it_is),
		cmocka_unit_test(zones_are_shut_and_opened),
		cmocka_unit_test(what_is_unknown_is_counted),
		cmocka_unit_test(the_catalog_is_not_shut),
		cmocka_unit_test(a_zone_that_was_withdrawn_comes_back),
		cmocka_unit_test(keys_stay_until_others_come),
		cmocka_unit_test(without_memory_all_is_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
