/* Any request against the door: the answer, if there is one, is a message that reads back. */
#include <stdlib.h>

#include "../tests/unit/serve.h"
#include "auth/forward.h"
#include "dns/msg.h"

static const char plain[] =
        "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n NS ns\n NS ns.sub\nns A 192.0.2.1\n AAAA 2001:db8::1\n"
        "*.w MX 10 *.w\n MX 20 mail\nmail A 192.0.2.2\nsub NS ns.sub\n NS b.sub\nns.sub A 192.0.2.3\n"
        "b.sub AAAA ::1\na CNAME c.w\nc CNAME d\nd CNAME c\nx DNAME y.z\ny.z.q TXT \"\"\nsrv SRV 1 2 3 ns\n"
        "svc HTTPS 1 . alpn=h2\nout CNAME www.signed.\n";
static const char signed_zone[] =
        "$TTL 60\n@ SOA ns.plain. hostmaster 1 2 3 4 5\n NS ns.plain.\n"
        " RRSIG SOA 8 1 60 20400101000000 20200101000000 1 signed. AAAA\n"
        " RRSIG NSEC 8 1 60 20400101000000 20200101000000 1 signed. AAAA\n NSEC *.w NS SOA RRSIG NSEC\n"
        "*.w A 192.0.2.1\n RRSIG A 8 2 60 20400101000000 20200101000000 1 signed. AAAA\n NSEC www A RRSIG NSEC\n"
        "www A 192.0.2.2\n NSEC z A RRSIG NSEC\nz NS ns.z\n NSEC @ NS\nns.z A 192.0.2.9\n";
static const char keys[] = "k._update. DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

static struct primary *primary;
static struct rate_limit *limits; /* so low that most answers are held back, and half of these slip */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
stop(void)
{
	primary_free(&primary);
	rate_limit_free(&limits);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const files[][2] = { { "plain", plain }, { "signed", signed_zone }, { "_keys", keys } };
	(void)argc, (void)argv;
	primary = serve_files(files, ARRAY_LEN(files));
	ASSERT(primary != NULL && primary_view(primary)->zones.n == 2);
	const struct rate_limit_conf conf = { .rate = 1, .slip = 2, .window_s = 1, .ipv4_len = 24, .ipv6_len = 56 };
	static const uint8_t key[RATE_LIMIT_KEY_LEN] = { 1 };
	limits = rate_limit_new(&conf, key);
	(void)atexit(stop);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_conf conf = { .udp_max = 1232, .version = "v", .id = "fuzz" };
	static uint8_t resp[DNS_MSG_MAX];
	static struct server_stats stats;
	static uint64_t now_ns;
	struct peer peer = { .family = 4, .transport = TRANSPORT_UDP, .arrived_ns = now_ns += 100000000 };
	struct server_out out;
	if (size < 1) {
		return 0;
	}
	static const struct cookie_secrets secrets = { 1, { { 1 } } };
	conf.forwards_updates = (data[0] & 4) != 0;
	conf.cookies = (data[0] & 8) != 0 ? &secrets : NULL;
	conf.requires_cookie = (data[0] & 16) != 0;
	conf.rate_limit = (data[0] & 32) != 0 ? limits : NULL;
	peer.transport = (data[0] & 1) != 0 ? TRANSPORT_TCP : TRANSPORT_UDP;
	size_t cap = (data[0] & 1) != 0 ? sizeof resp : (data[0] & 2) != 0 ? 512 : 1500;
	uint8_t *req = xalloc(size); /* exactly as large as it is: an octet too far is found */
	memcpy(req, data + 1, size - 1);
	size_t len = server_handle(primary_view(primary), &conf, &peer, 1700000000, req, size - 1, resp, cap, &stats, &out);
	if (out.event == EVENT_FORWARD) {
		ASSERT(len == 0);
		len = forward_refuse(primary_view(primary), &conf, &peer, 1700000000, req, size - 1, "no", resp, cap);
	}
	free(req);
	struct msg m;
	ASSERT(len <= cap);
	if (len != 0) {
		ASSERT(msg_parse(resp, len, &m) == OK && (m.bits & DNS_QR) != 0 && m.id == (data[1] << 8 | data[2]));
	}
	return 0;
}
