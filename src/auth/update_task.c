#include "auth/update_task.h"

#include <stdio.h>
#include <string.h>

#include "auth/cookies.h"
#include "auth/keepalive.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { OPT_LEN = 11, EDE_HEAD_LEN = 6 };

void
update_task_init(struct update_task *t, const uint8_t *bytes, size_t len, const struct peer *peer, uint64_t arrived_s)
{
	*t = (struct update_task){ .bytes = bytes, .len = len, .peer = *peer, .arrived_s = arrived_s, .ede = EDE_NONE };
}

void
update_task_fini(struct update_task *t)
{
	update_fini(&t->update);
	tsig_fini(&t->tsig);
	wipe(&t->key, sizeof t->key);
}

void
update_text_vput(char out[UPDATE_ANSWER_TEXT_MAX], const char *format, va_list args)
{
	static const char mark[] = "...";
	int wanted = vsnprintf(out, UPDATE_ANSWER_TEXT_MAX, format, args);
	if (wanted >= UPDATE_ANSWER_TEXT_MAX) {
		memcpy(out + UPDATE_ANSWER_TEXT_MAX - sizeof mark, mark, sizeof mark);
	}
}

void
update_text_put(char out[UPDATE_ANSWER_TEXT_MAX], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	update_text_vput(out, format, args);
	va_end(args);
}

void
update_task_settle(struct update_task *t, unsigned rcode, int ede, const char *format, ...)
{
	va_list args;
	t->rcode = rcode;
	t->ede = ede;
	t->general = NULL;
	va_start(args, format);
	update_text_vput(t->text, format, args);
	va_end(args);
}

void
update_task_hide(struct update_task *t, const char *general)
{
	t->general = general;
}

static err_t
refuse(struct update_task *t, unsigned rcode, int ede, const char *why)
{
	update_task_settle(t, rcode, ede, "%s", why);
	return E_REFUSED;
}

static void
begin_once(struct update_task *t)
{
	if (!t->is_begun) {
		update_begin(&t->update, t->bytes, t->len, &t->verdict);
		t->is_begun = true;
	}
}

static err_t
read_once(struct update_task *t)
{
	if (!t->is_read && t->verdict.rcode == RCODE_NOERROR) {
		TRY(update_read(&t->update, &t->verdict));
		t->is_read = true;
	}
	return t->verdict.rcode == RCODE_NOERROR ? OK : refuse(t, t->verdict.rcode, t->verdict.ede, t->verdict.why);
}

void
update_task_close(struct update_task *t)
{
	update_fini(&t->update);
	t->is_read = false;
}

/* Copies the key, so that the answer can be signed even when the view with the key is gone. */
static void
keep_key(struct update_task *t, const struct key *key, const struct tsig *tsig)
{
	t->key = *key;
	t->key.granted = NULL;
	t->key.granted_n = 0;
	t->tsig = *tsig;
	t->tsig.key = &t->key.tsig;
	t->is_verified = true;
}

void
update_task_begin(struct update_task *t, const struct view *v)
{
	const struct key *key;
	struct tsig tsig;
	begin_once(t);
	if (v != NULL && request_verify(v, &t->update.m, t->arrived_s, &tsig, &key) == OK && key != NULL) {
		keep_key(t, key, &tsig);
	}
}

/* *signer: the view's key, if it may update something in the zone. */
static err_t
verify(struct update_task *t, const struct view *v, const struct key **signer)
{
	const struct key *key;
	struct tsig tsig;
	begin_once(t);
	/* A message that is malformed after its header gets a signed answer if it is signed. */
	if (t->verdict.rcode != RCODE_NOERROR && !t->update.m.has_tsig) {
		return refuse(t, t->verdict.rcode, t->verdict.ede, t->verdict.why);
	}
	err_t verified = request_verify(v, &t->update.m, t->arrived_s, &tsig, &key);
	if (verified != OK || key == NULL) {
		return refuse(t, RCODE_REFUSED, EDE_PROHIBITED, "the key is no longer valid");
	}
	keep_key(t, key, &tsig);
	if (t->verdict.rcode != RCODE_NOERROR) {
		return refuse(t, t->verdict.rcode, t->verdict.ede, t->verdict.why);
	}
	if (!key_may_update(key, update_task_zone(t))) {
		return refuse(t, RCODE_REFUSED, EDE_PROHIBITED, "the key has no right to update this zone");
	}
	*signer = key;
	return OK;
}

err_t
update_task_open_unread(struct update_task *t, const struct view *v)
{
	const struct key *key;
	return verify(t, v, &key);
}

static err_t
permit(struct update_task *t, const struct key *key)
{
	struct update_verdict v;
	update_permit(&t->update, key, &v);
	return v.rcode == RCODE_NOERROR ? OK : refuse(t, v.rcode, v.ede, v.why);
}

err_t
update_task_open(struct update_task *t, const struct view *v)
{
	const struct key *key;
	TRY(verify(t, v, &key));
	TRY(read_once(t));
	return permit(t, key);
}

/* ---- the answer ---- */

static const char *
text_for_sender(const struct update_task *t)
{
	return t->general == NULL || key_sees_all(&t->key) ? t->text : t->general;
}

/* Adds an extended error (RFC 8914 2), with as much of the text as there is room for. */
static void
put_opt(const struct update_task *t, const struct server_conf *conf, uint64_t now_s, struct buf *b, size_t limit)
{
	struct cookie cookie;
	cookies_read(conf, &t->peer, &t->update.m, now_s, &cookie);
	size_t room = limit > b->len + OPT_LEN + EDE_HEAD_LEN ? limit - b->len - OPT_LEN - EDE_HEAD_LEN : 0;
	const char *text = text_for_sender(t);
	size_t alive_len = keepalive_len(&t->update.m, &t->peer);
	room = room > alive_len + cookies_len(&cookie) ? room - alive_len - cookies_len(&cookie) : 0;
	size_t text_len = strlen(text) < room ? strlen(text) : room;
	bool has_ede = t->ede != EDE_NONE;
	buf_u8(b, 0);
	buf_u16(b, TYPE_OPT);
	buf_u16(b, conf->udp_max);
	buf_u32(b, 0);
	buf_u16(b, (uint16_t)(cookies_len(&cookie) + alive_len + (has_ede ? EDE_HEAD_LEN + text_len : 0)));
	if (cookies_len(&cookie) != 0) {
		uint8_t option[COOKIE_OPTION_LEN];
		cookies_put(option, &cookie);
		buf_put(b, option, sizeof option);
	}
	if (alive_len != 0) {
		uint8_t option[KEEPALIVE_LEN];
		keepalive_put(option, t->peer.idle_100ms);
		buf_put(b, option, sizeof option);
	}
	if (has_ede) {
		buf_u16(b, EDNS_OPT_EDE);
		buf_u16(b, (uint16_t)(2 + text_len));
		buf_u16(b, (uint16_t)t->ede);
		buf_put(b, text, text_len);
	}
}

/* Writes header, zone section and OPT (RFC 2136 3.8). */
static void
put_answer(const struct update_task *t, const struct server_conf *conf, uint64_t now_s, struct buf *b, size_t limit)
{
	const struct msg *m = &t->update.m;
	buf_u16(b, m->id);
	buf_u16(b, (uint16_t)(DNS_QR | (m->bits & DNS_OPCODE) | (t->rcode & DNS_RCODE)));
	buf_u16(b, m->question_end > DNS_HEADER_LEN);
	buf_u32(b, 0);
	buf_u16(b, m->edns.present);
	buf_put(b, m->wire + DNS_HEADER_LEN, m->question_end - DNS_HEADER_LEN);
	if (m->edns.present) {
		put_opt(t, conf, now_s, b, limit);
	}
}

static size_t
udp_limit(const struct update_task *t, const struct server_conf *conf)
{
	const struct edns *e = &t->update.m.edns;
	size_t limit = !e->present || e->udp_size < DNS_UDP_PLAIN_MAX ? DNS_UDP_PLAIN_MAX : e->udp_size;
	return limit < conf->udp_max ? limit : conf->udp_max;
}

size_t
update_task_answer(struct update_task *t, const struct server_conf *conf, uint64_t now_s, uint8_t *out, size_t cap)
{
	size_t limit = t->peer.transport == TRANSPORT_UDP ? udp_limit(t, conf) : DNS_MSG_MAX;
	struct buf b = buf_over(out, cap < limit ? cap : limit);
	put_answer(t, conf, now_s, &b, b.cap - TSIG_RR_MAX);
	if (b.err != OK || !t->is_begun) {
		return 0;
	}
	size_t len = b.len;
	if (t->is_verified && tsig_sign_response(&t->tsig, out, &len, cap, now_s) != OK) {
		return 0;
	}
	return len;
}
