/* auth/shut.h -- zones that are ours and cannot be served: questions about them get SERVFAIL.
 *
 * A secondary has such zones: those that were not transferred yet, and those that have expired (RFC 1034 4.3.5).  So it has domains of
 * which it does not know yet which zones there are.  A view has them in a trie beside that of the zones which it
 * serves (auth/view.h).  A name is in one of both at most.
 *
 * Each is one immutable block, which the trie's version owns.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/garbage.h"
#include "zone/trie.h"

enum shut_why {
	SHUT_NEW,     /* never transferred */
	SHUT_EXPIRED, /* not refreshed for too long */
	SHUT_UNKNOWN, /* no zone, but a domain: there may be any zone in it */
};

struct shut_zone {
	enum shut_why why;
	uint8_t apex_len;
	uint8_t apex[]; /* the trie uses the name in here as its key */
};

#define SHUT_NAME_AT offsetof(struct shut_zone, apex)

size_t shut_zone_octets(size_t apex_len); /* memory */

int shut_zone_ede(const struct shut_zone *z);          /* for the client (RFC 8914) */
const char *shut_zone_text(const struct shut_zone *z); /* for the log */

/* The next version of the trie. */
struct shut_txn {
	struct trie_txn all;
	struct garbage made, replaced; /* of this transaction; of the version before */
};

void shut_txn_begin(struct shut_txn *t, const struct trie *from);
err_t shut_txn_put(struct shut_txn *t, const uint8_t *apex, enum shut_why why); /* replaces what is there.  E_NOMEM */
err_t shut_txn_remove(struct shut_txn *t, const uint8_t *apex);                 /* if it is there.  E_NOMEM */
struct trie shut_txn_commit(struct shut_txn *t, struct garbage *garbage);
void shut_txn_rollback(struct shut_txn *t);

void shut_fini(struct trie *t); /* frees all: no other version may share them any more */
