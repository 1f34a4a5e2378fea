#include "zone/master.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

/* Files that $INCLUDE finds. */
static const struct {
	const char *path, *text;
} files[] = {
	{ "one", "q A 1.1.1.1\n" },
	{ "blank", " A 2.2.2.2\n" },
	{ "ttl", "$TTL 77\n$ORIGIN zzz\nq A 1.1.1.1\n" },
	{ "lastttl", "$ORIGIN zzz\nq 99 A 1.1.1.1" },
	{ "sub/a", "$INCLUDE b\n$INCLUDE ../one\n" },
	{ "sub/b", "b A 3.3.3.3\n" },
	{ "self", "$INCLUDE self\nx A 1.1.1.1\n" },
	{ "ping", "$INCLUDE pong\n" },
	{ "pong", "$INCLUDE ping\n" },
	{ "bad", "a A 1.1.1.1\nb A nonsense\nc A 1.1.1.3\n" },
	{ "badowner", "a..b A 1.1.1.1\n" },
	{ "spaced name", "s A 4.4.4.4\n" },
	{ "d1", "$INCLUDE d2" }, { "d2", "$INCLUDE d3" }, { "d3", "$INCLUDE d4" },
	{ "d4", "$INCLUDE d5" }, { "d5", "$INCLUDE d6" }, { "d6", "$INCLUDE d7" },
	{ "d7", "$INCLUDE d8" }, { "d8", "$INCLUDE d9" }, { "d9", "x A 1.1.1.1" },
};

struct seen {
	struct str records, diags, places;
	size_t opened, closed;
	size_t records_max;
};

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct seen *s = ctx;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (strcmp(files[i].path, path) == 0) {
			s->opened++;
			/* A copy that goes with the close, so that ASan sees what is used after it. */
			out->text = out->handle = strdup(files[i].text);
			out->len = strlen(files[i].text);
			return OK;
		}
	}
	return strcmp(path, "link") == 0 ? E_REFUSED : E_NOTFOUND;
}

static void
close_file(void *ctx, struct master_text *text)
{
	struct seen *s = ctx;
	s->closed++;
	free(text->handle);
}

static err_t
see_record(void *ctx, const struct master_rr *rr)
{
	struct seen *s = ctx;
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	name_print(rr->owner, owner);
	assert_int_equal(rr->rrclass, 1);
	str_printf(&s->records, "%s %u %s ", owner, rr->ttl, rrtype_print(rr->type, type));
	rdata_print(rr->type, rr->rdata, rr->rdlen, &s->records);
	str_char(&s->records, '\n');
	str_printf(&s->places, "%s:%u-%u:%u[%.*s]%s%s%s%s\n", rr->file, rr->line, rr->last_line, rr->col,
	           (int)(rr->end - rr->begin), rr->text + rr->begin,
	           rr->flags & MASTER_OWNER_INHERITED ? "i" : "", rr->flags & MASTER_TTL_GIVEN ? "t" : "",
	           rr->flags & MASTER_CLASS_GIVEN ? "c" : "", rr->flags & MASTER_GENERATED ? "g" : "");
	return --s->records_max == 0 ? E_STOPPED : OK;
}

static void
see_diag(void *ctx, const struct diag *d)
{
	struct seen *s = ctx;
	assert_non_null(d->source);
	assert_true(d->line >= 1 && d->col >= 1);
	assert_true(d->col - 1 + d->width <= d->source_len);
	assert_null(memchr(d->source, '\n', d->source_len));
	assert_true(d->text[0] != '\0');
	str_printf(&s->diags, "%s:%u:%u %s[%.*s]\n", d->file, d->line, d->col, d->code, (int)d->width,
	           d->source + d->col - 1);
}

static void
seen_fini(struct seen *s)
{
	str_fini(&s->records);
	str_fini(&s->diags);
	str_fini(&s->places);
}

static err_t
read_zone(struct seen *s, const char *text, size_t len, struct master_counts *counts)
{
	static const uint8_t apex[] = "\7example";
	const struct diag_sink sink = { see_diag, s };
	const struct master_reader r = { .apex = apex, .file = "z", .ctx = s, .record = see_record,
		                         .open = open_file, .close = close_file, .sink = &sink };
	char *exact = malloc(len != 0 ? len : 1); /* so that ASan sees a read past the end */
	assert_non_null(exact);
	memcpy(exact, text, len);
	err_t err = master_read(&r, exact, len, counts);
	free(exact);
	assert_int_equal(s->opened, s->closed);
	return err;
}

struct row {
	const char *text, *records, *diags;
};

/* Every row is read after "$TTL 60", on a line of its own. */
static void
check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str text = { 0 };
		struct seen s = { 0 };
		struct master_counts counts;
		str_printf(&text, "$TTL 60\n%s", rows[i].text);
		err_t err = read_zone(&s, text.s, text.len, &counts);
		assert_string_equal(str_text(&s.records), rows[i].records);
		assert_string_equal(str_text(&s.diags), rows[i].diags);
		assert_int_equal(err, counts.errors != 0 ? E_FORMAT : OK);
		assert_true((s.diags.len != 0) == (counts.errors + counts.warnings != 0));
		seen_fini(&s);
		str_fini(&text);
	}
}

static void
records_are_read(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "", "", "" },
		{ "a A 1.1.1.1", "a.example. 60 A 1.1.1.1\n", "" },
		{ "a\tIN\tA\t1.1.1.1\r\n", "a.example. 60 A 1.1.1.1\n", "" },
		{ "@ A 1.1.1.1\n", "example. 60 A 1.1.1.1\n", "" },
		{ ". A 1.1.1.1\n", ". 60 A 1.1.1.1\n", "" },
		{ "a.b A 1.1.1.1\nc. A 1.1.1.1\n", "a.b.example. 60 A 1.1.1.1\nc. 60 A 1.1.1.1\n", "" },
		{ "\\@ A 1.1.1.1\n@@ A 1.1.1.1\n\\$x A 1.1.1.1\na$ A 1.1.1.1\n",
		  "\\@.example. 60 A 1.1.1.1\n\\@\\@.example. 60 A 1.1.1.1\n\\$x.example. 60 A 1.1.1.1\n"
		  "a\\$.example. 60 A 1.1.1.1\n", "" },
		{ "a\\.b A 1.1.1.1\na\\032b A 1.1.1.1\n\\000 A 1.1.1.1\n",
		  "a\\.b.example. 60 A 1.1.1.1\na\\032b.example. 60 A 1.1.1.1\n\\000.example. 60 A 1.1.1.1\n", "" },
		{ "a IN 5 A 1.1.1.1\na 5 IN A 1.1.1.1\na 5 A 1.1.1.1\na in a 1.1.1.1\na CLASS1 1h30m A 1.1.1.1\n",
		  "a.example. 5 A 1.1.1.1\na.example. 5 A 1.1.1.1\na.example. 5 A 1.1.1.1\n"
		  "a.example. 60 A 1.1.1.1\na.example. 5400 A 1.1.1.1\n", "" },
		{ "IN A 1.1.1.1\n5 A 1.1.1.1\nA A 1.1.1.1\n",
		  "IN.example. 60 A 1.1.1.1\n5.example. 60 A 1.1.1.1\nA.example. 60 A 1.1.1.1\n", "" },
		{ "a A 1.1.1.1\n\n A 1.1.1.2 ; c\n;c\n\t5 A 1.1.1.3\nb A 1.1.1.4\n",
		  "a.example. 60 A 1.1.1.1\na.example. 60 A 1.1.1.2\na.example. 5 A 1.1.1.3\n"
		  "b.example. 60 A 1.1.1.4\n", "" },
		{ "a TYPE1 1.1.1.1\na A \\# 4 01010102\na TYPE65280 \\# 2 abcd\na TYPE1 \\# 4 01010103\n",
		  "a.example. 60 A 1.1.1.1\na.example. 60 A 1.1.1.2\na.example. 60 TYPE65280 \\# 2 ABCD\n"
		  "a.example. 60 A 1.1.1.3\n", "" },
		{ "a ( A\n1.1.1.1 ; c\n)\n(b A 1.1.1.1)\n(\nc A 1.1.1.1)\n  (\n)\nd A 1.1.1.1\n",
		  "a.example. 60 A 1.1.1.1\nb.example. 60 A 1.1.1.1\nc.example. 60 A 1.1.1.1\n"
		  "d.example. 60 A 1.1.1.1\n", "" },
		{ "a TXT a \"b c\" \"d\\\"e\" f\\;g \"h;i\" \\065\\200 \"\" ; k\n",
		  "a.example. 60 TXT \"a\" \"b c\" \"d\\\"e\" \"f;g\" \"h;i\" \"A\\200\" \"\"\n", "" },
		{ "a MX 10 b\n MX 20 c.\n MX 30 @\n",
		  "a.example. 60 MX 10 b.example.\na.example. 60 MX 20 c.\na.example. 60 MX 30 example.\n", "" },
		{ "\"q\" A 1.1.1.1\n", "q.example. 60 A 1.1.1.1\n", "" },
		/* the same owner text means another name under another origin */
		{ "a A 1.1.1.1\n$ORIGIN b\na A 1.1.1.2\n$ORIGIN c.\na A 1.1.1.3\n$ORIGIN @\na A 1.1.1.4\n$origin .\na A 1.1.1.5\n",
		  "a.example. 60 A 1.1.1.1\na.b.example. 60 A 1.1.1.2\na.c. 60 A 1.1.1.3\n"
		  "a.c. 60 A 1.1.1.4\na. 60 A 1.1.1.5\n", "" },
		{ "$ORIGIN (\nsub ; c\n)\nb A 1.1.1.1\n", "b.sub.example. 60 A 1.1.1.1\n", "" },
	};
	check_rows(rows, ARRAY_LEN(rows));
}

static void
errors_are_reported_and_passed_over(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ " A 1.1.1.1\n A 1.1.1.2\nb A 1.1.1.3\n", "b.example. 60 A 1.1.1.3\n", "z:2:2 no-owner[A]\n" },
		{ "a..b A 1.1.1.1\n A 1.1.1.2\n A x\nb A 1.1.1.3\n", "b.example. 60 A 1.1.1.3\n",
		  "z:2:1 bad-owner[a..b]\nz:4:4 bad-rdata[x]\n" },
		{ "a\\256 A 1.1.1.1\n", "", "z:2:1 bad-owner[a\\256]\n" },
		{ "a\n", "", "z:2:2 no-type[]\n" },
		{ "a IN", "", "z:2:5 no-type[]\n" },
		{ "a IN\r\n", "", "z:2:5 no-type[]\n" },
		{ "a 5 \n", "", "z:2:5 no-type[]\n" },
		{ "a AAAAA ::1\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:3 unknown-type[AAAAA]\n" },
		{ "a \"A\" 1.1.1.1\n", "", "z:2:3 unknown-type[\"A\"]\n" },
		{ "a 1.1.1.1\n", "", "z:2:3 unknown-type[1.1.1.1]\n" },
		{ "a 5 5 A 1.1.1.1\n", "", "z:2:5 unknown-type[5]\n" },
		{ "a IN IN A 1.1.1.1\n", "", "z:2:6 unknown-type[IN]\n" },
		{ " $TTL 5\n", "", "z:2:2 no-owner[$TTL]\n" },
		{ "a ANY \\# 0\na TYPE255 \\# 0\na OPT \\# 0\na TYPE0 \\# 0\na TYPE128 \\# 0\na AXFR \\# 0\n", "",
		  "z:2:3 meta-type[ANY]\nz:3:3 meta-type[TYPE255]\nz:4:3 meta-type[OPT]\nz:5:3 meta-type[TYPE0]\n"
		  "z:6:3 meta-type[TYPE128]\nz:7:3 meta-type[AXFR]\n" },
		{ "a CH A 1.1.1.1\na CLASS32 A 1.1.1.1\n", "", "z:2:3 bad-class[CH]\nz:3:3 bad-class[CLASS32]\n" },
		{ "a 4294967296 A 1.1.1.1\n", "", "z:2:3 bad-ttl[4294967296]\n" },
		{ "a 2147483648 A 1.1.1.1\na 2147483647 A 1.1.1.1\n",
		  "a.example. 0 A 1.1.1.1\na.example. 2147483647 A 1.1.1.1\n", "z:2:3 ttl-too-large[2147483648]\n" },
		{ "a A 1.1.1\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:5 bad-rdata[1.1.1]\n" },
		{ "a A 1.1.1.1 x\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:13 bad-rdata[x]\n" },
		{ "a A\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:4 bad-rdata[]\n" },
		{ "a TXT \"x\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:7 bad-syntax[\"x]\n" },
		{ "a A 1.1.1.1 )\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:13 bad-syntax[)]\n" },
		{ ")\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n", "z:2:1 bad-syntax[)]\n" },
		/* the rest of a record over several lines is not read as records */
		{ "a MX ( x\n  b\nc A 1.1.1.1\n)\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n",
		  "z:2:8 bad-rdata[x]\n" },
		/* but a parenthesis that is never closed does not swallow the rest of the file */
		{ "a A ( 1.1.1.1\nb A 1.1.1.1\nc A 1.1.1.2\n",
		  "b.example. 60 A 1.1.1.1\nc.example. 60 A 1.1.1.2\n", "z:3:1 bad-rdata[b]\n" },
		{ "$FOO 1\n$\nb A 1.1.1.1\n", "b.example. 60 A 1.1.1.1\n",
		  "z:2:1 unknown-directive[$FOO]\nz:3:1 unknown-directive[$]\n" },
		{ "$TTL\n$TTL x\n$TTL 1 2\n$TTL 99999999999\n", "",
		  "z:2:5 bad-directive[]\nz:3:6 bad-ttl[x]\nz:4:8 bad-directive[2]\nz:5:6 bad-ttl[99999999999]\n" },
		{ "$TTL 2147483648\na A 1.1.1.1\n", "a.example. 0 A 1.1.1.1\n", "z:2:6 ttl-too-large[2147483648]\n" },
		{ "$ORIGIN\n$ORIGIN a..\n$ORIGIN a b\n", "",
		  "z:2:8 bad-directive[]\nz:3:9 bad-origin[a..]\nz:4:11 bad-directive[b]\n" },
		{ "a A 1.1.1.1\n$ORIGIN b\n A 1.1.1.2\n A 1.1.1.3\n",
		  "a.example. 60 A 1.1.1.1\na.example. 60 A 1.1.1.2\na.example. 60 A 1.1.1.3\n",
		  "z:4:2 previous-owner[A]\n" },
	};
	check_rows(rows, ARRAY_LEN(rows));
}

static void
includes(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "x A 1.1.1.2\n$INCLUDE one\n A 3.3.3.3\n",
		  "x.example. 60 A 1.1.1.2\nq.example. 60 A 1.1.1.1\nx.example. 60 A 3.3.3.3\n", "" },
		{ "x A 1.1.1.2\n$INCLUDE blank ; c\n A 3.3.3.3\n",
		  "x.example. 60 A 1.1.1.2\nx.example. 60 A 2.2.2.2\nx.example. 60 A 3.3.3.3\n", "" },
		/* the TTL stays, the origin does not */
		{ "$INCLUDE ttl\nx A 3.3.3.3\n", "q.zzz.example. 77 A 1.1.1.1\nx.example. 77 A 3.3.3.3\n", "" },
		{ "$INCLUDE one inc\nq A 3.3.3.3\n", "q.inc.example. 60 A 1.1.1.1\nq.example. 60 A 3.3.3.3\n", "" },
		{ "$INCLUDE \"one\" inc.\nq A 3.3.3.3\n", "q.inc. 60 A 1.1.1.1\nq.example. 60 A 3.3.3.3\n", "" },
		{ "$INCLUDE \"spaced name\"\n$INCLUDE spaced\\032name\n",
		  "s.example. 60 A 4.4.4.4\ns.example. 60 A 4.4.4.4\n", "" },
		{ "x A 1.1.1.2\n$INCLUDE blank inc\n",
		  "x.example. 60 A 1.1.1.2\nx.example. 60 A 2.2.2.2\n", "blank:1:2 previous-owner[A]\n" },
		{ "$INCLUDE sub/a\n", "b.example. 60 A 3.3.3.3\nq.example. 60 A 1.1.1.1\n", "" },
		{ "$INCLUDE ./sub/..//one\n", "q.example. 60 A 1.1.1.1\n", "" },
		{ "$INCLUDE bad\nx A 1.1.1.1\n",
		  "a.example. 60 A 1.1.1.1\nc.example. 60 A 1.1.1.3\nx.example. 60 A 1.1.1.1\n",
		  "bad:2:5 bad-rdata[nonsense]\n" },
		{ "x A 1.1.1.1\n$INCLUDE badowner\n A 1.1.1.2\n",
		  "x.example. 60 A 1.1.1.1\nx.example. 60 A 1.1.1.2\n", "badowner:1:1 bad-owner[a..b]\n" },
		{ "$INCLUDE\n$INCLUDE nofile\n$INCLUDE one inc more\n$INCLUDE one a..\nx A 1.1.1.1\n",
		  "x.example. 60 A 1.1.1.1\n",
		  "z:2:9 bad-directive[]\nz:3:10 include-not-found[nofile]\nz:4:18 bad-directive[more]\n"
		  "z:5:14 bad-origin[a..]\n" },
		{ "$INCLUDE ../one\n$INCLUDE /one\n$INCLUDE sub/../../one\n$INCLUDE \"\"\n$INCLUDE .\n", "",
		  "z:2:10 include-refused[../one]\nz:3:10 include-refused[/one]\n"
		  "z:4:10 include-refused[sub/../../one]\nz:5:10 include-refused[\"\"]\n"
		  "z:6:10 include-refused[.]\n" },
		{ "$INCLUDE sub/example._keys\n$INCLUDE ./_KEYS.\n$INCLUDE \\095keys\n$INCLUDE %5Fkeys/a\n$INCLUDE a/../_secondaries\n", "",
		  "z:2:10 include-refused[sub/example._keys]\nz:3:10 include-refused[./_KEYS.]\nz:4:10 include-refused[\\095keys]\n"
		  "z:5:10 include-refused[%5Fkeys/a]\nz:6:10 include-refused[a/../_secondaries]\n" },
		{ "$INCLUDE link\n", "", "z:2:10 include-refused[link]\n" },
		{ "$INCLUDE z\n", "", "z:2:10 include-cycle[z]\n" },
		{ "$INCLUDE self\n", "x.example. 60 A 1.1.1.1\n", "self:1:10 include-cycle[self]\n" },
		{ "$INCLUDE ping\n", "", "pong:1:10 include-cycle[ping]\n" },
		{ "$INCLUDE d1\nx A 1.1.1.1\n", "x.example. 60 A 1.1.1.1\n", "d8:1:10 include-depth[d9]\n" },
		{ "$INCLUDE d2\n", "x.example. 60 A 1.1.1.1\n", "" },
	};
	check_rows(rows, ARRAY_LEN(rows));
}

/* What BIND 9.18's named-compilezone makes of the same lines. */
static void
generate(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "$GENERATE 1-3 h$ A 10.0.0.$\n",
		  "h1.example. 60 A 10.0.0.1\nh2.example. 60 A 10.0.0.2\nh3.example. 60 A 10.0.0.3\n", "" },
		{ "$GENERATE 1-2 h${0,3,d} A 10.0.0.$\n",
		  "h001.example. 60 A 10.0.0.1\nh002.example. 60 A 10.0.0.2\n", "" },
		{ "$GENERATE 10-12/2 h${5,3,x}-$ A 10.0.0.$\n",
		  "h00f-15.example. 60 A 10.0.0.10\nh011-17.example. 60 A 10.0.0.12\n", "" },
		{ "$GENERATE 10-10 h${5}-$-${-2} A 10.0.0.$\n", "h15-15-8.example. 60 A 10.0.0.10\n", "" },
		{ "$GENERATE 250-260/5 h${0,4,n}-${0,0,N}-${0,3,X}-${0,0,o} A 10.0.0.1\n",
		  "ha.f.-A.F-0FA-372.example. 60 A 10.0.0.1\nhf.f.-F.F-0FF-377.example. 60 A 10.0.0.1\n"
		  "h4.0.1-4.0.1-104-404.example. 60 A 10.0.0.1\n", "" },
		{ "$GENERATE 250-250 h${0,5,n}-${0,1,N}-${0,10,N} A 10.0.0.1\n",
		  "ha.f.0-A.F-A.F.0.0.0. 60 A 10.0.0.1\n", "" },
		{ "$GENERATE 1-1 h$$ A 10.0.0.$\n$GENERATE 1-1 h\\$$ A 10.0.0.$\n",
		  "h\\$.example. 60 A 10.0.0.1\nh\\$1.example. 60 A 10.0.0.1\n", "" },
		{ "$GENERATE 1-2 $ TXT \"a b $ \\$ $$\"\n",
		  "1.example. 60 TXT \"a\" \"b\" \"1\" \"$\" \"$\"\n2.example. 60 TXT \"a\" \"b\" \"2\" \"$\" \"$\"\n", "" },
		{ "$GENERATE 1-1 $ MX \" $ mx$\"\n", "1.example. 60 MX 1 mx1.example.\n", "" },
		{ "$GENERATE 1-1 $ IN 300 A 1.1.1.$\n$GENERATE 1-1 $ 300 IN A 1.1.1.$\n",
		  "1.example. 300 A 1.1.1.1\n1.example. 300 A 1.1.1.1\n", "" },
		{ "$GENERATE 2147483646-2147483647 $ A 1.1.1.1\n$GENERATE 0-2147483647/2147483647 $ A 1.1.1.1\n",
		  "2147483646.example. 60 A 1.1.1.1\n2147483647.example. 60 A 1.1.1.1\n"
		  "0.example. 60 A 1.1.1.1\n2147483647.example. 60 A 1.1.1.1\n", "" },
		{ "$GENERATE 1-1 x${-5,4,d}.${-5,4,x}.${-5,4,o}.${-5,4,n}.${-2147483648} A 1.1.1.1\n",
		  "x-004.fffffffc.37777777774.c.f.f.f.f.f.f.f.-2147483647.example. 60 A 1.1.1.1\n", "" },
		{ "$GENERATE 1-1 x${+1,+4,d}} A 1.1.1.1\n", "x0002}.example. 60 A 1.1.1.1\n", "" },
		{ "$GENERATE 1-1 x\\046$ A 1.1.1.$\n", "x\\.1.example. 60 A 1.1.1.1\n", "" },
		{ "$GENERATE 1-1 $ TXT a\\\"$\n$GENERATE 1-1 $ TXT \"\\\"a b\\\" $\"\n$GENERATE 1-1 $ TXT \"a;$\"\n"
		  "$GENERATE 1-1 $ TXT a\\;$\n$GENERATE 1-1 $ TXT a\\\\$\n$GENERATE 1-1 $ TXT \"(a $ )\"\n",
		  "1.example. 60 TXT \"a\\\"1\"\n1.example. 60 TXT \"a b\" \"1\"\n1.example. 60 TXT \"a\"\n"
		  "1.example. 60 TXT \"a;1\"\n1.example. 60 TXT \"a\\\\1\"\n1.example. 60 TXT \"a\" \"1\"\n", "" },
		{ "$GENERATE 1-1 @ CNAME $\n$generate 1-1 $ CNAME @\n",
		  "example. 60 CNAME 1.example.\n1.example. 60 CNAME example.\n", "" },
		/* the owner of the line before is inherited, and the TTL without $TTL is another's matter */
		{ "w A 9.9.9.9\n$GENERATE 1-1 $ 88 A 1.1.1.$\n A 1.1.1.9\n",
		  "w.example. 60 A 9.9.9.9\n1.example. 88 A 1.1.1.1\nw.example. 60 A 1.1.1.9\n", "" },
		{ "$GENERATE\n$GENERATE 1-2\n$GENERATE 1-2 $\n$GENERATE 1-2 $ A\n$GENERATE 1-2 $ TXT a b\n", "",
		  "z:2:10 bad-directive[]\nz:3:14 bad-directive[]\nz:4:16 bad-directive[]\n"
		  "z:5:18 bad-directive[]\nz:6:23 bad-directive[b]\n" },
		{ "$GENERATE 2-1 $ A 1.1.1.1\n$GENERATE 1 $ A 1.1.1.1\n$GENERATE 1-5/0 $ A 1.1.1.1\n"
		  "$GENERATE -2-2 $ A 1.1.1.1\n$GENERATE 1-5/ $ A 1.1.1.1\n$GENERATE 1-2147483648 $ A 1.1.1.1\n",
		  "", "z:2:11 bad-generate[2-1]\nz:3:11 bad-generate[1]\nz:4:11 bad-generate[1-5/0]\n"
		  "z:5:11 bad-generate[-2-2]\nz:6:11 bad-generate[1-5/]\nz:7:11 bad-generate[1-2147483648]\n" },
		{ "$GENERATE 1-2 ${} A 1.1.1.1\n$GENERATE 1-2 ${1 A 1.1.1.1\n$GENERATE 1-2 ${1,} A 1.1.1.1\n"
		  "$GENERATE 1-2 ${1,2,} A 1.1.1.1\n$GENERATE 1-2 ${1,2,z} A 1.1.1.1\n$GENERATE 1-2 ${1,2,d,5} A 1.1.1.1\n"
		  "$GENERATE 1-2 ${1,128,d} A 1.1.1.1\n$GENERATE 1-2 ${2147483647} A 1.1.1.1\n", "",
		  "z:2:15 bad-generate[${}]\nz:3:15 bad-generate[${1]\nz:4:15 bad-generate[${1,}]\n"
		  "z:5:15 bad-generate[${1,2,}]\nz:6:15 bad-generate[${1,2,z}]\nz:7:15 bad-generate[${1,2,d,5}]\n"
		  "z:8:15 bad-generate[${1,128,d}]\nz:9:15 bad-generate[${2147483647}]\n" },
		/* one error a directive, what was good before it stays */
		{ "$GENERATE 254-257 $ A 1.1.1.$\nx A 1.1.1.1\n",
		  "254.example. 60 A 1.1.1.254\n255.example. 60 A 1.1.1.255\nx.example. 60 A 1.1.1.1\n",
		  "z:2:23 bad-generate[1.1.1.$]\n" },
		{ "$GENERATE 1-2 a..$ A 1.1.1.1\n$GENERATE 1-2 $ ANY 1\n$GENERATE 1-2 $ CH A 1.1.1.1\n"
		  "$GENERATE 1-2 $ TXT $\\\n$GENERATE 1-2 $ TXT \"(\"\n", "",
		  "z:2:15 bad-generate[a..$]\nz:3:17 meta-type[ANY]\nz:4:17 bad-class[CH]\n"
		  "z:5:21 bad-generate[$\\]\nz:6:21 bad-generate[\"(\"]\n" },
		{ "$GENERATE 1-1000001 $ A 1.1.1.1\n", "", "z:2:11 generate-limit[1-1000001]\n" },
	};
	check_rows(rows, ARRAY_LEN(rows));
}

/* Rows that are read as they are, without a $TTL before them. */
static void
ttls_without_a_directive(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "@ SOA a b 1 2 3 4 5\nx A 1.1.1.1\ny 99 A 1.1.1.1\nz A 1.1.1.1\n",
		  "example. 5 SOA a.example. b.example. 1 2 3 4 5\nx.example. 5 A 1.1.1.1\ny.example. 99 A 1.1.1.1\n"
		  "z.example. 5 A 1.1.1.1\n", "z:1:3 soa-ttl[SOA]\n" },
		{ "@ 60 SOA a b 1 2 3 4 5\nx A 1.1.1.1\ny 1h30m A 1.1.1.1\nz A 1.1.1.1\n$TTL 7\nw A 1.1.1.1\n",
		  "example. 60 SOA a.example. b.example. 1 2 3 4 5\nx.example. 60 A 1.1.1.1\n"
		  "y.example. 5400 A 1.1.1.1\nz.example. 5400 A 1.1.1.1\nw.example. 7 A 1.1.1.1\n",
		  "z:2:3 previous-ttl[A]\n" },
		{ "x A 1.1.1.1\n@ SOA a b 1 2 3 4 5\ny A 1.1.1.1\n",
		  "example. 0 SOA a.example. b.example. 1 2 3 4 5\ny.example. 0 A 1.1.1.1\n", "z:1:3 no-ttl[A]\n" },
		{ "$GENERATE 1-2 $ A 1.1.1.1\n$GENERATE 1-1 $ 7 A 1.1.1.1\nx A 1.1.1.1\n",
		  "1.example. 7 A 1.1.1.1\nx.example. 0 A 1.1.1.1\n", "z:1:17 no-ttl[A]\n" },
		{ "$GENERATE 1-1 @ SOA \"a b 1 2 3 4 5\"\n", "", "z:1:17 no-ttl[SOA]\n" },
		{ "@ SOA a b 1 2 3 4 4294967295\n", "example. 0 SOA a.example. b.example. 1 2 3 4 4294967295\n",
		  "z:1:3 soa-ttl[SOA]\n" },
		{ "$INCLUDE lastttl\nx A 1.1.1.1\n", "q.zzz.example. 99 A 1.1.1.1\nx.example. 99 A 1.1.1.1\n",
		  "z:2:3 previous-ttl[A]\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct seen s = { 0 };
		struct master_counts counts;
		err_t err = read_zone(&s, rows[i].text, strlen(rows[i].text), &counts);
		assert_string_equal(str_text(&s.records), rows[i].records);
		assert_string_equal(str_text(&s.diags), rows[i].diags);
		assert_int_equal(err, counts.errors != 0 ? E_FORMAT : OK);
		seen_fini(&s);
	}
}

static void
records_know_their_place(void **state)
{
	(void)state;
	static const char text[] = "$TTL 60\n"
	                           "a 5 A 1.1.1.1 ; c\n"
	                           "\n"
	                           "\tIN A 1.1.1.2\r\n"
	                           "; comment\n"
	                           "b TXT ( x ; (\n"
	                           "  y )\n"
	                           "$GENERATE 1-2 $ A 1.1.1.1\n"
	                           "$INCLUDE one\n"
	                           "c A 1.1.1.1";
	struct seen s = { 0 };
	struct master_counts counts;
	assert_int_equal(read_zone(&s, text, strlen(text), &counts), OK);
	assert_string_equal(str_text(&s.places), "z:2-2:1[a 5 A 1.1.1.1 ; c\n]t\n"
	                                         "z:4-4:2[\tIN A 1.1.1.2\r\n]ic\n"
	                                         "z:6-7:1[b TXT ( x ; (\n  y )\n]\n"
	                                         "z:8-8:1[$GENERATE 1-2 $ A 1.1.1.1\n]g\n"
	                                         "z:8-8:1[$GENERATE 1-2 $ A 1.1.1.1\n]g\n"
	                                         "one:1-1:1[q A 1.1.1.1\n]\n"
	                                         "z:10-10:1[c A 1.1.1.1]\n");
	assert_int_equal(counts.records, 7);
	seen_fini(&s);
}

static err_t
see_what_is_in_force(void *ctx, const struct master_rr *rr)
{
	static const char *const sources[] = { "none", "last", "default" };
	char origin[NAME_TEXT_MAX];
	name_print(rr->origin, origin);
	str_printf(ctx, "%u %s %s %u\n", rr->line, origin, sources[rr->ttl_source], rr->ttl_inherited);
	return OK;
}

static void
records_know_what_is_in_force(void **state)
{
	(void)state;
	static const uint8_t apex[] = "\7example";
	static const char text[] = "@ SOA a b 1 2 3 4 5\n"
	                           "a A 1.1.1.1\n"
	                           "$ORIGIN sub\n"
	                           "$TTL 60\n"
	                           "b 7 A 1.1.1.1\n"
	                           "$GENERATE 1-2 $ A 1.1.1.1\n";
	static const char no_default[] = "a 300 A 1.1.1.1\n"
	                                 "a A 1.1.1.2\n"
	                                 "$GENERATE 1-1 $ 5 A 1.1.1.1\n"
	                                 "a A 1.1.1.3\n"
	                                 "$TTL 60\n"
	                                 "a 5 A 1.1.1.4\n";
	struct str seen = { 0 };
	struct master_counts counts;
	const struct master_reader r = { .apex = apex, .file = "z", .ctx = &seen, .record = see_what_is_in_force };
	assert_int_equal(master_read(&r, text, strlen(text), &counts), OK);
	assert_string_equal(str_text(&seen), "1 example. none 0\n"
	                                     "2 example. default 5\n"
	                                     "5 sub.example. default 60\n"
	                                     "6 sub.example. default 60\n"
	                                     "6 sub.example. default 60\n");
	str_clear(&seen);
	assert_int_equal(master_read(&r, no_default, strlen(no_default), &counts), OK);
	assert_string_equal(str_text(&seen), "1 example. none 0\n"
	                                     "2 example. last 300\n"
	                                     "3 example. last 300\n"
	                                     "4 example. last 5\n"
	                                     "6 example. default 60\n");
	str_fini(&seen);
}

static size_t
lines_in(const struct str *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->len; i++) {
		n += s->s[i] == '\n';
	}
	return n;
}

static void
errors_have_a_limit(void **state)
{
	(void)state;
	struct str text = { 0 };
	struct seen s = { 0 };
	struct master_counts counts;
	str_cat(&text, "$TTL 60\n");
	for (int i = 0; i < MASTER_ERRORS_MAX; i++) {
		str_cat(&text, "a A x\n");
	}
	str_cat(&text, "b A 1.1.1.1\n");
	assert_int_equal(read_zone(&s, text.s, text.len, &counts), E_FORMAT);
	assert_int_equal(counts.errors, MASTER_ERRORS_MAX);
	assert_int_equal(lines_in(&s.diags), MASTER_ERRORS_MAX);
	assert_string_equal(str_text(&s.records), "b.example. 60 A 1.1.1.1\n");
	seen_fini(&s);

	s = (struct seen){ 0 };
	str_cat(&text, "a A x\nb A 1.1.1.2\na A x\n");
	assert_int_equal(read_zone(&s, text.s, text.len, &counts), E_FORMAT);
	assert_int_equal(counts.errors, MASTER_ERRORS_MAX + 1);
	assert_int_equal(lines_in(&s.diags), MASTER_ERRORS_MAX + 1);
	assert_non_null(strstr(str_text(&s.diags), "too-many-errors"));
	assert_string_equal(str_text(&s.records), "b.example. 60 A 1.1.1.1\n");
	seen_fini(&s);
	str_fini(&text);
}

static void
warnings_have_a_limit(void **state)
{
	(void)state;
	struct str text = { 0 };
	struct seen s = { 0 };
	struct master_counts counts;
	for (int i = 0; i < 2 * MASTER_WARNINGS_MAX; i++) {
		str_cat(&text, "a 4294967295 A 1.1.1.1\n");
	}
	assert_int_equal(read_zone(&s, text.s, text.len, &counts), OK);
	assert_int_equal(counts.warnings, 2 * MASTER_WARNINGS_MAX);
	assert_int_equal(counts.records, 2 * MASTER_WARNINGS_MAX);
	assert_int_equal(lines_in(&s.diags), MASTER_WARNINGS_MAX + 1);
	assert_non_null(strstr(str_text(&s.diags), "too-many-warnings"));
	seen_fini(&s);
	str_fini(&text);
}

static void
a_callback_ends_the_reading(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"$TTL 60\na A 1.1.1.1\nb A 1.1.1.1\n", "$TTL 60\n$GENERATE 1-5 $ A 1.1.1.1\n",
		"$TTL 60\n$INCLUDE sub/a\nx A 1.1.1.1\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct seen s = { .records_max = 1 };
		struct master_counts counts;
		assert_int_equal(read_zone(&s, texts[i], strlen(texts[i]), &counts), E_STOPPED);
		assert_int_equal(lines_in(&s.records), 1);
		seen_fini(&s);
	}
}

static void
octet_0_is_an_error(void **state)
{
	(void)state;
	static const char text[] = "$TTL 60\na A 1.1.1.1\n\0b A 1.1.1.2\nc TXT x\0y\nd\0 A 1.1.1.1\ne A 1.1.1.3\n";
	struct seen s = { 0 };
	struct master_counts counts;
	assert_int_equal(read_zone(&s, text, sizeof text - 1, &counts), E_FORMAT);
	assert_int_equal(counts.errors, 3);
	assert_string_equal(str_text(&s.records), "a.example. 60 A 1.1.1.1\ne.example. 60 A 1.1.1.3\n");
	seen_fini(&s);
}

static void
long_lines(void **state)
{
	(void)state;
	struct str text = { 0 };
	struct seen s = { 0 };
	struct master_counts counts;
	/* 65,535 octets of RDATA are taken, one more is not. */
	str_cat(&text, "$TTL 60\na TXT");
	for (int i = 0; i < 255; i++) {
		str_printf(&text, " %0255d", 7);
	}
	str_printf(&text, " %0254d\nb A 1.1.1.1\nc TXT", 7);
	for (int i = 0; i < 256; i++) {
		str_printf(&text, " %0255d", 7);
	}
	str_cat(&text, "\nd A 1.1.1.1\n");
	for (int i = 0; i < 300000; i++) {
		str_cat(&text, "word ");
	}
	assert_int_equal(read_zone(&s, text.s, text.len, &counts), E_FORMAT);
	assert_int_equal(counts.records, 3);
	assert_int_equal(lines_in(&s.diags), 2);
	seen_fini(&s);
	str_fini(&text);
}

static err_t
see_nothing(void *ctx, const struct master_rr *rr)
{
	(void)ctx;
	(void)rr;
	return OK;
}

static void
see_code(void *ctx, const struct diag *d)
{
	str_printf(ctx, "%s:%u %s\n", d->file, d->line, d->code);
}

/* Few octets of text must not become many of zone. */
static void
generated_data_have_a_limit(void **state)
{
	(void)state;
	static const uint8_t apex[] = "\7example";
	struct str text = { 0 }, codes = { 0 };
	const struct diag_sink sink = { see_code, &codes };
	const struct master_reader r = { .apex = apex, .file = "z", .record = see_nothing, .sink = &sink };
	struct master_counts counts;
	str_cat(&text, "$TTL 60\n$GENERATE 1-100000 $ TXT \"");
	for (int i = 0; i < 100; i++) {
		str_printf(&text, " %0255d", 7);
	}
	str_cat(&text, "\"\na A 1.1.1.1\n$GENERATE 1-1000000 $ A 1.1.1.1\n");
	assert_int_equal(master_read(&r, text.s, text.len, &counts), E_FORMAT);
	assert_string_equal(str_text(&codes), "z:2 generate-limit\nz:4 generate-limit\n");
	assert_true(counts.records < MASTER_GENERATED_MAX / 25600 + 1000);
	str_fini(&text);
	str_fini(&codes);
}

static void
include_paths(void **state)
{
	(void)state;
	static const struct {
		const char *from, *path, *want;
		err_t err;
	} cases[] = {
		{ "zone", "a", "a", OK },
		{ "zone", "./a//b/./c", "a/b/c", OK },
		{ "sub/zone", "a", "sub/a", OK },
		{ "sub/zone", "../a", "a", OK },
		{ "./sub//x/../zone", "a", "sub/a", OK },
		{ "a/b/c", "../../d", "d", OK },
		{ "zone", "a/..", NULL, E_FORMAT },
		{ "zone", ".", NULL, E_FORMAT },
		{ "zone", "", NULL, E_FORMAT },
		{ "zone", "..", NULL, E_REFUSED },
		{ "zone", "a/../../b", NULL, E_REFUSED },
		{ "sub/zone", "../../a", NULL, E_REFUSED },
		{ "zone", "/a", NULL, E_REFUSED },
		{ "../zone", "a", NULL, E_REFUSED },
		{ "zone", ".git/config", NULL, E_REFUSED },
		{ "sub/zone", "x/.GIT", NULL, E_REFUSED },
		{ "zone", ".git/../a", "a", OK },
		{ "zone", ".gitignore/x.git", ".gitignore/x.git", OK },
		{ "zone", "...", "...", OK },
		{ "zone", "..a", "..a", OK },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[MASTER_PATH_MAX] = "unchanged";
		assert_int_equal(master_include_path(cases[i].from, cases[i].path, strlen(cases[i].path), out),
		                 cases[i].err);
		assert_string_equal(out, cases[i].want != NULL ? cases[i].want : "unchanged");
	}
	char out[MASTER_PATH_MAX], longest[MASTER_PATH_MAX + 1];
	memset(longest, 'a', sizeof longest);
	assert_int_equal(master_include_path("z", longest, MASTER_PATH_MAX - 1, out), E_LIMIT);
	assert_int_equal(master_include_path("z", longest, MASTER_PATH_MAX - 2, out), OK);
	assert_int_equal(master_include_path("z", "a\0b", 3, out), E_FORMAT);
}

static void
see_hint(void *ctx, const struct diag *d)
{
	struct str *hints = ctx;
	str_cat(hints, d->hint);
}

static void
hints_teach(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "a AAA ::1", "did you mean A" }, { "a CNMAE b", "did you mean CNAME?" },
		{ "a soaa b", "did you mean SOA?" }, { "a TXTT b", "did you mean TXT?" },
		{ "a 192.0.2.1", "type A missing" }, { "a 2001:db8::1", "type AAAA missing" },
		{ "a 5 5 A 192.0.2.1", "TTL was given already" }, { "a IN IN A 192.0.2.1", "class was given" },
		{ "a www.example.", "is the type missing" }, { "a A 192.0.2.1\n $TTL 5", "first column" },
		{ "a qwertzuiop x", "TYPE123" }, { "a CH A 192.0.2.1", "only class IN" },
		{ "<<<<<<< HEAD\na A 192.0.2.1\n", "conflict mark" }, { "a A 192.0.2.1\n>>>>>>> side", "conflict mark" },
		{ "a TXT (\n )\n", "" }, { "a A (\n192.0.2.1\nb A 192.0.2.2\n", "opened on line 2" },
	};
	static const uint8_t apex[] = "\7example";
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str hints = { 0 }, text = { 0 };
		const struct diag_sink sink = { see_hint, &hints };
		const struct master_reader r = { .apex = apex, .file = "z", .record = see_nothing, .sink = &sink };
		struct master_counts counts;
		str_printf(&text, "$TTL 60\n%s", cases[i].text);
		assert_int_equal(master_read(&r, text.s, text.len, &counts), E_FORMAT);
		if (strstr(str_text(&hints), cases[i].want) == NULL) {
			fail_msg("%s: hint is \"%s\"", cases[i].text, str_text(&hints));
		}
		str_fini(&text);
		str_fini(&hints);
	}
}

static void
without_opener_or_sink(void **state)
{
	(void)state;
	static const uint8_t apex[] = "\7example";
	static const char text[] = "$INCLUDE one\n";
	const struct master_reader r = { .apex = apex, .file = "z", .record = see_nothing };
	struct master_counts counts;
	assert_int_equal(master_read(&r, text, strlen(text), &counts), E_FORMAT);
	assert_int_equal(counts.errors, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read),
		cmocka_unit_test(errors_are_reported_and_passed_over),
		cmocka_unit_test(includes),
		cmocka_unit_test(generate),
		cmocka_unit_test(ttls_without_a_directive),
		cmocka_unit_test(records_know_their_place),
		cmocka_unit_test(records_know_what_is_in_force),
		cmocka_unit_test(errors_have_a_limit),
		cmocka_unit_test(warnings_have_a_limit),
		cmocka_unit_test(a_callback_ends_the_reading),
		cmocka_unit_test(octet_0_is_an_error),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(generated_data_have_a_limit),
		cmocka_unit_test(include_paths),
		cmocka_unit_test(hints_teach),
		cmocka_unit_test(without_opener_or_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
