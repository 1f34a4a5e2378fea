/* What the records of a file say goes into the store. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/notify_policy.h"
#include "auth/secondaries_p.h"
#include "base/cur.h"
#include "dns/rrtype.h"

enum { AFI_IPV4 = 1, AFI_IPV6 = 2 };

/* One record while it is looked at. */
struct record {
	const struct master_rr *rr;
	const uint8_t *within;
	struct findings *out;
};

[[gnu::format(printf, 5, 6)]] static void
find(const struct record *r, enum diag_level level, const char *code, const char *hint, const char *format, ...)
{
	const struct master_rr *rr = r->rr;
	char text[DIAG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	findings_add(r->out, level, code, rr->owner, rr->type, rr->rdata, rr->rdlen, hint, "%s", text);
}

static bool
is_label(const uint8_t *name, const char *word)
{
	size_t len = strlen(word);
	return name[0] == len && strncasecmp((const char *)name + 1, word, len) == 0;
}

enum place { AT_HOST, AT_TRANSFER, AT_NOTIFY };

static enum place
place_of(const uint8_t *owner)
{
	return is_label(owner, "_transfer") ? AT_TRANSFER : is_label(owner, "_notify") ? AT_NOTIFY : AT_HOST;
}

/* Does the record's type go with its owner? */
static bool
is_at(const struct record *r, enum place wanted)
{
	static const char *const places[] = { [AT_HOST] = "a host", [AT_TRANSFER] = "_transfer", [AT_NOTIFY] = "_notify" };
	enum place place = place_of(r->rr->owner);
	char type[RRTYPE_TEXT_MAX];
	if (place != wanted) {
		find(r, DIAG_ERROR, "secondary-owner",
		     "_transfer has APL and PTR records, _notify SRV records, a host A, AAAA and PTR records",
		     "%s record at %s, where it means nothing", rrtype_print(r->rr->type, type), places[place]);
	}
	return place == wanted;
}

/* Does what follows `_transfer` or `_notify` belong to the file? */
static bool
is_within(const struct record *r)
{
	const uint8_t *domain = name_parent(r->rr->owner);
	char shown[NAME_TEXT_MAX], within[NAME_TEXT_MAX];
	bool is_fine = name_is_within(domain, r->within);
	if (!is_fine) {
		(void)name_show(domain, shown);
		(void)name_show(r->within, within);
		find(r, DIAG_ERROR, "secondary-domain", "what is about every zone goes into the file _secondaries",
		     "%.200s does not belong to %.200s", shown, within);
	}
	return is_fine;
}

static bool
is_named(const struct record *r, const uint8_t *name, const char *code, const char *what)
{
	if (name_is_root(name)) {
		find(r, DIAG_ERROR, code, "a name that is not within the file's domain ends in a dot", "\".\" is no %s", what);
	}
	return !name_is_root(name);
}

/* The name that the RDATA is from there on; NULL: it is none. */
static const uint8_t *
read_name(const struct record *r, size_t at, struct name *out)
{
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	(void)cur_take(&c, at);
	name_read_plain(&c, out);
	return c.err == OK && cur_left(&c) == 0 ? out->oct : NULL;
}

/* ---- prefixes ---- */

/* The next item of an APL (RFC 3123 4).  False: there is none. */
static bool
next_prefix(struct cur *c, struct prefix *p)
{
	if (cur_left(c) == 0) {
		return false;
	}
	unsigned afi = cur_u16(c);
	p->len = cur_u8(c);
	unsigned n = cur_u8(c);
	const uint8_t *octets = cur_take(c, n & 0x7F);
	p->is_not = (n & 0x80) != 0;
	p->address = (struct key_address){ .family = afi == AFI_IPV4 ? 4 : afi == AFI_IPV6 ? 6 : 0 };
	size_t max = afi == AFI_IPV4 ? 4 : 16;
	bool is_known = p->address.family != 0;
	if (is_known && ((n & 0x7F) > max || p->len > max * 8)) {
		cur_fail(c, E_FORMAT);
	}
	if (is_known && c->err == OK) {
		memcpy(p->address.octets, octets, n & 0x7F);
	}
	return c->err == OK;
}

static bool
has_bit(const struct key_address *a, unsigned bit)
{
	return (a->octets[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* Does it say more than its length lets count? */
static bool
has_rest(const struct prefix *p)
{
	unsigned bits = p->address.family == 4 ? 32 : 128, i = p->len;
	while (i < bits && !has_bit(&p->address, i)) {
		i++;
	}
	return i < bits;
}

/* All items are looked at before the first is taken. */
static bool
are_prefixes_fine(const struct record *r)
{
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	struct prefix p;
	unsigned nth = 0, rest = 0;
	while (next_prefix(&c, &p)) {
		nth++;
		if (p.address.family == 0) {
			find(r, DIAG_ERROR, "secondary-family", "1 is IPv4, 2 is IPv6", "prefix %u is of another family of addresses", nth);
			return false;
		}
		rest = rest == 0 && has_rest(&p) ? nth : rest;
	}
	if (rest != 0) {
		find(r, DIAG_WARNING, "secondary-prefix", "a single address is ADDRESS/32, or ADDRESS/128 of IPv6",
		     "the address of prefix %u has more than its length lets count: all addresses of the prefix are meant", rest);
	}
	return c.err == OK;
}

static err_t
add_prefixes(struct secondaries *s, const struct record *r)
{
	struct prefix p = { .within = r->within };
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	if (!is_at(r, AT_TRANSFER) || !is_within(r) || !are_prefixes_fine(r)) {
		return OK;
	}
	p.at = name_parent(r->rr->owner);
	while (next_prefix(&c, &p)) {
		p.order = s->order_end++;
		TRY(secondaries_put_prefix(s, &p));
	}
	return OK;
}

/* ---- keys, hosts to be told, addresses ---- */

static err_t
add_key(struct secondaries *s, const struct record *r)
{
	enum place place = place_of(r->rr->owner);
	struct name name;
	const uint8_t *key = read_name(r, 0, &name), *owner = r->rr->owner;
	if (place == AT_NOTIFY && !is_at(r, AT_HOST)) {
		return OK;
	}
	if (key == NULL || !is_named(r, key, "secondary-key", "key")) {
		return OK;
	}
	if (place == AT_TRANSFER) {
		if (!is_within(r)) {
			return OK;
		}
		TRY(secondaries_take_place(s));
		return secondaries_put_grant(s, &s->granted, key, name_parent(owner));
	}
	if (!is_named(r, owner, "secondary-host", "host")) {
		return OK;
	}
	TRY(secondaries_put(s, HOSTS, &(struct entry){ .at = owner, .within = r->within, .name = key, .order = s->order_end++ }));
	return secondaries_put_grant(s, &s->signing, key, owner);
}

/* RFC 2782: priority, weight, port, target. */
static err_t
add_notified(struct secondaries *s, const struct record *r)
{
	struct cur c = cur_over(r->rr->rdata, r->rr->rdlen);
	struct name name;
	(void)cur_u32(&c);
	uint16_t port = cur_u16(&c);
	const uint8_t *host = read_name(r, c.pos, &name);
	if (host == NULL || !is_at(r, AT_NOTIFY) || !is_within(r) || !is_named(r, host, "secondary-host", "host")) {
		return OK;
	}
	if (port == 0) {
		find(r, DIAG_ERROR, "secondary-port", "such a record is: _notify SRV 0 0 PORT HOST; the port is 53 as a rule",
		     "nobody is to be reached at port 0");
		return OK;
	}
	const struct entry e = {
		.at = name_parent(r->rr->owner), .within = r->within, .name = host, .port = port, .order = s->order_end++,
	};
	return secondaries_put(s, NOTIFIED, &e);
}

static err_t
add_address(struct secondaries *s, const struct record *r)
{
	struct entry e = { .at = r->rr->owner, .within = r->within };
	e.address.family = r->rr->type == TYPE_A ? 4 : 6;
	if (r->rr->rdlen != key_address_len(&e.address) || !is_at(r, AT_HOST) ||
	    !is_named(r, r->rr->owner, "secondary-host", "host")) {
		return OK;
	}
	memcpy(e.address.octets, r->rr->rdata, r->rr->rdlen);
	if (!notify_is_unicast(&e.address)) {
		find(r, DIAG_ERROR, "secondary-address", "the address at which the secondary listens is wanted",
		     "nobody can be told at this address");
		return OK;
	}
	e.order = s->order_end++;
	return secondaries_put(s, HOSTS, &e);
}

err_t
secondaries_add(struct secondaries *s, const struct master_rr *rr, const uint8_t *within, struct findings *out)
{
	const struct record r = { .rr = rr, .within = within, .out = out };
	char type[RRTYPE_TEXT_MAX];
	switch (rr->type) {
	case TYPE_APL:
		return add_prefixes(s, &r);
	case TYPE_PTR:
		return add_key(s, &r);
	case TYPE_SRV:
		return add_notified(s, &r);
	case TYPE_A:
	case TYPE_AAAA:
		return add_address(s, &r);
	default:
		find(&r, DIAG_ERROR, "not-a-secondary", "such a file holds APL, PTR, SRV, A and AAAA records, and nothing else",
		     "%s record in a file of secondaries", rrtype_print(rr->type, type));
		return OK;
	}
}
