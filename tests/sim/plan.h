/* tests/sim/plan.h -- what happens in one run, and in which fleet: made of a seed, or of a part of the events of one.
 *
 * Nodes are numbered; the first ones are primaries, each with zones of its own below one domain.  A secondary follows a domain from one or
 * two parents (the primary, or secondaries with a lower number that follow it as well), with a key for the domain, or one for each zone.
 * Some primaries have a catalog zone, and some secondaries with a key for the domain follow that.
 *
 * All that people and fate do is a list of events with times, so that a failing run can be tried again without some of them (shrink.h).
 * The rest (which connection breaks, how long a message takes) is thrown by dice in the run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/key.h"
#include "units.h"

enum {
	NODES_MAX = 7,
	PRIMARIES_MAX = 2,
	ZONES_MAX = 6,       /* in all */
	EDGES_MAX = 2 * NODES_MAX * ZONES_MAX,
	EVENTS_MAX = 224,
	HOSTS_MAX = 16,      /* names that change, of a zone */
};

enum plan_kind {
	/* What people do.  A zone changes by a few records, comes, or goes. */
	PLAN_CHANGE,
	PLAN_COME,
	PLAN_GO,
	PLAN_UPDATE,   /* a client updates a zone */
	PLAN_REWIND,   /* a primary begins anew, with serials and contents that were never those of before */
	/* Faults, each until a time. */
	PLAN_SPLIT,    /* two nodes do not reach each other */
	PLAN_CRASH,    /* a node is down; it forgets everything but the repository, or its state directory */
	PLAN_CLOCK,    /* its clock is off by `amount` seconds */
	PLAN_SILENT,   /* it takes connections, and answers nothing */
	PLAN_CURT,     /* it closes each connection after one to four answers */
	PLAN_NO_ROOM,  /* it has no memory for what is to be shown */
	PLAN_NO_KEYS,  /* a primary's repository lacks the keys of a secondary, `other` */
	PLAN_CUTS,     /* of a thousand messages over connections, `amount` break theirs */
	PLAN_REFUSALS, /* so many of a thousand connections are refused */
	PLAN_LOSS,     /* so many of a thousand datagrams are lost */
	PLAN_GARBLE,   /* so many of a thousand messages have another octet */
	PLAN_REPEATS,  /* so many of a thousand NOTIFYs come again, some of them much later */
	PLAN_SLOW,     /* messages take up to `amount` milliseconds more */
	PLAN_FULL,     /* the disk of a node takes nothing */
	PLAN_SPOIL,    /* some octets there are not what they were */
	PLAN_NO_REMOTE, /* a primary does not reach its repository */
	PLAN_GIT_DOWN, /* its process for that is dead */
	PLAN_UNCLEAR,  /* of a thousand pushes of primaries, so many are lost, or their answers are */
	PLAN_HOOKS,    /* so many are refused by a hook */
	PLAN_KINDS
};

struct plan_event {
	enum plan_kind kind;
	uint64_t at_ns, until_ns;
	unsigned node, other; /* SPLIT to NO_KEYS; REWIND: the primary */
	unsigned zone;        /* CHANGE, COME, GO, UPDATE */
	int64_t amount;
};

/* A secondary follows a parent with a key. */
struct plan_edge {
	unsigned parent, child;
	unsigned primary;    /* whose domain it is */
	int zone;            /* what the key is for; -1: the whole domain */
	bool is_kept;        /* the child cannot be reached: its connection is kept, and NOTIFYs come over it */
	struct key key;
};

struct plan_zone {
	unsigned primary;
	struct name name;
	uint32_t refresh_s, retry_s, expire_s;
	unsigned ballast;    /* records that never change, so that a transfer takes several messages */
	bool is_first;       /* it is there from the beginning */
};

struct plan {
	uint64_t seed;
	unsigned nodes_n, primaries_n, zones_n;
	bool is_hidden[NODES_MAX]; /* nobody can connect to it */
	bool has_state[NODES_MAX]; /* a secondary with a state directory */
	bool has_catalog[PRIMARIES_MAX];
	struct name catalogs[PRIMARIES_MAX];
	bool by_catalog[NODES_MAX][PRIMARIES_MAX]; /* the secondary follows the primary's catalog; so do all that it follows it from */
	unsigned transfers_max[NODES_MAX]; /* at a time; 0: as many as by default */
	size_t room[NODES_MAX];            /* memory for those at a time */
	struct plan_zone zones[ZONES_MAX];
	struct plan_edge edges[EDGES_MAX];
	size_t edges_n;
	struct plan_event events[EVENTS_MAX];
	size_t events_n;
	uint64_t calm_ns;          /* all faults have healed by then */
};

void plan_make(struct plan *p, uint64_t seed);

bool plan_follows(const struct plan *p, unsigned node, unsigned primary);

/* The longest way from a primary to the node, in steps. */
unsigned plan_depth(const struct plan *p, unsigned node);

/* The shortest one, from that primary. */
unsigned plan_nearness(const struct plan *p, unsigned node, unsigned primary);

uint64_t plan_settle_ns(const struct plan *p); /* within this time after the calm all have what the primary has */
uint64_t plan_prompt_ns(const struct plan *p); /* and later, within this time after a push */
uint64_t plan_refresh_ns(const struct plan *p, unsigned node, unsigned zone); /* or within this time, when no NOTIFY comes */

const char *plan_kind_name(enum plan_kind kind);
bool plan_kind_is_fault(enum plan_kind kind);
void plan_print_event(const struct plan *p, const struct plan_event *e);
