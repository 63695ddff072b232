# SPDX-License-Identifier: Apache-2.0
"""A cgroup whose processes may use so much memory and no more, the kernel's on their behalf
included; without swap, who needs more is killed."""

from __future__ import annotations

import os
import re
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class MemoryGroup:
    def __init__(self, limit: int) -> None:
        """OSError where cgroups may not be made."""
        first = ROOT / "memory" if (ROOT / "memory").is_dir() else ROOT
        self._old = first != ROOT  # cgroup v1
        self._folder = first / f"egressd-test-{os.getpid()}"
        self._folder.mkdir()
        try:
            (self._folder / ("memory.limit_in_bytes" if self._old else "memory.max")
             ).write_text(str(limit))
        except OSError:
            self._folder.rmdir()
            raise
        self.launcher = ("sh", "-ec", f"echo $$ >{self._folder}/cgroup.procs; exec \"$@\"", "sh")

    def kills(self) -> int:
        """How often somebody was killed."""
        name = "memory.oom_control" if self._old else "memory.events"
        return int(re.search(r"^oom_kill (\d+)$", (self._folder / name).read_text(),
                             re.MULTILINE)[1])  # type: ignore[index]

    def most(self) -> int:
        """In use at once."""
        name = "memory.max_usage_in_bytes" if self._old else "memory.peak"
        return int((self._folder / name).read_text())

    def close(self) -> None:
        """Nobody is in it any more."""
        self._folder.rmdir()
