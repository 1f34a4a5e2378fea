/* A signing request, whatever it is: what is read has names and a key, and reads the same again. */
#include <stdlib.h>
#include <string.h>

#include "crypto/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

/* Each name is one that is taken, and is there once. */
static void
check_names(const struct host_names *names)
{
	static struct host_names again;
	again.n = 0;
	for (size_t i = 0; i < names->n; i++) {
		check(host_names_add(&again, names->name[i], strlen(names->name[i])) == OK);
	}
	check(names->n != 0 && names->n <= HOST_NAMES_MAX && again.n == names->n);
	check(host_names_are_within(&again, names) && host_names_are_within(names, &again));
}

static void
check_key(const struct pkey *k)
{
	uint8_t der[PKEY_PUBLIC_MAX];
	struct buf b = buf_over(der, sizeof der);
	struct pkey_numbers numbers;
	char text[PKEY_TEXT_MAX];
	err_t err = pkey_public(k, &b);
	check(err == OK || err == E_FULL);
	check(pkey_kind(k) != PKEY_NONE && pkey_print(k, text) != NULL);
	check(pkey_numbers(k, &numbers) == OK && numbers.n_or_x_len <= PKEY_NUMBER_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csr *c = NULL, *again = NULL;
	struct pkey *k = NULL;
	if (csr_read(data, size, &c) == OK) {
		check_names(&c->names);
		check_key(c->key);
		check(csr_read(c->der, c->der_len, &again) == OK && pkey_is_equal(c->key, again->key));
	}
	if (pkey_from_public(data, size, &k) == OK) {
		check_key(k);
	}
	csr_free(&c);
	csr_free(&again);
	pkey_free(&k);
	return 0;
}
