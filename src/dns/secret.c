#include "dns/secret.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/filename.h"

enum {
	DNSKEY_HEAD_LEN = 4, /* flags, protocol, algorithm (RFC 4034 2.1) */
	HMAC_MD5 = 157,      /* numbers of BIND, which other programs use, too */
	HMAC_FIRST = 161,
	HMAC_LAST = 165,
	BASE64_MIN = 16,     /* octets of a word that could be a secret */
	HEX_MIN = 32,
};

#define WORD_ENDS " \t\r\n()\"',;<>" /* for messages */

static bool
is_hmac(unsigned alg)
{
	return alg == HMAC_MD5 || (alg >= HMAC_FIRST && alg <= HMAC_LAST);
}

bool
secret_is_rdata(const uint8_t *rdata, size_t rdlen)
{
	return rdlen >= DNSKEY_HEAD_LEN && is_hmac(rdata[3]);
}

/* ---- words ---- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_base64(char c)
{
	return is_upper(c) || is_lower(c) || is_digit(c) || c == '+' || c == '/' || c == '-' || c == '_';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* True when upper and lower case change often, as in base64; names of hosts have one case, or capitals at the beginning of
 * words.  Also true for long hexadecimal words. */
static bool
is_mixed(const char *word, size_t len)
{
	size_t digits = 0, hex = 0, turns = 0;
	for (size_t i = 0; i < len; i++) {
		digits += is_digit(word[i]);
		hex += is_hex(word[i]);
		turns += i != 0 && is_lower(word[i - 1]) && is_upper(word[i]);
	}
	return (len >= BASE64_MIN && ((turns >= 2 && digits != 0) || turns >= 4)) || (len >= HEX_MIN && hex == len && digits != 0);
}

/* "--max-zone-size=" and "--rate-limit-ipv4-prefix=" look like base64 with its padding.  A digit is the last of its word. */
static bool
is_option(const char *word, size_t len)
{
	size_t i = 0;
	while (i < len && (is_lower(word[i]) || word[i] == '-' || (is_digit(word[i]) && i + 1 < len && word[i + 1] == '-'))) {
		i++;
	}
	return len > 2 && word[0] == '-' && word[1] == '-' && (i == len || (i + 1 == len && word[i] == '='));
}

/* The parts between slashes are examined one by one, since a path would look like base64. */
bool
secret_is_word(const char *word, size_t len)
{
	size_t padding = 0;
	bool has_mixed = false;
	if (is_option(word, len)) {
		return false;
	}
	for (; len != 0 && word[len - 1] == '='; len--) {
		padding++;
	}
	for (size_t i = 0, from = 0; i <= len; i++) {
		if (i < len && !is_base64(word[i])) {
			return false;
		}
		if (i == len || word[i] == '/') {
			has_mixed |= is_mixed(word + from, i - from);
			from = i + 1;
		}
	}
	return has_mixed || (len + padding >= BASE64_MIN && (padding == 1 || padding == 2));
}

/* Length of the word of base64 at `at`, with its padding. */
static size_t
word_len(const char *at, const char *end)
{
	const char *p = at;
	while (p < end && is_base64(*p)) {
		p++;
	}
	while (p > at && p < end && *p == '=') {
		p++;
	}
	return (size_t)(p - at);
}

bool
secret_is_in(const char *text, size_t len)
{
	for (const char *at = text, *end = text + len; at < end;) {
		size_t n = word_len(at, end);
		if (secret_is_word(at, n)) {
			return true;
		}
		at += n != 0 ? n : 1;
	}
	return false;
}

/* The start of the secret in NAME:ALGORITHM:SECRET and similar forms; NULL: the word has no such form. */
static const char *
secret_of_key(const char *word, size_t len)
{
	static const char *const marks[] = { ":sha", ":hmac-", "hmac-", "ed25519:" };
	for (const char *at = word; at < word + len; at++) {
		for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
			size_t n = strlen(marks[i]);
			bool is_mark = (size_t)(word + len - at) > n && strncasecmp(at, marks[i], n) == 0;
			const char *colon = is_mark ? memchr(at + 1, ':', (size_t)(word + len - at - 1)) : NULL;
			if (colon != NULL) {
				return colon + 1;
			}
		}
	}
	return NULL;
}

/* What our own messages have where a secret belongs. */
static bool
is_placeholder(const char *word, size_t len)
{
	return len == strlen("SECRET") && memcmp(word, "SECRET", len) == 0;
}

static void
mask_word(const char *word, size_t len, struct str *out)
{
	static const char mask[] = "(not shown)";
	const char *key = secret_of_key(word, len);
	if (key != NULL && is_placeholder(key, (size_t)(word + len - key))) {
		key = NULL;
	}
	const char *end = key != NULL ? key : word + len;
	for (const char *at = word; at < end;) {
		size_t n = word_len(at, end);
		if (secret_is_word(at, n)) {
			str_cat(out, mask);
		} else {
			str_put(out, at, n != 0 ? n : 1);
		}
		at += n != 0 ? n : 1;
	}
	str_cat(out, key != NULL ? mask : "");
}

void
secret_mask(const char *text, struct str *out)
{
	while (*text != '\0') {
		size_t between = strspn(text, WORD_ENDS), len = strcspn(text + between, WORD_ENDS);
		str_put(out, text, between);
		mask_word(text + between, len, out);
		text += between + len;
	}
}

/* ---- texts ---- */

struct text {
	const char *begin, *end;
	bool is_of_secondaries;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* True when `word` is directly before `at`, in any case. */
static bool
is_before(const struct text *t, const char *at, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(at - t->begin) >= n && strncasecmp(at - n, word, n) == 0;
}

static bool
is_at(const struct text *t, const char *at, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(t->end - at) >= n && strncasecmp(at, word, n) == 0;
}

/* True for "_update" and similar labels, which only names of keys have. */
static bool
is_operation(const struct text *t, const char *at)
{
	static const char *const labels[] = { "_update", "_status", "_transfer", "_notify" };
	const size_t n = t->is_of_secondaries ? 2 : ARRAY_LEN(labels); /* a file of secondaries without keys may have the last two */
	bool is_begin = at == t->begin || at[-1] == '.' || is_blank(at[-1]) || at[-1] == '\n' || at[-1] == '"';
	for (size_t i = 0; is_begin && i < n; i++) {
		const char *after = at + strlen(labels[i]);
		if (is_at(t, at, labels[i]) && (after == t->end || strchr(". \t\r\n:\"", *after) != NULL)) {
			return true;
		}
	}
	return false;
}

/* The next word of a record, which may be on the next line if a parenthesis is open; "" at the end. */
static struct text
next_word(const struct text *t, const char *at, bool *is_open)
{
	while (at < t->end && (is_blank(*at) || *at == '(' || *at == '"' || (*is_open && (*at == '\n' || *at == '\r')))) {
		*is_open |= *at++ == '(';
	}
	struct text word = { .begin = at, .end = at };
	while (word.end < t->end && !is_blank(*word.end) && strchr("\r\n();\"", *word.end) == NULL) {
		word.end++;
	}
	return word;
}

static bool
is_number(const struct text *word, unsigned *out)
{
	*out = 0;
	for (const char *c = word->begin; c < word->end; c++) {
		if (!is_digit(*c) || word->end - word->begin > 5) {
			return false;
		}
		*out = *out * 10 + (unsigned)(*c - '0');
	}
	return word->begin != word->end;
}

/* True for the fields of a TSIG key after the type: "0 3 163 SECRET", even when fields are missing or in another order, or the
 * algorithm is a word.  The public keys of DNSSEC begin with flags, which are not 0; in a list of types, another type follows. */
static bool
is_tsig_fields(const struct text *t, const char *at)
{
	unsigned flags, protocol, alg;
	bool is_open = false;
	struct text word = next_word(t, at, &is_open);
	if (!is_number(&word, &flags)) {
		return is_at(t, word.begin, "sha") || secret_is_word(word.begin, (size_t)(word.end - word.begin));
	}
	struct text second = next_word(t, word.end, &is_open), third = next_word(t, second.end, &is_open);
	return flags == 0 || (is_number(&second, &protocol) && is_number(&third, &alg) && is_hmac(alg));
}

/* True when the type of a record with a TSIG key ends at `at`. */
static bool
is_key_record(const struct text *t, const char *at)
{
	bool is_type = is_before(t, at, " KEY") || is_before(t, at, "\tKEY") || is_before(t, at, "DNSKEY");
	return is_type && is_tsig_fields(t, at);
}

/* True for a colon after an algorithm (NAME:SHA256:SECRET), after a word that comes before a secret, or before an HMAC algorithm. */
static bool
is_colon_of_key(const struct text *t, const char *at)
{
	static const char *const before[] = {
		":sha1", ":sha224", ":sha256", ":sha384", ":sha512", "ed25519", "secret", "private-key-format",
	};
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		if (is_before(t, at, before[i])) {
			return true;
		}
	}
	return is_at(t, at, ":hmac");
}

/* True for a quote after the word "secret". */
static bool
is_quote_of_secret(const struct text *t, const char *at)
{
	while (at > t->begin && is_blank(at[-1])) {
		at--;
	}
	return is_before(t, at, "secret");
}

/* True when the octet and the text around it belong to some form of a key. */
static bool
is_mark(const struct text *t, const char *at)
{
	switch (*at) {
	case '_':
		return is_before(t, at, "hmac") || is_operation(t, at);
	case '-':
		return is_before(t, at, "hmac") || (is_at(t, at, "-----") && is_before(t, at, "PRIVATE KEY"));
	case ':':
		return is_colon_of_key(t, at);
	case '"':
		return is_quote_of_secret(t, at);
	case ' ':
	case '\t':
		return at > t->begin && (at[-1] == 'Y' || at[-1] == 'y') && is_key_record(t, at);
	default:
		return false;
	}
}

/* True for "keys", "_key", "example.org.keys": decided by the last label; none of these is a top-level domain. */
static bool
is_named_like_keys(const char *file)
{
	static const char *const words[] = { "key", "keys", "_key", "_keys", "tsig", "secret", "secrets", "_secret", "_secrets" };
	const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file, *dot = strrchr(name, '.');
	const char *last = dot != NULL ? dot + 1 : name;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(last, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool
is_of_secondaries(const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
	return filename_is_secondaries(name, strlen(name));
}

/* Comments are skipped, since no line is quoted because of its comment. */
bool
secret_is_text(const char *file, const char *text, size_t len)
{
	const struct text t = { .begin = text, .end = text + len, .is_of_secondaries = is_of_secondaries(file) };
	if (is_named_like_keys(file)) {
		return true;
	}
	bool is_comment = false, is_quoted = false;
	for (const char *at = t.begin; at < t.end; at++) {
		if (*at == '\n' || *at == '\r') {
			is_comment = is_quoted = false;
		} else if (*at == ';' && !is_quoted) {
			is_comment = true;
		} else if (!is_comment && is_mark(&t, at)) {
			return true;
		}
		is_quoted ^= *at == '"' && !is_comment;
	}
	return false;
}
