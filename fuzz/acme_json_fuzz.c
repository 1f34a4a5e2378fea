/* What a CA sends as JSON: a directory, a problem document, renewal information.  And a TXT record that may be a lasting proof. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "acme/date.h"
#include "acme/directory.h"
#include "acme/json.h"
#include "acme/persist.h"
#include "acme/problem.h"
#include "acme/renewal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_problem(const char *text, size_t size)
{
	struct acme_problem problem;
	acme_problem_read(400, text, size, &problem);
	size_t len = strlen(problem.line);
	ASSERT(len > 0 && len <= ACME_PROBLEM_LINE_MAX);
	for (size_t i = 0; i < len; i++) {
		ASSERT(problem.line[i] >= ' ' && problem.line[i] < 0x7F);
	}
}

static void
read_directory(const char *text, size_t size)
{
	struct acme_directory d;
	if (acme_directory_read(text, size, &d) != OK) {
		return;
	}
	ASSERT(acme_url_is_good(d.new_nonce) && acme_url_is_good(d.new_account) && acme_url_is_good(d.new_order));
	for (size_t i = 0; i < d.issuers_n; i++) {
		ASSERT(acme_persist_is_issuer(d.issuers[i]));
	}
	for (size_t i = 0; i < d.profiles_n; i++) {
		ASSERT(acme_directory_has_profile(&d, d.profiles[i]));
	}
	acme_directory_fini(&d);
}

static void
read_window(const char *text, size_t size)
{
	struct acme_window w;
	uint64_t s;
	if (acme_window_read(text, size, &w) == OK) {
		uint64_t at_s = acme_window_moment(w.start_s, w.end_s, "a.b");
		ASSERT(w.start_s <= at_s && at_s < w.end_s);
	}
	(void)!acme_date_rfc3339(text, size, &s);
	(void)!acme_date_http(text, size, &s);
}

/* A text that is quoted is read as it was, if it is UTF-8. */
static void
quote(const char *text)
{
	struct str out = { 0 };
	struct json_t *json = NULL;
	str_cat(&out, "{\"a\":");
	acme_json_quote(&out, text);
	str_char(&out, '}');
	if (acme_json_read(out.s, out.len, &json) == OK) {
		ASSERT(strcmp(acme_json_text(json, "a"), text) == 0);
	}
	acme_json_free(&json);
	str_fini(&out);
}

/* A record counts only if it names the account. */
static void
read_record(const char *text)
{
	static const char *const issuers[] = { "ca.example" };
	const struct acme_persist p = { .issuers = issuers, .issuers_n = 1, .account = "https://ca.example/1", .thumbprint = "x" };
	if (acme_persist_is_proof(&p, "www.example", false, 1000, text)) {
		ASSERT(strstr(text, p.account) != NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	read_problem(text, size);
	read_directory(text, size);
	read_window(text, size);
	quote(text);
	read_record(text);
	free(text);
	return 0;
}
