/* Checks the rights of a key in an update: it may change names at and below its domain, and the types that it is limited to
 * (auth/key.h).
 *
 * RFC 2136 8 and RFC 3007 leave it to the server which keys may change what; RFC 3007 3.1 speaks of rights for single names and
 * types. */
#include "auth/update.h"
#include "dns/ede.h"
#include "dns/rrtype.h"
#include "dns/wire.h"

/* A name outside the zone passes here; it gets NOTZONE later, whatever the key is. */
static const char *
name_trouble(const struct key *key, const uint8_t *zone, const struct update_rr *rr)
{
	bool is_fine = !name_is_within(rr->owner, zone) || name_is_within(rr->owner, key->domain.oct);
	return is_fine ? NULL : "the key has no right to this name";
}

static const char *
change_trouble(const struct key *key, const uint8_t *zone, const struct update_rr *rr)
{
	bool is_fine = !name_is_within(rr->owner, zone) || key_may_change(key, zone, rr->owner, rr->type);
	const char *trouble = name_trouble(key, zone, rr);
	return is_fine || trouble != NULL ? trouble
	       : rr->type == TYPE_ANY     ? "the key is limited to certain types, and this would delete all records of a name"
	                                  : "the key has no right to this type of records";
}

static const char *
find_trouble(const struct update *u, const struct key *key)
{
	const uint8_t *zone = u->m.qname.oct;
	const char *trouble = NULL;
	for (size_t i = 0; i < u->prerequisites_n && trouble == NULL; i++) {
		trouble = name_trouble(key, zone, &u->prerequisites[i]);
	}
	for (size_t i = 0; i < u->changes_n && trouble == NULL; i++) {
		trouble = change_trouble(key, zone, &u->changes[i]);
	}
	return trouble;
}

void
update_permit(struct update *u, const struct key *key, struct update_verdict *v)
{
	const char *trouble = find_trouble(u, key);
	u->is_narrow = key_is_narrow(key, u->m.qname.oct);
	*v = (struct update_verdict){ .ede = EDE_NONE, .why = "" };
	if (trouble != NULL) {
		*v = (struct update_verdict){ .rcode = RCODE_REFUSED, .ede = EDE_PROHIBITED, .why = trouble };
	}
}
