#include "git/link_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "git/files.h"
#include "git/link.h"

enum { HELD_MAX = 1 << 18, SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static err_t
memfd_new(int *fd)
{
	/* Without MFD_NOEXEC_SEAL: kernels before Linux 6.3 refuse that flag. */
	*fd = memfd_create("origin-commit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *fd < 0 ? E_IO : OK;
}

static void
build_flush(struct link_build *b)
{
	if (b->err == OK && b->held_len > 0) {
		b->err = file_write(b->fd, b->held, b->held_len);
	}
	b->held_len = 0;
}

static void
build_bytes(struct link_build *b, const void *bytes, size_t n)
{
	b->len += n;
	if (b->held == NULL) {
		return; /* b->err says so */
	}
	if (n > HELD_MAX - b->held_len) {
		build_flush(b);
	}
	if (n > HELD_MAX) {
		b->err = b->err == OK ? file_write(b->fd, bytes, n) : b->err;
	} else if (n > 0) {
		memcpy(b->held + b->held_len, bytes, n);
		b->held_len += n;
	}
}

static void
build_open(struct link_build *b)
{
	if (!b->is_open) {
		b->is_open = true;
		b->fd = -1;
		b->held = try_alloc(HELD_MAX);
		b->err = b->held != NULL ? memfd_new(&b->fd) : E_NOMEM;
	}
}

void
link_build_put(struct link_build *b, enum link_entry_kind kind, const char *path, size_t path_len,
               const void *content, size_t len)
{
	static const uint8_t zeros[8] = { 0 };
	struct link_entry e = { .kind = kind, .path_len = (uint32_t)path_len, .len = len };
	ASSERT(path_len < LINK_TEXT_MAX);
	build_open(b);
	if (b->err == OK && b->n == UINT32_MAX) {
		b->err = E_LIMIT;
	}
	build_bytes(b, &e, sizeof e);
	build_bytes(b, path, path_len);
	build_bytes(b, zeros, 1);
	build_bytes(b, content, len);
	build_bytes(b, zeros, (8 - b->len % 8) % 8);
	b->n += b->err == OK;
}

err_t
link_build_seal(struct link_build *b, int *fd, uint32_t *n)
{
	build_open(b);
	build_flush(b);
	TRY(b->err);
	if (fcntl(b->fd, F_ADD_SEALS, SEALS) < 0) {
		return b->err = E_IO;
	}
	*fd = b->fd;
	*n = b->n;
	b->fd = -1;
	return OK;
}

void
link_build_fini(struct link_build *b)
{
	if (b->is_open && b->fd >= 0) {
		close(b->fd);
	}
	free(b->held);
	*b = (struct link_build){ 0 };
}

err_t
link_seal_bytes(const void *bytes, size_t len, int *fd)
{
	int made = -1;
	TRY(memfd_new(&made));
	if (file_write(made, bytes, len) != OK || fcntl(made, F_ADD_SEALS, SEALS) < 0) {
		close(made);
		return E_IO;
	}
	*fd = made;
	return OK;
}

err_t
link_map(int fd, struct link_map *out)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	if (seals < 0 || (seals & (SEALS & ~F_SEAL_SEAL)) != (SEALS & ~F_SEAL_SEAL) || fstat(fd, &st) < 0 || st.st_size < 0) {
		return E_REFUSED;
	}
	void *bytes = NULL;
	if (st.st_size > 0) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes == MAP_FAILED) {
			return E_NOMEM;
		}
	}
	*out = (struct link_map){ .bytes = bytes, .len = (size_t)st.st_size };
	return OK;
}

void
link_unmap(struct link_map *m)
{
	if (m->bytes != NULL) {
		munmap((void *)m->bytes, m->len);
	}
	*m = (struct link_map){ 0 };
}

err_t
link_files_next(struct link_files *f, struct link_file *out)
{
	struct link_entry e;
	if (f->left == 0) {
		return f->pos == f->len ? E_NOTFOUND : E_FORMAT;
	}
	if (f->len - f->pos < sizeof e) {
		return E_FORMAT;
	}
	memcpy(&e, f->bytes + f->pos, sizeof e);
	size_t left = f->len - f->pos - sizeof e;
	if (e.kind < LINK_ENTRY_PUT || e.kind > LINK_ENTRY_LAST || (e.path_len == 0) != (e.kind == LINK_ENTRY_MESSAGE) ||
	    e.path_len >= LINK_TEXT_MAX || e.path_len + 1 > left || e.len > left - e.path_len - 1) {
		return E_FORMAT;
	}
	const char *path = (const char *)f->bytes + f->pos + sizeof e;
	size_t end = f->pos + sizeof e + e.path_len + 1 + (size_t)e.len;
	size_t next = (end + 7) & ~(size_t)7;
	if (next > f->len || memchr(path, '\0', e.path_len + 1) != path + e.path_len) {
		return E_FORMAT;
	}
	*out = (struct link_file){
		.kind = (enum link_entry_kind)e.kind,
		.path = path,
		.path_len = e.path_len,
		.bytes = f->bytes + end - e.len,
		.len = (size_t)e.len,
	};
	f->pos = next;
	f->left--;
	return OK;
}
