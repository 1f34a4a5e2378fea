/* auth/saved_zone_p.h -- what saved_zone_write.c and saved_zone_read.c agree on. */
#pragma once

#include "auth/saved_zone.h"

enum saved_kind { SAVED_HEAD = 1, SAVED_RECORDS, SAVED_END, SAVED_CHANGE, SAVED_REFRESH };

enum saved_state { SAVED_WITHDRAWN = 1, SAVED_UNLISTED = 2 };

extern const uint8_t saved_magic[SAVED_MAGIC_LEN];

/* The check of a block behind the one with that check. */
err_t saved_check(const uint8_t before[SAVED_CHECK_LEN], enum saved_kind kind, const uint8_t *content, size_t len,
                  uint8_t out[SAVED_CHECK_LEN]);
