/* Two catalogs change at random, and what is followed must be what a plain model of RFC 9432 4.4.1 and 5 has: whose each zone is, and when it
 * is transferred anew. */
#include "follower_world.h"

enum { CATALOGS = 2, NAMES = 5, LABELS = 3, NOBODY = -1, ROUNDS = 40, STEPS = 60, TEXT_MAX = 2000 };

#define ZONE_TEXT "$TTL 60\n@ SOA ns host 1 3600 600 8640000 60\n@ NS ns\nns A 192.0.2.1\n"

static const char *const catalogs[CATALOGS] = { "cat", "dog" };
static const char *const names[NAMES] = { "a", "b", "c", "d", "e" };

/* What a version of a catalog says of a zone. */
struct entry {
	bool is_listed, may_move; /* to the other catalog */
	unsigned label;
};

struct model {
	struct entry list[CATALOGS][NAMES]; /* of the last good versions */
	char text[CATALOGS][TEXT_MAX];
	uint32_t serial[CATALOGS];
	bool is_broken[CATALOGS];           /* the present version is, so nothing is taken from it, nor let go by it */
	int owner[NAMES];
	int last[NAMES];                    /* owner of the data that are kept; NOBODY: there are none */
	unsigned label[NAMES];
	unsigned transfers;
	uint32_t random;
};

static unsigned
pick(struct model *m, unsigned n)
{
	m->random = m->random * 1664525 + 1013904223;
	return (m->random >> 12) % n;
}

/* ---- the model ---- */

static void
own(struct model *m, int c, unsigned z, bool is_kept)
{
	m->transfers += !is_kept;
	m->owner[z] = m->last[z] = c;
	m->label[z] = m->list[c][z].label;
}

static void
take_entry(struct model *m, int c, unsigned z, bool is_again)
{
	const struct entry *e = &m->list[c][z];
	bool is_same = m->label[z] == e->label;
	if (!e->is_listed) {
		return;
	}
	if (m->owner[z] == NOBODY) {
		own(m, c, z, m->last[z] == c && is_same);
	} else if (m->owner[z] == c || (m->list[1 - c][z].may_move && !m->is_broken[1 - c] && !is_again)) {
		own(m, c, z, is_same);
	}
}

static void
take_version(struct model *m, int c)
{
	bool has_lost = false;
	m->transfers++;
	for (unsigned z = 0; z < NAMES; z++) {
		take_entry(m, c, z, false);
		if (m->owner[z] == c && !m->list[c][z].is_listed) {
			m->owner[z] = NOBODY;
			has_lost = true;
		}
	}
	for (unsigned z = 0; has_lost && !m->is_broken[1 - c] && z < NAMES; z++) {
		take_entry(m, 1 - c, z, true);
	}
}

/* ---- versions ---- */

static void
write_text(struct model *m, int c, const char *more)
{
	char *at = m->text[c], *end = at + TEXT_MAX;
	at += snprintf(at, (size_t)(end - at), "$TTL 0\n@ SOA invalid. invalid. %u 3600 600 2592000 0\n@ NS invalid.\n%s", m->serial[c], more);
	for (unsigned z = 0; z < NAMES; z++) {
		const struct entry *e = &m->list[c][z];
		if (e->is_listed) {
			at += snprintf(at, (size_t)(end - at), "%c%s.zones PTR %s.\n", (char)('x' + e->label), names[z], names[z]);
		}
		if (e->is_listed && e->may_move) {
			at += snprintf(at, (size_t)(end - at), "coo.%c%s.zones PTR %s.\n", (char)('x' + e->label), names[z], catalogs[1 - c]);
		}
	}
}

static void
change(struct model *m, int c)
{
	struct entry *e = &m->list[c][pick(m, NAMES)];
	e->is_listed = pick(m, 3) != 0;
	e->may_move = pick(m, 3) == 0;
	e->label = pick(m, 2) != 0 ? e->label : pick(m, LABELS);
}

static void
serve(struct world *w, const struct model *m)
{
	COMMIT(w, 0, ROOT_KEYS, { "a", ZONE_TEXT }, { "b", ZONE_TEXT }, { "c", ZONE_TEXT }, { "d", ZONE_TEXT }, { "e", ZONE_TEXT },
	       { "cat", m->text[0] }, { "dog", m->text[1] });
}

static void
tell(struct world *w, struct model *m, int c)
{
	serve(w, m);
	notify(w, 0, catalogs[c], ROOT_KEY, m->serial[c]);
	run(w, S);
	assert_int_equal(serial_of(w, catalogs[c]), m->serial[c]);
}

/* ---- what must hold ---- */

static void
check(struct world *w, const struct model *m)
{
	for (unsigned z = 0; z < NAMES; z++) {
		assert_int_equal(serial_of(w, names[z]) != 0, m->owner[z] != NOBODY);
	}
	assert_int_equal(w->primary[0].transfers, m->transfers);
}

static void
step(struct world *w, struct model *m)
{
	int c = (int)pick(m, CATALOGS);
	m->serial[c]++;
	m->is_broken[c] = pick(m, 6) == 0;
	if (m->is_broken[c]) { /* a broken one: nothing of it counts, whatever it lists */
		struct model other = *m;
		change(&other, c);
		write_text(&other, c, "version TXT \"1\"\n");
		memcpy(m->text[c], other.text[c], TEXT_MAX);
		m->transfers++;
	} else {
		for (unsigned n = 1 + pick(m, 3); n != 0; n--) {
			change(m, c);
		}
		write_text(m, c, "version TXT \"2\"\n");
		take_version(m, c);
	}
	tell(w, m, c);
	check(w, m);
}

static void
begin(struct world *w, struct model *m, uint32_t seed)
{
	*m = (struct model){ .random = seed };
	for (unsigned z = 0; z < NAMES; z++) {
		m->owner[z] = m->last[z] = NOBODY;
	}
	world_begin(w);
	for (int c = 0; c < CATALOGS; c++) {
		struct name n;
		m->serial[c] = 1;
		write_text(m, c, "version TXT \"2\"\n");
		take_version(m, c);
		if (c == 0) {
			follow(w, 0, ROOT_KEY);
		}
		assert_int_equal(name_parse(catalogs[c], strlen(catalogs[c]), NULL, &n), OK);
		assert_int_equal(follower_add_catalog(w->f, &w->now, n.oct), OK);
	}
	serve(w, m);
	run(w, S);
	check(w, m);
}

static void
test_random_versions(void **state)
{
	(void)state;
	static struct world w;
	static struct model m;
	for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
		begin(&w, &m, seed);
		for (unsigned i = 0; i < STEPS; i++) {
			step(&w, &m);
		}
		world_fini(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_versions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
