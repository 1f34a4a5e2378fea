/* bin/ocertify_pair.h -- a private key and its certificate take their places together.
 *
 * No call of the system replaces two files at once.  So both wait beside their places, complete and on the disk, in KEY.next and
 * CERTIFICATE.next; then two renames follow each other, the key first.  What ends the program (or the machine) before them leaves the old
 * pair; between them, a pair that does not fit, which the next run mends before it does anything else.
 */
#pragma once

#include "base/str.h"
#include "bin/ocertify_key.h"

/* Mends what an interrupted run has left.  The reason for an error was printed. */
err_t ocertify_pair_mend(const struct ocertify_opts *o);

/* Puts the certificate into its place, and KEY.next, if the key is there.  The reason for an error was printed. */
err_t ocertify_pair_put(const struct ocertify_opts *o, struct ocertify_key *k, const struct str *pem);
