#include <stdio.h>
#include <string.h>

#include "git/gitproc_p.h"

enum { GET_TRIES = 2 };

static void
get_answer(struct git_process *g, err_t err, const char *text)
{
	struct link_frame f = { .type = LINK_FILE, .status = (uint16_t)err, .fd = -1 };
	snprintf(f.text, sizeof f.text, "%s", text);
	for (; g->gets > 0; g->gets--) {
		tell(g, &f);
	}
	g->deadline_ns = 0;
}

static void
get_begin(struct git_process *g)
{
	struct link_frame f = { .type = LINK_GET, .fd = -1 };
	memcpy(f.id, g->state == STATE_DELIVERED ? g->told : g->base, sizeof f.id);
	memcpy(f.text, g->get_path, sizeof f.text);
	g->deadline_ns = from_now(g->conf->fetch_timeout_s);
	if (g->child.is_leaving) {
		child_end(g);
	}
	if (child_send(g, &f) != OK) {
		char text[CHILD_TEXT_MAX];
		child_print_refusal("reading the file", text);
		get_answer(g, E_IO, text);
	}
}

void
get_lost(struct git_process *g, err_t err, const char *why)
{
	if (g->gets == 1 && ++g->get_tries < GET_TRIES) {
		get_begin(g);
	} else {
		get_answer(g, err, why);
	}
}

/* ---- frames ---- */

void
get_on_file(struct git_process *g, const struct link_frame *f)
{
	g->gets--;
	g->get_tries = 0;
	g->deadline_ns = g->gets > 0 ? g->deadline_ns : 0;
	if (g->state == STATE_IDLE) {
		child_idle(g);
	}
	tell(g, f);
}

void
get_on_get(struct git_process *g, const struct link_frame *f)
{
	struct link_frame no = { .type = LINK_FILE, .status = E_BUSY, .fd = -1, .text = "another commit may be on its way" };
	bool is_of_base = g->state == STATE_IDLE && g->base[0] != '\0' && !g->is_wanted && g->push.fd < 0;
	if (g->state != STATE_DELIVERED && !is_of_base) {
		tell(g, &no);
		return;
	}
	g->gets++;
	g->get_tries = 0;
	memcpy(g->get_path, f->text, sizeof g->get_path);
	get_begin(g);
}
