/* Walks over a zone that is about to be served, and checks names and delegations, and names below delegations. */
#include "zone/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/check_p.h"

const char *
check_print(const uint8_t *name, struct check_text *out)
{
	name_print(name, out->s);
	return out->s;
}

void
check_nodes_add(struct check *c, struct check_nodes *to, const struct node *n)
{
	if (!try_room(&to->list, sizeof *to->list, to->n, &to->cap)) {
		c->err = E_NOMEM;
		return;
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
	/* In a zone of a single label, "com.com." is an ordinary name, and so is a host below it. */
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

/* How odd an octet is in a label: 1: probably a mistake; 2: an asterisk. */
static unsigned
octet_oddness(uint8_t o)
{
	if (o == '*') {
		return 2;
	}
	return o <= ' ' || o >= 0x7F || o == '@' || o == ',' || o == ';' || o == '"' ? 1 : 0;
}

static const char *
hint_for_label(const uint8_t *label)
{
	if (label[1] == '#') {
		return "is this meant as a comment?  One begins with \";\"";
	}
	return "names of hosts are made of letters, digits and hyphens; other scripts are written as xn-- labels";
}

static void
check_label(struct check *c, const struct node *n)
{
	const uint8_t *label = n->name;
	unsigned found = 0;
	for (size_t i = 1; i <= label[0]; i++) {
		found |= octet_oddness(label[i]);
	}
	found |= label[0] != 0 && label[1] == '#';
	if (found == 0 || name_is_wildcard(label) || c->odd >= CHECK_ODD_MAX || (n->flags & NODE_APEX) != 0) {
		return;
	}
	struct check_text text;
	c->odd++;
	if ((found & 1) != 0) {
		findings_add(c->out, DIAG_WARNING, "odd-name", n->name, 0, NULL, 0, hint_for_label(label),
		             "%s has characters that are probably a mistake", check_print(n->name, &text));
	} else {
		findings_add(c->out, DIAG_WARNING, "partial-wildcard", n->name, 0, NULL, 0,
		             "a wildcard is the label \"*\" alone (RFC 4592 2.1.1)",
		             "the asterisk in %s is an ordinary character", check_print(n->name, &text));
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
		             "%s has an asterisk in its middle, which is an ordinary label there",
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
	findings_add(c->out, DIAG_UNWISE, "missing-glue", cut->name, TYPE_NS, rr->rdata, rr->rdlen, hint,
	             "nobody can find %s, the name server of %s: it is below the delegation, and has no address record here",
	             target.s, owner.s);
}

/* The walk has left the names below a delegation: glue that was not met by now does not exist. */
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

/* Name servers below their own delegation need glue, which the walk will meet; if there are too many, the rest are looked up
 * here. */
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
is_at_cut(const struct rrset *s) /* true for types that belong to the parent's side of a delegation */
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
	             "%s %s is never served: %s is delegated, and the record is not glue", check_print(n->name, &owner),
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

/* Reports addresses below a delegation that belong to no name in an NS record of the zone. */
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
		             "move it into the delegated zone; glue is only for names in NS records",
		             "%s is in a delegated zone, but not a name server: its address is never served",
		             check_print(n->name, &text));
	}
}

/* ---- the walk ----
 *
 * Nodes are in memory in the order of the file, but walked in canonical order.  Without fetching them ahead, most of the time
 * would be spent waiting for memory (measured with a million records: 0.14 s without it, 0.07 s with it). */

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

static void
check_nsec3(struct check *c)
{
	const struct zone *z = c->z;
	if (z->nsec3_excessive != NULL) {
		findings_add(c->out, DIAG_UNWISE, "many-iterations", z->apex_name, TYPE_NSEC3PARAM, NULL, 0,
		             "sign the zone with \"NSEC3PARAM 1 0 0 -\": no iterations and no salt (RFC 9276 3.1)",
		             "NSEC3 with %u iterations, more than %u: resolvers treat the zone as unsigned, and answers contain no "
		             "proofs of absence",
		             (unsigned)z->nsec3_param.iterations, (unsigned)ZONE_NSEC3_ITERATIONS_MAX);
	}
}

err_t
zone_check(const struct zone *z, struct findings *out)
{
	struct check c = { .z = z, .out = out, .is_reverse = is_in_arpa(z->apex_name) };
	struct walk walk;
	const struct node *n;

	check_nsec3(&c);
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

void
zone_check_forget_missing(struct findings *f)
{
	static const char *const codes[] = {
		"no-soa",      "no-apex-ns",    "missing-glue",   "missing-sibling-glue", "ns-no-address",
		"mx-no-address", "srv-no-address", "target-missing", "rrsig-alone",          "ds-place",
		"unused-glue",
	};
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++) {
		bool is_missing = false;
		for (size_t k = 0; k < ARRAY_LEN(codes); k++) {
			is_missing = is_missing || strcmp(f->list[i].code, codes[k]) == 0;
		}
		if (!is_missing) {
			f->list[kept++] = f->list[i];
			continue;
		}
		f->errors -= f->list[i].level == DIAG_ERROR;
		f->warnings -= f->list[i].level != DIAG_ERROR;
		f->kept_warnings -= f->list[i].level == DIAG_WARNING;
	}
	f->n = kept;
}
