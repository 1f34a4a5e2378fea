/* Random updates of zones as people write them: tests/data/styles, which is the first argument.  A zone's name is that of its file.
 *
 * After each update the files say the new zone, and each line that holds no record concerned is there as before, in the same order.
 * The second argument is the number of updates a zone, the third a seed: for longer runs. */
#include <dirent.h>
#include <sys/stat.h>

#include "edit_zone.h"

enum { ZONES_MAX = 100, LINES_MAX = 4000, RECORDS_MAX = 400, STEPS = 300, STEPS_IN_A_ROW = 25 };

static const char *directory;
static unsigned steps = STEPS, first_seed = 1;

static size_t
below(unsigned *seed, size_t n)
{
	return (size_t)rand_r(seed) % n;
}

/* ---- the zones ---- */

static char *
read_file(const char *name, size_t *len)
{
	char path[1024];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *in = fopen(path, "rb");
	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	char *text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	*len = fread(text, 1, (size_t)st.st_size, in);
	fclose(in);
	return text;
}

static void
add_file(struct zone_files *f, size_t at, const char *path)
{
	assert_true(at < FILES_MAX);
	f->file[at].path = strdup(path);
	f->file[at].text = read_file(path, &f->file[at].len);
}

/* The zone's own file, and all that could be included. */
static struct zone_files
read_zone(const char *name)
{
	struct zone_files f = { .drops_outside = true };
	char path[1024];
	size_t n = 1;
	snprintf(path, sizeof path, "%s/parts", directory);
	DIR *parts = opendir(path);
	assert_non_null(parts);
	add_file(&f, 0, name);
	for (const struct dirent *d; (d = readdir(parts)) != NULL;) {
		if (d->d_name[0] != '.') {
			snprintf(path, sizeof path, "parts/%s", d->d_name);
			add_file(&f, n++, path);
		}
	}
	closedir(parts);
	return f;
}

static void
free_texts(struct zone_files *f)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		free((void *)(uintptr_t)f->file[i].text);
		f->file[i].text = NULL;
	}
}

static void
free_zone_files(struct zone_files *f)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		free((void *)(uintptr_t)f->file[i].path);
	}
	free_texts(f);
}

/* ---- random updates ---- */

struct records {
	struct zone_rr rr[RECORDS_MAX];
	size_t n;
};

static err_t
gather(void *ctx, const struct zone_rr *rr)
{
	struct records *r = ctx;
	assert_true(r->n < RECORDS_MAX);
	r->rr[r->n++] = *rr;
	return OK;
}

static const struct zone_rr *
any_record(unsigned *seed, const struct records *r)
{
	return &r->rr[below(seed, r->n)];
}

/* The owner of some record, or a new name near it. */
static struct name
any_owner(unsigned *seed, const struct records *r, const uint8_t *apex)
{
	static const char *const labels[] = { "a", "new", "_acme-challenge", "*", "zz", "a-rather-long-label-for-a-host", "x.y.deep", "M",
		                              "q\\.r", "\\\"\\$", "200", "$", "in", "a6" };
	struct name n, parent;
	name_set(&parent, any_record(seed, r)->owner);
	if (below(seed, 3) == 0) {
		return parent;
	}
	if (below(seed, 3) == 0) {
		name_set(&parent, apex);
	}
	const char *label = labels[below(seed, ARRAY_LEN(labels))];
	return name_parse(label, strlen(label), parent.oct, &n) == OK ? n : parent;
}

static uint32_t
any_ttl(unsigned *seed, const struct records *r)
{
	static const uint32_t ttls[] = { 0, 1, 60, 300, 3600, 7200, 86400, 100000, 604800 };
	return below(seed, 2) == 0 ? any_record(seed, r)->ttl : ttls[below(seed, ARRAY_LEN(ttls))];
}

#define HEX "0123456789abcdef"

static struct text_rr
any_data(unsigned *seed, const uint8_t *apex)
{
	static const char *const data[] = {
		"A 198.51.100.%u", "A 198.51.100.%u", "A 198.51.100.%u", "AAAA 2001:db8::%u", "AAAA 2001:db8::%u", "MX %u mail",
		"MX %u mx.elsewhere.test.", "TXT \"%u\"", "TXT \"one; two\" \"%u\" \"\"", "CNAME www%u", "NS ns%u.deep", "PTR host%u.test.",
		"SRV 0 %u 443 www", "HTTPS %u . alpn=h2,h3 port=8443", "CAA 0 issue \"ca%u.test\"", "TYPE65401 \\# 1 %02x",
		"SSHFP 4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd%02x", "APL 1:192.0.2.%u/32", "APL",
		("TLSA 3 0 0 " HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX "%02x"),
		"NAPTR 10 %u \"S\" \"SIP+D2U\" \"\" _sip._udp", "RP @ %u.txt", "LOC 52 22 %u N 4 53 32 E 0m",
		"RRSIG A 13 2 300 20300101000000 20200101000000 %u @ AAAA", "RRSIG TXT 13 2 300 20300101000000 20200101000000 %u @ AAAA",
	};
	char format[400], line[400];
	snprintf(format, sizeof format, "x 0 %s", data[below(seed, ARRAY_LEN(data))]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(line, sizeof line, format, (unsigned)below(seed, 12) + 10);
#pragma GCC diagnostic pop
	return text_rr(line, apex);
}

static uint32_t
ttl_of_set(const struct records *r, const uint8_t *owner, uint16_t type, uint32_t otherwise)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->rr[i].type == type && name_is_equal(r->rr[i].owner, owner)) {
			return r->rr[i].ttl;
		}
	}
	return otherwise;
}

static void
remove_rr(struct zone_txn *t, const struct zone_rr *rr)
{
	if (rr->type != TYPE_SOA) {
		(void)!zone_txn_remove(t, rr->owner, rr->type, rr->rdata, rr->rdlen);
	}
}

static void
add_data(struct zone_txn *t, const uint8_t *owner, uint32_t ttl, const struct text_rr *data)
{
	(void)!zone_txn_add(t, owner, data->type, ttl, data->rdata, data->rdlen);
}

static void
add_new(unsigned *seed, struct zone_txn *t, const struct records *r, const uint8_t *apex)
{
	struct name owner = any_owner(seed, r, apex);
	struct text_rr data = any_data(seed, apex);
	uint32_t ttl = ttl_of_set(r, owner.oct, data.type, any_ttl(seed, r));
	add_data(t, owner.oct, ttl, &data);
}

/* Another record of the same owner, most often of the same type. */
static void
replace(unsigned *seed, struct zone_txn *t, const struct records *r, const uint8_t *apex)
{
	const struct zone_rr *rr = any_record(seed, r);
	struct text_rr data;
	unsigned tries = 0;
	do {
		data = any_data(seed, apex);
	} while (data.type != rr->type && ++tries < 30);
	if (rr->type != TYPE_SOA) {
		remove_rr(t, rr);
		add_data(t, rr->owner, rr->ttl, &data);
	}
}

static void
change_ttl(unsigned *seed, struct zone_txn *t, const struct records *r)
{
	const struct zone_rr *rr = any_record(seed, r);
	(void)!zone_txn_add(t, rr->owner, rr->type, any_ttl(seed, r), rr->rdata, rr->rdlen);
}

static void
remove_many(unsigned *seed, struct zone_txn *t, const struct records *r)
{
	const struct zone_rr *rr = any_record(seed, r);
	bool whole_owner = below(seed, 2) == 0;
	for (size_t i = 0; i < r->n; i++) {
		if (name_is_equal(r->rr[i].owner, rr->owner) && (whole_owner || r->rr[i].type == rr->type)) {
			remove_rr(t, &r->rr[i]);
		}
	}
}

/* The serial, and seldom something else. */
static void
change_soa(unsigned *seed, struct zone_txn *t, const struct zone *z)
{
	const struct rr *rr = rrset_first(z->soa);
	uint8_t rdata[600];
	uint32_t serial = z->serial + 1, ttl = rrset_ttl(z->soa);
	size_t tail = rr->rdlen - 20u;
	memcpy(rdata, rr->rdata, rr->rdlen);
	for (unsigned i = 0; i < 4; i++) {
		rdata[tail + i] = (uint8_t)(serial >> (24 - 8 * i));
	}
	if (below(seed, 6) == 0) {
		rdata[tail + 4 + 4 * below(seed, 4) + 3] ^= 60; /* a timer */
	}
	ttl = below(seed, 12) == 0 ? 777 : ttl;
	assert_int_equal(zone_txn_remove(t, z->apex_name, TYPE_SOA, rr->rdata, rr->rdlen), OK);
	assert_int_equal(zone_txn_add(t, z->apex_name, TYPE_SOA, ttl, rdata, rr->rdlen), OK);
}

/* NULL: what came out would be no zone. */
static struct zone *
random_update(unsigned *seed, const struct zone *old, struct garbage *garbage)
{
	static struct records r;
	struct zone_txn *t = NULL;
	struct zone *new = NULL;
	r.n = 0;
	assert_int_equal(zone_walk(old, gather, &r), OK);
	assert_int_equal(zone_txn_begin(old, &t), OK);
	for (size_t ops = 1 + below(seed, below(seed, 3) == 0 ? 12 : 2); ops != 0; ops--) {
		switch (below(seed, 7)) {
		case 0:
			remove_rr(t, any_record(seed, &r));
			break;
		case 1:
		case 2:
			replace(seed, t, &r, old->apex_name);
			break;
		case 3:
			change_ttl(seed, t, &r);
			break;
		case 4:
			remove_many(seed, t, &r);
			break;
		default:
			add_new(seed, t, &r, old->apex_name);
		}
	}
	if (below(seed, 8) != 0) {
		change_soa(seed, t, old);
	}
	if (zone_txn_commit(&t, &new, garbage) != OK) {
		zone_txn_rollback(&t);
		return NULL;
	}
	return new;
}

/* ---- lines that stay ---- */

enum mark {
	STAYS,
	MAY_CHANGE,  /* could need its own owner or TTL */
	CONCERNED,
};

/* Physical lines of one file, by what the update does to their records. */
struct marks {
	struct zone_files *files;
	const struct zone_file *file;
	const struct zone_changes *changes;
	enum mark of[LINES_MAX];
};

static bool
is_concerned(const struct marks *m, const struct master_rr *rr)
{
	for (size_t i = 0; i < m->changes->n; i++) {
		const struct zone_rr *c = &m->changes->list[i].rr;
		if (c->type == rr->type && name_is_equal(c->owner, rr->owner) &&
		    rdata_compare(rr->type, c->rdata, c->rdlen, rr->rdata, rr->rdlen) == 0) {
			return true;
		}
	}
	return false;
}

/* Lines of an RRset whose TTLs differ may all get the lowest, when that goes. */
static bool
is_of_changed_set(const struct marks *m, const struct master_rr *rr)
{
	for (size_t i = 0; i < m->changes->n; i++) {
		const struct zone_rr *c = &m->changes->list[i].rr;
		if (c->type == rr->type && name_is_equal(c->owner, rr->owner) && c->ttl < rr->ttl) {
			return true;
		}
	}
	return false;
}

static err_t
mark_record(void *ctx, const struct master_rr *rr)
{
	struct marks *m = ctx;
	enum mark mark = STAYS;
	if (strcmp(rr->file, m->file->path) != 0) {
		return OK;
	}
	if ((rr->flags & MASTER_OWNER_INHERITED) != 0 || rr->ttl_source == MASTER_TTL_LAST) {
		mark = MAY_CHANGE;
	}
	if (is_concerned(m, rr) || is_of_changed_set(m, rr)) {
		mark = CONCERNED;
	}
	assert_true(rr->last_line < LINES_MAX);
	for (uint32_t line = rr->line; line <= rr->last_line; line++) {
		m->of[line - 1] = mark > m->of[line - 1] ? mark : m->of[line - 1]; /* a $GENERATE has many records */
	}
	return OK;
}

static const char *
next_line(const char *at, size_t *len)
{
	const char *newline = strchr(at, '\n');
	newline = newline != NULL ? newline : strchr(at, '\r'); /* return.example */
	*len = newline != NULL ? (size_t)(newline - at) : strlen(at);
	return newline != NULL ? newline + 1 : at + *len;
}

/* Is the line somewhere in what is left of `text`?  Then *text moves behind it. */
static bool
is_found(const char **text, const char *line, size_t len)
{
	for (const char *at = *text; *at != '\0';) {
		size_t n;
		const char *next = next_line(at, &n);
		if (n == len && memcmp(at, line, len) == 0) {
			*text = next;
			return true;
		}
		at = next;
	}
	return false;
}

/* Lines that stay are found in order; of those that may change, no more are missed than there were changes. */
static void
assert_others_stay(const struct marks *m, const char *before, const char *after)
{
	size_t missed = 0, number = 0, len;
	const char *rest = after;
	for (const char *at = before, *next; *at != '\0'; at = next, number++) {
		next = next_line(at, &len);
		const char *anywhere = after;
		if (m->of[number] == STAYS && !is_found(&rest, at, len)) {
			print_message("%s\n", after);
			fail_msg("%s: line %zu did not stay: %.*s", m->file->path, number + 1, (int)len, at);
		}
		missed += m->of[number] == MAY_CHANGE && !is_found(&anywhere, at, len);
	}
	if (missed > m->changes->n) {
		print_message("%s\n", after);
		fail_msg("%s: %zu lines changed beside the %zu changes", m->file->path, missed, m->changes->n);
	}
}

static err_t
open_for_marks(void *ctx, const char *path, struct master_text *out)
{
	return files_open(((struct marks *)ctx)->files, path, out);
}

static void
close_for_marks(void *ctx, struct master_text *text)
{
	files_close(((struct marks *)ctx)->files, text);
}

static void
check_lines(struct zone_files *before, const struct zone_files *after, const struct zone *old, const struct zone *new)
{
	static struct marks m;
	struct zone_changes changes;
	struct master_counts counts;
	struct master_reader r = files_reader(before, NULL, old->apex_name);
	r.ctx = &m;
	r.record = mark_record;
	r.open = open_for_marks;
	r.close = close_for_marks;
	assert_int_equal(zone_changes_find(old, new, SIZE_MAX, &changes), OK);
	for (size_t i = 0; i < FILES_MAX && before->file[i].text != NULL; i++) {
		memset(&m, 0, sizeof m);
		m.files = before;
		m.file = &before->file[i];
		m.changes = &changes;
		assert_int_equal(master_read(&r, before->file[0].text, before->file[0].len, &counts), OK);
		assert_others_stay(&m, before->file[i].text, after->file[i].text);
	}
	zone_changes_fini(&changes);
}

/* ---- running ---- */

/* The texts of `f` become those of the edit. */
static void
take_texts(struct zone_files *f, struct edit *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct zone_file *file = files_find(f, e->files[i].path);
		free((void *)(uintptr_t)file->text);
		file->text = e->files[i].text;
		file->len = e->files[i].len;
		e->files[i].text = NULL;
	}
}

/* One update.  False: the zone has become too large, or nothing of it was left to go on with. */
static bool
may_go_on(unsigned *seed, const char *name, struct zone_files *f)
{
	char what[200];
	struct name apex;
	struct garbage garbage = { 0 };
	struct edit e = { 0 };
	struct diag why;
	snprintf(what, sizeof what, "%s, seed %u", name, *seed);
	assert_int_equal(name_parse(name, strlen(name), NULL, &apex), OK);
	struct zone *old = files_load(f, apex.oct);
	if (old == NULL) {
		fail_msg("%s: %s", what, f->trouble);
		return false;
	}
	bool is_small = old->records < RECORDS_MAX / 2;
	struct zone *new = is_small ? random_update(seed, old, &garbage) : NULL;
	if (new == NULL) {
		zone_free(&old);
		return is_small;
	}
	err_t err = files_edit(f, old, new, &e, &why);
	if (err != OK) {
		print_message("%s\n", f->file[0].text);
		fail_msg("%s: %s: %s", what, err_str(err), why.text);
	}
	struct zone_files after = files_after(f, &e);
	assert_files_say(&after, new, what);
	check_lines(f, &after, old, new);
	take_texts(f, &e);
	edit_fini(&e);
	garbage_free(&garbage);
	zone_free(&new);
	return true;
}

static void
keeps_its_lines(void **state)
{
	const char *name = *state;
	unsigned seed = first_seed;
	for (unsigned step = 0; step < steps;) {
		struct zone_files f = read_zone(name);
		for (unsigned i = 0; i < STEPS_IN_A_ROW && step < steps; i++, step++) {
			if (!may_go_on(&seed, name, &f)) {
				break;
			}
		}
		free_zone_files(&f);
	}
}

static int
is_zone(const struct dirent *d)
{
	return d->d_name[0] != '.' && strcmp(d->d_name, "parts") != 0;
}

/* One case a zone. */
int
main(int argc, char **argv)
{
	struct dirent **zones = NULL;
	struct CMUnitTest tests[ZONES_MAX];
	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [UPDATES [SEED]]\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	steps = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : steps;
	first_seed = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : first_seed;
	int n = scandir(directory, &zones, is_zone, alphasort);
	if (n <= 0 || n > ZONES_MAX) {
		fprintf(stderr, "%s: %d zones\n", directory, n);
		return 2;
	}
	for (int i = 0; i < n; i++) {
		tests[i] = (struct CMUnitTest){ .name = zones[i]->d_name, .test_func = keeps_its_lines, .initial_state = zones[i]->d_name };
	}
	int failed = _cmocka_run_group_tests("styles", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++) {
		free(zones[i]);
	}
	free(zones);
	return failed;
}
