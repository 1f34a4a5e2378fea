/* git/errors.h -- git_error_set_str(), with which our callbacks tell libgit2 why they failed.
 *
 * Up to version 1.7 libgit2 declares it in <git2/errors.h>, since then in <git2/sys/errors.h>, which older versions do
 * not have.
 */
#pragma once

#include <git2.h>

#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h>
#endif
