/* Drives net/notify.h by hand, for tests/system/test_notify_out.py: tells one target of zones, and writes a line a report.
 *
 *   notify_send ADDRESS PORT [--key=NAME:ALG:BASE64] [--source=ADDRESS] ZONE=SERIAL|ZONE=gone ...
 *
 * Ends when nothing is pending any more, or at the end of its standard input.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/notify.h"

static atomic_uint pending;

static void
on_report(void *ctx, const struct notifier_report *r)
{
	static const char *const outcomes[] = { "acknowledged", "refused", "gave-up", "lost", "put-off", "unverified", "unanswered",
	                                      "unreached" };
	static const char *const transports[] = { "tcp", "udp", "conn" };
	char zone[NAME_TEXT_MAX];
	(void)ctx;
	name_print(r->zone, zone);
	printf("%s zone=%s serial=%u attempts=%u transport=%s rcode=%u tsig_error=%u\n", outcomes[r->outcome], zone, r->serial,
	       r->attempts, transports[r->transport], r->rcode, r->tsig_error);
	fflush(stdout);
	if (r->outcome <= NOTIFY_LOST) {
		atomic_fetch_sub(&pending, 1);
	}
}

static bool
send_over(void *ctx, uint64_t conn, const uint8_t *bytes, size_t len)
{
	(void)ctx, (void)conn, (void)bytes, (void)len;
	return false;
}

static err_t
add(struct net_notify *nn, const struct notify_target *to, const char *arg)
{
	uint8_t soa[2 * NAME_WIRE_MAX + 20];
	struct buf b = buf_over(soa, sizeof soa);
	struct name zone, name;
	const char *is = strchr(arg, '=');
	if (is == NULL) {
		return E_FORMAT;
	}
	TRY(name_parse(arg, (size_t)(is - arg), name_root, &zone));
	TRY(name_parse("ns", 2, zone.oct, &name));
	buf_put(&b, name.oct, name.len);
	TRY(name_parse("host", 4, zone.oct, &name));
	buf_put(&b, name.oct, name.len);
	buf_u32(&b, (uint32_t)strtoul(is + 1, NULL, 10));
	for (int i = 0; i < 4; i++) {
		buf_u32(&b, 3600);
	}
	bool is_gone = strcmp(is + 1, "gone") == 0;
	const struct notify_news news = { .zone = zone.oct, .soa = is_gone ? NULL : soa, .soa_len = (uint16_t)b.len, .soa_ttl = 60 };
	atomic_fetch_add(&pending, 1);
	return net_notify_add(nn, &news, to);
}

static err_t
address_of(const char *text, uint16_t port, struct notify_target *out, struct diag *diag)
{
	struct listen_address a;
	TRY(listen_parse(text, port, &a, diag));
	out->port = port;
	out->address.family = a.sa.any.sa_family == AF_INET ? 4 : 6;
	memcpy(out->address.octets, a.sa.any.sa_family == AF_INET ? (void *)&a.sa.v4.sin_addr : (void *)&a.sa.v6.sin6_addr,
	       a.sa.any.sa_family == AF_INET ? 4 : 16);
	return OK;
}

static err_t
take_option(const char *arg, struct tsig_key *key, struct notify_target *to, struct listen_address *source,
            struct net_notify_conf *conf, struct diag *diag)
{
	char why[128];
	if (strncmp(arg, "--key=", 6) == 0) {
		TRY(tsig_key_parse(arg + 6, key, why));
		to->key = key;
		return OK;
	}
	TRY(listen_parse(arg + strlen("--source="), 1, source, diag));
	*(source->sa.any.sa_family == AF_INET ? &conf->source_v4 : &conf->source_v6) = source;
	return OK;
}

static void
await_end(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char octet;
	while (atomic_load(&pending) != 0 && (poll(&in, 1, 20) == 0 || read(STDIN_FILENO, &octet, 1) == 1)) {
	}
}

int
main(int argc, char **argv)
{
	static struct tsig_key key;
	struct net_notify_conf conf = { .send_over = send_over, .report = on_report };
	struct notify_target to = { .port = 0 };
	struct listen_address source;
	struct net_notify *nn = NULL;
	struct diag diag = { .text = "" };
	err_t err = argc > 2 ? address_of(argv[1], (uint16_t)atoi(argv[2]), &to, &diag) : E_FORMAT;
	int i = 3;
	for (; err == OK && i < argc && argv[i][0] == '-'; i++) {
		err = take_option(argv[i], &key, &to, &source, &conf, &diag);
	}
	err = err == OK ? net_notify_start(&conf, &nn, &diag) : err;
	for (; err == OK && i < argc; i++) {
		err = add(nn, &to, argv[i]);
	}
	if (err == OK) {
		await_end();
	} else {
		fprintf(stderr, "%s %s\n", err_str(err), diag.text);
	}
	net_notify_stop(&nn);
	return err == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
