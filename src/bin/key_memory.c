#include "bin/key_memory.h"

#include "auth/key.h"
#include "ops/secret_memory.h"

static struct secret_memory memory = SECRET_MEMORY_OF(sizeof(struct key));

const struct alloc_source *
key_memory(void)
{
	static const struct alloc_source source = { .take = secret_memory_take, .give = secret_memory_give, .ctx = &memory };
	return &source;
}

int
key_memory_refused(void)
{
	return atomic_load(&memory.refused);
}
