#include "image/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/files.h"

static const char DATA[] = "/data";

enum { NO_PROGRAMS = MS_NOSUID | MS_NODEV | MS_NOEXEC };

static const struct place {
	const char *type, *path;
	unsigned long flags;
	const char *options;
} places[] = {
	{ "proc", "/proc", NO_PROGRAMS, NULL },
	{ "sysfs", "/sys", NO_PROGRAMS, NULL },
	{ "devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755" },
	{ "tmpfs", "/run", NO_PROGRAMS, "mode=0755" },
	{ "tmpfs", "/tmp", NO_PROGRAMS, "mode=1777" },
};

err_t
mounts_up(struct diag *diag)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const struct place *p = &places[i];
		if (mount(p->type, p->path, p->type, p->flags, p->options) != 0) {
			diag_set(diag, DIAG_ERROR, "mount", "cannot mount %s: %s", p->path, strerror(errno));
			diag_hint(diag, "the image is not complete, or the kernel is of another kind than expected");
			return E_IO;
		}
	}
	return OK;
}

/* ---- a disk ---- */

void
mounts_disk(const struct log *log)
{
	static const char *const disks[] = { "/dev/vda", "/dev/xvda" };
	for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
		if (access(disks[i], F_OK) != 0) {
			continue;
		}
		if (mount(disks[i], DATA, "ext4", NO_PROGRAMS, "") == 0) {
			/* The program makes its own directory here, as root. */
			log_event(log, LOG_LEVEL_INFO, "disk", "device=%s path=%s", disks[i], DATA);
		} else {
			log_event(log, LOG_LEVEL_ERROR, "disk-failed", "device=%s text=%s hint=%s", disks[i], strerror(errno),
			          "make a file system of type ext4 on it: mkfs.ext4 FILE");
		}
		return;
	}
}

void
mounts_down(void)
{
	sync();
	(void)umount2(DATA, 0);
	sync();
}

/* ---- the kernel ---- */

err_t
kernel_setting(const char *path, const char *value)
{
	[[gnu::cleanup(file_close)]] int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 ? file_write(fd, value, strlen(value)) : E_IO;
}

/* None of these is needed by any of our programs; each is a way in that others have used. */
static const struct setting {
	const char *path, *value;
} settings[] = {
	{ "/proc/sys/kernel/modules_disabled", "1" },
	{ "/proc/sys/kernel/kexec_load_disabled", "1" },
	{ "/proc/sys/kernel/dmesg_restrict", "1" }, /* the command line is there, which may have secrets */
	{ "/proc/sys/kernel/kptr_restrict", "2" },
	{ "/proc/sys/kernel/unprivileged_bpf_disabled", "1" },
	{ "/proc/sys/kernel/perf_event_paranoid", "3" },
	{ "/proc/sys/kernel/yama/ptrace_scope", "3" },
	{ "/proc/sys/user/max_user_namespaces", "0" },
	{ "/proc/sys/fs/suid_dumpable", "0" },
};

void
mounts_seal(const struct log *log)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		/* A kernel that was built without a thing need not be told to do without. */
		if (kernel_setting(settings[i].path, settings[i].value) != OK && errno != ENOENT) {
			log_event(log, LOG_LEVEL_WARNING, "seal-failed", "what=%s text=%s", settings[i].path, strerror(errno));
		}
	}
	if (chmod("/proc/cmdline", 0400) != 0) { /* it may have secrets; process 1 has read it */
		log_event(log, LOG_LEVEL_WARNING, "seal-failed", "what=%s text=%s", "/proc/cmdline", strerror(errno));
	}
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0) {
		log_event(log, LOG_LEVEL_WARNING, "seal-failed", "what=%s text=%s", "/", strerror(errno));
	}
}
