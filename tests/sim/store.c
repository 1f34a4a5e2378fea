/* A secondary with a state directory: the real store (net/zone_store.h), without its thread, on a disk of the simulator.
 *
 * What a secondary knows after a restart is held to what its files had (store_stop(), check_restored()).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/env.h"
#include "net/served.h"
#include "net/zone_store_p.h"
#include "ops/clock.h"
#include "sim.h"

enum { SOON_MS = 50, LATE_MS = 20000, DYING_SHORT = 300, DYING_LONG = 60000 };

/* Whose store is at work: it asks for the time without saying for whom. */
static const struct sim_node *at_work;

/* ---- what the store uses, in place of net/env.c, net/served.c, and ops/clock.c ---- */

uint64_t
net_wall_s(void)
{
	return node_now(at_work).wall_s;
}

struct now
net_now(void)
{
	return node_now(at_work);
}

uint64_t
clock_ns(void)
{
	return node_now(at_work).mono_ns;
}

uint64_t
clock_us(void)
{
	return clock_ns() / 1000;
}

uint64_t
clock_ms(void)
{
	return clock_ns() / MS;
}

uint64_t
clock_wall_s(void)
{
	return net_wall_s();
}

const struct view *
served_pin(struct served *s, struct served_pin **pin)
{
	*pin = (struct served_pin *)s;
	return node_view((const struct sim_node *)s);
}

void
served_unpin(struct served *s, struct served_pin **pin)
{
	(void)s;
	*pin = NULL;
}

bool
served_pin_is_revoked(const struct served_pin *pin)
{
	(void)pin;
	return false; /* nothing else happens while a file is written */
}

/* ---- the writer ---- */

static bool
is_any_marked(const struct sim_node *n)
{
	return !list_is_empty(&n->store->marks);
}

/* The thread may have to wait for the processor, and for the disk. */
static void
wake(struct sim_node *n)
{
	if (n->store_ns == NOW_NEVER && is_any_marked(n)) {
		bool is_late = dice_hits(&n->disk.dice, 50);
		n->store_ns = n->world->now_ns + dice_between(&n->disk.dice, 1, is_late ? LATE_MS : SOON_MS) * MS;
	}
}

static uint64_t
take_turn(struct sim_node *n)
{
	struct zone_store *s = n->store;
	at_work = n;
	pthread_mutex_lock(&s->lock);
	uint64_t pause_s = stored_turn(s, stored_next(s));
	pthread_mutex_unlock(&s->lock);
	return pause_s;
}

void
store_timer(struct sim_node *n)
{
	uint64_t pause_s = take_turn(n);
	n->store_ns = NOW_NEVER;
	if (!is_any_marked(n)) {
		stored_settle(n->store);
	} else if (pause_s != 0) {
		n->store_ns = n->world->now_ns + pause_s * SECOND;
	} else {
		wake(n);
	}
}

void
store_on_report(struct sim_node *n, const struct follow_report *r)
{
	at_work = n;
	if (n->store != NULL) {
		zone_store_on_report(n->store, r);
		wake(n);
	}
}

void
store_forget(struct sim_node *n, const uint8_t *apex)
{
	at_work = n;
	if (n->store != NULL) {
		zone_store_forget(n->store, apex);
		wake(n);
	}
}

/* ---- the end of a process ---- */

static bool
is_sure(struct sim_node *n, const struct name *zone)
{
	char name[SAVED_NAME_MAX];
	saved_file_name(zone->oct, name);
	const struct disk_file *f = disk_find(&n->disk, name);
	return f != NULL && !f->is_hurt;
}

static void
note_kept(struct sim_node *n, unsigned zone)
{
	struct kept *k = &n->kept[zone];
	const struct stored *e = stored_get(n->store, n->world->plan->zones[zone].name.oct);
	k->is_there = e != NULL && e->is_there;
	k->is_behind = !k->is_there || list_is_linked(&e->mark);
	if (k->is_there) {
		k->is_withdrawn = e->has_withdrawn;
		k->serial = n->shown[zone].is_served && !k->is_behind ? n->shown[zone].seen : e->serial;
	}
}

static void
note_kept_catalog(struct sim_node *n, unsigned primary)
{
	const struct stored *e = stored_get(n->store, n->world->plan->catalogs[primary].oct);
	n->has_kept_catalog[primary] = e != NULL && e->is_there && !list_is_linked(&e->mark);
}

/* It is asked to end, and writes all that it can. */
static void
write_rest(struct sim_node *n)
{
	while (is_any_marked(n) && take_turn(n) == 0) {
	}
	stored_settle(n->store);
}

/* Killed in the middle of writing. */
static void
write_part(struct sim_node *n)
{
	struct disk *d = &n->disk;
	d->is_dying = true;
	d->left = dice_below(&d->dice, dice_hits(&d->dice, 500) ? DYING_SHORT : DYING_LONG);
	(void)take_turn(n);
}

/* A version is to be there after the next start if its file is as it was written.  Not held to: what was not written yet, or not wholly;
 * and when the power has failed, or octets were spoilt, whatever the file had since it was last written as a whole, and synced. */
void
store_stop(struct sim_node *n)
{
	struct disk *d = &n->disk;
	if (n->store == NULL) {
		return;
	}
	if (dice_hits(&d->dice, 200)) {
		write_rest(n);
	} else if (is_any_marked(n) && dice_hits(&d->dice, 500)) {
		write_part(n);
	}
	for (unsigned z = 0; z < n->world->plan->zones_n; z++) {
		note_kept(n, z);
	}
	for (unsigned i = 0; i < n->world->plan->primaries_n; i++) {
		note_kept_catalog(n, i);
	}
	zone_store_free(&n->store);
	disk_close(d);
	if (dice_hits(&d->dice, 400)) {
		world_log(n->world, "node %u: its power fails", n->number);
		disk_lose_power(d);
	}
}

/* ---- the beginning of a process ---- */

static size_t
room(void *ctx)
{
	const struct sim_node *n = ctx;
	return n->world->plan->room[n->number];
}

void
store_start(struct sim_node *n)
{
	static struct log log = { .fd = -1, .to_journal = true };
	const struct privs_who user = { 0 };
	struct diag diag = { 0 };
	if (!n->world->plan->has_state[n->number]) {
		return;
	}
	log.fd = n->world->is_logging ? STDOUT_FILENO : -1;
	log.level = n->world->is_logging ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;
	at_work = n;
	for (unsigned z = 0; z < n->world->plan->zones_n; z++) {
		n->kept[z].is_there &= is_sure(n, &n->world->plan->zones[z].name);
	}
	for (unsigned i = 0; i < n->world->plan->primaries_n; i++) {
		n->has_kept_catalog[i] &= is_sure(n, &n->world->plan->catalogs[i]);
	}
	check_expect(n);
	disk_select(&n->disk);
	const struct zone_store_conf conf = { .path = "state", .user = &user, .bounds = &follow_bounds, .log = &log };
	err_t err = zone_store_open(&conf, &n->store, &diag);
	ASSERT(err == OK);
	n->store->served = (struct served *)n;
	n->store_ns = NOW_NEVER;
	zone_store_restore(n->store, n->follower, room, n);
	disk_is_read(&n->disk);
	check_restored(n);
	wake(n);
}
