#include "auth/key_uses.h"

#include "dns/name.h"

static uint64_t
entry_of(uint32_t hash, uint64_t now_s)
{
	return (uint64_t)hash << 32 | (uint32_t)now_s;
}

static uint64_t
get(const _Atomic uint64_t *entry)
{
	return atomic_load_explicit(entry, memory_order_relaxed);
}

void
key_uses_note(struct key_uses *t, const uint8_t *name, uint64_t now_s)
{
	uint32_t hash = name_hash(name);
	_Atomic uint64_t *row = t->entry[hash % KEY_USES_ROWS];
	uint64_t now = entry_of(hash, now_s);
	size_t oldest = 0;
	for (size_t i = 0; i < KEY_USES_WAYS; i++) {
		uint64_t e = get(&row[i]);
		if (e == now) {
			return;
		}
		if (e >> 32 == hash) {
			oldest = i;
			break;
		}
		oldest = (uint32_t)e < (uint32_t)get(&row[oldest]) ? i : oldest;
	}
	atomic_store_explicit(&row[oldest], now, memory_order_relaxed);
}

uint64_t
key_uses_last(const struct key_uses *t, const uint8_t *name)
{
	uint32_t hash = name_hash(name);
	const _Atomic uint64_t *row = t->entry[hash % KEY_USES_ROWS];
	for (size_t i = 0; i < KEY_USES_WAYS; i++) {
		uint64_t e = get(&row[i]);
		if (e != 0 && e >> 32 == hash) {
			return (uint32_t)e;
		}
	}
	return 0;
}
