/* What a remote says of a push, and what `git push --porcelain` prints: any text. */
#include "git/verdict.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str status = { 0 }, line = { 0 };
	char *text = malloc(size + 1);
	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	err_t err = git_porcelain(text, "refs/heads/main", &status);
	ASSERT(err == OK || err == E_NOTFOUND || err == E_UNKNOWN);
	ASSERT(status.len <= size);
	err = git_verdict(str_text(&status), text);
	ASSERT(err == E_REFUSED || err == E_STALE || err == E_IO);
	git_words_line(text, 40, &line);
	ASSERT(line.len <= 40);
	for (size_t i = 0; i < line.len; i++) {
		ASSERT((unsigned char)line.s[i] >= ' ' && line.s[i] != 0x7F);
	}
	str_fini(&status);
	str_fini(&line);
	free(text);
	return 0;
}
