/* Every allocation of an update fails once, and with it all after it: it is answered or not, nothing is changed unless it is in the commit,
 * nothing is lost or freed twice (which the sanitizers see).  Linked with --wrap, see meson.build. */
#include "nomem.h"
#include "batch_world.h"

static const struct peer peer = { .family = 4, .address = { 192, 0, 2, 7 }, .port = 4242, .transport = TRANSPORT_TCP };

/* True: it came to a commit. */
static bool
try_update(struct world *w, const struct update_text *u, size_t allocations)
{
	struct update_task t;
	enum batch_taken taken = BATCH_SETTLED;
	const struct view *view;
	struct discard *old = NULL;
	unsigned rcode;
	int ede;
	update_task_init(&t, u->wire, u->len, &peer, UPDATE_NOW_S);
	struct batch *b = batch_new(w->primary, &w->source, UPDATE_NOW_S);
	fail_after(allocations);
	err_t err = update_task_open(&t, primary_view(w->primary));
	err = err == OK ? batch_add(b, &t, &taken) : err;
	err = err == OK && taken == BATCH_PENDING ? batch_prepare(b, &rcode, &ede, t.text) : err;
	bool is_prepared = err == OK && taken == BATCH_PENDING;
	err = is_prepared ? batch_accept(b, "1111", &view, &old) : err;
	is_failing = false;
	assert_true(has_failed || (is_prepared && err == OK));
	batch_free(&b);
	update_task_fini(&t);
	discard_free(&old);
	assert_octets_are_counted(w->primary);
	return is_prepared && err == OK;
}

static void
updates_without_memory(void **state)
{
	(void)state;
	static const char *const zones[] = { "example.", "new.example." };
	static const char *const updates[] = {
		"prereq yxdomain www\nadd new 60 A 192.0.2.9\nadd sub 60 NS ns.sub\ndelete www\nadd x.y.z 60 TXT \"x\"\n",
		"add @ 60 SOA ns1 hostmaster 1 7200 3600 1209600 300\nadd @ 60 NS ns.example.\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(updates); i++) {
		size_t n = 0;
		bool was_refused;
		do {
			static struct update_text u;
			struct world w;
			world_begin_zones(&w, plain, 50);
			update_text_build(&u, zones[i], KEY, updates[i]);
			uint32_t serial = zone_of(&w, "example.")->serial;
			bool is_done = try_update(&w, &u, n++);
			was_refused = has_failed;
			assert_int_equal(zone_of(&w, "example.")->serial, serial + (is_done && i == 0));
			assert_int_equal(zone_of(&w, "new.example.") != NULL, is_done && i == 1);
			if (!is_done) {
				assert_true(try_update(&w, &u, SIZE_MAX)); /* with memory */
			}
			tsig_fini(&u.tsig);
			world_end(&w);
		} while (was_refused);
		assert_true(n > 20);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(updates_without_memory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
