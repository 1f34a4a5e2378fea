/* Cookies and texts of secrets: nothing is read outside of them, what is made is good and comes back, and a text is read whole or not. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_option(const uint8_t *option, size_t len, const struct cookie_client *from, uint64_t now_s)
{
	static const struct cookie_secrets s = { 2, { { 1 }, { 2 } } };
	struct cookie first, again;
	cookie_read(&s, from, option, len, now_s, &first);
	ASSERT(first.state > COOKIE_NONE && first.state < COOKIE_STATES);
	if (first.state == COOKIE_MALFORMED) {
		return;
	}
	ASSERT(memcmp(first.octets, option, COOKIE_CLIENT_LEN) == 0);
	cookie_read(&s, from, first.octets, sizeof first.octets, now_s, &again);
	ASSERT(again.state == COOKIE_GOOD && memcmp(again.octets, first.octets, sizeof first.octets) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t address[16] = { 0x20, 1 };
	struct cookie_secrets s = { 0 };
	unsigned line;
	if (size < 5) {
		return 0;
	}
	const struct cookie_client from = { address, (data[0] & 1) != 0 ? 4 : 16 };
	uint32_t now_s = (uint32_t)data[1] << 24 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 8 | data[4];
	uint8_t *exact = xalloc(size - 5 != 0 ? size - 5 : 1); /* an octet too far is found */
	memcpy(exact, data + 5, size - 5);
	check_option(exact, size - 5, &from, now_s);
	err_t err = cookie_secrets_parse((const char *)exact, size - 5, &s, &line);
	ASSERT(err == OK ? s.n >= 1 && s.n <= COOKIE_SECRETS_MAX : s.n == 0);
	free(exact);
	return 0;
}
