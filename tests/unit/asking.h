/* Requests of each kind, as octets: for tests of who is answered what. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/server.h"
#include "base/buf.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "signing.h"

enum { ASKING_WIRE_MAX = 1024, ASKING_NOW_S = 1700000000 };

#define ASKING_SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

struct request_kind {
	const char *what, *below; /* labels before the name that is asked for */
	unsigned opcode;
	uint16_t type, rrclass;
	enum transport transport;
	bool has_soa; /* in the authority section, as IXFR has it */
};

static inline size_t
asking_make(const struct request_kind *k, const char *name, const char *key, uint8_t wire[ASKING_WIRE_MAX])
{
	static const char soa[] = "\xC0\x0C\0\6\0\1\0\0\0\0\0\x16\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
	static const char opt[] = "\0\0\x29\x04\xD0\0\0\0\0\0"; /* so that there may be an extended error */
	struct buf b = buf_over(wire, ASKING_WIRE_MAX);
	char text[300];
	struct name n;
	snprintf(text, sizeof text, "%s%s", k->below, k->below[0] != '\0' && strcmp(name, ".") == 0 ? "" : name);
	assert_int_equal(name_parse(text, strlen(text), name_root, &n), OK);
	buf_u16(&b, 0x1234);
	buf_u16(&b, (uint16_t)(k->opcode << 11));
	buf_u16(&b, 1);
	buf_u16(&b, 0);
	buf_u16(&b, k->has_soa);
	buf_u16(&b, 1);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, k->type);
	buf_u16(&b, k->rrclass);
	buf_put(&b, soa, k->has_soa ? sizeof soa - 1 : 0);
	buf_put(&b, opt, sizeof opt); /* with its NUL: no options */
	assert_int_equal(b.err, OK);
	if (key == NULL) {
		return b.len;
	}
	char signer[400];
	snprintf(signer, sizeof signer, "%s:SHA256:" ASKING_SECRET, key);
	return sign_request(signer, ASKING_NOW_S, wire, b.len, ASKING_WIRE_MAX);
}
