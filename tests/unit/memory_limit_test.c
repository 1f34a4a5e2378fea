/* Where a limit on memory may stand, in a tree of files like the system's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "ops/memory_limit.h"

static char root[] = "/tmp/origin-limit-XXXXXX";

static void
make_parents(char *path)
{
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(path, 0700);
		*at = '/';
	}
}

static void
put(const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", root, name);
	make_parents(path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
begin(void **state)
{
	(void)state;
	strcpy(root, "/tmp/origin-limit-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
end(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", root);
	return system(command);
}

static void
assert_limit(uint64_t octets, const char *from)
{
	struct memory_limit m = memory_limit_find(root);
	assert_int_equal(m.octets, octets);
	assert_string_equal(m.from, from);
}

static void
the_least_of_all_counts(void **state)
{
	(void)state;
	assert_limit(0, "");
	put("proc/meminfo", "MemTotal:        8000000 kB\nMemFree: 1 kB\n");
	assert_limit(UINT64_C(8000000) * 1024, "machine");
	put("proc/self/cgroup", "0::/system.slice/oprimary.service\n");
	assert_limit(UINT64_C(8000000) * 1024, "machine");
	put("sys/fs/cgroup/system.slice/oprimary.service/memory.max", "max\n");
	assert_limit(UINT64_C(8000000) * 1024, "machine");
	put("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
	assert_limit(1 << 30, "cgroup");
	put("sys/fs/cgroup/system.slice/oprimary.service/memory.high", "536870912\n");
	assert_limit(1 << 29, "cgroup");
	put("sys/fs/cgroup/memory.max", "268435456\n"); /* as it is in a container */
	assert_limit(1 << 28, "cgroup");
}

static void
version_one(void **state)
{
	(void)state;
	put("proc/meminfo", "MemTotal:        8000000 kB\n");
	put("proc/self/cgroup", "9:cpu,cpuacct:/x\n7:memory:/a/b\n0::/\n");
	put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "33554432\n");
	put("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1\n"); /* of another controller */
	assert_limit(1 << 25, "cgroup");
}

static void
nonsense_is_passed_over(void **state)
{
	(void)state;
	put("proc/meminfo", "MemTotal:        8000000 kB\n");
	put("proc/self/cgroup", "0\n0:\n::\n0::/../..\n0::/a\n");
	put("sys/fs/cgroup/a/memory.max", "lots\n");
	assert_limit(UINT64_C(8000000) * 1024, "machine");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* these take more address space than there is memory */
static void
rlimits_count(void **state)
{
	(void)state;
	struct rlimit was, r;
	assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
	r = was;
	r.rlim_cur = (rlim_t)3 << 30;
	assert_int_equal(setrlimit(RLIMIT_AS, &r), 0);
	put("proc/meminfo", "MemTotal:        8000000 kB\n");
	assert_limit(UINT64_C(3) << 30, "rlimit");
	assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_least_of_all_counts, begin, end),
		cmocka_unit_test_setup_teardown(version_one, begin, end),
		cmocka_unit_test_setup_teardown(nonsense_is_passed_over, begin, end),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test_setup_teardown(rlimits_count, begin, end),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
