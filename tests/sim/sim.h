/* tests/sim/sim.h -- a whole fleet in one process and in virtual time: what the parts of the simulator share.
 *
 * The machines are the real ones: primaries (auth/primary.h), their answers (auth/server.h) and transfers (auth/transfer.h), NOTIFY out
 * (auth/notifier.h, auth/notify_compare.h, net/subscriptions.h), updates (auth/updater.h), and followers (auth/follower.h,
 * auth/secondary.h) with what they keep (net/zone_store.h, without its thread: store.c).  What lies between them is modelled: the network
 * (net.c), disks (disk.c), people who push (people.c), clients that update (clients.c), repositories (remote.c), the git side that speaks to
 * them (git.c), and the life of processes (node.c).
 *
 * plan.c makes a plan of a seed, world.c carries it out, quiet.c has what comes after the last fault, check.c looks whether what must hold
 * does, main.c, seeds.c and shrink.c are for people.
 * One thread, no clock, no randomness but the seed's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/follower.h"
#include "auth/notifier.h"
#include "auth/primary.h"
#include "auth/secondary.h"
#include "auth/server.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/now.h"
#include "base/str.h"
#include "dice.h"
#include "disk.h"
#include "net/subscriptions.h"
#include "net/zone_store.h"
#include "plan.h"
#include "remote.h"

enum { WALL_S = 1700000000, BROKEN_MAX = 512, LINKS_MAX = 8, VERSIONS_MAX = 4096, UPDATES_MAX = 128, UPDATED_MAX = 4 };

struct world;
struct conn;
struct git;
struct client_update;
struct updater_request;

/* What a secondary shows of a zone, for check.c. */
struct shown {
	enum follow_presence presence;
	bool is_served;
	uint64_t made_ns;      /* when its primary served the version first */
	bool has_seen;         /* a reader has seen a serial, and may not see an older one: */
	uint32_t seen;
	uint64_t refreshed_ns; /* when a parent said last that the version is the newest */
	bool is_refreshed;
	uint64_t early_ns, late_ns; /* after a restart, it may expire so much too early or too late; NOW_NEVER: at any time */
};

/* What the state directory of a secondary has of a zone, as it is known when its process has ended. */
struct kept {
	bool is_there;         /* a version, which must be there again after the next start */
	bool is_withdrawn;
	bool is_behind;        /* what came last was not written */
	uint32_t serial;
	/* over all processes of the node: */
	uint64_t refreshed_ns; /* when a parent said last that the version is the newest */
	uint64_t off_ns;       /* by so much the clock has changed between starts since then */
	bool may_be_early;     /* since then a start may have found an older time of the refresh */
};

struct sim_node {
	struct world *world;
	unsigned number;
	bool is_up;
	uint64_t started_ns;         /* last */
	unsigned down, silent, curt, no_room; /* faults that make it so; curt: closes connections after so many answers */
	uint64_t room_ns;            /* when there was room again */
	uint64_t blind_ns;           /* killed last without ever having had memory to show what it follows */
	int64_t skew_s;
	int drift_ppm;
	int64_t off_min_s, off_max_s; /* of its clock, since the beginning */
	struct key_address address;
	struct server_conf conf;
	struct server_stats stats;
	struct git *git;             /* of a primary */
	unsigned no_remote;          /* faults: its remote cannot be reached; */
	unsigned git_down;           /* the process that speaks to it is dead */
	struct primary *primary;     /* one of the two, while it is up */
	struct secondary *secondary;
	struct follower *follower;
	struct disk disk;
	struct zone_store *store;    /* NULL: it keeps nothing */
	uint64_t store_ns;           /* when that writes next */
	struct kept kept[ZONES_MAX];
	bool has_kept_catalog[PRIMARIES_MAX]; /* as it was when the process ended */
	struct notifier *notifier;
	struct subscriptions subscriptions;
	const struct view *told;     /* what NOTIFYs were sent of; NULL: nothing yet */
	struct conn *links[LINKS_MAX];
	struct conn *exchanges[NOTIFIER_EXCHANGES_MAX];
	struct question {
		bool is_open;
		unsigned no;             /* an answer to the one before does not arrive */
	} questions[FOLLOWER_UDP_MAX];
	struct shown shown[ZONES_MAX];
	struct heard *heard;         /* reports about addresses, which subscriptions hear of after the notifier has returned; owned */
	size_t heard_n, heard_cap;
	struct hourly {
		uint64_t asked, notices, told, news; /* questions; NOTIFYs that came; messages with NOTIFYs that went, and what they told */
	} hourly;                    /* in this hour */
};

/* An address has answered a NOTIFY about a zone, or has not. */
struct heard {
	struct name zone;
	struct key_address address;
	bool is_reached;
};

/* A version that a primary has served. */
struct version {
	unsigned zone;
	uint32_t serial;
	uint64_t digest;
	uint64_t made_ns;
};

/* A zone's file in a repository. */
struct file {
	bool is_there;
	uint32_t serial, newest;     /* newest: of all that were ever there */
	uint8_t host[HOSTS_MAX];     /* 0: it has no record */
	struct str updated;          /* lines that updates have written */
	unsigned epoch;              /* how often its primary began anew */
	bool was_there;
	uint32_t served;             /* as it was served last */
	uint64_t digest;
	uint64_t absent_ns;          /* when it was last not there, at its primary as it is served */
};

struct world {
	const struct plan *plan;
	struct dice dice;
	uint64_t now_ns;
	struct sim_node nodes[NODES_MAX];
	struct file files[ZONES_MAX];
	struct version versions[VERSIONS_MAX];
	size_t versions_n;
	/* Repositories, and updates: */
	struct dice of_updates;
	struct remote remotes[PRIMARIES_MAX];
	struct client_update *updates[UPDATES_MAX];
	size_t updates_n;
	unsigned values[ZONES_MAX][UPDATED_MAX]; /* of records that were served last */
	unsigned unclear, hooks;     /* of a thousand pushes, so many end without an answer, or are refused by a hook */
	/* The network: */
	struct heap packets;
	struct list_link conns;
	uint64_t conns_n;            /* ever opened */
	unsigned apart[NODES_MAX][NODES_MAX];
	unsigned no_keys[NODES_MAX][NODES_MAX]; /* of a secondary, at a primary */
	unsigned cuts, refusals, loss, garble, repeats, slow_ms;
	struct quiet {
		enum { QUIET_NOT_YET, QUIET_SETTLING, QUIET_PUSHING, QUIET_HEARING, QUIET_DEAF, QUIET_OVER } phase;
		uint64_t next_ns, since_ns; /* when to go on; when the phase began */
		unsigned rounds, pushes;
		bool is_deaf;                /* no NOTIFY arrives */
	} quiet;
	/* For people: */
	bool is_logging;
	uint64_t messages, transfers, questions; /* in all; questions: over UDP */
	uint64_t settled_ns;          /* that it took after the calm */
	char broken[BROKEN_MAX];      /* ""; else what does not hold */
};

/* ---- world.c ---- */

/* Carries out a plan.  False: something that must hold does not, and w->broken says what. */
bool world_run(struct world *w, const struct plan *p, bool is_logging);
void world_fini(struct world *w);

[[gnu::format(printf, 2, 3)]] void world_log(const struct world *w, const char *format, ...);
[[gnu::format(printf, 2, 3)]] void world_break(struct world *w, const char *format, ...); /* the first one counts */

/* ---- node.c ---- */

void node_init(struct world *w, unsigned number);
void node_start(struct sim_node *n);
bool node_is_blind(const struct sim_node *n); /* it has had no memory since its start to show what it follows */
void node_stop(struct sim_node *n); /* as a process that is killed */
void node_note_clock(struct sim_node *n); /* before and after each change of its skew */
struct now node_now(const struct sim_node *n);
const struct view *node_view(const struct sim_node *n);
uint64_t node_deadline(const struct sim_node *n);
void node_timer(struct sim_node *n);
static inline bool
node_is_primary(const struct sim_node *n)
{
	return n->number < n->world->plan->primaries_n;
}

/* ---- follow.c ---- */

extern const struct follow_bounds follow_bounds;
void follow_start(struct sim_node *n);

/* ---- store.c ---- */

void store_start(struct sim_node *n); /* after the sources were added; restores what is there */
void store_stop(struct sim_node *n);
void store_timer(struct sim_node *n);
void store_on_report(struct sim_node *n, const struct follow_report *r);
void store_forget(struct sim_node *n, const uint8_t *apex);

/* ---- serve.c ---- */

/* A request has come over a connection, at its end `end`. */
void serve_conn(struct sim_node *n, struct conn *c, unsigned end, const uint8_t *bytes, size_t len);

/* A datagram; returns the length of the answer. */
size_t serve_datagram(struct sim_node *n, unsigned from, const uint8_t *bytes, size_t len, uint8_t answer[DNS_MSG_MAX]);

/* ---- tell.c ---- */

void tell_start(struct sim_node *n);
void tell_stop(struct sim_node *n);
void tell_changes(struct sim_node *n, const struct view *next, struct discard **old); /* after which the view before is not needed */
void tell_asked(struct sim_node *n, const struct conn *c, const struct peer *from, const struct server_out *out); /* EVENT_SUBSCRIBED */
void tell_conn_closed(struct sim_node *n, uint64_t conn);
void tell_go_on(struct sim_node *n);                             /* after each step */

/* ---- people.c ---- */

void people_begin(struct world *w);
void people_push(struct world *w, enum plan_kind kind, unsigned zone); /* CHANGE, COME, GO */
void people_push_keys(struct world *w, unsigned primary);
void people_begin_anew(struct world *w, unsigned primary);
void people_push_newest(struct world *w); /* all that is there once more, newer than anything before */
void people_load(struct sim_node *n);       /* the primary starts with what is in its repository */
void people_note(struct sim_node *n);       /* it has another view */
void people_fini(struct world *w);

/* ---- clients.c ---- */

void clients_update(struct world *w, unsigned zone);
uint64_t clients_next(const struct world *w);
void clients_go_on(struct world *w);
void clients_answered(struct sim_node *n, void *handle, const uint8_t *bytes, size_t len);
void clients_forgotten(struct sim_node *n); /* it was killed, or is about to be */
void clients_fini(struct world *w);
void check_updates(struct world *w);
void check_updated(struct sim_node *n, unsigned zone, const struct zone *z); /* a version that it serves */

/* ---- git.c ---- */

void git_update(struct sim_node *n, const struct updater_request *r);

/* ---- quiet.c ---- */

uint64_t quiet_next(const struct world *w); /* when it has something to do; NOW_NEVER */
void quiet_go_on(struct world *w);
void quiet_look(struct world *w);           /* after each step */

/* ---- check.c ---- */

int zone_number(const struct world *w, const uint8_t *apex); /* -1: none of ours */
void check_served(struct sim_node *n, const uint8_t *apex);      /* after each change of what a secondary serves */
void check_refreshed(struct sim_node *n, const uint8_t *apex);
void check_forget(struct sim_node *n);                           /* it was killed: its readers begin anew */
void check_expect(struct sim_node *n);                           /* ... but for what its state directory has, */
void check_restored_zone(struct sim_node *n, const uint8_t *apex); /* each version of which is there again, */
void check_restored(struct sim_node *n);                         /* and all of them by now */
void check_minute(struct world *w);
void check_hour(struct world *w);
bool check_is_settled(const struct world *w);
bool check_is_subscribed(const struct world *w); /* whoever cannot be reached, at a parent, for each zone that may come */
bool check_refreshes(struct world *w, uint64_t since_ns); /* no NOTIFY has come since then.  True: it is long enough */
void check_unsettled(struct world *w, uint64_t for_ns);      /* the time for it is over: says what differs */
