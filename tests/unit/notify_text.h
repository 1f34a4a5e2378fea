/* tests/unit/notify_text.h -- who is told of what, as lines of text; for tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/notify_compare.h"
#include "base/str.h"
#include "serve.h"

#define SECRET " DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define OTHER_SECRET " DNSKEY 0 3 163 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n"

static const struct notify_policy everybody;

static inline void
put_address(struct str *out, const struct key_address *a)
{
	if (a->family == 4) {
		str_printf(out, "%u.%u.%u.%u", a->octets[0], a->octets[1], a->octets[2], a->octets[3]);
	} else {
		for (int i = 0; i < 16; i += 2) {
			str_printf(out, "%s%x", i != 0 ? ":" : "", a->octets[i] << 8 | a->octets[i + 1]);
		}
	}
}

/* "ADDRESS KEY", with "@PORT" where it is not 53, and " from ADDRESS" where that is not the default. */
static inline void
put_target(struct str *out, const struct notify_target *t)
{
	char key[NAME_TEXT_MAX] = "-";
	assert_int_equal(t->conn, 0);
	put_address(out, &t->address);
	if (t->port != 53) {
		str_printf(out, "@%u", t->port);
	}
	if (t->key != NULL) {
		name_print(t->key->name.oct, key);
	}
	str_printf(out, " %s", key);
	if (t->source.family != 0) {
		str_cat(out, " from ");
		put_address(out, &t->source);
	}
	str_cat(out, "\n");
}

static inline void
on_each(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	char zone[NAME_TEXT_MAX];
	name_print(news->zone, zone);
	if (news->soa != NULL) {
		const uint8_t *serial = news->soa + news->soa_len - 20;
		str_printf(ctx, "%s %u ", zone, (unsigned)serial[2] << 8 | serial[3]);
		assert_int_equal(news->soa_ttl, 60);
	} else {
		str_printf(ctx, "%s gone ", zone);
	}
	put_target(ctx, to);
}

static inline void
assert_text(struct str *got, const char *want)
{
	assert_string_equal(str_text(got), want);
	str_clear(got);
}
