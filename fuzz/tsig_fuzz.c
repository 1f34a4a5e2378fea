/* Any message with a TSIG is either refused or verified, and never by accident; any message without one
 * can be signed, and is then verified, as request, as answer and as an error; and the text of a key. */
#include <stdlib.h>
#include <string.h>

#include "dns/tsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1700000000 };

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void
key_init(struct tsig_key *key, const uint8_t *name, enum hmac_alg alg)
{
	*key = (struct tsig_key){ .alg = alg, .secret_len = 16 };
	name_set(&key->name, name);
	memset(key->secret, 's', 16);
}

static void
foreign_signature(const struct msg *m)
{
	struct tsig t = { 0 };
	struct tsig_key key;
	struct name name;
	if (tsig_key_name(m, &name) != OK) {
		return;
	}
	for (enum hmac_alg a = HMAC_SHA1; a < HMAC_ALG_COUNT; a++) {
		key_init(&key, name.oct, a);
		err_t err = tsig_verify_request(&t, m, &key, NOW_S);
		check(err == OK || err == E_FORMAT || (err == E_AUTH && t.error != 0));
		if (err == E_AUTH) {
			uint8_t answer[DNS_HEADER_LEN + 600] = { 0 };
			size_t len = DNS_HEADER_LEN;
			check(tsig_sign_error(&t, answer, &len, sizeof answer, NOW_S) == OK);
			struct msg parsed;
			check(msg_parse(answer, len, &parsed) == OK && parsed.has_tsig);
		}
		tsig_fini(&t);
		t.key = &key;
		err = tsig_verify_response(&t, m, NOW_S);
		check(err == OK || err == E_FORMAT || err == E_AUTH);
		tsig_fini(&t);
	}
}

static void
own_signature(const uint8_t *data, size_t size)
{
	static uint8_t wire[DNS_MSG_MAX];
	struct tsig_key key;
	key_init(&key, (const uint8_t *)"\1k\7_update", HMAC_SHA256);
	struct tsig client = { .key = &key }, server = { 0 };
	size_t len = size;
	struct msg m;
	if (size > sizeof wire - TSIG_RR_MAX) {
		return;
	}
	memcpy(wire, data, size);
	if (tsig_sign_request(&client, wire, &len, sizeof wire, NOW_S) != OK) {
		return; /* ARCOUNT was 65,535 */
	}
	check(msg_parse(wire, len, &m) == OK && m.has_tsig && m.tsig.at == size);
	check(tsig_verify_request(&server, &m, &key, NOW_S) == OK);
	for (int i = 0; i < 3; i++) {
		memcpy(wire, data, size);
		len = size;
		check(tsig_sign_response(&server, wire, &len, sizeof wire, NOW_S) == OK);
		check(msg_parse(wire, len, &m) == OK);
		check(tsig_verify_response(&client, &m, NOW_S) == OK);
	}
	check(msg_parse(data, size, &m) == OK && tsig_verify_response(&client, &m, NOW_S) == OK);
	check(!tsig_chain_is_closed(&client));
	tsig_fini(&client);
	tsig_fini(&server);
}

static void
key_text(const uint8_t *data, size_t size)
{
	char text[1024], why[128];
	struct tsig_key key;
	size_t n = size < sizeof text - 1 ? size : sizeof text - 1;
	memcpy(text, data, n);
	text[n] = '\0';
	if (tsig_key_parse(text, &key, why) == OK) {
		check(key.secret_len != 0 && key.secret_len <= TSIG_SECRET_MAX && name_len(key.name.oct) == key.name.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg m;
	key_text(data, size);
	if (msg_parse(data, size, &m) != OK) {
		return 0;
	}
	struct tsig_claim claim;
	check(m.has_tsig || tsig_read_claim(&m, &claim) == E_NOTFOUND);
	if (m.has_tsig) {
		check(tsig_read_claim(&m, &claim) != OK || name_len(claim.key.oct) == claim.key.len);
		foreign_signature(&m);
	} else {
		own_signature(data, size);
	}
	return 0;
}
