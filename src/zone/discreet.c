#include "zone/discreet.h"

#include <string.h>

#include "dns/secret.h"

static void
drop_line(struct diag *d)
{
	d->source = NULL;
	d->source_len = 0;
}

static void
replace_text(struct diag *d, const char *text, const char *hint)
{
	struct diag bare;
	diag_set(&bare, d->level, d->code, "%s", text);
	diag_hint(&bare, "%s", hint);
	bare.file = d->file;
	bare.line = d->line;
	bare.col = d->col;
	bare.width = d->width;
	*d = bare;
}

bool
discreet_is_needed(const struct diag *d)
{
	return strcmp(d->code, "secret-record") == 0;
}

void
discreet_hide(struct diag *d)
{
	if (discreet_is_needed(d)) {
		drop_line(d);
		return;
	}
	replace_text(d, "the file looks like one that holds keys: what is wrong here is not shown",
	             "keys go into _keys or NAME._keys; if others could read the file, its secrets are no longer secret: make new ones");
}

void
discreet_hide_words(struct diag *d, const char *word, size_t word_len)
{
	if (d->source != NULL && secret_is_in(d->source, d->source_len)) {
		drop_line(d);
	}
	if (secret_is_in(word, word_len)) {
		replace_text(d, "this cannot be read, and is not shown, as it may be a secret",
		             "a record is: owner [TTL] [class] type data");
	}
}
