/* zone/dump.h -- a zone as text: one record a line, absolute names, canonical order. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "zone/zone.h"

/* "owner<TAB>ttl<TAB>IN<TAB>TYPE<TAB>rdata\n".  E_NOMEM, E_LIMIT. */
err_t dump_rr(const struct zone_rr *rr, struct str *out);

/* Writes all records: SOA first, then in canonical order, like named-compilezone.  The text is passed to `write` in pieces. */
err_t dump_zone(const struct zone *z, err_t (*write)(void *ctx, const char *text, size_t len), void *ctx);
