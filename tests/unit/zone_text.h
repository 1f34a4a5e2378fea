/* Zones out of short texts, for the tests of src/zone: one record a line, "owner ttl TYPE rdata", all names within
 * example. (or as the test says) and relative to it; "@" is the apex. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rdata.h"
#include "zone/zone.h"

struct text_rr {
	struct name owner;
	uint16_t type, rdlen;
	uint32_t ttl;
	uint8_t rdata[512];
};

static inline struct name
text_name(const char *text, const uint8_t *apex)
{
	struct name n;
	if (strcmp(text, "@") == 0) {
		name_set(&n, apex);
	} else {
		assert_int_equal(name_parse(text, strlen(text), apex, &n), OK);
	}
	return n;
}

static inline struct text_rr
text_rr(const char *line, const uint8_t *apex)
{
	char owner[600], type[20];
	unsigned ttl;
	int at = 0;
	struct text_rr rr;
	assert_int_equal(sscanf(line, "%599s %u %19s %n", owner, &ttl, type, &at), 3);
	rr.owner = text_name(owner, apex);
	rr.ttl = ttl;
	assert_int_equal(rrtype_parse(type, strlen(type), &rr.type), OK);
	struct lex lx;
	struct rdata_error why = { .text = "" };
	struct buf b = buf_over(rr.rdata, sizeof rr.rdata);
	const char *end = strchr(line, '\n');
	lex_init(&lx, line + at, (end != NULL ? (size_t)(end - line) : strlen(line)) - (size_t)at);
	if (rdata_parse(&lx, rr.type, apex, &b, &why) != OK) {
		fail_msg("%s: %s", line, why.text);
	}
	rr.rdlen = (uint16_t)b.len;
	return rr;
}

/* The next line that has anything on it, or NULL. */
static inline const char *
text_line(const char **text)
{
	const char *line = *text + strspn(*text, "\n\t ");
	if (*line == '\0') {
		return NULL;
	}
	*text = line + strcspn(line, "\n");
	return line;
}

static inline err_t
text_build(const char *text, const uint8_t *apex, struct findings *f, struct zone **out)
{
	struct zone_builder *b = NULL;
	const char *line;
	assert_int_equal(zone_builder_new(apex, f, &b), OK);
	while ((line = text_line(&text)) != NULL) {
		struct text_rr rr = text_rr(line, apex);
		assert_int_equal(zone_builder_add(b, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen), OK);
	}
	err_t err = zone_builder_finish(b, out);
	zone_builder_free(&b);
	assert_null(b);
	return err;
}

static const uint8_t example[] = "\7example";
#define TEXT_APEX "@ 3600 SOA ns1 hostmaster 7 7200 3600 1209600 300\n@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n"

/* A zone without a finding. */
static inline struct zone *
text_zone(const char *text)
{
	struct findings f = { 0 };
	struct zone *z = NULL;
	assert_int_equal(text_build(text, example, &f, &z), OK);
	assert_int_equal(f.n, 0);
	findings_fini(&f);
	return z;
}

static inline const struct node *
text_node(const struct zone *z, const char *name)
{
	struct name n = text_name(name, z->apex_name);
	return zone_node(z, n.oct);
}

static inline err_t
text_print(void *ctx, const struct zone_rr *rr)
{
	struct str *out = ctx;
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	name_print(rr->owner, owner);
	str_printf(out, "%s %u %s ", owner, (unsigned)rr->ttl, rrtype_print(rr->type, type));
	rdata_print(rr->type, rr->rdata, rr->rdlen, out);
	str_char(out, '\n');
	return OK;
}

static inline void
assert_walk(const struct zone *z, const char *want)
{
	struct str got = { 0 };
	assert_int_equal(zone_walk(z, text_print, &got), OK);
	assert_string_equal(str_text(&got), want);
	str_fini(&got);
}
