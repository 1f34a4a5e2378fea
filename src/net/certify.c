#include "net/certify.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "acme/jws.h"
#include "acme/steps.h"
#include "base/alloc.h"
#include "base/number.h"
#include "dns/ede.h"
#include "dns/rrtype.h"
#include "dns/tsig.h"
#include "net/dial.h"
#include "net/env.h"
#include "net/forward_lines.h"
#include "net/https.h"
#include "net/loop_timer.h"
#include "net/peer.h"
#include "net/random.h"
#include "net/report_certify.h"
#include "net/tcp_questions.h"
#include "net/udp_questions.h"

_Static_assert((int)UDP_QUESTIONS_MAX >= (int)CERTIFIER_JOBS_MAX, "a slot for each job");
_Static_assert((int)TCP_QUESTIONS_MAX >= (int)CERTIFIER_JOBS_MAX, "likewise");
_Static_assert((int)FORWARDER_ASKS_MAX >= (int)CERTIFIER_JOBS_MAX, "likewise");

struct update {
	struct net_certify *owner;
	bool is_under_way;
	struct tsig tsig;
	size_t len;
	uint8_t bytes[DNS_MSG_MAX];
};

struct lookup { /* of the addresses of a name server */
	uv_getaddrinfo_t req; /* must be first */
	struct net_certify *owner; /* NULL: it has ended meanwhile */
	struct lookup *next;
	unsigned slot;
	struct name name;
};

struct net_certify {
	const char *ca_file;
	const struct follow_views *views;
	struct acme_client *client;
	struct certifier *machine;
	const struct follower *primaries;
	uv_loop_t *loop;
	bool is_begun;
	struct loop_timer timer;
	uv_prepare_t prepare;
	struct forward_lines lines;
	struct udp_questions questions;
	struct tcp_questions large; /* whose answers are too large for UDP */
	struct https *https;
	struct lookup *lookups;
	struct update updates[CERTIFIER_JOBS_MAX];
};

/* ---- UPDATEs ---- */

static unsigned
slot_of(const struct update *u)
{
	return (unsigned)(u - u->owner->updates);
}

static void
updated(struct update *u, enum certifier_outcome outcome, const char *why)
{
	const struct now t = net_now();
	u->is_under_way = false;
	certifier_updated(u->owner->machine, &t, slot_of(u), outcome, why);
}

static enum certifier_outcome
outcome_of(unsigned rcode)
{
	switch (rcode) {
	case RCODE_NOERROR: return CERTIFIER_UPDATED;
	case RCODE_NXRRSET: return CERTIFIER_UNMET;
	case RCODE_SERVFAIL: return CERTIFIER_LOST; /* the primary could not store it; perhaps it can a moment later */
	default: return CERTIFIER_DENIED;
	}
}

static void
on_answer(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len)
{
	struct update *u = handle;
	struct msg m;
	char rcode[RRTYPE_TEXT_MAX], ede[EDE_TEXT_MAX], at[PEER_TEXT_MAX], why[EDE_TEXT_MAX + 128];
	(void)ctx;
	peer_print_address(&from->address, from->port, at);
	if (msg_parse(bytes, len, &m) != OK || tsig_verify_response(&u->tsig, &m, net_wall_s()) != OK) {
		const char *what = u->tsig.is_peer_error ? "does not accept the signature of the UPDATE: key, secret or clock differ"
		                                         : "answers without a good signature";
		(void)snprintf(why, sizeof why, "%s %s", at, what);
		updated(u, u->tsig.is_peer_error ? CERTIFIER_DENIED : CERTIFIER_LOST, why);
		return;
	}
	(void)snprintf(why, sizeof why, "%s says %s %.400s", at, rcode_print(m.bits & DNS_RCODE, false, rcode), ede_print(&m.edns, ede));
	updated(u, outcome_of(m.bits & DNS_RCODE), why);
}

static void
on_fail(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why)
{
	(void)ctx;
	(void)from;
	(void)may_have_arrived;
	updated(handle, CERTIFIER_LOST, why);
}

/* The ID that is signed is a random one; the forwarder sends others. */
static bool
sign(struct update *u, const struct key *key)
{
	u16_put(u->bytes, net_random_u32());
	tsig_fini(&u->tsig);
	u->tsig = (struct tsig){ .key = &key->tsig };
	return tsig_sign_request(&u->tsig, u->bytes, &u->len, sizeof u->bytes, net_wall_s()) == OK;
}

static void
send_update(void *ctx, unsigned slot, const struct key *key, const uint8_t *zone, const uint8_t *bytes, size_t len)
{
	struct net_certify *nc = ctx;
	struct update *u = &nc->updates[slot];
	const struct now t = net_now();
	ASSERT(!u->is_under_way && len <= STEPS_MESSAGE_MAX);
	memcpy(u->bytes, bytes, len);
	u->owner = nc;
	u->len = len;
	u->is_under_way = true;
	bool is_signed = sign(u, key);
	ASSERT(is_signed); /* there is room */
	struct forward_update f = { .bytes = u->bytes, .len = u->len, .handle = u };
	f.to_n = follower_sources(nc->primaries, zone, f.to, FORWARDER_PRIMARIES_MAX);
	forwarder_add(nc->lines.machine, &t, &f);
}

/* ---- questions ---- */

static bool
ask(void *ctx, unsigned slot, const struct certifier_place *to, bool is_tcp, const uint8_t *bytes, size_t len)
{
	static const struct listen_address any;
	struct net_certify *nc = ctx;
	const struct listen_address at = listen_at(&to->address, to->port);
	return is_tcp ? tcp_questions_send(&nc->large, slot, &at, bytes, len)
	              : udp_questions_send(&nc->questions, slot, &any, &at, bytes, len);
}

static void
ask_end(void *ctx, unsigned slot)
{
	struct net_certify *nc = ctx;
	udp_questions_end(&nc->questions, slot);
	tcp_questions_end(&nc->large, slot);
}

static void
on_response(void *ctx, unsigned slot, const uint8_t *bytes, size_t len)
{
	struct net_certify *nc = ctx;
	const struct now t = net_now();
	certifier_answered(nc->machine, &t, slot, bytes, len);
}

static void
on_unreachable(void *ctx, unsigned slot)
{
	struct net_certify *nc = ctx;
	const struct now t = net_now();
	certifier_unreachable(nc->machine, &t, slot);
}

/* ---- addresses ---- */

static size_t
addresses_of(const struct addrinfo *list, struct key_address out[CERTIFIER_ADDRESSES_MAX])
{
	size_t n = 0;
	for (const struct addrinfo *a = list; a != NULL && n < CERTIFIER_ADDRESSES_MAX; a = a->ai_next) {
		struct peer p;
		if (peer_from_sockaddr(a->ai_addr, TRANSPORT_UDP, &p)) {
			out[n++] = peer_key_address(&p);
		}
	}
	return n;
}

static void
lookup_free(struct lookup *l)
{
	for (struct lookup **at = l->owner != NULL ? &l->owner->lookups : NULL; at != NULL && *at != NULL; at = &(*at)->next) {
		if (*at == l) {
			*at = l->next;
			break;
		}
	}
	free(l);
}

static void
on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct lookup *l = (struct lookup *)req;
	struct key_address found[CERTIFIER_ADDRESSES_MAX];
	size_t n = status == 0 ? addresses_of(list, found) : 0;
	if (l->owner != NULL) {
		const struct now t = net_now();
		certifier_resolved(l->owner->machine, &t, l->slot, l->name.oct, found, n);
	}
	uv_freeaddrinfo(list);
	lookup_free(l);
}

static bool
resolve(void *ctx, unsigned slot, const uint8_t *name)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct net_certify *nc = ctx;
	char text[NAME_TEXT_MAX];
	struct lookup *l = xalloc(sizeof *l);
	l->owner = nc;
	l->slot = slot;
	name_set(&l->name, name);
	name_show(name, text);
	l->next = nc->lookups;
	nc->lookups = l;
	bool has_begun = uv_getaddrinfo(nc->loop, &l->req, on_looked_up, text, NULL, &hints) == 0;
	if (!has_begun) {
		lookup_free(l);
	}
	return has_begun;
}

/* ---- the CA ---- */

static void
on_ca_answer(void *ctx, uint64_t id, const struct acme_answer *a)
{
	struct net_certify *nc = ctx;
	const struct now t = net_now();
	acme_client_on_answer(nc->client, &t, id, a);
}

static void
on_ca_failure(void *ctx, uint64_t id, const char *why)
{
	struct net_certify *nc = ctx;
	const struct now t = net_now();
	acme_client_on_failure(nc->client, &t, id, why);
}

/* ---- the loop ---- */

static void
on_timer(uv_timer_t *timer)
{
	struct net_certify *nc = timer->data;
	const struct now t = net_now();
	acme_client_timer(nc->client, &t);
	certifier_timer(nc->machine, &t);
	forwarder_timer(nc->lines.machine, &t);
}

static uint64_t
deadline(const struct net_certify *nc)
{
	const uint64_t at[] = { acme_client_deadline(nc->client), certifier_deadline(nc->machine),
		                forwarder_deadline(nc->lines.machine) };
	uint64_t first = NOW_NEVER;
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		first = at[i] < first ? at[i] : first;
	}
	return first;
}

/* Before each wait, whatever has happened: the client and the certifier hear of each other, and requests go out. */
static void
on_prepare(uv_prepare_t *prepare)
{
	struct net_certify *nc = prepare->data;
	const struct now t = net_now();
	struct acme_request r;
	certifier_on_ca(nc->machine, &t);
	while (acme_client_take_request(nc->client, &t, &r)) {
		https_send(nc->https, &r);
	}
	certifier_on_ca(nc->machine, &t);
	loop_timer_set(&nc->timer, on_timer, deadline(nc));
}

void
net_certify_zone_changed(struct net_certify *nc, const uint8_t *apex)
{
	const struct now t = net_now();
	if (nc->is_begun) {
		certifier_zone_changed(nc->machine, &t, apex);
	}
}

const struct certifier *
net_certify_machine(const struct net_certify *nc)
{
	return nc->machine;
}

struct acme_client *
net_certify_client(struct net_certify *nc)
{
	return nc->client;
}

/* ---- beginning and end ---- */

static uint32_t
random_number(void *ctx)
{
	(void)ctx;
	return net_random_u32();
}

static const struct view *
view(void *ctx)
{
	return secondary_view(((const struct net_certify *)ctx)->views->secondary);
}

static void
report(void *ctx, const struct certifier_report *r)
{
	report_certify(((const struct net_certify *)ctx)->views->log, r);
}

err_t
net_certify_new(const struct net_certify_conf *conf, struct net_certify **out)
{
	char thumbprint[ACME_THUMBPRINT_LEN + 1];
	struct acme_client *client;
	TRY(acme_thumbprint(conf->client.key, thumbprint));
	TRY(acme_client_new(&conf->client, &client));
	struct net_certify *nc = xalloc(sizeof *nc);
	struct certifier_conf machine = conf->machine;
	nc->ca_file = conf->ca_file;
	nc->views = conf->views;
	nc->client = machine.ca = client;
	memcpy(machine.mark, thumbprint, REMARK_MARK_LEN);
	machine.io = (struct certifier_io){ .view = view, .update = send_update, .ask = ask, .ask_end = ask_end, .resolve = resolve,
		                            .report = report, .random_u32 = random_number, .ctx = nc };
	nc->machine = certifier_new(&machine);
	nc->lines = (struct forward_lines){ .answer = on_answer, .fail = on_fail, .ctx = nc };
	nc->questions = (struct udp_questions){ .answered = on_response, .not_reached = on_unreachable, .ctx = nc };
	nc->large = (struct tcp_questions){ .answered = on_response, .failed = on_unreachable, .ctx = nc };
	*out = nc;
	return OK;
}

void
net_certify_free(struct net_certify **certify)
{
	struct net_certify *nc = *certify;
	if (nc == NULL) {
		return;
	}
	certifier_free(&nc->machine);
	acme_client_free(&nc->client);
	for (size_t i = 0; i < CERTIFIER_JOBS_MAX; i++) {
		tsig_fini(&nc->updates[i].tsig);
	}
	free(nc);
	*certify = NULL;
}

static err_t
begin(void *ctx, uv_loop_t *loop, const struct follower *machine, const struct link_source *from)
{
	struct net_certify *nc = ctx;
	const struct https_conf conf = {
		.loop = loop, .ca_file = nc->ca_file, .answered = on_ca_answer, .failed = on_ca_failure, .ctx = nc,
	};
	nc->https = https_new(&conf);
	if (nc->https == NULL || uv_timer_init(loop, &nc->timer.handle) != 0 || uv_prepare_init(loop, &nc->prepare) != 0 ||
	    uv_prepare_start(&nc->prepare, on_prepare) != 0) {
		https_free(&nc->https);
		return E_NOMEM;
	}
	nc->timer.handle.data = nc->prepare.data = nc;
	nc->loop = nc->questions.loop = nc->large.loop = loop;
	nc->primaries = machine;
	forward_lines_begin(&nc->lines, loop, from);
	nc->is_begun = true;
	return OK;
}

static void
end(void *ctx)
{
	struct net_certify *nc = ctx;
	if (!nc->is_begun) {
		return;
	}
	nc->is_begun = false;
	forward_lines_end(&nc->lines);
	udp_questions_end_all(&nc->questions);
	tcp_questions_end_all(&nc->large);
	https_free(&nc->https);
	for (struct lookup *l = nc->lookups; l != NULL; l = l->next) {
		l->owner = NULL;
		(void)uv_cancel((uv_req_t *)&l->req);
	}
	nc->lookups = NULL;
	uv_close((uv_handle_t *)&nc->timer.handle, NULL);
	uv_close((uv_handle_t *)&nc->prepare, NULL);
}

struct follow_guest
net_certify_guest(struct net_certify *nc)
{
	return (struct follow_guest){ .begin = begin, .end = end, .ctx = nc };
}
