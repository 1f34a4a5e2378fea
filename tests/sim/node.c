/* The life of a process: it starts, has a clock, is killed. */
#include <stdlib.h>
#include <string.h>

#include "git.h"
#include "net.h"

#define MONO_BEGIN (1000 * SECOND) /* no clock begins at 0 */

enum { DRIFT_MAX_PPM = 100 };

struct now
node_now(const struct sim_node *n)
{
	const struct world *w = n->world;
	int64_t drift_ns = (int64_t)(w->now_ns / 1000000) * n->drift_ppm;
	int64_t off_s = n->skew_s + drift_ns / (int64_t)SECOND;
	return (struct now){ .mono_ns = w->now_ns + MONO_BEGIN, .wall_s = (uint64_t)(WALL_S + (int64_t)(w->now_ns / SECOND) + off_s) };
}

const struct view *
node_view(const struct sim_node *n)
{
	return n->primary != NULL ? primary_view(n->primary) : secondary_view(n->secondary);
}

void
node_init(struct world *w, unsigned number)
{
	struct sim_node *n = &w->nodes[number];
	*n = (struct sim_node){ .world = w, .number = number, .address = { .family = 4, .octets = { 10, 0, 0, (uint8_t)(number + 1) } } };
	n->conf = (struct server_conf){ .udp_max = 1232, .takes_no_updates = !node_is_primary(n) };
	disk_init(&n->disk, w->plan->seed * NODES_MAX + number);
	n->store_ns = NOW_NEVER;
	n->drift_ppm = (int)dice_below(&w->dice, 2 * DRIFT_MAX_PPM + 1) - DRIFT_MAX_PPM;
}

void
node_note_clock(struct sim_node *n)
{
	int64_t off_s = (int64_t)node_now(n).wall_s - (int64_t)(WALL_S + n->world->now_ns / SECOND);
	n->off_min_s = off_s < n->off_min_s ? off_s : n->off_min_s;
	n->off_max_s = off_s > n->off_max_s ? off_s : n->off_max_s;
}

void
node_start(struct sim_node *n)
{
	node_note_clock(n);
	world_log(n->world, "node %u starts", n->number);
	n->is_up = true;
	n->started_ns = n->world->now_ns;
	tell_start(n);
	if (node_is_primary(n)) {
		people_load(n);
	} else {
		follow_start(n);
	}
}

bool
node_is_blind(const struct sim_node *n)
{
	return n->no_room != 0 || n->room_ns > n->started_ns;
}

void
node_stop(struct sim_node *n)
{
	n->blind_ns = node_is_blind(n) ? n->world->now_ns : n->blind_ns;
	world_log(n->world, "node %u is killed", n->number);
	conn_drop_all(n);
	memset(n->links, 0, sizeof n->links);
	memset(n->exchanges, 0, sizeof n->exchanges);
	for (unsigned i = 0; i < FOLLOWER_UDP_MAX; i++) {
		n->questions[i].is_open = false;
	}
	node_note_clock(n);
	store_stop(n);
	follower_free(&n->follower);
	tell_stop(n);
	secondary_free(&n->secondary);
	clients_forgotten(n);
	git_stop(n);
	primary_free(&n->primary);
	n->is_up = false;
	check_forget(n);
}

uint64_t
node_deadline(const struct sim_node *n)
{
	uint64_t at = NOW_NEVER;
	if (n->is_up) {
		uint64_t tell = notifier_deadline(n->notifier), follow = n->follower != NULL ? follower_deadline(n->follower) : NOW_NEVER;
		at = tell < follow ? tell : follow;
	}
	at = at == NOW_NEVER ? at : at > MONO_BEGIN ? at - MONO_BEGIN : 0;
	at = n->store != NULL && n->store_ns < at ? n->store_ns : at;
	uint64_t git = n->git != NULL ? git_next(n) : NOW_NEVER;
	return git < at ? git : at;
}

void
node_timer(struct sim_node *n)
{
	const struct now now = node_now(n);
	if (notifier_deadline(n->notifier) <= now.mono_ns) {
		notifier_timer(n->notifier, &now);
	}
	if (n->follower != NULL && follower_deadline(n->follower) <= now.mono_ns) {
		follower_timer(n->follower, &now);
	}
	if (n->store != NULL && n->store_ns <= n->world->now_ns) {
		store_timer(n);
	}
	if (n->git != NULL && git_next(n) <= n->world->now_ns) {
		git_timer(n);
	}
}
