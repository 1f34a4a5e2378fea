#include "git/format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "git/lib.h"

enum { NAME_LEN_MAX = 64, VERSION_MAX = 1 };

/* Settings for which there is more to say than their names. */
static const struct kind {
	const char *name;  /* extensions.NAME, in lower case */
	const char *value; /* NULL: any */
	const char *what;
	const char *hint;
} kinds[] = {
	{ "objectformat", "sha256", "has SHA-256 object names (extensions.objectFormat)",
	  "make another repository with `git init --bare --object-format=sha1`, and copy the history into it with "
	  "`git fast-export --all` and `git fast-import`" },
	{ "refstorage", NULL, "keeps its branches in another form than files (extensions.refStorage)",
	  "`git refs migrate --ref-format=files` there (git 2.46 or newer) brings them into files" },
	{ "worktreeconfig", NULL, "has settings for each work tree (extensions.worktreeConfig)",
	  "move the settings from its config.worktree into its config, then run there `git config --unset extensions.worktreeConfig`" },
	{ "partialclone", NULL, "is a partial clone (extensions.partialClone)",
	  "serve the repository that it was cloned from, or a full clone" },
};

struct found {
	const struct kind *kind;  /* the first in `kinds` that the repository has; NULL: none */
	char name[NAME_LEN_MAX];  /* an extension that is not in `kinds`; "": none */
	int64_t version;
};

static const struct kind *
find_kind(const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0 && (kinds[i].value == NULL || strcasecmp(kinds[i].value, value) == 0)) {
			return &kinds[i];
		}
	}
	return NULL;
}

static int
on_setting(const git_config_entry *e, void *ctx)
{
	static const char prefix[] = "extensions.";
	struct found *f = ctx;
	if (strcmp(e->name, "core.repositoryformatversion") == 0) {
		(void)!git_config_parse_int64(&f->version, e->value);
	}
	if (strncmp(e->name, prefix, strlen(prefix)) != 0) {
		return 0;
	}
	const char *name = e->name + strlen(prefix);
	const struct kind *kind = find_kind(name, e->value != NULL ? e->value : "");
	if (kind != NULL) {
		f->kind = f->kind == NULL || kind < f->kind ? kind : f->kind;
	} else if (strcmp(name, "noop") != 0) {
		snprintf(f->name, sizeof f->name, "%s", name);
	}
	return 0;
}

static void
read_settings(const char *path, struct found *out)
{
	[[gnu::cleanup(str_fini)]] struct str file = { 0 };
	git_buf dir = { 0 };
	git_config *config = NULL;
	if (git_repository_discover(&dir, path, 1, NULL) == 0) {
		str_printf(&file, "%sconfig", dir.ptr);
		if (git_config_open_ondisk(&config, str_text(&file)) == 0) {
			(void)!git_config_foreach(config, on_setting, out);
		}
	}
	git_config_free(config);
	git_buf_dispose(&dir);
}

static bool
is_about_format(const char *words)
{
	return strstr(words, "extension") != NULL || strstr(words, "repository version") != NULL || strstr(words, "object format") != NULL;
}

bool
git_format_explain(const char *path, const char *shown, struct diag *diag)
{
	struct found f = { 0 };
	const char *words = git_lib_text();
	if (!is_about_format(words)) {
		return false;
	}
	read_settings(path, &f);
	if (f.kind != NULL) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s %s, which libgit2 cannot read", shown, f.kind->what);
		diag_hint(diag, "%s", f.kind->hint);
	} else if (f.name[0] != '\0') {
		diag_set(diag, DIAG_ERROR, "git", "%.200s has extensions.%s in its configuration, which libgit2 does not know", shown,
		         f.name);
		diag_hint(diag, "serve a bare clone of it: `git clone --bare`; or remove the setting if nothing needs it");
	} else if (f.version > VERSION_MAX) {
		diag_set(diag, DIAG_ERROR, "git", "%.200s has core.repositoryFormatVersion %lld, and libgit2 knows none above %d",
		         shown, (long long)f.version, VERSION_MAX);
		diag_hint(diag, "serve a repository that git has made without options");
	}
	return f.kind != NULL || f.name[0] != '\0' || f.version > VERSION_MAX;
}

bool
git_format_explain_remote(const char *words, const char *shown, struct diag *diag)
{
	/* An object name of SHA-256 is longer than libgit2 expects: it fails to parse the second half.  Newer ones look at the capability
	 * object-format, and name it. */
	if (strstr(words, "error parsing REF pkt-line") == NULL && strstr(words, "object format") == NULL) {
		return false;
	}
	diag_set(diag, DIAG_ERROR, "git",
	         "%.200s lists its branches in a form that libgit2 cannot read; probably it has SHA-256 object names", shown);
	diag_hint(diag, "%s", kinds[0].hint);
	return true;
}
