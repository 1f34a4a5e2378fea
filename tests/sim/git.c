#include "git.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { OP_MAX_MS = 60, OP_SLOW_MS = 8000, RETRY_MAX_S = 30, LATE_MAX_S = 100 };

static const char unreachable[] = "the remote cannot be reached";

/* A remote is slow at times, but not when all is to be prompt. */
static uint64_t
op_ns(const struct git *g)
{
	struct world *w = g->node->world;
	bool is_slow = w->quiet.phase == QUIET_NOT_YET && dice_hits(&w->of_updates, 30);
	return w->now_ns + dice_between(&w->of_updates, 1, is_slow ? OP_SLOW_MS : OP_MAX_MS) * MS;
}

static uint64_t
ms_of(const struct git *g)
{
	return node_now(g->node).mono_ns / MS;
}

/* ---- when to pull ---- */

static void
send_pull(struct git *g)
{
	g->pulls++;
	g->is_whole |= g->is_whole_wanted;
	g->is_whole_wanted = false;
	g->is_pull_wanted = true;
}

static void
pull_if_due(struct git *g)
{
	if (pull_pace_begin(&g->pace, ms_of(g))) {
		send_pull(g);
	}
}

static void
go_on(struct git *g)
{
	pull_if_due(g);
	updater_go_on(g->updater, g->pace.is_under_way);
}

void
git_update(struct sim_node *n, const struct updater_request *r)
{
	updater_add(n->git->updater, r);
	go_on(n->git);
}

void
git_announce(struct sim_node *n)
{
	pull_pace_want(&n->git->pace, PULL_FOR_NEWS);
	go_on(n->git);
}

/* ---- what the updater asks for ---- */

static struct updater_now
now(void *ctx)
{
	const struct git *g = ctx;
	const struct now now = node_now(g->node);
	return (struct updater_now){ .mono_ns = now.mono_ns, .wall_s = now.wall_s };
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
	return false;
}

static bool
push(void *ctx, const struct updater_push *p)
{
	struct git *g = ctx;
	char base[65];
	if (g->is_dead) {
		return false;
	}
	ASSERT(!g->is_push_wanted && g->op != GIT_PUSH_BEGUN && g->op != GIT_PUSH_REACHED);
	pushed_fini(&g->push);
	for (size_t i = 0; i < p->n; i++) {
		tree_put(&g->push.changes, p->files[i].path, p->files[i].text, p->files[i].len);
	}
	git_commit_id(g->commit, base);
	g->is_again = p->again != NULL;
	g->push.base = (unsigned)strtoul(p->base, NULL, 10);
	bool is_stale = strcmp(base, p->base) != 0 || (g->unknown != 0 && !g->is_again);
	g->push_status = is_stale ? E_STALE : OK;
	g->push.commit = g->is_again ? (unsigned)strtoul(p->again, NULL, 10) : remote_new_commit(g->remote, g->push.base, p->message);
	g->is_push_wanted = true;
	return true;
}

static void
pull(void *ctx, bool is_whole)
{
	struct git *g = ctx;
	g->is_whole_wanted |= is_whole;
	pull_pace_want(&g->pace, PULL_FOR_UPDATE);
	g->asked = g->pulls + 1;
}

static err_t
reserve(void *ctx)
{
	const struct git *g = ctx;
	return g->node->no_room != 0 ? E_NOMEM : OK;
}

static void
publish(void *ctx, const struct view *next, struct discard *old)
{
	struct git *g = ctx;
	tell_changes(g->node, next, &old);
	people_note(g->node);
}

static void
answer(void *ctx, void *handle, const uint8_t *bytes, size_t len)
{
	struct git *g = ctx;
	clients_answered(g->node, handle, bytes, len);
}

static void
say(void *ctx, const struct updater_report *r)
{
	const struct git *g = ctx;
	world_log(g->node->world, "node %u: update event %d, %zu updates: %s", g->node->number, r->event, r->updates, r->text != NULL ? r->text : "");
}

/* ---- pulls ---- */

static void
see_head(struct git *g)
{
	tree_copy(&g->seen, &g->remote->files);
	g->seen_head = g->remote->head;
}

static void
begin_pull(struct git *g)
{
	const struct sim_node *n = g->node;
	g->is_pull_wanted = false;
	g->retry_ns = NOW_NEVER;
	g->pull = g->pulls;
	g->is_failing = n->no_remote != 0;
	g->op = GIT_PULL_BEGUN;
	g->next_ns = op_ns(g);
}

static bool
is_any_of_people(const struct git *g)
{
	unsigned at = g->seen_head;
	bool is_any = false;
	for (; at != 0 && at != g->commit; at = g->remote->commits[at].parent) {
		is_any |= g->remote->commits[at].is_of_people;
	}
	return is_any;
}

static void
end_pull(struct git *g)
{
	char id[65];
	struct updater_pull p = { .end = UPDATER_PULL_UPTODATE, .commit = id, .text = "" };
	g->op = GIT_IDLE;
	g->answered = g->pull;
	if (g->is_failing) {
		p.end = UPDATER_PULL_FAILED;
		p.text = unreachable;
		g->retry_ns = g->node->world->now_ns + dice_between(&g->node->world->of_updates, SECOND, RETRY_MAX_S * SECOND);
	} else {
		p.has_pushed = g->unknown != 0 && remote_has(g->remote, g->seen_head, g->unknown);
		g->unknown = 0;
		if (g->seen_head != g->commit || g->is_whole) {
			p.end = UPDATER_PULL_COMMIT;
			p.is_of_people = is_any_of_people(g);
			updater_before_commit(g->updater);
			git_take_over(g, g->is_whole);
			g->is_whole = false;
		}
	}
	git_commit_id(g->seen_head, id);
	p.is_older = g->answered < g->asked;
	world_log(g->node->world, "node %u has pulled: %d, commit %u%s%s", g->node->number, p.end, g->seen_head, p.has_pushed ? ", it has our push" : "", p.is_older ? ", too early" : "");
	if (g->answered == g->pulls) {
		pull_pace_end(&g->pace, p.end == UPDATER_PULL_COMMIT, ms_of(g));
	}
	updater_after_pull(g->updater, &p);
	go_on(g);
}

/* ---- pushes ---- */

static void
begin_push(struct git *g)
{
	g->is_push_wanted = false;
	g->op = GIT_PUSH_BEGUN;
	g->next_ns = op_ns(g);
}

/* The connection is lost: before or after the remote had everything, or it has, and is slow. */
static void
lose_push(struct git *g)
{
	struct dice *d = &g->node->world->of_updates;
	unsigned fate = dice_unsigned(d, 3);
	if (fate == 0) {
		(void)remote_take(g->remote, &g->push);
	} else if (fate == 1) {
		remote_delay(g->remote, &g->push, g->node->world->now_ns + dice_below(d, LATE_MAX_S) * SECOND);
	}
	g->push_status = E_UNKNOWN;
}

static void
reach_with_push(struct git *g)
{
	const struct world *w = g->node->world;
	g->pushed = g->push.commit;
	if (g->push_status == E_STALE) {
		/* it is told at once */
	} else if (g->node->no_remote != 0) {
		g->push_status = g->is_again ? E_UNKNOWN : E_IO;
	} else if (dice_hits(&g->node->world->of_updates, w->unclear)) {
		lose_push(g);
	} else if (dice_hits(&g->node->world->of_updates, w->hooks)) {
		g->push_status = g->is_again ? E_UNKNOWN : E_REFUSED;
	} else if (!remote_take(g->remote, &g->push)) {
		g->push_status = g->is_again ? E_UNKNOWN : E_STALE;
	}
	g->op = GIT_PUSH_REACHED;
	g->next_ns = op_ns(g);
}

static void
end_push(struct git *g, unsigned commit)
{
	char id[65];
	g->op = GIT_IDLE;
	git_commit_id(commit, id);
	world_log(g->node->world, "node %u has pushed commit %u: %s", g->node->number, commit, err_str(g->push_status));
	if (g->push_status == OK) {
		for (size_t i = 0; i < TREE_FILES_MAX && g->push.changes.files[i].path[0] != '\0'; i++) {
			const struct tree_file *f = &g->push.changes.files[i];
			tree_put(&g->served, f->path, f->text, f->text != NULL ? strlen(f->text) : 0);
		}
		g->commit = commit;
		g->unknown = 0;
		updater_on_pushed(g->updater, &(struct updater_pushed){ .commit = id });
	} else {
		g->unknown = g->push_status == E_UNKNOWN ? commit : g->unknown;
		updater_on_push_failed(g->updater, &(struct updater_push_failure){ .status = g->push_status, .commit = id, .text = err_str(g->push_status) });
	}
	pushed_fini(&g->push);
	go_on(g);
}

/* ---- the process ---- */

static void
begin_op(struct git *g)
{
	if (g->op != GIT_IDLE || g->is_dead) {
		return;
	}
	if (g->is_push_wanted) {
		begin_push(g);
	} else if (g->is_pull_wanted || g->retry_ns <= g->node->world->now_ns) {
		begin_pull(g);
	}
}

static void
go_on_with_op(struct git *g)
{
	switch (g->op) {
	case GIT_PULL_BEGUN:
		see_head(g);
		g->op = GIT_PULL_REACHED;
		g->next_ns = op_ns(g);
		break;
	case GIT_PULL_REACHED: end_pull(g); break;
	case GIT_PUSH_BEGUN: reach_with_push(g); break;
	case GIT_PUSH_REACHED: end_push(g, g->pushed); break;
	default: break;
	}
}

void
git_die(struct sim_node *n)
{
	struct git *g = n->git;
	if (g == NULL || g->is_dead) {
		return;
	}
	g->is_dead = true;
	g->op = GIT_IDLE;
	g->is_pull_wanted = g->is_push_wanted = false;
	g->unknown = 0;
	g->retry_ns = NOW_NEVER;
	updater_on_death(g->updater);
}

void
git_return(struct sim_node *n)
{
	struct git *g = n->git;
	if (g != NULL && g->is_dead) {
		g->is_dead = false;
		pull_pace_restart(&g->pace);
		send_pull(g);
		g->is_whole = true; /* it does not know what is served */
	}
}

static uint64_t
wait_ns(uint64_t ms)
{
	return ms == UINT64_MAX ? NOW_NEVER : ms * MS;
}

uint64_t
git_next(const struct sim_node *n)
{
	const struct git *g = n->git;
	uint64_t now_ns = n->world->now_ns, at = g->op != GIT_IDLE ? g->next_ns : g->retry_ns;
	if (g->op == GIT_IDLE && !g->is_dead && (g->is_pull_wanted || g->is_push_wanted)) {
		return now_ns;
	}
	uint64_t pull_ns = wait_ns(pull_pace_wait(&g->pace, ms_of(g)));
	int update_ms = g->pace.is_under_way ? -1 : updater_wait_ms(g->updater);
	uint64_t update_ns = update_ms < 0 ? NOW_NEVER : (uint64_t)update_ms * MS;
	uint64_t soonest = pull_ns < update_ns ? pull_ns : update_ns;
	return soonest != NOW_NEVER && now_ns + soonest < at ? now_ns + soonest : at;
}

void
git_timer(struct sim_node *n)
{
	struct git *g = n->git;
	if (g->op != GIT_IDLE && g->next_ns <= n->world->now_ns) {
		go_on_with_op(g);
	} else {
		go_on(g);
	}
	begin_op(g);
}

bool
git_is_current(const struct sim_node *n)
{
	const struct git *g = n->git;
	bool is_taken_over = !g->is_whole && !g->is_whole_wanted; /* else it is pulled once more, as soon as that is possible */
	return g->commit == g->remote->head && is_taken_over && !g->pace.is_under_way && g->pace.wanted == PULL_UNWANTED;
}

/* ---- beginning and end ---- */

/* The repository is read at once.  (That a start must wait for the remote is another matter.) */
void
git_start(struct sim_node *n)
{
	struct git *g = xalloc(sizeof *g);
	const struct updater_conf conf = {
		.primary = n->primary, .server = &n->conf, .source = { .ctx = g, .open = git_open_file, .close = git_close_file },
		.io = { now, begin_reading, is_pull_coming, push, pull, reserve, publish, answer, say, g },
	};
	char id[65];
	g->node = n;
	g->remote = &n->world->remotes[n->number];
	g->retry_ns = NOW_NEVER;
	g->updater = updater_new(&conf);
	n->git = g;
	see_head(g);
	git_note_signed(g);
	git_take_over(g, true);
	git_commit_id(g->commit, id);
	updater_after_pull(g->updater, &(struct updater_pull){ .end = UPDATER_PULL_COMMIT, .commit = id, .is_of_people = true, .text = "" });
}

void
git_stop(struct sim_node *n)
{
	struct git *g = n->git;
	if (g != NULL) {
		updater_free(&g->updater);
		tree_fini(&g->served);
		tree_fini(&g->seen);
		pushed_fini(&g->push);
		free(g);
		n->git = NULL;
	}
}
