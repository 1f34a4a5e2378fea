#include "zone/zone_builder_p.h"

#include <stdio.h>

#include "dns/rrtype.h"
#include "dns/secret.h"

static void
report(struct zone_builder *b, const struct finding *what, const char *text)
{
	b->errors += what->level == DIAG_ERROR;
	findings_add_nth(b->findings, what, "%s", text);
}

static void
report_type(struct zone_builder *b, const char *code, const uint8_t *owner, uint16_t type, const char *text,
            const char *hint)
{
	report(b, &(struct finding){ .level = DIAG_ERROR, .code = code, .owner = owner, .type = type, .hint = hint }, text);
}

void
builder_report_out_of_zone(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rr)
{
	char name[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];
	name_print(owner, name);
	name_print(b->zone->apex_name, apex);
	b->errors++;
	findings_add_nth(b->findings,
	                 &(struct finding){ .level = DIAG_ERROR, .code = "out-of-zone", .owner = owner,
	                                    .type = rr->type, .rdata = rr->rdata, .rdlen = rr->rdlen,
	                                    .hint = "a record belongs in the zone that its name is in" },
	                 "%s is not in the zone %s", name, apex);
}

void
builder_report_secret(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rr)
{
	char type[RRTYPE_TEXT_MAX], text[128];
	(void)snprintf(text, sizeof text, "the %s record has the algorithm number of an HMAC: it would publish a secret",
	               rrtype_print(rr->type, type));
	report(b,
	       &(struct finding){ .level = DIAG_ERROR, .code = "secret-record", .owner = owner, .type = rr->type, .rdata = rr->rdata,
	                          .rdlen = rr->rdlen,
	                          .hint = "TSIG keys belong in _keys or NAME._keys; if others have seen this one, make a new one" },
	       text);
}

/* The number of records before rrs[i], in the sorted list, that are equal to it. */
static unsigned
nth_of_equals(const struct node_rr *rrs, size_t i)
{
	unsigned nth = 0;
	for (; rrs[i].is_duplicate; i--) {
		nth++;
	}
	return nth;
}

static void
report_record(struct zone_builder *b, const char *code, const uint8_t *owner, const struct node_rr *rrs, size_t i,
              const char *text, const char *hint)
{
	report(b,
	       &(struct finding){ .level = DIAG_WARNING, .code = code, .owner = owner, .type = rrs[i].type,
	                          .rdata = rrs[i].rdata, .rdlen = rrs[i].rdlen, .nth = nth_of_equals(rrs, i), .hint = hint },
	       text);
}

static void
report_ttl(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rrs, size_t first, size_t end)
{
	size_t least = first, other = first;
	for (size_t i = first; i < end; i++) {
		least = rrs[i].ttl < rrs[least].ttl ? i : least;
		other = rrs[i].ttl > rrs[other].ttl ? i : other;
	}
	if (rrs[least].ttl != rrs[other].ttl) {
		char text[128];
		snprintf(text, sizeof text, "TTL %u, but another record of the set has %u; the lower one is used for all",
		         (unsigned)rrs[other].ttl, (unsigned)rrs[least].ttl);
		report_record(b, "ttl-differs", owner, rrs, other, text,
		              "give all records of one name and type the same TTL (RFC 2181 5.2)");
	}
}

void
builder_report_records(struct zone_builder *b, const uint8_t *owner, const struct node_rr *rrs, size_t n)
{
	size_t first = 0;
	for (size_t i = 0; i < n; i++) {
		if (rrs[i].is_duplicate) {
			report_record(b, "duplicate-record", owner, rrs, i, "this record is there more than once",
			              "keep one of them");
		}
		bool is_last = i + 1 == n || rrs[i + 1].type != rrs[i].type ||
		               node_rr_covers(&rrs[i + 1]) != node_rr_covers(&rrs[i]);
		if (is_last) {
			report_ttl(b, owner, rrs, first, i + 1);
			first = i + 1;
		}
	}
}

void
builder_report_too_large(struct zone_builder *b, const uint8_t *owner)
{
	report_type(b, "rrset-too-large", owner, 0, "the records of this name are too many or too large",
	            "a name has at most 512 sets, signatures included, and a set at most 65535 records; spread them over several names");
}

void
builder_report_too_many_empties(struct zone_builder *b, const uint8_t *owner)
{
	report_type(b, "too-many-empty-names", owner, 0, "there are too many names without records between the others",
	            "names of this many labels are costly; are they intended?");
}

/* ---- checks of one name ---- */

static void
check_singleton(struct zone_builder *b, const struct node *n, const struct rrset *s)
{
	static const struct {
		uint16_t type;
		const char *code, *text;
	} known[] = {
		{ TYPE_SOA, "several-soa", "there is more than one SOA record" },
		{ TYPE_CNAME, "several-cname", "a name can have one CNAME record only (RFC 2181 10.1)" },
		{ TYPE_DNAME, "several-dname", "a name can have one DNAME record only (RFC 6672 2.4)" },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].type == s->type) {
			report_type(b, known[i].code, n->name, s->type, known[i].text, "keep one of them");
			return;
		}
	}
	char type[RRTYPE_TEXT_MAX], text[64];
	snprintf(text, sizeof text, "a name can have one %s record only", rrtype_print(s->type, type));
	report_type(b, "several-records", n->name, s->type, text, "keep one of them");
}

static void
check_beside_cname(struct zone_builder *b, const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (!zone_may_stand_beside_cname(s->type)) {
			char type[RRTYPE_TEXT_MAX], text[64];
			snprintf(text, sizeof text, "there is a CNAME and also %s at this name", rrtype_print(s->type, type));
			report_type(b, "cname-and-other", n->name, s->type, text,
			            "a CNAME must be alone (RFC 2181 10.1): keep either the alias or the other records");
		}
	}
}

static void
check_rrset(struct zone_builder *b, const struct node *n, const struct rrset *s)
{
	if (s->n > 1 && (rrtype_flags(s->type) & RRTYPE_SINGLETON) != 0) {
		check_singleton(b, n, s);
	}
	if (s->type == TYPE_SOA && (n->flags & NODE_APEX) == 0) {
		report_type(b, "soa-not-at-apex", n->name, TYPE_SOA, "a SOA record below the zone's apex",
		            "put another zone into its own file");
	}
}

void
builder_check_node(struct zone_builder *b, const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		check_rrset(b, n, s);
		b->zone->records += s->n;
	}
	if ((n->flags & NODE_CNAME) != 0) {
		check_beside_cname(b, n);
	}
}

void
builder_check_apex(struct zone_builder *b)
{
	const uint8_t *apex = b->zone->apex_name;
	const struct node *n = zone_node(b->zone, apex);
	if (n == NULL || node_rrset(n, TYPE_SOA) == NULL) {
		report_type(b, "no-soa", apex, 0, "the zone has no SOA record at its apex",
		            "every zone begins with one: @ SOA ns1 hostmaster 1 3600 900 1209600 300");
	}
	if (n == NULL || node_rrset(n, TYPE_NS) == NULL) {
		report_type(b, "no-apex-ns", apex, 0, "the zone has no NS record at its apex",
		            "name the zone's own servers: @ NS ns1");
	}
}
