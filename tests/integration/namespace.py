# SPDX-License-Identifier: Apache-2.0
"""Network and mount namespaces that live exactly as long as this process.

Each is held by a child that the kernel kills when we die, however we die; no name is left
in /run/netns and no file outside of the namespace's own tmpfs.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x40000000  # linux/sched.h
LIBC = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")

# A private /run, and a private layer over /etc: nothing written there reaches the real ones.
PRIVATE_FILES = """
set -e
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/overlay/upper /run/overlay/work
mount -t overlay -o userxattr,lowerdir=/etc,upperdir=/run/overlay/upper,workdir=/run/overlay/work \
    none /etc
ip link set lo up
echo ready
exec sleep infinity
"""

# A process that must not outlive us; the kernel sees to it.
MORTAL = ["setpriv", "--pdeathsig", "KILL", "--"]


class Namespace:
    """One machine of the lab."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._holder = subprocess.Popen(
            MORTAL + ["unshare", "--net", "--mount", "--propagation", "private",
                      "sh", "-c", PRIVATE_FILES],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"cannot make the namespaces of {name}")
        self.pid = self._holder.pid
        self._net = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._net)
        self._holder.kill()
        self._holder.wait()
        if self._holder.stdout:
            self._holder.stdout.close()

    def path(self, path: str) -> Path:
        """A file of this namespace, as every process of the lab can name it."""
        return Path(f"/proc/{self.pid}/root{path}")

    def write(self, path: str, text: str) -> None:
        """Replace a file, never through a symbolic link that the real /etc may have there."""
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_text(text)
        fresh.replace(target)

    def command(self, *argv: str) -> list[str]:
        return MORTAL + ["nsenter", "-t", str(self.pid), "-n", "-m", "--", *argv]

    def start(self, *argv: str, **options: object) -> subprocess.Popen[str]:
        """Call it from the main thread: the kernel's "parent" is the thread that forked."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.command(*argv), text=True, **options)  # type: ignore

    def run(self, *argv: str, stdin: str = "", timeout: float = 20,
            check: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self.command(*argv), input=stdin, capture_output=True, text=True,
                              timeout=timeout)
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(argv)}: {done.stdout}{done.stderr}")
        return done

    def ip(self, batch: str) -> None:
        self.run("ip", "-batch", "-", stdin=batch, check=True)

    def sysctl(self, **values: int) -> None:
        """Keys below net, with dots written as two underscores."""
        script = "".join(f"echo {value} > /proc/sys/net/{key.replace('__', '/')}\n"
                         for key, value in values.items())
        self.run("sh", "-ec", script, check=True)

    def inside(self, action: Callable[[], T]) -> T:
        """Run action in a thread that is in the network namespace; sockets made there stay."""
        result: list[T] = []
        failure: list[BaseException] = []

        def body() -> None:
            try:
                if LIBC.setns(self._net, CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
                result.append(action())
            except BaseException as e:
                failure.append(e)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return result[0]

    def socket(self, family: int, kind: int, proto: int = 0) -> socket.socket:
        return self.inside(lambda: socket.socket(family, kind, proto))


def family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
