/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/control.h"
#include "daemon/layout.h"
#include "daemon/version.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2

static const char usage[] =
    "usage: egressctl [-s SOCKET] COMMAND\n"
    "\n"
    "  status [--json]  the state of the running daemon and its counters\n"
    "  leases [--json]  what each pod may reach now, and until when\n"
    "  teardown         remove the kernel's table; refused while a daemon runs\n"
    "\n"
    "  -s, --socket SOCKET  the daemon's control socket instead of\n"
    "                       " CONTROL_DEFAULT_PATH "\n"
    "  -h, --help           this text\n"
    "      --version        the version\n"
    "\n"
    "See egressctl(8).\n";

struct arguments {
	const char *socket;
	bool json;
	char *command;
};

typedef int (*command_fn)(const struct arguments *a);

struct command {
	const char *name;
	command_fn run;
	bool has_json;
};

/* What went wrong on the way to the daemon, and what to do. */
static void
explain_socket(const char *socket, int r)
{
	const char *remedy = "";

	if (r == -ENOENT || r == -ECONNREFUSED)
		remedy = ": no daemon runs, or its configuration names another socket: "
			 "use -s";
	else if (r == -EACCES)
		remedy = ": only root and the daemon's own user are heard";
	(void)fprintf(stderr, "egressctl: %s: %s%s\n", socket, strerror(-r),
	    remedy); /* nobody to tell when it fails */
}

static int
ask(const struct arguments *a)
{
	static char json[] = "json";
	char *words[] = {a->command, json};
	struct buf error;
	int fd = -1;
	int r;

	r = client_open(a->socket, &fd);
	if (r < 0) {
		explain_socket(a->socket, r);
		return EXIT_REFUSED;
	}
	buf_init(&error, CLIENT_ERROR_MAX);
	r = client_ask(fd, a->json ? 2 : 1, words, stdout, &error);
	(void)close(fd); /* all is read */
	if (r == -EREMOTEIO)
		(void)fprintf(stderr, "egressctl: %s\n",
		    error.len > 0 ? error.bytes : "refused"); /* as above */
	else if (r == -EPROTO)
		(void)fprintf(stderr,
		    "egressctl: the daemon closed the connection without an answer: it "
		    "is busy with others, or does not hear this user\n"); /* as above */
	else if (r < 0)
		(void)fprintf(stderr, "egressctl: %s\n", strerror(-r)); /* as above */
	buf_done(&error);
	return r < 0 ? EXIT_REFUSED : 0;
}

static int
remove_table(void)
{
	int r = layout_remove();

	if (r == 0 || r == -ENOENT) {
		(void)fprintf(stderr, "egressctl: %s\n",
		    r == 0 ? "the table is removed: pods are no longer held back"
			   : "there is no table to remove"); /* as above */
		return 0;
	}
	(void)fprintf(stderr, "egressctl: the table is not removed: %s\n",
	    r == -EBUSY   ? "an enforcer lives and owns it: stop egressd first"
	    : r == -EPERM ? "CAP_NET_ADMIN is needed"
			  : strerror(-r)); /* as above */
	return EXIT_REFUSED;
}

/*
 * The table is what keeps the pods in while no daemon runs; with one it would be made
 * anew at once. Only a socket that certainly has nobody behind it counts as no daemon.
 */
static int
teardown(const struct arguments *a)
{
	int fd = -1;
	int r = client_open(a->socket, &fd);

	if (r == 0)
		(void)close(fd); /* nothing was asked */
	if (r == 0 || r == -EAGAIN) {
		(void)fprintf(stderr,
		    "egressctl: a daemon runs and answers on %s: stop it first, and "
		    "then remove the table\n",
		    a->socket); /* nobody to tell when it fails */
		return EXIT_REFUSED;
	}
	if (r != -ENOENT && r != -ECONNREFUSED) {
		explain_socket(a->socket, r);
		return EXIT_REFUSED;
	}
	return remove_table();
}

static const struct command commands[] = {
    {"status", ask, true},
    {"leases", ask, true},
    {"teardown", teardown, false},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
fail_usage(void)
{
	(void)fputs(usage, stderr); /* nobody to tell when it fails */
	return EXIT_USAGE;
}

static int
tell(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_REFUSED : 0;
}

/* Runs a command once all arguments are known. */
static int
run(int argc, char **argv, struct arguments *a)
{
	const struct command *c = optind < argc ? find_command(argv[optind]) : NULL;

	if (c == NULL || optind + 1 != argc || (a->json && !c->has_json))
		return fail_usage();
	a->command = argv[optind];
	return c->run(a);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {0},
	};
	struct arguments a = {.socket = CONTROL_DEFAULT_PATH};
	int option;

	(void)signal(SIGPIPE, SIG_IGN); /* a write that fails is an exit code */
	while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			a.socket = optarg;
			break;
		case 'j':
			a.json = true;
			break;
		case 'h':
			return tell(usage);
		case 'V':
			return tell("egressctl " EGRESSD_VERSION "\n");
		default:
			return fail_usage();
		}
	}
	return run(argc, argv, &a);
}
