/* What happens at a system call that is not allowed: the kernel sends SIGSYS to the thread, and the handler writes a line and answers.
 *
 * The handler runs at any point of the program, so it uses only functions that are allowed in a signal handler (signal-safety(7)), and
 * what was prepared before.  It never waits: if the log's reader takes nothing, the line is lost. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/calendar.h"
#include "ops/sandbox_p.h"

enum { CALLS = 512, LINE_MAX_LEN = 256, DAY_S = 86400 };

/* One for the process, as the handler is. */
static struct {
	int fd;
	bool to_journal;
	int null;                   /* /dev/null; -1: the role opens files itself */
	const char *role;
	char *names[CALLS];         /* by number; NULL: libseccomp does not know it */
	atomic_bool is_told[CALLS]; /* a line about it was written */
} trap;

/* ---- the line ---- */

struct line {
	char text[LINE_MAX_LEN];
	size_t len;
};

static void
put(struct line *l, const char *text)
{
	while (*text != '\0' && l->len < sizeof l->text - 1) {
		l->text[l->len++] = *text++;
	}
}

/* With zeros in front, up to `width` digits. */
static void
put_number(struct line *l, unsigned long n, unsigned width)
{
	char digits[24];
	size_t at = sizeof digits - 1;
	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (at > 0 && (n != 0 || sizeof digits - 1 - at < width));
	put(l, digits + at);
}

/* As ops/log.c has it. */
static void
put_time(struct line *l)
{
	struct timespec now = { 0 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	struct calendar_date d = calendar_date_of(now.tv_sec / DAY_S);
	unsigned long s = (unsigned long)(now.tv_sec % DAY_S);
	const struct { unsigned long n; unsigned width; const char *after; } parts[] = {
		{ d.year, 4, "-" }, { d.month, 2, "-" }, { d.day, 2, "T" }, { s / 3600, 2, ":" }, { s / 60 % 60, 2, ":" },
		{ s % 60, 2, "." }, { (unsigned long)now.tv_nsec / 1000000, 3, "Z " },
	};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		put_number(l, parts[i].n, parts[i].width);
		put(l, parts[i].after);
	}
}

static void
put_name(struct line *l, int number)
{
	const char *name = number >= 0 && number < CALLS ? trap.names[number] : NULL;
	put(l, name != NULL ? name : "unknown");
	put(l, " number=");
	put_number(l, (unsigned long)number, 1);
}

static const char *
error_name(int error)
{
	switch (error) {
	case 0: return "end";
	case EACCES: return "EACCES";
	case EPERM: return "EPERM";
	case EAFNOSUPPORT: return "EAFNOSUPPORT";
	default: return "ENOSYS";
	}
}

static void
write_line(int number, int error)
{
	struct line l = { .len = 0 };
	struct pollfd p = { .fd = trap.fd, .events = POLLOUT };
	if (trap.to_journal) {
		put(&l, "<3>");
	} else {
		put_time(&l);
	}
	put(&l, "error event=forbidden-call call=");
	put_name(&l, number);
	put(&l, " role=");
	put(&l, trap.role);
	put(&l, " answer=");
	put(&l, error_name(error));
	l.text[l.len++] = '\n';
	if (poll(&p, 1, 0) > 0) {
		(void)!write(trap.fd, l.text, l.len);
	}
}

/* ---- the answer ---- */

bool
sandbox_can_trap(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

/* Sets what the system call returns. */
static void
give(ucontext_t *context, int value)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = value;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long long)(long long)value;
#else
	(void)context;
	(void)value;
#endif
}

/* One of the first two arguments of the system call. */
static uintptr_t
argument(const ucontext_t *context, unsigned i)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[i == 0 ? REG_RDI : REG_RSI];
#elif defined(__aarch64__)
	return (uintptr_t)context->uc_mcontext.regs[i];
#else
	(void)context;
	(void)i;
	return 0;
#endif
}

/* Ends by SIGSYS, so that whoever waits for the process sees why. */
[[gnu::noreturn]] static void
end(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	(void)signal(SIGSYS, SIG_DFL);
	(void)kill(getpid(), SIGSYS);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	_exit(1);
}

/* Files that libuv opens, so that none has to be allowed.  It keeps a descriptor of /dev/null, or else of the root directory, in reserve,
 * to accept and close a connection when there is no other descriptor left: it gets one of ours.  And it looks whether this is a kernel
 * of Ubuntu's.  *out is what the call returns. */
static bool
is_open_of_libuv(const siginfo_t *info, const ucontext_t *context, int *out)
{
	const char *path = NULL;
	if (info->si_syscall == SCMP_SYS(openat)) {
		path = (const char *)argument(context, 1);
	} else if (info->si_syscall == SCMP_SYS(open)) {
		path = (const char *)argument(context, 0);
	}
	if (trap.null < 0 || path == NULL) {
		return false;
	}
	if (strcmp(path, "/proc/version_signature") == 0) {
		*out = -ENOENT;
		return true;
	}
	if (strcmp(path, "/dev/null") != 0 && strcmp(path, "/") != 0) {
		return false;
	}
	int fd = fcntl(trap.null, F_DUPFD_CLOEXEC, 0);
	*out = fd >= 0 ? fd : -errno;
	return true;
}

static void
on_trap(int signal_number, siginfo_t *info, void *context)
{
	(void)signal_number;
	int before = errno, number = info->si_syscall, error = sandbox_answer(number), result;
	if (is_open_of_libuv(info, context, &result)) {
		give(context, result);
		errno = before;
		return;
	}
	bool is_known = number >= 0 && number < CALLS;
	if (error == 0 || !is_known || !atomic_exchange(&trap.is_told[number], true)) {
		write_line(number, error);
	}
	if (error == 0) {
		end();
	}
	give(context, -error);
	errno = before;
}

err_t
sandbox_trap(const struct sandbox_conf *c)
{
	struct sigaction a = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigemptyset(&a.sa_mask);
	trap.fd = c->log->fd;
	trap.to_journal = c->log->to_journal;
	trap.null = c->role == SANDBOX_SERVER || c->role == SANDBOX_STORE ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	trap.role = sandbox_role_name(c->role);
	for (int i = 0; i < CALLS; i++) {
		trap.names[i] = trap.names[i] != NULL ? trap.names[i] : seccomp_syscall_resolve_num_arch(seccomp_arch_native(), i);
	}
	return sigprocmask(SIG_UNBLOCK, &set, NULL) == 0 && sigaction(SIGSYS, &a, NULL) == 0 ? OK : E_UNSUPPORTED;
}
