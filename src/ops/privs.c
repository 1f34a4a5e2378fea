#include "ops/privs.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static err_t
fail(struct diag *diag, err_t err, const char *what)
{
	diag_set(diag, DIAG_ERROR, "privileges", "%s: %s", what, strerror(errno));
	return err;
}

static err_t
become(const char *user, struct diag *diag)
{
	errno = 0;
	const struct passwd *pw = getpwnam(user);
	if (pw == NULL) {
		diag_set(diag, DIAG_ERROR, "privileges", "user %s: %s", user, errno != 0 ? strerror(errno) : "no such user");
		diag_hint(diag, "make it with: useradd --system --shell /usr/sbin/nologin %s", user);
		return E_NOTFOUND;
	}
	uid_t uid = pw->pw_uid;
	gid_t gid = pw->pw_gid;
	if (getuid() == uid && geteuid() == uid && getgid() == gid && getegid() == gid) {
		return OK;
	}
	if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
		diag_set(diag, DIAG_ERROR, "privileges", "cannot become user %s: %s", user, strerror(errno));
		diag_hint(diag, "start as root, or leave --user out");
		return E_IO;
	}
	if (uid != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
		diag_set(diag, DIAG_ERROR, "privileges", "could become root again");
		return E_IO;
	}
	return OK;
}

/* What a service manager gave for opening the sockets (CAP_NET_BIND_SERVICE).  Root without --user keeps its
 * own: it may need them to read the repository. */
static err_t
drop_capabilities(struct diag *diag)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (geteuid() == 0) {
		return OK;
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* emptied with the permitted ones anyway */
	return syscall(SYS_capset, &head, none) == 0 ? OK : fail(diag, E_IO, "capabilities");
}

err_t
privs_drop(const char *user, struct diag *diag)
{
	if (user != NULL) {
		TRY(become(user, diag));
	}
	TRY(drop_capabilities(diag));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		return fail(diag, E_IO, "no_new_privs");
	}
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		return fail(diag, E_IO, "not dumpable");
	}
	return OK;
}

err_t
privs_die_with_parent(int parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
		return E_IO;
	}
	return getppid() == parent ? OK : E_STOPPED; /* it may have ended before the prctl */
}

err_t
privs_raise_files(size_t n, size_t *got)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return E_IO;
	}
	if (limit.rlim_cur < n) {
		limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
			return E_IO;
		}
	}
	*got = limit.rlim_cur;
	return limit.rlim_cur < n ? E_LIMIT : OK;
}
