/* ozone as a whole: any text as a zone and as a keys file, with an $INCLUDE of itself; what is a zone must survive being
 * printed, read again and printed again. */
#include <stdlib.h>
#include <string.h>

#include "auth/load_keys.h"
#include "base/str.h"
#include "zone/check.h"
#include "zone/dump.h"
#include "zone/load.h"

struct input {
	const char *text;
	size_t len;
	unsigned opened;
};

enum { OPENED_MAX = 20 };

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct input *in = ctx;
	ASSERT(path[0] != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 && strstr(path, "/../") == NULL);
	if (in->opened++ == OPENED_MAX) {
		return E_NOTFOUND;
	}
	*out = (struct master_text){ .text = in->text, .len = in->len };
	return OK;
}

static void
close_include(void *ctx, struct master_text *text)
{
	(void)ctx;
	(void)text;
}

/* What a report borrows can be read to its end, and says something. */
static void
look_at(void *ctx, const struct diag *d)
{
	size_t *reported = ctx;
	unsigned sum = 0;
	(*reported)++;
	ASSERT(d->code != NULL && d->code[0] != '\0');
	ASSERT(memchr(d->text, '\0', sizeof d->text) != NULL && d->text[0] != '\0');
	ASSERT(memchr(d->hint, '\0', sizeof d->hint) != NULL);
	for (size_t i = 0; d->source != NULL && i < d->source_len; i++) {
		sum += (unsigned char)d->source[i];
	}
	ASSERT(sum < UINT32_MAX);
}

static err_t
append(void *ctx, const char *text, size_t len)
{
	str_put(ctx, text, len);
	return ((struct str *)ctx)->err;
}

static void
print_and_read_again(const struct zone *z, struct master_reader reader)
{
	struct str first = { 0 }, second = { 0 };
	struct zone *again = NULL;
	struct load_result result;
	struct findings f = { 0 };
	if (dump_zone(z, append, &first) == OK && first.len < (4 << 20)) {
		reader.open = NULL;
		reader.sink = NULL;
		ASSERT(zone_load(&reader, str_text(&first), first.len, SIZE_MAX, &again, &result) == OK);
		ASSERT(result.errors == 0 && again->records == z->records);
		ASSERT(dump_zone(again, append, &second) == OK);
		ASSERT(first.len == second.len && memcmp(first.s, second.s, first.len) == 0);
		ASSERT(zone_check_serial(z, again, false, &f) == OK && f.n == 0);
	}
	findings_fini(&f);
	zone_free(&again);
	str_fini(&first);
	str_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t apex[] = "\7example\3com";
	struct input in = { .text = (const char *)data, .len = size };
	size_t reported = 0;
	const struct diag_sink sink = { .report = look_at, .ctx = &reported };
	struct master_reader reader = {
		.apex = apex, .file = "example.com", .ctx = &in, .open = open_include, .close = close_include, .sink = &sink,
	};
	struct zone *z = NULL;
	struct keystore *keys = NULL;
	struct load_result result = { 0 };

	err_t err = zone_load(&reader, in.text, in.len, SIZE_MAX, &z, &result);
	ASSERT(err != E_FORMAT || (result.errors != 0 && reported != 0));
	ASSERT(err != OK || result.errors == 0);
	if (err == OK) {
		print_and_read_again(z, reader);
	}
	zone_free(&z);

	in.opened = 0;
	reported = 0;
	err = keys_load(&reader, in.text, in.len, NULL, SIZE_MAX, NULL, &keys, &result);
	ASSERT(err != E_FORMAT || (result.errors != 0 && reported != 0));
	keystore_free(&keys);
	return 0;
}
