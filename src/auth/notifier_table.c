/* Keeps the notifier's keys, peers and notices. */
#include <stdlib.h>
#include <string.h>

#include "auth/notifier_p.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/number.h"

/* ---- keys ---- */

static err_t
signer_get(struct notifier *n, const struct tsig_key *key, struct signer **out)
{
	struct nkey name;
	nkey_set(&name, key->name.oct);
	struct signer *s = trie_get(&n->signers.now, &name);
	if (s != NULL && key_is_same(&s->tsig, key)) {
		s->refs++;
		*out = s;
		return OK;
	}
	s = try_alloc(sizeof *s);
	void *old = NULL;
	if (s == NULL) {
		return E_NOMEM;
	}
	s->tsig = *key;
	err_t err = trie_put(&n->signers, s, &old);
	if (err != OK) {
		wipe(s, sizeof *s);
		free(s);
		return err;
	}
	if (old != NULL) {
		((struct signer *)old)->is_listed = false;
	}
	s->is_listed = true;
	s->refs = 1;
	*out = s;
	return OK;
}

static void
signer_put_back(struct notifier *n, struct signer *s)
{
	if (s == NULL || --s->refs != 0) {
		return;
	}
	if (s->is_listed) {
		struct nkey name;
		nkey_set(&name, s->tsig.name.oct);
		(void)trie_remove(&n->signers, &name);
	}
	wipe(s, sizeof *s);
	free(s);
}

/* ---- peers ---- */

static bool
is_same_peer(const struct notify_target *a, const struct notify_target *b)
{
	if (a->conn != 0 || b->conn != 0) {
		return a->conn == b->conn;
	}
	return a->port == b->port && key_address_is_equal(&a->address, &b->address) && key_address_is_equal(&a->source, &b->source);
}

static size_t
bucket_of(const struct notifier *n, const struct notify_target *at)
{
	uint32_t h = n->seed; /* a secret start value */
	if (at->conn != 0) {
		h = hash32(h, &at->conn, sizeof at->conn);
	} else {
		h = hash32(h, &at->port, sizeof at->port);
		h = hash32(h, at->address.octets, key_address_len(&at->address));
	}
	return (h ^ h >> 16) & (PEER_BUCKETS - 1);
}

struct peer *
peer_find(const struct notifier *n, const struct notify_target *at)
{
	struct peer *p = n->bucket[bucket_of(n, at)];
	while (p != NULL && !is_same_peer(&p->at, at)) {
		p = p->next;
	}
	return p;
}

struct peer *
peer_get(struct notifier *n, const struct notify_target *at)
{
	struct peer *p = peer_find(n, at);
	if (p != NULL) {
		return p;
	}
	struct peer **bucket = &n->bucket[bucket_of(n, at)];
	struct trie none;
	p = try_alloc(sizeof *p);
	if (p == NULL) {
		return NULL;
	}
	p->at = *at;
	p->at.key = NULL;
	p->exchange = NO_EXCHANGE;
	p->window = NOTIFIER_WINDOW_MIN;
	trie_init(&none, offsetof(struct notice, zone));
	trie_begin(&p->notices, &none);
	for (size_t q = 0; q < NOTICE_QUEUES; q++) {
		list_init(&p->waiting[q]);
		list_init(&p->waiting_udp[q]);
	}
	list_init(&p->on_exchange);
	list_init(&p->in_air);
	p->next = *bucket;
	*bucket = p;
	return p;
}

void
peer_free(struct notifier *n, struct peer *p)
{
	ASSERT(p->notices.now.n == 0 && p->in_flight == 0 && p->exchange == NO_EXCHANGE);
	struct peer **at = &n->bucket[bucket_of(n, &p->at)];
	while (*at != p) {
		at = &(*at)->next;
	}
	*at = p->next;
	trie_rollback(&p->notices);
	free(p);
}

/* ---- notices ---- */

static size_t
notice_octets(const struct notice *x)
{
	return sizeof *x + x->zone_len + x->rdlen;
}

/* The serial in the RDATA of an SOA record (RFC 1035 3.3.13): it follows two names, and four more numbers follow it. */
static uint32_t
serial_of(const uint8_t *soa, uint16_t len)
{
	size_t at = name_len(soa);
	at += name_len(soa + at);
	ASSERT(at + 20 == len);
	return u32_at(soa + at);
}

err_t
notice_new(struct notifier *n, const struct notify_news *news, const struct tsig_key *key, struct notice **out)
{
	size_t zone_len = name_len(news->zone), rdlen = news->soa != NULL ? news->soa_len : 0;
	struct notice *x = try_alloc(sizeof *x + zone_len + rdlen);
	if (x == NULL) {
		return E_NOMEM;
	}
	err_t err = key != NULL ? notice_add_key(n, x, key) : OK;
	if (err != OK) {
		free(x);
		return err;
	}
	x->zone_len = (uint8_t)zone_len;
	memcpy(x->zone, news->zone, zone_len);
	if (news->soa != NULL) {
		x->serial = serial_of(news->soa, news->soa_len);
		x->ttl = news->soa_ttl;
		x->rdlen = news->soa_len;
		memcpy(x->zone + zone_len, news->soa, rdlen);
	}
	n->stats.octets += notice_octets(x);
	*out = x;
	return OK;
}

void
notice_free(struct notifier *n, struct notice *x)
{
	for (unsigned i = 0; i < x->signers_n; i++) {
		signer_put_back(n, x->signers[i]);
	}
	n->stats.octets -= notice_octets(x);
	free(x);
}

bool
notice_has_room(const struct notice *x, const struct notify_news *news, const struct tsig_key *key)
{
	size_t rdlen = news->soa != NULL ? news->soa_len : 0;
	bool has_room = key != NULL && x->signers_n != 0 && x->signers_n < NOTIFIER_KEYS_MAX && x->rdlen == rdlen &&
	                (rdlen == 0 || memcmp(notice_soa(x), news->soa, rdlen) == 0);
	for (unsigned i = 0; i < x->signers_n && has_room; i++) {
		has_room = !name_is_equal(x->signers[i]->tsig.name.oct, key->name.oct);
	}
	return has_room;
}

err_t
notice_add_key(struct notifier *n, struct notice *x, const struct tsig_key *key)
{
	TRY(signer_get(n, key, &x->signers[x->signers_n]));
	x->signers_n++;
	return OK;
}

void
notice_drop_key(struct notifier *n, struct notice *x)
{
	signer_put_back(n, x->signers[x->turn]);
	x->signers_n--;
	memmove(x->signers + x->turn, x->signers + x->turn + 1, (size_t)(x->signers_n - x->turn) * sizeof(struct signer *));
	x->turn = (uint8_t)(x->turn < x->signers_n ? x->turn : 0);
}

struct notice *
peer_notice(const struct peer *p, const uint8_t *zone)
{
	struct nkey key;
	nkey_set(&key, zone);
	return trie_get(&p->notices.now, &key);
}

err_t
peer_put(struct peer *p, struct notice *x, struct notice **old)
{
	void *replaced = NULL;
	TRY(trie_put(&p->notices, x, &replaced));
	x->peer = p;
	*old = replaced;
	p->octets += notice_octets(x);
	p->octets -= *old != NULL ? notice_octets(*old) : 0;
	return OK;
}

void
peer_take(struct notice *x)
{
	struct nkey key;
	nkey_set(&key, x->zone);
	void *taken = trie_remove(&x->peer->notices, &key);
	ASSERT(taken == x);
	x->peer->octets -= notice_octets(x);
	x->peer = NULL;
}

/* ---- freeing the table ---- */

static void
free_value(void *ctx, void *value)
{
	notice_free(ctx, value);
}

void
table_free(struct notifier *n)
{
	for (size_t i = 0; i < PEER_BUCKETS; i++) {
		while (n->bucket[i] != NULL) {
			struct peer *p = n->bucket[i];
			n->bucket[i] = p->next;
			trie_fini(&p->notices.now, free_value, n);
			trie_rollback(&p->notices);
			free(p);
		}
	}
	trie_rollback(&n->signers);
}
