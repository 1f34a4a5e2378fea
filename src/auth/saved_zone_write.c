/* Zones and changes into blocks of a file. */
#include <stdio.h>
#include <string.h>

#include "auth/saved_zone_p.h"
#include "base/alloc.h"
#include "crypto/sha.h"
#include "dns/wire.h"

enum {
	PIECE = 64 << 10,                                             /* records are gathered up to here */
	RECORD_MAX = 1 + NAME_WIRE_MAX + RR_FIXED_LEN + DNS_RDATA_MAX,
	NAME_SHOWN_MAX = 100,                                         /* a longer file name has a hash in its place */
};

const uint8_t saved_magic[SAVED_MAGIC_LEN] = "origin zone  1\n";

/* ---- the file's name ---- */

static bool
is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The name with its dots, and %XX for whatever else is not a letter, digit, "-" or "_".  Returns the length, as snprintf() does. */
static size_t
show(const uint8_t *name, char out[NAME_SHOWN_MAX + 4])
{
	size_t n = 0;
	for (const uint8_t *label = name; *label != 0 && n <= NAME_SHOWN_MAX; label += 1 + *label) {
		if (label != name) {
			out[n++] = '.';
		}
		for (unsigned i = 1; i <= *label && n <= NAME_SHOWN_MAX; i++) {
			bool is_shown = is_plain(label[i]);
			(void)snprintf(out + n, 4, is_shown ? "%c" : "%%%02X", label[i]);
			n += is_shown ? 1 : 3;
		}
	}
	return n;
}

/* A digest is never the name of another zone, whose file would have no "%" before a letter that is not of a number. */
static void
show_digest(const uint8_t *name, char out[SAVED_NAME_MAX])
{
	uint8_t digest[32];
	err_t err = sha256(name, name_len(name), NULL, 0, digest);
	ASSERT(err == OK); /* without SHA-256 no key would have been of use */
	size_t n = (size_t)snprintf(out, SAVED_NAME_MAX, "%%h");
	for (size_t i = 0; i < sizeof digest; i++) {
		n += (size_t)snprintf(out + n, SAVED_NAME_MAX - n, "%02x", digest[i]);
	}
	(void)snprintf(out + n, SAVED_NAME_MAX - n, SAVED_SUFFIX);
}

void
saved_file_name(const uint8_t *apex, char out[SAVED_NAME_MAX])
{
	uint8_t lower[NAME_WIRE_MAX];
	char shown[NAME_SHOWN_MAX + 4];
	name_lower(lower, apex);
	size_t n = show(lower, shown);
	if (n > NAME_SHOWN_MAX) {
		show_digest(lower, out);
	} else {
		(void)snprintf(out, SAVED_NAME_MAX, "%.*s" SAVED_SUFFIX, (int)n, n != 0 ? shown : "");
		if (n == 0) {
			(void)snprintf(out, SAVED_NAME_MAX, "@" SAVED_SUFFIX); /* the root */
		}
	}
}

/* ---- blocks ---- */

err_t
saved_check(const uint8_t before[SAVED_CHECK_LEN], enum saved_kind kind, const uint8_t *content, size_t len, uint8_t out[SAVED_CHECK_LEN])
{
	uint8_t head[SAVED_FRAME_LEN], digest[32];
	struct buf b = buf_over(head, sizeof head);
	buf_put(&b, before, SAVED_CHECK_LEN);
	buf_u8(&b, (uint8_t)kind);
	buf_u32(&b, (uint32_t)len);
	TRY(sha256(head, b.len, content, len, digest));
	memcpy(out, digest, SAVED_CHECK_LEN);
	return OK;
}

/* Leaves room for the frame; returns where that begins. */
static size_t
begin_block(struct buf *b)
{
	size_t at = b->len;
	(void)buf_take(b, SAVED_FRAME_LEN);
	return at;
}

static void
end_block(struct buf *b, size_t at, enum saved_kind kind, struct saved_mark *mark)
{
	if (b->err != OK) {
		return;
	}
	size_t len = b->len - at - SAVED_FRAME_LEN;
	struct buf frame = buf_over(b->base + at, SAVED_FRAME_LEN);
	err_t err = saved_check(mark->check, kind, b->base + at + SAVED_FRAME_LEN, len, mark->check);
	ASSERT(err == OK); /* as in show_digest() */
	buf_u8(&frame, (uint8_t)kind);
	buf_u32(&frame, (uint32_t)len);
	buf_put(&frame, mark->check, SAVED_CHECK_LEN);
	mark->len += SAVED_FRAME_LEN + len;
}

static void
put_name(struct buf *b, const uint8_t *name, size_t len)
{
	buf_u8(b, (uint8_t)len);
	buf_put(b, name, len);
}

static void
put_refresh(struct buf *b, const struct saved_refresh *r)
{
	buf_u48(b, r->at_s);
	buf_u8(b, (uint8_t)((r->is_withdrawn ? SAVED_WITHDRAWN : 0) | (r->is_unlisted ? SAVED_UNLISTED : 0)));
	buf_u8(b, r->address.family);
	buf_put(b, r->address.octets, sizeof r->address.octets);
	buf_u16(b, r->port);
	put_name(b, r->key.oct, r->key.len);
}

/* ---- a whole zone ---- */

struct whole {
	struct buf b;
	struct saved_mark mark;
	size_t at;               /* where the block of records begins */
	const uint8_t *owner;    /* of the record before; NULL: there is none in the block */
	uint64_t records;
	err_t (*write)(void *ctx, const uint8_t *bytes, size_t len);
	void *ctx;
};

static err_t
flush(struct whole *w)
{
	ASSERT(w->b.err == OK);
	TRY(w->write(w->ctx, w->b.base, w->b.len));
	buf_rewind(&w->b, 0);
	return OK;
}

static void
begin_records(struct whole *w)
{
	w->at = begin_block(&w->b);
	w->owner = NULL;
}

static err_t
put_record(void *ctx, const struct zone_rr *rr)
{
	struct whole *w = ctx;
	bool is_same = w->owner == rr->owner; /* the node's own name */
	put_name(&w->b, rr->owner, is_same ? 0 : name_len(rr->owner));
	buf_u16(&w->b, rr->type);
	buf_u16(&w->b, CLASS_IN);
	buf_u32(&w->b, rr->ttl);
	buf_u16(&w->b, rr->rdlen);
	buf_put(&w->b, rr->rdata, rr->rdlen);
	w->owner = rr->owner;
	w->records++;
	if (w->b.len < PIECE) {
		return OK;
	}
	end_block(&w->b, w->at, SAVED_RECORDS, &w->mark);
	TRY(flush(w));
	begin_records(w);
	return OK;
}

static void
put_head(struct whole *w, const struct zone *z, uint64_t changed_s, const struct saved_refresh *r)
{
	buf_put(&w->b, saved_magic, SAVED_MAGIC_LEN);
	w->mark.len = SAVED_MAGIC_LEN;
	size_t at = begin_block(&w->b);
	put_name(&w->b, z->apex_name, z->apex_len);
	buf_u32(&w->b, z->serial);
	buf_u32(&w->b, z->history.served);
	buf_u8(&w->b, z->history.is_ambiguous);
	buf_u48(&w->b, changed_s);
	put_refresh(&w->b, r);
	end_block(&w->b, at, SAVED_HEAD, &w->mark);
}

static err_t
put_end(struct whole *w)
{
	end_block(&w->b, w->at, SAVED_RECORDS, &w->mark);
	size_t at = begin_block(&w->b);
	buf_u32(&w->b, (uint32_t)(w->records >> 32));
	buf_u32(&w->b, (uint32_t)w->records);
	end_block(&w->b, at, SAVED_END, &w->mark);
	w->mark.whole_len = w->mark.len;
	return flush(w);
}

err_t
saved_write_zone(const struct zone *z, uint64_t changed_s, const struct saved_refresh *r,
                 err_t (*write)(void *ctx, const uint8_t *bytes, size_t len), void *ctx, struct saved_mark *mark)
{
	const size_t room = PIECE + RECORD_MAX + 2 * SAVED_FRAME_LEN + SAVED_REFRESH_MAX;
	[[gnu::cleanup(free_ptr)]] uint8_t *bytes = try_alloc(room);
	if (bytes == NULL) {
		return E_NOMEM;
	}
	struct whole w = { .b = buf_over(bytes, room), .write = write, .ctx = ctx };
	put_head(&w, z, changed_s, r);
	begin_records(&w);
	TRY(zone_walk(z, put_record, &w));
	TRY(put_end(&w));
	*mark = w.mark;
	return OK;
}

/* ---- what came after ---- */

size_t
saved_change_len(const struct delta *d)
{
	return SAVED_FRAME_LEN + SAVED_REFRESH_MAX + 4 * sizeof(uint32_t) + d->len;
}

void
saved_write_change(const struct delta *d, const struct saved_refresh *r, struct buf *out, struct saved_mark *mark)
{
	size_t at = begin_block(out);
	put_refresh(out, r);
	buf_u32(out, d->old_serial);
	buf_u32(out, d->new_serial);
	buf_u32(out, d->removed_n);
	buf_u32(out, d->added_n);
	buf_put(out, d->wire, d->len);
	end_block(out, at, SAVED_CHANGE, mark);
}

void
saved_write_refresh(const struct saved_refresh *r, struct buf *out, struct saved_mark *mark)
{
	size_t at = begin_block(out);
	put_refresh(out, r);
	end_block(out, at, SAVED_REFRESH, mark);
}
