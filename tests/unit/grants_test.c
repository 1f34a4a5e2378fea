/* A file of secondaries grants a key the right to transfer zones, and nothing else: each grant, each key and each operation, in each
 * domain. */
#include "asking.h"

#include "dns/msg.h"
#include "serve.h"

#define HEAD "$TTL 60\n@ SOA ns host 7 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
#define LINE(name) name " DNSKEY 0 3 163 " ASKING_SECRET "\n"

enum { DOMAINS_N = 4, STATUS_KINDS_N = 8 };

static const char *const domains[DOMAINS_N] = { ".", "example.", "sub.example.", "other." };
static const bool is_zone[DOMAINS_N] = { false, true, true, true };

/* In the root's file, so that the domain is that of the owner.  `reaches`: by domain. */
static const struct grant {
	const char *owner;
	bool reaches[DOMAINS_N];
} grants[] = {
	{ NULL, { false, false, false, false } },
	{ "_transfer.", { true, true, true, true } },
	{ "_transfer.example.", { false, true, true, false } },
	{ "_transfer.sub.example.", { false, false, true, false } },
	{ "_transfer.other.", { false, false, false, true } },
};

/* What the names say: s tatus, n otify, t ransfer, u pdate; by domain. */
static const struct holder {
	const char *name, *may[DOMAINS_N];
} holders[] = {
	{ "hoster-key.", { "", "", "", "" } },
	{ "k._status.other.", { "", "", "", "s" } },
	{ "k._status.", { "s", "s", "s", "s" } },
	{ "k._notify.sub.example.", { "", "", "sn", "" } },
	{ "k._transfer.other.", { "", "", "", "snt" } },
	{ "k._update.example.", { "u", "sntu", "sntu", "" } }, /* it may update names of its domain in a zone above */
	{ "k._a._update.", { "u", "u", "u", "u" } },
};

static const struct request_kind status_kinds[STATUS_KINDS_N] = {
	{ "status", "status._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "zones", "zones._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "zone", "zone._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "trouble", "trouble._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "keys", "keys._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "secondaries", "secondaries._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "updates", "updates._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
	{ "unknown", "nothing._status.", OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false },
};
static const struct request_kind axfr = { "AXFR", "", OPCODE_QUERY, TYPE_AXFR, CLASS_IN, TRANSPORT_TCP, false };
static const struct request_kind ixfr = { "IXFR", "", OPCODE_QUERY, TYPE_IXFR, CLASS_IN, TRANSPORT_TCP, true };
static const struct request_kind soa = { "SOA", "", OPCODE_QUERY, TYPE_SOA, CLASS_IN, TRANSPORT_TCP, false };
static const struct request_kind notify = { "NOTIFY", "", OPCODE_NOTIFY, TYPE_SOA, CLASS_IN, TRANSPORT_UDP, false };
static const struct request_kind update = { "UPDATE", "", OPCODE_UPDATE, TYPE_SOA, CLASS_IN, TRANSPORT_TCP, false };

static struct primary *
serve(const struct holder *h, const struct grant *g)
{
	char line[256], ring[256];
	snprintf(ring, sizeof ring, "%s DNSKEY 0 3 163 " ASKING_SECRET "\n" LINE("other._notify."), h->name);
	snprintf(line, sizeof line, "%s PTR %s\n", g->owner != NULL ? g->owner : "_transfer.nowhere.", h->name);
	const char *const files[][2] = {
		{ "example", HEAD }, { "sub.example", HEAD }, { "other", HEAD }, { "_keys", ring }, { "_secondaries", line },
	};
	struct primary *p = serve_files(files, ARRAY_LEN(files));
	assert_non_null(p);
	return p;
}

struct heard {
	enum server_event event;
	unsigned rcode;
};

static struct heard
ask(const struct primary *p, const struct holder *h, const struct request_kind *k, size_t domain)
{
	static const struct server_conf conf = { .udp_max = 1232 };
	static struct server_stats stats;
	static uint8_t resp[DNS_MSG_MAX];
	const struct peer peer = { .family = 4, .address = { 192, 0, 2, 7 }, .transport = k->transport };
	uint8_t req[ASKING_WIRE_MAX];
	struct server_out out;
	struct msg m = { 0 };
	size_t len = asking_make(k, domains[domain], h->name, req);
	len = server_handle(primary_view(p), &conf, &peer, ASKING_NOW_S, req, len, resp, sizeof resp, &stats, &out);
	if (len != 0) {
		assert_int_equal(msg_parse(resp, len, &m), OK);
	}
	return (struct heard){ .event = out.event, .rcode = m.bits & DNS_RCODE };
}

static bool
may(const struct holder *h, size_t domain, char what)
{
	return strchr(h->may[domain], what) != NULL;
}

/* One holder, one grant, one domain. */
static void
each_operation(const struct primary *p, const struct holder *h, const struct grant *g, size_t d)
{
	bool may_transfer = may(h, d, 't') || g->reaches[d];
	const struct {
		const struct request_kind *kind;
		enum server_event event;
	} want[] = {
		{ &axfr, may_transfer && is_zone[d] ? EVENT_TRANSFER : EVENT_TRANSFER_DENIED },
		{ &ixfr, may_transfer && is_zone[d] ? EVENT_TRANSFER : EVENT_TRANSFER_DENIED },
		{ &soa, may_transfer ? EVENT_SUBSCRIBED : EVENT_NONE },
		{ &notify, may(h, d, 'n') ? EVENT_NOTIFY_ACCEPTED : EVENT_NOTIFY_DENIED },
		{ &update, may(h, d, 'u') ? EVENT_UPDATE : EVENT_UPDATE_DENIED },
	};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct heard heard = ask(p, h, want[i].kind, d);
		if (heard.event != want[i].event) {
			fail_msg("%s in %s, granted %s: %s is event %d", h->name, domains[d], g->owner, want[i].kind->what, heard.event);
		}
	}
	for (size_t i = 0; i < STATUS_KINDS_N; i++) {
		struct heard heard = ask(p, h, &status_kinds[i], d);
		bool is_of_all = strcmp(status_kinds[i].what, "updates") == 0; /* they are of the server as a whole */
		if ((heard.rcode != RCODE_REFUSED) != may(h, is_of_all ? 0 : d, 's')) {
			fail_msg("%s in %s, granted %s: %s answers %u", h->name, domains[d], g->owner, status_kinds[i].what, heard.rcode);
		}
	}
}

static void
every_cell(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(holders) * ARRAY_LEN(grants); i++) {
		const struct holder *h = &holders[i / ARRAY_LEN(grants)];
		const struct grant *g = &grants[i % ARRAY_LEN(grants)];
		struct primary *p = serve(h, g);
		for (size_t d = 0; d < DOMAINS_N; d++) {
			each_operation(p, h, g, d);
		}
		primary_free(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_cell) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
