/* Each key, at each name and with each type, in each operation: may it? */
#include "batch_world.h"

#define DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

static const char zone_text[] = HEAD(7) "www\tA\t192.0.2.2\n"
                                        "\tTXT\t\"one\"\n"
                                        "home\tA\t192.0.2.3\n"
                                        "\tTXT\t\"one\"\n"
                                        "box.home\tA\t192.0.2.4\n"
                                        "homer\tA\t192.0.2.5\n"
                                        "sub\tNS\tns.sub\n"
                                        "\tDS\t1 13 2 " DIGEST "\n"
                                        "ns.sub\tA\t192.0.2.6\n";
static const char empty_text[] = HEAD(7);

static const char *const names[] = { "@", "www", "home", "box.home", "homer", "sub", "ns.sub" };
enum { NAMES_N = ARRAY_LEN(names), TYPES_N = 6, ALL = TYPES_N - 1 };

static const struct {
	const char *type, *rdata;
} types[TYPES_N] = {
	{ "A", "192.0.2.9" },   { "TXT", "\"new\"" },           { "NS", "ns.example.net." },
	{ "DS", "2 13 2 " DIGEST }, { "SOA", "ns1 hostmaster 9 7200 3600 1209600 300" }, { NULL, NULL }, /* all that the name has */
};

/* For each of the names the types that may be changed, with "?" when prerequisites may be asked; no lines: the key has no right in the
 * zone at all. */
static const struct {
	const char *key, *zone;
	const char *may[NAMES_N];
} cells[] = {
	/*                                             @          www        home       box.home   homer      sub        ns.sub */
	{ "all._update.", "example.",                     { "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?" } },
	{ "all._update.", "other.",                       { "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?" } },
	{ "me._update.example.", "example.",              { "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?" } },
	{ "me._update.example.", "other.",                { NULL } },
	{ "me._txt._update.example.", "example.",         { ".T....?", ".T....?", ".T....?", ".T....?", ".T....?", ".T....?", ".T....?" } },
	{ "me._txt._update.example.", "other.",           { NULL } },
	{ "me._SOA._type2._update.example.", "example.",  { "..N.S.?", "..N.S.?", "..N.S.?", "..N.S.?", "..N.S.?", "..N.S.?", "..N.S.?" } },
	{ "me._update.home.example.", "example.",         { ".......", ".......", "AT...*?", "AT...*?", ".......", ".......", "......." } },
	{ "me._update.home.example.", "other.",           { NULL } },
	{ "me._a._txt._update.home.example.", "example.", { ".......", ".......", "AT....?", "AT....?", ".......", ".......", "......." } },
	{ "me._a._txt._update.home.example.", "other.",   { NULL } },
	{ "me._ns._ds._update.home.example.", "example.", { ".......", ".......", "..ND..?", "..ND..?", ".......", ".......", "......." } },
	{ "me._soa._update.home.example.", "example.",    { ".......", ".......", "....S.?", "....S.?", ".......", ".......", "......." } },
	{ "me._update.ns.sub.example.", "example.",       { ".......", ".......", ".......", ".......", ".......", ".......", "AT...*?" } },
	{ "me._update.nowhere.example.", "example.",      { ".......", ".......", ".......", ".......", ".......", ".......", "......." } },
	{ "me._update.other.", "example.",                { NULL } },
	{ "me._update.other.", "other.",                  { "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?", "ATNDS*?" } },
	{ "me._transfer.example.", "example.",            { NULL } },
	{ "me._transfer.home.example.", "example.",       { NULL } },
	{ "me._notify.example.", "example.",              { NULL } },
	{ "me._status.example.", "example.",              { NULL } },
};

/* %N, %T, %R: name, type, data. */
static const char *const deletions_of_all[] = { "delete %N\n", "add %N 60 TYPE65300 \\# 0\ndelete %N\n" };
static const char *const changes_of_types[] = { "add %N 60 %T %R\n", "delete %N %T %R\n", "delete %N %T\n" };
static const char *const questions[] = {
	"prereq yxdomain %N\n",  "prereq nxdomain %N\n",        "prereq yxrrset %N %T\n",
	"prereq nxrrset %N %T\n", "prereq yxrrset %N %T %R\n",
};

static void
put_pattern(char *out, size_t cap, const char *pattern, const char *name, const char *type, const char *rdata)
{
	size_t n = 0;
	for (const char *c = pattern; *c != '\0'; c++) {
		const char *word = strncmp(c, "%N", 2) == 0 ? name : strncmp(c, "%T", 2) == 0 ? type
		                   : strncmp(c, "%R", 2) == 0 ? rdata : NULL;
		n += (size_t)(word != NULL ? snprintf(out + n, cap - n, "%s", word) : snprintf(out + n, cap - n, "%c", *c));
		c += word != NULL;
		assert_true(n < cap);
	}
}

static void
begin(struct world *w, const char *zone)
{
	struct str keys_text = { 0 };
	world_begin(w, zone);
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		if (i == 0 || strcmp(cells[i].key, cells[i - 1].key) != 0) {
			str_printf(&keys_text, "%s DNSKEY 0 3 163 " SECRET "\n", cells[i].key);
		}
	}
	write_file(w, "_keys", str_text(&keys_text));
	apply_all(w);
	str_fini(&keys_text);
}

static struct result
try_in(const char *zone_text_of, const char *zone, const char *key_name, const char *text)
{
	struct world w;
	char key[400];
	snprintf(key, sizeof key, "%s:SHA256:" SECRET, key_name);
	begin(&w, zone_text_of);
	struct result r = update_zone(&w, zone, key, text);
	world_end(&w);
	return r;
}

static bool
is_of_rights(const struct result *r)
{
	static const char *const texts[] = {
		"the key has no right to update this zone", "the key has no right to this name",
		"the key has no right to this type of records",
		"the key is limited to certain types, and this would delete all records of a name",
	};
	size_t i = 0;
	while (i < ARRAY_LEN(texts) && strcmp(texts[i], r->text) != 0) {
		i++;
	}
	return r->rcode == RCODE_REFUSED && i < ARRAY_LEN(texts);
}

/* `column`: the type; TYPES_N: whether prerequisites may be asked, of any type. */
static void
try_cell(size_t at, size_t name, size_t column, const char *pattern, size_t type)
{
	const char *may = cells[at].may[name];
	bool is_allowed = may != NULL && may[column] != '.';
	char text[400];
	put_pattern(text, sizeof text, pattern, names[name], types[type].type, types[type].rdata);
	struct result full = try_in(zone_text, cells[at].zone, cells[at].key, text);
	if (is_of_rights(&full) == is_allowed || (!is_allowed && full.is_committed)) {
		fail_msg("%s in %s: %s answers %u %s", cells[at].key, cells[at].zone, text, full.rcode, full.text);
	}
	if (!is_allowed) { /* the same where nothing is */
		struct result empty = try_in(empty_text, cells[at].zone, cells[at].key, text);
		assert_int_equal(empty.rcode, full.rcode);
		assert_string_equal(empty.text, full.text);
	}
}

static void
try_types(size_t at, size_t name)
{
	for (size_t type = 0; type < ALL; type++) {
		for (size_t op = 0; op < ARRAY_LEN(changes_of_types); op++) {
			try_cell(at, name, type, changes_of_types[op], type);
		}
		for (size_t op = 0; op < ARRAY_LEN(questions); op++) {
			try_cell(at, name, TYPES_N, questions[op], type);
		}
	}
	for (size_t op = 0; op < ARRAY_LEN(deletions_of_all); op++) {
		try_cell(at, name, ALL, deletions_of_all[op], ALL);
	}
}

static void
every_cell(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		for (size_t name = 0; name < NAMES_N; name++) {
			try_types(i, name);
		}
	}
}

#define NARROW "me._update.home.example.:SHA256:" SECRET
#define ADDRESSES "me._a._txt._update.home.example.:SHA256:" SECRET

/* What is allowed is done, and what is not is all that counts in a message. */
static void
one_that_may_not_spoils_it(void **state)
{
	(void)state;
	static const struct {
		const char *key, *text;
		unsigned rcode;
		const char *why;
	} rows[] = {
		{ NARROW, "add home 60 A 192.0.2.9\nadd www 60 A 192.0.2.9\n", RCODE_REFUSED, "this name" },
		{ NARROW, "prereq yxdomain home\nprereq nxdomain www\nadd home 60 A 192.0.2.9\n", RCODE_REFUSED, "this name" },
		{ NARROW, "prereq nxdomain home\nadd www 60 A 192.0.2.9\n", RCODE_REFUSED, "this name" }, /* rights come first */
		{ NARROW, "prereq nxdomain home\nadd home 60 A 192.0.2.9\n", RCODE_YXDOMAIN, "" },
		{ NARROW, "add home 60 NS ns.example.net.\n", RCODE_REFUSED, "this type" },
		{ NARROW, "add home.example.net. 60 A 192.0.2.9\n", RCODE_NOTZONE, "" },
		{ NARROW, "add home 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 example. AAAA\n", RCODE_REFUSED, "signer" },
		{ ADDRESSES, "prereq yxrrset home A\nprereq nxrrset home CNAME\nadd home 60 A 192.0.2.9\n", RCODE_NOERROR, "" },
		{ ADDRESSES, "prereq yxdomain www\nadd home 60 A 192.0.2.9\n", RCODE_REFUSED, "this name" },
		{ ADDRESSES, "delete home\nadd home 60 A 192.0.2.9\n", RCODE_REFUSED, "all records of a name" },
		{ ADDRESSES, "delete home A\nadd home 60 A 192.0.2.9\n", RCODE_NOERROR, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		begin(&w, zone_text);
		struct result r = update_zone(&w, "example.", rows[i].key, rows[i].text);
		if (r.rcode != rows[i].rcode || strstr(r.text, rows[i].why) == NULL || r.is_committed != (r.rcode == RCODE_NOERROR)) {
			fail_msg("%s: %u %s", rows[i].text, r.rcode, r.text);
		}
		assert_int_equal(zone_of(&w, "example.")->serial, r.is_committed ? 8 : 7);
		world_end(&w);
	}
}

/* The deletion of a name leaves its delegation, which the key could not have made. */
static void
a_delegation_outlives_its_name(void **state)
{
	(void)state;
	struct world w;
	begin(&w, HEAD(7) "home A 192.0.2.3\nhome NS ns.example.net.\nhome DS 1 13 2 " DIGEST "\nhome TXT \"one\"\n");
	assert_int_equal(update_zone(&w, "example.", NARROW, "delete home\n").rcode, RCODE_NOERROR);
	const char *text = read_file(&w, "example");
	assert_non_null(strstr(text, "home NS"));
	assert_non_null(strstr(text, "DS 1 13 2"));
	assert_null(strstr(text, "home A"));
	assert_null(strstr(text, "TXT"));
	assert_int_equal(update_zone(&w, "example.", "me._ns._ds._update.home.example.:SHA256:" SECRET, "delete home NS\ndelete home DS\n").rcode,
	                 RCODE_NOERROR);
	assert_null(strstr(read_file(&w, "example"), "home"));
	world_end(&w);
}

#define MAKE "add @ 3600 SOA ns1.example. h 1 7200 3600 1209600 300\nadd @ 3600 NS ns1.example.\n"

/* Nobody takes names away from a zone by making one inside of it, but who has that zone. */
static void
zones_are_not_for_narrow_keys(void **state)
{
	(void)state;
	static const struct {
		const char *key, *zone;
		unsigned rcode;
	} rows[] = {
		{ "me._update.home.example.", "home.example.", RCODE_REFUSED },
		{ "me._update.home.example.", "lab.home.example.", RCODE_REFUSED },
		{ "me._soa._ns._update.home.example.", "home.example.", RCODE_REFUSED },
		{ "me._soa._ns._update.new.", "new.", RCODE_REFUSED },
		{ "me._update.example.", "home.example.", RCODE_NOERROR },
		{ "me._update.new.", "new.", RCODE_NOERROR },
		{ "me._update.new.", "lab.new.", RCODE_NOERROR },
		{ "all._update.", "home.example.", RCODE_NOERROR },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		char key[400], line[400];
		world_begin_zones(&w, zone_text, 100);
		snprintf(line, sizeof line, "%s DNSKEY 0 3 163 " SECRET "\nall._update. DNSKEY 0 3 163 " SECRET "\n", rows[i].key);
		write_file(&w, "_keys", line);
		apply_all(&w);
		snprintf(key, sizeof key, "%s:SHA256:" SECRET, rows[i].key);
		struct result r = update_zone(&w, rows[i].zone, key, MAKE);
		if (r.rcode != rows[i].rcode || (r.rcode == RCODE_REFUSED && strstr(r.text, "cannot make or remove zones") == NULL)) {
			fail_msg("%s makes %s: %u %s", rows[i].key, rows[i].zone, r.rcode, r.text);
		}
		if (r.rcode == RCODE_REFUSED) { /* as for one that is there: it takes none away either */
			assert_int_equal(update_zone(&w, rows[i].zone, KEY_ALL, MAKE).rcode, RCODE_NOERROR);
			r = update_zone(&w, rows[i].zone, key, "delete @ SOA ns1.example. h 1 7200 3600 1209600 300\n");
			assert_int_equal(r.rcode, RCODE_REFUSED);
			assert_non_null(zone_of(&w, rows[i].zone));
		}
		world_end(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell),
		cmocka_unit_test(one_that_may_not_spoils_it),
		cmocka_unit_test(a_delegation_outlives_its_name),
		cmocka_unit_test(zones_are_not_for_narrow_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
