/* The entries of a commit, as the DNS side reads them: whatever the memfd holds, what comes out lies within. */
#include "git/link.h"
#include "git/link_files.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1) {
		return 0;
	}
	struct link_files files = { .bytes = data + 1, .len = size - 1, .left = data[0] };
	struct link_file f;
	while (link_files_next(&files, &f) == OK) {
		ASSERT(strlen(f.path) == f.path_len);
		ASSERT(f.len <= size && f.bytes >= data && f.bytes + f.len <= data + size);
	}
	return 0;
}
