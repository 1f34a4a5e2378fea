/* Landlock: files and TCP ports, by its system calls (landlock(7)), for which the C library has no functions.  The numbers of newer
 * versions are here because the headers of Debian 12 do not have them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops/files.h"
#include "ops/sandbox_p.h"

enum {
	VERSION_LEAST = 2,    /* the one before lets nobody rename a file into another directory, which git does */
	VERSION_TRUNCATE = 3,
	VERSION_PORTS = 4,
	VERSION_DEVICES = 5,
	VERSION_SCOPES = 6,
	RULE_PORT = 2,        /* LANDLOCK_RULE_NET_PORT */
};

/* Rights: LANDLOCK_ACCESS_FS_ or NET_, and LANDLOCK_SCOPE_. */
#define FS_UNTIL_REFER ((1ull << 14) - 1)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_BIND (1ull << 0)
#define NET_CONNECT (1ull << 1)
#define SCOPE_ABSTRACT_SOCKET (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

#define FILE_READ LANDLOCK_ACCESS_FS_READ_FILE
#define FILE_WRITE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define DIR_READ (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
#define DIR_WRITE (FILE_WRITE | DIR_READ | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
                   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

struct ruleset_attr { /* struct landlock_ruleset_attr */
	uint64_t fs, net, scoped;
};

struct port_attr { /* struct landlock_net_port_attr */
	uint64_t access, port;
};

static int
version_of_kernel(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* All that this version can forbid. */
static struct ruleset_attr
everything(const struct sandbox_conf *c, int version)
{
	struct ruleset_attr a = { .fs = FS_UNTIL_REFER };
	a.fs |= version >= VERSION_TRUNCATE ? FS_TRUNCATE : 0;
	a.fs |= version >= VERSION_DEVICES ? FS_IOCTL_DEV : 0;
	a.net = version >= VERSION_PORTS ? NET_BIND | (c->is_any_port ? 0 : NET_CONNECT) : 0;
	a.scoped = version >= VERSION_SCOPES ? SCOPE_ABSTRACT_SOCKET | (c->child == 0 ? SCOPE_SIGNAL : 0) : 0;
	return a;
}

static err_t
create(const struct ruleset_attr *a, int version, int *ruleset)
{
	size_t len = version >= VERSION_SCOPES ? sizeof *a : version >= VERSION_PORTS ? offsetof(struct ruleset_attr, scoped)
	                                                                            : offsetof(struct ruleset_attr, net);
	*ruleset = (int)syscall(SYS_landlock_create_ruleset, a, len, 0);
	return *ruleset >= 0 ? OK : E_UNSUPPORTED;
}

static err_t
allow_place(int ruleset, const struct ruleset_attr *a, const struct sandbox_place *p)
{
	struct stat st;
	if (fstat(p->fd, &st) != 0) {
		return E_UNSUPPORTED;
	}
	bool is_dir = S_ISDIR(st.st_mode), is_read = p->access == SANDBOX_READ;
	uint64_t access = is_dir ? (is_read ? DIR_READ : DIR_WRITE) : (is_read ? FILE_READ : FILE_WRITE);
	const struct landlock_path_beneath_attr rule = { .allowed_access = a->fs & access, .parent_fd = p->fd };
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ? OK : E_UNSUPPORTED;
}

static err_t
allow_port(int ruleset, uint64_t access, uint16_t port)
{
	const struct port_attr rule = { .access = access, .port = port };
	return syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) == 0 ? OK : E_UNSUPPORTED;
}

static err_t
allow_ports(int ruleset, const struct ruleset_attr *a, const struct sandbox_conf *c)
{
	if ((a->net & NET_BIND) != 0) {
		TRY(allow_port(ruleset, NET_BIND, 0)); /* a port that the system chooses, when only our address matters */
	}
	for (size_t i = 0; (a->net & NET_CONNECT) != 0 && i < c->ports_n; i++) {
		TRY(allow_port(ruleset, NET_CONNECT, c->ports[i]));
	}
	return OK;
}

static err_t
allow(int ruleset, const struct ruleset_attr *a, const struct sandbox_conf *c)
{
	for (size_t i = 0; i < c->places_n; i++) {
		TRY(allow_place(ruleset, a, &c->places[i]));
	}
	return allow_ports(ruleset, a, c);
}

err_t
sandbox_limit_files(const struct sandbox_conf *c, int *version, bool *has_ports)
{
	int kernel = version_of_kernel();
	[[gnu::cleanup(file_close)]] int ruleset = -1;
	if (kernel < VERSION_LEAST) {
		errno = kernel < 0 ? errno : ENOSYS;
		return E_UNSUPPORTED;
	}
	const struct ruleset_attr a = everything(c, kernel);
	TRY(create(&a, kernel, &ruleset));
	TRY(allow(ruleset, &a, c));
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
		return E_UNSUPPORTED;
	}
	*version = kernel;
	*has_ports = (a.net & NET_CONNECT) != 0;
	return OK;
}
