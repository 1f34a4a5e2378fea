/* git/remote.h -- where the zones come from: what --remote and the options beside it say.
 *
 * These functions only read and write texts, except for git_conf_check_cache().  The structure owns what they put into
 * it; what the caller sets itself is borrowed.  Secrets are only in the members `password` and `seed`: `url` and
 * `shown` have none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"

enum git_scheme { GIT_REMOTE_LOCAL, GIT_REMOTE_GIT, GIT_REMOTE_HTTP, GIT_REMOTE_HTTPS, GIT_REMOTE_SSH };

enum {
	GIT_SEED_LEN = 32,
	GIT_URL_MAX = 1500,
	GIT_FINGERPRINT_TEXT = 51, /* "SHA256:", 43 digits of base64, NUL */
	GIT_COMMITTER_MAX = 250,
	/* defaults of members of struct git_conf, as are the three below */
	GIT_FETCH_TIMEOUT_S = 60,
	GIT_FETCH_MAX_S = 3600,
	GIT_LINGER_S = 5,
	GIT_CACHE_PATIENCE_S = 3,
	GIT_FILES_MAX = 1000000,
};

#define GIT_FILE_MAX ((size_t)256 << 20)
#define GIT_TOTAL_MAX ((uint64_t)4 << 30)
#define GIT_MEMORY_MAX ((uint64_t)1 << 30)

struct git_conf {
	/* git_conf_remote() */
	enum git_scheme scheme;
	char *url;    /* for libgit2; a path for a local remote; without password */
	char *shown;  /* for people: redacted, with "#branch" when one was named */
	char *host;   /* NULL for a local remote; no brackets */
	uint16_t port;
	char *branch; /* NULL: the branch that the remote's HEAD names */
	/* git_conf_remote(), git_conf_credentials() */
	char *user, *password; /* NULL: none */
	/* git_conf_ssh_key(), git_conf_authenticator() */
	bool has_seed;
	uint8_t seed[GIT_SEED_LEN];
	char authenticator[GIT_FINGERPRINT_TEXT]; /* "" when none */
	/* git_conf_committer() */
	char *committer; /* author and committer of our commits; NULL: "Origin <origin@HOST>" with the name of this machine */
	/* by the caller, borrowed; 0 and NULL stand for the default */
	const char *known_hosts; /* a file, which is used when there is no authenticator */
	const char *ca_file;     /* PEM; NULL: the system's */
	const char *cache_dir;   /* NULL: a local remote is read in place, any other is cloned into TMPDIR */
	unsigned fetch_timeout_s;   /* a fetch or push without progress for so long is ended */
	unsigned fetch_max_s;       /* a fetch may take so long, with or without progress */
	unsigned linger_s;          /* a worker waits so long for the next request */
	unsigned cache_patience_s;  /* a start waits so long for the remote before it serves the cached commit */
	size_t file_max, files_max; /* octets of a file; files of a commit */
	uint64_t total_max;         /* octets of a fetch */
	uint64_t text_max;          /* octets of the files of one commit that cross the link */
	uint64_t memory_max;        /* octets that a worker may take */
};

/* Takes URL[#BRANCH]: file://, a path, git://, http(s)://, ssh:// (also git+ssh://), [user@]host:path.  E_FORMAT,
 * E_UNSUPPORTED (diag names the schemes that are supported), E_LIMIT. */
err_t git_conf_remote(struct git_conf *c, const char *remote, struct diag *diag);

/* "ed25519:" and 32 octets in base64, as okeygen prints it. */
err_t git_conf_ssh_key(struct git_conf *c, const char *text, struct diag *diag);

/* "SHA256:" and a digest in base64, with or without padding, as `ssh-keygen -l` prints it. */
err_t git_conf_authenticator(struct git_conf *c, const char *text, struct diag *diag);

/* "NAME <MAIL>", as git writes it.  E_FORMAT: something else, or octets that a commit cannot have. */
err_t git_conf_committer(struct git_conf *c, const char *text, struct diag *diag);

/* Takes user and password from the text of a credential file: lines of git's own store (https://user:password@host), or
 * one line "user:password", or a token alone.  A password in the URL counts more than the file.  E_NOTFOUND: the file
 * has none for this host; E_FORMAT. */
err_t git_conf_credentials(struct git_conf *c, const char *text, size_t len, struct diag *diag);

/* Called before anything is started: makes cache_dir, if there is to be one, and checks that we may write there.  E_IO. */
err_t git_conf_check_cache(const struct git_conf *c, struct diag *diag);

void git_conf_fini(struct git_conf *c); /* wipes the secrets */

/* Appends a URL.  What may be secret in it becomes "***": a password, a user without a password before an http(s) host
 * (mostly that is a token), a query. */
void git_redact(struct str *out, const char *url);

/* True when a branch can have this name ("x", without "refs/heads/"). */
bool git_is_branch_name(const char *name);
