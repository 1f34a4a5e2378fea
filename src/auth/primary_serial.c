/* Which serials of a zone secondaries may have, so that the next one is newer. */
#include <stdio.h>

#include "auth/primary_p.h"
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
	if (m != NULL) {
		bool is_same = z->serial == m->serial && m->digest != 0 && m->digest == zone_digest(z);
		history_begin(z, m->serial, is_same);
		marks_drop(&p->marks, z->apex_name);
	}
}

/* What people should do, or what is done for them. */
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
