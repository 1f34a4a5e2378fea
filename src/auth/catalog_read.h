/* auth/catalog_read.h -- reads a catalog zone (RFC 9432): which zones it lists, each with the label that tags it.
 *
 *     version.CATALOG          TXT "2"
 *     LABEL.zones.CATALOG      PTR MEMBER
 *     coo.LABEL.zones.CATALOG  PTR OTHER-CATALOG    the member's next catalog (4.4.1)
 *
 * All else is passed over (3): groups, too, since there is nothing here that could differ from group to group.
 *
 * A catalog is broken, and must not be processed (5.1), when it has no version, several of them, or another one than 2; when a LABEL has
 * several PTR records, or its coo has; when two labels tag the same member.  Records of other classes, or outside of the zone, never come
 * so far (auth/incoming.h).
 *
 * Pure.  Cost: O(names below zones.CATALOG).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "dns/name.h"
#include "zone/trie.h"
#include "zone/zone.h"

enum { CATALOG_WHY_MAX = 2 * NAME_TEXT_MAX + 100 };

struct catalog_member {
	const uint8_t *label;   /* its length octet, then the label; in the version that was read */
	const uint8_t *next;    /* the catalog that it may move to, in the same version; NULL: none */
	uint8_t name_len;
	uint8_t name[];         /* the trie uses the name in here as its key */
};

struct catalog_list {
	struct trie members;    /* of struct catalog_member, by name */
	struct arena memory;    /* of these */
};

/* Borrows the version as long as the list is there.  E_FORMAT: it is broken, and `why` says where and why; E_LIMIT: it has more members
 * than that, and `why` says so.  E_NOMEM.  After an error the list is empty. */
err_t catalog_read(const struct zone *z, size_t members_max, struct catalog_list *out, char why[CATALOG_WHY_MAX]);
void catalog_list_fini(struct catalog_list *l);

/* Are two labels the same, without regard to case? */
bool catalog_is_label(const uint8_t *a, const uint8_t *b);
