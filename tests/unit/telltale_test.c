/* Keys that do not see all are told neither where the repository is, nor what others do: each of several keys, and each place where the
 * server has words.  Whatever could tell too much has a telltale in it, which the log and keys that see all are told. */
#include "updater_world.h"

#include "asking.h"
#include "auth/status_text.h"

#define TELLTALE "ssh://git@git.example.net/srv/zones.git: /srv/hooks/check: other.customer has 4711 records"
#define LINE(name) name " DNSKEY 0 3 163 " SECRET "\n"

static const char *const telltales[] = {
	"git.example.net", "/srv/", "refs/heads", "other.customer", "4711", "of 5 zones", "MiB", "--catalog",
};

static const char ring[] = LINE("me._update.example.") LINE("part._update.home.example.") LINE("types._txt._update.")
        LINE("look._status.example.") LINE("all._update.") LINE("all._status.") LINE("boss._update.other.customer.");

static bool
has_telltale(const char *text)
{
	size_t i = 0;
	while (i < ARRAY_LEN(telltales) && strstr(text, telltales[i]) == NULL) {
		i++;
	}
	return i < ARRAY_LEN(telltales);
}

/* ---- answers to updates ---- */

static const struct updating_key {
	const char *name;
	bool sees_all;
} updating_keys[] = {
	{ "me._update.example.", false },
	{ "part._update.home.example.", false },
	{ "types._txt._update.", false },
	{ "all._update.", true },
};

static struct sent_update *
send_as(struct scene *s, const char *key, const char *zone)
{
	char signer[300];
	snprintf(signer, sizeof signer, "%s:SHA256:" SECRET, key);
	return scene_add_edns(s, zone, signer, "add x.home 60 TXT a\n");
}

static struct sent_update *
send_mine(struct scene *s, const struct updating_key *k)
{
	return send_as(s, k->name, "example.");
}

static struct sent_update *
send_of_another(struct scene *s)
{
	return send_as(s, "boss._update.other.customer.", "other.customer.");
}

/* Each of these sends an update and ends with its answer. */

static struct sent_update *
the_remote_goes_away(struct scene *s, const struct updating_key *k, err_t status)
{
	struct sent_update *mine = send_mine(s, k);
	scene_go_on(s);
	scene_push_fails(s, status, TELLTALE);
	scene_pull_fails(s, TELLTALE);
	return mine;
}

static struct sent_update *
there_is_no_git_process(struct scene *s, const struct updating_key *k, err_t status)
{
	(void)status;
	struct sent_update *mine = send_mine(s, k);
	updater_on_death(s->updater);
	updater_on_absence(s->updater, TELLTALE);
	updater_go_on(s->updater, true);
	return mine;
}

/* The fate of another's update is not known, and the remote is away. */
static struct sent_update *
another_waits_for_the_remote(struct scene *s, const struct updating_key *k, err_t status)
{
	(void)send_of_another(s);
	scene_go_on(s);
	scene_push_fails(s, status, TELLTALE);
	scene_pull_fails(s, TELLTALE);
	struct sent_update *mine = send_mine(s, k);
	scene_go_on(s);
	return mine;
}

static struct sent_update *
it_is_pushed_alone(struct scene *s, const struct updating_key *k, err_t status)
{
	struct sent_update *mine = send_mine(s, k);
	scene_go_on(s);
	scene_push_fails(s, status, TELLTALE);
	return mine;
}

/* So many that the remote refuses parts until these are tried no more. */
static struct sent_update *
it_is_pushed_with_others(struct scene *s, const struct updating_key *k, err_t status)
{
	for (int i = 0; i < 300; i++) {
		(void)send_of_another(s);
	}
	struct sent_update *mine = send_mine(s, k);
	scene_go_on(s);
	while (s->push.is_under_way) {
		scene_push_fails(s, status, TELLTALE);
	}
	assert_false(has_telltale(s->requests[0].told));
	return mine;
}

static struct sent_update *
others_keep_pushing(struct scene *s, const struct updating_key *k, err_t status)
{
	struct sent_update *mine = send_mine(s, k);
	scene_go_on(s);
	for (int i = 0; i < UPDATE_TRIES_MAX; i++) {
		scene_push_fails(s, status, TELLTALE);
		if (mine->ended == 0) {
			scene_pull_ends(s, moved);
		}
	}
	return mine;
}

static const struct {
	const char *what;
	struct sent_update *(*play)(struct scene *s, const struct updating_key *k, err_t status);
	err_t status;
} plays[] = {
	{ "away", the_remote_goes_away, E_STALE },
	{ "absence", there_is_no_git_process, E_IO },
	{ "away, and unknown", another_waits_for_the_remote, E_UNKNOWN },
	{ "refused", it_is_pushed_alone, E_REFUSED },
	{ "refused: limit", it_is_pushed_alone, E_LIMIT },
	{ "refused: name", it_is_pushed_alone, E_EXISTS },
	{ "refused: form", it_is_pushed_alone, E_FORMAT },
	{ "refused: credentials", it_is_pushed_alone, E_AUTH },
	{ "push failed", it_is_pushed_alone, E_IO },
	{ "push timed out", it_is_pushed_alone, E_TIMEOUT },
	{ "push into nothing", it_is_pushed_alone, E_NOTFOUND },
	{ "push without memory", it_is_pushed_alone, E_NOMEM },
	{ "refused with others", it_is_pushed_with_others, E_REFUSED },
	{ "failed with others", it_is_pushed_with_others, E_IO },
	{ "stale", others_keep_pushing, E_STALE },
};

static void
answers_to_updates(void **state)
{
	(void)state;
	static struct scene s;
	for (size_t i = 0; i < ARRAY_LEN(plays) * ARRAY_LEN(updating_keys); i++) {
		const struct updating_key *k = &updating_keys[i % ARRAY_LEN(updating_keys)];
		size_t at = i / ARRAY_LEN(updating_keys);
		scene_begin(&s);
		write_file(&s.base, "_keys", ring);
		write_file(&s.base, "other.customer", other);
		apply_all(&s.base);
		const struct sent_update *mine = plays[at].play(&s, k, plays[at].status);
		assert_answered(mine, RCODE_SERVFAIL, TELLTALE); /* in the log */
		bool is_general = strstr(mine->told, "log says why") != NULL && !has_telltale(mine->told);
		if (k->sees_all ? strstr(mine->told, TELLTALE) == NULL : !is_general) {
			fail_msg("%s, %s: is told %s", plays[at].what, k->name, mine->told);
		}
		scene_end(&s);
	}
}

/* ---- questions about the state ---- */

static const struct {
	const char *name, *domain;
	bool sees_all;
} asking_keys[] = {
	{ "look._status.example.", "example.", false },
	{ "me._update.example.", "example.", false },
	{ "part._update.home.example.", "home.example.", false },
	{ "types._txt._update.", ".", false },
	{ "all._status.", ".", true },
	{ "all._update.", ".", true },
};

static const char *const questions[] = { "status", "zones", "trouble", "keys", "secondaries", "updates" };

/* Zones with each finding that knows of more than the zone. */
static void
begin_with_findings(struct world *w)
{
	struct primary_conf conf = { 50, 100, 100, SERIAL_INCREMENT, .octets_max = 8 << 20 };
	assert_int_equal(name_parse("catalog.example", 15, name_root, &conf.catalog), OK);
	world_begin_conf(w, plain, &conf);
	write_file(w, "_keys", ring);
	write_file(w, "other.customer", other);
	write_file(w, "one.example", other);
	write_file(w, "two.example", other);
	write_file(w, "catalog.example", other);
	write_file(w, "big.example", "$TTL 60\n@ SOA ns.example. . 1 2 3 4 5\n@ NS ns1.example.\n$GENERATE 1-300000 h$ A 192.0.2.1\n");
	apply_all(w);
	write_file(w, "other.customer", NULL);
	write_file(w, "one.example", NULL);
	write_file(w, "two.example", NULL);
	apply_some(w, PRIMARY_HELD);
}

static void
tell_state(void *ctx, struct daemon_state *out)
{
	static const struct daemon_state state = {
		.started_s = 1, .remote = "ssh://git@git.example.net/srv/zones.git", .branch = "refs/heads/main", .head = "beef", .pulls = 1,
		.pull = { .n = 1, .ended_s = 1, .err = E_IO, .text = TELLTALE }, .push = { .n = 4711, .err = E_REFUSED, .text = TELLTALE },
		.waiting = 4711, .commits = 4711, .updates = 4711, .refused = 4711, .failed = 4711, .trouble = "other.customer",
	};
	(void)ctx;
	*out = state;
}

static void
tell_kept(void *ctx, struct kept_state *out)
{
	(void)ctx;
	*out = (struct kept_state){ .dir = TELLTALE, .waiting = 4711, .error = "other.customer", .since_s = 1 };
}

/* Appends all values of the answer. */
static void
ask(const struct world *w, const char *key, const char *what, const char *domain, struct str *out)
{
	static const struct server_conf conf = { .udp_max = 1232, .state = tell_state, .kept = tell_kept };
	static const struct peer peer = { .family = 4, .transport = TRANSPORT_TCP };
	static struct server_stats stats;
	static struct status_item item;
	static uint8_t resp[DNS_MSG_MAX];
	char below[64];
	uint8_t req[ASKING_WIRE_MAX];
	struct server_out event;
	struct msg m;
	snprintf(below, sizeof below, "%s._status.", what);
	const struct request_kind k = { what, below, OPCODE_QUERY, TYPE_TXT, CLASS_CH, TRANSPORT_TCP, false };
	size_t len = asking_make(&k, domain, key, req);
	len = server_handle(primary_view(w->primary), &conf, &peer, ASKING_NOW_S, req, len, resp, sizeof resp, &stats, &event);
	assert_int_equal(msg_parse(resp, len, &m), OK);
	struct status_reader r = status_read(&m, 1);
	while (status_next(&r, &item) == OK) {
		for (size_t i = 0; i < item.n; i++) {
			str_printf(out, "%s=%s\n", item.pair[i].key, item.pair[i].value);
		}
	}
	assert_int_equal(r.left, 0);
}

static void
answers_about_the_state(void **state)
{
	(void)state;
	static struct world w;
	begin_with_findings(&w);
	for (size_t i = 0; i < ARRAY_LEN(asking_keys); i++) {
		struct str all = { 0 };
		for (size_t q = 0; q < ARRAY_LEN(questions); q++) {
			ask(&w, asking_keys[i].name, questions[q], asking_keys[i].domain, &all);
		}
		for (size_t t = 0; t < ARRAY_LEN(telltales); t++) {
			bool is_told = strstr(str_text(&all), telltales[t]) != NULL;
			if (is_told != asking_keys[i].sees_all) {
				fail_msg("%s: %s is %stold in\n%s", asking_keys[i].name, telltales[t], is_told ? "" : "not ", str_text(&all));
			}
		}
		str_fini(&all);
	}
	struct str findings = { 0 };
	ask(&w, "look._status.example.", "trouble", "example.", &findings);
	assert_non_null(strstr(str_text(&findings), "finding=too many of the zones here would be removed at once: "));
	assert_non_null(strstr(str_text(&findings), "finding=the zone takes more memory than is left for it here"));
	assert_non_null(strstr(str_text(&findings), "finding=no zone can have that name here; the server's log says why"));
	str_fini(&findings);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_to_updates),
		cmocka_unit_test(answers_about_the_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
