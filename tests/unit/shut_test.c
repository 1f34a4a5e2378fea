/* Zones that are ours and cannot be served: who is answered what. */
#include "zone_text.h"

#include "auth/next_view.h"
#include "view_asking.h"

enum { ZONES_MAX = 4 };

#define APEX "@ 60 SOA ns host 7 7200 3600 1209600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
#define DS "1 8 2 E2D3C916F6DEEAC73294E8268FB5885044A833FC5459588F4A9184CFC41A5766\n"

struct zone_text {
	const char *apex, *text; /* text NULL: shut */
	enum shut_why why;
};

struct world {
	struct view_line line;
	struct zone *zone[ZONES_MAX];
};

static void
add(struct world *w, struct next_view *n, size_t i, const struct zone_text *t)
{
	struct findings f = { 0 };
	struct name apex;
	assert_int_equal(name_parse(t->apex, strlen(t->apex), name_root, &apex), OK);
	if (t->text == NULL) {
		assert_int_equal(next_view_shut(n, apex.oct, t->why), OK);
	} else {
		assert_int_equal(text_build(t->text, apex.oct, &f, &w->zone[i]), OK);
		assert_int_equal(next_view_put(n, w->zone[i], NULL), OK);
	}
	findings_fini(&f);
}

static void
begin(struct world *w, const struct zone_text *list, size_t count)
{
	struct next_view n;
	struct discard *old;
	struct keystore *keys = keystore_new(NULL);
	*w = (struct world){ 0 };
	view_add_key(keys, "all._transfer.");
	view_add_key(keys, "n._notify.");
	keystore_seal(keys);
	view_line_init(&w->line, &(struct name){ 0 });
	assert_int_equal(next_view_begin(&n, &w->line, 0), OK);
	next_view_set_keys(&n, keys, NULL);
	for (size_t i = 0; i < count; i++) {
		add(w, &n, i, &list[i]);
	}
	next_view_commit(&n, "", ASKING_NOW_S, &old);
	discard_free(&old);
}

static void
end(struct world *w)
{
	view_line_fini(&w->line);
	for (size_t i = 0; i < ZONES_MAX; i++) {
		zone_free(&w->zone[i]);
	}
}

struct question_and_answer {
	const struct request_kind *kind;
	const char *name, *answer;
};

static void
assert_answers(const struct zone_text *zones, size_t zones_n, const struct question_and_answer *list, size_t n)
{
	struct world w;
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	begin(&w, zones, zones_n);
	for (size_t i = 0; i < n; i++) {
		const char *got = view_ask(w.line.latest, list[i].kind, list[i].name, NULL, &event, text);
		if (strcmp(got, list[i].answer) != 0) {
			fail_msg("%s %s: %s, want %s", list[i].kind->what, list[i].name, got, list[i].answer);
		}
	}
	end(&w);
}

#define ASSERT_ANSWERS(zones, list) assert_answers(zones, ARRAY_LEN(zones), list, ARRAY_LEN(list))

#define NEW "SERVFAIL 0/0/0 Not Ready"
#define EXPIRED "SERVFAIL 0/0/0 Invalid Data"
#define NOT_OURS "REFUSED 0/0/0 Not Authoritative"
#define DENIED "NOTAUTH 0/0/0 Not Authoritative"

static void
names_at_and_below_are_not_answered(void **state)
{
	(void)state;
	static const struct zone_text zones[] = {
		{ "example.", APEX "new 60 NS ns\nnew 60 DS " DS "old 60 NS ns\nwww 60 A 192.0.2.2\n", 0 },
		{ "new.example.", NULL, SHUT_NEW },
		{ "old.example.", NULL, SHUT_EXPIRED },
		{ "in.old.example.", APEX "x 60 A 192.0.2.3\n", 0 },
	};
	static const struct question_and_answer list[] = {
		{ &view_a, "www.example.", "NOERROR aa 1/0/0" },
		{ &view_a, "newer.example.", "NXDOMAIN aa 0/1/0" },
		{ &view_a, "new.example.", NEW },
		{ &view_a, "a.b.NEW.example.", NEW },
		{ &view_soa, "new.example.", NEW },
		{ &view_a, "old.example.", EXPIRED },
		{ &view_a, "x.old.example.", EXPIRED },
		{ &view_a, "x.in.old.example.", "NOERROR aa 1/0/0" }, /* the nearest zone answers */
		{ &view_a, "org.", NOT_OURS },
		{ &view_a, ".", NOT_OURS },
		/* DS is the parent's (RFC 4035 3.1.4.1) */
		{ &view_ds, "new.example.", "NOERROR aa 1/0/0" },
		{ &view_ds, "old.example.", "NOERROR aa 0/1/0" },
		{ &view_ds, "x.new.example.", NEW },
		{ &view_ds, "in.old.example.", EXPIRED }, /* served itself, but its parent cannot be */
		{ &view_ds, "example.", "NOERROR aa 0/1/0" },
	};
	ASSERT_ANSWERS(zones, list);
}

static void
there_may_be_no_other_zones(void **state)
{
	(void)state;
	static const struct zone_text zones[] = { { "a.example.", NULL, SHUT_NEW }, { "b.a.example.", NULL, SHUT_EXPIRED } };
	static const struct question_and_answer list[] = {
		{ &view_a, "www.a.example.", NEW },
		{ &view_a, "b.a.example.", EXPIRED },
		{ &view_ds, "b.a.example.", NEW },
		{ &view_ds, "a.example.", NEW }, /* no parent of ours */
		{ &view_a, "example.", NOT_OURS },
		{ &view_ds, "example.", NOT_OURS },
	};
	ASSERT_ANSWERS(zones, list);
}

static void
the_root_may_be_shut(void **state)
{
	(void)state;
	static const struct zone_text zones[] = { { ".", NULL, SHUT_EXPIRED }, { "example.", APEX, 0 } };
	static const struct question_and_answer list[] = {
		{ &view_a, ".", EXPIRED },
		{ &view_ds, ".", EXPIRED },
		{ &view_a, "org.", EXPIRED },
		{ &view_ds, "example.", EXPIRED },
		{ &view_a, "ns.example.", "NOERROR aa 1/0/0" },
	};
	ASSERT_ANSWERS(zones, list);
}

static void
aliases_end_there(void **state)
{
	(void)state;
	static const struct zone_text zones[] = {
		{ "example.", APEX "far 60 CNAME www.org.\nnear 60 CNAME www.sub\nold 60 DNAME sub\n", 0 },
		{ "org.", NULL, SHUT_NEW },
		{ "sub.example.", NULL, SHUT_EXPIRED },
	};
	static const struct question_and_answer list[] = {
		{ &view_a, "far.example.", "NOERROR aa 1/0/0" },
		{ &view_a, "near.example.", "NOERROR aa 1/0/0" },
		{ &view_a, "x.old.example.", "NOERROR aa 2/0/0" },
	};
	ASSERT_ANSWERS(zones, list);
}

static const struct zone_text chain[] = { { "example.", NULL, SHUT_NEW }, { "org.", NULL, SHUT_EXPIRED } };

static void
nothing_is_transferred(void **state)
{
	(void)state;
	static const struct request_kind *const kinds[] = { &view_axfr, &view_ixfr };
	struct world w;
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	begin(&w, chain, ARRAY_LEN(chain));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_string_equal(view_ask(w.line.latest, kinds[i], "example.", "all._transfer.", &event, text), NEW);
		assert_int_equal(event.event, EVENT_TRANSFER_DENIED);
		assert_string_equal(view_ask(w.line.latest, kinds[i], "org.", "all._transfer.", &event, text), EXPIRED);
		assert_string_equal(view_ask(w.line.latest, kinds[i], "x.org.", "all._transfer.", &event, text), EXPIRED);
		assert_string_equal(view_ask(w.line.latest, kinds[i], "net.", "all._transfer.", &event, text), DENIED);
	}
	end(&w);
}

/* There may be any zone in a domain that is not known.  Whoever asks for one, or for a domain around it, would take NOTAUTH for the end of
 * zones that nobody has removed. */
static void
what_may_be_there_is_not_denied(void **state)
{
	(void)state;
	static const struct zone_text zones[] = { { "a.example.", NULL, SHUT_NEW }, { "b.example.", NULL, SHUT_UNKNOWN },
		                                  { "c.b.example.", APEX, 0 } };
	static const struct {
		const struct request_kind *kind;
		const char *name, *answer;
	} list[] = {
		{ &view_soa, ".", NEW }, { &view_soa, "example.", NEW }, { &view_soa, "b.example.", NEW },
		{ &view_soa, "x.b.example.", NEW }, { &view_axfr, "x.b.example.", NEW }, { &view_ixfr, "x.b.example.", NEW },
		{ &view_soa, "a.example.", NEW }, { &view_soa, "org.", DENIED }, { &view_soa, "bb.example.", DENIED },
		{ &view_axfr, "org.", DENIED }, { &view_axfr, "x.c.b.example.", DENIED },
	};
	struct world w;
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	begin(&w, zones, ARRAY_LEN(zones));
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		assert_string_equal(view_ask(w.line.latest, list[i].kind, list[i].name, "all._transfer.", &event, text), list[i].answer);
	}
	view_ask(w.line.latest, &view_soa, ".", "all._transfer.", &event, text);
	assert_int_equal(event.event, EVENT_SUBSCRIBED);
	end(&w);
}

/* The same domain, when it is known. */
static void
known_zones_alone_are_not_unknown(void **state)
{
	(void)state;
	struct world w;
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	begin(&w, chain, ARRAY_LEN(chain));
	assert_string_equal(view_ask(w.line.latest, &view_soa, ".", "all._transfer.", &event, text), DENIED);
	end(&w);
}

/* A secondary of ours would withdraw its zone on a signed NOTAUTH. */
static void
secondaries_are_told_to_come_back(void **state)
{
	(void)state;
	struct world w;
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	begin(&w, chain, ARRAY_LEN(chain));
	assert_string_equal(view_ask(w.line.latest, &view_soa, "org.", "all._transfer.", &event, text), EXPIRED);
	assert_int_equal(event.event, EVENT_SUBSCRIBED);
	assert_string_equal(view_ask(w.line.latest, &view_soa, "x.org.", "all._transfer.", &event, text), EXPIRED);
	assert_int_equal(event.event, EVENT_NONE);
	assert_string_equal(view_ask(w.line.latest, &view_soa, "net.", "all._transfer.", &event, text), DENIED);
	end(&w);
}

static void
notifies_are_for_zones_of_ours(void **state)
{
	(void)state;
	struct world w;
	struct server_out event;
	char text[VIEW_TEXT_MAX];
	begin(&w, chain, ARRAY_LEN(chain));
	view_ask(w.line.latest, &view_notify, "example.", NULL, &event, text);
	assert_int_equal(event.event, EVENT_NOTIFY_UNSIGNED);
	view_ask(w.line.latest, &view_notify, "x.example.", NULL, &event, text);
	assert_int_equal(event.event, EVENT_NOTIFY_DENIED);
	view_ask(w.line.latest, &view_notify, "example.", "n._notify.", &event, text);
	assert_int_equal(event.event, EVENT_NOTIFY_ACCEPTED);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_at_and_below_are_not_answered),
		cmocka_unit_test(there_may_be_no_other_zones),
		cmocka_unit_test(the_root_may_be_shut),
		cmocka_unit_test(aliases_end_there),
		cmocka_unit_test(nothing_is_transferred),
		cmocka_unit_test(what_may_be_there_is_not_denied),
		cmocka_unit_test(known_zones_alone_are_not_unknown),
		cmocka_unit_test(secondaries_are_told_to_come_back),
		cmocka_unit_test(notifies_are_for_zones_of_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
