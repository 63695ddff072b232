/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/control/client.h"
#include "daemon/control/control.h"
#include "daemon/control/explain.h"
#include "daemon/control/explain_text.h"
#include "daemon/enforcer/layout.h"
#include "daemon/version.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2
#define EXIT_UNREACHABLE 3 /* explain: the workload may not reach the target */
#define PATHS_MAX 64       /* of -r */

static const char usage[] =
    "usage: egressctl [-s SOCKET] COMMAND\n"
    "\n"
    "  status [--json]  the state of the running daemon and its counters\n"
    "  leases [--json]  what each pod may reach now, and until when\n"
    "  refused [--json] what was refused lately, lookups and connections, and why\n"
    "  suggest          the ServiceEntries that would have allowed that, as YAML\n"
    "  explain [--json] [-c FILE] [-r PATH]... WORKLOAD NAME|ADDRESS[:PORT[/PROTO]]\n"
    "                   may it be reached, by which entry, or why not; WORKLOAD is\n"
    "                   namespace/pod, a namespace, or an address; exits with 3 when\n"
    "                   not. With -c or -r no daemon is asked but files\n"
    "  teardown         remove the kernel's table; refused while a daemon runs\n"
    "\n"
    "  -c, --config FILE    explain by this configuration and its registry\n"
    "  -r, --registry PATH  explain by these manifests: a file, a folder, or - for\n"
    "                       standard input\n"
    "  -s, --socket SOCKET  the daemon's control socket instead of\n"
    "                       " CONTROL_DEFAULT_PATH "\n"
    "  -h, --help           this text\n"
    "      --version        the version\n"
    "\n"
    "See egressctl(8).\n";

struct arguments {
	const char *socket;
	const char *config;
	char *paths[PATHS_MAX];
	size_t path_count;
	bool json;
	char **operands; /* the command's name, and what stands behind it */
};

typedef int (*command_fn)(const struct arguments *a);

struct command {
	const char *name;
	command_fn run;
	int operands; /* behind the name */
	bool has_json;
	bool has_files; /* -c and -r */
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

/* The words, with "json" behind them when it is wanted; the answer goes to out. */
static int
ask_daemon(const struct arguments *a, size_t word_count, FILE *out)
{
	static char json[] = "json";
	char *words[CONTROL_WORDS_MAX];
	struct buf error;
	int fd = -1;
	int r;

	r = client_open(a->socket, &fd);
	if (r < 0) {
		explain_socket(a->socket, r);
		return EXIT_REFUSED;
	}
	memcpy(words, a->operands, word_count * sizeof(words[0]));
	if (a->json)
		words[word_count++] = json;
	buf_init(&error, CLIENT_ERROR_MAX);
	r = client_ask(fd, word_count, words, out, &error);
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
ask(const struct arguments *a)
{
	return ask_daemon(a, 1, stdout);
}

static int
tell(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_REFUSED : 0;
}

static int
tell_explanation(const char *text)
{
	int code = tell(text);

	return code != 0 ? code : explain_text_allowed(text) ? 0 : EXIT_UNREACHABLE;
}

static int
explain_by_files(const struct arguments *a)
{
	struct explain_files files = {
	    .config_path = a->config,
	    .paths = a->paths,
	    .path_count = a->path_count,
	    .workload = a->operands[1],
	    .target = a->operands[2],
	    .json = a->json,
	};
	struct buf out;
	int code = EXIT_REFUSED;
	int r;

	buf_init(&out, EXPLAIN_ANSWER_MAX);
	r = explain_files(&files, &out);
	if (r == 0)
		code = tell_explanation(out.bytes);
	else if (r != -EINVAL)
		(void)fprintf(stderr, "egressctl: %s\n",
		    strerror(-r)); /* nobody to tell when it fails */
	buf_done(&out);
	return code;
}

static int
explain_by_daemon(const struct arguments *a)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int code;

	if (out == NULL)
		return EXIT_REFUSED;
	code = ask_daemon(a, 3, out);
	if (fclose(out) != 0)
		code = EXIT_REFUSED;
	if (code == 0)
		code = tell_explanation(text);
	free(text);
	return code;
}

static int
explain_target(const struct arguments *a)
{
	struct explain_text t;
	const char *reason;

	if (explain_text_parse(a->operands[1], a->operands[2], &t, &reason) < 0) {
		(void)fprintf(
		    stderr, "egressctl: %s\n", reason); /* nobody to tell when it fails */
		return EXIT_USAGE;
	}
	return a->config != NULL || a->path_count > 0 ? explain_by_files(a)
						      : explain_by_daemon(a);
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
    {"status", ask, 0, true, false},
    {"leases", ask, 0, true, false},
    {"refused", ask, 0, true, false},
    {"suggest", ask, 0, false, false},
    {"explain", explain_target, 2, true, true},
    {"teardown", teardown, 0, false, false},
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

/* Runs a command once all arguments are known. */
static int
run(int argc, char **argv, struct arguments *a)
{
	const struct command *c = optind < argc ? find_command(argv[optind]) : NULL;
	bool by_files = a->config != NULL || a->path_count > 0;

	if (c == NULL || optind + 1 + c->operands != argc || (a->json && !c->has_json) ||
	    (by_files && !c->has_files))
		return fail_usage();
	a->operands = argv + optind;
	return c->run(a);
}

static int
add_path(struct arguments *a, char *path)
{
	if (a->path_count == PATHS_MAX) {
		(void)fprintf(stderr,
		    "egressctl: more than %d paths: name their folder\n",
		    PATHS_MAX); /* nobody to tell when it fails */
		return EXIT_USAGE;
	}
	a->paths[a->path_count++] = path;
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"socket", required_argument, NULL, 's'},
	    {"config", required_argument, NULL, 'c'},
	    {"registry", required_argument, NULL, 'r'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {0},
	};
	struct arguments a = {.socket = CONTROL_DEFAULT_PATH};
	int option;

	(void)signal(SIGPIPE, SIG_IGN); /* a write that fails is an exit code */
	while ((option = getopt_long(argc, argv, "s:c:r:h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			a.socket = optarg;
			break;
		case 'c':
			a.config = optarg;
			break;
		case 'r':
			if (add_path(&a, optarg) != 0)
				return EXIT_USAGE;
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
