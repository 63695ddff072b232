/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/daemon.h"
#include "daemon/loader/check.h"
#include "daemon/version.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2

static const char usage[] =
    "usage: egressd [-c FILE] [-v]\n"
    "       egressd -t [-c FILE] [-v] [--json] [PATH...]\n"
    "       egressd --help | --options | --version\n"
    "\n"
    "  -c, --config FILE  the configuration instead of " CONFIG_DEFAULT_PATH "\n"
    "  -t, --test         check configuration and registry, say what is wrong, and end;\n"
    "                     with PATHs (files, folders, - for standard input) only these\n"
    "                     manifests, and no configuration but that of -c\n"
    "  -v, --verbose      log more; with -t print notes too\n"
    "      --json         with -t: findings as JSON\n"
    "      --options      list the options of the configuration\n"
    "\n"
    "SIGHUP reloads configuration and registry. See egressd(8) and egressd.yaml(5).\n";

enum mode {
	MODE_RUN,
	MODE_TEST,
	MODE_END, /* all is said */
	MODE_USAGE,
};

struct arguments {
	struct daemon_options daemon;
	struct check_options check;
};

/* Arguments that only one of the two takes. */
static enum mode
check_mode(enum mode mode, const struct check_options *check)
{
	bool of_check = check->path_count > 0 || check->json;

	return mode == MODE_RUN && of_check ? MODE_USAGE : mode;
}

static enum mode
parse(int argc, char **argv, struct arguments *ret_arguments)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"test", no_argument, NULL, 't'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {"options", no_argument, NULL, 'o'},
	    {0},
	};
	struct daemon_options *daemon = &ret_arguments->daemon;
	struct check_options *check = &ret_arguments->check;
	enum mode mode = MODE_RUN;
	int option;

	while ((option = getopt_long(argc, argv, "c:tvh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			daemon->config_path = check->config_path = optarg;
			break;
		case 't':
			mode = MODE_TEST;
			break;
		case 'v':
			daemon->debug = check->notes = true;
			break;
		case 'j':
			check->json = true;
			break;
		case 'h':
			(void)fputs(usage, stdout); /* nobody to tell when it fails */
			return MODE_END;
		case 'V':
			(void)puts("egressd " EGRESSD_VERSION); /* as above */
			return MODE_END;
		case 'o':
			config_print_options();
			return MODE_END;
		default:
			return MODE_USAGE;
		}
	}
	check->paths = argv + optind;
	check->path_count = (size_t)(argc - optind);
	return check_mode(mode, check);
}

static int
test(const struct check_options *options)
{
	int r = check_run(options, stdout);

	if (r < 0 && r != -EINVAL)
		(void)fprintf(stderr, "egressd: not checked: %s\n",
		    strerror(-r)); /* nobody to tell when it fails */
	return r < 0 ? EXIT_REFUSED : 0;
}

/*
 * What is freed is merged with its neighbours at once. glibc puts small pieces aside and
 * merges all of them when a large one is wanted, which after many thousands, as when a
 * reload withdraws as many leases, takes longer than a lookup may wait.
 */
static void
merge_at_once(void)
{
	(void)mallopt(M_MXFAST, 0); /* else the wait is longer */
}

int
main(int argc, char **argv)
{
	struct arguments arguments = {0};

	merge_at_once();
	switch (parse(argc, argv, &arguments)) {
	case MODE_RUN:
		return daemon_run(&arguments.daemon);
	case MODE_TEST:
		return test(&arguments.check);
	case MODE_END:
		return 0;
	case MODE_USAGE:
		break;
	}
	(void)fputs(usage, stderr); /* nobody to tell when it fails */
	return EXIT_USAGE;
}
