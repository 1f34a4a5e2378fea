#include "acme/renewal.h"

#include <stdio.h>
#include <string.h>

#include "acme/date.h"
#include "acme/json.h"
#include "base/enc.h"
#include "base/hash.h"

enum { SHORT_LIFE_S = 10 * 86400 };

err_t
acme_cert_id(const struct acme_cert_parts *parts, char out[ACME_CERT_ID_MAX + 1])
{
	size_t key_len = ENC_BASE64URL_LEN(parts->key_id_len), serial_len = ENC_BASE64URL_LEN(parts->serial_len);
	if (parts->key_id_len == 0 || parts->serial_len == 0 || parts->key_id_len > ACME_CERT_ID_MAX ||
	    parts->serial_len > ACME_CERT_ID_MAX || key_len + 1 + serial_len > ACME_CERT_ID_MAX) {
		return E_LIMIT;
	}
	size_t n = base64url_encode(parts->key_id, parts->key_id_len, out);
	out[n++] = '.';
	n += base64url_encode(parts->serial, parts->serial_len, out + n);
	out[n] = '\0';
	return OK;
}

static err_t
read_date(const struct json_t *object, const char *member, uint64_t *out)
{
	const char *text = acme_json_text(object, member);
	return text != NULL ? acme_date_rfc3339(text, strlen(text), out) : E_FORMAT;
}

err_t
acme_window_read(const char *body, size_t len, struct acme_window *out)
{
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = NULL;
	TRY(acme_json_read(body, len, &json));
	const struct json_t *window = acme_json_object(json, "suggestedWindow");
	const char *explanation = acme_json_url(json, "explanationURL");
	uint64_t start_s = 0, end_s = 0;
	TRY(read_date(window, "start", &start_s));
	TRY(read_date(window, "end", &end_s));
	if (end_s <= start_s) {
		return E_FORMAT;
	}
	*out = (struct acme_window){ .start_s = start_s, .end_s = end_s };
	(void)snprintf(out->explanation, sizeof out->explanation, "%s", explanation != NULL ? explanation : "");
	return OK;
}

/* A number below `n`, for this certificate.  The name has a serial number that the CA chose at random, so it need not be secret. */
static uint64_t
pick(const char *cert_id, uint64_t n)
{
	uint64_t h = hash64(HASH64_START, cert_id, strlen(cert_id));
	h ^= h >> 32; /* FNV-1a's low bits depend on low bits alone */
	return n != 0 ? h % n : 0;
}

uint64_t
acme_window_moment(uint64_t start_s, uint64_t end_s, const char *cert_id)
{
	return start_s + (end_s > start_s ? pick(cert_id, end_s - start_s) : 0);
}

uint64_t
acme_renewal_moment(uint64_t not_before_s, uint64_t not_after_s, const char *cert_id)
{
	uint64_t life_s = not_after_s > not_before_s ? not_after_s - not_before_s : 0;
	uint64_t left_s = life_s < SHORT_LIFE_S ? life_s / 2 : life_s / 3;
	return not_after_s - left_s - pick(cert_id, life_s / 20);
}
