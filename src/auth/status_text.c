#include "auth/status_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dns/rrtype.h"
#include "dns/wire.h"

enum { STRING_MAX = 255 };

/* ---- names ---- */

static const char *const whats[STATUS_WHATS] = {
	[STATUS_DAEMON] = "status", [STATUS_ZONES] = "zones", [STATUS_ZONE] = "zone",
	[STATUS_TROUBLE] = "trouble", [STATUS_KEYS] = "keys", [STATUS_UPDATES] = "updates",
	[STATUS_SECONDARIES] = "secondaries",
};
static const uint8_t status_label[] = "\7_status";

err_t
status_name(enum status_what what, const uint8_t *domain, struct name *out)
{
	size_t what_len = strlen(whats[what]), domain_len = name_len(domain), len = 1 + what_len + 8 + domain_len;
	if (len > NAME_WIRE_MAX) {
		return E_NAMELEN;
	}
	uint8_t *p = out->oct;
	*p++ = (uint8_t)what_len;
	memcpy(p, whats[what], what_len);
	memcpy(p + what_len, status_label, 8);
	memcpy(p + what_len + 8, domain, domain_len);
	out->len = (uint8_t)len;
	return OK;
}

static bool
is_label(const uint8_t *label, const char *text)
{
	return label[0] == strlen(text) && strncasecmp((const char *)label + 1, text, label[0]) == 0;
}

err_t
status_name_read(const uint8_t *name, enum status_what *what, const uint8_t **domain)
{
	if (name_is_root(name) || !is_label(name_parent(name), "_status")) {
		return E_NOTFOUND;
	}
	*domain = name_parent(name_parent(name));
	for (unsigned i = 0; i < STATUS_WHATS; i++) {
		if (is_label(name, whats[i])) {
			*what = i;
			return OK;
		}
	}
	return E_UNSUPPORTED;
}

/* ---- writing ---- */

void
status_begin(struct status_writer *w)
{
	buf_u16(&w->b, 0xC000 | DNS_HEADER_LEN); /* a pointer to the name in the question */
	buf_u16(&w->b, TYPE_TXT);
	buf_u16(&w->b, CLASS_CH);
	buf_u32(&w->b, 0);
	buf_u16(&w->b, 0);
	w->rdata_at = w->b.len;
}

static void
open_string(struct status_writer *w)
{
	w->string_at = w->b.len;
	buf_u8(&w->b, 0);
}

static void
close_string(struct status_writer *w)
{
	if (w->b.err == OK) {
		w->b.base[w->string_at] = (uint8_t)(w->b.len - w->string_at - 1);
	}
}

static void
put_octets(struct status_writer *w, const char *octets, size_t n)
{
	while (n != 0 && w->b.err == OK) {
		size_t room = STRING_MAX - (w->b.len - w->string_at - 1), part = n < room ? n : room;
		buf_put(&w->b, octets, part);
		octets += part;
		n -= part;
		if (part == room) { /* a full string continues in the next one, which may be empty */
			close_string(w);
			open_string(w);
		}
	}
}

void
status_pair(struct status_writer *w, const char *key, const char *value)
{
	if (value[0] == '\0') {
		return;
	}
	open_string(w);
	put_octets(w, key, strlen(key));
	put_octets(w, "=", 1);
	put_octets(w, value, strlen(value));
	close_string(w);
}

void
status_number(struct status_writer *w, const char *key, uint64_t value)
{
	char text[24];
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	status_pair(w, key, text);
}

void
status_end(struct status_writer *w)
{
	if (w->b.err == OK && w->b.len == w->rdata_at) { /* a TXT record has at least one string */
		buf_u8(&w->b, 0);
	}
	if (w->b.err == OK && w->b.len - w->rdata_at > DNS_RDATA_MAX) {
		buf_fail(&w->b, E_FULL);
	}
	if (w->b.err == OK) {
		buf_patch_u16(&w->b, w->rdata_at - 2, (uint16_t)(w->b.len - w->rdata_at));
	}
}

/* ---- reading ---- */

const char *
status_value(const struct status_item *item, const char *key)
{
	for (size_t i = 0; i < item->n; i++) {
		if (strcmp(item->pair[i].key, key) == 0) {
			return item->pair[i].value;
		}
	}
	return "";
}

struct status_reader
status_read(const struct msg *m, unsigned section)
{
	struct status_reader r = { .c = cur_over(m->wire, m->len), .left = m->count[section] };
	r.c.pos = m->rr_at[section];
	return r;
}

/* Reads one pair from one or more strings, and adds a NUL.  *len: octets of text so far. */
static err_t
read_pair(struct cur *rdata, struct status_item *out, size_t *len)
{
	char *begin = out->text + *len;
	uint8_t n;
	do {
		n = cur_u8(rdata);
		const uint8_t *octets = cur_take(rdata, n);
		if (rdata->err != OK || (n != 0 && memchr(octets, '\0', n) != NULL)) {
			return E_FORMAT;
		}
		if (*len + n + 1 > sizeof out->text) {
			return E_LIMIT;
		}
		if (n != 0) {
			memcpy(out->text + *len, octets, n);
			*len += n;
		}
	} while (n == STRING_MAX);
	out->text[(*len)++] = '\0';
	char *equals = strchr(begin, '=');
	if (equals == NULL || equals == begin) {
		return E_FORMAT;
	}
	if (out->n == STATUS_PAIRS_MAX) {
		return E_LIMIT;
	}
	*equals = '\0';
	out->pair[out->n].key = begin;
	out->pair[out->n++].value = equals + 1;
	return OK;
}

/* True for a record without pairs: it has one empty string. */
static bool
is_empty(const struct cur *rdata)
{
	return rdata->len == 1 && rdata->base[0] == 0;
}

err_t
status_next(struct status_reader *r, struct status_item *out)
{
	struct name owner;
	struct msg_rr rr;
	size_t len = 0;
	out->n = 0;
	if (r->left == 0) {
		return E_NOTFOUND;
	}
	r->left--;
	if (msg_read_rr(&r->c, &owner, &rr) != OK || rr.type != TYPE_TXT || rr.rrclass != CLASS_CH || rr.rdlength == 0) {
		return E_FORMAT;
	}
	struct cur rdata = cur_over(r->c.base + rr.rdata_at, rr.rdlength);
	if (is_empty(&rdata)) {
		return OK;
	}
	while (cur_left(&rdata) != 0) {
		TRY(read_pair(&rdata, out, &len));
	}
	return OK;
}
