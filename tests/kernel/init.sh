#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The first program in the machine that tests/kernel/run.py boots, from its initramfs: the
# host's root, read-only over 9p, becomes the root here, with a layer in memory on top.
# Kernel command line: egressd.work=FOLDER, where run.py has put the kernel's modules and
# the script "inside", which is next.
set -e
export PATH=/bin
mount -t proc none /proc
mount -t devtmpfs none /dev
work=$(sed -n 's/.*egressd\.work=\([^ ]*\).*/\1/p' /proc/cmdline)
while read -r module; do
	insmod "/modules/$module"
done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=1048576,cache=loose host /host
mount -t tmpfs none /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work none /root
mkdir -p /root/lib/modules
mount --bind "/host$work/image/lib/modules" /root/lib/modules
umount /proc
mount --move /dev /root/dev
exec switch_root /root /bin/sh "$work/inside"
