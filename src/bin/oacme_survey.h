/* bin/oacme_survey.h -- what oacme tells by --metrics.  Its zones and certificates are known on the following thread alone.
 */
#pragma once

#include "acme/certifier.h"
#include "auth/view.h"
#include "bin/history.h"
#include "bin/survey.h"
#include "net/follow.h"

enum { OACME_CHARTS = 3 };
extern const struct chart oacme_charts[OACME_CHARTS];

/* The monitor's thread: adds what any thread may read. */
void oacme_survey_any(struct survey *s, struct net_follow *follow);

/* The following thread: adds the rest. */
void oacme_survey_own(struct survey *s, const struct certifier *certifier, const struct net_follow *follow, const struct view *view);
