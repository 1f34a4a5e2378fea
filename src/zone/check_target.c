/* Checks where the names in RDATA lead: to an alias, to nothing, to an address written as a name, … */
#include <stdio.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/check_p.h"

enum lead {
	LEADS_OUT,     /* out of the zone */
	LEADS_HERE,    /* to a name with an address */
	LEADS_ALIAS,   /* to a CNAME, or below a DNAME */
	LEADS_AWAY,    /* below a delegation, without glue */
	LEADS_BARE,    /* to a name without address */
	LEADS_NOWHERE, /* to no name */
};

/* One name in RDATA, with its record, RRset and node. */
struct target {
	const struct node *n;
	const struct rrset *s;
	const struct rr *rr;
	const uint8_t *name;
	enum diag_level level; /* level of the finding when it leads to an alias, or to no address */
};

/* What each type requires of the name. */
static const struct rule {
	uint16_t type;
	const char *alias;   /* code of the finding; NULL: it may be an alias */
	const char *missing; /* code of the finding; NULL: it must exist, but needs no address */
	const char *what;
} rules[] = {
	{ TYPE_NS, "ns-alias", "ns-no-address", "name server" },
	{ TYPE_MX, "mx-alias", "mx-no-address", "mail server" },
	{ TYPE_SRV, "srv-alias", "srv-no-address", "server" },
	{ TYPE_AFSDB, NULL, "target-missing", "server" },
	{ TYPE_KX, NULL, "target-missing", "key exchanger" },
	{ TYPE_CNAME, NULL, NULL, "target" },
	{ TYPE_SVCB, NULL, NULL, "target" },
	{ TYPE_HTTPS, NULL, NULL, "target" },
};

static const struct rule *
rule_of(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].type == type) {
			return &rules[i];
		}
	}
	return NULL;
}

static enum lead
lead_of_node(const struct node *n)
{
	if ((n->flags & NODE_CNAME) != 0) {
		return LEADS_ALIAS;
	}
	return check_has_address(n) ? LEADS_HERE : LEADS_BARE;
}

/* The wildcard that answers for a name that does not exist (RFC 4592 3.3.1), or NULL. */
static const struct node *
wildcard_under(const struct zone *z, const struct node *encloser)
{
	static const uint8_t star[] = { 1, '*' };
	struct name name;
	if (encloser == NULL || (encloser->flags & NODE_WILDCARD) == 0 ||
	    name_join(star, sizeof star, encloser->name, &name) != OK) {
		return NULL;
	}
	return zone_node(z, name.oct);
}

/* Looks a name up as a resolver would.  *at: the node that answers, or NULL. */
static enum lead
follow(struct check *c, const uint8_t *name, const struct node **at)
{
	struct nkey key;
	struct zone_hit hit;
	*at = NULL;
	if (!name_is_within(name, c->z->apex_name)) {
		return LEADS_OUT;
	}
	nkey_set(&key, name);
	zone_find(c->z, &key, &hit);
	if (hit.cut != NULL) {
		*at = hit.node;
		return hit.node != NULL && check_has_address(hit.node) ? LEADS_HERE : LEADS_AWAY;
	}
	if (hit.dname != NULL) {
		return LEADS_ALIAS;
	}
	const struct node *n = hit.node != NULL ? hit.node : wildcard_under(c->z, hit.encloser);
	if (n == NULL) {
		return LEADS_NOWHERE;
	}
	*at = n;
	return lead_of_node(n);
}

/* ---- names that are probably mistakes ---- */

static bool
is_octet_label(const uint8_t *label) /* "0" to "255" */
{
	unsigned v = 0;
	if (label[0] < 1 || label[0] > 3) {
		return false;
	}
	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9') {
			return false;
		}
		v = v * 10 + label[i] - '0';
	}
	return v <= 255;
}

/* True for four numbers ("192.0.2.1."), alone or before the zone's own name. */
static bool
is_address(const struct check *c, const uint8_t *name)
{
	for (int i = 0; i < 4; i++, name = name_parent(name)) {
		if (!is_octet_label(name)) {
			return false;
		}
	}
	return name_is_root(name) || (!c->is_reverse && name_is_equal(name, c->z->apex_name));
}

static void
report_address(struct check *c, const struct target *t)
{
	char type[RRTYPE_TEXT_MAX];
	struct check_text text;
	findings_add(c->out, DIAG_WARNING, "address-as-name", t->n->name, t->s->type, t->rr->rdata, t->rr->rdlen,
	             "give the host a name with an A record, and write that name here",
	             "%s needs the name of a host, but %s is an address",
	             rrtype_print(t->s->type, type), check_print(t->name, &text));
}

static void
report_doubled(struct check *c, const struct target *t)
{
	char type[RRTYPE_TEXT_MAX], hint[DIAG_HINT_MAX];
	struct check_text text;
	check_dot_hint(c->z, t->name, hint);
	findings_add(c->out, DIAG_WARNING, "forgotten-dot", t->n->name, t->s->type, t->rr->rdata, t->rr->rdlen, hint,
	             "%s leads to %s, which has the zone's name in it twice", rrtype_print(t->s->type, type),
	             check_print(t->name, &text));
}

/* True when a name in RDATA is below the reverse zone: nearly always a mistake (RFC 1033). */
static bool
is_reverse_slip(const struct check *c, const struct target *t)
{
	return c->is_reverse && (t->s->type == TYPE_PTR || t->s->type == TYPE_NS) &&
	       name_labels(t->name) > name_labels(c->z->apex_name) + 1 && zone_node(c->z, t->name) == NULL;
}

/* True when the name was reported. */
static bool
check_spelling(struct check *c, const struct target *t)
{
	if (is_address(c, t->name)) {
		report_address(c, t);
		return true;
	}
	if (check_is_doubled(c->z, t->name)) {
		report_doubled(c, t);
		return true;
	}
	if (is_reverse_slip(c, t)) {
		char hint[DIAG_HINT_MAX];
		struct check_text text;
		check_dot_hint(c->z, t->name, hint);
		findings_add(c->out, DIAG_WARNING, "forgotten-dot", t->n->name, t->s->type, t->rr->rdata, t->rr->rdlen,
		             hint, "%s is below the reverse zone itself", check_print(t->name, &text));
		return true;
	}
	return false;
}

/* ---- where names lead ---- */

/* True when the last label of a name in the zone looks like a top-level domain. */
static bool
looks_absolute(const struct zone *z, const uint8_t *name)
{
	static const char *const tops[] = { "com", "net", "org", "edu", "gov", "info", "arpa", "test", "example", "io", "dev" };
	unsigned own = name_labels(name) - name_labels(z->apex_name);
	if (own < 2) {
		return false;
	}
	for (unsigned i = 1; i < own; i++) {
		name = name_parent(name);
	}
	if (name[0] == 2 && octet_lower(name[1]) >= 'a' && octet_lower(name[2]) >= 'a') {
		return true; /* a country */
	}
	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		if (name[0] == strlen(tops[i]) && strncasecmp((const char *)name + 1, tops[i], name[0]) == 0) {
			return true;
		}
	}
	return false;
}

static void
report_missing(struct check *c, const struct target *t, const struct rule *rule, enum lead lead)
{
	struct check_text text;
	char hint[DIAG_HINT_MAX], type[RRTYPE_TEXT_MAX];
	const char *code = rule->missing != NULL ? rule->missing : "target-missing";
	check_print(t->name, &text);
	if (looks_absolute(c->z, t->name)) {
		check_dot_hint(c->z, t->name, hint);
	} else {
		snprintf(hint, sizeof hint, "add %s for %.180s, or correct the name",
		         rule->missing != NULL ? "an A or AAAA record" : "a record", text.s);
	}
	findings_add(c->out, t->level, code, t->n->name, t->s->type, t->rr->rdata, t->rr->rdlen, hint,
	             "%s %s %s %s", rrtype_print(t->s->type, type), rule->what, text.s,
	             lead == LEADS_NOWHERE ? "does not exist in this zone" : "has no address in this zone");
}

static void
report_alias(struct check *c, const struct target *t, const struct rule *rule)
{
	struct check_text text;
	char type[RRTYPE_TEXT_MAX];
	findings_add(c->out, t->level, rule->alias, t->n->name, t->s->type, t->rr->rdata, t->rr->rdlen,
	             t->s->type == TYPE_NS ? "write the name that the alias stands for (RFC 2181 10.3)"
	                                   : "write the name that the alias stands for (RFC 5321 5.1, RFC 2782)",
	             "%s %s %s is an alias", rrtype_print(t->s->type, type), rule->what,
	             check_print(t->name, &text));
}

static void
report_sibling(struct check *c, const struct target *t)
{
	struct check_text text;
	findings_add(c->out, DIAG_WARNING, "missing-sibling-glue", t->n->name, TYPE_NS, t->rr->rdata, t->rr->rdlen,
	             "add its A or AAAA record: without it, nobody can resolve two delegations that need each other (RFC 9471 2.3)",
	             "name server %s is in another delegated zone, and has no address record here",
	             check_print(t->name, &text));
}

/* Where a name in the RDATA of `n` leads.  *at: as follow() sets it. */
static enum lead
lead_from(struct check *c, const struct node *n, const uint8_t *name, const struct node **at)
{
	*at = NULL;
	return name_is_equal(name, n->name) ? lead_of_node(n) : follow(c, name, at);
}

/* The level of a finding about the names in an RRset.  A name server that leads nowhere is unwise: the zone works as long as
 * another one does, and NSD and Knot serve it in any case.  If no name server of the apex leads to a host, no client can find the
 * zone's servers, and BIND refuses the zone: an error.  BIND accepts names below a delegation, and the root; so do these checks. */
static enum diag_level
level_of_set(struct check *c, const struct node *n, const struct rrset *s)
{
	const struct rr *rr = rrset_first(s);
	if (s->type != TYPE_NS) {
		return DIAG_WARNING;
	}
	if ((n->flags & NODE_APEX) == 0) {
		return DIAG_UNWISE;
	}
	for (unsigned i = 0; i < s->n; i++, rr = rr_next(rr)) {
		const struct node *at;
		enum lead lead = lead_from(c, n, rr->rdata, &at);
		if (lead == LEADS_OUT || lead == LEADS_HERE || lead == LEADS_AWAY) {
			return DIAG_UNWISE;
		}
	}
	return DIAG_ERROR;
}

static void
check_lead(struct check *c, const struct target *t, const struct rule *rule, bool is_reported)
{
	const struct node *at;
	enum lead lead = lead_from(c, t->n, t->name, &at);
	switch (lead) {
	case LEADS_OUT:
		return;
	case LEADS_HERE:
		if (t->s->type == TYPE_NS && at != NULL && (at->flags & (NODE_CUT | NODE_BELOW_CUT)) != 0) {
			check_nodes_add(c, &c->asked, at);
		}
		return;
	case LEADS_ALIAS:
		if (rule->alias != NULL) {
			report_alias(c, t, rule);
		}
		return;
	case LEADS_AWAY:
		if (t->s->type == TYPE_NS) {
			report_sibling(c, t);
		}
		return;
	case LEADS_BARE:
		if (rule->missing == NULL) {
			return;
		}
		break;
	case LEADS_NOWHERE:
		break;
	}
	if (!is_reported || t->s->type == TYPE_NS) {
		report_missing(c, t, rule, lead);
	}
}

/* Follows an alias through the zone, to find loops and long chains.  A missing target is reported elsewhere. */
static void
check_chain(struct check *c, const struct target *t)
{
	const uint8_t *name = t->name;
	const struct node *at = NULL;
	struct check_text text;
	for (unsigned hops = 1; hops <= CHECK_CHAIN_MAX; hops++) {
		if (name_is_equal(name, t->n->name)) {
			findings_add(c->out, DIAG_WARNING, "cname-loop", t->n->name, TYPE_CNAME, t->rr->rdata, t->rr->rdlen,
			             "at least one name on the way must not be an alias",
			             "the alias %s leads back to itself", check_print(t->n->name, &text));
			return;
		}
		if (follow(c, name, &at) != LEADS_ALIAS || at == NULL || name_is_wildcard(at->name)) {
			return;
		}
		name = rrset_first(node_rrset(at, TYPE_CNAME))->rdata;
	}
	findings_add(c->out, DIAG_WARNING, "cname-chain", t->n->name, TYPE_CNAME, t->rr->rdata, t->rr->rdlen,
	             "let aliases point to the host itself", "%s leads through more than %d aliases, or in a circle",
	             check_print(t->n->name, &text), CHECK_CHAIN_MAX);
}

static void
check_dname(struct check *c, const struct target *t)
{
	struct check_text text;
	if (name_is_within(t->name, t->n->name)) {
		findings_add(c->out, DIAG_WARNING, "dname-loop", t->n->name, TYPE_DNAME, t->rr->rdata, t->rr->rdlen,
		             "the target of a DNAME must not be at or below its owner (RFC 6672 5.1)",
		             "the DNAME %s leads below itself", check_print(t->n->name, &text));
	}
}

/* The target "." means that there is no server (RFC 7505, RFC 2782, RFC 9460 2.5).  It must be the only record, and not an NS
 * record. */
static void
check_null(struct check *c, const struct target *t)
{
	if (t->s->type == TYPE_NS && !name_is_root(c->z->apex_name)) {
		findings_add(c->out, DIAG_UNWISE, "ns-no-address", t->n->name, TYPE_NS, t->rr->rdata, t->rr->rdlen,
		             "name the host that serves the zone", "the root cannot be the name of a name server");
	} else if (t->s->type == TYPE_MX && t->s->n > 1) {
		findings_add(c->out, DIAG_WARNING, "null-mx", t->n->name, TYPE_MX, t->rr->rdata, t->rr->rdlen,
		             "\"MX 0 .\" says that there is no mail at all: remove it, or the others (RFC 7505 3)",
		             "a null MX stands beside other MX records");
	}
}

static void
check_target(struct check *c, const struct target *t, const struct rule *rule)
{
	if (name_is_root(t->name)) {
		check_null(c, t);
		return;
	}
	bool is_reported = check_spelling(c, t);
	if (rule == NULL) {
		return;
	}
	/* need_glue() checks name servers below their own delegation. */
	bool is_own_glue = (t->n->flags & NODE_CUT) != 0 && name_is_within(t->name, t->n->name);
	if (!is_own_glue && !(t->s->type == TYPE_CNAME && name_is_equal(t->name, t->n->name))) {
		check_lead(c, t, rule, is_reported);
	}
	if (t->s->type == TYPE_CNAME) {
		check_chain(c, t);
	}
}

static bool
has_host_names(uint16_t type)
{
	switch (type) {
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_SOA:
	case TYPE_PTR:
	case TYPE_MX:
	case TYPE_RP:
	case TYPE_AFSDB:
	case TYPE_SRV:
	case TYPE_NAPTR:
	case TYPE_KX:
	case TYPE_DNAME:
	case TYPE_SVCB:
	case TYPE_HTTPS:
		return true;
	default:
		return false;
	}
}

void
check_targets(struct check *c, const struct node *n, const struct rrset *s)
{
	if (!has_host_names(s->type)) {
		return;
	}
	const struct rule *rule = rule_of(s->type);
	const struct rr *rr = rrset_first(s);
	enum diag_level level = level_of_set(c, n, s);
	for (unsigned i = 0; i < s->n; i++, rr = rr_next(rr)) {
		uint16_t at[RDATA_NAMES_MAX];
		size_t names = rdata_names(s->type, rr->rdata, rr->rdlen, at);
		for (size_t k = 0; k < names; k++) {
			struct target t = { .n = n, .s = s, .rr = rr, .name = rr->rdata + at[k], .level = level };
			check_target(c, &t, rule);
			if (s->type == TYPE_DNAME) {
				check_dname(c, &t);
			}
		}
	}
}
