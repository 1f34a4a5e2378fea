/* What is said of keys: never their secrets, and nothing of those whose name does not say what they are: it may be one. */
#include "auth/status_p.h"

/* The first key at or behind the name, in canonical order, or with `is_behind` strictly behind it. */
static size_t
find_place(const struct keystore *ks, const uint8_t *name, bool is_behind)
{
	size_t low = 0, high = keystore_count(ks);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = name_compare(keystore_at(ks, mid)->tsig.name.oct, name);
		if (order < 0 || (order == 0 && is_behind)) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return low;
}

static bool
put_key(struct status_page *p, const struct key *k)
{
	struct status_writer *w = &p->w;
	char name[NAME_TEXT_MAX], domain[NAME_TEXT_MAX];
	(void)name_show(k->tsig.name.oct, name);
	(void)name_show(k->domain.oct, domain);
	page_begin(p);
	status_pair(w, "key", name);
	status_pair(w, "right", key_right_label(k->right) + 1);
	status_pair(w, "domain", domain);
	status_pair(w, "algorithm", tsig_alg_text(k->tsig.alg));
	uint64_t used_s = p->conf->uses != NULL ? key_uses_last(p->conf->uses, k->tsig.name.oct) : 0;
	if (used_s != 0) {
		status_number(w, "used", used_s);
	}
	return page_end(p, k->tsig.name.oct);
}

/* Keys of a domain have names within it, so in canonical order they are side by side. */
void
status_put_keys(struct status_page *p)
{
	const struct keystore *ks = p->view->keys;
	const struct status_question *q = p->q;
	if (ks == NULL) {
		return;
	}
	size_t i = q->has_after ? find_place(ks, q->after.oct, true) : find_place(ks, q->domain, false);
	for (const struct key *k; (k = keystore_at(ks, i)) != NULL && name_is_within(k->tsig.name.oct, q->domain); i++) {
		bool is_shown = k->right != RIGHT_NONE && name_is_within(k->domain.oct, q->domain);
		if (is_shown && !put_key(p, k)) {
			return;
		}
	}
}
