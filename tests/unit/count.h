/* tests/unit/count.h -- functions that count their calls in a field of the program's own `cost`, and do what they always do; for programs
 * that are linked with --wrap (see meson.build). */
#pragma once

#define COUNTED(counter, type, name, params, args)      \
	type __real_##name params;                      \
	type __wrap_##name params;                      \
	type __wrap_##name params                       \
	{                                               \
		cost.counter++;                         \
		return __real_##name args;              \
	}

#define COUNTED_VOID(counter, name, params, args)       \
	void __real_##name params;                      \
	void __wrap_##name params;                      \
	void __wrap_##name params                       \
	{                                               \
		cost.counter++;                         \
		__real_##name args;                     \
	}
