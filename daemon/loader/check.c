/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "daemon/clock.h"
#include "daemon/loader/loader.h"
#include "daemon/loader/paths.h"

#define LINE_MAX_BYTES ((size_t)1024 * 1024) /* of one finding: a path, and its text */

static bool
is_told(const struct finding *f, bool notes)
{
	return notes || f->severity != FINDING_NOTE;
}

static void
tell_dropped(const struct findings *findings)
{
	if (findings->dropped > 0)
		(void)fprintf(stderr, "and %zu more findings\n",
		    findings->dropped); /* nobody to tell when it fails */
}

void
check_print(const struct findings *findings, bool notes, FILE *out)
{
	for (size_t i = 0; i < findings->len; i++) {
		char *line = NULL;

		if (is_told(&findings->list[i], notes))
			line = finding_format(&findings->list[i]);
		if (line != NULL)
			(void)fprintf(out, "%s\n", line); /* out remembers a failure */
		free(line);
	}
	tell_dropped(findings);
}

static const char *
severity_text(enum finding_severity severity)
{
	switch (severity) {
	case FINDING_ERROR:
		return "error";
	case FINDING_WARNING:
		return "warning";
	case FINDING_NOTE:
		return "note";
	}
	return "note";
}

static void
write_object(struct buf *line, const struct finding *f)
{
	buf_text(line, "{\"file\":");
	buf_json(line, f->file, strlen(f->file));
	buf_printf(line,
	    ",\"line\":%u,\"column\":%u,\"severity\":\"%s\",\"text\":", f->line,
	    f->column, severity_text(f->severity));
	buf_json(line, f->text, strlen(f->text));
	buf_text(line, "}");
}

void
check_print_json(const struct findings *findings, bool notes, FILE *out)
{
	const char *before = "[";
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	for (size_t i = 0; i < findings->len; i++) {
		if (!is_told(&findings->list[i], notes))
			continue;
		buf_clear(&line);
		write_object(&line, &findings->list[i]);
		(void)fprintf(out, "%s%s", before,
		    line.failed ? "null" : line.bytes); /* out remembers a failure */
		before = ",\n";
	}
	(void)fputs(before[0] == '[' ? "[]\n" : "]\n", out); /* as above */
	buf_done(&line);
	tell_dropped(findings);
}

static int
load(const struct check_options *o, struct findings *findings)
{
	struct loader_options options = {
	    .path = o->config_path, .strict = true, .threads = loader_threads()};
	struct loader_result loaded = {0};
	int r = clock_random_bytes(&options.hash_key, sizeof(options.hash_key));

	if (r == 0 && o->path_count > 0)
		r = paths_load(o->config_path, o->paths, o->path_count, &options.hash_key,
		    findings, &loaded);
	else if (r == 0)
		r = loader_load(&options, findings, &loaded);
	registry_unref(loaded.registry);
	config_free(loaded.config);
	return r;
}

int
check_run(const struct check_options *o, FILE *out)
{
	struct findings findings;
	int r;

	findings_init(&findings, CHECK_FINDINGS_MAX);
	r = load(o, &findings);
	if (o->json)
		check_print_json(&findings, o->notes, out);
	else
		check_print(&findings, o->notes, out);
	findings_done(&findings);
	return fflush(out) != 0 || ferror(out) ? -EIO : r;
}
