#include "net/served.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <urcu/urcu-memb.h>

#include "base/alloc.h"

/* ThreadSanitizer does not understand liburcu.  These calls tell it what the grace period guarantees: reads that have ended come before
 * whatever the writer does next. */
#if defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif
#ifdef HAS_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#else
#define __tsan_acquire(address) ((void)(address))
#define __tsan_release(address) ((void)(address))
#endif

/* A published version; readers pin it. */
struct served_pin {
	const struct view *view;
	unsigned n;              /* readers that have pinned it */
	atomic_bool is_revoked;
	size_t kept_octets;      /* set when it is revoked: served_pin_kept_octets() */
	void *old;               /* what this version and older ones have and the next has not; set when the next is published */
	size_t octets;           /* of `old` */
	struct served_pin *next; /* the next version */
};

struct served {
	_Alignas(64) _Atomic(const struct view *) current; /* alone in its cache line: all read it, and it is rarely written */
	_Alignas(64) char grace;                           /* only its address is used: it stands for the grace period */
	struct served_conf conf;
	pthread_mutex_t lock;                              /* for all below */
	struct served_pin *spare; /* for the next version; NULL: none.  Only the writer uses it */
	struct served_pin *oldest, *newest;
	struct served_kept kept; /* replaced versions */
};

static struct served_pin *
version_new(const struct view *view)
{
	struct served_pin *v = xalloc(sizeof *v);
	v->view = view;
	return v;
}

struct served *
served_new(const struct served_conf *conf)
{
	struct served *s = aligned_alloc(_Alignof(struct served), sizeof *s);
	if (s == NULL) {
		abort(); /* as xalloc() does, which cannot align */
	}
	memset(s, 0, sizeof *s);
	atomic_init(&s->current, conf->first);
	pthread_mutex_init(&s->lock, NULL);
	s->oldest = s->newest = version_new(conf->first);
	s->conf = *conf;
	return s;
}

void
served_free(struct served **sp)
{
	struct served *s = *sp;
	if (s == NULL) {
		return;
	}
	served_reclaim(s);
	ASSERT(s->oldest == s->newest && s->newest->n == 0);
	free(s->spare);
	free(s->newest);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*sp = NULL;
}

void
served_thread_begin(void)
{
	urcu_memb_register_thread();
}

void
served_thread_end(void)
{
	urcu_memb_unregister_thread();
}

const struct view *
served_read(struct served *s)
{
	urcu_memb_read_lock();
	return atomic_load_explicit(&s->current, memory_order_acquire);
}

void
served_read_end(struct served *s)
{
	__tsan_release(&s->grace);
	urcu_memb_read_unlock();
}

/* ---- long reads ---- */

const struct view *
served_pin(struct served *s, struct served_pin **pin)
{
	pthread_mutex_lock(&s->lock);
	*pin = s->newest;
	(*pin)->n++;
	pthread_mutex_unlock(&s->lock);
	return (*pin)->view;
}

void
served_unpin(struct served *s, struct served_pin **pin)
{
	if (*pin == NULL) {
		return;
	}
	pthread_mutex_lock(&s->lock);
	(*pin)->n--;
	bool is_due = s->oldest->n == 0 && s->oldest != s->newest;
	pthread_mutex_unlock(&s->lock);
	*pin = NULL;
	if (is_due && s->conf.unpinned != NULL) {
		s->conf.unpinned(s->conf.ctx);
	}
}

bool
served_pin_is_revoked(const struct served_pin *pin)
{
	return atomic_load_explicit(&pin->is_revoked, memory_order_acquire);
}

size_t
served_pin_kept_octets(const struct served_pin *pin)
{
	return served_pin_is_revoked(pin) ? pin->kept_octets : 0;
}

struct served_kept
served_kept(struct served *s)
{
	pthread_mutex_lock(&s->lock);
	struct served_kept kept = s->kept;
	pthread_mutex_unlock(&s->lock);
	return kept;
}

/* ---- the writer ---- */

/* The oldest version if it is neither pinned nor served any more; else NULL. */
static struct served_pin *
take_oldest(struct served *s)
{
	pthread_mutex_lock(&s->lock);
	struct served_pin *v = s->oldest;
	if (v->n != 0 || v == s->newest) {
		v = NULL;
	} else {
		s->oldest = v->next;
		s->kept.versions--;
		s->kept.octets -= v->octets;
	}
	pthread_mutex_unlock(&s->lock);
	return v;
}

void
served_reclaim(struct served *s)
{
	struct served_pin *v;
	while ((v = take_oldest(s)) != NULL) {
		s->conf.release(v->old);
		free(v);
	}
}

err_t
served_reserve(struct served *s)
{
	s->spare = s->spare != NULL ? s->spare : try_alloc(sizeof *s->spare);
	return s->spare != NULL ? OK : E_NOMEM;
}

static void
append(struct served *s, const struct view *next, void *old)
{
	struct served_pin *v = s->spare != NULL ? s->spare : xalloc(sizeof *v), *replaced;
	s->spare = NULL;
	v->view = next;
	size_t octets = s->conf.octets != NULL ? s->conf.octets(old) : 0;
	pthread_mutex_lock(&s->lock);
	replaced = s->newest;
	replaced->old = old;
	replaced->octets = octets;
	replaced->next = s->newest = v;
	s->kept.versions++;
	s->kept.octets += octets;
	pthread_mutex_unlock(&s->lock);
}

/* Revokes the oldest pins until the rest is within the limits.  Pins of the newest version and of the one before are spared.  True: a pin
 * was revoked. */
static bool
revoke(struct served *s)
{
	bool has_revoked = false;
	pthread_mutex_lock(&s->lock);
	struct served_kept left = s->kept;
	for (struct served_pin *v = s->oldest; v->next != NULL && v->next != s->newest; v = v->next) {
		if (left.versions <= SERVED_VERSIONS_MAX && left.octets <= s->conf.octets_max) {
			break;
		}
		if (v->n != 0 && !served_pin_is_revoked(v)) {
			v->kept_octets = left.octets;
			atomic_store_explicit(&v->is_revoked, true, memory_order_release);
			has_revoked = true;
		}
		left.versions--;
		left.octets -= v->octets;
	}
	pthread_mutex_unlock(&s->lock);
	return has_revoked;
}

void
served_publish(struct served *s, const struct view *next, void *old)
{
	atomic_store_explicit(&s->current, next, memory_order_release); /* from here on the new view is served */
	append(s, next, old);
	urcu_memb_synchronize_rcu();
	__tsan_acquire(&s->grace);
	served_reclaim(s);
	if (revoke(s) && s->conf.revoked != NULL) {
		s->conf.revoked(s->conf.ctx);
	}
}
