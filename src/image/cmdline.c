#include "image/cmdline.h"

#include <stdbool.h>
#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

/* Copies the word at *at without its quotes, and moves behind it.  Returns the place behind its NUL. */
static char *
take_word(const char **at, const char *end, char *to, bool *is_open)
{
	*is_open = false;
	for (; *at < end && (*is_open || !is_space(**at)); ++*at) {
		if (**at == '"') {
			*is_open = !*is_open;
		} else {
			*to++ = **at;
		}
	}
	*to++ = '\0';
	return to;
}

static const char *
skip_spaces(const char *at, const char *end)
{
	while (at < end && is_space(*at)) {
		at++;
	}
	return at;
}

static err_t
too_long(struct diag *diag, const char *what, int most)
{
	diag_set(diag, DIAG_ERROR, "cmdline", "the kernel's command line has %d %s or more, and some may be missing", most, what);
	diag_hint(diag, "give long options as files, or secrets as credentials (docs/images.md)");
	return E_LIMIT;
}

err_t
cmdline_read(struct cmdline *c, const char *text, size_t len, struct diag *diag)
{
	const char *end = text + len, *at = skip_spaces(text, end);
	char *to = c->text;
	bool is_rest_ours = false, is_open;
	c->words_n = 0;
	while (len > 0 && is_space(end[-1])) { /* /proc/cmdline ends with a line end, which the kernel adds */
		end--;
		len--;
	}
	if (len >= CMDLINE_MAX) {
		return too_long(diag, "octets", CMDLINE_MAX);
	}
	while (at < end) {
		char *word = to;
		to = take_word(&at, end, to, &is_open);
		if (is_open) {
			diag_set(diag, DIAG_ERROR, "cmdline", "the kernel's command line has a quote (\") without its partner");
			diag_hint(diag, "quote a word with spaces as in --server-version=\"a b\"");
			return E_FORMAT;
		}
		if (strcmp(word, "--") == 0 && !is_rest_ours) {
			is_rest_ours = true;
		} else if (is_rest_ours || strncmp(word, "--", 2) == 0) {
			if (c->words_n == CMDLINE_WORDS_MAX) {
				return too_long(diag, "words for the program", CMDLINE_WORDS_MAX);
			}
			c->words[c->words_n++] = word;
		}
		at = skip_spaces(at, end);
	}
	c->words[c->words_n] = NULL;
	return OK;
}
