#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What other programs judge: format, scripts, man pages. A finding is a line.
#
#	tests/lint/tools.sh C-FILE...
set -u
cd "$(dirname "$0")/../.." || exit 2
status=0

# Only the lines that say what is wrong and where; any such line is a failure.
report() { # PATTERN COMMAND...
	local pattern=$1 output
	shift
	if ! output=$("$@" 2>&1) && [ -z "$output" ]; then
		output="$1: failed"
	fi
	if [ -n "$output" ]; then
		grep -E "$pattern" <<<"$output" || head -n 20 <<<"$output"
		status=1
	fi
}

if [ $# -gt 0 ]; then
	report ': error: ' clang-format-14 --dry-run -Werror "$@"
fi

mapfile -t scripts < <(find tests .ci -type f -not -path '*/__pycache__/*' -exec \
	sh -c 'head -n 1 "$1" | grep -qE "^#!.*/(ba)?sh( |$)"' _ {} \; -print | sort)
if [ "${#scripts[@]}" -gt 0 ]; then
	report ':[0-9]+:[0-9]+: ' shellcheck -f gcc "${scripts[@]}"
fi

mapfile -t pages < <(find . -path ./.git -prune -o -type f -name '*.[158]' \
	-not -path './build*' -print | sort)
if [ "${#pages[@]}" -gt 0 ]; then
	report '^mandoc: ' mandoc -Tlint -Wwarning "${pages[@]}"
fi
exit "$status"
