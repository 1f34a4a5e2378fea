#include "git/ask.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "git/link_files.h"

struct set_aside {
	struct set_aside *next;
	struct link_frame frame;
};

void
asker_begin(struct asker *a)
{
	a->is_pull_coming = false;
}

/* Takes the frame's descriptor.  E_NOMEM: the frame is lost, and the link is closed. */
static err_t
set_aside(struct asker *a, const struct link_frame *f)
{
	struct set_aside *s = try_alloc(sizeof *s);
	if (s == NULL) {
		if (f->fd >= 0) {
			close(f->fd);
		}
		(void)shutdown(a->git->link, SHUT_RDWR);
		return E_NOMEM;
	}
	s->frame = *f;
	a->end = a->first == NULL ? &a->first : a->end;
	*a->end = s;
	a->end = &s->next;
	a->is_pull_coming |= f->type == LINK_COMMIT;
	return OK;
}

bool
asker_take(struct asker *a, struct link_frame *out)
{
	struct set_aside *s = a->first;
	if (s == NULL) {
		return false;
	}
	*out = s->frame;
	a->first = s->next;
	free(s);
	return true;
}

void
asker_fini(struct asker *a)
{
	struct link_frame f;
	while (asker_take(a, &f)) {
		if (f.fd >= 0) {
			close(f.fd);
		}
	}
}

static err_t
ask(struct asker *a, const char *path, struct link_frame *out)
{
	struct link_frame f = { .type = LINK_GET, .fd = -1 };
	if (strlen(path) >= sizeof f.text) {
		return E_LIMIT;
	}
	memcpy(f.text, path, strlen(path) + 1);
	TRY(link_send(a->git->link, &f));
	for (;;) {
		TRY(link_recv(a->git->link, out));
		if (out->type == LINK_FILE) {
			return OK;
		}
		TRY(set_aside(a, out));
	}
}

static err_t
take_file(const struct link_frame *f, struct master_text *out)
{
	struct link_map *map = try_alloc(sizeof *map);
	if (map == NULL) {
		return E_NOMEM;
	}
	err_t err = link_map(f->fd, map);
	if (err != OK) {
		free(map);
		return err;
	}
	*out = (struct master_text){ .text = (const char *)map->bytes, .len = map->len, .handle = map };
	return OK;
}

err_t
asker_open(void *ctx, const char *path, struct master_text *out)
{
	struct asker *a = ctx;
	struct link_frame f;
	err_t err = ask(a, path, &f);
	if (err != OK) {
		return err == E_LIMIT ? err : E_STALE; /* the git process is gone; the next one begins with a pull */
	}
	a->is_pull_coming |= f.status == E_BUSY;
	if (a->is_pull_coming) {
		err = E_STALE;
	} else if (f.status != OK || f.fd < 0) {
		err = f.status != OK && f.status < E_COUNT ? (err_t)f.status : E_IO;
	} else {
		err = take_file(&f, out);
	}
	if (f.fd >= 0) {
		close(f.fd);
	}
	return err;
}

void
asker_close(void *ctx, struct master_text *text)
{
	(void)ctx;
	struct link_map *map = text->handle;
	link_unmap(map);
	free(map);
	*text = (struct master_text){ 0 };
}
