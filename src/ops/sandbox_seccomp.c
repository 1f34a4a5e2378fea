/* The filter of system calls, made by libseccomp out of the lists of a role.
 *
 * The filter is a binary tree over the numbers; and the kernel remembers which calls it always allows (since Linux 5.11), and asks no
 * filter about these.  So the calls of the query path have no conditions on their arguments. */
#include <errno.h>
#include <unistd.h>

#include "ops/sandbox_p.h"

enum { TREE = 2 }; /* of SCMP_FLTATR_CTL_OPTIMIZE */

/* libseccomp returns negative numbers of errno(3). */
static err_t
err_of(int rc)
{
	if (rc == 0) {
		return OK;
	}
	errno = -rc;
	return rc == -ENOMEM ? E_NOMEM : E_UNSUPPORTED;
}

/* A rule for what happens anyway is refused by libseccomp. */
static err_t
add(scmp_filter_ctx filter, uint32_t otherwise, const struct call *call)
{
	uint32_t action = call->error != 0 ? SCMP_ACT_ERRNO((uint16_t)call->error) : SCMP_ACT_ALLOW;
	if (action == otherwise) {
		return OK;
	}
	return err_of(seccomp_rule_add_array(filter, action, call->number, call->conditions_n, call->conditions));
}

static err_t
add_lists(scmp_filter_ctx filter, uint32_t otherwise, const struct call_list *lists)
{
	for (size_t i = 0; i < CALL_LISTS_MAX; i++) {
		for (size_t k = 0; k < lists[i].n; k++) {
			TRY(add(filter, otherwise, &lists[i].calls[k]));
		}
	}
	return OK;
}

/* A hook may start programs for the processor's older instructions.  Without a list of their own, their first call would kill them. */
static err_t
add_older_programs(scmp_filter_ctx filter)
{
#if defined(__x86_64__)
	TRY(err_of(seccomp_arch_add(filter, SCMP_ARCH_X32)));
	return err_of(seccomp_arch_add(filter, SCMP_ARCH_X86));
#elif defined(__aarch64__)
	return err_of(seccomp_arch_add(filter, SCMP_ARCH_ARM));
#else
	(void)filter;
	return OK;
#endif
}

static err_t
add_for(scmp_filter_ctx filter, int number, pid_t pid)
{
	return err_of(seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1, SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)pid)));
}

/* abort() sends a signal to the own thread; the daemon sends itself SIGTERM, and watches its child. */
static err_t
add_signals(scmp_filter_ctx filter, const struct sandbox_conf *c)
{
	TRY(add_for(filter, SCMP_SYS(kill), getpid()));
	TRY(add_for(filter, SCMP_SYS(tgkill), getpid()));
	if (c->child == 0) {
		return OK;
	}
	TRY(add_for(filter, SCMP_SYS(kill), c->child));
	return add_for(filter, SCMP_SYS(wait4), c->child);
}

/* Threads that are there already (a sanitizer's) get the filter, too.  Without SSB, kernels before 5.16 would slow down all memory accesses
 * of a process that has a filter. */
static err_t
load(scmp_filter_ctx filter, uint32_t otherwise, const struct sandbox_conf *c)
{
	TRY(err_of(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)));
	TRY(err_of(seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1)));
	TRY(err_of(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, TREE)));
	if (sandbox_is_open(c->role)) {
		TRY(add_older_programs(filter));
	}
	TRY(add_lists(filter, otherwise, sandbox_call_lists(c->role)));
	if (!sandbox_has_children(c->role)) {
		TRY(add_signals(filter, c));
	}
	return err_of(seccomp_load(filter));
}

err_t
sandbox_limit_calls(const struct sandbox_conf *c)
{
	uint32_t otherwise = sandbox_is_open(c->role) ? SCMP_ACT_ALLOW : sandbox_can_trap() ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(ENOSYS);
	scmp_filter_ctx filter = seccomp_init(otherwise);
	if (filter == NULL) {
		return E_NOMEM;
	}
	err_t err = load(filter, otherwise, c);
	int why = errno;
	seccomp_release(filter);
	errno = why;
	return err;
}
