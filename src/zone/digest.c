#include "zone/digest.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/number.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/wire.h"

struct digest {
	uint64_t sum;
	uint8_t *rdata; /* room for one RDATA in canonical form */
};

static void
mix(struct digest *d, const uint8_t *octets, size_t n)
{
	d->sum = hash64(d->sum, octets, n);
}

static err_t
add_rr(void *ctx, const struct zone_rr *rr)
{
	struct digest *d = ctx;
	uint8_t owner[NAME_WIRE_MAX], fixed[8];
	u16_put(u32_put(u16_put(fixed, rr->type), rr->ttl), rr->rdlen);
	name_lower(owner, rr->owner);
	mix(d, owner, name_len(owner));
	mix(d, fixed, sizeof fixed);
	memcpy(d->rdata, rr->rdata, rr->rdlen);
	rdata_canonicalize(rr->type, d->rdata, rr->rdlen);
	mix(d, d->rdata, rr->rdlen);
	return OK;
}

uint64_t
zone_digest(const struct zone *z)
{
	struct digest d = { .sum = HASH64_START, .rdata = try_alloc(DNS_RDATA_MAX) };
	err_t err = d.rdata != NULL ? zone_walk(z, add_rr, &d) : E_NOMEM;
	free_ptr(&d.rdata);
	return err != OK ? 0 : d.sum != 0 ? d.sum : 1;
}
