#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# PID 1 of the machine that tests/kernel/run.py boots: runs a command as on a machine of
# its own, tells on the console how it ended, turns the machine off.
#
#	tests/kernel/inside.sh COMMAND...
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc none /proc
mount -t sysfs none /sys
mkdir -p /dev/shm
for folder in /run /dev/shm; do
	mount -t tmpfs none "$folder"
done
ln -sfn /proc/self/fd /dev/fd
ip link set lo up
hostname egressd
printf 'kernel %s\n' "$(uname -r)"
"$@" </dev/null
printf 'kernel: exit status %d\n' "$?"
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
