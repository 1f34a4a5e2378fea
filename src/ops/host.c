#include "ops/host.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"

void
host_name(char out[HOST_NAME_LEN_MAX + 1])
{
	struct utsname u;
	size_t n = uname(&u) == 0 ? strlen(u.nodename) : 0;
	for (size_t i = 0; i < n; i++) {
		n = u.nodename[i] > ' ' && u.nodename[i] <= '~' ? n : 0;
	}
	str_cut(out, HOST_NAME_LEN_MAX + 1, n != 0 ? u.nodename : "-");
}
