#include <string.h>
#include <strings.h>

#include "base/filename.h"
#include "zone/master_p.h"

/* Removes the last part of a plain path; false if there is none. */
static bool
has_parent_taken(const char *path, size_t *len)
{
	if (*len == 0) {
		return false;
	}
	while (*len != 0 && path[*len - 1] != '/') {
		--*len;
	}
	*len -= *len != 0; /* the slash */
	return true;
}

/* Appends the parts of `path` to the plain path out[0, *out_len). */
static err_t
append_parts(const char *path, size_t len, char *out, size_t *out_len)
{
	for (size_t i = 0; i < len;) {
		size_t start = i;
		while (i < len && path[i] != '/') {
			i++;
		}
		const char *part = path + start;
		size_t n = i - start;
		i++; /* the slash */
		if (n == 0 || (n == 1 && part[0] == '.')) {
			continue;
		}
		if (n == 2 && memcmp(part, "..", 2) == 0) {
			if (!has_parent_taken(out, out_len)) {
				return E_REFUSED;
			}
			continue;
		}
		if (*out_len + 1 + n + 1 > MASTER_PATH_MAX) {
			return E_LIMIT;
		}
		if (*out_len != 0) {
			out[(*out_len)++] = '/';
		}
		memcpy(out + *out_len, part, n);
		*out_len += n;
	}
	return OK;
}

/* True when a part of the path is ".git", in upper or lower case.  No tree of git has such a path, but in a work tree it is the
 * repository itself. */
static bool
has_git_part(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t start = i;
		while (i < len && path[i] != '/') {
			i++;
		}
		if (i - start == 4 && strncasecmp(path + start, ".git", 4) == 0) {
			return true;
		}
	}
	return false;
}

err_t
master_include_path(const char *from, const char *path, size_t len, char out[MASTER_PATH_MAX])
{
	char plain[MASTER_PATH_MAX];
	size_t n = 0;
	if (len == 0 || memchr(path, '\0', len) != NULL) {
		return E_FORMAT;
	}
	if (path[0] == '/') {
		return E_REFUSED;
	}
	TRY(append_parts(from, strlen(from), plain, &n));
	(void)has_parent_taken(plain, &n); /* from the file to its directory */
	TRY(append_parts(path, len, plain, &n));
	if (n == 0) {
		return E_FORMAT;
	}
	if (has_git_part(plain, n)) {
		return E_REFUSED;
	}
	memcpy(out, plain, n);
	out[n] = '\0';
	return OK;
}

/* Makes the plain path that a token names. */
static err_t
resolve_path(struct master *m, const struct lex_token *t, char out[MASTER_PATH_MAX])
{
	uint8_t path[MASTER_PATH_MAX];
	char shown[MASTER_SHOWN_MAX];
	size_t n = 0;
	if (m->r->open == NULL) {
		return master_error(m, t, "include-refused", "", "$INCLUDE is not allowed here");
	}
	if (lex_string(t, path, sizeof path, &n) != OK) {
		return master_error(m, t, "include-refused", "", "\"%s\" is not a usable path",
		                    master_shown(t, shown));
	}
	switch (master_include_path(m->frame->file, (const char *)path, n, out)) {
	case OK:
		return OK;
	case E_REFUSED:
		return master_error(m, t, "include-refused",
		                    "the path is relative to the file that includes it and stays within the "
		                    "repository",
		                    "\"%s\" leads out of the repository", master_shown(t, shown));
	default:
		return master_error(m, t, "include-refused", "", "\"%s\" is not a usable path",
		                    master_shown(t, shown));
	}
}

/* All zones together have used up the limit: further reading makes no sense. */
static err_t
refuse_share(struct master *m, const struct lex_token *t, size_t limit, const char *what)
{
	err_t err = master_error(m, t, "include-limit", "let the zones include less, or serve them from several repositories",
	                         "all zones together include more than %zu %s", limit, what);
	m->r->allowance->is_spent = true;
	m->stop = E_FORMAT;
	return err;
}

/* People who may write a zone may not always see keys, but everybody sees what is served: so zones must not include keys files. */
static err_t
check_privacy(struct master *m, const struct lex_token *t, const char *path)
{
	if (m->r->is_of_keys || !filename_has_private_part(path)) {
		return OK;
	}
	return master_error(m, t, "include-refused", "put records into a file with another name",
	                    "%.200s has the name of a file of keys or secondaries, which has no zone data", path);
}

static err_t
check_nesting(struct master *m, const struct lex_token *t, const char *path)
{
	for (const struct master_frame *f = m->frame; f != NULL; f = f->up) {
		if (strcmp(f->file, path) == 0) {
			return master_error(m, t, "include-cycle", "remove one $INCLUDE on the way back to the file",
			                    "%.200s includes itself", path);
		}
	}
	if (m->frame->depth == MASTER_INCLUDE_DEPTH_MAX) {
		return master_error(m, t, "include-depth", "include the innermost files directly from the zone's own file",
		                    "includes are nested more than %d deep", MASTER_INCLUDE_DEPTH_MAX);
	}
	if (m->includes == MASTER_INCLUDES_MAX) {
		return master_error(m, t, "include-limit", "put the small files together", "more than %d includes in one zone",
		                    MASTER_INCLUDES_MAX);
	}
	if (m->r->allowance != NULL && m->r->allowance->files == 0) {
		return refuse_share(m, t, m->r->allowance->files_max, "files");
	}
	return OK;
}

/* Counts the text against the limits of the zone, and of all zones. */
static err_t
take_share(struct master *m, const struct lex_token *t, size_t len)
{
	struct master_allowance *all = m->r->allowance;
	if (len > MASTER_INCLUDED_MAX - m->included_octets) {
		return master_error(m, t, "include-limit", "", "more than %d octets included in one zone", MASTER_INCLUDED_MAX);
	}
	if (all != NULL && len > all->octets) {
		return refuse_share(m, t, all->octets_max, "octets");
	}
	m->included_octets += len;
	if (all != NULL) {
		all->octets -= len;
	}
	return OK;
}

/* Reads an opened file.  Afterwards origin and owner are as before (RFC 1035 5.1), but the TTLs stay. */
static err_t
read_included(struct master *m, const char *path, const struct name *origin, const struct master_text *text)
{
	const struct lex lx = m->lx;
	const struct name saved_origin = m->origin, saved_owner = m->owner;
	const bool owner_was_bad = m->owner_is_bad;
	struct master_frame *up = m->frame;
	struct master_frame frame = { .file = path, .up = up, .depth = up->depth + 1 };

	m->frame = &frame;
	m->origin_changed = m->origin_changed || !name_is_equal(origin->oct, m->origin.oct);
	m->origin = *origin;
	m->owner_text = NULL;
	err_t err = master_read_text(m, text->text, text->len);

	m->lx = lx;
	m->frame = up;
	m->origin = saved_origin;
	m->owner = saved_owner;
	m->owner_is_bad = owner_was_bad;
	m->owner_text = NULL; /* it may point into the closed text */
	m->origin_changed = false;
	return err;
}

static err_t
open_failed(struct master *m, const struct lex_token *t, const char *path, err_t why)
{
	switch (why) {
	case E_REFUSED:
		return master_error(m, t, "include-refused", "include the file itself, not a link to it",
		                    "%.200s is a directory, a link or a submodule, not a file", path);
	case E_NOTFOUND:
		return master_error(m, t, "include-not-found", "the path is relative to the file that includes it; is the file there?",
		                    "cannot include %.200s: %s", path, err_str(why));
	default:
		return master_error(m, t, "include-not-found", "", "cannot include %.200s: %s", path, err_str(why));
	}
}

static err_t
open_and_read(struct master *m, const struct lex_token *t, const char *path, const struct name *origin)
{
	struct master_text text = { .text = NULL };
	m->includes++;
	if (m->r->allowance != NULL) {
		m->r->allowance->files--;
	}
	err_t err = m->r->open(m->r->ctx, path, &text);
	if (err != OK) {
		return open_failed(m, t, path, err);
	}
	err = take_share(m, t, text.len);
	if (err == OK) {
		err = read_included(m, path, origin, &text);
	}
	if (m->r->close != NULL) {
		m->r->close(m->r->ctx, &text);
	}
	return err;
}

err_t
master_include(struct master *m)
{
	struct lex_token file, t;
	struct name origin = m->origin;
	char path[MASTER_PATH_MAX];
	TRY(master_argument(m, "file to include", &file));
	lex_next(&m->lx, &t);
	if (t.kind == LEX_WORD || t.kind == LEX_QUOTED) {
		TRY(master_parse_name(m, &t, "bad-origin", &origin));
		TRY(master_expect_end(m, "a comment begins with ;"));
	} else if (t.kind == LEX_ERROR) {
		return master_lex_error(m, &t);
	}
	TRY(resolve_path(m, &file, path));
	TRY(check_privacy(m, &file, path));
	TRY(check_nesting(m, &file, path));
	return open_and_read(m, &file, path, &origin);
}
