#include "git/verdict.h"

#include <string.h>

#define HAS_ANY(text, list) has_any(text, list, ARRAY_LEN(list))

static bool
has_any(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasestr(text, list[i]) != NULL) {
			return true;
		}
	}
	return false;
}

bool
git_words_deny(const char *words)
{
	static const char *const rights[] = { "Permission denied", "Read-only file system", "insufficient permission" };
	return HAS_ANY(words, rights);
}

err_t
git_verdict(const char *status, const char *words)
{
	static const char *const hook[] = { "hook declined", "protected", "prohibited" };
	static const char *const moved[] = {
		"fetch first", "non-fast-forward", "stale info",               /* git push, and some servers */
		"cannot lock ref", "failed to lock", "lock failure",           /* older git, JGit */
		"failed to update ref",                                        /* git: any trouble with the branch's file */
		"reference already exists", "reference does not exist", "incorrect old value", "reference conflict", /* git 2.50 */
		"changed concurrently", "but expected",
	};
	static const char *const full[] = { "No space left", "quota exceeded", "Disk quota", "Input/output error", "out of memory" };
	static const char *const unpack[] = {
		"unpacker error", "unpack",
		"bad pack", "unable to migrate objects", "temporary object directory", /* git: its quarantine was swept by a `git prune` */
		"missing necessary objects",                               /* git: objects of the base are gone, or cannot be read now */
	};
	if (HAS_ANY(status, hook) || git_words_deny(status) || git_words_deny(words)) {
		return E_REFUSED; /* before the tests below: a hook's own message may have any of these words */
	}
	if (HAS_ANY(status, full) || HAS_ANY(words, full)) {
		return E_IO;
	}
	if (HAS_ANY(status, moved)) {
		return E_STALE;
	}
	return HAS_ANY(status, unpack) ? E_IO : E_REFUSED;
}

/* True when the line "FLAG\tFROM:TO\tSUMMARY" (git-push(1), "Output") is about `ref`. */
static bool
is_about(const char *line, size_t len, const char *ref, const char **summary)
{
	const char *first = memchr(line, '\t', len);
	const char *second = first != NULL ? memchr(first + 1, '\t', len - (size_t)(first + 1 - line)) : NULL;
	const char *colon = second != NULL ? memchr(first + 1, ':', (size_t)(second - first - 1)) : NULL;
	if (first != line + 1 || colon == NULL) {
		return false;
	}
	*summary = second + 1;
	return (size_t)(second - colon - 1) == strlen(ref) && memcmp(colon + 1, ref, strlen(ref)) == 0;
}

/* Appends the reason out of a summary like "[remote rejected] (pre-receive hook declined)", or all of the summary if it
 * has none. */
static void
put_reason(const char *summary, size_t len, struct str *out)
{
	const char *open = memchr(summary, '(', len);
	if (open != NULL && summary[len - 1] == ')') {
		str_put(out, open + 1, (size_t)(summary + len - 1 - open - 1));
	} else {
		str_put(out, summary, len);
	}
}

err_t
git_porcelain(const char *printed, const char *ref, struct str *status)
{
	static const char lost[] = "[remote failure]";
	while (*printed != '\0') {
		size_t len = strcspn(printed, "\n");
		const char *summary = NULL;
		if (is_about(printed, len, ref, &summary)) {
			size_t left = len - (size_t)(summary - printed);
			if (printed[0] == '!') {
				put_reason(summary, left, status);
			}
			return left >= sizeof lost - 1 && memcmp(summary, lost, sizeof lost - 1) == 0 ? E_UNKNOWN : OK;
		}
		printed += len + (printed[len] == '\n');
	}
	return E_NOTFOUND;
}

/* True for lines that git adds to the remote's messages: where it pushed, and that it failed, which the status says better. */
static bool
is_noise(const char *line)
{
	static const char failed[] = "error: failed to push some refs";
	return strncmp(line, "To ", 3) == 0 || strncmp(line, failed, sizeof failed - 1) == 0;
}

static size_t
len_without_blanks(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t')) {
		len--;
	}
	return len;
}

static void
put_words(const char *words, size_t end, bool with_noise, struct str *out)
{
	static const char prefix[] = "remote: ";
	size_t start = out->len;
	while (*words != '\0' && out->len < end && out->err == OK) {
		bool is_left_out = !with_noise && is_noise(words);
		words += strncmp(words, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
		size_t whole = strcspn(words, "\r\n"), len = is_left_out ? 0 : len_without_blanks(words, whole);
		if (len > 0 && out->len > start && out->len + 2 < end) {
			str_cat(out, "; ");
		}
		for (size_t i = 0; i < len && out->len < end; i++) {
			char c = words[i];
			str_char(out, (unsigned char)c < ' ' || c == 0x7F ? ' ' : c);
		}
		words += whole;
		words += strspn(words, "\r\n");
	}
	while (out->len > start && out->s[out->len - 1] == ' ') {
		out->s[--out->len] = '\0';
	}
}

void
git_words_line(const char *words, size_t max, struct str *out)
{
	size_t start = out->len;
	put_words(words, start + max, false, out);
	if (out->len == start) {
		put_words(words, start + max, true, out);
	}
}
