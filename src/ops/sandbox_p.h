/* ops/sandbox_p.h -- private to ops/sandbox*.c.
 *
 *   sandbox.c        the whole, and limits
 *   sandbox_calls.c  the lists of system calls
 *   sandbox_seccomp.c  the filter that is made of them
 *   sandbox_files.c  Landlock
 *   sandbox_trap.c   what happens at a call that is not allowed
 */
#pragma once

#include <seccomp.h>

#include "ops/sandbox.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_IS_SANITIZED 1
#endif
#ifndef SANDBOX_IS_SANITIZED
#define SANDBOX_IS_SANITIZED 0
#endif

/* A system call that is treated in a certain way when all conditions on its arguments hold. */
struct call {
	int number;             /* SCMP_SYS(); negative: this processor does not have it */
	int error;              /* 0: allowed; else refused with this error, without a line in the log */
	unsigned conditions_n;
	struct scmp_arg_cmp conditions[3];
};

struct call_list {
	const struct call *calls;
	size_t n;
};

enum { CALL_LISTS_MAX = 16 };

/* The lists that the role consists of: CALL_LISTS_MAX of them, some of which are empty. */
const struct call_list *sandbox_call_lists(enum sandbox_role role);

/* True when calls are allowed unless a list names them. */
bool sandbox_is_open(enum sandbox_role role);

/* True when it may have children, or be one: then it may signal others, as far as Landlock lets it. */
bool sandbox_has_children(enum sandbox_role role);

const char *sandbox_role_name(enum sandbox_role role);

/* What becomes of a call that is not allowed: the error that it gets; or 0, and the process ends. */
int sandbox_answer(int number);

/* Catches such calls (SIGSYS) from now on. */
err_t sandbox_trap(const struct sandbox_conf *c);

/* True when sandbox_trap() works on this processor. */
bool sandbox_can_trap(void);

/* E_UNSUPPORTED: the kernel does not have it, or refuses; errno says why.  E_NOMEM. */
err_t sandbox_limit_calls(const struct sandbox_conf *c);

/* The same.  *version and *has_ports are those that hold. */
err_t sandbox_limit_files(const struct sandbox_conf *c, int *version, bool *has_ports);
