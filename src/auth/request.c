#include "auth/request.h"

err_t
request_verify(const struct view *v, const struct msg *m, uint64_t now_s, struct tsig *tsig, const struct key **key)
{
	struct name name;
	const struct key *found = NULL;
	*key = NULL;
	if (!m->has_tsig) {
		return OK;
	}
	if (tsig_key_name(m, &name) == OK) {
		found = keystore_find(v->keys, name.oct);
	}
	TRY(tsig_verify_request(tsig, m, found != NULL ? &found->tsig : NULL, now_s));
	*key = found;
	return OK;
}
