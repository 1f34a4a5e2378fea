/* dns/wire.h -- numbers of the wire format: header layout, opcodes, RCODEs, classes, EDNS.
 * IANA "Domain Name System (DNS) Parameters"; RFC 1035 4.1.1, 2136, 6891, 8945.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	DNS_HEADER_LEN = 12,
	RR_FIXED_LEN = 10,          /* TYPE, CLASS, TTL, RDLENGTH: the fields between owner and RDATA */
	DNS_MSG_MAX = 65535,
	DNS_UDP_PLAIN_MAX = 512,    /* without EDNS (RFC 1035 4.2.1) */
	DNS_UDP_EDNS_DEFAULT = 1232, /* fits everywhere without fragments (RFC 9715) */
	DNS_RDATA_MAX = 65535,
	DNS_TTL_MAX = 0x7FFFFFFF,   /* RFC 2181 8 */
};

/* Bits of the header's second 16-bit word. */
enum {
	DNS_QR = 0x8000,
	DNS_OPCODE = 0x7800,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
	DNS_RCODE = 0x000F,
};

enum {
	OPCODE_QUERY = 0,
	OPCODE_STATUS = 2,
	OPCODE_NOTIFY = 4,
	OPCODE_UPDATE = 5,
	OPCODE_DSO = 6,
};

/* Of a message with a whole header: */
static inline bool
dns_is_response(const uint8_t *message)
{
	return (message[2] & DNS_QR >> 8) != 0;
}

static inline unsigned
dns_opcode(const uint8_t *message)
{
	return message[2] >> 3 & 0xF;
}

enum {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6,
	RCODE_YXRRSET = 7,
	RCODE_NXRRSET = 8,
	RCODE_NOTAUTH = 9,
	RCODE_NOTZONE = 10,
	RCODE_BADVERS = 16, /* needs EDNS's upper bits */
	/* TSIG errors: in the TSIG record, not in the header */
	RCODE_BADSIG = 16,
	RCODE_BADKEY = 17,
	RCODE_BADTIME = 18,
	RCODE_BADTRUNC = 22,
	RCODE_BADCOOKIE = 23, /* RFC 7873 8; needs EDNS's upper bits */
};

enum {
	CLASS_IN = 1,
	CLASS_CH = 3,
	CLASS_HS = 4,
	CLASS_NONE = 254,
	CLASS_ANY = 255,
};

enum {
	EDNS_DO = 0x8000,
	EDNS_OPT_NSID = 3,       /* RFC 5001 */
	EDNS_OPT_COOKIE = 10,    /* RFC 7873 */
	EDNS_OPT_KEEPALIVE = 11, /* RFC 7828 */
	EDNS_OPT_PADDING = 12,   /* RFC 7830 */
	EDNS_OPT_EDE = 15,       /* RFC 8914 */
	EDNS_OPT_ZONEVERSION = 19, /* RFC 9660 */
};

/* Extended DNS error codes (RFC 8914 4). */
enum {
	EDE_NONE = -1,
	EDE_OTHER = 0,
	EDE_NOT_READY = 14,
	EDE_PROHIBITED = 18,
	EDE_NOT_AUTHORITATIVE = 20,
	EDE_NOT_SUPPORTED = 21,
	EDE_NETWORK_ERROR = 23,
	EDE_INVALID_DATA = 24,
};
