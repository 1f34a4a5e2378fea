/* Logs a commit: a line for each file and for each finding, up to a limit. */
#include "bin/oprimary_load_p.h"

#include <string.h>

/* Counts a line of the current commit, and decides its level.  False: it is not logged. */
static bool
line_level(struct loader *l, enum log_level wanted, enum log_level *out)
{
	*out = wanted;
	if (wanted == LOG_LEVEL_INFO && l->info_lines++ >= LOAD_INFO_LINES_MAX) {
		*out = LOG_LEVEL_DEBUG;
	} else if (wanted < LOG_LEVEL_INFO && l->trouble_lines++ >= LOAD_TROUBLE_LINES_MAX) {
		l->suppressed++;
		return false;
	}
	return log_is_on(l->log, *out);
}

static const struct {
	const char *event;
	enum log_level level;
} report_kinds[] = {
	[ZONE_LOADED] = { "zone-loaded", LOG_LEVEL_INFO },
	[ZONE_CHANGED] = { "zone-changed", LOG_LEVEL_INFO },
	[ZONE_REMOVED] = { "zone-removed", LOG_LEVEL_INFO },
	[ZONE_REJECTED] = { "zone-rejected", LOG_LEVEL_ERROR },
	[ZONE_HELD] = { "zone-held", LOG_LEVEL_ERROR },
	[ZONE_SERIAL_STUCK] = { "zone-serial-stuck", LOG_LEVEL_WARNING },
	[ZONE_SERIAL_BACK] = { "zone-serial-back", LOG_LEVEL_WARNING },
	[KEYS_LOADED] = { "keys-loaded", LOG_LEVEL_INFO },
	[KEYS_REJECTED] = { "keys-rejected", LOG_LEVEL_ERROR },
	[KEYS_HELD] = { "keys-held", LOG_LEVEL_ERROR },
	[SECONDARIES_LOADED] = { "secondaries-loaded", LOG_LEVEL_INFO },
	[SECONDARIES_REJECTED] = { "secondaries-rejected", LOG_LEVEL_ERROR },
	[FILE_IGNORED] = { "file-ignored", LOG_LEVEL_DEBUG },
};

static void
on_report(void *ctx, const struct primary_report *r)
{
	struct loader *l = ctx;
	const char *event = report_kinds[r->event].event;
	enum log_level level;
	pulse_beat(&l->pulse); /* a commit may have very many files */
	l->count[r->event]++;
	if (r->event == ZONE_REMOVED && r->zone != NULL) {
		primary_state_forget(l->state, r->zone->apex_name);
	}
	if ((r->event == ZONE_SERIAL_STUCK || r->event == ZONE_SERIAL_BACK) && l->serial != SERIAL_KEEP) {
		updater_add_serial(l->updates.updater, r->zone->apex_name, r->zone->serial);
	}
	if (!line_level(l, report_kinds[r->event].level, &level)) {
		return;
	}
	char zone[NAME_TEXT_MAX] = "";
	if (r->zone != NULL) {
		name_print(r->zone->apex_name, zone);
	}
	const char *commit = l->commit;
	switch (r->event) {
	case ZONE_SERIAL_STUCK:
	case ZONE_SERIAL_BACK:
		log_event(l->log, level, event, "zone=%s serial=%u old_serial=%u newest_serial=%u text=%s", zone, r->zone->serial,
		          r->old_serial, r->newest_serial, r->text);
		break;
	case ZONE_CHANGED:
		log_event(l->log, level, event, "zone=%s serial=%u old_serial=%u records=%zu warnings=%zu text=%s", zone,
		          r->zone != NULL ? r->zone->serial : 0, r->old_serial, r->records, r->warnings, r->text);
		break;
	case ZONE_LOADED:
		log_event(l->log, level, event, "zone=%s serial=%u records=%zu warnings=%zu text=%s", zone,
		          r->zone != NULL ? r->zone->serial : 0, r->records, r->warnings, r->text);
		break;
	case ZONE_REJECTED:
	case ZONE_HELD:
	case KEYS_REJECTED:
	case KEYS_HELD:
	case SECONDARIES_REJECTED:
		if (r->zone != NULL) {
			log_event(l->log, level, event, "file=%s commit=%s errors=%zu text=%s serving=last-good serial=%u", r->path,
			          commit, r->errors, r->text, r->zone->serial);
		} else {
			log_event(l->log, level, event, "file=%s commit=%s errors=%zu text=%s", r->path, commit, r->errors, r->text);
		}
		break;
	default:
		log_event(l->log, level, event, "file=%s commit=%s records=%zu text=%s", r->path, commit, r->records, r->text);
	}
}

static void
on_diag(void *ctx, const struct diag *d)
{
	struct loader *l = ctx;
	enum log_level level;
	if (!line_level(l, d->level == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, &level)) {
		return;
	}
	if (d->line != 0) {
		log_event(l->log, level, "finding", "file=%s line=%u column=%u code=%s text=%s hint=%s", d->file, d->line, d->col,
		          d->code, d->text, d->hint);
	} else { /* about the file as a whole */
		log_event(l->log, level, "finding", "file=%s code=%s text=%s hint=%s", d->file, d->code, d->text, d->hint);
	}
}

void
loader_log_commit(struct loader *l, enum primary_outcome outcome, const struct link_frame *f, uint64_t load_ms)
{
	const unsigned *n = l->count;
	const struct view *v = primary_view(l->primary);
	size_t held = primary_held_n(l->primary);
	bool is_any_held = held + primary_held_keys_n(l->primary) != 0;
	log_event(l->log, outcome == PRIMARY_HELD ? LOG_LEVEL_ERROR : is_any_held ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "commit-served",
	          "commit=%s zones=%zu loaded=%u changed=%u removed=%u rejected=%u held=%zu git_ms=%u load_ms=%llu hint=%s", f->id,
	          view_zones_n(v), n[ZONE_LOADED], n[ZONE_CHANGED], n[ZONE_REMOVED], n[ZONE_REJECTED], held, f->took_ms,
	          (unsigned long long)load_ms,
	          is_any_held ? "if the held changes are wanted, push a commit with the trailer \"" PRIMARY_TRAILER "\"" : "");
	if (l->suppressed != 0) {
		log_event(l->log, LOG_LEVEL_WARNING, "lines-suppressed", "commit=%s lines=%u", f->id, l->suppressed);
	}
	if ((f->flags & LINK_FROM_CACHE) != 0) {
		log_event(l->log, LOG_LEVEL_WARNING, "served-from-cache", "commit=%s text=%s", f->id,
		          "the remote was not reached; it will be tried again");
	}
}

void
loader_begin_lines(struct loader *l, const char id[65])
{
	memcpy(l->commit, id, sizeof l->commit);
	memset(l->count, 0, sizeof l->count);
	l->info_lines = l->trouble_lines = l->suppressed = 0;
}

struct primary_log
loader_primary_log(struct loader *l)
{
	return (struct primary_log){ .report = on_report, .diag = { .report = on_diag, .ctx = l }, .ctx = l };
}
