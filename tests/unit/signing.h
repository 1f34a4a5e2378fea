/* tests/unit/signing.h -- signs requests, for tests that do not verify what is answered. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dns/tsig.h"

/* Signs the request of `len` octets in place, with a key as --key takes it; returns its new length. */
static inline size_t
sign_request(const char *key_text, uint64_t now_s, uint8_t *wire, size_t len, size_t cap)
{
	struct tsig_key key;
	struct tsig t = { .key = &key };
	char why[128];
	assert_int_equal(tsig_key_parse(key_text, &key, why), OK);
	assert_int_equal(tsig_sign_request(&t, wire, &len, cap, now_s), OK);
	tsig_fini(&t);
	return len;
}
