#include "ops/syslog_message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	FACILITY_DAEMON = 3,  /* RFC 5424 6.2.1 */
	MSGID_MAX = 32,       /* RFC 5424 6 */
	TIME_MAX = 40,
};

static const char EVENT[] = "event=";

static unsigned
priority(enum log_level level)
{
	static const unsigned severities[] = {
		[LOG_LEVEL_ERROR] = 3, [LOG_LEVEL_WARNING] = 4, [LOG_LEVEL_INFO] = 6, [LOG_LEVEL_DEBUG] = 7,
	};
	return FACILITY_DAEMON * 8 + severities[level];
}

static size_t
put_remote_head(const struct syslog_sender *s, const struct log_stamp *stamp, const char *text, size_t len, char *out)
{
	char when[TIME_MAX];
	struct tm tm;
	const time_t at_s = (time_t)(stamp->at_ms / 1000);
	const char *event = text + strlen(EVENT), *end = memchr(event, ' ', len - strlen(EVENT));
	int event_len = (int)((end != NULL ? end : text + len) - event);
	(void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", gmtime_r(&at_s, &tm));
	return (size_t)snprintf(out, SYSLOG_MESSAGE_MAX, "<%u>1 %s.%03uZ %s %s %d %.*s - ", priority(stamp->level), when,
	                        (unsigned)(stamp->at_ms % 1000), s->host, s->program, (int)s->pid,
	                        event_len < MSGID_MAX ? event_len : MSGID_MAX, event);
}

/* The names of months are English: no program of ours has set a locale. */
static size_t
put_local_head(const struct syslog_sender *s, const struct log_stamp *stamp, char *out)
{
	char when[TIME_MAX];
	struct tm tm;
	const time_t at_s = (time_t)(stamp->at_ms / 1000);
	(void)strftime(when, sizeof when, "%b %e %H:%M:%S", localtime_r(&at_s, &tm));
	return (size_t)snprintf(out, SYSLOG_MESSAGE_MAX, "<%u>%s %s[%d]: ", priority(stamp->level), when, s->program, (int)s->pid);
}

size_t
syslog_message(const struct syslog_sender *s, const struct log_stamp *stamp, const char *line, size_t len, char out[SYSLOG_MESSAGE_MAX])
{
	const char *text = memmem(line, len, EVENT, strlen(EVENT)); /* before it: time and level, which the message has elsewhere */
	ASSERT(text != NULL && len <= LOG_LINE_MAX && line[len - 1] == '\n');
	len -= (size_t)(text - line) + 1;
	size_t head = s->form == SYSLOG_REMOTE ? put_remote_head(s, stamp, text, len, out) : put_local_head(s, stamp, out);
	memcpy(out + head, text, len);
	return head + len;
}
