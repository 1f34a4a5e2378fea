#include "crypto/pem.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/enc.h"
#include "crypto/drop_p.h"

enum { LINE = 48 }; /* octets in a line: 64 characters */

void
pem_put(const char *label, const uint8_t *der, size_t len, struct str *out)
{
	str_printf(out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < len; at += LINE) {
		char line[ENC_BASE64_LEN(LINE)];
		size_t part = len - at < LINE ? len - at : LINE;
		str_put(out, line, base64_encode(der + at, part, line));
		str_char(out, '\n');
	}
	str_printf(out, "-----END %s-----\n", label);
}

err_t
pem_each(const char *text, size_t len, const char *label, err_t (*each)(void *ctx, const uint8_t *der, size_t len), void *ctx)
{
	char *name, *header;
	unsigned char *octets;
	long n;
	err_t err = OK;
	bool is_found = false;
	if (len > PEM_TEXT_MAX) {
		return E_LIMIT;
	}
	[[gnu::cleanup(bio_drop)]] BIO *in = BIO_new_mem_buf(text, (int)len);
	if (in == NULL) {
		return E_NOMEM;
	}
	ERR_clear_error();
	while (err == OK && PEM_read_bio(in, &name, &header, &octets, &n) == 1) {
		if (strcmp(name, label) == 0) {
			is_found = true;
			err = each(ctx, octets, (size_t)n);
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(octets, (size_t)n); /* it may be a key */
	}
	bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return err != OK ? err : !is_at_end ? E_FORMAT : is_found ? OK : E_NOTFOUND;
}
