#include "acme/directory.h"

#include <string.h>

#include <jansson.h>

#include "acme/json.h"

enum { PROFILE_MAX = 64, MEMORY_MAX = 64 << 10 };

void
acme_directory_fini(struct acme_directory *d)
{
	arena_fini(&d->memory);
	*d = (struct acme_directory){ 0 };
}

/* NULL stays NULL; false: there is no memory. */
static bool
keep(struct acme_directory *d, const char *text, const char **to)
{
	*to = text != NULL ? arena_copy(&d->memory, text, strlen(text) + 1) : NULL;
	return text == NULL || *to != NULL;
}

size_t
acme_issuers_read(const struct json_t *array, const char *out[ACME_ISSUERS_MAX])
{
	size_t n = acme_json_n(array);
	if (n > ACME_ISSUERS_MAX) {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		out[i] = acme_json_item_text(array, i);
		if (out[i] == NULL || !acme_persist_is_issuer(out[i])) {
			return 0;
		}
	}
	return n;
}

static bool
keep_issuers(struct acme_directory *d, const struct json_t *array, const char *to[ACME_ISSUERS_MAX], size_t *n)
{
	const char *found[ACME_ISSUERS_MAX];
	size_t found_n = acme_issuers_read(array, found);
	for (size_t i = 0; i < found_n; i++) {
		if (!keep(d, found[i], &to[i])) {
			return false;
		}
	}
	*n = found_n;
	return true;
}

static bool
keep_profiles(struct acme_directory *d, const struct json_t *meta)
{
	json_t *profiles = json_object_get(meta, "profiles");
	const char *name;
	json_t *value;
	json_object_foreach(profiles, name, value) {
		if (d->profiles_n == ACME_PROFILES_MAX) {
			break;
		}
		if (strlen(name) <= PROFILE_MAX && !keep(d, name, &d->profiles[d->profiles_n++])) {
			return false;
		}
	}
	return true;
}

static err_t
keep_all(struct acme_directory *d, const struct json_t *json)
{
	const struct json_t *meta = acme_json_object(json, "meta");
	if (!keep(d, acme_json_url(json, "newNonce"), &d->new_nonce) || !keep(d, acme_json_url(json, "newAccount"), &d->new_account) ||
	    !keep(d, acme_json_url(json, "newOrder"), &d->new_order) ||
	    !keep(d, acme_json_url(json, "renewalInfo"), &d->renewal_info) || !keep(d, acme_json_url(meta, "termsOfService"), &d->terms) ||
	    !keep(d, acme_json_url(meta, "accountHashPrefix"), &d->hash_prefix) ||
	    !keep_issuers(d, acme_json_array(meta, "issuerDomainNames"), d->issuers, &d->issuers_n) ||
	    !keep_issuers(d, acme_json_array(meta, "caaIdentities"), d->caa, &d->caa_n) || !keep_profiles(d, meta)) {
		return E_NOMEM;
	}
	d->wants_binding = acme_json_is_true(meta, "externalAccountRequired");
	return d->new_nonce != NULL && d->new_account != NULL && d->new_order != NULL ? OK : E_FORMAT;
}

err_t
acme_directory_read(const char *body, size_t len, struct acme_directory *out)
{
	[[gnu::cleanup(acme_json_free)]] struct json_t *json = NULL;
	struct acme_directory d = { .memory.limit = MEMORY_MAX };
	TRY(acme_json_read(body, len, &json));
	err_t err = keep_all(&d, json);
	if (err != OK) {
		acme_directory_fini(&d);
		return err;
	}
	*out = d;
	return OK;
}

bool
acme_directory_has_profile(const struct acme_directory *d, const char *profile)
{
	for (size_t i = 0; i < d->profiles_n; i++) {
		if (strcmp(d->profiles[i], profile) == 0) {
			return true;
		}
	}
	return false;
}
