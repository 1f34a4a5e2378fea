/* tests/system/clock.c -- preloaded into a validator: the wall clock says CLOCK_AT, in seconds since 1970.
 *
 * For signatures that have long expired.  Timers go by the monotonic clock, which stays as it is.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t
wall(void)
{
	const char *at = getenv("CLOCK_AT");
	return at != NULL ? (time_t)strtoll(at, NULL, 10) : 0;
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
	long status = syscall(SYS_clock_gettime, id, out);
	if (status == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
		out->tv_sec = wall();
	}
	return (int)status;
}

int
gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	(void)zone;
	*out = (struct timeval){ .tv_sec = wall() };
	return 0;
}

time_t
time(time_t *out)
{
	time_t now = wall();
	if (out != NULL) {
		*out = now;
	}
	return now;
}
