#include "git/treeedit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/cur.h"
#include "base/filename.h"

/* One line of a tree; its texts are borrowed from the old tree, or from an edit. */
struct line {
	const char *mode, *name;
	size_t mode_len, name_len;
	const uint8_t *id;
	const struct tree_edit *edit; /* NULL: the line is an old one */
};

struct lines {
	struct line *all;
	size_t n;
};

static void
lines_fini(struct lines *l)
{
	free(l->all);
}

/* git writes the mode of a directory as "40000"; in very old trees there may be a zero before it. */
static bool
is_mode(const struct line *l, const char *mode)
{
	size_t skip = l->mode_len > 1 && l->mode[0] == '0' ? 1 : 0;
	return l->mode_len - skip == strlen(mode) && memcmp(l->mode + skip, mode, l->mode_len - skip) == 0;
}

static bool
line_is_dir(const struct line *l)
{
	return is_mode(l, "40000");
}

/* git's order: by octets, as if the name of a directory ended in "/". */
static int
name_order(const char *a, size_t a_len, bool a_is_dir, const char *b, size_t b_len, bool b_is_dir)
{
	size_t min = a_len < b_len ? a_len : b_len;
	int d = memcmp(a, b, min);
	if (d != 0) {
		return d;
	}
	int ac = a_len > min ? (unsigned char)a[min] : a_is_dir ? '/' : 0;
	int bc = b_len > min ? (unsigned char)b[min] : b_is_dir ? '/' : 0;
	return ac - bc;
}

static int
line_order(const struct line *a, const struct line *b)
{
	return name_order(a->name, a->name_len, line_is_dir(a), b->name, b->name_len, line_is_dir(b));
}

static int
edit_order(const void *a, const void *b)
{
	const struct tree_edit *x = a, *y = b;
	return name_order(x->name, x->name_len, x->is_dir, y->name, y->name_len, y->is_dir);
}

static const char *
take_until(struct cur *c, char end, size_t *len)
{
	size_t left = cur_left(c);
	const char *from = (const char *)c->base + c->pos;
	const char *at = left > 0 ? memchr(from, end, left) : NULL;
	if (at == NULL || at == from) {
		cur_fail(c, E_FORMAT);
		return NULL;
	}
	*len = (size_t)(at - from);
	c->pos += *len + 1;
	return from;
}

static err_t
next_line(struct cur *c, struct line *out)
{
	struct line l = { 0 };
	l.mode = take_until(c, ' ', &l.mode_len);
	l.name = take_until(c, '\0', &l.name_len);
	l.id = cur_take(c, ID_LEN);
	if (c->err != OK || memchr(l.name, '/', l.name_len) != NULL) { /* a file "a/" would be in the place of a directory "a" */
		return E_FORMAT;
	}
	*out = l;
	return OK;
}

static err_t
read_lines(const uint8_t *tree, size_t len, struct lines *out)
{
	enum { LINE_MIN = 1 + 1 + 1 + 1 + ID_LEN };
	struct cur c = cur_over(tree, len);
	out->all = try_alloc((len / LINE_MIN + 1) * sizeof *out->all);
	if (out->all == NULL) {
		return E_NOMEM;
	}
	while (cur_left(&c) > 0) {
		struct line *l = &out->all[out->n];
		TRY(next_line(&c, l));
		if (out->n > 0 && line_order(l - 1, l) >= 0) {
			return E_FORMAT;
		}
		out->n++;
	}
	return OK;
}

static const struct line *
find_line(const struct lines *lines, const char *name, size_t name_len, bool is_dir)
{
	size_t lo = 0, hi = lines->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct line *l = &lines->all[mid];
		int d = name_order(l->name, l->name_len, line_is_dir(l), name, name_len, is_dir);
		if (d == 0) {
			return l;
		}
		lo = d < 0 ? mid + 1 : lo;
		hi = d < 0 ? hi : mid;
	}
	return NULL;
}

err_t
tree_find_dir(const uint8_t *tree, size_t len, const char *name, size_t name_len, uint8_t id[ID_LEN])
{
	[[gnu::cleanup(lines_fini)]] struct lines lines = { 0 };
	TRY(read_lines(tree, len, &lines));
	const struct line *l = find_line(&lines, name, name_len, true);
	if (l == NULL) {
		return E_NOTFOUND;
	}
	memcpy(id, l->id, ID_LEN);
	return OK;
}

/* Applies an edit to the line that it names.  `old` NULL: there is no such line. */
static err_t
apply(const struct tree_edit *e, const struct line *old, struct lines *out)
{
	if (old != NULL && (is_mode(old, "120000") || is_mode(old, "160000"))) {
		return E_REFUSED;
	}
	if (e->is_removal) {
		return old != NULL ? OK : E_NOTFOUND;
	}
	if (old == NULL && filename_trouble(e->name, e->name_len) != NULL) {
		return E_UNSUPPORTED;
	}
	struct line *l = &out->all[out->n++];
	*l = (struct line){ .name = e->name, .name_len = e->name_len, .id = e->id, .edit = e };
	l->mode = old != NULL ? old->mode : e->is_dir ? "40000" : "100644";
	l->mode_len = old != NULL ? old->mode_len : strlen(l->mode);
	return OK;
}

static err_t
merge(const struct lines *old, const struct tree_edit *edits, size_t n, struct lines *out, const struct tree_edit **which)
{
	size_t i = 0, j = 0;
	while (i < old->n || j < n) {
		const struct line *l = i < old->n ? &old->all[i] : NULL;
		const struct tree_edit *e = j < n ? &edits[j] : NULL;
		int d = l == NULL ? 1 : e == NULL ? -1
		        : name_order(l->name, l->name_len, line_is_dir(l), e->name, e->name_len, e->is_dir);
		if (d < 0) {
			out->all[out->n++] = *l;
		} else {
			*which = e;
			TRY(apply(e, d == 0 ? l : NULL, out));
		}
		i += d <= 0;
		j += d >= 0;
	}
	return OK;
}

/* True when another line has the same name, or one that some system cannot tell from it. */
static bool
has_namesake(const struct lines *lines, const struct line *l)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct line *other = &lines->all[i];
		if (other != l && filename_compare(other->name, other->name_len, l->name, l->name_len) == 0) {
			return true;
		}
	}
	return false;
}

/* E_EXISTS: a file and a directory have one name, or a new name is one that some system cannot tell from another. */
static err_t
check_names(const struct lines *before, const struct lines *after, const struct tree_edit **which)
{
	for (size_t i = 0; i < after->n; i++) {
		const struct line *l = &after->all[i];
		if (l->edit == NULL) {
			continue;
		}
		bool is_new = find_line(before, l->name, l->name_len, line_is_dir(l)) == NULL;
		if (find_line(after, l->name, l->name_len, !line_is_dir(l)) != NULL || (is_new && has_namesake(after, l))) {
			*which = l->edit;
			return E_EXISTS;
		}
	}
	return OK;
}

err_t
tree_edit(const uint8_t *old, size_t old_len, struct tree_edit *edits, size_t n, struct str *out,
          const struct tree_edit **which)
{
	[[gnu::cleanup(lines_fini)]] struct lines before = { 0 };
	[[gnu::cleanup(lines_fini)]] struct lines after = { 0 };
	TRY(read_lines(old, old_len, &before));
	after.all = try_alloc((before.n + n + 1) * sizeof *after.all);
	if (after.all == NULL) {
		return E_NOMEM;
	}
	if (n > 0) {
		qsort(edits, n, sizeof *edits, edit_order);
	}
	TRY(merge(&before, edits, n, &after, which));
	TRY(check_names(&before, &after, which));
	for (size_t i = 0; i < after.n; i++) {
		const struct line *l = &after.all[i];
		str_put(out, l->mode, l->mode_len);
		str_char(out, ' ');
		str_put(out, l->name, l->name_len);
		str_char(out, '\0');
		str_put(out, l->id, ID_LEN);
	}
	return out->err != OK ? E_NOMEM : OK;
}

/* True when the name begins with ".git", or with "git~", which NTFS makes of such names. */
static bool
is_like_dotgit(const char *name, size_t len)
{
	char plain[5];
	size_t n = 0;
	for (size_t i = 0; i < len && n < sizeof plain; i++) {
		if ((unsigned char)name[i] < 0x80) {
			plain[n++] = name[i];
		}
	}
	return (n >= 4 && strncasecmp(plain, ".git", 4) == 0) || (n >= 4 && strncasecmp(plain, "git~", 4) == 0);
}

bool
tree_name_is_ours(const char *name, size_t len)
{
	bool is_dots = (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
	if (len == 0 || is_dots || memchr(name, '/', len) != NULL || memchr(name, '\0', len) != NULL) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if ((i == 0 || name[i - 1] == '\\') && is_like_dotgit(name + i, len - i)) {
			return false;
		}
	}
	return true;
}
