#include "auth/limit.h"

#include <string.h>

#include "dns/wire.h"

static bool
may_be_forged(const struct request *q)
{
	return q->peer->transport == TRANSPORT_UDP && q->key == NULL && q->cookie.state != COOKIE_GOOD;
}

static bool
is_counted(const struct request *q)
{
	return may_be_forged(q) && (msg_opcode(&q->m) == OPCODE_QUERY || q->rcode != RCODE_NOERROR);
}

static struct rate_account
account_of(const struct request *q)
{
	bool is_error = q->rcode != RCODE_NOERROR && q->rcode != RCODE_NXDOMAIN;
	return (struct rate_account){
		.from = peer_key_address(q->peer), .kind = is_error ? RATE_ERROR : q->kind, .about = is_error ? NULL : q->about,
	};
}

static void
cut(struct request *q)
{
	bool knows_cookies = q->cookie.state == COOKIE_NEW || q->cookie.state == COOKIE_BAD;
	q->r.len = q->m.question_end;
	memset(q->r.count, 0, sizeof q->r.count);
	q->r.is_truncated = !knows_cookies;
	q->rcode = knows_cookies ? RCODE_BADCOOKIE : q->rcode;
	q->is_authoritative = q->is_authoritative && !knows_cookies;
}

bool
limit_holds_back(struct request *q)
{
	if (!is_counted(q)) {
		return false;
	}
	const struct rate_account account = account_of(q);
	uint64_t *limited = &q->stats->limited[account.kind];
	enum rate_verdict verdict = rate_limit_judge(q->conf->rate_limit, &account, q->peer->arrived_ns, *limited);
	if (verdict == RATE_PASS) {
		return false;
	}
	server_count(limited, 1);
	if (verdict == RATE_SLIP) {
		server_count(&q->stats->slipped, 1);
		cut(q);
	}
	return verdict == RATE_DROP;
}
