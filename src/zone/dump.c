#include "zone/dump.h"

#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

enum { DUMP_PIECE = 1 << 16 }; /* octets of text that are gathered before they are written */

err_t
dump_rr(const struct zone_rr *rr, struct str *out)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	str_put(out, owner, name_print(rr->owner, owner));
	str_printf(out, "\t%u\tIN\t%s\t", rr->ttl, rrtype_print(rr->type, type));
	rdata_print(rr->type, rr->rdata, rr->rdlen, out);
	str_char(out, '\n');
	return out->err;
}

struct dump {
	const struct zone *zone;
	struct str text;
	err_t (*write)(void *ctx, const char *text, size_t len);
	void *ctx;
};

static err_t
flush(struct dump *d)
{
	TRY(d->write(d->ctx, str_text(&d->text), d->text.len));
	str_clear(&d->text);
	return OK;
}

static err_t
dump_walked(void *ctx, const struct zone_rr *rr)
{
	struct dump *d = ctx;
	if (rr->type == TYPE_SOA && name_is_equal(rr->owner, d->zone->apex_name)) {
		return OK; /* written first already */
	}
	TRY(dump_rr(rr, &d->text));
	return d->text.len >= DUMP_PIECE ? flush(d) : OK;
}

static err_t
dump_soa(struct dump *d)
{
	const struct rr *soa = rrset_first(d->zone->soa);
	struct zone_rr rr = {
		.owner = d->zone->apex->name,
		.type = TYPE_SOA,
		.ttl = rrset_ttl(d->zone->soa),
		.rdlen = soa->rdlen,
		.rdata = soa->rdata,
	};
	return dump_rr(&rr, &d->text);
}

err_t
dump_zone(const struct zone *z, err_t (*write)(void *ctx, const char *text, size_t len), void *ctx)
{
	struct dump d = { .zone = z, .write = write, .ctx = ctx };
	err_t err = dump_soa(&d);
	if (err == OK) {
		err = zone_walk(z, dump_walked, &d);
	}
	if (err == OK && d.text.len != 0) {
		err = flush(&d);
	}
	str_fini(&d.text);
	return err;
}
