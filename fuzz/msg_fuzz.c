/* A message that parses is what its view says: every section can be walked again by the slow reader,
 * record for record, and ends where the next begins. */
#include <stdlib.h>
#include <string.h>

#include "dns/ede.h"
#include "dns/msg.h"
#include "dns/rrtype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* The options fill the RDATA, one after the other, and what is said of errors is text. */
static void
check_options(const struct edns *e)
{
	struct edns_option o;
	char text[EDE_TEXT_MAX];
	size_t at = 0;
	while (edns_next_option(e, &at, &o)) {
		check(o.data + o.len == e->options + at);
	}
	check(at == (e->version == 0 ? e->options_len : 0));
	check(ede_print(e, text) == text && memchr(text, '\0', sizeof text) != NULL);
	for (const char *c = text; *c != '\0'; c++) {
		check(*c >= ' ' && *c <= '~');
	}
}

static void
check_edns(const struct msg *m)
{
	const struct edns *e = &m->edns;
	if (!e->present) {
		check(!e->wants_nsid && !e->wants_keepalive && !e->has_idle);
		return;
	}
	check(e->udp_size >= DNS_UDP_PLAIN_MAX);
	check(e->options >= m->wire && e->options + e->options_len <= m->wire + m->len);
	check_options(e);
}

static void
check_records(const struct msg *m)
{
	struct cur c = cur_over(m->wire, m->len);
	c.pos = m->rr_at[1];
	for (int section = 1; section <= 3; section++) {
		check(c.pos == m->rr_at[section]);
		for (unsigned i = 0; i < m->count[section]; i++) {
			struct name owner;
			struct msg_rr rr;
			err_t err = msg_read_rr(&c, &owner, &rr);
			if (err != OK) { /* only where a pointer leads to what is no name */
				check(err == E_PTR || err == E_LABEL || err == E_NAMELEN || err == E_SHORT);
				return;
			}
			check(rr.type != TYPE_TSIG || (m->has_tsig && m->tsig.at == rr.at));
			check(rr.type != TYPE_OPT || (section == 3 && m->edns.present));
		}
	}
	check(c.pos == m->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg m;
	if (msg_parse(data, size, &m) != OK) {
		return 0;
	}
	check(name_len(m.qname.oct) == m.qname.len);
	if (m.count[0] != 0) {
		struct cur c = cur_over(data, size);
		struct name qname;
		c.pos = DNS_HEADER_LEN;
		name_read(&c, &qname);
		check(c.err == OK && c.pos + 4 == m.question_end && name_is_equal(qname.oct, m.qname.oct));
	}
	check_edns(&m);
	check_records(&m);
	return 0;
}
