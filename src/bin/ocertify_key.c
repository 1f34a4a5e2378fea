#include "bin/ocertify_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "bin/cli.h"
#include "bin/ocertify_files.h"
#include "crypto/pem.h"

/* ---- the key ---- */

err_t
ocertify_key_read(const char *path, struct pkey **out)
{
	[[gnu::cleanup(text_free)]] struct text t = { NULL, 0 };
	TRY(text_read(path, PKEY_PEM_READ_MAX, &t));
	err_t err = pkey_from_pem(t.s, t.len, out);
	if (err == E_AUTH) {
		cli_error("%s: the private key has a passphrase, which nobody could type every hour", path);
		cli_hint("\"openssl pkey -in FILE -out FILE\" takes it away");
	} else if (err == E_UNSUPPORTED) {
		cli_error("%s: a private key must be RSA of %d to %d bits, P-256, P-384 or Ed25519", path, PKEY_RSA_BITS_MIN,
		          PKEY_RSA_BITS_MAX);
	} else if (err != OK) {
		cli_error("%s: there is no private key in it", path);
		cli_hint("nothing was changed; move the file away, or name another one with --key");
	}
	return err == E_NOTFOUND ? E_FORMAT : err;
}

/* A key that nobody can guess. */
static err_t
make_random(const struct ocertify_opts *o, struct pkey **out)
{
	uint8_t seed[PKEY_SEED_LEN];
	TRY(cli_random(seed, sizeof seed));
	err_t err = pkey_from_seed(o->kind, o->bits, seed, sizeof seed, out);
	wipe(seed, sizeof seed);
	if (err != OK) {
		cli_error("no private key could be made: %s", err_str(err));
	}
	return err;
}

static err_t
write_key(const char *path, enum text_place place, const char *like, const struct pkey *k)
{
	uint8_t pem[PKEY_PEM_MAX];
	struct buf b = buf_over(pem, sizeof pem);
	err_t err = pkey_to_pem(k, &b);
	if (err != OK) {
		cli_error("the private key cannot be written: %s", err_str(err));
	} else {
		err = text_write_like(path, place, like, pem, b.len);
	}
	wipe(pem, sizeof pem);
	return err;
}

/* Is it the key that the command line wants? */
static bool
is_wanted(const struct ocertify_opts *o, const struct pkey *wanted, const struct pkey *k)
{
	if (wanted != NULL) {
		return pkey_is_equal(wanted, k);
	}
	return !o->has_kind || (pkey_kind(k) == o->kind && (o->kind != PKEY_RSA || pkey_bits(k) == o->bits));
}

static err_t
refuse_other(const struct ocertify_opts *o, const struct pkey *wanted, const struct pkey *there)
{
	char text[PKEY_TEXT_MAX];
	cli_error("%s has another private key (%s) than the one that %s", o->key_path, pkey_print(there, text),
	          wanted != NULL ? "--seed or --data says" : "--type and --bits say");
	cli_hint("it stays as it is; with --force a certificate for another key is asked for, and the key is replaced when that is there");
	return E_EXISTS;
}

/* Makes the key, and writes it before anybody can hear of it, with the rights of the one that it will replace.  A new one may have come
 * meanwhile: then that one counts. */
static err_t
make_key(const struct ocertify_opts *o, const struct pkey *wanted, const char *path, enum text_place place, struct pkey **out)
{
	[[gnu::cleanup(pkey_free)]] struct pkey *made = NULL;
	if (wanted == NULL) {
		TRY(make_random(o, &made));
	}
	err_t err = write_key(path, place, o->key_path, wanted != NULL ? wanted : made);
	TRY(err == E_EXISTS ? OK : err);
	err = ocertify_key_read(path, out);
	if (err == E_NOTFOUND) {
		cli_error("%s is gone as soon as it was made", path);
	}
	return err;
}

struct keys {
	struct pkey *now, *next; /* of KEY and KEY.next; NULL: there is none */
};

static void
keys_free(struct keys *k)
{
	pkey_free(&k->now);
	pkey_free(&k->next);
}

static err_t
read_if_there(const char *path, struct pkey **out)
{
	err_t err = ocertify_key_read(path, out);
	return err == E_NOTFOUND ? OK : err;
}

static struct pkey *
taken(struct pkey **from)
{
	struct pkey *k = *from;
	*from = NULL;
	return k;
}

static err_t
choose_key(const struct ocertify_opts *o, const struct pkey *wanted, const struct csr *in_dns, struct ocertify_key *out)
{
	[[gnu::cleanup(keys_free)]] struct keys k = { NULL, NULL };
	TRY(read_if_there(o->next_key_path, &k.next));
	TRY(read_if_there(o->key_path, &k.now));
	bool is_now = k.now != NULL && is_wanted(o, wanted, k.now), is_next = k.next != NULL && is_wanted(o, wanted, k.next);
	if (is_next && !(is_now && in_dns != NULL && pkey_is_equal(in_dns->key, k.now))) {
		out->is_next = true;
		out->key = taken(&k.next);
		return OK;
	}
	out->is_next_stale = k.next != NULL;
	if (is_now) {
		out->key = taken(&k.now);
		return OK;
	}
	if (k.now == NULL) {
		return make_key(o, wanted, o->key_path, TEXT_NEW, &out->key);
	}
	if (!o->is_forced) {
		return refuse_other(o, wanted, k.now);
	}
	out->is_next = out->is_new_next = true;
	out->is_next_stale = false;
	return make_key(o, wanted, o->next_key_path, TEXT_SECRET, &out->key);
}

void
ocertify_key_take_back(const struct ocertify_opts *o, struct ocertify_key *k)
{
	if (k->is_new_next) {
		(void)!text_remove(o->next_key_path);
		k->is_new_next = false;
	}
}

void
ocertify_key_drop_stale(const struct ocertify_opts *o, struct ocertify_key *k)
{
	if (k->is_next_stale) {
		(void)!text_remove(o->next_key_path);
		k->is_next_stale = false;
	}
}

/* ---- the request ---- */

static err_t
take_request(void *ctx, const uint8_t *der, size_t len)
{
	struct csr **out = ctx;
	return *out == NULL ? csr_read(der, len, out) : E_EXISTS;
}

/* A request that is there and says the same is used again; a wrong one is no loss. */
static err_t
read_request(const struct ocertify_opts *o, const struct pkey *key, struct csr **out)
{
	[[gnu::cleanup(text_free)]] struct text t = { NULL, 0 };
	[[gnu::cleanup(csr_free)]] struct csr *c = NULL;
	TRY(text_read(o->csr_path, PEM_TEXT_MAX, &t));
	err_t err = pem_each(t.s, t.len, PEM_REQUEST, take_request, &c);
	if (err != OK || !pkey_is_equal(c->key, key) || c->names.n != o->names.n || !host_names_are_within(&o->names, &c->names)) {
		return E_NOTFOUND;
	}
	*out = c;
	c = NULL;
	return OK;
}

static err_t
make_request(const struct ocertify_opts *o, const struct pkey *key, struct csr **out)
{
	[[gnu::cleanup(free_ptr)]] uint8_t *der = xalloc(CSR_DER_MAX);
	struct buf b = buf_over(der, CSR_DER_MAX);
	struct str pem = { 0 };
	err_t err = csr_make(key, &o->names, &b);
	err = err == OK ? csr_read(der, b.len, out) : err;
	if (err != OK) {
		cli_error("no signing request could be made: %s", err_str(err));
		return err;
	}
	pem_put(PEM_REQUEST, der, b.len, &pem);
	err = text_write(o->csr_path, TEXT_PUBLIC, pem.s, pem.len);
	str_fini(&pem);
	return err;
}

err_t
ocertify_key_prepare(const struct ocertify_opts *o, const struct pkey *wanted, const struct csr *in_dns, struct ocertify_key *out)
{
	TRY(choose_key(o, wanted, in_dns, out));
	err_t err = read_request(o, out->key, &out->request);
	return err == E_NOTFOUND ? make_request(o, out->key, &out->request) : err;
}

void
ocertify_key_fini(struct ocertify_key *k)
{
	pkey_free(&k->key);
	csr_free(&k->request);
}
