#include "git/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* A frame on the wire: this head, then the text up to and with its NUL. */
struct frame_head {
	uint8_t type, flags;
	uint16_t status;
	uint32_t n, retry_s, took_ms, commit_us, push_us;
	uint64_t now_s;
	char id[sizeof((struct link_frame *)0)->id];
	char pad[7];
};

union fd_control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void
attach_fd(struct msghdr *msg, union fd_control *control, int fd)
{
	memset(control, 0, sizeof *control);
	msg->msg_control = control->bytes;
	msg->msg_controllen = sizeof control->bytes;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

err_t
link_send(int sock, const struct link_frame *f)
{
	struct frame_head head = {
		.type = f->type, .flags = f->flags, .status = f->status, .n = f->n, .retry_s = f->retry_s, .took_ms = f->took_ms,
		.commit_us = f->commit_us, .push_us = f->push_us, .now_s = f->now_s,
	};
	memcpy(head.id, f->id, sizeof head.id);
	struct iovec parts[2] = {
		{ .iov_base = &head, .iov_len = sizeof head },
		{ .iov_base = (char *)f->text, .iov_len = strnlen(f->text, sizeof f->text - 1) + 1 },
	};
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };
	union fd_control control;
	if (f->fd >= 0) {
		attach_fd(&msg, &control, f->fd);
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN) {
			struct pollfd p = { .fd = sock, .events = POLLOUT };
			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return E_IO;
		}
	}
	return OK;
}

/* Takes the one descriptor of a message; any others (nobody sends them) are closed. */
static int
take_fd(struct msghdr *msg)
{
	int fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int one;
			memcpy(&one, (char *)c + at, sizeof one);
			if (fd >= 0) {
				close(fd);
			}
			fd = one;
		}
	}
	return fd;
}

static bool
head_is_sound(const struct frame_head *head, const char *text, size_t text_len)
{
	return head->type >= LINK_PULL && head->type <= LINK_TYPE_LAST && head->status < E_COUNT &&
	       memchr(head->id, '\0', sizeof head->id) != NULL && text_len > 0 && text[text_len - 1] == '\0';
}

err_t
link_recv(int sock, struct link_frame *out)
{
	struct frame_head head;
	char text[LINK_TEXT_MAX];
	struct iovec parts[2] = {
		{ .iov_base = &head, .iov_len = sizeof head },
		{ .iov_base = text, .iov_len = sizeof text },
	};
	union fd_control control;
	struct msghdr msg = {
		.msg_iov = parts, .msg_iovlen = 2, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
	};
	ssize_t got;
	do {
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		return got == 0 || errno == ECONNRESET ? E_STOPPED : errno == EAGAIN ? E_BUSY : E_IO;
	}
	int fd = take_fd(&msg);
	size_t text_len = (size_t)got < sizeof head ? 0 : (size_t)got - sizeof head;
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !head_is_sound(&head, text, text_len)) {
		if (fd >= 0) {
			close(fd);
		}
		return E_FORMAT;
	}
	*out = (struct link_frame){
		.type = head.type, .flags = head.flags, .status = head.status, .n = head.n,
		.retry_s = head.retry_s, .took_ms = head.took_ms, .commit_us = head.commit_us, .push_us = head.push_us, .now_s = head.now_s,
		.fd = fd,
	};
	memcpy(out->id, head.id, sizeof out->id);
	memcpy(out->text, text, text_len);
	return OK;
}

enum { HELD_MAX = 1 << 18, SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static err_t
write_all(int fd, const uint8_t *bytes, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, bytes, n);
		if (did < 0 && errno != EINTR) {
			return E_IO;
		}
		if (did > 0) {
			bytes += did;
			n -= (size_t)did;
		}
	}
	return OK;
}

static err_t
memfd_new(int *fd)
{
	/* MFD_NOEXEC_SEAL came with Linux 6.3; older kernels refuse the flag, and seal only what we ask for. */
	*fd = memfd_create("origin-commit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return *fd < 0 ? E_IO : OK;
}

static void
build_flush(struct link_build *b)
{
	if (b->err == OK && b->held_len > 0) {
		b->err = write_all(b->fd, b->held, b->held_len);
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
		b->err = b->err == OK ? write_all(b->fd, bytes, n) : b->err;
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
	if (write_all(made, bytes, len) != OK || fcntl(made, F_ADD_SEALS, SEALS) < 0) {
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
