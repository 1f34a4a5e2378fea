/* Drives the git side by hand, for the system tests: the other end of its link, as lines of text.
 *
 *   git_pull REMOTE [--ssh-key=K] [--authenticator=F] [--known-hosts=FILE] [--ca-file=FILE] [--credentials=FILE]
 *            [--cache-dir=DIR] [--timeout=S] [--time-max=S] [--memory-max=MIB] [--linger=S] [--patience=S] [--file-max=N] [--total-max=N] [--name=N] [--mail=M] [--past]
 *
 * Reads PULL, WHOLE, GET PATH, DONE [STATUS], PUSH, QUIT; writes one line a frame, and for a COMMIT one a file.
 *
 * PULL and WHOLE are numbered from 1.
 *
 *   PUSH ID N       ID: the commit to build on, "-" for none.  N lines follow, and after each that says how long it is, so many
 *   MESSAGE LEN     octets:
 *   PUT LEN PATH
 *   REMOVE PATH
 *   NAMED PATH
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "git/gitproc.h"
#include "git/link.h"
#include "git/link_files.h"

static bool shows_past; /* what files were before is shown, too */
static uint64_t pulls;

static const char *
value_of(const char *arg, const char *name)
{
	size_t n = strlen(name);
	return strncmp(arg, name, n) == 0 && arg[n] == '=' ? arg + n + 1 : NULL;
}

static err_t
read_credentials(struct git_conf *c, const char *path, struct diag *diag)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		return E_IO;
	}
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	return git_conf_credentials(c, text, n, diag);
}

static err_t
take_arg(struct git_conf *c, const char *arg, struct diag *diag)
{
	const char *v;
	if ((v = value_of(arg, "--ssh-key")) != NULL) {
		return git_conf_ssh_key(c, v, diag);
	} else if ((v = value_of(arg, "--authenticator")) != NULL) {
		return git_conf_authenticator(c, v, diag);
	} else if ((v = value_of(arg, "--credentials")) != NULL) {
		return read_credentials(c, v, diag);
	} else if ((v = value_of(arg, "--known-hosts")) != NULL) {
		c->known_hosts = v;
	} else if ((v = value_of(arg, "--ca-file")) != NULL) {
		c->ca_file = v;
	} else if ((v = value_of(arg, "--cache-dir")) != NULL) {
		c->cache_dir = v;
	} else if ((v = value_of(arg, "--timeout")) != NULL) {
		c->fetch_timeout_s = (unsigned)atoi(v);
	} else if ((v = value_of(arg, "--time-max")) != NULL) {
		c->fetch_max_s = (unsigned)atoi(v);
	} else if ((v = value_of(arg, "--memory-max")) != NULL) {
		c->memory_max = (uint64_t)atoll(v) << 20;
	} else if ((v = value_of(arg, "--linger")) != NULL) {
		c->linger_s = (unsigned)atoi(v);
	} else if ((v = value_of(arg, "--patience")) != NULL) {
		c->cache_patience_s = (unsigned)atoi(v);
	} else if ((v = value_of(arg, "--file-max")) != NULL) {
		c->file_max = (size_t)atoll(v);
	} else if ((v = value_of(arg, "--total-max")) != NULL) {
		c->total_max = c->text_max = (uint64_t)atoll(v);
	} else if (strcmp(arg, "--past") == 0) {
		shows_past = true;
	} else if ((v = value_of(arg, "--committer")) != NULL) {
		return git_conf_committer(c, v, diag);
	} else {
		return git_conf_remote(c, arg, diag);
	}
	return OK;
}

static void
show_content(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		sum = sum * 31 + bytes[i];
	}
	printf(" len=%zu sum=%08x", len, sum);
	if (len <= 120 && len > 0 && memchr(bytes, '\n', len - 1) == NULL) {
		printf(" text=%.*s", (int)(bytes[len - 1] == '\n' ? len - 1 : len), (const char *)bytes);
	}
	printf("\n");
}

/* Without what they were before. */
static uint32_t
count_files(const struct link_frame *f)
{
	struct link_map m = { 0 };
	struct link_file file;
	uint32_t n = 0;
	if (link_map(f->fd, &m) != OK) {
		return f->n;
	}
	for (struct link_files files = link_files_over(&m, f->n); link_files_next(&files, &file) == OK;) {
		n += file.kind != LINK_ENTRY_PAST;
	}
	link_unmap(&m);
	return n;
}

static void
show_files(const struct link_frame *f)
{
	static const char *const kinds[] = { "?", "PUT", "REMOVE", "REFUSED", "NAMED", "MESSAGE", "PAST", "ALLOWED", "SIGNED" };
	struct link_map m = { 0 };
	struct link_file file;
	err_t err = link_map(f->fd, &m);
	struct link_files files = link_files_over(&m, f->n);
	while (err == OK && (err = link_files_next(&files, &file)) == OK) {
		if (file.kind == LINK_ENTRY_PAST && !shows_past) {
			continue;
		}
		printf(" %s %s", kinds[file.kind], file.path);
		show_content(file.bytes, file.len);
	}
	if (err != E_NOTFOUND) {
		printf(" BROKEN %s\n", err_str(err));
	}
	link_unmap(&m);
}

static void
show(const struct link_frame *f)
{
	static const char *const types[] = {
		"?", "PULL", "GET", "DONE", "COMMIT", "UPTODATE", "FILE", "FAILED", "PUSH", "PUSHED", "PUSH_FAILED", "PROGRESS", "NOTE",
	};
	const char *has = f->flags & LINK_HAS_PUSHED ? " has" : f->flags & LINK_NO_BRANCH ? " none" : "";
	printf("%s", types[f->type]);
	if (f->type == LINK_COMMIT) {
		printf(" id=%s n=%u pull=%llu took_ms=%u%s%s%s%s%s\n", f->id, count_files(f), (unsigned long long)f->pull, f->took_ms,
		       f->flags & LINK_WHOLE ? " whole" : "",
		       f->flags & LINK_ALLOW_MASS_DELETE ? " allow" : "", f->flags & LINK_FROM_CACHE ? " cache" : "", has,
		       f->flags & LINK_OF_PEOPLE ? " people" : "");
		show_files(f);
	} else if (f->type == LINK_FILE && f->fd >= 0) {
		struct link_map m = { 0 };
		err_t err = link_map(f->fd, &m);
		printf(" status=%s", err_str(err != OK ? err : (err_t)f->status));
		show_content(m.bytes, m.len);
		link_unmap(&m);
	} else if (f->type == LINK_PUSHED) {
		printf(" id=%s took_ms=%u commit_us=%u push_us=%u\n", f->id, f->took_ms, f->commit_us, f->push_us);
	} else {
		printf(" id=%s%s pull=%llu took_ms=%u status=%s retry_s=%u text=%s\n", f->id, has, (unsigned long long)f->pull, f->took_ms,
		       err_str((err_t)f->status), f->retry_s, f->text);
	}
	printf("END\n");
	fflush(stdout);
}

/* Octets of the commands, which the lines are among. */
static void
read_octets(void *out, size_t n)
{
	uint8_t *at = out;
	while (n > 0) {
		ssize_t got = read(STDIN_FILENO, at, n);
		if (got <= 0) {
			exit(2);
		}
		at += got;
		n -= (size_t)got;
	}
}

static bool
read_line(char *line, size_t cap)
{
	size_t n = 0;
	while (n + 1 < cap && read(STDIN_FILENO, line + n, 1) == 1 && line[n] != '\n') {
		n++;
	}
	bool is_whole = line[n] == '\n';
	line[n] = '\0';
	return is_whole;
}

static void
read_entry(struct link_build *b)
{
	char line[LINK_TEXT_MAX + 64], *rest;
	size_t len;
	if (!read_line(line, sizeof line)) {
		exit(2);
	}
	if (strncmp(line, "REMOVE ", 7) == 0 || strncmp(line, "NAMED ", 6) == 0) {
		enum link_entry_kind kind = line[0] == 'R' ? LINK_ENTRY_REMOVE : LINK_ENTRY_NAMED;
		rest = strchr(line, ' ') + 1;
		link_build_put(b, kind, rest, strlen(rest), NULL, 0);
		return;
	}
	bool is_message = strncmp(line, "MESSAGE ", 8) == 0;
	len = strtoul(strchr(line, ' ') + 1, &rest, 10);
	uint8_t *bytes = malloc(len + 1);
	if (bytes == NULL) {
		exit(2);
	}
	read_octets(bytes, len);
	const char *path = is_message ? "" : rest + 1;
	link_build_put(b, is_message ? LINK_ENTRY_MESSAGE : LINK_ENTRY_PUT, path, strlen(path), bytes, len);
	free(bytes);
}

/* "ID N", and then N entries. */
static void
read_push(const char *line, struct link_frame *f)
{
	struct link_build b = { 0 };
	char *rest;
	size_t len = strcspn(line, " ");
	f->type = LINK_PUSH;
	snprintf(f->id, sizeof f->id, "%.*s", (int)(line[0] == '-' ? 0 : len), line);
	for (unsigned long n = strtoul(line + len, &rest, 10); n > 0; n--) {
		read_entry(&b);
	}
	if (link_build_seal(&b, &f->fd, &f->n) != OK) {
		exit(2);
	}
	link_build_fini(&b);
}

static void
command(int sock, const char *line)
{
	struct link_frame f = { .fd = -1 };
	if (strncmp(line, "PULL", 4) == 0) {
		f.type = LINK_PULL;
		f.pull = ++pulls;
	} else if (strncmp(line, "WHOLE", 5) == 0) {
		f.type = LINK_PULL;
		f.flags = LINK_WHOLE;
		f.pull = ++pulls;
	} else if (strncmp(line, "GET ", 4) == 0) {
		f.type = LINK_GET;
		snprintf(f.text, sizeof f.text, "%.*s", LINK_TEXT_MAX - 1, line + 4);
	} else if (strncmp(line, "DONE", 4) == 0) {
		f.type = LINK_DONE;
		f.status = (uint16_t)atoi(line + 4);
	} else if (strncmp(line, "PUSH ", 5) == 0) {
		read_push(line + 5, &f);
	}
	if (f.type != 0 && link_send(sock, &f) != OK) {
		printf("GONE\nEND\n");
		fflush(stdout);
	}
	if (f.fd >= 0) {
		close(f.fd);
	}
}

static void
talk(int sock)
{
	char line[LINK_TEXT_MAX + 16];
	struct pollfd p[] = { { .fd = 0, .events = POLLIN }, { .fd = sock, .events = POLLIN } };
	while (poll(p, 2, -1) >= 0) {
		struct link_frame f;
		if (p[1].revents != 0) {
			if (link_recv(sock, &f) != OK) {
				printf("GONE\nEND\n");
				return;
			}
			show(&f);
			if (f.fd >= 0) {
				close(f.fd);
			}
		}
		if (p[0].revents != 0) {
			if (!read_line(line, sizeof line) || strncmp(line, "QUIT", 4) == 0) {
				return;
			}
			command(sock, line);
		}
	}
}

int
main(int argc, char **argv)
{
	struct git_conf conf = { 0 };
	struct diag diag = { 0 };
	int pair[2];
	for (int i = 1; i < argc; i++) {
		err_t err = take_arg(&conf, argv[i], &diag);
		if (err != OK) {
			fprintf(stderr, "%s -- %s\n", diag.text, diag.hint);
			git_conf_fini(&conf);
			return 2;
		}
	}
	if (conf.url == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		return 2;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct pulse pulse = { 0 };
		err_t err = git_process_run(&conf, pair[1], &pulse);
		git_conf_fini(&conf);
		exit(err == OK ? 0 : 1);
	}
	close(pair[1]);
	printf("PID %d\nEND\n", (int)pid);
	fflush(stdout);
	talk(pair[0]);
	close(pair[0]);
	int status = 0;
	waitpid(pid, &status, 0);
	git_conf_fini(&conf);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
