#include "zone/zone_builder_p.h"

#include <stdio.h>

#include "dns/rrtype.h"
#include "dns/secret.h"
#include "zone/check.h"

static void
report(struct zone_builder *b, const struct finding *what, const char *text)
{
	b->errors += what->level == DIAG_ERROR;
	findings_add_nth(b->findings, what, "%s", text);
}

static void
report_error(struct zone_builder *b, const char *code, const uint8_t *owner, const char *text, const char *hint)
{
	report(b, &(struct finding){ .level = DIAG_ERROR, .code = code, .owner = owner, .hint = hint }, text);
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
	report_error(b, "rrset-too-large", owner, "the records of this name are too many or too large",
	             "a name has at most 512 sets, signatures included, and a set at most 65535 records; spread them over several names");
}

void
builder_report_too_many_empties(struct zone_builder *b, const uint8_t *owner)
{
	report_error(b, "too-many-empty-names", owner, "there are too many names without records between the others",
	             "names of this many labels are costly; are they intended?");
}

/* ---- checks of one name ---- */

void
builder_check_node(struct zone_builder *b, const struct node *n)
{
	b->zone->records += zone_node_records(n);
	if (zone_node_is_sound(n)) {
		return;
	}
	if (b->zone->takes_flaws) {
		b->zone->flaw = b->zone->flaw != NULL ? b->zone->flaw : n;
		return;
	}
	size_t before = b->findings->errors;
	zone_check_name(n, DIAG_ERROR, b->findings);
	b->errors += b->findings->errors - before;
}

void
builder_check_apex(struct zone_builder *b)
{
	const struct node *n = zone_node(b->zone, b->zone->apex_name);
	if (n == NULL || node_rrset(n, TYPE_SOA) == NULL) {
		report_error(b, "no-soa", b->zone->apex_name, "the zone has no SOA record at its apex",
		             "every zone begins with one: @ SOA ns1 hostmaster 1 3600 900 1209600 300");
	}
}
