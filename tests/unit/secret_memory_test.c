/* ops/secret_memory.h: blocks of their own pages, which are locked where the system allows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/err.h"
#include "ops/privs.h"
#include "ops/secret_memory.h"

enum { SIZE = 1000, MANY = 200 };

static void
blocks_are_zeroed_and_wiped(void **state)
{
	static const uint8_t zeros[SIZE];
	struct secret_memory m = SECRET_MEMORY_OF(SIZE);
	uint8_t *blocks[MANY];
	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		blocks[i] = secret_memory_take(&m, SIZE);
		assert_memory_equal(blocks[i], zeros, SIZE);
		assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		memset(blocks[i], (int)i + 1, SIZE);
	}
	for (size_t i = 0; i < MANY; i++) { /* none lies over another one */
		assert_true(blocks[i][0] == (uint8_t)(i + 1) && blocks[i][SIZE - 1] == (uint8_t)(i + 1));
	}
	secret_memory_give(&m, blocks[7], SIZE);
	assert_memory_equal(blocks[7] + sizeof(void *), zeros, SIZE - sizeof(void *));
	assert_ptr_equal(secret_memory_take(&m, SIZE), blocks[7]);
	assert_memory_equal(blocks[7], zeros, SIZE);
}

/* "Locked:" of /proc/self/smaps for the page, in KiB. */
static unsigned
locked_kib(const void *at)
{
	char line[256];
	unsigned long begin = 0, end = 0;
	unsigned kib = 0;
	FILE *f = fopen("/proc/self/smaps", "re");
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		(void)sscanf(line, "%lx-%lx ", &begin, &end);
		if ((uintptr_t)at >= begin && (uintptr_t)at < end && sscanf(line, "Locked: %u", &kib) == 1) {
			break;
		}
	}
	(void)fclose(f);
	return kib;
}

static void
pages_are_locked(void **state)
{
	struct secret_memory m = SECRET_MEMORY_OF(SIZE);
	(void)state;
	void *block = secret_memory_take(&m, SIZE);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__) /* sanitizers make mlock() do nothing */
	assert_true(atomic_load(&m.refused) != 0 || locked_kib(block) > 0);
#else
	(void)locked_kib(block);
#endif
}

/* The last test: there is no way back. */
static void
a_limit_is_noted(void **state)
{
	struct secret_memory m = SECRET_MEMORY_OF(SIZE);
	const struct privs_who same = { 0 };
	const struct rlimit none = { 0, 0 };
	struct diag d;
	(void)state;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	assert_int_equal(privs_drop(&same, &d), OK); /* root may lock as much as it likes */
	uint8_t *block = secret_memory_take(&m, SIZE);
	assert_non_null(block);
	block[SIZE - 1] = 1;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
	assert_int_not_equal(atomic_load(&m.refused), 0);
#endif
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_zeroed_and_wiped),
		cmocka_unit_test(pages_are_locked),
		cmocka_unit_test(a_limit_is_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
