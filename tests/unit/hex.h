/* Octets as hexadecimal digits, two each: for vectors out of RFCs. */
#pragma once

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline size_t
unhex(const char *hex, uint8_t *out, size_t cap)
{
	size_t n = strlen(hex) / 2;
	assert_true(strlen(hex) % 2 == 0 && n <= cap);
	for (size_t i = 0; i < n; i++) {
		unsigned octet;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
		out[i] = (uint8_t)octet;
	}
	return n;
}
