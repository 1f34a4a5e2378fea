#include "ops/memory_limit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PATH_OCTETS = 4096, LINE_OCTETS = PATH_OCTETS + 256 };

static void
take_lower(struct memory_limit *m, uint64_t octets, const char *from)
{
	if (octets != 0 && (m->octets == 0 || octets < m->octets)) {
		*m = (struct memory_limit){ .octets = octets, .from = from };
	}
}

/* Reads a file that has one number.  0: there is no such file, or it says "max". */
static uint64_t
read_number(const char *path)
{
	uint64_t v = 0;
	FILE *f = fopen(path, "re");
	if (f != NULL) {
		if (fscanf(f, "%" SCNu64, &v) != 1) {
			v = 0;
		}
		(void)fclose(f);
	}
	return v;
}

/* Reads the limit in the group's directory and in every directory above it: each limits all groups below. */
static void
take_group(struct memory_limit *m, const char *mount, const char *group, const char *file)
{
	char path[PATH_OCTETS];
	size_t len = strlen(group);
	for (;;) {
		while (len > 0 && group[len - 1] == '/') {
			len--;
		}
		int n = snprintf(path, sizeof path, "%s%.*s/%s", mount, (int)len, group, file);
		if (n > 0 && (size_t)n < sizeof path) {
			take_lower(m, read_number(path), "cgroup");
		}
		if (len == 0) {
			return;
		}
		while (len > 0 && group[len - 1] != '/') {
			len--;
		}
	}
}

static bool
lists_memory(const char *controllers, size_t len)
{
	static const char name[] = "memory";
	for (const char *at = controllers, *end = controllers + len; at < end;) {
		size_t n = strcspn(at, ",:");
		if (n == sizeof name - 1 && memcmp(at, name, n) == 0) {
			return true;
		}
		at += n + 1;
	}
	return false;
}

/* A line of /proc/self/cgroup: "0::/a/b" of version 2, or "7:memory:/a/b" of version 1 (cgroups(7)). */
static void
take_line(struct memory_limit *m, const char *root, char *line)
{
	char mount[PATH_OCTETS];
	line[strcspn(line, "\n")] = '\0';
	char *controllers = strchr(line, ':'), *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
	if (group == NULL || strstr(group, "..") != NULL) {
		return;
	}
	size_t len = (size_t)(group - controllers) - 1;
	if (len == 0) {
		(void)snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
		take_group(m, mount, group + 1, "memory.max");
		take_group(m, mount, group + 1, "memory.high");
	} else if (lists_memory(controllers + 1, len)) {
		(void)snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/memory", root);
		take_group(m, mount, group + 1, "memory.limit_in_bytes");
	}
}

static void
take_groups(struct memory_limit *m, const char *root)
{
	char line[LINE_OCTETS];
	(void)snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
	FILE *f = fopen(line, "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		take_line(m, root, line);
	}
	if (f != NULL) {
		(void)fclose(f);
	}
}

static void
take_machine(struct memory_limit *m, const char *root)
{
	char line[LINE_OCTETS];
	uint64_t kib = 0;
	(void)snprintf(line, sizeof line, "%s/proc/meminfo", root);
	FILE *f = fopen(line, "re");
	while (f != NULL && kib == 0 && fgets(line, sizeof line, f) != NULL) {
		(void)sscanf(line, "MemTotal: %" SCNu64 " kB", &kib);
	}
	if (f != NULL) {
		(void)fclose(f);
	}
	take_lower(m, kib * 1024, "machine");
}

static void
take_rlimit(struct memory_limit *m, __rlimit_resource_t what)
{
	struct rlimit r;
	if (getrlimit(what, &r) == 0 && r.rlim_cur != RLIM_INFINITY) {
		take_lower(m, r.rlim_cur, "rlimit");
	}
}

struct memory_limit
memory_limit_find(const char *root)
{
	struct memory_limit m = { .from = "" };
	take_machine(&m, root);
	take_groups(&m, root);
	take_rlimit(&m, RLIMIT_AS);
	take_rlimit(&m, RLIMIT_DATA);
	return m;
}
