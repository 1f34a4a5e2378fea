/* net/report_certify.h -- what the log says of certificates (acme/certifier.h).
 *
 * Threads: any.
 */
#pragma once

#include "acme/certifier.h"
#include "ops/log.h"

void report_certify(const struct log *log, const struct certifier_report *r);
void report_certify_state(const struct log *log, const struct certifier_state *s); /* of one name */
