# SPDX-License-Identifier: Apache-2.0
"""The uplink witness (tests/witness/): a program that captures and judges beside a test.

    proof = Proof(lab, program)
    ...
    proof.end()
    proof.nothing_found()
"""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import NODE_UPLINK4, NODE_UPLINK6, Lab

END_DEADLINE_S = 60  # what was seen last is judged, and memory is given back


@dataclass(frozen=True)
class Seen:
    """What it counted: answers with addresses, packets that left, flows that these opened."""

    answers: int
    addresses: int
    left: int
    opened: int
    own: int
    transactions: int
    leases: int
    withdrawn: int
    renewed: int
    found: dict[str, int]

    def __str__(self) -> str:
        return (f"{self.answers:,} answers with {self.addresses:,} addresses, {self.left:,} packets "
                f"left and {self.opened:,} of them opened a flow, {self.transactions:,} "
                f"transactions, {self.leases:,} leases begun; found: {sum(self.found.values())}")


class Proof:
    """Watches from its beginning, which is to be before the table is made, to its end."""

    def __init__(self, lab: Lab, program: Path) -> None:
        places = [f"uplink0={NODE_UPLINK4},{NODE_UPLINK6}"]
        places += [f"{pod.interface}={pod.v4},{pod.v6}" for pod in lab.pods]
        self._process = lab.node.start(str(program), *places, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the witness does not start: {self._process.communicate()[1]}")
        self.seen: Seen | None = None
        self.said = ""

    def close(self) -> None:
        """Harmless after end."""
        self._process.kill()
        self._process.communicate()

    def end(self) -> Seen:
        """All that has happened so far is judged."""
        self._process.send_signal(signal.SIGTERM)
        out, self.said = self._process.communicate(timeout=END_DEADLINE_S)
        assert self._process.returncode in (0, 1), f"the witness cannot tell: {self.said}"
        self.seen = Seen(**json.loads(out))
        return self.seen

    def nothing_found(self) -> None:
        assert self.seen is not None
        assert not any(self.seen.found.values()), f"{self.seen}\n{self.said}"

    def found(self, what: str) -> int:
        assert self.seen is not None
        return self.seen.found[what]
