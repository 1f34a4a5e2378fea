#include "net/ask_zone.h"

#include <string.h>

#include "dns/request.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { SECTION_ANSWER = 1, SECTION_AUTHORITY = 2 };

enum { QUERY_MAX = 12 + NAME_WIRE_MAX + 4 + 11 + TSIG_RR_MAX }; /* header, question, OPT, signature */

/* Finds a SOA record in the section whose owner is the name or an ancestor of it. */
static err_t
find_soa(const struct msg *m, unsigned section, const uint8_t *name, struct name *out)
{
	struct cur c = cur_over(m->wire, m->len);
	c.pos = m->rr_at[section];
	for (unsigned i = 0; i < m->count[section]; i++) {
		struct name owner;
		struct msg_rr rr;
		TRY(msg_read_rr(&c, &owner, &rr));
		if (rr.type == TYPE_SOA && rr.rrclass == CLASS_IN && name_is_within(name, owner.oct)) {
			*out = owner;
			return OK;
		}
	}
	return E_NOTFOUND;
}

static err_t
read_answer(const struct signed_request *s, const uint8_t *name, struct name *out)
{
	struct msg m;
	bool is_believed = s->outcome == SIGNED_ACCEPTED || (s->outcome == SIGNED_REFUSED && s->rcode == RCODE_NXDOMAIN);
	if (!is_believed || msg_parse(s->answer, s->answer_len, &m) != OK) {
		return E_NOTFOUND;
	}
	bool is_found = find_soa(&m, SECTION_ANSWER, name, out) == OK || find_soa(&m, SECTION_AUTHORITY, name, out) == OK;
	return is_found ? OK : E_NOTFOUND;
}

err_t
ask_zone(struct signed_request *s, const struct client_addresses *to, const struct client_patience *patience, const uint8_t *name,
         struct name *out)
{
	uint8_t wire[QUERY_MAX], answer[DNS_MSG_MAX];
	struct buf b = buf_over(wire, sizeof wire);
	client_begin_request(&b, 0, &(struct question){ name, TYPE_SOA, CLASS_IN });
	request_put_edns(&b);
	s->wire = wire;
	s->len = b.len;
	s->cap = sizeof wire;
	s->answer = answer;
	err_t err = signed_ask(s, to, patience);
	err = err == OK ? read_answer(s, name, out) : err;
	s->wire = s->answer = NULL;
	return err;
}
