/* Clients that update zones: each message sets one record to a value that was never there, and the TXT record at the apex to
 * one that no version had; and waits for the answer.
 *
 * What must hold (see check.c for the rest):
 *   - An update that was answered NOERROR is in the repository from then on, and served; or, when there was no memory for the next view, as
 *     soon as the primary serves the head.
 *   - One that was answered otherwise is never served.  Not held to: one whose sender has not heard that, and tries again, when the primary
 *     was restarted meanwhile, or had refused the message itself (a wrong clock, no such zone yet), which it does not remember.
 *   - The values of a record are never older than one that was there: those of one client stay in order.
 * A client does not send the next value of a record before it has the answer, or has given up waiting for it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "dns/wire.h"
#include "git.h"

enum { TRIES_MAX = 3, ANSWER_MAX_S = 5, WAY_MAX_MS = 40, LOSS = 50 };

struct client_update {
	unsigned zone, host, value;
	uint64_t next_ns;       /* when it arrives, or the client tries again; NOW_NEVER: it is over */
	unsigned tries;
	bool is_on_its_way;
	bool is_impossible;     /* its prerequisite does not hold */
	unsigned under_way;     /* times that the primary has taken it and not given it back */
	bool is_unclear;        /* it was given back without an answer, or went with its process */
	bool is_answered;       /* the client knows */
	bool is_good, is_refused;
	struct name key;
	struct peer peer;
	size_t len;
	uint8_t wire[512];
};

static const char secret[] = "SHA256:kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=";

/* ---- the message ---- */

static struct name
owner_of(const uint8_t *apex, unsigned host)
{
	char owner[16];
	struct name name;
	(void)snprintf(owner, sizeof owner, "u%u", host);
	err_t err = name_parse(owner, strlen(owner), apex, &name);
	ASSERT(err == OK);
	return name;
}

static void
put_text(struct buf *b, const uint8_t *owner, unsigned rrclass, unsigned ttl, const char *text)
{
	buf_put(b, owner, name_len(owner));
	buf_u16(b, TYPE_TXT);
	buf_u16(b, (uint16_t)rrclass);
	buf_u32(b, ttl);
	size_t n = text != NULL ? strlen(text) : 0;
	buf_u16(b, (uint16_t)(text != NULL ? n + 1 : 0));
	if (text != NULL) {
		buf_u8(b, (uint8_t)n);
		buf_put(b, text, n);
	}
}

static void
sign(struct client_update *u, unsigned primary, uint64_t now_s)
{
	char text[200], why[128];
	struct tsig_key key;
	struct tsig t = { .key = &key };
	(void)snprintf(text, sizeof text, "c%u._update.p%u.example:%s", u->host % 2, primary, secret);
	err_t err = tsig_key_parse(text, &key, why);
	ASSERT(err == OK);
	err = tsig_sign_request(&t, u->wire, &u->len, sizeof u->wire, now_s);
	ASSERT(err == OK);
	u->key = key.name;
	tsig_fini(&t);
}

static void
write_message(const struct world *w, struct client_update *u)
{
	const struct plan_zone *z = &w->plan->zones[u->zone];
	struct buf b = buf_over(u->wire, sizeof u->wire);
	const struct name owner = owner_of(z->name.oct, u->host), none = owner_of(z->name.oct, UPDATED_MAX);
	char value[16], mark[32];
	(void)snprintf(value, sizeof value, "%u", u->value);
	(void)snprintf(mark, sizeof mark, "update %u", u->value);
	buf_u16(&b, (uint16_t)u->value);
	buf_u16(&b, OPCODE_UPDATE << 11);
	buf_u16(&b, 1);
	buf_u16(&b, u->is_impossible);
	buf_u16(&b, 4);
	buf_u16(&b, 0);
	buf_put(&b, z->name.oct, z->name.len);
	buf_u16(&b, TYPE_SOA);
	buf_u16(&b, CLASS_IN);
	if (u->is_impossible) {
		put_text(&b, none.oct, CLASS_ANY, 0, NULL);
	}
	put_text(&b, owner.oct, CLASS_ANY, 0, NULL);
	put_text(&b, owner.oct, CLASS_IN, 60, value);
	put_text(&b, z->name.oct, CLASS_ANY, 0, NULL);
	put_text(&b, z->name.oct, CLASS_IN, 60, mark);
	ASSERT(b.err == OK);
	u->len = b.len;
	sign(u, z->primary, WALL_S + w->now_ns / SECOND);
}

/* ---- clients ---- */

static bool
is_busy(const struct world *w, unsigned zone, unsigned host)
{
	for (size_t i = 0; i < w->updates_n; i++) {
		const struct client_update *u = w->updates[i];
		if (u->zone == zone && u->host == host && u->next_ns != NOW_NEVER) {
			return true;
		}
	}
	return false;
}

static uint64_t
on_its_way(struct world *w)
{
	return w->now_ns + dice_between(&w->of_updates, 1, WAY_MAX_MS) * MS;
}

void
clients_update(struct world *w, unsigned zone)
{
	unsigned host = dice_unsigned(&w->of_updates, UPDATED_MAX);
	if (is_busy(w, zone, host) || w->updates_n == UPDATES_MAX) {
		return;
	}
	struct client_update *u = xalloc(sizeof *u);
	w->updates[w->updates_n++] = u;
	*u = (struct client_update){ .zone = zone, .host = host, .value = (unsigned)w->updates_n, .is_impossible = dice_hits(&w->of_updates, 100),
		              .is_on_its_way = true };
	u->peer = (struct peer){ .family = 4, .address = { 192, 0, 2, 7 }, .port = 4242, .transport = TRANSPORT_TCP };
	u->next_ns = on_its_way(w);
	write_message(w, u);
	world_log(w, "client: zone %u, record %u becomes %u%s", zone, host, u->value, u->is_impossible ? ", which is not possible" : "");
}

/* The client knows, unless the answer is lost. */
static void
take_rcode(struct world *w, struct client_update *u, unsigned rcode, bool is_remembered)
{
	if (!dice_hits(&w->of_updates, LOSS)) {
		u->is_answered = true;
		u->next_ns = NOW_NEVER;
	}
	if (rcode == RCODE_NOERROR) {
		u->is_good = true;
	} else if (u->under_way == 0 && !u->is_unclear && !u->is_good) {
		u->is_refused = u->is_answered || is_remembered;
	}
	world_log(w, "client: %u is answered %u", u->value, rcode);
}

static void
arrive(struct world *w, struct client_update *u)
{
	static uint8_t out[DNS_MSG_MAX];
	struct sim_node *n = &w->nodes[w->plan->zones[u->zone].primary];
	struct server_out what;
	if (!n->is_up || n->silent != 0 || dice_hits(&w->of_updates, LOSS)) {
		return;
	}
	const struct now now = node_now(n);
	size_t len = server_handle(node_view(n), &n->conf, &u->peer, now.wall_s, u->wire, u->len, out, sizeof out, &n->stats, &what);
	if (what.event == EVENT_UPDATE) {
		const struct updater_request r = { .key = &u->key, .peer = &u->peer, .arrived_s = now.wall_s, .arrived_ns = now.mono_ns,
			                           .bytes = u->wire, .len = u->len, .handle = u };
		u->under_way++;
		git_update(n, &r);
	} else if (len != 0) {
		take_rcode(w, u, out[3] & DNS_RCODE, false);
	}
}

static void
go_on(struct world *w, struct client_update *u)
{
	if (u->is_on_its_way) {
		u->is_on_its_way = false;
		u->next_ns = w->now_ns + ANSWER_MAX_S * SECOND;
		arrive(w, u);
	} else if (++u->tries < TRIES_MAX) {
		u->is_on_its_way = true;
		u->next_ns = on_its_way(w);
	} else {
		u->next_ns = NOW_NEVER;
	}
}

static struct client_update *
first(const struct world *w)
{
	struct client_update *f = NULL;
	for (size_t i = 0; i < w->updates_n; i++) {
		struct client_update *u = w->updates[i];
		f = u->next_ns != NOW_NEVER && (f == NULL || u->next_ns < f->next_ns) ? u : f;
	}
	return f;
}

uint64_t
clients_next(const struct world *w)
{
	const struct client_update *u = first(w);
	return u != NULL ? u->next_ns : NOW_NEVER;
}

void
clients_go_on(struct world *w)
{
	go_on(w, first(w));
}

void
clients_fini(struct world *w)
{
	for (size_t i = 0; i < w->updates_n; i++) {
		free(w->updates[i]);
	}
	w->updates_n = 0;
}

/* ---- what must hold ---- */

/* The record's value in the text of a zone; 0: it has none. */
static unsigned
value_in(const char *text, unsigned host)
{
	char owner[16];
	int n = snprintf(owner, sizeof owner, "\nu%u", host);
	for (const char *at = text; (at = strstr(at, owner)) != NULL; at++) {
		const char *quote = strchr(at, '"');
		if ((at[n] == ' ' || at[n] == '\t') && quote != NULL) {
			return (unsigned)strtoul(quote + 1, NULL, 10);
		}
	}
	return 0;
}

static unsigned
value_served(const struct zone *z, unsigned host)
{
	const struct name owner = owner_of(z->apex_name, host);
	const struct node *node = zone_node(z, owner.oct);
	const struct rrset *set = node != NULL ? node_rrset(node, TYPE_TXT) : NULL;
	char text[16] = "";
	if (set != NULL) {
		const struct rr *rr = rrset_first(set);
		memcpy(text, rr->rdata + 1, rr->rdata[0] < sizeof text ? rr->rdata[0] : 0);
	}
	return (unsigned)strtoul(text, NULL, 10);
}

static const char *
text_of(const struct world *w, unsigned zone)
{
	char path[NAME_TEXT_MAX];
	source_file_name(w->plan->zones[zone].name.oct, path);
	return tree_get(&w->remotes[w->plan->zones[zone].primary].files, path);
}

static void
check_good(struct world *w, const struct client_update *u, const char *when)
{
	const char *text = text_of(w, u->zone);
	if (text != NULL && value_in(text, u->host) < u->value) {
		world_break(w, "update %u of zone %u was acknowledged, and is not in the repository %s", u->value, u->zone, when);
	}
}

void
check_updated(struct sim_node *n, unsigned zone, const struct zone *z)
{
	struct world *w = n->world;
	for (unsigned host = 0; host < UPDATED_MAX; host++) {
		unsigned value = value_served(z, host);
		if (value > w->updates_n || (value != 0 && w->updates[value - 1]->is_refused)) {
			world_break(w, "zone %u has update %u, which was refused", zone, value);
		}
		if (value < w->values[zone][host]) {
			world_break(w, "record %u of zone %u is %u after %u", host, zone, value, w->values[zone][host]);
		}
		w->values[zone][host] = value;
	}
}

static void
check_served_now(struct sim_node *n, const struct client_update *u)
{
	const struct zone *z = view_zone(node_view(n), n->world->plan->zones[u->zone].name.oct);
	if (z != NULL && value_served(z, u->host) < u->value) {
		world_break(n->world, "update %u of zone %u was acknowledged, and is not served", u->value, u->zone);
	}
}

void
check_updates(struct world *w)
{
	for (size_t i = 0; i < w->updates_n; i++) {
		const struct client_update *u = w->updates[i];
		struct sim_node *n = &w->nodes[w->plan->zones[u->zone].primary];
		if (u->is_good) {
			check_good(w, u, "any more");
		}
		if (u->is_good && n->is_up && git_is_current(n)) {
			check_served_now(n, u);
		}
	}
}

void
clients_answered(struct sim_node *n, void *handle, const uint8_t *bytes, size_t len)
{
	struct world *w = n->world;
	struct client_update *u = handle;
	u->under_way--;
	if (len == 0) {
		u->is_unclear = true;
		world_log(w, "client: %u is not answered", u->value);
		return;
	}
	take_rcode(w, u, bytes[3] & DNS_RCODE, true);
	if ((bytes[3] & DNS_RCODE) == RCODE_NOERROR) {
		check_good(w, u, "yet");
	}
	if ((bytes[3] & DNS_RCODE) == RCODE_NOERROR && n->no_room == 0) {
		check_served_now(n, u);
	}
}

/* It remembers no answers any more: who has not got one and tries again may get another. */
void
clients_forgotten(struct sim_node *n)
{
	for (size_t i = 0; i < n->world->updates_n; i++) {
		struct client_update *u = n->world->updates[i];
		u->is_refused &= u->is_answered || n->world->plan->zones[u->zone].primary != n->number;
	}
}
