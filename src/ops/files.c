#include "ops/files.h"

#include <fcntl.h>
#include <unistd.h>

void
files_keep(const int *keep, size_t n)
{
	int first = STDERR_FILENO + 1;
	for (size_t i = 0; i < n; i++) {
		for (; first < keep[i]; first++) {
			close(first);
		}
		first = keep[i] + 1;
	}
	closefrom(first); /* works even where close_range() is forbidden, or else aborts */
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		close(null);
	}
}
