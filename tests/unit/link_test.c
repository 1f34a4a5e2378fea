#include "git/link.h"
#include "git/link_files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
pair(int s[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
}

static int
open_fds(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++) {
		n += fcntl(fd, F_GETFD) >= 0;
	}
	return n;
}

static void
frames_cross_whole(void **state)
{
	(void)state;
	int s[2], content;
	pair(s);
	struct link_frame f = {
		.type = LINK_COMMIT, .flags = LINK_WHOLE, .status = E_LIMIT, .n = 7, .retry_s = 300, .took_ms = 12,
		.commit_us = 345, .push_us = 4000000000, .pull = 5000000000, .now_s = 6000000000, .fd = -1,
	};
	strcpy(f.id, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
	memset(f.text, 'x', sizeof f.text - 1);
	assert_int_equal(link_seal_bytes("hello", 5, &content), OK);
	f.fd = content;
	assert_int_equal(link_send(s[0], &f), OK);
	f.fd = -1;
	strcpy(f.text, "");
	f.type = LINK_PULL;
	assert_int_equal(link_send(s[0], &f), OK);
	close(content);

	struct link_frame got;
	assert_int_equal(link_recv(s[1], &got), OK);
	assert_int_equal(got.type, LINK_COMMIT);
	assert_int_equal(got.flags, LINK_WHOLE);
	assert_int_equal(got.status, E_LIMIT);
	assert_int_equal(got.n, 7);
	assert_int_equal(got.retry_s, 300);
	assert_int_equal(got.took_ms, 12);
	assert_int_equal(got.commit_us, 345);
	assert_int_equal(got.push_us, 4000000000);
	assert_int_equal(got.pull, 5000000000);
	assert_int_equal(got.now_s, 6000000000);
	assert_string_equal(got.id, f.id);
	assert_int_equal(strlen(got.text), LINK_TEXT_MAX - 1);
	struct link_map m;
	assert_int_equal(link_map(got.fd, &m), OK);
	close(got.fd);
	assert_int_equal(m.len, 5);
	assert_memory_equal(m.bytes, "hello", 5);
	link_unmap(&m);
	assert_int_equal(link_recv(s[1], &got), OK);
	assert_int_equal(got.type, LINK_PULL);
	assert_int_equal(got.fd, -1);
	assert_int_equal(fcntl(s[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(link_recv(s[1], &got), E_BUSY);
	close(s[0]);
	assert_int_equal(link_recv(s[1], &got), E_STOPPED);
	assert_int_equal(link_send(s[1], &f), E_IO);
	close(s[1]);
}

/* Anything else on the socket is refused, and no descriptor that came with it stays open. */
static void
foreign_packets_are_refused(void **state)
{
	(void)state;
	int s[2];
	pair(s);
	int before = open_fds();
	uint8_t junk[4096] = { 0 };
	struct link_frame got = { .n = 99 };
	static const size_t lens[] = { 1, 15, 92, 93, 200, sizeof junk };
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		memset(junk, i % 2 == 0 ? 0xFF : 0, sizeof junk);
		struct iovec v = { .iov_base = junk, .iov_len = lens[i] };
		char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(16))) = { 0 };
		struct msghdr msg = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(2 * sizeof(int));
		memcpy(CMSG_DATA(c), (int[]){ 0, 1 }, 2 * sizeof(int));
		assert_int_equal(sendmsg(s[0], &msg, 0), lens[i]);
		assert_int_equal(link_recv(s[1], &got), E_FORMAT);
		assert_int_equal(got.n, 99);
		assert_int_equal(open_fds(), before);
	}
	close(s[0]);
	close(s[1]);
}

static void
entries_are_read_as_they_were_built(void **state)
{
	(void)state;
	struct link_build b = { 0 };
	static const size_t lens[] = { 0, 1, 7, 8, 9, 300000, 1 << 18, 3, 100 };
	uint8_t *big = malloc(300000);
	assert_non_null(big);
	for (size_t i = 0; i < 300000; i++) {
		big[i] = (uint8_t)(i * 7 + i / 251);
	}
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		char path[16] = "zone-number-";
		link_build_put(&b, i % 2 == 0 ? LINK_ENTRY_PUT : LINK_ENTRY_REMOVE, path, 1 + i, big, lens[i]);
	}
	int fd;
	uint32_t n;
	assert_int_equal(link_build_seal(&b, &fd, &n), OK);
	link_build_fini(&b);
	assert_int_equal(n, ARRAY_LEN(lens));
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	struct link_map m;
	assert_int_equal(link_map(fd, &m), OK);
	close(fd);
	struct link_files files = link_files_over(&m, n);
	struct link_file f;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		assert_int_equal(link_files_next(&files, &f), OK);
		assert_int_equal(f.kind, i % 2 == 0 ? LINK_ENTRY_PUT : LINK_ENTRY_REMOVE);
		assert_int_equal(f.path_len, 1 + i);
		assert_int_equal(strlen(f.path), 1 + i);
		assert_int_equal(f.len, lens[i]);
		assert_memory_equal(f.bytes, big, lens[i]);
	}
	assert_int_equal(link_files_next(&files, &f), E_NOTFOUND);
	link_unmap(&m);
	free(big);
}

static void
an_empty_commit(void **state)
{
	(void)state;
	struct link_build b = { 0 };
	int fd;
	uint32_t n;
	assert_int_equal(link_build_seal(&b, &fd, &n), OK);
	link_build_fini(&b);
	assert_int_equal(n, 0);
	struct link_map m;
	assert_int_equal(link_map(fd, &m), OK);
	close(fd);
	struct link_files files = link_files_over(&m, n);
	struct link_file f;
	assert_int_equal(link_files_next(&files, &f), E_NOTFOUND);
	link_unmap(&m);
}

static void
a_push_begins_with_its_message(void **state)
{
	(void)state;
	struct link_build b = { 0 };
	int fd;
	uint32_t n;
	link_build_put(&b, LINK_ENTRY_MESSAGE, "", 0, "why", 3);
	link_build_put(&b, LINK_ENTRY_PUT, "sub/x.inc", 9, "", 0);
	assert_int_equal(link_build_seal(&b, &fd, &n), OK);
	link_build_fini(&b);
	struct link_map m;
	assert_int_equal(link_map(fd, &m), OK);
	close(fd);
	struct link_files files = link_files_over(&m, n);
	struct link_file f;
	assert_int_equal(link_files_next(&files, &f), OK);
	assert_int_equal(f.kind, LINK_ENTRY_MESSAGE);
	assert_string_equal(f.path, "");
	assert_int_equal(f.len, 3);
	assert_memory_equal(f.bytes, "why", 3);
	assert_int_equal(link_files_next(&files, &f), OK);
	assert_string_equal(f.path, "sub/x.inc");
	assert_int_equal(link_files_next(&files, &f), E_NOTFOUND);
	link_unmap(&m);
}

static void
lying_entries_are_refused(void **state)
{
	(void)state;
	struct {
		struct link_entry e;
		char rest[24];
	} x = { .e = { .kind = LINK_ENTRY_PUT, .path_len = 3, .len = 4 }, .rest = "a.b\0text" };
	struct link_file f;
	const struct link_entry good = x.e;
#define FIRST(size, n) link_files_next(&(struct link_files){ .bytes = (const uint8_t *)&x, .len = (size), .left = (n) }, &f)
	assert_int_equal(FIRST(24, 1), OK);
	assert_string_equal(f.path, "a.b");
	assert_memory_equal(f.bytes, "text", 4);
	assert_int_equal(FIRST(23, 1), E_FORMAT);
	assert_int_equal(FIRST(15, 1), E_FORMAT);
	assert_int_equal(FIRST(24, 0), E_FORMAT); /* more than was announced */
	x.e.len = UINT64_MAX;
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e.len = UINT64_MAX - 20;
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e = good;
	x.e.path_len = UINT32_MAX;
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e.path_len = 0;
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e.path_len = 5; /* a NUL within */
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e.path_len = 2; /* no NUL after */
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e = good;
	x.e.kind = LINK_ENTRY_MESSAGE; /* which has no path */
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e.kind = 0;
	assert_int_equal(FIRST(40, 1), E_FORMAT);
	x.e.kind = 77;
	assert_int_equal(FIRST(40, 1), E_FORMAT);
#undef FIRST
}

static void
what_is_not_sealed_is_not_mapped(void **state)
{
	(void)state;
	struct link_map m = { 0 };
	int fd = memfd_create("t", MFD_ALLOW_SEALING);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(link_map(fd, &m), E_REFUSED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
	assert_int_equal(link_map(fd, &m), E_REFUSED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(link_map(fd, &m), OK);
	link_unmap(&m);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(link_map(fd, &m), E_REFUSED);
	close(fd);
	assert_int_equal(link_map(-1, &m), E_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_cross_whole),
		cmocka_unit_test(foreign_packets_are_refused),
		cmocka_unit_test(entries_are_read_as_they_were_built),
		cmocka_unit_test(an_empty_commit),
		cmocka_unit_test(a_push_begins_with_its_message),
		cmocka_unit_test(lying_entries_are_refused),
		cmocka_unit_test(what_is_not_sealed_is_not_mapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
