/* An updater on a primary with files in memory, and a remote that does what the test says: for tests of auth/updater.h.
 *
 * `base` has the files of the commit that is served.  Pushes and pulls wait until the test gives them an end; each end is followed by
 * updater_go_on(), as the loader does it. */
#pragma once

#include "batch_world.h"

#include "auth/updater.h"
#include "dns/ede.h"

enum { REQUESTS_MAX = 1024, PUSHED_FILES_MAX = 8 };

#define KEY_OF(owner) owner "._update.example:SHA256:" SECRET

struct sent_update {
	struct update_text *text; /* owned; NULL: it is the same message as another's */
	struct name key;
	unsigned ended;           /* times it was given back: once, at the end */
	bool is_answered;
	unsigned rcode;
	unsigned published;       /* views when it was answered */
	size_t turn;              /* how many had ended before */
	char why[UPDATE_ANSWER_TEXT_MAX]; /* of what was reported when it was refused */
	char told[EDE_TEXT_MAX];  /* the answer's extended error; "": none, as for requests without EDNS */
};

/* The push under way: a copy. */
struct pushing {
	bool is_under_way, is_again;
	char base[65], again[65], message[4096];
	struct { char *path, *text; } files[PUSHED_FILES_MAX];
	size_t n;
	uint64_t made_s;
};

struct scene {
	struct world base;
	struct updater *updater;
	struct updater_now now;
	uint64_t step_ns;             /* the clock goes on so much whenever it is asked */
	struct pushing push;
	unsigned pushes, pulls, whole_pulls, published, reads;
	bool is_push_refused;         /* nobody takes it */
	bool is_source_stale, is_pull_coming, is_reserve_refused;
	struct sent_update requests[REQUESTS_MAX];
	size_t n, ended;
	unsigned said[UPDATER_EVENTS];
	struct updater_report last;   /* of those that are no refusals; its texts are below */
	char last_text[256], last_commit[65];
	char refused_text[UPDATE_ANSWER_TEXT_MAX];
};

static const struct peer scene_peer = { .family = 4, .address = { 192, 0, 2, 7 }, .port = 4242, .transport = TRANSPORT_TCP };

/* ---- out ---- */

static inline struct updater_now
scene_now(void *ctx)
{
	struct scene *s = ctx;
	s->now.mono_ns += s->step_ns;
	return s->now;
}

static inline void
scene_begin_reading(void *ctx)
{
	struct scene *s = ctx;
	s->reads++;
}

static inline bool
scene_is_pull_coming(void *ctx)
{
	const struct scene *s = ctx;
	return s->is_pull_coming;
}

static inline err_t
scene_open(void *ctx, const char *path, struct master_text *out)
{
	struct scene *s = ctx;
	assert_true(s->reads != 0);
	return s->is_source_stale ? E_STALE : open_file(&s->base, path, out);
}

static inline void
scene_drop_push(struct scene *s)
{
	for (size_t i = 0; i < s->push.n; i++) {
		free(s->push.files[i].path);
		free(s->push.files[i].text);
	}
	s->push.n = 0;
	s->push.is_under_way = false;
}

static inline bool
scene_push(void *ctx, const struct updater_push *p)
{
	struct scene *s = ctx;
	if (s->is_push_refused) {
		return false;
	}
	assert_false(s->push.is_under_way);
	assert_true(p->n <= PUSHED_FILES_MAX);
	scene_drop_push(s);
	s->push = (struct pushing){ .is_under_way = true, .is_again = p->again != NULL, .n = p->n, .made_s = p->made_s };
	snprintf(s->push.base, sizeof s->push.base, "%s", p->base);
	snprintf(s->push.again, sizeof s->push.again, "%s", p->again != NULL ? p->again : "");
	snprintf(s->push.message, sizeof s->push.message, "%s", p->message);
	for (size_t i = 0; i < p->n; i++) {
		s->push.files[i].path = xstrdup(p->files[i].path);
		s->push.files[i].text = p->files[i].text != NULL ? xstrndup(p->files[i].text, p->files[i].len) : NULL;
	}
	s->pushes++;
	return true;
}

static inline void
scene_pull(void *ctx, bool is_whole)
{
	struct scene *s = ctx;
	s->pulls++;
	s->whole_pulls += is_whole;
}

static inline err_t
scene_reserve(void *ctx)
{
	const struct scene *s = ctx;
	return s->is_reserve_refused ? E_NOMEM : OK;
}

static inline void
scene_publish(void *ctx, const struct view *next, struct discard *old)
{
	struct scene *s = ctx;
	assert_ptr_equal(next, primary_view(s->base.primary));
	discard_free(&old);
	s->published++;
}

/* It is a response that its sender takes. */
static inline unsigned
scene_read_answer(struct sent_update *r, uint64_t now_s, const uint8_t *bytes, size_t len)
{
	struct msg m;
	assert_int_equal(msg_parse(bytes, len, &m), OK);
	assert_int_equal(msg_opcode(&m), OPCODE_UPDATE);
	assert_true((m.bits & DNS_QR) != 0);
	if (r->text != NULL && m.has_tsig) {
		assert_int_equal(tsig_verify_response(&r->text->tsig, &m, now_s), OK);
	}
	(void)ede_print(&m.edns, r->told);
	return m.bits & DNS_RCODE;
}

static inline void
scene_answer(void *ctx, void *handle, const uint8_t *bytes, size_t len)
{
	struct scene *s = ctx;
	struct sent_update *r = handle;
	assert_int_equal(r->ended++, 0);
	r->turn = s->ended++;
	r->published = s->published;
	r->is_answered = len != 0;
	if (len != 0) {
		r->rcode = scene_read_answer(r, s->now.wall_s, bytes, len);
		memcpy(r->why, s->refused_text, sizeof r->why);
	}
	s->refused_text[0] = '\0';
}

static inline void
scene_say(void *ctx, const struct updater_report *r)
{
	struct scene *s = ctx;
	s->said[r->event]++;
	if (r->event == UPDATER_REFUSED) {
		assert_true(r->refused.rcode != RCODE_NOERROR && r->refused.peer->port == scene_peer.port);
		snprintf(s->refused_text, sizeof s->refused_text, "%s", r->text);
		return;
	}
	s->last = *r;
	snprintf(s->last_text, sizeof s->last_text, "%s", r->text != NULL ? r->text : "");
	snprintf(s->last_commit, sizeof s->last_commit, "%s", r->commit != NULL ? r->commit : "");
}

/* ---- the scene ---- */

static inline void
scene_begin_conf(struct scene *s, const char *zone, const struct primary_conf *primary)
{
	static const struct server_conf server = { .udp_max = 1232 };
	memset(s, 0, sizeof *s);
	world_begin_conf(&s->base, zone, primary);
	s->now = (struct updater_now){ .mono_ns = 1000000000u, .wall_s = UPDATE_NOW_S };
	const struct updater_conf conf = {
		.primary = s->base.primary, .server = &server, .source = { .ctx = s, .open = scene_open, .close = serve_close },
		.io = { scene_now, scene_begin_reading, scene_is_pull_coming, scene_push, scene_pull, scene_reserve, scene_publish,
		        scene_answer, scene_say, s },
	};
	s->updater = updater_new(&conf);
}

static inline void
scene_begin(struct scene *s)
{
	static const struct primary_conf conf = { 100, 100, 100, SERIAL_INCREMENT };
	scene_begin_conf(s, plain, &conf);
}

static inline void
scene_go_on(struct scene *s)
{
	updater_go_on(s->updater, false);
}

/* All requests have come back, each once, also those that still waited. */
static inline void
scene_end(struct scene *s)
{
	updater_free(&s->updater);
	assert_null(s->updater);
	scene_drop_push(s);
	for (size_t i = 0; i < s->n; i++) {
		assert_int_equal(s->requests[i].ended, 1);
		if (s->requests[i].text != NULL) {
			tsig_fini(&s->requests[i].text->tsig);
			free(s->requests[i].text);
		}
	}
	world_end(&s->base);
}

/* ---- updates ---- */

static inline void
scene_put(struct scene *s, struct sent_update *r, const struct update_text *text)
{
	const struct updater_request q = {
		.key = &r->key, .peer = &scene_peer, .arrived_s = s->now.wall_s, .arrived_ns = s->now.mono_ns,
		.bytes = text->wire, .len = text->len, .handle = r,
	};
	updater_add(s->updater, &q);
}

typedef void update_text_builder(struct update_text *u, const char *zone, const char *key, const char *update);

/* It waits, and nothing is done about it yet. */
static inline struct sent_update *
scene_add_built(struct scene *s, update_text_builder *build, const char *zone, const char *key, const char *update)
{
	assert_true(s->n < REQUESTS_MAX);
	struct sent_update *r = &s->requests[s->n++];
	r->text = xalloc(sizeof *r->text);
	build(r->text, zone, key, update);
	name_set(&r->key, r->text->key.name.oct);
	scene_put(s, r, r->text);
	return r;
}

static inline struct sent_update *
scene_add_zone(struct scene *s, const char *zone, const char *key, const char *update)
{
	return scene_add_built(s, update_text_build, zone, key, update);
}

static inline struct sent_update *
scene_add(struct scene *s, const char *update)
{
	return scene_add_zone(s, "example.", KEY, update);
}

/* With EDNS. */
static inline struct sent_update *
scene_add_edns(struct scene *s, const char *zone, const char *key, const char *update)
{
	return scene_add_built(s, update_text_build_edns, zone, key, update);
}

/* And it begins, if it can. */
static inline struct sent_update *
scene_update(struct scene *s, const char *update)
{
	struct sent_update *r = scene_add(s, update);
	scene_go_on(s);
	return r;
}

/* The same message once more. */
static inline struct sent_update *
scene_repeat(struct scene *s, const struct sent_update *first)
{
	struct sent_update *r = &s->requests[s->n++];
	r->key = first->key;
	scene_put(s, r, first->text);
	scene_go_on(s);
	return r;
}

static inline void
assert_answered(const struct sent_update *r, unsigned rcode, const char *why)
{
	assert_int_equal(r->ended, 1);
	assert_true(r->is_answered);
	assert_int_equal(r->rcode, rcode);
	if (strstr(r->why, why) == NULL || (rcode == RCODE_NOERROR && r->why[0] != '\0')) {
		fail_msg("\"%s\" is not in: %s", why, r->why);
	}
}

static inline void
assert_forgotten(const struct sent_update *r)
{
	assert_int_equal(r->ended, 1);
	assert_false(r->is_answered);
}

static inline void
assert_waiting(const struct sent_update *r)
{
	assert_int_equal(r->ended, 0);
}

/* ---- the remote ---- */

static const struct updater_pull moved = { .end = UPDATER_PULL_COMMIT, .commit = "" };

/* The commit of the last push is in the remote: its files are what is served next. */
static inline void
scene_take(struct scene *s)
{
	for (size_t i = 0; i < s->push.n; i++) {
		write_file(&s->base, s->push.files[i].path, s->push.files[i].text);
	}
	scene_drop_push(s);
}

static inline void
scene_pushed(struct scene *s)
{
	char id[41];
	assert_true(s->push.is_under_way);
	scene_take(s);
	snprintf(id, sizeof id, "%040u", ++s->base.commits);
	const struct updater_pushed p = { .commit = id, .commit_us = 11, .push_us = 22 };
	updater_on_pushed(s->updater, &p);
	scene_go_on(s);
}

static inline void
scene_push_fails(struct scene *s, err_t status, const char *text)
{
	const struct updater_push_failure f = { .status = status, .commit = status == E_UNKNOWN ? "lost" : "", .text = text };
	assert_true(s->push.is_under_way);
	s->push.is_under_way = false;
	updater_on_push_failed(s->updater, &f);
	scene_go_on(s);
}

static inline void
scene_pull_ends(struct scene *s, struct updater_pull p)
{
	if (p.end == UPDATER_PULL_COMMIT) {
		updater_before_commit(s->updater);
		apply_all(&s->base);
		p.commit = primary_view(s->base.primary)->commit;
	}
	updater_after_pull(s->updater, &p);
	scene_go_on(s);
}

static inline void
scene_uptodate(struct scene *s)
{
	scene_pull_ends(s, (struct updater_pull){ .end = UPDATER_PULL_UPTODATE });
}

static inline void
scene_pull_fails(struct scene *s, const char *text)
{
	scene_pull_ends(s, (struct updater_pull){ .end = UPDATER_PULL_FAILED, .text = text });
}

/* Somebody has pushed a file, and a pull has brought it. */
static inline void
scene_others_push(struct scene *s, const char *path, const char *text)
{
	write_file(&s->base, path, text);
	scene_pull_ends(s, (struct updater_pull){ .end = UPDATER_PULL_COMMIT, .is_of_people = true });
}

static inline bool
scene_has(const struct scene *s, const char *text)
{
	return strstr(read_file(&s->base, "example"), text) != NULL;
}

/* ---- the rest ---- */

static inline uint32_t
scene_serial(const struct scene *s)
{
	return zone_of(&s->base, "example.")->serial;
}

static inline void
scene_pass(struct scene *s, uint64_t ms)
{
	s->now.mono_ns += ms * 1000000u;
	s->now.wall_s += ms / 1000;
}

/* What became of the first push is not known. */
static inline struct sent_update *
scene_begin_unknown(struct scene *s)
{
	scene_begin(s);
	struct sent_update *a = scene_update(s, "add a 60 TXT first\n");
	scene_push_fails(s, E_UNKNOWN, "the connection was lost");
	assert_waiting(a);
	assert_int_equal(s->pulls, 1);
	assert_int_equal(s->said[UPDATER_PUSH_UNCLEAR], 1);
	assert_string_equal(s->last_commit, "lost");
	return a;
}
