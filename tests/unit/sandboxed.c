/* Enters a role of ops/sandbox.h, and then tries what it is told to: for tests/system/test_sandbox.py.
 *
 *   sandboxed ROLE [read=PATH] [write=DIR] [port=N|any] -- DEED [ARGUMENT]
 *
 * Prints "done" or the name of the error; a call that ends the process ends this one.  In the role git-worker the process enters git first,
 * as a worker's parents do. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops/privs.h"
#include "ops/sandbox.h"

enum { PAGE = 4096, UNKNOWN = 1000 /* a system call that no kernel has yet */ };

/* Each returns something negative when it did not succeed, and errno says why. */

static int
open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int
make_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int kept_dir = -1; /* of write= */

/* As a state directory is used. */
static int
make_file_in(const char *unused)
{
	(void)unused;
	return openat(kept_dir, "made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int
exec(const char *path)
{
	return execl(path, path, NULL);
}

static int
start_process(const char *unused)
{
	(void)unused;
	pid_t child = fork();
	if (child == 0) {
		_exit(0);
	}
	return child < 0 ? -1 : waitpid(child, NULL, 0);
}

static void *
run(void *unused)
{
	return unused;
}

static int
start_thread(const char *unused)
{
	pthread_t thread;
	(void)unused;
	errno = pthread_create(&thread, NULL, run, NULL);
	return errno != 0 ? -1 : pthread_join(thread, NULL);
}

static int
trace(const char *unused)
{
	(void)unused;
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
read_memory(const char *unused)
{
	static char octets[16];
	struct iovec to = { octets, sizeof octets }, from = { octets, sizeof octets };
	(void)unused;
	return (int)process_vm_readv(getppid(), &to, 1, &from, 1, 0);
}

static struct sockaddr_in
at(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int
connect_to(const char *port)
{
	struct sockaddr_in to = at(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&to, sizeof to);
}

static int
listen_at_port(const char *port)
{
	struct sockaddr_in to = at(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof to) != 0 ? -1 : listen(fd, 1);
}

/* A port that the system chooses. */
static int
bind_address(const char *unused)
{
	struct sockaddr_in from = at("0");
	(void)unused;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&from, sizeof from);
}

static int
send_udp(const char *port)
{
	struct sockaddr_in to = at(port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : (int)sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to);
}

static int
make_local_socket(const char *unused)
{
	(void)unused;
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
make_raw_socket(const char *unused)
{
	(void)unused;
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
}

static int
map_writable_code(const char *unused)
{
	(void)unused;
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int
execute_data(const char *unused)
{
	(void)unused;
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED ? -1 : mprotect(page, PAGE, PROT_READ | PROT_EXEC);
}

static int
signal_parent(const char *unused)
{
	(void)unused;
	return kill(getppid(), 0);
}

static int
raise_limit(const char *unused)
{
	struct rlimit r;
	(void)unused;
	return getrlimit(RLIMIT_CORE, &r) != 0 ? -1 : setrlimit(RLIMIT_CORE, &(struct rlimit){ PAGE, PAGE });
}

static int
call_unknown(const char *unused)
{
	(void)unused;
	return (int)syscall(UNKNOWN);
}

static int
make_namespace(const char *unused)
{
	(void)unused;
	return (int)syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
}

static int
load_key(const char *unused)
{
	(void)unused;
	return (int)syscall(SYS_keyctl, 0, -3, 0, 0, 0);
}

/* getpid() as a program of 32 bits calls it, which a hook may start. */
static int
call_as_older(const char *unused)
{
	(void)unused;
#ifdef __x86_64__
	long number = 20;
	__asm__ volatile("int $0x80" : "+a"(number) : : "memory", "cc", "r8", "r9", "r10", "r11");
	return (int)number;
#else
	return 0;
#endif
}

static const struct {
	const char *name;
	int (*try)(const char *argument);
} deeds[] = {
	{ "open", open_file }, { "make", make_file }, { "make-in", make_file_in }, { "exec", exec }, { "process", start_process },
	{ "thread", start_thread }, { "ptrace", trace }, { "memory", read_memory }, { "connect", connect_to }, { "listen", listen_at_port },
	{ "bind", bind_address }, { "udp", send_udp }, { "local-socket", make_local_socket }, { "raw-socket", make_raw_socket },
	{ "writable-code", map_writable_code }, { "data-as-code", execute_data }, { "signal", signal_parent }, { "limit", raise_limit },
	{ "unknown", call_unknown }, { "namespace", make_namespace }, { "keyctl", load_key },
	{ "older-call", call_as_older },
};

/* ---- the role ---- */

static const char *const roles[] = {
	[SANDBOX_SERVER] = "server", [SANDBOX_STORE] = "store", [SANDBOX_ACME] = "acme", [SANDBOX_GIT] = "git",
	[SANDBOX_GIT_WORKER] = "git-worker", [SANDBOX_GIT_LOCAL] = "git-local",
};

static int
bad(const char *what)
{
	fprintf(stderr, "%s?\n", what);
	return 2;
}

static bool
take_option(struct sandbox_conf *c, const char *text)
{
	const char *value = strchr(text, '=');
	if (value == NULL) {
		return false;
	}
	value++;
	if (strncmp(text, "read=", 5) == 0) {
		sandbox_add_place(c, value, SANDBOX_READ);
	} else if (strncmp(text, "write=", 6) == 0) {
		kept_dir = open(value, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		sandbox_add_dir(c, kept_dir);
	} else if (strcmp(text, "port=any") == 0) {
		c->is_any_port = true;
	} else {
		sandbox_add_port(c, (uint16_t)atoi(value));
	}
	return true;
}

static err_t
enter(struct sandbox_conf *c, struct diag *d)
{
	const struct privs_who same = { 0 };
	struct sandbox_state s;
	bool is_worker = c->role == SANDBOX_GIT_WORKER;
	c->role = is_worker ? SANDBOX_GIT : c->role;
	TRY(privs_drop(&same, d));
	if (c->role == SANDBOX_ACME || c->role == SANDBOX_GIT) {
		sandbox_add_system(c);
	}
	TRY(sandbox_enter(c, &s, d));
	sandbox_say(c->log, c->role, &s);
	return is_worker ? sandbox_enter_worker(d) : OK;
}

static int
deed(const char *name, const char *argument)
{
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++) {
		if (strcmp(deeds[i].name, name) == 0) {
			errno = 0;
			puts(deeds[i].try(argument) >= 0 ? "done" : strerrorname_np(errno));
			return 0;
		}
	}
	return bad(name);
}

int
main(int argc, char **argv)
{
	struct log log;
	struct sandbox_conf c = { .log = &log };
	struct diag d;
	int i = 2;
	log_init(&log, LOG_LEVEL_INFO);
	while (argc > 1 && c.role < SANDBOX_ROLES && strcmp(roles[c.role], argv[1]) != 0) {
		c.role++;
	}
	while (i < argc && take_option(&c, argv[i])) {
		i++;
	}
	if (c.role == SANDBOX_ROLES || i + 1 >= argc || strcmp(argv[i], "--") != 0) {
		return bad("sandboxed ROLE [read=PATH] [write=DIR] [port=N|any] -- DEED [ARGUMENT]");
	}
	if (enter(&c, &d) != OK) {
		return bad(d.text);
	}
	return deed(argv[i + 1], i + 2 < argc ? argv[i + 2] : "");
}
