/* Updates into commits: each case names what RFC 2136 says, in files before and after. */
#include "batch_world.h"

#include "zone/history.h"

/* ---- what changes ---- */

static void
changes_and_their_files(void **state)
{
	(void)state;
	static const struct {
		const char *update, *after, *subject;
	} cases[] = {
		{ "add new 60 A 192.0.2.9\n",
		  HEAD(8) "www\tA\t192.0.2.2 ; the web\nwww\tA\t192.0.2.3\ntxt\tTXT\t\"one\"\nalias\tCNAME\twww\na.b\tA\t192.0.2.4\n"
		          "sub\tNS\tns.sub\nns.sub\tA\t192.0.2.5\n",
		  "example: add new A 192.0.2.9\n" },
		{ "delete www A 192.0.2.2\n", NULL, "example: remove www A 192.0.2.2\n" },
		{ "delete www A\n", NULL, "example: remove www A (2 records)\n" },
		{ "delete www A\nadd www 60 A 192.0.2.80\n", NULL, "example: change www A 192.0.2.80\n" },
		{ "delete txt\ndelete a.b\n", NULL, "example: 2 records removed\n" },
		{ "add alias 3600 CNAME ns1\n", NULL, "example: change alias CNAME ns1.example.\n" },
		{ "add @ 3600 NS ns2\nadd ns2 3600 A 192.0.2.10\n", NULL, "example: 2 records added\n" },
		{ "add @ 3600 SOA ns1 hostmaster 2000 7200 3600 1209600 300\n", NULL, "example: serial 2000\n" },
		{ "add below.sub 3600 A 192.0.2.11\nadd ns.sub 3600 AAAA ::1\n", NULL, "example: 2 records added\n" }, /* below a cut */
		{ "add www 60 A 192.0.2.2\n", NULL, "example: change www A (2 records)\n" }, /* another TTL, of the whole RRset */
		{ "prereq yxdomain www\nprereq nxrrset www AAAA\nadd www 60 AAAA ::1\n", NULL, "example: add www AAAA ::1\n" },
		{ "add *.w 60 TXT \"a;b\" \"\\\"\"\n", NULL, "example: add *.w TXT \"a;b\" \"\\\"\"\n" },
		{ "add t 60 TYPE65400 \\# 3 010203\n", NULL, "example: add t TYPE65400 \\# 3 010203\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin(&w, plain);
		struct result r = update(&w, cases[i].update);
		assert_string_equal(r.text, "");
		assert_int_equal(r.rcode, RCODE_NOERROR);
		assert_true(r.is_committed);
		assert_true(zone_of(&w, "example.")->serial == 8 || zone_of(&w, "example.")->serial == 2000);
		assert_int_equal(strncmp(w.message, cases[i].subject, strlen(cases[i].subject)), 0);
		assert_non_null(strstr(w.message, "\nOrigin-Update: example by me._update.example from 192.0.2.7\n"));
		assert_int_equal(zone_of(&w, "example.")->history.n, 1);
		world_end(&w);
	}
}

static void
what_changes_nothing_is_no_commit(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"",
		"prereq yxdomain www\n",
		"add www 3600 A 192.0.2.2\n",              /* it is there */
		"delete www AAAA\n", "delete nothing\n", "delete www A 192.0.2.77\n",
		"add x 60 A 192.0.2.9\ndelete x A\n",      /* came and went */
		"delete www A\nadd www 3600 A 192.0.2.3\nadd www 3600 A 192.0.2.2\n",
		"add www 3600 CNAME ns1\n",                /* 3.4.2.2: a CNAME beside other data */
		"add alias 3600 A 192.0.2.9\n",            /* … and other data beside a CNAME */
		"delete @ NS\n", "delete @ NS ns1\n",      /* the last NS stays */
		"delete @\n",                              /* of the apex SOA and NS stay */
		"delete @ NS ns1\ndelete @ NS\ndelete @\ndelete @ NS ns1\n",
		/* 3.4.2.3, 3.4.2.4: nor is the SOA deleted, be it the one that is there or not */
		"delete @ SOA\n", "delete @ " SOA(7) "delete @ " SOA(6) "delete @ SOA . . 0 0 0 0 0\n",
		"delete @ " SOA(7) "delete @ SOA\n",
		"add x.www 60 " SOA(1), "delete www SOA\n", "delete www " SOA(7), /* at other names there is none */
		"add @ 3600 SOA ns1 hostmaster 7 1 1 1 1\n", "add @ 3600 SOA ns1 hostmaster 6 1 1 1 1\n", /* not newer */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin(&w, plain);
		struct result r = update(&w, cases[i]);
		if (r.rcode != RCODE_NOERROR || r.is_committed) {
			fail_msg("%s: %u %s", cases[i], r.rcode, r.text);
		}
		assert_int_equal(zone_of(&w, "example.")->serial, 7);
		world_end(&w);
	}
}

static void
what_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *update;
		unsigned rcode;
	} cases[] = {
		/* 3.2: prerequisites */
		{ "prereq yxdomain none\nadd x 60 A 192.0.2.9\n", RCODE_NXDOMAIN },
		{ "prereq yxdomain b\nadd x 60 A 192.0.2.9\n", RCODE_NXDOMAIN }, /* an empty non-terminal is not in use */
		{ "prereq nxdomain www\nadd x 60 A 192.0.2.9\n", RCODE_YXDOMAIN },
		{ "prereq yxrrset www AAAA\nadd x 60 A 192.0.2.9\n", RCODE_NXRRSET },
		{ "prereq nxrrset www A\nadd x 60 A 192.0.2.9\n", RCODE_YXRRSET },
		{ "prereq yxrrset www A 192.0.2.2\nadd x 60 A 192.0.2.9\n", RCODE_NXRRSET }, /* not all of it */
		{ "prereq yxrrset txt TXT \"two\"\nadd x 60 A 192.0.2.9\n", RCODE_NXRRSET },
		{ "prereq yxrrset none A 192.0.2.2\nadd x 60 A 192.0.2.9\n", RCODE_NXRRSET },
		{ "prereq yxdomain x.other.\nadd x 60 A 192.0.2.9\n", RCODE_NOTZONE },
		{ "raw p IN www 60 A 192.0.2.2\n", RCODE_FORMERR },   /* a TTL */
		{ "raw p ANY www 0 A 192.0.2.2\n", RCODE_FORMERR },   /* data */
		{ "raw p CH www 0 A 192.0.2.2\n", RCODE_FORMERR },    /* another class */
		{ "raw p IN www 0 ANY\n", RCODE_FORMERR },
		{ "raw p ANY www 0 AXFR\n", RCODE_FORMERR },
		/* 3.4.1: the prescan */
		{ "add x.other. 60 A 192.0.2.9\n", RCODE_NOTZONE },
		{ "raw u CH x 60 A 192.0.2.9\n", RCODE_FORMERR },
		{ "raw u IN x 60 ANY\n", RCODE_FORMERR },
		{ "raw u IN x 60 AXFR\n", RCODE_FORMERR },
		{ "raw u IN x 60 A\n", RCODE_FORMERR },               /* no data */
		{ "raw u ANY www 60 A\n", RCODE_FORMERR },
		{ "raw u ANY www 0 A 192.0.2.2\n", RCODE_FORMERR },
		{ "raw u NONE www 60 A 192.0.2.2\n", RCODE_FORMERR },
		{ "raw u NONE www 0 ANY\n", RCODE_FORMERR },
		{ "raw u ANY www 0 MAILB\n", RCODE_FORMERR },
		{ "add x 60 RRSIG A 13 1 60 20300101000000 20200101000000 1 example. AAAA\n", RCODE_REFUSED },
		{ "delete x NSEC\n", RCODE_REFUSED },
		/* what our checks would not serve */
		{ "add www 60 DNAME other.\nadd x.www 60 A 192.0.2.9\n", RCODE_REFUSED },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin(&w, plain);
		struct result r = update(&w, cases[i].update);
		if (r.rcode != cases[i].rcode || r.is_committed || r.text[0] == '\0') {
			fail_msg("%s: %u %s", cases[i].update, r.rcode, r.text);
		}
		assert_int_equal(zone_of(&w, "example.")->serial, 7);
		world_end(&w);
	}
}

/* 2136 refuses none of these: clients send each RRset in a message of its own, in any order.  After each the file is one that is read. */
static void
delegations_in_any_order(void **state)
{
	(void)state;
	static const char *const cases[][3] = {
		{ "add new 60 NS ns.new\n", "add ns.new 60 A 192.0.2.9\n" },
		{ "add ns.new 60 A 192.0.2.9\n", "add new 60 NS ns.new\n" },
		{ "delete ns.sub A\n", "delete sub NS\n" },
		{ "delete sub NS\n", "delete ns.sub\n" },
		{ "delete ns.sub\n", "add ns.sub 60 AAAA ::1\n" },
		{ "add new 60 NS none\n", "add none 60 A 192.0.2.9\n" },
		{ "add new 60 NS alias\n", "delete alias\n", "add alias 60 A 192.0.2.9\n" },
		{ "add new 60 NS .\n" },
		{ "add @ 3600 NS ns2\n", "add ns2 3600 A 192.0.2.10\n", "delete @ NS ns1\n" },
		{ "add @ 3600 NS ns2.other.\n", "delete ns1 A\n", "delete @ NS ns1\n" },
		{ "add @ 3600 NS ns2.other.\n", "delete ns1\nadd ns1 60 CNAME www\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin(&w, plain);
		for (size_t k = 0; k < 3 && cases[i][k] != NULL; k++) {
			struct result r = update(&w, cases[i][k]);
			if (r.rcode != RCODE_NOERROR || !r.is_committed) {
				fail_msg("%s: %u %s", cases[i][k], r.rcode, r.text);
			}
		}
		world_end(&w);
	}
}

/* The apex keeps a name server that can be found, as in BIND. */
static void
the_apex_keeps_what_it_needs(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"delete ns1 A\n", "delete ns1\nadd ns1 60 CNAME www\n", "add @ 60 NS none\ndelete @ NS ns1\n", "delete ns1\nadd ns1 60 TXT \"x\"\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin(&w, plain);
		struct result r = update(&w, cases[i]);
		assert_int_equal(r.rcode, RCODE_REFUSED);
		assert_non_null(strstr(r.text, "NS name server"));
		assert_false(r.is_committed);
		world_end(&w);
	}
	struct world w;
	world_begin(&w, plain);
	assert_true(update(&w, "delete ns1 A\nadd ns1 60 A 192.0.2.10\n").is_committed); /* as a whole it is good */
	world_end(&w);
}

static void
who_is_refused(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, plain);
	assert_int_equal(update_zone(&w, "example.", KEY_NOTIFY, "add x 60 A 192.0.2.9\n").rcode, RCODE_REFUSED);
	assert_int_equal(update_zone(&w, "other.", KEY, "add x 60 A 192.0.2.9\n").rcode, RCODE_REFUSED);
	assert_int_equal(update_zone(&w, "example.", "no._update.example:SHA256:" SECRET, "add x 60 A 192.0.2.9\n").rcode, RCODE_REFUSED);
	assert_int_equal(update_zone(&w, "none.", KEY_ALL, "add x 60 A 192.0.2.9\n").rcode, RCODE_NOTAUTH);
	assert_int_equal(update_zone(&w, "www.example.", KEY, "add x 60 A 192.0.2.9\n").rcode, RCODE_NOTAUTH);
	assert_int_equal(update_zone(&w, "other.", KEY_ALL, "add x 60 A 192.0.2.9\n").rcode, RCODE_NOERROR);
	world_end(&w);
}

/* Value-dependent prerequisites take sets in any order, and TTLs do not count (2136 2.4.2). */
static void
whole_sets_are_compared(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, plain);
	assert_true(update(&w, "prereq yxrrset www A 192.0.2.3\nprereq yxrrset txt TXT \"one\"\nprereq yxrrset WWW A 192.0.2.2\n"
	                       "prereq yxrrset www A 192.0.2.3\nadd x 60 A 192.0.2.9\n").is_committed);
	world_end(&w);
}

/* ---- the SOA ---- */

/* What deletes the SOA is passed over, and the rest is done (2136 3.4.2.3, 3.4.2.4); with zones_by_update, too, when it is not the
 * very record that is there, alone. */
static void
the_soa_stays(void **state)
{
	(void)state;
	static const struct {
		const char *update;
		uint32_t serial; /* afterwards */
	} cases[] = {
		{ "delete @ SOA\nadd x 60 TXT \"x\"\n", 8 },
		{ "add x 60 TXT \"x\"\ndelete @ " SOA(7), 8 },
		{ "delete @ " SOA(7) "add x 60 TXT \"x\"\n", 8 },
		{ "delete @ " SOA(7) "delete www A\n", 8 },
		{ "delete @\nadd x 60 TXT \"x\"\n", 8 },
		{ "add @ 3600 " SOA(20) "delete @ " SOA(20), 20 },
		{ "delete @ " SOA(7) "add @ 3600 " SOA(20), 20 },
		{ "delete @ SOA\nadd @ 3600 " SOA(20) "delete @ SOA\n", 20 },
		{ "delete @ SOA\n", 7 },
		{ "delete @ " SOA(6), 7 },
		{ "delete @ SOA ns1 hostmaster 7 7200 3600 1209600 301\n", 7 },
		{ "delete @ " SOA(7) "delete @ " SOA(7), 7 },
		{ "delete @ SOA\nadd @ 3600 " SOA(1), 7 },
	};
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		struct world w;
		(i % 2 != 0 ? world_begin_zones(&w, plain, 100) : world_begin(&w, plain));
		struct result r = update(&w, cases[i / 2].update);
		const struct zone *z = zone_of(&w, "example.");
		if (r.rcode != RCODE_NOERROR || z == NULL || z->serial != cases[i / 2].serial || r.is_committed != (z->serial != 7)) {
			fail_msg("%s: %u %s", cases[i / 2].update, r.rcode, r.text);
		}
		assert_true(strstr(cases[i / 2].update, "add x") == NULL || strstr(read_file(&w, "example"), "\"x\"") != NULL);
		world_end(&w);
	}
}

/* ---- zones that come and go ---- */

/* Only where the operator wants it. */
static void
zones_neither_come_nor_go(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, plain);
	struct result r = update_zone(&w, "new.example.", KEY, "add @ 3600 " SOA(1) "add @ 3600 NS ns1.example.\n");
	assert_int_equal(r.rcode, RCODE_NOTAUTH);
	assert_non_null(strstr(r.text, "--zones-by-update"));
	assert_false(update(&w, "add new 3600 " SOA(1)).is_committed);
	assert_false(update(&w, "delete @ " SOA(7)).is_committed);
	assert_false(update_zone(&w, "other.", KEY_ALL, "delete @ SOA ns.example. . 1 2 3 4 5\n").is_committed);
	assert_int_equal(primary_view(w.primary)->zones.n, 2);
	world_end(&w);
}

/* A removal is counted by the valve, and a commit that it lets through needs no word for it. */
static void
a_removal_obeys_the_valve(void **state)
{
	(void)state;
	static const struct {
		unsigned percent, rcode;
	} cases[] = { { 100, RCODE_NOERROR }, { 50, RCODE_NOERROR }, { 49, RCODE_REFUSED }, { 0, RCODE_REFUSED } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin_zones(&w, plain, cases[i].percent);
		struct result r = update_zone(&w, "other.", KEY_ALL, "delete @ SOA ns.example. . 1 2 3 4 5\n");
		bool is_gone = cases[i].rcode == RCODE_NOERROR;
		assert_int_equal(r.rcode, cases[i].rcode);
		assert_int_equal(zone_of(&w, "other.") == NULL, is_gone);
		assert_int_equal(read_file(&w, "other") == NULL, is_gone);
		assert_true(is_gone || strstr(r.text, "too many of the zones") != NULL);
		assert_null(strstr(w.message, "Origin-Allow"));
		world_end(&w);
	}
	struct world w;
	world_begin_zones(&w, plain, 50);
	write_file(&w, "other", NULL);
	apply_all(&w);
	assert_int_equal(update(&w, "delete @ " SOA(7)).rcode, RCODE_REFUSED); /* the last one */
	world_end(&w);
}

/* Zones that are held because too many went count, too. */
static void
a_removal_beside_those_that_are_held(void **state)
{
	(void)state;
	struct world w;
	world_begin_zones(&w, plain, 50);
	write_file(&w, "a", other);
	write_file(&w, "b", other);
	write_file(&w, "c", other);
	apply_all(&w);
	write_file(&w, "a", NULL);
	write_file(&w, "b", NULL);
	write_file(&w, "c", NULL);
	apply_some(&w, PRIMARY_HELD);
	assert_non_null(zone_of(&w, "a."));
	assert_int_equal(update_zone(&w, "other.", KEY_ALL, "delete @ SOA ns.example. . 1 2 3 4 5\n").rcode, RCODE_REFUSED);
	write_file(&w, "a", other);
	write_file(&w, "b", other);
	write_file(&w, "c", other);
	apply_all(&w);
	assert_int_equal(update_zone(&w, "other.", KEY_ALL, "delete @ SOA ns.example. . 1 2 3 4 5\n").rcode, RCODE_NOERROR);
	world_end(&w);
}

static void
zones_come_and_go(void **state)
{
	(void)state;
	struct world w;
	world_begin_zones(&w, plain, 50);
	static const char make[] = "add @ 3600 SOA ns1 hostmaster 1 7200 3600 1209600 300\nadd @ 3600 NS ns1\nadd ns1 3600 A 192.0.2.1\n"
	                           "add www 60 A 192.0.2.2\n";
	struct result r = update_zone(&w, "new.example.", KEY, make);
	assert_string_equal(r.text, "");
	assert_true(r.is_committed);
	assert_non_null(zone_of(&w, "new.example."));
	assert_int_equal(zone_of(&w, "new.example.")->records, 4);
	assert_non_null(read_file(&w, "new.example"));
	assert_int_equal(strncmp(w.message, "new.example: new zone\n", 22), 0);
	/* From now on it is a zone like any other. */
	assert_true(update_zone(&w, "new.example.", KEY, "add x 60 A 192.0.2.3\n").is_committed);
	assert_int_equal(zone_of(&w, "new.example.")->serial, 2);
	assert_false(update_zone(&w, "new.example.", KEY, "delete @ SOA\nadd @ 3600 SOA ns1 hostmaster 1 1 1 1 1\n").is_committed);
	/* By its parent's name. */
	assert_true(update(&w, "add two 3600 SOA ns1 hostmaster 1 7200 3600 1209600 300\nadd two 3600 NS ns1\n").is_committed);
	assert_non_null(zone_of(&w, "two.example."));
	assert_false(update(&w, "delete two SOA\n").is_committed);
	assert_true(update(&w, "delete two " SOA(1)).is_committed);
	assert_null(zone_of(&w, "two.example."));
	assert_null(read_file(&w, "two.example"));
	assert_false(update_zone(&w, "new.example.", KEY, "delete @ " SOA(1)).is_committed); /* it was */
	assert_false(update_zone(&w, "new.example.", KEY, "prereq nxdomain www\ndelete @ " SOA(2)).is_committed);
	assert_true(update_zone(&w, "new.example.", KEY, "prereq yxdomain www\ndelete @ " SOA(2)).is_committed);
	assert_null(zone_of(&w, "new.example."));
	assert_int_equal(strncmp(w.message, "new.example: remove the zone\n", 29), 0);
	world_end(&w);
}

static void
zones_that_cannot_come(void **state)
{
	(void)state;
	static const struct {
		const char *zone, *update;
		unsigned rcode;
	} cases[] = {
		{ "new.example.", "add @ 3600 SOA ns1 hostmaster 1 7200 3600 1209600 300\n", RCODE_REFUSED }, /* no NS */
		{ "new.example.", "prereq yxdomain @\nadd @ 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd @ 60 NS ns1.example.\n", RCODE_NXDOMAIN },
		{ "new.example.", "add @ 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd @ 60 NS ns1.example.\nadd x.other. 1 A 192.0.2.1\n", RCODE_NOTZONE },
		{ "example.", "add new 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd new 60 NS ns1.example.\nadd www 60 A 192.0.2.9\n", RCODE_NOTZONE },
		{ "x._keys.example.", "add @ 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd @ 60 NS ns1.example.\n", RCODE_NOERROR },
		{ "broken.example.", "add @ 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd @ 60 NS ns1.example.\n", RCODE_SERVFAIL }, /* a file with errors */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_begin_zones(&w, plain, 100);
		write_file(&w, "broken.example", "what\n");
		apply_all(&w);
		struct result r = update_zone(&w, cases[i].zone, KEY, cases[i].update);
		if (r.rcode != cases[i].rcode) {
			fail_msg("%s: %u %s", cases[i].update, r.rcode, r.text);
		}
		world_end(&w);
	}
}

/* The catalog is no file's, so no update makes it, changes it or removes it. */
static void
the_catalog_is_no_zone_of_updates(void **state)
{
	(void)state;
	struct world w;
	struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT, .zones_by_update = true };
	assert_int_equal(name_parse("catalog.example.", 16, NULL, &conf.catalog), OK);
	world_begin_conf(&w, plain, &conf);
	static const char *const updates[] = { "add x 60 A 192.0.2.1\n", "delete version TXT\n" };
	for (size_t i = 0; i < ARRAY_LEN(updates); i++) {
		struct result r = update_zone(&w, "catalog.example.", KEY, updates[i]);
		assert_int_equal(r.rcode, RCODE_NOTAUTH);
		assert_string_equal(r.text, "no such zone here"); /* and nothing about an option that is set */
	}
	struct result r = update_zone(&w, "catalog.example.", KEY, "add @ 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd @ 60 NS ns1.example.\n");
	assert_int_equal(r.rcode, RCODE_REFUSED);
	assert_string_equal(r.text, "no zone can have that name here: it is that of the catalog (--catalog)");
	world_end(&w);
}

/* What removes records is taken in any case: it leads out. */
static void
updates_add_what_there_is_memory_for(void **state)
{
	(void)state;
	struct world w;
	struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT, .zones_by_update = true, .octets_max = 128 << 10 };
	world_begin_conf(&w, plain, &conf);
	unsigned rcode = RCODE_NOERROR, n = 0;
	for (; rcode == RCODE_NOERROR && n < 1000; n++) {
		char text[400];
		snprintf(text, sizeof text, "add t%u 60 TXT \"%0200u\"\n", n, n);
		struct result r = update(&w, text);
		rcode = r.rcode;
		assert_string_equal(r.text, rcode == RCODE_NOERROR ? "" : "there is no memory for more records (--memory-max)");
		assert_in_range(primary_octets(w.primary), 1, conf.octets_max);
	}
	assert_int_equal(rcode, RCODE_SERVFAIL);
	assert_in_range(n, 20, 200);
	assert_int_equal(update_zone(&w, "new.example.", KEY, "add @ 60 " SOA(1) "add @ 60 NS ns.example.\n"
	                 "add x 60 TXT \"0123456789012345678901234567890123456789\"\n").rcode, RCODE_SERVFAIL);
	struct result r = update(&w, "delete t0\ndelete t1\n");
	assert_true(r.rcode == RCODE_NOERROR && r.is_committed);
	world_end(&w);
}

/* ---- states in which nothing may be written ---- */

static void
broken_files_are_left_alone(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, plain);
	write_file(&w, "example", HEAD(8) "this is no record\n");
	apply_all(&w);
	assert_int_equal(zone_of(&w, "example.")->serial, 7); /* the last good version */
	struct result r = update(&w, "add x 60 A 192.0.2.9\n");
	assert_int_equal(r.rcode, RCODE_SERVFAIL);
	assert_false(r.is_committed);
	assert_non_null(strstr(r.text, "errors"));
	write_file(&w, "example", HEAD(9));
	apply_all(&w);
	assert_true(update(&w, "add x 60 A 192.0.2.9\n").is_committed);
	world_end(&w);
}

/* The text has changed under us, and nobody has told: then it does not read as wanted. */
static void
a_text_that_is_another_one_is_not_edited(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, plain);
	write_file(&w, "example", HEAD(7) "other A 192.0.2.99\n");
	struct result r = update(&w, "add x 60 A 192.0.2.9\n");
	assert_int_equal(r.rcode, RCODE_SERVFAIL);
	assert_false(r.is_committed);
	world_end(&w);
}

static void
shared_includes_are_left_alone(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, HEAD(7) "$INCLUDE inc/common\n");
	write_file(&w, "inc/common", "shared A 192.0.2.50\n");
	write_file(&w, "example", HEAD(7) "$INCLUDE inc/common\n");
	apply_all(&w);
	assert_true(update(&w, "delete shared\nadd shared 60 A 192.0.2.51\n").is_committed);
	assert_non_null(strstr(read_file(&w, "inc/common"), "192.0.2.51"));
	write_file(&w, "other", "$TTL 60\n@ SOA ns.example. . 2 2 3 4 5\n@ NS ns1.example.\n$INCLUDE inc/common\n");
	apply_all(&w);
	struct result r = update(&w, "delete shared\n");
	assert_int_equal(r.rcode, RCODE_SERVFAIL);
	assert_non_null(strstr(r.text, "inc/common"));
	assert_true(update(&w, "add own 60 A 192.0.2.52\n").is_committed);
	world_end(&w);
}

static void
signed_zones_are_left_alone(void **state)
{
	(void)state;
	struct world w;
	world_begin(&w, HEAD(7) "@ NSEC ns1 SOA NS NSEC RRSIG\n"
	                        "@ RRSIG SOA 13 1 3600 20300101000000 20200101000000 1 example. AAAA\n");
	assert_int_equal(update(&w, "add x 60 A 192.0.2.9\n").rcode, RCODE_REFUSED);
	world_end(&w);
}

/* ---- many at once ---- */

/* Each sees what those before it did; one commit, one serial a zone. */
static void
one_commit_for_many(void **state)
{
	(void)state;
	static struct many m;
	static const char *const updates[] = {
		"prereq nxdomain x\nadd x 60 A 192.0.2.9\n",
		"prereq nxdomain x\nadd x 60 A 192.0.2.10\n",
		"prereq yxdomain x\nadd x 60 TXT \"second\"\n",
		"!add y 60 A 192.0.2.11\n",
		"delete www A\n",
	};
	struct world w;
	unsigned rcode;
	int ede;
	char text[UPDATE_ANSWER_TEXT_MAX];
	world_begin(&w, plain);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	add_many(&w, b, &m, updates, ARRAY_LEN(updates));
	static const enum batch_taken want[] = { BATCH_PENDING, BATCH_SETTLED, BATCH_PENDING, BATCH_PENDING, BATCH_PENDING };
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(m.taken[i], want[i]);
	}
	assert_int_equal(m.task[1].rcode, RCODE_YXDOMAIN);
	assert_int_equal(batch_prepare(b, &rcode, &ede, text), OK);
	commit(&w, b);
	batch_free(&b);
	assert_int_equal(zone_of(&w, "example.")->serial, 8);
	assert_int_equal(zone_of(&w, "other.")->serial, 2);
	assert_string_equal(w.message, "2 zones: 3 records added, 2 removed\n"
	                               "\n"
	                               "example, serial 7 to 8:\n"
	                               "- www 3600 A 192.0.2.2\n"
	                               "- www 3600 A 192.0.2.3\n"
	                               "+ x 60 A 192.0.2.9\n"
	                               "+ x 60 TXT \"second\"\n"
	                               "\n"
	                               "other, serial 1 to 2:\n"
	                               "+ y 60 A 192.0.2.11\n"
	                               "\n"
	                               "Origin-Update: example by all._update from 192.0.2.8 (3 updates)\n"
	                               "Origin-Update: other by all._update from 192.0.2.8\n"
	                               "Origin-Signed: all._update 1700000000\n");
	assert_files_say_what_is_served(&w);
	free_many(&m, ARRAY_LEN(updates));
	world_end(&w);
}

/* Rolled back, nothing has happened; and the same tasks may go into another batch. */
static void
what_is_not_accepted_has_not_been(void **state)
{
	(void)state;
	static struct many m;
	static const char *const updates[] = { "add x 60 A 192.0.2.9\n", "delete www\n", "!add y 60 A 192.0.2.11\n" };
	struct world w;
	unsigned rcode;
	int ede;
	char text[UPDATE_ANSWER_TEXT_MAX];
	enum batch_taken taken;
	world_begin(&w, plain);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	add_many(&w, b, &m, updates, ARRAY_LEN(updates));
	assert_int_equal(batch_prepare(b, &rcode, &ede, text), OK);
	batch_free(&b);
	assert_int_equal(zone_of(&w, "example.")->serial, 7);
	assert_files_say_what_is_served(&w);
	/* Somebody pushed meanwhile. */
	write_file(&w, "example", HEAD(20) "x 60 A 192.0.2.9\n");
	apply_all(&w);
	b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	for (size_t i = 0; i < ARRAY_LEN(updates); i++) {
		assert_int_equal(update_task_open(&m.task[i], primary_view(w.primary)), OK);
		assert_int_equal(batch_add(b, &m.task[i], &taken), OK);
		assert_int_equal(taken, BATCH_PENDING);
	}
	assert_int_equal(batch_prepare(b, &rcode, &ede, text), OK);
	commit(&w, b);
	batch_free(&b);
	assert_int_equal(zone_of(&w, "example.")->serial, 20); /* in sum nothing was left to do there */
	assert_int_equal(zone_of(&w, "other.")->serial, 2);
	free_many(&m, ARRAY_LEN(updates));
	world_end(&w);
}

static void
zones_come_alone(void **state)
{
	(void)state;
	static struct many m;
	static const char *const updates[] = {
		"add x 60 A 192.0.2.9\n",
		"add new 3600 SOA ns1 hostmaster 1 1 1 1 1\nadd new 60 NS ns1.example.\n",
		"add y 60 A 192.0.2.9\n",
	};
	static const char *const alone[] = { "delete @ " SOA(7), "add y 60 A 192.0.2.9\n" };
	struct world w;
	world_begin_zones(&w, plain, 100);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	add_many(&w, b, &m, updates, ARRAY_LEN(updates));
	assert_int_equal(m.taken[0], BATCH_PENDING);
	assert_int_equal(m.taken[1], BATCH_FULL);
	assert_int_equal(m.taken[2], BATCH_PENDING);
	batch_free(&b);
	free_many(&m, ARRAY_LEN(updates));
	b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	add_many(&w, b, &m, alone, ARRAY_LEN(alone));
	assert_int_equal(m.taken[0], BATCH_PENDING);
	assert_int_equal(m.taken[1], BATCH_FULL);
	batch_free(&b);
	free_many(&m, ARRAY_LEN(alone));
	world_end(&w);
}

/* ---- serials ---- */

static void
serials_that_nobody_raised(void **state)
{
	(void)state;
	struct world w;
	unsigned rcode;
	int ede;
	char text[UPDATE_ANSWER_TEXT_MAX];
	struct name apex;
	world_begin(&w, HEAD(4294967295) "www A 192.0.2.2\n");
	write_file(&w, "example", HEAD(4294967295) "www A 192.0.2.3\n");
	apply_all(&w);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	assert_int_equal(name_parse("example.", 8, name_root, &apex), OK);
	assert_int_equal(batch_add_serial(b, apex.oct, 7), E_NOTFOUND);
	assert_int_equal(batch_add_serial(b, apex.oct, UINT32_MAX), OK);
	assert_int_equal(name_parse("none.", 5, name_root, &apex), OK);
	assert_int_equal(batch_add_serial(b, apex.oct, 7), E_NOTFOUND);
	assert_int_equal(batch_prepare(b, &rcode, &ede, text), OK);
	commit(&w, b);
	batch_free(&b);
	assert_int_equal(zone_of(&w, "example.")->serial, 0); /* RFC 1982: it goes round */
	assert_string_equal(w.message, "example: serial 0\n\nexample, serial 4294967295 to 0:\n"
	                               "The file was changed without a higher serial: --serial writes one.\n");
	assert_string_equal(read_file(&w, "example"), HEAD(0) "www A 192.0.2.3\n");
	world_end(&w);
}

static err_t
add_serial(struct batch *b, const char *zone, uint32_t serial)
{
	struct name apex;
	assert_int_equal(name_parse(zone, strlen(zone), name_root, &apex), OK);
	return batch_add_serial(b, apex.oct, serial);
}

/* Zones that only have their serials raised count as those that are updated do: by their records, */
static void
serials_of_large_zones_wait_for_the_next_batch(void **state)
{
	(void)state;
	static const char large[] = HEAD(7) "$GENERATE 1-250000 h$ A 192.0.2.1\n";
	struct world w;
	world_begin(&w, large);
	write_file(&w, "other", large);
	apply_all(&w);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	assert_int_equal(add_serial(b, "example.", 7), OK);
	assert_int_equal(add_serial(b, "other.", 7), E_BUSY);
	assert_int_equal(add_serial(b, "example.", 7), OK);
	batch_free(&b);
	b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	assert_int_equal(add_serial(b, "other.", 7), OK);
	batch_free(&b);
	world_end(&w);
}

/* and by their number. */
static void
serials_of_many_zones_wait_for_the_next_batch(void **state)
{
	(void)state;
	struct world w;
	char name[16];
	world_begin(&w, plain);
	for (size_t i = 0; i <= BATCH_ZONES_CHANGED_MAX; i++) {
		snprintf(name, sizeof name, "z%zu", i);
		write_file(&w, name, other);
	}
	apply_all(&w);
	struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
	for (size_t i = 0; i <= BATCH_ZONES_CHANGED_MAX; i++) {
		snprintf(name, sizeof name, "z%zu.", i);
		assert_int_equal(add_serial(b, name, 1), i < BATCH_ZONES_CHANGED_MAX ? OK : E_BUSY);
	}
	batch_free(&b);
	world_end(&w);
}

/* The zone was served with the first, then the file says the second: what --serial=increment writes, and what an update makes of it. */
static void
serials_that_went_back(void **state)
{
	(void)state;
	static const struct {
		uint32_t first, second;
	} cases[] = {
		{ 10, 5 }, { 10, 10 }, { 4294967294, 2147483646 }, { 1, 2147483649 }, { 2147483649, 1 }, { 2026112801, 2025112801 },
		{ 4294967295, 4294967290 }, { 4, 3 },
	};
	for (size_t i = 0; i < 3 * ARRAY_LEN(cases); i++) {
		char text[512], change[128];
		uint32_t first = cases[i / 3].first, second = cases[i / 3].second;
		struct world w;
		struct name apex;
		snprintf(text, sizeof text, HEAD(%u) "www A 192.0.2.2\n", first);
		world_begin(&w, text);
		snprintf(text, sizeof text, HEAD(%u) "www A 192.0.2.3\n", second);
		write_file(&w, "example", text);
		apply_all(&w);
		if (i % 3 == 0) {
			unsigned rcode;
			int ede;
			char why[UPDATE_ANSWER_TEXT_MAX];
			struct batch *b = batch_new(w.primary, &w.source, UPDATE_NOW_S);
			assert_int_equal(name_parse("example.", 8, name_root, &apex), OK);
			assert_int_equal(batch_add_serial(b, apex.oct, second), OK);
			assert_int_equal(batch_prepare(b, &rcode, &ede, why), OK);
			commit(&w, b);
			batch_free(&b);
		} else { /* the second one brings a serial of its own, which is newer than the file's and not newer than what was served */
			snprintf(change, sizeof change, "add @ 3600 SOA ns1 hostmaster %u 7200 3600 1209600 300\n", second + 1);
			assert_true(update(&w, i % 3 == 1 ? "add x 60 A 192.0.2.9\n" : change).is_committed);
		}
		assert_int_equal(zone_of(&w, "example.")->serial, first + 1);
		const struct delta **list;
		size_t n;
		assert_int_equal(history_from(zone_of(&w, "example."), first, &list, &n), E_NOTFOUND);
		assert_int_equal(history_from(zone_of(&w, "example."), second, &list, &n), E_NOTFOUND);
		world_end(&w);
	}
}

/* By push and by update; a file of another spelling is the same zone. */
static void
zones_that_come_back_are_newer(void **state)
{
	(void)state;
	struct world w;
	static const char make[] = "add @ 3600 SOA ns1 hostmaster %u 7200 3600 1209600 300\nadd @ 3600 NS ns1\nadd ns1 3600 A 192.0.2.1\n";
	char text[256];
	world_begin_zones(&w, plain, 100);
	snprintf(text, sizeof text, make, 20u);
	assert_true(update_zone(&w, "new.example.", KEY, text).is_committed);
	assert_true(update_zone(&w, "new.example.", KEY, "delete @ SOA ns1 hostmaster 20 7200 3600 1209600 300\n").is_committed);
	snprintf(text, sizeof text, make, 3u);
	assert_true(update_zone(&w, "new.example.", KEY, text).is_committed);
	assert_int_equal(zone_of(&w, "new.example.")->serial, 21);
	assert_true(update_zone(&w, "new.example.", KEY, "delete @ SOA ns1 hostmaster 21 7200 3600 1209600 300\n").is_committed);
	write_file(&w, "New.Example", HEAD(4) "www A 192.0.2.2\n");
	apply_all(&w);
	assert_int_equal(zone_of(&w, "new.example.")->serial, 4);
	assert_true(update_zone(&w, "new.example.", KEY, "add x 60 A 192.0.2.3\n").is_committed);
	assert_int_equal(zone_of(&w, "new.example.")->serial, 22);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_and_their_files),
		cmocka_unit_test(what_changes_nothing_is_no_commit),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(delegations_in_any_order),
		cmocka_unit_test(the_apex_keeps_what_it_needs),
		cmocka_unit_test(who_is_refused),
		cmocka_unit_test(whole_sets_are_compared),
		cmocka_unit_test(the_soa_stays),
		cmocka_unit_test(zones_neither_come_nor_go),
		cmocka_unit_test(a_removal_obeys_the_valve),
		cmocka_unit_test(a_removal_beside_those_that_are_held),
		cmocka_unit_test(zones_come_and_go),
		cmocka_unit_test(zones_that_cannot_come),
		cmocka_unit_test(the_catalog_is_no_zone_of_updates),
		cmocka_unit_test(updates_add_what_there_is_memory_for),
		cmocka_unit_test(broken_files_are_left_alone),
		cmocka_unit_test(a_text_that_is_another_one_is_not_edited),
		cmocka_unit_test(shared_includes_are_left_alone),
		cmocka_unit_test(signed_zones_are_left_alone),
		cmocka_unit_test(one_commit_for_many),
		cmocka_unit_test(what_is_not_accepted_has_not_been),
		cmocka_unit_test(zones_come_alone),
		cmocka_unit_test(serials_that_nobody_raised),
		cmocka_unit_test(serials_of_large_zones_wait_for_the_next_batch),
		cmocka_unit_test(serials_of_many_zones_wait_for_the_next_batch),
		cmocka_unit_test(serials_that_went_back),
		cmocka_unit_test(zones_that_come_back_are_newer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
