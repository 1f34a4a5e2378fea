/* Who is told of what when a view takes the place of another, as lines of text. */
#include "auth/notify_compare.h"

#include "auth/secondary.h"
#include "notify_text.h"

struct world {
	struct primary *p;
	const struct view *before;
	struct discard *old; /* keeps `before` */
	const struct notify_policy *policy; /* NULL: everybody is told */
	size_t passed_n;     /* zones with targets that were passed over */
	struct str got;
};

/* The next version, of these files and no others; what it differs in is in w->got. */
static void
next(struct world *w, const char *const files[][2], size_t n)
{
	static const struct primary_conf conf = { 100, 100, 100 };
	static const struct primary_log log;
	struct source_change changes[16];
	struct source_commit commit = { .id = "c0ffee", .changes = changes, .n = n, .is_whole = true,
		                        .open = serve_no_file, .close = serve_close };
	enum primary_outcome outcome;
	const struct view *now;
	struct notify_left_out left_out;
	bool is_first = w->p == NULL;
	w->p = is_first ? primary_new(&conf, &log) : w->p;
	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct source_change){ .kind = SOURCE_PUT, .path = files[i][0],
			                             .bytes = (const uint8_t *)files[i][1], .len = strlen(files[i][1]) };
	}
	assert_int_equal(primary_apply(w->p, &commit, &outcome, &now, &w->old), OK);
	assert_int_equal(outcome, PRIMARY_APPLIED);
	const struct notify_listener to = { .each = on_each, .ctx = &w->got };
	assert_int_equal(notify_compare(is_first ? NULL : w->before, now, w->policy != NULL ? w->policy : &everybody, &to, &left_out), OK);
	assert_int_equal(left_out.cut_n, 0);
	w->passed_n = left_out.passed_n;
	discard_free(&w->old);
	w->before = now;
}

static void
end(struct world *w)
{
	primary_free(&w->p);
	str_fini(&w->got);
}

#define ZONE(serial, more) "$TTL 60\n@ SOA ns1 h " serial " 2 3 4 5\n NS ns1\n NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n" more

static void
zones_that_come_change_and_go(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const first[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("1", "") }, { "c", ZONE("1", "") } };
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "a. 1 192.0.2.2 -\nb. 1 192.0.2.2 -\nc. 1 192.0.2.2 -\n");
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "");
	static const char *const second[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("2", "x A 192.0.2.3\n") },
		                                 { "d", ZONE("1", "") }, { "A.b", ZONE("7", "") } };
	next(&w, second, ARRAY_LEN(second));
	assert_text(&w.got, "b. 2 192.0.2.2 -\nA.b. 7 192.0.2.2 -\nc. gone 192.0.2.2 -\nd. 1 192.0.2.2 -\n");
	static const char *const stuck[][2] = { { "a", ZONE("1", "x A 192.0.2.4\n") }, { "b", ZONE("2", "x A 192.0.2.3\n") },
		                                { "d", ZONE("1", "") }, { "a.B", ZONE("7", "") } };
	next(&w, stuck, ARRAY_LEN(stuck)); /* the serial did not grow; another spelling of the file, to which the zone as it is moves */
	assert_true(strstr(str_text(&w.got), "a. 1 192.0.2.2 -\n") != NULL);
	str_clear(&w.got);
	next(&w, NULL, 0);
	assert_text(&w.got, "a. gone 192.0.2.2 -\nb. gone 192.0.2.2 -\nA.b. gone 192.0.2.2 -\nd. gone 192.0.2.2 -\n");
	end(&w);
}

#define KEY(address) "192.0.2.1." address "._transfer"

static void
keys_that_come_and_change(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const first[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") },
		                                { "a._keys", KEY("192.0.2.8") SECRET } };
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\na. 1 192.0.2.2 -\n"
	                    "x.a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\nx.a. 1 192.0.2.2 -\nb. 1 192.0.2.2 -\n");
	/* A key more, and another secret: who holds these is told of everything in their domain, nobody else of anything. */
	static const char *const second[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") },
		                                 { "a._keys", KEY("192.0.2.8") OTHER_SECRET },
		                                 { "b._keys", KEY("192.0.2.9") SECRET } };
	next(&w, second, ARRAY_LEN(second));
	assert_text(&w.got, "a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\n"
	                    "x.a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\n"
	                    "b. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.b.\n");
	/* One for the root, and one within it; a zone that changed in the same commit is told once, and an address that has a
	 * nearer key already with both: it may know the one alone. */
	static const char *const third[][2] = { { "a", ZONE("2", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") },
		                                { "a._keys", KEY("192.0.2.8") OTHER_SECRET },
		                                { "x.a._keys", KEY("192.0.2.7") SECRET },
		                                { "b._keys", KEY("192.0.2.9") SECRET },
		                                { "_keys", KEY("192.0.2.9") SECRET KEY("192.0.2.10") SECRET } };
	next(&w, third, ARRAY_LEN(third));
	assert_text(&w.got, "a. 2 192.0.2.8 192.0.2.1.192.0.2.8._transfer.a.\n"
	                    "a. 2 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "a. 2 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\n"
	                    "a. 2 192.0.2.2 -\n"
	                    "x.a. 1 192.0.2.7 192.0.2.1.192.0.2.7._transfer.x.a.\n"
	                    "x.a. 1 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "x.a. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\n"
	                    "b. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.b.\n"
	                    "b. 1 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "b. 1 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\n");
	/* A zone goes together with its keys: its secondary is told with the key that it has. */
	static const char *const fourth[][2] = { { "a", ZONE("2", "") }, { "x.a", ZONE("1", "") },
		                                 { "a._keys", KEY("192.0.2.8") OTHER_SECRET } };
	next(&w, fourth, ARRAY_LEN(fourth));
	assert_text(&w.got, "b. gone 192.0.2.9 192.0.2.1.192.0.2.9._transfer.b.\n"
	                    "b. gone 192.0.2.10 192.0.2.1.192.0.2.10._transfer.\n"
	                    "b. gone 192.0.2.9 192.0.2.1.192.0.2.9._transfer.\nb. gone 192.0.2.2 -\n");
	end(&w);
}

/* At the start, for changes, removals and new keys alike. */
static void
what_is_passed_over_is_told(void **state)
{
	(void)state;
	static const struct notify_policy near = { .is_loopback_only = true };
	struct world w = { .policy = &near };
	static const char *const first[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("1", "") } };
	next(&w, first, ARRAY_LEN(first));
	assert_text(&w.got, "");
	assert_int_equal(w.passed_n, 2);
	static const char *const second[][2] = { { "a", ZONE("1", "") }, { "_keys", KEY("192.0.2.8") SECRET KEY("127.0.0.8") OTHER_SECRET } };
	next(&w, second, ARRAY_LEN(second));
	assert_text(&w.got, "a. 1 127.0.0.8 192.0.2.1.127.0.0.8._transfer.\n");
	assert_int_equal(w.passed_n, 2);
	next(&w, second, ARRAY_LEN(second));
	assert_int_equal(w.passed_n, 0);
	end(&w);
}

static void
every_zone_of_a_domain(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const files[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("2", "") }, { "b", ZONE("3", "") },
		                                { "aa", ZONE("4", "") } };
	next(&w, files, ARRAY_LEN(files));
	str_clear(&w.got);
	const struct notify_target to = { .address = { 4, { 192, 0, 2, 9 } }, .port = 53 };
	notify_every_zone(w.before, name_root, &to, on_each, &w.got);
	assert_text(&w.got, "a. 1 192.0.2.9 -\nx.a. 2 192.0.2.9 -\naa. 4 192.0.2.9 -\nb. 3 192.0.2.9 -\n");
	notify_every_zone(w.before, (const uint8_t *)"\1a", &to, on_each, &w.got);
	assert_text(&w.got, "a. 1 192.0.2.9 -\nx.a. 2 192.0.2.9 -\n");
	/* At the port that an SRV record gives, for the zones that it is about. */
	static const char *const ported[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("2", "") }, { "b", ZONE("3", "") },
		                                 { "a._secondaries", "_notify.x SRV 0 0 5353 h\nh A 192.0.2.9\n" } };
	next(&w, ported, ARRAY_LEN(ported));
	str_clear(&w.got);
	notify_every_zone(w.before, name_root, &to, on_each, &w.got);
	assert_text(&w.got, "a. 1 192.0.2.9 -\nx.a. 2 192.0.2.9@5353 -\nb. 3 192.0.2.9 -\n");
	notify_every_zone(w.before, (const uint8_t *)"\1y\1a", &to, on_each, &w.got);
	notify_every_zone(w.before, (const uint8_t *)"\2zz", &to, on_each, &w.got);
	assert_text(&w.got, "");
	end(&w);
}

static void
show(struct secondary *s, const uint8_t *zone, enum follow_presence presence)
{
	struct secondary_step step;
	assert_int_equal(secondary_show(s, zone, presence, 1700000000, &step), OK);
	discard_free(&step.old);
}

/* Of a secondary, without a serial; but not a domain of which it does not know yet which zones there are. */
static void
a_zone_of_a_domain_that_cannot_be_served(void **state)
{
	(void)state;
	struct secondary *s = secondary_new(&(struct secondary_conf){ 0 }, NULL);
	const struct notify_target to = { .address = { 4, { 192, 0, 2, 9 } }, .port = 53 };
	struct str got = { 0 };
	show(s, (const uint8_t *)"\1x\1a", FOLLOW_UNKNOWN);
	show(s, (const uint8_t *)"\1b", FOLLOW_EXPIRED);
	assert_false(notify_has_zone(secondary_view(s), (const uint8_t *)"\1a"));
	show(s, (const uint8_t *)"\1y\1a", FOLLOW_EXPIRED);
	assert_true(notify_has_zone(secondary_view(s), (const uint8_t *)"\1a"));
	notify_every_zone(secondary_view(s), (const uint8_t *)"\1a", &to, on_each, &got);
	assert_text(&got, "y.a. gone 192.0.2.9 -\n");
	show(s, (const uint8_t *)"\1x\1a", FOLLOW_NEW); /* it is a zone, as it turns out */
	notify_every_zone(secondary_view(s), (const uint8_t *)"\1a", &to, on_each, &got);
	assert_text(&got, "x.a. gone 192.0.2.9 -\ny.a. gone 192.0.2.9 -\n");
	secondary_free(&s);
	str_fini(&got);
}

static void
some_zones(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const files[][2] = { { "a", ZONE("1", "") }, { "b", ZONE("2", "") }, { "_keys", KEY("192.0.2.8") SECRET } };
	next(&w, files, ARRAY_LEN(files));
	str_clear(&w.got);
	const struct notify_listener to = { .each = on_each, .ctx = &w.got };
	const struct name zones[] = { { 3, "\1b" }, { 3, "\1c" }, { 3, "\1A" } };
	struct notify_left_out left_out;
	assert_int_equal(notify_zones(w.before, zones, ARRAY_LEN(zones), &everybody, &to, &left_out), OK);
	assert_text(&w.got, "b. 2 192.0.2.8 192.0.2.1.192.0.2.8._transfer.\nb. 2 192.0.2.2 -\n"
	                    "a. 1 192.0.2.8 192.0.2.1.192.0.2.8._transfer.\na. 1 192.0.2.2 -\n");
	end(&w);
}

static void
on_looked(void *ctx)
{
	str_cat(ctx, "+");
}

/* Where it is a target anyway: there as a change is told, and nowhere else. */
static void
every_zone_that_an_address_is_a_target_of(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char *const files[][2] = { { "a", ZONE("1", "") }, { "x.a", ZONE("2", "") }, { "b", ZONE("3", "") },
		                                { "_keys", KEY("192.0.2.8") SECRET }, { "a._secondaries", "_notify.x SRV 0 0 5353 h\nh A 192.0.2.9\n" } };
	static const struct notify_policy keys = { .whom = NOTIFY_WHOM_KEYS };
	next(&w, files, ARRAY_LEN(files));
	str_clear(&w.got);
	const struct notify_listener to = { .each = on_each, .ctx = &w.got }, looking = { .looked = on_looked, .ctx = &w.got };
	const struct key_address two = { 4, { 192, 0, 2, 2 } }, eight = { 4, { 192, 0, 2, 8 } }, nine = { 4, { 192, 0, 2, 9 } },
				 nobody = { 4, { 192, 0, 2, 66 } };
	assert_int_equal(notify_every_zone_at(w.before, name_root, &nine, &everybody, &to), OK);
	assert_text(&w.got, "x.a. 2 192.0.2.9@5353 -\n");
	assert_int_equal(notify_every_zone_at(w.before, (const uint8_t *)"\1a", &two, &everybody, &to), OK);
	assert_text(&w.got, "a. 1 192.0.2.2 -\nx.a. 2 192.0.2.2 -\n");
	assert_int_equal(notify_every_zone_at(w.before, (const uint8_t *)"\1b", &eight, &keys, &to), OK);
	assert_text(&w.got, "b. 3 192.0.2.8 192.0.2.1.192.0.2.8._transfer.\n");
	assert_int_equal(notify_every_zone_at(w.before, name_root, &two, &keys, &to), OK); /* a name server, and nobody wants these to be told */
	assert_int_equal(notify_every_zone_at(w.before, name_root, &nobody, &everybody, &to), OK);
	assert_text(&w.got, "");
	assert_int_equal(notify_every_zone_at(w.before, name_root, &nobody, &everybody, &looking), OK);
	assert_text(&w.got, "+++"); /* for each zone once */
	assert_true(notify_has_zone(w.before, name_root));
	assert_true(notify_has_zone(w.before, (const uint8_t *)"\1a"));
	assert_false(notify_has_zone(w.before, (const uint8_t *)"\1y\1a"));
	assert_false(notify_has_zone(w.before, (const uint8_t *)"\2zz"));
	end(&w);
}

#define ZONES { "a", ZONE("1", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") }

/* The next version, of these zones and files, and what is told of it. */
#define NEXT(w, want, ...)                                                                                                                \
	do {                                                                                                                              \
		const char *const files[][2] = { __VA_ARGS__ };                                                                           \
		next(w, files, ARRAY_LEN(files));                                                                                         \
		assert_text(&(w)->got, want);                                                                                             \
	} while (0)

/* Zones that did not change are told to what is new, and to nobody else. */
static void
secondaries_that_come_and_change(void **state)
{
	(void)state;
	struct world w = { 0 };
	NEXT(&w, "a. 1 192.0.2.2 -\nx.a. 1 192.0.2.2 -\nb. 1 192.0.2.2 -\n", ZONES);
	/* One that is named, in its domain alone. */
	NEXT(&w, "a. 1 192.0.2.7@5353 -\nx.a. 1 192.0.2.7@5353 -\n", ZONES, { "a._secondaries", "_notify SRV 0 0 5353 h\nh A 192.0.2.7\n" });
	NEXT(&w, "", ZONES, { "a._secondaries", "h A 192.0.2.7\n_notify SRV 7 7 5353 h\n" });
	/* Another port; an address more. */
	NEXT(&w, "a. 1 192.0.2.7@5354 -\nx.a. 1 192.0.2.7@5354 -\n", ZONES, { "a._secondaries", "_notify SRV 0 0 5354 h\nh A 192.0.2.7\n" });
	NEXT(&w, "a. 1 192.0.2.8@5354 -\nx.a. 1 192.0.2.8@5354 -\n", ZONES,
	     { "a._secondaries", "_notify SRV 0 0 5354 h\nh A 192.0.2.7\nh A 192.0.2.8\n" });
	/* For a name below, by the file of the domain above; a zone that changed is told once, to all. */
	NEXT(&w, "a. 2 192.0.2.7@5354 -\na. 2 192.0.2.2 -\nx.a. 1 192.0.2.9@5355 -\n", { "a", ZONE("2", "") }, { "x.a", ZONE("1", "") },
	     { "b", ZONE("1", "") },
	     { "a._secondaries", "_notify SRV 0 0 5354 h\nh A 192.0.2.7\n_notify.x SRV 0 0 5355 i\ni A 192.0.2.9\n" });
	/* They go: nobody is told. */
	NEXT(&w, "", { "a", ZONE("2", "") }, { "x.a", ZONE("1", "") }, { "b", ZONE("1", "") });
	end(&w);
}

static void
keys_of_listed_hosts_that_come_and_change(void **state)
{
	(void)state;
	struct world w = { 0 };
	static const char host[] = "_notify SRV 0 0 5353 h\nh A 192.0.2.7\n", with_key[] = "_notify SRV 0 0 5353 h\nh A 192.0.2.7\nh PTR k.\n",
			  with_both[] = "_notify SRV 0 0 5353 h\nh A 192.0.2.7\nh PTR l.\nh PTR k.\n";
	NEXT(&w, "a. 1 192.0.2.7@5353 -\na. 1 192.0.2.2 -\nx.a. 1 192.0.2.7@5353 -\nx.a. 1 192.0.2.2 -\nb. 1 192.0.2.2 -\n", ZONES,
	     { "_keys", "k." SECRET "l." SECRET }, { "a._secondaries", host });
	/* The file names a key; its secret changes; the file names another, and it is told with both. */
	NEXT(&w, "a. 1 192.0.2.7@5353 k.\nx.a. 1 192.0.2.7@5353 k.\n", ZONES, { "_keys", "k." SECRET "l." SECRET },
	     { "a._secondaries", with_key });
	NEXT(&w, "a. 1 192.0.2.7@5353 k.\nx.a. 1 192.0.2.7@5353 k.\n", ZONES, { "_keys", "k." OTHER_SECRET "l." SECRET },
	     { "a._secondaries", with_key });
	NEXT(&w, "", ZONES, { "_keys", "k." OTHER_SECRET "l." OTHER_SECRET }, { "a._secondaries", with_key }); /* nobody is told with l. */
	NEXT(&w,
	     "a. 1 192.0.2.7@5353 l.\na. 1 192.0.2.7@5353 k.\nx.a. 1 192.0.2.7@5353 l.\nx.a. 1 192.0.2.7@5353 k.\n", ZONES,
	     { "_keys", "k." OTHER_SECRET "l." OTHER_SECRET }, { "a._secondaries", with_both });
	/* Unsigned from now on: it knows already. */
	NEXT(&w, "", ZONES, { "_keys", "k." OTHER_SECRET "l." OTHER_SECRET }, { "a._secondaries", host });
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_that_come_change_and_go),
		cmocka_unit_test(keys_that_come_and_change),
		cmocka_unit_test(secondaries_that_come_and_change),
		cmocka_unit_test(keys_of_listed_hosts_that_come_and_change),
		cmocka_unit_test(what_is_passed_over_is_told),
		cmocka_unit_test(every_zone_of_a_domain),
		cmocka_unit_test(a_zone_of_a_domain_that_cannot_be_served),
		cmocka_unit_test(some_zones),
		cmocka_unit_test(every_zone_that_an_address_is_a_target_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
