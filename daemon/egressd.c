/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/daemon.h"
#include "daemon/turn.h"
#include "daemon/version.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2

static const char usage[] =
    "usage: egressd [-c FILE] [-t] [-v] [--help] [--version]\n"
    "\n"
    "  -c, --config FILE  the configuration instead of " CONFIG_DEFAULT_PATH "\n"
    "  -t, --test         check configuration and registry, say what is wrong, and end\n"
    "  -v, --verbose      log more\n"
    "      --options      list the options of the configuration\n"
    "\n"
    "SIGHUP reloads configuration and registry. See egressd(8) and egressd.yaml(5).\n";

enum mode {
	MODE_RUN,
	MODE_TEST,
	MODE_END, /* all is said */
	MODE_USAGE,
};

static enum mode
parse(int argc, char **argv, struct daemon_options *ret_options)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"test", no_argument, NULL, 't'},
	    {"verbose", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {"options", no_argument, NULL, 'o'},
	    {0},
	};
	enum mode mode = MODE_RUN;
	int option;

	while ((option = getopt_long(argc, argv, "c:tvh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret_options->config_path = optarg;
			break;
		case 't':
			mode = MODE_TEST;
			break;
		case 'v':
			ret_options->debug = true;
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
	return optind == argc ? mode : MODE_USAGE;
}

/* Every finding on standard output; 0 when all is accepted. */
static int
test(const struct daemon_options *options)
{
	struct loader_result loaded = {0};
	struct findings findings;
	struct hash_key key;
	int r = clock_random_bytes(&key, sizeof(key));

	findings_init(&findings, FINDINGS_MAX);
	if (r == 0)
		r = loader_load(options->config_path, &key, &findings, &loaded);
	turn_print_findings(&findings, stdout);
	if (r < 0 && findings.errors == 0)
		(void)fprintf(stderr, "egressd: %s\n",
		    strerror(-r)); /* nobody to tell when it fails */
	findings_done(&findings);
	turn_release(&loaded);
	return r < 0 ? EXIT_REFUSED : 0;
}

int
main(int argc, char **argv)
{
	struct daemon_options options = {0};

	switch (parse(argc, argv, &options)) {
	case MODE_RUN:
		return daemon_run(&options);
	case MODE_TEST:
		return test(&options);
	case MODE_END:
		return 0;
	case MODE_USAGE:
		break;
	}
	(void)fputs(usage, stderr); /* nobody to tell when it fails */
	return EXIT_USAGE;
}
