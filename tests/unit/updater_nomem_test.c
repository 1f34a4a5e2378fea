/* Every allocation of the updater fails once, by itself or with all after it: each update is answered once or told nothing, NOERROR only when its
 * change is in the repository, and nothing is lost or freed twice (which the sanitizers see).  Linked with --wrap, see meson.build. */
#include "nomem.h"
#include "updater_world.h"

static const char *const updates[] = {
	"add a 60 TXT first\n",
	"prereq nxdomain www\nadd x 60 TXT never\n",
	"add b 60 TXT second\ndelete txt\n",
	"delete www AAAA\n",
};
static const char *const leaves[] = { "first", NULL, "second", NULL }; /* in the file, when it is carried out */

/* What the test itself needs it has. */
static bool
push(void *ctx, const struct updater_push *p)
{
	exempt++;
	bool is_taken = scene_push(ctx, p);
	exempt--;
	return is_taken;
}

static void
answer(void *ctx, void *handle, const uint8_t *bytes, size_t len)
{
	exempt++;
	scene_answer(ctx, handle, bytes, len);
	exempt--;
}

static void
begin(struct scene *s)
{
	static const struct server_conf server = { .udp_max = 1232 };
	scene_begin(s);
	updater_free(&s->updater);
	const struct updater_conf conf = {
		.primary = s->base.primary, .server = &server, .source = { .ctx = s, .open = scene_open, .close = serve_close },
		.io = { scene_now, scene_begin_reading, scene_is_pull_coming, push, scene_pull, scene_reserve, scene_publish, answer,
		        scene_say, s },
	};
	s->updater = updater_new(&conf);
	for (size_t i = 0; i < ARRAY_LEN(updates); i++) {
		struct sent_update *r = &s->requests[s->n++];
		r->text = xalloc(sizeof *r->text);
		update_text_build(r->text, "example.", KEY, updates[i]);
		name_set(&r->key, r->text->key.name.oct);
	}
}

/* A push arrives; a pull finds what is there. */
static void
move_on(struct scene *s)
{
	static const struct updater_pushed pushed = { .commit = "0000000000000000000000000000000000000009" };
	exempt++;
	if (s->push.is_under_way) {
		scene_take(s);
		exempt--;
		updater_on_pushed(s->updater, &pushed);
	} else if (s->whole_pulls != 0) {
		s->whole_pulls = 0;
		updater_before_commit(s->updater);
		apply_all(&s->base);
		exempt--;
		updater_after_pull(s->updater, &moved);
	} else {
		exempt--;
		updater_after_pull(s->updater, &(struct updater_pull){ .end = UPDATER_PULL_UPTODATE });
	}
}

static void
run(struct scene *s, bool is_away)
{
	for (size_t i = 0; i < s->n; i++) {
		scene_put(s, &s->requests[i], s->requests[i].text);
	}
	updater_add_serial(s->updater, (const uint8_t *)"\5other", 1);
	if (is_away) {
		updater_on_absence(s->updater, "it is gone");
	}
	updater_go_on(s->updater, false);
	for (unsigned i = 0; s->ended < s->n; i++) {
		assert_true(i < 50);
		move_on(s);
		updater_go_on(s->updater, false);
	}
	while (s->push.is_under_way) { /* what a serial alone has led to */
		move_on(s);
		updater_go_on(s->updater, false);
	}
	assert_int_equal(updater_wait_ms(s->updater), -1); /* what has failed is not tried without pause */
	is_failing = false;
}

static void
without_memory(void (*begin_failing)(size_t n), bool is_away)
{
	size_t n = 0;
	bool was_refused;
	do {
		static struct scene s;
		begin(&s);
		begin_failing(n++);
		run(&s, is_away);
		was_refused = has_failed;
		for (size_t i = 0; i < s.n; i++) {
			const struct sent_update *r = &s.requests[i];
			bool is_done = r->is_answered && r->rcode == RCODE_NOERROR;
			assert_false(is_done && (is_away || i == 1));
			assert_true(leaves[i] == NULL || !r->is_answered || scene_has(&s, leaves[i]) == is_done);
			assert_true(was_refused || r->is_answered); /* no answer: there is no memory to sign it */
		}
		scene_end(&s);
	} while (was_refused);
	assert_true(n > 10);
}

static void
updates_without_memory(void **state)
{
	(void)state;
	without_memory(fail_after, false);
	without_memory(fail_once, false);
}

static void
updates_without_memory_or_remote(void **state)
{
	(void)state;
	without_memory(fail_after, true);
	without_memory(fail_once, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(updates_without_memory),
		cmocka_unit_test(updates_without_memory_or_remote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
