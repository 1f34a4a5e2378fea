/* Writes a text for a zone that has none yet. */
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/edit_p.h"

enum {
	COLUMNS_MAX = 40, /* a longer owner moves only its own line to the right */
	SOA_COLUMN = 8,
	SOA_COMMENT_COLUMN = 24,
};

struct fresh {
	const struct zone *zone;
	struct str *out;
	uint32_t ttl;          /* $TTL */
	struct edit_style style;
	size_t owner_columns, ttl_columns, type_columns; /* widths of the longest */
	bool is_ns;            /* writes the apex's name servers; else all except these and the SOA */
};

static bool
is_apex_rr(const struct fresh *f, const struct zone_rr *rr, uint16_t type)
{
	return rr->type == type && name_is_equal(rr->owner, f->zone->apex_name);
}

/* ---- columns ---- */

static void
widen(size_t *columns, size_t len)
{
	if (len > *columns && len <= COLUMNS_MAX) {
		*columns = len;
	}
}

static err_t
measure(void *ctx, const struct zone_rr *rr)
{
	struct fresh *f = ctx;
	struct str text = { 0 };
	char type[RRTYPE_TEXT_MAX];
	edit_name_print(rr->owner, f->zone->apex_name, &text);
	widen(&f->owner_columns, text.len);
	str_clear(&text);
	str_printf(&text, "%u", rr->ttl);
	widen(&f->ttl_columns, rr->ttl != f->ttl ? text.len : 0);
	widen(&f->type_columns, strlen(rrtype_print(rr->type, type)));
	err_t err = text.err;
	str_fini(&text);
	return err;
}

static struct edit_gap
aligned_to(size_t column)
{
	return (struct edit_gap){ .is_known = true, .is_aligned = true, .column = (unsigned)column };
}

static void
set_style(struct fresh *f)
{
	size_t ttl = f->owner_columns + 1, class = ttl + f->ttl_columns + (f->ttl_columns != 0);
	f->style = (struct edit_style){
		.has_class = true, .class = "IN", .line_end = "\n",
		.gap = { [EDIT_TTL] = aligned_to(ttl), [EDIT_CLASS] = aligned_to(class), [EDIT_TYPE] = { .gap = " " },
		         [EDIT_RDATA] = aligned_to(class + sizeof "IN" + f->type_columns + 1) },
	};
}

/* ---- records ---- */

static err_t
put_line(struct fresh *f, const struct zone_rr *rr, const char *rdata)
{
	struct str owner = { 0 };
	edit_name_print(rr->owner, f->zone->apex_name, &owner);
	const struct edit_new_line line = {
		.owner = str_text(&owner), .owner_len = owner.len, .type = rr->type, .ttl = rr->ttl, .has_ttl = rr->ttl != f->ttl,
		.rdata = rdata, .is_one_line = rr->type == TYPE_SOA,
	};
	edit_write_line(&f->style, &line, f->out);
	err_t err = owner.err != OK ? owner.err : f->out->err;
	str_fini(&owner);
	return err;
}

static err_t
put_record(void *ctx, const struct zone_rr *rr)
{
	struct fresh *f = ctx;
	struct str rdata = { 0 };
	if (is_apex_rr(f, rr, TYPE_SOA) || is_apex_rr(f, rr, TYPE_NS) != f->is_ns) {
		return OK;
	}
	edit_rdata_print(rr->type, rr->rdata, rr->rdlen, f->zone->apex_name, &rdata);
	err_t err = rdata.err != OK ? rdata.err : put_line(f, rr, str_text(&rdata));
	str_fini(&rdata);
	return err;
}

static void
put_soa_number(struct str *out, uint32_t value, const char *comment)
{
	size_t start = out->len;
	edit_fill(false, 0, SOA_COLUMN, out);
	str_printf(out, "%u", value);
	edit_fill(false, (unsigned)(out->len - start), SOA_COMMENT_COLUMN, out);
	str_printf(out, "; %s\n", comment);
}

static err_t
put_soa(struct fresh *f)
{
	const struct rr *rr = rrset_first(f->zone->soa);
	const struct zone_rr head = { .owner = f->zone->apex_name, .type = TYPE_SOA, .ttl = f->ttl };
	struct str names = { 0 };
	struct soa soa;
	TRY(rdata_read_soa(rr->rdata, rr->rdlen, &soa));
	edit_name_print(soa.mname, f->zone->apex_name, &names);
	str_char(&names, ' ');
	edit_name_print(soa.rname, f->zone->apex_name, &names);
	str_cat(&names, " (");
	err_t err = names.err != OK ? names.err : put_line(f, &head, str_text(&names));
	str_fini(&names);
	TRY(err);
	put_soa_number(f->out, soa.serial, "serial");
	put_soa_number(f->out, soa.refresh_s, "refresh");
	put_soa_number(f->out, soa.retry_s, "retry");
	put_soa_number(f->out, soa.expire_s, "expire");
	put_soa_number(f->out, soa.minimum_s, "minimum");
	edit_fill(false, 0, SOA_COLUMN, f->out);
	str_cat(f->out, ")\n");
	return f->out->err;
}

err_t
edit_new_zone(const struct zone *z, struct str *out)
{
	struct fresh f = { .zone = z, .out = out, .ttl = rrset_ttl(z->soa), .is_ns = true };
	TRY(zone_walk(z, measure, &f));
	set_style(&f);
	str_cat(out, "$ORIGIN ");
	edit_name_print(z->apex_name, NULL, out);
	str_printf(out, "\n$TTL %u\n", f.ttl);
	TRY(put_soa(&f));
	TRY(zone_walk(z, put_record, &f));
	f.is_ns = false;
	return zone_walk(z, put_record, &f);
}
