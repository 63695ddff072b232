#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian 12 packages that the named groups need:
#
#	tests/deps.sh [-n] GROUP...
#
#	build	the compiler and the libraries
#	test	what make check and make demo run
#	lint	what make lint runs
#	slow	what make check-slow and make bench run
#	kernel	what make check-kernel runs
#
# Silent and quick when nothing is missing. -n only tells what is missing (exit 1) and
# changes nothing. Installing takes root; without it the command to run is printed. No
# service is started by the installation, and none that came with it is left enabled. The
# sources of apt stay as they are.
set -eu

# The first in Debian 12 with the fixes of CVE-2026-63379, -63381 to -63385, -63387, -63388.
LIBEVENT_MIN=2.1.12-stable-8+deb12u1
POLICY=/usr/sbin/policy-rc.d
MARK='# egressd: no service starts while its build installs packages'

group_packages() {
	case $1 in
	build)
		echo build-essential pkg-config libevent-dev libc-ares-dev libldns-dev \
			libyaml-dev libnftnl-dev libmnl-dev libsystemd-dev
		;;
	test)
		echo libcmocka-dev python3 python3-pytest python3-dnspython \
			python3-prometheus-client python3-pyroute2 nftables iproute2 \
			iputils-ping nsd strace libfaketime unbound curl bind9-dnsutils tcpdump conntrack musl-tools libc6-dev procps \
			openssl systemd dbus util-linux
		;;
	lint) echo python3 clang-format-14 shellcheck mandoc ;;
	kernel) echo qemu-system-x86 busybox-static cpio kmod ;;
	slow) echo clang libclang-rt-14-dev valgrind dnsperf dnsdist dnsmasq-base haproxy ;;
	*)
		echo "deps.sh: no group '$1': build, test, lint, slow or kernel" >&2
		exit 2
		;;
	esac
}

# The packages of "$@" that are not installed, or are too old.
missing() {
	# dpkg-query fails when it knows one of them not at all; the others are listed
	installed=$(dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' \
		"$@" 2>/dev/null || true)
	for package; do
		version=$(printf '%s\n' "$installed" |
			awk -v p="$package" '$1 == p && $3 == "installed" { print $2; exit }')
		if [ -z "$version" ]; then
			echo "$package"
		elif [ "$package" = libevent-dev ] &&
			! dpkg --compare-versions "$version" ge "$LIBEVENT_MIN"; then
			echo "$package"
		fi
	done
}

# What an interrupted run left is undone by the next one.
policy_restore() {
	if [ -f "$POLICY" ] && grep -qxF "$MARK" "$POLICY"; then
		rm -f "$POLICY"
	fi
	if [ -e "$POLICY.before-egressd" ] && [ ! -e "$POLICY" ]; then
		mv "$POLICY.before-egressd" "$POLICY"
	fi
}

policy_forbid() {
	policy_restore
	if [ -e "$POLICY" ]; then
		mv "$POLICY" "$POLICY.before-egressd"
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" >"$POLICY"
	chmod 755 "$POLICY"
}

# Servers that this run brought in must not come up at the next boot either.
disable_new() {
	for service in nsd unbound dnsdist haproxy; do
		case " $wanted " in
		*" $service "*) ;;
		*) continue ;;
		esac
		if command -v systemctl >/dev/null && [ -e "/lib/systemd/system/$service.service" ]; then
			systemctl --quiet disable "$service.service" >/dev/null 2>&1 ||
				echo "deps.sh: could not disable $service.service" >&2
		fi
	done
}

cleanup() {
	disable_new
	policy_restore
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef \
		-o Dpkg::Options::=--force-confold "$@" </dev/null
}

# The lists are read anew only when they do not have what is wanted, or name a version
# that the mirror has no more.
install() {
	# shellcheck disable=SC2086 # a list of words
	set -- install --no-install-recommends $wanted
	if apt_get -s "$@" >/dev/null 2>&1 && apt_get "$@"; then
		if [ -z "$(still_missing)" ]; then
			return 0
		fi
	fi
	apt_get update
	apt_get "$@"
}

still_missing() {
	# shellcheck disable=SC2086 # a list of words
	missing $wanted | tr '\n' ' '
}

dry=no
if [ "${1-}" = -n ]; then
	dry=yes
	shift
fi
if [ $# -eq 0 ]; then
	echo "usage: tests/deps.sh [-n] build|test|lint|slow|kernel..." >&2
	exit 2
fi
packages=
for group; do
	packages="$packages $(group_packages "$group")"
done
if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: not a Debian system; install what these packages hold:$packages" >&2
	exit 1
fi
# shellcheck disable=SC2086 # a list of words
wanted=$(missing $packages | sort -u | tr '\n' ' ')
if [ -z "$wanted" ]; then
	exit 0
fi
if [ "$dry" = yes ]; then
	echo "missing Debian packages: $wanted" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	{
		echo "deps.sh: these Debian packages are missing; as root, run:"
		echo "  apt-get install --no-install-recommends $wanted"
	} >&2
	exit 1
fi

trap cleanup EXIT
trap 'exit 130' HUP INT TERM
policy_forbid
install
wanting=$(still_missing)
if [ -n "$wanting" ]; then
	echo "deps.sh: apt has no (new enough) $wanting(libevent-dev: at least $LIBEVENT_MIN)" >&2
	exit 1
fi
