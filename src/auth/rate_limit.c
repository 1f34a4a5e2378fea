#include "auth/rate_limit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/rate_limit_p.h"
#include "base/alloc.h"
#include "base/now.h"
#include "crypto/siphash.h"

/* A cell has the time, in nanoseconds, until which its accounts have had their answers: each answer moves it on by 1 / rate seconds, from
 * now or from where it is, whichever is later.  What it is ahead of now is what these accounts have had too early.  So nothing has to be
 * done to cells as time goes by, and 0 is an account that never had an answer. */
#define SECOND NOW_SECOND_NS

_Static_assert(SECOND / RATE_LIMIT_MAX >= 100, "the time for one answer is exact to a percent");
_Static_assert((int)SIPHASH_KEY_LEN == (int)RATE_LIMIT_KEY_LEN, "the key of one hash");

struct rate_limit {
	struct rate_limit_conf conf;
	uint8_t key[RATE_LIMIT_KEY_LEN];
	uint64_t step_ns, window_ns; /* for one answer; the most that an account can be ahead */
	_Atomic uint64_t cell[RATE_LIMIT_ROWS][RATE_LIMIT_CELLS];
};

struct rate_limit *
rate_limit_new(const struct rate_limit_conf *conf, const uint8_t *key)
{
	ASSERT(conf->rate != 0 && conf->rate <= RATE_LIMIT_MAX && conf->window_s != 0 && conf->window_s <= RATE_LIMIT_WINDOW_MAX_S);
	ASSERT(conf->ipv4_len <= 32 && conf->ipv6_len <= 128 && conf->exempt_n <= RATE_LIMIT_EXEMPT_MAX);
	struct rate_limit *r = xalloc(sizeof *r); /* the system gives pages once they are used */
	r->conf = *conf;
	memcpy(r->key, key, sizeof r->key);
	r->step_ns = (SECOND + conf->rate - 1) / conf->rate;
	r->window_ns = conf->window_s * SECOND;
	return r;
}

void
rate_limit_free(struct rate_limit **r)
{
	if (*r != NULL) {
		wipe((*r)->key, sizeof (*r)->key);
		free_ptr(r);
	}
}

const struct rate_limit_conf *
rate_limit_conf(const struct rate_limit *r)
{
	return &r->conf;
}

/* ---- networks ---- */

/* Copies the first `bits` bits of an address; the rest is 0. */
static void
copy_network(const struct key_address *a, unsigned bits, uint8_t out[16])
{
	size_t whole = bits / 8;
	memset(out, 0, 16);
	memcpy(out, a->octets, whole);
	if (bits % 8 != 0) {
		out[whole] = a->octets[whole] & (uint8_t)(0xFF00u >> bits % 8);
	}
}

static bool
is_within(const struct key_address *a, const struct rate_limit_network *n)
{
	uint8_t ours[16], theirs[16];
	if (a->family != n->address.family) {
		return false;
	}
	copy_network(a, n->len, ours);
	copy_network(&n->address, n->len, theirs);
	return memcmp(ours, theirs, sizeof ours) == 0;
}

static bool
is_exempt(const struct rate_limit_conf *c, const struct key_address *a)
{
	for (size_t i = 0; i < c->exempt_n; i++) {
		if (is_within(a, &c->exempt[i])) {
			return true;
		}
	}
	return false;
}

/* ---- accounts ---- */

static uint64_t
hash(const struct rate_limit *r, const struct rate_account *a)
{
	uint8_t octets[2 + 16 + NAME_WIRE_MAX];
	size_t len = a->about != NULL ? name_len(a->about) : 0;
	octets[0] = a->from.family;
	octets[1] = (uint8_t)a->kind;
	copy_network(&a->from, a->from.family == 4 ? r->conf.ipv4_len : r->conf.ipv6_len, octets + 2);
	if (len != 0) {
		memcpy(octets + 2 + 16, a->about, len);
	}
	return siphash(r->key, octets, 2 + 16 + len);
}

/* Four numbers out of one hash of 64 bits: two of them agree in all rows only if 64 bits of their hashes do, or nearly (Kirsch and
 * Mitzenmacher, 2006). */
void
rate_limit_cells(const struct rate_limit *r, const struct rate_account *account, uint32_t cells[RATE_LIMIT_ROWS])
{
	uint64_t h = hash(r, account);
	uint32_t at = (uint32_t)h, step = (uint32_t)(h >> 32) | 1;
	for (unsigned i = 0; i < RATE_LIMIT_ROWS; i++, at += step) {
		cells[i] = at / (uint32_t)(UINT64_C(0x100000000) / RATE_LIMIT_CELLS);
	}
}

static bool
slips(const struct rate_limit *r, uint64_t nth)
{
	/* hashed, so that nobody can arrange that it is always another one's answer that slips */
	return r->conf.slip != 0 && siphash(r->key, &nth, sizeof nth) % r->conf.slip == 0;
}

enum rate_verdict
rate_limit_judge(struct rate_limit *r, const struct rate_account *account, uint64_t now_ns, uint64_t nth)
{
	uint32_t at[RATE_LIMIT_ROWS];
	uint64_t until[RATE_LIMIT_ROWS], least = UINT64_MAX;
	if (is_exempt(&r->conf, &account->from)) {
		return RATE_PASS;
	}
	rate_limit_cells(r, account, at);
	for (unsigned i = 0; i < RATE_LIMIT_ROWS; i++) {
		until[i] = atomic_load_explicit(&r->cell[i][at[i]], memory_order_relaxed);
		least = until[i] < least ? until[i] : least;
	}
	const uint64_t from = least > now_ns ? least : now_ns, latest = now_ns + r->window_ns;
	const bool is_limited = from - now_ns >= SECOND;
	const uint64_t next = is_limited && from + r->step_ns > latest ? latest : from + r->step_ns;
	for (unsigned i = 0; i < RATE_LIMIT_ROWS; i++) {
		if (until[i] < next) {
			atomic_store_explicit(&r->cell[i][at[i]], next, memory_order_relaxed);
		}
	}
	return !is_limited ? RATE_PASS : slips(r, nth) ? RATE_SLIP : RATE_DROP;
}
