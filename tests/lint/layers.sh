#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The layers: base below policy and resolver, both below daemon; never upward, never
# sideways. Inside of daemon, enforcer below all. Looks at the includes, links each archive
# with nothing but what may lie below it, and at what the archives call and keep. A finding
# is a line.
#
#	BUILD=build CC=cc tests/lint/layers.sh	(after the archives were built)
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
CC=${CC:-cc}
findings=0

finding() {
	printf '%s\n' "$*"
	findings=$((findings + 1))
}

declare -A BELOW=([base]="" [policy]="base" [resolver]="base" [daemon]="policy resolver base")
# pkg-config names of the libraries that a layer may use
declare -A PACKAGES=(
	[base]=""
	[policy]="yaml-0.1"
	[resolver]="ldns libcares libevent_core"
	[daemon]="libevent_core libnftnl libmnl libsystemd"
)
# who may include the headers of a library
declare -A LIBRARY=(
	['yaml\.h']="policy"
	['ldns/.*']="resolver"
	['ares.*\.h']="resolver"
	['event2/.*']="resolver daemon"
	['libnftnl/.*']="daemon"
	['libmnl/.*']="daemon"
	['nftables/.*']="daemon"
	['systemd/.*']="daemon"
)
# libc that a layer must not call: policy is pure, resolver gets its time from outside,
# neither logs nor exits
CLOCK='time|gettimeofday|clock_gettime|localtime_r|gmtime_r|nanosleep|usleep|sleep'
VOICE='printf|puts|putchar|perror|fprintf|vfprintf|__fprintf_chk|__printf_chk|syslog|exit|_exit'
WORLD='socket|bind|connect|send|sendto|sendmsg|recv|recvfrom|recvmsg|open|openat|open64|fopen|fopen64|read|write|getenv|fork|getrandom'
declare -A FORBIDDEN=([base]="$CLOCK|$VOICE|$WORLD" [policy]="$CLOCK|$VOICE|$WORLD" [resolver]="$CLOCK|$VOICE|fork|getenv")

allowed() { # LAYER LIST...
	local layer=$1 name
	shift
	for name; do
		[ "$name" = "$layer" ] && return 0
	done
	return 1
}

includes() { # LAYER
	local layer=$1 file line header pattern
	while IFS=: read -r file line header; do
		header=${header#*[<\"]}
		header=${header%%[>\"]*}
		case $header in
		base/* | policy/* | resolver/* | daemon/*)
			# shellcheck disable=SC2086 # a list of words
			allowed "${header%%/*}" $layer ${BELOW[$layer]} ||
				finding "$file:$line: $layer/ must not include $header"
			# the process that has CAP_NET_ADMIN has nothing of the other in it
			case $file:$header in
			daemon/enforcer/*:daemon/enforcer/*) ;;
			daemon/enforcer/*:daemon/*)
				finding "$file:$line: daemon/enforcer/ must not include $header"
				;;
			esac
			continue
			;;
		*../*) finding "$file:$line: no ../ in an include: $header" ;;
		tests/*) finding "$file:$line: the program must not include $header" ;;
		esac
		for pattern in "${!LIBRARY[@]}"; do
			[[ $header =~ ^$pattern$ ]] || continue
			# shellcheck disable=SC2086 # a list of words
			allowed "$layer" ${LIBRARY[$pattern]} ||
				finding "$file:$line: $layer/ must not include <$header>, only: ${LIBRARY[$pattern]}"
		done
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]' -r --include='*.[ch]' "$layer")
}

# The whole archive, an empty main, and what may lie below: does nothing stay undefined?
links() { # LAYER
	local layer=$1 below libraries=() packages=${PACKAGES[$1]} flags=() name
	for below in ${BELOW[$layer]}; do
		libraries+=("$BUILD/lib$below.a")
		packages+=" ${PACKAGES[$below]}" # what is below needs its own
	done
	if [ -n "${packages// /}" ]; then
		# shellcheck disable=SC2086 # a list of words
		read -ra flags < <(pkg-config --libs $packages)
	fi
	while read -r name; do
		finding "$BUILD/lib$layer.a: needs $name, which nothing below $layer/ defines"
	done < <(echo 'int main(void) { return 0; }' |
		$CC -pie -fPIE -pthread -x c - -x none -o /dev/null \
			-Wl,--whole-archive "$BUILD/lib$layer.a" -Wl,--no-whole-archive \
			"${libraries[@]}" "${flags[@]}" 2>&1 |
		sed -nE "s/.*undefined reference to [\`']([^']*)'.*/\1/p" | sort -u)
}

calls() { # LAYER
	local layer=$1 object name
	while read -r object name; do
		finding "$layer/${object%.o}.c: calls $name, which $layer/ must not"
	done < <(nm -A -u "$BUILD/lib$layer.a" 2>/dev/null |
		sed -nE "s/^[^:]*:([^:]*):[[:space:]]+U (${FORBIDDEN[$layer]})(@.*)?$/\1 \2/p")
}

# What is written to at run time: .data and .bss, but not constants with addresses in them.
globals() { # LAYER
	local layer=$1 object symbol
	while read -r object symbol; do
		[ "$layer/$object" = daemon/log.o ] && continue # the sink, as the style allows
		finding "$layer/${object%.o}.c: mutable global $symbol"
	done < <(objdump -t "$BUILD/lib$layer.a" 2>/dev/null | awk '
		/:[[:space:]]+file format/ { sub(/:.*/, "", $1); object = $1; next }
		/[[:space:]]O[[:space:]]+\.(data|bss|tdata|tbss)/ && !/\.data\.rel\.ro/ { print object, $NF }')
}

for layer in base policy resolver daemon; do
	includes "$layer"
	if [ ! -f "$BUILD/lib$layer.a" ]; then
		finding "$BUILD/lib$layer.a: not built"
		continue
	fi
	[ -n "$(ar t "$BUILD/lib$layer.a")" ] || continue
	links "$layer"
	[ -z "${FORBIDDEN[$layer]-}" ] || calls "$layer"
	globals "$layer"
done
[ "$findings" -eq 0 ]
