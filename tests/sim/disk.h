/* tests/sim/disk.h -- the disk of a secondary: one directory, in which the functions of ops/state_dir.h work (the simulator has its own).
 *
 * A file has what was written, which any process reads; and what is on the disk for sure.  When a process is killed, all that was written
 * stays, and what was just being written ends anywhere.  When the power fails, what is not on the disk for sure may be lost: of a file that
 * grew, a part of what was appended stays, perhaps with other octets behind it; in place of a file that was put there or removed, the one
 * before it may be back, until the directory is synced.
 *
 * All that is thrown here is thrown with dice of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/saved_zone.h"
#include "dice.h"

enum { DISK_FILES_MAX = 16 };

struct disk_content {
	uint8_t *octets;    /* owned */
	size_t len, synced; /* synced: of them, on the disk for sure */
};

struct disk_file {
	char name[SAVED_NAME_MAX]; /* "": none */
	bool is_there;
	struct disk_content now;
	bool is_name_synced, was_there; /* was_there, before: as it was when the directory was synced last */
	struct disk_content before;
	bool is_hurt;       /* not all that was written is there any more: the power failed, or the disk has spoilt octets */
};

struct disk {
	struct dice dice;
	int fd;             /* of the directory, while a process has it open; -1 */
	struct disk_file files[DISK_FILES_MAX];
	char aside[SAVED_NAME_MAX]; /* what the file that is written aside will be; "": none is */
	struct disk_content new;
	unsigned full;      /* faults that make it so */
	bool is_dying;      /* the process is killed after `left` more octets, */
	size_t left;
	bool is_dead;       /* and was */
};

void disk_init(struct disk *d, uint64_t seed);
void disk_fini(struct disk *d);

struct disk_file *disk_find(struct disk *d, const char *name); /* NULL: it is not there */

void disk_select(struct disk *d);     /* a process opens its directory next */
void disk_close(struct disk *d);      /* the process has ended */
void disk_lose_power(struct disk *d); /* after disk_close() */
void disk_spoil(struct disk *d);      /* some octets of one file */
void disk_is_read(struct disk *d);    /* a process knows what is left of what was hurt */
