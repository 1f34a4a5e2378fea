/* Primaries that answer badly, too much or not at all; connections that do not last; want of memory. */
#include "follower_world.h"

static void
a_stream_that_is_cut_changes_nothing(void **state)
{
	struct world w;
	(void)state;
	for (unsigned cut = 1; cut <= 8; cut++) {
		world_begin(&w);
		COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
		follow(&w, 0, KEY);
		run(&w, S);
		w.primary[0].cut_after = cut;
		primary_free(&w.primary[0].primary);
		COMMIT(&w, 0, KEYS, { "example", large_zone("8") });
		notify(&w, 0, "example", KEY, 8);
		run(&w, S);
		assert_int_equal(serial_of(&w, "example"), w.events[FOLLOW_TRANSFERRED] == 2 ? 8 : 7); /* it has fewer messages than 8 */
		assert_true(cut > 2 || w.events[FOLLOW_TRANSFERRED] == 1);
		assert_int_equal(w.events[FOLLOW_FAILED] != 0, cut != 1 && w.events[FOLLOW_TRANSFERRED] == 1);
		w.primary[0].cut_after = 0;
		run(&w, HOUR);
		assert_int_equal(serial_of(&w, "example"), 8);
		assert_int_equal(held(&w, "example")->version->records, 4003);
		world_fini(&w);
	}
}

static void
a_stream_with_a_wrong_octet_changes_nothing(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	w.primary[0].is_garbled = true;
	COMMIT(&w, 0, KEYS, { "example", large_zone("8") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_true(w.events[FOLLOW_FAILED] != 0);
	w.primary[0].is_garbled = false;
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

static void
a_stream_without_end_is_ended(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	w.primary[0].is_endless = true;
	COMMIT(&w, 0, KEYS, { "example", large_zone("8") });
	follow(&w, 0, KEY);
	run(&w, 10500 * MS);
	assert_int_equal(serial_of(&w, "example"), 0);
	assert_string_equal(w.why, "the primary does not answer");
	assert_int_equal(follower_stats(w.f)->transferring, 0);
	world_fini(&w);
}

static void
too_many_records_are_refused(void **state)
{
	struct world w;
	(void)state;
	world_begin_conf(&w, (struct follower_conf){ .records_max = 1000 });
	COMMIT(&w, 0, KEYS, { "example", large_zone("8") });
	follow(&w, 0, KEY);
	run(&w, 30 * S);
	assert_int_equal(serial_of(&w, "example"), 0);
	assert_non_null(strstr(w.why, "more than 1000 records"));
	world_fini(&w);
}

static void
no_memory_is_tried_again(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	w.no_room = true;
	follow(&w, 0, KEY);
	run(&w, 10 * MS);
	assert_true(w.events[FOLLOW_NO_ROOM] != 0);
	w.no_room = false;
	run(&w, 10 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	world_fini(&w);
}

/* What cannot be shown for want of memory changes nothing else: the zone neither expires nor goes, and in the end it is shown. */
static void
no_memory_drops_nothing(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, ROOT_KEY);
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, S);
	COMMIT(&w, 0, ROOT_KEYS, { "example.net", ZONE("9", "") });
	w.no_room = true;
	notify(&w, 0, "example", ROOT_KEY, 0);
	run(&w, S);
	w.no_room = false;
	run(&w, 10 * S);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT); /* denied, but that could not be shown yet */
	run(&w, HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_WITHDRAWN);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") });
	w.no_room = true;
	notify(&w, 0, "example", ROOT_KEY, 0);
	run(&w, 500 * MS);
	w.no_room = false;
	run(&w, 10 * S);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	assert_int_equal(w.primary[0].transfers, 1);
	world_fini(&w);
}

/* The zone is gone, which cannot be shown: it does not expire for that, and goes later. */
static void
no_memory_to_withdraw_is_no_expiry(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("9", "") });
	follow(&w, 0, KEY);
	run(&w, S);
	w.no_room = true;
	COMMIT(&w, 0, KEYS, { "example.net", ZONE("9", "") });
	notify(&w, 0, "example", KEY, 0);
	run(&w, 10 * S);
	assert_true(w.events[FOLLOW_NO_ROOM] != 0);
	w.no_room = false;
	run(&w, 10 * S);
	assert_int_equal(w.events[FOLLOW_EXPIRY], 0);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_PRESENT);
	run(&w, HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_WITHDRAWN);
	world_fini(&w);
}

static void
no_memory_keeps_no_zone_that_is_denied(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example.net", ZONE("9", "") });
	follow(&w, 0, ROOT_KEY);
	w.no_room = true;
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, 10 * MS);
	w.no_room = false;
	run(&w, 10 * S);
	assert_int_equal(follower_stats(w.f)->zones, 0);
	world_fini(&w);
}

/* An expired zone comes back, or is gone, which cannot be shown at first: it is asked about until it can. */
static void
no_memory_after_expiry_is_tried_again(void **state)
{
	struct world w;
	(void)state;
	for (unsigned is_gone = 0; is_gone < 2; is_gone++) {
		world_begin(&w);
		COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("9", "") });
		follow(&w, 0, KEY);
		run(&w, S);
		w.primary[0].is_silent = true;
		run(&w, 2 * DAY);
		assert_int_equal(held(&w, "example")->presence, FOLLOW_EXPIRED);
		w.no_room = true;
		w.primary[0].is_silent = false;
		if (is_gone) {
			COMMIT(&w, 0, KEYS, { "example.net", ZONE("9", "") });
		}
		run(&w, 2 * HOUR);
		assert_int_equal(held(&w, "example")->presence, FOLLOW_EXPIRED);
		w.no_room = false;
		run(&w, 2 * HOUR);
		assert_int_equal(held(&w, "example")->presence, is_gone ? FOLLOW_FORGOTTEN : FOLLOW_PRESENT);
		world_fini(&w);
	}
}

/* The connection is kept as far as we are concerned, but the primary closes it after so many answers. */
static void
begin_kept_and_closed(struct world *w, unsigned closes_after)
{
	world_begin(w);
	w->primary[0].closes_after = closes_after;
	COMMIT(w, 0, KEYS, { "example", ZONE("7", "") });
	follow_with(w, 0, KEY, SECRET, true);
}

static void
a_kept_link_is_made_again(void **state)
{
	struct world w;
	(void)state;
	begin_kept_and_closed(&w, 3);
	run(&w, 3 * S);
	assert_true(w.primary[0].connections >= 2);
	world_fini(&w);
}

/* Each connection brings three answers, and no NOTIFY comes over any: what changes between two of them is in the answer to the first
 * question over the next one. */
static void
what_changes_without_a_kept_link_is_heard_of(void **state)
{
	struct world w;
	(void)state;
	begin_kept_and_closed(&w, 3);
	run(&w, S / 2);
	assert_int_equal(serial_of(&w, "example"), 7);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	run(&w, 2 * S);
	assert_int_equal(serial_of(&w, "example"), 8);
	w.primary[0].closes_after = 2;
	COMMIT(&w, 0, KEYS);
	run(&w, 4 * S);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_WITHDRAWN);
	COMMIT(&w, 0, KEYS, { "example", ZONE("9", "") });
	run(&w, 8 * S);
	assert_int_equal(serial_of(&w, "example"), 9);
	world_fini(&w);
}

/* A primary sends NOTIFYs over a link from the question about the domain on: what was asked over it before may be older. */
static void
what_changes_before_a_new_link_is_heard_over_is_not_missed(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") });
	follow_with(&w, 0, ROOT_KEY, SECRET, true);
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, 60 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	w.primary[0].closes_after = w.primary[0].answered + 1;
	notify(&w, 0, "example", ROOT_KEY, 8);
	run(&w, S / 10);
	w.primary[0].closes_after = 0;
	unsigned connections = w.primary[0].connections;
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", ROOT_KEY, 8);
	run(&w, S / 10);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(w.primary[0].connections, connections + 1);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("9", "") });
	run(&w, 10 * S);
	assert_int_equal(serial_of(&w, "example"), 9);
	world_fini(&w);
}

/* "example" is as it was, and what is bad was tried now and then. */
static void
end_after_few_tries(struct world *w)
{
	assert_int_equal(serial_of(w, "example"), 7);
	assert_in_range(w->primary[0].transfers, 3, 12);
	world_fini(w);
}

#define OFTEN(serial) "$TTL 60\n@ SOA ns host " serial " 300 900 86400 60\n@ NS ns\nns A 192.0.2.1\n"

/* RETRY is longer than REFRESH here: what a NOTIFY began, and what failed, is no reason to ask later than without it. */
static void
a_notify_that_fails_puts_off_no_refresh(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", OFTEN("7") });
	follow(&w, 0, KEY);
	run(&w, 10 * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	w.primary[0].failing = "example";
	notify(&w, 0, "example", KEY, 8);
	run(&w, 10 * S);
	assert_true(w.events[FOLLOW_FAILED] != 0);
	w.primary[0].failing = NULL;
	COMMIT(&w, 0, KEYS, { "example", OFTEN("8") });
	run(&w, 300 * S);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

/* A zone that cannot be taken, and ends the link each time, is tried at its own pace. */
static void
a_bad_zone_is_not_hurried_by_a_kept_link(void **state)
{
	struct world w;
	(void)state;
	begin_kept_with_version_7(&w);
	w.primary[0].is_garbled = true;
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8);
	run(&w, HOUR);
	end_after_few_tries(&w);
}

/* The primary closes each connection at once: that is no reason to make one every second. */
static void
a_kept_link_that_does_not_last_is_made_less_often(void **state)
{
	struct world w;
	(void)state;
	begin_kept_and_closed(&w, 1);
	run(&w, HOUR);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_in_range(w.primary[0].connections, 10, 30);
	world_fini(&w);
}

/* Behind one address there may be several primaries, of which one is behind. */
static void
an_older_serial_in_place_of_changes_is_no_refresh(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("8", "") });
	notify(&w, 0, "example", KEY, 8); /* the question is answered, and the answer is on its way */
	primary_free(&w.primary[0].primary);
	COMMIT(&w, 0, KEYS, { "example", ZONE("5", "") });
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.events[FOLLOW_CURRENT], 0);
	assert_non_null(strstr(w.why, "serial 5, which is older than ours (7)"));
	world_fini(&w);
}

static void
no_link_is_made_for_a_transfer_that_has_to_wait(void **state)
{
	struct world w;
	(void)state;
	world_begin_conf(&w, (struct follower_conf){ .transfers_max = 1 });
	COMMIT(&w, 0, KEYS, { "example", large_zone("8") });
	COMMIT(&w, 1, { "net._keys", "a._transfer.net. DNSKEY 0 3 163 " SECRET "\n" }, { "net", ZONE("9", "") });
	w.primary[0].is_endless = true;
	follow(&w, 0, KEY);
	run(&w, S);
	assert_int_equal(follower_stats(w.f)->transferring, 1);
	follow(&w, 1, "a._transfer.net");
	w.primary[1].closes_after = 2; /* the domain, and the zone */
	run(&w, S);
	assert_int_equal(w.primary[1].connections, 1);
	w.primary[1].is_down = true;
	run(&w, 5 * S);
	assert_int_equal(w.primary[1].connections, 1);
	w.primary[1].is_down = false;
	run(&w, 10 * S);
	assert_int_equal(serial_of(&w, "net"), 9);
	world_fini(&w);
}

/* Also when others are answered all the time. */
static void
a_question_that_is_never_answered_is_given_up(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") }, { "example.net", ZONE("9", "") });
	follow(&w, 0, ROOT_KEY);
	notify(&w, 0, "example", ROOT_KEY, 7);
	notify(&w, 0, "example.net", ROOT_KEY, 9);
	run(&w, S);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("8", "") }, { "example.net", ZONE("9", "") });
	w.primary[0].ignored = "example";
	notify(&w, 0, "example", ROOT_KEY, 8);
	for (unsigned i = 0; i < 70 && w.events[FOLLOW_FAILED] == 0; i++) {
		notify(&w, 0, "example.net", ROOT_KEY, 0);
		run(&w, S);
	}
	assert_int_equal(w.events[FOLLOW_FAILED], 1);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 0);
	assert_string_equal(w.why, "the primary answers other questions, but not this one");
	w.primary[0].ignored = NULL;
	run(&w, 700 * S);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

static void
forged_notifies_hammer_no_primary(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	w.primary[0].is_down = true;
	post(&w, 0, NULL, 0, true);
	run(&w, S);
	unsigned connections = w.primary[0].connections;
	for (unsigned i = 0; i < 1000; i++) {
		notify(&w, 0, "example", NULL, 0);
		run(&w, 10 * MS);
	}
	assert_in_range(w.primary[0].connections - connections, 5, 12); /* one a second */
	w.primary[0].is_down = false;
	notify(&w, 0, "example", NULL, 0);
	run(&w, 2 * S);
	assert_int_equal(follower_stats(w.f)->links, 1);
	world_fini(&w);
}

static void
answers_that_nobody_has_asked_for_end_the_link(void **state)
{
	struct world w;
	const uint8_t answer[DNS_HEADER_LEN] = { 1, 2, 0x84 };
	(void)state;
	begin_with_version_7(&w);
	for (unsigned i = 0; i < 200 && w.is_open[0]; i++) {
		post(&w, 0, answer, sizeof answer, false);
		run(&w, S);
	}
	assert_in_range(follower_stats(w.f)->unexpected, 50, 150);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 1);
	assert_int_equal(serial_of(&w, "example"), 7);
	world_fini(&w);
}

static void
a_notify_is_not_held_up_by_another_primary_that_is_down(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	COMMIT(&w, 1, KEYS, { "example", ZONE("7", "") });
	follow(&w, 0, KEY);
	run(&w, S);
	follow(&w, 1, KEY);
	follow(&w, 0, "a._transfer.net"); /* is asked about again and again, so that the link fails for longer and longer */
	run(&w, S);
	w.primary[0].is_down = true;
	post(&w, 0, NULL, 0, true);
	await_turn(&w, "example"); /* at the next attempt to reach the one that answered last */
	COMMIT(&w, 1, KEYS, { "example", ZONE("8", "") });
	notify(&w, 1, "example", KEY, 8);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	world_fini(&w);
}

/* The primary tells of version 8, and cannot send the changes. */
static void
begin_with_a_bad_journal(struct world *w)
{
	begin_with_version_7(w);
	w->primary[0].has_bad_journal = true;
	COMMIT(w, 0, KEYS, { "example", ZONE("8", "") });
	notify(w, 0, "example", KEY, 8);
}

static void
changes_that_cannot_be_had_lead_to_the_whole_zone(void **state)
{
	struct world w;
	(void)state;
	begin_with_a_bad_journal(&w);
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 8);
	assert_int_equal(follower_stats(w.f)->whole_again, 1);
	assert_int_equal(w.transferred.form, INCOMING_WHOLE);
	world_fini(&w);
}

/* It begins anew between its answer and the transfer. */
static void
a_whole_zone_that_is_older_is_not_taken(void **state)
{
	struct world w;
	(void)state;
	begin_with_a_bad_journal(&w);
	run(&w, 3 * MS); /* the changes are asked for */
	primary_free(&w.primary[0].primary);
	COMMIT(&w, 0, KEYS, { "example", ZONE("5", "") });
	run(&w, S);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_non_null(strstr(w.why, "serial 5, which is older than ours (7)"));
	world_fini(&w);
}

/* One zone's stream is bad, which ends the link: the transfer of another one, which was under way, begins anew and has not failed. */
static void
a_bad_zone_fails_no_other(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", large_zone("7") }, { "example.net", ZONE("9", "") });
	w.primary[0].spread_ms = 20;
	w.primary[0].garbled = "example.net";
	follow(&w, 0, ROOT_KEY);
	run(&w, S);
	notify(&w, 0, "example", ROOT_KEY, 7);
	run(&w, 50 * MS);
	assert_int_equal(follower_stats(w.f)->transferring, 1);
	notify(&w, 0, "example.net", ROOT_KEY, 9);
	run(&w, 700 * MS);
	assert_int_equal(w.primary[0].connections, 2);
	assert_int_equal(serial_of(&w, "example"), 7);
	assert_int_equal(w.events[FOLLOW_FAILED], 1);
	assert_int_equal(w.events[FOLLOW_LINK_DOWN], 0);
	assert_int_equal(follower_stats(w.f)->failed, 1);
	w.primary[0].garbled = NULL;
	run(&w, 10 * S);
	assert_int_equal(serial_of(&w, "example.net"), 9);
	world_fini(&w);
}

/* A zone whose transfer has ended a link waits until no other one is under way there. */
static void
a_bad_zone_breaks_off_no_long_transfer_again_and_again(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", large_zone("7") }, { "example.net", ZONE("9", "") });
	w.primary[0].spread_ms = 5000; /* longer than until the bad zone is tried again */
	w.primary[0].garbled = "example.net";
	follow(&w, 0, ROOT_KEY);
	notify(&w, 0, "example", ROOT_KEY, 7);
	notify(&w, 0, "example.net", ROOT_KEY, 9);
	run(&w, 100 * S);
	end_after_few_tries(&w);
}

/* An answer is of no use as soon as its first message has come: the rest of it is not waited for, which ends the link. */
static void
an_unwanted_answer_fails_no_other(void **state)
{
	struct world w;
	(void)state;
	begin_with_version_7(&w);
	follow(&w, 0, "a._transfer.net");
	w.primary[0].has_bad_journal = true;
	w.primary[0].spread_ms = 20;
	COMMIT(&w, 0, { "_keys", KEY ". DNSKEY 0 3 163 " SECRET "\na._transfer.net. DNSKEY 0 3 163 " SECRET "\n" },
	       { "example", ZONE("8", "") }, { "net", large_zone("3") });
	notify(&w, 0, "net", "a._transfer.net", 3);
	run(&w, 30 * MS);
	assert_int_equal(follower_stats(w.f)->transferring, 1);
	notify(&w, 0, "example", KEY, 8);
	run(&w, 3 * MS); /* the changes are asked for */
	primary_free(&w.primary[0].primary);
	COMMIT(&w, 0, { "_keys", KEY ". DNSKEY 0 3 163 " SECRET "\na._transfer.net. DNSKEY 0 3 163 " SECRET "\n" },
	       { "example", large_zone("5") }, { "net", large_zone("3") });
	run(&w, S);
	assert_non_null(strstr(w.why, "serial 5, which is older than ours (7)"));
	assert_int_equal(serial_of(&w, "net"), 3);
	assert_int_equal(follower_stats(w.f)->failed, 1);
	assert_true(w.primary[0].connections >= 2);
	world_fini(&w);
}

/* A secondary that has just started is asked by secondaries of its own, which may still serve the zone. */
static void
a_zone_that_has_expired_at_its_primary_is_not_denied(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, KEYS, { "example", ZONE("7", "") });
	w.primary[0].failing = "example";
	follow(&w, 0, KEY);
	run(&w, HOUR);
	assert_int_equal(held(&w, "example")->presence, FOLLOW_UNKNOWN);
	assert_in_range(w.primary[0].asked, 12, 24);
	w.primary[0].failing = NULL;
	run(&w, FOLLOWER_NEW_MAX_S * S);
	assert_int_equal(serial_of(&w, "example"), 7);
	world_fini(&w);
}

static void
a_primary_that_has_just_started_does_not_deny_a_domain(void **state)
{
	struct world w;
	(void)state;
	world_begin(&w);
	COMMIT(&w, 0, ROOT_KEYS, { "example", ZONE("7", "") });
	w.primary[0].failing = ".";
	follow(&w, 0, ROOT_KEY);
	run(&w, HOUR);
	assert_int_equal(held(&w, ".")->presence, FOLLOW_UNKNOWN);
	w.primary[0].failing = NULL;
	run(&w, (FOLLOWER_NEW_MAX_S + FOLLOWER_FIND_S + 1) * S);
	assert_null(held(&w, "."));
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_that_has_expired_at_its_primary_is_not_denied),
		cmocka_unit_test(a_primary_that_has_just_started_does_not_deny_a_domain),
		cmocka_unit_test(a_stream_that_is_cut_changes_nothing),
		cmocka_unit_test(a_stream_with_a_wrong_octet_changes_nothing),
		cmocka_unit_test(a_stream_without_end_is_ended),
		cmocka_unit_test(too_many_records_are_refused),
		cmocka_unit_test(no_memory_is_tried_again),
		cmocka_unit_test(no_memory_drops_nothing),
		cmocka_unit_test(no_memory_keeps_no_zone_that_is_denied),
		cmocka_unit_test(a_kept_link_is_made_again),
		cmocka_unit_test(an_older_serial_in_place_of_changes_is_no_refresh),
		cmocka_unit_test(no_link_is_made_for_a_transfer_that_has_to_wait),
		cmocka_unit_test(a_question_that_is_never_answered_is_given_up),
		cmocka_unit_test(forged_notifies_hammer_no_primary),
		cmocka_unit_test(answers_that_nobody_has_asked_for_end_the_link),
		cmocka_unit_test(a_notify_is_not_held_up_by_another_primary_that_is_down),
		cmocka_unit_test(changes_that_cannot_be_had_lead_to_the_whole_zone),
		cmocka_unit_test(a_whole_zone_that_is_older_is_not_taken),
		cmocka_unit_test(no_memory_to_withdraw_is_no_expiry),
		cmocka_unit_test(no_memory_after_expiry_is_tried_again),
		cmocka_unit_test(what_changes_without_a_kept_link_is_heard_of),
		cmocka_unit_test(what_changes_before_a_new_link_is_heard_over_is_not_missed),
		cmocka_unit_test(a_notify_that_fails_puts_off_no_refresh),
		cmocka_unit_test(a_bad_zone_is_not_hurried_by_a_kept_link),
		cmocka_unit_test(a_kept_link_that_does_not_last_is_made_less_often),
		cmocka_unit_test(a_bad_zone_fails_no_other),
		cmocka_unit_test(a_bad_zone_breaks_off_no_long_transfer_again_and_again),
		cmocka_unit_test(an_unwanted_answer_fails_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
