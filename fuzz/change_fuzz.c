/* A change in words: one octet of kind, then the text.  What is taken is an update that the server's reader understands, with the owner in
 * its zone, and what is printed of it asks for the same; what is not taken is explained, and leaves the message as it was. */
#include <stdlib.h>
#include <string.h>

#include "auth/update.h"
#include "base/alloc.h"
#include "dns/change.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t zone[] = "\7example";
static const struct change_context in_zone = { .zone = zone, .ttl = 60 };

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static bool
is_prerequisite(enum change_kind kind)
{
	return kind == CHANGE_IF_EXISTS || kind == CHANGE_IF_ABSENT;
}

static struct buf
begin(uint8_t *wire)
{
	struct buf b = buf_over(wire, DNS_MSG_MAX);
	buf_put(&b, "\x12\x34\x28\0\0\1\0\0\0\0\0\0", DNS_HEADER_LEN);
	buf_put(&b, zone, sizeof zone);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	return b;
}

static void
check_failure(const struct buf *b, size_t len, const struct change_error *why)
{
	check(b->len == len && b->err == OK && why->text[0] != '\0');
	check(memchr(why->text, '\0', sizeof why->text) != NULL && memchr(why->hint, '\0', sizeof why->hint) != NULL);
}

/* The record written out as it would be typed. */
static void
type_again(enum change_kind kind, const struct msg *m, struct str *out)
{
	struct cur c = cur_over(m->wire, m->len);
	struct name owner;
	struct msg_rr rr;
	char text[NAME_TEXT_MAX];
	c.pos = m->rr_at[is_prerequisite(kind) ? 1 : 2];
	check(msg_read_rr(&c, &owner, &rr) == OK);
	(void)name_print(owner.oct, text);
	str_printf(out, "%s %u ", text, rr.ttl);
	if (rr.rrclass == CLASS_ANY || kind == CHANGE_IF_ABSENT) {
		str_cat(out, rrtype_print(rr.type, text));
		return;
	}
	change_print(m, &rr, out);
	char *tail = strstr(out->s, ", TTL ");
	for (char *next = tail; next != NULL; next = strstr(next + 1, ", TTL ")) {
		tail = next;
	}
	if (kind == CHANGE_ADD || kind == CHANGE_IF_EXISTS) {
		check(tail != NULL);
		*tail = '\0';
	}
}

static void
check_success(enum change_kind kind, struct buf *b)
{
	static uint8_t second[DNS_MSG_MAX];
	struct update u;
	struct update_verdict v;
	struct str text = { 0 };
	struct change_error why;
	struct buf again = begin(second);
	uint16_t count_at = is_prerequisite(kind) ? 6 : 8;
	buf_patch_u16(b, count_at, 1);
	update_begin(&u, b->base, b->len, &v);
	check(v.rcode == RCODE_NOERROR);
	check(update_read(&u, &v) == OK && v.rcode == RCODE_NOERROR);
	check(u.changes_n + u.prerequisites_n == 1);
	check(name_is_within((is_prerequisite(kind) ? u.prerequisites : u.changes)->owner, zone));
	type_again(kind, &u.m, &text);
	check(text.err == OK && change_put(&again, kind, text.s, &in_zone, &why) == OK);
	buf_patch_u16(&again, count_at, 1);
	check(again.len == b->len && memcmp(again.base, b->base, b->len) == 0);
	str_fini(&text);
	update_fini(&u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t wire[DNS_MSG_MAX];
	struct buf b = begin(wire);
	struct change_error why;
	if (size == 0) {
		return 0;
	}
	enum change_kind kind = data[0] % 4;
	size_t len = b.len;
	[[gnu::cleanup(free_ptr)]] char *text = xstrndup((const char *)data + 1, size - 1);
	memset(&why, 0xFF, sizeof why);
	if (change_put(&b, kind, text, &in_zone, &why) == OK) {
		check_success(kind, &b);
	} else {
		check_failure(&b, len, &why);
	}
	return 0;
}
