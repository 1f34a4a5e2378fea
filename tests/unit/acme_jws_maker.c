/* Prints a signed request for each kind of key: acme_jws_peer.py verifies them with another implementation. */
#include <stdio.h>

#include "acme/jws.h"
#include "crypto/pkey.h"

int
main(void)
{
	static const enum pkey_kind kinds[] = { PKEY_RSA, PKEY_P256, PKEY_P384, PKEY_ED25519 };
	const struct acme_jws jws = { .nonce = "abc", .url = "https://ca.example/x", .payload = "{\"a\":1}", .payload_len = 7 };
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct pkey *key = NULL;
		struct str out = { 0 };
		char thumbprint[ACME_THUMBPRINT_LEN + 1];
		if (pkey_from_seed(kinds[i], 2048, (const uint8_t *)"seed", 4, &key) != OK || acme_jws_sign(key, &jws, &out) != OK ||
		    acme_thumbprint(key, thumbprint) != OK) {
			return 1;
		}
		printf("%s %s\n", thumbprint, str_text(&out));
		str_fini(&out);
		pkey_free(&key);
	}
	return 0;
}
