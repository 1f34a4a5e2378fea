/* The walk over a zone that is about to be served: names, delegations and what is below them. */
#include "zone/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/check_p.h"

enum {
	OLD_MD = 3,
	OLD_MF = 4,
	OLD_A6 = 38,
	OLD_SPF = 99,
	TYPE_CSYNC_ = 62,
	TYPE_ZONEMD_ = 63,
};

const char *
check_print(const uint8_t *name, struct check_text *out)
{
	name_print(name, out->s);
	return out->s;
}

void
check_nodes_add(struct check *c, struct check_nodes *to, const struct node *n)
{
	if (to->n == to->cap) {
		size_t cap = to->cap != 0 ? to->cap * 2 : 256;
		const struct node **list = realloc(to->list, cap * sizeof *list);
		if (list == NULL) {
			c->err = E_NOMEM;
			return;
		}
		to->list = list;
		to->cap = cap;
	}
	to->list[to->n++] = n;
}

bool
check_has_address(const struct node *n)
{
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (s->type == TYPE_A || s->type == TYPE_AAAA) {
			return true;
		}
		if (s->type > TYPE_AAAA) {
			return false; /* sorted by type */
		}
	}
	return false;
}

/* ---- names ---- */

bool
check_is_doubled(const struct zone *z, const uint8_t *name)
{
	size_t len = name_len(name);
	size_t part = z->apex_len - 1u; /* the apex without the root label */
	if (part == 0 || len < z->apex_len + part) {
		return false;
	}
	const uint8_t *again = name + (len - z->apex_len - part);
	for (size_t i = part; i-- > 0;) {
		if (octet_lower(again[i]) != octet_lower(z->apex_name[i])) {
			return false;
		}
	}
	const uint8_t *label = name;
	while (label < again) {
		label = name_parent(label);
	}
	if (label != again || !name_is_within(again + part, z->apex_name)) {
		return false;
	}
	if (part != 1u + z->apex_name[0]) {
		return true;
	}
	/* In the zone of a single label, "com.com." is a name like any other, and so is a host below it. */
	if (again == name) {
		return false;
	}
	const struct node *n = zone_node(z, again);
	return n == NULL || (n->flags & NODE_CUT) == 0;
}

void
check_dot_hint(const struct zone *z, const uint8_t *name, char out[DIAG_HINT_MAX])
{
	struct name meant;
	struct check_text text;
	size_t prefix = name_len(name) - z->apex_len;
	out[0] = '\0';
	if (prefix != 0 && name_join(name, prefix, name_root, &meant) == OK) {
		snprintf(out, DIAG_HINT_MAX, "names without a final dot are completed with the origin; write \"%.180s\"",
		         check_print(meant.oct, &text));
	}
}

/* What an octet does in a label: 1: nobody means it; 2: an asterisk. */
static unsigned
octet_oddness(uint8_t o)
{
	if (o == '*') {
		return 2;
	}
	return o <= ' ' || o >= 0x7F || o == '@' || o == ',' || o == ';' || o == '"' ? 1 : 0;
}

static void
check_label(struct check *c, const struct node *n)
{
	const uint8_t *label = n->name;
	unsigned found = 0;
	for (size_t i = 1; i <= label[0]; i++) {
		found |= octet_oddness(label[i]);
	}
	if (found == 0 || name_is_wildcard(label) || c->odd >= CHECK_ODD_MAX || (n->flags & NODE_APEX) != 0) {
		return;
	}
	struct check_text text;
	c->odd++;
	if ((found & 1) != 0) {
		findings_add(c->out, DIAG_WARNING, "odd-name", n->name, 0, NULL, 0,
		             "names of hosts are made of letters, digits and hyphens; other scripts are written as xn-- labels",
		             "%s has characters that are hardly meant", check_print(n->name, &text));
	} else {
		findings_add(c->out, DIAG_WARNING, "partial-wildcard", n->name, 0, NULL, 0,
		             "a wildcard is the label \"*\" alone (RFC 4592 2.1.1)",
		             "the asterisk in %s stands for itself only", check_print(n->name, &text));
	}
}

static void
check_owner(struct check *c, const struct node *n)
{
	struct check_text text;
	check_label(c, n);
	if (c->star != NULL && (n->flags & NODE_EMPTY) == 0 && name_is_within(n->name, c->star->name)) {
		findings_add(c->out, DIAG_WARNING, "inner-wildcard", n->name, 0, NULL, 0,
		             "only a first label \"*\" is a wildcard (RFC 4592 2.1.1)",
		             "%s has an asterisk in its middle, which matches nothing but itself",
		             check_print(n->name, &text));
	}
	if (name_is_wildcard(n->name)) {
		c->star = n;
	}
	if ((n->flags & NODE_EMPTY) == 0 && check_is_doubled(c->z, n->name)) {
		char hint[DIAG_HINT_MAX];
		check_dot_hint(c->z, n->name, hint);
		findings_add(c->out, DIAG_WARNING, "forgotten-dot", n->name, 0, NULL, 0, hint,
		             "%s has the zone's name in it twice", check_print(n->name, &text));
	}
}

/* ---- delegations ---- */

static void
report_glue(struct check *c, const struct node *cut, const struct rr *rr)
{
	struct check_text owner, target;
	char hint[DIAG_HINT_MAX];
	check_print(cut->name, &owner);
	check_print(rr->rdata, &target);
	snprintf(hint, sizeof hint, "add an A or AAAA record for %.180s here as well (RFC 9471)", target.s);
	findings_add(c->out, DIAG_ERROR, "missing-glue", cut->name, TYPE_NS, rr->rdata, rr->rdlen, hint,
	             "nobody can find %s, the name server of %s: it is below the delegation, and its address is not given",
	             target.s, owner.s);
}

/* The walk has left what is below a delegation: what should have come up has, or is not there. */
static void
leave(struct check *c)
{
	for (unsigned i = 0; i < c->needs; i++) {
		if (!c->need[i].is_met) {
			report_glue(c, c->under, c->need[i].rr);
		}
	}
	c->needs = 0;
	c->under = NULL;
}

/* Name servers at or below their own delegation need glue; all others are looked up. */
static void
need_glue(struct check *c, const struct node *cut, const struct rrset *ns)
{
	const struct rr *rr = rrset_first(ns);
	for (unsigned i = 0; i < ns->n; i++, rr = rr_next(rr)) {
		if (!name_is_within(rr->rdata, cut->name)) {
			continue;
		}
		if (name_is_equal(rr->rdata, cut->name)) {
			if (!check_has_address(cut)) {
				report_glue(c, cut, rr);
			}
		} else if (c->needs < CHECK_NEEDS_MAX) {
			c->need[c->needs++] = (struct check_need){ .rr = rr };
		} else {
			const struct node *n = zone_node(c->z, rr->rdata);
			if (n == NULL || !check_has_address(n)) {
				report_glue(c, cut, rr);
			} else {
				check_nodes_add(c, &c->asked, n);
			}
		}
	}
}

static bool
is_at_cut(const struct rrset *s) /* may a delegation have it? */
{
	uint16_t type = s->type == TYPE_RRSIG ? s->covers : s->type;
	return type == TYPE_NS || (rrtype_flags(type) & RRTYPE_PARENT) != 0;
}

static void
report_occluded(struct check *c, const struct node *n, const struct rrset *s, const struct node *under)
{
	struct check_text owner, top;
	char type[RRTYPE_TEXT_MAX];
	findings_add(c->out, DIAG_WARNING, "below-cut", n->name, s->type, NULL, 0,
	             "move the record into the delegated zone, or remove the NS records",
	             "%s %s is never served: %s is delegated, and this is no glue", check_print(n->name, &owner),
	             rrtype_print(s->type, type), check_print(under->name, &top));
}

static bool
names_itself(const struct node *cut, const struct rrset *ns)
{
	const struct rr *rr = rrset_first(ns);
	for (unsigned i = 0; i < ns->n; i++, rr = rr_next(rr)) {
		if (name_is_equal(rr->rdata, cut->name)) {
			return true;
		}
	}
	return false;
}

static void
check_cut(struct check *c, const struct node *n)
{
	const struct rrset *ns = node_rrset(n, TYPE_NS);
	const struct rrset *s = node_first(n);
	bool has_address = false;
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (s->type == TYPE_A || s->type == TYPE_AAAA) {
			has_address = true;
		} else if (s->type == TYPE_DNAME) {
			struct check_text text;
			findings_add(c->out, DIAG_ERROR, "dname-at-cut", n->name, TYPE_DNAME, NULL, 0,
			             "keep either the delegation or the DNAME (RFC 6672 2.3)",
			             "%s has both NS and DNAME", check_print(n->name, &text));
		} else if (!is_at_cut(s)) {
			report_occluded(c, n, s, n);
		}
	}
	if (has_address && !names_itself(n, ns)) {
		check_nodes_add(c, &c->loose, n);
	}
	c->under = n;
	need_glue(c, n, ns);
	check_targets(c, n, ns);
}

static bool
meets_need(struct check *c, const struct node *n)
{
	bool met = false;
	for (unsigned i = 0; i < c->needs; i++) {
		if (name_is_equal(c->need[i].rr->rdata, n->name)) {
			c->need[i].is_met = met = true;
		}
	}
	return met;
}

static void
check_below(struct check *c, const struct node *n)
{
	if ((n->flags & NODE_EMPTY) != 0 || c->under == NULL) {
		return;
	}
	if ((c->under->flags & NODE_CUT) == 0) {
		struct check_text owner, top;
		findings_add(c->out, DIAG_ERROR, "below-dname", n->name, 0, NULL, 0,
		             "nothing may be below a DNAME (RFC 6672 2.4): remove one or the other",
		             "%s is hidden by the DNAME at %s", check_print(n->name, &owner),
		             check_print(c->under->name, &top));
		return;
	}
	bool has_address = false;
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (s->type == TYPE_A || s->type == TYPE_AAAA) {
			has_address = true;
		} else {
			report_occluded(c, n, s, c->under);
		}
	}
	if (has_address && !meets_need(c, n)) {
		check_nodes_add(c, &c->loose, n);
	}
}

static int
compare_nodes(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Addresses below a delegation which no NS record of the zone names. */
static void
check_loose(struct check *c)
{
	if (c->asked.n != 0) {
		qsort(c->asked.list, c->asked.n, sizeof *c->asked.list, compare_nodes);
	}
	for (size_t i = 0; i < c->loose.n; i++) {
		const struct node *n = c->loose.list[i];
		if (c->asked.n != 0 &&
		    bsearch(&n, c->asked.list, c->asked.n, sizeof *c->asked.list, compare_nodes) != NULL) {
			continue;
		}
		struct check_text text;
		uint16_t type = node_rrset(n, TYPE_A) != NULL ? TYPE_A : TYPE_AAAA;
		findings_add(c->out, DIAG_WARNING, "unused-glue", n->name, type, NULL, 0,
		             "move it into the delegated zone; glue is for the names that NS records give",
		             "%s is in a delegated zone and no name server: its address is never served",
		             check_print(n->name, &text));
	}
}

/* ---- single RRsets ---- */

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
		             "expire is how long secondaries live without their primary: two to four weeks (RFC 1912 2.2)",
		             "expire (%u s) leaves no time for a second try after refresh (%u s) and retry (%u s)",
		             soa->expire_s, soa->refresh_s, soa->retry_s);
	}
	if (soa->minimum_s > 86400) {
		findings_add(c->out, DIAG_WARNING, code, apex, TYPE_SOA, rr->rdata, rr->rdlen,
		             "the last number of the SOA is for negative answers; one to three hours do (RFC 2308 5)",
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
	return type == TYPE_NSEC3PARAM || type == TYPE_CDS || type == TYPE_CDNSKEY || type == TYPE_CSYNC_ ||
	       type == TYPE_ZONEMD_;
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
		             "the DS of a zone belongs into its parent (RFC 4035 2.4)",
		             "%s has a DS at its own apex", owner.s);
	} else if (s->type == TYPE_DS && (n->flags & NODE_CUT) == 0) {
		findings_add(c->out, DIAG_WARNING, "ds-place", n->name, s->type, NULL, 0,
		             "a DS stands beside the NS records of a delegation (RFC 4035 2.4)",
		             "%s has a DS and is not delegated", owner.s);
	} else if (is_apex_only(s->type) && !is_apex) {
		findings_add(c->out, DIAG_WARNING, "apex-only", n->name, s->type, NULL, 0, "move it to the zone's apex",
		             "%s has %s, which says something at a zone's apex only", owner.s, type);
	} else if (s->type == OLD_SPF || s->type == OLD_A6 || s->type == OLD_MD || s->type == OLD_MF) {
		findings_add(c->out, DIAG_WARNING, "obsolete-type", n->name, s->type, NULL, 0,
		             s->type == OLD_SPF  ? "write the policy as TXT (RFC 7208 3.1)"
		             : s->type == OLD_A6 ? "write AAAA (RFC 6563)"
		                                 : "write MX (RFC 974)",
		             "nobody looks at %s records any more", type);
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
		             "%s has %u SPF policies, and mail servers take that for an error",
		             check_print(n->name, &owner), found);
	}
}

static void
check_star(struct check *c, const struct node *n, const struct rrset *s)
{
	if (s->type != TYPE_NS && s->type != TYPE_DNAME && s->type != TYPE_DS) {
		return;
	}
	struct check_text owner;
	char type[RRTYPE_TEXT_MAX];
	findings_add(c->out, DIAG_WARNING, "wildcard-type", n->name, s->type, NULL, 0,
	             "RFC 4592 4 leaves open what servers make of it: name what you delegate",
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
	             "sign the zone again after changing it", "%s has a signature over %s records that are not there",
	             check_print(n->name, &owner), rrtype_print(s->covers, type));
}

static void
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
		check_soa(c, s);
		break;
	case TYPE_DS:
	case TYPE_NSEC3PARAM:
	case TYPE_CDS:
	case TYPE_CDNSKEY:
	case TYPE_CSYNC_:
	case TYPE_ZONEMD_:
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

/* ---- the walk ----
 *
 * Nodes lie in memory as they came in the file, and are walked in canonical order: without a look ahead,
 * most of the time would go into waiting for each (measured: a million records in 0.14 s, with it in 0.07 s). */

enum { AHEAD = 16, NODE_HEAD = 128 };

struct walk {
	struct trie_iter it;
	const struct node *ahead[AHEAD];
	unsigned at;
};

static const struct node *
walk_next(struct walk *w)
{
	const struct node *n = w->ahead[w->at];
	const struct node *coming = trie_iter_next(&w->it);
	if (coming != NULL) {
		for (size_t i = 0; i < NODE_HEAD; i += 64) {
			__builtin_prefetch((const char *)coming + i);
		}
	}
	w->ahead[w->at] = coming;
	w->at = (w->at + 1) % AHEAD;
	return n;
}

static void
walk_begin(struct walk *w, const struct zone *z)
{
	memset(w->ahead, 0, sizeof w->ahead);
	w->at = 0;
	trie_iter_first(&w->it, &z->nodes);
	for (unsigned i = 0; i < AHEAD; i++) {
		(void)walk_next(w);
	}
}

static void
check_node(struct check *c, const struct node *n)
{
	check_owner(c, n);
	if ((n->flags & NODE_BELOW_CUT) != 0) {
		check_below(c, n);
		return;
	}
	if (c->under != NULL) {
		leave(c);
	}
	bool is_star = name_is_wildcard(n->name);
	const struct rrset *s = node_first(n);
	for (unsigned left = n->rrsets; left != 0; left--, s = rrset_next(s)) {
		if (is_star) {
			check_star(c, n, s);
		}
		if ((n->flags & NODE_CUT) == 0) {
			check_rrset(c, n, s);
		}
	}
	if ((n->flags & NODE_CUT) != 0) {
		check_cut(c, n);
	} else if ((n->flags & NODE_DNAME) != 0) {
		c->under = n;
	}
}

static bool
is_in_arpa(const uint8_t *apex)
{
	static const uint8_t v4[] = "\7in-addr\4arpa", v6[] = "\3ip6\4arpa";
	return name_is_within(apex, v4) || name_is_within(apex, v6);
}

err_t
zone_check(const struct zone *z, struct findings *out)
{
	struct check c = { .z = z, .out = out, .is_reverse = is_in_arpa(z->apex_name) };
	struct walk walk;
	const struct node *n;

	walk_begin(&walk, z);
	while (c.err == OK && (n = walk_next(&walk)) != NULL) {
		check_node(&c, n);
	}
	if (c.err == OK && c.under != NULL) {
		leave(&c);
	}
	if (c.err == OK) {
		check_loose(&c);
	}
	free(c.loose.list);
	free(c.asked.list);
	return c.err;
}

/* ---- serial numbers ---- */

struct change { /* the first difference that needs a newer serial */
	const struct zone *old, *new;
	bool is_found;
	struct check_text owner;
	char type[RRTYPE_TEXT_MAX];
};

/* Two SOAs of which only the serial differs? */
static bool
is_same_but_serial(const struct change *ch)
{
	const struct rr *a = rrset_first(ch->old->soa), *b = rrset_first(ch->new->soa);
	uint8_t text[2][NAME_WIRE_MAX * 2 + 20];
	const struct rr *rr[2] = { a, b };
	if (rrset_ttl(ch->old->soa) != rrset_ttl(ch->new->soa) || a->rdlen != b->rdlen || a->rdlen > sizeof text[0]) {
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		memcpy(text[i], rr[i]->rdata, rr[i]->rdlen);
		memset(text[i] + rr[i]->rdlen - 20, 0, 4);
	}
	return rdata_compare(TYPE_SOA, text[0], a->rdlen, text[1], b->rdlen) == 0;
}

static err_t
note_change(void *ctx, bool is_added, const struct zone_rr *rr)
{
	struct change *ch = ctx;
	(void)is_added;
	if (rr->type == TYPE_SOA && is_same_but_serial(ch)) {
		return OK;
	}
	ch->is_found = true;
	check_print(rr->owner, &ch->owner);
	rrtype_print(rr->type, ch->type);
	return E_STOPPED;
}

static void
serial_hint(uint32_t was, uint32_t now, char out[DIAG_HINT_MAX])
{
	if (was - now == UINT32_C(0x80000000)) {
		snprintf(out, DIAG_HINT_MAX,
		         "write %u; secondaries cannot order two serials that are 2^31 apart (RFC 1982 3.2)",
		         serial_next(was));
	} else if (now == was) {
		snprintf(out, DIAG_HINT_MAX, "write %u, or anything up to %u", serial_next(was),
		         was + UINT32_C(0x7FFFFFFF));
	} else {
		snprintf(out, DIAG_HINT_MAX,
		         "write %u, or anything up to %u: secondaries would take %u for an older version (RFC 1982)",
		         serial_next(was), was + UINT32_C(0x7FFFFFFF), now);
	}
}

err_t
zone_check_serial(const struct zone *old, const struct zone *new, struct findings *out)
{
	struct change ch = { .old = old, .new = new };
	if (serial_is_newer(new->serial, old->serial)) {
		return OK;
	}
	err_t e = zone_diff(old, new, note_change, &ch);
	if (e != OK && e != E_STOPPED) {
		return e;
	}
	if (!ch.is_found && new->serial == old->serial) {
		return OK;
	}
	char hint[DIAG_HINT_MAX];
	const struct rr *rr = rrset_first(new->soa);
	serial_hint(old->serial, new->serial, hint);
	if (ch.is_found) {
		findings_add(out, DIAG_ERROR, "serial-not-newer", new->apex_name, TYPE_SOA, rr->rdata, rr->rdlen, hint,
		             "the zone changed (%s %s), and serial %u is not newer than %u", ch.owner.s, ch.type,
		             new->serial, old->serial);
	} else {
		findings_add(out, DIAG_ERROR, "serial-not-newer", new->apex_name, TYPE_SOA, rr->rdata, rr->rdlen, hint,
		             "serial %u is not newer than %u", new->serial, old->serial);
	}
	return OK;
}
