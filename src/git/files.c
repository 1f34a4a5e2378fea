#include "git/files.h"
#include "git/shortage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP = 0660, EVERYBODY = 0664 };

bool
file_has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);
	return n >= e && strcmp(name + n - e, ending) == 0;
}

err_t
file_trouble(struct diag *diag, const char *what, const char *path)
{
	return file_trouble_in(diag, what, "", path);
}

err_t
file_trouble_in(struct diag *diag, const char *what, const char *dir, const char *name)
{
	int why = errno;
	diag_set(diag, DIAG_ERROR, "git", "cannot %s %.250s%.250s: %s", what, dir, name, strerror(why));
	const struct shortage *shortage = shortage_of_errno(why);
	if (shortage != NULL) {
		diag_hint(diag, "%s; nothing was changed", shortage->hint);
	} else if (why == EACCES || why == EPERM) {
		diag_hint(diag, "the user that oprimary runs as must be able to write there");
	}
	if (why == EACCES || why == EPERM || why == EROFS) { /* another try would fail, too */
		return E_REFUSED;
	}
	return E_IO;
}

static bool
is_word(const char *text, const char *const *words)
{
	while (*words != NULL && strcasecmp(text, *words) != 0) {
		words++;
	}
	return *words != NULL;
}

int
file_shared(const char *text)
{
	static const char *const none[] = { "umask", "false", "no", "off", "0", "", NULL };
	static const char *const group[] = { "group", "true", "yes", "on", "1", NULL };
	static const char *const all[] = { "all", "world", "everybody", "2", NULL };
	if (text == NULL || is_word(text, none)) {
		return 0;
	}
	if (is_word(text, group) || is_word(text, all)) {
		return is_word(text, group) ? GROUP : EVERYBODY;
	}
	char *end;
	long mode = strtol(text, &end, 8);
	/* Like git, we do not accept a mode with which the owner could not read and write. */
	return *end == '\0' && mode > 0 && mode <= 0777 && (mode & 0600) == 0600 ? -(int)(mode & 0666) : 0;
}

mode_t
file_shared_mode(int shared, mode_t mode)
{
	mode_t give = (mode_t)(shared < 0 ? -shared : shared);
	if ((mode & S_IWUSR) == 0) {
		give &= (mode_t)~0222;
	}
	if ((mode & S_IXUSR) != 0) {
		give |= (give & 0444) >> 2;
	}
	return shared < 0 ? (mode & (mode_t)~0777) | give : mode | give;
}

void
file_share(int fd, int shared)
{
	struct stat st;
	if (shared != 0 && fstat(fd, &st) == 0) {
		(void)!fchmod(fd, file_shared_mode(shared, st.st_mode) & 07777);
	}
}

void
file_make_parents(int dir, struct str *path, size_t from, int shared)
{
	for (char *slash = strchr(path->s + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dir, path->s, 0777) == 0 && shared != 0) {
			[[gnu::cleanup(file_close)]] int fd = openat(dir, path->s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			file_share(fd, shared);
		}
		*slash = '/';
	}
}
