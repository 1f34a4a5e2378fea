/* The process of oacme: the certifier with its client, as net/certify.c runs them.  It is killed and started, and forgets all then. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "dns/rrtype.h"
#include "zone/node.h"
#include "zone/zone.h"

enum { UPDATE_LATE_MAX_S = 60, UPDATE_PATIENCE_S = 10, DOWN_PART = 300 };

static struct pkey *account;

void
oacme_keys_begin(void)
{
	err_t err = pkey_from_seed(PKEY_ED25519, 0, (const uint8_t *)"account", 7, &account);
	ASSERT(err == OK);
}

void
oacme_keys_end(void)
{
	pkey_free(&account);
}

struct now
oacme_now(const struct oacme *o)
{
	uint64_t wall_s = world_wall_s(o->world);
	return (struct now){ .mono_ns = SECOND + o->world->now_ns, .wall_s = wall_s + (uint64_t)o->skew_s };
}

/* ---- what the certifier wants ---- */

static const struct view *
view(void *ctx)
{
	return secondary_view(((const struct oacme *)ctx)->zones);
}

/* Some are lost on the way, or their answers are, and some are carried out after oacme has given up. */
static void
update(void *ctx, unsigned slot, const struct key *key, const uint8_t *zone, const uint8_t *bytes, size_t len)
{
	struct oacme *o = ctx;
	struct world *w = o->world;
	bool is_lost = world_fault(w, PLAN_PRIMARY_LOSES), arrives = !is_lost || dice_hits(&w->dice, 600);
	uint64_t after_ns = is_lost && dice_hits(&w->dice, 500) ? dice_below(&w->dice, UPDATE_LATE_MAX_S * SECOND) : 0;
	(void)zone;
	if (arrives) {
		struct action *a = action_new(w, ACTION_UPDATE, o, after_ns + dice_between(&w->dice, MS, 200 * MS));
		a->slot = slot;
		a->key = keystore_find(w->keys, key->tsig.name.oct);
		a->is_lost = is_lost;
		str_put(&a->bytes, bytes, len);
	}
	if (is_lost) {
		struct action *told = action_new(w, ACTION_UPDATED, o, dice_between(&w->dice, MS, UPDATE_PATIENCE_S * SECOND));
		told->slot = slot;
		told->outcome = CERTIFIER_LOST;
		world_log(w, "oacme %u: an UPDATE is lost%s", o->number, arrives ? ", but arrives" : "");
	}
}

static bool
ask(void *ctx, unsigned slot, const struct certifier_place *to, bool is_tcp, const uint8_t *bytes, size_t len)
{
	struct oacme *o = ctx;
	struct world *w = o->world;
	uint8_t answer[ANSWER_MAX];
	(void)is_tcp; /* no set here is too large for UDP */
	unsigned server = to->address.octets[3];
	o->is_asking[slot] = true;
	o->asked[slot]++;
	if (dns_is_dead(w, server)) {
		return dice_hits(&w->dice, 800);
	}
	struct action *a = action_new(w, ACTION_SHOWN, o, dice_between(&w->dice, MS, 100 * MS));
	a->slot = slot;
	a->number = o->asked[slot];
	str_put(&a->bytes, answer, dns_answer(w, server, bytes, len, answer));
	return true;
}

static void
ask_end(void *ctx, unsigned slot)
{
	struct oacme *o = ctx;
	o->is_asking[slot] = false;
	o->asked[slot]++;
}

/* Servers of the zone of proofs are in that of the hosts: none is to be looked up. */
static bool
resolve(void *ctx, unsigned slot, const uint8_t *name)
{
	struct oacme *o = ctx;
	struct action *a = action_new(o->world, ACTION_RESOLVED, o, SECOND);
	a->slot = slot;
	name_set(&a->name, name);
	return true;
}

static uint32_t
random_u32(void *ctx)
{
	return (uint32_t)dice_u64(&((struct oacme *)ctx)->world->dice);
}

static void
report(void *ctx, const struct certifier_report *r)
{
	check_report(ctx, r);
}

/* ---- life ---- */

void
oacme_init(struct world *w, unsigned number)
{
	w->oacmes[number] = (struct oacme){ .world = w, .number = number };
}

/* As the follower has it until the zone comes. */
static void
show_new(struct oacme *o, unsigned zone)
{
	const struct now now = oacme_now(o);
	struct secondary_step step;
	const uint8_t *apex = o->world->zones[zone].apex.oct;
	err_t err = secondary_show(o->zones, apex, FOLLOW_NEW, now.wall_s, &step);
	ASSERT(err == OK);
	discard_free(&step.old);
	certifier_zone_changed(o->certifier, &now, apex);
}

void
oacme_start(struct oacme *o)
{
	struct world *w = o->world;
	const struct acme_client_conf client = { .directory = CA_URL "/directory", .key = account, .has_agreed = true,
		                                 .preferred_chain = w->plan->prefers_other ? CA_OTHER_ROOT : NULL };
	struct certifier_conf conf = {
		.keys = w->keys,
		.io = { .view = view, .update = update, .ask = ask, .ask_end = ask_end, .resolve = resolve, .report = report,
		        .random_u32 = random_u32, .ctx = o },
	};
	ASSERT(!o->is_up);
	err_t err = acme_client_new(&client, &o->client);
	err = err == OK ? acme_thumbprint(account, w->thumbprint) : err;
	ASSERT(err == OK);
	memcpy(conf.mark, w->thumbprint, REMARK_MARK_LEN);
	conf.ca = o->client;
	o->certifier = certifier_new(&conf);
	o->zones = secondary_new(&(struct secondary_conf){ .octets_max = 0 }, NULL);
	o->is_up = true;
	o->again_ns = 0;
	o->run++;
	memset(o->seen, 0, sizeof o->seen);
	memset(o->is_asking, 0, sizeof o->is_asking);
	memmove(&o->starts_ns[1], &o->starts_ns[0], sizeof o->starts_ns - sizeof o->starts_ns[0]);
	o->starts_ns[0] = w->now_ns + 1;
	world_log(w, "oacme %u starts", o->number);
	for (unsigned i = 0; i < ZONES; i++) {
		uint64_t most_ns = i == 1 && w->plan->late_s != 0 ? w->plan->late_s * SECOND : 2 * SECOND;
		struct action *a = action_new(w, ACTION_SEE, o, dice_between(&w->dice, 10 * MS, most_ns));
		a->number = i;
		show_new(o, i);
	}
}

void
oacme_stop(struct oacme *o)
{
	if (!o->is_up) {
		return;
	}
	o->is_up = false;
	o->run++;
	certifier_free(&o->certifier);
	acme_client_free(&o->client);
	secondary_free(&o->zones);
	world_log(o->world, "oacme %u is killed", o->number);
}

/* An untimely end; the service manager starts it again. */
void
oacme_die_perhaps(struct oacme *o)
{
	struct world *w = o->world;
	if (o->is_up && world_fault(w, PLAN_DEADLY)) {
		oacme_stop(o);
		o->again_ns = w->now_ns + dice_between(&w->dice, SECOND, DOWN_PART * SECOND);
	}
}

/* ---- what it sees ---- */

void
oacme_see(struct oacme *o, unsigned zone)
{
	const struct zone *z = dns_zone(o->world, zone), *version;
	struct zone *copy;
	struct zone_txn *none = NULL;
	struct secondary_step step;
	const struct now now = oacme_now(o);
	if (o->deaf != 0 || o->seen[zone] == z->serial) {
		return;
	}
	copy = dns_copy(z, z->serial);
	err_t err = secondary_take(o->zones, z->apex_name, &copy, &none, now.wall_s, &version, &step);
	ASSERT(err == OK);
	discard_free(&step.old);
	zone_free(&copy);
	o->seen[zone] = z->serial;
	certifier_zone_changed(o->certifier, &now, z->apex_name);
}

uint64_t
oacme_deadline(const struct oacme *o)
{
	if (!o->is_up) {
		return o->again_ns != 0 && o->down == 0 ? o->again_ns : NOW_NEVER;
	}
	uint64_t client = acme_client_deadline(o->client), certifier = certifier_deadline(o->certifier);
	uint64_t first = client < certifier ? client : certifier;
	return first == NOW_NEVER ? first : first > SECOND ? first - SECOND : 0;
}

static void
send_request(struct oacme *o, const struct acme_request *r)
{
	struct world *w = o->world;
	struct action *a = action_new(w, ACTION_REQUEST, o, dice_between(&w->dice, 5 * MS, 100 * MS));
	a->id = r->id;
	a->method = r->method;
	(void)snprintf(a->url, sizeof a->url, "%s", r->url);
	str_put(&a->bytes, r->body, r->body_len);
	w->requests++;
	w->requests_hour++;
}

/* Its timers, and then what comes before each wait. */
void
oacme_go_on(struct oacme *o)
{
	const struct now now = oacme_now(o);
	struct acme_request r;
	if (!o->is_up && o->again_ns != 0 && o->down == 0 && o->again_ns <= o->world->now_ns) {
		oacme_start(o);
	}
	if (!o->is_up) {
		return;
	}
	if (oacme_deadline(o) <= o->world->now_ns) {
		acme_client_timer(o->client, &now);
		certifier_timer(o->certifier, &now);
	}
	certifier_on_ca(o->certifier, &now);
	while (acme_client_take_request(o->client, &now, &r)) {
		send_request(o, &r);
	}
	certifier_on_ca(o->certifier, &now);
}
