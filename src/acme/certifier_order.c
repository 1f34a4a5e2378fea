/* What a job has to do with the CA: its order, where proofs are to be, and the certificate. */
#include <stdio.h>
#include <string.h>

#include "acme/certifier_p.h"
#include "base/alloc.h"

static void
say_passed_over(struct job *j)
{
	char why[CERTIFIER_REASON_MAX];
	if (tlsa_passed_over(j->owner, j->host, why)) {
		job_report(j, CERTIFIER_TLSA_PASSED, why, 0);
	}
}

static err_t
order(struct job *j, const struct now *now, const struct reading *r)
{
	const char *names[HOST_NAMES_MAX];
	const struct host_names *from = &r->set.request->names;
	for (size_t i = 0; i < from->n; i++) {
		names[i] = from->name[i];
	}
	const struct acme_order_wish wish = {
		.names = names, .names_n = from->n, .csr = r->set.request->der, .csr_len = r->set.request->der_len,
		.replaces = r->cert_id[0] != '\0' ? r->cert_id : NULL, .user = j,
	};
	return acme_order_new(j->owner->conf.ca, now, &wish, &j->order);
}

bool
job_begin(struct certifier *c, const struct now *now, struct host *h, const struct reading *r)
{
	if (!dns_may_write(c, h)) {
		host_failed(c, now, h, "no key may write the certificate", 0);
		certifier_say(c, &(struct certifier_report){ .event = CERTIFIER_REFUSED, .host = h->name.oct, .why = h->trouble });
		host_look(c, now, h, true);
		return true;
	}
	struct job *j = job_new(c, h);
	err_t err = j != NULL ? order(j, now, r) : E_NOMEM;
	if (err == E_FORMAT) {
		job_fail(j, now, "the client of the CA does not take the signing request", 0);
	} else if (err != OK) {
		if (j != NULL) {
			job_free(j);
		}
		return false;
	} else {
		c->stats.begun++;
		job_report(j, CERTIFIER_BEGUN, "", 0);
		say_passed_over(j);
	}
	return true;
}

/* False: the job has failed. */
static bool
find_place(struct job *j, const struct now *now, size_t i)
{
	const struct acme_proof *p = acme_order_proof(j->order, i);
	char why[CERTIFIER_REASON_MAX];
	struct job_proof *to = &j->proofs[j->proofs_n];
	if (!p->has_dns) {
		(void)snprintf(why, sizeof why, "the CA does not take a TXT record as a proof for %.253s", p->name);
		job_fail(j, now, why, 0);
		return false;
	}
	if (dns_find_place(j->owner, p->name, to, why) != OK) {
		job_fail(j, now, why, 0);
		return false;
	}
	to->at = i;
	to->at_s = now->wall_s;
	memcpy(to->value, p->value, sizeof p->value);
	j->proofs_n++;
	return true;
}

static void
prove(struct job *j, const struct now *now)
{
	size_t n = acme_order_proofs_n(j->order);
	j->proofs = xalloc((n + 1) * sizeof *j->proofs);
	for (size_t i = 0; i < n; i++) {
		if (acme_order_proof(j->order, i)->is_told) {
			continue;
		}
		if (dns_is_proven_for_good(j, now, i)) {
			acme_order_proven(j->order, now, i, ACME_WAY_PERSIST);
		} else if (!find_place(j, now, i)) {
			return;
		}
	}
	j->state = j->proofs_n != 0 ? JOB_ADD : JOB_PROVEN;
	if (j->state == JOB_ADD && dns_add_proofs(j) != OK) {
		job_fail(j, now, "no memory", 0);
	} else if (j->state == JOB_ADD) {
		job_step(j, now);
	}
}

void
job_proofs_seen(struct job *j, const struct now *now)
{
	job_report(j, CERTIFIER_SEEN, "", 0);
	j->state = JOB_PROVEN;
	for (size_t i = 0; i < j->proofs_n; i++) {
		acme_order_proven(j->order, now, j->proofs[i].at, ACME_WAY_DNS);
	}
}

static void
failed(struct job *j, const struct now *now)
{
	const struct acme_failure *f = acme_order_failure(j->order);
	char why[ACME_REASON_MAX + 1];
	str_cut(why, sizeof why, f->reason);
	job_fail(j, now, why, f->retry_s);
}

void
job_on_order(struct certifier *c, const struct now *now, struct acme_order *o)
{
	struct job *j = acme_order_user(o);
	enum acme_order_state state = acme_order_state(o);
	if (j->state == JOB_END) {
		return;
	}
	if (state == ACME_ORDER_PROVE && j->state == JOB_ORDER) {
		prove(j, now);
	} else if (state == ACME_ORDER_FAILED) {
		failed(j, now);
	} else if (state == ACME_ORDER_ISSUED) {
		c->stats.issued++;
		job_report(j, CERTIFIER_ISSUED, "", 0);
		j->is_success = true;
		job_end(j, now);
	}
}
