#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "image/child.h"
#include "image/cmdline.h"
#include "image/credentials.h"
#include "image/modules.h"
#include "image/mounts.h"
#include "image/network.h"
#include "image/power.h"
#include "image/timekeeper.h"
#include "ops/clock.h"
#include "ops/files.h"

enum {
	FILES_MAX = 65536,     /* as the unit files have it (contrib/systemd) */
	FIRST_CLOCK_MS = 5000, /* how long the program waits for the time */
	END_MS = 10000,        /* how long the program may take to end */
	STATUS_OK = 0,
	STATUS_USAGE = 2,      /* of our programs: another start would bring the same */
};

static const char SELF[] = "/init";

enum what_next { STAY, POWER_OFF, REBOOT };

struct machine {
	const char *program;
	struct log log;
	struct cmdline cmdline;
	struct settings settings;
	struct child daemon, clock;
	struct timekeeper timekeeper;
	struct power power;
	bool has_credentials;
	int signals;
	enum what_next next;
};

bool
image_is_here(void)
{
	return getpid() == 1 && access("/modules", F_OK) == 0 && access("/proc/self", F_OK) != 0;
}

/* ---- the end ---- */

/* The kernel panics when process 1 ends, so this is the only way out. */
[[gnu::noreturn]] static void
leave(enum what_next next)
{
	(void)kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
	}
	mounts_down();
	(void)reboot(next == REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
	for (;;) {
		pause();
	}
}

[[gnu::noreturn]] static void
give_up(const struct machine *m, const struct diag *diag)
{
	log_event(&m->log, LOG_LEVEL_ERROR, "machine-failed", "text=%s hint=%s", diag->text, diag->hint);
	leave(POWER_OFF);
}

static void
require(const struct machine *m, err_t err, const struct diag *diag)
{
	if (err != OK) {
		give_up(m, diag);
	}
}

/* ---- the start ---- */

/* The kernel has opened its console as 0, 1 and 2, if it has one. */
static void
open_descriptors(void)
{
	int fd;
	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO) {
	}
	file_close(&fd);
}

static err_t
read_settings(struct machine *m, struct diag *diag)
{
	char text[2 * CMDLINE_MAX];
	[[gnu::cleanup(file_close)]] int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
	if (n < 0) {
		diag_set(diag, DIAG_ERROR, "cmdline", "/proc/cmdline: %s", strerror(errno));
		return E_IO;
	}
	err_t err = cmdline_read(&m->cmdline, text, (size_t)n, diag);
	wipe(text, sizeof text);
	return err == OK ? settings_read(&m->settings, m->cmdline.words, m->cmdline.words_n, diag) : err;
}

static err_t
load_modules(const struct machine *m, struct diag *diag)
{
	err_t err = modules_load(&m->log);
	if (err != OK) {
		diag_set(diag, DIAG_ERROR, "modules", "cannot read /modules: %s", strerror(errno));
		diag_hint(diag, "make the image anew");
	}
	return err;
}

static err_t
name_machine(const struct machine *m, struct diag *diag)
{
	const char *name = m->settings.hostname != NULL ? m->settings.hostname : m->program;
	if (sethostname(name, strlen(name)) != 0) {
		diag_set(diag, DIAG_ERROR, "hostname", "the machine cannot be named %s: %s", name, strerror(errno));
		diag_hint(diag, "give it another name with --hostname");
		return E_IO;
	}
	return OK;
}

static void
allow_files(void)
{
	const struct rlimit most = { .rlim_cur = FILES_MAX, .rlim_max = FILES_MAX };
	(void)setrlimit(RLIMIT_NOFILE, &most);
}

static void
log_start(const struct machine *m)
{
	struct utsname name;
	uname(&name);
	log_event(&m->log, LOG_LEVEL_INFO, "machine-starting", "program=%s version=%s kernel=%s", m->program, ORIGIN_VERSION, name.release);
}

/* When the image was made: all its files have that time. */
static int64_t
made_s(void)
{
	struct stat st;
	return stat(SELF, &st) == 0 ? st.st_mtime : 0;
}

/* ---- the clock ---- */

static void
run_clock(void *ctx)
{
	struct machine *m = ctx;
	for (size_t i = 0; i < m->settings.words_n; i++) { /* in our copy; they are not for a process that strangers reach */
		wipe(m->settings.words[i], strlen(m->settings.words[i]));
	}
	files_keep(&m->timekeeper.told, m->timekeeper.told >= 0);
	timekeeper_run(&m->timekeeper);
}

/* Certificates and signatures want the right time from the beginning, but zones are better served late than never. */
static void
start_clock(struct machine *m)
{
	int told[2] = { -1, -1 };
	m->clock = (struct child){ .name = "clock", .run = run_clock, .ctx = m };
	m->timekeeper = (struct timekeeper){ .settings = &m->settings, .log = &m->log, .floor_ns = made_s() * 1000000000, .told = -1 };
	if (m->settings.time_servers_n == 0) {
		return;
	}
	if (pipe2(told, O_CLOEXEC) == 0) {
		m->timekeeper.told = told[1];
	}
	child_look(&m->clock, &m->log, clock_ms());
	file_close(&m->timekeeper.told);
	struct pollfd p = { .fd = told[0], .events = POLLIN };
	(void)poll(&p, 1, FIRST_CLOCK_MS);
	file_close(&told[0]);
}

static void
check_clock(const struct machine *m)
{
	if ((int64_t)clock_wall_s() < made_s()) {
		log_event(&m->log, LOG_LEVEL_ERROR, "clock-behind", "hint=%s",
		          "signed requests will fail: give the machine a clock (microvm: rtc=on), or --time-server=ADDRESS");
	}
}

/* ---- the program ---- */

/* Executed anew, so that each start has its own addresses in memory, and none of process 1's secrets. */
static void
run_daemon(void *ctx)
{
	const struct machine *m = ctx;
	char *argv[CMDLINE_WORDS_MAX + 2] = { (char *)m->program };
	const char *const env[] = { "HOME=/", "TMPDIR=/tmp", m->has_credentials ? "CREDENTIALS_DIRECTORY=" CREDENTIALS_DIR : NULL, NULL };
	memcpy(argv + 1, m->settings.words, (m->settings.words_n + 1) * sizeof argv[0]);
	(void)umask(0077);
	(void)execve(SELF, argv, (char *const *)env);
	log_event(&m->log, LOG_LEVEL_ERROR, "process-failed", "process=%s text=%s", m->program, strerror(errno));
}

/* ---- afterwards ---- */

static void
end(struct machine *m, enum what_next next, const char *why)
{
	if (m->next == STAY) {
		m->next = next;
		log_event(&m->log, LOG_LEVEL_INFO, "machine-ending", "why=%s next=%s", why, next == REBOOT ? "reboot" : "power-off");
	}
}

/* A status that would be the same next time ends the machine: the command line does not change while it runs. */
static void
on_daemon_ended(struct machine *m, int status)
{
	bool is_exit = WIFEXITED(status);
	if (is_exit && WEXITSTATUS(status) == STATUS_OK) {
		end(m, POWER_OFF, "the program has ended");
	} else if (is_exit && WEXITSTATUS(status) == STATUS_USAGE) {
		end(m, POWER_OFF, "the program's arguments are wrong");
	}
}

static void
reap(struct machine *m)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		uint64_t now_ms = clock_ms();
		bool is_clock = child_has_ended(&m->clock, &m->log, pid, status, now_ms);
		if (!is_clock && pid == m->daemon.pid) {
			if (m->next == STAY) {
				on_daemon_ended(m, status);
			}
			if (m->next != STAY) {
				m->daemon.pid = 0;
			} else {
				(void)child_has_ended(&m->daemon, &m->log, pid, status, now_ms);
			}
		}
	}
}

static void
take_signals(struct machine *m)
{
	struct signalfd_siginfo s;
	while (read(m->signals, &s, sizeof s) == (ssize_t)sizeof s) {
		switch (s.ssi_signo) {
		case SIGTERM: end(m, POWER_OFF, "SIGTERM"); break;
		case SIGPWR: end(m, POWER_OFF, "SIGPWR"); break;
		case SIGINT: end(m, REBOOT, "Ctrl-Alt-Del"); break; /* the kernel sends it to process 1 */
		default: reap(m); break;
		}
	}
}

/* Waits for a signal, the button, or `until_ms`. */
static void
await(struct machine *m, uint64_t until_ms)
{
	struct pollfd p[1 + POWER_BUTTONS_MAX] = { { .fd = m->signals, .events = POLLIN } };
	uint64_t now_ms = clock_ms(), left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	for (size_t i = 0; i < m->power.n; i++) {
		p[1 + i] = (struct pollfd){ .fd = m->power.fds[i], .events = POLLIN };
	}
	(void)poll(p, 1 + (nfds_t)m->power.n, until_ms == UINT64_MAX ? -1 : (int)left_ms);
	for (size_t i = 0; i < m->power.n; i++) {
		if (power_is_pressed(&m->power, i)) {
			end(m, POWER_OFF, "the power button");
		}
	}
	take_signals(m);
}

static uint64_t
due(const struct machine *m)
{
	uint64_t clock_due = m->clock.pid == 0 && m->settings.time_servers_n > 0 ? m->clock.due_ms : UINT64_MAX;
	uint64_t daemon_due = m->daemon.pid == 0 ? m->daemon.due_ms : UINT64_MAX;
	return clock_due < daemon_due ? clock_due : daemon_due;
}

[[gnu::noreturn]] static void
watch(struct machine *m)
{
	while (m->next == STAY) {
		child_look(&m->daemon, &m->log, clock_ms());
		if (m->settings.time_servers_n > 0) {
			child_look(&m->clock, &m->log, clock_ms());
		}
		await(m, due(m));
	}
	uint64_t end_ms = clock_ms() + END_MS;
	if (m->daemon.pid != 0) {
		(void)kill(m->daemon.pid, SIGTERM);
	}
	while (m->daemon.pid != 0 && clock_ms() < end_ms) {
		await(m, end_ms);
	}
	leave(m->next);
}

static void
hold_signals(struct machine *m)
{
	sigset_t set;
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	(void)reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del is SIGINT, and not a reset at once */
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void
image_run(const char *program)
{
	static struct machine m;
	struct diag diag = { .code = "machine" };
	m.program = program;
	m.daemon = (struct child){ .name = program, .run = run_daemon, .ctx = &m };
	hold_signals(&m);
	log_init(&m.log, LOG_LEVEL_INFO);
	require(&m, mounts_up(&diag), &diag);
	open_descriptors();
	log_start(&m);
	require(&m, read_settings(&m, &diag), &diag);
	require(&m, load_modules(&m, &diag), &diag);
	require(&m, name_machine(&m, &diag), &diag);
	allow_files();
	power_open(&m.power);
	mounts_disk(&m.log);
	m.has_credentials = credentials_take(&m.log);
	require(&m, network_up(&m.settings, &m.log, &diag), &diag);
	mounts_seal(&m.log);
	start_clock(&m);
	check_clock(&m);
	watch(&m);
}
