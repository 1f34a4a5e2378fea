/* Any command line of a kernel: its words are within its text, and what the settings leave for the program are some of these words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/cmdline.h"
#include "image/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmdline *c = malloc(sizeof *c);
	struct settings s;
	struct diag diag;
	char *exact = malloc(size != 0 ? size : 1);
	memcpy(exact, data, size);
	if (cmdline_read(c, exact, size, &diag) == OK) {
		for (size_t i = 0; i < c->words_n; i++) {
			ASSERT(c->words[i] >= c->text && c->words[i] + strlen(c->words[i]) < c->text + sizeof c->text);
		}
		ASSERT(c->words[c->words_n] == NULL);
		if (settings_read(&s, c->words, c->words_n, &diag) == OK) {
			ASSERT(s.words_n <= c->words_n && s.words[s.words_n] == NULL);
			ASSERT(s.ipv4.prefix <= 32 && s.ipv6.prefix <= 128);
			(void)(s.ipv6_gateway.family != 0 && ip_address_is_near(&s.ipv6, &s.ipv6_gateway));
		}
	}
	free(exact);
	free(c);
	return 0;
}
