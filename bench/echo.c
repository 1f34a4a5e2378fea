/* bench/echo.c -- the least that a UDP server can do: sends every message back as an answer.
 *
 *     echo PORT
 *
 * The same system calls as our workers, and nothing between them: what is left is the kernel's price.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 64, MESSAGE_MAX = 1232 };

static uint8_t room[BATCH][MESSAGE_MAX];
static struct sockaddr_in from[BATCH];
static struct iovec iov[BATCH];
static struct mmsghdr msg[BATCH];

static void
prepare(int i, size_t len)
{
	iov[i] = (struct iovec){ room[i], len };
	msg[i].msg_hdr = (struct msghdr){
		.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1
	};
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), big = 1 << 21;
	at.sin_port = htons((uint16_t)(argc > 1 ? strtol(argv[1], NULL, 10) : 0));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
		return EXIT_FAILURE;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			prepare(i, MESSAGE_MAX);
		}
		int n = recvmmsg(fd, msg, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			room[i][2] |= 0x84; /* an answer, authoritative */
			prepare(i, msg[i].msg_len);
		}
		if (n > 0) {
			(void)sendmmsg(fd, msg, (unsigned)n, 0);
		}
	}
}
