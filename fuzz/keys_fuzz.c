/* Records of a keys file, whatever is in them: a name and an RDATA each.  What is kept is found again, within
 * its file's domain, and a right is never one that the name does not give. */
#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "dns/rrtype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void
check_store(const struct keystore *ks, const struct name *within)
{
	for (size_t i = 0; i < keystore_count(ks); i++) {
		const struct key *k = keystore_at(ks, i);
		struct key again = { 0 };
		check(keystore_find(ks, k->tsig.name.oct) == k);
		check(name_is_within(k->domain.oct, within->oct));
		check(name_is_within(k->tsig.name.oct, k->domain.oct));
		check(k->tsig.secret_len != 0 && k->tsig.secret_len <= TSIG_SECRET_MAX);
		check((key_name_read(k->tsig.name.oct, &again) == OK) == (k->right != RIGHT_NONE));
		check(again.right == k->right);
		check(again.types_n == k->types_n && k->types_n <= KEY_TYPES_MAX);
		check(!key_has_right(k, RIGHT_NOTIFY, name_root) || name_is_root(k->domain.oct));
		check(!key_may_change(k, name_root, name_root, TYPE_TXT) || name_is_root(k->domain.oct));
		check(k->types_n == 0 || !key_may_change(k, name_root, k->tsig.name.oct, TYPE_ANY));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_over(data, size);
	struct keystore *ks = keystore_new(NULL), *copy = keystore_new(NULL);
	struct findings f = { 0 };
	struct name within = { .len = 1 };
	name_read_plain(&c, &within);
	while (cur_left(&c) != 0) {
		struct name owner;
		name_read_plain(&c, &owner);
		size_t n = cur_u16(&c) % 600u;
		n = n < cur_left(&c) ? n : cur_left(&c);
		const uint8_t *rdata = cur_take(&c, n);
		if (c.err == OK) {
			char trouble[KEY_TROUBLE_MAX];
			struct key k;
			key_name_trouble(owner.oct, trouble);
			check((key_name_read(owner.oct, &k) == OK) == (trouble[0] == '\0'));
			check(keystore_add(ks, owner.oct, within.oct, rdata, (uint16_t)n, &f) == OK);
		}
	}
	keystore_seal(ks);
	check_store(ks, &within);
	size_t before = f.errors + f.warnings;
	check(keystore_merge(copy, ks, &f) == OK && f.errors + f.warnings == before);
	check(keystore_count(copy) == keystore_count(ks));
	keystore_free(&ks);
	keystore_free(&copy);
	findings_fini(&f);
	return 0;
}
