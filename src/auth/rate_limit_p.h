/* auth/rate_limit_p.h -- where an account's cells are: for rate_limit.c, and for tests of what shared cells do. */
#pragma once

#include "auth/rate_limit.h"

void rate_limit_cells(const struct rate_limit *r, const struct rate_account *account, uint32_t cells[RATE_LIMIT_ROWS]);
