#include "auth/reach.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "dns/name.h"

static int
compare(const void *a, const void *b)
{
	return name_compare(*(const uint8_t *const *)a, *(const uint8_t *const *)b);
}

err_t
reach_add(struct reach *r, const struct keystore *keys)
{
	for (size_t i = 0; keys != NULL && i < keystore_count(keys); i++) {
		const struct key *k = keystore_at(keys, i);
		if (!key_includes(k, RIGHT_NOTIFY)) {
			continue;
		}
		if (!try_room(&r->domains, sizeof *r->domains, r->n, &r->cap)) {
			return E_NOMEM;
		}
		r->domains[r->n++] = k->domain.oct;
	}
	return OK;
}

void
reach_seal(struct reach *r)
{
	if (r->n > 1) {
		qsort(r->domains, r->n, sizeof(const uint8_t *), compare);
	}
}

bool
reach_has(const struct reach *r, const uint8_t *zone)
{
	if (r->n == 0) {
		return false;
	}
	while (bsearch(&zone, r->domains, r->n, sizeof(const uint8_t *), compare) == NULL) {
		if (*zone == 0) {
			return false;
		}
		zone += 1 + *zone;
	}
	return true;
}

void
reach_fini(struct reach *r)
{
	free(r->domains);
	*r = (struct reach){ 0 };
}
