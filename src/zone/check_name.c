/* What one name shows by itself. */
#include <stdio.h>

#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/check.h"

/* Of one level, since a primary's zone may have what a file may not. */
struct naming {
	const struct node *n;
	enum diag_level level;
	struct findings *out;
};

static void
report(const struct naming *c, const char *code, uint16_t type, const char *text, const char *hint)
{
	findings_add(c->out, c->level, code, c->n->name, type, NULL, 0, hint, "%s", text);
}

static void
report_several(const struct naming *c, const struct rrset *s)
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
			report(c, known[i].code, s->type, known[i].text, "keep one of them");
			return;
		}
	}
	char type[RRTYPE_TEXT_MAX], text[64];
	(void)snprintf(text, sizeof text, "a name can have one %s record only", rrtype_print(s->type, type));
	report(c, "several-records", s->type, text, "keep one of them");
}

static void
report_beside_cname(const struct naming *c, const struct rrset *s)
{
	char type[RRTYPE_TEXT_MAX], text[64];
	(void)snprintf(text, sizeof text, "there is a CNAME and also %s at this name", rrtype_print(s->type, type));
	report(c, "cname-and-other", s->type, text,
	       "a CNAME must be alone (RFC 2181 10.1): keep either the alias or the other records");
}

static void
check_set(const struct naming *c, const struct rrset *s)
{
	if (s->n > 1 && (rrtype_flags(s->type) & RRTYPE_SINGLETON) != 0) {
		report_several(c, s);
	}
	if (s->type == TYPE_SOA && (c->n->flags & NODE_APEX) == 0) {
		report(c, "soa-not-at-apex", TYPE_SOA, "a SOA record below the zone's apex", "put another zone into its own file");
	}
	if ((c->n->flags & NODE_CNAME) != 0 && !zone_may_stand_beside_cname(s->type)) {
		report_beside_cname(c, s);
	}
}

void
zone_check_name(const struct node *n, enum diag_level level, struct findings *out)
{
	const struct naming c = { .n = n, .level = level, .out = out };
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		check_set(&c, s);
	}
	if ((n->flags & NODE_APEX) != 0 && node_rrset(n, TYPE_NS) == NULL) {
		report(&c, "no-apex-ns", 0, "the zone has no NS record at its apex", "name the zone's own servers: @ NS ns1");
	}
}
