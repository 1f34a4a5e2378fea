#include "git/link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A frame on the socket is this head, then the text with its NUL. */
struct frame_head {
	uint8_t type, flags;
	uint16_t status;
	uint32_t n, retry_s, took_ms, commit_us, push_us;
	uint64_t pull, now_s;
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
		.commit_us = f->commit_us, .push_us = f->push_us, .pull = f->pull, .now_s = f->now_s,
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

/* Takes the last descriptor of a message.  Any others are closed: our own frames have one at most. */
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
		.retry_s = head.retry_s, .took_ms = head.took_ms, .commit_us = head.commit_us, .push_us = head.push_us,
		.pull = head.pull, .now_s = head.now_s, .fd = fd,
	};
	memcpy(out->id, head.id, sizeof out->id);
	memcpy(out->text, text, text_len);
	return OK;
}
