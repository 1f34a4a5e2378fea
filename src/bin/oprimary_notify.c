#include "bin/oprimary_notify.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/notify_targets.h"
#include "base/alloc.h"
#include "dns/rrtype.h"
#include "zone/history.h"

/* Many secondaries ask by a connection that they keep, and do not listen there: a NOTIFY would be taken for the answer to their next
 * question (Knot gives the refresh up then, until its retry).  So who has an address that is told is told there, and by the connection
 * only what was not heard there. */
struct subscription {
	struct notify_target target;  /* without the key */
	struct tsig_key key;
	struct name zone;             /* a zone, or, where there is none, what is within it */
	struct key_address secondary; /* in the key's name, if it is told; family 0: none */
	bool is_reached;              /* it has answered a notification at an address of its own */
};

/* ---- the log ---- */

static void
print_target(const struct notify_target *to, char out[PEER_TEXT_MAX])
{
	struct peer p = { .family = to->address.family, .port = to->port };
	memcpy(p.address, to->address.octets, sizeof p.address);
	if (to->conn != 0 && p.family == 0) {
		snprintf(out, PEER_TEXT_MAX, "its own connection");
	} else {
		peer_print(&p, out);
	}
}

static const struct {
	const char *event;
	enum log_level level;
	const char *text;
} outcomes[NOTIFY_OUTCOMES] = {
	[NOTIFY_ACKNOWLEDGED] = { "notify-acknowledged", LOG_LEVEL_INFO, "" },
	[NOTIFY_REFUSED] = { "notify-refused", LOG_LEVEL_WARNING, "" },
	[NOTIFY_GAVE_UP] = { "notify-gave-up", LOG_LEVEL_WARNING, "no answer to any attempt" },
	[NOTIFY_LOST] = { "notify-lost", LOG_LEVEL_DEBUG, "the secondary's connection closed" },
	[NOTIFY_PUT_OFF] = { "notify-put-off", LOG_LEVEL_INFO, "the secondary cannot just now; it is told again" },
	[NOTIFY_UNVERIFIED] = { "notify-unverified", LOG_LEVEL_WARNING, "the answer is not signed well: does it know the key?" },
	[NOTIFY_UNANSWERED] = { "notify-unanswered", LOG_LEVEL_WARNING, "no answer within a minute; it is told again, for a day" },
	[NOTIFY_UNREACHED] = { "notify-unreached", LOG_LEVEL_DEBUG, "no answer yet; if it keeps a connection to us, it is told by that" },
};

/* What a secondary's TSIG error most often means. */
static const char *
text_of(const struct notifier_report *r)
{
	switch (r->tsig_error) {
	case RCODE_BADKEY:
		return "the secondary does not know the key; it is told again";
	case RCODE_BADSIG:
		return "the secondary has another secret for the key; it is told again";
	case RCODE_BADTIME:
		return "the secondary's clock differs from ours; it is told again";
	default:
		return outcomes[r->outcome].text;
	}
}

static void
log_report(struct teller *t, const struct notifier_report *r)
{
	static const char *const transports[NOTIFY_TRANSPORTS] = {
		[NOTIFY_OVER_TCP] = "tcp", [NOTIFY_OVER_UDP] = "udp", [NOTIFY_OVER_CONN] = "connection",
	};
	char to[PEER_TEXT_MAX], zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX] = "", rcode[RRTYPE_TEXT_MAX] = "";
	if (!log_is_on(t->log, outcomes[r->outcome].level)) {
		return;
	}
	print_target(r->target, to);
	name_print(r->zone, zone);
	if (r->target->key != NULL) {
		name_print(r->target->key->name.oct, key);
	}
	if (r->outcome == NOTIFY_REFUSED || r->outcome == NOTIFY_PUT_OFF) {
		rcode_print(r->rcode, false, rcode);
	} else if (r->tsig_error != 0) {
		rcode_print(r->tsig_error, true, rcode);
	}
	log_peer_event(t->log, LOG_BY_KEY, outcomes[r->outcome].level, outcomes[r->outcome].event,
	               "to=%s transport=%s zone=%s serial=%u key=%s attempts=%u rcode=%s text=%s", to, transports[r->transport], zone,
	               r->serial, key, r->attempts, rcode, text_of(r));
}

void
teller_log_stats(struct teller *t)
{
	struct notifier_stats s;
	net_notify_stats(t->net, &s);
	log_event(t->log, LOG_LEVEL_INFO, "notify-stats",
	          "added=%lu over_limit=%lu replaced=%lu acknowledged=%lu refused=%lu gave_up=%lu lost=%lu sent_tcp=%lu sent_udp=%lu "
	          "sent_connection=%lu failed=%lu unverified=%lu pending=%lu in_flight=%lu",
	          s.added, s.over_limit, s.replaced, s.outcomes[NOTIFY_ACKNOWLEDGED], s.outcomes[NOTIFY_REFUSED],
	          s.outcomes[NOTIFY_GAVE_UP], s.outcomes[NOTIFY_LOST], s.sent[NOTIFY_OVER_TCP], s.sent[NOTIFY_OVER_UDP],
	          s.sent[NOTIFY_OVER_CONN], s.failed, s.unverified, s.pending, s.in_flight);
}

/* ---- to the loader ---- */

/* False: not put. */
static bool
put_event(struct teller *t, const struct secondary_event *e)
{
	pthread_mutex_lock(&t->lock);
	bool is_put = t->is_on && secondary_queue_put(&t->heard, e) == OK;
	pthread_mutex_unlock(&t->lock);
	if (is_put) {
		t->wake(t->ctx);
	}
	return is_put;
}

/* ---- what the notifier reports ---- */

/* Has somebody who has the key answered, or has anybody acknowledged?  An unsigned refusal may be that of a router in front of it. */
static bool
is_reached(const struct notifier_report *r)
{
	bool has_answered = r->outcome == NOTIFY_ACKNOWLEDGED || r->outcome == NOTIFY_REFUSED || r->outcome == NOTIFY_PUT_OFF;
	return r->outcome == NOTIFY_ACKNOWLEDGED || (has_answered && r->target->key != NULL);
}

static bool
is_missed(const struct notifier_report *r)
{
	return r->outcome == NOTIFY_UNREACHED || (r->outcome == NOTIFY_REFUSED && r->target->key == NULL);
}

static unsigned
place_of(const struct key_address *a)
{
	unsigned h = a->family;
	for (size_t i = 0; i < sizeof a->octets; i++) {
		h = 31 * h + a->octets[i];
	}
	return h % TELLER_PLACES;
}

/* How many are told at an address, by its place. */
static void
count_place(struct teller *t, const struct key_address *a, unsigned by)
{
	atomic_fetch_add_explicit(&t->at[place_of(a)], by, memory_order_relaxed);
}

static bool
is_anybody_at(struct teller *t, const struct key_address *a)
{
	return atomic_load_explicit(&t->at[place_of(a)], memory_order_relaxed) != 0;
}

/* The loader has it, if it is about somebody who holds a connection: most reports are not. */
static void
pass_on(struct teller *t, const struct notifier_report *r)
{
	struct secondary_event e = { .kind = SECONDARY_HEARD, .is_reached = is_reached(r) };
	if ((e.is_reached || is_missed(r)) && is_anybody_at(t, &r->target->address)) {
		e.target.address = r->target->address;
		name_set(&e.zone, r->zone);
		(void)put_event(t, &e); /* over a limit: then the secondary asks again by its timer */
	}
}

static void
on_report(void *ctx, const struct notifier_report *r)
{
	struct teller *t = ctx;
	log_report(t, r);
	if (r->target->conn == 0) {
		pass_on(t, r);
	} else if (r->outcome == NOTIFY_LOST) {
		teller_on_closed(t, r->target->conn); /* as its worker has said, unless the queue was full then */
	}
}

/* ---- our own addresses ---- */

static bool
take_address(const struct sockaddr *sa, struct key_address *out)
{
	if (sa != NULL && sa->sa_family == AF_INET) {
		*out = (struct key_address){ .family = 4 };
		memcpy(out->octets, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		return true;
	}
	if (sa != NULL && sa->sa_family == AF_INET6) {
		*out = (struct key_address){ .family = 6 };
		memcpy(out->octets, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
		return true;
	}
	return false;
}

static void
add_own(struct teller *t, const struct sockaddr *sa)
{
	if (t->own_n < TELLER_OWN_MAX && take_address(sa, &t->own[t->own_n])) {
		t->own_n++;
	}
}

/* Of a listener on all addresses, those that the machine has now: they come and go. */
static void
find_own(struct teller *t)
{
	struct ifaddrs *all = NULL;
	bool is_wildcard = false;
	t->own_n = 0;
	for (size_t i = 0; i < t->listen_n; i++) {
		is_wildcard |= listen_is_wildcard(&t->listen[i]);
		add_own(t, &t->listen[i].sa.any);
	}
	if (is_wildcard && getifaddrs(&all) == 0) {
		for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
			add_own(t, a->ifa_addr);
		}
		freeifaddrs(all);
	}
}

/* By what the listeners are bound to: a machine whose network is not up yet has nothing but loopback addresses, too. */
static bool
is_all_loopback(const struct listen_address *listen, size_t n)
{
	struct key_address a;
	for (size_t i = 0; i < n; i++) {
		if (!take_address(&listen[i].sa.any, &a) || !notify_is_loopback(&a)) {
			return false;
		}
	}
	return n != 0;
}

/* The one address of a family, or NULL: then the system chooses. */
static const struct listen_address *
source_of(const struct listen_address *listen, size_t n, int family)
{
	const struct listen_address *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (listen[i].sa.any.sa_family == family) {
			if (found != NULL || listen_is_wildcard(&listen[i])) {
				return NULL;
			}
			found = &listen[i];
		}
	}
	return found;
}

/* ---- beginning and end ---- */

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	struct teller *t = ctx;
	pthread_mutex_lock(&t->lock);
	bool is_sent = t->is_on && tcp_worker_send(t->workers[tcp_worker_of(conn)], conn, bytes, len);
	pthread_mutex_unlock(&t->lock);
	return is_sent;
}

void
teller_init(struct teller *t)
{
	pthread_mutex_init(&t->lock, NULL);
	secondary_queue_init(&t->heard);
}

void
teller_fini(struct teller *t)
{
	secondary_queue_fini(&t->heard);
	pthread_mutex_destroy(&t->lock);
}

static void
set_on(struct teller *t, bool is_on)
{
	pthread_mutex_lock(&t->lock);
	t->is_on = is_on;
	pthread_mutex_unlock(&t->lock);
}

const struct pulse *
teller_pulse(const struct teller *t)
{
	return net_notify_pulse(t->net);
}

err_t
teller_start(struct teller *t, const struct listen_address *listen, size_t n, struct diag *diag)
{
	const struct net_notify_conf conf = {
		.source_v4 = source_of(listen, n, AF_INET), .source_v6 = source_of(listen, n, AF_INET6),
		.send_over = send_over, .report = on_report, .ctx = t,
	};
	t->listen = listen;
	t->listen_n = n;
	t->is_loopback_only = t->is_loopback_kept && is_all_loopback(listen, n);
	find_own(t);
	TRY(net_notify_start(&conf, &t->net, diag));
	set_on(t, true);
	return OK;
}

void
teller_silence(struct teller *t)
{
	set_on(t, false);
}

void
teller_stop(struct teller *t)
{
	teller_silence(t);
	net_notify_stop(&t->net);
	served_unpin(t->served, &t->told);
	for (size_t i = 0; i < t->n; i++) {
		wipe(&t->list[i].key, sizeof t->list[i].key);
	}
	free(t->list);
	free(t->put_off);
	t->list = NULL;
	t->put_off = NULL;
	t->put_off_n = t->put_off_cap = 0;
	t->n = t->cap = 0;
}

/* ---- what there is to tell ---- */

static void
tell(void *ctx, const struct notify_news *news, const struct notify_target *to)
{
	struct teller *t = ctx;
	err_t err = net_notify_add(t->net, news, to);
	(void)err; /* over a limit: counted there */
}

static bool
has_zone(const struct view *v, const uint8_t *name)
{
	return v != NULL && view_zone(v, name) != NULL;
}

static bool
is_about(const struct teller *t, const struct subscription *s, const uint8_t *zone)
{
	return name_is_equal(s->zone.oct, zone) || (name_is_within(zone, s->zone.oct) && !has_zone(t->told_view, s->zone.oct));
}

/* ---- those that hold a connection ---- */

static bool
has_target(const struct notify_targets *targets, const struct key_address *a)
{
	for (size_t i = 0; i < targets->n; i++) {
		if (key_address_is_equal(&targets->list[i].address, a)) {
			return true;
		}
	}
	return false;
}

/* Where it is told, if it can be at all: the address in its key's name goes before the one that it asks from. */
static const struct key_address *
told_at(const struct key_address *in_key, const struct notify_target *asks_from)
{
	return in_key->family != 0 ? in_key : &asks_from->address;
}

static const struct key_address *
address_of(const struct subscription *s)
{
	return told_at(&s->secondary, &s->target);
}

static void
tell_one(struct teller *t, const struct notify_news *news, const struct subscription *s)
{
	struct notify_target to = s->target;
	to.key = &s->key;
	tell(t, news, &to);
}

/* A zone that came, changed or went: to those that wait for it and are told at no address. */
static void
tell_subscribers(void *ctx, const struct notify_news *news, const struct notify_targets *targets)
{
	struct teller *t = ctx;
	for (size_t i = 0; i < t->n; i++) {
		const struct subscription *s = &t->list[i];
		if (is_about(t, s, news->zone) && !has_target(targets, address_of(s))) {
			tell_one(t, news, s);
		}
	}
}

static void
drop(struct teller *t, size_t i)
{
	count_place(t, address_of(&t->list[i]), -1U);
	wipe(&t->list[i].key, sizeof t->list[i].key);
	t->list[i] = t->list[--t->n];
}

static bool
is_still_allowed(const struct view *v, const struct subscription *s)
{
	const struct key *key = keystore_find(v->keys, s->key.name.oct);
	return key != NULL && key_is_same(&key->tsig, &s->key) && key_has_right(key, RIGHT_TRANSFER, s->zone.oct);
}

/* Whose key has gone, or has another secret, asks again with one that is good. */
static void
drop_disallowed(struct teller *t)
{
	for (size_t i = t->n; i-- != 0;) {
		if (!is_still_allowed(t->told_view, &t->list[i])) {
			drop(t, i);
		}
	}
}

/* Secondaries take nothing from a version whose serial is not newer, so they are told of the one that follows. */
static bool
puts_off(void *ctx, const struct zone *z)
{
	struct teller *t = ctx;
	if (!t->is_put_off(t->ctx, z)) {
		return false;
	}
	for (size_t i = 0; i < t->put_off_n; i++) {
		if (name_is_equal(t->put_off[i].oct, z->apex_name)) {
			return true;
		}
	}
	if (!try_room(&t->put_off, sizeof *t->put_off, t->put_off_n, &t->put_off_cap)) {
		return false; /* it is told at once, and again with the next serial */
	}
	name_set(&t->put_off[t->put_off_n++], z->apex_name);
	return true;
}

static struct notify_policy
policy_of(const struct teller *t)
{
	return (struct notify_policy){ .own = t->own, .own_n = t->own_n, .whom = t->whom, .is_loopback_only = t->is_loopback_only };
}

static void
log_left_out(struct teller *t, err_t err, const struct notify_left_out *o)
{
	if (err != OK || o->cut_n != 0) {
		log_event(t->log, LOG_LEVEL_ERROR, "notify-incomplete", "zones=%zu text=%s", o->cut_n,
		          err != OK ? err_str(err) : "they have more secondaries than are told");
	}
	if (o->passed_n != 0 && !t->has_said_passed) {
		char zone[NAME_TEXT_MAX], to[PEER_TEXT_MAX];
		name_print(o->passed_zone.oct, zone);
		print_target(&(struct notify_target){ .address = o->passed, .port = NOTIFY_PORT }, to);
		log_event(t->log, LOG_LEVEL_INFO, "notify-passed-over", "zones=%zu zone=%s to=%s text=%s", o->passed_n, zone, to,
		          "we listen on loopback addresses alone, so no others are told; --notify=all tells all. This is said once");
		t->has_said_passed = true;
	}
}

static const struct zone *
find_told(const struct teller *t, const struct name *zone)
{
	return t->told_view != NULL ? view_zone(t->told_view, zone->oct) : NULL;
}

/* The version that was to follow is there, and was told; or it does not come, and what there is is told. */
static void
tell_put_off(struct teller *t)
{
	const struct notify_listener to = { .each = tell, .zone = tell_subscribers, .ctx = t };
	const struct notify_policy policy = policy_of(t);
	struct notify_left_out left_out;
	for (size_t i = t->put_off_n; i-- != 0;) {
		const struct zone *z = find_told(t, &t->put_off[i]);
		bool is_there = z != NULL && history_is_serial_stuck(z);
		if (is_there && t->is_put_off(t->ctx, z)) {
			continue;
		}
		t->put_off[i] = t->put_off[--t->put_off_n];
		if (is_there) {
			log_left_out(t, notify_one_zone(t->told_view, z, &policy, &to, &left_out), &left_out);
		}
	}
}

/* ---- subscriptions ---- */

/* Who asked for a name that is no zone: of all zones within it. */
static void
tell_all(struct teller *t, const struct subscription *s)
{
	struct notify_target to = s->target;
	to.key = &s->key;
	if (t->told_view == NULL || has_zone(t->told_view, s->zone.oct)) {
		return;
	}
	if (to.conn != 0 && s->secondary.family != 0) {
		to.conn = 0;
		to.address = s->secondary;
		to.port = NOTIFY_PORT;
	}
	if (to.conn != 0 || !t->is_loopback_only || notify_is_loopback(&to.address)) {
		notify_every_zone(t->told_view, s->zone.oct, &to, tell, t);
	}
}

static bool
is_there(const struct teller *t, const struct subscription *new)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct subscription *s = &t->list[i];
		if (s->target.conn == new->target.conn && name_is_equal(s->zone.oct, new->zone.oct) &&
		    name_is_equal(s->key.name.oct, new->key.name.oct)) {
			return true;
		}
	}
	return false;
}

static void
append(struct teller *t, const struct subscription *new)
{
	if (!try_room(&t->list, sizeof *t->list, t->n, &t->cap)) {
		return; /* it is told when it asks again */
	}
	t->list[t->n++] = *new;
	count_place(t, address_of(new), 1);
}

/* It is told everything; one that asked by UDP, and that alone. */
static void
subscribe(struct teller *t, const struct secondary_event *e)
{
	const struct notify_policy policy = policy_of(t);
	struct subscription new = { .target = e->target, .key = *e->key, .zone = e->zone };
	if (notify_is_allowed(&policy, &e->secondary, true)) {
		new.secondary = e->secondary;
	}
	if (new.target.conn == 0) {
		tell_all(t, &new);
	} else if (t->n < TELLER_SUBSCRIPTIONS_MAX && !is_there(t, &new)) {
		append(t, &new);
		tell_all(t, &new);
	}
	wipe(&new.key, sizeof new.key);
}

static void
unsubscribe(struct teller *t, uint64_t conn)
{
	for (size_t i = t->n; i-- != 0;) {
		if (t->list[i].target.conn == conn) {
			drop(t, i);
		}
	}
}

/* What there is to tell of a zone as it was told last. */
static struct notify_news
news_of(const struct teller *t, const struct name *zone)
{
	const struct zone *z = find_told(t, zone);
	return z != NULL ? notify_news_of(z) : (struct notify_news){ .zone = zone->oct };
}

/* Those that are told at the address, and hold a connection: it has heard there, or it is told by the connection now. */
static void
take_report(struct teller *t, const struct secondary_event *e)
{
	const struct notify_news news = news_of(t, &e->zone);
	for (size_t i = 0; i < t->n; i++) {
		struct subscription *s = &t->list[i];
		if (!key_address_is_equal(address_of(s), &e->target.address)) {
			continue;
		}
		s->is_reached |= e->is_reached;
		if (!s->is_reached && is_about(t, s, e->zone.oct)) {
			tell_one(t, &news, s);
		}
	}
}

static void
take_event(struct teller *t, const struct secondary_event *e)
{
	switch (e->kind) {
	case SECONDARY_ASKED:
		subscribe(t, e);
		count_place(t, told_at(&e->secondary, &e->target), -1U); /* now that it is counted as subscribed */
		break;
	case SECONDARY_GONE:
		unsubscribe(t, e->target.conn);
		break;
	case SECONDARY_HEARD:
		take_report(t, e);
		break;
	case SECONDARY_AHEAD:
		t->ahead(t->ctx, e);
		break;
	}
}

static void
take_events(struct teller *t)
{
	for (struct secondary_event *e = secondary_queue_take(&t->heard), *next; e != NULL; e = next) {
		next = e->next;
		take_event(t, e);
		secondary_event_free(&e);
	}
}

void
teller_on_changed(struct teller *t)
{
	const struct notify_listener to = { .each = tell, .zone = tell_subscribers, .ctx = t };
	struct served_pin *before = t->told;
	const struct view *old = t->told_view;
	struct notify_left_out left_out;
	find_own(t);
	struct notify_policy policy = policy_of(t);
	policy.is_put_off = puts_off;
	policy.ctx = t;
	take_events(t);
	t->told_view = served_pin(t->served, &t->told);
	drop_disallowed(t);
	err_t err = notify_compare(old, t->told_view, &policy, &to, &left_out);
	served_unpin(t->served, &before);
	log_left_out(t, err, &left_out);
	tell_put_off(t);
}

void
teller_go_on(struct teller *t)
{
	take_events(t);
	tell_put_off(t);
}

/* ---- what workers call in ---- */

/* By UDP there is nothing to hear by later on; only the question for a name that is no zone has an answer to come. */
static struct notify_target
target_of(const struct net_request *r)
{
	const struct peer *p = &r->from->peer;
	struct notify_target to = { .conn = r->conn, .port = r->conn != 0 ? p->port : NOTIFY_PORT, .address = { .family = p->family } };
	memcpy(to.address.octets, p->address, sizeof to.address.octets);
	return to;
}

void
teller_on_secondary(struct teller *t, const struct net_request *r, const struct server_out *out)
{
	const struct key *key = keystore_find(r->view->keys, out->key.oct);
	if (t->whom == NOTIFY_WHOM_NONE || key == NULL || (r->conn == 0 && has_zone(r->view, out->zone.oct))) {
		return;
	}
	struct tsig_key copy = key->tsig;
	struct secondary_event e = { .kind = SECONDARY_ASKED, .target = target_of(r), .key = &copy, .zone = out->zone };
	if (key->right == RIGHT_TRANSFER) { /* of others the name says nothing */
		e.secondary = key->secondary;
	}
	count_place(t, told_at(&e.secondary, &e.target), 1); /* so that no report about it is passed over meanwhile */
	if (!put_event(t, &e)) {
		count_place(t, told_at(&e.secondary, &e.target), -1U);
	}
	wipe(&copy, sizeof copy);
}

void
teller_on_ahead(struct teller *t, const struct net_request *r, const struct server_out *out)
{
	const struct key *key = keystore_find(r->view->keys, out->key.oct);
	if (key == NULL) {
		return;
	}
	struct tsig_key copy = key->tsig;
	struct secondary_event e = { .kind = SECONDARY_AHEAD, .target = target_of(r), .key = &copy, .zone = out->zone,
		                     .serial = out->serial };
	e.target.port = r->from->peer.port;
	(void)put_event(t, &e); /* over the limit: it asks again */
	wipe(&copy, sizeof copy);
}

void
teller_on_response(struct teller *t, uint64_t conn, const uint8_t *bytes, size_t len)
{
	pthread_mutex_lock(&t->lock);
	if (t->is_on) {
		net_notify_conn_input(t->net, conn, bytes, len);
	}
	pthread_mutex_unlock(&t->lock);
}

void
teller_on_closed(struct teller *t, uint64_t conn)
{
	const struct secondary_event e = { .kind = SECONDARY_GONE, .target = { .conn = conn } };
	(void)put_event(t, &e); /* over a limit: NOTIFY_LOST says it again */
	pthread_mutex_lock(&t->lock);
	if (t->is_on) {
		net_notify_conn_closed(t->net, conn);
	}
	pthread_mutex_unlock(&t->lock);
}
