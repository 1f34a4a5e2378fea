#include "image/credentials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ops/files.h"

enum {
	CREDENTIAL_MAX = 64 << 10, /* octets */
	CREDENTIALS_MAX = 64,
};

static const char FIRMWARE[] = "/sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials";

/* Reads the whole file.  E_LIMIT: it has CREDENTIAL_MAX octets or more. */
static err_t
read_whole(int fd, uint8_t octets[CREDENTIAL_MAX], size_t *len)
{
	size_t have = 0;
	for (ssize_t n; (n = read(fd, octets + have, CREDENTIAL_MAX - have)) != 0;) {
		if (n < 0) {
			return E_IO;
		}
		have += (size_t)n;
		if (have == CREDENTIAL_MAX) {
			return E_LIMIT;
		}
	}
	*len = have;
	return OK;
}

/* One that cannot be read is empty then: a program that wants it says so and ends, and does not go on without it. */
static err_t
copy(int from, int to, const char *name)
{
	char path[NAME_MAX + sizeof "/raw"];
	static uint8_t octets[CREDENTIAL_MAX];
	size_t len;
	(void)snprintf(path, sizeof path, "%s/raw", name);
	[[gnu::cleanup(file_close)]] int source = openat(from, path, O_RDONLY | O_CLOEXEC);
	[[gnu::cleanup(file_close)]] int sink = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	err_t err = source >= 0 && sink >= 0 ? read_whole(source, octets, &len) : E_IO;
	err = err == OK ? file_write(sink, octets, len) : err;
	wipe(octets, sizeof octets);
	return err;
}

static unsigned
count(int dir)
{
	unsigned n = 0;
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(dir, ".");
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		n += e->d_name[0] != '.';
	}
	return n;
}

bool
credentials_take(const struct log *log)
{
	unsigned met = 0;
	[[gnu::cleanup(file_close)]] int to = open(CREDENTIALS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	[[gnu::cleanup(file_close_dir)]] DIR *d = file_list(AT_FDCWD, FIRMWARE);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.') {
			continue;
		}
		err_t err = met++ < CREDENTIALS_MAX ? copy(dirfd(d), to, e->d_name) : E_LIMIT;
		if (err != OK) {
			log_event(log, LOG_LEVEL_ERROR, "credential-failed", "name=%s text=%s", e->d_name,
			          err == E_IO ? strerror(errno) : err_str(err));
		}
	}
	unsigned n = to >= 0 ? count(to) : 0;
	if (n > 0) {
		log_event(log, LOG_LEVEL_INFO, "credentials", "n=%u", n);
	}
	return n > 0;
}
