/* dns/msg.h -- a received message as a view: nothing is copied or allocated.
 *
 * msg_parse() checks the header, walks every section once and remembers where things are.  It accepts
 * what RFC 1035 4 allows and leaves what it means to the caller: more than one question, unknown
 * opcodes and EDNS versions are outcomes for the server, not parse errors.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"
#include "base/err.h"
#include "dns/name.h"
#include "dns/wire.h"

struct edns {
	bool present;
	uint8_t version;
	uint8_t ext_rcode;
	uint16_t udp_size;           /* below 512 counts as 512 (RFC 6891 6.2.3) */
	uint16_t flags;              /* EDNS_DO */
	const uint8_t *options;      /* in the message */
	uint16_t options_len;
	bool wants_nsid;             /* seen among the options; unknown ones are passed over */
	bool has_keepalive;
	bool wants_zoneversion;
};

/* A resource record as it stands in a message. */
struct msg_rr {
	size_t at;             /* offset of its owner */
	uint16_t type, rrclass;
	uint32_t ttl;
	size_t rdata_at;
	uint16_t rdlength;
};

struct msg {
	const uint8_t *wire; /* borrowed */
	size_t len;
	uint16_t id, bits;   /* bits: DNS_QR, DNS_OPCODE, ... */
	uint16_t count[4];   /* question, answer, authority, additional, as in the header */
	struct name qname;   /* of the first question; case kept; the root when there is none */
	uint16_t qtype, qclass;
	size_t question_end; /* offset after the first question; 12 when there is none */
	size_t rr_at[4];     /* where sections 1 to 3 begin; good when msg_parse() was OK */
	struct edns edns;
	bool has_tsig;
	struct msg_rr tsig;  /* last of the additional section (RFC 8945 5.1) */
};

/* `out` is filled as far as reading came, so that a FORMERR can be answered: id and bits are good
 * whenever len >= 12.  E_SHORT below that.  E_FORMAT: counts that lie, trailing octets, two OPTs,
 * an OPT elsewhere than in the additional section, a TSIG that is not last, a bad RR.  A compression
 * pointer is only checked to lead backwards: names behind it and RDATA are checked by their readers.
 * Options of an EDNS version other than 0 are not looked at.  Opcodes that are not known may have
 * bodies of their own (DSO): look at the opcode before answering FORMERR. */
err_t msg_parse(const uint8_t *wire, size_t len, struct msg *out);

/* Reads the RR at the cursor (over the whole message) and moves past it.  What the cursor latches. */
err_t msg_read_rr(struct cur *c, struct name *owner, struct msg_rr *out);

struct edns_option {
	uint16_t code, len;
	const uint8_t *data; /* in the message */
};

/* The next of the options of a message that msg_parse() took; *at is 0 before the first.  False: there is none.  An EDNS version
 * other than 0 has none that we know. */
bool edns_next_option(const struct edns *e, size_t *at, struct edns_option *out);

static inline unsigned
msg_opcode(const struct msg *m)
{
	return (m->bits & DNS_OPCODE) >> 11;
}
