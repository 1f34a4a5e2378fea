/* The client of a CA beside its orders: directory, account, nonces, rate limits, many orders at a time, renewal information. */
#include "acme_world.h"

static int
end(void **state)
{
	(void)state;
	world_end();
	return 0;
}

/* ---- account ---- */

static void
an_account_is_found_again(void **state)
{
	(void)state;
	world_begin(NULL);
	w.has_account = true;
	assert_null(acme_client_account(w.client));
	acme_client_want_account(w.client, &w.now);
	run();
	assert_string_equal(acme_client_account(w.client), ACCOUNT);
	assert_string_equal(w.log, "/dir /nonce /account ");
	assert_string_equal(w.payload, "{\"onlyReturnExisting\":true}");
	acme_client_want_account(w.client, &w.now); /* known: nothing is to be done */
	run();
	assert_int_equal(w.requests, 3);
}

static void
an_account_is_made(void **state)
{
	const struct acme_client_conf conf = { .has_agreed = true, .contact = "mailto:\"a\"@example.org" };
	(void)state;
	world_begin(&conf);
	acme_client_want_account(w.client, &w.now);
	run();
	assert_string_equal(w.payload, "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:\\\"a\\\"@example.org\"]}");
	assert_string_equal(acme_client_account(w.client), ACCOUNT);
}

static void
an_account_is_bound(void **state)
{
	const struct acme_client_conf conf = { .has_agreed = true, .eab_kid = "kid-1", .eab_key = (const uint8_t *)"secret", .eab_key_len = 6 };
	const struct acme_binding binding = { .kid = "kid-1", .key = (const uint8_t *)"secret", .key_len = 6, .url = CA "/account" };
	struct str want = { 0 };
	(void)state;
	world_begin(&conf);
	w.meta = ",\"externalAccountRequired\":true";
	acme_client_want_account(w.client, &w.now);
	run();
	str_cat(&want, "{\"termsOfServiceAgreed\":true,\"externalAccountBinding\":");
	assert_int_equal(acme_jws_bind(w.account_key, &binding, &want), OK);
	str_char(&want, '}');
	assert_string_equal(w.payload, want.s);
	str_fini(&want);
}

static void
assert_no_account(const struct acme_client_conf *conf, const char *meta, const char *text)
{
	world_begin(conf);
	w.meta = meta;
	struct acme_order *o = world_order(NULL);
	run();
	assert_failed_with(o, ACME_FAULT_ACCOUNT, text);
	assert_string_equal(acme_client_trouble(w.client), acme_order_failure(o)->reason);
	assert_true(acme_client_rests_until(w.client, &w.now) > w.now.mono_ns);
	assert_int_equal(asked("/account"), 1);
	world_end();
}

static enum treatment
has_closed_account(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/account") != 0) {
		return TREAT_WELL;
	}
	say(a, 200, "{\"status\":\"deactivated\"}");
	say_header(a, "Location: " ACCOUNT);
	return TREAT_AS_ANSWERED;
}

static void
without_an_account_orders_fail(void **state)
{
	const struct acme_client_conf not_agreed = { .has_agreed = false };
	(void)state;
	assert_no_account(NULL, ",\"externalAccountRequired\":true", "--eab-kid");
	assert_no_account(&not_agreed, "", "terms of service");
	world_begin(NULL);
	w.hook = has_closed_account;
	struct acme_order *o = world_order(NULL);
	run();
	assert_failed_with(o, ACME_FAULT_ACCOUNT, "deactivated");
}

static enum treatment
forgets_account(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, "/finalize") != 0 || nth > 1) {
		return TREAT_WELL;
	}
	say_problem(a, 400, "accountDoesNotExist", "who?");
	w.has_account = false;
	return TREAT_AS_ANSWERED;
}

static void
a_forgotten_account_is_made_again(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = forgets_account;
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_int_equal(asked("/account"), 4);
	assert_int_equal(asked("/finalize"), 2);
}

/* ---- contact ---- */

static const struct acme_client_conf with_contact = { .has_agreed = true, .contact = "mailto:new@example.org" };

static void
order_and_run(void)
{
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
}

/* The next notice; its text. */
static const char *
noticed(enum acme_notice_kind kind)
{
	static struct acme_notice n;
	assert_true(acme_client_next_notice(w.client, &n));
	assert_int_equal(n.kind, kind);
	return n.text;
}

static void
assert_no_notice(void)
{
	struct acme_notice n;
	assert_false(acme_client_next_notice(w.client, &n));
}

static enum treatment
takes_contact(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth, (void)a;
	w.contact = strcmp(path, ACCOUNT_PATH) == 0 ? "[\"mailto:new@example.org\"]" : w.contact;
	return TREAT_WELL;
}

static void
another_contact_is_changed_once(void **state)
{
	static const char *const before[] = { NULL, "[]", "[\"mailto:old@example.org\"]", "[\"mailto:new@example.org\",\"tel:1\"]" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		world_begin(&with_contact);
		w.has_account = true;
		w.contact = before[i];
		w.hook = takes_contact;
		order_and_run();
		assert_int_equal(asked(ACCOUNT_PATH), 1);
		assert_string_equal(w.update, "{\"contact\":[\"mailto:new@example.org\"]}");
		assert_string_equal(noticed(ACME_NOTICE_CONTACT), "");
		assert_no_notice();
		world_end();
	}
	world_begin(&with_contact);
}

static void
an_equal_contact_stays(void **state)
{
	(void)state;
	world_begin(&with_contact);
	w.has_account = true;
	w.contact = "[\"mailto:New@Example.org\"]";
	order_and_run();
	assert_int_equal(asked(ACCOUNT_PATH), 0);
	assert_no_notice();
	world_end();
	world_begin(NULL); /* who has no wish changes nothing */
	w.has_account = true;
	w.contact = "[\"mailto:old@example.org\"]";
	order_and_run();
	assert_int_equal(asked(ACCOUNT_PATH), 0);
	world_end();
	world_begin(&with_contact); /* nor does an account that was made with it */
	order_and_run();
	assert_int_equal(asked(ACCOUNT_PATH), 0);
}

/* As Let's Encrypt does: it would be told for ever. */
static void
a_contact_that_is_not_shown_is_told_once(void **state)
{
	(void)state;
	world_begin(&with_contact);
	w.has_account = true;
	w.hook = forgets_account;
	order_and_run();
	assert_int_equal(asked("/account"), 3);
	assert_int_equal(asked(ACCOUNT_PATH), 1);
	assert_string_equal(noticed(ACME_NOTICE_CONTACT), "the CA does not show it");
	assert_string_equal(w.payload, "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:new@example.org\"]}");
}

static const char *contact_problem;
static unsigned contact_status;

static enum treatment
refuses_contact(const char *path, unsigned nth, struct acme_answer *a)
{
	bool is_about_it = strcmp(path, ACCOUNT_PATH) == 0 || (strcmp(path, "/account") == 0 && strstr(w.payload, "contact") != NULL);
	(void)nth;
	if (!is_about_it) {
		return TREAT_WELL;
	}
	say_problem(a, contact_status, contact_problem, "no mail");
	if (contact_status == 429) {
		say_header(a, "Retry-After: 5000");
	}
	return TREAT_AS_ANSWERED;
}

static void
a_contact_that_is_refused_stops_nothing(void **state)
{
	static const char *const kinds[] = { "invalidContact", "unsupportedContact", "malformed" };
	(void)state;
	contact_status = 400;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		world_begin(&with_contact);
		w.has_account = true;
		w.hook = refuses_contact;
		contact_problem = kinds[i];
		order_and_run();
		assert_int_equal(asked(ACCOUNT_PATH), 1);
		const char *text = noticed(ACME_NOTICE_CONTACT_REFUSED);
		assert_true(strncmp(text, kinds[i], strlen(kinds[i])) == 0 && strstr(text, "no mail") != NULL);
		assert_no_notice();
		world_end();
	}
	world_begin(&with_contact); /* an account is made without it */
	w.hook = refuses_contact;
	contact_problem = "invalidContact";
	acme_client_want_account(w.client, &w.now);
	run();
	assert_string_equal(acme_client_account(w.client), ACCOUNT);
	assert_string_equal(w.payload, "{\"termsOfServiceAgreed\":true}");
	assert_string_equal(noticed(ACME_NOTICE_CONTACT_REFUSED), "invalidContact: no mail");
}

/* A CA that is busy with accounts makes certificates nevertheless, and is asked again after an hour. */
static void
a_contact_that_has_to_wait_holds_up_nothing(void **state)
{
	(void)state;
	world_begin(&with_contact);
	w.has_account = true;
	w.hook = refuses_contact;
	contact_status = 429;
	contact_problem = "rateLimited";
	struct acme_order *o = world_order(NULL);
	while (acme_order_state(o) != ACME_ORDER_ISSUED) {
		if (!exchange()) {
			assert_true(pass_to_deadline());
		}
		look_at_orders();
	}
	assert_int_equal(asked(ACCOUNT_PATH), 1);
	assert_true(w.now.wall_s < WALL + 600);
	assert_no_notice();
	w.hook = takes_contact;
	run();
	assert_int_equal(asked(ACCOUNT_PATH), 2);
	assert_string_equal(noticed(ACME_NOTICE_CONTACT), "");
}

/* ---- terms of service ---- */

static bool are_terms_new;

static enum treatment
has_new_terms(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/order") != 0 || !are_terms_new) {
		return TREAT_WELL;
	}
	say(a, 403, "{\"type\":\"urn:ietf:params:acme:error:userActionRequired\",\"detail\":\"the terms have changed\","
	    "\"instance\":\"" CA "/agree\"}");
	say_header(a, "Link: <" CA "/new-terms>;rel=\"terms-of-service\"");
	return TREAT_AS_ANSWERED;
}

static void
new_terms_are_said_and_waited_for(void **state)
{
	static const char said[] = "userActionRequired: the terms have changed; to be done at " CA "/agree; terms of service: " CA "/new-terms";
	(void)state;
	world_begin(NULL);
	w.hook = has_new_terms;
	are_terms_new = true;
	for (unsigned i = 0; i < 2; i++) {
		struct acme_order *a = world_order(NULL), *b = world_order(NULL);
		run();
		assert_failed_with(a, ACME_FAULT_ACCOUNT, said);
		assert_failed_with(b, ACME_FAULT_ACCOUNT, said);
		assert_string_equal(noticed(ACME_NOTICE_TERMS), said);
		assert_no_notice(); /* once for both */
		assert_int_equal(acme_client_rests_until(w.client, &w.now), w.now.mono_ns + 3600 * NOW_SECOND_NS);
		pass_s(3600);
	}
	are_terms_new = false;
	order_and_run();
	assert_int_equal(acme_client_rests_until(w.client, &w.now), 0);
}

/* ---- the CA is down ---- */

static bool is_down;

static enum treatment
is_away(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)path, (void)nth, (void)a;
	return is_down ? TREAT_LOST : TREAT_WELL;
}

static void
a_ca_may_be_down(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = is_away;
	is_down = true;
	for (unsigned i = 0; i < 8; i++) {
		struct acme_order *o = world_order(NULL);
		run();
		assert_failed_with(o, ACME_FAULT_NETWORK, "no directory: connection refused");
		assert_int_equal(asked("/dir"), (i + 1) * ACME_ATTEMPTS_MAX);
	}
	/* It rests longer and longer, up to an hour. */
	assert_true(w.now.mono_ns > (1000 + 60 * (1 + 2 + 4 + 8 + 16 + 32 + 60)) * NOW_SECOND_NS);
	assert_true(acme_client_rests_until(w.client, &w.now) <= w.now.mono_ns + 3600 * NOW_SECOND_NS);
	is_down = false;
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_null(acme_client_trouble(w.client));
	assert_int_equal(acme_client_rests_until(w.client, &w.now), 0);
}

static const char *down_path;
static unsigned down_status;

static enum treatment
is_down_for_a_while(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, down_path) != 0 || nth >= ACME_ATTEMPTS_MAX) {
		return TREAT_WELL;
	}
	if (down_status == 0) {
		return TREAT_LOST;
	}
	say(a, down_status, "<html>");
	return TREAT_AS_ANSWERED;
}

static void
each_request_is_sent_again(void **state)
{
	static const char *const paths[] = { "/dir", "/nonce", "/account", "/order", "/authz/1", "/chall/1", "/order/1", "/finalize", "/cert" };
	static const unsigned statuses[] = { 0, 500, 502 };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths) * ARRAY_LEN(statuses); i++) {
		world_begin(NULL);
		w.hook = is_down_for_a_while;
		down_path = paths[i / ARRAY_LEN(statuses)];
		down_status = statuses[i % ARRAY_LEN(statuses)];
		struct acme_order *o = world_order(NULL);
		run();
		assert_issued(o);
		assert_true(asked(down_path) >= ACME_ATTEMPTS_MAX);
		if (i + 1 < ARRAY_LEN(paths) * ARRAY_LEN(statuses)) {
			world_end();
		}
	}
}

/* ---- nonces ---- */

static unsigned nonces_to_refuse;

static enum treatment
refuses_nonces(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)path, (void)nth;
	if (nonces_to_refuse == 0 || strcmp(path, "/dir") == 0 || strcmp(path, "/nonce") == 0) {
		return TREAT_WELL;
	}
	nonces_to_refuse--;
	say_problem(a, 400, "badNonce", "too old");
	return TREAT_AS_ANSWERED;
}

static void
refused_nonces_are_replaced(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = refuses_nonces;
	nonces_to_refuse = ACME_BAD_NONCES_MAX;
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_int_equal(asked("/nonce"), 1); /* the refusals bring new ones */
	assert_int_equal(acme_client_stats(w.client)->bad_nonces, ACME_BAD_NONCES_MAX);
	world_end();
	world_begin(NULL);
	w.hook = refuses_nonces;
	nonces_to_refuse = ACME_BAD_NONCES_MAX + 1;
	o = world_order(NULL);
	run();
	assert_failed_with(o, ACME_FAULT_ACCOUNT, "badNonce: too old");
}

static enum treatment
gives_no_nonces(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/nonce") != 0) {
		return TREAT_WELL;
	}
	acme_answer_begin(a, 200);
	say_header(a, "Replay-Nonce: not/base64url");
	struct acme_request r;
	ASSERT(!acme_client_take_request(w.client, &w.now, &r));
	return TREAT_LOST;
}

static void
without_nonces_nothing_goes_on(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = gives_no_nonces;
	struct acme_order *o = world_order(NULL);
	run();
	assert_failed_with(o, ACME_FAULT_NETWORK, "connection refused");
	assert_int_equal(asked("/nonce"), ACME_ATTEMPTS_MAX);
}

static void
a_ca_without_nonces_is_told(void **state)
{
	struct acme_answer a = { 0 };
	struct acme_request r;
	(void)state;
	world_begin(NULL);
	struct acme_order *o = world_order(NULL);
	assert_true(acme_client_take_request(w.client, &w.now, &r));
	answer(&r);
	assert_true(acme_client_take_request(w.client, &w.now, &r));
	assert_string_equal(r.url, CA "/nonce");
	acme_answer_begin(&a, 200);
	acme_client_on_answer(w.client, &w.now, r.id, &a);
	acme_client_on_answer(w.client, &w.now, r.id, &a); /* twice: the second one is nobody's */
	assert_failed_with(o, ACME_FAULT_NETWORK, "gives no nonce");
	acme_answer_fini(&a);
}

/* ---- rate limits ---- */

static const char *limit_text, *limit_retry;

static enum treatment
limits_orders(const char *path, unsigned nth, struct acme_answer *a)
{
	if (strcmp(path, "/order") != 0 || nth > 1) {
		return TREAT_WELL;
	}
	say_problem(a, 429, "rateLimited", limit_text);
	say_header(a, "Retry-After: %s", limit_retry);
	return TREAT_AS_ANSWERED;
}

static void
a_limit_may_be_for_the_name(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = limits_orders;
	limit_text = "too many certificates already issued for EXAMPLE and *.www.example";
	limit_retry = "Fri, 15 Jan 2027 09:00:00 GMT"; /* an hour after WALL */
	struct acme_order *first = world_order(NULL), *second = world_order(NULL);
	run();
	assert_failed_with(first, ACME_FAULT_NAME_RATE, "too many certificates");
	assert_int_equal(acme_order_failure(first)->retry_s, 3600);
	assert_issued(second); /* the others go on */
	assert_true(w.now.mono_ns < 1100 * NOW_SECOND_NS);
}

static void
a_limit_may_be_for_the_account(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = limits_orders;
	limit_text = "too many new orders from this account";
	limit_retry = "7000";
	struct acme_order *first = world_order(NULL), *second = world_order(NULL);
	exchange(), exchange(), exchange(), exchange();
	exchange();
	assert_failed_with(first, ACME_FAULT_ACCOUNT_RATE, "from this account");
	assert_int_equal(acme_order_failure(first)->retry_s, 7000);
	assert_int_equal(acme_client_rests_until(w.client, &w.now), w.now.mono_ns + 7000 * NOW_SECOND_NS);
	struct acme_request r;
	unsigned before = w.requests;
	assert_false(acme_client_take_request(w.client, &w.now, &r));
	pass_s(6999);
	assert_false(acme_client_take_request(w.client, &w.now, &r));
	pass_s(1);
	assert_true(exchange());
	assert_true(w.requests > before);
	run();
	assert_int_not_equal(acme_order_state(second), ACME_ORDER_UNDER_WAY);
}

static void
a_short_limit_is_waited_for(void **state)
{
	(void)state;
	world_begin(NULL);
	w.hook = limits_orders;
	limit_text = "busy";
	limit_retry = "30";
	struct acme_order *o = world_order(NULL);
	run();
	assert_issued(o);
	assert_int_equal(asked("/order"), 2);
	assert_true(w.now.mono_ns >= 1030 * NOW_SECOND_NS);
}

/* ---- many ---- */

static void
many_orders_share_few_requests(void **state)
{
	const struct acme_client_conf conf = { .has_agreed = true, .in_flight_max = 3 };
	(void)state;
	world_begin(&conf);
	w.is_proven_already = true;
	for (unsigned i = 0; i < WORLD_ORDERS; i++) {
		(void)world_order(NULL);
	}
	run();
	for (unsigned i = 0; i < WORLD_ORDERS; i++) {
		assert_issued(w.orders[i]);
	}
	assert_int_equal(w.in_flight_most, 3);
	assert_int_equal(asked("/account"), 2);
	assert_int_equal(acme_client_stats(w.client)->issued, WORLD_ORDERS);
}

static void
the_directory_is_asked_for_daily(void **state)
{
	(void)state;
	world_begin(NULL);
	w.has_account = true;
	acme_client_want_account(w.client, &w.now);
	run();
	pass_s(86000);
	(void)world_order(NULL);
	run();
	assert_int_equal(asked("/dir"), 1);
	pass_s(400);
	(void)world_order(NULL);
	run();
	assert_int_equal(asked("/dir"), 2);
	w.hook = is_away;
	is_down = true;
	pass_s(90000);
	assert_int_not_equal(acme_order_state(world_order(NULL)), ACME_ORDER_FAILED);
	run();
	assert_failed_with(w.orders[2], ACME_FAULT_NETWORK, "newOrder: connection refused");
	assert_int_equal(asked("/dir"), 2 + ACME_ATTEMPTS_MAX); /* the old one stays good */
	assert_null(acme_client_trouble(w.client));
}

/* ---- renewal information ---- */

static unsigned renewal_status;
static const char *renewal_body;

static enum treatment
has_renewals(const char *path, unsigned nth, struct acme_answer *a)
{
	(void)nth;
	if (strcmp(path, "/renewal/a.b") != 0) {
		return TREAT_WELL;
	}
	say(a, renewal_status, renewal_body);
	say_header(a, "Retry-After: 30");
	return TREAT_AS_ANSWERED;
}

static const struct acme_renewal_answer *
renewal(struct acme_renewal **r, const char *more)
{
	world_begin(NULL);
	w.hook = has_renewals;
	w.more = more;
	assert_int_equal(acme_renewal_new(w.client, &w.now, "a.b", &w, r), OK);
	run();
	assert_ptr_equal(acme_client_next_renewal(w.client), *r);
	assert_null(acme_client_next_renewal(w.client));
	assert_ptr_equal(acme_renewal_user(*r), &w);
	assert_int_equal(asked("/account"), 0); /* it needs none */
	return acme_renewal_answer(*r);
}

static void
renewal_information_is_asked_for(void **state)
{
	static const char renewals[] = ",\"renewalInfo\":\"" CA "/renewal\"", slash[] = ",\"renewalInfo\":\"" CA "/renewal/\"";
	static const struct {
		unsigned status;
		const char *more, *body;
		err_t err;
	} rows[] = {
		{ 200, renewals, "{\"suggestedWindow\":{\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-02T00:00:00Z\"}}", OK },
		{ 200, slash, "{\"suggestedWindow\":{\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-02T00:00:00Z\"}}", OK },
		{ 200, renewals, "{\"suggestedWindow\":{\"start\":\"2027-01-02T00:00:00Z\",\"end\":\"2027-01-01T00:00:00Z\"}}", E_FORMAT },
		{ 404, renewals, "", E_NOTFOUND }, { 503, renewals, "", E_IO }, { 200, "", "", E_UNSUPPORTED },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct acme_renewal *r = NULL;
		renewal_status = rows[i].status;
		renewal_body = rows[i].body;
		const struct acme_renewal_answer *a = renewal(&r, rows[i].more);
		assert_int_equal(a->err, rows[i].err);
		if (a->err == OK) {
			assert_int_equal(a->window.end_s - a->window.start_s, 86400);
			assert_int_equal(a->retry_s, 60); /* not more often */
		}
		acme_renewal_free(&r);
		if (i + 1 < ARRAY_LEN(rows)) {
			world_end();
		}
	}
}

static void
configuration_is_checked(void **state)
{
	struct acme_client_conf conf = { .directory = "http://ca.example/", .key = w.account_key };
	struct acme_client *c = NULL;
	char *endless = calloc(1, 5000);
	(void)state;
	memset(endless, 'x', 4999);
	assert_int_equal(acme_client_new(&conf, &c), E_FORMAT);
	conf.directory = CA "/dir";
	conf.contact = endless;
	assert_int_equal(acme_client_new(&conf, &c), E_LIMIT);
	conf.contact = NULL;
	conf.eab_kid = "kid";
	assert_int_equal(acme_client_new(&conf, &c), E_LIMIT);
	assert_null(c);
	acme_client_free(&c);
	free(endless);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_account_is_found_again, end),
		cmocka_unit_test_teardown(an_account_is_made, end),
		cmocka_unit_test_teardown(an_account_is_bound, end),
		cmocka_unit_test_teardown(without_an_account_orders_fail, end),
		cmocka_unit_test_teardown(a_forgotten_account_is_made_again, end),
		cmocka_unit_test_teardown(another_contact_is_changed_once, end),
		cmocka_unit_test_teardown(an_equal_contact_stays, end),
		cmocka_unit_test_teardown(a_contact_that_is_not_shown_is_told_once, end),
		cmocka_unit_test_teardown(a_contact_that_is_refused_stops_nothing, end),
		cmocka_unit_test_teardown(a_contact_that_has_to_wait_holds_up_nothing, end),
		cmocka_unit_test_teardown(new_terms_are_said_and_waited_for, end),
		cmocka_unit_test_teardown(a_ca_may_be_down, end),
		cmocka_unit_test_teardown(each_request_is_sent_again, end),
		cmocka_unit_test_teardown(refused_nonces_are_replaced, end),
		cmocka_unit_test_teardown(without_nonces_nothing_goes_on, end),
		cmocka_unit_test_teardown(a_ca_without_nonces_is_told, end),
		cmocka_unit_test_teardown(a_limit_may_be_for_the_name, end),
		cmocka_unit_test_teardown(a_limit_may_be_for_the_account, end),
		cmocka_unit_test_teardown(a_short_limit_is_waited_for, end),
		cmocka_unit_test_teardown(many_orders_share_few_requests, end),
		cmocka_unit_test_teardown(the_directory_is_asked_for_daily, end),
		cmocka_unit_test_teardown(renewal_information_is_asked_for, end),
		cmocka_unit_test(configuration_is_checked),
	};
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
