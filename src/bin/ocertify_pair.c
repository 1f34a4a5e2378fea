#include "bin/ocertify_pair.h"

#include "bin/cli.h"
#include "bin/ocertify_files.h"
#include "crypto/pem.h"
#include "crypto/x509.h"

/* ---- mending ---- */

static err_t
take_first(void *ctx, const uint8_t *der, size_t len)
{
	struct cert **first = ctx;
	return *first == NULL ? cert_read(der, len, first) : OK;
}

/* Does the file of the private key have the one that the certificate in the other file is for?  A file that is not there, or is no
 * certificate, fits to nothing. */
static err_t
fit(const char *key_path, const char *certificate_path, bool *do_fit)
{
	[[gnu::cleanup(text_free)]] struct text t = { NULL, 0 };
	[[gnu::cleanup(cert_free)]] struct cert *c = NULL;
	[[gnu::cleanup(pkey_free)]] struct pkey *k = NULL;
	*do_fit = false;
	err_t err = text_read(certificate_path, PEM_TEXT_MAX, &t);
	err = err == OK ? ocertify_key_read(key_path, &k) : err;
	TRY(err == E_NOTFOUND ? OK : err);
	if (k != NULL && pem_each(t.s, t.len, PEM_CERTIFICATE, take_first, &c) == OK) {
		*do_fit = c->key != NULL && pkey_is_equal(c->key, k);
	}
	return OK;
}

/* Between the two renames; or before them, then it is written again. */
static err_t
mend_certificate(const struct ocertify_opts *o)
{
	bool do_fit;
	TRY(fit(o->key_path, o->next_certificate_path, &do_fit));
	if (!do_fit) {
		return text_remove(o->next_certificate_path);
	}
	TRY(text_move(o->next_certificate_path, o->certificate_path));
	cli_warning("%s: an earlier run was interrupted: %s has the certificate for the key in %s now", o->host_text, o->certificate_path,
	            o->key_path);
	return text_sync(o->certificate_path);
}

/* When the power fails, the second rename may be on the disk and the first one not, where there are two file systems. */
static err_t
mend_key(const struct ocertify_opts *o)
{
	bool is_next_pair, is_pair = true;
	TRY(fit(o->next_key_path, o->certificate_path, &is_next_pair));
	TRY(is_next_pair ? fit(o->key_path, o->certificate_path, &is_pair) : OK);
	if (is_pair) {
		return OK;
	}
	TRY(text_move(o->next_key_path, o->key_path));
	cli_warning("%s: an earlier run was interrupted: %s has the key for the certificate in %s now", o->host_text, o->key_path,
	            o->certificate_path);
	return text_sync(o->key_path);
}

err_t
ocertify_pair_mend(const struct ocertify_opts *o)
{
	TRY(mend_certificate(o));
	return mend_key(o);
}

/* ---- putting ---- */

static err_t
put_both(const struct ocertify_opts *o, const struct str *pem)
{
	TRY(text_write_like(o->next_certificate_path, TEXT_PUBLIC, o->certificate_path, pem->s, pem->len));
	TRY(text_move(o->next_key_path, o->key_path));
	TRY(text_move(o->next_certificate_path, o->certificate_path));
	TRY(text_sync(o->key_path));
	return text_sync(o->certificate_path);
}

err_t
ocertify_pair_put(const struct ocertify_opts *o, struct ocertify_key *k, const struct str *pem)
{
	if (!k->is_next) {
		return text_write(o->certificate_path, TEXT_PUBLIC, pem->s, pem->len);
	}
	TRY(put_both(o, pem));
	k->is_next = k->is_new_next = false;
	return OK;
}
