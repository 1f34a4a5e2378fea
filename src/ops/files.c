#include "ops/files.h"

#include <fcntl.h>
#include <unistd.h>

void
files_keep(const int *keep, size_t n)
{
	unsigned first = STDERR_FILENO + 1;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)keep[i] > first) {
			close_range(first, (unsigned)keep[i] - 1, 0);
		}
		first = (unsigned)keep[i] + 1;
	}
	close_range(first, ~0u, 0);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		close(null);
	}
}
