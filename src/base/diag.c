#include "base/diag.h"

#include <stdio.h>

void
diag_set(struct diag *d, enum diag_level level, const char *code, const char *format, ...)
{
	*d = (struct diag){ .level = level, .code = code };
	va_list args;
	va_start(args, format);
	(void)vsnprintf(d->text, sizeof d->text, format, args);
	va_end(args);
}

void
diag_hint(struct diag *d, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(d->hint, sizeof d->hint, format, args);
	va_end(args);
}

void
diag_report(const struct diag_sink *sink, const struct diag *d)
{
	if (sink != NULL && sink->report != NULL) {
		sink->report(sink->ctx, d);
	}
}
