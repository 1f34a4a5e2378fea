/* The keeper and the git process, as the DNS side starts them: with secrets that are read in the keeper alone. */
#include "git/side.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fake {
	const char *remote; /* NULL: there is none, which was printed */
	pid_t main_process; /* that must not read */
	bool is_forgotten;
};

static int
fake_read(void *ctx, struct git_conf *git)
{
	const struct fake *f = ctx;
	struct diag diag;
	if (getpid() == f->main_process || f->remote == NULL) {
		return 2;
	}
	return git_conf_remote(git, f->remote, &diag) == OK ? 0 : 1;
}

static void
fake_forget(void *ctx)
{
	struct fake *f = ctx;
	f->is_forgotten = true;
}

static err_t
start(struct git_side *side, struct fake *f, struct git_conf *git, int *status)
{
	struct diag diag = { 0 };
	const struct keeper_secrets secrets = { .read = fake_read, .forget = fake_forget, .ctx = f };
	f->main_process = getpid();
	*side = (struct git_side){ 0 };
	*git = (struct git_conf){ 0 };
	return git_side_start(side, git, &secrets, NULL, status, &diag);
}

/* What a pull comes to, of a repository that is not there. */
static void
expect_failure(const struct git_side *side)
{
	struct link_frame f = { .type = LINK_PULL, .fd = -1 };
	assert_int_equal(link_send(side->link, &f), OK);
	assert_int_equal(link_recv(side->link, &f), OK);
	assert_int_equal(f.type, LINK_FAILED);
	assert_non_null(strstr(f.text, "/nonexistent/zones.git"));
}

static void
only_the_keeper_reads_secrets_and_all_forget_them(void **state)
{
	(void)state;
	struct git_side side;
	struct git_conf git;
	struct fake fake = { .remote = "file:///nonexistent/zones.git" };
	char died[LINK_TEXT_MAX];
	int status;
	assert_int_equal(start(&side, &fake, &git, &status), OK);
	assert_true(fake.is_forgotten);
	assert_null(git.url);
	assert_string_equal(side.shown, "file:///nonexistent/zones.git");
	assert_int_equal(git_side_next(&side, died), OK);
	assert_string_equal(died, "");
	assert_true(git_side_is_up(&side));
	expect_failure(&side);
	git_side_stop(&side);
	assert_int_equal(kill(side.keeper, 0), -1);
	git_conf_fini(&git);
}

static void
what_could_not_be_read_ends_the_start(void **state)
{
	(void)state;
	struct git_side side;
	struct git_conf git;
	struct fake fake = { 0 };
	int status = 0;
	assert_int_equal(start(&side, &fake, &git, &status), E_REFUSED);
	assert_int_equal(status, 2);
	git_conf_fini(&git);
}

/* The only child of a process. */
static pid_t
child_of(pid_t parent)
{
	char path[64];
	int pid = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

static void
a_git_process_that_dies_comes_back_on_the_same_descriptor(void **state)
{
	(void)state;
	struct git_side side;
	struct git_conf git;
	struct fake fake = { .remote = "file:///nonexistent/zones.git" };
	struct link_frame f;
	char died[LINK_TEXT_MAX];
	int status;
	assert_int_equal(start(&side, &fake, &git, &status), OK);
	assert_int_equal(git_side_next(&side, died), OK);
	int link = side.link;
	assert_int_equal(kill(child_of(side.keeper), SIGKILL), 0);
	assert_int_equal(link_recv(side.link, &f), E_STOPPED);
	git_side_died(&side);
	assert_false(git_side_is_up(&side));
	assert_int_equal(git_side_next(&side, died), OK);
	assert_non_null(strstr(died, "killed by signal 9"));
	assert_int_equal(side.link, link);
	assert_null(git_side_look(&side, 1));
	expect_failure(&side);
	git_side_stop(&side);
	git_conf_fini(&git);
}

static void
without_its_keeper_there_is_no_next_one(void **state)
{
	(void)state;
	struct git_side side;
	struct git_conf git;
	struct fake fake = { .remote = "file:///nonexistent/zones.git" };
	char died[LINK_TEXT_MAX];
	int status;
	assert_int_equal(start(&side, &fake, &git, &status), OK);
	assert_int_equal(git_side_next(&side, died), OK);
	assert_int_equal(kill(side.keeper, SIGKILL), 0);
	assert_int_equal(git_side_next(&side, died), E_STOPPED);
	assert_string_equal(died, "its keeper was killed");
	git_side_stop(&side);
	git_conf_fini(&git);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_keeper_reads_secrets_and_all_forget_them),
		cmocka_unit_test(what_could_not_be_read_ends_the_start),
		cmocka_unit_test(a_git_process_that_dies_comes_back_on_the_same_descriptor),
		cmocka_unit_test(without_its_keeper_there_is_no_next_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
