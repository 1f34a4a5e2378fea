/* A secondary: the real follower, whose links go over the network of the simulator. */
#include <string.h>

#include "net.h"

static bool
open_link(void *ctx, unsigned link, const struct follow_source *to)
{
	struct sim_node *n = ctx;
	ASSERT(link < LINKS_MAX && n->links[link] == NULL);
	n->links[link] = conn_open(n, to->address.octets[3] - 1u, false, link);
	return true;
}

static bool
send_link(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	struct sim_node *n = ctx;
	n->hourly.asked++;
	conn_send(n->world, n->links[link], 0, bytes, len);
	return true;
}

static void
close_link(void *ctx, unsigned link)
{
	struct sim_node *n = ctx;
	struct conn *c = n->links[link];
	n->links[link] = NULL;
	conn_close(n->world, c, 0);
}

static bool
send_datagram(void *ctx, unsigned slot, const struct follow_source *to, const uint8_t *bytes, size_t len)
{
	struct sim_node *n = ctx;
	n->hourly.asked++;
	question_send(n, slot, to->address.octets[3] - 1u, bytes, len);
	return true;
}

static void
end_datagram(void *ctx, unsigned slot)
{
	struct sim_node *n = ctx;
	n->questions[slot].is_open = false;
}

static void
note(struct sim_node *n, const uint8_t *zone, enum follow_presence presence, struct secondary_step *step)
{
	int z = zone_number(n->world, zone);
	tell_changes(n, step->view, &step->old);
	if (z >= 0) { /* not the domain of a source */
		n->shown[z].presence = presence;
		check_served(n, zone);
	}
}

static err_t
take(void *ctx, const uint8_t *zone, struct zone **whole, struct zone_txn **changes, const struct zone **version)
{
	struct sim_node *n = ctx;
	struct secondary_step step;
	if (n->no_room != 0) {
		return E_NOMEM;
	}
	TRY(secondary_take(n->secondary, zone, whole, changes, node_now(n).wall_s, version, &step));
	n->world->transfers++;
	note(n, zone, FOLLOW_PRESENT, &step);
	return OK;
}

static err_t
show(void *ctx, const uint8_t *zone, enum follow_presence presence)
{
	struct sim_node *n = ctx;
	struct secondary_step step;
	if (n->no_room != 0) {
		return E_NOMEM;
	}
	TRY(secondary_show(n->secondary, zone, presence, node_now(n).wall_s, &step));
	note(n, zone, presence, &step);
	if (presence == FOLLOW_FORGOTTEN) {
		store_forget(n, zone);
	}
	return OK;
}

static err_t
restore(void *ctx, const uint8_t *zone, struct zone **whole, enum follow_presence presence, uint64_t changed_s,
        const struct zone **version)
{
	struct sim_node *n = ctx;
	struct secondary_step step;
	if (n->no_room != 0) {
		return E_NOMEM;
	}
	TRY(secondary_restore(n->secondary, zone, whole, presence, changed_s, node_now(n).wall_s, version, &step));
	note(n, zone, presence, &step);
	check_restored_zone(n, zone);
	return OK;
}

static err_t
belongs(void *ctx, const uint8_t *zone, const uint8_t *catalog)
{
	const struct sim_node *n = ctx;
	return n->no_room != 0 ? E_NOMEM : secondary_belongs(n->secondary, zone, catalog);
}

static const char *
event_text(enum follow_event e)
{
	static const char *const text[FOLLOW_EVENTS] = {
		[FOLLOW_FOUND] = "finds", [FOLLOW_RESTORED] = "has still", [FOLLOW_CURRENT] = "is current with", [FOLLOW_BEHIND] = "is ahead of its parent with",
		[FOLLOW_TRANSFERRED] = "has transferred",
		[FOLLOW_FAILED] = "fails", [FOLLOW_WHOLE] = "wants the whole", [FOLLOW_PUT_OFF] = "has too little memory at a time for",
		[FOLLOW_GONE] = "withdraws", [FOLLOW_SET_ASIDE] = "sets aside", [FOLLOW_EXPIRY] = "lets expire",
		[FOLLOW_NO_ROOM] = "has no room for", [FOLLOW_LINK_DOWN] = "has lost its link", [FOLLOW_LINK_UP] = "has its link again",
		[FOLLOW_CATALOG] = "takes over the catalog", [FOLLOW_CATALOG_BROKEN] = "does not understand", [FOLLOW_MEMBERS_REMOVED] = "has lost some of",
		[FOLLOW_MEMBER] = "sees a change of the member", [FOLLOW_MEMBER_REFUSED] = "does not follow",
	};
	return text[e];
}

static void
log_report(const struct sim_node *n, const struct follow_report *r)
{
	char zone[NAME_TEXT_MAX] = "-";
	if (!n->world->is_logging) {
		return;
	}
	if (r->zone != NULL) {
		name_print(r->zone, zone);
	}
	world_log(n->world, "node %u %s %s serial=%u from=%d %s", n->number, event_text(r->event), zone, r->serial,
	          r->source != NULL ? r->source->address.octets[3] - 1 : -1, r->why);
}

static void
on_report(void *ctx, const struct follow_report *r)
{
	struct sim_node *n = ctx;
	log_report(n, r);
	if (r->event == FOLLOW_CURRENT || r->event == FOLLOW_TRANSFERRED) {
		check_refreshed(n, r->zone);
	}
	store_on_report(n, r);
}

static uint32_t
random_number(void *ctx)
{
	struct sim_node *n = ctx;
	return (uint32_t)dice_u64(&n->world->dice);
}

static size_t
room(void *ctx)
{
	const struct sim_node *n = ctx;
	return n->world->plan->room[n->number];
}

/* Those that it may ask with, and those that others may ask it with. */
static struct keystore *
keys_of(const struct sim_node *n)
{
	const struct plan *p = n->world->plan;
	struct keystore *keys = keystore_new(NULL);
	for (size_t i = 0; i < p->edges_n; i++) {
		const struct plan_edge *e = &p->edges[i];
		if (e->child == n->number || e->parent == n->number) {
			err_t err = keystore_add_key(keys, &e->key.tsig);
			ASSERT(err == OK);
		}
	}
	keystore_seal(keys);
	return keys;
}

static void
add_source(struct sim_node *n, const struct plan_edge *e)
{
	const struct now now = node_now(n);
	const struct follow_source s = { .key = &e->key, .domain = e->key.domain.oct, .address = n->world->nodes[e->parent].address, .port = 53,
		                         .is_kept = e->is_kept };
	err_t err = follower_add(n->follower, &now, &s);
	ASSERT(err == OK);
}

/* Those of the plan that it follows stand side by side. */
static struct secondary_conf
conf_of(const struct sim_node *n)
{
	struct secondary_conf conf = { .followed_n = 0 };
	const struct plan *p = n->world->plan;
	for (unsigned i = p->primaries_n; i-- != 0;) {
		if (p->by_catalog[n->number][i]) {
			conf.followed = &p->catalogs[i];
			conf.followed_n++;
		}
	}
	return conf;
}

static void
add_catalogs(struct sim_node *n)
{
	const struct now now = node_now(n);
	const struct secondary_conf conf = conf_of(n);
	for (size_t i = 0; i < conf.followed_n; i++) {
		err_t err = follower_add_catalog(n->follower, &now, conf.followed[i].oct);
		ASSERT(err == OK);
	}
}

const struct follow_bounds follow_bounds = {
	.refresh_min = 1, .refresh_max = 2419200, .retry_min = 1, .retry_max = 1209600, .expire_min = 1, .expire_max = 86400000,
};

void
follow_start(struct sim_node *n)
{
	const struct plan *p = n->world->plan;
	const struct follower_conf conf = {
		.transfers_max = p->transfers_max[n->number], .octets_max = room,
		.bounds = follow_bounds,
		.io = { .open = open_link, .send = send_link, .close = close_link, .udp_send = send_datagram, .udp_end = end_datagram, .take = take, .show = show, .restore = restore,
		        .report = on_report, .belongs = belongs,
		        .random_u32 = random_number, .ctx = n },
	};
	const struct secondary_conf of_secondary = conf_of(n);
	n->secondary = secondary_new(&of_secondary, keys_of(n));
	n->told = secondary_view(n->secondary);
	n->follower = follower_new(&conf);
	for (size_t i = 0; i < p->edges_n; i++) {
		if (p->edges[i].child == n->number) {
			add_source(n, &p->edges[i]);
		}
	}
	add_catalogs(n);
	store_start(n);
}
