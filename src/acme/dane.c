#include "acme/dane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "crypto/sha.h"

static const uint8_t HEAD[DANE_HASH_AT] = { 3, 1, 1 }; /* DANE-EE, SubjectPublicKeyInfo, SHA-256 (RFC 7218) */
static const char HEX[] = "0123456789ABCDEF";

/* ---- ports ---- */

static bool
has(const struct dane_ports *ports, unsigned long port)
{
	bool has = false;
	for (size_t i = 0; i < ports->n; i++) {
		has |= ports->port[i] == port;
	}
	return has;
}

err_t
dane_ports_add(struct dane_ports *ports, const char *text)
{
	do {
		char *end;
		unsigned long port = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
		if (port == 0 || port > UINT16_MAX || (*end != ',' && *end != '\0')) {
			return E_FORMAT;
		}
		if (!has(ports, port)) {
			if (ports->n == DANE_PORTS_MAX) {
				return E_LIMIT;
			}
			ports->port[ports->n++] = (uint16_t)port;
		}
		text = *end == ',' ? end + 1 : NULL;
	} while (text != NULL);
	return OK;
}

/* ---- names ---- */

static const uint8_t TCP[] = "\4_tcp";

err_t
dane_owner(uint16_t port, const uint8_t *name, struct name *out)
{
	char label[8];
	struct name made = { .len = 0 };
	size_t len = (size_t)snprintf(label, sizeof label, "_%u", (unsigned)port), rest = name_len(name);
	if (1 + len + sizeof TCP - 1 + rest > NAME_WIRE_MAX) {
		return E_NAMELEN;
	}
	made.oct[0] = (uint8_t)len;
	memcpy(made.oct + 1, label, len);
	memcpy(made.oct + 1 + len, TCP, sizeof TCP - 1);
	memcpy(made.oct + len + sizeof TCP, name, rest);
	made.len = (uint8_t)(len + sizeof TCP + rest);
	*out = made;
	return OK;
}

const uint8_t *
dane_host(const uint8_t *owner)
{
	struct name lower;
	name_lower(lower.oct, owner);
	if (lower.oct[0] < 2 || lower.oct[1] != '_') {
		return NULL;
	}
	for (size_t i = 2; i <= lower.oct[0]; i++) {
		if (lower.oct[i] < '0' || lower.oct[i] > '9') {
			return NULL;
		}
	}
	size_t skip = 1u + lower.oct[0];
	return memcmp(lower.oct + skip, TCP, sizeof TCP - 1) == 0 ? owner + skip + sizeof TCP - 1 : NULL;
}

/* ---- records ---- */

err_t
dane_rdata(const struct pkey *key, uint8_t out[DANE_RDATA_LEN])
{
	uint8_t public[PKEY_PUBLIC_MAX];
	struct buf b = buf_over(public, sizeof public);
	TRY(pkey_public(key, &b));
	memcpy(out, HEAD, sizeof HEAD);
	return sha256(b.base, b.len, NULL, 0, out + DANE_HASH_AT);
}

void
dane_print_hash(const uint8_t rdata[DANE_RDATA_LEN], char out[DANE_HASH_TEXT_LEN + 1])
{
	size_t n = base16_encode(rdata + DANE_HASH_AT, DANE_RDATA_LEN - DANE_HASH_AT, out);
	out[n] = '\0';
}

bool
dane_read_hash(const char *text, uint8_t out[DANE_RDATA_LEN])
{
	uint8_t made[DANE_RDATA_LEN];
	if (strlen(text) != DANE_HASH_TEXT_LEN || strspn(text, HEX) != DANE_HASH_TEXT_LEN) {
		return false;
	}
	memcpy(made, HEAD, sizeof HEAD);
	for (size_t i = DANE_HASH_AT; i < sizeof made; i++, text += 2) {
		made[i] = (uint8_t)((strchr(HEX, text[0]) - HEX) << 4 | (strchr(HEX, text[1]) - HEX));
	}
	memcpy(out, made, sizeof made);
	return true;
}
