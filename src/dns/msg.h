/* dns/msg.h -- a received message as a view: nothing is copied or allocated.
 *
 * msg_parse() checks the header, walks over every section once, and notes the positions of its parts.  It accepts everything
 * that RFC 1035 4 allows; the caller decides what it means: several questions, unknown opcodes or EDNS versions are not parse
 * errors.
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
	bool wants_nsid;             /* found among the options; unknown options are ignored */
	bool wants_keepalive;        /* the option as a client sends it (RFC 7828 3.1), */
	bool has_idle;               /* and as a server sends it: */
	uint16_t idle_100ms;         /* so long may the connection be idle */
	bool wants_zoneversion;
	const uint8_t *cookie;       /* of the first cookie option (dns/cookie.h), in the message; NULL: there is none */
	uint16_t cookie_len;
};

/* A resource record in a message. */
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
	struct name qname;   /* of the first question, with its case; the root when there is none */
	uint16_t qtype, qclass;
	size_t question_end; /* offset after the first question; 12 when there is none */
	size_t rr_at[4];     /* start of sections 1 to 3; valid if msg_parse() returned OK */
	struct edns edns;
	bool has_tsig;
	struct msg_rr tsig;  /* the last record of the additional section (RFC 8945 5.1) */
};

/* Parses a message.  `out` is filled as far as it could be read, so that FORMERR can be answered: id and bits are valid whenever
 * len >= 12.  E_SHORT: len < 12.  E_FORMAT: wrong counts, trailing octets, two OPTs, an OPT outside the additional section, a
 * TSIG that is not the last record, a malformed RR.  Compression pointers are only checked to lead backwards: names and RDATA
 * are checked when they are read.  Options of an EDNS version other than 0 are ignored.  Unknown opcodes may have bodies of
 * another form (DSO): look at the opcode before answering FORMERR. */
err_t msg_parse(const uint8_t *wire, size_t len, struct msg *out);

/* Reads the RR at the cursor, which must span the whole message, and moves past it.  Returns the cursor's error. */
err_t msg_read_rr(struct cur *c, struct name *owner, struct msg_rr *out);

struct edns_option {
	uint16_t code, len;
	const uint8_t *data; /* in the message */
};

/* Reads the next option of a message that msg_parse() accepted; *at is 0 before the first.  False: there are no more.  For an
 * EDNS version other than 0 there are none. */
bool edns_next_option(const struct edns *e, size_t *at, struct edns_option *out);

static inline unsigned
msg_opcode(const struct msg *m)
{
	return (m->bits & DNS_OPCODE) >> 11;
}
