/* The people who push, and the repositories that they push to: one for each primary. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "dns/serial.h"
#include "git.h"
#include "zone/digest.h"

/* All steps of a run together are less than half of the circle (RFC 1982): who is behind must see that the serial is newer. */
enum { HOST_VALUES = 250, WRAP_NEAR = 20, STEP_MAX = INT32_MAX / EVENTS_MAX, CLIENTS = 2 };

/* ---- files ---- */

static void
raise_serial(struct world *w, struct file *f)
{
	struct dice *d = &w->dice;
	f->serial += dice_hits(d, 800) ? 1 : (uint32_t)dice_between(d, 2, dice_hits(d, 900) ? 1000 : STEP_MAX);
	f->newest = serial_is_newer(f->serial, f->newest) ? f->serial : f->newest;
}

static void
change_hosts(struct world *w, struct file *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		f->host[dice_below(&w->dice, HOSTS_MAX)] = (uint8_t)(dice_hits(&w->dice, 300) ? 0 : 1 + dice_below(&w->dice, HOST_VALUES));
	}
}

/* Changes fit no version but their own.  No two versions have the same TXT record at the apex, where updates write another one; but a client
 * may repeat an update after its primary began anew, up to the serial that it led to before.  So the SOA records differ then, too. */
static void
put_text(const struct plan_zone *z, const struct file *f, struct str *out)
{
	str_printf(out, "$TTL 60\n@ SOA ns host %u %u %u %u %u\n@ NS ns\n@ TXT \"%u %u\"\nns A 192.0.2.1\n", f->serial, z->refresh_s,
	           z->retry_s, z->expire_s, 60 + f->epoch, f->epoch, f->serial);
	for (unsigned i = 0; i < HOSTS_MAX; i++) {
		if (f->host[i] != 0) {
			str_printf(out, "h%u A 198.51.100.%u\n", i, f->host[i]);
		}
	}
	str_cat(out, str_text(&f->updated));
	for (unsigned i = 0; i < z->ballast; i++) {
		str_printf(out, "b%u TXT \"what is here never changes %u\"\n", i, i);
	}
}

static void
put_keys(const struct world *w, unsigned primary, struct str *out)
{
	const struct plan *p = w->plan;
	char name[NAME_TEXT_MAX];
	str_cat(out, "; who may transfer\n");
	str_cat(out, "; and who may update\n");
	for (unsigned i = 0; i < CLIENTS; i++) {
		str_printf(out, "c%u._update.p%u.example. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n", i, primary);
	}
	for (size_t i = 0; i < p->edges_n; i++) {
		if (p->edges[i].parent == primary && w->no_keys[primary][p->edges[i].child] == 0) {
			name_print(p->edges[i].key.tsig.name.oct, name);
			str_printf(out, "%s DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n", name);
		}
	}
}

/* ---- repositories ---- */

static struct remote *
remote_of(struct world *w, unsigned zone)
{
	return &w->remotes[w->plan->zones[zone].primary];
}

static void
write_zone(struct world *w, unsigned zone)
{
	const struct file *f = &w->files[zone];
	char path[NAME_TEXT_MAX];
	struct str text = { 0 };
	source_file_name(w->plan->zones[zone].name.oct, path);
	put_text(&w->plan->zones[zone], f, &text);
	remote_take_people(remote_of(w, zone), path, f->is_there ? text.s : NULL, text.len);
	str_fini(&text);
}

static void
write_keys(struct world *w, unsigned primary)
{
	struct str text = { 0 };
	put_keys(w, primary, &text);
	remote_take_people(&w->remotes[primary], "_keys", text.s, text.len);
	str_fini(&text);
}

/* Updates have raised the serial, and written records, which people leave alone. */
static void
read_updates(struct world *w, unsigned zone)
{
	struct file *f = &w->files[zone];
	char path[NAME_TEXT_MAX];
	source_file_name(w->plan->zones[zone].name.oct, path);
	const char *text = tree_get(&remote_of(w, zone)->files, path);
	if (text == NULL) {
		return;
	}
	str_clear(&f->updated);
	str_cat(&f->updated, "");
	for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
		if (*at == 'u') {
			str_put(&f->updated, at, strcspn(at, "\n") + 1);
		}
	}
	const char *soa = strstr(text, "SOA");
	int n = soa != NULL ? sscanf(soa, "SOA ns host %u", &f->serial) : 0;
	ASSERT(n == 1);
	f->newest = serial_is_newer(f->serial, f->newest) ? f->serial : f->newest;
}

static void
announce(struct world *w, unsigned primary)
{
	if (w->nodes[primary].is_up) { /* else it is loaded at the next start */
		git_announce(&w->nodes[primary]);
	}
}

void
people_begin(struct world *w)
{
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		struct file *f = &w->files[z];
		f->is_there = w->plan->zones[z].is_first;
		f->serial = dice_hits(&w->dice, 300) ? (uint32_t)-dice_below(&w->dice, WRAP_NEAR) : (uint32_t)dice_between(&w->dice, 100, 2000000000);
		f->newest = f->serial;
		change_hosts(w, f, HOSTS_MAX);
		write_zone(w, z);
	}
	for (unsigned i = 0; i < w->plan->primaries_n; i++) {
		write_keys(w, i);
	}
}

void
people_fini(struct world *w)
{
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		str_fini(&w->files[z].updated);
	}
	for (unsigned i = 0; i < w->plan->primaries_n; i++) {
		remote_fini(&w->remotes[i]);
	}
}

/* ---- what is served ---- */

/* Which versions there were, and when a zone was not there. */
static void
note(struct sim_node *n, unsigned number)
{
	struct world *w = n->world;
	struct file *f = &w->files[number];
	const struct zone *z = view_zone(primary_view(n->primary), w->plan->zones[number].name.oct);
	uint64_t digest = z != NULL ? zone_digest(z) : 0;
	bool is_same = z != NULL && f->was_there && z->serial == f->served && digest == f->digest;
	if (z == NULL) {
		f->absent_ns = w->now_ns;
	} else if (!is_same && w->versions_n < VERSIONS_MAX) {
		f->absent_ns = f->was_there ? f->absent_ns : w->now_ns;
		w->versions[w->versions_n++] = (struct version){ .zone = number, .serial = z->serial, .digest = digest, .made_ns = w->now_ns };
		check_updated(n, number, z);
	}
	f->was_there = z != NULL;
	f->served = z != NULL ? z->serial : 0;
	f->digest = digest;
}

void
people_note(struct sim_node *n)
{
	for (unsigned z = 0; z < n->world->plan->zones_n; z++) {
		if (n->world->plan->zones[z].primary == n->number) {
			note(n, z);
		}
	}
}

static void
on_report(void *ctx, const struct primary_report *r)
{
	struct sim_node *n = ctx;
	if (r->event == ZONE_REJECTED || r->event == KEYS_REJECTED) {
		world_break(n->world, "the people of the simulator have made a mistake in %s: %s", r->path, r->text);
	}
}

void
people_load(struct sim_node *n)
{
	struct primary_conf conf = { 100, 100, 100 };
	const struct primary_log log = { .report = on_report, .ctx = n };
	if (n->world->plan->has_catalog[n->number]) {
		conf.catalog = n->world->plan->catalogs[n->number];
	}
	n->primary = primary_new(&conf, &log);
	git_start(n);
}

/* ---- pushes ---- */

static void
push_zone(struct world *w, unsigned zone)
{
	world_log(w, "zone %u: serial %u%s", zone, w->files[zone].serial, w->files[zone].is_there ? "" : ", gone");
	write_zone(w, zone);
	announce(w, w->plan->zones[zone].primary);
}

static void
rewind_file(struct world *w, struct file *f)
{
	f->epoch++;
	f->serial -= (uint32_t)dice_below(&w->dice, 6);
	change_hosts(w, f, HOSTS_MAX);
}

void
people_push(struct world *w, enum plan_kind kind, unsigned zone)
{
	struct file *f = &w->files[zone];
	if (f->is_there == (kind != PLAN_COME)) { /* else there is nothing to do */
		bool is_as_before = kind == PLAN_GO || (kind == PLAN_COME && dice_hits(&w->dice, 500)); /* the removal is taken back */
		read_updates(w, zone);
		f->is_there = kind != PLAN_GO;
		if (!is_as_before) {
			raise_serial(w, f);
			change_hosts(w, f, (unsigned)dice_between(&w->dice, 1, 3));
		}
		push_zone(w, zone);
	}
}

void
people_push_keys(struct world *w, unsigned primary)
{
	if (node_is_primary(&w->nodes[primary])) { /* the keys of secondaries are not in a repository */
		write_keys(w, primary);
		announce(w, primary);
	}
}

void
people_begin_anew(struct world *w, unsigned primary)
{
	struct sim_node *n = &w->nodes[primary];
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		if (w->plan->zones[z].primary == primary) {
			read_updates(w, z);
			rewind_file(w, &w->files[z]);
			write_zone(w, z);
		}
	}
	remote_rewrite(&w->remotes[primary]);
	if (n->is_up) {
		node_stop(n);
		node_start(n);
	}
}

void
people_push_newest(struct world *w)
{
	for (unsigned z = 0; z < w->plan->zones_n; z++) {
		struct file *f = &w->files[z];
		read_updates(w, z);
		f->serial = ++f->newest;
		if (f->is_there) {
			push_zone(w, z);
		}
	}
}
