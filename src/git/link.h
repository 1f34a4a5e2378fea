/* git/link.h -- the socket between the DNS side and the git side: small frames, whole or not at all.
 *
 * A SOCK_SEQPACKET pair; each frame is one packet, so that any thread may send one.  Contents of files
 * cross in a sealed memfd (nobody can change it any more; the receiver maps it), passed with the
 * frame.  Neither side trusts the other's numbers: lengths are checked against the file's size.
 *
 *   DNS → git   PULL                     bring what is new (several that wait are one)
 *               GET path                 a file of the commit under way
 *               DONE                     the commit has been dealt with: go on
 *   git → DNS   COMMIT id flags + memfd  what changed since the last COMMIT that was DONE
 *               UPTODATE id              nothing changed
 *               FILE status + memfd      answer to GET
 *               FAILED phase text        the pull came to nothing; when it is tried again
 *
 * After COMMIT the git side answers GETs until DONE; only then does the next PULL begin.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum link_type { LINK_PULL = 1, LINK_GET, LINK_DONE, LINK_COMMIT, LINK_UPTODATE, LINK_FILE, LINK_FAILED };

enum { LINK_TEXT_MAX = 2048, LINK_FRAME_MAX = 4096 };

enum link_commit_flags {
	LINK_WHOLE = 1 << 0,             /* the whole tree (the first COMMIT, or history was rewritten) */
	LINK_ALLOW_MASS_DELETE = 1 << 1, /* trailer Origin-Allow: mass-delete */
	LINK_FROM_CACHE = 1 << 2,        /* out of --cache-dir, the remote was not reached */
};

struct link_frame {
	uint8_t type;
	uint8_t flags;
	uint16_t status;              /* LINK_FILE: an err_t */
	uint32_t n;                   /* LINK_COMMIT: entries in the memfd */
	uint32_t retry_s;             /* LINK_FAILED: until the next try; 0: none by itself */
	uint32_t took_ms;             /* COMMIT, UPTODATE: what git took */
	char id[65];                  /* commit, hex */
	char text[LINK_TEXT_MAX];     /* GET: path; FAILED: what, where, what to do; NUL-terminated */
	int fd;                       /* passed along, owned by the receiver; -1: none */
};

/* The memfd of a COMMIT: `n` entries one after the other, each aligned to 8 octets:
 * struct link_entry, path (path_len octets, then a NUL), content (len octets). */
enum link_entry_kind { LINK_ENTRY_PUT = 1, LINK_ENTRY_REMOVE, LINK_ENTRY_REFUSED /* content: why, as text */, LINK_ENTRY_NAMED /* below the root: no content */ };
struct link_entry {
	uint32_t kind;
	uint32_t path_len;
	uint64_t len;
};

err_t link_send(int sock, const struct link_frame *f); /* E_IO: the other side is gone; f->fd stays the caller's */
err_t link_recv(int sock, struct link_frame *out);     /* blocks; E_STOPPED: the other side is gone; E_FORMAT */
