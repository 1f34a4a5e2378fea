/* Looks for keys in any text: reads nothing outside of it, and what is added behind takes nothing back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/filename.h"
#include "dns/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size != 0 ? size : 1), *longer = malloc(size + sizeof "\nend\n");
	memcpy(exact, data, size);
	memcpy(longer, data, size);
	memcpy(longer + size, "\nend\n", sizeof "\nend\n");
	bool has_keys = secret_is_text("example.org", exact, size);
	ASSERT(!has_keys || secret_is_text("example.org", longer, size + 5));
	bool is_word = secret_is_word(exact, size);
	ASSERT(!is_word || memchr(exact, ' ', size) == NULL);
	if (size != 0) {
		(void)filename_trouble(exact, size);
		ASSERT(filename_compare(exact, size, exact, size) == 0);
		bool is_private = filename_is_private(exact, size);
		longer[size] = '.';
		ASSERT(filename_is_private(longer, size + 1) == is_private || memchr(exact, ':', size) != NULL);
	}
	(void)secret_is_record(48, data, size);
	longer[size] = '\0';
	struct str masked = { 0 }, again = { 0 };
	secret_mask(longer, &masked);
	secret_mask(str_text(&masked), &again); /* the mask is no secret */
	ASSERT(strlen(longer) != size || !secret_is_in(exact, size) || strcmp(str_text(&masked), longer) != 0);
	str_fini(&masked);
	str_fini(&again);
	free(exact);
	free(longer);
	return 0;
}
