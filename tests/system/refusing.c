/* tests/system/refusing.c -- preloaded into a program: fork() fails while the file REFUSING is there, as where the system is out of
 * processes (a limit of the cgroup, say).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <dlfcn.h>

pid_t
fork(void)
{
	const char *mark = getenv("REFUSING");
	pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
	if (mark != NULL && access(mark, F_OK) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return real();
}
