#include "net/served.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <urcu/urcu-memb.h>

#include "base/alloc.h"

/* ThreadSanitizer does not see into liburcu: it is told what the grace period orders, every read that has
 * ended before what the writer does next. */
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

struct served {
	_Alignas(64) _Atomic(const struct view *) current; /* alone in its line: read by all, hardly ever written */
	_Alignas(64) char grace;                           /* only its address: stands for the grace period */
};

struct served *
served_new(const struct view *first)
{
	struct served *s = aligned_alloc(_Alignof(struct served), sizeof *s);
	if (s == NULL) {
		abort(); /* as xalloc() does, which does not align */
	}
	memset(s, 0, sizeof *s);
	atomic_init(&s->current, first);
	return s;
}

void
served_free(struct served **s)
{
	free(*s);
	*s = NULL;
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

void
served_publish(struct served *s, const struct view *next)
{
	atomic_store_explicit(&s->current, next, memory_order_release); /* the commit */
	urcu_memb_synchronize_rcu();
	__tsan_acquire(&s->grace);
}
