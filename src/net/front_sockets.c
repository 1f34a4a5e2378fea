/* The sockets of a front: inherited, opened, and given to the service manager to keep. */
#include "net/front_p.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ops/inherited.h"
#include "ops/ready.h"

/* The service manager keeps a socket as "origin-kept.udp.192.0.2.1@53.0": the last number is that of the worker. */
#define KEPT "origin-kept."
enum { KEPT_MAX = LISTEN_TEXT_MAX + 32 };

struct found { /* an inherited socket */
	struct listen_address at;
	enum transport transport;
	bool is_kept; /* an earlier process of ours has made it; else it is of a socket unit */
	unsigned worker; /* of a kept one */
};

static void
kept_name(const struct listen_address *a, enum transport t, unsigned worker, char out[KEPT_MAX])
{
	char text[LISTEN_TEXT_MAX];
	listen_print(a, text);
	for (char *colon = text; (colon = strchr(colon, ':')) != NULL;) {
		*colon = '_'; /* the manager's names have none */
	}
	(void)snprintf(out, KEPT_MAX, KEPT "%s.%s.%u", t == TRANSPORT_UDP ? "udp" : "tcp", text, worker);
}

static err_t
inspect(const struct inherited *s, struct found *out)
{
	const char *number = strrchr(s->name, '.');
	*out = (struct found){ .is_kept = strncmp(s->name, KEPT, sizeof KEPT - 1) == 0 };
	out->worker = out->is_kept && number != NULL ? (unsigned)strtoul(number + 1, NULL, 10) : 0;
	return listen_inspect(s->fd, &out->at, &out->transport);
}

/* Of a socket unit: an administrator has to mend it. */
static err_t
no_use(const struct inherited *s, const char *why, struct diag *diag)
{
	diag_set(diag, DIAG_ERROR, "listen", "socket %s of the service manager: %s", s->name, why);
	diag_hint(diag, "a socket unit has ListenDatagram= and ListenStream= for addresses of --listen, and BindIPv6Only=ipv6-only");
	return E_FORMAT;
}

/* ---- addresses ---- */

static size_t
find_address(const struct front_conf *c, const struct listen_address *a)
{
	size_t i = 0;
	while (i < c->listen_n && !listen_is_same(&c->listen[i], a)) {
		i++;
	}
	return i;
}

err_t
front_conf_inherit(struct front_conf *c, struct diag *diag)
{
	struct front_conf own = { 0 };
	struct found found;
	size_t n;
	const struct inherited *list = inherited_list(&n);
	for (size_t i = 0; i < n; i++) {
		err_t err = inspect(&list[i], &found);
		if (found.is_kept) {
			continue;
		}
		if (err != OK) {
			return no_use(&list[i], "neither UDP nor a listener for TCP, of IPv4 or IPv6 alone", diag);
		}
		if (find_address(&own, &found.at) < own.listen_n) {
			continue;
		}
		if (own.listen_n == FRONT_LISTEN_MAX) {
			return no_use(&list[i], "there are too many addresses", diag);
		}
		own.listen[own.listen_n++] = found.at;
	}
	if (own.listen_n != 0) {
		memcpy(c->listen, own.listen, sizeof c->listen);
		c->listen_n = own.listen_n;
		c->is_listen_default = false;
	}
	return OK;
}

static bool
is_inherited(const struct listen_address *a, enum transport t)
{
	struct found found;
	size_t n;
	const struct inherited *list = inherited_list(&n);
	for (size_t i = 0; i < n; i++) {
		if (list[i].fd >= 0 && inspect(&list[i], &found) == OK && found.transport == t && listen_is_same(&found.at, a)) {
			return true;
		}
	}
	return false;
}

/* Both transports are tried, because another program may have the port for only one of them. */
static err_t
probe(const struct listen_address *a, struct diag *diag)
{
	if (!is_inherited(a, TRANSPORT_UDP)) {
		TRY(listen_probe(a, TRANSPORT_UDP, diag));
	}
	return is_inherited(a, TRANSPORT_TCP) ? OK : listen_probe(a, TRANSPORT_TCP, diag);
}

/* Leaves out addresses that the machine does not have (all of IPv6, for example), unless the user asked for them. */
static err_t
probe_addresses(struct front *f, struct diag *diag)
{
	struct front_conf *c = &f->conf;
	size_t kept = 0;
	for (size_t i = 0; i < c->listen_n; i++) {
		err_t err = probe(&c->listen[i], diag);
		if (err == E_UNSUPPORTED && c->is_listen_default && c->listen_n > 1) {
			continue;
		}
		TRY(err);
		c->listen[kept++] = c->listen[i];
	}
	c->listen_n = kept;
	return kept != 0 ? OK : E_UNSUPPORTED;
}

/* ---- sockets ---- */

static int *
fds_new(size_t n)
{
	int *fds = xalloc(n * sizeof *fds);
	for (size_t i = 0; i < n; i++) {
		fds[i] = -1;
	}
	return fds;
}

static void
fds_close(int **fds, size_t n)
{
	for (size_t i = 0; *fds != NULL && i < n; i++) {
		if ((*fds)[i] >= 0) {
			close((*fds)[i]);
		}
	}
	free(*fds);
	*fds = NULL;
}

/* The sockets of an address: that of worker w is at w * conf.listen_n. */
static int *
fds_of(const struct front *f, enum transport t, size_t address)
{
	return (t == TRANSPORT_UDP ? f->udp_fds : f->tcp_fds) + address;
}

/* The place for an inherited socket; NULL: there is none. */
static int *
find_place(const struct front *f, const struct found *found)
{
	size_t stride = f->conf.listen_n, address = find_address(&f->conf, &found->at);
	if (address == f->conf.listen_n) {
		return NULL;
	}
	int *fds = fds_of(f, found->transport, address);
	unsigned worker = found->worker;
	while (!found->is_kept && worker < f->conf.workers && fds[worker * stride] >= 0) {
		worker++;
	}
	return worker < f->conf.workers && fds[worker * stride] < 0 ? &fds[worker * stride] : NULL;
}

/* A kept socket without a place is one of other options: of an address that was given up, or of more workers.  If nobody read what comes to
 * it, questions would be lost, so the manager must close it, too. */
static err_t
adopt(struct front *f, struct inherited *s, struct diag *diag)
{
	struct found found;
	int *place = inspect(s, &found) == OK ? find_place(f, &found) : NULL;
	if (place != NULL) {
		listen_adopt(s->fd, &found.at, found.transport);
		*place = s->fd;
		f->is_taken_over = true;
	} else if (found.is_kept) {
		ready_forget(s->name);
		close(s->fd);
	} else {
		return no_use(s, "its address is not in --listen, or has more sockets than there are --workers", diag);
	}
	s->fd = -1;
	return OK;
}

static err_t
adopt_all(struct front *f, struct diag *diag)
{
	size_t n;
	struct inherited *list = inherited_list(&n);
	for (size_t i = 0; i < n; i++) {
		TRY(adopt(f, &list[i], diag));
	}
	return OK;
}

/* Opens the socket of one worker, and gives it to the manager to keep.  If that cannot be, the worker shares `other`, unless it is -1. */
static err_t
fill(const struct front *f, enum transport t, size_t address, unsigned worker, int other, struct diag *diag)
{
	const struct listen_address *a = &f->conf.listen[address];
	int *fd = &fds_of(f, t, address)[worker * f->conf.listen_n];
	char name[KEPT_MAX];
	err_t err = listen_open(a, t, fd, diag);
	if (err == OK) {
		kept_name(a, t, worker, name);
		ready_keep(*fd, name);
	} else if (other >= 0) {
		*fd = fcntl(other, F_DUPFD_CLOEXEC, 0);
		err = *fd >= 0 ? OK : err;
	}
	return err;
}

static err_t
fill_address(const struct front *f, enum transport t, size_t address, struct diag *diag)
{
	const int *fds = fds_of(f, t, address);
	size_t stride = f->conf.listen_n;
	int first = -1; /* inherited ones are in no order */
	for (unsigned w = 0; w < f->conf.workers && first < 0; w++) {
		first = fds[w * stride];
	}
	for (unsigned w = 0; w < f->conf.workers; w++) {
		if (fds[w * stride] < 0) {
			TRY(fill(f, t, address, w, first, diag));
		}
	}
	return OK;
}

static err_t
open_sockets(struct front *f, struct diag *diag)
{
	TRY(adopt_all(f, diag));
	for (size_t i = 0; i < f->conf.listen_n; i++) {
		TRY(fill_address(f, TRANSPORT_UDP, i, diag));
		TRY(fill_address(f, TRANSPORT_TCP, i, diag));
	}
	return OK;
}

static void
log_listening(const struct front *f)
{
	for (size_t i = 0; i < f->conf.listen_n; i++) {
		char text[LISTEN_TEXT_MAX];
		listen_print(&f->conf.listen[i], text);
		log_event(f->log, LOG_LEVEL_INFO, "listening", "address=%s workers=%u inherited=%s", text, f->conf.workers,
		          f->is_taken_over ? "yes" : "no");
	}
}

err_t
front_open(struct front *f, struct diag *diag)
{
	TRY(probe_addresses(f, diag));
	f->udp_fds = fds_new(front_sockets_n(f));
	f->tcp_fds = fds_new(front_sockets_n(f));
	err_t err = open_sockets(f, diag);
	if (err != OK) {
		front_close(f);
		return err;
	}
	log_listening(f);
	return OK;
}

void
front_close(struct front *f)
{
	fds_close(&f->udp_fds, front_sockets_n(f));
	fds_close(&f->tcp_fds, front_sockets_n(f));
	gate_fini(&f->gate);
}
