#include <string.h>
#include <strings.h>

#include "zone/master_p.h"

static const char comment_hint[] = "a comment begins with ;";

err_t
master_argument(struct master *m, const char *what, struct lex_token *out)
{
	struct lex_token t;
	lex_next(&m->lx, &t);
	if (t.kind == LEX_ERROR) {
		return master_lex_error(m, &t);
	}
	if (t.kind == LEX_EOL) {
		return master_error(m, &t, "bad-directive", "", "the line ends before the %s", what);
	}
	*out = t;
	return OK;
}

err_t
master_expect_end(struct master *m, const char *hint)
{
	struct lex_token t;
	char shown[MASTER_SHOWN_MAX];
	lex_next(&m->lx, &t);
	if (t.kind == LEX_EOL) {
		return OK;
	}
	if (t.kind == LEX_ERROR) {
		return master_lex_error(m, &t);
	}
	return master_error(m, &t, "bad-directive", hint,
	                    "the directive should end before \"%s\"", master_shown(&t, shown));
}

static err_t
set_origin(struct master *m)
{
	struct lex_token t;
	struct name origin;
	TRY(master_argument(m, "name of the new origin", &t));
	TRY(master_parse_name(m, &t, "bad-origin", &origin));
	TRY(master_expect_end(m, comment_hint));
	m->origin = origin;
	m->owner_text = NULL;
	m->origin_changed = true;
	return OK;
}

static err_t
set_default_ttl(struct master *m) /* RFC 2308 4 */
{
	struct lex_token t;
	char shown[MASTER_SHOWN_MAX];
	uint32_t ttl = 0;
	TRY(master_argument(m, "TTL", &t));
	err_t err = master_read_ttl(m, &t, &ttl);
	if (err == E_UNSUPPORTED) {
		err = master_error(m, &t, "bad-ttl", "a TTL is a number of seconds, or such as 1h30m",
		                   "\"%s\" is not a TTL", master_shown(&t, shown));
	}
	if (err == OK) {
		err = master_expect_end(m, comment_hint);
	}
	m->has_default_ttl = true; /* even after an error, so that records without a TTL are not reported, too */
	m->default_ttl = ttl;
	return err;
}

static bool
is_named(const struct lex_token *t, const char *name)
{
	return t->len == strlen(name) && strncasecmp(t->s, name, t->len) == 0;
}

static err_t
refuse_generate(struct master *m, const struct lex_token *t)
{
	return master_error(m, t, "generate-refused", "write a line for each record",
	                    "keys and secondaries are not generated: few octets of text would take much memory");
}

err_t
master_directive(struct master *m, const struct lex_token *t)
{
	char shown[MASTER_SHOWN_MAX];
	if (is_named(t, "$ORIGIN")) {
		return set_origin(m);
	}
	if (is_named(t, "$TTL")) {
		return set_default_ttl(m);
	}
	if (is_named(t, "$INCLUDE")) {
		return master_include(m);
	}
	if (is_named(t, "$GENERATE")) {
		return m->r->refuses_generate ? refuse_generate(m, t) : master_generate(m, t);
	}
	return master_error(m, t, "unknown-directive",
	                    "the directives are $ORIGIN, $TTL, $INCLUDE and $GENERATE; an owner that begins with $ is "
	                    "written \\$",
	                    "unknown directive %s", master_shown(t, shown));
}
