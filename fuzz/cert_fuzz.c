/* Certificates out of DNS and out of files: the octets are records of a TLSA RRset, each after its length, and a PEM text. */
#include <stdlib.h>
#include <string.h>

#include "acme/request_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000, PEMS_MAX = 4 };

static void
check(bool holds)
{
	if (!holds) {
		abort();
	}
}

static void
check_cert(const struct cert *c)
{
	struct str text = { 0 };
	struct cert *again = NULL;
	size_t n;
	check(c->serial_len != 0 && c->serial_len <= CERT_SERIAL_MAX && c->key_id_len <= CERT_KEY_ID_MAX);
	check(c->names.n <= HOST_NAMES_MAX && strlen(c->issuer) < CERT_ISSUER_MAX);
	cert_put_pem(c, &text);
	check(certs_read_pem(text.s, text.len, &again, 1, &n) == OK && n == 1 && cert_is_equal(c, again));
	cert_free(&again);
	str_fini(&text);
}

static void
check_chain(const struct acme_set *s, const struct cert *leaf)
{
	const struct cert *chain[CHAIN_MAX];
	size_t n;
	chain_order(leaf, s->chain, s->chain_n, NOW, chain, &n);
	check(n <= CHAIN_MAX);
	for (size_t i = 0; i < n; i++) {
		check(chain[i]->is_ca && cert_is_issued_by(i == 0 ? leaf : chain[i - 1], chain[i]));
	}
}

static void
check_set(const struct acme_set *s)
{
	const struct acme_span valid = { NOW, NOW + 86400 };
	check(s->cert_n <= ACME_CERTS_MAX && s->chain_n <= ACME_CHAIN_RECORDS_MAX);
	for (size_t i = 0; i < s->cert_n; i++) {
		check_cert(s->cert[i]);
		check_chain(s, s->cert[i]);
	}
	if (s->request != NULL) {
		const struct cert *c = acme_set_find(s, s->request, valid);
		check(s->requests_n == 1 && acme_request_is_same(s->request, s->request));
		check(c == NULL || (acme_cert_fits(c, s->request, valid) && c->not_before_s <= NOW));
		check(acme_request_outside(s->request, name_root) == NULL);
	}
}

static void
read_pem(const uint8_t *data, size_t size)
{
	struct cert *certs[PEMS_MAX] = { NULL };
	size_t n;
	err_t err = certs_read_pem((const char *)data, size, certs, PEMS_MAX, &n);
	check(n <= PEMS_MAX && (err != OK || n != 0));
	for (size_t i = 0; i < n; i++) {
		check_cert(certs[i]);
		cert_free(&certs[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_set s = { 0 };
	struct cur c = cur_over(data, size);
	while (cur_left(&c) != 0) {
		size_t n = cur_u16(&c);
		n = n < cur_left(&c) ? n : cur_left(&c);
		const uint8_t *rdata = cur_take(&c, n);
		if (rdata != NULL) {
			acme_set_add(&s, rdata, n);
		}
	}
	check_set(&s);
	acme_set_fini(&s);
	read_pem(data, size);
	return 0;
}
