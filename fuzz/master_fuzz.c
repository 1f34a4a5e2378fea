/* A master file and what it includes: the input is cut at octets 0xFF; the first piece is the zone, the others are
 * files "1", "2", ...  Every record given out is well-formed, lies where it says, and comes back the same when it is
 * printed and read again; every diagnostic points into the text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/master.h"

enum { PIECES_MAX = 8, RECORDS_MAX = 300, REREAD_MAX = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	const char *at[PIECES_MAX];
	size_t len[PIECES_MAX];
	size_t n;
	size_t records, opened, closed;
};

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static const uint8_t apex[] = "\7example";

static err_t
compare_again(void *ctx, const struct master_rr *rr)
{
	const struct master_rr *first = ctx;
	check(rr->type == first->type && rr->ttl == first->ttl && rr->rdlen == first->rdlen);
	check(name_len(rr->owner) == name_len(first->owner));
	check(memcmp(rr->owner, first->owner, name_len(rr->owner)) == 0);
	check(memcmp(rr->rdata, first->rdata, rr->rdlen) == 0);
	return OK;
}

/* Parse, print, parse: the identity. */
static void
print_and_read(const struct master_rr *rr)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	struct str text = { 0 };
	struct master_rr first = *rr;
	struct master_counts counts;
	name_print(rr->owner, owner);
	str_printf(&text, "%s\t%u\tIN\t%s\t", owner, rr->ttl, rrtype_print(rr->type, type));
	rdata_print(rr->type, rr->rdata, rr->rdlen, &text);
	str_char(&text, '\n');
	const struct master_reader r = { .apex = apex, .file = "again", .ctx = &first, .record = compare_again };
	check(text.err == OK);
	check(master_read(&r, text.s, text.len, &counts) == OK && counts.records == 1);
	str_fini(&text);
}

static err_t
see_record(void *ctx, const struct master_rr *rr)
{
	struct pieces *p = ctx;
	check(rr->begin < rr->end && rr->line >= 1 && rr->line <= rr->last_line && rr->col >= 1);
	char before = rr->begin != 0 ? rr->text[rr->begin - 1] : '\n';
	check(before == '\n' || before == '\r' || rr->begin == 3 /* after a byte order mark */);
	check(rr->ttl <= 0x7FFFFFFF && name_len(rr->owner) <= NAME_WIRE_MAX);
	check(rdata_check(rr->type, rr->rdata, rr->rdlen) == OK);
	if (p->records < REREAD_MAX) {
		print_and_read(rr);
	}
	return ++p->records < RECORDS_MAX ? OK : E_STOPPED;
}

static void
see_diag(void *ctx, const struct diag *d)
{
	(void)ctx;
	check(d->code != NULL && d->file != NULL && d->text[0] != '\0');
	check(d->line >= 1 && d->col >= 1);
	if (d->source != NULL) { /* a line that may hold a secret is not shown */
		check(d->col - 1 + d->width <= d->source_len);
		check(memchr(d->source, '\n', d->source_len) == NULL);
	}
}

static err_t
open_piece(void *ctx, const char *path, struct master_text *out)
{
	struct pieces *p = ctx;
	size_t i = (size_t)(path[0] - '0');
	if (path[1] != '\0' || i >= p->n) {
		return E_NOTFOUND;
	}
	p->opened++;
	out->len = p->len[i];
	char *copy = malloc(out->len + 1); /* so that a use after the close is seen */
	check(copy != NULL);
	memcpy(copy, p->at[i], out->len);
	out->text = out->handle = copy;
	return OK;
}

static void
close_piece(void *ctx, struct master_text *text)
{
	struct pieces *p = ctx;
	p->closed++;
	free(text->handle);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pieces p = { .n = 0 };
	struct master_counts counts;
	const char *at = (const char *)data, *end = at + size;
	while (p.n < PIECES_MAX) {
		const char *cut = p.n + 1 < PIECES_MAX ? memchr(at, 0xFF, (size_t)(end - at)) : NULL;
		p.at[p.n] = at;
		p.len[p.n++] = (size_t)((cut != NULL ? cut : end) - at);
		if (cut == NULL) {
			break;
		}
		at = cut + 1;
	}
	const struct diag_sink sink = { see_diag, &p };
	const struct master_reader r = { .apex = apex, .file = "0", .ctx = &p, .record = see_record,
		                         .open = open_piece, .close = close_piece, .sink = &sink };
	err_t err = master_read(&r, p.at[0], p.len[0], &counts);
	check(p.opened == p.closed);
	check(err == E_STOPPED || (err == OK) == (counts.errors == 0));
	return 0;
}
