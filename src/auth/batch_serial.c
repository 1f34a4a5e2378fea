/* Raises the serial numbers of the zones in a batch. */
#include <string.h>

#include "auth/batch_p.h"
#include "base/number.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/history.h"

struct soa_copy {
	uint32_t ttl;
	uint16_t rdlen;
	uint8_t rdata[2 * NAME_WIRE_MAX + 20];
};

static err_t
copy_soa(void *ctx, const struct zone_rr *rr)
{
	struct soa_copy *c = ctx;
	ASSERT(rr->rdlen <= sizeof c->rdata);
	c->ttl = rr->ttl;
	c->rdlen = rr->rdlen;
	memcpy(c->rdata, rr->rdata, rr->rdlen);
	return OK;
}

static void
put_serial(struct soa_copy *c, uint32_t serial)
{
	u32_put(c->rdata + c->rdlen - 20, serial); /* the RDATA ends with five numbers, the serial first (RFC 1035 3.3.13) */
}

/* A serial newer than `newest`: one more, or the time. */
static uint32_t
serial_after(const struct batch *b, uint32_t newest)
{
	return b->p->conf.serial == SERIAL_UNIXTIME ? serial_by_time(newest, b->now_s) : serial_next(newest);
}

err_t
batch_put_soa(const struct batch *b, struct zone_builder *builder, const struct update_rr *rr, uint32_t ttl)
{
	const struct zone_rr found = { .owner = rr->owner, .type = rr->type, .ttl = ttl, .rdlen = rr->rdlen, .rdata = rr->rdata };
	const struct mark *m = marks_find(&b->p->marks, rr->owner);
	struct soa_copy c;
	struct soa soa;
	TRY(rdata_read_soa(rr->rdata, rr->rdlen, &soa));
	TRY(copy_soa(&c, &found));
	if (m != NULL && !serial_is_newer(soa.serial, m->serial)) {
		put_serial(&c, serial_after(b, m->serial));
	}
	return zone_builder_add(builder, rr->owner, rr->type, ttl, c.rdata, c.rdlen);
}

err_t
batch_raise_serial(const struct batch *b, struct work *w)
{
	const uint8_t *apex = w->file->apex.oct;
	uint32_t newest = history_newest_serial(w->file->zone);
	struct soa_copy c;
	struct soa soa;
	TRY(zone_txn_each(w->txn, apex, TYPE_SOA, copy_soa, &c));
	TRY(rdata_read_soa(c.rdata, c.rdlen, &soa));
	if (serial_is_newer(soa.serial, newest)) {
		return OK;
	}
	TRY(zone_txn_remove(w->txn, apex, TYPE_SOA, c.rdata, c.rdlen));
	put_serial(&c, serial_after(b, newest));
	return zone_txn_add(w->txn, apex, TYPE_SOA, c.ttl, c.rdata, c.rdlen);
}
