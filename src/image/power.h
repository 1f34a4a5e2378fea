/* image/power.h -- the power button, as the kernel's input devices show it (evdev). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { POWER_BUTTONS_MAX = 4 };

struct power {
	int fds[POWER_BUTTONS_MAX]; /* for poll(2), which passes over -1: a device that was taken out */
	size_t n;                   /* 0: the machine has none */
};

void power_open(struct power *p);

/* Takes what the device at fds[i] has to tell.  True: the button was pressed. */
bool power_is_pressed(struct power *p, size_t i);
