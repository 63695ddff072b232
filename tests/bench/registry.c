/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry under measurement. Prints JSON, a line a result; times are of the
 * process's CPU unless they say wall, and the least of all rounds.
 *
 *	registry build COUNT ROUNDS             text in memory to registry
 *	registry load FOLDER ROUNDS             files, by the daemon's own loader; and
 *	                                        again as they were
 *	registry judge ROUNDS COUNT...          decisions in registries of these sizes
 *	registry write FOLDER COUNT GENERATION  the files, and FOLDER.yaml that names it
 */
#include "policy/registry/registry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/loader/loader.h"
#include "tests/bench/judge.h"
#include "tests/bench/sample.h"

static const struct hash_key key = {{0x0123456789abcdef, 0xfedcba9876543210}};

/* The least of some rounds, in ms. */
struct least {
	double cpu, wall;
};

struct texts {
	char *bytes;
	size_t *ends; /* of entry i */
	size_t count;
};

static double
clock_ms(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* every Linux has both */
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
begin(struct least *now)
{
	now->cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
	now->wall = clock_ms(CLOCK_MONOTONIC);
}

static void
end(const struct least *from, struct least *best)
{
	double cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - from->cpu;
	double wall = clock_ms(CLOCK_MONOTONIC) - from->wall;

	best->cpu = best->cpu == 0 || cpu < best->cpu ? cpu : best->cpu;
	best->wall = best->wall == 0 || wall < best->wall ? wall : best->wall;
}

static int
make_texts(size_t count, struct texts *ret_texts)
{
	struct texts t = {.count = count};
	char text[SAMPLE_TEXT_MAX];
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += sample_entry(text, i, 0);
	t.bytes = malloc(total + SAMPLE_TEXT_MAX);
	t.ends = calloc(count, sizeof(*t.ends));
	if (t.bytes == NULL || t.ends == NULL)
		return -ENOMEM; /* the program ends */
	total = 0;
	for (size_t i = 0; i < count; i++) {
		size_t len = sample_entry(text, i, 0);

		memcpy(t.bytes + total, text, len); /* counted above */
		total += len;
		t.ends[i] = total;
	}
	*ret_texts = t;
	return 0;
}

static void
free_texts(struct texts *t)
{
	free(t->bytes);
	free(t->ends);
}

static int
add_texts(struct registry_builder *b, const struct texts *t)
{
	static char text[SAMPLE_PODS_TEXT_MAX];
	char file[64];
	size_t len = sample_mesh(text);
	size_t start = 0;
	int r = registry_builder_add(b, "mesh.yaml", text, len);

	len = sample_pods(text);
	if (r == 0)
		r = registry_builder_add(b, "pods.yaml", text, len);
	for (size_t i = 0; i < t->count && r == 0; start = t->ends[i++]) {
		(void)snprintf(file, sizeof(file),
		    "/etc/egressd/registry.d/external-%06zu.yaml", i); /* fits */
		r = registry_builder_add(b, file, t->bytes + start, t->ends[i] - start);
	}
	return r;
}

static void
print_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->len; i++) {
		char *text = finding_format(&findings->list[i]);

		if (text != NULL)
			(void)fprintf(stderr, "%s\n", text); /* nothing else to do */
		free(text);
	}
}

static int
build(const struct texts *t, struct registry **ret_registry)
{
	struct registry_settings settings = {.hash_key = key};
	struct findings findings;
	struct registry_builder *b;
	int r;

	findings_init(&findings, FINDINGS_MAX);
	b = registry_builder_new(&settings, &findings);
	r = b != NULL ? add_texts(b, t) : -ENOMEM;
	if (r == 0)
		r = registry_builder_finish(b, ret_registry);
	else
		registry_builder_free(b);
	print_findings(&findings);
	findings_done(&findings);
	return r;
}

static int
run_build(size_t count, unsigned rounds)
{
	struct least from, made = {0}, freed = {0};
	struct registry_counts counts = {0};
	struct texts t;
	int r = make_texts(count, &t);

	for (unsigned i = 0; i < rounds && r == 0; i++) {
		struct registry *registry;

		begin(&from);
		r = build(&t, &registry);
		if (r < 0)
			break;
		end(&from, &made);
		counts = registry_counts(registry);
		begin(&from);
		registry_unref(registry);
		end(&from, &freed);
	}
	if (r < 0)
		return r;
	printf("{\"entries\": %zu, \"text_bytes\": %zu, \"hosts\": %zu, \"bytes\": %zu, "
	       "\"cpu_ms\": %.3f, \"wall_ms\": %.3f, \"free_ms\": %.3f}\n",
	    counts.entries, t.ends[count - 1], counts.hosts, counts.bytes, made.cpu,
	    made.wall, freed.cpu);
	free_texts(&t);
	return 0;
}

/* Since exec; what getrusage(2) tells is the parent's when that was larger. 0: not
 * known. */
static long
peak_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	if (f != NULL)
		(void)fclose(f); /* read only */
	return kib;
}

/* One load, of which least is told; what to holds goes. */
static int
load(const struct loader_options *options, struct least *least, struct loader_result *to)
{
	struct loader_result loaded;
	struct findings findings;
	struct least from;
	int r;

	findings_init(&findings, FINDINGS_MAX);
	begin(&from);
	r = loader_load(options, &findings, &loaded);
	end(&from, least);
	print_findings(&findings);
	findings_done(&findings);
	if (r < 0)
		return r;
	registry_unref(to->registry);
	config_free(to->config);
	*to = loaded;
	return 0;
}

static int
run_load(const char *folder, unsigned rounds)
{
	struct loader_options options = {
	    .hash_key = key, .threads = loader_threads(), .shelve = true};
	struct least made = {0}, again = {0};
	struct loader_result loaded = {0};
	struct registry_counts counts;
	char path[PATH_MAX];
	long before = peak_kib();
	long first = 0;
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s.yaml", folder); /* else it is not there */
	options.path = path;
	for (unsigned i = 0; i < rounds && r == 0; i++) {
		r = load(&options, &made, &loaded);
		first = i == 0 ? peak_kib() : first;
	}
	for (unsigned i = 0; i < rounds && r == 0; i++) {
		options.before = loaded.registry;
		r = load(&options, &again, &loaded);
	}
	if (r < 0)
		return r; /* the program ends */
	counts = registry_counts(loaded.registry);
	printf("{\"entries\": %zu, \"cpu_ms\": %.3f, \"wall_ms\": %.3f, \"again_ms\": "
	       "%.3f, \"bytes\": %zu, \"peak_kib\": %ld}\n",
	    counts.entries, made.cpu, made.wall, again.cpu, counts.bytes, first - before);
	registry_unref(loaded.registry);
	config_free(loaded.config);
	return 0;
}

static int
run_judge(unsigned rounds, char **counts)
{
	struct judge_size sizes[JUDGE_SIZES_MAX];
	struct registry *built[JUDGE_SIZES_MAX];
	struct texts t;
	size_t n = 0;
	int r = 0;

	for (; counts[n] != NULL && n < JUDGE_SIZES_MAX && r == 0; n++) {
		r = make_texts(strtoul(counts[n], NULL, 10), &t);
		if (r == 0)
			r = build(&t, &built[n]);
		if (r < 0)
			return r; /* the program ends */
		sizes[n] = (struct judge_size){.entries = t.count, .registry = built[n]};
		free_texts(&t);
	}
	r = judge_run(sizes, n, rounds);
	while (n > 0)
		registry_unref(built[--n]);
	return r;
}

static int
write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return -errno;
	(void)fwrite(text, 1, len, f); /* fclose tells */
	return fclose(f) == 0 ? 0 : -errno;
}

static int
write_into(const char *folder, const char *name, const char *text, size_t len)
{
	char path[PATH_MAX + NAME_MAX + 2];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name); /* fits */
	return write_file(path, text, len);
}

static int
run_write(const char *folder, size_t count, unsigned generation)
{
	static char text[SAMPLE_PODS_TEXT_MAX];
	char name[NAME_MAX], path[PATH_MAX];
	int r = write_into(folder, "mesh.yaml", text, sample_mesh(text));

	if (r == 0)
		r = write_into(folder, "pods.yaml", text, sample_pods(text));
	for (size_t i = 0; i < count && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "external-%06zu.yaml", i); /* fits */
		r = write_into(folder, name, text, sample_entry(text, i, generation));
	}
	if (r < 0)
		return r;
	(void)snprintf(
	    text, sizeof(text), "registry: [%s]\nupstreams: [\"192.0.2.53\"]\n", folder);
	(void)snprintf(
	    path, sizeof(path), "%s.yaml", folder); /* else it cannot be read */
	return write_file(path, text, strlen(text));
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 3 ? argv[1] : "";
	int r = -EINVAL;

	if (strcmp(verb, "build") == 0)
		r = run_build(
		    strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
	else if (strcmp(verb, "load") == 0)
		r = run_load(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	else if (strcmp(verb, "judge") == 0)
		r = run_judge((unsigned)strtoul(argv[2], NULL, 10), argv + 3);
	else if (strcmp(verb, "write") == 0 && argc > 4)
		r = run_write(argv[2], strtoul(argv[3], NULL, 10),
		    (unsigned)strtoul(argv[4], NULL, 10));
	if (r < 0)
		(void)fprintf(stderr, "%s %s: %s\n", argv[0], verb, strerror(-r));
	return r < 0;
}
