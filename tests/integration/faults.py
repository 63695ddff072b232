# SPDX-License-Identifier: Apache-2.0
"""System calls and allocations of the daemon that fail when a test wants it (faults.c)."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from pathlib import Path

from lab import Lab

SEND, RECEIVE, LOSE, ALLOCATE = range(1, 5)  # enum call
PLAN = struct.Struct("=IIIIiII")  # struct plan
LIBRARY, FILE = "/run/faults.so", "/run/faults"


class Faults:
    """For daemons that are started with launcher."""

    def __init__(self, lab: Lab) -> None:
        source = Path(__file__).resolve().parent / "clients" / "faults.c"
        subprocess.run([*os.environ.get("CC", "cc").split(), "-std=gnu17", "-D_GNU_SOURCE", "-O2",
                        "-shared", "-fPIC", "-o", str(lab.node.path(LIBRARY)), str(source)],
                       check=True)
        with open(lab.node.path(FILE), "w+b") as file:
            file.truncate(PLAN.size)
            self._plan = mmap.mmap(file.fileno(), PLAN.size)
        self.launcher = ("env", f"LD_PRELOAD={LIBRARY}", f"EGRESSD_FAULTS={FILE}")

    def arm(self, call: int, error: int = 0, nth: int = 1, *, count: int = 1,
            process: int = 0) -> None:
        """The kind of call is written last, as nothing fails without one."""
        self.disarm()
        self._plan[:] = PLAN.pack(0, process, nth, count, error, 0, 0)
        self._plan[:4] = struct.pack("=I", call)

    def seen(self) -> int:
        """How many calls of this kind there have been since."""
        return PLAN.unpack(self._plan[:])[5]

    def disarm(self) -> int:
        """How many calls have failed."""
        self._plan[:4] = bytes(4)
        return PLAN.unpack(self._plan[:])[6]

    def close(self) -> None:
        self._plan.close()
