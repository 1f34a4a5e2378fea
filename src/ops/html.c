#include "ops/html.h"

void
html_put(struct str *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		switch (*p) {
		case '&': str_cat(out, "&amp;"); break;
		case '<': str_cat(out, "&lt;"); break;
		case '>': str_cat(out, "&gt;"); break;
		case '"': str_cat(out, "&quot;"); break;
		case '\'': str_cat(out, "&#39;"); break;
		default:
			if (*p < ' ' || *p > '~') {
				str_printf(out, "\\x%02X", *p);
			} else {
				str_char(out, (char)*p);
			}
		}
	}
}
