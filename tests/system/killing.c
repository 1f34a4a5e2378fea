/* tests/system/killing.c -- preloaded into a program: kills it before its KILLING_AT-th call (1: the first) of those that change names of
 * files or wait for the disk, as a power failure could end it anywhere.  When the program ends by itself, it makes fewer.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void
step(void)
{
	static int left;
	const char *at = getenv("KILLING_AT");
	if (at != NULL && left == 0) {
		left = atoi(at);
	}
	if (at != NULL && --left == 0) {
		raise(SIGKILL);
	}
}

int
rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
	step();
	return real(from, to);
}

int
link(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "link");
	step();
	return real(from, to);
}

int
unlink(const char *path)
{
	int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
	step();
	return real(path);
}

int
fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	step();
	return real(fd);
}
