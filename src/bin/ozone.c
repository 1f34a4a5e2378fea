/* ozone: checks zone files, for people and for hooks.  The parts are in ozone.h. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bin/cli.h"
#include "bin/ozone.h"
#include "ops/privs.h"

const char *argp_program_version = CLI_VERSION("ozone");

struct options {
	char **files;
	size_t files_n;
	const char *old, *zone_name;
	struct ozone_revs revs;
	bool has_repo;
	enum ozone_format format;
	struct primary_conf valve;
	bool werror, strict, dump, diff, quiet, raises_serials, allows_mass_delete, drops_outside;
};

enum {
	OPT_OLD = 256, OPT_ZONE_NAME, OPT_REPO, OPT_OLD_REV, OPT_NEW_REV, OPT_FORMAT, OPT_WERROR, OPT_STRICT, OPT_DUMP, OPT_DIFF,
	OPT_SERIAL, OPT_ALLOW, OPT_ZONES_PERCENT, OPT_RECORDS_PERCENT, OPT_OUT_OF_ZONE,
};

static const struct argp_option option_list[] = {
	{ "old", OPT_OLD, "FILE", 0, "Compare with the version in FILE: a zone that changed needs a newer serial", 0 },
	{ "zone-name", OPT_ZONE_NAME, "NAME", 0, "The zone is NAME, whatever the file is called", 0 },
	{ "repo", OPT_REPO, "DIR", 0, "Check a revision of the git repository in DIR", 1 },
	{ "old-rev", OPT_OLD_REV, "REV", 0, "Check what changed since REV (all zeros: since there was nothing)", 1 },
	{ "new-rev", OPT_NEW_REV, "REV", 0, "Check REV instead of HEAD (\":\" is the index)", 1 },
	{ "serial", OPT_SERIAL, "POLICY", 0, "As oprimary's: with increment or unixtime oprimary raises serials itself, and a zone that "
	  "changed needs no newer one (keep)", 1 },
	{ "allow", OPT_ALLOW, "WHAT", 0, "mass-delete: the removals are intended; the commit's message will have the line \""
	  PRIMARY_TRAILER "\"", 1 },
	{ "mass-delete-zones-percent", OPT_ZONES_PERCENT, "N", 0, "As oprimary's (50)", 1 },
	{ "mass-delete-records-percent", OPT_RECORDS_PERCENT, "N", 0, "As oprimary's (50)", 1 },
	{ "out-of-zone", OPT_OUT_OF_ZONE, "ACTION", 0, "As oprimary's: records outside of their zone are an error (error), or are "
	  "dropped with a warning (drop). Default: error", 1 },
	{ "format", OPT_FORMAT, "FORMAT", 0, "text, json, or github (workflow commands)", 2 },
	{ "strict", OPT_STRICT, NULL, 0, "Records that are served and do not work are errors: an NS that leads nowhere, glue that "
	  "is missing", 2 },
	{ "werror", OPT_WERROR, NULL, 0, "Warnings are errors", 2 },
	{ "quiet", 'q', NULL, 0, "Print only errors and warnings", 2 },
	{ "dump", OPT_DUMP, NULL, 0, "Print the zone, one record on each line, in canonical order", 3 },
	{ "diff", OPT_DIFF, NULL, 0, "Print the records that were removed and added", 3 },
	{ 0 },
};

static error_t
parse_format(const char *arg, struct argp_state *state, struct options *o)
{
	static const char *const names[] = { [FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_GITHUB] = "github" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(arg, names[i]) == 0) {
			o->format = (enum ozone_format)i;
			return 0;
		}
	}
	cli_usage(state, "--format is text, json or github, not %s", arg);
	return EINVAL;
}

static error_t
parse_serial(const char *arg, struct argp_state *state, struct options *o)
{
	o->raises_serials = strcmp(arg, "increment") == 0 || strcmp(arg, "unixtime") == 0;
	if (!o->raises_serials && strcmp(arg, "keep") != 0) {
		cli_usage(state, "--serial is keep, increment or unixtime, not %s", arg);
	}
	return 0;
}

static error_t
parse_percent(const char *arg, struct argp_state *state, unsigned *out)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);
	if (end == arg || *end != '\0' || arg[0] == '-' || n > 100) {
		cli_usage(state, "a percentage is a number from 0 to 100, not %s", arg);
		return EINVAL;
	}
	*out = (unsigned)n;
	return 0;
}

static error_t
parse_allow(const char *arg, struct argp_state *state, struct options *o)
{
	o->allows_mass_delete = true;
	if (strcmp(arg, "mass-delete") != 0) {
		cli_usage(state, "--allow is mass-delete, not %s", arg);
		return EINVAL;
	}
	return 0;
}

/* Refuses options that do not go together. */
static void
check_options(struct argp_state *state, const struct options *o)
{
	bool has_dir = false;
	for (size_t i = 0; i < o->files_n; i++) {
		has_dir = has_dir || ozone_is_dir(o->files[i]);
	}
	if (o->has_repo && (o->files_n != 0 || o->old != NULL || o->zone_name != NULL)) {
		cli_usage(state, "a revision is checked as it is: no FILE, --old or --zone-name with --repo, --old-rev or --new-rev");
	} else if (!o->has_repo && o->files_n == 0) {
		cli_usage(state, "which FILE, directory or --repo?");
	} else if (o->files_n > 1 && (o->old != NULL || o->zone_name != NULL)) {
		cli_usage(state, "--old and --zone-name are for a single FILE");
	} else if (has_dir && o->zone_name != NULL) {
		cli_usage(state, "--zone-name is for a single FILE, not for a directory");
	} else if (o->old != NULL && has_dir != ozone_is_dir(o->old)) {
		cli_usage(state, "--old wants a directory for a directory, and a file for a file");
	} else if (o->diff && o->old == NULL && !o->revs.has_old) {
		cli_usage(state, "--diff against what?  --old or --old-rev is missing");
	} else if ((o->dump || o->diff) && o->format == FORMAT_JSON) {
		cli_usage(state, "--dump and --diff print text, not JSON");
	} else if (o->dump && o->diff) {
		cli_usage(state, "either --dump or --diff");
	}
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case OPT_OLD:
		o->old = arg;
		return 0;
	case OPT_ZONE_NAME:
		o->zone_name = arg;
		return 0;
	case OPT_REPO:
		o->has_repo = true;
		o->revs.dir = arg;
		return 0;
	case OPT_OLD_REV:
		o->has_repo = o->revs.has_old = true;
		o->revs.old = arg;
		return 0;
	case OPT_NEW_REV:
		o->has_repo = true;
		o->revs.new = arg;
		return 0;
	case OPT_FORMAT:
		return parse_format(arg, state, o);
	case OPT_SERIAL:
		return parse_serial(arg, state, o);
	case OPT_ALLOW:
		return parse_allow(arg, state, o);
	case OPT_ZONES_PERCENT:
		return parse_percent(arg, state, &o->valve.delete_zones_percent);
	case OPT_RECORDS_PERCENT:
		return parse_percent(arg, state, &o->valve.delete_records_percent);
	case OPT_OUT_OF_ZONE:
		o->drops_outside = cli_drops_outside(state, arg);
		return 0;
	case OPT_WERROR:
		o->werror = true;
		return 0;
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_DUMP:
		o->dump = true;
		return 0;
	case OPT_DIFF:
		o->diff = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case ARGP_KEY_ARGS:
		o->files = state->argv + state->next;
		o->files_n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		check_options(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse_option,
	.args_doc = "FILE...\n--repo=DIR [--old-rev=REV] [--new-rev=REV]",
	.doc = "Checks zone files, and files of keys (NAME._keys) and secondaries (NAME._secondaries).\v"
	       "The name of a file is the name of its zone.  A directory is taken as a checkout of the repository that "
	       "oprimary serves.  \"-\" is standard input.  Exit status: 0 nothing is wrong, 1 something is, 2 wrong usage.",
};

static err_t
check_files(struct ozone *oz, const struct options *o)
{
	err_t worst = OK;
	for (size_t i = 0; i < o->files_n; i++) {
		err_t err = ozone_is_dir(o->files[i]) ? ozone_dir(oz, o->files[i], o->old)
		                                      : ozone_file(oz, o->files[i], o->old, o->zone_name);
		if (err == E_NOMEM || err == E_UNSUPPORTED) {
			return err;
		}
		worst = err != OK ? err : worst;
	}
	return worst;
}

static int
run(const struct options *o)
{
	static struct ozone oz; /* static, so that what it keeps is no leak */
	bool is_single = !o->has_repo && o->files_n == 1 && !ozone_is_dir(o->files[0]);
	const struct report_options report = {
		.format = o->format, .is_quiet = o->quiet, .owns_stdout = !o->dump && !o->diff, .is_strict = o->strict,
	};
	oz = (struct ozone){
		.report = report_new(&report),
		.keys = is_single ? NULL : keystore_new(NULL),
		.dump = o->dump,
		.diff = o->diff,
		.colour = cli_has_colour(stdout),
		.is_single = is_single,
		.raises_serials = o->raises_serials,
		.valve = o->valve,
		.allows_mass_delete = o->allows_mass_delete,
		.valve_level = DIAG_ERROR,
		.drops_outside = o->drops_outside,
		.includes = MASTER_ALLOWANCE,
	};
	err_t err = !is_single && oz.keys == NULL ? E_NOMEM : o->has_repo ? ozone_repo(&oz, &o->revs) : check_files(&oz, o);
	bool is_bad = err != OK || report_errors(oz.report) != 0 || (o->werror && report_warnings(oz.report) != 0);
	if (err == OK) {
		report_finish(oz.report, is_single, !is_bad);
	} else if (err == E_NOMEM) {
		cli_error("%s", err_str(err));
	}
	report_free(&oz.report);
	keystore_free(&oz.keys);
	ozone_forget_rights(&oz);
	if (oz.zones != NULL) {
		ozone_names_free(&oz.zones);
	}
	keystore_free(&oz.announcing.before);
	keystore_free(&oz.announcing.after);
	free(oz.announcing.lost);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		cli_error("cannot write to standard output: %s", strerror(errno));
		return CLI_FAILED;
	}
	return err == E_UNSUPPORTED ? CLI_USAGE : is_bad ? CLI_FAILED : CLI_OK;
}

int
main(int argc, char **argv)
{
	struct options o = { .revs.new = "HEAD", .valve = PRIMARY_VALVE };
	cli_init();
	privs_hide_memory(); /* keys files hold secrets */
	cli_parse(&argp, argc, argv, &o);
	return run(&o);
}
