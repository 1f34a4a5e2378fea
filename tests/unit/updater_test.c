/* Updates into commits: each way from one state to the next, with a remote that does what the test says. */
#include "updater_world.h"

/* ---- idle, pushing, published ---- */

static void
an_update_becomes_a_commit(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	char head[65];
	snprintf(head, sizeof head, "%s", primary_view(s.base.primary)->commit);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	assert_true(s.push.is_under_way && !s.push.is_again);
	assert_string_equal(s.push.base, head);
	assert_int_equal(s.push.made_s, UPDATE_NOW_S);
	assert_non_null(strstr(s.push.message, "example: add a TXT"));
	assert_waiting(a);
	assert_int_equal(scene_serial(&s), 7); /* nobody sees it yet */
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_int_equal(a->published, 1); /* it is served before it is answered */
	assert_int_equal(scene_serial(&s), 8);
	assert_int_equal(s.pulls, 0);
	assert_files_say_what_is_served(&s.base);
	scene_end(&s);
}

static void
what_comes_meanwhile_is_the_next_commit(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n"), *c = scene_update(&s, "add c 60 TXT third\n");
	assert_int_equal(s.pushes, 1);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_waiting(b);
	assert_int_equal(s.pushes, 2);
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	assert_answered(c, RCODE_NOERROR, "");
	assert_int_equal(s.pushes, 2); /* both in one */
	assert_int_equal(updater_stats(s.updater)->commits, 2);
	assert_int_equal(updater_stats(s.updater)->updates, 3);
	scene_end(&s);
}

static void
no_batch_begins_while_a_pull_is_under_way(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_add(&s, "add a 60 TXT first\n");
	updater_go_on(s.updater, true);
	assert_int_equal(s.pushes, 0);
	assert_int_equal(updater_wait_ms(s.updater), 0);
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_int_equal(updater_wait_ms(s.updater), -1);
	scene_end(&s);
}

static void
what_a_commit_took_is_told(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	s.step_ns = 1000000; /* whenever the clock is asked */
	scene_update(&s, "add a 60 TXT first\n");
	scene_pass(&s, 1000);
	scene_pushed(&s);
	const struct updater_took *t = &s.last.took;
	assert_int_equal(s.last.event, UPDATER_PUSHED);
	assert_string_equal(s.last_commit, primary_view(s.base.primary)->commit);
	assert_int_equal(s.last.updates, 1);
	assert_true(t->evaluate_us >= 1000 && t->edit_us >= 1000 && t->publish_us >= 1000);
	assert_true(t->commit_us == 11 && t->push_us == 22);
	assert_true(t->total_us >= 1000000 + t->evaluate_us + t->edit_us + t->publish_us);
	scene_end(&s);
}

/* ---- refused by ourselves ---- */

static void
what_is_refused_does_not_wait(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "prereq nxdomain www\nadd a 60 TXT first\n");
	assert_answered(a, RCODE_YXDOMAIN, "");
	struct sent_update *b = scene_update(&s, "raw u CH x 60 A 192.0.2.9\n");
	assert_answered(b, RCODE_FORMERR, "");
	struct sent_update *c = scene_add_zone(&s, "none.", KEY_ALL, "add x 60 A 192.0.2.9\n");
	scene_go_on(&s);
	assert_answered(c, RCODE_NOTAUTH, "no such zone here");
	struct sent_update *d = scene_add_zone(&s, "other.", KEY, "add x 60 A 192.0.2.9\n");
	scene_go_on(&s);
	assert_answered(d, RCODE_REFUSED, "the key has no right");
	assert_int_equal(s.pushes + s.pulls, 0);
	assert_int_equal(updater_stats(s.updater)->refused, 4);
	assert_int_equal(s.said[UPDATER_REFUSED], 4);
	scene_end(&s);
}

/* Rights are those of the commit that it would be made on, not of the one that it came to. */
static void
a_key_that_goes_while_its_update_waits(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_add(&s, "add a 60 TXT first\n"); /* a pull is under way */
	scene_others_push(&s, "_keys", "all._update. DNSKEY 0 3 163 " SECRET "\n");
	assert_answered(a, RCODE_REFUSED, "the key is no longer valid");
	assert_int_equal(s.pushes, 0);
	scene_end(&s);
}

/* Each is good by itself; together they make a zone that is none. */
static void
one_that_spoils_it_for_all_is_found_before_the_push(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *good[6];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[64];
		snprintf(text, sizeof text, "add g%zu 60 TXT good\n", i);
		good[i] = scene_add(&s, text);
	}
	struct sent_update *bad = scene_add(&s, "add www 60 DNAME other.\nadd x.www 60 A 192.0.2.9\n");
	struct sent_update *last = scene_add(&s, "add last 60 TXT good\n");
	for (unsigned i = 0; i < 40 && last->ended == 0; i++) {
		scene_go_on(&s);
		if (s.push.is_under_way) {
			scene_pushed(&s);
		}
	}
	assert_answered(bad, RCODE_REFUSED, "DNAME");
	assert_answered(last, RCODE_NOERROR, "");
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_answered(good[i], RCODE_NOERROR, "");
		assert_true(good[i]->turn < (i + 1 < ARRAY_LEN(good) ? good[i + 1] : last)->turn);
	}
	assert_int_equal(s.said[UPDATER_PUSH_FAILED], 0);
	scene_end(&s);
}

/* It costs nobody a push; when it has been found, the parts are larger again. */
static void
one_that_spoils_it_and_is_the_first(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *bad = scene_add(&s, "add www 60 DNAME other.\nadd x.www 60 A 192.0.2.9\n");
	for (size_t i = 0; i < 15; i++) {
		char text[64];
		snprintf(text, sizeof text, "add g%zu 60 TXT good\n", i);
		scene_add(&s, text);
	}
	while (s.ended < s.n) {
		scene_go_on(&s);
		if (s.push.is_under_way) {
			scene_pushed(&s);
		}
	}
	assert_answered(bad, RCODE_REFUSED, "DNAME");
	assert_int_equal(updater_stats(s.updater)->updates, 15);
	assert_int_equal(s.pushes, 4); /* of 1, 2, 4 and 8 */
	scene_end(&s);
}

/* ---- the branch has moved ---- */

static void
a_stale_head_leads_around(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "prereq yxdomain www\nadd a 60 TXT first\n");
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	assert_waiting(a);
	assert_int_equal(s.pulls, 1);
	assert_int_equal(s.pushes, 1);
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n"); /* waits for the pull */
	assert_int_equal(s.pushes, 1);
	scene_others_push(&s, "example", HEAD(9) "www\tA\t192.0.2.2\nperson\tTXT\t\"by hand\"\n");
	assert_int_equal(s.pushes, 2);
	assert_string_equal(s.push.base, primary_view(s.base.primary)->commit);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_answered(b, RCODE_NOERROR, "");
	assert_true(a->turn < b->turn);
	assert_true(scene_has(&s, "by hand") && scene_has(&s, "first") && scene_has(&s, "second"));
	assert_int_equal(updater_stats(s.updater)->again, 1);
	scene_end(&s);
}

static void
prerequisites_are_held_against_the_new_head(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "prereq yxdomain www\nadd a 60 TXT first\n");
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	scene_others_push(&s, "example", HEAD(9));
	assert_answered(a, RCODE_NXDOMAIN, "");
	scene_end(&s);
}

static void
not_for_ever(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	for (unsigned i = 0; i < UPDATE_TRIES_MAX; i++) {
		assert_waiting(a);
		assert_int_equal(s.pushes, i + 1);
		scene_push_fails(&s, E_STALE, "somebody else has pushed");
		scene_pull_ends(&s, moved);
	}
	assert_answered(a, RCODE_SERVFAIL, "not written after 8 tries: somebody else has pushed");
	assert_int_equal(updater_stats(s.updater)->failed, 1);
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n"); /* counts for itself */
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	scene_end(&s);
}

/* The pull for it fails: who waits for the second try hears it, and who has not been tried waits for his own. */
static void
a_stale_head_and_the_remote_goes_away(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	scene_pull_fails(&s, "no route");
	assert_answered(a, RCODE_SERVFAIL, "the repository cannot be reached: no route");
	assert_int_equal(s.pushes, 2);
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	assert_false(scene_has(&s, "first"));
	scene_end(&s);
}

/* What comes out of the cache says nothing of the remote. */
static void
a_pull_from_the_cache_ends_no_waiting(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	scene_pull_ends(&s, (struct updater_pull){ .end = UPDATER_PULL_UPTODATE, .is_from_cache = true });
	assert_int_equal(s.pushes, 1);
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	scene_end(&s);
}

/* ---- a commit comes while a batch is under way ---- */

static void
a_commit_undoes_the_batch(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	write_file(&s.base, "other", "$TTL 60\n@ SOA ns.example. . 2 2 3 4 5\n@ NS ns1.example.\n");
	scene_pull_ends(&s, moved);
	assert_waiting(a);
	assert_int_equal(s.pushes, 1);
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	scene_uptodate(&s);
	assert_int_equal(s.pushes, 2);
	assert_string_equal(s.push.base, primary_view(s.base.primary)->commit);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	scene_end(&s);
}

/* The batch cannot be published after its push: the update is in the remote, so it is answered, and all is read again. */
static void
a_push_that_cannot_be_taken_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		static struct scene s;
		scene_begin(&s);
		struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
		if (i == 0) {
			scene_pull_ends(&s, moved);
		}
		s.is_reserve_refused = i == 1;
		struct sent_update *b = scene_add(&s, "add b 60 TXT second\n");
		scene_pushed(&s);
		assert_answered(a, RCODE_NOERROR, "");
		assert_int_equal(s.said[UPDATER_NOT_TAKEN_OVER], 1);
		assert_int_equal(s.whole_pulls, 1);
		assert_int_equal(s.published, 0);
		assert_int_equal(s.pushes, 1); /* not on what is served: it is older than the remote's head */
		s.is_reserve_refused = false;
		scene_pull_ends(&s, moved);
		assert_int_equal(s.pushes, 2);
		scene_pushed(&s);
		assert_answered(b, RCODE_NOERROR, "");
		assert_true(scene_has(&s, "first") && scene_has(&s, "second"));
		scene_end(&s);
	}
}

/* ---- what became of it is not known ---- */

static void
it_had_arrived(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) { /* as the head, or below it */
		static struct scene s;
		struct sent_update *a = scene_begin_unknown(&s);
		scene_take(&s);
		scene_pull_ends(&s, (struct updater_pull){ .end = i == 0 ? UPDATER_PULL_COMMIT : UPDATER_PULL_UPTODATE, .has_pushed = true });
		assert_answered(a, RCODE_NOERROR, "");
		assert_int_equal(s.pushes, 1);
		struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
		assert_false(s.push.is_again);
		scene_pushed(&s);
		assert_answered(b, RCODE_NOERROR, "");
		scene_end(&s);
	}
}

static void
the_branch_has_moved_without_it(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	scene_others_push(&s, "example", HEAD(9) "person\tTXT\t\"by hand\"\n");
	assert_waiting(a);
	assert_int_equal(s.pushes, 2);
	assert_false(s.push.is_again); /* another commit, on another head */
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_int_equal(updater_stats(s.updater)->again, 1);
	scene_end(&s);
}

static void
the_branch_is_where_it_was(void **state)
{
	(void)state;
	static const struct updater_pull cases[] = {
		{ .end = UPDATER_PULL_UPTODATE },
		{ .end = UPDATER_PULL_FAILED, .has_no_branch = true, .text = "no such branch" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static struct scene s;
		struct sent_update *a = scene_begin_unknown(&s);
		struct pushing first = s.push;
		s.push.n = 0;
		scene_pass(&s, 5000);
		scene_pull_ends(&s, cases[i]);
		assert_int_equal(s.pushes, 2);
		assert_true(s.push.is_again);
		assert_string_equal(s.push.again, "lost");
		assert_string_equal(s.push.base, first.base);
		assert_string_equal(s.push.message, first.message);
		assert_int_equal(s.push.made_s, first.made_s); /* so that it is the same commit */
		assert_int_equal(s.push.n, first.n);
		for (size_t k = 0; k < first.n; k++) {
			assert_string_equal(s.push.files[k].text, first.files[k].text);
			free(first.files[k].path);
			free(first.files[k].text);
		}
		scene_pushed(&s);
		assert_answered(a, RCODE_NOERROR, "");
		assert_int_equal(scene_serial(&s), 8);
		struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
		assert_false(s.push.is_again);
		scene_pushed(&s);
		assert_answered(b, RCODE_NOERROR, "");
		scene_end(&s);
	}
}

/* The remote is seen, the commit is not in there, and each push of it ends as the first one did. */
static void
push_in_vain(struct scene *s, const struct sent_update *r)
{
	for (unsigned i = 0; i < UPDATE_PUSHES_MAX; i++) {
		scene_uptodate(s);
		assert_true(s->push.is_under_way && s->push.is_again);
		assert_waiting(r);
		scene_push_fails(s, E_UNKNOWN, "the connection was lost");
	}
	scene_uptodate(s);
	assert_forgotten(r);
}

static void
it_stays_unknown(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n"), *c;
	push_in_vain(&s, a);
	assert_int_equal(updater_stats(s.updater)->unanswered, 1);
	assert_false(s.push.is_again); /* life goes on */
	c = scene_update(&s, "add c 60 TXT third\n");
	scene_push_fails(&s, E_UNKNOWN, "the connection was lost");
	push_in_vain(&s, b); /* with as many tries */
	scene_pushed(&s);
	assert_answered(c, RCODE_NOERROR, "");
	scene_end(&s);
}

/* While the remote is away what comes is told so, and what may be in there waits; not longer than anybody waits for it. */
static void
it_is_unknown_and_the_remote_is_away(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static struct scene s;
		struct sent_update *a = scene_begin_unknown(&s);
		scene_pull_fails(&s, "no route");
		struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
		assert_waiting(a);
		assert_answered(b, RCODE_SERVFAIL, "the repository cannot be reached: no route");
		assert_int_equal(updater_wait_ms(s.updater), -1);
		scene_pass(&s, i == 0 ? 1000u * UPDATE_UNKNOWN_MAX_S : 1000u * (UPDATE_UNKNOWN_MAX_S + 1));
		if (i == 2) {
			scene_uptodate(&s); /* it is back, too late to push once more */
		} else {
			scene_pull_fails(&s, "no route");
		}
		if (i == 0) {
			assert_waiting(a);
			scene_uptodate(&s);
			assert_true(s.push.is_again);
			scene_pushed(&s);
			assert_answered(a, RCODE_NOERROR, "");
		} else {
			assert_forgotten(a);
		}
		struct sent_update *c = scene_update(&s, "add c 60 TXT third\n");
		scene_pushed(&s);
		assert_answered(c, RCODE_NOERROR, "");
		scene_end(&s);
	}
}

/* A pull that nobody asked for may bring a commit while the batch is kept. */
static void
it_is_unknown_and_a_commit_comes_that_is_not_applied(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	updater_before_commit(s.updater); /* and the primary has no memory for it: told again, as nothing new */
	scene_uptodate(&s);
	assert_forgotten(a); /* there is no batch that could be pushed again */
	scene_end(&s);
}

/* The branch is where it was, and the commit may come yet: it must not be made once more, and there is no batch that could be pushed again. */
static void
it_is_unknown_and_the_same_head_is_told_again(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	s.base.commits--;
	scene_pull_ends(&s, moved);
	assert_string_equal(primary_view(s.base.primary)->commit, s.push.base);
	assert_forgotten(a);
	assert_int_equal(s.pushes, 1);
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
	assert_false(s.push.is_again);
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	scene_end(&s);
}

static void
nobody_takes_the_push_that_is_made_again(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	s.is_push_refused = true;
	scene_uptodate(&s);
	assert_forgotten(a);
	scene_end(&s);
}

/* ---- the remote says no ---- */

static bool
is_bad(const struct scene *s)
{
	bool found = false;
	for (size_t i = 0; i < s->push.n; i++) {
		found |= strstr(s->push.files[i].text, "bad") != NULL;
	}
	return found;
}

/* A hook that refuses what has "bad" in it. */
static unsigned
run_with_hook(struct scene *s)
{
	unsigned refused = 0;
	scene_go_on(s);
	while (s->push.is_under_way) {
		if (is_bad(s)) {
			scene_push_fails(s, E_REFUSED, "the hook says no");
			refused++;
		} else {
			scene_pushed(s);
		}
	}
	return refused;
}

static void
the_one_that_the_remote_does_not_want_is_found(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 8; at++) {
		static struct scene s;
		struct sent_update *r[8];
		scene_begin(&s);
		for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
			char text[64];
			snprintf(text, sizeof text, "add n%u 60 TXT %s%u\n", i, i == at ? "bad" : "good", i);
			r[i] = scene_add(&s, text);
		}
		assert_int_equal(run_with_hook(&s), 4); /* of 8, 4, 2 and 1 */
		for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
			if (i == at) {
				assert_answered(r[i], RCODE_SERVFAIL, "not written to the repository: the hook says no");
			} else {
				assert_answered(r[i], RCODE_NOERROR, "");
			}
			assert_int_equal(r[i]->turn, i);
		}
		assert_int_equal(s.said[UPDATER_PUSH_FAILED], 4);
		assert_true(s.pushes < 4 + ARRAY_LEN(r));
		unsigned pushes = s.pushes;
		scene_add(&s, "add x 60 TXT good\n");
		scene_add(&s, "add y 60 TXT good\n");
		assert_int_equal(run_with_hook(&s), 0);
		assert_int_equal(s.pushes, pushes + 1); /* that is over */
		scene_end(&s);
	}
}

/* When very many are refused that ends: what is left fails together. */
static void
a_remote_that_wants_none(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	enum { N = 600 };
	for (unsigned i = 0; i < N; i++) {
		char text[64];
		snprintf(text, sizeof text, "add n%u 60 TXT bad\n", i);
		scene_add(&s, text);
	}
	unsigned refused = run_with_hook(&s);
	assert_true(refused > UPDATE_SPLITS_MAX && refused <= UPDATE_SPLITS_MAX + 2);
	for (unsigned i = 0; i < N; i++) {
		assert_answered(&s.requests[i], RCODE_SERVFAIL, "the hook says no");
	}
	struct sent_update *next = scene_update(&s, "add fine 60 TXT good\n");
	scene_pushed(&s);
	assert_answered(next, RCODE_NOERROR, "");
	scene_end(&s);
}

/* What is not about the content is everybody's. */
static void
the_remote_fails(void **state)
{
	(void)state;
	static const err_t cases[] = { E_IO, E_TIMEOUT, E_AUTH, E_BUSY, E_NOMEM };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static struct scene s;
		scene_begin(&s);
		struct sent_update *a = scene_add(&s, "add a 60 TXT first\n"), *b = scene_update(&s, "add b 60 TXT second\n");
		struct sent_update *c = scene_update(&s, "add c 60 TXT third\n");
		scene_push_fails(&s, cases[i], "its disk is full");
		assert_answered(a, RCODE_SERVFAIL, "not written to the repository: its disk is full");
		assert_answered(b, RCODE_SERVFAIL, "not written to the repository: its disk is full");
		assert_int_equal(scene_serial(&s), 7);
		assert_int_equal(s.pushes, 2); /* who came later has his own try */
		scene_pushed(&s);
		assert_answered(c, RCODE_NOERROR, "");
		scene_end(&s);
	}
}

/* ---- nothing changes ---- */

static void
what_changes_nothing_is_answered_after_a_pull(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "add www 3600 A 192.0.2.2\n");
	assert_waiting(a);
	assert_int_equal(s.pushes, 0);
	assert_int_equal(s.pulls, 1);
	scene_pull_ends(&s, (struct updater_pull){ .end = UPDATER_PULL_UPTODATE, .is_from_cache = true });
	assert_waiting(a); /* that was not the remote */
	scene_uptodate(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_int_equal(s.pushes, 0);
	assert_int_equal(scene_serial(&s), 7);
	scene_end(&s);
}

static void
what_changed_nothing_does_on_the_new_head(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "delete www AAAA\n");
	scene_others_push(&s, "example", HEAD(9) "www\tAAAA\t::1\n\tA\t192.0.2.1\n");
	assert_waiting(a);
	assert_int_equal(s.pushes, 1);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_false(scene_has(&s, "AAAA"));
	scene_end(&s);
}

/* The git side had begun it by itself before the update came: that sight of the remote says nothing of it, and the next one will. */
static void
what_changes_nothing_and_an_older_pull(void **state)
{
	(void)state;
	static const struct updater_pull older[] = {
		{ .end = UPDATER_PULL_UPTODATE, .is_older = true },
		{ .end = UPDATER_PULL_FAILED, .is_older = true, .text = "no route" },
	};
	for (size_t i = 0; i < ARRAY_LEN(older); i++) {
		static struct scene s;
		scene_begin(&s);
		struct sent_update *a = scene_update(&s, "delete www AAAA\n");
		scene_pull_ends(&s, older[i]);
		assert_waiting(a);
		assert_int_equal(s.pushes, 0);
		struct sent_update *b = scene_update(&s, "add b 60 TXT second\n"); /* waits for the pull, too */
		assert_int_equal(s.pushes, 0);
		scene_others_push(&s, "example", HEAD(9) "www\tAAAA\t::1\n\tA\t192.0.2.1\n");
		scene_pushed(&s);
		assert_answered(a, RCODE_NOERROR, "");
		assert_answered(b, RCODE_NOERROR, "");
		assert_false(scene_has(&s, "AAAA"));
		scene_end(&s);
	}
}

/* What it brings is served from then on, so the update is held against that. */
static void
what_changes_nothing_and_an_older_pull_brings_a_commit(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "delete www AAAA\n");
	write_file(&s.base, "example", HEAD(9) "www\tAAAA\t::1\n\tA\t192.0.2.1\n");
	scene_pull_ends(&s, (struct updater_pull){ .end = UPDATER_PULL_COMMIT, .is_older = true, .is_of_people = true });
	assert_waiting(a);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	assert_false(scene_has(&s, "AAAA"));
	scene_end(&s);
}

/* After a push every pull that ends began later than the push: whoever asked for it. */
static void
an_older_pull_settles_what_was_pushed(void **state)
{
	(void)state;
	static struct scene s;
	struct sent_update *a = scene_begin_unknown(&s);
	scene_take(&s);
	scene_pull_ends(&s, (struct updater_pull){ .end = UPDATER_PULL_COMMIT, .is_older = true, .has_pushed = true });
	assert_answered(a, RCODE_NOERROR, "");
	struct sent_update *b = scene_update(&s, "add b 60 TXT second\n");
	scene_push_fails(&s, E_STALE, "somebody else has pushed");
	scene_pull_ends(&s, (struct updater_pull){ .end = UPDATER_PULL_UPTODATE, .is_older = true });
	scene_pushed(&s);
	assert_answered(b, RCODE_NOERROR, "");
	scene_end(&s);
}

/* It had begun before the pull that the update waits for, or it was from the cache.  The one that was asked for may go well. */
static void
an_older_pull_that_fails_ends_no_waiting(void **state)
{
	(void)state;
	static const struct updater_pull older[] = {
		{ .end = UPDATER_PULL_FAILED, .is_older = true, .text = "no route" },
		{ .end = UPDATER_PULL_FAILED, .is_older = true, .text = "no such branch", .has_no_branch = true },
	};
	static struct scene s;
	for (size_t i = 0; i < ARRAY_LEN(older); i++) {
		scene_begin(&s);
		struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
		scene_push_fails(&s, E_STALE, "somebody else has pushed");
		scene_pull_ends(&s, older[i]);
		assert_waiting(a);
		assert_int_equal(s.pushes, 1);
		scene_uptodate(&s);
		scene_pushed(&s);
		assert_answered(a, RCODE_NOERROR, "");
		scene_end(&s);
		struct sent_update *b = scene_begin_unknown(&s);
		scene_pull_ends(&s, older[i]);
		assert_waiting(b);
		assert_int_equal(s.pushes, 1);
		scene_pull_ends(&s, (struct updater_pull){ .end = UPDATER_PULL_UPTODATE, .has_pushed = true });
		assert_answered(b, RCODE_NOERROR, "");
		scene_end(&s);
	}
}

static void
what_changes_nothing_and_the_remote_is_away(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	struct sent_update *a = scene_update(&s, "delete www AAAA\n");
	scene_pull_fails(&s, "no route");
	assert_answered(a, RCODE_SERVFAIL, "the repository cannot be reached: no route");
	scene_end(&s);
}

/* ---- files that cannot be read, pushes that nobody takes ---- */

static void
the_source_has_another_commit(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		static struct scene s;
		scene_begin(&s);
		s.is_source_stale = true;
		s.is_pull_coming = i == 1;
		struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
		assert_waiting(a);
		assert_int_equal(s.pulls, i == 0); /* one is asked for unless it comes anyway */
		s.is_source_stale = false;
		scene_pull_ends(&s, moved);
		scene_pushed(&s);
		assert_answered(a, RCODE_NOERROR, "");
		scene_end(&s);
	}
}

static void
nobody_takes_the_push(void **state)
{
	(void)state;
	static struct scene s;
	scene_begin(&s);
	s.is_push_refused = true;
	struct sent_update *a = scene_update(&s, "add a 60 TXT first\n");
	assert_waiting(a);
	assert_int_equal(s.pulls, 1);
	s.is_push_refused = false;
	scene_uptodate(&s);
	scene_pushed(&s);
	assert_answered(a, RCODE_NOERROR, "");
	scene_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_becomes_a_commit),
		cmocka_unit_test(what_comes_meanwhile_is_the_next_commit),
		cmocka_unit_test(no_batch_begins_while_a_pull_is_under_way),
		cmocka_unit_test(what_a_commit_took_is_told),
		cmocka_unit_test(what_is_refused_does_not_wait),
		cmocka_unit_test(a_key_that_goes_while_its_update_waits),
		cmocka_unit_test(one_that_spoils_it_for_all_is_found_before_the_push),
		cmocka_unit_test(one_that_spoils_it_and_is_the_first),
		cmocka_unit_test(a_stale_head_leads_around),
		cmocka_unit_test(prerequisites_are_held_against_the_new_head),
		cmocka_unit_test(not_for_ever),
		cmocka_unit_test(a_stale_head_and_the_remote_goes_away),
		cmocka_unit_test(a_pull_from_the_cache_ends_no_waiting),
		cmocka_unit_test(a_commit_undoes_the_batch),
		cmocka_unit_test(a_push_that_cannot_be_taken_over),
		cmocka_unit_test(it_had_arrived),
		cmocka_unit_test(the_branch_has_moved_without_it),
		cmocka_unit_test(the_branch_is_where_it_was),
		cmocka_unit_test(it_stays_unknown),
		cmocka_unit_test(it_is_unknown_and_the_remote_is_away),
		cmocka_unit_test(it_is_unknown_and_a_commit_comes_that_is_not_applied),
		cmocka_unit_test(it_is_unknown_and_the_same_head_is_told_again),
		cmocka_unit_test(nobody_takes_the_push_that_is_made_again),
		cmocka_unit_test(the_one_that_the_remote_does_not_want_is_found),
		cmocka_unit_test(a_remote_that_wants_none),
		cmocka_unit_test(the_remote_fails),
		cmocka_unit_test(what_changes_nothing_is_answered_after_a_pull),
		cmocka_unit_test(what_changed_nothing_does_on_the_new_head),
		cmocka_unit_test(what_changes_nothing_and_an_older_pull),
		cmocka_unit_test(what_changes_nothing_and_an_older_pull_brings_a_commit),
		cmocka_unit_test(an_older_pull_settles_what_was_pushed),
		cmocka_unit_test(an_older_pull_that_fails_ends_no_waiting),
		cmocka_unit_test(what_changes_nothing_and_the_remote_is_away),
		cmocka_unit_test(the_source_has_another_commit),
		cmocka_unit_test(nobody_takes_the_push),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
