#include "zone/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dns/name.h"

static const uint8_t owner[] = "\3wWw\7example\3com";

#define RR(t, seconds, bytes) { .type = t, .ttl = seconds, .rdlen = sizeof(bytes) - 1, .rdata = (const uint8_t *)bytes }

static void
layout_of_a_node(void **state)
{
	(void)state;
	struct node_rr rrs[] = {
		RR(TYPE_TXT, 5, "\2hi"),
		RR(TYPE_AAAA, 6, "0123456789abcdef"),
		RR(TYPE_A, 0x01020304, "\300\0\2\2"),
		RR(TYPE_A, 0x01020304, "\300\0\2\1"),
	};
	struct node *n = NULL;
	size_t duplicates = 9, ttl_differs = 9;
	assert_int_equal(node_make(owner, NODE_CUT, rrs, ARRAY_LEN(rrs), &duplicates, &ttl_differs, &n), OK);
	assert_int_equal(duplicates, 0);
	assert_int_equal(ttl_differs, 0);
	assert_int_equal(n->flags, NODE_CUT);
	assert_int_equal(n->rrsets, 3);
	assert_int_equal(n->name_len, 17);
	assert_memory_equal(n->name, owner, 17);
	const struct rrset *s = node_first(n);
	assert_int_equal(s->type, TYPE_A);
	assert_int_equal(s->n, 2);
	assert_int_equal(s->linked, 0);
	assert_memory_equal(s->fixed, "\0\1\0\1\1\2\3\4", 8);
	assert_int_equal(rrset_ttl(s), 0x01020304);
	const struct rr *rr = rrset_first(s);
	assert_int_equal(rr->rdata[3], 1);
	assert_int_equal(rr_next(rr)->rdata[3], 2);
	s = rrset_next(s);
	assert_int_equal(s->type, TYPE_TXT);
	assert_memory_equal(rrset_first(s), "\3\0\0\0\2hi\0", 8); /* little-endian; the padding is zero */
	s = rrset_next(s);
	assert_int_equal(s->type, TYPE_AAAA);
	assert_int_equal((const uint8_t *)rrset_next(s) - (const uint8_t *)n, n->size);
	assert_ptr_equal(node_rrset(n, TYPE_AAAA), s);
	assert_null(node_rrset(n, TYPE_MX));
	assert_null(node_rrsigs(n, TYPE_A));
	free(n);
}

static void
empty_node(void **state)
{
	(void)state;
	struct node *n = NULL;
	assert_int_equal(node_make(name_root, 0, NULL, 0, NULL, NULL, &n), OK);
	assert_int_equal(n->flags, NODE_EMPTY);
	assert_int_equal(n->rrsets, 0);
	assert_int_equal(n->name_len, 1);
	assert_int_equal(n->size, 12);
	assert_null(node_rrset(n, TYPE_A));
	free(n);
}

static void
duplicates_and_ttls(void **state)
{
	(void)state;
	struct node_rr rrs[] = {
		RR(TYPE_NS, 300, "\1b\0"), RR(TYPE_NS, 200, "\1a\0"), RR(TYPE_A, 100, "\1\2\3\4"),
		RR(TYPE_NS, 300, "\1B\0"), RR(TYPE_NS, 400, "\1b\0"), RR(TYPE_CNAME, 7, "\1c\0"),
	};
	struct node *n = NULL;
	size_t duplicates = 0, ttl_differs = 0;
	assert_int_equal(node_make(owner, 0, rrs, ARRAY_LEN(rrs), &duplicates, &ttl_differs, &n), OK);
	assert_int_equal(duplicates, 2);
	assert_int_equal(ttl_differs, 1);
	assert_int_equal(n->flags, NODE_CNAME);
	const struct rrset *s = node_rrset(n, TYPE_NS);
	assert_int_equal(s->n, 2);
	assert_int_equal(rrset_ttl(s), 200);
	assert_memory_equal(rr_next(rrset_first(s))->rdata, "\1b", 3); /* the first of the equals stays */
	assert_false(rrs[2].is_duplicate);
	assert_true(rrs[3].is_duplicate && rrs[4].is_duplicate);
	free(n);
}

#define SIG(covers, tag) "\0" covers "\15\2\0\0\1\54\0\0\0\2\0\0\0\1\0" tag "\7example\0sig"

static void
signatures_are_a_set_for_each_type(void **state)
{
	(void)state;
	struct node_rr rrs[] = {
		RR(TYPE_RRSIG, 300, SIG("\34", "\1")), RR(TYPE_RRSIG, 200, SIG("\1", "\2")),
		RR(TYPE_A, 200, "\1\2\3\4"), RR(TYPE_RRSIG, 200, SIG("\1", "\1")),
		RR(TYPE_RRSIG, 200, SIG("\1", "\1")),
	};
	struct node *n = NULL;
	size_t duplicates = 0, ttl_differs = 0;
	assert_int_equal(node_make(owner, 0, rrs, ARRAY_LEN(rrs), &duplicates, &ttl_differs, &n), OK);
	assert_int_equal(n->flags, NODE_SIGNED);
	assert_int_equal(n->rrsets, 3);
	assert_int_equal(duplicates, 1);
	assert_int_equal(ttl_differs, 0);
	assert_int_equal(node_rrsigs(n, TYPE_A)->n, 2);
	assert_int_equal(node_rrsigs(n, TYPE_AAAA)->n, 1);
	assert_int_equal(rrset_ttl(node_rrsigs(n, TYPE_AAAA)), 300);
	assert_null(node_rrsigs(n, TYPE_MX));
	free(n);
}

static void
names_that_share_with_the_owner(void **state)
{
	(void)state;
	static const struct {
		struct node_rr rr;
		uint8_t shared[2];
	} cases[] = {
		{ RR(TYPE_NS, 1, "\2ns\7EXAMPLE\3com\0"), { 13, 0 } },
		{ RR(TYPE_NS, 1, "\3www\7example\3com\0"), { 17, 0 } },
		{ RR(TYPE_NS, 1, "\7example\3net\0"), { 1, 0 } },
		{ RR(TYPE_NS, 1, "\0"), { 1, 0 } },
		{ RR(TYPE_MX, 1, "\0\12\4mail\3com\0"), { 5, 0 } },
		{ RR(TYPE_SOA, 1, "\2ns\7example\3com\0\4root\3com\0ssssrrrrttttxxxxmmmm"), { 13, 5 } },
		{ RR(TYPE_DNAME, 1, "\7example\3com\0"), { 0, 0 } }, /* may not be compressed */
		{ RR(TYPE_SRV, 1, "\0\1\0\2\0\3\7example\3com\0"), { 0, 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct node_rr rr = cases[i].rr;
		struct node *n = NULL;
		assert_int_equal(node_make(owner, 0, &rr, 1, NULL, NULL, &n), OK);
		assert_memory_equal(rrset_first(node_first(n))->shared, cases[i].shared, 2);
		free(n);
	}
}

/* Names that share more with an earlier one of the RRset than with the owner: the earliest of those that share most. */
static void
names_that_share_with_each_other(void **state)
{
	(void)state;
	static const struct {
		struct node_rr rrs[4];
		size_t n;
		unsigned linked;
		struct rr_link links[4];
	} cases[] = {
		{ { RR(TYPE_NS, 1, "\1a\1x\3net\0"), RR(TYPE_NS, 1, "\1b\1X\3net\0"), RR(TYPE_NS, 1, "\1c\1y\3net\0"),
		    RR(TYPE_NS, 1, "\1d\1y\3net\0") }, 4, 1, { { 0, 0 }, { 0, 7 }, { 0, 5 }, { 2, 7 } } },
		/* the owner is as good, or better */
		{ { RR(TYPE_NS, 1, "\1a\7example\3com\0"), RR(TYPE_NS, 1, "\1b\7example\3com\0") }, 2, 0, { { 0, 0 } } },
		{ { RR(TYPE_NS, 1, "\1a\1x\3com\0"), RR(TYPE_NS, 1, "\1b\7example\3com\0") }, 2, 0, { { 0, 0 } } },
		{ { RR(TYPE_NS, 1, "\1b\1a\7example\3com\0"), RR(TYPE_NS, 1, "\1c\1a\7example\3com\0"),
		    RR(TYPE_NS, 1, "\1c\1a\7example\3com\0") }, 3, 1, { { 0, 0 }, { 0, 15 } } },
		/* nothing but the root in common; whole names; one within the other */
		{ { RR(TYPE_NS, 1, "\1a\3net\0"), RR(TYPE_NS, 1, "\1a\3org\0") }, 2, 0, { { 0, 0 } } },
		{ { RR(TYPE_MX, 1, "\0\1\1a\3net\0"), RR(TYPE_MX, 1, "\0\2\1a\3net\0"), RR(TYPE_MX, 1, "\0\3\3net\0") }, 3, 1,
		  { { 0, 0 }, { 0, 7 }, { 0, 5 } } },
		/* in one record */
		{ { RR(TYPE_SOA, 1, "\2ns\3net\0\4root\3net\0ssssrrrrttttxxxxmmmm") }, 1, 2, { { 0, 0 }, { 0, 5 } } },
		{ { RR(TYPE_DNAME, 1, "\1a\3net\0"), RR(TYPE_DNAME, 1, "\1b\3net\0") }, 2, 0, { { 0, 0 } } }, /* may not be compressed */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct node_rr rrs[4];
		struct node *n = NULL;
		memcpy(rrs, cases[i].rrs, sizeof rrs);
		assert_int_equal(node_make(owner, 0, rrs, cases[i].n, NULL, NULL, &n), OK);
		const struct rrset *s = node_first(n);
		const struct rr_link *links = rrset_links(s);
		assert_int_equal(s->linked, cases[i].linked);
		assert_int_equal(links != NULL, s->linked != 0);
		assert_ptr_equal(rrset_next(s), (const uint8_t *)n + n->size);
		if (links != NULL) {
			assert_memory_equal(links, cases[i].links, s->n * s->linked * sizeof *links);
		}
		free(n);
	}
}

/* Many records in any order come out sorted, and the first of equal ones stays. */
static void
large_sets_are_sorted(void **state)
{
	(void)state;
	enum { RECORDS = 5000 };
	static uint8_t octets[RECORDS][4];
	static struct node_rr rrs[RECORDS];
	for (unsigned kinds = 1; kinds <= RECORDS; kinds *= 17) {
		for (unsigned i = 0; i < RECORDS; i++) {
			unsigned k = i * 2731u % kinds;
			octets[i][2] = (uint8_t)(k >> 8);
			octets[i][3] = (uint8_t)k;
			rrs[i] = (struct node_rr){ .type = TYPE_A, .ttl = 1, .rdlen = 4, .rdata = octets[i] };
		}
		struct node *n = NULL;
		size_t duplicates = 0;
		assert_int_equal(node_make(owner, 0, rrs, RECORDS, &duplicates, NULL, &n), OK);
		assert_int_equal(duplicates, RECORDS - kinds);
		const struct rr *rr = rrset_first(node_first(n));
		for (unsigned i = 0; i < kinds; i++, rr = rr_next(rr)) {
			assert_int_equal(rr->rdata[2] << 8 | rr->rdata[3], i);
		}
		for (unsigned i = 1; i < RECORDS; i++) { /* stable */
			assert_true(!rrs[i].is_duplicate || rrs[i].rdata > rrs[i - 1].rdata);
		}
		free(n);
	}
}

static void
limits_are_kept(void **state)
{
	(void)state;
	size_t many = RRSET_RRS_MAX + 1;
	struct node_rr *rrs = calloc(many, sizeof *rrs);
	uint8_t(*octets)[4] = calloc(many, 4);
	for (size_t i = 0; i < many; i++) {
		octets[i][1] = (uint8_t)(i >> 16);
		octets[i][2] = (uint8_t)(i >> 8);
		octets[i][3] = (uint8_t)i;
		rrs[i] = (struct node_rr){ .type = TYPE_A, .rdlen = 4, .rdata = octets[i] };
	}
	struct node *n = NULL;
	assert_int_equal(node_make(owner, 0, rrs, many, NULL, NULL, &n), E_LIMIT);
	assert_int_equal(node_make(owner, 0, rrs, many - 1, NULL, NULL, &n), OK);
	assert_int_equal(node_first(n)->n, RRSET_RRS_MAX);
	free(n);
	for (size_t i = 0; i < many; i++) {
		rrs[i].type = (uint16_t)(65535 - i % NODE_RRSETS_MAX);
	}
	assert_int_equal(node_make(owner, 0, rrs, NODE_RRSETS_MAX, NULL, NULL, &n), OK);
	assert_int_equal(n->rrsets, NODE_RRSETS_MAX);
	free(n);
	rrs[many - 1] = (struct node_rr){ .type = 65000, .rdlen = 4, .rdata = octets[0] };
	assert_int_equal(node_make(owner, 0, &rrs[many - 1 - NODE_RRSETS_MAX], NODE_RRSETS_MAX + 1, NULL, NULL, &n), E_LIMIT);
	static uint8_t large[65535];
	struct node_rr large_rrs[] = {
		{ .type = 65280, .rdlen = 65535, .rdata = large }, { .type = 65281, .rdlen = 0, .rdata = NULL },
	};
	assert_int_equal(node_make(owner, 0, large_rrs, 2, NULL, NULL, &n), OK);
	assert_int_equal(node_rrset(n, 65281)->n, 1);
	free(n);
	free(octets);
	free(rrs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_of_a_node),
		cmocka_unit_test(empty_node),
		cmocka_unit_test(duplicates_and_ttls),
		cmocka_unit_test(signatures_are_a_set_for_each_type),
		cmocka_unit_test(names_that_share_with_the_owner),
		cmocka_unit_test(names_that_share_with_each_other),
		cmocka_unit_test(large_sets_are_sorted),
		cmocka_unit_test(limits_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
