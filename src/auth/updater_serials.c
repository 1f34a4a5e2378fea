#include <string.h>

#include "auth/updater_p.h"
#include "base/alloc.h"
#include "zone/history.h"

void
updater_add_serial(struct updater *u, const uint8_t *apex, uint32_t serial)
{
	if (u->serials_n == UPDATE_SERIALS_MAX || !try_room(&u->serials, sizeof *u->serials, u->serials_n, &u->serials_cap)) {
		return; /* the next commit reports the zone again, or an update writes its serial */
	}
	struct stuck_serial *s = &u->serials[u->serials_n++];
	name_set(&s->apex, apex);
	s->serial = serial;
	u->are_serials_due = true;
}

/* Sorts the list: zones that went into the batch come first, then zones for which the batch has no room. */
void
updater_put_serials(struct updater *u)
{
	size_t kept = 0;
	u->serials_put_n = 0;
	for (size_t i = 0; i < u->serials_n; i++) {
		struct stuck_serial s = u->serials[i];
		err_t err = batch_add_serial(u->batch, s.apex.oct, s.serial);
		if (err == OK) {
			u->serials[kept++] = u->serials[u->serials_put_n];
			u->serials[u->serials_put_n++] = s;
		} else if (err == E_BUSY) {
			u->serials[kept++] = s;
		}
	}
	u->serials_n = kept;
}

void
updater_drop_put_serials(struct updater *u)
{
	size_t n = u->serials_put_n;
	if (n != 0) {
		u->serials_n -= n;
		memmove(u->serials, u->serials + n, u->serials_n * sizeof *u->serials);
		u->serials_put_n = 0;
	}
}

bool
updater_is_serial_coming(const struct updater *u, const struct zone *z)
{
	bool is_possible = u->are_serials_due && u->away[0] == '\0' && u->state != UPDATER_LOST && !z->is_signed;
	if (!is_possible || !history_is_serial_stuck(z) || u->serials_n > UPDATE_SERIALS_LOOKED_AT) {
		return false;
	}
	for (size_t i = 0; i < u->serials_n; i++) {
		if (u->serials[i].serial == z->serial && name_is_equal(u->serials[i].apex.oct, z->apex_name)) {
			return true;
		}
	}
	return false;
}
