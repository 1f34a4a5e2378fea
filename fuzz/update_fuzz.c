/* UPDATE, from the message to the commit.  The input: the text of the zone "example" (none: one of ours), an octet 0xFF, and a
 * program.  The program makes messages, out of what the zone has, or takes them octet by octet; they are signed here, gathered
 * into batches, and what comes of a batch is written and accepted.
 *
 * Afterwards the files say what is served, and of the files only lines with records concerned have changed; when a batch comes
 * to nothing all is as it was.  Each answer is a message that its client would take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/batch.h"
#include "auth/update_task.h"
#include "base/alloc.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dns/wire.h"
#include "kept_lines.h"

enum { NOW_S = 1700000000, FILES_MAX = 12, RECORDS_MAX = 600, MESSAGES_MAX = 8, BATCHES_MAX = 3, RRS_MAX = 12, GENERATES_MAX = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define DNSKEY " DNSKEY 0 3 163 " SECRET "\n"

static const char keys[] = "all._update." DNSKEY "me._update.example." DNSKEY "sub._update.sub.example." DNSKEY "me._notify." DNSKEY;
static const char *const key_names[] = { "all._update", "me._update.example", "sub._update.sub.example", "me._notify" };

static const char *const zones[] = {
	"; by hand\n$TTL 1h\n@\tSOA\tns1 hostmaster (\n\t\t7\t; serial\n\t\t1d 2h 4w 1h )\n\tNS\tns1\t; one\n\tNS\tns2\n\n; servers\n"
	"ns1\tA\t192.0.2.1\nns2\tA\t192.0.2.2\n\tAAAA\t2001:db8::2\n\nwww\tA\t192.0.2.80 ; front\n\tA\t192.0.2.81\n"
	"txt 60 IN TXT \"; x\" ( \"y\"\n ) ; both\nalias CNAME www\n*.w MX 10 ns1\nsub NS ns.sub\nns.sub A 192.0.2.5\n"
	"$ORIGIN deep.example.\n@ A 192.0.2.9\nx A 192.0.2.10\n",
	"$ORIGIN example.\n$TTL 300\nexample. 3600 IN SOA ns.example. h.example. 4294967295 1 2 3 4\nexample. IN NS ns.example.\n"
	"ns.example. IN A 192.0.2.1\n$GENERATE 1-9 h$ A 192.0.2.$\n$GENERATE 1-4 p$ TXT \"n $\"\nd DNAME other.\n"
	"_s._tcp SRV 1 2 3 ns\nsvc HTTPS 1 . alpn=h2\nu TYPE65400 \\# 2 0102\n",
	"@ 60 SOA . . 1 1 1 1 1\r\n 60 NS ns.other.\r\n 60 IN A 192.0.2.1\r\n 60 A 192.0.2.2\r\na 60 A 192.0.2.3",
};
static const char other[] = "$TTL 60\n@ SOA ns.example. . 1 2 3 4 5\n@ NS ns1.example.\nns A 192.0.2.1\n";

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* ---- the repository ---- */

struct files {
	struct {
		char *path, *text; /* owned */
		size_t len;
	} file[FILES_MAX];
	size_t n, opened;
};

static err_t
open_file(void *ctx, const char *path, struct master_text *out)
{
	struct files *f = ctx;
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->file[i].path, path) == 0) {
			char *copy = malloc(f->file[i].len + 1); /* so that a use after the close is seen */
			check(copy != NULL);
			memcpy(copy, f->file[i].text, f->file[i].len);
			*out = (struct master_text){ .text = copy, .len = f->file[i].len, .handle = copy };
			f->opened++;
			return OK;
		}
	}
	return E_NOTFOUND;
}

static void
close_file(void *ctx, struct master_text *text)
{
	struct files *f = ctx;
	f->opened--;
	free(text->handle);
}

/* `text` NULL: it goes. */
static void
write_file(struct files *f, const char *path, const char *text, size_t len)
{
	size_t i = 0;
	while (i < f->n && strcmp(f->file[i].path, path) != 0) {
		i++;
	}
	if (i == f->n) {
		check(f->n < FILES_MAX && text != NULL);
		f->file[f->n++].path = xstrdup(path);
	} else {
		free(f->file[i].text);
	}
	f->file[i].text = text != NULL ? xstrndup(text, len) : NULL;
	f->file[i].len = len;
	if (text == NULL) {
		free(f->file[i].path);
		f->file[i] = f->file[--f->n];
	}
}

static void
free_files(struct files *f)
{
	while (f->n != 0) {
		write_file(f, f->file[0].path, NULL, 0);
	}
}

static struct source_commit
source_of(struct files *f)
{
	return (struct source_commit){ .ctx = f, .open = open_file, .close = close_file };
}

/* A primary that has read all of it. */
static struct primary *
read_all(struct files *f)
{
	static const struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT, .zones_by_update = true };
	static const struct primary_log log;
	struct source_change changes[FILES_MAX];
	struct source_commit c = source_of(f);
	struct primary *p = primary_new(&conf, &log);
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old = NULL;
	for (size_t i = 0; i < f->n; i++) {
		changes[i] = (struct source_change){ .path = f->file[i].path, .bytes = (const uint8_t *)f->file[i].text,
			                             .len = f->file[i].len };
	}
	snprintf(c.id, sizeof c.id, "%040u", 1u);
	c.changes = changes;
	c.n = f->n;
	c.is_whole = true;
	check(primary_apply(p, &c, &outcome, &view, &old) == OK && outcome == PRIMARY_APPLIED);
	discard_free(&old);
	return p;
}

static const struct zone *
zone_of(const struct primary *p, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	return trie_get(&primary_view(p)->zones, &key);
}

static err_t
see_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)ctx, (void)is_added, (void)rr;
	return E_FORMAT;
}

static void
check_same(const struct primary *p, const struct primary *other_primary)
{
	struct trie_iter it;
	trie_iter_first(&it, &primary_view(p)->zones);
	for (const struct zone *z; (z = trie_iter_next(&it)) != NULL;) {
		const struct zone *same = zone_of(other_primary, z->apex_name);
		check(same != NULL && zone_diff(z, same, see_difference, NULL) == OK);
	}
	check(primary_view(other_primary)->zones.n == primary_view(p)->zones.n);
}

/* ---- messages ---- */

struct records {
	struct zone_rr rr[RECORDS_MAX];
	size_t n;
};

static err_t
gather(void *ctx, const struct zone_rr *rr)
{
	struct records *r = ctx;
	if (r->n < RECORDS_MAX) {
		r->rr[r->n++] = *rr;
	}
	return OK;
}

static const struct zone_rr *
any_record(struct cur *program, const struct records *r)
{
	return &r->rr[cur_u8(program) % r->n];
}

/* The owner of some record, maybe with a label before it; or one of another zone. */
static void
any_owner(struct cur *program, const struct records *r, struct name *out)
{
	static const char *const labels[] = { "a", "*", "zz.y", "\\$", "q\\.r\\032\\\"", "M", "in", "sub", "3600", "@" };
	uint8_t which = cur_u8(program);
	name_set(out, any_record(program, r)->owner);
	if (which == 255) {
		name_set(out, (const uint8_t *)"\2ns\5other");
	} else if (which % 2 != 0) {
		const struct name parent = *out;
		const char *label = labels[(which / 2) % ARRAY_LEN(labels)];
		(void)!name_parse(label, strlen(label), parent.oct, out);
	}
}

struct message_section {
	struct buf b;
	unsigned n;
	uint8_t octets[16000];
};

static void
put_rr(struct message_section *s, const uint8_t *owner, uint16_t type, unsigned rrclass, uint32_t ttl, const uint8_t *rdata, size_t rdlen)
{
	size_t at = s->b.len;
	buf_put(&s->b, owner, name_len(owner));
	buf_u16(&s->b, type);
	buf_u16(&s->b, (uint16_t)rrclass);
	buf_u32(&s->b, ttl);
	buf_u16(&s->b, (uint16_t)rdlen);
	buf_put(&s->b, rdata, rdlen);
	if (s->b.err != OK) {
		buf_rewind(&s->b, at);
		return;
	}
	s->n++;
}

static void
put_text(struct cur *program, struct message_section *s, const uint8_t *owner, uint32_t ttl, unsigned rrclass)
{
	static const struct {
		uint16_t type;
		const char *rdata;
	} data[] = {
		{ TYPE_A, "192.0.2.1" }, { TYPE_A, "192.0.2.2" }, { TYPE_TXT, "\"; x\" y" }, { TYPE_MX, "10 a" }, { TYPE_CNAME, "b" },
		{ TYPE_NS, "c.example." }, { TYPE_HTTPS, "1 . alpn=h2" }, { 65400, "\\# 2 0102" }, { TYPE_CAA, "0 a \"b\"" },
		{ TYPE_DNAME, "b.other." }, { 10, "\\# 0" }, { 11, "\\# 5 C000020106" }, { TYPE_SOA, "ns h 9 1 1 1 1" },
		{ TYPE_SOA, "ns h 4294967290 1 1 1 1" }, { TYPE_DS, "1 8 2 00" }, { TYPE_NS, "ns.other." }, { TYPE_AAAA, "::1" },
	};
	static const uint8_t apex[] = "\7example";
	uint8_t octets[200];
	struct buf b = buf_over(octets, sizeof octets);
	struct lex lx;
	size_t i = cur_u8(program) % ARRAY_LEN(data);
	lex_init(&lx, data[i].rdata, strlen(data[i].rdata));
	lx.at_line_start = false;
	if (rdata_parse(&lx, data[i].type, apex, &b, NULL) == OK) {
		put_rr(s, owner, data[i].type, rrclass, ttl, octets, b.len);
	}
}

/* Whatever the program says. */
static void
put_octets(struct cur *program, struct message_section *s, const uint8_t *owner)
{
	static const uint16_t classes[] = { CLASS_IN, CLASS_ANY, CLASS_NONE, CLASS_CH, 0 };
	uint16_t type = cur_u16(program);
	unsigned rrclass = classes[cur_u8(program) % ARRAY_LEN(classes)];
	uint32_t ttl = cur_u8(program) % 4 != 0 ? 0 : cur_u32(program);
	size_t len = cur_u8(program);
	len = len < cur_left(program) ? len : cur_left(program);
	const uint8_t *rdata = cur_take(program, len);
	if (program->err == OK) {
		put_rr(s, owner, type, rrclass, ttl, rdata, len);
	}
}

/* RFC 2136 2.4. */
static void
put_prerequisite(struct cur *program, struct message_section *s, const struct records *r)
{
	const struct zone_rr *rr = any_record(program, r);
	struct name owner;
	any_owner(program, r, &owner);
	switch (cur_u8(program) % 6) {
	case 0:
		put_rr(s, owner.oct, TYPE_ANY, CLASS_ANY, 0, NULL, 0);
		break;
	case 1:
		put_rr(s, owner.oct, TYPE_ANY, CLASS_NONE, 0, NULL, 0);
		break;
	case 2:
		put_rr(s, rr->owner, rr->type, CLASS_ANY, 0, NULL, 0);
		break;
	case 3:
		put_rr(s, owner.oct, rr->type, CLASS_NONE, 0, NULL, 0);
		break;
	case 4:
		put_rr(s, rr->owner, rr->type, CLASS_IN, 0, rr->rdata, rr->rdlen);
		break;
	default:
		put_octets(program, s, owner.oct);
	}
}

/* RFC 2136 2.5. */
static void
put_change(struct cur *program, struct message_section *s, const struct records *r)
{
	static const uint32_t ttls[] = { 60, 3600, 0, 300, 0x80000000u };
	const struct zone_rr *rr = any_record(program, r);
	uint8_t which = cur_u8(program);
	uint32_t ttl = which % 2 != 0 ? rr->ttl : ttls[(which / 2) % ARRAY_LEN(ttls)];
	struct name owner;
	any_owner(program, r, &owner);
	switch (cur_u8(program) % 8) {
	case 0:
		put_rr(s, rr->owner, rr->type, CLASS_NONE, 0, rr->rdata, rr->rdlen);
		break;
	case 1:
		put_rr(s, rr->owner, rr->type, CLASS_ANY, 0, NULL, 0);
		break;
	case 2:
		put_rr(s, owner.oct, TYPE_ANY, CLASS_ANY, 0, NULL, 0);
		break;
	case 3:
		put_rr(s, rr->owner, rr->type, CLASS_IN, ttl, rr->rdata, rr->rdlen);
		break;
	case 4:
		put_rr(s, owner.oct, rr->type, CLASS_IN, ttl, rr->rdata, rr->rdlen);
		break;
	case 5:
		put_octets(program, s, owner.oct);
		break;
	default:
		put_text(program, s, owner.oct, ttl, CLASS_IN);
	}
}

struct message {
	uint8_t *wire; /* owned, as long as it is: an octet too far is found */
	size_t len;
	struct tsig_key key;
	struct tsig tsig;
	struct update_task task;
	bool is_task;
};

/* Header, zone, and records out of what the zone has. */
static void
compose(struct cur *program, const struct primary *p, struct buf *b)
{
	static struct message_section sections[2];
	static struct records r;
	static const uint8_t *const apexes[] = { (const uint8_t *)"\7example", (const uint8_t *)"\5other", (const uint8_t *)"\3sub\7example" };
	const uint8_t *apex = apexes[cur_u8(program) % 16 % ARRAY_LEN(apexes)];
	const struct zone *z = zone_of(p, apex) != NULL ? zone_of(p, apex) : zone_of(p, apexes[1]);
	r.n = 0;
	for (size_t i = 0; i < 2; i++) {
		sections[i].b = buf_over(sections[i].octets, sizeof sections[i].octets);
		sections[i].n = 0;
	}
	if (z != NULL) {
		check(zone_walk(z, gather, &r) == OK);
	}
	for (unsigned n = cur_u8(program) % RRS_MAX; n > 0 && r.n > 0 && program->err == OK; n--) {
		if (cur_u8(program) % 4 == 0) {
			put_prerequisite(program, &sections[0], &r);
		} else {
			put_change(program, &sections[1], &r);
		}
	}
	buf_u16(b, 0x4242);
	buf_u16(b, OPCODE_UPDATE << 11);
	buf_u16(b, 1);
	buf_u16(b, (uint16_t)sections[0].n);
	buf_u16(b, (uint16_t)sections[1].n);
	buf_u16(b, 0);
	buf_put(b, apex, name_len(apex));
	buf_u16(b, TYPE_SOA);
	buf_u16(b, CLASS_IN);
	buf_put(b, sections[0].octets, sections[0].b.len);
	buf_put(b, sections[1].octets, sections[1].b.len);
}

/* A message that the door lets in.  False: it does not, or there are no more. */
static bool
next_message(struct cur *program, const struct primary *p, const struct peer *peer, struct message *m)
{
	static const struct server_conf conf = { .udp_max = 1232 };
	static struct server_stats stats;
	static uint8_t wire[DNS_MSG_MAX], resp[DNS_MSG_MAX];
	struct buf b = buf_over(wire, 40000);
	struct server_out out;
	char text[100], why[128];
	uint8_t how = cur_u8(program);
	if (how % 8 == 0) {
		size_t len = cur_u16(program);
		len = len < cur_left(program) ? len : cur_left(program);
		const uint8_t *octets = cur_take(program, len);
		buf_put(&b, octets, octets != NULL ? len : 0);
	} else {
		compose(program, p, &b);
	}
	*m = (struct message){ .len = b.len };
	snprintf(text, sizeof text, "%s:SHA256:%s", key_names[how / 8 % 16 < 4 ? how / 8 % 4 : 0], SECRET);
	check(tsig_key_parse(text, &m->key, why) == OK);
	m->tsig = (struct tsig){ .key = &m->key };
	if (b.len < DNS_HEADER_LEN || tsig_sign_request(&m->tsig, wire, &m->len, sizeof wire, NOW_S) != OK) {
		return false;
	}
	m->wire = xalloc(m->len);
	memcpy(m->wire, wire, m->len);
	size_t len = server_handle(primary_view(p), &conf, peer, NOW_S, m->wire, m->len, resp, sizeof resp, &stats, &out);
	struct msg answer;
	check(len == 0 || (msg_parse(resp, len, &answer) == OK && (answer.bits & DNS_QR) != 0));
	return out.event == EVENT_UPDATE;
}

static void
check_answer(struct message *m)
{
	static const struct server_conf conf = { .udp_max = 1232 };
	static uint8_t wire[DNS_MSG_MAX];
	struct msg answer;
	size_t len = update_task_answer(&m->task, &conf, NOW_S, wire, sizeof wire);
	check(m->task.rcode <= RCODE_NOTZONE && m->task.rcode != RCODE_NOTIMP);
	check(len != 0 && msg_parse(wire, len, &answer) == OK && answer.id == m->task.update.m.id);
	check((answer.bits & DNS_RCODE) == m->task.rcode && msg_opcode(&answer) == OPCODE_UPDATE);
	check(tsig_verify_response(&m->tsig, &answer, NOW_S) == OK);
}

static void
message_fini(struct message *m)
{
	if (m->is_task) {
		update_task_fini(&m->task);
	}
	tsig_fini(&m->tsig);
	free(m->wire);
}

/* ---- a batch ---- */

struct world {
	struct primary *primary;
	struct primary *reader;  /* has read the files as they are, and been given nothing else */
	struct files files;
	struct source_commit source;
	unsigned commits;
	struct message messages[MESSAGES_MAX];
	size_t messages_n;
};

static const char *
text_of(const struct files *f, const char *path, size_t *len)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->file[i].path, path) == 0) {
			*len = f->file[i].len;
			return f->file[i].text;
		}
	}
	return NULL;
}

/* The lines of a zone's file that the batch changes, against what it does to the zone; `next`: what will be served. */
static void
check_lines(struct world *w, const struct primary *next, const struct batch_file *file)
{
	struct name apex;
	struct zone_changes changes;
	size_t len;
	const char *before = text_of(&w->files, file->path, &len);
	if (before == NULL || file->text == NULL || source_kind_of(NULL, file->path, &apex) != SOURCE_ZONE) {
		return;
	}
	const struct zone *old = zone_of(w->primary, apex.oct), *new = zone_of(next, apex.oct);
	check(old != NULL && new != NULL && serial_is_newer(new->serial, old->serial));
	check(zone_changes_find(old, new, SIZE_MAX, &changes) == OK);
	const struct master_reader source = { .apex = apex.oct, .file = file->path, .ctx = &w->files, .open = open_file,
		                              .close = close_file };
	check(kept_lines_are_there(&source, (struct kept_text){ before, len }, (struct kept_text){ file->text, file->len }, &changes));
	zone_changes_fini(&changes);
}

/* Writes what the batch says, and has the primary take it over. */
static void
commit(struct world *w, struct batch *b)
{
	size_t n;
	const struct batch_file *list = batch_files(b, &n);
	const struct view *view;
	struct discard *old = NULL;
	struct files after = { .n = 0 };
	char id[41];
	check(n != 0 && batch_message(b)[0] != '\0');
	for (size_t i = 0; i < w->files.n; i++) {
		write_file(&after, w->files.file[i].path, w->files.file[i].text, w->files.file[i].len);
	}
	for (size_t i = 0; i < n; i++) {
		write_file(&after, list[i].path, list[i].text, list[i].len);
	}
	struct primary *next = read_all(&after);
	for (size_t i = 0; i < n; i++) {
		check_lines(w, next, &list[i]);
	}
	primary_free(&w->reader);
	w->reader = next;
	snprintf(id, sizeof id, "%040u", ++w->commits);
	check(batch_accept(b, id, &view, &old) == OK && view == primary_view(w->primary));
	discard_free(&old);
	free_files(&w->files);
	w->files = after;
}

/* All messages of the batch, taken in; true: some wait for the commit. */
static bool
fill(struct world *w, struct batch *b, struct cur *program, const struct peer *peer)
{
	bool is_pending = false;
	while (w->messages_n < MESSAGES_MAX && cur_left(program) != 0) {
		struct message *m = &w->messages[w->messages_n++];
		enum batch_taken taken = BATCH_SETTLED;
		if (!next_message(program, w->primary, peer, m)) {
			continue;
		}
		m->is_task = true;
		update_task_init(&m->task, m->wire, m->len, peer, NOW_S);
		err_t err = update_task_open(&m->task, primary_view(w->primary));
		check(err == OK || err == E_REFUSED);
		if (err == OK && batch_add(b, &m->task, &taken) != OK) {
			return false;
		}
		if (taken == BATCH_FULL) { /* it would go into the next one */
			update_task_settle(&m->task, RCODE_SERVFAIL, EDE_NONE, "%s", "");
		}
		is_pending |= taken == BATCH_PENDING;
		if (taken == BATCH_FULL || cur_u8(program) % 4 == 0) {
			break;
		}
	}
	return is_pending;
}

static void
run_batch(struct world *w, struct cur *program)
{
	const struct peer peer = { .family = 4, .address = { 192, 0, 2, 7 }, .transport = TRANSPORT_TCP };
	const struct view *before = primary_view(w->primary);
	struct batch *b = batch_new(w->primary, &w->source, NOW_S);
	char text[UPDATE_ANSWER_TEXT_MAX] = "";
	unsigned rcode = RCODE_NOERROR;
	int ede;
	bool is_accepted = false;
	w->messages_n = 0;
	if (fill(w, b, program, &peer)) {
		err_t err = batch_prepare(b, &rcode, &ede, text);
		check(err == OK || err == E_NOTFOUND || err == E_REFUSED);
		check(err != E_REFUSED || (rcode != RCODE_NOERROR && text[0] != '\0'));
		is_accepted = err == OK;
		if (is_accepted) {
			commit(w, b);
		}
	}
	batch_free(&b);
	check(is_accepted || primary_view(w->primary) == before);
	check(w->files.opened == 0);
	for (size_t i = 0; i < w->messages_n; i++) {
		if (w->messages[i].is_task) {
			check_answer(&w->messages[i]);
		}
		message_fini(&w->messages[i]);
	}
	check_same(w->primary, w->reader);
}

/* ---- the input ---- */

static bool
is_too_much(const char *text, size_t len)
{
	size_t n = 0;
	for (const char *at = text; (at = memmem(at, len - (size_t)(at - text), "$GENERATE", 9)) != NULL; at++) {
		n++;
	}
	return n > GENERATES_MAX;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	const uint8_t *cut = memchr(data, 0xFF, size);
	size_t len = cut != NULL ? (size_t)(cut - data) : 0;
	if (cut == NULL || is_too_much((const char *)data, len)) {
		return 0;
	}
	struct cur program = cur_over(cut + 1, size - len - 1);
	const char *fixed = zones[cur_u8(&program) % ARRAY_LEN(zones)];
	w = (struct world){ .commits = 1 };
	write_file(&w.files, "example", len != 0 ? (const char *)data : fixed, len != 0 ? len : strlen(fixed));
	write_file(&w.files, "other", other, strlen(other));
	write_file(&w.files, "_keys", keys, strlen(keys));
	w.source = source_of(&w.files);
	w.primary = read_all(&w.files);
	w.reader = read_all(&w.files);
	const struct zone *z = zone_of(w.primary, (const uint8_t *)"\7example");
	if (z != NULL && z->records <= RECORDS_MAX) {
		for (size_t i = 0; i < BATCHES_MAX && cur_left(&program) != 0; i++) {
			run_batch(&w, &program);
		}
	}
	primary_free(&w.primary);
	primary_free(&w.reader);
	free_files(&w.files);
	return 0;
}
