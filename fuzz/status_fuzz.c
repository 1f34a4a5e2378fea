/* Any message as a question about the server's state, and as an answer to one.  What the server answers, its client reads; and the page
 * that follows it begins behind it. */
#include <stdlib.h>

#include "../tests/unit/serve.h"
#include "auth/status.h"

#define HEAD "$TTL 60\n@ SOA ns host 7 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
#define KEY(name) name " DNSKEY 0 3 163 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static struct primary *primary;
static struct status_item item;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
stop(void)
{
	primary_free(&primary);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const files[][2] = {
		{ "example", HEAD }, { "a.example", HEAD }, { "b.example", HEAD "bad A 1.2.3\n" }, { "other", HEAD },
		{ "_keys", KEY("all._status.") KEY("x._notify.example.") KEY("z._transfer.other.") },
	};
	(void)argc, (void)argv;
	primary = serve_files(files, ARRAY_LEN(files));
	ASSERT(primary != NULL);
	(void)atexit(stop);
	return 0;
}

/* Reads a section to its end; *last: its last item. */
static unsigned
read_section(const struct msg *m, unsigned section)
{
	struct status_reader r = status_read(m, section);
	unsigned n = 0;
	while (status_next(&r, &item) == OK) {
		n++;
	}
	return n;
}

static void
check_answer(const struct status_question *q, const struct reply *r)
{
	struct msg m;
	struct name next;
	ASSERT(msg_parse(r->wire, r->len, &m) == OK && m.count[2] == 1);
	ASSERT(read_section(&m, 1) == m.count[1] && read_section(&m, 2) == 1); /* the second is in `item` now */
	const char *after = status_value(&item, "next");
	if (after[0] != '\0') {
		ASSERT(m.count[1] != 0 && name_parse(after, strlen(after), NULL, &next) == OK && name_is_within(next.oct, q->domain));
		ASSERT(!q->has_after || name_compare(next.oct, q->after.oct) > 0);
	}
}

static void
answer(const struct msg *m, size_t cap)
{
	static uint8_t wire[DNS_MSG_MAX];
	struct status_question q;
	struct reply r = { .wire = wire, .len = m->question_end, .cap = cap };
	if (m->count[0] != 1 || status_question_read(m, &q) != OK || cap < r.len) {
		return;
	}
	memcpy(wire, m->wire, m->question_end);
	memset(wire + 6, 0, 6);
	if (status_answer(primary_view(primary), &(struct server_conf){ 0 }, &q, true, &r) == OK) {
		ASSERT(r.len <= cap);
		wire[7] = (uint8_t)r.count[SECTION_ANSWER];
		wire[9] = (uint8_t)r.count[SECTION_AUTHORITY];
		check_answer(&q, &r);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg m;
	if (size < 1 || msg_parse(data + 1, size - 1, &m) != OK) {
		return 0;
	}
	answer(&m, 16 * (size_t)data[0]);
	(void)read_section(&m, 1);
	(void)read_section(&m, 2);
	return 0;
}
