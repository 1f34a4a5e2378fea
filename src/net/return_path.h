/* net/return_path.h -- where the answer to a request goes that is not answered at once.
 *
 * An update waits for its commit: its request is kept, and so is the way back to who sent it.  The path is plain data, to be
 * copied, and good as long as the workers live; that the peer is still there is not promised.
 *
 * Threads: any may send.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "auth/server.h"
#include "base/err.h"

struct tcp_worker;

enum { RETURN_CONTROL_MAX = CMSG_SPACE(sizeof(struct in6_pktinfo)) };

struct return_path {
	struct peer peer;
	union {
		struct {
			int fd;
			socklen_t to_len, control_len;
			union {
				struct sockaddr any;
				struct sockaddr_in v4;
				struct sockaddr_in6 v6;
			} to;
			_Alignas(struct cmsghdr) uint8_t control[RETURN_CONTROL_MAX]; /* from which of our addresses */
		} udp;
		struct {
			struct tcp_worker *worker;
			uint64_t conn;
		} tcp;
	};
};

/* Sends one message.  Len 0: there will be none, but the peer's connection need not wait for it any more.  Never blocks; what the
 * system does not take is lost, as on the network. */
void return_path_send(const struct return_path *to, const uint8_t *bytes, size_t len);
