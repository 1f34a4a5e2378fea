#include "auth/shut.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "zone/nkey.h"

static size_t
size_of(size_t apex_len)
{
	return sizeof(struct shut_zone) + apex_len;
}

size_t
shut_zone_octets(size_t apex_len)
{
	return alloc_octets(size_of(apex_len));
}

int
shut_zone_ede(const struct shut_zone *z)
{
	return z->why == SHUT_EXPIRED ? EDE_INVALID_DATA : EDE_NOT_READY; /* RFC 8914 4.25, 4.15 */
}

const char *
shut_zone_text(const struct shut_zone *z)
{
	return z->why == SHUT_EXPIRED   ? "the zone has expired"
	       : z->why == SHUT_UNKNOWN ? "it is not known yet which zones there are"
	                                : "the zone was not transferred yet";
}

void
shut_txn_begin(struct shut_txn *t, const struct trie *from)
{
	*t = (struct shut_txn){ 0 };
	trie_begin(&t->all, from);
}

/* So that both lists can take one block more. */
static err_t
reserve(struct shut_txn *t)
{
	TRY(garbage_reserve(&t->made, 1));
	return garbage_reserve(&t->replaced, 1);
}

static void
drop(struct shut_txn *t, struct shut_zone *z)
{
	if (z != NULL) {
		garbage_add(&t->replaced, z, size_of(z->apex_len));
	}
}

err_t
shut_txn_put(struct shut_txn *t, const uint8_t *apex, enum shut_why why)
{
	size_t len = name_len(apex);
	void *replaced;
	TRY(reserve(t));
	struct shut_zone *z = try_alloc(size_of(len));
	if (z == NULL) {
		return E_NOMEM;
	}
	z->why = why;
	z->apex_len = (uint8_t)len;
	memcpy(z->apex, apex, len);
	err_t err = trie_put(&t->all, z, &replaced);
	if (err != OK) {
		free(z);
		return err;
	}
	garbage_add(&t->made, z, size_of(len));
	drop(t, replaced);
	return OK;
}

err_t
shut_txn_remove(struct shut_txn *t, const uint8_t *apex)
{
	struct nkey key;
	nkey_set(&key, apex);
	if (trie_get(&t->all.now, &key) == NULL) {
		return OK;
	}
	TRY(reserve(t));
	TRY(trie_claim(&t->all, &key));
	drop(t, trie_remove(&t->all, &key));
	return OK;
}

struct trie
shut_txn_commit(struct shut_txn *t, struct garbage *garbage)
{
	garbage_forget(&t->made);
	garbage_move(garbage, &t->replaced);
	return trie_commit(&t->all, garbage);
}

void
shut_txn_rollback(struct shut_txn *t)
{
	trie_rollback(&t->all);
	garbage_forget(&t->replaced); /* the old version keeps them, or they are among those made here */
	garbage_free(&t->made);
}

static void
free_zone(void *ctx, void *value)
{
	(void)ctx;
	free(value);
}

void
shut_fini(struct trie *t)
{
	trie_fini(t, free_zone, NULL);
}
