/* A name by its text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dns/name.h"

static inline struct name
named(const char *text)
{
	struct name n;
	assert_int_equal(name_parse(text, strlen(text), name_root, &n), OK);
	return n;
}
