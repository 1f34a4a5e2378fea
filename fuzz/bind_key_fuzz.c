/* BIND's key statement: reads nothing outside of the text, and a key that is read is one text that can be split again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/bind_key.h"
#include "dns/tsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size != 0 ? size : 1), out[4096], small[16], why[128];
	struct tsig_key key;
	memcpy(exact, data, size);
	err_t err = bind_key_read(exact, size, out, sizeof out);
	if (err == OK) {
		const char *colon = strchr(out, ':');
		ASSERT(colon != NULL && colon != out && strchr(colon + 1, ':') != NULL && strchr(out, ':') != strrchr(out, ':'));
		(void)!tsig_key_parse(out, &key, why);
	}
	err_t again = bind_key_read(exact, size, small, sizeof small);
	ASSERT(again == err || (err == OK && again == E_FULL) || (err == E_FULL && again == E_FULL));
	free(exact);
	return 0;
}
