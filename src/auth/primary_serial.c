/* Remembers which serials of a zone secondaries may have, so that the next one is newer. */
#include <stdio.h>

#include "auth/primary_p.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/digest.h"
#include "zone/history.h"

enum { TEXT_MAX = 320 };

void
primary_note_removed(struct primary *p, const struct zone *z)
{
	bool is_newest = z->serial == history_newest_serial(z) && !history_is_serial_stuck(z);
	marks_note(&p->marks, z->apex_name, history_newest_serial(z), is_newest ? zone_digest(z) : 0);
}

void
primary_begin_zone(struct primary *p, struct zone *z)
{
	const struct mark *m = marks_find(&p->marks, z->apex_name);
	if (m == NULL) {
		return;
	}
	if (m->is_hearsay) {
		history_begin_unsure(z, m->serial);
	} else {
		bool is_same = z->serial == m->serial && m->digest != 0 && m->digest == zone_digest(z);
		history_begin(z, m->serial, is_same);
	}
	marks_drop(&p->marks, z->apex_name);
}

/* ---- files in older commits ---- */

struct found_serial {
	const uint8_t *apex;
	uint32_t serial;
	bool is_there;
};

static err_t
take_serial(void *ctx, const struct master_rr *rr)
{
	struct found_serial *found = ctx;
	struct soa soa;
	if ((rr->flags & MASTER_GENERATED) != 0) {
		return E_STOPPED; /* stops here, since one $GENERATE line can make a million records, and there may be ten
		                   * thousand texts; a real SOA record stands before any $GENERATE */
	}
	if (rr->type != TYPE_SOA || !name_is_equal(rr->owner, found->apex) || rdata_read_soa(rr->rdata, rr->rdlen, &soa) != OK) {
		return OK;
	}
	found->serial = soa.serial;
	found->is_there = true;
	return E_STOPPED;
}

/* Finds the first SOA record in a text that may be cut off anywhere; errors in the text do not matter. */
static bool
find_serial(const struct source_past *past, const struct name *apex, uint32_t *serial)
{
	struct master_counts counts;
	struct found_serial found = { .apex = apex->oct };
	const struct master_reader reader = { .apex = apex->oct, .file = past->path, .ctx = &found, .record = take_serial };
	(void)!master_read(&reader, (const char *)past->bytes, past->len, &counts);
	*serial = found.serial;
	return found.is_there;
}

/* Finds the newest serial of each zone in all older commits, in their order (RFC 1982); only this serial is compared with what is known
 * already.  The present .originignore does not count: a file that it ignores may have been a zone then. */
void
primary_learn_past(struct primary *p, const struct source_commit *c)
{
	struct marks found = { 0 };
	for (size_t i = 0; i < c->past_n; i++) {
		struct name apex;
		uint32_t serial;
		if (source_kind_of(NULL, c->past[i].path, &apex) == SOURCE_ZONE && find_serial(&c->past[i], &apex, &serial)) {
			marks_note(&found, apex.oct, serial, 0);
		}
	}
	for (size_t i = 0; i < found.n; i++) {
		const struct file *f = primary_file_of(p, found.list[i].apex);
		if (f != NULL && f->zone != NULL) {
			history_note_served(f->zone, found.list[i].serial);
		} else {
			marks_note_past(&p->marks, found.list[i].apex, found.list[i].serial);
		}
	}
	marks_fini(&found);
}

err_t
primary_note_ahead(struct primary *p, const uint8_t *apex, uint32_t serial, const struct zone **zone)
{
	const struct file *f = primary_file_of(p, apex);
	if (f == NULL || f->zone == NULL) {
		return E_NOTFOUND;
	}
	*zone = f->zone;
	return history_note_heard(f->zone, serial);
}

/* ---- messages ---- */

/* Writes what people should do, or what the server will do for them. */
static void
say_what_to_do(const struct primary *p, const struct zone *z, char out[TEXT_MAX])
{
	uint32_t newest = history_newest_serial(z);
	bool is_back = z->serial != newest;
	bool is_undefined = z->serial - newest == UINT32_C(0x80000000);
	if (p->conf.serial != SERIAL_KEEP) {
		(void)snprintf(out, TEXT_MAX, "%s; a serial newer than %u will be written",
		               is_back ? "the serial went back" : "the zone changed, its serial did not grow", newest);
	} else if (is_back) {
		(void)snprintf(out, TEXT_MAX,
		               "the serial went back: secondaries that have %u will not take %u%s; write %u or newer, or let the next "
		               "update do it", newest, z->serial, is_undefined ? " (2^31 apart, RFC 1982 3.2)" : "", serial_next(newest));
	} else {
		(void)snprintf(out, TEXT_MAX, "the zone changed, its serial did not grow: secondaries will not notice; write %u or newer",
		               serial_next(newest));
	}
}

void
primary_report_zone(const struct primary *p, const struct file *f, const struct zone *z, const struct zone *before,
                    size_t warnings)
{
	char text[TEXT_MAX];
	struct primary_report r = { .event = before != NULL ? ZONE_CHANGED : ZONE_LOADED, .path = f->path, .zone = z,
		                    .old_serial = before != NULL ? before->serial : 0, .records = z->records,
		                    .warnings = warnings };
	primary_report(p, &r);
	if (history_is_serial_stuck(z)) {
		r.newest_serial = history_newest_serial(z);
		r.old_serial = before != NULL ? before->serial : r.newest_serial;
		r.event = z->serial == r.newest_serial ? ZONE_SERIAL_STUCK : ZONE_SERIAL_BACK;
		say_what_to_do(p, z, text);
		r.text = text;
		primary_report(p, &r);
	}
}
