/* dns/name.h -- domain names (RFC 1035 3.1), in uncompressed wire form throughout.
 *
 * A checked name is passed as `const uint8_t *`: labels, each after its length octet, ended by the root label.  Its length is
 * found by walking over it, so it needs no other bound; only name_read() and name_parse() accept octets that are not yet known
 * to be a name. struct name is a buffer for one name.  Names keep their case, and are compared without it.
 *
 * Pure.  Lengths are in octets, and include the root label.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cur.h"
#include "base/err.h"

enum {
	NAME_WIRE_MAX = 255,
	LABEL_MAX = 63,
	NAME_LABELS_MAX = 127,  /* without the root label */
	NAME_TEXT_MAX = 1024,   /* presentation form of the longest name, NUL included */
};

struct name {
	uint8_t len; /* octets of `oct` in use, 1 to 255 */
	uint8_t oct[NAME_WIRE_MAX];
};

extern const uint8_t name_root[1];

/* The lower case of an ASCII octet; other octets unchanged. */
extern const uint8_t name_lower_table[256];
static inline uint8_t
octet_lower(uint8_t c)
{
	return name_lower_table[c];
}

/* Reads a name, following compression pointers (RFC 1035 4.1.4).  `c` must span the whole message, since pointers are offsets in
 * it.  Latches E_PTR, E_LABEL, E_NAMELEN, E_SHORT.  `out` changes only on success. */
void name_read(struct cur *c, struct name *out);

/* Like name_read(), but a pointer is E_PTR: for RDATA without compression. */
void name_read_plain(struct cur *c, struct name *out);

/* Reads presentation form with escapes (RFC 1035 5.1).  A name without a final dot is completed with `origin`; origin NULL: it
 * is absolute. "@" alone has no special meaning here. */
err_t name_parse(const char *text, size_t len, const uint8_t *origin, struct name *out);

/* Writes absolute presentation form, NUL-terminated; returns its length.  The escapes are those of BIND and ldns, so it can be
 * used in a master file. */
size_t name_print(const uint8_t *n, char out[NAME_TEXT_MAX]);

/* The same without the final dot, as people write names; the root stays ".". */
size_t name_show(const uint8_t *n, char out[NAME_TEXT_MAX]);

size_t name_len(const uint8_t *n);

/* A hash for tables of names that no stranger chooses (base/hash.h: a stranger could make them collide).  Equal names have equal
 * hashes. */
uint32_t name_hash(const uint8_t *n);
unsigned name_labels(const uint8_t *n); /* without the root label */
void name_set(struct name *out, const uint8_t *n);
void name_lower(uint8_t *dst, const uint8_t *n); /* dst: room for name_len(n) octets; may be n itself */

static inline const uint8_t *
name_parent(const uint8_t *n) /* n is not the root */
{
	return n + 1 + n[0];
}

static inline bool
name_is_root(const uint8_t *n)
{
	return n[0] == 0;
}

static inline bool
name_is_wildcard(const uint8_t *n) /* RFC 4592 2.1.1 */
{
	return n[0] == 1 && n[1] == '*';
}

bool name_is_equal(const uint8_t *a, const uint8_t *b);

/* Canonical order (RFC 4034 6.1): negative, 0, positive. */
int name_compare(const uint8_t *a, const uint8_t *b);

/* True for `n` below `ancestor` and for `ancestor` itself. */
bool name_is_within(const uint8_t *n, const uint8_t *ancestor);

/* Length of the longest common suffix of whole labels; at least 1 (the root). */
size_t name_shared_suffix(const uint8_t *a, const uint8_t *b);

/* The suffix of `n` with `labels` labels (at most name_labels(n)). */
const uint8_t *name_suffix(const uint8_t *n, unsigned labels);

/* Makes a name of `prefix_len` octets of `n` (whole labels), followed by `suffix`.  E_NAMELEN: the result is too long, which for
 * a DNAME means YXDOMAIN (RFC 6672 2.2). */
err_t name_join(const uint8_t *n, size_t prefix_len, const uint8_t *suffix, struct name *out);
