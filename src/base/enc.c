#include "base/enc.h"

static const char base64_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base32hex_digits[] = "0123456789abcdefghijklmnopqrstuv";
static const char base16_digits[] = "0123456789ABCDEF";

#define NONE8 -1, -1, -1, -1, -1, -1, -1, -1
#define NONE32 NONE8, NONE8, NONE8, NONE8
const int8_t base16_values[256] = {
	NONE32, NONE8, NONE8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1, -1, -1, -1, -1, /* digits */
	-1, 10, 11, 12, 13, 14, 15, -1, NONE8, NONE8, NONE8, /* A to F */
	-1, 10, 11, 12, 13, 14, 15, -1, NONE8, NONE8, NONE8, /* a to f */
	NONE32, NONE32, NONE32, NONE32,
};
#undef NONE32
#undef NONE8

/* The value of a digit, or -1. */
static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int
base32hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

size_t
base64_encode(const uint8_t *in, size_t n, char *out)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)in[i] << 16;
		v |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		v |= left > 2 ? in[i + 2] : 0;
		out[o++] = base64_digits[v >> 18];
		out[o++] = base64_digits[v >> 12 & 63];
		out[o++] = left > 1 ? base64_digits[v >> 6 & 63] : '=';
		out[o++] = left > 2 ? base64_digits[v & 63] : '=';
	}
	return o;
}

err_t
base64_decode(const char *in, size_t n, uint8_t *out, size_t cap, size_t *out_n)
{
	size_t pad = 0;
	if (n % 4 != 0) {
		return E_FORMAT;
	}
	while (pad < 2 && pad < n && in[n - 1 - pad] == '=') {
		pad++;
	}
	size_t want = n / 4 * 3 - pad;
	if (want > cap) {
		return E_FULL;
	}
	uint32_t bits = 0;
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		int v = i >= n - pad ? 0 : base64_value(in[i]);
		if (v < 0) {
			return E_FORMAT;
		}
		bits = bits << 6 | (uint32_t)v;
		if (i % 4 == 3) {
			for (int shift = 16; shift >= 0 && o < want; shift -= 8) {
				out[o++] = (uint8_t)(bits >> shift);
			}
		}
	}
	/* Unused bits before the padding must be zero, so that each value has only one text. */
	uint32_t over = pad == 2 ? bits & 0xFFFF : pad == 1 ? bits & 0xFF : 0;
	if (over != 0) {
		return E_FORMAT;
	}
	*out_n = want;
	return OK;
}

size_t
base64url_encode(const uint8_t *in, size_t n, char *out)
{
	size_t o = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 6; have -= 6) {
			out[o++] = base64url_digits[bits >> (have - 6) & 63];
		}
	}
	if (have != 0) {
		out[o++] = base64url_digits[bits << (6 - have) & 63];
	}
	return o;
}

/* The value of a digit, or -1. */
static int
base64url_value(char c)
{
	return c == '-' ? 62 : c == '_' ? 63 : c == '+' || c == '/' ? -1 : base64_value(c);
}

err_t
base64url_decode(const char *in, size_t n, uint8_t *out, size_t cap, size_t *out_n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		int v = base64url_value(in[i]);
		if (v < 0) {
			return E_FORMAT;
		}
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (o == cap) {
				return E_FULL;
			}
			out[o++] = (uint8_t)(bits >> have);
		}
	}
	/* A single digit too many, or unused bits: then the same octets would have two texts. */
	if (have >= 6 || (bits & ((1u << have) - 1)) != 0) {
		return E_FORMAT;
	}
	*out_n = o;
	return OK;
}

size_t
base32hex_encode(const uint8_t *in, size_t n, char *out)
{
	size_t o = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 5; have -= 5) {
			out[o++] = base32hex_digits[bits >> (have - 5) & 31];
		}
	}
	if (have != 0) {
		out[o++] = base32hex_digits[bits << (5 - have) & 31];
	}
	return o;
}

err_t
base32hex_decode(const char *in, size_t n, uint8_t *out, size_t cap, size_t *out_n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		int v = base32hex_value(in[i]);
		if (v < 0) {
			return E_FORMAT;
		}
		bits = bits << 5 | (uint32_t)v;
		have += 5;
		if (have >= 8) {
			have -= 8;
			if (o == cap) {
				return E_FULL;
			}
			out[o++] = (uint8_t)(bits >> have);
		}
	}
	if (have >= 5 || (bits & ((1u << have) - 1)) != 0) {
		return E_FORMAT;
	}
	*out_n = o;
	return OK;
}

size_t
base16_encode(const uint8_t *in, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = base16_digits[in[i] >> 4];
		out[2 * i + 1] = base16_digits[in[i] & 15];
	}
	return 2 * n;
}
