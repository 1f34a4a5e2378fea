#include "dns/ede.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"

/* IANA "Extended DNS Error Codes". */
static const char *const names[] = {
	"Other Error",
	"Unsupported DNSKEY Algorithm",
	"Unsupported DS Digest Type",
	"Stale Answer",
	"Forged Answer",
	"DNSSEC Indeterminate",
	"DNSSEC Bogus",
	"Signature Expired",
	"Signature Not Yet Valid",
	"DNSKEY Missing",
	"RRSIGs Missing",
	"No Zone Key Bit Set",
	"NSEC Missing",
	"Cached Error",
	"Not Ready",
	"Blocked",
	"Censored",
	"Filtered",
	"Prohibited",
	"Stale NXDOMAIN Answer",
	"Not Authoritative",
	"Not Supported",
	"No Reachable Authority",
	"Network Error",
	"Invalid Data",
	"Signature Expired before Valid",
	"Too Early",
	"Unsupported NSEC3 Iterations Value",
	"Unable to conform to policy",
	"Synthesized",
	"Invalid Query Type",
};

static void
put_name(struct buf *b, unsigned code)
{
	char number[16];
	const char *name = code < ARRAY_LEN(names) ? names[code] : number;
	(void)snprintf(number, sizeof number, "EDE%u", code);
	buf_put(b, name, strlen(name));
}

static void
put_text(struct buf *b, const uint8_t *text, size_t len)
{
	if (len != 0 && text[len - 1] == '\0') {
		len--; /* a final NUL is allowed (RFC 8914 2) */
	}
	if (len == 0) {
		return;
	}
	buf_put(b, " (", 2);
	for (size_t i = 0; i < len; i++) {
		char escaped[5];
		if (text[i] >= ' ' && text[i] < 127 && text[i] != '\\') {
			buf_u8(b, text[i]);
		} else {
			(void)snprintf(escaped, sizeof escaped, "\\%03u", text[i]);
			buf_put(b, escaped, 4);
		}
	}
	buf_u8(b, ')');
}

const char *
ede_print(const struct edns *e, char out[EDE_TEXT_MAX])
{
	static const char cut[] = "...";
	struct buf b = buf_over((uint8_t *)out, EDE_TEXT_MAX - sizeof cut);
	struct edns_option o;
	for (size_t at = 0; edns_next_option(e, &at, &o);) {
		if (o.code != EDNS_OPT_EDE || o.len < 2) {
			continue;
		}
		if (b.len != 0) {
			buf_put(&b, "; ", 2);
		}
		put_name(&b, u16_at(o.data));
		put_text(&b, o.data + 2, o.len - 2u);
	}
	(void)snprintf(out + b.len, sizeof cut, "%s", b.err != OK ? cut : "");
	return out;
}
