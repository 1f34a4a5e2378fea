#include "zone/locate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "dns/name.h"
#include "dns/rrtype.h"

static const char included[] = "i A 192.0.2.7\n";

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	(void)ctx;
	if (strcmp(path, "inc") != 0) {
		return E_NOTFOUND;
	}
	out->text = included;
	out->len = strlen(included);
	return OK;
}

static void
see(void *ctx, const struct diag *d)
{
	str_printf(ctx, "%s:%u:%u %s[%.*s] %s (%s)\n", d->file, d->line, d->col, d->code, (int)d->width,
	           d->source != NULL ? d->source + d->col - 1 : "", d->text, d->hint);
}

static void
find(struct findings *f, const char *owner, uint16_t type, const char *rdata, unsigned nth, const char *code)
{
	struct name n;
	assert_int_equal(name_parse(owner, strlen(owner), NULL, &n), OK);
	findings_add(f, DIAG_WARNING, code, n.oct, type, (const uint8_t *)rdata, rdata != NULL ? 4 : 0, "do so",
	             "it is %d", 7);
	f->list[f->n - 1].nth = nth;
}

static void
findings_get_their_places(void **state)
{
	(void)state;
	static const char text[] = "$TTL 60\n"
	                           "@ SOA ns h ( 1 ; serial\n"
	                           " 2 3 4 5 )\n"
	                           "$INCLUDE inc\n"
	                           "a A 192.0.2.1 ; c\n"
	                           "\tA 192.0.2.2\r\n"
	                           "A A 192.0.2.2\n"
	                           "a TXT \"x\"\n"
	                           "bad A\n";
	static const uint8_t apex[] = "\7example";
	struct str got = { 0 };
	struct findings f = { 0 };
	const struct diag_sink sink = { see, &got };
	const struct master_reader r = { .apex = apex, .file = "z", .open = open_file, .sink = &sink };
	find(&f, "i.example.", TYPE_A, NULL, 0, "in-include");
	find(&f, "a.example.", TYPE_A, "\300\0\2\2", 1, "second-of-two");
	find(&f, "a.example.", TYPE_A, "\300\0\2\2", 0, "first-of-two");
	find(&f, "a.example.", 0, NULL, 0, "any-type");
	find(&f, "A.EXAMPLE.", TYPE_TXT, NULL, 0, "txt");
	find(&f, "example.", TYPE_NS, NULL, 0, "not-there");
	find(&f, "example.", TYPE_SOA, NULL, 0, "lines");
	find(&f, "a.example.", TYPE_A, "\300\0\2\2", 2, "too-many");
	assert_int_equal(findings_locate(&f, &r, text, strlen(text)), OK);
	assert_string_equal(str_text(&got), "z:0:0 not-there[] it is 7 (do so)\n"
	                                    "z:0:0 too-many[] it is 7 (do so)\n"
	                                    "z:2:1 lines[@ SOA ns h ( 1] it is 7 (do so)\n"
	                                    "z:5:1 any-type[a A 192.0.2.1] it is 7 (do so)\n"
	                                    "z:6:2 first-of-two[A 192.0.2.2] it is 7 (do so)\n"
	                                    "z:7:1 second-of-two[A A 192.0.2.2] it is 7 (do so)\n"
	                                    "z:8:1 txt[a TXT \"x\"] it is 7 (do so)\n"
	                                    "inc:1:1 in-include[i A 192.0.2.7] it is 7 (do so)\n");
	findings_fini(&f);
	str_fini(&got);
}

/* Where it is found, where it is not, and where the source is not read again. */
static void
what_looks_like_keys_is_hidden(void **state)
{
	(void)state;
	static const char text[] = "$TTL 60\na A 192.0.2.1\nme._update.example. DNSKEY 0 3 163 AAAA\n";
	static const uint8_t apex[] = "\7example";
	for (unsigned i = 0; i < 3; i++) {
		struct str got = { 0 };
		struct findings f = { 0 };
		const struct diag_sink sink = { see, &got };
		struct master_allowance spent = { .is_spent = true };
		const struct master_reader r = { .apex = apex, .file = "z", .sink = &sink, .is_of_keys = i == 2, .allowance = i == 1 ? &spent : NULL };
		find(&f, "a.example.", TYPE_A, NULL, 0, "there");
		find(&f, "b.example.", TYPE_A, NULL, 0, "not-there");
		assert_int_equal(findings_locate(&f, &r, text, strlen(text)), OK);
		assert_int_equal(strstr(str_text(&got), "it is 7") != NULL, i == 2); /* a keys file sees to it itself */
		assert_int_equal(strstr(str_text(&got), "192.0.2.1") != NULL, i == 2);
		assert_non_null(strstr(str_text(&got), "not-there"));
		findings_fini(&f);
		str_fini(&got);
	}
}

static void
no_findings_no_reading(void **state)
{
	(void)state;
	struct findings f = { 0 };
	const struct master_reader r = { .apex = name_root, .file = "z" };
	assert_int_equal(findings_locate(&f, &r, "", 0), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_get_their_places),
		cmocka_unit_test(what_looks_like_keys_is_hidden),
		cmocka_unit_test(no_findings_no_reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
