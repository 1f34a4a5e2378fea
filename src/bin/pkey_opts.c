#include "bin/pkey_opts.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

#include "base/err.h"

static const struct pkey_type {
	const char *name;
	enum pkey_kind kind;
	unsigned bits; /* of this alone; 0: RSA */
} types[] = {
	{ "rsa", PKEY_RSA, 0 }, { "p256", PKEY_P256, 256 }, { "p384", PKEY_P384, 384 }, { "ec", PKEY_P256, 256 }, { "ec", PKEY_P384, 384 },
	{ "ed25519", PKEY_ED25519, 256 },
};

static bool
is_rsa_size(unsigned bits)
{
	return bits >= PKEY_RSA_BITS_MIN && bits <= PKEY_RSA_BITS_MAX && bits % 64 == 0;
}

const char *
pkey_opts_settle(struct pkey_opts *o, enum pkey_kind without)
{
	const char *type = o->type != NULL ? o->type : "rsa";
	const char *wrong = "the type of the key should be rsa, ec (also p256, p384) or ed25519";
	o->kind = without;
	o->rsa_bits = o->bits != 0 ? o->bits : PKEY_RSA_BITS_MIN;
	if (o->type == NULL && o->bits == 0) {
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcasecmp(type, types[i].name) != 0) {
			continue;
		}
		o->kind = types[i].kind;
		if (types[i].bits == 0) {
			return is_rsa_size(o->rsa_bits) ? NULL : "an RSA key has 2048 to 4096 bits, a multiple of 64";
		} else if (o->bits == 0 || o->bits == types[i].bits) {
			return NULL;
		}
		wrong = "an EC key has 256 or 384 bits, as its type says; one of Ed25519 has 256";
	}
	return wrong;
}
