/* crypto/ed25519.h -- Ed25519 keys (RFC 8032) from their 32-octet seed, by OpenSSL. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ED25519_SEED_LEN = 32, ED25519_PUBLIC_LEN = 32 };

/* The public key that belongs to a seed (the "private key" of RFC 8032 5.1.5). */
err_t ed25519_public(const uint8_t seed[ED25519_SEED_LEN], uint8_t out[ED25519_PUBLIC_LEN]);
