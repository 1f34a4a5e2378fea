/* Secondaries that have a newer version of a zone than this primary knows of: after a start without a cache, on a rewritten history. */
#include <stdio.h>

#include "bin/oprimary_load.h"
#include "dns/serial.h"
#include "net/peer.h"
#include "zone/history.h"

enum { TEXT_MAX = 320 };

/* Writes what people should do, or what will be done for them. */
static void
say_what_to_do(const struct loader *l, const struct zone *z, uint32_t serial, bool is_believed, char out[TEXT_MAX])
{
	if (!is_believed) {
		(void)snprintf(out, TEXT_MAX,
		               "not believed: secondaries may raise the serial of a zone %u times after a start, by %u in all; "
		               "if it is right, write %u or newer, else look after the key, and transfer the zone there by hand",
		               HISTORY_HEARD_TIMES_MAX, HISTORY_HEARD_MAX, serial_next(serial));
	} else if (l->serial != SERIAL_KEEP && !z->is_signed) {
		(void)snprintf(out, TEXT_MAX, "the secondary will not take %u; a serial newer than %u will be written", z->serial, serial);
	} else {
		(void)snprintf(out, TEXT_MAX, "the secondary will not take %u; write %u or newer, or let the next update do it", z->serial,
		               serial_next(serial));
	}
}

static void
log_ahead(struct loader *l, const struct secondary_event *e, const struct zone *z, bool is_believed)
{
	char text[TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX], from[PEER_TEXT_MAX];
	peer_print_address(&e->target.address, e->target.port, from);
	name_print(e->zone.oct, zone);
	name_print(e->key->name.oct, key);
	say_what_to_do(l, z, e->serial, is_believed, text);
	log_peer_event(l->log, LOG_BY_KEY, LOG_LEVEL_WARNING, "secondary-ahead",
	               "zone=%s secondary_serial=%u serial=%u newest_serial=%u key=%s from=%s text=%s", zone, e->serial, z->serial,
	               history_newest_serial(z), key, from, text);
}

void
loader_on_ahead(void *loader, const struct secondary_event *e)
{
	struct loader *l = loader;
	const struct zone *z;
	err_t err = primary_note_ahead(l->primary, e->zone.oct, e->serial, &z);
	if (err == E_NOTFOUND || err == E_EXISTS) {
		return;
	}
	if (err == OK && l->serial != SERIAL_KEEP) {
		updater_add_serial(l->updates.updater, e->zone.oct, z->serial);
	}
	log_ahead(l, e, z, err == OK);
}
