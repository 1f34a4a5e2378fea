/* net/return_path.h -- the way back to a client whose request is not answered at once.
 *
 * An update, for example, is answered when its commit is in the remote.  Until then its request is kept, together with its return path.
 * A return path is plain data and may be copied.  It is valid as long as the workers live; the peer may have gone by then.
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
			_Alignas(struct cmsghdr) uint8_t control[RETURN_CONTROL_MAX]; /* which of our addresses was asked */
		} udp;
		struct {
			struct tcp_worker *worker;
			uint64_t conn;
		} tcp;
	};
};

/* Sends one message.  len 0: there will be no answer, and a TCP connection need not wait for one any more.  Never blocks; a message that
 * the system does not take is lost, as on the network. */
void return_path_send(const struct return_path *to, const uint8_t *bytes, size_t len);
