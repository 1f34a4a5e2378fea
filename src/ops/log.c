#include "ops/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ops/log_ring.h"
#include "ops/log_syslog.h"

/* A line in the making.  One octet is kept free for the line end.  Text that does not fit is cut off, and the line then ends in "...". */
struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool is_cut;
	struct log_stamp stamp;
};

static const char *const level_names[] = { "error", "warning", "info", "debug" };

/* Priorities of syslog (RFC 5424 6.2.1), as sd-daemon(3) wants them before a line. */
static const char level_digits[] = { '3', '4', '6', '7' };

static bool
is_journal(int fd)
{
	/* JOURNAL_STREAM has the device and inode of the stream (systemd.exec(5)).  Programs inherit the variable even when their standard
	 * error is something else, so the numbers must match. */
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	return text != NULL && sscanf(text, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

void
log_init(struct log *log, enum log_level level)
{
	*log = (struct log){ .fd = STDERR_FILENO, .level = level, .to_journal = is_journal(STDERR_FILENO) };
}

err_t
log_level_parse(const char *text, enum log_level *out)
{
	for (unsigned i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return OK;
		}
	}
	return E_FORMAT;
}

static void
put(struct line *l, const char *text, size_t n)
{
	size_t room = sizeof l->text - 1 - l->len;
	if (n > room) {
		l->is_cut = true;
		n = room;
	}
	memcpy(l->text + l->len, text, n);
	l->len += n;
}

static void
put_text(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* True when the value needs no quotes: names, paths, addresses, numbers and hashes consist of these characters. */
static bool
is_plain(const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/+@,%#*~[]()<>";
	return value[strspn(value, plain)] == '\0';
}

static void
put_value(struct line *l, const char *value)
{
	if (is_plain(value)) {
		put_text(l, value);
		return;
	}
	put(l, "\"", 1);
	for (const char *p = value; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == '\n') {
			put(l, "\\n", 2);
		} else if (c == '"' || c == '\\') {
			char pair[2] = { '\\', (char)c };
			put(l, pair, 2);
		} else if (c < 0x20 || c >= 0x7F) {
			char hex[5];
			snprintf(hex, sizeof hex, "\\x%02X", c);
			put(l, hex, 4);
		} else {
			put(l, p, 1);
		}
	}
	put(l, "\"", 1);
}

static void
put_number(struct line *l, unsigned long long v)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%llu", v);
	put(l, digits, (size_t)n);
}

static void
put_signed(struct line *l, long long v)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%lld", v);
	put(l, digits, (size_t)n);
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Writes the argument for the conversion at `spec` (after the %); returns the rest of the format.  The compiler has checked the types
 * against the format, so only the conversions listed in log.h occur. */
static const char *
put_conversion(struct line *l, const char *spec, const char *string, va_list *args)
{
	if (begins(spec, "s")) {
		put_value(l, string);
	} else if (begins(spec, "d")) {
		put_signed(l, va_arg(*args, int));
	} else if (begins(spec, "ld")) {
		put_signed(l, va_arg(*args, long));
	} else if (begins(spec, "lld")) {
		put_signed(l, va_arg(*args, long long));
	} else if (begins(spec, "u")) {
		put_number(l, va_arg(*args, unsigned));
	} else if (begins(spec, "lu")) {
		put_number(l, va_arg(*args, unsigned long));
	} else if (begins(spec, "llu")) {
		put_number(l, va_arg(*args, unsigned long long));
	} else if (begins(spec, "zu")) {
		put_number(l, va_arg(*args, size_t));
	} else {
		assert_failed("conversion of a log field", __FILE__, __LINE__);
	}
	return spec + strspn(spec, "zl") + 1;
}

/* Writes the words of fixed text before a field that is left out. */
static void
put_words_before(struct line *l, const char *fields, const char *percent)
{
	while (percent > fields && percent[-1] != ' ') {
		percent--;
	}
	if (percent > fields) {
		put(l, " ", 1);
		put(l, fields, (size_t)(percent - fields - 1));
	}
}

static void
put_fields(struct line *l, const char *fields, va_list *args)
{
	while (*fields != '\0') {
		const char *percent = strchr(fields, '%');
		if (percent == NULL) { /* the last words are fixed text */
			put(l, " ", 1);
			put_text(l, fields);
			return;
		}
		const char *string = percent[1] == 's' ? va_arg(*args, const char *) : "";
		if (percent[1] == 's' && (string == NULL || string[0] == '\0')) {
			put_words_before(l, fields, percent);
			fields = percent + 2;
		} else {
			put(l, " ", 1);
			put(l, fields, (size_t)(percent - fields));
			fields = put_conversion(l, percent + 1, string, args);
		}
		fields += *fields == ' ';
	}
}

static void
begin_line(struct line *l, const struct log *log, enum log_level level, const char *event)
{
	char head[48];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	l->len = 0;
	l->is_cut = false;
	l->stamp = (struct log_stamp){ .at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, .level = level };
	if (log->to_journal) {
		snprintf(head, sizeof head, "<%c>", level_digits[level]);
	} else {
		struct tm tm;
		gmtime_r(&now.tv_sec, &tm);
		size_t n = strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(head + n, sizeof head - n, ".%03uZ ", (unsigned)(now.tv_nsec / 1000000));
	}
	put_text(l, head);
	put_text(l, level_names[level]);
	put_text(l, " event=");
	put_text(l, event);
}

static bool
can_be_written(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	return poll(&p, 1, -1) == 1 || errno == EINTR;
}

void
log_write(int fd, const char *line, size_t len)
{
	while (len != 0) {
		ssize_t n = write(fd, line, len);
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		} else if (n == 0 || (errno != EINTR && (errno != EAGAIN || !can_be_written(fd)))) {
			return; /* if the log cannot be written, there is no place to report that */
		}
	}
}

/* Without a ring, a reader that has stalled is waited for only once, so that it can delay neither the start nor the end for long. */
static bool
is_reader_there(const struct log *log)
{
	struct pollfd p = { .fd = log->fd, .events = POLLOUT };
	if (log->limits == NULL) {
		return true;
	}
	bool is_there = poll(&p, 1, atomic_load(&log->limits->is_stalled) ? 0 : LOG_DIRECT_WAIT_MS) != 0;
	atomic_store(&log->limits->is_stalled, !is_there);
	return is_there;
}

/* Adds the line end and writes the line. */
static void
line_out(struct line *l, const struct log *log)
{
	static const char mark[] = "...";
	if (l->is_cut) {
		memcpy(l->text + l->len - strlen(mark), mark, strlen(mark));
	}
	l->text[l->len++] = '\n';
	if (log->ring != NULL) {
		(void)log_ring_put(log->ring, &l->stamp, l->text, l->len); /* the ring counts and reports lines that it drops */
		return;
	}
	log_syslog_send(log->syslog, &l->stamp, l->text, l->len);
	if (is_reader_there(log)) {
		log_write(log->fd, l->text, l->len);
	}
}

static uint64_t
now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec;
}

bool
log_peer_is_due(const struct log *log, enum log_cause cause, enum log_level level, const char *event)
{
	return log_is_on(log, level) && (log->limits == NULL || !log_limit_is_used_up(log->limits, cause, event, now_s()));
}

/* Writes the head, the fields, and how many lines of the event were left out before. */
static void
log_line(const struct log *log, enum log_cause cause, enum log_level level, const char *event, const char *fields, va_list *args)
{
	uint32_t suppressed = 0;
	if (!log_is_on(log, level) ||
	    (log->limits != NULL && !log_limit_take(log->limits, cause, event, now_s(), &suppressed))) {
		return;
	}
	struct line l;
	begin_line(&l, log, level, event);
	put_fields(&l, fields, args);
	if (suppressed != 0) {
		put_text(&l, " suppressed=");
		put_number(&l, suppressed);
	}
	line_out(&l, log);
}

void
log_event(const struct log *log, enum log_level level, const char *event, const char *fields, ...)
{
	va_list args;
	va_start(args, fields);
	log_line(log, LOG_BY_US, level, event, fields, &args);
	va_end(args);
}

void
log_peer_event(const struct log *log, enum log_cause cause, enum log_level level, const char *event, const char *fields, ...)
{
	va_list args;
	va_start(args, fields);
	log_line(log, cause, level, event, fields, &args);
	va_end(args);
}
