/* Turns of zone transfers under anything that can happen: the input is how many places there are, and then a program of three octets a
 * step.  What auth/turns.h promises is held after each (tests/unit/turns_world.h). */
#include "../tests/unit/turns_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 2000, MAX_MAX = 20 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	if (size == 0) {
		return 0;
	}
	srand(1);
	world_begin(&w, 1u + data[0] % MAX_MAX);
	for (size_t i = 1; i + 3 <= size && i < 3 * STEPS_MAX; i += 3) {
		world_step(&w, data[i], data[i + 1], data[i + 2]);
	}
	world_end(&w);
	return 0;
}
