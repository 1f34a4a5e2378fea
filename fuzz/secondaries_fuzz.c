/* Any text as a file of secondaries: what is kept belongs to its file, a store that is merged of one file says what that file says, and where
 * a line is bad no address may transfer. */
#include <stdlib.h>
#include <string.h>

#include "auth/load_secondaries.h"
#include "base/filename.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAID_MAX = 64 };

struct input {
	const char *text;
	size_t len;
	unsigned opened;
};

/* What a store says of a zone and a host. */
struct said {
	const uint8_t *host[SAID_MAX], *key[SAID_MAX];
	uint16_t port[SAID_MAX];
	struct key_address address[SAID_MAX];
	size_t hosts_n, keys_n, addresses_n;
	bool may_transfer;
};

static err_t
open_include(void *ctx, const char *path, struct master_text *out)
{
	struct input *in = ctx;
	ASSERT(!filename_has_private_part(path));
	if (in->opened++ == 20) {
		return E_NOTFOUND;
	}
	*out = (struct master_text){ .text = in->text, .len = in->len };
	return OK;
}

static void
close_include(void *ctx, struct master_text *text)
{
	(void)ctx;
	(void)text;
}

static bool
take_host(void *ctx, const uint8_t *host, uint16_t port)
{
	struct said *s = ctx;
	ASSERT(port != 0 && !name_is_root(host));
	s->host[s->hosts_n] = host;
	s->port[s->hosts_n] = port;
	return ++s->hosts_n < SAID_MAX;
}

static void
listen_to(const struct secondaries *s, const uint8_t *zone, const struct key_address *from, struct said *out)
{
	*out = (struct said){ .may_transfer = secondaries_may_transfer(s, zone, from) };
	secondaries_notified(s, zone, take_host, out);
	const uint8_t *host = out->hosts_n != 0 ? out->host[0] : (const uint8_t *)"\3ns2\7example";
	out->addresses_n = secondaries_addresses(s, zone, host, out->address, SAID_MAX);
	out->keys_n = secondaries_keys(s, zone, host, out->key, SAID_MAX);
}

static void
compare(const struct said *a, const struct said *b)
{
	ASSERT(a->may_transfer == b->may_transfer && a->hosts_n == b->hosts_n && a->keys_n == b->keys_n && a->addresses_n == b->addresses_n);
	for (size_t i = 0; i < a->hosts_n; i++) {
		ASSERT(name_is_equal(a->host[i], b->host[i]) && a->port[i] == b->port[i]);
	}
	for (size_t i = 0; i < a->keys_n && i < SAID_MAX; i++) {
		ASSERT(name_is_equal(a->key[i], b->key[i]));
	}
	for (size_t i = 0; i < a->addresses_n && i < SAID_MAX; i++) {
		ASSERT(a->address[i].family != 0 && key_address_is_equal(&a->address[i], &b->address[i]));
	}
}

static void
check_grants(const struct secondaries *s, const uint8_t *within)
{
	for (size_t i = 0; i < secondaries_grants_n(s); i++) {
		const struct secondary_grant *g = secondaries_grant(s, i);
		ASSERT(name_is_within(g->domain, within) && secondaries_name_key(s, g->key));
		ASSERT(i == 0 || name_compare(g[-1].key, g->key) <= 0);
	}
}

static void
check_as_file_of(struct input *in, const uint8_t *within, const struct key_address *from)
{
	static const uint8_t *const zones[] = { (const uint8_t *)"", (const uint8_t *)"\7example", (const uint8_t *)"\3sub\7example" };
	const struct master_reader reader = { .apex = within, .file = "f", .ctx = in, .open = open_include, .close = close_include };
	struct secondaries *one = NULL, *all = secondaries_new();
	struct load_result result = { 0 };
	in->opened = 0;
	err_t err = secondaries_load(&reader, in->text, in->len, NULL, SIZE_MAX, &one, &result);
	ASSERT((err == OK) == (one != NULL) && (err != E_FORMAT || result.errors != 0));
	if (one != NULL) {
		static struct said a, b; /* large */
		ASSERT(all != NULL && secondaries_merge(all, one) == OK && secondaries_count(all) <= secondaries_count(one));
		secondaries_seal(all);
		check_grants(all, within);
		for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
			listen_to(one, zones[i], from, &a);
			listen_to(all, zones[i], from, &b);
			compare(&a, &b);
			ASSERT(!a.may_transfer || result.errors == 0);
		}
		struct findings f = { 0 };
		secondaries_find_unknown(all, NULL, &f);
		ASSERT(f.errors == 0);
		findings_fini(&f);
	}
	secondaries_free(&one);
	secondaries_free(&all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .text = (const char *)data, .len = size };
	struct key_address from = { .family = size % 2 != 0 ? 4 : 6, .octets = { 192, 0, 2, 53 } };
	for (size_t i = 0; from.family == 6 && i < sizeof from.octets && i < size; i++) {
		from.octets[i] = data[size - 1 - i];
	}
	check_as_file_of(&in, name_root, &from);
	check_as_file_of(&in, (const uint8_t *)"\7example", &from);
	return 0;
}
