/* The lists of system calls, by what they are for.  Each role is some of these lists.
 *
 * Numbers that only one of amd64 and arm64 has are left out on the other.  Where the C library has several calls for one purpose, all
 * are there: which one it takes depends on its version.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

#include "ops/sandbox_p.h"

#include "base/err.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* names a mapping; glibc of Debian 13 does */
#endif

enum {
	FCHMODAT2 = 452, /* since Linux 6.6, the same number everywhere; the libseccomp of Debian 12 does not know it */
	SOCK_TYPE_MASK = 0xf,
	NETLINK_ROUTE_PROTOCOL = 0,
};

/* Conditions.  Arguments of type int are compared as such: the upper half of the register may be anything. */
#define IS(arg, value) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, 0xffffffffu, (uint32_t)(value))
#define HAS(arg, mask, value) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, (mask), (value))

#define IS_OPEN(arg) SCMP_CMP64(arg, SCMP_CMP_LT, 1ull << 31) /* a descriptor, not AT_FDCWD */

#define ALLOW(name) { .number = SCMP_SYS(name) }
#define ALLOW_1(name, a) { .number = SCMP_SYS(name), .conditions_n = 1, .conditions = { a } }
#define ALLOW_2(name, a, b) { .number = SCMP_SYS(name), .conditions_n = 2, .conditions = { a, b } }
#define ALLOW_3(name, a, b, c) { .number = SCMP_SYS(name), .conditions_n = 3, .conditions = { a, b, c } }
#define REFUSE(name, why) { .number = SCMP_SYS(name), .error = (why) }
#define REFUSE_1(name, why, a) { .number = SCMP_SYS(name), .error = (why), .conditions_n = 1, .conditions = { a } }

#define CLONE_NEW_ANY (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define CLONE_OF_THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

/* Memory that is written is never executed, and code is never written. */
static const struct call memory[] = {
	ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(mlock), ALLOW(mlock2), ALLOW(munlock),
	ALLOW_1(mmap, HAS(2, PROT_EXEC, 0)), ALLOW_1(mprotect, HAS(2, PROT_EXEC, 0)),
};

static const struct call threads[] = {
	ALLOW_1(clone, HAS(0, CLONE_OF_THREAD | CLONE_NEW_ANY, CLONE_OF_THREAD)),
	REFUSE(clone3, ENOSYS), /* a filter cannot see its flags; the C library takes clone() then */
	ALLOW(futex), ALLOW(set_robust_list), ALLOW(get_robust_list), ALLOW(rseq), ALLOW(set_tid_address), ALLOW(membarrier),
	ALLOW(gettid), ALLOW(getpid), ALLOW(getppid), ALLOW(exit), ALLOW(exit_group), ALLOW(sched_yield), ALLOW(sched_getaffinity),
	ALLOW(getcpu), ALLOW(getpriority), ALLOW(setpriority), ALLOW_1(prctl, IS(0, PR_SET_NAME)), ALLOW_1(prctl, IS(0, PR_GET_NAME)),
	ALLOW_1(prctl, IS(0, PR_SET_VMA)), ALLOW_1(prctl, IS(0, PR_GET_DUMPABLE)),
};

static const struct call time_and_signals[] = {
	ALLOW(clock_gettime), ALLOW(clock_getres), ALLOW(clock_nanosleep), ALLOW(nanosleep), ALLOW(gettimeofday), ALLOW(time),
	ALLOW(restart_syscall), ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(rt_sigtimedwait),
	ALLOW(rt_sigpending), ALLOW(rt_sigsuspend), ALLOW(sigaltstack), ALLOW(pause),
};

static const struct call waiting[] = {
	ALLOW(poll), ALLOW(ppoll), ALLOW(select), ALLOW(pselect6), ALLOW(epoll_create), ALLOW(epoll_create1), ALLOW(epoll_ctl),
	ALLOW(epoll_wait), ALLOW(epoll_pwait), ALLOW(epoll_pwait2), ALLOW(eventfd2), ALLOW(pipe), ALLOW(pipe2),
	REFUSE(io_uring_setup, ENOSYS), /* libuv tries it, and goes on without */
};

/* Descriptors that are open. */
static const struct call descriptors[] = {
	ALLOW(read), ALLOW(write), ALLOW(readv), ALLOW(writev), ALLOW(pread64), ALLOW(pwrite64), ALLOW(preadv), ALLOW(pwritev),
	ALLOW(close), ALLOW(close_range), ALLOW(fcntl), ALLOW(dup), ALLOW(dup2), ALLOW(dup3), ALLOW(lseek), ALLOW(fstat),
	ALLOW_1(newfstatat, HAS(3, 0x1000u, 0x1000u)), ALLOW_1(statx, HAS(2, 0x1000u, 0x1000u)), /* AT_EMPTY_PATH: fstat() */
	ALLOW_1(ioctl, IS(1, FIONBIO)), ALLOW_1(ioctl, IS(1, FIOCLEX)), ALLOW_1(ioctl, IS(1, FIONREAD)), ALLOW_1(ioctl, IS(1, TIOCOUTQ)),
	ALLOW_1(ioctl, IS(1, TCGETS)), ALLOW_1(ioctl, IS(1, 0x8910)), ALLOW_1(ioctl, IS(1, 0x8933)), /* SIOCGIFNAME, SIOCGIFINDEX */
};

static const struct call sockets[] = {
	ALLOW(recvmmsg), ALLOW(sendmmsg), ALLOW(recvmsg), ALLOW(sendmsg), ALLOW(recvfrom), ALLOW(sendto), ALLOW(connect), ALLOW(bind),
	ALLOW(getsockname), ALLOW(getpeername), ALLOW(getsockopt), ALLOW(setsockopt), ALLOW(shutdown),
	ALLOW_2(socket, IS(0, AF_INET), HAS(1, SOCK_TYPE_MASK, SOCK_STREAM)),
	ALLOW_2(socket, IS(0, AF_INET), HAS(1, SOCK_TYPE_MASK, SOCK_DGRAM)),
	ALLOW_2(socket, IS(0, AF_INET6), HAS(1, SOCK_TYPE_MASK, SOCK_STREAM)),
	ALLOW_2(socket, IS(0, AF_INET6), HAS(1, SOCK_TYPE_MASK, SOCK_DGRAM)),
	ALLOW_2(socket, IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE_PROTOCOL)), /* getifaddrs(3) */
};

/* Without it the C library takes an Internet socket to find the name of an interface. */
static const struct call no_local_sockets[] = { REFUSE_1(socket, EAFNOSUPPORT, IS(0, AF_UNIX)) };

/* For the ways to find a host's address that the system may have, such as systemd-resolved. */
static const struct call local_sockets[] = { ALLOW_1(socket, IS(0, AF_UNIX)), ALLOW(socketpair) };

static const struct call listening[] = { ALLOW(listen) };
static const struct call accepting[] = { ALLOW(accept), ALLOW(accept4) };

/* For what goes to the git side (git/link.h). */
static const struct call memory_files[] = { ALLOW(memfd_create) };

/* What libraries ask about machine and process. */
static const struct call questions[] = {
	ALLOW(getrandom), ALLOW(uname), ALLOW(sysinfo), ALLOW(getrlimit), ALLOW(getrusage), ALLOW(times), ALLOW(getuid), ALLOW(geteuid),
	ALLOW(getgid), ALLOW(getegid), ALLOW(getgroups), ALLOW(getresuid), ALLOW(getresgid), ALLOW(getpgrp), ALLOW(getsid), ALLOW(umask),
	ALLOW_1(prlimit64, SCMP_CMP64(2, SCMP_CMP_EQ, 0)),
};

/* Files in a directory that is open: no path begins at the root, or where the process is.  Landlock says which directory. */
static const struct call in_directory[] = {
	ALLOW_1(openat, IS_OPEN(0)), ALLOW_1(newfstatat, IS_OPEN(0)), ALLOW_1(faccessat, IS_OPEN(0)), ALLOW_1(faccessat2, IS_OPEN(0)),
	ALLOW_1(unlinkat, IS_OPEN(0)), ALLOW_2(renameat, IS_OPEN(0), IS_OPEN(2)), ALLOW_2(renameat2, IS_OPEN(0), IS_OPEN(2)),
	ALLOW(getdents), ALLOW(getdents64), ALLOW(ftruncate), ALLOW(fsync), ALLOW(fdatasync), ALLOW(fallocate), ALLOW(fadvise64),
};

/* Looking at files and reading them; Landlock says which. */
static const struct call reading[] = {
	ALLOW(open), ALLOW(openat), ALLOW(openat2), ALLOW(stat), ALLOW(lstat), ALLOW(newfstatat), ALLOW(statx), ALLOW(statfs),
	ALLOW(fstatfs), ALLOW(access), ALLOW(faccessat), ALLOW(faccessat2), ALLOW(readlink), ALLOW(readlinkat), ALLOW(getdents),
	ALLOW(getdents64), ALLOW(getcwd), ALLOW(fadvise64), ALLOW(flock), ALLOW(name_to_handle_at),
};

static const struct call writing[] = {
	ALLOW(creat), ALLOW(unlink), ALLOW(unlinkat), ALLOW(rename), ALLOW(renameat), ALLOW(renameat2), ALLOW(mkdir), ALLOW(mkdirat),
	ALLOW(rmdir), ALLOW(link), ALLOW(linkat), ALLOW(symlink), ALLOW(symlinkat), ALLOW(ftruncate), ALLOW(truncate), ALLOW(fallocate),
	ALLOW(fsync), ALLOW(fdatasync), ALLOW(sync_file_range), ALLOW(msync), ALLOW(chmod), ALLOW(fchmod), ALLOW(fchmodat),
	{ .number = FCHMODAT2 }, ALLOW(utimensat), ALLOW(utimes), ALLOW(copy_file_range), ALLOW(sendfile), ALLOW(chdir), ALLOW(fchdir),
};

/* A library that is loaded late: its code comes from a file, and is not writable. */
static const struct call late_libraries[] = {
	ALLOW_2(mmap, HAS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), HAS(3, MAP_ANONYMOUS, 0)),
};

static const struct call processes[] = {
	ALLOW_1(clone, HAS(0, CLONE_NEW_ANY, 0)), ALLOW(fork), ALLOW(vfork), ALLOW(wait4), ALLOW(waitid), ALLOW(kill), ALLOW(tgkill),
	ALLOW(signalfd4), ALLOW(setpgid), ALLOW(getpgid), ALLOW(prlimit64), ALLOW(setrlimit), ALLOW(seccomp), ALLOW(prctl),
	ALLOW(memfd_create), ALLOW(setsid),
};

/* A worker of SANDBOX_GIT has no new processes, and nothing that only its parents need.  (Each filter of a process counts.) */
static const struct call work[] = { ALLOW(tgkill), ALLOW(kill), ALLOW(memfd_create) };

/* Programs that the owner of a repository has chosen may do what his own programs may do.  So the lists end here, and only what no hook
 * has a use for is refused: it can harm other processes or the system, or has been a way into the kernel. */
static const struct call harmful[] = {
#if !SANDBOX_IS_SANITIZED /* a hook may start a program that is sanitized, too */
	REFUSE(ptrace, EPERM), REFUSE(process_vm_readv, EPERM),
#endif
	REFUSE(process_vm_writev, EPERM), REFUSE(pidfd_getfd, EPERM), REFUSE(kcmp, EPERM), REFUSE(process_madvise, EPERM),
	REFUSE(bpf, EPERM), REFUSE(perf_event_open, EPERM), REFUSE(userfaultfd, EPERM), REFUSE(io_uring_setup, ENOSYS),
	REFUSE(io_uring_enter, ENOSYS), REFUSE(io_uring_register, ENOSYS), REFUSE(add_key, EPERM), REFUSE(request_key, EPERM),
	REFUSE(keyctl, EPERM), REFUSE(init_module, EPERM), REFUSE(finit_module, EPERM), REFUSE(delete_module, EPERM),
	REFUSE(kexec_load, EPERM), REFUSE(kexec_file_load, EPERM), REFUSE(reboot, EPERM), REFUSE(swapon, EPERM), REFUSE(swapoff, EPERM),
	REFUSE(acct, EPERM), REFUSE(quotactl, EPERM), REFUSE(mount, EPERM), REFUSE(umount2, EPERM), REFUSE(pivot_root, EPERM),
	REFUSE(chroot, EPERM), REFUSE(move_mount, EPERM), REFUSE(open_tree, EPERM), REFUSE(fsopen, EPERM), REFUSE(fsconfig, EPERM),
	REFUSE(fsmount, EPERM), REFUSE(setns, EPERM), REFUSE(open_by_handle_at, EPERM), REFUSE(iopl, EPERM), REFUSE(ioperm, EPERM),
	REFUSE(modify_ldt, EPERM), REFUSE(syslog, EPERM), REFUSE(settimeofday, EPERM), REFUSE(clock_settime, EPERM),
	REFUSE(adjtimex, EPERM), REFUSE(clock_adjtime, EPERM), REFUSE(sethostname, EPERM), REFUSE(setdomainname, EPERM),
	REFUSE(vhangup, EPERM), REFUSE(nfsservctl, EPERM), REFUSE(lookup_dcookie, EPERM), REFUSE(uselib, EPERM), REFUSE(_sysctl, EPERM),
};

#if SANDBOX_IS_SANITIZED
/* For tests only: AddressSanitizer looks at its own files in /proc for a report, and LeakSanitizer stops all threads with ptrace() at the
 * end, from a process that shares their memory. */
static const struct call sanitizer[] = {
	ALLOW(open), ALLOW(openat), ALLOW(readlink), ALLOW(readlinkat), ALLOW(stat), ALLOW(lstat), ALLOW(newfstatat), ALLOW(statx),
	ALLOW(access), ALLOW(getdents), ALLOW(getdents64), ALLOW_1(clone, HAS(0, CLONE_NEW_ANY | CLONE_VM, CLONE_VM)), ALLOW(wait4),
	ALLOW(ptrace), ALLOW(prctl), ALLOW(tgkill), ALLOW(process_vm_readv), ALLOW(personality),
};
#define SANITIZER LIST(sanitizer)
#else
#define SANITIZER { NULL, 0 }
#endif

#define LIST(list) { list, ARRAY_LEN(list) }
#define BASE LIST(memory), LIST(threads), LIST(time_and_signals), LIST(waiting), LIST(descriptors), LIST(sockets), LIST(questions)

static const struct call_list roles[SANDBOX_ROLES][CALL_LISTS_MAX] = {
	[SANDBOX_SERVER] = { BASE, LIST(no_local_sockets), LIST(listening), LIST(accepting), LIST(memory_files), SANITIZER },
	[SANDBOX_STORE] = { BASE, LIST(no_local_sockets), LIST(listening), LIST(accepting), LIST(in_directory), SANITIZER },
	[SANDBOX_ACME] = { BASE, LIST(local_sockets), LIST(accepting), LIST(reading), LIST(late_libraries), SANITIZER },
	[SANDBOX_GIT] = { BASE, LIST(local_sockets), LIST(reading), LIST(writing), LIST(late_libraries), LIST(processes), SANITIZER },
	[SANDBOX_GIT_WORKER] = { BASE, LIST(local_sockets), LIST(reading), LIST(writing), LIST(late_libraries), LIST(work), SANITIZER },
	[SANDBOX_GIT_LOCAL] = { LIST(harmful) },
};

/* ---- roles ---- */

const struct call_list *
sandbox_call_lists(enum sandbox_role role)
{
	return roles[role];
}

bool
sandbox_is_open(enum sandbox_role role)
{
	return role == SANDBOX_GIT_LOCAL;
}

bool
sandbox_has_children(enum sandbox_role role)
{
	return role == SANDBOX_GIT || role == SANDBOX_GIT_WORKER || role == SANDBOX_GIT_LOCAL;
}

const char *
sandbox_role_name(enum sandbox_role role)
{
	static const char *const names[] = {
		[SANDBOX_SERVER] = "server", [SANDBOX_STORE] = "store", [SANDBOX_ACME] = "acme",
		[SANDBOX_GIT] = "git", [SANDBOX_GIT_WORKER] = "git-worker", [SANDBOX_GIT_LOCAL] = "git-local",
	};
	return names[role];
}

/* ---- calls that are not allowed ---- */

static bool
has(const int *numbers, size_t n, int number)
{
	for (size_t i = 0; i < n; i++) {
		if (numbers[i] == number) {
			return true;
		}
	}
	return false;
}

/* The C library goes on in another way after ENOSYS, and after these errors it says what is wrong. */
int
sandbox_answer(int number)
{
	static const int ending[] = {
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(ptrace),
		SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	};
	static const int of_files[] = {
		SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
		SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
		SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
		SCMP_SYS(renameat2), SCMP_SYS(chdir),
	};
	static const int of_rights[] = {
		SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(prctl), SCMP_SYS(prlimit64),
		SCMP_SYS(listen), SCMP_SYS(ioctl),
	};
	return has(ending, ARRAY_LEN(ending), number) ? 0
	     : has(of_files, ARRAY_LEN(of_files), number) ? EACCES
	     : has(of_rights, ARRAY_LEN(of_rights), number) ? EPERM
	     : number == SCMP_SYS(socket) ? EAFNOSUPPORT : ENOSYS;
}
