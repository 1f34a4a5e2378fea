/* The files of a zone while it is edited: opens each once, patches it, and hands it out. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "zone/edit_p.h"

static struct edit_source **
slot_of(struct editor *e, const char *path)
{
	uint32_t h = hash32_text(path);
	return &e->slots[(h ^ h >> 16) % EDIT_SLOTS];
}

/* Adds a file to the hash table; the path is copied. */
static err_t
add_source(struct editor *e, const char *path, struct edit_source **out)
{
	struct edit_source *s = arena_alloc(&e->arena, sizeof *s), **slot = slot_of(e, path);
	char *copy = arena_copy(&e->arena, path, strlen(path) + 1);
	if (s == NULL || copy == NULL) {
		return E_NOMEM;
	}
	*s = (struct edit_source){ .path = copy, .next_in_slot = *slot };
	s->end = &s->first;
	*slot = s;
	*out = s;
	return OK;
}

err_t
edit_files_begin(struct editor *e)
{
	const char *path = e->in->source->file != NULL ? e->in->source->file : "";
	TRY(add_source(e, path, &e->sources));
	e->sources->is_own = true;
	e->sources->opened = 1;
	e->sources->text = (struct master_text){ .text = e->in->text, .len = e->in->len };
	return OK;
}

void
edit_files_fini(struct editor *e)
{
	const struct master_reader *r = e->in->source;
	for (struct edit_source *s = e->sources; s != NULL; s = s->next) {
		if (!s->is_own && r->close != NULL) {
			r->close(r->ctx, &s->text);
		}
		str_fini(&s->edited);
	}
}

err_t
edit_source_open(struct editor *e, const char *path, struct edit_source **out)
{
	const struct master_reader *r = e->in->source;
	struct master_text text = { .text = NULL };
	struct edit_source *s = *slot_of(e, path);
	while (s != NULL && strcmp(s->path, path) != 0) {
		s = s->next_in_slot;
	}
	if (s == NULL) {
		TRY(r->open(r->ctx, path, &text));
		err_t err = add_source(e, path, &s);
		if (err != OK) {
			if (r->close != NULL) {
				r->close(r->ctx, &text);
			}
			return err;
		}
		s->text = text;
		s->next = e->sources->next;
		e->sources->next = s;
	}
	*out = s;
	return OK;
}

bool
edit_source_may_be_edited(struct editor *e, struct edit_source *s)
{
	if (s->may_edit == MAY_EDIT_UNKNOWN) {
		bool is_free = e->in->may_edit == NULL || e->in->may_edit(e->in->source->ctx, s->path);
		s->may_edit = s->opened == 1 && is_free ? MAY_EDIT_YES : MAY_EDIT_NO;
	}
	return s->may_edit == MAY_EDIT_YES;
}

static err_t
add_patch(struct editor *e, struct edit_source *s, const struct edit_patch *p)
{
	struct edit_patch *copy = arena_copy(&e->arena, p, sizeof *p);
	char *text = p->len != 0 ? arena_copy(&e->arena, p->text, p->len) : NULL;
	if (copy == NULL || (p->len != 0 && text == NULL)) {
		return E_NOMEM;
	}
	copy->text = text;
	copy->next = NULL;
	*s->end = copy;
	s->end = &copy->next;
	return OK;
}

err_t
edit_patch_add_text(struct editor *e, struct edit_source *s, struct edit_span at, const struct str *text)
{
	TRY(text->err);
	return add_patch(e, s, &(struct edit_patch){ .begin = at.from, .end = at.to, .text = text->s, .len = text->len });
}

err_t
edit_patch_add_lines(struct editor *e, struct edit_source *s, struct edit_span at, const struct str *text)
{
	TRY(text->err);
	return add_patch(e, s, &(struct edit_patch){ .begin = at.from, .end = at.to, .text = text->s, .len = text->len,
	                                                  .is_lines = true });
}

static bool
is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

const char *
edit_line_end(const struct master_text *t, size_t end)
{
	if (end == 0 || !is_line_end(t->text[end - 1])) {
		const char *first = lex_line_end(t->text, t->text + t->len);
		end = first != t->text + t->len ? (size_t)(first - t->text) + 1 : 0;
	}
	if (end != 0 && t->text[end - 1] == '\r') {
		return "\r";
	}
	return end > 1 && t->text[end - 2] == '\r' ? "\r\n" : "\n";
}

/* If the last line before them has no line end, new lines add it, and take_last_line_end() removes their own. */
static void
put_lines(struct edit_source *s, const struct edit_patch *p)
{
	struct str *out = &s->edited;
	if (p->begin == s->text.len && out->len != 0 && !is_line_end(out->s[out->len - 1])) {
		str_cat(out, edit_line_end(&s->text, p->begin));
	}
	str_put(out, p->text, p->len);
}

/* A text that had no line end at its end still has none when its last line is new. */
static void
take_last_line_end(struct edit_source *s, const struct edit_patch *last)
{
	struct str *out = &s->edited;
	const struct master_text *t = &s->text;
	bool had_none = t->len != 0 && !is_line_end(t->text[t->len - 1]);
	if (had_none && last->is_lines && last->end == t->len && last->len != 0 && out->err == OK) {
		out->len -= strlen(edit_line_end(t, t->len));
		out->s[out->len] = '\0';
	}
}

static err_t
apply(struct edit_source *s)
{
	size_t at = 0;
	const struct edit_patch *last = NULL;
	for (const struct edit_patch *p = s->first; p != NULL; p = p->next) {
		ASSERT(at <= p->begin && p->begin <= p->end && p->end <= s->text.len);
		str_put(&s->edited, s->text.text + at, p->begin - at);
		if (p->is_lines) {
			put_lines(s, p);
		} else {
			str_put(&s->edited, p->text, p->len);
		}
		at = p->end;
		last = p;
	}
	str_put(&s->edited, s->text.text + at, s->text.len - at);
	take_last_line_end(s, last);
	return s->edited.err;
}

err_t
edit_files_apply(struct editor *e)
{
	for (struct edit_source *s = e->sources; s != NULL; s = s->next) {
		if (s->first != NULL) {
			TRY(apply(s));
		}
	}
	return OK;
}

void
edit_fini(struct edit *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->files[i].path);
		free(e->files[i].text);
	}
	free(e->files);
	*e = (struct edit){ 0 };
}

err_t
edit_files_hand_out(struct editor *e, struct edit *out)
{
	struct edit made = { 0 };
	size_t n = 0;
	for (const struct edit_source *s = e->sources; s != NULL; s = s->next) {
		n += s->first != NULL;
	}
	made.files = calloc(n + 1, sizeof *made.files);
	if (made.files == NULL) {
		return E_NOMEM;
	}
	for (struct edit_source *s = e->sources; s != NULL; s = s->next) {
		if (s->first == NULL) {
			continue;
		}
		struct edit_file *f = &made.files[made.n++];
		f->path = strdup(s->path);
		f->text = s->edited.s != NULL ? s->edited.s : strdup(""); /* an empty text: all its lines may be removed */
		f->len = s->edited.len;
		f->old_len = s->text.len;
		s->edited = (struct str){ 0 };
		if (f->path == NULL || f->text == NULL) {
			edit_fini(&made);
			return E_NOMEM;
		}
	}
	*out = made;
	return OK;
}

err_t
edit_fail(struct editor *e, const struct edit_source *s, uint32_t line, const char *code, const char *hint,
          const char *format, ...)
{
	char text[DIAG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	bool is_included = s != NULL && !s->is_own;
	if (is_included) {
		diag_set(e->why, DIAG_ERROR, code, "%.200s:%u: %.280s", s->path, line, text);
	} else {
		diag_set(e->why, DIAG_ERROR, code, "%s", text);
		e->why->file = e->in->source->file;
		e->why->line = s != NULL ? line : 0;
	}
	diag_hint(e->why, "%s", hint);
	return E_FORMAT;
}
