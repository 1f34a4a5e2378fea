/* Reads all keys and secondaries of a version before the first file is checked, since they name each other. */
#include "bin/ozone.h"

#include "auth/load_keys.h"
#include "auth/load_secondaries.h"

struct reading {
	struct ozone *oz;
	struct side *side;
	const char *path;
};

/* Errors in a file are reported when the file is checked. */
static err_t
add_keys(const struct reading *r, const struct master_reader *source, const struct master_text *text)
{
	[[gnu::cleanup(keystore_free)]] struct keystore *keys = NULL;
	struct load_result result;
	struct findings twice = { 0 };
	err_t err = keys_load(source, text->text, text->len, NULL, SIZE_MAX, NULL, &keys, &result);
	err = err == OK ? keystore_merge(r->oz->rights.keys, keys, &twice) : err;
	findings_fini(&twice);
	return err;
}

static err_t
add_secondaries(const struct reading *r, const struct master_reader *source, const struct master_text *text)
{
	[[gnu::cleanup(secondaries_free)]] struct secondaries *secondaries = NULL;
	struct load_result result;
	TRY(secondaries_load(source, text->text, text->len, NULL, SIZE_MAX, &secondaries, &result));
	err_t err = secondaries_merge(r->oz->rights.secondaries, secondaries);
	if (err == E_LIMIT) {
		report_file(r->oz->report, DIAG_ERROR, r->path, "zone-too-large", "", "all files of secondaries have more than %d records",
		            SECONDARIES_MAX);
	}
	return err;
}

static err_t
add_file(const struct reading *r, enum source_kind kind, const struct name *apex)
{
	struct master_text text;
	struct diag why;
	if (r->side->open(r->side->ctx, r->path, &text, &why) != OK) {
		return OK;
	}
	struct master_reader source = {
		.apex = apex->oct, .file = r->path, .ctx = r->side, .open = ozone_side_open, .close = ozone_side_close,
	};
	err_t err = kind == SOURCE_KEYS ? add_keys(r, &source, &text) : add_secondaries(r, &source, &text);
	r->side->close(r->side->ctx, &text);
	return err == E_NOMEM ? err : OK;
}

err_t
ozone_note_rights(struct ozone *oz, struct side *side, char *const *files, size_t n)
{
	ozone_forget_rights(oz);
	oz->rights.keys = keystore_new(NULL);
	oz->rights.secondaries = secondaries_new();
	err_t err = oz->rights.keys != NULL && oz->rights.secondaries != NULL ? OK : E_NOMEM;
	for (size_t i = 0; err == OK && i < n; i++) {
		const struct reading r = { .oz = oz, .side = side, .path = files[i] };
		struct name apex;
		enum source_kind kind = source_kind_of(side->ignore, files[i], &apex);
		if (kind == SOURCE_KEYS || kind == SOURCE_SECONDARIES) {
			err = add_file(&r, kind, &apex);
		}
	}
	if (err == OK) {
		keystore_seal(oz->rights.keys);
		secondaries_seal(oz->rights.secondaries);
	}
	return err;
}

void
ozone_forget_rights(struct ozone *oz)
{
	keystore_free(&oz->rights.keys);
	secondaries_free(&oz->rights.secondaries);
}
