/* git/connect.h -- private to src/git: a connection to a remote, to fetch from it or to push to it.
 *
 * It deals with credentials, host keys and certificates; fetch.c and upload.c use the connection.
 */
#pragma once

#include "base/str.h"
#include "git/lib.h"
#include "git/remote.h"

/* How a remote is reached, and who is to be told that it goes on. */
struct git_how {
	const struct git_conf *conf;
	const char *home;           /* directory that is ours alone; for libssh2's known_hosts.  Not used for a local remote in place */
	void (*alive)(void *ctx);   /* called whenever there was progress */
	void *ctx;
};

enum { GIT_WORDS_MAX = 1000 };

/* Zero-initialise but for `how`; callbacks of libgit2 refer to it, so it stays where it is. */
struct git_connection {
	const struct git_how *how;
	git_direction direction;
	struct ssh_known *known;   /* NULL: the fingerprint decides */
	struct str key;            /* our SSH key, as text */
	struct str offered;        /* the server's keys that were refused, for the message */
	unsigned asked;            /* for credentials */
	bool is_key_refused, is_key_revoked;
	bool is_too_large;         /* what comes is over total_max, and was broken off */
	struct str words;          /* what the remote says to people, up to GIT_WORDS_MAX octets of it */
};

void git_connection_fini(struct git_connection *c);

/* Before git_lib_begin(), by a process that does nothing else with it: over SSH, `how->home` becomes the home directory.  libgit2 1.5
 * asks the environment for it at each connection, 1.9 once, as it is initialised. */
void git_connect_settle(const struct git_how *how);

/* Connects `remote`.  E_AUTH: credentials or the server's key; E_NOTFOUND: no such repository; E_REFUSED: it may not be
 * pushed to; E_IO. */
err_t git_connect(struct git_connection *c, git_remote *remote, git_direction direction, struct diag *diag);

/* What libgit2 calls back, for the operation that follows: credentials, certificates, progress, the remote's words. */
void git_connection_callbacks(struct git_connection *c, git_remote_callbacks *out);
