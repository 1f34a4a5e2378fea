#include "bin/ocertify_deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "bin/cli.h"
#include "bin/ocertify_files.h"
#include "bin/ocertify_pair.h"
#include "crypto/pem.h"

static void
print_day(int64_t t_s, char out[32])
{
	time_t t = (time_t)t_s;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0) {
		(void)snprintf(out, 32, "%lld", (long long)t_s);
	}
}

static err_t
compare_with_file(const struct ocertify_opts *o, const struct str *pem, bool *is_same)
{
	struct text t;
	err_t err = text_read(o->certificate_path, PEM_TEXT_MAX, &t);
	*is_same = false;
	if (err != OK) {
		return err == E_NOTFOUND ? OK : err;
	}
	*is_same = t.len == pem->len && memcmp(t.s, pem->s, t.len) == 0;
	text_free(&t);
	return OK;
}

/* A file beside the certificate says that the hook has not run for it yet: whatever ends us after the certificate was written, the next
 * run runs the hook. */
static err_t
note_hook(const struct ocertify_opts *o)
{
	return o->renew_hook != NULL ? text_write(o->hook_path, TEXT_PUBLIC, "", 0) : OK;
}

static bool
is_hook_due(const struct ocertify_opts *o)
{
	return o->renew_hook != NULL && access(o->hook_path, F_OK) == 0;
}

static int
run_hook(const struct ocertify_opts *o)
{
	if (o->renew_hook == NULL) {
		return CLI_OK;
	}
	(void)fflush(stdout);
	bool is_told = setenv("OCERTIFY_HOST", o->host_text, 1) == 0 && setenv("OCERTIFY_KEY", o->key_path, 1) == 0 &&
	               setenv("OCERTIFY_CERTIFICATE", o->certificate_path, 1) == 0;
	int status = is_told ? system(o->renew_hook) : -1;
	(void)unlink(o->hook_path);
	if (status == 0) {
		return CLI_OK;
	}
	cli_error("%s: the certificate was written, but the renew hook failed (status %d)", o->host_text,
	          WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	cli_hint("it is not run again for this certificate");
	return CLI_FAILED;
}

static int
write_pem(const struct ocertify_opts *o, struct ocertify_key *k, const struct cert *c, const struct str *pem)
{
	char until[32];
	print_day(c->not_after_s, until);
	bool is_same;
	err_t err = compare_with_file(o, pem, &is_same);
	bool is_new = k->is_next || !is_same;
	err = err == OK && is_new ? note_hook(o) : err;
	err = err == OK && is_new ? ocertify_pair_put(o, k, pem) : err;
	if (err != OK) {
		return CLI_FAILED;
	}
	if (!o->is_quiet) {
		(void)printf("%s: %s is %s, valid until %s\n", o->host_text, o->certificate_path,
		             is_new ? "a new certificate" : "as it was", until);
	}
	return is_new || is_hook_due(o) ? run_hook(o) : EXIT_UNCHANGED;
}

int
ocertify_deliver(const struct ocertify_opts *o, struct ocertify_key *k, const struct ocertify_found *f)
{
	struct str pem = { 0 };
	if (f->chain_n == 0) {
		cli_warning("%s: no certificate of a CA came with the certificate: clients must know its issuer (%s)", o->host_text,
		            f->cert->issuer);
	}
	cert_put_pem(f->cert, &pem);
	for (size_t i = 0; i < f->chain_n; i++) {
		cert_put_pem(f->chain[i], &pem);
	}
	if (pem.err != OK) {
		cli_error("%s: the certificate cannot be written: %s", o->host_text, err_str(pem.err));
	}
	int status = pem.err == OK ? write_pem(o, k, f->cert, &pem) : CLI_FAILED;
	str_fini(&pem);
	return status;
}
