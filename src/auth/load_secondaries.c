#include "auth/load_secondaries.h"

#include "auth/load_records.h"

struct loading {
	const uint8_t *within;
	struct secondaries *secondaries;
};

static err_t
add_record(void *ctx, const struct master_rr *rr, struct findings *out)
{
	const struct loading *l = ctx;
	return secondaries_add(l->secondaries, rr, l->within, out);
}

static size_t
octets_of(const void *ctx)
{
	const struct loading *l = ctx;
	return secondaries_octets(l->secondaries);
}

/* The last version was held against the limit when it came, but not together with what this one says of others. */
static err_t
take_last_addresses(struct loading *l, const struct secondaries *last, size_t octets_max, struct load_result *result)
{
	TRY(secondaries_replace_addresses(l->secondaries, last, l->within));
	result->octets = octets_of(l);
	result->is_over_limit = result->octets > octets_max;
	return result->is_over_limit ? E_LIMIT : OK;
}

err_t
secondaries_load(const struct master_reader *source, const char *text, size_t len, const struct secondaries *last,
                 size_t octets_max, struct secondaries **out, struct load_result *result)
{
	struct loading l = { .within = source->apex, .secondaries = secondaries_new() };
	struct load_records records = { .source = source, .read = source->sink, .found = source->sink, .add = add_record,
		                        .octets = octets_of, .octets_max = octets_max, .ctx = &l };
	if (l.secondaries == NULL) {
		return E_NOMEM;
	}
	err_t read = load_records_read(&records, text, len);
	err_t err = load_records_end(&records, read, text, len, secondaries_count(l.secondaries) != 0, result);
	if (err == OK && (read != OK || result->errors != 0)) {
		err = take_last_addresses(&l, last, octets_max, result);
	}
	if (err != OK) {
		secondaries_free(&l.secondaries);
		return err;
	}
	secondaries_seal(l.secondaries);
	*out = l.secondaries;
	return OK;
}
