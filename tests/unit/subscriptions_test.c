/* Who holds a connection, and what goes over it. */
#include "net/subscriptions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "named.h"
#include "serve.h"

#define SECRET " DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define OTHER_SECRET " DNSKEY 0 3 163 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n"
#define ZONE "$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\nns A 192.0.2.1\n"

static const struct key_address none, eight = { 4, { 192, 0, 2, 8 } }, nine = { 4, { 192, 0, 2, 9 } };

struct world {
	struct primary *p;
	const struct view *v;
	struct subscriptions s;
	struct str told; /* "ZONE CONNECTION KEY\n" for each */
};

static void
begin(struct world *w, const char *keys)
{
	const char *const files[][2] = { { "a", ZONE }, { "x.a", ZONE }, { "b", ZONE }, { "_keys", keys } };
	*w = (struct world){ .p = serve_files(files, ARRAY_LEN(files)) };
	assert_non_null(w->p);
	w->v = primary_view(w->p);
}

static void
end(struct world *w)
{
	subscriptions_fini(&w->s);
	primary_free(&w->p);
	str_fini(&w->told);
}

/* One with the key of that name, as the view has it. */
static struct subscription
subscription(const struct world *w, uint64_t conn, const char *zone, const char *key, const struct key_address *from,
             const struct key_address *in_key)
{
	const struct name k = named(key);
	return (struct subscription){
		.target = { .conn = conn, .address = *from, .port = 4242, .key = &keystore_find(w->v->keys, k.oct)->tsig },
		.zone = named(zone), .secondary = *in_key,
	};
}

static err_t
add_with(struct world *w, uint64_t conn, const char *zone, const char *key)
{
	const struct subscription new = subscription(w, conn, zone, key, &eight, &none);
	return subscriptions_add(&w->s, w->v, &new);
}

static bool
add(struct world *w, uint64_t conn, const char *zone, const struct key_address *from, const struct key_address *in_key)
{
	const struct subscription new = subscription(w, conn, zone, "k._transfer.", from, in_key);
	return subscriptions_add(&w->s, w->v, &new) == OK;
}

static void
on_each(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	struct world *w = ctx;
	char zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX];
	name_print(news->zone, zone);
	name_print(to->key->name.oct, key);
	str_printf(&w->told, "%s %u %s\n", zone, (unsigned)to->conn, key);
}

static void
assert_told(struct world *w, const char *want)
{
	assert_string_equal(str_text(&w->told), want);
	str_clear(&w->told);
}

/* What a change of the zone has told, where `at` is the zone's one target. */
static void
assert_change(struct world *w, const char *zone, const struct key_address *at, const char *want)
{
	static struct notify_targets targets;
	const struct name n = named(zone);
	const struct notify_news news = { .zone = n.oct };
	targets.n = at != NULL;
	targets.list[0].address = at != NULL ? *at : none;
	subscriptions_tell(&w->s, w->v, &news, &targets, on_each, w);
	assert_told(w, want);
}

static void
assert_report(struct world *w, const char *zone, const struct key_address *at, bool is_reached, const char *want)
{
	const struct name n = named(zone);
	const struct notify_news news = { .zone = n.oct };
	subscriptions_take_report(&w->s, w->v, &news, at, is_reached, on_each, w);
	assert_told(w, want);
}

static void
a_zone_or_all_within_a_name(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET);
	assert_true(add(&w, 1, "a.", &eight, &none));
	assert_true(add(&w, 2, ".", &nine, &none)); /* no zone here */
	assert_change(&w, "a.", NULL, "a. 1 k._transfer.\na. 2 k._transfer.\n");
	assert_change(&w, "x.a.", NULL, "x.a. 2 k._transfer.\n"); /* a. is a zone: that alone was asked for */
	assert_change(&w, "b.", NULL, "b. 2 k._transfer.\n");
	end(&w);
}

static void
an_address_that_is_told_goes_first(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET);
	assert_true(add(&w, 1, "a.", &eight, &none));  /* by the address that it asks from */
	assert_true(add(&w, 2, "a.", &eight, &nine)); /* by the one in its key's name */
	assert_change(&w, "a.", &eight, "a. 2 k._transfer.\n");
	assert_change(&w, "a.", &nine, "a. 1 k._transfer.\n");
	end(&w);
}

static void
what_was_not_heard_at_the_address_goes_by_the_connection(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET);
	assert_true(add(&w, 1, "a.", &eight, &none));
	assert_true(add(&w, 2, "b.", &eight, &none));
	assert_true(add(&w, 3, "a.", &nine, &none));
	assert_report(&w, "a.", &eight, false, "a. 1 k._transfer.\n");
	assert_report(&w, "a.", &eight, true, "");
	assert_report(&w, "a.", &eight, false, ""); /* it has answered there since it connected */
	assert_report(&w, "b.", &eight, false, "");
	assert_report(&w, "a.", &nine, false, "a. 3 k._transfer.\n");
	end(&w);
}

static void
each_is_there_once(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET "l._transfer" SECRET);
	assert_true(add(&w, 1, "a.", &eight, &none));
	assert_int_equal(add_with(&w, 1, "A.", "k._transfer."), E_EXISTS);
	assert_true(add(&w, 1, "b.", &eight, &none));
	assert_true(add(&w, 2, "a.", &eight, &none));
	assert_int_equal(add_with(&w, 1, "a.", "l._transfer."), OK);
	assert_int_equal(w.s.n, 4);
	subscriptions_drop_conn(&w.s, 1);
	assert_change(&w, "a.", NULL, "a. 2 k._transfer.\n");
	end(&w);
}

/* Who is told of all zones in a domain need not be told of each once more. */
static void
a_domain_stands_for_its_zones(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET "l._transfer" SECRET);
	assert_true(add(&w, 1, ".", &eight, &none));
	assert_int_equal(add_with(&w, 1, "a.", "k._transfer."), E_EXISTS);
	assert_int_equal(add_with(&w, 1, "b.", "k._transfer."), E_EXISTS);
	assert_int_equal(add_with(&w, 1, "a.", "l._transfer."), OK); /* with another key, or on another connection */
	assert_int_equal(add_with(&w, 2, "a.", "k._transfer."), OK);
	assert_int_equal(add_with(&w, 2, "x.a.", "k._transfer."), OK); /* a. is a zone, so it stands for no other */
	assert_int_equal(w.s.n, 4);
	assert_change(&w, "x.a.", NULL, "x.a. 2 k._transfer.\nx.a. 1 k._transfer.\n");
	end(&w);
}

static void
whose_key_is_good_no_more_goes(void **state)
{
	(void)state;
	struct world w, next;
	begin(&w, "k._transfer" SECRET "l._transfer" SECRET "m._transfer" SECRET "n._transfer" SECRET);
	static const char *const keys[] = { "k._transfer.", "l._transfer.", "m._transfer.", "n._transfer." };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_int_equal(add_with(&w, i + 1, "a.", keys[i]), OK);
	}
	assert_false(w.s.is_checked);
	subscriptions_drop_disallowed(&w.s, w.v);
	assert_true(w.s.is_checked);
	assert_int_equal(w.s.n, 4);
	begin(&next, "k._transfer" SECRET "l._transfer" OTHER_SECRET "n._transfer" SECRET); /* m. is gone */
	subscriptions_drop_disallowed(&w.s, next.v);
	assert_int_equal(w.s.n, 2);
	assert_change(&w, "a.", NULL, "a. 1 k._transfer.\na. 4 n._transfer.\n");
	end(&next);
	end(&w);
}

static void
whoever_is_at_a_place_is_counted(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET);
	assert_false(subscriptions_may_have(&w.s, &eight));
	subscriptions_expect(&w.s, &eight); /* on its way */
	assert_true(subscriptions_may_have(&w.s, &eight));
	assert_false(subscriptions_may_have(&w.s, &nine));
	assert_true(add(&w, 1, "a.", &eight, &none));
	subscriptions_unexpect(&w.s, &eight);
	assert_true(subscriptions_may_have(&w.s, &eight));
	assert_true(add(&w, 1, "b.", &eight, &nine)); /* at the one in the key's name */
	assert_true(subscriptions_may_have(&w.s, &nine));
	subscriptions_drop_conn(&w.s, 1);
	assert_false(subscriptions_may_have(&w.s, &eight));
	assert_false(subscriptions_may_have(&w.s, &nine));
	end(&w);
}

/* The connections, as digits. */
static void
on_awaited(void *ctx, const struct subscription *s)
{
	unsigned *conns = ctx;
	*conns = *conns * 10 + (unsigned)s->target.conn;
}

static unsigned
awaited(struct world *w, const struct tell_wish *wish)
{
	unsigned conns = 0;
	subscriptions_each_awaited(&w->s, wish, on_awaited, &conns);
	return conns;
}

/* Who awaits all zones of a domain: those of that key, domain and address, each once. */
static void
all_zones_are_awaited_once(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET "l._transfer" SECRET);
	struct subscription awaiting[] = {
		subscription(&w, 1, ".", "k._transfer.", &eight, &none), subscription(&w, 2, ".", "k._transfer.", &eight, &none),
		subscription(&w, 3, ".", "l._transfer.", &eight, &none), subscription(&w, 4, ".", "k._transfer.", &nine, &none),
		subscription(&w, 5, "c.", "k._transfer.", &eight, &none),
	};
	for (size_t i = 0; i < ARRAY_LEN(awaiting); i++) {
		awaiting[i].is_awaited = true;
		assert_int_equal(subscriptions_add(&w.s, w.v, &awaiting[i]), OK);
	}
	assert_true(add(&w, 6, ".", &eight, &none)); /* this one does not */
	const struct tell_wish wish = { .key = named("k._transfer."), .domain = named("."), .address = eight, .way = TELL_BY_CONNECTION };
	assert_int_equal(awaited(&w, &wish), 12);
	assert_int_equal(awaited(&w, &wish), 0);
	end(&w);
	assert_int_equal(awaited(&w, &wish), 0);
}

/* Names that are no zones, so that each is a subscription of its own. */
static err_t
add_nth(struct world *w, uint64_t conn, const char *key, unsigned n)
{
	char zone[32];
	snprintf(zone, sizeof zone, "z%u.", n);
	return add_with(w, conn, zone, key);
}

static void
fill(struct world *w, uint64_t conn, const char *key, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(add_nth(w, conn, key, i), OK);
	}
}

/* Nobody has more than his share, so that others find a place. */
static void
a_connection_and_a_key_have_shares(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET "l._transfer" SECRET "m._transfer" SECRET);
	fill(&w, 1, "k._transfer.", SUBSCRIPTIONS_OF_CONN_MAX);
	assert_int_equal(add_nth(&w, 1, "k._transfer.", SUBSCRIPTIONS_OF_CONN_MAX), E_BUSY);
	assert_int_equal(add_nth(&w, 1, "l._transfer.", 0), E_BUSY); /* not with another key either */
	assert_int_equal(add_nth(&w, 1, "k._transfer.", 7), E_EXISTS);
	fill(&w, 2, "k._transfer.", SUBSCRIPTIONS_OF_KEY_MAX - SUBSCRIPTIONS_OF_CONN_MAX);
	assert_int_equal(add_nth(&w, 3, "k._transfer.", 0), E_BUSY);
	assert_int_equal(add_nth(&w, 3, "l._transfer.", 0), OK);
	subscriptions_drop_conn(&w.s, 1);
	assert_int_equal(add_nth(&w, 3, "k._transfer.", 0), OK);
	end(&w);
}

static void
there_is_a_limit(void **state)
{
	(void)state;
	struct world w;
	begin(&w, "k._transfer" SECRET "l._transfer" SECRET "m._transfer" SECRET);
	for (uint64_t conn = 1; w.s.n < SUBSCRIPTIONS_MAX; conn++) {
		fill(&w, conn, w.s.n < SUBSCRIPTIONS_OF_KEY_MAX ? "k._transfer." : "l._transfer.", SUBSCRIPTIONS_OF_CONN_MAX);
	}
	assert_int_equal(add_nth(&w, 99, "m._transfer.", 0), E_LIMIT);
	subscriptions_drop_conn(&w.s, 2);
	assert_int_equal(w.s.n, SUBSCRIPTIONS_MAX - SUBSCRIPTIONS_OF_CONN_MAX);
	assert_int_equal(add_nth(&w, 99, "m._transfer.", 0), OK);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_or_all_within_a_name),
		cmocka_unit_test(an_address_that_is_told_goes_first),
		cmocka_unit_test(what_was_not_heard_at_the_address_goes_by_the_connection),
		cmocka_unit_test(each_is_there_once),
		cmocka_unit_test(a_domain_stands_for_its_zones),
		cmocka_unit_test(whose_key_is_good_no_more_goes),
		cmocka_unit_test(whoever_is_at_a_place_is_counted),
		cmocka_unit_test(all_zones_are_awaited_once),
		cmocka_unit_test(a_connection_and_a_key_have_shares),
		cmocka_unit_test(there_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
