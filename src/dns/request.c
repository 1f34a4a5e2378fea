#include "dns/request.h"

#include "dns/name.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

enum { ARCOUNT_AT = 10, OPTION_LEN = 4 };

void
request_begin(struct buf *b, uint16_t id, uint16_t bits, const struct question *q)
{
	buf_u16(b, id);
	buf_u16(b, bits);
	buf_u16(b, 1); /* QDCOUNT */
	buf_u16(b, 0);
	buf_u32(b, 0);
	buf_put(b, q->name, name_len(q->name));
	buf_u16(b, q->type);
	buf_u16(b, q->rrclass);
}

static void
put_opt(struct buf *b, uint16_t rdlen)
{
	buf_u8(b, 0); /* the root */
	buf_u16(b, TYPE_OPT);
	buf_u16(b, DNS_UDP_EDNS_DEFAULT);
	buf_u32(b, 0); /* RCODE, version and flags */
	buf_u16(b, rdlen);
	buf_patch_u16(b, ARCOUNT_AT, 1);
}

void
request_put_edns(struct buf *b)
{
	put_opt(b, 0);
}

void
request_put_keepalive(struct buf *b)
{
	put_opt(b, OPTION_LEN);
	buf_u16(b, EDNS_OPT_KEEPALIVE);
	buf_u16(b, 0); /* octets of it: only servers tell a time */
}
