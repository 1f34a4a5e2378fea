/* dns/name.h -- domain names (RFC 1035 3.1), in uncompressed wire form throughout.
 *
 * A name that has been checked travels as `const uint8_t *`: labels, each with its length octet
 * before it, ended by the root label.  Its length is found by walking it, so it needs no other
 * bound; only name_read() and name_parse() take octets that are not yet known to be a name.
 * struct name is the buffer for one.  Case is kept as it came and ignored when comparing.
 *
 * Pure.  Lengths are octets, the root label included.
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

/* Lower case of an ASCII octet; others as they are. */
extern const uint8_t name_lower_table[256];
static inline uint8_t
octet_lower(uint8_t c)
{
	return name_lower_table[c];
}

/* Reads a name, following compression pointers (RFC 1035 4.1.4).  `c` spans the whole message, as
 * pointers are offsets in it.  Latches E_PTR, E_LABEL, E_NAMELEN, E_SHORT.  `out` changes only on
 * success. */
void name_read(struct cur *c, struct name *out);

/* As name_read(), but a pointer is E_PTR: for RDATA in which compression is forbidden. */
void name_read_plain(struct cur *c, struct name *out);

/* Presentation form with escapes (RFC 1035 5.1).  A name without a final dot is completed with
 * `origin`; origin NULL: it is taken as absolute.  "@" alone is not special here. */
err_t name_parse(const char *text, size_t len, const uint8_t *origin, struct name *out);

/* Absolute presentation form, NUL-terminated; returns its length.  Escapes as BIND and ldns print
 * them, so that it can stand in a master file. */
size_t name_print(const uint8_t *n, char out[NAME_TEXT_MAX]);

/* The same without the final dot, as people write names; the root stays ".". */
size_t name_show(const uint8_t *n, char out[NAME_TEXT_MAX]);

size_t name_len(const uint8_t *n);

/* For tables of names that no stranger chooses (base/hash.h: a stranger could make them collide).  Equal names have equal hashes. */
uint32_t name_hash(const uint8_t *n);
unsigned name_labels(const uint8_t *n); /* without the root label */
void name_set(struct name *out, const uint8_t *n);
void name_lower(uint8_t *dst, const uint8_t *n); /* dst: name_len(n) octets; may be n itself */

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

/* Octets of the longest common suffix, at label boundaries; at least 1 (the root). */
size_t name_shared_suffix(const uint8_t *a, const uint8_t *b);

/* The suffix of `n` that has `labels` labels (at most name_labels(n)). */
const uint8_t *name_suffix(const uint8_t *n, unsigned labels);

/* Prefix labels put before a suffix: `prefix_len` octets of `n` (whole labels), then `suffix`.
 * E_NAMELEN when the result is too long: a DNAME then yields YXDOMAIN (RFC 6672 2.2). */
err_t name_join(const uint8_t *n, size_t prefix_len, const uint8_t *suffix, struct name *out);
