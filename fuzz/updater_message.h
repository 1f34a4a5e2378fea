/* fuzz/updater_message.h -- the updates that the updater's fuzz target sends.  For updater_fuzz.c alone. */
#pragma once

#include "base/buf.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "updater_world.h"

static const char *const key_names[KEYS_N] = { "all._update", "me._update.example" };

struct message_section {
	struct buf b;
	unsigned n;
	uint8_t octets[1000];
};

static void
put_rr(struct message_section *s, const char *name, const uint8_t *apex, uint16_t type, unsigned rrclass, const void *rdata, size_t rdlen)
{
	struct name owner;
	ASSERT(name_parse(name, strlen(name), apex, &owner) == OK);
	buf_put(&s->b, owner.oct, owner.len);
	buf_u16(&s->b, type);
	buf_u16(&s->b, (uint16_t)rrclass);
	buf_u32(&s->b, rrclass == CLASS_IN ? 60 : 0);
	buf_u16(&s->b, (uint16_t)rdlen);
	buf_put(&s->b, rdata, rdlen);
	s->n++;
}

static void
put_text(struct message_section *s, const char *name, const uint8_t *apex, char prefix, unsigned i)
{
	char text[16];
	int len = snprintf(text + 1, sizeof text - 1, "%c%u.", prefix, i);
	text[0] = (char)len;
	put_rr(s, name, apex, TYPE_TXT, CLASS_IN, text, 1 + (size_t)len);
}

/* Its leaf, which must not be there yet: a second time it is not carried out, and that shows.  And the name that each of its key sets. */
static void
put_change(struct message_section sections[2], const uint8_t *apex, unsigned i, unsigned key)
{
	char line[16], leaf[16];
	snprintf(leaf, sizeof leaf, "u%u", i);
	snprintf(line, sizeof line, "key%u", key);
	put_rr(&sections[0], leaf, apex, TYPE_ANY, CLASS_NONE, NULL, 0);
	put_text(&sections[1], leaf, apex, 'u', i);
	put_rr(&sections[1], line, apex, TYPE_TXT, CLASS_ANY, NULL, 0);
	put_text(&sections[1], line, apex, 's', i);
}

static void
put_records(struct message_section sections[2], const struct update_sent *s, const uint8_t *apex, unsigned i)
{
	switch (s->kind) {
	case KIND_CHANGE:
		put_change(sections, apex, i, s->key);
		break;
	case KIND_NOTHING:
		put_rr(&sections[1], "none", apex, TYPE_AAAA, CLASS_ANY, NULL, 0);
		break;
	case KIND_NO:
		put_rr(&sections[0], "www", apex, TYPE_ANY, CLASS_NONE, NULL, 0);
		put_change(sections, apex, i, s->key);
		break;
	case KIND_SPOILS: /* no zone has both */
		put_rr(&sections[1], "www", apex, TYPE_DNAME, CLASS_IN, "\1x\5other", sizeof "\1x\5other");
		put_rr(&sections[1], "x.www", apex, TYPE_A, CLASS_IN, "\1\2\3\4", 4);
		break;
	case KIND_BROKEN: /* it says that there is a record, and there is none */
		sections[1].n++;
	}
}

static void
compose(struct update_sent *s, unsigned i)
{
	static const uint8_t *const apexes[] = { (const uint8_t *)"\7example", (const uint8_t *)"\5other" };
	static struct message_section sections[2];
	static uint8_t wire[DNS_MSG_MAX];
	struct buf b = buf_over(wire, sizeof wire);
	const uint8_t *apex = apexes[s->zone];
	char text[100], why[128];
	for (size_t k = 0; k < 2; k++) {
		sections[k].b = buf_over(sections[k].octets, sizeof sections[k].octets);
		sections[k].n = 0;
	}
	put_records(sections, s, apex, i);
	buf_u16(&b, (uint16_t)i);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, (uint16_t)sections[0].n);
	buf_u16(&b, (uint16_t)sections[1].n);
	buf_u16(&b, 0);
	buf_put(&b, apex, name_len(apex));
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	buf_put(&b, sections[0].octets, sections[0].b.len);
	buf_put(&b, sections[1].octets, sections[1].b.len);
	s->len = b.len;
	snprintf(text, sizeof text, "%s:SHA256:%s", key_names[s->key], SECRET);
	ASSERT(tsig_key_parse(text, &s->secret, why) == OK);
	s->tsig = (struct tsig){ .key = &s->secret };
	ASSERT(tsig_sign_request(&s->tsig, wire, &s->len, sizeof wire, w.now.wall_s) == OK);
	s->wire = xalloc(s->len);
	memcpy(s->wire, wire, s->len);
}
