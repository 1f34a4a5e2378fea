#include "auth/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secondaries.h"
#include "base/alloc.h"
#include "base/cur.h"
#include "dns/rrtype.h"

enum {
	DNSKEY_ALG_BASE = 160, /* algorithm 161 is HMAC-SHA1, and so on in the order of enum hmac_alg */
	SECRET_WEAK_LEN = 16,  /* shorter ones can be guessed; RFC 8945 8 wants the hash's length */
	SLOTS_MIN = 16,
};

/* Keys are allocated one by one: growing never leaves copies of secrets behind. */
struct keystore {
	struct key **keys;  /* owned; in the order of adding, sorted by name once sealed */
	size_t n, cap;
	struct key **slots; /* hash table by name, open addressing; at most half full */
	size_t slots_n;     /* a power of two */
	size_t order_end;   /* no key has it, nor a larger one */
	bool is_sealed;
	const struct alloc_source *memory; /* NULL: the heap */
};

/* The slot that holds the name, or the empty one where it would go. */
static struct key **
slot_of(const struct keystore *ks, const uint8_t *name)
{
	size_t i = name_hash(name) & (ks->slots_n - 1);
	while (ks->slots[i] != NULL && !name_is_equal(ks->slots[i]->tsig.name.oct, name)) {
		i = (i + 1) & (ks->slots_n - 1);
	}
	return &ks->slots[i];
}

struct keystore *
keystore_new(const struct alloc_source *memory)
{
	struct keystore *ks = try_alloc(sizeof *ks);
	struct key **slots = ks != NULL ? try_alloc(SLOTS_MIN * sizeof(struct key *)) : NULL;
	if (slots == NULL) {
		free(ks);
		return NULL;
	}
	ks->slots_n = SLOTS_MIN;
	ks->slots = slots;
	ks->memory = memory;
	return ks;
}

static struct key *
key_new(const struct keystore *ks)
{
	return ks->memory != NULL ? ks->memory->take(ks->memory->ctx, sizeof(struct key)) : try_alloc(sizeof(struct key));
}

static void
key_free(const struct keystore *ks, struct key **k)
{
	if (ks->memory != NULL) {
		ks->memory->give(ks->memory->ctx, *k, sizeof **k);
		*k = NULL;
	} else {
		wipe(*k, sizeof **k);
		free_ptr(k);
	}
}

void
keystore_free(struct keystore **ks)
{
	if (*ks == NULL) {
		return;
	}
	for (size_t i = 0; i < (*ks)->n; i++) {
		key_free(*ks, &(*ks)->keys[i]);
	}
	free((*ks)->keys);
	free((*ks)->slots);
	free_ptr(ks);
}

static err_t
make_room(struct keystore *ks)
{
	if (ks->n == KEYS_MAX) {
		return E_LIMIT;
	}
	if (!try_room(&ks->keys, sizeof *ks->keys, ks->n, &ks->cap)) {
		return E_NOMEM;
	}
	if (ks->n < ks->slots_n / 2) {
		return OK;
	}
	struct key **old = ks->slots, **slots = try_alloc(ks->slots_n * 2 * sizeof(struct key *));
	if (slots == NULL) {
		return E_NOMEM;
	}
	ks->slots = slots;
	ks->slots_n *= 2;
	for (size_t i = 0; i < ks->n; i++) {
		*slot_of(ks, ks->keys[i]->tsig.name.oct) = ks->keys[i];
	}
	free(old);
	return OK;
}

/* Takes the key; its name must be new. */
static err_t
insert(struct keystore *ks, struct key *k)
{
	ASSERT(!ks->is_sealed);
	err_t err = make_room(ks);
	if (err != OK) {
		key_free(ks, &k);
		return err;
	}
	*slot_of(ks, k->tsig.name.oct) = k;
	ks->keys[ks->n++] = k;
	return OK;
}

/* ---- keys out of files ---- */

/* One record while it is looked at. */
struct record {
	const uint8_t *owner, *within, *rdata;
	uint16_t rdlen;
	struct findings *out;
};

[[gnu::format(printf, 6, 7)]] static void
find(const struct record *r, enum diag_level level, const char *code, unsigned nth, const char *hint,
     const char *format, ...)
{
	char text[DIAG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	findings_add_nth(r->out, &(struct finding){ .level = level, .code = code, .owner = r->owner,
	                                            .type = TYPE_DNSKEY, .rdata = r->rdata, .rdlen = r->rdlen,
	                                            .nth = nth, .hint = hint }, "%s", text);
}

/* Flags, protocol, algorithm, secret (RFC 4034 2.1, with the algorithm numbers that TSIG keys have in
 * BIND's files).  False: this cannot be a key. */
static bool
read_rdata(const struct record *r, struct tsig_key *k)
{
	struct cur c = cur_over(r->rdata, r->rdlen);
	unsigned flags = cur_u16(&c), protocol = cur_u8(&c), alg = cur_u8(&c);
	if (c.err != OK || alg <= DNSKEY_ALG_BASE || alg >= DNSKEY_ALG_BASE + HMAC_ALG_COUNT) {
		find(r, DIAG_ERROR, "key-algorithm", 0, "163 is HMAC-SHA256; 161, 162, 164, 165: SHA1, SHA224, SHA384, SHA512",
		     "algorithm %u is not one of a TSIG key", alg);
		return false;
	}
	if (flags != 0 || protocol != 3) {
		find(r, DIAG_WARNING, "key-flags", 0, "write: DNSKEY 0 3 ALGORITHM SECRET",
		     "flags %u and protocol %u mean nothing here: 0 and 3 are expected", flags, protocol);
	}
	size_t len = cur_left(&c);
	if (len == 0 || len > TSIG_SECRET_MAX) {
		find(r, DIAG_ERROR, "key-length", 0, "okeygen tsig NAME makes one of the right length",
		     len == 0 ? "the key has no secret" : "the secret is longer than %d octets", TSIG_SECRET_MAX);
		return false;
	}
	k->alg = (enum hmac_alg)(alg - DNSKEY_ALG_BASE);
	k->secret_len = len;
	cur_copy(&c, k->secret, len);
	if (len < SECRET_WEAK_LEN) {
		find(r, DIAG_WARNING, "key-weak", 0, "okeygen tsig NAME makes one of the right length",
		     "the secret has only %zu octets and could be guessed: at least %d are wanted", len, SECRET_WEAK_LEN);
	}
	return true;
}

/* False: the key would reach further than its file may, or than its name is meant to.  A name without an operation is not shown: with
 * the fields of a line in another order it may be the secret.  Whether it is a name that a secondary's key has is not known here. */
static bool
read_name(const struct record *r, struct key *k)
{
	char name[NAME_TEXT_MAX] = "without an operation", within[NAME_TEXT_MAX], trouble[KEY_TROUBLE_MAX];
	(void)name_print(r->within, within);
	name_set(&k->tsig.name, r->owner);
	err_t err = key_name_read(r->owner, k);
	key_name_trouble(r->owner, trouble);
	if (err == E_UNSUPPORTED) {
		find(r, DIAG_ERROR, "key-type", 0,
		     "before _update, and only there, labels with an underscore hold a key to types: _a, _txt, _type65280",
		     "the key's name %s", trouble);
		return false;
	}
	if (err != OK) {
		name_set(&k->domain, r->owner);
	} else {
		(void)name_print(r->owner, name);
	}
	if (!name_is_within(k->domain.oct, r->within)) {
		find(r, DIAG_ERROR, "key-domain", 0, "keys for every zone go into the file _keys",
		     "key %s does not belong to %s", name, within);
		return false;
	}
	return true;
}

static bool
is_duplicate(const struct record *r, const struct key *k, const struct key *there)
{
	if (there == NULL) {
		return false;
	}
	char name[NAME_TEXT_MAX] = "without an operation";
	if (there->right != RIGHT_NONE) {
		(void)name_print(r->owner, name);
	}
	bool is_same = key_is_same(&there->tsig, &k->tsig);
	find(r, is_same ? DIAG_WARNING : DIAG_ERROR, "key-duplicate", is_same ? 1 : 0,
	     is_same ? "remove one of the two" : "a key's name has one secret only: give the new key another name",
	     is_same ? "key %s is there twice" : "key %s is there twice, with different secrets or algorithms", name);
	return true;
}

err_t
keystore_add(struct keystore *ks, const uint8_t *owner, const uint8_t *within, const uint8_t *rdata,
             uint16_t rdlen, struct findings *out)
{
	const struct record r = { .owner = owner, .within = within, .rdata = rdata, .rdlen = rdlen, .out = out };
	struct key *k = key_new(ks);
	if (k == NULL) {
		return E_NOMEM;
	}
	if (!read_rdata(&r, &k->tsig) || !read_name(&r, k) || is_duplicate(&r, k, *slot_of(ks, owner))) {
		key_free(ks, &k);
		return OK;
	}
	k->order = ks->order_end++;
	return insert(ks, k);
}

err_t
keystore_add_key(struct keystore *ks, const struct tsig_key *key)
{
	const struct key *there = *slot_of(ks, key->name.oct);
	if (there != NULL) {
		return key_is_same(&there->tsig, key) ? OK : E_EXISTS;
	}
	struct key *k = key_new(ks);
	if (k == NULL) {
		return E_NOMEM;
	}
	k->tsig = *key;
	err_t err = key_name_read(key->name.oct, k);
	if (err == E_UNSUPPORTED) {
		key_free(ks, &k);
		return err;
	}
	if (err != OK) {
		name_set(&k->domain, key->name.oct);
	}
	k->order = ks->order_end++;
	return insert(ks, k);
}

void
keystore_find_idle(const struct keystore *ks, const struct secondaries *named, struct findings *out)
{
	for (size_t i = 0; i < ks->n; i++) {
		const struct key *k = ks->keys[i];
		char trouble[KEY_TROUBLE_MAX];
		if (k->right == RIGHT_NONE && !secondaries_name_key(named, k->tsig.name.oct)) {
			key_name_trouble(k->tsig.name.oct, trouble);
			findings_add(out, DIAG_WARNING, "key-operation", k->tsig.name.oct, TYPE_DNSKEY, NULL, 0,
			             "a key's name is ANYTHING._OPERATION.DOMAIN, where the operation is _update, _transfer, _notify or "
			             "_status; or a _secondaries file names the key",
			             "the key's name %s: the key may do nothing", trouble);
		}
	}
}

err_t
keystore_merge(struct keystore *into, const struct keystore *from, struct findings *out)
{
	const size_t begin = into->order_end;
	if (from->n > KEYS_MAX - into->n) {
		return E_LIMIT;
	}
	into->order_end += from->order_end;
	for (size_t i = 0; i < from->n; i++) {
		const struct key *k = from->keys[i];
		const struct record r = { .owner = k->tsig.name.oct, .out = out };
		if (is_duplicate(&r, k, *slot_of(into, k->tsig.name.oct))) {
			continue;
		}
		struct key *copy = key_new(into);
		if (copy == NULL) {
			return E_NOMEM;
		}
		*copy = *k;
		copy->order = begin + k->order;
		TRY(insert(into, copy));
	}
	return OK;
}

/* ---- the store ---- */

static int
compare_keys(const void *a, const void *b)
{
	const struct key *const *x = a, *const *y = b;
	return name_compare((*x)->tsig.name.oct, (*y)->tsig.name.oct);
}

void
keystore_grant(struct keystore *ks, const struct secondaries *s)
{
	ASSERT(!ks->is_sealed);
	for (size_t i = 0, n = secondaries_grants_n(s), of_key; i < n; i += of_key) {
		const struct secondary_grant *first = secondaries_grant(s, i);
		for (of_key = 1; i + of_key < n && name_is_equal(first[of_key].key, first->key); of_key++) {
		}
		struct key *k = *slot_of(ks, first->key);
		if (k != NULL) {
			k->granted = first;
			k->granted_n = of_key;
		}
	}
}

void
keystore_seal(struct keystore *ks)
{
	if (ks->n > 1) {
		qsort(ks->keys, ks->n, sizeof(struct key *), compare_keys);
	}
	ks->is_sealed = true;
}

size_t
keystore_count(const struct keystore *ks)
{
	return ks != NULL ? ks->n : 0;
}

size_t
keystore_octets(const struct keystore *ks)
{
	if (ks == NULL) {
		return 0;
	}
	size_t lists = alloc_octets(ks->slots_n * sizeof(struct key *)) + (ks->cap != 0 ? alloc_octets(ks->cap * sizeof(struct key *)) : 0);
	return alloc_octets(sizeof *ks) + lists + ks->n * alloc_octets(sizeof(struct key));
}

const struct key *
keystore_at(const struct keystore *ks, size_t i)
{
	return i < ks->n ? ks->keys[i] : NULL;
}

const struct key *
keystore_find(const struct keystore *ks, const uint8_t *name)
{
	return ks != NULL ? *slot_of(ks, name) : NULL;
}
