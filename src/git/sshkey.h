/* git/sshkey.h -- SSH keys as bytes and text: ours for the server, and the server's own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "git/remote.h"

/* The private key in the form of OpenSSH's files ("openssh-key-v1", no passphrase).  libssh2 takes an Ed25519 key in no
 * other form.  The caller wipes `out`.  E_CRYPTO. */
err_t ssh_private_key_text(const uint8_t seed[GIT_SEED_LEN], struct str *out);

/* The line for authorized_keys with the public key: "ssh-ed25519 AAAA… origin".  E_CRYPTO. */
err_t ssh_public_key_text(const uint8_t seed[GIT_SEED_LEN], struct str *out);

/* "SHA256:…" of a public key's wire form (RFC 4253 6.6), as ssh-keygen prints it.  E_CRYPTO. */
err_t ssh_fingerprint(const uint8_t *key, size_t len, char out[GIT_FINGERPRINT_TEXT]);

/* The key's type, which is its first field, as "ssh-ed25519".  "unknown": the field is malformed. */
void ssh_key_type(const uint8_t *key, size_t len, char out[32]);

enum { SSH_KNOWN_MAX = 32, SSH_KEY_MAX = 2048 };

/* The keys that a known_hosts file (sshd(8)) has for one host. */
struct ssh_known {
	struct ssh_known_key {
		bool is_revoked;
		size_t len;
		uint8_t key[SSH_KEY_MAX];
	} keys[SSH_KNOWN_MAX];
	size_t n;
};

/* Finds plain names, patterns, "[host]:port" and hashed names.  Malformed lines, certificate authorities and keys over
 * the limits are ignored. */
void ssh_known_find(const char *text, size_t len, const char *host, uint16_t port, struct ssh_known *out);

enum ssh_verdict { SSH_KEY_GOOD, SSH_KEY_UNKNOWN, SSH_KEY_REVOKED };
enum ssh_verdict ssh_known_check(const struct ssh_known *known, const uint8_t *key, size_t len);
