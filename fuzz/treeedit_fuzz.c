/* A tree from anybody, and edits: the first octet says how many; each is a flag (removal, directory), a length, a name.  What comes
 * out is a tree that no edits leave as it is, and in which the names that were put are found. */
#include "git/treeedit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDITS = 16 };

static size_t
read_edits(const uint8_t **data, size_t *size, struct tree_edit edits[EDITS])
{
	size_t n = 0, want = **data % EDITS;
	++*data;
	--*size;
	while (n < want && *size >= 2 && *size - 2 >= (*data)[1]) {
		size_t len = (*data)[1];
		struct tree_edit e = {
			.name = (const char *)*data + 2, .name_len = len, .is_removal = (**data & 1) != 0, .is_dir = (**data & 2) != 0,
		};
		memset(e.id, (int)n + 1, sizeof e.id);
		*data += 2 + len;
		*size -= 2 + len;
		if (tree_name_is_ours(e.name, len)) { /* as a caller makes sure */
			edits[n++] = e;
		} else {
			want--;
		}
	}
	return n;
}

static bool
is_twice(const struct tree_edit *edits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			if (edits[i].is_dir == edits[j].is_dir && edits[i].name_len == edits[j].name_len &&
			    memcmp(edits[i].name, edits[j].name, edits[i].name_len) == 0) {
				return true;
			}
		}
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree_edit edits[EDITS];
	struct str out = { 0 }, again = { 0 };
	const struct tree_edit *which = NULL;
	if (size < 1) {
		return 0;
	}
	size_t n = read_edits(&data, &size, edits);
	if (is_twice(edits, n)) {
		return 0;
	}
	err_t err = tree_edit(data, size, edits, n, &out, &which);
	if (err != OK) {
		ASSERT(err == E_FORMAT || (which >= edits && which < edits + n));
		str_fini(&out);
		return 0;
	}
	ASSERT(tree_edit((const uint8_t *)str_text(&out), out.len, NULL, 0, &again, &which) == OK);
	ASSERT(again.len == out.len && (out.len == 0 || memcmp(again.s, out.s, out.len) == 0));
	for (size_t i = 0; i < n; i++) {
		uint8_t id[ID_LEN];
		err_t found = tree_find_dir((const uint8_t *)str_text(&out), out.len, edits[i].name, edits[i].name_len, id);
		ASSERT(found == OK || found == E_NOTFOUND);
		ASSERT(!edits[i].is_dir || (found == OK) == !edits[i].is_removal);
	}
	str_fini(&out);
	str_fini(&again);
	return 0;
}
