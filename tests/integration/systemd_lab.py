# SPDX-License-Identifier: Apache-2.0
"""A real systemd with its journald, whatever PID 1 of this machine is.

A Machine boots in PID, mount, network, cgroup, IPC and host name namespaces of its own,
on an overlay of / whose upper side is a tmpfs; what it writes is gone with it. Nothing
that this machine has enabled starts there, only journald and what a test asks for. All
its processes end with it, and it ends with the process that made it.
"""

from __future__ import annotations

import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import IO, Any

BOOT_TIMEOUT_S = 30
COMMAND_TIMEOUT_S = 30

# Makes a cgroup for the machine, so that systemd there finds it as its root and moves no
# process of ours, and removes it when the machine has ended. /mnt is this script's own.
OUTER = r"""
set -eu
mount -t tmpfs -o mode=755 egressd-lab /mnt
mkdir /mnt/cgroup
mount -t cgroup2 cgroup2 /mnt/cgroup
home=/mnt/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
own=$(mktemp -d "$home/egressd-lab-XXXXXX")
echo $$ >"$own/cgroup.procs"
setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount --propagation private \
    --uts --ipc --cgroup --net bash -c "$1" inner "${@:2}" || :
echo $$ >"$home/cgroup.procs"
find "$own" -depth -type d -exec rmdir {} +
"""

# Lays out the root and becomes its PID 1. /proc/sys and /sys are read-only but for the
# network's part, which belongs to the namespace; /dev holds harmless nodes only; a tmpfs
# on /tmp keeps systemd-tmpfiles away from the one below. systemd says READY=1 on $1/notify
# when it is up; the rest of the arguments is a command that installs what is to be tested.
INNER = r"""
set -eu
shared=$1
shift
root=/mnt/root
mkdir /mnt/upper /mnt/work $root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay $root
mount -t proc proc $root/proc
mount --bind $root/proc/sys $root/proc/sys
mount -o remount,bind,ro $root/proc/sys
mount -t proc proc /mnt/work
mount --bind /mnt/work/sys/net $root/proc/sys/net
umount /mnt/work
mount -t sysfs -o ro sysfs $root/sys
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
for dir in run tmp var/tmp var/log dev etc/systemd/system usr/lib/systemd/system-generators
do
	mount -t tmpfs -o mode=755 tmpfs $root/$dir
done
chmod 1777 $root/tmp $root/var/tmp
for node in null zero full random urandom tty
do
	: >$root/dev/$node
	mount --bind /dev/$node $root/dev/$node
done
mkdir $root/dev/pts $root/dev/shm $root/run/lab
mount -t devpts -o newinstance,ptmxmode=0666 devpts $root/dev/pts
ln -s pts/ptmx $root/dev/ptmx
mount --bind "$shared" $root/run/lab

for unit in $root/lib/systemd/system/{sysinit,local-fs,sockets,timers}.target.wants/*
do
	case ${unit##*/} in
	systemd-journald.* | systemd-journald-dev-log.*) ;;
	*) ln -s /dev/null "$root/etc/systemd/system/${unit##*/}" ;;
	esac
done
echo 00000000000000000000000000000001 >$root/etc/machine-id
: >$root/etc/fstab
echo lab >$root/etc/hostname

if [ $# -gt 0 ]
then
	DESTDIR=$root "$@"
fi
chroot $root systemd-sysusers
chroot $root journalctl --update-catalog
exec env -i container=other NOTIFY_SOCKET=/run/lab/notify PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 chroot $root /lib/systemd/systemd --system --unit=basic.target
"""


class Machine:
    """Booted when made; close() ends it. Use it as a context manager.

    install is a command that puts what is to be tested under $DESTDIR, the machine's
    root, before systemd starts there.
    """

    def __init__(self, install: Sequence[str] = ()) -> None:
        self.pid: int | None = None
        self._shared = tempfile.TemporaryDirectory(prefix="egressd-lab-")
        self._log = tempfile.TemporaryFile("w+")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(self._shared.name + "/notify")
            notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._outer = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount",
                 "--propagation", "private", "bash", "-c", OUTER, "outer", INNER,
                 self._shared.name, *install],
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)
            try:
                self.pid = self._wait_ready(notify)
            except BaseException:
                self.close()
                raise
        self._enter = ["nsenter", f"--target={self.pid}", "--all",
                       f"--root=/proc/{self.pid}/root", "--wd=/",
                       "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.pid = None
        else:
            self._outer.kill()
        self._outer.wait(COMMAND_TIMEOUT_S)
        self._shared.cleanup()
        self._log.close()

    def _wait_ready(self, notify: socket.socket) -> int:
        """The PID, as we see it, of who said READY=1: the kernel tells, not the sender."""
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        outer = os.pidfd_open(self._outer.pid)
        try:
            while True:
                left = deadline - time.monotonic()
                ready, _, _ = select.select([notify, outer], [], [], max(left, 0))
                if notify not in ready:
                    self._log.seek(0)
                    raise RuntimeError("no systemd here:\n" + self._log.read())
                data, control, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(12))
                if b"READY=1" in data.split(b"\n"):
                    return struct.unpack("3i", control[0][2])[0]
        finally:
            os.close(outer)

    def path(self, name: str) -> pathlib.Path:
        """The machine's file of this name, to be read and written from here."""
        return pathlib.Path(f"/proc/{self.pid}/root") / name.lstrip("/")

    def write(self, name: str, text: str) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def command(self, argv: Sequence[object], netns: str | None = None) -> list[str]:
        """argv for this machine's shell that runs the command inside."""
        within = ["ip", "netns", "exec", netns] if netns else []
        return self._enter + within + [str(a) for a in argv]

    def run(self, *argv: object, netns: str | None = None,
            check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.command(argv, netns), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S)
        if check and done.returncode != 0:
            raise RuntimeError(f"{argv}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def popen(self, *argv: object, netns: str | None = None,
              text: bool = True) -> subprocess.Popen[Any]:
        return subprocess.Popen(self.command(argv, netns), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=text)

    def systemctl(self, *argv: str) -> None:
        """A failure comes with what the journal says about it."""
        done = self.run("systemctl", *argv, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"systemctl {argv}: {done.stderr}{self.journal_end()}")

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """The unit's properties as a dict of text."""
        out = self.run("systemctl", "show", unit, "--property=" + ",".join(properties)).stdout
        return dict(line.split("=", 1) for line in out.splitlines())  # type: ignore

    def journal(self, *matches: str, count: int = 1, after: float = 0.0,
                timeout: float = 10) -> list[dict[str, Any]]:
        """The first count records that match, as dicts, as soon as they are there.

        after leaves out what journald had before that time.monotonic(). (journalctl's own
        --after-cursor passes over one record too many where there are matches.)
        """
        argv = ["journalctl", "--quiet", "--follow", "--no-tail", "--output=json", *matches]
        deadline = time.monotonic() + timeout
        records = []
        with self.popen(*argv, text=False) as follower:
            try:
                for line in _lines(follower.stdout, deadline):
                    record = json.loads(line)
                    if int(record["__MONOTONIC_TIMESTAMP"]) >= after * 1e6:
                        records.append(record)
                    if len(records) == count:
                        return records
            finally:
                follower.kill()
        raise TimeoutError(f"{len(records)} of {count} records {matches}\n{self.journal_end()}")

    def journal_end(self) -> str:
        return self.run("journalctl", "--no-pager", "--lines=40", check=False).stdout


def _lines(stream: IO[bytes], deadline: float) -> Iterator[bytes]:
    """The stream's lines until its end or the deadline."""
    buffer = b""
    while select.select([stream], [], [], max(deadline - time.monotonic(), 0))[0]:
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        *lines, buffer = (buffer + data).split(b"\n")
        yield from lines
