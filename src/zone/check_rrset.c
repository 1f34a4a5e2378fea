/* Checks of single RRsets, without following the names in them. */
#include <string.h>
#include <strings.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/check_p.h"

enum {
	OLD_MD = 3,
	OLD_MF = 4,
	OLD_A6 = 38,
	OLD_SPF = 99,
	RARE_CSYNC = 62,
	RARE_ZONEMD = 63,
};

static void
check_soa_times(struct check *c, const struct rr *rr, const struct soa *soa)
{
	static const char code[] = "soa-times";
	const uint8_t *apex = c->z->apex_name;
	if (soa->retry_s >= soa->refresh_s) {
		findings_add(c->out, DIAG_WARNING, code, apex, TYPE_SOA, rr->rdata, rr->rdlen,
		             "retry is the shorter wait, after a refresh that failed (RFC 1912 2.2)",
		             "retry (%u s) is not shorter than refresh (%u s)", soa->retry_s, soa->refresh_s);
	}
	if (soa->expire_s <= (uint64_t)soa->refresh_s + soa->retry_s) {
		findings_add(c->out, DIAG_WARNING, code, apex, TYPE_SOA, rr->rdata, rr->rdlen,
		             "expire is how long secondaries serve the zone while the primary is down: two to four weeks (RFC 1912 2.2)",
		             "expire (%u s) leaves no time for a second try after refresh (%u s) and retry (%u s)",
		             soa->expire_s, soa->refresh_s, soa->retry_s);
	}
	if (soa->minimum_s > 86400) {
		findings_add(c->out, DIAG_WARNING, code, apex, TYPE_SOA, rr->rdata, rr->rdlen,
		             "the last number of the SOA is the TTL of negative answers; one to three hours are usual (RFC 2308 5)",
		             "resolvers would remember for %u s that a name does not exist", soa->minimum_s);
	}
}

static void
check_soa(struct check *c, const struct rrset *s)
{
	const struct rr *rr = rrset_first(s);
	struct soa soa;
	if (rdata_read_soa(rr->rdata, rr->rdlen, &soa) != OK) {
		return;
	}
	if (memchr(soa.rname, '@', name_len(soa.rname)) != NULL) {
		findings_add(c->out, DIAG_WARNING, "soa-rname", c->z->apex_name, TYPE_SOA, rr->rdata, rr->rdlen,
		             "write hostmaster@example.com as hostmaster.example.com. (RFC 1035 8)",
		             "the SOA's mailbox has an \"@\" in it");
	}
	check_soa_times(c, rr, &soa);
}

static bool
is_apex_only(uint16_t type)
{
	return type == TYPE_NSEC3PARAM || type == TYPE_CDS || type == TYPE_CDNSKEY || type == RARE_CSYNC ||
	       type == RARE_ZONEMD;
}

static bool
label_is(const uint8_t *label, const char *text)
{
	return label[0] == strlen(text) && strncasecmp((const char *)label + 1, text, label[0]) == 0;
}

/* True for "_dsboot.CHILD._signal.NS", where the operator of a name server publishes the DS that the parent should have for
 * CHILD (RFC 9615 4.1.1). */
static bool
is_signal(const uint8_t *name)
{
	if (!label_is(name, "_dsboot")) {
		return false;
	}
	while (name[0] != 0 && !label_is(name, "_signal")) {
		name = name_parent(name);
	}
	return name[0] != 0;
}

static bool
is_signal_type(uint16_t type)
{
	return type == TYPE_CDS || type == TYPE_CDNSKEY;
}

static void
check_place(struct check *c, const struct node *n, const struct rrset *s)
{
	struct check_text owner;
	char type[RRTYPE_TEXT_MAX];
	bool is_apex = (n->flags & NODE_APEX) != 0;
	check_print(n->name, &owner);
	rrtype_print(s->type, type);
	if (s->type == TYPE_DS && is_apex) {
		findings_add(c->out, DIAG_WARNING, "ds-place", n->name, s->type, NULL, 0,
		             "the DS of a zone belongs in its parent zone (RFC 4035 2.4)",
		             "%s has a DS at its own apex", owner.s);
	} else if (s->type == TYPE_DS && (n->flags & NODE_CUT) == 0) {
		findings_add(c->out, DIAG_WARNING, "ds-place", n->name, s->type, NULL, 0,
		             "a DS belongs beside the NS records of a delegation (RFC 4035 2.4)",
		             "%s has a DS, but is not delegated", owner.s);
	} else if (is_apex_only(s->type) && !is_apex && !(is_signal_type(s->type) && is_signal(n->name))) {
		findings_add(c->out, DIAG_WARNING, "apex-only", n->name, s->type, NULL, 0, "move it to the zone's apex",
		             "%s has %s, which has a meaning only at a zone's apex", owner.s, type);
	} else if (s->type == OLD_SPF || s->type == OLD_A6 || s->type == OLD_MD || s->type == OLD_MF) {
		findings_add(c->out, DIAG_WARNING, "obsolete-type", n->name, s->type, NULL, 0,
		             s->type == OLD_SPF  ? "write the policy as TXT (RFC 7208 3.1)"
		             : s->type == OLD_A6 ? "write AAAA (RFC 6563)"
		                                 : "write MX (RFC 974)",
		             "nobody uses %s records any more", type);
	}
}

static bool
is_spf(const struct rr *rr)
{
	static const char tag[] = "v=spf1";
	size_t len = sizeof tag - 1;
	return rr->rdlen > len && rr->rdata[0] >= len && memcmp(rr->rdata + 1, tag, len) == 0 &&
	       (rr->rdata[0] == len || rr->rdata[1 + len] == ' ');
}

static void
check_spf(struct check *c, const struct node *n, const struct rrset *s)
{
	const struct rr *rr = rrset_first(s), *second = NULL;
	unsigned found = 0;
	for (unsigned i = 0; i < s->n; i++, rr = rr_next(rr)) {
		if (is_spf(rr) && ++found == 2) {
			second = rr;
		}
	}
	if (second != NULL) {
		struct check_text owner;
		findings_add(c->out, DIAG_WARNING, "spf-twice", n->name, TYPE_TXT, second->rdata, second->rdlen,
		             "join them into one record (RFC 7208 3.2)",
		             "%s has %u SPF policies, and mail servers treat that as an error",
		             check_print(n->name, &owner), found);
	}
}

void
check_star(struct check *c, const struct node *n, const struct rrset *s)
{
	if (s->type != TYPE_NS && s->type != TYPE_DNAME && s->type != TYPE_DS) {
		return;
	}
	struct check_text owner;
	char type[RRTYPE_TEXT_MAX];
	findings_add(c->out, DIAG_WARNING, "wildcard-type", n->name, s->type, NULL, 0,
	             "RFC 4592 4 does not say what this means: delegate names one by one",
	             "%s at the wildcard %s", rrtype_print(s->type, type), check_print(n->name, &owner));
}

static bool
node_has_type(const struct node *n, uint16_t type)
{
	return node_rrset(n, type) != NULL;
}

static void
check_signature(struct check *c, const struct node *n, const struct rrset *s)
{
	if (node_has_type(n, s->covers)) {
		return;
	}
	struct check_text owner;
	char type[RRTYPE_TEXT_MAX];
	const struct rr *rr = rrset_first(s);
	findings_add(c->out, DIAG_WARNING, "rrsig-alone", n->name, TYPE_RRSIG, rr->rdata, rr->rdlen,
	             "sign the zone again after changing it", "%s has a signature for %s records, but no such records",
	             check_print(n->name, &owner), rrtype_print(s->covers, type));
}

void
check_rrset(struct check *c, const struct node *n, const struct rrset *s)
{
	switch (s->type) {
	case TYPE_A:
	case TYPE_AAAA:
		return;
	case TYPE_TXT:
		if (s->n > 1) {
			check_spf(c, n, s);
		}
		return;
	case TYPE_RRSIG:
		check_signature(c, n, s);
		return;
	case TYPE_SOA:
		if ((n->flags & NODE_APEX) != 0) {
			check_soa(c, s);
		}
		break;
	case TYPE_DS:
	case TYPE_NSEC3PARAM:
	case TYPE_CDS:
	case TYPE_CDNSKEY:
	case RARE_CSYNC:
	case RARE_ZONEMD:
	case OLD_MD:
	case OLD_MF:
	case OLD_A6:
	case OLD_SPF:
		check_place(c, n, s);
		break;
	default:
		break;
	}
	check_targets(c, n, s);
}
