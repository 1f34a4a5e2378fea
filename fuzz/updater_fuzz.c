/* The updater, between clients and a remote that does what the input says: updates, repeats, pushes that arrive, that fail, of which nobody
 * knows, pushes of others, pulls that end in all ways, also such that nobody asked for, processes that die.
 *
 * What must hold:
 *   each update is answered once, or told nothing once;
 *   one that changes something is answered NOERROR only when a commit of the remote has it, and told no only when none has (it would be,
 *   if it were carried out twice);
 *   of one key in one zone, what came first is in an earlier commit, or before in the same one;
 *   what is served in the end is what the remote has; and when all goes well in the end, nothing waits any more. */
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "updater_message.h"
#include "updater_world.h"

enum { STEPS_MAX = 200, ENDINGS_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- out ---- */

static struct updater_now
now(void *ctx)
{
	(void)ctx;
	w.now.mono_ns += 1000;
	return w.now;
}

static void
begin_reading(void *ctx)
{
	(void)ctx;
}

static bool
is_pull_coming(void *ctx)
{
	(void)ctx;
	return w.is_pull_coming;
}

static err_t
open_served(void *ctx, const char *path, struct master_text *out)
{
	(void)ctx;
	return w.is_stale ? E_STALE : open_file(&w.served, path, out);
}

static void
keep_push(struct push *to, const struct updater_push *p)
{
	to->is_under_way = true;
	to->is_again = p->again != NULL;
	to->id = p->again != NULL ? read_id(p->again) : next_id();
	to->base = read_id(p->base);
	to->made_s = p->made_s;
	files_fini(&to->files);
	for (size_t i = 0; i < p->n; i++) {
		char *text = xstrndup(p->files[i].text, p->files[i].len);
		files_put(&to->files, p->files[i].path, text);
		free(text);
	}
}

/* It is the commit that it was before. */
static void
check_again(const struct updater_push *p)
{
	ASSERT(read_id(p->again) == w.push.id && read_id(p->base) == w.push.base && p->made_s == w.push.made_s);
	ASSERT(p->n == w.push.files.n);
	for (size_t i = 0; i < p->n; i++) {
		const char *text = files_text(&w.push.files, p->files[i].path);
		ASSERT(text != NULL && strlen(text) == p->files[i].len && memcmp(text, p->files[i].text, p->files[i].len) == 0);
	}
}

static bool
push(void *ctx, const struct updater_push *p)
{
	(void)ctx;
	ASSERT(!w.push.is_under_way && p->n != 0 && p->message[0] != '\0');
	ASSERT(strcmp(p->base, primary_view(w.primary)->commit) == 0);
	if (w.is_gone) {
		return false;
	}
	if (p->again != NULL) {
		check_again(p);
	}
	keep_push(&w.push, p);
	return true;
}

static void
pull(void *ctx, bool is_whole)
{
	(void)ctx;
	w.asked++;
	w.is_whole_wanted |= is_whole;
}

static err_t
reserve(void *ctx)
{
	(void)ctx;
	return w.is_reserve_refused ? E_NOMEM : OK;
}

static void
publish(void *ctx, const struct view *next, struct discard *old)
{
	(void)ctx;
	ASSERT(next == primary_view(w.primary) && read_id(next->commit) == w.push.id);
	discard_free(&old);
	for (size_t i = 0; i < w.push.files.n; i++) {
		files_put(&w.served, w.push.files.file[i].path, w.push.files.file[i].text);
	}
}

static unsigned
read_answer(const struct update_sent *s, const uint8_t *bytes, size_t len)
{
	struct msg m;
	struct tsig t = s->tsig;
	ASSERT(msg_parse(bytes, len, &m) == OK && msg_opcode(&m) == OPCODE_UPDATE && (m.bits & DNS_QR) != 0);
	ASSERT(!m.has_tsig || tsig_verify_response(&t, &m, w.now.wall_s) == OK);
	return m.bits & DNS_RCODE;
}

static void
check_yes(const struct arrival *r)
{
	const struct update_sent *s = r->sent;
	ASSERT(s->kind == KIND_CHANGE || s->kind == KIND_NOTHING);
	ASSERT(s->kind != KIND_CHANGE || s->commit != 0);
	ASSERT(s->is_repeated || w.seen > r->seen);
}

/* REFUSED is for whoever has no key any more, or comes too late with his signature: what became of the update is another question. */
static void
check_no(struct update_sent *s, unsigned rcode)
{
	ASSERT(s->commit == 0 || (rcode == RCODE_REFUSED && s->is_repeated));
	ASSERT(s->kind != KIND_NO || rcode == RCODE_YXDOMAIN || rcode == RCODE_SERVFAIL || rcode == RCODE_REFUSED);
	s->is_told_no |= rcode != RCODE_REFUSED;
}

static void
answer(void *ctx, void *handle, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	struct arrival *r = handle;
	ASSERT(!r->is_ended);
	r->is_ended = true;
	w.ended_n++;
	if (len == 0) {
		return;
	}
	unsigned rcode = read_answer(r->sent, bytes, len);
	if (rcode == RCODE_NOERROR) {
		check_yes(r);
	} else {
		check_no(r->sent, rcode);
	}
}

static void
say(void *ctx, const struct updater_report *r)
{
	(void)ctx;
	ASSERT(r->event < UPDATER_EVENTS);
	ASSERT(r->event != UPDATER_REFUSED || (r->refused.rcode != RCODE_NOERROR && name_len(r->refused.key) > 1));
	ASSERT(r->event != UPDATER_PAUSES || r->wait_ms != 0);
}

/* ---- updates ---- */

static void
go_on(void)
{
	updater_go_on(w.updater, w.told == 0); /* the first pull of a process */
}

static void
send(struct update_sent *s)
{
	struct arrival *r = &w.requests[w.requests_n++];
	r->sent = s;
	r->seen = w.seen;
	name_set(&r->key, s->secret.name.oct);
	const struct updater_request q = {
		.key = &r->key, .peer = &peer, .arrived_s = w.now.wall_s, .arrived_ns = w.now.mono_ns,
		.bytes = s->wire, .len = s->len, .handle = r,
	};
	updater_add(w.updater, &q);
}

static void
send_new(uint8_t how)
{
	static const enum update_kind kinds[] = {
		KIND_CHANGE, KIND_CHANGE, KIND_CHANGE, KIND_CHANGE, KIND_NOTHING, KIND_NO, KIND_SPOILS, KIND_BROKEN,
	};
	if (w.updates_n == UPDATES_MAX) {
		return;
	}
	unsigned i = w.updates_n++;
	struct update_sent *s = &w.updates[i];
	s->kind = kinds[how % ARRAY_LEN(kinds)];
	s->key = how / 8 % 2;
	s->zone = how / 16 % 4 == 0;
	compose(s, i);
	send(s);
}

static void
send_again(uint8_t which)
{
	if (w.updates_n != 0 && w.requests_n - w.updates_n < REPEATS_MAX) {
		struct update_sent *s = &w.updates[which % w.updates_n];
		s->is_repeated = true;
		send(s);
	}
}

/* ---- what becomes of pushes ---- */

static void
end_pushed(void)
{
	char id[65];
	print_id(w.push.id, id);
	w.push.is_under_way = false;
	w.told = w.push.id;
	updater_on_pushed(w.updater, &(struct updater_pushed){ .commit = id });
}

static void
end_failed(err_t status)
{
	char id[65] = "";
	if (status == E_UNKNOWN) {
		print_id(w.push.id, id);
		w.lost = w.push.id;
	}
	w.push.is_under_way = false;
	updater_on_push_failed(w.updater, &(struct updater_push_failure){ .status = status, .commit = id, .text = "so it is" });
}

/* It is under way still, and nobody hears of it. */
static void
keep_late(void)
{
	w.late.is_under_way = true;
	w.late.id = w.push.id;
	w.late.base = w.push.base;
	files_copy(&w.late.files, &w.push.files);
}

/* Can it arrive? */
static bool
is_push_good(void)
{
	return w.push.base == w.told && w.push.base == w.head && w.lost == 0;
}

static void
end_push_again(uint8_t how)
{
	if (w.push.id == w.head && how % 2 != 0) { /* it is there already */
		end_pushed();
	} else if (is_push_good() && how % 4 == 1) {
		arrive(&w.push);
		end_pushed();
	} else {
		if (is_push_good() && how % 4 == 3) {
			arrive(&w.push);
		}
		end_failed(E_UNKNOWN);
	}
}

static void
end_push(uint8_t how)
{
	static const err_t others[] = { E_REFUSED, E_LIMIT, E_IO, E_AUTH, E_REFUSED, E_STALE, E_FORMAT, E_TIMEOUT };
	if (!w.push.is_under_way || w.retry.is_under_way) { /* a PUSH waits until the pull has ended */
		return;
	}
	if (w.push.is_again) {
		end_push_again(how);
	} else if (!is_push_good()) {
		end_failed(E_STALE);
	} else if (how % 4 < 2) {
		arrive(&w.push);
		end_pushed();
	} else if (how % 4 == 2) {
		if (how / 4 % 3 == 0) {
			arrive(&w.push);
		} else if (how / 4 % 3 == 1) {
			keep_late();
		}
		end_failed(E_UNKNOWN);
	} else {
		end_failed(others[how / 4 % ARRAY_LEN(others)]);
	}
	go_on();
}

/* ---- what becomes of pulls ---- */

/* The git process tells what a pull has seen. */
static void
tell(struct sight *s, struct updater_pull p)
{
	char head[65];
	print_id(s->head, head);
	p.commit = head;
	p.is_older = s->asked < w.asked;
	p.has_pushed = s->has_lost;
	w.lost = 0;
	if (w.told != s->head || s->is_whole) {
		p.end = UPDATER_PULL_COMMIT;
		updater_before_commit(w.updater);
		apply(w.primary, &s->files, s->head);
		files_copy(&w.served, &s->files);
		w.told = s->head;
		w.is_whole_wanted &= !s->is_whole;
	}
	s->is_under_way = false;
	updater_after_pull(w.updater, &p);
	updater_go_on(w.updater, false);
}

static void
look(struct sight *s)
{
	s->is_under_way = true;
	s->head = w.head;
	s->has_lost = w.lost != 0 && w.is_there[w.lost];
	s->is_whole = w.is_whole_wanted;
	s->asked = w.asked;
	files_copy(&s->files, &w.files);
	w.seen++;
}

/* The git side pulls by itself: it looks now, and tells later. */
static void
go_on_with_retry(uint8_t how)
{
	struct updater_pull p = { .end = UPDATER_PULL_UPTODATE, .is_of_people = how % 8 == 2, .text = "" };
	if (!w.retry.is_under_way) {
		if (!w.is_gone && w.told != 0 && !w.push.is_under_way) {
			look(&w.retry);
		}
	} else if (how == 14) {
		w.retry.is_under_way = false;
		p = (struct updater_pull){ .end = UPDATER_PULL_FAILED, .is_older = w.retry.asked < w.asked, .text = "no route" };
		updater_after_pull(w.updater, &p);
	} else {
		tell(&w.retry, p);
	}
}

/* The pull under way ends before the next one begins. */
static void
end_retry(void)
{
	if (w.retry.is_under_way) {
		go_on_with_retry(0);
	}
}

static void
end_pull_well(bool is_of_people)
{
	struct sight sight = { 0 };
	end_retry();
	look(&sight);
	tell(&sight, (struct updater_pull){ .end = UPDATER_PULL_UPTODATE, .is_of_people = is_of_people, .text = "" });
	files_fini(&sight.files);
}

static void
end_pull(uint8_t how)
{
	struct updater_pull p = { .end = UPDATER_PULL_FAILED, .text = "no route" };
	if (w.is_gone) {
		return;
	}
	end_retry();
	if (how % 4 < 2) {
		end_pull_well(how % 8 < 4);
		return;
	}
	if (how % 4 == 2) { /* out of the cache, and passed over */
		p = (struct updater_pull){ .end = UPDATER_PULL_COMMIT, .commit = "", .is_from_cache = true, .text = "" };
	}
	updater_after_pull(w.updater, &p);
	updater_go_on(w.updater, false);
}

/* ---- the git side's life ---- */

static void
die(uint8_t how)
{
	if (w.is_gone) {
		return;
	}
	if (w.push.is_under_way && is_push_good() && how % 4 == 0) {
		arrive(&w.push);
	} else if (w.push.is_under_way && is_push_good() && how % 4 == 1) {
		keep_late();
	}
	w.push.is_under_way = w.retry.is_under_way = false;
	w.is_gone = true;
	w.told = w.lost = 0;
	updater_on_death(w.updater);
}

static void
be_absent(void)
{
	if (w.is_gone) {
		updater_on_absence(w.updater, "it is gone");
		go_on();
	}
}

static void
come_back(void)
{
	if (w.is_gone) {
		updater_on_return(w.updater);
		w.is_gone = false;
	}
}

static void
pass(uint64_t ms)
{
	w.now.mono_ns += ms * 1000000u;
	w.now.wall_s += ms / 1000;
}

static void
raise_serial(bool is_other)
{
	struct nkey key;
	nkey_set(&key, is_other ? (const uint8_t *)"\5other" : (const uint8_t *)"\7example");
	const struct zone *z = trie_get(&primary_view(w.primary)->zones, &key);
	if (z != NULL) {
		updater_add_serial(w.updater, z->apex_name, z->serial);
		(void)updater_is_serial_coming(w.updater, z);
	}
}

static void
set_weather(uint8_t how)
{
	w.is_stale = how % 4 == 3;
	w.is_pull_coming = how % 8 == 7;
	w.is_reserve_refused = how / 8 % 4 == 3;
}

static void
step(struct cur *c)
{
	static const unsigned waits_ms[] = { 1, 100, 1000, 6000, 20000, 130000, 240000, 250 };
	uint8_t what = cur_u8(c), how = what / 16;
	switch (what % 16) {
	case 0:
	case 1:
	case 2:
		send_new(cur_u8(c));
		break;
	case 3:
		send_again(cur_u8(c));
		break;
	case 4:
	case 5:
	case 6:
		end_push(cur_u8(c));
		break;
	case 7:
	case 8:
		end_pull(cur_u8(c));
		break;
	case 9:
		others_push(c);
		break;
	case 10:
		die(how);
		break;
	case 11:
		come_back();
		break;
	case 12:
		pass(waits_ms[how % ARRAY_LEN(waits_ms)]);
		break;
	case 13:
		raise_serial(how % 2 != 0);
		break;
	case 14:
		set_weather(cur_u8(c));
		break;
	default:
		if (how % 2 != 0) {
			be_absent();
		} else if (how % 4 == 0) {
			arrive_late();
		} else {
			go_on_with_retry(how);
		}
	}
	go_on();
}

/* ---- from begin to end ---- */

static err_t
see_difference(void *ctx, bool is_added, const struct zone_rr *rr)
{
	(void)ctx, (void)is_added, (void)rr;
	return E_FORMAT;
}

/* What is served is what the remote has. */
static void
check_served(void)
{
	struct primary *reader = primary_begin();
	struct trie_iter it;
	apply(reader, &w.files, w.head);
	trie_iter_first(&it, &primary_view(reader)->zones);
	for (const struct zone *z; (z = trie_iter_next(&it)) != NULL;) {
		struct nkey key;
		nkey_set(&key, z->apex_name);
		const struct zone *served = trie_get(&primary_view(w.primary)->zones, &key);
		ASSERT(served != NULL && zone_diff(z, served, see_difference, NULL) == OK);
	}
	primary_free(&reader);
}

/* All goes well from here on: then nothing waits in the end. */
static void
end_well(void)
{
	come_back();
	set_weather(0);
	w.late.is_under_way = false;
	for (unsigned i = 0; w.ended_n < w.requests_n || w.push.is_under_way || updater_wait_ms(w.updater) >= 0; i++) {
		ASSERT(i < ENDINGS_MAX);
		int wait_ms = updater_wait_ms(w.updater);
		end_retry();
		if (w.push.is_under_way) {
			end_push(1);
		} else if (wait_ms < 0 || w.told == 0) {
			end_pull_well(false);
		} else {
			pass((uint64_t)wait_ms);
			go_on();
		}
	}
	end_pull_well(false);
	check_served();
}

/* There will be no other process. */
static void
end_badly(void)
{
	die(0);
	updater_on_loss(w.updater);
	go_on();
	ASSERT(w.ended_n == w.requests_n);
}

static void
begin(void)
{
	memset(&w, 0, sizeof w);
	w.now = (struct updater_now){ .mono_ns = 1, .wall_s = NOW_S };
	files_put(&w.files, "example", example);
	files_put(&w.files, "other", other);
	files_put(&w.files, "_keys", keys_all);
	w.head = next_id();
	w.is_there[w.head] = true;
	w.primary = primary_begin();
	const struct updater_conf conf = {
		.primary = w.primary, .server = &server, .source = { .open = open_served, .close = close_file },
		.io = { now, begin_reading, is_pull_coming, push, pull, reserve, publish, answer, say, NULL },
	};
	w.updater = updater_new(&conf);
}

static void
end(void)
{
	updater_free(&w.updater);
	ASSERT(w.ended_n == w.requests_n);
	primary_free(&w.primary);
	files_fini(&w.files);
	files_fini(&w.served);
	files_fini(&w.push.files);
	files_fini(&w.late.files);
	files_fini(&w.retry.files);
	for (unsigned i = 0; i < w.updates_n; i++) {
		free(w.updates[i].wire);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_over(data, size);
	begin();
	uint8_t ending = cur_u8(&c);
	for (unsigned i = 0; i < STEPS_MAX && cur_left(&c) != 0; i++) {
		step(&c);
	}
	if (ending % 4 < 2) {
		end_well();
	} else if (ending % 4 == 2) {
		end_badly();
	} /* else they are freed as they are */
	end();
	return 0;
}
