#include "acme/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "acme/date.h"
#include "acme/span.h"
#include "base/alloc.h"

static const char SPACES[] = " \t\r\n";

/* Copies the span, or leaves the text empty when it does not fit. */
static void
copy(char *to, size_t max, struct span from)
{
	size_t n = from.len <= max ? from.len : 0;
	memcpy(to, from.s, n);
	to[n] = '\0';
}

void
acme_answer_fini(struct acme_answer *a)
{
	for (size_t i = 0; i < a->links.alternates_n; i++) {
		free(a->links.alternates[i]);
	}
	str_fini(&a->body);
	*a = (struct acme_answer){ 0 };
}

void
acme_answer_begin(struct acme_answer *a, unsigned status)
{
	acme_answer_fini(a);
	a->status = status;
}

/* RFC 8555 6.5.1: octets of base64url; any other nonce must be ignored. */
static void
take_nonce(struct acme_answer *a, struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.s[i];
		bool is_good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
		value.len = is_good ? value.len : 0;
	}
	copy(a->nonce, ACME_NONCE_MAX, value);
}

static void
take_retry(struct acme_answer *a, struct span value)
{
	uint64_t v = 0;
	size_t digits = 0;
	while (digits < value.len && digits < 18 && value.s[digits] >= '0' && value.s[digits] <= '9') {
		v = v * 10 + (uint64_t)(value.s[digits++] - '0');
	}
	if (digits > 0 && digits == value.len) {
		a->retry = (struct acme_retry){ ACME_RETRY_SECONDS, v };
	} else if (acme_date_http(value.s, value.len, &v) == OK) {
		a->retry = (struct acme_retry){ ACME_RETRY_DATE, v };
	}
}

/* ---- Link (RFC 8288 3): <URL>; name=value; name="value", <URL>; … ---- */

static bool
pass_char(struct span *rest, char c)
{
	*rest = span_past_blanks(*rest, SPACES);
	if (rest->len == 0 || rest->s[0] != c) {
		return false;
	}
	rest->s++, rest->len--;
	return true;
}

/* All up to one of the characters, which stays. */
static struct span
take_until(struct span *rest, const char *ends)
{
	size_t n = 0;
	while (n < rest->len && strchr(ends, rest->s[n]) == NULL) {
		n++;
	}
	struct span taken = span_trim((struct span){ rest->s, n }, SPACES);
	rest->s += n, rest->len -= n;
	return taken;
}

/* A value in quotes.  None that we compare with has a backslash in it, so it may stay as it is. */
static struct span
take_quoted(struct span *rest)
{
	size_t n = 0;
	while (n < rest->len && rest->s[n] != '"') {
		n += rest->s[n] == '\\' && n + 1 < rest->len ? 2 : 1;
	}
	struct span taken = { rest->s, n };
	rest->s += n, rest->len -= n;
	(void)pass_char(rest, '"');
	return taken;
}

/* rel="alternate index": one of the words. */
static bool
has_word(struct span words, const char *word)
{
	while (words.len > 0) {
		words = span_past_blanks(words, SPACES);
		if (span_is_caseless(take_until(&words, " \t"), word)) {
			return true;
		}
	}
	return false;
}

static err_t
keep_link(struct acme_links *links, struct span url, struct span rel)
{
	if (url.len == 0 || url.len > ACME_URL_MAX) {
		return OK;
	}
	if (has_word(rel, "terms-of-service")) {
		copy(links->terms, ACME_URL_MAX, url);
	}
	if (has_word(rel, "alternate") && links->alternates_n < ACME_LINKS_MAX) {
		char *kept = try_alloc(url.len + 1);
		if (kept == NULL) {
			return E_NOMEM;
		}
		memcpy(kept, url.s, url.len);
		links->alternates[links->alternates_n++] = kept;
	}
	return OK;
}

/* One link with its parameters; false: the rest is malformed, and is passed over. */
static bool
take_link(struct span *rest, struct span *url, struct span *rel)
{
	if (!pass_char(rest, '<')) {
		return false;
	}
	*url = take_until(rest, ">");
	*rel = (struct span){ "", 0 };
	if (!pass_char(rest, '>')) {
		return false;
	}
	while (pass_char(rest, ';')) {
		struct span name = take_until(rest, "=;,"), value = { "", 0 };
		if (pass_char(rest, '=')) {
			value = pass_char(rest, '"') ? take_quoted(rest) : take_until(rest, ";,");
		}
		if (span_is_caseless(name, "rel") && rel->len == 0) {
			*rel = value; /* RFC 8288 3.3: the first one counts */
		}
	}
	return true;
}

static err_t
take_links(struct acme_answer *a, struct span rest)
{
	struct span url, rel;
	do {
		if (!take_link(&rest, &url, &rel)) {
			return OK;
		}
		TRY(keep_link(&a->links, url, rel));
	} while (pass_char(&rest, ','));
	return OK;
}

err_t
acme_answer_header(struct acme_answer *a, const char *line, size_t len)
{
	if (len > ACME_HEADER_LINE_MAX || a->headers_n == ACME_HEADERS_MAX) {
		return E_LIMIT;
	}
	a->headers_n++;
	const char *colon = memchr(line, ':', len);
	if (colon == NULL || memchr(line, '\0', len) != NULL) {
		return OK;
	}
	struct span name = { line, (size_t)(colon - line) };
	struct span value = span_trim((struct span){ colon + 1, len - name.len - 1 }, SPACES);
	if (span_is_caseless(name, "replay-nonce")) {
		take_nonce(a, value);
	} else if (span_is_caseless(name, "location")) {
		copy(a->location, ACME_URL_MAX, value);
	} else if (span_is_caseless(name, "retry-after")) {
		take_retry(a, value);
	} else if (span_is_caseless(name, "link")) {
		return take_links(a, value);
	}
	return OK;
}

err_t
acme_answer_body(struct acme_answer *a, const void *bytes, size_t n)
{
	if (n > ACME_BODY_MAX - a->body.len) {
		return E_LIMIT;
	}
	str_put(&a->body, bytes, n);
	return a->body.err;
}

uint64_t
acme_answer_retry_s(const struct acme_answer *a, uint64_t wall_s)
{
	uint64_t from = a->retry.kind == ACME_RETRY_DATE ? wall_s : 0;
	return a->retry.kind == ACME_RETRY_NONE || a->retry.value <= from ? 0 : a->retry.value - from;
}

/* ---- URLs ---- */

static const char scheme[] = "https://";

/* Octets of scheme, host and port; 0: the URL does not begin with them. */
static size_t
origin_len(const char *url)
{
	size_t head = sizeof scheme - 1;
	if (strncasecmp(url, scheme, head) != 0) {
		return 0;
	}
	size_t host = strcspn(url + head, "/?");
	return host != 0 && url[head] != ':' && memchr(url + head, '@', host) == NULL ? head + host : 0;
}

bool
acme_url_is_good(const char *url)
{
	size_t len = 0;
	for (; url[len] != '\0'; len++) {
		if (len == ACME_URL_MAX || url[len] <= ' ' || url[len] >= 0x7F || strchr("\"<>\\^`{|}#", url[len]) != NULL) {
			return false;
		}
	}
	return origin_len(url) != 0;
}

uint16_t
acme_url_port(const char *url)
{
	const char *end = url + origin_len(url), *p = end;
	unsigned port = 0, unit = 1;
	while (p > url && p[-1] >= '0' && p[-1] <= '9' && unit <= 10000) {
		port += unit * (unsigned)(*--p - '0');
		unit *= 10;
	}
	bool is_named = p > url + sizeof scheme - 1 && p < end && p[-1] == ':';
	return is_named && port != 0 && port <= UINT16_MAX ? (uint16_t)port : 443;
}

err_t
acme_url_resolve(const char *base, const char *ref, char out[ACME_URL_MAX + 1])
{
	char whole[ACME_URL_MAX + 1];
	bool is_path = ref[0] == '/' && ref[1] != '/';
	size_t head = is_path ? origin_len(base) : 0, tail = strlen(ref);
	if (tail > ACME_URL_MAX - head) {
		return E_FORMAT;
	}
	memcpy(whole, base, head);
	memcpy(whole + head, ref, tail + 1);
	if (!acme_url_is_good(whole)) {
		return E_FORMAT;
	}
	memcpy(out, whole, head + tail + 1);
	return OK;
}
