/* Any datagram that comes where an answer of a time server is awaited: the first eight octets are our question's number. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t nonce = 0;
	struct sntp_answer a;
	struct sntp_judge j = { .was_right = size % 2 };
	const char *why = NULL;
	if (size < 8) {
		return 0;
	}
	for (unsigned i = 0; i < 8; i++) {
		nonce = nonce << 8 | data[i];
	}
	uint8_t *exact = malloc(size - 8 != 0 ? size - 8 : 1);
	memcpy(exact, data + 8, size - 8);
	if (sntp_read(exact, size - 8, nonce, &a, &why) == OK) {
		ASSERT(a.sent_ns >= a.received_ns);
		int64_t ours_ns = (int64_t)(nonce >> 1), offset_ns = sntp_offset_ns(&a, ours_ns, ours_ns);
		for (unsigned i = 0; i < SNTP_WITNESSES; i++) {
			(void)sntp_decide(&j, offset_ns, a.sent_ns, 0);
		}
		ASSERT(j.was_right || a.sent_ns < 0);
	} else {
		ASSERT(why != NULL);
	}
	free(exact);
	return 0;
}
