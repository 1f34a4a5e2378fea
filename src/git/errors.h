/* git/errors.h -- git_error_set_str(), by which a callback of ours tells libgit2 why it failed.
 *
 * libgit2 declares it in <git2/errors.h> up to 1.7, and since then in a header that the older ones do not have.
 */
#pragma once

#include <git2.h>

#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h>
#endif
