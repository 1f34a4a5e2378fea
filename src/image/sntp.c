#include "image/sntp.h"

#include <string.h>

#include "base/cur.h"

enum {
	VERSION = 4,
	MODE_CLIENT = 3,
	MODE_SERVER = 4,
	LEAP_UNSYNCHRONISED = 3,
	STRATUM_MAX = 15,
	ROOT_MAX = 1 << 16, /* one second, in units of 2^-16 s (RFC 4330 5: "a cozy number") */
	TRANSMIT_AT = 40,   /* octets before the transmit timestamp */
};

static const int64_t SECOND_NS = 1000000000;
static const int64_t FROM_1900_S = 2208988800; /* to 1970 */
static const int64_t ERA_S = (int64_t)1 << 32;

void
sntp_ask(uint64_t nonce, uint8_t out[SNTP_LEN])
{
	memset(out, 0, SNTP_LEN);
	out[0] = VERSION << 3 | MODE_CLIENT;
	for (unsigned i = 0; i < 8; i++) {
		out[TRANSMIT_AT + i] = (uint8_t)(nonce >> (56 - 8 * i));
	}
}

static uint64_t
read_stamp(struct cur *c)
{
	uint64_t seconds = cur_u32(c);
	return seconds << 32 | cur_u32(c);
}

/* RFC 4330 3: without the first bit, the time is after the overflow in 2036. */
static int64_t
ns_of(uint64_t stamp)
{
	int64_t s = (int64_t)(stamp >> 32) - FROM_1900_S + (stamp >> 63 == 0 ? ERA_S : 0);
	return s * SECOND_NS + (int64_t)(((stamp & UINT32_MAX) * (uint64_t)SECOND_NS) >> 32);
}

static err_t
say(const char **why, err_t err, const char *text)
{
	*why = text;
	return err;
}

err_t
sntp_read(const uint8_t *octets, size_t len, uint64_t nonce, struct sntp_answer *out, const char **why)
{
	struct cur c = cur_over(octets, len);
	uint8_t head = cur_u8(&c), stratum = cur_u8(&c);
	(void)cur_u16(&c); /* poll, precision */
	uint32_t delay = cur_u32(&c), dispersion = cur_u32(&c);
	(void)cur_u32(&c); /* reference identifier */
	(void)read_stamp(&c);
	uint64_t original = read_stamp(&c), received = read_stamp(&c), sent = read_stamp(&c);
	if (c.err != OK || (head & 7) != MODE_SERVER || original != nonce) {
		return say(why, E_FORMAT, "no answer to our question");
	}
	if (stratum == 0) {
		return say(why, E_REFUSED, "the server asks us to ask less");
	}
	if (head >> 6 == LEAP_UNSYNCHRONISED || stratum > STRATUM_MAX || sent == 0 || received == 0) {
		return say(why, E_UNSUPPORTED, "the server does not know the time itself");
	}
	if (delay >= ROOT_MAX || dispersion >= ROOT_MAX) {
		return say(why, E_UNSUPPORTED, "the server is not sure of the time by more than a second");
	}
	struct sntp_answer a = { .received_ns = ns_of(received), .sent_ns = ns_of(sent) };
	if (a.sent_ns < a.received_ns || a.sent_ns - a.received_ns > SECOND_NS) {
		return say(why, E_UNSUPPORTED, "the server's times contradict each other");
	}
	*out = a;
	return OK;
}

int64_t
sntp_offset_ns(const struct sntp_answer *a, int64_t asked_ns, int64_t heard_ns)
{
	/* Each half for itself: the sum may have no room. */
	return (a->received_ns / 2 - asked_ns / 2) + (a->sent_ns / 2 - heard_ns / 2);
}

static uint64_t
apart(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

/* Several answers in a row have to agree to the second. */
static bool
is_witnessed(struct sntp_judge *j, int64_t offset_ns)
{
	bool agrees = j->witnesses > 0 && apart(offset_ns, j->doubted_ns) < SECOND_NS;
	j->witnesses = agrees ? j->witnesses + 1 : 1;
	j->doubted_ns = offset_ns;
	return j->witnesses >= SNTP_WITNESSES;
}

enum sntp_verdict
sntp_decide(struct sntp_judge *j, int64_t offset_ns, int64_t then_ns, int64_t floor_ns)
{
	uint64_t size_ns = apart(offset_ns, 0), ms = SECOND_NS / 1000;
	if (then_ns < floor_ns) {
		return SNTP_DOUBT;
	}
	if (j->was_right && size_ns > SNTP_TRUST_MAX_S * 1000 * ms && !is_witnessed(j, offset_ns)) {
		return SNTP_DOUBT;
	}
	j->was_right = true;
	j->witnesses = 0;
	return size_ns <= SNTP_SLEW_MAX_MS * ms ? SNTP_SLEW : SNTP_STEP;
}
