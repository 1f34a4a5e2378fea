#include "ops/privs.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned long file_capabilities = 1ul << CAP_DAC_OVERRIDE | 1ul << CAP_FOWNER;

/* ---- memory ---- */

void
privs_hide_memory(void)
{
	const struct rlimit none = { 0 };
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- users ---- */

static void
take(struct privs_who *out, const struct passwd *pw)
{
	*out = (struct privs_who){ .is_other = true, .uid = pw->pw_uid, .gid = pw->pw_gid };
	snprintf(out->name, sizeof out->name, "%s", pw->pw_name);
}

err_t
privs_find(const char *name, struct privs_who *out, struct diag *diag)
{
	errno = 0;
	const struct passwd *pw = strlen(name) < PRIVS_NAME_MAX ? getpwnam(name) : NULL;
	if (pw == NULL) {
		diag_set(diag, DIAG_ERROR, "privileges", "user %s: %s", name, errno != 0 ? strerror(errno) : "no such user");
		diag_hint(diag, "create the user with: useradd --system --shell /usr/sbin/nologin %s", name);
		return E_NOTFOUND;
	}
	take(out, pw);
	return OK;
}

err_t
privs_find_unprivileged(struct privs_who *out)
{
	static const char *const names[] = { "origin", "nobody" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct passwd *pw = getpwnam(names[i]);
		if (pw != NULL && pw->pw_uid != 0) {
			take(out, pw);
			return OK;
		}
	}
	return E_NOTFOUND;
}

void
privs_find_owner(uid_t uid, gid_t gid, struct privs_who *out)
{
	const struct passwd *pw = getpwuid(uid);
	*out = (struct privs_who){ .is_other = true, .uid = uid, .gid = gid };
	if (pw != NULL) {
		take(out, pw);
	}
}

void
privs_print(const struct privs_who *who, char out[PRIVS_NAME_MAX])
{
	uid_t uid = who->is_other ? who->uid : geteuid();
	const struct passwd *pw = who->name[0] == '\0' ? getpwuid(uid) : NULL;
	if (who->name[0] != '\0' || pw != NULL) {
		snprintf(out, PRIVS_NAME_MAX, "%s", pw != NULL ? pw->pw_name : who->name);
	} else {
		snprintf(out, PRIVS_NAME_MAX, "%u", uid);
	}
}

/* ---- dropping privileges ---- */

static err_t
fail(struct diag *diag, const char *what)
{
	diag_set(diag, DIAG_ERROR, "privileges", "%s: %s", what, strerror(errno));
	return E_IO;
}

/* Makes sure that no capability comes back by a change of ids or by executing a program as root.  This needs CAP_SETPCAP, which root has;
 * other users have nothing that could come back.  A process that keeps root's access to files must pass it on to the git hooks it runs, so
 * then SECBIT_NOROOT is not set. */
static void
lock_capabilities(unsigned long kept)
{
	unsigned long bits = SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
	                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	bits |= kept == 0 ? SECBIT_NOROOT | SECBIT_NOROOT_LOCKED : 0;
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++) {
		if ((kept & 1ul << c) == 0) {
			(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
		}
	}
	(void)prctl(PR_SET_SECUREBITS, bits, 0, 0, 0);
}

static err_t
drop_capabilities(unsigned long kept, struct diag *diag)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
		{ .permitted = (uint32_t)kept, .effective = (uint32_t)kept },
	};
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* capset() with no permitted ones empties it as well */
	return syscall(SYS_capset, &head, sets) == 0 ? OK : fail(diag, "capabilities");
}

static bool
is_already(const struct privs_who *who)
{
	return getuid() == who->uid && geteuid() == who->uid && getgid() == who->gid && getegid() == who->gid;
}

static err_t
become(const struct privs_who *who, struct diag *diag)
{
	uid_t uid = who->uid;
	gid_t gid = who->gid;
	if (is_already(who)) {
		return OK;
	}
	if ((who->name[0] != '\0' ? initgroups(who->name, gid) : setgroups(0, NULL)) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0) {
		char name[PRIVS_NAME_MAX];
		privs_print(who, name);
		diag_set(diag, DIAG_ERROR, "privileges", "cannot become user %s: %s", name, strerror(errno));
		diag_hint(diag, "start as root, or leave --user out");
		return E_IO;
	}
	return OK;
}

/* Only root has them to keep. */
static unsigned long
kept_by(const struct privs_who *who)
{
	unsigned long kept = (who->keeps_files ? file_capabilities : 0) | (who->keeps_clock ? 1ul << CAP_SYS_TIME : 0);
	return geteuid() == 0 ? kept : 0;
}

err_t
privs_drop(const struct privs_who *who, struct diag *diag)
{
	unsigned long kept = kept_by(who);
	lock_capabilities(kept);
	if (who->is_other) {
		TRY(become(who, diag));
	}
	TRY(drop_capabilities(kept, diag));
	if (who->is_other && who->uid != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
		diag_set(diag, DIAG_ERROR, "privileges", "could become root again");
		return E_IO;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		return fail(diag, "no_new_privs");
	}
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? OK : fail(diag, "not dumpable");
}

bool
privs_would_do(const struct privs_who *who, err_t (*check)(const void *ctx), const void *ctx)
{
	struct diag diag;
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		_exit(privs_drop(who, &diag) == OK && check(ctx) == OK ? 0 : 1);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

err_t
privs_die_with_parent(int parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
		return E_IO;
	}
	return getppid() == parent ? OK : E_STOPPED; /* the parent may have ended before the prctl */
}

err_t
privs_raise_files(size_t n, size_t *got)
{
	struct rlimit limit;
	*got = 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return E_IO;
	}
	if (limit.rlim_cur < n) {
		*got = limit.rlim_cur; /* in case that setrlimit() fails */
		limit.rlim_cur = n < limit.rlim_max ? n : limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
			return E_IO;
		}
	}
	*got = limit.rlim_cur;
	return limit.rlim_cur < n ? E_LIMIT : OK;
}
