/* The headers of an answer of a CA, a line each; and its URLs, as far as they lead anywhere. */
#include <stdint.h>
#include <string.h>

#include "acme/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_url(const char *ref)
{
	static const char base[] = "https://ca.example:1/dir";
	char url[ACME_URL_MAX + 1];
	if (acme_url_resolve(base, ref, url) == OK) {
		ASSERT(acme_url_is_good(url) && strlen(url) <= ACME_URL_MAX);
		ASSERT(ref[0] == '/' ? strncmp(url, "https://ca.example:1/", 21) == 0 && url[21] != '/' : strcmp(url, ref) == 0);
	}
}

static void
check(const struct acme_answer *a)
{
	for (const char *c = a->nonce; *c != '\0'; c++) {
		ASSERT(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", *c) != NULL);
	}
	ASSERT(a->links.alternates_n <= ACME_LINKS_MAX && a->headers_n <= ACME_HEADERS_MAX);
	for (size_t i = 0; i < a->links.alternates_n; i++) {
		check_url(a->links.alternates[i]);
	}
	check_url(a->location);
	check_url(a->links.terms);
	ASSERT(acme_answer_retry_s(a, 1000000000) <= acme_answer_retry_s(a, 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acme_answer a = { 0 };
	acme_answer_begin(&a, 200);
	while (size != 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end != NULL ? (size_t)(end - data) + 1 : size;
		if (acme_answer_header(&a, (const char *)data, n) != OK) {
			break;
		}
		data += n;
		size -= n;
	}
	check(&a);
	acme_answer_fini(&a);
	return 0;
}
