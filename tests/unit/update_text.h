/* UPDATE messages out of text, one line a record, as nsupdate has them:
 *
 *     prereq yxdomain NAME | nxdomain NAME | yxrrset NAME TYPE [RDATA] | nxrrset NAME TYPE
 *     add NAME TTL TYPE RDATA | delete NAME [TYPE [RDATA]]
 *     raw SECTION CLASS NAME TTL TYPE [RDATA]        what nsupdate would not send; section p or u
 *
 * Names are relative to the zone; "@" is the zone. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/update_task.h"
#include "base/buf.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { UPDATE_NOW_S = 1700000000 };

struct update_text {
	uint8_t wire[DNS_MSG_MAX];
	size_t len;
	struct tsig_key key;
	struct tsig tsig; /* to verify the answer with */
};

static inline void
update_text_name(const char *text, const uint8_t *apex, struct name *out)
{
	if (strcmp(text, "@") == 0) {
		name_set(out, apex);
	} else {
		assert_int_equal(name_parse(text, strlen(text), apex, out), OK);
	}
}

static inline void
update_text_rr(struct buf *b, const uint8_t *apex, const char *owner, unsigned rrclass, unsigned ttl, const char *type,
               const char *rdata)
{
	struct name name;
	uint16_t code = TYPE_ANY;
	update_text_name(owner, apex, &name);
	if (strcmp(type, "ANY") != 0) {
		assert_int_equal(rrtype_parse(type, strlen(type), &code), OK);
	}
	buf_put(b, name.oct, name.len);
	buf_u16(b, code);
	buf_u16(b, (uint16_t)rrclass);
	buf_u32(b, ttl);
	size_t at = b->len;
	buf_u16(b, 0);
	if (rdata[0] != '\0') {
		struct lex lx;
		struct rdata_error why = { .text = "" };
		lex_init(&lx, rdata, strcspn(rdata, "\n"));
		if (rdata_parse(&lx, code, apex, b, &why) != OK) {
			fail_msg("%s: %s", rdata, why.text);
		}
	}
	buf_patch_u16(b, at, (uint16_t)(b->len - at - 2));
}

/* One line; counts it in prereqs or updates. */
static inline void
update_text_line(struct buf *b, const uint8_t *apex, const char *text, unsigned count[2])
{
	char line[1000];
	snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
	char word[4][300] = { "", "", "", "" };
	int at = 0;
	unsigned ttl = 0;
	if (sscanf(line, "prereq %299s %299s %299s %n", word[0], word[1], word[2], &at) >= 2) {
		bool is_name = strstr(word[0], "domain") != NULL, is_no = word[0][0] == 'n';
		const char *rdata = at != 0 && !is_name ? line + at : "";
		unsigned rrclass = is_no ? CLASS_NONE : rdata[0] != '\0' ? CLASS_IN : CLASS_ANY;
		update_text_rr(b, apex, word[1], rrclass, 0, is_name ? "ANY" : word[2], rrclass == CLASS_IN ? rdata : "");
		count[0]++;
	} else if (sscanf(line, "add %299s %u %299s %n", word[0], &ttl, word[1], &at) == 3) {
		update_text_rr(b, apex, word[0], CLASS_IN, ttl, word[1], line + at);
		count[1]++;
	} else if (strncmp(line, "delete ", 7) == 0) {
		int n = sscanf(line, "delete %299s %299s %n", word[0], word[1], &at);
		const char *rdata = n == 2 && at != 0 ? line + at : "";
		update_text_rr(b, apex, word[0], rdata[0] != '\0' ? CLASS_NONE : CLASS_ANY, 0, n == 2 ? word[1] : "ANY", rdata);
		count[1]++;
	} else if (sscanf(line, "raw %299s %299s %299s %u %299s %n", word[0], word[1], word[2], &ttl, word[3], &at) == 5) {
		unsigned rrclass = strcmp(word[1], "IN") == 0 ? CLASS_IN : strcmp(word[1], "ANY") == 0 ? CLASS_ANY
		                   : strcmp(word[1], "NONE") == 0 ? CLASS_NONE : CLASS_CH;
		update_text_rr(b, apex, word[2], rrclass, ttl, word[3], line + at);
		count[word[0][0] == 'u']++;
	} else {
		fail_msg("what is: %s", line);
	}
}

/* What is in `wire` so far is the message. */
static inline void
update_text_sign(struct update_text *u, const char *key)
{
	char why[128];
	u->tsig = (struct tsig){ .key = &u->key };
	assert_int_equal(tsig_key_parse(key, &u->key, why), OK);
	assert_int_equal(tsig_sign_request(&u->tsig, u->wire, &u->len, sizeof u->wire, UPDATE_NOW_S), OK);
}

/* Not signed yet. */
static inline void
update_text_write(struct update_text *u, const char *zone, const char *text)
{
	static uint16_t id;
	struct buf b = buf_over(u->wire, sizeof u->wire);
	struct name apex;
	unsigned count[2] = { 0, 0 };
	assert_int_equal(name_parse(zone, strlen(zone), name_root, &apex), OK);
	buf_u16(&b, ++id);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u32(&b, 0);
	buf_put(&b, apex.oct, apex.len);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	for (const char *line = text; *line != '\0';) {
		update_text_line(&b, apex.oct, line, count);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	buf_patch_u16(&b, 6, (uint16_t)count[0]);
	buf_patch_u16(&b, 8, (uint16_t)count[1]);
	assert_int_equal(b.err, OK);
	u->len = b.len;
}

static inline void
update_text_build(struct update_text *u, const char *zone, const char *key, const char *text)
{
	update_text_write(u, zone, text);
	update_text_sign(u, key);
}

/* With EDNS, so that the answer can have an extended error. */
static inline void
update_text_build_edns(struct update_text *u, const char *zone, const char *key, const char *text)
{
	static const char opt[] = "\0\0\x29\x04\xD0\0\0\0\0\0"; /* with its NUL: no options */
	update_text_write(u, zone, text);
	memcpy(u->wire + u->len, opt, sizeof opt);
	u->len += sizeof opt;
	u->wire[11] = 1; /* ARCOUNT */
	update_text_sign(u, key);
}
