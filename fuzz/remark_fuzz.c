/* What is read as a remark is written as it was read, but for the forms of names, and read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "acme/remark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct remark r, again;
	uint8_t rdata[REMARK_RDATA_MAX];
	struct buf b = buf_over(rdata, sizeof rdata);
	if (remark_read(data, len, &r) == OK && remark_write(&r, &b) == OK) {
		ASSERT(remark_read(rdata, b.len, &again) == OK);
		ASSERT(again.kind == r.kind && again.at_s == r.at_s && strcmp(again.reason, r.reason) == 0 && strcmp(again.value, r.value) == 0);
	}
	return 0;
}
