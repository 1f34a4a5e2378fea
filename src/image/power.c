#include "image/power.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ops/files.h"

enum { DEVICES_MAX = 32, WORD_BITS = 8 * sizeof(unsigned long) };

static bool
has_power_key(int fd)
{
	unsigned long keys[KEY_MAX / WORD_BITS + 1] = { 0 };
	return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) >= 0 && (keys[KEY_POWER / WORD_BITS] >> KEY_POWER % WORD_BITS & 1) != 0;
}

void
power_open(struct power *p)
{
	p->n = 0;
	for (unsigned i = 0; i < DEVICES_MAX && p->n < POWER_BUTTONS_MAX; i++) {
		char path[32];
		(void)snprintf(path, sizeof path, "/dev/input/event%u", i);
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 && has_power_key(fd)) {
			p->fds[p->n++] = fd;
		} else if (fd >= 0) {
			close(fd);
		}
	}
}

bool
power_is_pressed(struct power *p, size_t i)
{
	bool is_pressed = false;
	struct input_event e;
	ssize_t n;
	while ((n = read(p->fds[i], &e, sizeof e)) == (ssize_t)sizeof e) {
		is_pressed |= e.type == EV_KEY && e.code == KEY_POWER && e.value == 1;
	}
	if (n < 0 && errno == ENODEV) {
		file_close(&p->fds[i]);
	}
	return is_pressed;
}
