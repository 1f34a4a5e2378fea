#include "auth/source.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/enc.h"
#include "base/filename.h"

enum { PATH_MAX_LEN = 255 }; /* of a file's name.  A zone's name may need more; such a zone cannot have a file */

/* Files that people keep beside their zones.  Upper and lower case count: README.example is no zone, readme.example can be one. */
static const char *const not_zones[] = {
	"AUTHORS",     "BUGS",         "CHANGELOG", "CHANGES",   "CODEOWNERS",      "CODE_OF_CONDUCT", "CONTRIBUTING", "COPYING",
	"COPYRIGHT",   "CREDITS",      "Caddyfile", "Containerfile", "Dockerfile",  "Doxyfile",        "FAQ",          "GNUmakefile",
	"Gemfile",     "HACKING",      "HISTORY",   "INSTALL",   "Jenkinsfile",     "Justfile",        "LICENCE",      "LICENSE",
	"MAINTAINERS", "Makefile",     "NEWS",      "NOTES",     "NOTICE",          "Procfile",        "README",       "Rakefile",
	"SECURITY",    "THANKS",       "TODO",      "VERSION",   "Vagrantfile",     "justfile",        "makefile",
};

/* Endings of leftovers of editors and tools, and of files for other programs.  None is a top-level domain. */
static const char *const not_endings[] = {
	"asc",  "bak",  "cfg",  "conf", "crt",  "csr",  "csv",   "diff",   "dist", "dpkg-dist", "dpkg-new", "dpkg-old", "html", "ini",
	"jnl",  "json", "key",  "lock", "log",  "nix",  "old",   "orig",   "patch", "pem",      "private",  "rej",      "rpmnew",
	"rpmsave", "sample", "sig", "swo", "swp", "tmp", "toml", "txt",    "xml",  "yaml",      "yml",
};

/* Endings of scripts, documents and archives that are top-level domains, too. */
static const char *const doubtful_endings[] = { "cc", "md", "ml", "pl", "ps", "py", "rs", "sh", "so", "tf", "zip" };

static bool
ends_with(const char *path, const char *const *endings, size_t n)
{
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot != NULL && dot != path && i < n; i++) {
		if (strcasecmp(dot + 1, endings[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* True when the name alone tells that the file is no zone. */
static bool
is_ignored_by_name(const char *path)
{
	if (path[0] == '#' || path[strlen(path) - 1] == '~') {
		return true; /* left by an editor */
	}
	for (size_t i = 0; i < ARRAY_LEN(not_zones); i++) {
		size_t n = strlen(not_zones[i]);
		if (strncmp(path, not_zones[i], n) == 0 && (path[n] == '\0' || strchr(".-_", path[n]) != NULL)) {
			return true;
		}
	}
	return ends_with(path, not_endings, ARRAY_LEN(not_endings));
}

bool
source_is_doubtful(const struct ignore *ignore, const char *path)
{
	return ignore_ask(ignore, path) == IGNORE_NOT_SAID && ends_with(path, doubtful_endings, ARRAY_LEN(doubtful_endings));
}

/* ---- the beginning of a text ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '(';
}

/* True when the line is a directive, or has the word SOA. */
static bool
is_first_line(const char *line, const char *end)
{
	if (end - line > 1 && line[0] == '$') {
		return (line[1] >= 'A' && line[1] <= 'Z') || (line[1] >= 'a' && line[1] <= 'z');
	}
	for (const char *word = line; word < end && *word != ';' && *line != '#'; word++) {
		bool is_begin = word != line && is_blank(word[-1]);
		if (is_begin && end - word >= 3 && strncasecmp(word, "SOA", 3) == 0 && (end - word == 3 || is_blank(word[3]))) {
			return true;
		}
	}
	return false;
}

bool
source_is_master(const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	if (len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
		at += 3; /* a byte order mark */
	}
	while (at < end) {
		const char *line = at, *first;
		while (at < end && *at != '\n' && *at != '\r') {
			at++;
		}
		for (first = line; first < at && is_blank(*first); first++) {
		}
		if (first < at && *first != ';') {
			return is_first_line(line, at);
		}
		at++;
	}
	return false;
}

/* ---- names ---- */

/* Turns %XX into \DDD, the escape for an octet in master files (RFC 1035 5.1). */
bool
source_read_name(const char *path, size_t len, struct name *out)
{
	char text[4 * PATH_MAX_LEN];
	size_t n = 0;
	if (len > PATH_MAX_LEN) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		int octet = path[i] == '%' && i + 2 < len ? base16_octet(path + i + 1) : -1;
		if ((uint8_t)path[i] >= 0x80) {
			return false;
		}
		if (octet >= 0) {
			text[n++] = '\\';
			text[n++] = (char)('0' + octet / 100);
			text[n++] = (char)('0' + octet / 10 % 10);
			text[n++] = (char)('0' + octet % 10);
			i += 2;
		} else {
			text[n++] = path[i];
		}
	}
	return name_parse(text, n, NULL, out) == OK;
}

bool
source_is_ignored(const struct ignore *ignore, const char *path)
{
	if (path[0] == '\0' || path[0] == '.') {
		return true;
	}
	switch (ignore_ask(ignore, path)) {
	case IGNORE_YES:
		return true;
	case IGNORE_NO:
		return false;
	default:
		return is_ignored_by_name(path);
	}
}

enum source_kind
source_kind_by_end(const char *path, size_t *name_len)
{
	static const struct {
		const char *end;
		enum source_kind kind;
	} ends[] = { { "._keys", SOURCE_KEYS }, { "._secondaries", SOURCE_SECONDARIES } };
	size_t len = strlen(path);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i].end);
		bool is_alone = strcmp(path, ends[i].end + 1) == 0;
		if (is_alone || (len > n && strcmp(path + len - n, ends[i].end) == 0)) {
			*name_len = is_alone ? 0 : len - n;
			return ends[i].kind;
		}
	}
	*name_len = len;
	return SOURCE_ZONE;
}

bool
source_is_keys_name(const char *path)
{
	size_t len;
	return source_kind_by_end(path, &len) == SOURCE_KEYS;
}

/* True when some system takes the name for that of a file of keys or secondaries, but it is spelled differently. */
static bool
is_misspelt(const char *path)
{
	size_t len;
	return filename_is_private(path, strlen(path)) && source_kind_by_end(path, &len) == SOURCE_ZONE;
}

enum source_kind
source_kind_of(const struct ignore *ignore, const char *path, struct name *apex)
{
	size_t len;
	if (strchr(path, '/') != NULL) {
		return SOURCE_BELOW_ROOT;
	}
	if (source_is_ignored(ignore, path)) {
		return SOURCE_IGNORED;
	}
	if (is_misspelt(path)) {
		return SOURCE_BAD_NAME;
	}
	enum source_kind kind = source_kind_by_end(path, &len);
	if ((len == 0 && kind != SOURCE_ZONE) || (len == 1 && path[0] == '@')) {
		name_set(apex, name_root);
		return kind;
	}
	return source_read_name(path, len, apex) ? kind : SOURCE_BAD_NAME;
}

/* True for octets that a file's name has unescaped.  Windows does not allow < > : " | ? * \ in names, and no system a slash; the other
 * characters in the list have a meaning in names of files or in master files; blanks and octets beyond ASCII are easily lost. */
static bool
is_plain(uint8_t c)
{
	return c > ' ' && c < 0x7F && strchr("<>:\"|?*\\/%.@;()$#~", c) == NULL;
}

static size_t
put_escaped(uint8_t c, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	out[0] = '%';
	out[1] = digits[c >> 4];
	out[2] = digits[c & 15];
	return 3;
}

void
source_file_name(const uint8_t *apex, char out[NAME_TEXT_MAX])
{
	size_t n = 0;
	bool is_escaped = filename_is_device((const char *)apex + 1, apex[0]); /* an escape makes it another name */
	for (const uint8_t *label = apex; !name_is_root(label); label = name_parent(label)) {
		if (n != 0) {
			out[n++] = '.';
		}
		for (unsigned i = 1; i <= label[0]; i++, is_escaped = false) {
			uint8_t c = octet_lower(label[i]);
			if (is_plain(c) && !is_escaped) {
				out[n++] = (char)c;
			} else {
				n += put_escaped(c, out + n);
			}
		}
	}
	if (n == 0) {
		out[n++] = '@';
	}
	out[n] = '\0';
}

void
source_say_bad(const char *path, struct diag *d)
{
	if (is_misspelt(path)) {
		diag_set(d, DIAG_ERROR, "bad-file-name", "no zone can have a name that ends in _keys or _secondaries");
		diag_hint(d, "keys go into the file _keys or NAME._keys, secondaries into _secondaries or NAME._secondaries, "
		             "in this spelling; nothing is read of a file of this name");
		return;
	}
	char ascii[NAME_TEXT_MAX];
	bool is_ascii = true;
	for (const char *c = path; *c != '\0'; c++) {
		is_ascii &= (uint8_t)*c < 0x80;
	}
	diag_set(d, DIAG_ERROR, "bad-file-name", is_ascii ? "the file's name is not a domain name"
	                                                  : "the file's name is not ASCII: nobody asks for a zone by these octets");
	if (is_ascii) {
		diag_hint(d, "name it like its zone, or keep it in a directory (%%XX is an octet that no file name can have)");
	} else if (source_to_ascii(path, ascii)) {
		diag_hint(d, "name it by its A-label: %.200s", ascii);
	} else {
		diag_hint(d, "name it by its A-label (RFC 5890), which idn2(1) prints");
	}
}
