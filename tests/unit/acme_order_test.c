/* One order, from newOrder to the certificate: as RFC 8555 has it, and with each fault that a CA may have. */
#include "acme_world.h"

static int
end(void **state)
{
	(void)state;
	world_end();
	return 0;
}

static struct acme_order *
ran(const struct acme_client_conf *conf, enum treatment (*hook)(const char *, unsigned, struct acme_answer *))
{
	world_begin(conf);
	w.hook = hook;
	struct acme_order *o = world_order(NULL);
	run();
	assert_int_equal(acme_client_deadline(w.client), NOW_NEVER); /* nothing goes on after the end */
	return o;
}

/* ---- the way ---- */

static void
an_order_goes_its_way(void **state)
{
	(void)state;
	struct acme_order *o = ran(NULL, NULL);
	assert_issued(o);
	assert_string_equal(acme_order_url(o), CA "/order/1");
	assert_string_equal(w.log, "/dir /nonce /account /account /order /authz/0 /authz/1 /chall/0 /chall/1 /authz/0 /authz/1 /order/1 /finalize "
	                           "/order/1 /cert ");
	assert_string_equal(w.payload, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"www.example\"},{\"type\":\"dns\",\"value\":\"*.example\"}]}");
	assert_int_equal(acme_client_stats(w.client)->issued, 1);
	assert_string_equal(acme_client_account(w.client), ACCOUNT);
}

static void
proofs_are_told_one_by_one(void **state)
{
	char thumbprint[ACME_THUMBPRINT_LEN + 1], value[ACME_THUMBPRINT_LEN + 1];
	(void)state;
	world_begin(NULL);
	w.does_not_prove = true;
	struct acme_order *o = world_order(NULL);
	run();
	assert_int_equal(acme_order_state(o), ACME_ORDER_PROVE);
	assert_int_equal(acme_order_proofs_n(o), 2);
	const struct acme_proof *first = acme_order_proof(o, 0), *second = acme_order_proof(o, 1);
	assert_string_equal(first->name, "www.example");
	assert_string_equal(second->name, "example");
	assert_true(!first->is_wildcard && second->is_wildcard && first->has_dns && !first->has_persist);
	assert_int_equal(acme_thumbprint(w.account_key, thumbprint), OK);
	assert_int_equal(acme_dns_value("token-1", thumbprint, value), OK);
	assert_string_equal(second->value, value);
	acme_order_proven(o, &w.now, 1, ACME_WAY_DNS);
	acme_order_proven(o, &w.now, 1, ACME_WAY_DNS);
	run();
	assert_int_equal(asked("/chall/1"), 1);
	assert_int_equal(asked("/chall/0"), 0);
	assert_int_equal(acme_order_state(o), ACME_ORDER_PROVE);
	assert_true(acme_order_proof(o, 1)->is_told && !acme_order_proof(o, 0)->is_told);
	acme_order_proven(o, &w.now, 0, ACME_WAY_DNS);
	assert_int_equal(acme_order_state(o), ACME_ORDER_UNDER_WAY);
	run();
	assert_issued(o);
}

static void
proven_names_are_not_proven_again(void **state)
{
	(void)state;
	world_begin(NULL);
	w.is_proven_already = true;
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_int_equal(asked("/authz/0") + asked("/chall/0"), 0);
}

static void
the_ca_may_take_its_time(void **state)
{
	(void)state;
	world_begin(NULL);
	w.pending_polls = 5;
	w.processing_polls = 10;
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_int_equal(asked("/authz/0"), 1 + 6);
}

static enum treatment
never_issues(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)path, (void)nth, (void)a;
	w.processing_polls = 1000000;
	return TREAT_WELL;
}

static void
endless_polling_ends(void **state)
{
	(void)state;
	struct acme_order *o = ran(NULL, never_issues);
	assert_failed_with(o, ACME_FAULT_TIME, "");
	assert_true(w.requests <= 64 + 16 * 2 + 5);
}

static enum treatment
is_slow(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth, (void)a;
	w.pending_polls = 1000000;
	(void)path;
	return TREAT_WELL;
}

static void
the_time_for_validation_is_bounded(void **state)
{
	(void)state;
	struct acme_order *o = ran(NULL, is_slow);
	assert_failed_with(o, ACME_FAULT_TIME, "has not looked at the proofs in time");
	assert_in_range(w.now.mono_ns / NOW_SECOND_NS, 1000 + ACME_VALIDATE_TIME_MAX_S, 1000 + ACME_VALIDATE_TIME_MAX_S + 60);
	assert_true(w.requests < 50);
}

static void
the_time_for_proofs_is_bounded(void **state)
{
	(void)state;
	world_begin(NULL);
	w.does_not_prove = true;
	struct acme_order *o = world_order(NULL);
	run();
	assert_true(pass_to_deadline());
	assert_failed_with(o, ACME_FAULT_TIME, "not to be seen everywhere");
}

/* At every request, freed before its answer: the answer finds nobody. */
static void
an_order_may_go_at_any_time(void **state)
{
	(void)state;
	for (unsigned cut = 1; cut < 16; cut++) {
		struct acme_request r;
		world_begin(NULL);
		(void)world_order(NULL);
		for (unsigned i = 0; i < 100 && w.requests < cut; i++) {
			bool has_sent = acme_client_take_request(w.client, &w.now, &r);
			w.requests += has_sent;
			if (has_sent && w.requests < cut) {
				answer(&r);
			} else if (!has_sent) {
				look_at_orders();
				pass_s(1);
			}
		}
		acme_order_free(&w.orders[0]);
		w.orders_n = 0;
		answer(&r);
		while (acme_client_take_request(w.client, &w.now, &r)) {
			answer(&r); /* what the client has begun for itself */
		}
		if (cut < 15) {
			world_end();
		}
	}
}

/* ---- what the CA says of time ---- */

static enum treatment
asks_to_wait(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, "/order/1") == 0 && nth == 2) {
		w.order = ORDER_PROCESSING;
		say_order(a, 200);
		say_header(a, "Retry-After: 100");
		return TREAT_AS_ANSWERED;
	}
	if (strcmp(path, "/order/1") == 0 && nth == 3) {
		assert_int_equal(w.now.mono_ns - w.last_ns, 0);
	}
	return TREAT_WELL;
}

static void
retry_after_is_obeyed(void **state)
{
	(void)state;
	struct acme_order *o = ran(NULL, asks_to_wait);
	assert_issued(o);
	assert_in_range(w.now.mono_ns / NOW_SECOND_NS, 1100, 1115);
}

static enum treatment
asks_to_wait_long(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, "/authz/0") != 0 || nth == 1) {
		return TREAT_WELL;
	}
	w.pending_polls = 10;
	say_authorization(a, 0);
	say_header(a, "Retry-After: 86400");
	return TREAT_AS_ANSWERED;
}

static void
nobody_waits_a_day(void **state)
{
	(void)state;
	struct acme_order *o = ran(NULL, asks_to_wait_long);
	assert_failed_with(o, ACME_FAULT_TIME, "86400 seconds");
	assert_int_equal(acme_order_failure(o)->retry_s, 86400);
}

/* ---- refusals ---- */

static const char *refusal;

static enum treatment
refuses_order(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/order") != 0) {
		return TREAT_WELL;
	}
	say_problem(a, strcmp(refusal, "serverInternal") == 0 ? 500 : 403, refusal, "no, and why");
	return TREAT_AS_ANSWERED;
}

static void
each_problem_has_its_fault(void **state)
{
	static const struct {
		const char *type;
		enum acme_fault fault;
	} rows[] = {
		{ "badCSR", ACME_FAULT_REFUSED }, { "badPublicKey", ACME_FAULT_REFUSED }, { "caa", ACME_FAULT_REFUSED },
		{ "rejectedIdentifier", ACME_FAULT_REFUSED }, { "unsupportedIdentifier", ACME_FAULT_REFUSED },
		{ "invalidProfile", ACME_FAULT_REFUSED }, { "malformed", ACME_FAULT_REFUSED }, { "unauthorized", ACME_FAULT_REFUSED },
		{ "alreadyReplaced", ACME_FAULT_REFUSED }, { "alreadyRevoked", ACME_FAULT_REFUSED }, { "compound", ACME_FAULT_REFUSED },
		{ "conflict", ACME_FAULT_REFUSED }, { "orderNotReady", ACME_FAULT_REFUSED }, { "unsupportedContact", ACME_FAULT_REFUSED },
		{ "invalidContact", ACME_FAULT_REFUSED }, { "badRevocationReason", ACME_FAULT_REFUSED },
		{ "somethingNew", ACME_FAULT_REFUSED },
		{ "dns", ACME_FAULT_VALIDATION }, { "connection", ACME_FAULT_VALIDATION }, { "tls", ACME_FAULT_VALIDATION },
		{ "incorrectResponse", ACME_FAULT_VALIDATION },
		{ "badSignatureAlgorithm", ACME_FAULT_ACCOUNT }, { "externalAccountRequired", ACME_FAULT_ACCOUNT },
		{ "userActionRequired", ACME_FAULT_ACCOUNT }, { "accountDoesNotExist", ACME_FAULT_ACCOUNT },
		{ "serverInternal", ACME_FAULT_NETWORK }, { "badNonce", ACME_FAULT_NETWORK },
		{ "rateLimited", ACME_FAULT_ACCOUNT_RATE },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[128];
		refusal = rows[i].type;
		(void)snprintf(text, sizeof text, "newOrder: %s: no, and why", rows[i].type);
		assert_failed_with(ran(NULL, refuses_order), rows[i].fault, text);
		assert_true(asked("/order") <= ACME_BAD_NONCES_MAX + 1);
		if (i + 1 < ARRAY_LEN(rows)) {
			world_end();
		}
	}
}

static enum treatment
has_new_terms(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/order") != 0) {
		return TREAT_WELL;
	}
	say_problem(a, 403, "userActionRequired", "the terms have changed");
	say_header(a, "Link: <" CA "/terms/2>;rel=\"terms-of-service\"");
	return TREAT_AS_ANSWERED;
}

static void
new_terms_are_named(void **state)
{
	(void)state;
	assert_failed_with(ran(NULL, has_new_terms), ACME_FAULT_ACCOUNT, "the terms have changed; terms of service: " CA "/terms/2");
}

static enum treatment
does_not_validate(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, "/authz/1") != 0 || nth == 1) {
		return TREAT_WELL;
	}
	say(a, 200, "{\"status\":\"invalid\",\"identifier\":{\"type\":\"dns\",\"value\":\"example\"},\"challenges\":[{\"type\":\"http-01\"},"
	            "{\"type\":\"dns-01\",\"error\":{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"NXDOMAIN\"}}]}");
	return TREAT_AS_ANSWERED;
}

static void
the_reason_is_the_challenges(void **state)
{
	(void)state;
	assert_failed_with(ran(NULL, does_not_validate), ACME_FAULT_VALIDATION, "example: authorization invalid: dns: NXDOMAIN");
}

static enum treatment
gives_up_order(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/order/1") != 0) {
		return TREAT_WELL;
	}
	say(a, 200, "{\"status\":\"invalid\",\"error\":{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"forbidden\"}}");
	return TREAT_AS_ANSWERED;
}

static void
the_reason_is_the_orders(void **state)
{
	(void)state;
	assert_failed_with(ran(NULL, gives_up_order), ACME_FAULT_VALIDATION, "caa: forbidden");
}

/* ---- answers that make no sense ---- */

static const char *odd_path, *odd_body;
static unsigned odd_nth;

static enum treatment
is_odd(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, odd_path) != 0 || nth != odd_nth) {
		return TREAT_WELL;
	}
	say(a, 200, odd_body);
	say_header(a, "Location: " CA "/order/1");
	return TREAT_AS_ANSWERED;
}

#define AUTHZ_OF(name) "\"identifier\":{\"type\":\"dns\",\"value\":\"" name "\"}"
#define ORDER_PARTS "\"authorizations\":[\"" CA "/authz/0\"],\"finalize\":\"" CA "/finalize\""

static void
nonsense_ends_an_order(void **state)
{
	static const struct {
		const char *path, *body, *text;
		unsigned nth;
		enum acme_fault fault;
	} rows[] = {
		{ "/order", "", "no JSON", 1, ACME_FAULT_ANSWER },
		{ "/order", "[]", "no JSON", 1, ACME_FAULT_ANSWER },
		{ "/order", "{}", "no URL for the signing request", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":\"pending\",\"authorizations\":7,\"finalize\":\"" CA "/finalize\"}", "no authorizations", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":\"pending\",\"authorizations\":[7],\"finalize\":\"" CA "/finalize\"}", "no URL", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":\"pending\",\"authorizations\":[\"http://ca.example/\"],\"finalize\":\"" CA "/f\"}", "no URL", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":7," ORDER_PARTS "}", "makes no sense", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":\"strange\"," ORDER_PARTS "}", "makes no sense", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":\"valid\"," ORDER_PARTS "}", "no URL of a certificate", 1, ACME_FAULT_ANSWER },
		{ "/order", "{\"status\":\"invalid\"," ORDER_PARTS "}", "no reason given", 1, ACME_FAULT_VALIDATION },
		{ "/authz/0", "{}", "not one of the order", 1, ACME_FAULT_ANSWER },
		{ "/authz/0", "{" AUTHZ_OF("evil.example") ",\"status\":\"pending\"}", "not one of the order", 1, ACME_FAULT_ANSWER },
		{ "/authz/0", "{" AUTHZ_OF("www.example") "}", "no status", 1, ACME_FAULT_ANSWER },
		{ "/authz/0", "{" AUTHZ_OF("www.example") ",\"status\":\"pending\"}", "no proof by DNS", 1, ACME_FAULT_REFUSED },
		{ "/authz/0", "{" AUTHZ_OF("www.example") ",\"status\":\"pending\",\"challenges\":[{\"type\":\"dns-01\",\"url\":\"" CA
		  "/c\",\"token\":\"a b\"}]}", "no proof by DNS", 1, ACME_FAULT_REFUSED },
		{ "/authz/0", "{" AUTHZ_OF("www.example") ",\"status\":\"pending\",\"challenges\":[{\"type\":\"dns-01\",\"token\":\"a\"},7,\"x\"]}",
		  "no proof by DNS", 1, ACME_FAULT_REFUSED },
		{ "/authz/0", "{" AUTHZ_OF("www.example") ",\"status\":\"deactivated\"}", "authorization deactivated: no reason given", 1,
		  ACME_FAULT_VALIDATION },
		{ "/authz/0", "{" AUTHZ_OF("example") ",\"status\":\"valid\"}", "another name than before", 2, ACME_FAULT_ANSWER },
		{ "/order/1", "x", "no JSON", 1, ACME_FAULT_ANSWER },
		{ "/finalize", "{\"status\":\"pending\"}", "makes no sense", 1, ACME_FAULT_ANSWER },
		{ "/cert", "", "no PEM", 1, ACME_FAULT_ANSWER },
		{ "/cert", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no PEM", 1, ACME_FAULT_ANSWER },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		odd_path = rows[i].path;
		odd_body = rows[i].body;
		odd_nth = rows[i].nth;
		struct acme_order *o = ran(NULL, is_odd);
		assert_failed_with(o, rows[i].fault, rows[i].text);
		if (i + 1 < ARRAY_LEN(rows)) {
			world_end();
		}
	}
}

/* ---- lies ---- */

static bool lies_with_alternate;

static enum treatment
gives_wrong_key(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/cert") != 0 && (strcmp(path, "/cert/2") != 0 || !lies_with_alternate)) {
		return TREAT_WELL;
	}
	say_chain(a, w.false_leaf, w.middle);
	say_header(a, "Link: <" CA "/cert/2>;rel=\"alternate\"");
	return TREAT_AS_ANSWERED;
}

static enum treatment
gives_no_chain(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strncmp(path, "/cert", 5) != 0) {
		return TREAT_WELL;
	}
	say_chain(a, w.leaf, w.leaf);
	return TREAT_AS_ANSWERED;
}

static void
a_false_certificate_is_not_handed_out(void **state)
{
	(void)state;
	lies_with_alternate = true;
	assert_failed_with(ran(NULL, gives_wrong_key), ACME_FAULT_ANSWER, "certificate: the certificate has another public key");
	world_end();
	assert_failed_with(ran(NULL, gives_no_chain), ACME_FAULT_ANSWER, "not signed by the next");
	world_end();
	lies_with_alternate = false;
	assert_issued(ran(NULL, gives_wrong_key)); /* another chain is good */
}

static void
the_preferred_chain_is_taken(void **state)
{
	const struct acme_client_conf conf = { .has_agreed = true, .preferred_chain = "Old Root" };
	const struct acme_client_conf none = { .has_agreed = true, .preferred_chain = "No Root" };
	const struct acme_der *chain;
	(void)state;
	struct acme_order *o = ran(&conf, NULL);
	assert_issued(o);
	(void)acme_order_chain(o, &chain);
	assert_memory_equal(chain[1].octets, w.cross->der, w.cross->der_len);
	world_end();
	o = ran(&none, NULL);
	assert_issued(o);
	(void)acme_order_chain(o, &chain);
	assert_memory_equal(chain[1].octets, w.middle->der, w.middle->der_len);
}

/* ---- answers that are lost on their way ---- */

static const char *lost_path;

static enum treatment
is_heard_but_lost(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, lost_path) != 0 || nth > 2) {
		return TREAT_WELL;
	}
	if (nth == 1) {
		serve(path, a);
		return TREAT_LOST;
	}
	say_problem(a, 403, strcmp(path, "/finalize") == 0 ? "orderNotReady" : "malformed", "it was done before");
	return strncmp(path, "/authz", 6) == 0 || strcmp(path, "/order") == 0 || strncmp(path, "/cert", 5) == 0 ||
	       strcmp(path, "/order/1") == 0 ? TREAT_WELL : TREAT_AS_ANSWERED;
}

static void
a_lost_answer_is_made_up_for(void **state)
{
	static const char *const paths[] = { "/order", "/authz/0", "/chall/0", "/chall/1", "/order/1", "/finalize", "/cert" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		lost_path = paths[i];
		assert_issued(ran(NULL, is_heard_but_lost));
		if (i + 1 < ARRAY_LEN(paths)) {
			world_end();
		}
	}
}

static enum treatment
refuses_challenge(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/chall/1") != 0) {
		return TREAT_WELL;
	}
	say_problem(a, 403, "unauthorized", "not yours");
	return TREAT_AS_ANSWERED;
}

static void
a_refused_proof_is_a_reason(void **state)
{
	(void)state;
	assert_failed_with(ran(NULL, refuses_challenge), ACME_FAULT_VALIDATION, "the CA refuses the proof: unauthorized: not yours");
}

/* ---- extensions ---- */

static enum treatment
knows_no_replaced(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, "/order") != 0 || nth > 1) {
		return TREAT_WELL;
	}
	assert_non_null(strstr(w.payload, "\"replaces\":\"a.b\""));
	say_problem(a, 409, "alreadyReplaced", "it has been");
	return TREAT_AS_ANSWERED;
}

static enum treatment
fails_at_replaced(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/order") != 0 || strstr(w.payload, "replaces") == NULL) {
		return TREAT_WELL;
	}
	say_problem(a, 500, "serverInternal", "could not find an order for the given certificate");
	return TREAT_AS_ANSWERED;
}

static void
what_is_replaced_is_said(void **state)
{
	(void)state;
	world_begin(NULL);
	struct acme_order *o = world_order("a.b");
	run();
	assert_issued(o);
	assert_null(strstr(w.payload, "replaces")); /* this CA has no renewal information */
	world_end();
	world_begin(NULL);
	w.more = ",\"renewalInfo\":\"" CA "/renewal\"";
	w.hook = knows_no_replaced;
	o = world_order("a.b");
	run();
	assert_issued(o);
	assert_int_equal(asked("/order"), 2);
	assert_null(strstr(w.payload, "replaces"));
	world_end();
	world_begin(NULL);
	w.more = ",\"renewalInfo\":\"" CA "/renewal\"";
	w.hook = fails_at_replaced;
	o = world_order("a.b");
	run();
	assert_issued(o);
	assert_null(strstr(w.payload, "replaces"));
}

static void
profiles_are_asked_for(void **state)
{
	const struct acme_client_conf conf = { .has_agreed = true, .profile = "shortlived" };
	(void)state;
	world_begin(&conf);
	w.meta = ",\"profiles\":{\"classic\":\"x\",\"shortlived\":\"y\"}";
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_non_null(strstr(w.payload, ",\"profile\":\"shortlived\"}"));
	world_end();
	world_begin(&conf);
	w.meta = ",\"profiles\":{\"classic\":\"x\"}";
	o = world_order(NULL);
	run();
	assert_failed_with(o, ACME_FAULT_REFUSED, "the CA has no profile shortlived; it has: classic");
	assert_int_equal(asked("/order"), 0);
}

/* Of the record in a line, which has one string. */
static const char *
text_in(struct str *line)
{
	static const char begin[] = "_validation-persist.example. 3600 TXT \"";
	assert_true(strncmp(line->s, begin, sizeof begin - 1) == 0 && strcmp(line->s + line->len - 2, "\"\n") == 0);
	line->s[line->len - 2] = '\0';
	return line->s + sizeof begin - 1;
}

static void
lasting_proofs_are_known(void **state)
{
	struct str text = { 0 };
	(void)state;
	world_begin(NULL);
	w.meta = ",\"issuerDomainNames\":[\"ca.example\"],\"accountHashPrefix\":\"" CA "/hash/\"";
	w.is_persist = w.does_not_prove = true;
	struct acme_order *o = world_order(NULL);
	assert_int_equal(acme_client_persist_line(w.client, "*.example", &text), E_NOTFOUND);
	run();
	assert_true(acme_order_proof(o, 1)->has_persist);
	assert_int_equal(acme_client_persist_line(w.client, "*.example", &text), OK);
	const char *record = text_in(&text);
	assert_true(acme_order_is_persist(o, 1, record, WALL));
	assert_false(acme_order_is_persist(o, 0, record, WALL));
	str_clear(&text);
	assert_int_equal(acme_client_persist_line(w.client, "example", &text), OK);
	assert_false(acme_order_is_persist(o, 1, text_in(&text), WALL)); /* no wildcard */
	acme_order_proven(o, &w.now, 1, ACME_WAY_PERSIST);
	run();
	assert_int_equal(asked("/persist/x"), 1);
	str_fini(&text);
}

static void
names_are_those_of_the_csr(void **state)
{
	static const char *const other[] = { "www.example", "other.example" };
	static const char *const twice[] = { "www.example", "www.example" };
	struct acme_order_wish wish = { .names = other, .names_n = 2, .csr = w.csr->der, .csr_len = w.csr->der_len };
	struct acme_order *o = NULL;
	(void)state;
	world_begin(NULL);
	assert_int_equal(acme_order_new(w.client, &w.now, &wish, &o), E_FORMAT);
	wish.names = twice;
	assert_int_equal(acme_order_new(w.client, &w.now, &wish, &o), E_FORMAT);
	wish.names = world_names;
	wish.names_n = 1;
	assert_int_equal(acme_order_new(w.client, &w.now, &wish, &o), E_FORMAT);
	wish.names_n = 2;
	wish.csr_len = 50;
	assert_int_not_equal(acme_order_new(w.client, &w.now, &wish, &o), OK);
	assert_null(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_order_goes_its_way, end),
		cmocka_unit_test_teardown(proofs_are_told_one_by_one, end),
		cmocka_unit_test_teardown(proven_names_are_not_proven_again, end),
		cmocka_unit_test_teardown(the_ca_may_take_its_time, end),
		cmocka_unit_test_teardown(endless_polling_ends, end),
		cmocka_unit_test_teardown(the_time_for_validation_is_bounded, end),
		cmocka_unit_test_teardown(the_time_for_proofs_is_bounded, end),
		cmocka_unit_test_teardown(an_order_may_go_at_any_time, end),
		cmocka_unit_test_teardown(retry_after_is_obeyed, end),
		cmocka_unit_test_teardown(nobody_waits_a_day, end),
		cmocka_unit_test_teardown(each_problem_has_its_fault, end),
		cmocka_unit_test_teardown(new_terms_are_named, end),
		cmocka_unit_test_teardown(the_reason_is_the_challenges, end),
		cmocka_unit_test_teardown(the_reason_is_the_orders, end),
		cmocka_unit_test_teardown(nonsense_ends_an_order, end),
		cmocka_unit_test_teardown(a_false_certificate_is_not_handed_out, end),
		cmocka_unit_test_teardown(the_preferred_chain_is_taken, end),
		cmocka_unit_test_teardown(a_lost_answer_is_made_up_for, end),
		cmocka_unit_test_teardown(a_refused_proof_is_a_reason, end),
		cmocka_unit_test_teardown(what_is_replaced_is_said, end),
		cmocka_unit_test_teardown(profiles_are_asked_for, end),
		cmocka_unit_test_teardown(lasting_proofs_are_known, end),
		cmocka_unit_test_teardown(names_are_those_of_the_csr, end),
	};
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
