/* tests/unit/loopback.h -- addresses 127.0.0.X, and sockets that listen there. */
#pragma once

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net/listen.h"

static inline struct listen_address
loopback(uint8_t last, uint16_t port)
{
	return (struct listen_address){
		.sa.v4 = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7F000000u | last) },
		.len = sizeof(struct sockaddr_in),
	};
}

/* Listens at that address by TCP; at port 0: at one that is free, which is put there. */
static inline int
loopback_listen(struct listen_address *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	assert_int_equal(bind(fd, &at->sa.any, at->len), 0);
	assert_int_equal(listen(fd, SOMAXCONN), 0);
	assert_int_equal(getsockname(fd, &at->sa.any, &at->len), 0);
	return fd;
}
