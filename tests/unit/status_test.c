/* Who may ask for the server's state, and what he hears: through the one door, signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/status_p.h"
#include "base/str.h"
#include "dns/msg.h"
#include "dns/rrtype.h"
#include "one_primary.h"
#include "signing.h"

#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY(name) name " DNSKEY 0 3 163 " SECRET "\n"
#define HEAD "$TTL 60\n@ SOA ns host 7 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"

enum { NOW_S = 1700000000 };

static struct key_uses uses;

static int
start(void **state)
{
	static const char *const files[][2] = {
		{ "example", HEAD }, { "a.example", HEAD "x A 192.0.2.1\n" }, { "b.example", HEAD "bad A 1.2.3\n" }, { "other", HEAD },
		{ "_keys", KEY("all._status.") KEY("x._notify.example.") KEY("y._update.a.example.") KEY("z._transfer.other.") KEY("nameless.") },
	};
	(void)state;
	return primary_up(files, ARRAY_LEN(files));
}

struct ask {
	const char *name, *key, *after;
	uint16_t type;
	enum transport transport;
};

static size_t
ask(const struct ask *a, uint8_t *wire, size_t cap)
{
	struct buf b = buf_over(wire, cap);
	struct name n;
	assert_int_equal(name_parse(a->name, strlen(a->name), NULL, &n), OK);
	buf_put(&b, "\x12\x34\0\0\0\1\0\0\0\0\0\0", 12);
	buf_put(&b, n.oct, n.len);
	buf_u16(&b, a->type != 0 ? a->type : TYPE_TXT);
	buf_u16(&b, CLASS_CH);
	if (a->after != NULL) {
		struct status_writer w = { .b = b };
		status_begin(&w);
		status_pair(&w, "after", a->after);
		status_end(&w);
		b = w.b;
		buf_patch_u16(&b, 8, 1);
	}
	size_t len = b.len;
	if (a->key != NULL) {
		char key[256];
		(void)snprintf(key, sizeof key, "%s:SHA256:" SECRET, a->key);
		len = sign_request(key, NOW_S, wire, len, cap);
	}
	return len;
}

static void
put_records(struct status_reader r, const char *head, struct str *out)
{
	struct status_item *item = xalloc(sizeof *item);
	while (status_next(&r, item) == OK) {
		str_cat(out, head);
		for (size_t i = 0; i < item->n; i++) {
			str_printf(out, " %s=%s", item->pair[i].key, item->pair[i].value);
		}
		str_char(out, '\n');
	}
	assert_int_equal(r.left, 0);
	free_ptr(&item);
}

static struct server_stats stats;
static bool are_secondaries_told;
static size_t tell_secondaries(void *ctx, const uint8_t *zone, struct secondary_row *out);
static const struct daemon_state *told; /* NULL: nothing is known of the process */

static void
tell_state(void *ctx, struct daemon_state *out)
{
	(void)ctx;
	*out = *told;
}

static const struct kept_state *kept; /* NULL: nowhere */

static void
tell_kept(void *ctx, struct kept_state *out)
{
	(void)ctx;
	*out = *kept;
}

/* "RCODE [tc]\n" and the records. */
static void
answer_to(const struct ask *a, struct str *out)
{
	static uint8_t resp[DNS_MSG_MAX];
	uint8_t req[1024];
	char rcode[RRTYPE_TEXT_MAX];
	const struct server_conf conf = { .udp_max = 1232, .uses = &uses, .state = told != NULL ? tell_state : NULL,
		                          .secondaries = are_secondaries_told ? tell_secondaries : NULL,
		                          .kept = kept != NULL ? tell_kept : NULL };
	const struct peer peer = { .family = 4, .transport = a->transport };
	struct server_out event;
	struct msg m;
	size_t len = ask(a, req, sizeof req);
	len = server_handle(primary_view(primary), &conf, &peer, NOW_S, req, len, resp,
	                    a->transport == TRANSPORT_TCP ? sizeof resp : 1232, &stats, &event);
	assert_int_equal(msg_parse(resp, len, &m), OK);
	assert_int_equal(m.has_tsig, a->key != NULL);
	str_printf(out, "%s%s\n", rcode_print(m.bits & DNS_RCODE, false, rcode), (m.bits & DNS_TC) != 0 ? " tc" : "");
	put_records(status_read(&m, 1), "-", out);
	put_records(status_read(&m, 2), "=", out);
}

#define TAIL "= commit=c0ffee\n"
#define ITEM_EXAMPLE "- zone=example state=served serial=7 records=3 file=example commit=c0ffee\n"
#define ITEM_A "- zone=a.example state=served serial=7 records=4 file=a.example commit=c0ffee\n"
#define ITEM_B                                                                                                                       \
	"- zone=b.example state=rejected file=b.example since=c0ffee tried=c0ffee finding=A address: expected an IPv4 address, such as "   \
	"192.0.2.1, not \"1.2.3\" level=error code=bad-rdata line=5 column=7\n"
#define ITEM_OTHER "- zone=other state=served serial=7 records=3 file=other commit=c0ffee\n"

static const struct {
	struct ask ask;
	const char *want;
} cases[] = {
	/* who may ask for what */
	{ { "zones._status.", NULL }, "REFUSED\n" },
	{ { "zones._status.example.", NULL }, "REFUSED\n" },
	{ { "nothing._status.", NULL }, "REFUSED\n" },
	{ { "zones._status.", "x._notify.example" }, "REFUSED\n" },
	{ { "zones._status.other.", "x._notify.example" }, "REFUSED\n" },
	{ { "nothing._status.other.", "x._notify.example" }, "REFUSED\n" },
	{ { "zones._status.example.", "y._update.a.example" }, "REFUSED\n" },
	{ { "zones._status.example.", "nameless" }, "REFUSED\n" },
	{ { "nothing._status.", "all._status" }, "NXDOMAIN\n" },
	{ { "zones._status.", "all._status", NULL, TYPE_A }, "REFUSED\n" },
	{ { "zones._status.a.example.", "y._update.a.example" }, "NOERROR\n" ITEM_A TAIL },
	{ { "Zones._Status.Example.", "x._notify.example", NULL, 0, TRANSPORT_TCP }, "NOERROR\n" ITEM_EXAMPLE ITEM_A ITEM_B TAIL },
	{ { "zones._status.nowhere.", "all._status" }, "NOERROR\n" TAIL },
	/* what */
	{ { "zones._status.", "all._status", NULL, 0, TRANSPORT_TCP }, "NOERROR\n" ITEM_EXAMPLE ITEM_A ITEM_B ITEM_OTHER TAIL },
	{ { "zones._status.", "all._status", NULL, TYPE_ANY, TRANSPORT_TCP },
	  "NOERROR\n" ITEM_EXAMPLE ITEM_A ITEM_B ITEM_OTHER TAIL },
	{ { "zone._status.example.", "all._status" }, "NOERROR\n" ITEM_EXAMPLE TAIL },
	{ { "zone._status.b.example.", "all._status" }, "NOERROR\n" ITEM_B TAIL },
	{ { "zone._status.c.example.", "all._status" }, "NXDOMAIN\n" },
	{ { "trouble._status.", "all._status" }, "NOERROR\n" ITEM_B TAIL },
	{ { "trouble._status.a.example.", "all._status" }, "NOERROR\n" TAIL },
	{ { "status._status.", "all._status" },
	  "NOERROR\n- version=" ORIGIN_VERSION " domain=. commit=c0ffee zones=4 broken=1 held=0\n" TAIL },
	{ { "status._status.a.example.", "y._update.a.example" },
	  "NOERROR\n- version=" ORIGIN_VERSION " domain=a.example commit=c0ffee zones=1 broken=0 held=0\n" TAIL },
	/* the cursor; and what 512 octets have room for */
	{ { "zones._status.", "all._status" }, "NOERROR\n" ITEM_EXAMPLE ITEM_A "= commit=c0ffee next=a.example.\n" },
	{ { "zones._status.", "all._status", "example.", 0, TRANSPORT_TCP }, "NOERROR\n" ITEM_A ITEM_B ITEM_OTHER TAIL },
	{ { "zones._status.", "all._status", "aa.example.", 0, TRANSPORT_TCP }, "NOERROR\n" ITEM_B ITEM_OTHER TAIL },
	{ { "zones._status.", "all._status", "zz." }, "NOERROR\n" TAIL },
	{ { "zones._status.example.", "x._notify.example", "other." }, "FORMERR\n" },
	{ { "zones._status.other.", "x._notify.example", "other." }, "REFUSED\n" },
	{ { "zones._status.", "all._status", "a..b" }, "FORMERR\n" },
};

static void
questions_and_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = { 0 };
		answer_to(&cases[i].ask, &got);
		if (strcmp(cases[i].want, str_text(&got)) != 0) {
			print_message("%s by %s\n", cases[i].ask.name, cases[i].ask.key);
		}
		assert_string_equal(str_text(&got), cases[i].want);
		str_fini(&got);
	}
}

static void
keys_without_secrets(void **state)
{
	(void)state;
	static const char want[] = "NOERROR\n"
	                           "- key=all._status right=status domain=. algorithm=SHA256 used=1700000000\n"
	                           "- key=x._notify.example right=notify domain=example algorithm=SHA256 used=1700000000\n"
	                           "- key=y._update.a.example right=update domain=a.example algorithm=SHA256\n"
	                           "- key=z._transfer.other right=transfer domain=other algorithm=SHA256\n" TAIL;
	struct str got = { 0 };
	memset(&uses, 0, sizeof uses);
	answer_to(&(struct ask){ "keys._status.example.", "x._notify.example", NULL, 0, TRANSPORT_TCP }, &got);
	assert_null(strstr(str_text(&got), "other"));
	str_clear(&got);
	answer_to(&(struct ask){ "keys._status.", "all._status", NULL, 0, TRANSPORT_TCP }, &got);
	assert_string_equal(str_text(&got), want);
	str_fini(&got);
}

/* What a file of secondaries grants is shown to those who may see its domain; of keys that it does not name nothing.  Keys from outside of the
 * domain may have been used for others: when is only shown to keys that see all.  What is granted is no right to ask. */
static void
keys_of_other_names(void **state)
{
	(void)state;
	static const char *const files[][2] = {
		{ "example", HEAD }, { "other", HEAD },
		{ "_keys", KEY("all._status.") KEY("hoster-key.") KEY("nameless.") KEY("x._notify.example.") KEY("z._transfer.other.") },
		{ "_secondaries", "_transfer.example PTR hoster-key.\n_transfer.a.other PTR hoster-key.\n_transfer.example PTR all._status.\n"
		                  "ns2.example PTR nameless.\n" },
	};
	static const struct {
		struct ask ask;
		const char *want;
	} asked[] = {
		{ { "keys._status.example.", "x._notify.example", NULL, 0, TRANSPORT_TCP },
		  "NOERROR\n- key=x._notify.example right=notify domain=example algorithm=SHA256 used=1700000000\n"
		  "- key=all._status granted=example algorithm=SHA256\n"
		  "- key=hoster-key granted=example algorithm=SHA256\n" TAIL },
		{ { "keys._status.example.", "x._notify.example", "g0000001.", 0, TRANSPORT_TCP },
		  "NOERROR\n- key=hoster-key granted=example algorithm=SHA256\n" TAIL },
		{ { "keys._status.example.", "hoster-key", NULL, 0, TRANSPORT_TCP }, "REFUSED\n" },
		{ { "keys._status.a.other.", "all._status", "k9999999.", 0, TRANSPORT_TCP },
		  "NOERROR\n- key=hoster-key granted=a.other algorithm=SHA256 used=1700000000\n" TAIL },
		{ { "keys._status.a.other.", "all._status", "g9999999.", 0, TRANSPORT_TCP }, "NOERROR\n" TAIL },
		{ { "keys._status.other.", "z._transfer.other", "k0000000.", 0, TRANSPORT_TCP }, /* of keys of others nothing */
		  "NOERROR\n- key=z._transfer.other right=transfer domain=other algorithm=SHA256 used=1700000000\n"
		  "- key=hoster-key granted=a.other algorithm=SHA256\n" TAIL },
		{ { "keys._status.example.", "all._status", "all._status.", 0, TRANSPORT_TCP }, "FORMERR\n" },
		{ { "keys._status.example.", "all._status", "g000000x.", 0, TRANSPORT_TCP }, "FORMERR\n" },
		{ { "keys._status.example.", "all._status", "h0000000.", 0, TRANSPORT_TCP }, "FORMERR\n" },
		{ { "keys._status.example.", "all._status", "g0000000.example.", 0, TRANSPORT_TCP }, "FORMERR\n" },
		{ { "keys._status.other.", "hoster-key", NULL, 0, TRANSPORT_TCP }, "REFUSED\n" },
		{ { "keys._status.a.other.", "all._status", NULL, 0, TRANSPORT_TCP },
		  "NOERROR\n- key=hoster-key granted=a.other algorithm=SHA256 used=1700000000\n" TAIL },
		{ { "keys._status.example.", "nameless", NULL, 0, TRANSPORT_TCP }, "REFUSED\n" },
		{ { "keys._status.", "all._status", NULL, 0, TRANSPORT_TCP },
		  "NOERROR\n- key=all._status right=status domain=. granted=example algorithm=SHA256 used=1700000000\n"
		  "- key=x._notify.example right=notify domain=example algorithm=SHA256 used=1700000000\n"
		  "- key=hoster-key granted=example a.other algorithm=SHA256 used=1700000000\n"
		  "- key=z._transfer.other right=transfer domain=other algorithm=SHA256 used=1700000000\n" TAIL },
	};
	struct primary *before = primary;
	primary = serve_files(files, ARRAY_LEN(files));
	assert_non_null(primary);
	memset(&uses, 0, sizeof uses);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct str got = { 0 };
		answer_to(&asked[i].ask, &got);
		assert_string_equal(str_text(&got), asked[i].want);
		str_fini(&got);
	}
	primary_free(&primary);
	primary = before;
}

/* ---- many keys ---- */

enum { MANY = 3000, PAGE_MAX = 65000 };

static struct primary *
with_files(struct source_change *changes, size_t n)
{
	struct source_commit c = { .id = "c0ffee", .changes = changes, .n = n, .is_whole = true, .open = serve_no_file, .close = serve_close };
	struct primary_conf conf = { 100, 100, 100 };
	struct primary *p = primary_new(&conf, &(struct primary_log){ 0 });
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	for (size_t i = 0; i < n; i++) {
		changes[i].len = strlen((const char *)changes[i].bytes);
	}
	assert_int_equal(primary_apply(p, &c, &outcome, &view, &old), OK);
	discard_free(&old);
	return p;
}

/* Asks page after page, until there is no next.  Counts pages, and gives all items. */
static unsigned
all_pages(const struct view *v, const uint8_t *domain, size_t cap, struct str *items)
{
	struct status_question q = { .what = STATUS_KEYS, .domain = domain };
	struct status_item *item = xalloc(sizeof *item);
	unsigned pages = 0;
	do {
		static uint8_t wire[PAGE_MAX];
		memcpy(wire, "\0\0\x84\0\0\1\0\0\0\0\0\0\0\0\0\0", 17);
		struct reply r = { .wire = wire, .len = DNS_HEADER_LEN + 5, .cap = cap };
		struct msg m;
		assert_int_equal(status_answer(v, &(struct server_conf){ 0 }, &q, false, &r), OK);
		assert_true(r.count[SECTION_ANSWER] <= STATUS_ITEMS_MAX);
		wire[7] = (uint8_t)r.count[SECTION_ANSWER];
		wire[9] = (uint8_t)r.count[SECTION_AUTHORITY];
		assert_int_equal(msg_parse(wire, r.len, &m), OK);
		put_records(status_read(&m, 1), "-", items);
		struct status_reader tail = status_read(&m, 2);
		assert_int_equal(status_next(&tail, item), OK);
		const char *next = status_value(item, "next");
		assert_null(strstr(next, "key"));
		q.has_after = next[0] != '\0';
		assert_true(!q.has_after || (name_parse(next, strlen(next), NULL, &q.after) == OK && status_is_key_place(q.after.oct)));
		assert_true(++pages < MANY);
	} while (q.has_after);
	free_ptr(&item);
	return pages;
}

static unsigned
count_of(const char *text, const char *word)
{
	unsigned n = 0;
	for (; (text = strstr(text, word)) != NULL; text += strlen(word)) {
		n++;
	}
	return n;
}

/* A question costs so many keys that are looked at, also those that are not shown; and neither an item nor a place names these. */
static void
keys_that_are_not_shown(void **state)
{
	(void)state;
	struct str keys = { 0 }, grants = { 0 }, got = { 0 };
	str_cat(&keys, KEY("a._notify.example.") KEY("all._status."));
	for (unsigned i = 0; i < MANY; i++) {
		str_printf(&keys, "key%u. DNSKEY 0 3 163 " SECRET "\nidle-key%u.example. DNSKEY 0 3 163 " SECRET "\n", i, i);
		str_printf(&grants, "_transfer.z%u.%s PTR key%u.\n_transfer.y%u.example PTR nowhere-key%u.\n", i, i % 1000 == 999 ? "example" : "other",
		           i, i, i);
	}
	struct source_change changes[] = {
		{ .path = "_keys", .bytes = (const uint8_t *)str_text(&keys) },
		{ .path = "_secondaries", .bytes = (const uint8_t *)str_text(&grants) },
		{ .path = "example", .bytes = (const uint8_t *)HEAD },
	};
	struct primary *p = with_files(changes, ARRAY_LEN(changes));
	const struct view *v = primary_view(p);
	unsigned pages = all_pages(v, (const uint8_t *)"\7example", PAGE_MAX, &got);
	assert_int_equal(count_of(str_text(&got), "- key="), 1 + MANY / 1000);
	assert_int_equal(count_of(str_text(&got), "idle-key") + count_of(str_text(&got), "other"), 0);
	assert_true(pages >= 3 * MANY / STATUS_ITEMS_MAX && pages <= 3 * MANY / STATUS_ITEMS_MAX + 2);
	/* All of them, in pages of any size, each once. */
	for (size_t cap = 1300; cap < PAGE_MAX; cap *= 6) {
		str_clear(&got);
		(void)all_pages(v, (const uint8_t *)"\5other", cap, &got);
		assert_int_equal(count_of(str_text(&got), "- key="), MANY - MANY / 1000);
	}
	str_clear(&got);
	(void)all_pages(v, name_root, PAGE_MAX, &got);
	assert_int_equal(count_of(str_text(&got), "- key="), MANY + 2);
	primary_free(&p);
	str_fini(&keys);
	str_fini(&grants);
	str_fini(&got);
}

#define DAEMON_HEAD "NOERROR\n- version=" ORIGIN_VERSION

/* Where the repository is, words of failures and what others do: to keys for all names alone. */
static void
the_process(void **state)
{
	(void)state;
	static const struct daemon_state failed = {
		.started_s = 1, .remote = "git@host:zones", .branch = "refs/heads/main", .head = "beef", .served_s = 2, .pulls = 4,
		.pull = { .n = 3, .ended_s = 5, .took_ms = 6, .err = E_TIMEOUT, .text = "git@host:zones: no answer" }, .retry_s = 7,
		.push = { .n = 1, .ended_s = 8, .took_ms = 9, .err = E_REFUSED, .text = "a hook says no" }, .waiting = 10, .commits = 11,
		.updates = 12, .refused = 13, .failed = 14, .trouble = "it hangs",
	};
	static const struct {
		const char *name, *key, *want;
	} asked[] = {
		{ "status._status.", "all._status",
		  DAEMON_HEAD " domain=. commit=c0ffee zones=4 broken=1 held=0 since=2 head=beef pulls=4 pull=3 pulled=5 pull_ms=6 "
		  "pull_error=git@host:zones: no answer retry=7 started=1 remote=git@host:zones branch=refs/heads/main pushes=1 pushed=8 "
		  "push_ms=9 push_error=a hook says no waiting=10 health=it hangs\n" TAIL },
		{ "status._status.example.", "x._notify.example",
		  DAEMON_HEAD " domain=example commit=c0ffee zones=3 broken=1 held=0 since=2 head=beef pulls=4 pull=3 pulled=5 pull_ms=6 "
		  "pull_error=timed out retry=7\n" TAIL },
		{ "updates._status.", "all._status",
		  "NOERROR\n- waiting=10 commits=11 updates=12 refused=13 failed=14 pushes=1 pushed=8 push_ms=9 push_error=a hook says no\n" TAIL },
		{ "updates._status.example.", "all._status",
		  "NOERROR\n- waiting=10 commits=11 updates=12 refused=13 failed=14 pushes=1 pushed=8 push_ms=9 push_error=a hook says no\n" TAIL },
		{ "updates._status.example.", "x._notify.example", "REFUSED\n" },
		{ "updates._status.", "x._notify.example", "REFUSED\n" },
	};
	told = &failed;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct str got = { 0 };
		answer_to(&(struct ask){ asked[i].name, asked[i].key, NULL, 0, TRANSPORT_TCP }, &got);
		assert_string_equal(str_text(&got), asked[i].want);
		str_fini(&got);
	}
	told = NULL;
}

/* Where a secondary keeps its zones: as above. */
static void
what_is_kept(void **state)
{
	(void)state;
	static const struct {
		struct kept_state kept;
		const char *key, *want;
	} rows[] = {
		{ { .dir = "/var/lib/x", .waiting = 2 }, "all._status", " zones=4 broken=1 held=0 state_dir=/var/lib/x state_dir_waiting=2\n" },
		{ { .dir = "/var/lib/x", .waiting = 2, .error = "no room", .since_s = 7 }, "all._status",
		  " zones=4 broken=1 held=0 state_dir=/var/lib/x state_dir_waiting=2 state_dir_error=no room state_dir_since=7\n" },
		{ { .dir = "/var/lib/x", .error = "no room", .since_s = 7 }, "x._notify.example", " zones=3 broken=1 held=0\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = { 0 };
		bool is_all = strcmp(rows[i].key, "all._status") == 0;
		kept = &rows[i].kept;
		answer_to(&(struct ask){ is_all ? "status._status." : "status._status.example.", rows[i].key, NULL, 0, TRANSPORT_TCP }, &got);
		assert_non_null(strstr(str_text(&got), rows[i].want));
		str_fini(&got);
	}
	kept = NULL;
}

/* None has succeeded: when the last one failed is told all the same.  Before the first one has ended, nothing is. */
static void
the_first_push(void **state)
{
	(void)state;
	static const struct {
		struct daemon_state told;
		const char *want;
	} rows[] = {
		{ { .waiting = 1 }, "NOERROR\n- waiting=1 commits=0 updates=0 refused=0 failed=0\n" TAIL },
		{ { .push = { .ended_s = 8, .took_ms = 9, .err = E_REFUSED, .text = "a hook says no" } },
		  "NOERROR\n- waiting=0 commits=0 updates=0 refused=0 failed=0 pushes=0 pushed=8 push_ms=9 push_error=a hook says no\n" TAIL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = { 0 };
		told = &rows[i].told;
		answer_to(&(struct ask){ "updates._status.", "all._status", NULL, 0, TRANSPORT_TCP }, &got);
		assert_string_equal(str_text(&got), rows[i].want);
		str_fini(&got);
	}
	told = NULL;
}

/* One of each state, for example alone. */
static size_t
tell_secondaries(void *ctx, const uint8_t *zone, struct secondary_row *out)
{
	static const struct secondary_row rows[] = {
		{ .address = { 4, { 192, 0, 2, 1 } }, .has = 7, .has_s = 1, .told = 7, .told_s = 2 },
		{ .address = { 4, { 192, 0, 2, 2 } }, .port = 53, .has = 5, .has_s = 1, .told = 7, .told_s = 2, .error = "away", .error_s = 3 },
		{ .address = { 4, { 192, 0, 2, 3 } }, .port = 5353, .told = 7, .told_s = 2 },
		{ .address = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, .error = "away", .error_s = 3 },
	};
	(void)ctx;
	if (!name_is_equal(zone, (const uint8_t *)"\7example")) {
		return 0;
	}
	memcpy(out, rows, sizeof rows);
	return ARRAY_LEN(rows);
}

static void
secondaries_are_held_against_what_is_served(void **state)
{
	(void)state;
	static const char want[] =
	        "NOERROR\n"
	        "- zone=example secondary=192.0.2.1 state=current serial=7 has=7 transferred=1 told=7 acknowledged=2\n"
	        "- zone=example secondary=192.0.2.2 state=behind serial=7 has=5 transferred=1 told=7 acknowledged=2 behind=2 since=0 "
	        "error=away failed=3\n"
	        "- zone=example secondary=192.0.2.3@5353 state=told serial=7 told=7 acknowledged=2\n"
	        "- zone=example secondary=2001:db8:0:0:0:0:0:1 state=unheard serial=7 error=away failed=3\n" TAIL;
	struct str got = { 0 };
	are_secondaries_told = true;
	answer_to(&(struct ask){ "secondaries._status.", "all._status", NULL, 0, TRANSPORT_TCP }, &got);
	assert_string_equal(str_text(&got), want);
	str_clear(&got);
	answer_to(&(struct ask){ "secondaries._status.", "all._status" }, &got); /* all of a zone's, or none: not into 512 octets */
	assert_string_equal(str_text(&got), "NOERROR tc\n");
	str_clear(&got);
	answer_to(&(struct ask){ "secondaries._status.other.", "all._status" }, &got);
	assert_string_equal(str_text(&got), "NOERROR\n" TAIL);
	str_fini(&got);
	are_secondaries_told = false;
}

/* Page by page, in whatever room there is, everything comes once and in order. */
static void
pages_follow_each_other(void **state)
{
	(void)state;
	static struct source_change changes[3000];
	static char names[3000][32];
	struct source_commit c = { .id = "c0ffee", .changes = changes, .n = 3000, .is_whole = true, .open = serve_no_file, .close = serve_close };
	struct primary_conf conf = { 100, 100, 100 };
	struct primary *many = primary_new(&conf, &(struct primary_log){ 0 }), *few = primary;
	enum primary_outcome outcome;
	const struct view *view;
	struct discard *old;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(names[i], sizeof names[i], i < 2990 ? "z%d.example" : "b%d.other", i);
		changes[i] = (struct source_change){ .path = names[i], .bytes = (const uint8_t *)HEAD, .len = strlen(HEAD) };
	}
	c.changes = changes;
	assert_int_equal(primary_apply(many, &c, &outcome, &view, &old), OK);
	discard_free(&old);

	const struct status_question first = { .what = STATUS_ZONES, .domain = (const uint8_t *)"\7example" };
	for (size_t cap = 600; cap < 40000; cap = cap * 3 / 2) {
		struct status_question q = first;
		size_t zones = 0, pages = 0;
		do {
			uint8_t wire[40000] = "\0\0\x84\0\0\1";
			struct status_item *item = xalloc(sizeof *item);
			struct reply r = { .wire = wire, .len = DNS_HEADER_LEN + 5, .cap = cap };
			struct msg m;
			assert_int_equal(status_answer(view, &(struct server_conf){ 0 }, &q, true, &r), OK);
			assert_true(r.len <= cap && r.count[SECTION_ANSWER] >= 1 && r.count[SECTION_ANSWER] <= STATUS_ITEMS_MAX);
			wire[7] = (uint8_t)r.count[SECTION_ANSWER];
			wire[9] = (uint8_t)r.count[SECTION_AUTHORITY];
			assert_int_equal(msg_parse(wire, r.len, &m), OK);
			struct status_reader tail = status_read(&m, 2);
			assert_int_equal(status_next(&tail, item), OK);
			const char *next = status_value(item, "next");
			q.has_after = next[0] != '\0';
			assert_true(!q.has_after || name_parse(next, strlen(next), NULL, &q.after) == OK);
			zones += r.count[SECTION_ANSWER];
			pages++;
			free_ptr(&item);
		} while (q.has_after);
		assert_int_equal(zones, 2990);
		assert_true(pages >= 2990 / STATUS_ITEMS_MAX);
	}

	struct status_counts n = status_count(view, first.domain);
	assert_true(n.zones == STATUS_COUNTED_MAX && n.is_more);
	n = status_count(view, name_root);
	assert_true(n.zones == 3000 && !n.is_more);
	primary = many;
	struct str got = { 0 };
	answer_to(&(struct ask){ "zones._status.", NULL }, &got);
	str_fini(&got);
	primary = few;
	primary_free(&many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_and_answers),
		cmocka_unit_test(keys_without_secrets),
		cmocka_unit_test(keys_of_other_names),
		cmocka_unit_test(keys_that_are_not_shown),
		cmocka_unit_test(pages_follow_each_other),
		cmocka_unit_test(the_process),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(the_first_push),
		cmocka_unit_test(secondaries_are_held_against_what_is_served),
	};
	return cmocka_run_group_tests(tests, start, primary_down);
}
