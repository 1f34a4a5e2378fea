#include "git/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "git/link_files.h"

/* ---- memory that runs out ---- */

static bool is_memory_out;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_memory_out ? NULL : __real_calloc(n, size);
}

/* ---- an asker, and the git side that it asks ---- */

struct world {
	struct git_side side;
	struct asker asker;
	int git;
};

static void
world_init(struct world *w)
{
	int s[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	*w = (struct world){ .side = { .link = s[0] }, .git = s[1] };
	w->asker.git = &w->side;
	asker_begin(&w->asker);
}

static void
world_fini(struct world *w)
{
	asker_fini(&w->asker);
	close(w->side.link);
	close(w->git);
}

static void
say(const struct world *w, enum link_type type, const char *text)
{
	struct link_frame f = { .type = (uint8_t)type, .fd = -1 };
	strcpy(f.text, text);
	assert_int_equal(link_send(w->git, &f), OK);
}

static void
give_file(const struct world *w, err_t status, const char *content)
{
	struct link_frame f = { .type = LINK_FILE, .status = (uint16_t)status, .fd = -1 };
	if (content != NULL) {
		assert_int_equal(link_seal_bytes(content, strlen(content), &f.fd), OK);
	}
	assert_int_equal(link_send(w->git, &f), OK);
	if (f.fd >= 0) {
		close(f.fd);
	}
}

static void
expect_taken(struct world *w, enum link_type type, const char *text)
{
	struct link_frame f;
	assert_true(asker_take(&w->asker, &f));
	assert_int_equal(f.type, type);
	assert_string_equal(f.text, text);
}

/* ---- */

static void
a_file_is_asked_for_by_its_path(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	struct link_frame asked;
	world_init(&w);
	give_file(&w, OK, "www A 192.0.2.1\n");
	assert_int_equal(asker_open(&w.asker, "sub/hosts.inc", &text), OK);
	assert_int_equal(text.len, strlen("www A 192.0.2.1\n"));
	assert_memory_equal(text.text, "www A 192.0.2.1\n", text.len);
	asker_close(&w.asker, &text);
	assert_int_equal(link_recv(w.git, &asked), OK);
	assert_int_equal(asked.type, LINK_GET);
	assert_string_equal(asked.text, "sub/hosts.inc");
	world_fini(&w);
}

static void
what_comes_meanwhile_is_set_aside_in_its_order(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	struct link_frame f;
	world_init(&w);
	say(&w, LINK_NOTE, "first");
	say(&w, LINK_FAILED, "second");
	give_file(&w, OK, "x");
	say(&w, LINK_NOTE, "third");
	assert_int_equal(asker_open(&w.asker, "a", &text), OK);
	asker_close(&w.asker, &text);
	assert_false(w.asker.is_pull_coming);
	expect_taken(&w, LINK_NOTE, "first");
	give_file(&w, E_NOTFOUND, NULL);
	assert_int_equal(asker_open(&w.asker, "b", &text), E_NOTFOUND);
	expect_taken(&w, LINK_FAILED, "second");
	expect_taken(&w, LINK_NOTE, "third");
	assert_false(asker_take(&w.asker, &f));
	world_fini(&w);
}

static void
after_a_commit_or_before_a_pull_no_file_counts(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	world_init(&w);
	say(&w, LINK_COMMIT, "");
	give_file(&w, OK, "of another commit");
	assert_int_equal(asker_open(&w.asker, "a", &text), E_STALE);
	assert_true(w.asker.is_pull_coming);
	asker_begin(&w.asker);
	give_file(&w, OK, "of that one");
	assert_int_equal(asker_open(&w.asker, "a", &text), OK);
	asker_close(&w.asker, &text);
	give_file(&w, E_BUSY, NULL);
	assert_int_equal(asker_open(&w.asker, "a", &text), E_STALE);
	assert_true(w.asker.is_pull_coming);
	world_fini(&w);
}

static void
what_the_git_side_says_of_a_file_is_passed_on(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	world_init(&w);
	give_file(&w, OK, NULL);
	assert_int_equal(asker_open(&w.asker, "a", &text), E_IO);
	give_file(&w, E_STALE, NULL);
	assert_int_equal(asker_open(&w.asker, "a", &text), E_STALE);
	world_fini(&w);
}

static void
a_path_that_is_too_long_is_not_asked_for(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	char path[LINK_TEXT_MAX + 1];
	memset(path, 'p', LINK_TEXT_MAX);
	path[LINK_TEXT_MAX] = '\0';
	world_init(&w);
	assert_int_equal(asker_open(&w.asker, path, &text), E_LIMIT);
	world_fini(&w);
}

static void
a_process_that_is_gone_is_stale(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	world_init(&w);
	shutdown(w.git, SHUT_RDWR);
	assert_int_equal(asker_open(&w.asker, "a", &text), E_STALE);
	world_fini(&w);
}

/* Nothing of it is left, and whoever receives on the link next learns that the process there is to be replaced. */
static void
without_memory_a_frame_costs_the_link(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	struct link_frame f;
	world_init(&w);
	say(&w, LINK_UPTODATE, "");
	give_file(&w, OK, "x");
	is_memory_out = true;
	err_t err = asker_open(&w.asker, "a", &text);
	is_memory_out = false;
	assert_int_equal(err, E_STALE);
	assert_false(asker_take(&w.asker, &f));
	assert_int_equal(link_send(w.git, &(struct link_frame){ .type = LINK_NOTE, .fd = -1 }), E_IO);
	while ((err = link_recv(w.side.link, &f)) == OK) {
		if (f.fd >= 0) {
			close(f.fd); /* the FILE was there before */
		}
	}
	assert_int_equal(err, E_STOPPED);
	world_fini(&w);
}

static void
without_memory_for_a_file_only_that_fails(void **state)
{
	(void)state;
	struct world w;
	struct master_text text;
	world_init(&w);
	give_file(&w, OK, "x");
	is_memory_out = true;
	err_t err = asker_open(&w.asker, "a", &text);
	is_memory_out = false;
	assert_int_equal(err, E_NOMEM);
	give_file(&w, OK, "x");
	assert_int_equal(asker_open(&w.asker, "a", &text), OK);
	asker_close(&w.asker, &text);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_asked_for_by_its_path),
		cmocka_unit_test(what_comes_meanwhile_is_set_aside_in_its_order),
		cmocka_unit_test(after_a_commit_or_before_a_pull_no_file_counts),
		cmocka_unit_test(what_the_git_side_says_of_a_file_is_passed_on),
		cmocka_unit_test(a_path_that_is_too_long_is_not_asked_for),
		cmocka_unit_test(a_process_that_is_gone_is_stale),
		cmocka_unit_test(without_memory_a_frame_costs_the_link),
		cmocka_unit_test(without_memory_for_a_file_only_that_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
