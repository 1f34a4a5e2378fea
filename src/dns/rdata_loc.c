/* LOC: a place on Earth (RFC 1876). */
#include "dns/rdata_p.h"

enum {
	LOC_LEN = 16,
	SECOND = 1000, /* positions are in thousandths of a second of arc */
	MINUTE = 60 * SECOND,
	DEGREE = 60 * MINUTE,
	ALTITUDE_BASE_CM = 10000000, /* 100,000 m below the spheroid */
	/* RFC 1876 3: default sizes, as digit and power of ten in cm. */
	SIZE_DEFAULT = 0x12,       /* 1 m */
	HORIZONTAL_DEFAULT = 0x16, /* 10,000 m */
	VERTICAL_DEFAULT = 0x13,   /* 10 m */
};
static const uint32_t equator = UINT32_C(1) << 31; /* also the prime meridian */

/* Reads digits with at most `decimals` after a point, as an integer in units of the last one.  E_FORMAT: anything else in the
 * text.  E_RANGE: over `max`. */
static err_t
read_fixed(const char *s, size_t len, unsigned decimals, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	unsigned after = 0;
	bool has_point = false, has_digit = false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (s[i] < '0' || s[i] > '9' || after == decimals + !has_point) {
			return E_FORMAT;
		}
		after += has_point;
		has_digit = true;
		v = v * 10 + (uint64_t)(s[i] - '0');
		if (v > max) {
			return E_RANGE;
		}
	}
	for (; after < decimals; after++) {
		v *= 10;
	}
	if (!has_digit) {
		return E_FORMAT;
	}
	if (v > max) {
		return E_RANGE;
	}
	*out = v;
	return OK;
}

/* Reads the next number of a position; `max` excludes 60 minutes or seconds. */
static err_t
parse_part(struct rdata_parser *p, unsigned decimals, uint64_t max, const char *what, uint64_t *out)
{
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	err_t err = read_fixed(p->t.s, p->t.len, decimals, max, out);
	if (err == E_RANGE) {
		return rdata_fail(p, err, "out of range, expected %s", what);
	}
	if (err != OK) {
		return rdata_expected(p, what);
	}
	rdata_next(p);
	return OK;
}

static bool
is_letter(const struct lex_token *t, char c)
{
	return t->kind == LEX_WORD && t->len == 1 && t->s[0] == c;
}

/* "d [m [s]] N|S" or "… E|W". */
static err_t
parse_position(struct rdata_parser *p, unsigned degrees_max, char positive, char negative)
{
	uint64_t degrees, minutes = 0, seconds = 0;
	char what[] = "N or S";
	what[0] = positive;
	what[5] = negative;
	TRY(parse_part(p, 0, degrees_max, "degrees", &degrees));
	if (!is_letter(&p->t, positive) && !is_letter(&p->t, negative)) {
		TRY(parse_part(p, 0, 59, "minutes", &minutes));
	}
	if (!is_letter(&p->t, positive) && !is_letter(&p->t, negative)) {
		TRY(parse_part(p, 3, MINUTE - 1, "seconds", &seconds));
	}
	if (!is_letter(&p->t, positive) && !is_letter(&p->t, negative)) {
		return rdata_expected(p, what);
	}
	uint64_t v = degrees * DEGREE + minutes * MINUTE + seconds;
	if (v > (uint64_t)degrees_max * DEGREE) {
		return rdata_fail(p, E_RANGE, "position is beyond %u degrees", degrees_max);
	}
	buf_u32(p->out, (uint32_t)(p->t.s[0] == positive ? equator + v : equator - v));
	rdata_next(p);
	return OK;
}

/* Length of the number in "12.34m"; the unit may be missing. */
static size_t
metres_len(const struct lex_token *t)
{
	return t->len > 1 && t->s[t->len - 1] == 'm' ? t->len - 1 : t->len;
}

static err_t
parse_altitude(struct rdata_parser *p, uint32_t *out)
{
	static const char what[] = "an altitude in metres, such as -24m or 12.50m";
	uint64_t cm;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	bool is_negative = p->t.s[0] == '-';
	size_t sign = is_negative || p->t.s[0] == '+';
	uint64_t max = is_negative ? ALTITUDE_BASE_CM : UINT32_MAX - ALTITUDE_BASE_CM;
	err_t err = read_fixed(p->t.s + sign, metres_len(&p->t) - sign, 2, max, &cm);
	if (err == E_RANGE) {
		return rdata_fail(p, err, "altitude goes from -100000m to 42849672.95m");
	}
	if (err != OK) {
		return rdata_expected(p, what);
	}
	*out = (uint32_t)(is_negative ? ALTITUDE_BASE_CM - cm : ALTITUDE_BASE_CM + cm);
	rdata_next(p);
	return OK;
}

/* Reads a size as one digit and a power of ten, in centimetres; further digits are lost (RFC 1876 2). */
static err_t
parse_size(struct rdata_parser *p, uint8_t *out)
{
	static const char what[] = "a size in metres, such as 10m or 0.50m";
	static const uint64_t max = UINT64_C(9000000000);
	uint64_t cm;
	uint8_t power = 0;
	if (p->t.kind != LEX_WORD) {
		return rdata_expected(p, what);
	}
	err_t err = read_fixed(p->t.s, metres_len(&p->t), 2, max, &cm);
	if (err == E_RANGE) {
		return rdata_fail(p, err, "size is over 90000000m");
	}
	if (err != OK) {
		return rdata_expected(p, what);
	}
	for (; cm > 9; cm /= 10) {
		power++;
	}
	*out = (uint8_t)(cm << 4 | power);
	rdata_next(p);
	return OK;
}

err_t
loc_parse(struct rdata_parser *p)
{
	uint8_t sizes[3] = { SIZE_DEFAULT, HORIZONTAL_DEFAULT, VERTICAL_DEFAULT };
	uint32_t altitude = 0;
	size_t at = p->out->len;
	buf_u8(p->out, 0); /* version */
	buf_put(p->out, sizes, sizeof sizes);
	TRY(parse_position(p, 90, 'N', 'S'));
	TRY(parse_position(p, 180, 'E', 'W'));
	TRY(parse_altitude(p, &altitude));
	buf_u32(p->out, altitude);
	for (size_t i = 0; i < sizeof sizes && !rdata_at_end(p); i++) {
		TRY(parse_size(p, &sizes[i]));
		if (p->out->err == OK) {
			p->out->base[at + 1 + i] = sizes[i];
		}
	}
	return OK;
}

static void
print_position(struct str *out, uint32_t v, char positive, char negative)
{
	bool is_positive = v >= equator;
	uint32_t n = is_positive ? v - equator : equator - v;
	str_printf(out, "%u %u %u.%03u %c ", n / DEGREE, n % DEGREE / MINUTE, n % MINUTE / SECOND,
	           n % SECOND, is_positive ? positive : negative);
}

/* Writes a size, in whole metres from 1 m on. */
static void
print_size(struct str *out, uint8_t size)
{
	uint64_t cm = size >> 4;
	for (int power = size & 15; power > 0; power--) {
		cm *= 10;
	}
	if (cm < 100) {
		str_printf(out, " 0.%02um", (unsigned)cm);
	} else {
		str_printf(out, " %um", (unsigned)(cm / 100));
	}
}

void
loc_print(struct cur *c, struct str *out)
{
	uint8_t version_and_sizes[4];
	cur_copy(c, version_and_sizes, sizeof version_and_sizes);
	print_position(out, cur_u32(c), 'N', 'S');
	print_position(out, cur_u32(c), 'E', 'W');
	int64_t cm = (int64_t)cur_u32(c) - ALTITUDE_BASE_CM;
	uint64_t height = (uint64_t)(cm < 0 ? -cm : cm);
	str_printf(out, "%s%u.%02um", cm < 0 ? "-" : "", (unsigned)(height / 100),
	           (unsigned)(height % 100));
	for (int i = 1; i <= 3; i++) {
		print_size(out, version_and_sizes[i]);
	}
}

static bool
is_size(uint8_t size)
{
	return size >> 4 <= 9 && (size & 15) <= 9 && (size >> 4 != 0 || size == 0);
}

static bool
is_position(uint32_t v, uint32_t degrees_max)
{
	uint32_t n = v >= equator ? v - equator : equator - v;
	return n <= degrees_max * DEGREE;
}

/* The form of versions other than 0 is not known (RFC 1876 2). */
void
loc_check(struct cur *c)
{
	struct cur whole = *c;
	size_t len;
	const uint8_t *rdata = rdata_rest(c, &len);
	if (len == 0) {
		cur_fail(c, E_SHORT);
		return;
	}
	if (rdata[0] != 0) {
		return;
	}
	(void)cur_u32(&whole);
	uint32_t latitude = cur_u32(&whole), longitude = cur_u32(&whole);
	if (len != LOC_LEN || !is_size(rdata[1]) || !is_size(rdata[2]) || !is_size(rdata[3]) ||
	    !is_position(latitude, 90) || !is_position(longitude, 180)) {
		cur_fail(c, E_FORMAT);
	}
}

bool
loc_has_text(struct cur c)
{
	return cur_u8(&c) == 0;
}
