#include "base/filename.h"

#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/err.h"

static char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The length without dots and blanks at the end, which Windows drops. */
static size_t
without_tail(const char *name, size_t len)
{
	while (len != 0 && (name[len - 1] == '.' || name[len - 1] == ' ')) {
		len--;
	}
	return len;
}

static bool
is_word(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(name, word, len) == 0;
}

/* ---- names that some system cannot have ---- */

bool
filename_is_device(const char *name, size_t len)
{
	static const char *const devices[] = { "con", "prn", "aux", "nul", "conin$", "conout$" };
	size_t base = 0;
	while (base < len && name[base] != '.' && name[base] != ':') {
		base++;
	}
	base = without_tail(name, base);
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		if (is_word(name, base, devices[i])) {
			return true;
		}
	}
	bool is_port = base == 4 && (strncasecmp(name, "com", 3) == 0 || strncasecmp(name, "lpt", 3) == 0);
	return is_port && name[3] >= '0' && name[3] <= '9';
}

/* True for names that some system takes for ".git" in a checkout: HFS+ ignores some octets beyond ASCII, NTFS has a short name
 * for it. */
static bool
is_dotgit(const char *name, size_t len)
{
	char plain[6]; /* one more than the longest of these names */
	size_t n = 0;
	len = without_tail(name, len);
	for (size_t i = 0; i < len && n < sizeof plain; i++) {
		if ((unsigned char)name[i] < 0x80) {
			plain[n++] = name[i];
		}
	}
	return is_word(plain, n, ".git") || is_word(plain, n, "git~1");
}

static bool
has_forbidden_octet(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		if (c < ' ' || c == 0x7F || strchr("<>:\"/\\|?*", c) != NULL) {
			return true;
		}
	}
	return false;
}

const char *
filename_trouble(const char *name, size_t len)
{
	if (len > FILENAME_PORTABLE_MAX) {
		return "is longer than 143 octets";
	}
	if (without_tail(name, len) != len || len == 0) {
		return "ends in a dot or a blank, which Windows drops";
	}
	if (has_forbidden_octet(name, len)) {
		return "has an octet that names on Windows cannot have";
	}
	if (filename_is_device(name, len)) {
		return "is that of a device on Windows";
	}
	return is_dotgit(name, len) ? "is taken for git's own directory on some systems" : NULL;
}

int
filename_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	a_len = without_tail(a, a_len);
	b_len = without_tail(b, b_len);
	for (size_t i = 0; i < a_len && i < b_len; i++) {
		int d = (unsigned char)to_lower(a[i]) - (unsigned char)to_lower(b[i]);
		if (d != 0) {
			return d;
		}
	}
	return a_len < b_len ? -1 : a_len > b_len;
}

/* ---- files of keys and of secondaries ---- */

/* Reads the octet at `*at`, resolving %XX; *at moves to after it. */
static char
next_octet(const char *name, size_t len, size_t *at)
{
	int octet = name[*at] == '%' && *at + 2 < len ? base16_octet(name + *at + 1) : -1;
	char c = octet >= 0 ? (char)octet : name[*at];
	*at += octet >= 0 ? 3 : 1;
	return c;
}

/* The last octets of a name, in lower case, without octets beyond ASCII, which HFS+ may ignore. */
struct ending {
	char s[sizeof "._secondaries"];
	size_t n;
};

static void
ending_add(struct ending *e, char c)
{
	if (e->n == sizeof e->s) {
		memmove(e->s, e->s + 1, --e->n);
	}
	e->s[e->n++] = to_lower(c);
}

static bool
ending_is(const struct ending *e, const char *word)
{
	size_t n = strlen(word), len = without_tail(e->s, e->n);
	return len >= n && memcmp(e->s + len - n, word, n) == 0 && (len == n || e->s[len - n - 1] == '.');
}

static struct ending
ending_of(const char *name, size_t len)
{
	struct ending e = { .n = 0 };
	/* on NTFS, the text after a colon does not belong to the name */
	const char *colon = len != 0 ? memchr(name, ':', len) : NULL;
	len = without_tail(name, colon != NULL ? (size_t)(colon - name) : len);
	for (size_t i = 0; i < len;) {
		char c = next_octet(name, len, &i);
		if ((unsigned char)c < 0x80) {
			ending_add(&e, c);
		}
	}
	return e;
}

bool
filename_is_secondaries(const char *name, size_t len)
{
	const struct ending e = ending_of(name, len);
	return ending_is(&e, "_secondaries");
}

bool
filename_is_private(const char *name, size_t len)
{
	const struct ending e = ending_of(name, len);
	return ending_is(&e, "_keys") || ending_is(&e, "_secondaries");
}

bool
filename_has_private_part(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");
		if (filename_is_private(path, len)) {
			return true;
		}
		if (path[len] == '\0') {
			return false;
		}
		path += len + 1;
	}
}
