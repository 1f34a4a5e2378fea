/* git/connect.h -- private to src/git: a connection to a remote, to fetch from it or to push to it.
 *
 * It deals with credentials, host keys and certificates; fetch.c and upload.c use the connection.
 */
#pragma once

#include "base/str.h"
#include "git/lib.h"
#include "git/remote.h"

/* How a remote is reached, and a function to call at each progress. */
struct git_how {
	const struct git_conf *conf;
	const char *home;           /* a directory that nobody else uses, for libssh2's known_hosts; only used for SSH */
	void (*alive)(void *ctx);   /* called whenever there was progress */
	void *ctx;
};

enum { GIT_WORDS_MAX = 1000 };

/* Zero-initialise, except for `how`.  libgit2 has a pointer to it for our callbacks, so it must not be moved. */
struct git_connection {
	const struct git_how *how;
	git_direction direction;
	struct ssh_known *known;   /* NULL: the server's key must have the fingerprint of --authenticator */
	struct str key;            /* our SSH key, as text */
	struct str offered;        /* the server's keys that we refused, for the message */
	unsigned asked;            /* how often the server has asked for credentials */
	bool is_key_refused, is_key_revoked; /* the server's key */
	bool is_too_large;         /* the fetch was ended, since it is over total_max */
	struct str words;          /* the remote's messages for people, the first GIT_WORDS_MAX octets */
};

void git_connection_fini(struct git_connection *c);

/* Called before git_lib_begin().  For SSH it makes `how->home` the home directory of this process ($HOME).  libgit2 1.5
 * reads $HOME at each connection, 1.9 only when it is initialised. */
void git_connect_settle(const struct git_how *how);

/* Connects `remote`.  E_AUTH: credentials or the server's key; E_NOTFOUND: no such repository; E_REFUSED: it may not be
 * pushed to; E_IO. */
err_t git_connect(struct git_connection *c, git_remote *remote, git_direction direction, struct diag *diag);

/* Sets our callbacks for the next operation of libgit2: credentials, certificates, progress, the remote's messages. */
void git_connection_callbacks(struct git_connection *c, git_remote_callbacks *out);
