#include "auth/notify_places.h"

#include <string.h>

#include "auth/secondaries.h"
#include "dns/rrtype.h"
#include "zone/nkey.h"

/* ---- the addresses of a host ---- */

/* The node of a host in a zone, if it has addresses there. */
static const struct node *
host_in(const struct zone *z, const struct nkey *host)
{
	const struct node *n = z != NULL ? trie_get(&z->nodes, host) : NULL;
	return n != NULL && (node_rrset(n, TYPE_A) != NULL || node_rrset(n, TYPE_AAAA) != NULL) ? n : NULL;
}

/* Behind the `n` that are there.  Returns how many there are now: if there are too many, one more than has room. */
static size_t
put_rrset(const struct rrset *set, uint8_t family, size_t n, struct key_address out[NOTIFY_PLACES_MAX])
{
	const struct rr *rr = set != NULL ? rrset_first(set) : NULL;
	for (unsigned left = set != NULL ? set->n : 0; left != 0 && n <= NOTIFY_PLACES_MAX; left--, rr = rr_next(rr), n++) {
		if (n < NOTIFY_PLACES_MAX) {
			out[n] = (struct key_address){ .family = family };
			ASSERT(rr->rdlen <= sizeof out[n].octets);
			memcpy(out[n].octets, rr->rdata, rr->rdlen);
		}
	}
	return n;
}

static size_t
served_addresses(const struct view *v, const struct zone *z, const uint8_t *host, struct key_address out[NOTIFY_PLACES_MAX])
{
	struct nkey key;
	nkey_set(&key, host);
	const struct node *n = host_in(z, &key);
	n = n != NULL ? n : host_in(view_zone_around(v, &key), &key);
	if (n == NULL) {
		return 0;
	}
	return put_rrset(node_rrset(n, TYPE_AAAA), 6, put_rrset(node_rrset(n, TYPE_A), 4, 0, out), out);
}

size_t
notify_addresses_of(const struct view *v, const struct zone *z, const uint8_t *host, struct key_address out[NOTIFY_PLACES_MAX],
                    bool *is_listed)
{
	size_t n = secondaries_addresses(v->secondaries, z->apex_name, host, out, NOTIFY_PLACES_MAX);
	*is_listed = n != 0;
	return n != 0 ? n : served_addresses(v, z, host, out);
}

/* ---- the places of a zone ---- */

struct placing {
	const struct view *view;
	const struct zone *zone;
	struct notify_places *out;
	size_t hosts_n; /* looked at */
};

/* A host without addresses takes no place, but time. */
static bool
place_host(void *ctx, const uint8_t *host, uint16_t port)
{
	struct placing *p = ctx;
	struct notify_places *out = p->out;
	struct key_address at[NOTIFY_PLACES_MAX];
	bool is_listed;
	if (p->hosts_n++ == NOTIFY_PLACES_MAX) {
		out->is_cut = true;
		return false;
	}
	size_t n = notify_addresses_of(p->view, p->zone, host, at, &is_listed);
	if (n == 0 && out->unknown == NULL) {
		out->unknown = host;
	}
	for (size_t i = 0; i < n; i++) {
		if (i == NOTIFY_PLACES_MAX || out->n == NOTIFY_PLACES_MAX) {
			out->is_cut = true;
			return false;
		}
		out->list[out->n++] = (struct notify_place){ .address = at[i], .port = port, .host = host };
	}
	return true;
}

void
notify_places_of(const struct view *v, const struct zone *z, struct notify_places *out)
{
	struct placing p = { .view = v, .zone = z, .out = out };
	out->n = 0;
	out->is_cut = false;
	out->unknown = NULL;
	secondaries_notified(v->secondaries, z->apex_name, place_host, &p);
}

static bool
has_port(const uint16_t *ports, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++) {
		if (ports[i] == port) {
			return true;
		}
	}
	return false;
}

size_t
notify_ports_of(const struct notify_places *p, const struct key_address *a, uint16_t out[NOTIFY_PORTS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < p->n && n < NOTIFY_PORTS_MAX; i++) {
		if (key_address_is_equal(&p->list[i].address, a) && !has_port(out, n, p->list[i].port)) {
			out[n++] = p->list[i].port;
		}
	}
	return n;
}
