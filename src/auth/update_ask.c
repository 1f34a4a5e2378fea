/* Checks prerequisites (RFC 2136 3.2): conditions that must be true before anything is changed. */
#include <stdlib.h>

#include "auth/update_p.h"
#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

err_t
update_count(struct zone_txn *t, const uint8_t *owner, uint16_t type, size_t *out)
{
	*out = 0;
	return t != NULL ? zone_txn_count(t, owner, type, out) : OK;
}

/* Checks a prerequisite of class ANY or NONE (RFC 2136 3.2.1, 3.2.2, 3.2.4). */
static err_t
ask_one(const struct update_rr *rr, struct zone_txn *t, struct update_verdict *v)
{
	size_t n;
	bool is_wanted = rr->rrclass == CLASS_ANY, is_any = rr->type == TYPE_ANY;
	TRY(update_count(t, rr->owner, rr->type, &n));
	if (is_wanted && n == 0) {
		update_deny(v, is_any ? RCODE_NXDOMAIN : RCODE_NXRRSET, is_any ? "prerequisite: the name is not in use"
		                                                        : "prerequisite: there is no such RRset");
	} else if (!is_wanted && n != 0) {
		update_deny(v, is_any ? RCODE_YXDOMAIN : RCODE_YXRRSET, is_any ? "prerequisite: the name is in use"
		                                                        : "prerequisite: there is such an RRset");
	}
	return OK;
}

static int
compare_sets(const struct update_rr *a, const struct update_rr *b)
{
	int order = name_compare(a->owner, b->owner);
	return order != 0 ? order : (int)a->type - (int)b->type;
}

static int
compare_rrs(const void *left, const void *right)
{
	const struct update_rr *a = *(const struct update_rr *const *)left, *b = *(const struct update_rr *const *)right;
	int order = compare_sets(a, b);
	return order != 0 ? order : rdata_compare(a->type, a->rdata, a->rdlen, b->rdata, b->rdlen);
}

struct wanted_set { /* sorted, each record once */
	const struct update_rr *const *list;
	size_t n;
	size_t found;
};

static err_t
find_wanted(void *ctx, const struct zone_rr *rr)
{
	struct wanted_set *w = ctx;
	const struct update_rr key = { .owner = rr->owner, .type = rr->type, .rdlen = rr->rdlen, .rdata = rr->rdata }, *at = &key;
	bool is_there = bsearch(&at, w->list, w->n, sizeof(const struct update_rr *), compare_rrs) != NULL;
	w->found += is_there;
	return is_there ? OK : E_NOTFOUND;
}

/* Checks that the zone has exactly these records of one RRset.  TTLs are not compared (RFC 2136 2.4.2). */
static err_t
ask_set(struct wanted_set *w, struct zone_txn *t, struct update_verdict *v)
{
	const struct update_rr *first = w->list[0];
	err_t err = t != NULL ? zone_txn_each(t, first->owner, first->type, find_wanted, w) : E_NOTFOUND;
	if (err == E_NOTFOUND || (err == OK && w->found != w->n)) {
		update_deny(v, RCODE_NXRRSET, "prerequisite: the RRset has other records");
		return OK;
	}
	return err;
}

/* RFC 2136 3.2.3: gathers the prerequisites of class IN into RRsets, and checks these. */
static err_t
ask_sets(const struct update_rr **list, size_t n, struct zone_txn *t, struct update_verdict *v)
{
	size_t unique = 0;
	if (n != 0) {
		qsort(list, n, sizeof(const struct update_rr *), compare_rrs);
	}
	for (size_t i = 0; i < n; i++) {
		if (unique == 0 || compare_rrs(&list[unique - 1], &list[i]) != 0) {
			list[unique++] = list[i];
		}
	}
	for (size_t i = 0, end; i < unique && !update_is_denied(v); i = end) {
		for (end = i + 1; end < unique && compare_sets(list[i], list[end]) == 0; end++) {
		}
		struct wanted_set w = { .list = list + i, .n = end - i };
		TRY(ask_set(&w, t, v));
	}
	return OK;
}

/* RFC 2136 3.2: checks the form of a prerequisite. */
static void
check_prerequisite(const struct update *u, const struct update_rr *rr, struct update_verdict *v)
{
	bool is_data = rr->rrclass == CLASS_IN;
	if (rr->ttl != 0) {
		update_deny(v, RCODE_FORMERR, "prerequisite: the TTL must be 0");
	} else if (!name_is_within(rr->owner, u->m.qname.oct)) {
		update_deny(v, RCODE_NOTZONE, "prerequisite: the name is not in the zone");
	} else if (!is_data && rr->rrclass != CLASS_ANY && rr->rrclass != CLASS_NONE) {
		update_deny(v, RCODE_FORMERR, "prerequisite: the class has no meaning here");
	} else if (!is_data && rr->rdlen != 0) {
		update_deny(v, RCODE_FORMERR, "prerequisite: there must be no data");
	} else if ((rrtype_flags(rr->type) & RRTYPE_META) != 0 && (is_data || rr->type != TYPE_ANY)) {
		update_deny(v, RCODE_FORMERR, "prerequisite: records cannot have that type");
	}
}

err_t
update_ask(const struct update *u, struct zone_txn *t, struct update_verdict *v)
{
	const struct update_rr **data = calloc(u->prerequisites_n + 1, sizeof(const struct update_rr *));
	size_t data_n = 0;
	err_t err = data != NULL ? OK : E_NOMEM;
	for (size_t i = 0; i < u->prerequisites_n && err == OK && !update_is_denied(v); i++) {
		const struct update_rr *rr = &u->prerequisites[i];
		check_prerequisite(u, rr, v);
		if (!update_is_denied(v) && rr->rrclass == CLASS_IN) {
			data[data_n++] = rr;
		} else if (!update_is_denied(v)) {
			err = ask_one(rr, t, v);
		}
	}
	if (err == OK && !update_is_denied(v)) {
		err = ask_sets(data, data_n, t, v);
	}
	free(data);
	return err;
}
